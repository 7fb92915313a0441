// SPDX-License-Identifier: GPL-2.0-or-later
#include "recorded_waits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/escape.h"
#include "recorded.h"

static char *finding_text(const struct solution *s, const struct wg_finding *f)
{
	char *text = NULL, comm[ESCAPE_SIZE(EV_COMM_LEN)], call[ESCAPE_SIZE(WG_CALL_LEN)];
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fprintf(out, "%s:", wg_verdict_word(f->verdict));
	for (uint32_t i = 0; i < f->ncore; i++) {
		const struct wg_thread *t = waitgraph_thread(s->graph, f->core[i]);

		escape_text(comm, sizeof(comm), t->comm, sizeof(t->comm));
		escape_text(call, sizeof(call), t->call, sizeof(t->call));
		fprintf(out, "%s %s[%u] %s", i ? "," : "", comm, t->tid, call);
	}
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

/* When the last of them fell asleep: from then on there was no way out. */
static uint64_t finding_ns(const struct solution *s, const struct wg_finding *f)
{
	uint64_t t_ns = 0;

	for (uint32_t i = 0; i < f->ncore; i++) {
		const struct wg_thread *t = waitgraph_thread(s->graph, f->core[i]);

		if (t->since_ns > t_ns)
			t_ns = t->since_ns;
	}
	return t_ns;
}

static bool is_known(const struct recorded_waits *w, const struct timebar_finding *f)
{
	for (size_t i = 0; i < w->nfindings; i++)
		if (w->findings[i].t_ns == f->t_ns && strcmp(w->findings[i].text, f->text) == 0)
			return true;
	return false;
}

static int add_finding(struct recorded_waits *w, const struct solution *s,
		       const struct wg_finding *f)
{
	struct timebar_finding one = { .t_ns = finding_ns(s, f), .text = finding_text(s, f) };
	struct timebar_finding *findings;

	if (one.text && is_known(w, &one)) {
		free((char *)one.text);
		return 0;
	}
	findings = one.text ? reallocarray(w->findings, w->nfindings + 1, sizeof(*findings)) : NULL;
	if (!findings) {
		free((char *)one.text);
		return -ENOMEM;
	}
	w->findings = findings;
	findings[w->nfindings++] = one;
	return 0;
}

static uint64_t asleep_from(const struct waittree *t)
{
	uint64_t from_ns = 0;

	for (uint32_t i = 0; i < t->nrows; i++)
		if (t->rows[i].root == WT_CORE && t->rows[i].since_ns > from_ns)
			from_ns = t->rows[i].since_ns;
	return from_ns;
}

static int add_picture(struct recorded_waits *w, const struct findings_view *v)
{
	struct recorded_picture *pictures =
		reallocarray(w->pictures, w->npictures + 1, sizeof(*pictures));
	struct recorded_picture *p;
	struct waittree_opts opts = { .now_ns = v->now_ns, .in_scope = v->in_scope };

	if (!pictures)
		return -ENOMEM;
	w->pictures = pictures;
	p = &pictures[w->npictures];
	*p = (struct recorded_picture){ .from_ns = v->now_ns };
	if (findings_count(v)) {
		p->waits = waittree_new(v->solution, &opts);
		if (!p->waits)
			return -ENOMEM;
		p->from_ns = asleep_from(p->waits);
	}
	w->npictures++;
	return 0;
}

static int take(void *arg, const struct findings_view *v)
{
	int err = add_picture(arg, v);

	for (uint32_t i = 0; !err && i < v->solution->nfindings; i++)
		if (findings_has(v, &v->solution->findings[i]))
			err = add_finding(arg, v->solution, &v->solution->findings[i]);
	return err;
}

static int compare_findings(const void *a, const void *b)
{
	uint64_t x = ((const struct timebar_finding *)a)->t_ns;
	uint64_t y = ((const struct timebar_finding *)b)->t_ns;

	return (x > y) - (x < y);
}

int recorded_waits_load(struct recorded_waits *w, struct trace *trace, const char *path,
			struct fail *fail)
{
	int err;

	*w = (struct recorded_waits){ 0 };
	err = recorded_each(trace, path, take, w, fail);
	if (w->nfindings)
		qsort(w->findings, w->nfindings, sizeof(*w->findings), compare_findings);
	return err;
}

void recorded_waits_release(struct recorded_waits *w)
{
	for (size_t i = 0; i < w->nfindings; i++)
		free((char *)w->findings[i].text);
	for (size_t i = 0; i < w->npictures; i++)
		waittree_free(w->pictures[i].waits);
	free(w->findings);
	free(w->pictures);
}

/* The latest that was so by then: they were made in this order. */
const struct waittree *recorded_waits_at(const struct recorded_waits *w, uint64_t t_ns)
{
	for (size_t i = w->npictures; i-- > 0;)
		if (w->pictures[i].from_ns <= t_ns)
			return w->pictures[i].waits;
	return NULL;
}
