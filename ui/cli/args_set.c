// SPDX-License-Identifier: GPL-2.0-or-later
/* What an option's argument may be, and the tables of the options that verbs share. */
#include "args.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/abi/event.h"

#define KEEP_IDLE_MAX 1000000u
#define RING_MIN_BYTES 4096ull
#define RING_MAX_BYTES (2ull << 30) /* the largest power of two that a map has the size of */

/* The option as people write it: "-d" or "--ring". */
static const char *row_label(const struct args_row *row, char label[static 64])
{
	if (row->key)
		snprintf(label, 64, "-%c", row->key);
	else
		snprintf(label, 64, "--%s", row->name);
	return label;
}

static int bad_value(const struct args_row *row, const char *value, const char *is_not,
		     const char *remedy, struct fail *fail)
{
	char label[64];

	fail_set(fail, 0, remedy, "%s: '%s' %s", row_label(row, label), value, is_not);
	return -EINVAL;
}

/* Digits only: no sign, no blank, no hex. False when it is something else or does not fit. */
static bool parse_digits(const char *text, uint64_t *out, const char **end)
{
	char *stop;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*out = strtoull(text, &stop, 10);
	*end = stop;
	return errno == 0;
}

/* Makes room for one more and the NULL behind it, and appends. */
static int append_text(const char ***list, size_t *n, const char *value, struct fail *fail)
{
	const char **grown = reallocarray(*list, *n + 2, sizeof(*grown));

	if (!grown)
		return fail_set(fail, ENOMEM, NULL, "the options");
	grown[(*n)++] = value;
	grown[*n] = NULL;
	*list = grown;
	return 0;
}

int args_flag(struct args *a, const struct args_row *row, const char *value, struct fail *fail)
{
	(void)value;
	(void)fail;
	*(bool *)((char *)a + row->at) = true;
	return 0;
}

int args_text(struct args *a, const struct args_row *row, const char *value, struct fail *fail)
{
	if (!*value)
		return bad_value(row, value, "is empty", NULL, fail);
	*(const char **)((char *)a + row->at) = value;
	return 0;
}

int args_count(struct args *a, const struct args_row *row, const char *value, struct fail *fail)
{
	const char *end;
	uint64_t n;

	if (!parse_digits(value, &n, &end) || *end || n == 0)
		return bad_value(row, value, "is not a number from 1 up", NULL, fail);
	*(uint64_t *)((char *)a + row->at) = n;
	return 0;
}

/* What is open is known in full; of the rest the feed need not know more than the model keeps. */
int args_keep(struct args *a, const struct args_row *row, const char *value, struct fail *fail)
{
	int err = args_count(a, row, value, fail);

	if (!err)
		a->feed.keep_idle = a->keep > KEEP_IDLE_MAX ? KEEP_IDLE_MAX : (uint32_t)a->keep;
	return err;
}

int args_seconds(struct args *a, const struct args_row *row, const char *value, struct fail *fail)
{
	double seconds = 0;
	char *end = NULL;

	if (value[strspn(value, "0123456789.")] == 0)
		seconds = strtod(value, &end);
	if (!end || end == value || *end || !(seconds > 0) || seconds > 1e9)
		return bad_value(row, value, "is not a number of seconds", "write it as 5 or 0.25",
				 fail);
	*(double *)((char *)a + row->at) = seconds;
	return 0;
}

_Static_assert(EV_PAYLOAD_MAX == 256, "what args_snap says, and the man pages");

int args_snap(struct args *a, const struct args_row *row, const char *value, struct fail *fail)
{
	const char *end;
	uint64_t n;

	if (!parse_digits(value, &n, &end) || *end || n > EV_PAYLOAD_MAX)
		return bad_value(row, value, "is not a number of bytes",
				 "write a number from 0 to 256", fail);
	/* a record ends at a multiple of 8: what fills it up would be no bytes of theirs */
	a->feed.snap_bytes = (uint32_t)(n + 7) & ~7u;
	return 0;
}

static int set_ring(struct args *a, const struct args_row *row, const char *value,
		    struct fail *fail)
{
	static const char units[] = "kmg";
	const char *end, *unit;
	uint64_t n;

