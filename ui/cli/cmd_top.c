// SPDX-License-Identifier: GPL-2.0-or-later
/* ipctap top: the dashboard over what happens now. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dashboard.h"
#include "say.h"
#include "session.h"
#include "text.h"
#include "collector/lookout.h"
#include "ui/tui/tail.h"
#include "ui/tui/tui.h"
#include "verb.h"

#define DEFAULT_KEEP 1000 /* what is over is of less interest, and every refresh walks it */

static const struct args_row rows[] = {
	{ 'b', "batch", NULL, "text instead of a screen: all views, again at each refresh",
	  args_flag, ARGS_MEMBER(batch) },
	{ 0, "json", NULL, "one JSON object a line for each refresh", args_flag,
	  ARGS_MEMBER(json) },
	{ 'i', "interval", "SEC", "between two refreshes (default 1)", args_seconds,
	  ARGS_MEMBER(interval_s) },
	{ 'n', "count", "N", "stop after N refreshes", args_count, ARGS_MEMBER(refreshes) },
	{ 'd', "duration", "SEC", "stop after so many seconds", args_seconds,
	  ARGS_MEMBER(duration_s) },
	{ 0, "keep", "N", ARGS_KEEP_HELP, args_keep, ARGS_MEMBER(keep) },
	{ 0, "view", "VIEW", "the first one: processes, channels, talk, blocked or events", args_view, 0 },
	{ 0, "sort", "COLUMN", "of that view", args_text, ARGS_MEMBER(sort) },
	ARGS_ROW_END
};

static const struct args_spec spec = {
	.verb = "top",
	.usage = "[OPTION…] [SCOPE]",
	.about = "Shows who talks and who waits, now. Without a scope: on the whole host.",
	.takes = ARGS_SCOPE | ARGS_ALL_IF_NONE,
	.groups = { { "Display", rows },
		    { "Filter", args_filter_rows },
		    { "Scope: -- CMD ARG…, or one of", args_scope_rows },
		    { "Tracing", args_source_rows },
		    { NULL, NULL } },
};

/* What feeds the dashboard. */
struct live {
	struct session session;
	struct tail tail;
	struct lookout *lookout; /* NULL: nobody looks for deadlocks */
	struct waittree *waits;  /* the newest picture */
	uint32_t *pids;          /* whom it looks at */
	size_t npids;
};

static int pump(void *arg, int timeout_ms, struct fail *fail)
{
	return session_step(&((struct live *)arg)->session, timeout_ms, fail);
}

/* Whose waits count: those who are traced, and alive. Others than before are a reason to look at once. */
static void tell_scope(struct live *l)
{
	uint32_t *pids;
	size_t n = 0;

	for (const struct m_proc *p = model_procs(l->session.model); p; p = p->next)
		n += !p->exited && !p->outside && p->pid;
	pids = malloc((n + 1) * sizeof(*pids));
	if (!pids)
		return; /* it goes on with those that it knows */
	n = 0;
	for (const struct m_proc *p = model_procs(l->session.model); p; p = p->next)
		if (!p->exited && !p->outside && p->pid)
			pids[n++] = p->pid;
	if (l->pids && n == l->npids && (!n || memcmp(pids, l->pids, n * sizeof(*pids)) == 0)) {
		free(pids);
		return;
	}
	lookout_scope(l->lookout, pids, n);
	free(l->pids);
	l->pids = pids;
	l->npids = n;
}

static const struct waittree *waits(void *arg)
{
	struct live *l = arg;
	struct waittree *news;

	if (!l->lookout)
		return NULL;
	if (!l->session.args->feed.scope.all)
		tell_scope(l);
	news = lookout_take(l->lookout);
	if (news) {
		waittree_free(l->waits);
		l->waits = news;
	}
	return l->waits;
}

static int show(struct live *l, struct fail *fail)
{
	const struct args *a = l->session.args;
	bool is_screen = !a->json && !a->batch;
	struct dashboard_opts opts;
	int err;

	dashboard_opts(&opts, a, spec.verb);
	opts.tui.model = l->session.model;
	opts.tui.pump = pump;
	opts.tui.waits = waits;
	opts.tui.arg = l;
	opts.tui.tail = &l->tail;
	if (is_screen)
		return tui_run(&opts.tui, fail);
	err = a->json ? tui_json(&opts.tui, stdout, fail) : tui_batch(&opts.tui, stdout, fail);
	if (err && !ferror(stdout))
		return err;
	return out_close(stdout, NULL, fail); /* its reader may just have gone away */
}

static int run(struct live *l, struct fail *fail)
{
	struct session *s = &l->session;
	int err = tail_init(&l->tail), stopped;

	if (err)
		return fail_set(fail, -err, NULL, "cannot keep operations");
	/* While we may still load probes; without them it finds nothing, and all else goes on. */
	lookout_start(&l->lookout, NULL);
	if (l->lookout && s->args->feed.scope.all)
		lookout_scope(l->lookout, NULL, 0);
	s->out = &l->tail.sink;
	err = session_open(s, fail);
	if (!err)
		err = session_start(s, fail);
	if (err)
		return err;
	err = show(l, fail);
	stopped = session_stop(s, true, err ? NULL : fail);
	return err ? err : stopped;
}

static void live_release(struct live *l)
{
	lookout_stop(l->lookout);
	waittree_free(l->waits);
	free(l->pids);
	session_close(&l->session);
	tail_release(&l->tail);
}

int cmd_top(int argc, char **argv)
{
	struct args a = { 0 };
	struct live live = { .session = { .args = &a } };
	struct fail fail = { 0 };
	int status = args_parse(&a, &spec, argc, argv), err;

	if (status != ARGS_GO)
		goto out;
	if (!a.keep)
		a.keep = DEFAULT_KEEP;
	a.feed.command_quiet =
	    a.json || !a.batch; /* nothing between the objects, or on the screen */
	if (!dashboard_is_possible(&a, spec.verb)) {
		status = EXIT_USAGE;
		goto out;
	}
	err = run(&live, &fail);
	status = session_said(&live.session, err, &fail);
	live_release(&live);
out:
	args_release(&a);
	return status;
}
