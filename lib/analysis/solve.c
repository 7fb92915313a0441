// SPDX-License-Identifier: GPL-2.0-or-later
/* The levels one after the other, and what is made of each: findings, strongest first. */
#include "solve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cores.h"
#include "judge.h"

struct level {
	enum wg_verdict verdict;
	uint32_t may;
};

static const struct level levels[] = {
	{ WG_PROVEN, NET_ALL_OUTSIDE },
	{ WG_CLOSED_WORLD, NET_ALL_OUTSIDE & ~NET_MAY(WG_NEW) },
	{ WG_STUCK, NET_ALL_OUTSIDE & ~(NET_MAY(WG_NEW) | NET_MAY(WG_SIG) | NET_MAY(WG_HIDDEN)) },
	{ WG_LEAK_SUSPECT, NET_ALL_OUTSIDE | NET_NO_HEIRS },
};
#define NLEVELS (sizeof(levels) / sizeof(*levels))
#define NO_UNKNOWN (NET_ALL_OUTSIDE & ~(NET_MAY(WG_NEW) | NET_MAY(WG_UNKNOWN)))

/* While solving; what outlives it is struct inner (judge.h). */
struct work {
	struct solution *s;
	struct inner *in;
	struct net *net;
	const struct level *level;
	bool *truth;
	uint32_t *core, *from;
	uint32_t *members, *at; /* threads sorted by core: members[at[c]] … */
	uint32_t room;          /* of s->findings */
	bool failed;
};

static const struct wg_thread *thread_of(const struct net *net, uint32_t node)
{
	return &net->graph->threads.item[net->graph->nodes.item[node].index];
}

static bool is_waiter(const struct net *net, uint32_t node)
{
	const struct node *n = &net->graph->nodes.item[node];

	return n->type == NODE_THREAD && n->index != WG_NONE;
}

static bool append(uint32_t **list, uint32_t *n, uint32_t value)
{
	/* room is the next power of two, so it needs no member of its own */
	if ((*n & (*n - 1)) == 0) {
		uint32_t *grown = reallocarray(*list, *n ? 2 * (size_t)*n : 1, sizeof(**list));

		if (!grown)
			return false;
		*list = grown;
	}
	(*list)[(*n)++] = value;
	return true;
}

static void own(struct work *w, uint32_t node, uint32_t finding, bool victim)
{
	struct wg_finding *f = &w->s->findings[finding];
	uint32_t thread = w->net->graph->nodes.item[node].index;

	w->in->owner[node] = finding;
	w->in->level[node] = w->level->verdict;
	if (!is_waiter(w->net, node))
		return;
	if (!(victim ? append(&f->victims, &f->nvictims, thread)
		     : append(&f->core, &f->ncore, thread)))
		w->failed = true;
}

static uint32_t new_finding(struct work *w)
{
	struct solution *s = w->s;

	if (s->nfindings == w->room) {
		uint32_t room = w->room ? w->room * 2 : 16;
		struct wg_finding *grown = reallocarray(s->findings, room, sizeof(*grown));

		if (!grown) {
			w->failed = true;
			return WG_NONE;
		}
		s->findings = grown;
		w->room = room;
	}
	s->findings[s->nfindings] =
	    (struct wg_finding){ .verdict = w->level->verdict, .level = w->level->verdict };
	return s->nfindings++;
}

/* ---- cores ---- */

