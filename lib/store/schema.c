// SPDX-License-Identifier: GPL-2.0-or-later
#include "schema.h"

#include <errno.h>

#include "db.h"
#include "lib/abi/event.h"
#include "lib/abi/words.h"

/* clang-format off */
static const char tables[] =
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;"
	"CREATE TABLE task(pid INTEGER, tid INTEGER, ppid INTEGER, start_ns INTEGER, exit_ns INTEGER,"
	" exit_code INTEGER, comm TEXT, exe TEXT, cmdline TEXT, cgroup TEXT, cgroup_id INTEGER,"
	" pidns INTEGER, outside INTEGER, UNIQUE(tid, start_ns));"
	"CREATE INDEX task_threads ON task(pid) WHERE tid <> pid AND exit_ns IS NULL;"
	"CREATE TABLE name(t_ns INTEGER, pid INTEGER, tid INTEGER, comm TEXT, exe TEXT, cmdline TEXT);"
	"CREATE INDEX name_tid ON name(tid, t_ns);"
	"CREATE TABLE chan(id INTEGER PRIMARY KEY, kind TEXT, ident TEXT, name TEXT, shape TEXT,"
	" duplex INTEGER, remote INTEGER, key INTEGER, backlog INTEGER, room_bytes INTEGER,"
	" room_messages INTEGER);"
	"CREATE TABLE op(id INTEGER PRIMARY KEY, name TEXT);"
	"CREATE TABLE event(id INTEGER PRIMARY KEY, t_ns INTEGER, dur_ns INTEGER, slept_ns INTEGER,"
	" pid INTEGER, tid INTEGER, op INTEGER, chan INTEGER, fd INTEGER, ret INTEGER, bytes INTEGER,"
	" mtype INTEGER, flags INTEGER, waker_tid INTEGER, at_ns INTEGER, messages INTEGER);"
	"CREATE TABLE payload(event INTEGER PRIMARY KEY, data BLOB);"
	"CREATE TABLE control(seq INTEGER PRIMARY KEY, record BLOB);"
	"CREATE TABLE spill(seq INTEGER PRIMARY KEY, n INTEGER, records BLOB);"
	"CREATE TABLE endpoint(chan INTEGER, pid INTEGER, fd INTEGER, dir INTEGER, from_ns INTEGER,"
	" to_ns INTEGER, side INTEGER, how INTEGER, from_pid INTEGER);"
	"CREATE INDEX endpoint_open ON endpoint(pid, fd) WHERE to_ns IS NULL;"
	"CREATE TABLE flow(src_pid INTEGER, dst_pid INTEGER, chan INTEGER, messages INTEGER,"
	" bytes INTEGER, first_ns INTEGER, last_ns INTEGER, latency TEXT, approximate INTEGER,"
	" p50_ns INTEGER, p90_ns INTEGER, p99_ns INTEGER, max_ns INTEGER, src_comm TEXT,"
	" dst_comm TEXT);"
	"CREATE TABLE wait(pid INTEGER, tid INTEGER, op INTEGER, chan INTEGER, since_ns INTEGER,"
	" until_ns INTEGER, deadline_ns INTEGER, fd INTEGER);"
	"CREATE INDEX wait_open ON wait(tid) WHERE until_ns IS NULL;"
	"CREATE TABLE holder(chan INTEGER, pid INTEGER, fd INTEGER, dir INTEGER, t_ns INTEGER);"
	"CREATE TABLE loss(t_ns INTEGER, cause TEXT, count INTEGER, place INTEGER);";

/* A trace may lack these: they only say sooner what the events say, or, `found`, came later. */
static const char shortcuts[] =
	"CREATE TABLE IF NOT EXISTS activity(t_ns INTEGER PRIMARY KEY, width_ns INTEGER,"
	" ops INTEGER, bytes INTEGER, slept_ns INTEGER, lost INTEGER);"
	"CREATE TABLE IF NOT EXISTS keyframe(seq INTEGER PRIMARY KEY, t_ns INTEGER, size INTEGER,"
	" state BLOB);"
	"CREATE TABLE IF NOT EXISTS found(t_ns INTEGER PRIMARY KEY, tids TEXT, graph TEXT);";

