// SPDX-License-Identifier: GPL-2.0-or-later
/* ipctap why: why a process does not move, from itself down to the root. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "collector/diagnose.h"
#include "collector/procfs.h"
#include "collector/stacks.h"
#include "findings.h"
#include "lib/base/escape.h"
#include "recorded.h"
#include "say.h"
#include "text.h"
#include "verb.h"

#define CHAIN_MAX 64

static const struct args_row rows[] = {
	{ 0, "json", NULL, "one JSON document", args_flag, ARGS_MEMBER(json) },
	{ 'v', "verbose", NULL, "every thread, and the certificate of a deadlock", args_flag,
	  ARGS_MEMBER(verbose) },
	{ 0, "no-stacks", NULL, "do not look into the stacks", args_flag, ARGS_MEMBER(no_stacks) },
	ARGS_ROW_END
};

static const struct args_spec spec = {
	.verb = "why",
	.usage = "[OPTION…] PID [FILE]",
	.about = "Says why a process (or a thread) is not moving: the chain of those who wait, down\n"
		 "to a deadlock, a process that computes, a timer, a remote peer, or a person.",
	.takes = ARGS_PID | ARGS_FILE,
	.groups = { { "Output", rows }, { NULL, NULL } },
};

struct root {
	const char *kind; /* of the JSON */
	const char *text;
	const char *why;  /* "" when there is no more to say */
};

static struct root root_of(const struct solution *s, uint32_t last)
{
	static const struct root outside[WG_OUTSIDE_MAX] = {
		[WG_NEW] = { "newcomer", "waits for somebody new to come", "" },
		[WG_HIDDEN] = { "hidden", "waits for a holder that is in no table", "" },
		[WG_SIG] = { "signal", "waits for a signal", "" },
		[WG_TIMEOUT] = { "timer", "goes on when its time is up", "" },
		[WG_REMOTE] = { "remote", "waits for a peer elsewhere", "" },
		[WG_PERSON] = { "person", "waits for somebody to type", "" },
		[WG_UNKNOWN] = { "unknown", "waits for what could not be found out", "" },
	};
	const struct wg_finding *f = solution_of(s, last);
	struct wg_step step = solution_step(s, last);
	struct root root;

	if (f && f->level != WG_SLOW && f->level != WG_LEAK_SUSPECT)
		return (struct root){ f->verdict == WG_QUIESCENT ? "quiescent" : "deadlock",
				      "cannot move", wg_verdict_word(f->verdict) };
	if (step.runs)
		return (struct root){ "running", "is not waiting for anybody: it computes, or has just moved",
				      "" };
	if (step.by != UINT32_MAX) /* a longer chain than is shown */
		return (struct root){ "unknown", "waits for more than is shown here", "" };
	root = outside[step.outside];
	root.why = step.why ? step.why : "";
	return root;
}

struct answer {
	struct findings_view view;
	uint32_t thread[CHAIN_MAX]; /* those to explain */
	uint32_t n;
};

/* The thread itself; of a process its first thread, those that are stuck, or (-v) all. */
static void choose(struct answer *a, uint32_t id, bool all)
{
	const struct waitgraph *g = a->view.solution->graph;
	uint32_t asked = waitgraph_find(g, id);

	if (asked != UINT32_MAX)
		a->thread[a->n++] = asked;
	for (uint32_t t = 0; t < waitgraph_threads(g) && a->n < CHAIN_MAX; t++) {
		const struct wg_finding *f = solution_of(a->view.solution, t);

		if (t != asked && waitgraph_thread(g, t)->pid == id && (all || (f && f->level != WG_SLOW)))
			a->thread[a->n++] = t;
	}
}

static void print_chain(const struct answer *a, uint32_t thread)
{
	const struct findings_view *v = &a->view;
	uint32_t chain[CHAIN_MAX], n = explain_chain(v->solution, thread, chain, CHAIN_MAX);
	const struct wg_finding *f;
	char indent[2 * CHAIN_MAX + 1] = "", name[EXPLAIN_NAME_LEN];
	char why[ESCAPE_SIZE(WG_DETAIL_LEN)];
	struct root root;

	for (uint32_t i = 0; i < n; i++) {
		snprintf(indent, sizeof(indent), "%*s", (int)(2 * i), "");
		findings_print_wait(v, chain[i], indent, stdout);
	}
	if (!n)
		return;
	root = root_of(v->solution, chain[n - 1]);
	escape_text(why, sizeof(why), root.why, WG_DETAIL_LEN);
	printf("Root: %s %s%s%s%s\n",
	       explain_name(waitgraph_thread(v->solution->graph, chain[n - 1]), name), root.text,
	       *why ? " (" : "", why, *why ? ")" : "");
	f = solution_of(v->solution, chain[n - 1]);
	if (f && f->level != WG_SLOW) {
		putchar('\n');
		findings_print_one(v, f, stdout);
	}
}

