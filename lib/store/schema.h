/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The schema of a trace, private to lib/store. ipctap-trace(5) documents it for users: table,
 * column and view names are a contract, and a change of them is a migration.
 */
#ifndef IPCTAP_STORE_SCHEMA_H
#define IPCTAP_STORE_SCHEMA_H

#include <sqlite3.h>

#define TRACE_APPLICATION_ID 0x49504354 /* "IPCT", at offset 68 of the file */
#define TRACE_USER_VERSION 2            /* at offset 60 */
#define TRACE_PAGE_BYTES 4096

/* Columns of `event`, in the order of the table, of the batch virtual table and of the reader. */
#define EVENT_COLUMNS                                                                              \
	"id, t_ns, dur_ns, slept_ns, pid, tid, op, chan, fd, ret, bytes, mtype, flags, "           \
	"waker_tid, at_ns, messages"
enum event_column {
	COL_ID,
	COL_T,
	COL_DUR,
	COL_SLEPT,
	COL_PID,
	COL_TID,
	COL_OP,
	COL_CHAN,
	COL_FD,
	COL_RET,
	COL_BYTES,
	COL_MTYPE,
	COL_FLAGS,
	COL_WAKER,
	COL_AT,
	COL_MESSAGES,
	EVENT_NCOLUMNS
};

/* Settings of a connection that writes, before the first table exists where it matters. */
int schema_pragmas(sqlite3 *db);
/* Every table, index and view, the words of `op`, application_id and user_version. */
int schema_create(sqlite3 *db);
/* The tables that hold nothing but shortcuts, in a trace that was made before there were any. */
int schema_add_shortcuts(sqlite3 *db);
/*
 * Brings a trace of an older version to TRACE_USER_VERSION, one numbered step after the other,
 * each in a transaction of its own. -EBADMSG when its version never existed.
 */
int schema_migrate(sqlite3 *db);

#endif
