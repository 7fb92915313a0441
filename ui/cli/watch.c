// SPDX-License-Identifier: GPL-2.0-or-later
#include "watch.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "collector/diagnose.h"
#include "collector/launch.h"
#include "collector/shim_ended.h"
#include "collector/stacks.h"
#include "collector/suspects.h"
#include "findings.h"
#include "lib/analysis/waittree.h"
#include "lib/base/clock.h"
#include "recorded.h"
#include "say.h"
#include "text.h"
#include "wall.h"

#define LOOK_NS NS_PER_S          /* how often --watch looks at the tasks */
#define TICK_NS (50 * NS_PER_MS)  /* how soon the end of a command is noticed */
#define SUSPECT_NS (2 * NS_PER_S) /* asleep for so long is worth a diagnosis */
#define SLOW_NS (2 * NS_PER_S)

struct told {
	struct told *next;
	uint64_t key;
};

struct watch {
	const struct args *args;
	struct snap *snap;
	struct suspects suspects;
	struct launch command; /* pid 0: none */
	struct shim_folder shim; /* through which the command keeps account of its locks; fd -1: it does not */
	struct told *told;
	uint32_t found;
	bool over; /* a command hangs for certain */
};

static volatile sig_atomic_t stop_signal;
static void on_stop(int sig) { stop_signal = sig; }
static void on_pipe(int sig) { (void)sig; }

/*
 * No SA_RESTART: a sleep ends when one comes. SIGPIPE too gets a handler, which a command that is
 * started does not inherit, as it would SIG_IGN; a write then fails with EPIPE.
 */
