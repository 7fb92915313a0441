/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the verbs that look at a stream have in common: a feed (live or a trace, as the arguments
 * say), a model behind it, the filter, the limits of -d and -n, and signals.
 *
 *     struct session s = { .args = &a };
 *     session_open(&s, &fail);           a command, if any, is still held
 *     s.out = …;                         optional: a sink behind the model
 *     session_run(&s, &fail);            or session_start and session_step
 *     session_stop(&s, true, &fail);
 *     … read s.model …
 *     status = session_status(&s, err); session_close(&s);
 */
#ifndef IPCTAP_UI_CLI_SESSION_H
#define IPCTAP_UI_CLI_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "args.h"
#include "report.h"
#include "lib/stream/stream.h"
#include "lib/store/store.h"

struct session {
	const struct args *args; /* borrowed */
	/*
	 * Called after the model has applied the event, with all control events and with those
	 * operations that match the filter. Borrowed; may be NULL.
	 */
	struct sink *out;

	/* set by session_open; read-only for the verb */
	struct model *model;
	struct trace *trace; /* NULL: live */
	struct feed *feed;

	int out_err;        /* the error that `out` returned, after which it is not called again */
	uint64_t ops;       /* operations that matched */
	bool full;          /* -n, or -d of a trace, was reached */
	bool ended;         /* the stream ended by itself */
	bool command_ended; /* by session_stop, not by itself */
	int command_status; /* of one that session_stop waited for; -1: the feed knows */
	int model_err;
	struct sink gate;
	uint64_t deadline_ns, grace_ns; /* CLOCK_MONOTONIC; 0: none */
};

int session_open(struct session *s, struct fail *fail);
int session_start(struct session *s,
		  struct fail *fail); /* releases the command; -d counts from here */

/*
 * One pump of at most timeout_ms. 1: more may come. 0: over, because the stream ended, a limit was
 * reached or a signal came. Else a negative errno; s->out_err tells whether it was `out`'s.
 */
int session_step(struct session *s, int timeout_ms, struct fail *fail);
int session_run(struct session *s, struct fail *fail); /* start, then steps until it is over */

/* Detaches and drains. Ends a command that still runs when asked to; else waits for its own end. */
int session_stop(struct session *s, bool end_command, struct fail *fail);

/* A report's particulars: what was looked at, where and how. Its lists are report_init's. */
void session_describe(const struct session *s, struct report *r);

/* --dump-model: what the tests compare, live with replayed. */
int session_dump_model(const struct session *s, struct fail *fail);
int model_dump_to(const struct model *m, const char *path, struct fail *fail);

/*
 * The exit status: the command's, or 0 without one or when it was ended because all was done.
 * `err` is how the verb fared: what failed is never reported as success.
 */
int session_status(const struct session *s, int err);
/* The same, having said what went wrong and what was lost. */
int session_said(const struct session *s, int err, const struct fail *fail);
void session_close(struct session *s);

/* A verb that is one session from beginning to end: parsed, run, told about and closed. */
struct session_verb {
	const struct args_spec *spec;
	bool (*is_usable)(const struct args *a, struct fail *fail); /* NULL: what the parser takes, is */
	int (*run)(struct session *s, struct fail *fail);           /* from session_open on */
	void (*say_more)(const struct session *s); /* NULL: nothing; last, when all went well */
};
int session_verb_main(const struct session_verb *v, int argc, char **argv); /* the exit status */

#endif
