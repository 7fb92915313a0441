/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options. A verb declares its options as tables of rows; the same rows drive getopt_long(3) and
 * `--help`, so what is accepted and what is announced cannot drift apart. (tests/cli/help.t holds
 * the man pages to it as well.)
 *
 * The options that several verbs share (whom to trace, from which source, which operations) are
 * tables here; a row says by its setter and offset which member of struct args it fills.
 */
#ifndef IPCTAP_UI_CLI_ARGS_H
#define IPCTAP_UI_CLI_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/feed.h"
#include "lib/base/fail.h"
#include "lib/model/filter.h"

/* What was typed. A zeroed one is valid; args_release frees what args_parse put in. */
struct args {
	struct feed_opts feed; /* the scope and the source; its arrays belong to this struct */
	struct filter *filter; /* NULL: every operation */
	char *filter_text;     /* the -e as typed, joined by blanks; NULL: none */
	const char *file;      /* the trace to read; NULL: live */
	const char *output;
	const char *dump_model; /* hidden: the model at the end, as model_dump writes it */
	const char *view, *sort;
	const char *format;      /* export */
	const char *at, *since; /* replay: places in a trace; NULL: none */
	uint64_t limit;     /* -n: operations; 0: no limit */
	uint64_t keep;      /* --keep; 0: the default */
	uint64_t refreshes; /* -n of top; 0: no limit */
	double duration_s;  /* -d; 0: none */
	double interval_s;
	bool json, batch, verbose, monotonic;
	bool watch, no_stacks;  /* deadlock, why */
	const char *exec;       /* --exec of deadlock: a shell command; NULL: none */
	int level;              /* --level: enum wg_verdict; 0: the default */
	pid_t subject;          /* the PID of why */
	char *scope_text;   /* for titles and for the trace: "pid 12,13", "-- dd if=…" */
	char *command_text; /* the command line of -- CMD; NULL: none */

	pid_t *pids;
	const char **comms, **cgroups;
	size_t npids, ncomms, ncgroups;
};

struct args_row;
/* Stores `value` (NULL for a row without an argument); -EINVAL with *fail filled when it is bad. */
typedef int args_setter(struct args *a, const struct args_row *row, const char *value,
			struct fail *fail);

struct args_row {
	int key;          /* the short option, 0: none */
	const char *name; /* the long one; NULL ends the table */
	const char *arg;  /* what its argument is called in --help; NULL: it takes none */
	const char *help; /* NULL: accepted, not announced */
	args_setter *set;
	size_t at; /* offset in struct args of the member that it fills */
};

args_setter args_flag;    /* bool */
args_setter args_text;    /* const char *, borrowed from argv */
args_setter args_count;   /* uint64_t, at least 1 */
args_setter args_seconds; /* double, more than 0 */
args_setter args_snap;    /* feed.snap_bytes */
args_setter args_keep;    /* keep, and what the feed remembers */
#define ARGS_KEEP_HELP "so many ended processes and channels whole, older ones as totals"

#define ARGS_MEMBER(member) offsetof(struct args, member)
#define ARGS_ROW_END                                                                               \
	{                                                                                          \
		0, NULL, NULL, NULL, NULL, 0                                                       \
	}

extern const struct args_row args_scope_rows[];  /* -p -a --comm --cgroup --no-follow */
extern const struct args_row args_source_rows[]; /* --source --ring */
extern const struct args_row args_look_rows[];   /* --source */
extern const struct args_row args_filter_rows[]; /* -e */

enum args_takes {
	ARGS_NOTHING = 0,
	ARGS_FILE = 1,        /* the name of a trace */
	ARGS_SCOPE = 2,       /* a scope; both bits: one of the two */
	ARGS_ALL_IF_NONE = 4, /* no scope means -a */
	ARGS_PID = 8,         /* the first word is a process; without a trace it is looked at live */
};

#define ARGS_GROUPS_MAX 6
struct args_group {
	const char *title; /* of the paragraph in --help; NULL ends the list */
	const struct args_row *rows;
};

struct args_spec {
	const char *verb;
	const char *usage;  /* what follows "ipctap VERB" in the synopsis */
	const char *about;  /* one or two lines */
	unsigned int takes; /* enum args_takes */
	struct args_group groups[ARGS_GROUPS_MAX];
};

#define ARGS_GO (-1)
/*
 * Parses argv (argv[0] is the verb) into *a. Returns ARGS_GO when the verb should go on, else the
 * status to exit with: --help was printed, or one line said what is wrong.
 */
int args_parse(struct args *a, const struct args_spec *spec, int argc, char **argv);
void args_release(struct args *a); /* frees, and zeroes *a */

#endif
