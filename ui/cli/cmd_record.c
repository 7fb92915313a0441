// SPDX-License-Identifier: GPL-2.0-or-later
/* ipctap record: traces a scope into a SQLite file. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "longwaits.h"
#include "say.h"
#include "session.h"
#include "ui/tui/units.h"
#include "verb.h"

#define EACH_MIN 10000 /* with fewer, the empty tables would count for more than the events */
#define STEP_MS 100
#define DEFAULT_OUTPUT "ipctap.db"

static const struct args_row rows[] = {
	{ 'o', "output", "FILE", "the trace (default " DEFAULT_OUTPUT "); an older one is replaced",
	  args_text, ARGS_MEMBER(output) },
	{ 'd', "duration", "SEC", "stop after so many seconds", args_seconds,
	  ARGS_MEMBER(duration_s) },
	{ 'n', "count", "N", "stop after N operations that match", args_count, ARGS_MEMBER(limit) },
	{ 0, "keep", "N", ARGS_KEEP_HELP, args_keep, ARGS_MEMBER(keep) },
	{ 's', "snap", "N", "keep the first N bytes of each message (default 0)", args_snap, 0 },
	{ 0, "dump-model", "FILE", NULL, args_text, ARGS_MEMBER(dump_model) },
	ARGS_ROW_END
};

static const struct args_spec spec = {
	.verb = "record",
	.usage = "[OPTION…] SCOPE",
	.about = "Traces until the end of the command, -d, -n, ^C or SIGTERM, and writes a trace.",
	.takes = ARGS_SCOPE,
	.groups = { { "Output", rows },
		    { "Filter", args_filter_rows },
		    { "Scope: -- CMD ARG…, or one of", args_scope_rows },
		    { "Tracing", args_source_rows },
		    { NULL, NULL } },
};

/* What the trace should remember of how it was made. */
static int create_store(struct store **out, const struct session *s, struct fail *fail)
{
	const struct args *a = s->args;
	char *options = NULL;
	struct store_opts opts = {
		.source = feed_source_name(s->feed),
		.command = a->command_text ? a->command_text : a->scope_text,
		.keep = a->keep,
	};
	int err;

	if (asprintf(&options, "scope: %s%s%s%s", a->scope_text,
		     a->feed.scope.no_follow ? "; no-follow" : "",
		     a->filter_text ? "; filter: " : "", a->filter_text ? a->filter_text : "") < 0)
		return fail_set(fail, ENOMEM, NULL, "the options");
	opts.options = options;
	err = store_create(out, a->output, &opts, fail);
	free(options);
	/* with a filter the model is told of operations that the trace is not */
	if (!err && !a->filter)
		store_follow(*out, s->model);
	return err;
}

static void say_summary(const struct session *s, const struct store *store)
{
	uint64_t first = model_first_ns(s->model), now = model_now_ns(s->model), lost;
	char time_text[UNITS_SIZE], bytes[UNITS_SIZE], each[48] = "", loss[48] = "nothing lost", spilled[64] = "";
	struct store_stats stats;

	store_get_stats(store, &stats);
	lost = say_losses(s->model, stats.lost);
	if (lost)
		snprintf(loss, sizeof(loss), "%" PRIu64 " lost", lost);
	if (stats.spilled)
		snprintf(spilled, sizeof(spilled), ", %" PRIu64 " spilled (made rows of later)",
			 stats.spilled);
	if (stats.events >= EACH_MIN)
		snprintf(each, sizeof(each), " (%" PRIu64 " each)",
			 stats.file_bytes / stats.events);
	say("%s: %" PRIu64 " operations in %s, %s bytes%s, %s%s", s->args->output, stats.events,
	    units_time(time_text, now > first ? now - first : 0),
	    units_bytes(bytes, (double)stats.file_bytes), each, loss, spilled);
}

/*
 * Traces into the store until it is over. When that fails, because the disk is full or for any
 * other reason, the command must not suffer: it is let go, and waited for, without us.
 */
static int trace_into(struct session *s, struct store *store, struct longwaits *waits,
		      struct fail *fail)
{
	int err, stopped;

	s->out = store_sink(store);
	err = session_start(s, fail);
	if (!err) {
		do {
			err = session_step(s, STEP_MS, fail);
			longwaits_look(waits, s->model, s->args->output);
		} while (err > 0);
	}
	if (s->out_err)
		store_error(store, fail);
	stopped = session_stop(s, !err, err ? NULL : fail);
	if (!err && s->out_err)
		store_error(store, fail);
	return err ? err : stopped;
}

/* A disk that was slower than the operations leaves much to do at the end. */
static void say_finishing(void *arg, double done)
{
	bool *told = arg;

	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\ripctap: finishing the trace: %d %% ", (int)(done * 100));
	else if (!*told)
		say("finishing the trace: much was recorded faster than the disk took it");
	*told = true;
}

static int finish(struct session *s, struct store *store, struct fail *fail)
{
	bool told = false;
	int err = store_finish_telling(store, s->model, say_finishing, &told, fail);

	if (told && isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	return err;
}

static int run(struct session *s, struct store **store, struct longwaits *waits, struct fail *fail)
{
	int err = session_open(s, fail), finished;

	if (!err)
		err = create_store(store, s, fail);
	if (err)
		return err;
	err = trace_into(s, *store, waits, fail);
	if (s->out_err) /* nothing is written any more; but only then is it known how much was kept */
		return store_finish(*store, NULL, fail);
	finished = finish(s, *store, err ? NULL : fail);
	if (!err && !finished)
		err = longwaits_store(waits, s->args->output, fail);
	if (waits->found_left_out)
		say("%s: %" PRIu64 " later changes of who is deadlocked are not in it", s->args->output,
		    waits->found_left_out);
	if (!err && !finished)
		err = session_dump_model(s, fail);
	return err ? err : finished;
}

int cmd_record(int argc, char **argv)
{
	struct args a = { 0 };
	struct session s = { .args = &a };
	struct store *store = NULL;
	struct longwaits waits = { 0 };
	struct fail fail = { 0 };
	int status = args_parse(&a, &spec, argc, argv), err;

	if (status != ARGS_GO)
		goto out;
	if (!a.output)
		a.output = DEFAULT_OUTPUT;
	err = run(&s, &store, &waits, &fail);
	if (err)
		say_fail(&fail);
	if (store && !err)
		say_summary(&s, store);
	else if (store)
		say_losses(s.model, 0);
	status = session_status(&s, err);
	if (store)
		store_free(store);
	longwaits_release(&waits);
	session_close(&s);
out:
	args_release(&a);
	return status;
}
