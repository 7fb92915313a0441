// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How a table lies on a grid. Columns have a least width; what a line has beyond the sum of those
 * that fit goes to those that flex, by weight. The others are reached by scrolling sideways.
 */
#include "ui/tui/table.h"

#include <stdio.h>

#define GAP 1 /* blanks between columns */
#define COLUMNS_MAX 32

struct layout {
	int x[COLUMNS_MAX], width[COLUMNS_MAX]; /* width 0: not on the screen */
	int total;
};

static bool is_number(const struct column *c)
{
	return c->type != COLUMN_TEXT && c->type != COLUMN_BOOL;
}

/* What the columns that fit leave over goes to those of them that flex; the rest to the last one. */
static void layout_flex(struct layout *l, const struct view *view, int n, int extra)
{
	int flex = 0, last = -1, left = extra;

	for (int i = 0; i < n; i++) {
		flex += l->width[i] ? view->columns[i].flex : 0;
		last = l->width[i] && view->columns[i].flex ? i : last;
	}
	if (last < 0 || extra <= 0)
		return;
	for (int i = 0; i < n; i++) {
		int share = l->width[i] ? extra * view->columns[i].flex / flex : 0;

		l->width[i] += share;
		left -= share;
	}
	l->width[last] += left;
}

static void layout_make(struct layout *l, const struct view *view, int cols)
{
	int n = view->ncolumns < COLUMNS_MAX ? view->ncolumns : COLUMNS_MAX;
	int fit = 0, used = -GAP, x = 0;

	*l = (struct layout){ 0 };
	for (int i = 0; i < n; i++)
		l->width[i] = view->columns[i].width;
	for (int sum = -GAP; fit < n; fit++) {
		sum += l->width[fit] ? l->width[fit] + GAP : 0;
		if (sum > cols)
			break;
		used = sum;
	}
	layout_flex(l, view, fit, cols - used);
	for (int i = 0; i < n; i++) {
		l->x[i] = x;
		x += l->width[i] ? l->width[i] + GAP : 0;
	}
	l->total = x - GAP;
}

static void draw_header(const struct table *t, struct grid *g, int y, const struct layout *l)
{
	grid_fill(g, y, 0, g->cols, STYLE_HEADER);
	for (int i = 0; i < t->view->ncolumns && i < COLUMNS_MAX; i++) {
		const struct column *c = &t->view->columns[i];
		bool sorted = i == t->sort;
		char name[64];

		if (!l->width[i])
			continue;
		snprintf(name, sizeof(name), "%s%s", c->name,
			 !sorted ? "" :
				   grid_glyph(g, t->inverted ? GLYPH_SORT_UP : GLYPH_SORT_DOWN));
		if (is_number(c))
			grid_text_right(g, y, l->x[i] - t->left, l->width[i], name,
					sorted ? STYLE_SORTED : STYLE_HEADER);
		else
			grid_text(g, y, l->x[i] - t->left, l->width[i], name,
				  sorted ? STYLE_SORTED : STYLE_HEADER);
	}
}

static void draw_row(const struct table *t, struct grid *g, int y, const struct row *row,
		     const struct layout *l)
{
	char buf[VALUE_SIZE];

	for (int i = 0; i < t->view->ncolumns && i < COLUMNS_MAX; i++) {
		const struct column *c = &t->view->columns[i];
		const struct value *v = &row->values[i];
		enum style style = v->style == STYLE_NORMAL ? row->style : v->style;
		const char *text;

		if (!l->width[i])
			continue;
		text = value_string(c, v, buf);
		if (!v->known)
			style = STYLE_DIM;
		if (is_number(c))
			grid_text_right(g, y, l->x[i] - t->left, l->width[i], text, style);
		else
			grid_text(g, y, l->x[i] - t->left, l->width[i], text, style);
	}
}

static void clamp_scroll(struct table *t, int page)
{
	size_t most = t->nshown > (size_t)page ? t->nshown - (size_t)page : 0;

	if (t->page != page) { /* another size: keep the cursor on the screen */
		t->page = page;
		if (t->has_cursor && t->cursor_at >= t->top + (size_t)page)
			t->top = t->cursor_at - (size_t)page + 1;
	}
	if (t->top > most)
		t->top = most;
}

void table_draw(struct table *t, struct grid *g, int y, int height)
{
	int page = height - 1;
	struct layout l;

	if (page < 1)
		return;
	layout_make(&l, t->view, g->cols);
	if (t->left > l.total - g->cols)
		t->left = l.total > g->cols ? l.total - g->cols : 0;
	clamp_scroll(t, page);
	draw_header(t, g, y, &l);
	for (int i = 0; i < page && t->top + (size_t)i < t->nshown; i++) {
		const struct row *row = t->shown[t->top + (size_t)i];

		draw_row(t, g, y + 1 + i, row, &l);
		if (row == table_cursor_row(t))
			grid_restyle(g, y + 1 + i, 0, g->cols, STYLE_SELECTED);
		else if (table_row_followed(t, row))
			grid_restyle(g, y + 1 + i, 0, g->cols, STYLE_FOLLOWED);
	}
}

void table_draw_header(const struct table *t, struct grid *g, int y)
{
	struct layout l;

	layout_make(&l, t->view, g->cols);
	draw_header(t, g, y, &l);
}

void table_draw_row(const struct table *t, struct grid *g, int y, const struct row *row)
{
	struct layout l;

	layout_make(&l, t->view, g->cols);
	draw_row(t, g, y, row, &l);
}

void table_scroll_sideways(struct table *t, const struct grid *g, int columns)
{
	struct layout l;

	layout_make(&l, t->view, g->cols);
	t->left += columns;
	if (t->left > l.total - g->cols)
		t->left = l.total - g->cols;
	if (t->left < 0)
		t->left = 0;
}
