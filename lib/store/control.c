// SPDX-License-Identifier: GPL-2.0-or-later
/* Channels, endpoints, tasks, waits, losses: kept whole for replay, told in tables for people. */
#include "rows.h"

#include "db.h"
#include "lib/abi/words.h"
#include "lib/base/escape.h"

/* The fields of one event that are numbers, in the order of a statement's parameters. */
#define BIND(st, first, ...)                                                                       \
	db_bind_ints(st, first, (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)),         \
		     (int64_t[]){__VA_ARGS__})

#define KEEP(column) column " = coalesce(nullif(excluded." column ", ''), " column ")"
#define KEEP_NUMBER(column) column " = coalesce(nullif(excluded." column ", 0), " column ")"

/* clang-format off */
static const char *const sql[ROWS_NSTMTS] = {
	[ROWS_CONTROL] = "INSERT INTO control(seq, record) VALUES(?1, ?2)",

	/* a thread is (tid, start_ns) for ever; what a later event does not say stays as it was */
	[ROWS_TASK] = "INSERT INTO task(pid, tid, ppid, start_ns, cgroup_id, pidns, outside,"
		" exit_ns, exit_code, comm, exe, cmdline, cgroup)"
		" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"
		" ON CONFLICT(tid, start_ns) DO UPDATE SET pid = excluded.pid,"
		" outside = min(outside, excluded.outside), "
		KEEP_NUMBER("ppid") ", " KEEP_NUMBER("cgroup_id") ", " KEEP_NUMBER("pidns") ", "
		KEEP("comm") ", " KEEP("exe") ", " KEEP("cmdline") ", " KEEP("cgroup")
		/* ?14: it lives, whatever was told before: another thread made it the leader by its exec */
		", exit_ns = iif(?14, NULL, coalesce(excluded.exit_ns, exit_ns))"
		", exit_code = iif(?14, NULL, coalesce(excluded.exit_code, exit_code))",
	/* only the caller survives execve(2), as the leader */
	[ROWS_THREADS_END] = "UPDATE task SET exit_ns = ?2, exit_code = 0"
		" WHERE pid = ?1 AND tid <> pid AND exit_ns IS NULL",
	/* what fork copies: ?3 is the thread it came from */
	[ROWS_TASK_INHERIT] = "UPDATE task SET exe = p.exe, cmdline = p.cmdline,"
		" cgroup = coalesce(nullif(task.cgroup, ''), p.cgroup)"
		" FROM (SELECT exe, cmdline, cgroup FROM task WHERE tid = ?3"
		" ORDER BY start_ns DESC LIMIT 1) AS p"
		" WHERE task.tid = ?1 AND task.start_ns = ?2 AND task.exe = ''",
	[ROWS_NAME] = "INSERT INTO name(t_ns, pid, tid, comm, exe, cmdline)"
		" VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
	[ROWS_CHAN] = "INSERT INTO chan(id, backlog, duplex, remote, key, kind, shape,"
		" ident, name) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
		" ON CONFLICT(id) DO UPDATE SET backlog = excluded.backlog,"
		" duplex = excluded.duplex, remote = excluded.remote, key = excluded.key,"
		" kind = excluded.kind, shape = excluded.shape, ident = excluded.ident,"
		" name = excluded.name",
	[ROWS_ROOM] = "UPDATE chan SET room_bytes = nullif(?2, 0), room_messages = nullif(?3, 0)"
		" WHERE id = ?1",

	/* ?1 chan ?2 pid ?3 fd ?4 t_ns ?5 dir ?6 side ?7 how ?8 from */
	[ROWS_FD_REPLACED] = "UPDATE endpoint SET to_ns = ?4"
		" WHERE pid = ?2 AND fd = ?3 AND to_ns IS NULL AND chan <> ?1",
	[ROWS_ENDPOINT_AGAIN] = "UPDATE endpoint SET dir = dir | ?5"
		" WHERE pid = ?2 AND fd = ?3 AND to_ns IS NULL AND chan = ?1",
	[ROWS_ENDPOINT] = "INSERT INTO endpoint(chan, pid, fd, from_ns, dir, side, how,"
		" from_pid) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, nullif(?8, 0))",
	[ROWS_ENDPOINT_CLOSE] = "UPDATE endpoint SET to_ns = ?4 WHERE rowid = (SELECT rowid"
		" FROM endpoint WHERE pid = ?2 AND fd = ?3 AND to_ns IS NULL AND chan = ?1"
		" ORDER BY rowid LIMIT 1)",
	[ROWS_ENDPOINTS_END] = "UPDATE endpoint SET to_ns = ?2 WHERE pid = ?1 AND to_ns IS NULL",

	[ROWS_WAIT] = "INSERT INTO wait(pid, tid, op, chan, since_ns, deadline_ns, fd, until_ns)"
		" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[ROWS_WAIT_END] = "UPDATE wait SET until_ns = ?2 WHERE tid = ?1 AND until_ns IS NULL",
	[ROWS_LOSS] = "INSERT INTO loss(t_ns, count, place, cause) VALUES(?1, ?2, ?3, ?4)",
};
/* clang-format on */

