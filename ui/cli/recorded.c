// SPDX-License-Identifier: GPL-2.0-or-later
#include "recorded.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/store/store.h"

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

static int load(struct trace *trace, const char *path, uint64_t slow_ns, struct diagnosis *d,
		struct findings_view *v, struct fail *fail)
{
	const char *text = trace_meta(trace, "waitgraph");
	struct solve_opts opts = { .slow_ns = slow_ns, .slow_quiet = true,
				   .now_ns = number(trace_meta(trace, "waitgraph_ns")) };
	int err;

	d->now_ns = v->now_ns = opts.now_ns;
	d->graph = text ? waitgraph_load(text, strlen(text)) : waitgraph_new();
	if (!d->graph)
		return fail_set(fail, EBADMSG, "record it anew", "%s: who waited for whom", path);
	err = solve(&d->solution, d->graph, &opts);
	v->solution = &d->solution;
	if (!err)
		err = mark(v, trace_meta(trace, "waitgraph_tids"));
	return err ? fail_set(fail, -err, NULL, "%s", path) : 0;
}

int recorded_load(const char *path, uint64_t slow_ns, struct diagnosis *d, struct findings_view *v,
		  struct fail *fail)
{
	struct trace *trace = NULL;
	int err;

	*d = (struct diagnosis){ 0 };
	err = trace_open(&trace, path, fail);
	if (!err)
		err = load(trace, path, slow_ns, d, v, fail);
	trace_close(trace);
	return err;
}