	if (!parse_digits(value, &n, &end))
		return bad_value(row, value, "is not a size", "write it as 64m or 1g", fail);
	unit = *end ? strchr(units, *end) : NULL;
	if (unit && !end[1]) {
		unsigned int shift = 10 * (unsigned int)(unit - units + 1);

		n = n > RING_MAX_BYTES >> shift ? UINT64_MAX : n << shift;
		end++;
	}
	if (*end || n < RING_MIN_BYTES || n > RING_MAX_BYTES)
		return bad_value(row, value, *end ? "is not a size" : "is not between 4k and 2g",
				 "write it as 64m or 1g", fail);
	a->feed.ring_bytes = n;
	return 0;
}

static int set_pids(struct args *a, const struct args_row *row, const char *value,
		    struct fail *fail)
{
	const char *p = value, *end;
	uint64_t n;

	do {
		pid_t *grown;

		if (!parse_digits(p, &n, &end) || (*end && *end != ',') || n == 0 || n > INT_MAX)
			return bad_value(row, value, "is not a list of process ids",
					 "write it as 12 or 12,34", fail);
		grown = reallocarray(a->pids, a->npids + 1, sizeof(*grown));
		if (!grown)
			return fail_set(fail, ENOMEM, NULL, "the options");
		a->pids = grown;
		a->pids[a->npids++] = (pid_t)n;
		p = end + 1;
	} while (*end);
	return 0;
}

static int set_comm(struct args *a, const struct args_row *row, const char *value,
		    struct fail *fail)
{
	if (!*value || strlen(value) >= EV_COMM_LEN)
		return bad_value(row, value, "cannot be the name of a process",
				 "the kernel keeps 1 to 15 bytes of a name; see /proc/PID/comm",
				 fail);
	return append_text(&a->comms, &a->ncomms, value, fail);
}

static int set_cgroup(struct args *a, const struct args_row *row, const char *value,
		      struct fail *fail)
{
	if (!*value)
		return bad_value(row, value, "is not a path", NULL, fail);
	return append_text(&a->cgroups, &a->ncgroups, value, fail);
}

static int set_source(struct args *a, const struct args_row *row, const char *value,
		      struct fail *fail)
{
	static const char *const words[] = {
		[SOURCE_AUTO] = "auto", [SOURCE_BPF] = "bpf", [SOURCE_SHIM] = "shim", [SOURCE_BOTH] = "bpf+shim"
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strcmp(words[i], value) == 0) {
			a->feed.source = (enum feed_source)i;
			return 0;
		}
	}
	return bad_value(row, value, "is not a source", "write auto, bpf, shim or bpf+shim", fail);
}

static int set_filter(struct args *a, const struct args_row *row, const char *value,
		      struct fail *fail)
{
	char *text = NULL;
	int err =
	    a->filter ? filter_and(a->filter, value, fail) : filter_new(&a->filter, value, fail);

	(void)row;
	if (err)
		return err;
	if (asprintf(&text, "%s%s%s", a->filter_text ? a->filter_text : "",
		     a->filter_text ? " " : "", value) < 0)
		return fail_set(fail, ENOMEM, NULL, "the options");
	free(a->filter_text);
	a->filter_text = text;
	return 0;
}

const struct args_row args_scope_rows[] = {
	{ 'p', "pid", "PID[,PID…]", "these processes, which run already", set_pids, 0 },
	{ 'a', "all", NULL, "every process of the host", args_flag, ARGS_MEMBER(feed.scope.all) },
	{ 0, "comm", "NAME", "processes of this name, also later ones (repeatable)", set_comm, 0 },
	{ 0, "cgroup", "PATH", "processes of this control group (repeatable)", set_cgroup, 0 },
	{ 0, "no-follow", NULL, "do not trace the children of those processes", args_flag,
	  ARGS_MEMBER(feed.scope.no_follow) },
	ARGS_ROW_END
};

#define SOURCE_ROW                                                                                 \
	{ 0, "source", "auto|bpf|shim|bpf+shim", "what watches the processes (default auto)", set_source, 0 }

const struct args_row args_source_rows[] = {
	SOURCE_ROW,
	{ 0, "ring", "SIZE", "kernel ring buffer, as 64m or 1g (default 16m)", set_ring, 0 },
	ARGS_ROW_END
};

const struct args_row args_look_rows[] = { SOURCE_ROW, ARGS_ROW_END };

const struct args_row args_filter_rows[] = {
	{ 'e', "filter", "EXPR", "only operations that match, as 'kind=pipe op=write bytes>4096'",
	  set_filter, 0 },
	ARGS_ROW_END
};
