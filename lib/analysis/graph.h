/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of a waitgraph, for the files of lib/analysis only: nodes, and edges between them. */
#ifndef IPCTAP_ANALYSIS_GRAPH_H
#define IPCTAP_ANALYSIS_GRAPH_H

#include "waitgraph.h"

#define WG_NONE UINT32_MAX

enum node_type {
	NODE_NONE = 0, /* node 0 */
	NODE_THREAD,   /* id: tid; index: of the thread, or WG_NONE */
	NODE_PROCESS,  /* id: pid; index: the first of its threads, or WG_NONE */
	NODE_OUTSIDE,  /* id: enum wg_outside; text */
	NODE_GONE,     /* text */
	NODE_ANY,
	NODE_ALL,
	NODE_AT_LEAST, /* need */
	NODE_TYPES
};

struct node {
	uint8_t type;
	uint32_t id;
	uint32_t index;
	uint32_t first, last; /* its edges, through edge.next; WG_NONE: it has none */
	uint32_t text;        /* offset into texts */
	uint64_t need;
};

struct edge {
	uint32_t part;
	uint32_t weight;
	uint32_t holder; /* WG_NONE: by none */
	uint32_t next;
};

struct loss {
	uint64_t count;
	uint32_t text;
};

/* A growing array of `item`s. */
#define LIST(type)                                                                                 \
	struct {                                                                                   \
		type *item;                                                                        \
		uint32_t n, room;                                                                  \
	}

struct id_map; /* tid or pid to node */

struct waitgraph {
	LIST(struct node) nodes;
	LIST(struct edge) edges;
	LIST(struct wg_thread) threads;
	LIST(uint32_t) sibling;  /* of each thread: the next of its process, WG_NONE behind the last */
	LIST(uint32_t) thread_node;
	LIST(bool) let_go;       /* of each thread: it moved between two passes */
	LIST(struct wg_chan) chans;
	LIST(struct wg_holder) holders;
	LIST(struct loss) losses;
	LIST(char) texts;
	struct id_map *tids, *pids;
	uint32_t last_pid, last_process; /* what wg_process_ref found last */
	bool failed;
};

static inline const char *graph_text(const struct waitgraph *g, uint32_t offset)
{
	return g->texts.item + offset;
}

/* A thread that may act as it is: it does not wait, or moved between two passes. */
static inline bool graph_runs(const struct waitgraph *g, uint32_t thread)
{
	return g->threads.item[thread].wait == WG_RUNS || g->let_go.item[thread];
}

/* The node of type and id; WG_NONE when nobody referred to it. */
uint32_t graph_lookup(const struct waitgraph *g, enum node_type type, uint32_t id);

#endif
