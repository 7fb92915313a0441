// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How a table lies on a grid. Columns have a least width; what a line has beyond the sum of those
 * that fit goes to words that are whole then, and to those that flex, by weight. The others are
 * reached by scrolling sideways.
 */
#include "ui/tui/table.h"

#include <stdio.h>

#define GAP 1    /* blanks between columns */
#define ROOMY 40 /* to spare: enough for names, and for words not to be cut short */

/* Of the i-th column on the screen. */
struct layout {
	int x[COLUMNS_MAX], width[COLUMNS_MAX];
	int total;
};

static const struct column *column_at(const struct table *t, int i)
{
	return &t->view->columns[t->columns[i]];
}

static bool is_number(const struct column *c)
{
	return c->type != COLUMN_TEXT && c->type != COLUMN_BOOL;
}

/* Words get their whole width first, where names keep enough. Returns what is left. */
static int layout_whole(struct layout *l, const struct table *t, int n, int extra)
{
	for (int i = 0; i < n; i++) {
		int more = column_at(t, i)->whole - l->width[i];

		if (more <= 0 || extra - more < ROOMY)
			continue;
		l->width[i] += more;
		extra -= more;
	}
	return extra;
}

/* What the columns that fit leave over goes to those of them that flex; the rest to the last one. */
static void layout_flex(struct layout *l, const struct table *t, int n, int extra)
{
	int flex = 0, last = -1, left = extra;

	for (int i = 0; i < n; i++) {
		flex += column_at(t, i)->flex;
		last = column_at(t, i)->flex ? i : last;
	}
	if (last < 0 || extra <= 0)
		return;
	for (int i = 0; i < n; i++) {
		int share = extra * column_at(t, i)->flex / flex;

		l->width[i] += share;
		left -= share;
	}
	l->width[last] += left;
}

static void layout_make(struct layout *l, const struct table *t, int cols)
{
	int fit = 0, used = -GAP, x = 0;

	*l = (struct layout){ 0 };
	for (int i = 0; i < t->ncolumns; i++)
		l->width[i] = column_at(t, i)->width;
	for (int sum = -GAP; fit < t->ncolumns; fit++) {
		sum += l->width[fit] + GAP;
		if (sum > cols)
			break;
		used = sum;
	}
	layout_flex(l, t, fit, layout_whole(l, t, fit, cols - used));
	for (int i = 0; i < t->ncolumns; i++) {
		l->x[i] = x;
		x += l->width[i] + GAP;
	}
	l->total = x - GAP;
}

int table_column_at(const struct table *t, int cols, int x)
{
	struct layout l;

	layout_make(&l, t, cols);
	for (int i = 0; i < t->ncolumns; i++)
		if (x + t->left >= l.x[i] && x + t->left < l.x[i] + l.width[i] + GAP)
			return t->columns[i];
	return -1;
}

static void draw_header(const struct table *t, struct grid *g, int y, const struct layout *l)
{
	grid_fill(g, y, 0, g->cols, STYLE_HEADER);
	for (int i = 0; i < t->ncolumns; i++) {
		const struct column *c = column_at(t, i);
		bool sorted = t->columns[i] == t->sort;
		char name[64];

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

/* The lines that lead to a row of a tree, two columns for each step down; returns the columns used. */
static int draw_branch(struct grid *g, int y, int x, int width, const struct branch *b,
		       enum style style)
{
	int used = 0;

	for (int depth = 1; depth <= b->depth && used + 2 < width; depth++) {
		int line = depth < b->depth ? (b->rails >> depth & 1 ? LINE_UP | LINE_DOWN : 0) :
			   b->is_last	    ? LINE_UP | LINE_RIGHT :
					      LINE_UP | LINE_DOWN | LINE_RIGHT;

		grid_text(g, y, x + used, 1, grid_glyph(g, GLYPH_LINE + line), style);
		if (line & LINE_RIGHT)
			grid_text(g, y, x + used + 1, 1,
				  grid_glyph(g, GLYPH_LINE + (LINE_LEFT | LINE_RIGHT)), style);
		used += 2;
	}
	return used;
}

static void draw_row(const struct table *t, struct grid *g, int y, const struct row *row,
		     const struct layout *l)
{
	char buf[VALUE_SIZE];

	for (int i = 0; i < t->ncolumns; i++) {
		const struct column *c = column_at(t, i);
		const struct value *v = &row->values[t->columns[i]];
		enum style style = v->style == STYLE_NORMAL ? row->style : v->style;
		int x = l->x[i] - t->left, width = l->width[i];
		const char *text;

		text = value_string(c, v, buf);
		if (!v->known || row->is_context)
			style = STYLE_DIM;
		if (t->shape == SHAPE_AS_TREE && t->columns[i] == t->view->branch_column) {
			int used = draw_branch(g, y, x, width, &row->branch, STYLE_DIM);

			x += used;
			width -= used;
		}
		if (is_number(c))
			grid_text_right(g, y, x, width, text, style);
		else
			grid_text(g, y, x, width, text, style);
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
	layout_make(&l, t, g->cols);
	if (t->left > l.total - g->cols)
		t->left = l.total > g->cols ? l.total - g->cols : 0;
	clamp_scroll(t, page);
	table_fill_page(t); /* without memory they are drawn as far as they are known */
	draw_header(t, g, y, &l);
	for (int i = 0; i < page && t->top + (size_t)i < t->nshown; i++) {
		const struct row *row = t->shown[t->top + (size_t)i];
		enum style mark = row == table_cursor_row(t) ? STYLE_SELECTED :
							       table_row_mark(t, row);

		draw_row(t, g, y + 1 + i, row, &l);
		if (mark != STYLE_NORMAL)
			grid_restyle(g, y + 1 + i, 0, g->cols, mark);
	}
}

void table_draw_header(const struct table *t, struct grid *g, int y)
{
	struct layout l;

	layout_make(&l, t, g->cols);
	draw_header(t, g, y, &l);
}

void table_draw_row(const struct table *t, struct grid *g, int y, const struct row *row)
{
	struct layout l;

	layout_make(&l, t, g->cols);
	draw_row(t, g, y, row, &l);
}

void table_scroll_sideways(struct table *t, const struct grid *g, int columns)
{
	bool is_picture = t->shape == SHAPE_AS_GRAPH || t->shape == SHAPE_AS_MATRIX;
	struct layout l;
	int total;

	layout_make(&l, t, g->cols);
	total = is_picture ? t->picture_width : l.total;
	t->left += columns;
	if (t->left > total - g->cols)
		t->left = total - g->cols;
	if (t->left < 0)
		t->left = 0;
}
