// SPDX-License-Identifier: GPL-2.0-or-later
/* What clicks do to the dashboard; see dash.h. The wheel is arrows (curses.c). */
#include "ui/tui/dash.h"
#include "ui/tui/keys.h"

/* A header sorts, again the other way round; a row takes the cursor, again opens its page. */
static bool header_click(struct dash *d, struct table *t, int x)
{
	int column = table_column_at(t, d->grid.cols, x);

	if (column < 0)
		return false;
	t->inverted = column == t->sort && !t->inverted;
	t->sort = column;
	return true;
}

static unsigned int table_click(struct dash *d, int y, int x)
{
	struct table *t = dash_table(d);
	size_t at = t->top + (size_t)(y - d->table_y - 1);

	if (t->shape == SHAPE_AS_GRAPH || t->shape == SHAPE_AS_MATRIX)
		return DASH_NOTHING;
	if (y == d->table_y) {
		if (header_click(d, t, x))
			dash_sorted_anew(d);
		return DASH_NOTHING;
	}
	if (y < d->table_y || at >= t->nshown || y >= d->grid.rows - 1)
		return DASH_NOTHING;
	if (table_cursor_row(t) == t->shown[at])
		dash_open_page(d);
	else
		table_move_to(t, at);
	return DASH_NOTHING;
}

static unsigned int page_click_at(struct dash *d, struct page *p, int y, int x)
{
	const struct page_line *line = page_line_at(p, y - d->table_y);
	const struct row *before = page_cursor_row(p);

	if (line && line->kind == LINE_HEAD && header_click(d, &p->tables[line->table], x))
		dash_arrange_page(d);
	else if (page_click(p, y - d->table_y) && before == page_cursor_row(p))
		dash_open_page(d);
	return DASH_NOTHING;
}

unsigned int dash_click(struct dash *d, int y, int x)
{
	for (int i = 0; i < d->nhits; i++) {
		const struct dash_hit *h = &d->hits[i];

		if (y == h->y && x >= h->x && x < h->x + h->width)
			return dash_key(d, h->key);
	}
	if (d->cover != COVER_NONE || d->prompt != PROMPT_NONE)
		return DASH_NOTHING;
	if (!d->npages)
		return table_click(d, y, x);
	return y < d->grid.rows - 1 ? page_click_at(d, dash_page(d), y, x) : DASH_NOTHING;
}