int rows_control_open(struct rows *r)
{
	int rc = 0;
	for (int i = 0; rc == 0 && i < ROWS_NSTMTS; i++)
		if (sql[i])
			rc = db_prepare(r->db, sql[i], &r->st[i]);
	return rc;
}

/* A field of the wire as it goes into a table for people. */
struct text {
	char s[ESCAPE_SIZE(EV_ARGS_LEN)];
};
_Static_assert(EV_ARGS_LEN >= EV_PATH_LEN && EV_ARGS_LEN >= EV_IDENT_LEN &&
		   EV_ARGS_LEN >= EV_NAME_LEN && EV_ARGS_LEN >= EV_COMM_LEN,
	       "struct text holds every string of the wire");

static void bind_hostile(sqlite3_stmt *st, int at, struct text *to, const char *from, size_t size)
{
	size_t n = escape_text(to->s, sizeof(to->s), from, size);
	sqlite3_bind_text(st, at, to->s, (int)n, SQLITE_STATIC);
}

static int write_chan(struct rows *r, const struct ev_chan *c)
{
	sqlite3_stmt *st = r->st[ROWS_CHAN];
	struct text ident, name;
	BIND(st, 1, (int64_t)c->chan, (int64_t)c->backlog, c->duplex, c->remote, c->key);
	sqlite3_bind_text(st, 6, kind_word(c->kind), -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 7, shape_word(c->shape), -1, SQLITE_STATIC);
	bind_hostile(st, 8, &ident, c->ident, sizeof(c->ident));
	bind_hostile(st, 9, &name, c->name, sizeof(c->name));
	return db_run(st);
}

static int write_room(struct rows *r, const struct ev_room *e)
{
	sqlite3_stmt *st = r->st[ROWS_ROOM];
	BIND(st, 1, (int64_t)e->chan, (int64_t)e->bytes, e->messages);
	return db_run(st);
}

static int run_endpoint(struct rows *r, enum rows_stmt which, const struct ev_endpoint *e)
{
	sqlite3_stmt *st = r->st[which];
	int64_t v[] = {(int64_t)e->chan, e->pid,  e->fd,  (int64_t)e->hdr.t_ns,
		       e->dir,           e->side, e->what, e->from};
	db_bind_ints(st, 1, sqlite3_bind_parameter_count(st), v);
	return db_run(st);
}

static int open_endpoint(struct rows *r, const struct ev_endpoint *e)
{
	if (e->fd >= 0) { /* an fd names one channel at a time; attachments have none */
		int rc = run_endpoint(r, ROWS_FD_REPLACED, e);
		if (rc == 0)
			rc = run_endpoint(r, ROWS_ENDPOINT_AGAIN, e);
		if (rc || sqlite3_changes(r->db))
			return rc;
	}
	return run_endpoint(r, ROWS_ENDPOINT, e);
}

static int write_endpoint(struct rows *r, const struct ev_endpoint *e)
{
	bool closes = e->what == ENDPOINT_CLOSE || e->what == ENDPOINT_DETACH;
	return closes ? run_endpoint(r, ROWS_ENDPOINT_CLOSE, e) : open_endpoint(r, e);
}

/* One of the statements that end what process *t had. */
static int end_of(struct rows *r, enum rows_stmt which, const struct ev_task *t)
{
	sqlite3_stmt *st = r->st[which];
	BIND(st, 1, t->pid, (int64_t)t->hdr.t_ns);
	return db_run(st);
}

static int end_wait(struct rows *r, uint32_t tid, uint64_t until_ns)
{
	sqlite3_stmt *st = r->st[ROWS_WAIT_END];
	BIND(st, 1, tid, (int64_t)until_ns);
	return db_run(st);
}

static int inherit(struct rows *r, const struct ev_task *t)
{
	sqlite3_stmt *st = r->st[ROWS_TASK_INHERIT];
	BIND(st, 1, t->tid, (int64_t)t->start_ns, t->pid != t->tid ? t->pid : t->ppid);
	return db_run(st);
}

