// SPDX-License-Identifier: GPL-2.0-or-later
#include "longwaits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "collector/diagnose.h"
#include "lib/base/clock.h"
#include "lib/store/store.h"

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

/* What is remembered is the graph that was judged, and what a single look at it would say too much. */
static void remember(struct longwaits *l, struct diagnosis *d, const struct model *m)
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
		return;
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
}

/* That it cannot be put there now is no matter: it is tried again, and at the end. */
static void keep(struct longwaits *l, const char *path, uint64_t now_ns)
{
	struct trace_waitgraph w = { .t_ns = l->t_ns, .text = l->text, .tids = l->tids };

	if (!l->unkept || (l->kept_ns && now_ns < l->kept_ns + KEEP_NS))
		return;
	l->kept_ns = now_ns;
	l->unkept = trace_add_waitgraph(path, &w, NULL) != 0;
}

void longwaits_look(struct longwaits *l, const struct model *m, const char *path)
{
	uint64_t now = clock_now_ns(), key;
	struct diagnosis d = { 0 };

	if (l->cannot || now < l->next_ns)
		return;
	keep(l, path, now);
	l->next_ns = now + EACH_NS;
	key = key_of(m, now);
	if (!key || key == l->key)
		return;
	if (!l->snap && snap_open(&l->snap, SNAP_AUTO, NULL)) {
		l->cannot = true;
		return;
	}
	if (diagnose(&d, l->snap, 0, false, NULL) == 0) {
		remember(l, &d, m);
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
	free(holders);
	return err;
}

void longwaits_release(struct longwaits *l)
{
	snap_free(l->snap);
	free(l->text);
	free(l->tids);
	waitgraph_free(l->graph);
}
