// SPDX-License-Identifier: GPL-2.0-or-later
/* ipctap deadlock: who can never move again, and why. */
#include <errno.h>
#include <stdio.h>

#include "lib/analysis/solve.h"
#include "say.h"
#include "text.h"
#include "verb.h"
#include "watch.h"

static int set_level(struct args *a, const struct args_row *row, const char *value,
		     struct fail *fail)
{
	(void)row;
	a->level = wg_verdict_parse(value);
	if (a->level > 0)
		return 0;
	fail_set(fail, 0,
		 "one of proven, closed-world, orphan, stuck, quiescent, leak-suspect, slow",
		 "--level: '%s' is no verdict", value);
	return -EINVAL;
}

static const struct args_row rows[] = {
	{ 0, "level", "VERDICT", "the weakest verdict that counts (default orphan)", set_level, 0 },
	{ 0, "json", NULL, "JSON; with --watch one object a line", args_flag, ARGS_MEMBER(json) },
	{ 'v', "verbose", NULL, "the certificate, and all that could not be judged", args_flag,
	  ARGS_MEMBER(verbose) },
	{ 0, "no-stacks", NULL, "do not look into the stacks", args_flag, ARGS_MEMBER(no_stacks) },
	ARGS_ROW_END
};

static const struct args_row watch_rows[] = {
	{ 0, "watch", NULL, "keep looking, and tell each finding once", args_flag,
	  ARGS_MEMBER(watch) },
	{ 0, "exec", "CMD", "run CMD on a finding, which it gets as JSON on its stdin", args_text,
	  ARGS_MEMBER(exec) },
	{ 'd', "duration", "SEC", "stop after so many seconds; -- CMD is then ended", args_seconds,
	  ARGS_MEMBER(duration_s) },
	ARGS_ROW_END
};

static const struct args_spec spec = {
	.verb = "deadlock",
	.usage = "[OPTION…] [FILE | SCOPE]",
	.about = "Finds those who can never move again, and says why: live, without having traced, or in a trace.\n"
		 "Exit status 0: none; 1: found; 2: usage; 3: could not look.",
	.takes = ARGS_FILE | ARGS_SCOPE | ARGS_ALL_IF_NONE,
	.groups = { { "Output", rows },
		    { "Watching", watch_rows },
		    { "Scope: -- CMD ARG…, or one of (default -a)", args_scope_rows },
		    { "Looking", args_look_rows },
		    { NULL, NULL } },
};

int cmd_deadlock(int argc, char **argv)
{
	struct args a = { 0 };
	struct fail fail = { 0 };
	uint32_t found = 0;
	int status = args_parse(&a, &spec, argc, argv), err;

	if (status != ARGS_GO)
		goto out;
	if (a.file && a.watch) {
		fail_set(&fail, 0, NULL, "--watch: a trace does not change");
		say_fail(&fail);
		status = EXIT_USAGE;
		goto out;
	}
	err = watch_run(&a, &found, &fail);
	if (err)
		say_fail(&fail);
	status = found ? EXIT_NO : err ? EXIT_CANNOT : EXIT_OK;
	if (out_close(stdout, NULL, &fail)) {
		say_fail(&fail);
		status = EXIT_CANNOT;
	}
out:
	args_release(&a);
	return status;
}