/*
 * Words come from scalar subqueries, not joins: with no statistics the planner would otherwise
 * make `op` or `chan` the outer loop when a query names one, and scan `event` once for each row.
 *
 * The name of a thread is the last one announced before the call; for a call that was older than
 * the first announcement, the first; for a thread never announced, that of its process.
 */
#define KIND_OF(x) "coalesce((SELECT kind FROM chan WHERE chan.id = " x ".chan), '')"
#define NAME_OF(x)                                                                                 \
	"coalesce((SELECT coalesce(nullif(name, ''), ident) FROM chan WHERE chan.id = " x          \
	".chan), '')"
#define OP_OF(x) "coalesce((SELECT op.name FROM op WHERE op.id = " x ".op), '?')"
#define LAST_COMM(tid) "(SELECT comm FROM task WHERE tid = " tid " ORDER BY start_ns DESC LIMIT 1)"
#define COMM_AT(tid)                                                                               \
	"(SELECT comm FROM name WHERE name.tid = " tid " AND name.t_ns <= e.t_ns"                  \
	" ORDER BY name.t_ns DESC LIMIT 1)"
#define FIRST_COMM(tid) "(SELECT comm FROM name WHERE name.tid = " tid " ORDER BY t_ns LIMIT 1)"

static const char views[] =
	"CREATE VIEW v_talk AS SELECT f.src_pid, coalesce(f.src_comm, '?') AS src_comm, f.dst_pid,"
	" coalesce(f.dst_comm, '?') AS dst_comm, " KIND_OF("f") " AS kind, " NAME_OF("f") " AS name,"
	" f.messages, f.bytes, f.p50_ns, f.p90_ns, f.p99_ns, f.max_ns, f.approximate FROM flow f;"

	"CREATE VIEW v_event AS SELECT e.t_ns, e.pid, e.tid,"
	" coalesce(" COMM_AT("e.tid") ", " FIRST_COMM("e.tid") ", " LAST_COMM("e.tid") ", "
	COMM_AT("e.pid") ", " LAST_COMM("e.pid") ", '?') AS comm, "
	OP_OF("e") " AS op, " KIND_OF("e") " AS kind, " NAME_OF("e") " AS name,"
	" e.fd, e.ret, e.bytes, e.dur_ns, e.slept_ns FROM event e;"

	/* how = 7: descriptors that came from another process */
	"CREATE VIEW v_passed AS SELECT p.from_ns AS t_ns, p.from_pid AS src_pid,"
	" coalesce(" LAST_COMM("p.from_pid") ", '?') AS src_comm, p.pid AS dst_pid,"
	" coalesce(" LAST_COMM("p.pid") ", '?') AS dst_comm, p.fd, " KIND_OF("p") " AS kind, "
	NAME_OF("p") " AS name FROM endpoint p WHERE p.how = 7;"

	/* an open wait counts as a sleep that lasts until the trace ends */
	"CREATE VIEW v_blocked AS SELECT b.pid, b.tid,"
	" coalesce(" LAST_COMM("b.tid") ", " LAST_COMM("b.pid") ", '?') AS comm, "
	OP_OF("b") " AS op, " KIND_OF("b") " AS kind, " NAME_OF("b") " AS name,"
	" b.total_slept_ns, b.longest_ns, b.times, b.still"
	" FROM (SELECT pid, tid, op, chan, sum(slept_ns) AS total_slept_ns,"
	" max(slept_ns) AS longest_ns, count(*) AS times, max(still) AS still FROM"
	" (SELECT pid, tid, op, chan, slept_ns, 0 AS still FROM event WHERE slept_ns > 0"
	" UNION ALL SELECT pid, tid, op, chan, max(0, cast((SELECT value FROM meta"
	" WHERE key = 'last_ns') AS INTEGER) - since_ns), 1 FROM wait WHERE until_ns IS NULL)"
	" GROUP BY pid, tid, op, chan) b;";