static int write_name(struct rows *r, const struct ev_task *t)
{
	sqlite3_stmt *st = r->st[ROWS_NAME];
	struct text comm, exe, args;
	BIND(st, 1, (int64_t)t->hdr.t_ns, t->pid, t->tid);
	bind_hostile(st, 4, &comm, t->comm, sizeof(t->comm));
	bind_hostile(st, 5, &exe, t->exe, sizeof(t->exe));
	bind_hostile(st, 6, &args, t->args, sizeof(t->args));
	return db_run(st);
}

static int write_task_row(struct rows *r, const struct ev_task *t)
{
	sqlite3_stmt *st = r->st[ROWS_TASK];
	struct text comm, exe, args, cgroup;
	BIND(st, 1, t->pid, t->tid, t->ppid, (int64_t)t->start_ns, (int64_t)t->cgroup, t->pidns,
	     t->what == TASK_SEEN && (t->hdr.flags & TASK_F_OUTSIDE));
	if (t->what == TASK_EXIT)
		BIND(st, 8, (int64_t)t->hdr.t_ns, t->exit_code);
	bind_hostile(st, 10, &comm, t->comm, sizeof(t->comm));
	bind_hostile(st, 11, &exe, t->exe, sizeof(t->exe));
	bind_hostile(st, 12, &args, t->args, sizeof(t->args));
	bind_hostile(st, 13, &cgroup, t->cgroup_path, sizeof(t->cgroup_path));
	BIND(st, 14, t->what == TASK_EXEC);
	return db_run(st);
}

static int write_task(struct rows *r, const struct ev_task *t)
{
	int rc = write_task_row(r, t);
	if (rc == 0 && t->what != TASK_EXIT && t->comm[0])
		rc = write_name(r, t);
	if (rc == 0 && t->what == TASK_FORK)
		rc = inherit(r, t);
	if (rc == 0 && t->what == TASK_EXIT)
		rc = end_wait(r, t->tid, t->hdr.t_ns);
	if (rc == 0 &&
	    (t->what == TASK_EXEC || (t->what == TASK_EXIT && (t->hdr.flags & TASK_F_LAST))))
		rc = end_of(r, ROWS_ENDPOINTS_END, t);
	if (rc == 0 && t->what == TASK_EXEC)
		rc = end_of(r, ROWS_THREADS_END, t);
	return rc;
}

/* A thread has one open wait at most: whatever is still open when another comes has ended. */
static int write_wait(struct rows *r, const struct ev_wait *w)
{
	uint64_t end_ns = w->what != WAIT_END ? w->since_ns
			  : w->until_ns       ? w->until_ns
					      : w->hdr.t_ns;
	int rc = end_wait(r, w->tid, end_ns);
	if (rc || (w->what == WAIT_END && sqlite3_changes(r->db)))
		return rc;
	sqlite3_stmt *st = r->st[ROWS_WAIT];
	BIND(st, 1, w->pid, w->tid, w->op, (int64_t)w->chan, (int64_t)w->since_ns,
	     (int64_t)w->deadline_ns, w->fd);
	if (w->what == WAIT_END) /* its beginning was lost */
		sqlite3_bind_int64(st, 8, (sqlite3_int64)end_ns);
	return db_run(st);
}

static int write_loss(struct rows *r, const struct ev_lost *l)
{
	sqlite3_stmt *st = r->st[ROWS_LOSS];
	BIND(st, 1, (int64_t)l->hdr.t_ns, (int64_t)l->count, l->where);
	sqlite3_bind_text(st, 4, loss_word(l->cause), -1, SQLITE_STATIC);
	return db_run(st);
}

int rows_control(struct rows *r, uint64_t seq, const struct ev_hdr *ev)
{
	sqlite3_stmt *st = r->st[ROWS_CONTROL];
	sqlite3_bind_int64(st, 1, (sqlite3_int64)seq);
	sqlite3_bind_blob(st, 2, ev, ev->size, SQLITE_STATIC);
	int rc = db_run(st);
	if (rc)
		return rc;
	switch (ev->type) {
	case EV_CHAN:
		return write_chan(r, (const struct ev_chan *)ev);
	case EV_ENDPOINT:
		return write_endpoint(r, (const struct ev_endpoint *)ev);
	case EV_TASK:
		return write_task(r, (const struct ev_task *)ev);
	case EV_WAIT:
		return write_wait(r, (const struct ev_wait *)ev);
	case EV_ROOM:
		return write_room(r, (const struct ev_room *)ev);
	case EV_LOST:
		return write_loss(r, (const struct ev_lost *)ev);
	default:
		return 0;
	}
}