static int by_tid(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Waiters for the same lost cause (a lock whose owner is dead) are one finding, not one each. */
static uint32_t same_cause(const struct work *w, uint32_t first, uint32_t node)
{
	const struct wg_thread *t = thread_of(w->net, node);

	for (uint32_t i = first; i < w->s->nfindings; i++) {
		const struct wg_finding *f = &w->s->findings[i];
		const struct wg_thread *other = &w->net->graph->threads.item[f->core[0]];

		if (!f->ncycle && (other->condition == t->condition ||
				   (t->chan && other->chan == t->chan)))
			return i;
	}
	return WG_NONE;
}

/* members[0..n): the threads' nodes of one core, ascending by tid. */
static void take_core(struct work *w, uint32_t *members, uint32_t n, uint32_t first)
{
	uint32_t *cycle = calloc(n + 1, sizeof(*cycle)), ncycle = 0, finding = WG_NONE;

	for (uint32_t i = 0; i < n && finding == WG_NONE; i++)
		finding = w->in->owner[members[i]];
	if (finding != WG_NONE) { /* a stronger verdict has some of it already */
		for (uint32_t i = 0; i < n; i++)
			if (w->in->owner[members[i]] == WG_NONE)
				own(w, members[i], finding, true);
		goto out;
	}
	if (!cycle) {
		w->failed = true;
		goto out;
	}
	for (uint32_t i = 0; i < n && !ncycle; i++)
		ncycle = cores_cycle(w->net, w->core, members[i], w->from, cycle);
	if (!ncycle)
		finding = same_cause(w, first, members[0]);
	if (finding == WG_NONE)
		finding = new_finding(w);
	if (finding == WG_NONE)
		goto out;
	for (uint32_t i = 0; i < ncycle; i++)
		own(w, cycle[i], finding, false);
	for (uint32_t i = 0; i < n; i++)
		if (w->in->owner[members[i]] == WG_NONE)
			own(w, members[i], finding, false);
	w->s->findings[finding].ncycle = ncycle;
out:
	free(cycle);
}

/* Lays out the threads by core: counted, then filled in; ascending by tid within each. */
static bool sort_members(struct work *w, uint32_t ncores)
{
	const struct waitgraph *g = w->net->graph;
	uint32_t *tid = calloc(g->threads.n + 1, 2 * sizeof(*tid)), *node = tid + 1;

	w->at = calloc((size_t)ncores + 2, sizeof(*w->at));
	w->members = calloc(g->threads.n + 1, sizeof(*w->members));
	if (!tid || !w->at || !w->members) {
		free(tid);
		return false;
	}
	for (uint32_t t = 0; t < g->threads.n; t++) {
		tid[2 * t] = g->threads.item[t].tid;
		node[2 * t] = g->thread_node.item[t];
		if (w->core[node[2 * t]] != WG_NONE)
			w->at[w->core[node[2 * t]] + 2]++;
	}
	qsort(tid, g->threads.n, 2 * sizeof(*tid), by_tid);
	for (uint32_t c = 0; c < ncores; c++)
		w->at[c + 2] += w->at[c + 1];
	for (uint32_t t = 0; t < g->threads.n; t++)
		if (w->core[node[2 * t]] != WG_NONE)
			w->members[w->at[w->core[node[2 * t]] + 1]++] = node[2 * t];
	free(tid);
	return true;
}

static void find_cores(struct work *w)
{
	uint32_t first = w->s->nfindings;
	uint32_t n = cores_find(w->net, w->level->may, w->truth, w->core);

	if (n == WG_NONE || !sort_members(w, n)) {
		w->failed = true;
		n = 0;
	}
	for (uint32_t c = 0; c < n && !w->failed; c++)
		if (w->at[c + 1] > w->at[c])
			take_core(w, w->members + w->at[c], w->at[c + 1] - w->at[c], first);
	free(w->at);
	free(w->members);
	w->at = w->members = NULL;
}

/* ---- victims: whoever waits, through whatever, for what is owned ---- */

static void find_victims(struct work *w)
{
	struct net *net = w->net;
	uint32_t queued = 0;

	for (uint32_t i = 0; i < net->n; i++)
		if (!w->truth[i] && w->in->owner[i] != WG_NONE)
			net->queue[queued++] = i;
	for (uint32_t head = 0; head < queued && !w->failed; head++) {
		uint32_t i = net->queue[head];

		for (uint32_t e = net->gate_at[i]; e < net->gate_at[i + 1]; e++) {
			uint32_t gate = net->gate[e].to;

			if (w->truth[gate] || w->in->owner[gate] != WG_NONE)
				continue;
			own(w, gate, w->in->owner[i], true);
			net->queue[queued++] = gate;
		}
	}
}

static void solve_level(struct work *w, const struct level *level)
{
	w->level = level;
	net_pass(w->net, level->may, w->truth, NULL,
		 level->verdict == WG_CLOSED_WORLD ? w->in->root : NULL);
	find_cores(w);
	find_victims(w);
}

/* ---- what can move, or cannot be judged ---- */

static bool add_inconclusive(struct solution *s, uint32_t thread, const char *why)
{
	struct wg_inconclusive *grown =
	    reallocarray(s->inconclusive, s->ninconclusive + 1, sizeof(*grown));

	if (!grown)
		return false;
	s->inconclusive = grown;
	s->inconclusive[s->ninconclusive++] =
	    (struct wg_inconclusive){ .thread = thread, .why = why };
	return true;
}

/* in->root is of the closed world: who is dead there without the unknown, is so because of it. */
static void find_inconclusive(struct work *w)
{
	const struct waitgraph *g = w->net->graph;

	net_pass(w->net, NO_UNKNOWN, w->truth, NULL, NULL);
	for (uint32_t t = 0; t < g->threads.n && !w->failed; t++) {
		uint32_t node = g->thread_node.item[t], root = w->in->root[node];
		bool unknown = root != WG_NONE && w->net->kind[root] == NET_OUTSIDE + WG_UNKNOWN;
		const struct wg_thread *thread = &g->threads.item[t];

		if (w->truth[node] || w->in->owner[node] != WG_NONE || thread->quiet ||
		    thread->wait == WG_OTHER)
			continue;
		if (!add_inconclusive(w->s, t, unknown ? w->net->why[root]
						       : "part of what it waits for is unknown"))
			w->failed = true;
	}
}

static void find_slow(struct work *w, const struct solve_opts *opts)
{
	static const struct level slow = { WG_SLOW, 0 };
	const struct waitgraph *g = w->net->graph;

	w->level = &slow;
	for (uint32_t t = 0; opts->slow_ns && t < g->threads.n && !w->failed; t++) {
		const struct wg_thread *thread = &g->threads.item[t];
		uint32_t node = g->thread_node.item[t], finding;

		if (graph_runs(g, t) || (thread->quiet && !opts->slow_quiet) || !thread->since_ns ||
		    opts->now_ns < thread->since_ns + opts->slow_ns ||
		    w->in->owner[node] != WG_NONE || solution_step(w->s, t).by == WG_NONE)
			continue;
		finding = new_finding(w);
		if (finding != WG_NONE)
			own(w, node, finding, false);
	}
}

/* ---- all of it ---- */

static bool work_init(struct work *w, struct solution *s)
{
	struct inner *in = calloc(1, sizeof(*in));
	uint32_t n;

	s->inner = in;
	if (!in || net_init(&in->net, s->graph))
		return false;
	n = in->net.n;
	in->owner = malloc(n * sizeof(*in->owner));
	in->level = calloc(n, sizeof(*in->level));
	in->root = malloc(n * sizeof(*in->root));
	in->by = malloc(n * sizeof(*in->by));
	in->mark = calloc(n, sizeof(*in->mark));
	in->stack = malloc(n * sizeof(*in->stack));
	*w = (struct work){ .s = s, .in = in, .net = &in->net };
	w->truth = calloc(n, sizeof(*w->truth));
	w->core = malloc(n * sizeof(*w->core));
	w->from = malloc(n * sizeof(*w->from));
	if (!in->owner || !in->level || !in->root || !in->by || !in->mark ||
	    !in->stack || !w->truth || !w->core || !w->from)
		return false;
	memset(in->owner, 0xff, n * sizeof(*in->owner));
	memset(w->from, 0xff, n * sizeof(*w->from));
	return true;
}

/* Who was not dead before must not be now, whatever the picture says: it was one picture only. */
static void spare(struct net *net, const struct solution *before)
{
	const struct inner *was = before->inner;

	for (uint32_t t = 0; t < net->graph->threads.n; t++) {
		uint32_t node = net->graph->thread_node.item[t];
		uint32_t old = graph_lookup(before->graph, NODE_THREAD,
					    net->graph->threads.item[t].tid);

		if (old == WG_NONE || !was->level[old] || was->level[old] == WG_SLOW)
			net->kind[node] = NET_TRUE;
	}
}

static void solve_all(struct work *w, const struct solution *before,
		      const struct solve_opts *opts)
{
	net_pass(w->net, NET_ALL_OUTSIDE, w->truth, w->in->by, NULL);
	if (before)
		spare(w->net, before);
	for (size_t i = 0; i < NLEVELS && !w->failed; i++)
		solve_level(w, &levels[i]);
	if (!w->failed)
		find_inconclusive(w);
	find_slow(w, opts);
}

/* A finding is as strong as it was when it was first seen, or less. */
static void weaken(struct solution *s, const struct solution *before)
{
	const struct inner *was = before->inner;

	for (uint32_t i = 0; i < s->nfindings; i++) {
		struct wg_finding *f = &s->findings[i];

		for (uint32_t k = 0; k < f->ncore && f->level != WG_SLOW; k++) {
			uint32_t tid = s->graph->threads.item[f->core[k]].tid;
			uint32_t old = graph_lookup(before->graph, NODE_THREAD, tid);

			if (old != WG_NONE && was->level[old] > (uint8_t)f->level)
				f->level = was->level[old];
		}
	}
}

static int solve_after(struct solution *s, const struct waitgraph *g,
		       const struct solution *before, const struct solve_opts *opts)
{
	struct work w = { 0 };
	int err = -ENOMEM;

	*s = (struct solution){ .graph = g };
	if (work_init(&w, s)) {
		solve_all(&w, before, opts);
		if (before)
			weaken(s, before);
		err = judge(s);
	}
	if (w.failed)
		err = -ENOMEM;
	free(w.truth);
	free(w.core);
	free(w.from);
	if (err)
		solution_release(s);
	return err;
}

int solve(struct solution *s, const struct waitgraph *g, const struct solve_opts *opts)
{
	return solve_after(s, g, NULL, opts);
}

int solve_confirmed(struct solution *s, struct waitgraph *now, const struct solution *before,
		    const struct solve_opts *opts)
{
	waitgraph_confirm(now, before->graph);
	return solve_after(s, now, before, opts);
}

void solution_release(struct solution *s)
{
	struct inner *in = s->inner;

	for (uint32_t i = 0; i < s->nfindings; i++)
		finding_release(&s->findings[i]);
	free(s->findings);
	free(s->inconclusive);
	if (in) {
		net_release(&in->net);
		free(in->owner);
		free(in->level);
		free(in->root);
		free(in->by);
		free(in->mark);
		free(in->stack);
		free(in);
	}
	*s = (struct solution){ 0 };
}
