// SPDX-License-Identifier: GPL-2.0-or-later
/* Questions to a solution. */
#include <stdlib.h>
#include <string.h>

#include "judge.h"

static uint32_t node_of(const struct solution *s, uint32_t thread)
{
	return s->graph->thread_node.item[thread];
}

const struct wg_finding *solution_of(const struct solution *s, uint32_t thread)
{
	const struct inner *in = s->inner;
	uint32_t owner = in->owner[node_of(s, thread)];

	return owner == WG_NONE ? NULL : &s->findings[owner];
}

enum wg_verdict solution_level(const struct solution *s, uint32_t thread)
{
	const struct inner *in = s->inner;

	return in->level[node_of(s, thread)];
}

struct gather {
	const struct solution *s;
	enum wg_verdict level; /* 0: threads that are dead or not */
	uint32_t *out, max, n;
};

static void gather_named(void *arg, const struct named *named)
{
	struct gather *gather = arg;
	const struct inner *in = gather->s->inner;
	const struct node *node = &gather->s->graph->nodes.item[named->node];

	if (named->again || node->type != NODE_THREAD || node->index == WG_NONE)
		return;
	if (gather->level && !judge_is_dead(in, named->node, gather->level))
		return;
	if (gather->n < gather->max)
		gather->out[gather->n] = node->index;
	gather->n++;
}

static int ascending(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* The one that the thread waits for in the circle of its finding; WG_NONE: it is in none. */
static uint32_t next_in_cycle(const struct wg_finding *f, uint32_t thread)
{
	for (uint32_t i = 0; f && i < f->ncycle; i++)
		if (f->core[i] == thread)
			return f->core[(i + 1) % f->ncycle];
	return WG_NONE;
}

uint32_t solution_waits_for(const struct solution *s, uint32_t thread, uint32_t *out, uint32_t max)
{
	struct inner *in = s->inner;
	struct gather gather = { .s = s, .out = out, .max = max };
	const struct wg_finding *f = solution_of(s, thread);
	uint32_t next = next_in_cycle(f, thread);
	bool has_next = next == WG_NONE;

	if (graph_runs(s->graph, thread))
		return 0;
	if (f && f->level != WG_SLOW)
		gather.level = in->level[node_of(s, thread)];
	judge_visit(in, node_of(s, thread), gather.level, gather_named, &gather);
	for (uint32_t i = 0; i < gather.n && i < max; i++)
		has_next = has_next || out[i] == next;
	if (!has_next && gather.n <= max) { /* the circle goes through what a newcomer would have to begin */
		gather.n = 0;
		judge_visit(in, node_of(s, thread), 0, gather_named, &gather);
	}
	if (gather.n && max)
		qsort(out, gather.n < max ? gather.n : max, sizeof(*out), ascending);
	return gather.n;
}

struct wg_step solution_step(const struct solution *s, uint32_t thread)
{
	const struct inner *in = s->inner;
	const struct net *net = &in->net;
	uint32_t i = node_of(s, thread);
	struct wg_step step = { .by = WG_NONE, .outside = WG_UNKNOWN,
				.why = "it moved, or was seen to be stuck only once" };

	if (graph_runs(s->graph, thread)) {
		step.runs = true;
		return step;
	}
	for (i = in->by[i]; i != WG_NONE; i = in->by[i]) {
		const struct node *node = &s->graph->nodes.item[i];

		if (node->type == NODE_THREAD && node->index != WG_NONE) {
			step.by = node->index;
			return step;
		}
		if (net->kind[i] > NET_OUTSIDE) {
			step.outside = net->kind[i] - NET_OUTSIDE;
			step.why = net->why[i];
			return step;
		}
	}
	return step;
}

int solution_freeze(const struct solution *s, struct waitgraph *g)
{
	struct solution alone;
	int err = solve(&alone, g, &(struct solve_opts){ 0 });

	if (err)
		return err;
	for (uint32_t t = 0; t < g->threads.n; t++)
		if (solution_level(&alone, t) && !solution_level(s, t))
			g->let_go.item[t] = true;
	solution_release(&alone);
	return 0;
}

static const char *const verdict_words[WG_VERDICT_MAX] = {
	[WG_PROVEN] = "proven",	    [WG_CLOSED_WORLD] = "closed-world",
	[WG_ORPHAN] = "orphan",	    [WG_STUCK] = "stuck",
	[WG_QUIESCENT] = "quiescent", [WG_LEAK_SUSPECT] = "leak-suspect",
	[WG_SLOW] = "slow",
};

const char *wg_verdict_word(enum wg_verdict v)
{
	return v > 0 && v < WG_VERDICT_MAX ? verdict_words[v] : "?";
}

const char *wg_verdict_title(enum wg_verdict v)
{
	switch (v) {
	case WG_PROVEN: return "DEADLOCK, proven";
	case WG_CLOSED_WORLD: return "DEADLOCK, closed world";
	case WG_ORPHAN: return "ORPHAN";
	case WG_STUCK: return "STUCK";
	case WG_QUIESCENT: return "QUIESCENT";
	case WG_LEAK_SUSPECT: return "LEAK SUSPECT";
	default: return "SLOW";
	}
}

int wg_verdict_parse(const char *word)
{
	for (int v = WG_PROVEN; v < WG_VERDICT_MAX; v++)
		if (strcmp(verdict_words[v], word) == 0)
			return v;
	return -1;
}
