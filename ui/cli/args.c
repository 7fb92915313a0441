// SPDX-License-Identifier: GPL-2.0-or-later
#include "args.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "say.h"
#include "verb.h"

#define ROWS_MAX 40
#define LONG_BASE 256 /* getopt_long returns this plus the index of the row for a long option */

/* Fills *fail with what the user did wrong, which is not an errno, and yields -EINVAL. */
#define BAD(fail, remedy, ...) (fail_set(fail, 0, remedy, __VA_ARGS__), -EINVAL)

#define SCOPE_REMEDY "give one of -p PID, -- CMD, -a, --comm NAME, --cgroup PATH"

static const struct args_row help_row = { 'h', "help", NULL, "print this, and exit", NULL, 0 };

/* The rows of all groups, and what getopt_long wants to know of them. */
struct table {
	const struct args_row *row[ROWS_MAX];
	int n;
	char shorts[2 * ROWS_MAX + 3];
	struct option longs[ROWS_MAX + 1];
};

static void table_add(struct table *t, const struct args_row *row)
{
	if (t->n == ROWS_MAX)
		abort(); /* a verb with more rows than that is a bug of the verb */
	t->longs[t->n] = (struct option){ row->name, row->arg ? required_argument : no_argument,
					  NULL, LONG_BASE + t->n };
	if (row->key) {
		char *end = t->shorts + strlen(t->shorts);

		*end++ = (char)row->key;
		if (row->arg)
			*end = ':';
	}
	t->row[t->n++] = row;
}

static void table_init(struct table *t, const struct args_spec *spec)
{
	*t = (struct table){ .shorts = "+:" }; /* stop at the first word; tell a missing argument */
	for (const struct args_group *g = spec->groups; g->title; g++)
		for (const struct args_row *row = g->rows; row->name; row++)
			table_add(t, row);
	table_add(t, &help_row);
}

static const struct args_row *table_find(const struct table *t, int c)
{
	if (c >= LONG_BASE)
		return t->row[c - LONG_BASE];
	for (int i = 0; i < t->n; i++)
		if (t->row[i]->key == c)
			return t->row[i];
	return NULL;
}

static const char *table_word(const void *list, size_t i)
{
	const struct table *t = list;

	return (int)i < t->n ? t->row[i]->name : NULL;
}

/* ---- --help ---- */

#define HELP_COLUMN 27 /* where it says what an option does; on a line of its own behind a longer one */

static void print_row(const struct args_row *row)
{
	char left[80];
	int width = 0;

	if (!row->help)
		return;
	snprintf(left, sizeof(left), "  %c%c%c --%s%s%s", row->key ? '-' : ' ',
		 row->key ? row->key : ' ', row->key ? ',' : ' ', row->name, row->arg ? " " : "",
		 row->arg ? row->arg : "");
	for (const char *p = left; *p; p++)
		width += ((unsigned char)*p & 0xc0) != 0x80; /* characters, not bytes */
	if (width < HELP_COLUMN)
		printf("%s%*s%s\n", left, HELP_COLUMN - width, "", row->help);
	else
		printf("%s\n%*s%s\n", left, HELP_COLUMN, "", row->help);
}

static void print_help(const struct args_spec *spec)
{
	printf("Usage: ipctap %s %s\n\n%s\n", spec->verb, spec->usage, spec->about);
	for (const struct args_group *g = spec->groups; g->title; g++) {
		printf("\n%s:\n", g->title);
		for (const struct args_row *row = g->rows; row->name; row++)
			print_row(row);
	}
	printf("\n");
	print_row(&help_row);
	printf("\nMore in ipctap-%s(1).\n", spec->verb);
}

/* ---- parsing ---- */

/* getopt did not know it, or missed its argument: says so, naming the option as it was typed. */
static int bad_option(const struct table *t, const struct args_spec *spec, int c, const char *typed,
		      struct fail *fail)
{
	const char *near = NULL;
	char remedy[160], word[64], flag[3] = { '-', (char)optopt, 0 };
	bool is_long = strncmp(typed, "--", 2) == 0;

