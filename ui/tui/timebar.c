// SPDX-License-Identifier: GPL-2.0-or-later
#include "ui/tui/timebar.h"

#include "ui/tui/units.h"

#define LABEL_COLS 16
#define LEVELS 8
#define COLS_MAX 1024

/* From little to much; nothing at all is a blank. */
static const char *const levels[2][LEVELS] = {
	{ ".", ".", ":", ":", "+", "+", "#", "#" },
	{ "\u2581", "\u2582", "\u2583", "\u2584", "\u2585", "\u2586", "\u2587", "\u2588" },
};

static int bar_cols(const struct grid *g)
{
	int cols = g->cols - LABEL_COLS - 1;

	return cols > COLS_MAX ? COLS_MAX : cols;
}

static double span(const struct timebar *t)
{
	return t->last_ns > t->first_ns ? (double)(t->last_ns - t->first_ns) : 1;
}

/* Columns from the left end of the bar, with what is left over; it may lie outside. */
static double place(const struct timebar *t, int cols, uint64_t t_ns)
{
	double since = t_ns >= t->first_ns ? (double)(t_ns - t->first_ns) :
					     -(double)(t->first_ns - t_ns);

	return since / span(t) * cols;
}

static int column(const struct timebar *t, int cols, uint64_t t_ns)
{
	double x = place(t, cols, t_ns);

	return x < 0 ? 0 : x >= cols ? cols - 1 : (int)x;
}

uint64_t timebar_time(const struct timebar *t, int cols, int x)
{
	int width = cols - LABEL_COLS - 1;

	x -= LABEL_COLS;
	if (x <= 0 || width <= 1)
		return t->first_ns;
	if (x >= width - 1)
		return t->last_ns;
	return t->first_ns + (uint64_t)((double)x / (width - 1) * span(t));
}

struct bars {
	double ops[COLS_MAX], slept_ns[COLS_MAX];
	bool lost[COLS_MAX];
};

/* A slot's share of every column that it touches, for a short trace has more columns than slots. */
static void add_slot(const struct timebar *t, struct bars *b, int cols, const struct trace_slot *s)
{
	double from = place(t, cols, s->t_ns), to = place(t, cols, s->t_ns + s->width_ns);

	if (s->lost)
		b->lost[column(t, cols, s->t_ns)] = true;
	from = from < 0 ? 0 : from;
	to = to > cols ? cols : to;
	if (!(to > from)) {
		b->ops[column(t, cols, s->t_ns)] += (double)s->ops;
		return;
	}
	for (int x = (int)from; x < cols && x < to; x++) {
		double left = from > x ? from : x, right = to < x + 1 ? to : x + 1;
		double share = (right - left) / (to - from);

		b->ops[x] += share * (double)s->ops;
		b->slept_ns[x] += share * (double)s->slept_ns;
	}
}

static double most(const double *v, int n)
{
	double max = 0;

	for (int i = 0; i < n; i++)
		max = v[i] > max ? v[i] : max;
	return max;
}

static void draw_bar(struct grid *g, int y, const double *v, int cols, enum style style)
{
	double max = most(v, cols);

	for (int x = 0; x < cols; x++) {
		int level = max > 0 ? (int)(v[x] / max * LEVELS) : 0;

		if (v[x] > 0)
			grid_text(g, y, LABEL_COLS + x, 1,
				  levels[g->utf8][level < LEVELS ? level : LEVELS - 1], style);
	}
}

static void draw_marks(const struct timebar *t, const struct timebar_place *at,
		       const struct bars *b, struct grid *g, int y, int cols)
{
	for (int x = 0; x < cols; x++)
		grid_text(g, y, LABEL_COLS + x, 1, g->utf8 ? "\u2500" : "-", STYLE_DIM);
	for (int x = 0; x < cols; x++)
		if (b->lost[x])
			grid_text(g, y, LABEL_COLS + x, 1, "L", STYLE_ALERT);
	for (size_t i = 0; i < t->nfindings; i++)
		grid_text(g, y, LABEL_COLS + column(t, cols, t->findings[i].t_ns), 1, "D",
			  STYLE_ALERT);
	if (at->a_ns)
		grid_text(g, y, LABEL_COLS + column(t, cols, at->a_ns), 1, "A", STYLE_KEY);
	if (at->b_ns)
		grid_text(g, y, LABEL_COLS + column(t, cols, at->b_ns), 1, "B", STYLE_KEY);
}

void timebar_draw(const struct timebar *t, const struct timebar_place *at, struct grid *g, int y)
{
	struct bars b = { .ops = { 0 } };
	int cols = bar_cols(g), now;
	char buf[UNITS_SIZE];
	double column_s;

	if (cols < 1)
		return;
	for (size_t i = 0; i < t->nslots; i++)
		add_slot(t, &b, cols, &t->slots[i]);
	column_s = span(t) / cols / 1e9;
	grid_print(g, y, 1, LABEL_COLS - 2, STYLE_DIM, "ops/s <=%s",
		   units_count(buf, most(b.ops, cols) / column_s));
	grid_print(g, y + 1, 1, LABEL_COLS - 2, STYLE_DIM, "asleep <=%s",
		   units_count(buf, most(b.slept_ns, cols) / (column_s * 1e9)));
	draw_bar(g, y, b.ops, cols, STYLE_GOOD);
	draw_bar(g, y + 1, b.slept_ns, cols, STYLE_WARN);
	draw_marks(t, at, &b, g, y + 2, cols);
	now = LABEL_COLS + column(t, cols, at->now_ns);
	grid_text(g, y + 2, now, 1, grid_glyph(g, GLYPH_SORT_UP), STYLE_TITLE);
	grid_restyle(g, y, now, 1, STYLE_SELECTED);
	grid_restyle(g, y + 1, now, 1, STYLE_SELECTED);
}
