// SPDX-License-Identifier: GPL-2.0-or-later
/* ipctap events: one line per operation, like strace. */
#include <errno.h>
#include <inttypes.h>

#include "printer.h"
#include "say.h"
#include "session.h"
#include "text.h"
#include "verb.h"
#include "wall.h"

static const struct args_row rows[] = {
	{ 'o', "output", "FILE", "write there instead of to standard output", args_text,
	  ARGS_MEMBER(output) },
	{ 'd', "duration", "SEC", "stop after so many seconds; of a trace, show its first",
	  args_seconds, ARGS_MEMBER(duration_s) },
	{ 'n', "count", "N", "stop after N operations", args_count, ARGS_MEMBER(limit) },
	{ 'v', "verbose", NULL, "show processes, channels, ends and waits come and go, too",
	  args_flag, ARGS_MEMBER(verbose) },
	{ 0, "monotonic", NULL, "print CLOCK_MONOTONIC, not the time of day", args_flag,
	  ARGS_MEMBER(monotonic) },
	{ 0, "json", NULL, "one JSON object a line", args_flag, ARGS_MEMBER(json) },
	{ 's', "snap", "N", "show the first N bytes of each message (default 0)", args_snap, 0 },
	ARGS_ROW_END
};

static const struct args_spec spec = {
	.verb = "events",
	.usage = "[OPTION…] FILE | SCOPE",
	.about = "Prints one line for each operation of a trace, or as they happen.",
	.takes = ARGS_FILE | ARGS_SCOPE,
	.groups = { { "Output", rows },
		    { "Filter", args_filter_rows },
		    { "Scope, instead of a trace: -- CMD ARG…, or one of", args_scope_rows },
		    { "Tracing", args_source_rows },
		    { NULL, NULL } },
};

/* Live, a line should be seen when it was printed, not when the buffer is full. */
static int pump(struct session *s, FILE *out, struct fail *fail)
{
	int more = session_start(s, fail);

	if (more < 0)
		return more;
	do {
		more = session_step(s, 100, fail);
		if (!s->trace && !s->out_err && fflush(out))
			more = s->out_err = -(errno ? errno : EIO);
	} while (more > 0);
	return more;
}

/* Those asleep at the end have no line: their operation never finished. */
static void say_unfinished(const struct session *s)
{
	uint64_t n = 0;

	if (s->full || s->out_err)
		return;
	for (const struct m_wait *w = model_waits(s->model); w; w = w->next)
		n += filter_match_wait(s->args->filter, s->model, w);
	if (n)
		say("%" PRIu64
		    " operation%s had not finished: ipctap report says who waits for whom",
		    n, n == 1 ? "" : "s");
}

static int run(struct session *s, struct fail *fail)
{
	const struct args *a = s->args;
	struct printer printer = {
		.notes = stderr,
		.json = a->json,
		.verbose = a->verbose,
		.monotonic = a->monotonic,
	};
	int err = session_open(s, fail), more;

	if (err)
		return err;
	printer.out = out_open(a->output, fail);
	if (!printer.out)
		return -fail->err;
	printer.model = s->model;
	printer.wall_ns = wall_offset_ns(s->trace);
	printer_init(&printer);
	s->out = &printer.sink;
	more = pump(s, printer.out, fail);
	/* a reader that went away has seen enough; any other failure is not the command's fault */
	err = session_stop(s, !more || more == -EPIPE, more ? NULL : fail);
	s->out = NULL;  /* it ends here */
	if (s->out_err) /* whatever the feed made of it, the output is what failed */
		return out_close(printer.out, a->output, fail);
	more = more ? more : err;
	err = out_close(printer.out, a->output, more ? NULL : fail);
	return more ? more : err;
}

int cmd_events(int argc, char **argv)
{
	static const struct session_verb verb = { .spec = &spec, .run = run, .say_more = say_unfinished };

	return session_verb_main(&verb, argc, argv);
}