static void catch_signals(void)
{
	static const int stops[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction stop = { .sa_handler = on_stop }, old;
	struct sigaction pipe_end = { .sa_handler = on_pipe };

	for (size_t i = 0; i < sizeof(stops) / sizeof(*stops); i++)
		if (sigaction(stops[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(stops[i], &stop, NULL);
	sigaction(SIGPIPE, &pipe_end, NULL);
}

/* ---- what was told already ---- */

/* False when it was told before. */
static bool is_news(struct watch *w, uint64_t key)
{
	struct told *t = w->told;

	while (t && t->key != key)
		t = t->next;
	if (t)
		return false;
	t = malloc(sizeof(*t));
	if (t) { /* without memory it is told again, which is better than not at all */
		*t = (struct told){ .next = w->told, .key = key };
		w->told = t;
	}
	return true;
}

/* ---- telling ---- */

/* A finding, and when it was found. */
static json_t *dated(const struct findings_view *v, const struct wg_finding *f)
{
	json_t *o = findings_json_one(v, f);

	json_object_set_new(o, "t_ns", json_integer((json_int_t)v->now_ns));
	return o;
}

/* Runs the command of --exec with the finding on its standard input, and waits for it. */
static void run_exec(const char *command, const struct findings_view *v, const struct wg_finding *f)
{
	json_t *o = dated(v, f);
	FILE *in = popen(command, "we");
	int status;

	if (in) {
		json_dumpf(o, in, JSON_ENSURE_ASCII);
		fputc('\n', in);
	}
	json_decref(o);
	status = in ? pclose(in) : -1;
	if (status == -1)
		say("--exec: cannot run '%s': %s", command, strerror(errno));
	else if (status)
		say("--exec: '%s' ended with status %d", command,
		    WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

static void tell_one(const struct args *a, const struct findings_view *v, const struct wg_finding *f)
{
	char when[WALL_SIZE];

	if (a->json) {
		json_t *o = dated(v, f);

		json_dumpf(o, stdout, JSON_ENSURE_ASCII);
		putchar('\n');
		json_decref(o);
	} else {
		printf("%s  ", wall_text(when, v->now_ns, wall_offset_ns(NULL)));
		findings_print_one(v, f, stdout);
		putchar('\n');
	}
	if (fflush(stdout)) /* nobody reads any more */
		stop_signal = SIGPIPE;
}

static void tell_all(const struct args *a, const struct findings_view *v)
{
	if (a->json) {
		json_t *o = findings_json(v);

		json_dumpf(o, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
		putchar('\n');
		json_decref(o);
	} else {
		findings_print(v, stdout);
	}
}

/* At once and as it is: what stays certain whatever happens elsewhere. */
static bool is_certain(const struct wg_finding *f)
{
	return f->verdict == WG_PROVEN || f->verdict == WG_ORPHAN;
}

static void judge_each(struct watch *w, const struct findings_view *v, bool last, bool whole)
{
	bool any = false;

	for (uint32_t i = 0; i < v->solution->nfindings; i++) {
		const struct wg_finding *f = &v->solution->findings[i];

		if (!findings_has(v, f) || (w->command.pid && !last && !is_certain(f)))
			continue;
		if (!is_news(w, finding_key(v->solution, f)))
			continue;
		any = true;
		w->found++;
		if (!whole && !(w->command.pid && !w->args->watch))
			tell_one(w->args, v, f);
		if (w->args->exec)
			run_exec(w->args->exec, v, f);
	}
	w->over = any && w->command.pid && !w->args->watch;
	if (whole || w->over)
		tell_all(w->args, v);
}

/* `whole`: print all there is, also that there is nothing. `last`: the command's time is up. */
static int look(struct watch *w, bool last, bool whole, struct fail *fail)
{
	const struct args *a = w->args;
	struct diagnosis d;
	struct findings_view v = { .solution = &d.solution,
				   .level = a->level ? (enum wg_verdict)a->level : WG_ORPHAN,
				   .verbose = a->verbose };
	/* of one who was named even idling is of interest; on the whole host nearly all idle */
	bool named = w->command.pid || a->feed.scope.npids || a->feed.scope.comms || a->feed.scope.cgroups;
	int err = diagnose(&d, w->snap, v.level == WG_SLOW ? SLOW_NS : 0, named, fail);

	if (!err) {
		v.now_ns = d.now_ns;
		v.live = true;
		v.stacks = a->no_stacks ? NULL : stacks_new();
		err = findings_set_scope(&v, &a->feed.scope, w->command.pid ? getpid() : 0);
		if (err)
			fail_set(fail, -err, NULL, "the scope");
		else
			judge_each(w, &v, last, whole);
		stacks_free(v.stacks);
		findings_release(&v);
	}
	diagnosis_release(&d);
	return err;
}

/* ---- the loop ---- */

static bool is_over(struct watch *w, uint64_t deadline_ns)
{
	if (stop_signal || w->over)
		return true;
	if (w->command.pid && launch_poll(&w->command))
		return true;
	return deadline_ns && clock_now_ns() >= deadline_ns;
}

static int keep_looking(struct watch *w, struct fail *fail)
{
	double seconds = w->args->duration_s;
	uint64_t start = clock_now_ns(), next = start + LOOK_NS;
	uint64_t deadline = seconds > 0 ? start + (uint64_t)(seconds * 1e9) : 0;
	int err = 0;

	while (!err && !is_over(w, deadline)) {
		struct timespec tick = { .tv_nsec = TICK_NS };

		nanosleep(&tick, NULL);
		if (clock_now_ns() < next)
			continue;
		next = clock_now_ns() + LOOK_NS;
		if (w->shim.fd >= 0)
			shim_ended_sweep(&w->shim, clock_now_ns());
		if (suspects_look(&w->suspects, w->snap, SUSPECT_NS, NULL, NULL) != 0)
			err = look(w, false, false, fail);
	}
	/* its time is up: what is not certain for ever counts now as well */
	if (!err && w->command.pid && !w->over && !launch_poll(&w->command) && !stop_signal)
		err = look(w, true, false, fail);
	return err;
}

static enum snap_source snap_of(enum feed_source source)
{
	switch (source) {
	case SOURCE_BPF:
	case SOURCE_BOTH: return SNAP_BPF;
	case SOURCE_SHIM: return SNAP_PROC;
	default: return SNAP_AUTO;
	}
}

/*
 * With the shim the command keeps account of who holds and who posts what, in its own memory, where the
 * snapshot finds it. Nobody reads its rings. Where BPF is not allowed, that is what there is: but a
 * missing library is then no reason not to look.
 */
static int make_shim(struct watch *w, struct fail *fail)
{
	enum feed_source source = w->args->feed.source;
	struct shim_folder_opts opts = { .data_bytes = SHIM_DATA_MIN, .no_follow = w->args->feed.scope.no_follow };
	struct fail why = { 0 };

	int err;

	if (source == SOURCE_BPF || (source == SOURCE_AUTO && snap_source(w->snap) == SNAP_BPF))
		return 0;
	err = shim_folder_make(&w->shim, &opts, source == SOURCE_AUTO ? &why : fail);
	return source == SOURCE_AUTO ? 0 : err;
}

static void prepare_env(const void *arg) { shim_folder_env(arg); }

static int start_command(struct watch *w, struct fail *fail)
{
	char *const *argv = w->args->feed.scope.argv;
	struct launch_prepare env = { .fn = prepare_env, .arg = &w->shim };
	int err = make_shim(w, fail);

	if (err)
		return err;

	/* whoever loses his parent stays a descendant of ours, and so in scope */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	err = launch_start(&w->command, argv, false, w->shim.fd >= 0 ? &env : NULL, fail);
	return err ? err : launch_release(&w->command, argv, fail);
}

static void end_command(struct watch *w)
{
	bool runs = !launch_poll(&w->command);

	if (runs && !w->found)
		say("the command still runs, and no deadlock was found; it is ended");
	launch_end(&w->command);
	launch_close(&w->command);
	if (!runs && w->command.status && !w->found)
		say("no deadlock was found; the command ended with status %d", w->command.status);
}

/* The same of a trace. There are no stacks in one. */
static int look_into(struct watch *w, struct fail *fail)
{
	const struct args *a = w->args;
	struct diagnosis d;
	struct findings_view v = { .level = a->level ? (enum wg_verdict)a->level : WG_ORPHAN,
				   .verbose = a->verbose };
	int err = recorded_load(a->file, v.level == WG_SLOW ? SLOW_NS : 0, &d, &v, fail);

	if (!err)
		judge_each(w, &v, true, true);
	findings_release(&v);
	diagnosis_release(&d);
	return err;
}

int watch_run(const struct args *a, uint32_t *found, struct fail *fail)
{
	struct watch w = { .args = a, .command = { .go_fd = -1, .err_fd = -1 }, .shim = { .fd = -1 } };
	int err;

	catch_signals();
	if (a->file) {
		err = look_into(&w, fail);
		goto out;
	}
	err = snap_open(&w.snap, snap_of(a->feed.source), fail);
	if (!err)
		findings_say_source(w.snap);
	if (!err && a->feed.scope.argv)
		err = start_command(&w, fail);
	if (!err)
		err = a->watch || w.command.pid ? keep_looking(&w, fail)
						: look(&w, true, true, fail);
	if (w.command.pid)
		end_command(&w);
	if (!err && w.command.pid && !a->watch && !w.found && a->json)
		puts("{\"findings\": [], \"inconclusive\": [], \"lost\": 0}");
out:
	if (w.shim.fd >= 0)
		shim_folder_release(&w.shim);
	snap_free(w.snap);
	suspects_release(&w.suspects);
	for (struct told *t = w.told, *next; t; t = next) {
		next = t->next;
		free(t);
	}
	*found = w.found;
	return err;
}
