// SPDX-License-Identifier: GPL-2.0-or-later
#include "net.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- compiling ---- */

static void set_outside(struct net *net, uint32_t i, enum wg_outside what, const char *why)
{
	net->kind[i] = (uint8_t)(NET_OUTSIDE + what);
	net->why[i] = why;
}

/* A thread depends on its condition alone, a process on any of its threads. */
static uint32_t thread_part(const struct waitgraph *g, const struct node *node)
{
	return g->threads.item[node->index].condition;
}

/* What kind of node it is and how much it needs. Returns how many parts it has. */
static uint32_t classify(struct net *net, uint32_t i)
{
	const struct waitgraph *g = net->graph;
	const struct node *node = &g->nodes.item[i];
	uint32_t parts = 0;

	net->need[i] = 1;
	switch (node->type) {
	case NODE_THREAD:
		if (node->index == WG_NONE)
			set_outside(net, i, WG_UNKNOWN, "a thread that was not seen");
		else if (graph_runs(g, node->index))
			net->kind[i] = NET_TRUE;
		else if (!thread_part(g, node) || thread_part(g, node) >= g->nodes.n)
			set_outside(net, i, WG_UNKNOWN, "what it waits for was not found out");
		else
			parts = 1;
		return parts;
	case NODE_PROCESS:
		for (uint32_t t = node->index; t != WG_NONE; t = g->sibling.item[t])
			parts++;
		if (!parts)
			set_outside(net, i, WG_UNKNOWN, "a process whose threads were not seen");
		return parts;
	case NODE_OUTSIDE:
		set_outside(net, i, node->id, graph_text(g, node->text));
		return 0;
	case NODE_GONE:
		net->kind[i] = NET_FALSE;
		net->why[i] = graph_text(g, node->text);
		return 0;
	case NODE_ANY:
	case NODE_ALL:
	case NODE_AT_LEAST:
		for (uint32_t e = node->first; e != WG_NONE; e = g->edges.item[e].next)
			parts++;
		if (!parts)
			set_outside(net, i, WG_UNKNOWN, "nobody was found who could");
		else if (node->type == NODE_AT_LEAST)
			net->need[i] = node->need;
		else if (node->type == NODE_ALL)
			net->need[i] = parts;
		return parts;
	default:
		set_outside(net, i, WG_UNKNOWN, "nothing");
		return 0;
	}
}

static bool is_heir(const struct waitgraph *g, const struct edge *e)
{
	return e->holder != WG_NONE && (g->holders.item[e->holder].flags & WG_IDLE_HEIR);
}

static void fill_parts(struct net *net, uint32_t i)
{
	const struct waitgraph *g = net->graph;
	const struct node *node = &g->nodes.item[i];
	struct net_edge *out = net->part + net->part_at[i];

	if (net->part_at[i + 1] == net->part_at[i])
		return;
	if (node->type == NODE_THREAD) {
		*out = (struct net_edge){ .to = thread_part(g, node), .weight = 1 };
	} else if (node->type == NODE_PROCESS) {
		for (uint32_t t = node->index; t != WG_NONE; t = g->sibling.item[t])
			*out++ = (struct net_edge){ .to = g->thread_node.item[t], .weight = 1 };
	} else {
		for (uint32_t e = node->first; e != WG_NONE; e = g->edges.item[e].next) {
			const struct edge *edge = &g->edges.item[e];

			*out++ = (struct net_edge){
				.to = edge->part,
				.weight = node->type == NODE_AT_LEAST ? edge->weight : 1,
				.heir = is_heir(g, edge),
			};
		}
	}
}

/* The same edges the other way round: counted, then laid out. */
static void fill_gates(struct net *net)
{
	uint32_t edges = net->part_at[net->n];

	for (uint32_t e = 0; e < edges; e++)
		net->gate_at[net->part[e].to + 1]++;
	for (uint32_t i = 0; i < net->n; i++)
		net->gate_at[i + 1] += net->gate_at[i];
	memcpy(net->queue, net->gate_at, net->n * sizeof(*net->queue));
	for (uint32_t i = 0; i < net->n; i++) {
		for (uint32_t e = net->part_at[i]; e < net->part_at[i + 1]; e++) {
			const struct net_edge *p = &net->part[e];

			net->gate[net->queue[p->to]++] =
			    (struct net_edge){ .to = i, .weight = p->weight, .heir = p->heir };
		}
	}
}

int net_init(struct net *net, const struct waitgraph *g)
{
	uint32_t n = g->nodes.n, edges = 0;

	*net = (struct net){ .graph = g, .n = n };
	if (g->failed)
		return -ENOMEM;
	net->need = calloc(n, sizeof(*net->need));
	net->kind = calloc(n, sizeof(*net->kind));
	net->why = calloc(n, sizeof(*net->why));
	net->part_at = calloc(n + 1, sizeof(*net->part_at));
	net->gate_at = calloc(n + 1, sizeof(*net->gate_at));
	net->sum = calloc(n, sizeof(*net->sum));
	net->queue = calloc(n, sizeof(*net->queue));
	if (!net->need || !net->kind || !net->why || !net->part_at || !net->gate_at || !net->sum ||
	    !net->queue)
		goto no_memory;
	for (uint32_t i = 0; i < n; i++) {
		net->part_at[i] = edges;
		edges += classify(net, i);
	}
	net->part_at[n] = edges;
	net->part = calloc(edges + 1, sizeof(*net->part));
	net->gate = calloc(edges + 1, sizeof(*net->gate));
	if (!net->part || !net->gate)
		goto no_memory;
	for (uint32_t i = 0; i < n; i++)
		fill_parts(net, i);
	fill_gates(net);
	return 0;
no_memory:
	net_release(net);
	return -ENOMEM;
}

