/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Batches turned into rows. Private to lib/store; used by the writer thread, and by trace_open
 * when it completes a trace whose recorder was killed.
 *
 * Every event keeps its number in the stream. An EV_IO is the row of `event` with that id (and of
 * `payload`, if it has a tail). Everything else is kept whole in `control` under its number, so
 * that replay is exact, and is also told in the tables meant for people: task, name, chan,
 * endpoint, wait, loss. Those depend on order: batches must come in the order of the stream.
 *
 * In the tables for people, text of traced processes is escaped (lib/base/escape.h); `control`
 * has the true bytes.
 */
#ifndef IPCTAP_STORE_ROWS_H
#define IPCTAP_STORE_ROWS_H

#include <sqlite3.h>

#include "activity.h"
#include "batch.h"

enum rows_stmt {
	ROWS_EVENTS,
	ROWS_PAYLOAD,
	ROWS_CONTROL,
	ROWS_TASK,
	ROWS_THREADS_END,
	ROWS_TASK_INHERIT,
	ROWS_NAME,
	ROWS_CHAN,
	ROWS_ROOM,
	ROWS_FD_REPLACED,
	ROWS_ENDPOINT_AGAIN,
	ROWS_ENDPOINT,
	ROWS_ENDPOINT_CLOSE,
	ROWS_ENDPOINTS_END,
	ROWS_WAIT,
	ROWS_WAIT_END,
	ROWS_LOSS,
	ROWS_NSTMTS
};

struct rows {
	sqlite3 *db;               /* borrowed */
	const struct batch *batch; /* the one being written: what the virtual table walks */
	sqlite3_stmt *st[ROWS_NSTMTS];
	/* of everything in the tables, spilled batches excluded: meta.events, first_ns, last_ns */
	uint64_t events, first_ns, last_ns;
	struct activity *activity; /* of what has been written since rows_open; owned */
};

int rows_open(struct rows *r, sqlite3 *db);
void rows_release(struct rows *r); /* before db is closed */

/* Inside a transaction of the caller, who rolls back when it fails. */
int rows_write(struct rows *r, const struct batch *b);
int rows_save_totals(struct rows *r); /* to meta */

/* One event that is not an EV_IO (control.c). */
int rows_control(struct rows *r, uint64_t seq, const struct ev_hdr *ev);
int rows_control_open(struct rows *r);

#endif
