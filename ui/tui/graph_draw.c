// SPDX-License-Identifier: GPL-2.0-or-later
/* Talk as boxes and arrows: graph.c says where, this draws it on a sheet and shows a part of that. */
#include <stdio.h>
#include <stdlib.h>

#include "ui/tui/dash.h"
#include "ui/tui/graph.h"
#include "ui/tui/pairs.h"
#include "ui/tui/units.h"

#define NAME_MAX_WIDTH 24
#define LABEL_WIDTH 8 /* "99.9M/s" */
#define GAP_BEFORE (LABEL_WIDTH + 3) /* of a gutter, before its tracks: a head, a label */
#define GAP_BEHIND 3
#define SHEET_CELLS_MAX 2000000

struct sheet {
	struct grid grid;
	uint8_t *lines; /* LINE_*, a byte a cell */
	uint8_t *marks; /* 1: of the arrow under the cursor */
	const struct graph *graph;
	const struct pairs *pairs;
	int marked_y, marked_x; /* where the marked arrow begins; -1: there is none */
};

static void put_line(struct sheet *s, int y, int x, int bits, bool mark)
{
	size_t at;

	if (y < 0 || y >= s->grid.rows || x < 0 || x >= s->grid.cols)
		return;
	at = (size_t)y * (size_t)s->grid.cols + (size_t)x;
	s->lines[at] |= (uint8_t)bits;
	s->marks[at] |= mark;
}

static void put_across(struct sheet *s, int y, int x0, int x1, bool mark)
{
	for (int x = x0; x < x1; x++)
		put_line(s, y, x, LINE_RIGHT | (x > x0 ? LINE_LEFT : 0), mark);
	if (x1 > x0)
		put_line(s, y, x1, LINE_LEFT, mark);
}

static void put_down(struct sheet *s, int x, int y0, int y1, bool mark)
{
	int top = y0 < y1 ? y0 : y1, bottom = y0 < y1 ? y1 : y0;

	for (int y = top; y <= bottom; y++)
		put_line(s, y, x, (y > top ? LINE_UP : 0) | (y < bottom ? LINE_DOWN : 0), mark);
}

static int right_of(const struct sheet *s, int item)
{
	const struct graph *g = s->graph;

	return g->layer_x[g->items[item].layer] + g->layer_width[g->items[item].layer] - 1;
}

static void put_seg(struct sheet *s, const struct graph_seg *seg, bool mark)
{
	const struct graph *g = s->graph;
	int layer = g->items[seg->from].layer;
	int x0 = right_of(s, seg->from), x1 = g->layer_x[layer + 1];

	if (g->items[seg->from].node < 0) /* through its layer */
		put_across(s, seg->from_y, g->layer_x[layer], x0, mark);
	if (seg->track < 0) {
		put_across(s, seg->from_y, x0, x1, mark);
	} else {
		int turn = x0 + GAP_BEFORE + seg->track;

		put_across(s, seg->from_y, x0, turn, mark);
		put_down(s, turn, seg->from_y, seg->to_y, mark);
		put_across(s, seg->to_y, turn, x1, mark);
	}
}

static void put_box(struct sheet *s, int node)
{
	const struct graph_item *it = &s->graph->items[node];
	int x = s->graph->layer_x[it->layer], w = s->graph->layer_width[it->layer];
	int bottom = it->y + it->height - 1;

	put_across(s, it->y, x, x + w - 1, false);
	put_across(s, bottom, x, x + w - 1, false);
	put_down(s, x, it->y, bottom, false);
	put_down(s, x + w - 1, it->y, bottom, false);
}

/* Lines become characters only when all of them are there: where they meet, they join. */
static void ink_lines(struct sheet *s)
{
	for (int y = 0; y < s->grid.rows; y++)
		for (int x = 0; x < s->grid.cols; x++) {
			size_t at = (size_t)y * (size_t)s->grid.cols + (size_t)x;

			if (s->lines[at])
				grid_text(&s->grid, y, x, 1,
					  grid_glyph(&s->grid, GLYPH_LINE + s->lines[at]),
					  s->marks[at] ? STYLE_SELECTED : STYLE_DIM);
		}
}

static void label(struct sheet *s, int y, int x, int tag, bool right)
{
	const struct pair *p = tag < 0 ? NULL : &s->pairs->v[tag];
	char rate[UNITS_SIZE], text[UNITS_SIZE + 4];

	if (!p || p->bytes_per_s <= 0)
		return;
	snprintf(text, sizeof(text), "%s/s", units_bytes(rate, p->bytes_per_s));
	if (right)
		grid_text_right(&s->grid, y, x, LABEL_WIDTH, text, STYLE_GOOD);
	else
		grid_text(&s->grid, y, x, LABEL_WIDTH, text, STYLE_GOOD);
}

static void ink_edge(struct sheet *s, const struct graph_edge *e)
{
	const struct graph_seg *first = &s->graph->segs[e->first];
	const struct graph_seg *last = &s->graph->segs[e->first + e->nsegs - 1];
	int left = right_of(s, e->a), right = s->graph->layer_x[s->graph->items[e->b].layer];

	if (e->to_b) {
		label(s, first->from_y, left + 2, e->tag, false);
		grid_text(&s->grid, last->to_y, right - 1, 1, grid_glyph(&s->grid, GLYPH_RIGHT),
			  STYLE_NORMAL);
	}
	if (e->to_a) {
		label(s, last->to_y, right - 2 - LABEL_WIDTH, e->back_tag, true);
		grid_text(&s->grid, first->from_y, left + 1, 1, grid_glyph(&s->grid, GLYPH_LEFT),
			  STYLE_NORMAL);
	}
}