	snprintf(word, sizeof(word), "%.*s", (int)strcspn(typed, "="), typed);
	if (c == ':') {
		const struct args_row *row = table_find(t, optopt);

		snprintf(remedy, sizeof(remedy), "write %s %s", is_long ? word : flag,
			 row ? row->arg : "");
		return BAD(fail, remedy, "%s: its argument is missing", is_long ? word : flag);
	}
	if (is_long)
		near = nearest_word(word + 2, table_word, t);
	if (near && optopt) /* known, and given an argument that it does not take */
		return BAD(fail, NULL, "%s: takes no argument", word);
	snprintf(remedy, sizeof(remedy), "%s%s%sipctap %s --help lists what there is",
		 near ? "did you mean --" : "", near ? near : "", near ? "? " : "", spec->verb);
	return BAD(fail, remedy, "%s: %s has no such option", is_long ? word : flag, spec->verb);
}

static int take_word(struct args *a, const struct args_spec *spec, const char *word,
		     struct fail *fail)
{
	if (spec->takes & ARGS_PID && !a->subject) {
		long pid = strspn(word, "0123456789") == strlen(word) ? strtol(word, NULL, 10) : 0;

		if (pid <= 0 || pid > INT_MAX)
			return BAD(fail, "write its number: pgrep NAME tells", "%s: no process id",
				   word);
		a->subject = (pid_t)pid;
		return 0;
	}
	if (!(spec->takes & ARGS_FILE))
		return BAD(fail,
			   spec->takes & ARGS_SCOPE ? "a command to run goes behind --" : NULL,
			   "%s: %s takes no such argument", word, spec->verb);
	if (a->file)
		return BAD(fail, "give one trace; a command to run goes behind --",
			   "%s: one file too many", word);
	if (!*word)
		return BAD(fail, NULL, "the name of the trace is empty");
	a->file = word;
	return 0;
}

/*
 * Walks argv. getopt stops at each word that is no option ("+"), so that a command's own options
 * are never eaten; a word before "--" is a file, and options may follow it. Returns 0, 1 for
 * --help, or -EINVAL.
 */
static int walk(struct args *a, const struct args_spec *spec, const struct table *t, int argc,
		char **argv, struct fail *fail)
{
	opterr = 0;
	optind = 0; /* GNU: start afresh */
	getopt_long(1, argv, t->shorts, t->longs, NULL);
	optind = 1;
	for (;;) {
		int before = optind;
		int c = getopt_long(argc, argv, t->shorts, t->longs, NULL);
		int err = 0;

		if (c == -1 && optind > before) { /* "--" was there */
			a->feed.scope.argv = argv + optind;
			return 0;
		}
		if (c == -1 && optind >= argc)
			return 0;
		if (c == -1)
			err = take_word(a, spec, argv[optind++], fail);
		else if (c == '?' || c == ':')
			err = bad_option(t, spec, c, argv[before], fail);
		else if (table_find(t, c) == &help_row)
			return 1;
		else
			err = table_find(t, c)->set(a, table_find(t, c), optarg, fail);
		if (err)
			return err;
	}
}

/* ---- what has to hold once everything was read ---- */

static int count_scopes(const struct args *a)
{
	return (a->npids > 0) + (a->feed.scope.argv != NULL) + a->feed.scope.all + (a->ncomms > 0) +
	       (a->ncgroups > 0);
}

