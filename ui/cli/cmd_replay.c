// SPDX-License-Identifier: GPL-2.0-or-later
/* ipctap replay: the dashboard over a recording. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dashboard.h"
#include "recorded_waits.h"
#include "say.h"
#include "session.h"
#include "text.h"
#include "ui/tui/place.h"
#include "ui/tui/replay.h"
#include "verb.h"
#include "wall.h"

static const struct args_row rows[] = {
	{ 0, "at", "PLACE", "begin there, paused: " PLACE_HELP, args_text, ARGS_MEMBER(at) },
	{ 0, "since", "PLACE", "with -b or --json and --at: rates are over all from there", args_text,
	  ARGS_MEMBER(since) },
	{ 'b', "batch", NULL, "text instead of a screen: all views, at PLACE or at each refresh",
	  args_flag, ARGS_MEMBER(batch) },
	{ 0, "json", NULL, "one JSON object a line, at PLACE or for each refresh", args_flag,
	  ARGS_MEMBER(json) },
	{ 'i', "interval", "SEC", "between two refreshes (default 1)", args_seconds,
	  ARGS_MEMBER(interval_s) },
	{ 'n', "count", "N", "with -b or --json: stop after N refreshes", args_count,
	  ARGS_MEMBER(refreshes) },
	{ 0, "view", "VIEW", "the first one: processes, channels, talk …", args_view, 0 },
	{ 0, "sort", "COLUMN", "of that view", args_text, ARGS_MEMBER(sort) },
	{ 0, "dump-model", "FILE", NULL, args_text, ARGS_MEMBER(dump_model) },
	ARGS_ROW_END
};

static const struct args_spec spec = {
	.verb = "replay",
	.usage = "[OPTION…] FILE",
	.about = "Shows a recording as top showed it live: pause, seek, step, any speed.",
	.takes = ARGS_FILE,
	.groups = { { "Display", rows }, { "Filter", args_filter_rows }, { NULL, NULL } },
};

struct show {
	const struct args *args;
	struct trace *trace;
	struct model *model;
	struct player *player;
	uint64_t t_ns, step_ns; /* batch: now, and how far apart */
	bool once;              /* only that */
	struct replay_tail latest;
	bool told_progress;
	struct recorded_waits found;
	const struct replay *replay; /* NULL: batch */
};

static const struct waittree *waits(void *arg)
{
	const struct show *s = arg;

	return recorded_waits_at(&s->found, s->replay ? s->replay->t_ns : s->t_ns);
}

/* ---- opening ---- */

/* A trace whose recorder was killed, or was an older one, is read once through first. */
static void say_how_far(void *arg, double done)
{
	struct show *s = arg;

	if (!isatty(STDERR_FILENO))
		return;
	fprintf(stderr, "\ripctap: reading: %d %%", (int)(done * 100));
	s->told_progress = true;
}

static bool say_progress(void *arg, double done)
{
	say_how_far(arg, done);
	return true;
}

static void clear_progress(struct show *s)
{
	if (s->told_progress)
		fputs("\r\033[K", stderr);
	s->told_progress = false;
}

static int open_all(struct show *s, struct fail *fail)
{
	struct player_opts opts = { .is_filtered = s->args->filter != NULL,
				    .progress = say_progress,
				    .arg = s };
	int err = trace_open_telling(&s->trace, s->args->file, say_how_far, s, fail);

	clear_progress(s);
	if (!err)
		err = recorded_waits_load(&s->found, s->trace, s->args->file, fail);
	if (err)
		return err;
	s->model = model_new();
	if (!s->model)
		return fail_set(fail, ENOMEM, NULL, "the model");
	model_set_keep(s->model, trace_keep(s->trace));
	if (s->args->filter)
		model_set_filter(s->model, filter_match_io, s->args->filter);
	err = player_open(&s->player, s->trace, s->model, &opts, fail);
	clear_progress(s);
	if (!err && trace_was_unfinished(s->trace))
		say("%s: cut short: the recorder was killed (up to 200 ms may be missing), or could write no more",
		    s->args->file);
	if (!err && !player_events(s->player))
		say("%s: nothing was recorded", s->args->file);
	return err;
}

static void close_all(struct show *s)
{
	replay_tail_release(&s->latest);
	player_close(s->player);
	model_free(s->model);
	trace_close(s->trace);
	recorded_waits_release(&s->found);
}

/* ---- text and JSON ---- */

static uint64_t now_ns(void *arg) { return ((struct show *)arg)->t_ns; }

