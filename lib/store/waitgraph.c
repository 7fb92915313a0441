// SPDX-License-Identifier: GPL-2.0-or-later
/* The wait graphs of a trace: the latest in three keys of `meta` and rows of `holder`, others in `found`. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "db.h"
#include "store.h"
#include "trace.h"

static int add_holders(sqlite3 *db, const struct trace_waitgraph *w)
{
	static const char sql[] = "INSERT INTO holder(chan, pid, fd, dir, t_ns)"
				  " SELECT id, ?2, ?3, ?4, ?5 FROM chan WHERE ident = ?1"
				  " OR (kind = 'lock' AND name = ?1)"; /* a file's is its path */
	sqlite3_stmt *st = NULL;
	int err = db_prepare(db, sql, &st);

	for (size_t i = 0; i < w->nholders && !err; i++) {
		const struct trace_holder *h = &w->holders[i];

		db_bind_text(st, 1, h->ident, strlen(h->ident));
		db_bind_ints(st, 2, 4, (int64_t[]){ h->pid, h->fd, h->dir, (int64_t)w->t_ns });
		err = db_run(st);
	}
	sqlite3_finalize(st);
	return err;
}

static int add(sqlite3 *db, const struct trace_waitgraph *w)
{
	int err = db_exec(db, "BEGIN IMMEDIATE; DELETE FROM holder");

	if (!err)
		err = meta_set(db, "waitgraph", w->text);
	if (!err)
		err = meta_set(db, "waitgraph_tids", w->tids);
	if (!err)
		err = meta_set_number(db, "waitgraph_ns", (int64_t)w->t_ns);
	if (!err)
		err = add_holders(db, w);
	if (!err)
		err = db_exec(db, "COMMIT");
	if (err)
		db_rollback(db);
	return err;
}

static int add_found(sqlite3 *db, const struct trace_waitgraph *w, size_t n)
{
	sqlite3_stmt *st = NULL;
	int err = db_exec(db, "BEGIN IMMEDIATE");

	if (!err)
		err = db_prepare(db, "INSERT OR REPLACE INTO found(t_ns, tids, graph) VALUES(?1, ?2, ?3)",
				 &st);
	for (size_t i = 0; i < n && !err; i++) {
		db_bind_ints(st, 1, 1, (int64_t[]){ (int64_t)w[i].t_ns });
		db_bind_text(st, 2, w[i].tids, strlen(w[i].tids));
		db_bind_text(st, 3, w[i].text, strlen(w[i].text));
		err = db_run(st);
	}
	sqlite3_finalize(st);
	if (!err)
		err = db_exec(db, "COMMIT");
	if (err)
		db_rollback(db);
	return err;
}

/* Opens the trace that may be being recorded; *db is to be closed either way. */
static int open_again(sqlite3 **db, const char *path)
{
	char *file = db_path(path);
	int err = file ? db_open(db, file, SQLITE_OPEN_READWRITE, NULL) : -ENOMEM;

	free(file);
	return err;
}

static int close_again(sqlite3 *db, int err, const char *path, struct fail *fail)
{
	sqlite3_close(db);
	if (!err)
		return 0;
	return fail_set(fail, -err, db_remedy(-err), "cannot add who waited for whom to '%s'", path);
}

int trace_add_waitgraph(const char *path, const struct trace_waitgraph *w, struct fail *fail)
{
	sqlite3 *db = NULL;
	int err = open_again(&db, path);

	return close_again(db, err ? err : add(db, w), path, fail);
}

int trace_add_found(const char *path, const struct trace_waitgraph *w, size_t n, struct fail *fail)
{
	sqlite3 *db = NULL;
	int err = open_again(&db, path);

	return close_again(db, err ? err : add_found(db, w, n), path, fail);
}

static const char *text_of(sqlite3_stmt *st, int column)
{
	const char *text = (const char *)sqlite3_column_text(st, column);

	return text ? text : "";
}

int trace_each_found(struct trace *t, int (*take)(void *arg, const struct trace_waitgraph *w),
		     void *arg)
{
	sqlite3_stmt *st;
	int rc, err = 0;

	if (db_prepare(t->db, "SELECT t_ns, tids, graph FROM found ORDER BY t_ns", &st))
		return 0; /* older than the table */
	while (!err && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct trace_waitgraph w = { .t_ns = (uint64_t)sqlite3_column_int64(st, 0),
					     .tids = text_of(st, 1),
					     .text = text_of(st, 2) };

		err = take(arg, &w);
	}
	if (!err && rc != SQLITE_DONE)
		err = db_errno(t->db);
	sqlite3_finalize(st);
	return err;
}
