// SPDX-License-Identifier: GPL-2.0-or-later
/* The dashboard's screen, from top to bottom; see dash.h. */
#include "ui/tui/dash.h"

#include <stdio.h>

#include "ui/tui/keys.h"

/* A click there is that key. */
static void hit(struct dash *d, int y, int x, int width, int key)
{
	if (d->nhits < DASH_HITS_MAX)
		d->hits[d->nhits++] = (struct dash_hit){ y, x, width, key };
}

static const char *state_word(const struct dash *d)
{
	if (d->paused)
		return "PAUSED";
	return d->ended ? "ended" : "";
}

/* The program, what it looks at, and how often. */
static void draw_title(struct dash *d, int y)
{
	struct grid *g = &d->grid;
	const char *state = state_word(d);
	char every[48];
	int width, x;

	snprintf(every, sizeof(every), "%s%severy %gs", state, *state ? ", " : "", d->interval_s);
	width = grid_text_width(g, every);
	x = 1 + grid_print(g, y, 1, 20, STYLE_TITLE, "ipctap %s", d->verb) + 2;
	grid_text(g, y, x, g->cols - x - 2 - width, d->title, STYLE_NORMAL);
	grid_text(g, y, g->cols - width - 1, width, every,
		  d->paused ? STYLE_WARN : d->ended ? STYLE_DIM : STYLE_NORMAL);
}

/* The figures; losses get a line of their own, for they put all the others in doubt. */
static int draw_figures(struct dash *d, int y)
{
	struct grid *g = &d->grid;
	char buf[FRAME_TEXT_SIZE];
	int x = 1;

	if (d->frame.lost) {
		grid_text(g, y, 1, g->cols - 2, frame_losses(&d->frame, buf), STYLE_ALERT);
		y++;
	} else {
		x += grid_text(g, y, x, g->cols - 2, "lost 0", STYLE_GOOD) + 2;
	}
	frame_figures(&d->frame, buf);
	if (grid_text_width(g, buf) > g->cols - 1 - x)
		frame_figures_brief(&d->frame, buf);
	grid_text(g, y, x, g->cols - 1 - x, buf, STYLE_NORMAL);
	return y + 1;
}

static bool has_rates(const struct view *view)
{
	for (int i = 0; i < view->ncolumns; i++)
		if (view->columns[i].type == COLUMN_RATE || view->columns[i].type == COLUMN_BYTE_RATE)
			return true;
	return false;
}

/* What hides rows, marks them, or makes rates be of another time than the refresh. */
static void state_text(struct dash *d, const struct table *t, char *buf, size_t size)
{
	const struct rowfilter *filter = dash_filter(d);
	const char *sep = "";
	size_t len = 0;

	buf[0] = '\0';
#define ADD(...)                                                                                   \
	do {                                                                                       \
		len += len < size ? (size_t)snprintf(buf + len, size - len, "%s", sep) : 0;        \
		len += len < size ? (size_t)snprintf(buf + len, size - len, __VA_ARGS__) : 0;      \
		sep = ", ";                                                                        \
	} while (0)
	if (d->followed[0])
		ADD("following %s", d->followed);
	if (filter->text[0])
		ADD("filter '%s'", filter->text);
	if (d->tags.n)
		ADD("%d tagged", d->tags.n);
	if (!d->npages && has_rates(t->view) && t->rate_span_s > d->frame.interval_s * 1.5 && d->frame.interval_s > 0)
		ADD("rates over %.3gs", t->rate_span_s);
#undef ADD
}

static void draw_tabs(struct dash *d, int y)
{
	const struct table *t = dash_table(d);
	struct grid *g = &d->grid;
	char state[384];
	int x = 1, width;

	for (int i = 0; i < VIEW_MAX; i++) {
		bool open = i == (int)d->view;
		int from = x;

		x += grid_print(g, y, x, g->cols - x, open ? STYLE_TITLE : STYLE_KEY, "%d", i + 1);
		x += 1 + grid_text(g, y, x + 1, g->cols - x, views[i]->name,
				   open ? STYLE_TITLE : STYLE_NORMAL);
		hit(d, y, from, x - from, '1' + i);
		x += 2;
	}
	state_text(d, t, state, sizeof(state));
	width = g->cols - x - 1;
	if (state[0])
		grid_text_right(g, y, x, width, state, STYLE_WARN);
	else if (!d->npages && width >= 14)
		grid_print(g, y, g->cols - 15, 14, STYLE_DIM, "%8zu row%s", t->nshown,
			   t->nshown == 1 ? " " : "s");
}

static void draw_keys(struct dash *d, int y)
{
	struct grid *g = &d->grid;
	int x = 1;

	for (int i = 0; i < keys_nbindings; i++) {
		const struct binding *b = &keys_bindings[i];
		int from = x;

		if (!b->footer)
			continue;
		x += grid_text(g, y, x, g->cols - x, b->footer_key, STYLE_KEY) + 1;
		x += grid_text(g, y, x, g->cols - x, b->footer, STYLE_NORMAL);
		hit(d, y, from, x - from, b->key);
		x++;
	}
}

