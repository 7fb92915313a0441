// SPDX-License-Identifier: GPL-2.0-or-later
/* A layout for boxes and arrows; see graph.h. */
#include "ui/tui/graph.h"

#include <stdlib.h>
#include <string.h>

#define SWEEPS 6

bool graph_connect(struct graph *g, int from, int to, int tag)
{
	for (int i = 0; i < g->nedges; i++) {
		struct graph_edge *e = &g->edges[i];

		if (e->a == to && e->b == from) {
			e->to_a = true;
			e->back_tag = tag;
			return true;
		}
	}
	if (g->nedges == GRAPH_EDGES_MAX)
		return false;
	g->edges[g->nedges++] =
		(struct graph_edge){ .a = from, .b = to, .to_b = true, .tag = tag, .back_tag = -1 };
	return true;
}

/* ---- layers ---- */

static void turn(struct graph_edge *e)
{
	int node = e->a, tag = e->tag;
	bool head = e->to_a;

	e->a = e->b;
	e->b = node;
	e->to_a = e->to_b;
	e->to_b = head;
	e->tag = e->back_tag;
	e->back_tag = tag;
}

/* Turns the edges that close a circle, depth first. state: 0 new, 1 on the way, 2 done. */
static void open_circles(struct graph *g, int node, uint8_t *state)
{
	state[node] = 1;
	for (int i = 0; i < g->nedges; i++) {
		struct graph_edge *e = &g->edges[i];

		if (e->a != node)
			continue;
		if (state[e->b] == 1)
			turn(e);
		else if (!state[e->b])
			open_circles(g, e->b, state); /* as deep as there are nodes */
	}
	state[node] = 2;
}

static bool has_entry(const struct graph *g, int node)
{
	for (int i = 0; i < g->nedges; i++)
		if (g->edges[i].b == node)
			return true;
	return false;
}

static void find_layers(struct graph *g)
{
	uint8_t state[GRAPH_NODES_MAX] = { 0 };

	for (int pass = 0; pass < 2; pass++) /* first from those that only send */
		for (int n = 0; n < g->nnodes; n++)
			if (!state[n] && (pass || !has_entry(g, n)))
				open_circles(g, n, state);
	for (int round = 0; round < g->nnodes; round++)
		for (int i = 0; i < g->nedges; i++) {
			struct graph_item *a = &g->items[g->edges[i].a];
			struct graph_item *b = &g->items[g->edges[i].b];

			if (b->layer <= a->layer)
				b->layer = a->layer + 1;
		}
	for (int n = 0; n < g->nnodes; n++)
		if (g->items[n].layer >= g->nlayers)
			g->nlayers = g->items[n].layer + 1;
}

/* An edge over several layers passes through an item in each. */
static bool make_segs(struct graph *g)
{
	for (int i = 0; i < g->nedges; i++) {
		struct graph_edge *e = &g->edges[i];
		int at = e->a;

		e->first = g->nsegs;
		while (at != e->b) {
			int layer = g->items[at].layer + 1, next = e->b;

			if (layer < g->items[e->b].layer) {
				if (g->nitems == GRAPH_ITEMS_MAX)
					return false;
				next = g->nitems++;
				g->items[next] = (struct graph_item){ .node = -1, .layer = layer };
			}
			if (g->nsegs == GRAPH_ITEMS_MAX)
				return false;
			g->segs[g->nsegs++] = (struct graph_seg){ .from = at, .to = next };
			g->items[at].right_ports++;
			g->items[next].left_ports++;
			at = next;
		}
		e->nsegs = g->nsegs - e->first;
	}
	return true;
}

/* ---- who stands above whom ---- */

static int compare_wishes(const void *a, const void *b, void *arg)
{
	const struct graph *g = arg;
	const struct graph_item *x = &g->items[*(const int *)a], *y = &g->items[*(const int *)b];

	if (x->wish < y->wish || x->wish > y->wish)
		return x->wish < y->wish ? -1 : 1;
	return x->place - y->place;
}

static void order_layer(struct graph *g, int layer)
{
	int list[GRAPH_ITEMS_MAX], n = 0;

	for (int i = 0; i < g->nitems; i++)
		if (g->items[i].layer == layer)
			list[n++] = i;
	qsort_r(list, (size_t)n, sizeof(*list), compare_wishes, g);
	for (int i = 0; i < n; i++)
		g->items[list[i]].place = i;
}

/* Each wishes to stand as its neighbours on one side do, on average. */
static void wish_by(struct graph *g, int layer, bool left)
{
	for (int i = 0; i < g->nitems; i++) {
		struct graph_item *item = &g->items[i];
		double sum = 0;
		int n = 0;

		if (item->layer != layer)
			continue;
		for (int s = 0; s < g->nsegs; s++) {
			int other = left && g->segs[s].to == i	   ? g->segs[s].from :
				    !left && g->segs[s].from == i ? g->segs[s].to :
								    -1;

			if (other < 0)
				continue;
			sum += g->items[other].place;
			n++;
		}
		item->wish = n ? sum / n : item->place;
	}
}

