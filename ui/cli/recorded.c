// SPDX-License-Identifier: GPL-2.0-or-later
#include "recorded.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "say.h"

static uint64_t number(const char *text) { return text ? strtoull(text, NULL, 10) : 0; }

/* Marks those whose tid is in the list "12,13". */
static int mark(struct findings_view *v, const char *tids)
{
	const struct waitgraph *g = v->solution->graph;
	char *end;

	v->in_scope = calloc(waitgraph_threads(g) + 1, sizeof(*v->in_scope));
	if (!v->in_scope)
		return -ENOMEM;
	for (const char *p = tids; p && *p >= '0' && *p <= '9'; p = *end ? end + 1 : end) {
		uint32_t t = waitgraph_find(g, (uint32_t)strtoul(p, &end, 10));

		if (t != UINT32_MAX)
			v->in_scope[t] = true;
	}
	return 0;
}

/* "" is nothing. */
static int judge(const struct trace_waitgraph *w, uint64_t slow_ns, struct diagnosis *d,
		 struct findings_view *v)
{
	struct solve_opts opts = { .slow_ns = slow_ns, .slow_quiet = true, .now_ns = w->t_ns };
	int err;

	d->now_ns = v->now_ns = w->t_ns;
	d->graph = *w->text ? waitgraph_load(w->text, strlen(w->text)) : waitgraph_new();
	if (!d->graph)
		return -EBADMSG;
	err = solve(&d->solution, d->graph, &opts);
	v->solution = &d->solution;
	return err ? err : mark(v, w->tids);
}

static int failed(int err, const char *path, struct fail *fail)
{
	if (err == -EBADMSG)
		return fail_set(fail, EBADMSG, "record it anew", "%s: who waited for whom", path);
	return err ? fail_set(fail, -err, NULL, "%s", path) : 0;
}

static struct trace_waitgraph latest_of(struct trace *trace)
{
	const char *text = trace_meta(trace, "waitgraph"), *tids = trace_meta(trace, "waitgraph_tids");

	return (struct trace_waitgraph){
		.t_ns = number(trace_meta(trace, "waitgraph_ns")),
		.text = text ? text : "",
		.tids = tids ? tids : "",
	};
}

static int take_loss(void *model, const struct ev_lost *lost) { return model_apply(model, &lost->hdr); }

/* A diagnosis is not made of events, but with some missing its recorder may not have known whom to look at. */
static int say_recorded_losses(struct trace *trace)
{
	struct model *m = model_new();
	int err = m ? trace_each_loss(trace, take_loss, m) : -ENOMEM;

	if (!err)
		say_losses(m, 0);
	model_free(m);
	return err;
}

int recorded_load(const char *path, uint64_t slow_ns, struct diagnosis *d, struct findings_view *v,
		  struct fail *fail)
{
	struct trace *trace = NULL;
	int err;

	*d = (struct diagnosis){ 0 };
	err = trace_open(&trace, path, fail);
	if (!err) {
		struct trace_waitgraph latest = latest_of(trace);

		err = failed(judge(&latest, slow_ns, d, v), path, fail);
		if (!err)
			err = failed(say_recorded_losses(trace), path, fail);
	}
	trace_close(trace);
	return err;
}

struct each {
	int (*take)(void *arg, const struct findings_view *v);
	void *arg;
	uint64_t t_ns; /* of the last one */
};

static int take_one(void *arg, const struct trace_waitgraph *w)
{
	struct each *each = arg;
	struct diagnosis d = { 0 };
	struct findings_view v = { .level = WG_ORPHAN };
	int err = judge(w, 0, &d, &v);

	each->t_ns = w->t_ns;
	if (!err)
		err = each->take(each->arg, &v);
	findings_release(&v);
	diagnosis_release(&d);
	return err;
}

int recorded_each(struct trace *trace, const char *path,
		  int (*take)(void *arg, const struct findings_view *v), void *arg,
		  struct fail *fail)
{
	struct each each = { take, arg, 0 };
	struct trace_waitgraph latest = latest_of(trace);
	int err = trace_each_found(trace, take_one, &each);

	if (!err && *latest.text && latest.t_ns > each.t_ns)
		err = take_one(&each, &latest);
	return failed(err, path, fail);
}
