// SPDX-License-Identifier: GPL-2.0-or-later
#include "waittree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "judge.h"

#define HELPERS_MAX 64 /* of those that a victim lacks, so many are asked whether they have a row */

/* While it is made: numbers of threads of the graph, from which rows are made at the end. */
struct making {
	const struct solution *s;
	const struct waittree_opts *opts;
	uint32_t threads;
	bool *shown;       /* by thread */
	uint32_t *parent;  /* by thread: a thread, or WT_NONE */
	uint32_t *finding; /* by thread: of the tree's findings, or WT_NONE */
	uint32_t *row;     /* by thread */
	uint32_t *child, *next; /* lists of children, by thread */
	struct waittree *t;
};

static bool is_meant(const struct making *m, uint32_t thread)
{
	return !m->opts->in_scope || m->opts->in_scope[thread];
}

/* ---- which threads are shown, and under whom ---- */

static bool concerns(const struct making *m, const struct wg_finding *f)
{
	for (uint32_t i = 0; i < f->ncore; i++)
		if (is_meant(m, f->core[i]))
			return true;
	for (uint32_t i = 0; i < f->nvictims; i++)
		if (is_meant(m, f->victims[i]))
			return true;
	return false;
}

/*
 * A victim hangs under one that it lacks and that hangs already: those nearer to the core came
 * first, so there is one, unless it lacks more than are asked.
 */
static uint32_t victim_parent(const struct making *m, const struct wg_finding *f, uint32_t thread)
{
	uint32_t lacks[HELPERS_MAX], n = solution_waits_for(m->s, thread, lacks, HELPERS_MAX);
	uint32_t of = m->finding[thread];

	for (uint32_t i = 0; i < n && i < HELPERS_MAX; i++)
		if (lacks[i] != thread && m->shown[lacks[i]] && m->finding[lacks[i]] == of)
			return lacks[i];
	return f->core[0];
}

static void show_finding(struct making *m, const struct wg_finding *f, uint32_t number)
{
	for (uint32_t i = 0; i < f->ncore; i++) {
		m->shown[f->core[i]] = true;
		m->finding[f->core[i]] = number;
	}
	for (uint32_t i = 0; i < f->nvictims; i++) {
		uint32_t v = f->victims[i];

		m->finding[v] = number;
		m->parent[v] = victim_parent(m, f, v);
		m->shown[v] = true;
	}
}

/* What can move: up to its root, step by step, which never goes round. */
static void show_live(struct making *m, uint32_t thread)
{
	struct wg_step step = solution_step(m->s, thread);

	if (!is_meant(m, thread) || m->shown[thread] || graph_runs(m->s->graph, thread) ||
	    (step.by == UINT32_MAX && !m->opts->idle))
		return;
	while (!m->shown[thread]) {
		m->shown[thread] = true;
		if (step.by == UINT32_MAX)
			return;
		m->parent[thread] = step.by;
		thread = step.by;
		step = solution_step(m->s, thread);
	}
}

/* ---- rows ---- */

static void copy(char *to, size_t size, const char *from) { snprintf(to, size, "%s", from); }

static void fill_row(struct making *m, uint32_t thread, struct wt_row *r)
{
	const struct wg_thread *t = waitgraph_thread(m->s->graph, thread);
	const struct wg_chan *c = waitgraph_chan(m->s->graph, t->chan);
	struct wg_step step;

	r->pid = t->pid;
	r->tid = t->tid;
	r->ppid = t->ppid;
	copy(r->comm, sizeof(r->comm), t->comm);
	r->wait = graph_runs(m->s->graph, thread) ? WG_RUNS : t->wait;
	r->fd = t->fd;
	r->kind = c ? c->kind : 0;
	copy(r->call, sizeof(r->call), t->call);
	copy(r->chan, sizeof(r->chan), c ? c->ident : "");
	copy(r->detail, sizeof(r->detail), t->detail[0] ? t->detail : c ? c->detail : "");
	r->since_ns = t->since_ns;
	r->deadline_ns = t->deadline_ns;
	r->finding = m->finding[thread];
	if (r->parent != WT_NONE)
		return;
	if (r->finding != WT_NONE) {
		r->root = WT_CORE;
		return;
	}
	step = solution_step(m->s, thread);
	r->root = step.runs ? WT_RUNS : WT_OUTSIDE;
	r->outside = step.outside;
	copy(r->why, sizeof(r->why), !step.runs && step.why ? step.why : "");
}

/* A thread and all under it, in the order of the tree. No recursion: chains can be long. */
static void put_tree(struct making *m, uint32_t root)
{
	uint32_t at = root, depth = 0;

	for (;;) {
		uint32_t parent = m->parent[at];
		struct wt_row *r = &m->t->rows[m->t->nrows];

		*r = (struct wt_row){ .depth = depth,
				      .parent = parent == WT_NONE ? WT_NONE : m->row[parent] };
		fill_row(m, at, r);
		m->row[at] = m->t->nrows++;
		if (m->child[at] != WT_NONE) {
			at = m->child[at];
			depth++;
			continue;
		}
		while (at != root && m->next[at] == WT_NONE) {
			at = m->parent[at];
			depth--;
		}
		if (at == root)
			return;
		at = m->next[at];
	}
}

