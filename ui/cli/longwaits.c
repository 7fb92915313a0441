// SPDX-License-Identifier: GPL-2.0-or-later
#include "longwaits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/diagnose.h"
#include "lib/base/clock.h"
#include "findings.h"
#include "lib/analysis/waittree.h"

#define LONG_NS NS_PER_S
#define EACH_NS (NS_PER_S / 2)
#define KEEP_NS (5 * NS_PER_S)

/* A number for the waits that are long: the sum knows no order. 0: there are none. */
static uint64_t key_of(const struct model *m, uint64_t now_ns)
{
	uint64_t key = 0;

	for (const struct m_wait *w = model_waits(m); w; w = w->next)
		if (now_ns > w->since_ns + LONG_NS)
			key += (w->task->tid + 1) * 0x9e3779b97f4a7c15u ^ w->since_ns;
	return key;
}

static char *tids_of(const struct model *m)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	for (const struct m_wait *w = out ? model_waits(m) : NULL; w; w = w->next)
		fprintf(out, "%s%u", ftell(out) ? "," : "", w->task->tid);
	if (out && fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

/* ---- what was found, and when ---- */

/* A number for the deadlocks that somebody who is traced waits in. 0: there are none. */
static int findings_key(const struct solution *s, const struct model *m, uint64_t *key)
{
	struct findings_view v = { .solution = s, .level = WG_ORPHAN };

	*key = 0;
	v.in_scope = calloc(waitgraph_threads(s->graph) + 1, sizeof(*v.in_scope));
	if (!v.in_scope)
		return -ENOMEM;
	for (const struct m_wait *w = model_waits(m); w; w = w->next) {
		uint32_t t = waitgraph_find(s->graph, w->task->tid);

		if (t != UINT32_MAX)
			v.in_scope[t] = true;
	}
	for (uint32_t i = 0; i < s->nfindings; i++)
		if (findings_has(&v, &s->findings[i]))
			*key += finding_key(s, &s->findings[i]) | 1;
	findings_release(&v);
	return 0;
}

/* Takes the texts, or frees them. */
static void add_found(struct longwaits *l, uint64_t t_ns, char *text, char *tids)
{
	size_t bytes = text && tids ? strlen(text) + strlen(tids) : 0;
	struct trace_waitgraph *found = NULL;

	if (text && tids && l->nfound < LONGWAITS_FOUND_MAX &&
	    l->found_bytes + bytes <= LONGWAITS_FOUND_BYTES)
		found = reallocarray(l->found, l->nfound + 1, sizeof(*found));
	if (!found) {
		l->found_left_out++;
		free(text);
		free(tids);
		return;
	}
	l->found = found;
	l->found_bytes += bytes;
	found[l->nfound++] = (struct trace_waitgraph){ .t_ns = t_ns, .text = text, .tids = tids };
}

/* After remember: the picture of now is another than the last that was kept. */
static void note_found(struct longwaits *l, uint64_t key)
{
	if (key == l->found_key)
		return;
	l->found_key = key;
	if (l->text)
		add_found(l, l->t_ns, strdup(key ? l->text : ""), strdup(key ? l->tids : ""));
}

static void keep_found(struct longwaits *l, const char *path)
{
	size_t n = l->nfound - l->nfound_kept;

	if (n && trace_add_found(path, l->found + l->nfound_kept, n, NULL) == 0)
		l->nfound_kept = l->nfound;
}

/* What is remembered is the graph that was judged, and what a single look at it would say too much. */
static bool remember(struct longwaits *l, struct diagnosis *d, const struct model *m)
{
	char *text = NULL, *tids = tids_of(m);
	size_t size = 0;
	FILE *out = tids ? open_memstream(&text, &size) : NULL;
	struct waitgraph *g = d->graph;
	int err = out ? solution_freeze(&d->solution, g) : -1;

	if (!err)
		err = waitgraph_save(g, out);
	if (out && fclose(out))
		err = -1;
	if (err) {
		free(text);
		free(tids);
		return false;
	}
	free(l->tids);
	l->tids = tids;
	free(l->text);
	waitgraph_free(l->graph);
	l->text = text;
	l->t_ns = d->now_ns;
	l->graph = g;
	d->graph = NULL;
	l->unkept = true;
	return true;
}

/* That it cannot be put there now is no matter: it is tried again, and at the end. */
static void keep(struct longwaits *l, const char *path, uint64_t now_ns)
{
	struct trace_waitgraph w = { .t_ns = l->t_ns, .text = l->text, .tids = l->tids };

	if ((!l->unkept && l->nfound == l->nfound_kept) ||
	    (l->kept_ns && now_ns < l->kept_ns + KEEP_NS))
		return;
	l->kept_ns = now_ns;
	keep_found(l, path);
	if (l->unkept)
		l->unkept = trace_add_waitgraph(path, &w, NULL) != 0;
}

void longwaits_look(struct longwaits *l, const struct model *m, const char *path)
{
	uint64_t now = clock_now_ns(), key, found;
	struct diagnosis d = { 0 };

	if (l->cannot || now < l->next_ns)
		return;
	keep(l, path, now);
	l->next_ns = now + EACH_NS;
	key = key_of(m, now);
	if (key == l->key)
		return;
	if (!key) { /* nobody waits for long any more */
		l->key = 0;
		if (l->found_key)
			add_found(l, now, strdup(""), strdup(""));
		l->found_key = 0;
		return;
	}
	if (!l->snap && snap_open(&l->snap, SNAP_AUTO, NULL)) {
		l->cannot = true;
		return;
	}
	if (diagnose(&d, l->snap, 0, false, NULL) == 0 && findings_key(&d.solution, m, &found) == 0) {
		if (remember(l, &d, m))
			note_found(l, found);
		l->key = key;
		keep(l, path, now);
	}
	diagnosis_release(&d);
}

static int list_holders(const struct longwaits *l, struct trace_holder **out)
{
	uint32_t n = waitgraph_holders(l->graph);

	*out = calloc(n + 1, sizeof(**out));
	for (uint32_t i = 0; *out && i < n; i++) {
		struct wg_holder h = waitgraph_holder(l->graph, i);
		const struct wg_chan *c = waitgraph_chan(l->graph, h.chan);

		(*out)[i] = (struct trace_holder){ .ident = c ? c->ident : "", .pid = h.pid,
						   .fd = h.fd, .dir = h.end };
	}
	return *out ? (int)n : -1;
}

int longwaits_store(const struct longwaits *l, const char *path, struct fail *fail)
{
	struct trace_holder *holders = NULL;
	struct trace_waitgraph w = { .t_ns = l->t_ns, .text = l->text, .tids = l->tids };
	int n = l->text ? list_holders(l, &holders) : 0, err = 0;

	if (n < 0)
		return fail_set(fail, ENOMEM, NULL, "who waited for whom");
	w.holders = holders;
	w.nholders = (size_t)n;
	if (l->text)
		err = trace_add_waitgraph(path, &w, fail);
	if (!err && l->nfound)
		err = trace_add_found(path, l->found, l->nfound, fail);
	free(holders);
	return err;
}

void longwaits_release(struct longwaits *l)
{
	snap_free(l->snap);
	free(l->text);
	free(l->tids);
	waitgraph_free(l->graph);
	for (size_t i = 0; i < l->nfound; i++) {
		free((char *)l->found[i].text);
		free((char *)l->found[i].tids);
	}
	free(l->found);
}
