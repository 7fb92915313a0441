// SPDX-License-Identifier: GPL-2.0-or-later
#include "cores.h"

#include <stdlib.h>
#include <string.h>

/* A core inside of a core inside of a core: what is found sooner is right too, only larger. */
#define ROUNDS_MAX 8

struct search {
	struct net *net;
	uint32_t may;
	bool *dead;  /* still candidates */
	bool *given; /* all that would be true if every thread could act */
	uint32_t *component;
};

/* Counts for node i as if it were true: what anybody can give, and is not of its own component. */
static bool helps(const struct search *s, uint32_t i, const struct net_edge *p)
{
	if ((s->may & NET_NO_HEIRS) && p->heir)
		return false;
	if (!s->given[p->to])
		return false;
	return !s->dead[p->to] || s->component[p->to] != s->component[i];
}

/* Removes from `dead` what moves when all outside of its component does. Returns how many. */
static uint32_t release(struct search *s)
{
	struct net *net = s->net;
	uint32_t queued = 0;

	for (uint32_t i = 0; i < net->n; i++) {
		net->sum[i] = 0;
		if (!s->dead[i] || net->kind[i] != NET_GATE)
			continue;
		for (uint32_t e = net->part_at[i]; e < net->part_at[i + 1]; e++)
			if (helps(s, i, &net->part[e]))
				net->sum[i] += net->part[e].weight;
		if (net->sum[i] >= net->need[i])
			net->queue[queued++] = i;
	}
	for (uint32_t head = 0; head < queued; head++) {
		uint32_t part = net->queue[head];

		for (uint32_t e = net->gate_at[part]; e < net->gate_at[part + 1]; e++) {
			const struct net_edge *g = &net->gate[e];
			uint64_t before = net->sum[g->to];

			if (!s->dead[g->to] || s->component[g->to] != s->component[part] ||
			    net->kind[g->to] != NET_GATE || before >= net->need[g->to] ||
			    ((s->may & NET_NO_HEIRS) && g->heir))
				continue;
			net->sum[g->to] += g->weight;
			if (net->sum[g->to] >= net->need[g->to])
				net->queue[queued++] = g->to;
		}
	}
	for (uint32_t head = 0; head < queued; head++)
		s->dead[net->queue[head]] = false;
	return queued;
}

uint32_t cores_find(struct net *net, uint32_t may, const bool *truth, uint32_t *core)
{
	uint32_t *other = calloc(net->n, sizeof(*other)), n = WG_NONE;
	struct search s = { .net = net, .may = may, .component = core };

	s.dead = calloc(net->n, sizeof(*s.dead));
	s.given = calloc(net->n, sizeof(*s.given));
	if (!other || !s.dead || !s.given)
		goto out;
	net_pass(net, may | NET_THREADS_TRUE, s.given, NULL, NULL);
	for (uint32_t i = 0; i < net->n; i++)
		s.dead[i] = !truth[i];
	n = net_components(net, s.dead, NULL, core);
	for (int round = 0; n != WG_NONE && round < ROUNDS_MAX && release(&s); round++) {
		memcpy(other, core, net->n * sizeof(*core));
		n = net_components(net, s.dead, other, core);
	}
out:
	free(other);
	free(s.dead);
	free(s.given);
	return n;
}

uint32_t cores_cycle(struct net *net, const uint32_t *core, uint32_t start, uint32_t *from,
		     uint32_t *out)
{
	uint32_t queued = 0, n = 0;
	bool closed = false;

	net->queue[queued++] = start;
	for (uint32_t head = 0; head < queued && !closed; head++) {
		uint32_t i = net->queue[head];

		for (uint32_t e = net->part_at[i]; e < net->part_at[i + 1] && !closed; e++) {
			uint32_t to = net->part[e].to;

			if (core[to] != core[start] || from[to] != WG_NONE)
				continue;
			from[to] = i;
			closed = to == start;
			if (!closed)
				net->queue[queued++] = to;
		}
	}
	/* backwards from start to start, then turned round */
	if (closed) {
		for (uint32_t i = from[start]; i != start; i = from[i])
			if (net->graph->nodes.item[i].type == NODE_THREAD)
				out[++n] = i;
		out[0] = start;
		for (uint32_t a = 1, b = n; a < b; a++, b--) {
			uint32_t swap = out[a];

			out[a] = out[b];
			out[b] = swap;
		}
		n++;
	}
	from[start] = WG_NONE;
	for (uint32_t head = 0; head < queued; head++)
		from[net->queue[head]] = WG_NONE;
	return n;
}
