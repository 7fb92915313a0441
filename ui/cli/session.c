// SPDX-License-Identifier: GPL-2.0-or-later
#include "session.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "say.h"
#include "verb.h"
#include "wall.h"
#include "lib/base/clock.h"

#define STEP_MS 100
/* After ^C, which the command got as well, it has this long to end by itself while we watch. */
#define GRACE_NS (2 * NS_PER_S)

/* ---- signals ---- */

static volatile sig_atomic_t signals_seen;
static volatile sig_atomic_t last_signal;

static void on_signal(int sig)
{
	last_signal = sig;
	if (++signals_seen >= 3) /* somebody is in a hurry: the next one ends us as it is */
		signal(sig, SIG_DFL);
}

static void on_pipe(int sig) { (void)sig; }

/*
 * No SA_RESTART: a pump returns when a signal comes. SIGPIPE gets a handler and is not ignored,
 * because a command that we start would inherit that; a write then fails with EPIPE.
 */
static void signals_init(void)
{
	struct sigaction stop = { .sa_handler = on_signal }, pipe_end = { .sa_handler = on_pipe };
	static const int stops[] = { SIGINT, SIGTERM, SIGHUP };

	for (size_t i = 0; i < sizeof(stops) / sizeof(*stops); i++) {
		struct sigaction old;

		/* nohup and shells in the background have it ignored: leave it so */
		if (sigaction(stops[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(stops[i], &stop, NULL);
	}
	sigaction(SIGPIPE, &pipe_end, NULL);
}

/* ---- the gate: what comes out of the feed, and how much of it is wanted ---- */

static int deliver(struct session *s, const struct ev_hdr *ev)
{
	if (!s->out || s->out_err)
		return 0;
	s->out_err = sink_event(s->out, ev);
	return s->out_err;
}

/* The model refused it: it is missing from what is shown, so it is counted like any other loss. */
static int count_bad(struct session *s, const struct ev_hdr *ev)
{
	struct ev_lost lost = {
		.hdr = { .t_ns = ev->t_ns, .type = EV_LOST, .size = sizeof(lost) },
		.count = 1,
		.cause = LOST_BAD_RECORD,
	};
	int err = model_apply(s->model, &lost.hdr);

	return err ? err : deliver(s, &lost.hdr);
}

static bool is_past_end(const struct session *s, const struct ev_hdr *ev)
{
	double limit_s = s->args->duration_s;

	if (!s->trace || limit_s <= 0 || !model_ops(s->model))
		return false;
	return (double)(ev->t_ns - model_first_ns(s->model)) > limit_s * 1e9 &&
	       ev->t_ns > model_first_ns(s->model);
}

static int gate_event(struct sink *self, const struct ev_hdr *ev)
{
	struct session *s = (struct session *)((char *)self - offsetof(struct session, gate));
	bool is_io = ev->type == EV_IO, matches = true;
	int err;

	if (is_io && is_past_end(s, ev))
		s->full = true;
	if (s->full && ev->type != EV_LOST)
		return 0;
	if (is_io)
		matches = filter_match_io(s->args->filter, s->model, (const struct ev_io *)ev);
	err = model_apply(s->model, ev);
	if (err == -EINVAL)
		return count_bad(s, ev);
	s->model_err = err;
	if (err)
		return err;
	if (!matches)
		return 0;
	err = deliver(s, ev);
	if (is_io && !err && ++s->ops == s->args->limit)
		s->full = true;
	return err;
}

/* ---- the run ---- */

int session_open(struct session *s, struct fail *fail)
{
	int err;

	s->gate.event = gate_event;
	s->command_status = -1;
	s->model = model_new();
	if (!s->model)
		return fail_set(fail, ENOMEM, NULL, "the model");
	if (s->args->keep)
		model_set_keep(s->model, s->args->keep);
	if (s->args->filter)
		model_set_filter(s->model, filter_match_io, s->args->filter);
	signals_init();
	if (s->args->file) {
		err = trace_open(&s->trace, s->args->file, fail);
		if (!err)
			err = feed_trace(&s->feed, s->trace, fail);
	} else {
		err = feed_live(&s->feed, &s->args->feed, fail);
		if (!err && s->args->feed.source == SOURCE_AUTO &&
		    strcmp(feed_source_name(s->feed), "shim") == 0)
			say("tracing with the shim, for the probes cannot be used here (`ipctap doctor`)");
	}
	if (!err)
		feed_add(s->feed, &s->gate);
	return err;
}

int session_start(struct session *s, struct fail *fail)
{
	if (!s->trace && s->args->duration_s > 0)
		s->deadline_ns = clock_now_ns() + (uint64_t)(s->args->duration_s * 1e9);
	return feed_start(s->feed, fail);
}

/* A signal ends the run; but ^C reaches our command too, and its way out is worth seeing. */
static bool has_to_stop(struct session *s)
{
	if (!signals_seen)
		return false;
	if (s->trace || !feed_command_pid(s->feed) || last_signal != SIGINT || signals_seen > 1)
		return true;
	if (!s->grace_ns)
		s->grace_ns = clock_now_ns() + GRACE_NS;
	return clock_now_ns() >= s->grace_ns;
}

/* A trace knows better than the feed what is wrong with it. */
static void explain(const struct trace *t, struct fail *fail)
{
	struct fail why = { 0 };

	trace_error(t, &why);
	if (fail && why.what[0])
		*fail = why;
}

int session_step(struct session *s, int timeout_ms, struct fail *fail)
{
	int more;

	if (s->full || s->ended || has_to_stop(s))
		return 0;
	if (s->deadline_ns) {
		uint64_t now = clock_now_ns();

		if (now >= s->deadline_ns)
			return 0;
		if (s->deadline_ns - now < (uint64_t)timeout_ms * 1000000)
			timeout_ms = (int)((s->deadline_ns - now) / 1000000) + 1;
	}
	more = feed_pump(s->feed, timeout_ms, fail);
	s->ended = more == 0;
	if (more < 0 && s->trace && !s->out_err && !s->model_err)
		explain(s->trace, fail);
	return more;
}

int session_run(struct session *s, struct fail *fail)
{
	int more = session_start(s, fail);

	if (more < 0)
		return more;
	do
		more = session_step(s, STEP_MS, fail);
	while (more > 0);
	return more;
}

static bool command_runs(const struct session *s)
{
	siginfo_t info = { 0 };
	pid_t pid = s->trace ? 0 : feed_command_pid(s->feed);

	return pid > 0 && waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == 0;
}

/* Waits for a command that was let go. The feed looks after it no more, so its status is ours. */
static int await_command(pid_t pid)
{
	siginfo_t info = { 0 };
	int err;

	do
		err = waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
	while (err && errno == EINTR);
	if (err)
		return -1;
	return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

int session_stop(struct session *s, bool end_command, struct fail *fail)
{
	bool runs = command_runs(s);
	int err;

	s->command_ended = end_command && runs;
	s->command_status = -1;
	err = feed_stop(s->feed, end_command, fail);
	if (!s->trace && !end_command && feed_command_pid(s->feed))
		s->command_status = await_command(feed_command_pid(s->feed));
	return err;
}

void session_describe(const struct session *s, struct report *r)
{
	const char *source, *command, *spilled;

	*r = (struct report){
		.model = s->model,
		.file = s->args->file,
		.source = feed_source_name(s->feed),
		.command = s->args->scope_text,
		.filter = s->args->filter_text,
		.unfinished = s->trace && trace_was_unfinished(s->trace),
		.matched = s->ops,
		.wall_ns = wall_offset_ns(s->trace),
	};
	if (!s->trace)
		return;
	source = trace_meta(s->trace, "source");
	command = trace_meta(s->trace, "command");
	spilled = trace_meta(s->trace, "spilled");
	r->spilled = spilled ? strtoull(spilled, NULL, 10) : 0;
	r->source = source ? source : "?";
	r->command = command ? command : "?";
}

int session_dump_model(const struct session *s, struct fail *fail)
{
	return s->args->dump_model ? model_dump_to(s->model, s->args->dump_model, fail) : 0;
}

int model_dump_to(const struct model *m, const char *path, struct fail *fail)
{
	FILE *f = fopen(path, "we");
	int err = f ? model_dump(m, f) : -errno;

	if (f && fclose(f) && !err)
		err = -errno;
	return err ? fail_set(fail, -err, NULL, "cannot write '%s'", path) : 0;
}

int session_status(const struct session *s, int err)
{
	bool asked = signals_seen > 0;
	int status = EXIT_OK;

	if (s->feed && !s->trace && (asked || !s->command_ended))
		status = s->command_status >= 0 ? s->command_status : feed_exit_status(s->feed);
	return err && status == EXIT_OK ? EXIT_CANNOT : status;
}

int session_said(const struct session *s, int err, const struct fail *fail)
{
	if (err)
		say_fail(fail);
	if (s->model)
		say_losses(s->model, 0);
	return session_status(s, err);
}

void session_close(struct session *s)
{
	if (s->feed)
		feed_free(s->feed);
	trace_close(s->trace);
	model_free(s->model);
	*s = (struct session){ 0 };
}

int session_verb_main(const struct session_verb *v, int argc, char **argv)
{
	struct args a = { 0 };
	struct session s = { .args = &a };
	struct fail fail = { 0 };
	int status = args_parse(&a, v->spec, argc, argv), err;

	if (status != ARGS_GO)
		goto out;
	if (v->is_usable && !v->is_usable(&a, &fail)) {
		say_fail(&fail);
		status = EXIT_USAGE;
		goto out;
	}
	err = v->run(&s, &fail);
	status = session_said(&s, err, &fail);
	if (!err && v->say_more)
		v->say_more(&s);
	session_close(&s);
out:
	args_release(&a);
	return status;
}
