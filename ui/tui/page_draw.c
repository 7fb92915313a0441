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

static void draw_line(struct page *p, struct grid *g, int y, size_t at)
{
	const struct page_line *line = &p->lines[at];
	struct table *t = &p->tables[line->table];

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
	case LINE_HEAD:
		t->left = p->left;
		table_draw_header(t, g, y);
		break;
	case LINE_ROW:
		t->left = p->left;
		if (line->row < t->nshown)
			table_draw_row(t, g, y, t->shown[line->row]);
		if (p->has_cursor && p->cursor == at)
			grid_restyle(g, y, 0, g->cols, STYLE_SELECTED);
		break;
	}
}

void page_draw(struct page *p, struct grid *g, int y, int height)
{
	size_t most = p->nlines > (size_t)height ? p->nlines - (size_t)height : 0;

	p->height = height;
	if (p->has_cursor && p->cursor >= p->top + (size_t)height)
		p->top = p->cursor - (size_t)height + 1;
	if (p->top > most)
		p->top = most;
	for (int i = 0; i < height && p->top + (size_t)i < p->nlines; i++)
		draw_line(p, g, y + i, p->top + (size_t)i);
	if (!p->nlines)
		grid_text(g, y + 1, 3, g->cols - 4, "no longer known", STYLE_DIM);
}
