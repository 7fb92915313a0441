// SPDX-License-Identifier: GPL-2.0-or-later
#include "finish.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "db.h"
#include "lib/abi/words.h"
#include "lib/base/escape.h"

static void bind_process(sqlite3_stmt *st, int pid_at, int comm_at, const struct m_proc *p,
			 char *comm, size_t size)
{
	if (!p)
		return; /* NULL: a process that was not seen */
	if (!p->folded)
		sqlite3_bind_int64(st, pid_at, p->pid);
	size_t n = escape_text(comm, size, p->comm, sizeof(p->comm));
	if (n)
		sqlite3_bind_text(st, comm_at, comm, (int)n, SQLITE_STATIC);
}

/* hist_print as a string to free(), or NULL: no memory. */
static char *hist_text(const struct hist *h)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	if (!f)
		return NULL;
	int rc = hist_print(h, f);
	if (fclose(f) || rc) {
		free(text);
		return NULL;
	}
	return text;
}

static int write_flow(sqlite3_stmt *st, const struct m_flow *f)
{
	char src[ESCAPE_SIZE(EV_COMM_LEN)], dst[ESCAPE_SIZE(EV_COMM_LEN)];
	char *latency = hist_text(&f->latency);
	if (!latency)
		return -ENOMEM;
	int64_t v[] = {f->chan ? (int64_t)f->chan->id : 0,
		       (int64_t)f->messages,
		       (int64_t)f->bytes,
		       (int64_t)f->first_ns,
		       (int64_t)f->last_ns,
		       f->approximate,
		       (int64_t)hist_percentile(&f->latency, 50),
		       (int64_t)hist_percentile(&f->latency, 90),
		       (int64_t)hist_percentile(&f->latency, 99),
		       (int64_t)f->latency.max};
	db_bind_ints(st, 1, (int)(sizeof(v) / sizeof(v[0])), v);
	bind_process(st, 11, 13, f->src, src, sizeof(src));
	bind_process(st, 12, 14, f->dst, dst, sizeof(dst));
	sqlite3_bind_text(st, 15, latency, -1, SQLITE_STATIC);
	int rc = db_run(st);
	free(latency);
	return rc;
}

/* The sums of folded channels are channels only here: -1 - kind stands for one. */
static int write_sums(sqlite3 *db, const struct model *m)
{
	sqlite3_stmt *st;
	int rc = db_prepare(db, "INSERT INTO chan(id, kind, name) VALUES(?1, ?2, ?3)", &st);
	for (const struct m_chan *c = model_chans(m); rc == 0 && c; c = c->next) {
		if (!c->folded)
			continue;
		sqlite3_bind_int64(st, 1, (sqlite3_int64)c->id);
		sqlite3_bind_text(st, 2, kind_word(c->kind), -1, SQLITE_STATIC);
		sqlite3_bind_text(st, 3, c->name, -1, SQLITE_STATIC);
		rc = db_run(st);
	}
	sqlite3_finalize(st);
	return rc;
}

static int write_flows(sqlite3 *db, const struct model *m)
{
	sqlite3_stmt *st;
	int rc = db_prepare(
	    db,
	    "INSERT INTO flow(chan, messages, bytes, first_ns, last_ns, approximate,"
	    " p50_ns, p90_ns, p99_ns, max_ns, src_pid, dst_pid, src_comm, dst_comm, latency)"
	    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
	    &st);
	if (rc == 0)
		rc = write_sums(db, m);
	for (const struct m_flow *f = model_flows(m); rc == 0 && f; f = f->next)
		rc = write_flow(st, f);
	sqlite3_finalize(st);
	return rc;
}

/*
 * One plain file: no -wal beside it, and no room in it that spilled blobs left. Nothing is gained by
 * less than FULL for that: an incremental step looks through the whole list of free pages, and a
 * minute of spilling leaves a million of them.
 */
static int tidy(sqlite3 *db)
{
	int64_t unused = 0;
	int rc = db_exec(db, "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode=DELETE");
	if (rc == 0)
		rc = db_number(db, "PRAGMA freelist_count", &unused);
	if (rc || unused == 0)
		return rc;
	rc = db_exec(db, "PRAGMA auto_vacuum=FULL; BEGIN IMMEDIATE");
	if (rc == 0) /* any change will do: it is the commit that gives the room back */
		rc = meta_set(db, "finished", "1");
	if (rc == 0)
		rc = db_exec(db, "COMMIT; PRAGMA auto_vacuum=INCREMENTAL");
	if (rc)
		db_rollback(db);
	return rc;
}

int finish_trace(sqlite3 *db, const struct model *m, struct activity *activity)
{
	int rc = db_exec(db, "BEGIN IMMEDIATE");
	if (rc == 0)
		rc = db_exec(db, "DELETE FROM flow; DELETE FROM chan WHERE id < 0");
	if (rc == 0 && m)
		rc = write_flows(db, m);
	if (rc == 0)
		rc = activity_add_waits(activity, db);
	if (rc == 0)
		rc = activity_save(activity, db);
	if (rc == 0)
		rc = meta_set(db, "finished", "1");
	if (rc == 0)
		rc = db_exec(db, "COMMIT");
	if (rc) {
		db_rollback(db);
		return rc;
	}
	rc = tidy(db);
	/* a reader that is looking right now keeps it in WAL mode and at its size; nothing is lost by that */
	return rc == -EBUSY ? 0 : rc;
}
