// SPDX-License-Identifier: GPL-2.0-or-later
/* The next operation or loss, and the one before; see player.h. All losses; see store.h. */
#include "player_inner.h"

#include <errno.h>
#include <string.h>

#include "db.h"
#include "trace.h"

/*
 * Applies events up to number `last` and notes in *found the first (or with `all` the last)
 * operation that matches.
 */
static int scan(struct player *p, uint64_t last, bool all, player_match *match, const void *arg,
		uint64_t *found)
{
	int rc;
	*found = 0;
	while ((rc = player_look_ahead(p)) > 0 && p->ahead_seq <= last) {
		bool is_io = p->ahead->type == EV_IO;
		bool matches = is_io && (!match || match(arg, p->model,
							 (const struct ev_io *)p->ahead));
		rc = player_apply_ahead(p);
		if (rc)
			return rc;
		if (matches)
			*found = p->seq;
		if (matches && !all)
			return 0;
		if (!player_progress_tell(p))
			return -ECANCELED;
	}
	return rc < 0 ? rc : 0;
}

/* Back from `end` (left out), keyframe by keyframe, until there is one. */
static int scan_back(struct player *p, uint64_t end, player_match *match, const void *arg,
		     uint64_t *found)
{
	int rc = 0;
	*found = 0;
	while (rc == 0 && end > 1 && !*found) {
		uint64_t to = end - 1;
		rc = player_go_back(p, to - 1, UINT64_MAX);
		end = p->seq + 1;
		player_progress_begin(p, to);
		if (rc == 0)
			rc = scan(p, to, true, match, arg, found);
	}
	return rc;
}

/* The operation before this place, whichever it is: the table knows. 0: not this one. */
static uint64_t io_before(struct player *p)
{
	sqlite3_stmt *st;
	uint64_t id = 0;
	if (db_prepare(p->trace->db, "SELECT max(id) FROM event WHERE id < ?1", &st))
		return 0;
	sqlite3_bind_int64(st, 1, (sqlite3_int64)p->seq);
	if (sqlite3_step(st) == SQLITE_ROW && sqlite3_column_int64(st, 0) > 0)
		id = (uint64_t)sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return id;
}

int player_find(struct player *p, bool back, player_match *match, const void *arg,
		struct fail *fail)
{
	uint64_t stood = p->seq, found = back && !match ? io_before(p) : 0;
	int rc = 0;
	if (back && !found) {
		rc = scan_back(p, stood, match, arg, &found);
	} else if (!back) {
		player_progress_begin(p, p->events);
		rc = scan(p, UINT64_MAX, false, match, arg, &found);
	}
	if (rc)
		return player_cannot(p, rc, fail);
	rc = player_to_seq(p, found ? found : stood, fail);
	return rc ? rc : found > 0;
}

/* Losses are few: they are asked of the table. The type is in bytes 8 and 9 of a record. */
#define IS_LOSS "substr(record, 9, 2) = x'0600'"
_Static_assert(EV_LOST == 6, "IS_LOSS says it in SQL");

static int loss_seq(struct player *p, bool back, uint64_t *seq)
{
	sqlite3_stmt *st;
	int rc = db_prepare(p->trace->db,
			    back ? "SELECT seq FROM control WHERE seq < ?1 AND " IS_LOSS
				   " ORDER BY seq DESC LIMIT 1"
				 : "SELECT seq FROM control WHERE seq > ?1 AND " IS_LOSS
				   " ORDER BY seq LIMIT 1",
			    &st);
	if (rc)
		return rc;
	sqlite3_bind_int64(st, 1, (sqlite3_int64)p->seq);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		*seq = (uint64_t)sqlite3_column_int64(st, 0);
	rc = rc == SQLITE_ROW ? 1 : rc == SQLITE_DONE ? 0 : db_errno(p->trace->db);
	sqlite3_finalize(st);
	return rc;
}
int player_find_loss(struct player *p, bool back, struct fail *fail)
{
	uint64_t seq = 0;
	int found = loss_seq(p, back, &seq);
	if (found <= 0)
		return found ? player_cannot(p, found, fail) : 0;
	int rc = player_to_seq(p, seq, fail);
	return rc ? rc : 1;
}

int trace_each_loss(struct trace *t, int (*take)(void *arg, const struct ev_lost *lost), void *arg)
{
	struct ev_lost lost;
	sqlite3_stmt *st;
	int rc = db_prepare(t->db, "SELECT record FROM control WHERE " IS_LOSS " ORDER BY seq", &st), err = 0;
	if (rc)
		return rc;
	while (!err && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		if (sqlite3_column_bytes(st, 0) != sizeof(lost))
			err = -EBADMSG;
		else
			memcpy(&lost, sqlite3_column_blob(st, 0), sizeof(lost));
		err = err ? err : take(arg, &lost);
	}
	if (!err && rc != SQLITE_DONE)
		err = db_errno(t->db);
	sqlite3_finalize(st);
	return err;
}
