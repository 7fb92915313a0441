// SPDX-License-Identifier: GPL-2.0-or-later
/* How a page lies on a grid; see page.h. */
#include "ui/tui/page.h"

#include <string.h>

#include "ui/tui/units.h"

#define BAR_X 37 /* where bars begin, behind their texts */

static void draw_bar(struct grid *g, int y, const struct page_line *line)
{
	int room = g->cols - BAR_X - 2, eighths = (int)(line->bar * room * 8 + 0.5), x = BAR_X;

	if (line->bar > 0 && eighths < 1)
		eighths = 1; /* few is not none */
	for (; eighths > 0; eighths -= 8, x++)
		grid_text(g, y, x, 1,
			  grid_glyph(g, GLYPH_BLOCK + (enum glyph)(eighths < 8 ? eighths - 1 : 7)),
			  STYLE_GOOD);
}

/* The newest at the right; the highest of them is as high as a cell. */
static void draw_activity(struct grid *g, int y, const struct activity *a)
{
	double most = 0;
	int x = 3;

	for (int i = 0; i < a->n; i++)
		most = a->per_s[i] > most ? a->per_s[i] : most;
	for (int i = 0; i < a->n; i++, x++) {
		int eighth = most > 0 ? (int)(a->per_s[i] / most * 7 + 0.5) : 0;

		if (a->per_s[i] > 0)
			grid_text(g, y, x, 1, grid_glyph(g, GLYPH_BAR + (enum glyph)eighth),
				  STYLE_GOOD);
		else
			grid_text(g, y, x, 1, "_", STYLE_DIM);
	}
}

static void draw_title(const struct page *p, struct grid *g, int y, int table)
{
	for (int i = 0; i < p->nsections; i++) {
		const struct page_section *s = &p->sections[i];
		size_t all = page_section_rows(p, s), shown = p->tables[table].nshown;

		if (s->table != table)
			continue;
		if (shown == all)
			grid_print(g, y, 1, g->cols - 1, STYLE_TITLE, "%s (%zu)", s->title, all);
		else
			grid_print(g, y, 1, g->cols - 1, STYLE_TITLE, "%s (%zu of %zu)", s->title, shown,
				   all);
	}
}

void page_draw_line(struct page *p, struct grid *g, int y, size_t at)
{
	const struct page_line *line = &p->lines[at];
	struct table *t = &p->tables[line->table];

	t->left = p->left;
	switch (line->kind) {
	case LINE_TEXT:
		grid_text(g, y, 0, g->cols, line->text, line->style);
		break;
	case LINE_BAR:
		grid_text(g, y, 0, BAR_X - 1, line->text, line->style);
		draw_bar(g, y, line);
		break;
	case LINE_ACTIVITY:
		draw_activity(g, y, &p->activity);
		break;
	case LINE_TITLE:
		draw_title(p, g, y, line->table);
		break;
	case LINE_HEAD:
		table_draw_header(t, g, y);
		break;
	case LINE_ROW:
		if (line->row < t->nshown)
			table_draw_row(t, g, y, t->shown[line->row]);
		break;
	case LINE_MORE:
		grid_print(g, y, 3, g->cols - 3, STYLE_DIM, "… and %zu more", line->row);
		break;
	}
}

static void mark_line(struct page *p, struct grid *g, int y, size_t at)
{
	const struct page_line *line = &p->lines[at];
	const struct table *t = &p->tables[line->table];
	enum style mark = STYLE_NORMAL;

	if (line->kind == LINE_ROW && line->row < t->nshown)
		mark = p->cursor.has_cursor && p->cursor.at == at ?
			       STYLE_SELECTED :
			       table_row_mark(t, t->shown[line->row]);
	if (mark != STYLE_NORMAL)
		grid_restyle(g, y, 0, g->cols, mark);
}

void page_draw(struct page *p, struct grid *g, int y, int height)
{
	size_t most = p->nlines > (size_t)height ? p->nlines - (size_t)height : 0;
	struct page_mark *c = &p->cursor;

	p->height = height;
	if (c->has_cursor && c->at >= c->top + (size_t)height)
		c->top = c->at - (size_t)height + 1;
	if (c->top > most)
		c->top = most;
	for (int i = 0; i < height && c->top + (size_t)i < p->nlines; i++) {
		page_draw_line(p, g, y + i, c->top + (size_t)i);
		mark_line(p, g, y + i, c->top + (size_t)i);
	}
	if (!p->nlines)
		grid_text(g, y + 1, 3, g->cols - 4, "no longer known", STYLE_DIM);
}
