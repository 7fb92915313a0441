/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A layout for boxes and arrows in character cells: boxes stand in columns ("layers"), arrows go
 * from one column to a later one, through the gutter between; each has its own line at both of its
 * boxes and its own track in the gutter, so that none lies on another. Lines may cross.
 *
 * What goes in circles has to go back somewhere: an arrow that would is laid out the other way round,
 * with its head on the left. Two that go both ways between the same boxes are one line with two heads.
 */
#ifndef IPCTAP_UI_TUI_GRAPH_H
#define IPCTAP_UI_TUI_GRAPH_H

#include <stdbool.h>
#include <stdint.h>

#define GRAPH_NODES_MAX 48
#define GRAPH_EDGES_MAX 96
#define GRAPH_ITEMS_MAX 1024 /* nodes, and where an edge passes through a layer */

struct graph_edge {
	int a, b;        /* nodes; a is left of b once laid out */
	bool to_a, to_b; /* heads */
	int first, nsegs; /* its segments in graph.segs */
	int tag;         /* the caller's */
	int back_tag;    /* of the direction b to a; -1: none */
};

struct graph_item {
	int node; /* -1: an edge passes through */
	int layer, place; /* which one from the top */
	int y, height;
	int left_ports, right_ports, left_used, right_used;
	double wish; /* where its neighbours would have it */
};

struct graph_seg {
	int from, to; /* items in neighbouring layers */
	int from_y, to_y;
	int track; /* 0 … in its gutter, from the left; -1: straight, it needs none */
};

struct graph {
	int nnodes, width[GRAPH_NODES_MAX]; /* of the texts in the boxes */
	struct graph_edge edges[GRAPH_EDGES_MAX];
	int nedges;

	struct graph_item items[GRAPH_ITEMS_MAX]; /* the first nnodes are the nodes */
	int nitems;
	struct graph_seg segs[GRAPH_ITEMS_MAX];
	int nsegs;
	int nlayers, layer_x[GRAPH_NODES_MAX + 1], layer_width[GRAPH_NODES_MAX];
	int ntracks[GRAPH_NODES_MAX]; /* of the gutter to the right of a layer */
	int rows, cols;
};

/* Adds an arrow, or the other direction of one that is there. False: there is no more room. */
bool graph_connect(struct graph *g, int from, int to, int tag);
/*
 * Sets everything below `edges`. A gutter has `before` columns left of its tracks and `behind` on
 * their right, or `behind_heads` when some arrow has a head on its left. False: too large.
 */
bool graph_layout(struct graph *g, int before, int behind, int behind_heads);

#endif