void net_release(struct net *net)
{
	free(net->need);
	free(net->kind);
	free(net->why);
	free(net->part_at);
	free(net->part);
	free(net->gate_at);
	free(net->gate);
	free(net->sum);
	free(net->queue);
	*net = (struct net){ 0 };
}

/* ---- the fixpoint ---- */

struct pass {
	struct net *net;
	bool *truth;
	uint32_t *by, *root;
	uint32_t head, queued;
};

static void make_true(struct pass *p, uint32_t i, uint32_t by)
{
	p->truth[i] = true;
	if (p->by)
		p->by[i] = by;
	if (p->root)
		p->root[i] = by == WG_NONE ? i : p->root[by];
	p->net->queue[p->queued++] = i;
}

static bool is_thread(const struct net *net, uint32_t i)
{
	return net->graph->nodes.item[i].type == NODE_THREAD;
}

/* Hands on what is true, until nothing more becomes so. */
static void spread(struct pass *p, uint32_t may)
{
	struct net *net = p->net;

	while (p->head < p->queued) {
		uint32_t part = net->queue[p->head++];

		for (uint32_t e = net->gate_at[part]; e < net->gate_at[part + 1]; e++) {
			const struct net_edge *g = &net->gate[e];

			if (p->truth[g->to] || ((may & NET_NO_HEIRS) && g->heir))
				continue;
			net->sum[g->to] += g->weight;
			if (net->sum[g->to] >= net->need[g->to])
				make_true(p, g->to, part);
		}
	}
}

static void seed_threads(struct pass *p, uint32_t may)
{
	const struct net *net = p->net;

	for (uint32_t i = 0; i < net->n; i++)
		if (net->kind[i] == NET_TRUE || (net->kind[i] == NET_GATE && !net->need[i]) ||
		    ((may & NET_THREADS_TRUE) && is_thread(net, i)))
			make_true(p, i, WG_NONE);
}

static void seed_outside(struct pass *p, uint8_t outside)
{
	const struct net *net = p->net;

	for (uint32_t i = 0; i < net->n; i++)
		if (net->kind[i] == NET_OUTSIDE + outside && !p->truth[i])
			make_true(p, i, WG_NONE);
}

/* One kind of help after the other, the surest first: so the chains give the better reason. */
void net_pass(struct net *net, uint32_t may, bool *truth, uint32_t *by, uint32_t *root)
{
	static const uint8_t order[] = { WG_TIMEOUT, WG_REMOTE, WG_PERSON, WG_NEW,
					 WG_SIG,     WG_HIDDEN, WG_UNKNOWN };
	struct pass p = { .net = net, .truth = truth, .by = by, .root = root };

	memset(truth, 0, net->n * sizeof(*truth));
	memset(net->sum, 0, net->n * sizeof(*net->sum));
	if (by)
		memset(by, 0xff, net->n * sizeof(*by));
	if (root)
		memset(root, 0xff, net->n * sizeof(*root));
	seed_threads(&p, may);
	spread(&p, may);
	for (size_t i = 0; i < sizeof(order); i++) {
		if (!(may & NET_MAY(order[i])))
			continue;
		seed_outside(&p, order[i]);
		spread(&p, may);
	}
}

/* ---- strongly connected parts (Tarjan's algorithm, with a stack of its own) ---- */

struct walk {
	uint32_t *order;   /* when it was met; 0: not yet */
	uint32_t *low;
	uint32_t *edge;    /* the next of its parts to look at */
	uint32_t *path;    /* the nodes the walk is in */
	uint32_t *open;    /* met, and not yet in a component */
	uint32_t npath, nopen, met, found;
};

static void enter(struct walk *w, const struct net *net, uint32_t i)
{
	w->order[i] = w->low[i] = ++w->met;
	w->edge[i] = net->part_at[i];
	w->path[w->npath++] = i;
	w->open[w->nopen++] = i;
}

/* All of i was looked at: it closes a component, or hands its low mark to where it came from. */
static void leave(struct walk *w, uint32_t *component)
{
	uint32_t i = w->path[--w->npath], member;

	if (w->npath && w->low[i] < w->low[w->path[w->npath - 1]])
		w->low[w->path[w->npath - 1]] = w->low[i];
	if (w->low[i] != w->order[i])
		return;
	do {
		member = w->open[--w->nopen];
		component[member] = w->found;
	} while (member != i);
	w->found++;
}

static void walk_from(struct walk *w, const struct net *net, const bool *dead,
		      const uint32_t *group, uint32_t start, uint32_t *component)
{
	enter(w, net, start);
	while (w->npath) {
		uint32_t i = w->path[w->npath - 1], to;

		if (w->edge[i] == net->part_at[i + 1]) {
			leave(w, component);
			continue;
		}
		to = net->part[w->edge[i]++].to;
		if (!dead[to] || (group && group[to] != group[i]))
			continue;
		if (!w->order[to])
			enter(w, net, to);
		else if (component[to] == WG_NONE && w->order[to] < w->low[i])
			w->low[i] = w->order[to];
	}
}

uint32_t net_components(const struct net *net, const bool *dead, const uint32_t *group,
			uint32_t *component)
{
	uint32_t *room = calloc((size_t)net->n * 5, sizeof(*room)), n = net->n, found;
	struct walk w = { room, room + n, room + 2 * (size_t)n, room + 3 * (size_t)n,
			  room + 4 * (size_t)n, 0, 0, 0, 0 };

	if (!room)
		return WG_NONE;
	memset(component, 0xff, n * sizeof(*component));
	for (uint32_t i = 0; i < n; i++)
		if (dead[i] && !w.order[i])
			walk_from(&w, net, dead, group, i, component);
	found = w.found;
	free(room);
	return found;
}