/* The next refresh's time. */
static int pump(void *arg, int timeout_ms, struct fail *fail)
{
	struct show *s = arg;
	uint64_t last_ns = player_last_ns(s->player);
	int err;

	(void)timeout_ms;
	s->t_ns = s->step_ns < last_ns - s->t_ns ? s->t_ns + s->step_ns : last_ns;
	err = player_to_time(s->player, s->t_ns, fail);
	if (!err)
		err = replay_tail_collect(&s->latest, fail);
	return err ? err : !s->once && s->t_ns < last_ns;
}

static int to_place(struct show *s, const char *text, uint64_t *t_ns, struct fail *fail)
{
	struct place_of of = {
		.first_ns = player_first_ns(s->player),
		.last_ns = player_last_ns(s->player),
		.now_ns = player_first_ns(s->player),
		.events = player_events(s->player),
		.wall_ns = wall_offset_ns(s->trace),
	};
	struct place place;
	int err = place_parse(&place, text, &of, fail);

	if (err)
		return err;
	*t_ns = place.t_ns;
	if (!place.seq)
		return 0;
	err = player_to_seq(s->player, place.seq, fail);
	*t_ns = player_ns(s->player) > of.first_ns ? player_ns(s->player) : of.first_ns;
	return err;
}

/* The refresh before the one at --at, which its rates begin at. */
static int prepare(struct show *s, struct tui_opts *opts, struct fail *fail)
{
	uint64_t every_ns = (uint64_t)(tui_interval_s(opts) * 1e9), at_ns = 0, from_ns = 0;
	int err;

	s->t_ns = player_first_ns(s->player);
	s->step_ns = every_ns;
	if (!s->args->at)
		return player_to_seq(s->player, 0, fail);
	s->once = true;
	err = to_place(s, s->args->at, &at_ns, fail);
	if (!err && s->args->since)
		err = to_place(s, s->args->since, &from_ns, fail);
	else if (!err)
		from_ns = at_ns > every_ns ? at_ns - every_ns : 0;
	if (err)
		return err;
	if (from_ns > at_ns)
		return fail_set(fail, EINVAL, "write the earlier one behind --since",
				"--since is later than --at");
	if (from_ns > s->t_ns) {
		opts->warm_up = true;
		s->t_ns = from_ns;
	}
	s->step_ns = at_ns - s->t_ns;
	return opts->warm_up ? player_to_time(s->player, s->t_ns, fail) :
			       player_to_seq(s->player, 0, fail);
}

/* For tests: the model at --at, and nothing else. */
static int dump(struct show *s, struct fail *fail)
{
	int err = pump(s, 0, fail);

	return err < 0 ? err : model_dump_to(s->model, s->args->dump_model, fail);
}

static int print(struct show *s, struct tui_opts *opts, struct fail *fail)
{
	int err = replay_tail_init(&s->latest, s->player, s->model, s->args->filter);

	if (err)
		return fail_set(fail, -err, NULL, "cannot keep operations");
	err = prepare(s, opts, fail);
	if (err)
		return err;
	if (s->args->dump_model)
		return dump(s, fail);
	opts->pump = pump;
	opts->now_ns = now_ns;
	opts->arg = s;
	opts->tail = &s->latest.tail;
	err = s->args->json ? tui_json(opts, stdout, fail) : tui_batch(opts, stdout, fail);
	if (err && !ferror(stdout))
		return err;
	return out_close(stdout, NULL, fail);
}

static int run(struct show *s, struct fail *fail)
{
	const struct args *a = s->args;
	struct replay_opts opts = { .at = a->at };
	struct dashboard_opts common;
	int err = open_all(s, fail);

	if (err)
		return err;
	dashboard_opts(&common, a, spec.verb);
	opts.tui = common.tui;
	opts.tui.all_views = true; /* what a view shows is not to depend on when it was open */
	opts.tui.model = s->model;
	opts.tui.waits = waits;
	opts.tui.arg = s;
	opts.tell = &s->replay;
	opts.player = s->player;
	opts.wall_ns = wall_offset_ns(s->trace);
	opts.findings = s->found.findings;
	opts.nfindings = s->found.nfindings;
	return a->json || a->batch ? print(s, &opts.tui, fail) : replay_run(&opts, fail);
}

int cmd_replay(int argc, char **argv)
{
	struct args a = { 0 };
	struct show s = { .args = &a };
	struct fail fail = { 0 };
	int status = args_parse(&a, &spec, argc, argv), err;

	if (status != ARGS_GO)
		goto out;
	status = EXIT_OK;
	if (!dashboard_is_possible(&a, spec.verb)) {
		status = EXIT_USAGE;
		goto out;
	}
	err = run(&s, &fail);
	if (err) {
		say_fail(&fail);
		status = err == -EINVAL && s.player ? EXIT_USAGE : EXIT_CANNOT;
	}
	if (s.model)
		say_losses(s.model, 0);
	close_all(&s);
out:
	args_release(&a);
	return status;
}