static int check_scope(struct args *a, const struct args_spec *spec, struct fail *fail)
{
	int scopes = count_scopes(a);

	if (a->feed.scope.argv && !(spec->takes & ARGS_SCOPE))
		return BAD(fail, NULL, "--: %s runs no command", spec->verb);
	if (a->feed.scope.argv && !a->feed.scope.argv[0])
		return BAD(fail, "write the command to run, and its arguments, behind --",
			   "--: nothing follows it");
	if (scopes > 1)
		return BAD(fail, SCOPE_REMEDY, "%s: more than one scope was given", spec->verb);
	if (scopes && a->file)
		return BAD(fail, "leave out one of the two",
			   "%s: a trace is read or a scope is traced, not both", a->file);
	if (spec->takes & ARGS_PID)
		return a->subject ? 0
				  : BAD(fail, "write: ipctap why PID", "%s: which process?",
					spec->verb);
	if (!scopes && !a->file && (spec->takes & ARGS_ALL_IF_NONE))
		a->feed.scope.all = true;
	else if (!scopes && !a->file && (spec->takes & ARGS_FILE))
		return spec->takes & ARGS_SCOPE
			       ? BAD(fail, "give the name of a trace, or " SCOPE_REMEDY,
				     "%s: nothing to read and nothing to trace", spec->verb)
			       : BAD(fail, "give the name of a trace that ipctap record wrote",
				     "%s: nothing to read", spec->verb);
	else if (!scopes && !a->file && (spec->takes & ARGS_SCOPE))
		return BAD(fail, SCOPE_REMEDY, "%s: nothing to trace", spec->verb);
	return 0;
}

static int join_words(char **out, const char *prefix, const char *sep, const char *const *words)
{
	size_t size;
	FILE *f = open_memstream(out, &size);

	if (!f)
		return -ENOMEM;
	fputs(prefix, f);
	for (size_t i = 0; words[i]; i++)
		fprintf(f, "%s%s", i ? sep : "", words[i]);
	return fclose(f) ? -ENOMEM : 0;
}

static int join_pids(char **out, const pid_t *pids, size_t n)
{
	size_t size;
	FILE *f = open_memstream(out, &size);

	if (!f)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		fprintf(f, "%s%d", i ? "," : "pid ", (int)pids[i]);
	return fclose(f) ? -ENOMEM : 0;
}

static int fill_scope(struct args *a, struct fail *fail)
{
	struct scope *s = &a->feed.scope;
	int err = 0;

	if (s->argv) {
		const char *const *words = (const char *const *)s->argv;

		err = join_words(&a->scope_text, "-- ", " ", words);
		if (!err)
			err = join_words(&a->command_text, "", " ", words);
	} else if (a->npids) {
		s->pids = a->pids;
		s->npids = (int)a->npids;
		err = join_pids(&a->scope_text, a->pids, a->npids);
	} else if (a->ncomms) {
		s->comms = a->comms;
		err = join_words(&a->scope_text, "comm ", ", ", s->comms);
	} else if (a->ncgroups) {
		s->cgroups = a->cgroups;
		err = join_words(&a->scope_text, "cgroup ", ", ", s->cgroups);
	} else {
		a->scope_text = strdup(a->file ? a->file : "the whole host");
		err = a->scope_text ? 0 : -ENOMEM;
	}
	return err ? fail_set(fail, -err, NULL, "the options") : 0;
}

int args_parse(struct args *a, const struct args_spec *spec, int argc, char **argv)
{
	struct fail fail = { 0 };
	struct table t;
	int err;

	table_init(&t, spec);
	err = walk(a, spec, &t, argc, argv, &fail);
	if (err == 1) {
		print_help(spec);
		return EXIT_OK;
	}
	if (!err)
		err = check_scope(a, spec, &fail);
	if (!err)
		err = fill_scope(a, &fail);
	if (!err)
		return ARGS_GO;
	say_fail(&fail);
	return EXIT_USAGE;
}

void args_release(struct args *a)
{
	filter_free(a->filter);
	free(a->filter_text);
	free(a->scope_text);
	free(a->command_text);
	free(a->pids);
	free(a->comms);
	free(a->cgroups);
	*a = (struct args){ 0 };
}