static void order_items(struct graph *g)
{
	for (int i = 0; i < g->nitems; i++)
		g->items[i].wish = i;
	for (int layer = 0; layer < g->nlayers; layer++)
		order_layer(g, layer);
	for (int sweep = 0; sweep < SWEEPS; sweep++) {
		bool left = sweep % 2 == 0;

		for (int i = 1; i < g->nlayers; i++) {
			int layer = left ? i : g->nlayers - 1 - i;

			wish_by(g, layer, left);
			order_layer(g, layer);
		}
	}
}

/* ---- where in cells ---- */

static void place_items(struct graph *g)
{
	for (int layer = 0; layer < g->nlayers; layer++) {
		int y = 0;

		for (int place = 0, found = 1; found; place++) {
			found = 0;
			for (int i = 0; i < g->nitems; i++) {
				struct graph_item *it = &g->items[i];
				int ports = it->left_ports > it->right_ports ? it->left_ports :
									       it->right_ports;

				if (it->layer != layer || it->place != place)
					continue;
				found = 1;
				it->y = y;
				it->height = it->node < 0 ? 1 : 2 + (ports > 1 ? ports : 1);
				y += it->height;
				if (it->node >= 0 && g->width[it->node] + 4 > g->layer_width[layer])
					g->layer_width[layer] = g->width[it->node] + 4;
			}
		}
		g->rows = y > g->rows ? y : g->rows;
	}
}

static int compare_segs(const void *a, const void *b, void *arg)
{
	const struct graph *g = arg;
	const struct graph_seg *x = &g->segs[*(const int *)a], *y = &g->segs[*(const int *)b];

	if (g->items[x->to].y != g->items[y->to].y)
		return g->items[x->to].y - g->items[y->to].y;
	return g->items[x->from].y - g->items[y->from].y;
}

static int compare_segs_back(const void *a, const void *b, void *arg)
{
	const struct graph *g = arg;
	const struct graph_seg *x = &g->segs[*(const int *)a], *y = &g->segs[*(const int *)b];

	if (g->items[x->from].y != g->items[y->from].y)
		return g->items[x->from].y - g->items[y->from].y;
	return g->items[x->to].y - g->items[y->to].y;
}

static int port_y(const struct graph_item *it, int used)
{
	return it->node < 0 ? it->y : it->y + 1 + used;
}

/* Ports in the order of the other ends, so that lines of one box do not cross each other. */
static void place_ports(struct graph *g)
{
	int list[GRAPH_ITEMS_MAX];

	for (int i = 0; i < g->nsegs; i++)
		list[i] = i;
	qsort_r(list, (size_t)g->nsegs, sizeof(*list), compare_segs, g);
	for (int i = 0; i < g->nsegs; i++) {
		struct graph_seg *s = &g->segs[list[i]];

		s->from_y = port_y(&g->items[s->from], g->items[s->from].right_used++);
	}
	qsort_r(list, (size_t)g->nsegs, sizeof(*list), compare_segs_back, g);
	for (int i = 0; i < g->nsegs; i++) {
		struct graph_seg *s = &g->segs[list[i]];

		s->to_y = port_y(&g->items[s->to], g->items[s->to].left_used++);
	}
}

/*
 * Tracks from the left. Where the line that one leaves on is the line that another arrives on, the
 * one has to turn off before the other turns in: it gets the track further left.
 */
static void find_tracks(struct graph *g, int layer)
{
	int list[GRAPH_ITEMS_MAX], n = 0;

	for (int i = 0; i < g->nsegs; i++) {
		g->segs[i].track = g->items[g->segs[i].from].layer == layer ? -2 : g->segs[i].track;
		if (g->segs[i].track != -2)
			continue;
		if (g->segs[i].from_y == g->segs[i].to_y)
			g->segs[i].track = -1;
		else
			list[n++] = i;
	}
	while (g->ntracks[layer] < n) {
		int pick = -1, any = -1;

		for (int i = 0; i < n && pick < 0; i++) {
			bool waits = false;

			if (g->segs[list[i]].track != -2)
				continue;
			any = any < 0 ? list[i] : any;
			for (int k = 0; k < n; k++)
				if (k != i && g->segs[list[k]].track == -2 &&
				    g->segs[list[k]].from_y == g->segs[list[i]].to_y)
					waits = true;
			if (!waits)
				pick = list[i];
		}
		/* in a circle of those, any: two lines will lie on each other for a bit */
		g->segs[pick < 0 ? any : pick].track = g->ntracks[layer]++;
	}
}

bool graph_layout(struct graph *g, int before, int behind, int behind_heads)
{
	int x = 0;

	g->nitems = g->nnodes;
	for (int n = 0; n < g->nnodes; n++)
		g->items[n] = (struct graph_item){ .node = n };
	find_layers(g);
	for (int i = 0; i < g->nedges; i++)
		if (g->edges[i].to_a)
			behind = behind_heads;
	if (!make_segs(g))
		return false;
	order_items(g);
	place_items(g);
	place_ports(g);
	for (int layer = 0; layer < g->nlayers; layer++) {
		find_tracks(g, layer);
		g->layer_x[layer] = x;
		x += g->layer_width[layer];
		if (layer < g->nlayers - 1)
			x += before + g->ntracks[layer] + behind;
	}
	g->cols = x;
	return true;
}
