// SPDX-License-Identifier: GPL-2.0-or-later
#include "judge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- looking into conditions ---- */

static bool is_thread(const struct inner *in, uint32_t node)
{
	return in->net.graph->nodes.item[node].type == NODE_THREAD;
}

/* Only newcomers could make it true, and they are out of the question. */
static bool is_ruled_out(const struct net *net, uint32_t node, enum wg_verdict level)
{
	bool closed = level == WG_CLOSED_WORLD || level == WG_STUCK;

	if (!closed || net->graph->nodes.item[node].type != NODE_ALL)
		return false;
	for (uint32_t p = net->part_at[node]; p < net->part_at[node + 1]; p++)
		if (net->kind[net->part[p].to] == NET_OUTSIDE + WG_NEW)
			return true;
	return false;
}

/* The stack holds each node at most once: it is marked when it is put there. */
void judge_visit(struct inner *in, uint32_t thread_node, enum wg_verdict level, judge_each *each, void *arg)
{
	const struct net *net = &in->net;
	const struct waitgraph *g = net->graph;
	uint32_t n = 0;

	in->stamp++;
	in->stack[n++] = thread_node;
	while (n) {
		uint32_t i = in->stack[--n];
		bool is_gate = g->nodes.item[i].type >= NODE_ANY;
		uint32_t e = is_gate ? g->nodes.item[i].first : WG_NONE;

		for (uint32_t p = net->part_at[i]; p < net->part_at[i + 1]; p++) {
			struct named named = { .node = net->part[p].to, .holder = WG_NONE };

			named.again = in->mark[named.node] == in->stamp;
			if (e != WG_NONE) { /* the parts of a gate are its edges, in their order */
				named.holder = g->edges.item[e].holder;
				e = g->edges.item[e].next;
			}
			in->mark[named.node] = in->stamp;
			each(arg, &named);
			if (!named.again && !is_thread(in, named.node) && !is_ruled_out(net, named.node, level))
				in->stack[n++] = named.node;
		}
	}
}

bool judge_is_dead(const struct inner *in, uint32_t node, enum wg_verdict level)
{
	enum wg_verdict left = in->level[node];

	if (!left || left == WG_SLOW || level == WG_SLOW)
		return false;
	if (level == WG_LEAK_SUSPECT)
		return left == WG_PROVEN || left == WG_LEAK_SUSPECT;
	return left <= level;
}

/* ---- verdicts ---- */

static const struct wg_thread *member(const struct solution *s, const struct wg_finding *f,
				      uint32_t i)
{
	return &s->graph->threads.item[f->core[i]];
}

/*
 * All of the core just wait for somebody to speak. A single process that reads what only it
 * itself could write is not idle: nobody ever will, and the end of file is not coming either.
 * Where newcomers may write it is: who serves a FIFO keeps its write end open on purpose.
 */
static bool is_quiet(const struct solution *s, const struct wg_finding *f)
{
	bool alone = f->ncycle > 0 && f->level != WG_CLOSED_WORLD;

	for (uint32_t i = 0; i < f->ncore; i++) {
		const struct wg_thread *t = member(s, f, i);

		if (!t->quiet)
			return false;
		alone = alone && t->wait == WG_READ && t->pid == member(s, f, 0)->pid;
	}
	return !alone;
}

struct scan {
	const struct solution *s;
	struct wg_finding *f;
	bool gone, failed;
};

static void add_heir(struct scan *scan, uint32_t pid)
{
	struct wg_finding *f = scan->f;
	uint32_t *grown;

	for (uint32_t i = 0; i < f->nheirs; i++)
		if (f->heirs[i] == pid)
			return;
	grown = reallocarray(f->heirs, f->nheirs + 1, sizeof(*grown));
	if (!grown) {
		scan->failed = true;
		return;
	}
	f->heirs = grown;
	f->heirs[f->nheirs++] = pid;
}

/* Is somebody gone, were holders guessed, who would help by accident? */
static void scan_named(void *arg, const struct named *named)
{
	struct scan *scan = arg;
	const struct inner *in = scan->s->inner;
	const struct wg_holder *h;

	if (in->net.kind[named->node] == NET_FALSE)
		scan->gone = true;
	if (named->holder == WG_NONE)
		return;
	h = &scan->s->graph->holders.item[named->holder];
	if (h->flags & WG_GUESSED)
		scan->f->guessed = true;
	if (scan->f->level == WG_LEAK_SUSPECT && (h->flags & WG_IDLE_HEIR))
		add_heir(scan, h->pid);
}

/* Returns false when there is no memory. */
static bool classify(struct solution *s, struct wg_finding *f)
{
	struct inner *in = s->inner;
	struct scan scan = { .s = s, .f = f };

	for (uint32_t i = 0; i < f->ncore; i++)
		judge_visit(in, s->graph->thread_node.item[f->core[i]], f->level, scan_named, &scan);
	f->verdict = f->level;
	if (f->level == WG_SLOW)
		return !scan.failed;
	if (f->guessed && f->level < WG_STUCK)
		f->verdict = WG_STUCK; /* a guess proves nothing: somebody else may hold it as well */
	else if (f->level == WG_PROVEN && !f->ncycle && scan.gone)
		f->verdict = WG_ORPHAN;
	if (f->level != WG_LEAK_SUSPECT && is_quiet(s, f))
		f->verdict = WG_QUIESCENT;
	return !scan.failed;
}

/*
 * A lone thread that awaits newcomers or a signal, and for which nobody waits, is just idle. Who wants
 * to get rid of something and cannot is not.
 */
static bool is_idle(const struct solution *s, const struct wg_finding *f)
{
	enum wg_wait wait = member(s, f, 0)->wait;

	if (f->nvictims || wait == WG_WRITE || wait == WG_MSG_SEND)
		return false;
	return f->ncycle ? f->ncore == 1 && f->verdict == WG_QUIESCENT
			 : f->verdict == WG_QUIESCENT || f->level == WG_STUCK;
}

static int by_strength(const void *a, const void *b)
{
	const struct wg_finding *x = a, *y = b;

	if (x->verdict != y->verdict)
		return x->verdict < y->verdict ? -1 : 1;
	return x->core[0] < y->core[0] ? -1 : x->core[0] > y->core[0];
}

void finding_release(struct wg_finding *f)
{
	free(f->core);
	free(f->victims);
	free(f->heirs);
}

static void own_again(struct solution *s)
{
	struct inner *in = s->inner;

	memset(in->owner, 0xff, in->net.n * sizeof(*in->owner));
	for (uint32_t i = 0; i < s->nfindings; i++) {
		const struct wg_finding *f = &s->findings[i];

		for (uint32_t k = 0; k < f->ncore; k++)
			in->owner[s->graph->thread_node.item[f->core[k]]] = i;
		for (uint32_t k = 0; k < f->nvictims; k++)
			in->owner[s->graph->thread_node.item[f->victims[k]]] = i;
	}
}

int judge(struct solution *s)
{
	uint32_t kept = 0;
	bool failed = false;

	for (uint32_t i = 0; i < s->nfindings; i++) {
		failed = !classify(s, &s->findings[i]) || failed;
		if (is_idle(s, &s->findings[i]))
			finding_release(&s->findings[i]);
		else
			s->findings[kept++] = s->findings[i];
	}
	s->nfindings = kept;
	if (kept)
		qsort(s->findings, kept, sizeof(*s->findings), by_strength);
	own_again(s);
	return failed ? -ENOMEM : 0;
}
