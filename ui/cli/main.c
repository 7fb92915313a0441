// SPDX-License-Identifier: GPL-2.0-or-later
/* ipctap: who talks to whom, and who waits for whom. Finds the verb and calls it. */
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "say.h"
#include "text.h"
#include "ui/demo/demo.h"
#include "verb.h"

struct verb {
	const char *name;
	int (*fn)(int argc, char **argv);
	const char *help;
};

static const struct verb verbs[] = {
	{ "record", cmd_record, "record into a trace, a SQLite file" },
	{ "report", cmd_report, "who talked to whom, how much, how late, who waited for whom" },
	{ "events", cmd_events, "one line per operation, like strace" },
	{ "top", cmd_top, "live dashboard" },
	{ "replay", cmd_replay, "the same dashboard over a recording: pause, seek, step, speed" },
	{ "export", cmd_export, "a trace as JSON, CSV, a graph, a Perfetto timeline or a web page" },
	{ "why", cmd_why, "why a process is not moving, down to the root" },
	{ "deadlock", cmd_deadlock, "who can never move again, and why; --watch keeps looking" },
	{ "doctor", cmd_doctor, "what this kernel and this user can and cannot see" },
	{ "demo", demo_main, "run a reference workload; without a name, list them" },
	{ NULL, NULL, NULL }
};

static const char *verb_word(const void *list, size_t i)
{
	return ((const struct verb *)list)[i].name;
}

static int print_help(void)
{
	printf("Usage: ipctap VERB [OPTION…]\n\n"
	       "Shows who talks to whom, and who waits for whom, across the IPC of a Linux\n"
	       "host: pipes, sockets, queues, semaphores, shared memory, futexes and more.\n\nVerbs:\n");
	for (const struct verb *v = verbs; v->name; v++)
		printf("  %-8s %s\n", v->name, v->help);
	printf("\nipctap VERB --help lists a verb's options; more in ipctap(1).\n");
	return EXIT_OK;
}

static int run_verb(const char *name, int argc, char **argv)
{
	struct fail fail = { 0 };
	const char *near;

	for (const struct verb *v = verbs; v->name; v++)
		if (strcmp(v->name, name) == 0)
			return v->fn(argc, argv);
	near = nearest_word(name, verb_word, verbs);
	fail_set(&fail, 0, NULL, "%s: no such verb", name);
	snprintf(fail.remedy, sizeof(fail.remedy), "%s%s%sipctap --help lists them",
		 near ? "did you mean " : "", near ? near : "", near ? "? " : "");
	say_fail(&fail);
	return EXIT_USAGE;
}

/*
 * A standard channel that was closed when we were started must not become a trace, a ring or a pipe of ours: what
 * is printed would go there. A place is all that is taken: writing fails as before, and the command, which
 * exec takes it from, finds the channel closed as well.
 */
static void hold_standard_fds(void)
{
	int fd;

	do
		fd = open("/", O_PATH | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

static int print_version(void)
{
	printf("ipctap %s\n", IPCTAP_VERSION);
	return EXIT_OK;
}

static int run_words(int argc, char **argv)
{
	if (argc < 2) {
		say("no verb was given: ipctap --help lists them");
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--version") == 0)
		return print_version();
	if (strcmp(argv[1], "help") == 0 && argc > 2)
		return run_verb(argv[2], 2, (char *[]){ argv[2], (char *)"--help", NULL });
	if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 ||
	    strcmp(argv[1], "-h") == 0)
		return print_help();
	return run_verb(argv[1], argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
	struct fail fail = { 0 };
	int status;

	hold_standard_fds();
	setlocale(LC_CTYPE, "");
	status = run_words(argc, argv);
	/* of those that have not looked themselves: --help, --version, demo */
	if (status != EXIT_OK || !out_close(stdout, NULL, &fail))
		return status;
	say_fail(&fail);
	return EXIT_CANNOT;
}