static void put_rows(struct making *m)
{
	const struct waitgraph *g = m->s->graph;

	for (uint32_t i = m->threads; i-- > 0;) { /* backwards, so that lists are ascending */
		uint32_t parent = m->parent[i];

		if (!m->shown[i] || parent == WT_NONE)
			continue;
		m->next[i] = m->child[parent];
		m->child[parent] = i;
	}
	for (uint32_t i = 0; i < m->s->nfindings; i++) {
		const struct wg_finding *f = &m->s->findings[i];

		for (uint32_t k = 0; k < f->ncore; k++)
			if (m->finding[f->core[k]] != WT_NONE && m->row[f->core[k]] == WT_NONE)
				put_tree(m, f->core[k]);
	}
	for (uint32_t i = 0; i < waitgraph_threads(g); i++)
		if (m->shown[i] && m->parent[i] == WT_NONE && m->row[i] == WT_NONE)
			put_tree(m, i);
}

/* ---- findings ---- */

static uint64_t mix(uint64_t key, uint64_t value)
{
	return (key ^ value) * 0x9e3779b97f4a7c15u + (key >> 29);
}

uint64_t finding_key(const struct solution *s, const struct wg_finding *f)
{
	uint64_t key = 0;

	for (uint32_t i = 0; i < f->ncore; i++) { /* a sum, which knows no order */
		const struct wg_thread *t = waitgraph_thread(s->graph, f->core[i]);

		key += mix(mix(mix(1, t->tid), t->start_ns), t->switches);
	}
	return key;
}

static uint32_t *rows_of(const struct making *m, const uint32_t *threads, uint32_t n)
{
	uint32_t *rows = calloc((size_t)n + 1, sizeof(*rows));

	for (uint32_t i = 0; rows && i < n; i++)
		rows[i] = m->row[threads[i]];
	return rows;
}

static bool put_finding(struct making *m, const struct wg_finding *f, struct wt_finding *to)
{
	char buf[EXPLAIN_LEN];

	*to = (struct wt_finding){ .verdict = f->verdict, .key = finding_key(m->s, f),
				   .core = rows_of(m, f->core, f->ncore), .ncore = f->ncore,
				   .victims = rows_of(m, f->victims, f->nvictims),
				   .nvictims = f->nvictims };
	copy(to->cause, sizeof(to->cause), explain_cause(m->s, f, buf));
	copy(to->cure, sizeof(to->cure), explain_cure(m->s, f, buf));
	return to->core && to->victims;
}

static bool shown_finding(const struct making *m, const struct wg_finding *f)
{
	return f->level != WG_SLOW && concerns(m, f);
}

static bool make(struct making *m)
{
	struct waittree *t = m->t;
	uint32_t n = 0, nrows = 0;
	bool good = true;

	for (uint32_t i = 0; i < m->s->nfindings; i++)
		if (shown_finding(m, &m->s->findings[i]))
			show_finding(m, &m->s->findings[i], n++);
	for (uint32_t i = 0; i < m->threads; i++)
		show_live(m, i);
	for (uint32_t i = 0; i < m->threads; i++)
		nrows += m->shown[i];
	t->rows = calloc((size_t)nrows + 1, sizeof(*t->rows));
	t->findings = calloc((size_t)n + 1, sizeof(*t->findings));
	if (!t->rows || !t->findings)
		return false;
	put_rows(m);
	for (uint32_t i = 0; i < m->s->nfindings; i++)
		if (shown_finding(m, &m->s->findings[i]))
			good = put_finding(m, &m->s->findings[i], &t->findings[t->nfindings++]) && good;
	for (uint32_t i = 0; i < m->s->ninconclusive; i++)
		t->ninconclusive += is_meant(m, m->s->inconclusive[i].thread);
	t->lost = waitgraph_lost(m->s->graph);
	return good;
}

struct waittree *waittree_new(const struct solution *s, const struct waittree_opts *opts)
{
	uint32_t n = waitgraph_threads(s->graph);
	struct making m = { .s = s, .opts = opts, .threads = n, .t = calloc(1, sizeof(*m.t)) };
	size_t size = ((size_t)n + 1) * sizeof(uint32_t);
	uint32_t *numbers = malloc(5 * size);
	bool good = false;

	m.shown = calloc((size_t)n + 1, sizeof(*m.shown));
	if (numbers && m.shown && m.t) {
		memset(numbers, 0xff, 5 * size);
		m.parent = numbers;
		m.finding = numbers + (n + 1);
		m.row = numbers + 2 * (size_t)(n + 1);
		m.child = numbers + 3 * (size_t)(n + 1);
		m.next = numbers + 4 * (size_t)(n + 1);
		m.t->t_ns = opts->now_ns;
		good = make(&m);
	}
	free(numbers);
	free(m.shown);
	if (good)
		return m.t;
	waittree_free(m.t);
	return NULL;
}

void waittree_free(struct waittree *t)
{
	if (!t)
		return;
	for (uint32_t i = 0; i < t->nfindings; i++) {
		free(t->findings[i].core);
		free(t->findings[i].victims);
	}
	free(t->findings);
	free(t->rows);
	free(t);
}
