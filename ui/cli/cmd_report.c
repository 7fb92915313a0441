// SPDX-License-Identifier: GPL-2.0-or-later
/* ipctap report: who talked to whom, how much, how late, who waited for whom. */
#include <errno.h>

#include "report.h"
#include "report_locks.h"
#include "session.h"
#include "text.h"
#include "verb.h"

static const struct args_row rows[] = {
	{ 'o', "output", "FILE", "write there instead of to standard output", args_text,
	  ARGS_MEMBER(output) },
	{ 'd', "duration", "SEC", "stop after so many seconds; of a trace, look at its first",
	  args_seconds, ARGS_MEMBER(duration_s) },
	{ 'n', "count", "N", "stop after N operations that match", args_count, ARGS_MEMBER(limit) },
	{ 0, "keep", "N", ARGS_KEEP_HELP, args_keep, ARGS_MEMBER(keep) },
	{ 0, "json", NULL, "one JSON document", args_flag, ARGS_MEMBER(json) },
	{ 0, "dump-model", "FILE", NULL, args_text, ARGS_MEMBER(dump_model) },
	ARGS_ROW_END
};

static const struct args_spec spec = {
	.verb = "report",
	.usage = "[OPTION…] FILE | SCOPE",
	.about = "Reads a trace, or traces until the end, and says who talked to whom, how much "
		 "and how\n"
		 "late, and who waited for whom.",
	.takes = ARGS_FILE | ARGS_SCOPE,
	.groups = { { "Output", rows },
		    { "Filter", args_filter_rows },
		    { "Scope, instead of a trace: -- CMD ARG…, or one of", args_scope_rows },
		    { "Tracing", args_source_rows },
		    { NULL, NULL } },
};

static int print(const struct session *s, struct report_locks *locks, struct fail *fail)
{
	const struct args *a = s->args;
	struct report r = { 0 };
	FILE *out = out_open(a->output, fail);
	int err;

	if (!out)
		return -fail->err;
	session_describe(s, &r);
	r.locks = locks;
	err = report_init(&r, a->filter);
	if (!err)
		err = report_locks_finish(locks);
	if (!err)
		err = a->json ? report_print_json(&r, out) : report_print_text(&r, out);
	report_release(&r);
	if (err == -ENOMEM)
		return fail_set(fail, ENOMEM, NULL, "the report");
	return out_close(out, a->output, fail);
}

static int run(struct session *s, struct fail *fail)
{
	struct report_locks locks;
	int err = session_open(s, fail), stopped;

	if (err)
		return err;
	if (report_locks_init(&locks))
		return fail_set(fail, ENOMEM, NULL, "the report");
	s->out = &locks.sink;
	err = session_run(s, fail);
	stopped = session_stop(s, !err, err ? NULL : fail);
	err = err ? err : stopped;
	if (!err)
		err = session_dump_model(s, fail);
	if (!err)
		err = print(s, &locks, fail);
	s->out = NULL;
	report_locks_release(&locks);
	return err;
}

int cmd_report(int argc, char **argv)
{
	static const struct session_verb verb = { .spec = &spec, .run = run };

	return session_verb_main(&verb, argc, argv);
}
