/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Traces: plain SQLite files, readable with the stock sqlite3 shell; the schema is documented in
 * ipctap-trace(5). This folder is the only one that knows SQL.
 *
 * Writing. The writer is a sink. It copies events into a batch; a thread of its own commits
 * batches in one transaction each, at the latest every 200 ms, so that kill -9 at any moment loses
 * no more than that. When the disk falls behind, batches are kept as raw blobs (table `spill`) and
 * expanded when there is time, at the latest when the file is next opened.
 *
 * Reading. A trace is a source: it delivers exactly the events that were written, in the same
 * order.
 */
#ifndef IPCTAP_STORE_STORE_H
#define IPCTAP_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/fail.h"
#include "lib/model/model.h"
#include "lib/stream/stream.h"

/* ---- writing ---- */

struct store;

struct store_opts {
	const char *source;   /* "bpf", "shim", … → meta.source */
	const char *command;  /* the command line → meta.command */
	const char *options;  /* filters, scope → meta.options */
	uint64_t keep;        /* the recorder's model_set_keep → meta.keep; 0: MODEL_KEEP */
};

struct store_stats {
	uint64_t events;      /* EV_IO accepted */
	uint64_t lost;        /* EV_IO not written: already delivered as LOST_STORE_QUEUE rows */
	uint64_t spilled;     /* EV_IO that went through blobs */
	uint64_t file_bytes;  /* after store_finish */
};

/*
 * Creates (mode 0600) or replaces `path`; refuses to replace a file that is not a trace of ours.
 * Fails at once, before anything is traced, when the directory cannot be written.
 */
int store_create(struct store **out, const char *path, const struct store_opts *opts,
		 struct fail *fail);

/*
 * Borrowed. Its event() returns 0, or once the writer thread's first error (-ENOSPC, -EIO …), which
 * store_error explains; what comes after that is counted as lost.
 */
struct sink *store_sink(struct store *s);
void store_error(struct store *s, struct fail *fail);

/*
 * Lets the trace have keyframes: *m, borrowed until store_finish, has applied each event when the
 * sink gets it, and no others (not so one with a filter in front of the sink). Every so many events
 * its state goes into the trace. Call before the first event.
 */
void store_follow(struct store *s, const struct model *m);

/*
 * Writes what is pending, the flows of *m (which may be NULL), indexes, and marks the trace
 * finished. Call once; then store_free.
 */
int store_finish(struct store *s, const struct model *m, struct fail *fail);
/* The same; `tell` hears every second how much of it is done (0 to 1: what is left then is tidying up). */
int store_finish_telling(struct store *s, const struct model *m, void (*tell)(void *arg, double done),
			 void *arg, struct fail *fail);
void store_get_stats(const struct store *s, struct store_stats *out);
void store_free(struct store *s); /* without store_finish: leaves the file as a crash would */

/*
 * The wait graph that a trace carries (lib/analysis/waitgraph.h as text): who waited for whom when
 * waits had become long. Added to a finished trace, or, without holders, to one that is being
 * recorded; replaces the one that was there. With it go the rows of `holder`, as far as their
 * channels are in the trace by `ident`; a file that is locked, by its path.
 */
struct trace_holder {
	const char *ident;
	uint32_t pid;
	int32_t fd;
	uint8_t dir; /* ENDPOINT_DIR_* */
};
struct trace_waitgraph {
	uint64_t t_ns;
	const char *text;
	const char *tids; /* those of it that were traced: "12,13" */
	const struct trace_holder *holders;
	size_t nholders;
};
int trace_add_waitgraph(const char *path, const struct trace_waitgraph *w, struct fail *fail);
/*
 * The same each time that what the search for deadlocks found was another than before, in rows of
 * `found`: `text` is "" where it found nothing any more. Adds w[0..n), without their holders.
 */
int trace_add_found(const char *path, const struct trace_waitgraph *w, size_t n, struct fail *fail);

/* ---- reading ---- */

struct trace;

/*
 * Opens a trace. Fails, with the remedy, on a file that is missing, not SQLite, not ours, newer
 * than this program, or damaged. An unfinished one (its recorder was killed) is completed first
 * when it can be written: spilled batches expanded, flows computed by replay, indexes built.
 */
int trace_open(struct trace **out, const char *path, struct fail *fail);
/* The same; `tell` hears now and then how much of the completing is done (0 to 1). NULL: nobody. */
int trace_open_telling(struct trace **out, const char *path, void (*tell)(void *arg, double done),
		       void *arg, struct fail *fail);
void trace_close(struct trace *t); /* accepts NULL */

const char *trace_meta(struct trace *t, const char *key); /* borrowed until close; NULL: no such key */
bool trace_was_unfinished(const struct trace *t);
uint64_t trace_events(struct trace *t); /* rows of `event` */

/* How much went on when; slots of equal width, those without anything are left out. */
#define ACTIVITY_SLOTS 2048
struct trace_slot {
	uint64_t t_ns, width_ns;
	uint64_t ops, bytes;
	uint64_t slept_ns; /* of all threads together */
	uint64_t lost;
};
/* Fills slots[0..*n) in order of time; *n becomes how many there are: 0 in an old trace. */
int trace_activity(struct trace *t, struct trace_slot *slots, size_t *n);

/* Calls `take` for each loss that was recorded, in order. Stops when that returns an error, and returns it. */
int trace_each_loss(struct trace *t, int (*take)(void *arg, const struct ev_lost *lost), void *arg);

/*
 * The rows of `found` in order of time: calls `take` for each, whose texts are borrowed for the call. Stops
 * when that returns an error, and returns it. None in an older trace.
 */
int trace_each_found(struct trace *t, int (*take)(void *arg, const struct trace_waitgraph *w),
		     void *arg);

/* A source over the whole trace, from its first event. Borrows the trace; free before closing it. */
int trace_source(struct trace *t, struct source **out, struct fail *fail);
/* The same from behind the event with that number; they count from 1. */
int trace_source_after(struct trace *t, uint64_t seq, struct source **out, struct fail *fail);
/*
 * Instead of polling such a source: its next event, good until the call after, and its number. 1, 0 at
 * the end, or a negative errno.
 */
int trace_source_next(struct source *source, const struct ev_hdr **ev, uint64_t *seq);
/* Why its source returned a negative errno of its own, not of the sink; err 0: it did not. */
void trace_error(const struct trace *t, struct fail *fail);

#endif