/* clang-format on */

int schema_pragmas(sqlite3 *db)
{
	/*
	 * synchronous=OFF: a killed process loses nothing, the kernel has the pages; only a power
	 * cut can. auto_vacuum: spilled blobs leave room behind that must be given back.
	 * secure_delete, on in some builds, would write zeros over every spilled blob.
	 */
	return db_exec(db, "PRAGMA page_size=4096; PRAGMA auto_vacuum=INCREMENTAL;"
			   "PRAGMA synchronous=OFF; PRAGMA cache_size=-16384;"
			   "PRAGMA secure_delete=OFF; PRAGMA wal_autocheckpoint=4000;"
			   "PRAGMA temp_store=MEMORY");
}
_Static_assert(ENDPOINT_PASSED == 7, "v_passed says it in SQL");
_Static_assert(TRACE_PAGE_BYTES == 4096, "schema_pragmas says it in SQL");

static int create_ops(sqlite3 *db)
{
	sqlite3_stmt *st;
	int rc = db_prepare(db, "INSERT INTO op(id, name) VALUES(?1, ?2)", &st);
	for (int op = OP_NONE + 1; rc == 0 && op < OP_MAX; op++) {
		if (op_word((unsigned int)op)[0] == '?')
			continue; /* numbers have gaps */
		sqlite3_bind_int(st, 1, op);
		sqlite3_bind_text(st, 2, op_word((unsigned int)op), -1, SQLITE_STATIC);
		rc = db_run(st);
	}
	sqlite3_finalize(st);
	return rc;
}

int schema_add_shortcuts(sqlite3 *db) { return db_exec(db, shortcuts); }

/* The identity is written last: a file that has it has the whole schema. */
int schema_create(sqlite3 *db)
{
	int rc = db_exec(db, "BEGIN");
	if (rc == 0)
		rc = db_exec(db, tables);
	if (rc == 0)
		rc = schema_add_shortcuts(db);
	if (rc == 0)
		rc = db_exec(db, views);
	if (rc == 0)
		rc = create_ops(db);
	if (rc == 0)
		rc = db_exec(db, "PRAGMA application_id=0x49504354; PRAGMA user_version=2; COMMIT");
	if (rc)
		db_rollback(db);
	return rc;
}
_Static_assert(TRACE_APPLICATION_ID == 0x49504354 && TRACE_USER_VERSION == 2,
	       "schema_create says them in SQL");

/* What channels have room for. */
static int add_room(sqlite3 *db)
{
	return db_exec(db, "ALTER TABLE chan ADD COLUMN room_bytes INTEGER;"
			   "ALTER TABLE chan ADD COLUMN room_messages INTEGER;"
			   "UPDATE meta SET value = '2' WHERE key = 'version';"
			   "PRAGMA user_version=2");
}

/* migrations[n - 1] brings version n to n + 1 and sets user_version. */
typedef int (*migration)(sqlite3 *db);
static const migration migrations[] = {add_room};
#define NMIGRATIONS ((int)(sizeof(migrations) / sizeof(migrations[0])))
_Static_assert(NMIGRATIONS + 1 == TRACE_USER_VERSION,
	       "one migration for each version but the last");

int schema_migrate(sqlite3 *db)
{
	int64_t version;
	int rc = db_number(db, "PRAGMA user_version", &version);
	if (rc)
		return rc;
	if (version < 1 || version > TRACE_USER_VERSION)
		return -EBADMSG;
	for (; version < TRACE_USER_VERSION; version++) {
		rc = db_exec(db, "BEGIN IMMEDIATE");
		if (rc == 0)
			rc = migrations[version - 1](db);
		if (rc == 0)
			rc = db_exec(db, "COMMIT");
		if (rc) {
			db_rollback(db);
			return rc;
		}
	}
	return 0;
}
