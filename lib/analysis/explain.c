// SPDX-License-Identifier: GPL-2.0-or-later
/* The certificate, and the chain; causes and cures are in shapes.c. */
#include "explain.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "judge.h"
#include "lib/base/escape.h"

#define PARTS_SHOWN 8
#define DEPTH_MAX 6

const char *explain_name(const struct wg_thread *t, char buf[static EXPLAIN_NAME_LEN])
{
	char comm[ESCAPE_SIZE(EV_COMM_LEN)];

	escape_text(comm, sizeof(comm), t->comm[0] ? t->comm : "?", sizeof(t->comm));
	if (t->pid == t->tid)
		snprintf(buf, EXPLAIN_NAME_LEN, "%s[%u]", comm, t->pid);
	else
		snprintf(buf, EXPLAIN_NAME_LEN, "%s[%u/%u]", comm, t->pid, t->tid);
	return buf;
}

/* ---- the certificate ---- */

struct needs {
	const struct solution *s;
	const struct inner *in;
	enum wg_verdict level;
	FILE *out;
};

static void put_escaped(FILE *out, const char *text)
{
	char safe[ESCAPE_SIZE(WG_DETAIL_LEN)];

	escape_text(safe, sizeof(safe), text, WG_DETAIL_LEN);
	fputs(safe, out);
}

static void put_thread(const struct needs *n, uint32_t node)
{
	const struct waitgraph *g = n->s->graph;
	uint32_t index = g->nodes.item[node].index;
	char name[EXPLAIN_NAME_LEN];

	if (index == WG_NONE)
		fprintf(n->out, "thread %u (not seen)", g->nodes.item[node].id);
	else
		fprintf(n->out, "%s (%s)", explain_name(&g->threads.item[index], name),
			judge_is_dead(n->in, node, n->level) ? "stuck" : "can move");
}

/* A process by its first thread's name, and whether all of its threads are stuck. */
static void put_process(const struct needs *n, uint32_t node)
{
	const struct waitgraph *g = n->s->graph;
	uint32_t stuck = 0, all = 0, leader = WG_NONE;
	char comm[ESCAPE_SIZE(EV_COMM_LEN)];

	for (uint32_t t = g->nodes.item[node].index; t != WG_NONE; t = g->sibling.item[t]) {
		all++;
		stuck += judge_is_dead(n->in, g->thread_node.item[t], n->level);
		if (leader == WG_NONE || g->threads.item[t].tid == g->nodes.item[node].id)
			leader = t;
	}
	if (leader == WG_NONE) {
		fprintf(n->out, "process %u (not seen)", g->nodes.item[node].id);
		return;
	}
	escape_text(comm, sizeof(comm), g->threads.item[leader].comm, EV_COMM_LEN);
	fprintf(n->out, "%s[%u] (", comm, g->nodes.item[node].id);
	if (all == 1)
		fputs(stuck ? "stuck" : "can move", n->out);
	else
		fprintf(n->out, "%u of %u threads stuck", stuck, all);
	fputc(')', n->out);
}

static bool may_help(enum wg_outside o, enum wg_verdict level)
{
	if (level == WG_CLOSED_WORLD)
		return o != WG_NEW;
	return level != WG_STUCK || (o != WG_NEW && o != WG_SIG && o != WG_HIDDEN);
}

static void put_outside(const struct needs *n, uint32_t node)
{
	enum wg_outside o = n->in->net.kind[node] - NET_OUTSIDE;
	const char *why = n->in->net.why[node];

	fprintf(n->out, "%s (%s%s", wg_outside_word(o), may_help(o, n->level) ? "may help" : "ruled out",
		why && *why ? ": " : "");
	put_escaped(n->out, why ? why : "");
	fputc(')', n->out);
}

static void put_node(const struct needs *n, uint32_t node, int depth);

