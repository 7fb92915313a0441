/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A feed: a source, the ordering queue behind it and the sinks at its end, live or from a trace.
 * Verbs open one, add their sinks, and pump it until it ends; they need not know which it is.
 *
 *     feed_live(&f, &opts, &fail);       probes are live; the command, if any, is held
 *     feed_add(f, sink); …               the model, the trace writer, a printer
 *     feed_start(f, &fail);              releases the command
 *     while (feed_pump(f, 100, &fail) > 0) …
 *     feed_stop(f, &fail);               detaches, drains what is left, delivers final losses
 *     status = feed_exit_status(f);
 *     feed_free(f);
 *
 * Sinks are borrowed and must outlive the feed's last pump. Everything is single-threaded.
 */
#ifndef IPCTAP_COLLECTOR_FEED_H
#define IPCTAP_COLLECTOR_FEED_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/fail.h"
#include "lib/stream/stream.h"

enum feed_source { SOURCE_AUTO, SOURCE_BPF, SOURCE_SHIM, SOURCE_BOTH };

/* Whom to trace. Exactly one of pids, argv, all, comms, cgroups is set. Everything is borrowed. */
struct scope {
	const pid_t *pids;
	int npids;
	char *const *argv; /* "-- CMD ARG…", NULL-terminated */
	bool all;
	const char *const *comms; /* --comm NAME, NULL-terminated */
	const char *const *cgroups; /* --cgroup PATH, NULL-terminated: a cgroup v2 directory, or its path below the mount */
	bool no_follow; /* children are not traced */
};

struct feed_opts {
	struct scope scope;
	enum feed_source source;
	uint64_t ring_bytes;   /* kernel ring buffer; 0: the default (16 MiB) */
	uint32_t snap_bytes;   /* payload bytes to keep per operation, at most EV_PAYLOAD_MAX; 0: none */
	bool command_quiet;    /* the command's stdout and stderr go to /dev/null: a screen is being drawn */
	uint32_t keep_idle;    /* objects that nobody holds, remembered; 0: the default (4096) */
	uint32_t wait_look_ms; /* how often the in-flight table is read; 0: the default (200) */
};

struct feed;
struct trace;

/* Both fail with one line and the remedy: no BTF, no permission, no such pid, no such command … */
int feed_live(struct feed **out, const struct feed_opts *opts, struct fail *fail);
int feed_trace(struct feed **out, struct trace *trace, struct fail *fail); /* borrows the trace */

void feed_add(struct feed *f, struct sink *sink);
int feed_start(struct feed *f, struct fail *fail); /* a trace: nothing to do */

/*
 * Waits up to timeout_ms for events and delivers them. Returns 1 while more may come, 0 when the
 * stream has ended (the command exited, every traced pid exited, the trace is over), or a
 * negative errno from a sink or the source. Returns early when a signal arrives.
 */
int feed_pump(struct feed *f, int timeout_ms, struct fail *fail);

/*
 * Stops tracing, then delivers everything still on the way. A command that is still running is
 * then ended with its descendants when `end_command` (SIGTERM, after two seconds SIGKILL), else left to run.
 */
int feed_stop(struct feed *f, bool end_command, struct fail *fail);

const char *feed_source_name(const struct feed *f);  /* "bpf", "shim", "bpf+shim", "trace" */
pid_t feed_command_pid(const struct feed *f);        /* 0: no command */
int feed_exit_status(const struct feed *f);          /* of the command, as a shell gives it: 128+N for a signal; 0 without one */
void feed_free(struct feed *f);

#endif