/* The end of the input is what is being typed: a long one loses its beginning. */
static void draw_prompt(struct dash *d, int y)
{
	struct grid *g = &d->grid;
	static const char *const labels[] = { [PROMPT_SEARCH] = "Search: ",
					      [PROMPT_FILTER] = "Filter: ",
					      [PROMPT_EXPORT] = "Write to: " };
	const char *label = labels[d->prompt];
	const char *hint = d->prompt == PROMPT_FILTER ? "Tab complete  Enter keep  Esc leave" :
			   d->prompt == PROMPT_EXPORT ? ".csv .json or text  Esc leave" :
							"Enter keep  Esc leave";
	const char *input = d->input;
	int x, room;

	x = 1 + grid_text(g, y, 1, g->cols - 1, label, STYLE_KEY);
	room = g->cols - x - 2 - grid_text_width(g, hint) - 2;
	while (*input && grid_text_width(g, input) > room) {
		do
			input++;
		while (((unsigned char)*input & 0xc0) == 0x80);
	}
	x += grid_text(g, y, x, room, input, STYLE_NORMAL);
	grid_restyle(g, y, x, 1, STYLE_SELECTED); /* the text cursor */
	grid_text_right(g, y, x + 1, g->cols - x - 2, d->message[0] ? d->message : hint,
			d->message[0] ? STYLE_WARN : STYLE_DIM);
}

static void draw_footer(struct dash *d, int y)
{
	if (d->prompt != PROMPT_NONE)
		draw_prompt(d, y);
	else if (d->message[0])
		grid_text(&d->grid, y, 1, d->grid.cols - 2, d->message, STYLE_WARN);
	else
		draw_keys(d, y);
}

static void draw_help(struct dash *d)
{
	struct grid *g = &d->grid;
	int page = g->rows - 1;
	/* Drawn from where it was asked for; where that is past the end, once more from the last page. */
	int lines = help_draw(d, 0, page);
	int last = lines > page ? lines - page : 0, top = d->help_top;

	top = top > last ? last : top < 0 ? 0 : top;
	if (top != d->help_top) {
		d->help_top = top;
		grid_clear(g);
		help_draw(d, 0, page);
	}
	grid_print(g, g->rows - 1, 1, g->cols - 2, STYLE_DIM,
		   "Up, Down, PgUp, PgDn: lines %d to %d of %d.  Any other key: back", top + 1,
		   top + page < lines ? top + page : lines, lines);
}

/* ipctap only looks. Whoever wants more finds here what to type elsewhere. */
static void draw_end_how(struct dash *d, int y)
{
	const struct row *row = dash_cursor_row(d);
	const struct row_end *end = row && row->nends ? &row->ends[0] : NULL;
	struct grid *g = &d->grid;
	int x = 4;

	if (!end)
		return;
	grid_print(g, y, x, g->cols - x, STYLE_TITLE, "How to end %s[%u]", end->comm, end->pid);
	grid_text(g, y + 1, x, g->cols - x,
		  "ipctap observes and ends nothing. In another terminal:", STYLE_NORMAL);
	grid_print(g, y + 3, x, g->cols - x, STYLE_NORMAL, "kill %-10u asks it to end (SIGTERM)",
		   end->pid);
	grid_print(g, y + 4, x, g->cols - x, STYLE_NORMAL, "kill -9 %-7u ends it as it is (SIGKILL)",
		   end->pid);
	grid_print(g, y + 5, x, g->cols - x, STYLE_NORMAL,
		   "ipctap why %-4u says first what it waits for", end->pid);
	grid_text(g, g->rows - 1, 1, g->cols - 2, "Any key: back", STYLE_DIM);
}

static void draw_page(struct dash *d, int y, int height)
{
	struct page *p = dash_page(d);
	struct grid *g = &d->grid;
	const char *back = d->paused ? "as of now; Backspace: back" : "Backspace: back";
	int width = grid_text_width(g, back);

	grid_text(g, y, 1, g->cols - width - 4, p->title, STYLE_TITLE);
	if (p->is_gone)
		back = "no longer known";
	grid_text_right(g, y, g->cols - width - 2, width, back, p->is_gone ? STYLE_WARN : STYLE_DIM);
	d->table_y = y + 1;
	page_draw(p, g, y + 1, height - 1);
}

static void draw_view(struct dash *d, int y, int height)
{
	struct table *t = dash_table(d);
	struct grid *g = &d->grid;

	if (d->view == VIEW_BLOCKED) {
		int n = findings_draw(d->frame.scan.waits, d->frame.now_ns, g, y, height / 2);

		y += n;
		height -= n;
	}
	d->table_y = y;
	if (t->shape == SHAPE_AS_GRAPH)
		graph_draw(t, g, y, height);
	else if (t->shape == SHAPE_AS_MATRIX)
		matrix_draw(t, g, y, height);
	else
		table_draw(t, g, y, height);
	if (!t->nshown)
		grid_text(g, y + 2, 3, g->cols - 4,
			  t->rows.n && d->filter.text[0] ? "no row matches the filter (F4)" :
							   "nothing yet",
			  STYLE_DIM);
}

int dash_draw(struct dash *d, int rows, int cols)
{
	struct grid *g = &d->grid;
	int y = 0, err = grid_resize(g, rows, cols);

	if (err)
		return err;
	d->nhits = 0;
	dash_sync(d);
	g->ascii_lines = d->ascii_lines;
	if (rows < DASH_MIN_ROWS || cols < DASH_MIN_COLS) {
		grid_print(g, 0, 0, cols, STYLE_ALERT, "too small: %dx%d, needs %dx%d", cols, rows,
			   DASH_MIN_COLS, DASH_MIN_ROWS);
		return 0;
	}
	if (d->cover == COVER_HELP) {
		draw_help(d);
		return 0;
	}
	if (d->cover == COVER_SETUP) {
		setup_draw(d);
		return 0;
	}
	draw_title(d, y++);
	y = draw_figures(d, y);
	draw_tabs(d, y++);
	if (d->cover == COVER_END_HOW) {
		draw_end_how(d, y + 1);
		return 0;
	}
	if (d->npages)
		draw_page(d, y, rows - 1 - y);
	else
		draw_view(d, y, rows - 1 - y);
	draw_footer(d, rows - 1);
	return 0;
}
