/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A waitgraph made ready for solving: every node a threshold gate or a constant, edges in both
 * directions as arrays. For the files of lib/analysis only.
 */
#ifndef IPCTAP_ANALYSIS_NET_H
#define IPCTAP_ANALYSIS_NET_H

#include "graph.h"

enum net_kind {
	NET_GATE = 0, /* true when its parts weigh `need` */
	NET_TRUE,     /* a thread that may act */
	NET_FALSE,    /* gone for good */
	NET_OUTSIDE,  /* + enum wg_outside: true when that may help */
};

struct net_edge {
	uint32_t to;
	uint32_t weight;
	bool heir; /* by a holder that is WG_IDLE_HEIR */
};

struct net {
	const struct waitgraph *graph; /* borrowed */
	uint32_t n;
	uint64_t *need;
	uint8_t *kind;
	const char **why;        /* of NET_OUTSIDE and NET_FALSE; borrowed from the graph */
	uint32_t *part_at;       /* parts of node i: part[part_at[i]] … part[part_at[i + 1]] */
	struct net_edge *part;
	uint32_t *gate_at;       /* the gates it is a part of, likewise */
	struct net_edge *gate;
	uint64_t *sum;           /* scratch of net_pass */
	uint32_t *queue;
};

/* Bits for net_pass: what may help. */
#define NET_MAY(outside) (1u << (outside))
#define NET_ALL_OUTSIDE (((1u << WG_OUTSIDE_MAX) - 1) & ~1u)
#define NET_NO_HEIRS 0x10000u     /* holders that are idle heirs do not help */
#define NET_THREADS_TRUE 0x20000u /* every thread may act: what is false then, nobody can give */

int net_init(struct net *net, const struct waitgraph *g);
void net_release(struct net *net);

/*
 * The least fixpoint: fills truth[0..n). `by` and `root` may be NULL: by[i] is the part that made
 * i true, root[i] the constant at the end of that chain (a thread that runs before anything
 * outside, what is unknown last, and then of least length); both WG_NONE where there is none.
 */
void net_pass(struct net *net, uint32_t may, bool *truth, uint32_t *by, uint32_t *root);

/*
 * Cuts the nodes for which dead[i] into strongly connected parts, edges only between those for
 * which group[i] is equal. Fills part_of[0..n) (WG_NONE for the others), numbers in reverse
 * topological order. Returns how many, or WG_NONE when there is no memory.
 */
uint32_t net_components(const struct net *net, const bool *dead, const uint32_t *group,
			uint32_t *component);

#endif
