/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An open trace, private to lib/store. */
#ifndef IPCTAP_STORE_TRACE_H
#define IPCTAP_STORE_TRACE_H

#include <sqlite3.h>

#include "store.h"

struct trace_key {
	struct trace_key *next;
	char *key, *value; /* value NULL: not in the trace */
};

struct trace {
	char *path; /* as SQLite is given it */
	char *name; /* as the user gave it, for messages */
	int fd; /* holds a shared flock; closed after db, or SQLite's own locks would go with it */
	sqlite3 *db;
	bool unfinished;
	void (*tell)(void *arg, double done); /* how far trace_complete has come; or NULL */
	void *tell_arg;
	struct trace_key *keys; /* what trace_meta has lent out */
	struct fail fail;       /* of the source */
};

/*
 * Completes an unfinished trace in place: blobs become rows, flows are computed by replay. The
 * caller holds the exclusive flock and no connection; t->db is NULL again at the end. A failure at
 * any point leaves a trace that can be read and completed later.
 */
int trace_complete(struct trace *t);

/* The number of the last event, 0: there is none. */
int trace_last_seq(struct trace *t, uint64_t *seq);

/* "trace 'x' is damaged: …" */
int trace_damaged(const char *name, const char *how, struct fail *fail);

#endif