static json_t *json_chain(const struct answer *a, uint32_t thread)
{
	const struct findings_view *v = &a->view;
	uint32_t chain[CHAIN_MAX], n = explain_chain(v->solution, thread, chain, CHAIN_MAX);
	const struct wg_finding *f = n ? solution_of(v->solution, chain[n - 1]) : NULL;
	json_t *o = json_object(), *list = json_array();

	for (uint32_t i = 0; i < n; i++)
		json_array_append_new(list, findings_json_wait(v, chain[i]));
	json_object_set_new(o, "tid", json_integer(waitgraph_thread(v->solution->graph, thread)->tid));
	json_object_set_new(o, "chain", list);
	if (n) {
		struct root root = root_of(v->solution, chain[n - 1]);

		json_object_set_new(o, "root", json_string(root.kind));
		json_object_set_new(o, "why", json_text(root.why));
	}
	json_object_set_new(o, "finding", f && f->level != WG_SLOW ? findings_json_one(v, f)
								   : json_null());
	return o;
}

static void print(const struct answer *a, uint32_t pid, bool json)
{
	json_t *doc, *list;

	if (!json) {
		for (uint32_t i = 0; i < a->n; i++) {
			if (i)
				putchar('\n');
			print_chain(a, a->thread[i]);
		}
		return;
	}
	doc = json_object();
	list = json_array();
	for (uint32_t i = 0; i < a->n; i++)
		json_array_append_new(list, json_chain(a, a->thread[i]));
	json_object_set_new(doc, "pid", json_integer(pid));
	json_object_set_new(doc, "threads", list);
	json_object_set_new(doc, "now_ns", json_integer((json_int_t)a->view.now_ns));
	json_dumpf(doc, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	putchar('\n');
	json_decref(doc);
}

static int not_seen(const struct args *args, struct fail *fail)
{
	pid_t pid = args->subject;
	char exe[256], why[64];

	if (args->file)
		return fail_set(fail, ESRCH, "record keeps those who are there when a wait has become long",
				"%s: %d", args->file, (int)pid);
	if (kill(pid, 0) && errno == ESRCH)
		return fail_set(fail, ESRCH, "ps -e lists what there is", "%d", (int)pid);
	if (procfs_state((uint32_t)pid, (uint32_t)pid) == 'Z') {
		snprintf(why, sizeof(why), "ipctap why %u says what its parent does instead",
			 procfs_parent((uint32_t)pid));
		fail_set(fail, 0, why, "%d: it has ended, and its parent has not waited for it yet", (int)pid);
		return -ECHILD;
	}
	if (procfs_exe((uint32_t)pid, exe, sizeof(exe)) == -ENOENT) {
		fail_set(fail, 0, "only processes that run a program are looked at",
			 "%d: it is a thread of the kernel", (int)pid);
		return -EPERM;
	}
	fail_set(fail, 0, "the kernel shows the first process of a pid namespace to nobody in it",
		 "%d: it is there, but could not be looked at", (int)pid);
	return -EPERM;
}

static int run(const struct args *args, struct fail *fail)
{
	struct snap *snap = NULL;
	struct diagnosis d = { 0 };
	struct answer a = { .view = { .level = WG_SLOW, .verbose = args->verbose } };
	int err;

	if (args->file) {
		err = recorded_load(args->file, 0, &d, &a.view, fail);
	} else {
		err = snap_open(&snap, SNAP_AUTO, fail);
		if (!err)
			findings_say_source(snap);
		if (!err)
			err = diagnose(&d, snap, 0, false, fail);
	}
	if (!err) {
		a.view.solution = &d.solution;
		a.view.now_ns = d.now_ns;
		choose(&a, (uint32_t)args->subject, args->verbose);
		if (!a.n) /* its first thread has ended: any of the others */
			choose(&a, (uint32_t)args->subject, true);
		if (!a.n)
			err = not_seen(args, fail);
	}
	if (!err) {
		a.view.live = !args->file;
		a.view.stacks = args->no_stacks || args->file ? NULL : stacks_new();
		print(&a, (uint32_t)args->subject, args->json);
		stacks_free(a.view.stacks);
	}
	findings_release(&a.view);
	diagnosis_release(&d);
	snap_free(snap);
	return err;
}

int cmd_why(int argc, char **argv)
{
	struct args a = { 0 };
	struct fail fail = { 0 };
	int status = args_parse(&a, &spec, argc, argv);

	if (status != ARGS_GO)
		goto out;
	signal(SIGPIPE, SIG_IGN); /* nothing is started here that could inherit it */
	status = EXIT_OK;
	if (run(&a, &fail) || out_close(stdout, NULL, &fail)) {
		say_fail(&fail);
		status = EXIT_CANNOT;
	}
out:
	args_release(&a);
	return status;
}
