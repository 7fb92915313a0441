// SPDX-License-Identifier: GPL-2.0-or-later
/* Talk as a matrix: a line for each sender, a column for each receiver, bytes a second in between. */
#include <stdio.h>

#include "ui/tui/dash.h"
#include "ui/tui/pairs.h"
#include "ui/tui/units.h"

#define PARTIES_MAX 200
#define PAIRS_MAX TABLE_PICTURED
#define NAME_WIDTH 26
#define CELL_WIDTH 7

struct matrix {
	const struct pairs *pairs;
	int sends[PARTIES_MAX], receives[PARTIES_MAX]; /* the party of a line, of a column */
	int line_of[PARTIES_MAX], column_of[PARTIES_MAX]; /* and back; -1: it has none */
	int nsends, nreceives;
	int marked_line; /* -1: none */
};

static void matrix_fill(struct matrix *m, const struct pairs *p)
{
	*m = (struct matrix){ .pairs = p, .marked_line = -1 };
	for (int i = 0; i < p->nparties; i++)
		m->line_of[i] = m->column_of[i] = -1;
	for (int i = 0; i < p->n; i++) {
		const struct pair *pair = &p->v[i];

		if (m->line_of[pair->from] < 0) {
			m->line_of[pair->from] = m->nsends;
			m->sends[m->nsends++] = pair->from;
		}
		if (m->column_of[pair->to] < 0) {
			m->column_of[pair->to] = m->nreceives;
			m->receives[m->nreceives++] = pair->to;
		}
		if (pair->is_marked)
			m->marked_line = m->line_of[pair->from];
	}
}

static int cell_x(const struct table *t, int column)
{
	return NAME_WIDTH + column * (CELL_WIDTH + 1) - t->left;
}

static void draw_cell(const struct table *t, struct grid *g, int y, int column, const char *text,
		      enum style style)
{
	int x = cell_x(t, column);

	if (x >= NAME_WIDTH && x + CELL_WIDTH <= g->cols)
		grid_text_right(g, y, x, CELL_WIDTH, text, style);
}

void matrix_draw(struct table *t, struct grid *g, int y, int height)
{
	struct pairs p;
	struct matrix m;
	char buf[UNITS_SIZE], number[16];
	int page = height - 3, top;

	table_fill_page(t);
	if (page < 1 || pairs_make(&p, t, PARTIES_MAX, PAIRS_MAX) < 0)
		return;
	matrix_fill(&m, &p);
	t->page = page;
	top = m.marked_line >= page ? m.marked_line - page + 1 : 0;
	t->picture_width = cell_x(t, m.nreceives) + t->left;
	if (t->picture_width <= g->cols)
		t->left = 0;
	grid_fill(g, y, 0, g->cols, STYLE_HEADER);
	grid_text(g, y, 0, NAME_WIDTH, "FROM \\ TO      bytes/s", STYLE_HEADER);
	for (int c = 0; c < m.nreceives; c++) {
		snprintf(number, sizeof(number), "%d", m.receives[c] + 1);
		draw_cell(t, g, y, c, number, STYLE_HEADER);
	}
	for (int i = 0; i < page && top + i < m.nsends; i++) {
		int from = m.sends[top + i];

		grid_print(g, y + 1 + i, 0, NAME_WIDTH - 1, STYLE_NORMAL, "%3d %s", from + 1,
			   p.parties[from].name);
		for (int k = 0; k < p.n; k++) {
			const struct pair *pair = &p.v[k];

			if (pair->from != from)
				continue;
			draw_cell(t, g, y + 1 + i, m.column_of[pair->to],
				  units_bytes(buf, pair->bytes_per_s),
				  pair->is_marked	   ? STYLE_SELECTED :
				  pair->bytes_per_s > 0 ? STYLE_GOOD :
							     STYLE_DIM);
		}
	}
	/* those that only receive have no line: what their numbers mean */
	for (int c = 0, i = m.nsends - top; c < m.nreceives && i < page; c++)
		if (m.line_of[m.receives[c]] < 0)
			grid_print(g, y + 1 + i++, 0, NAME_WIDTH - 1, STYLE_DIM, "%3d %s",
				   m.receives[c] + 1, p.parties[m.receives[c]].name);
	if (p.left_out)
		grid_print(g, y + height - 1, 1, g->cols - 2, STYLE_WARN,
			   "%zu weaker flows are not in the picture", p.left_out);
	pairs_release(&p);
}
