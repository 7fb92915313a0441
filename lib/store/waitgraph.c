// SPDX-License-Identifier: GPL-2.0-or-later
/* The wait graph of a trace: three keys of `meta`, and rows of `holder`. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "db.h"
#include "store.h"

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

int trace_add_waitgraph(const char *path, const struct trace_waitgraph *w, struct fail *fail)
{
	char *file = db_path(path);
	sqlite3 *db = NULL;
	int err = file ? db_open(&db, file, SQLITE_OPEN_READWRITE, NULL) : -ENOMEM;

	if (!err)
		err = add(db, w);
	sqlite3_close(db);
	free(file);
	if (!err)
		return 0;
	return fail_set(fail, -err, db_remedy(-err), "cannot add who waited for whom to '%s'", path);
}