static void put_gate(const struct needs *n, uint32_t node, int depth)
{
	const struct waitgraph *g = n->s->graph;
	const struct node *gate = &g->nodes.item[node];
	uint32_t shown = 0, all = 0, last = WG_NONE;

	if (gate->type == NODE_AT_LEAST)
		fprintf(n->out, "at least %" PRIu64 " of: ", gate->need);
	else if (gate->first != gate->last)
		fputs(gate->type == NODE_ALL ? "all of: " : "any of: ", n->out);
	for (uint32_t e = gate->first; e != WG_NONE; e = g->edges.item[e].next) {
		const struct edge *edge = &g->edges.item[e];

		if (edge->part == last) /* the same process by another descriptor */
			continue;
		last = edge->part;
		if (++all > PARTS_SHOWN)
			continue;
		fputs(shown++ ? ", " : "", n->out);
		if (gate->type == NODE_AT_LEAST)
			fprintf(n->out, "%u by ", edge->weight);
		if (g->nodes.item[edge->part].type >= NODE_ANY && gate->first != gate->last) {
			fputc('(', n->out);
			put_node(n, edge->part, depth + 1);
			fputc(')', n->out);
		} else {
			put_node(n, edge->part, depth + 1);
		}
	}
	if (all > PARTS_SHOWN)
		fprintf(n->out, " and %u more", all - PARTS_SHOWN);
}

static void put_node(const struct needs *n, uint32_t node, int depth)
{
	const struct node *x = &n->s->graph->nodes.item[node];

	if (depth > DEPTH_MAX)
		fputs("…", n->out);
	else if (n->in->net.kind[node] > NET_OUTSIDE && x->type != NODE_THREAD &&
		 x->type != NODE_PROCESS)
		put_outside(n, node);
	else if (x->type == NODE_THREAD)
		put_thread(n, node);
	else if (x->type == NODE_PROCESS)
		put_process(n, node);
	else if (x->type == NODE_GONE)
		put_escaped(n->out, graph_text(n->s->graph, x->text));
	else
		put_gate(n, node, depth);
}

int explain_needs(const struct solution *s, const struct wg_finding *f, uint32_t thread, FILE *out)
{
	struct needs n = { .s = s, .in = s->inner, .level = f->level, .out = out };
	const struct wg_thread *t = waitgraph_thread(s->graph, thread);

	if (t->wait == WG_RUNS)
		fputs("nothing", out);
	else if (!t->condition || t->condition >= s->graph->nodes.n)
		fputs("not known", out);
	else
		put_node(&n, t->condition, 0);
	return ferror(out) ? -EIO : 0;
}

/* ---- the chain ---- */

static bool in_core(const struct wg_finding *f, uint32_t thread)
{
	for (uint32_t i = 0; i < f->ncore; i++)
		if (f->core[i] == thread)
			return true;
	return false;
}

/* Follows what keeps a thread that can move: one step after the other, which never goes round. */
static uint32_t live_chain(const struct solution *s, uint32_t thread, uint32_t *out, uint32_t max)
{
	uint32_t n = 0;

	while (thread != WG_NONE && n < max) {
		out[n++] = thread;
		thread = solution_step(s, thread).by;
	}
	return n;
}

/* The shortest way from a victim to the core, breadth first over those that it lacks. */
static uint32_t dead_chain(const struct solution *s, const struct wg_finding *f, uint32_t thread,
			   uint32_t *out, uint32_t max)
{
	uint32_t threads = waitgraph_threads(s->graph), queued = 0, n = 0, end = WG_NONE;
	uint32_t *from = malloc(3 * (size_t)threads * sizeof(*from));
	uint32_t *queue = from + threads, *lacks = queue + threads;

	if (!from)
		return 0;
	memset(from, 0xff, threads * sizeof(*from));
	from[thread] = thread;
	queue[queued++] = thread;
	for (uint32_t head = 0; head < queued && end == WG_NONE; head++) {
		uint32_t some = solution_waits_for(s, queue[head], lacks, threads);

		if (in_core(f, queue[head]))
			end = queue[head];
		for (uint32_t i = 0; i < some && end == WG_NONE; i++) {
			if (from[lacks[i]] != WG_NONE)
				continue;
			from[lacks[i]] = queue[head];
			queue[queued++] = lacks[i];
		}
	}
	for (uint32_t i = end; i != WG_NONE; i = i == thread ? WG_NONE : from[i])
		queue[n++] = i; /* no longer needed as a queue */
	for (uint32_t i = 0; i < n && i < max; i++)
		out[i] = queue[n - 1 - i];
	free(from);
	return n < max ? n : max;
}

uint32_t explain_chain(const struct solution *s, uint32_t thread, uint32_t *out, uint32_t max)
{
	const struct wg_finding *f = solution_of(s, thread);

	if (f && f->level != WG_SLOW && f->level != WG_LEAK_SUSPECT)
		return dead_chain(s, f, thread, out, max);
	return live_chain(s, thread, out, max);
}