static void ink_box(struct sheet *s, int node)
{
	const struct graph_item *it = &s->graph->items[node];
	int x = s->graph->layer_x[it->layer], w = s->graph->layer_width[it->layer];

	grid_text(&s->grid, it->y + it->height / 2, x + 2, w - 4, s->pairs->parties[node].name,
		  STYLE_TITLE);
}

static bool is_marked(const struct sheet *s, const struct graph_edge *e)
{
	return (e->tag >= 0 && s->pairs->v[e->tag].is_marked) ||
	       (e->back_tag >= 0 && s->pairs->v[e->back_tag].is_marked);
}

static void sheet_draw(struct sheet *s)
{
	const struct graph *g = s->graph;

	for (int i = 0; i < g->nedges; i++) {
		bool mark = is_marked(s, &g->edges[i]);

		for (int k = 0; k < g->edges[i].nsegs; k++)
			put_seg(s, &g->segs[g->edges[i].first + k], mark);
		if (mark) {
			s->marked_y = g->segs[g->edges[i].first].from_y;
			s->marked_x = right_of(s, g->edges[i].a);
		}
	}
	for (int n = 0; n < g->nnodes; n++)
		put_box(s, n);
	ink_lines(s);
	for (int i = 0; i < g->nedges; i++)
		ink_edge(s, &g->edges[i]);
	for (int n = 0; n < g->nnodes; n++)
		ink_box(s, n);
}

static bool sheet_make(struct sheet *s, const struct grid *like)
{
	size_t cells = (size_t)s->graph->rows * (size_t)s->graph->cols;

	if (!cells || cells > SHEET_CELLS_MAX ||
	    grid_init(&s->grid, s->graph->rows, s->graph->cols) < 0)
		return false;
	s->grid.utf8 = like->utf8;
	s->grid.ascii_lines = like->ascii_lines;
	s->lines = calloc(cells, 1);
	s->marks = calloc(cells, 1);
	return s->lines && s->marks;
}

/* Puts the pairs into the graph; those that talk to themselves have no arrow. Returns how many do. */
static int connect_all(struct graph *g, const struct pairs *p, const struct grid *like)
{
	int alone = 0;

	g->nnodes = p->nparties;
	for (int i = 0; i < p->nparties; i++) {
		int width = grid_text_width(like, p->parties[i].name);

		g->width[i] = width < NAME_MAX_WIDTH ? width : NAME_MAX_WIDTH;
	}
	for (int i = 0; i < p->n; i++) {
		if (p->v[i].from == p->v[i].to)
			alone++;
		else
			graph_connect(g, p->v[i].from, p->v[i].to, i);
	}
	return alone;
}

/* The part of the sheet that is in sight; the marked arrow is in it. */
static void show(struct table *t, struct sheet *s, struct grid *g, int y, int height)
{
	int top = 0;

	if (s->marked_y >= height)
		top = s->marked_y - height / 2;
	if (top > s->grid.rows - height)
		top = s->grid.rows > height ? s->grid.rows - height : 0;
	t->picture_width = s->grid.cols;
	if (t->left > s->grid.cols - g->cols)
		t->left = s->grid.cols > g->cols ? s->grid.cols - g->cols : 0;
	grid_copy(g, y, 0, &s->grid, top, t->left, height, g->cols);
}

void graph_draw(struct table *t, struct grid *g, int y, int height)
{
	struct graph *graph = calloc(1, sizeof(*graph));
	struct sheet s = { .marked_y = -1 };
	struct pairs p = { 0 };
	bool fits = false;
	int alone = 0;

	table_fill_page(t);
	t->page = height - 1;
	if (!graph || pairs_make(&p, t, GRAPH_NODES_MAX, GRAPH_EDGES_MAX) < 0)
		goto out;
	alone = connect_all(graph, &p, g);
	s.graph = graph;
	s.pairs = &p;
	fits = graph_layout(graph, GAP_BEFORE, GAP_BEHIND, LABEL_WIDTH + GAP_BEHIND);
	if (fits && sheet_make(&s, g)) {
		sheet_draw(&s);
		show(t, &s, g, y, height - 1);
	} else if (t->nshown) {
		grid_text(g, y + 2, 3, g->cols - 4, "too much for a picture: filter it (F4)",
			  STYLE_WARN);
	}
	if (p.left_out || alone)
		grid_print(g, y + height - 1, 1, g->cols - 2, STYLE_WARN,
			   "not in the picture: %zu weaker flows, %d that talk to themselves",
			   p.left_out, alone);
	else if (fits && s.grid.cols - t->left > g->cols)
		grid_text(g, y + height - 1, 1, g->cols - 2, "more to the right: ) scrolls", STYLE_DIM);
out:
	free(s.lines);
	free(s.marks);
	grid_release(&s.grid);
	pairs_release(&p);
	free(graph);
}
