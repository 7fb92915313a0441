// SPDX-License-Identifier: GPL-2.0-or-later
#include "activity.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "db.h"
#include "trace.h"

#define WIDTH_FIRST_NS (1u << 20) /* about a millisecond */

static void widen(struct activity *a)
{
	for (unsigned int i = 0; i < ACTIVITY_SLOTS; i++) {
		struct trace_slot s = a->slots[i], *to = &a->slots[i / 2];
		a->slots[i] = (struct trace_slot){0};
		to->ops += s.ops;
		to->bytes += s.bytes;
		to->slept_ns += s.slept_ns;
		to->lost += s.lost;
	}
	a->width_ns *= 2;
	a->latest = NULL;
}

/* What is older than the first event belongs to it. */
static struct trace_slot *slot_at(struct activity *a, uint64_t t_ns)
{
	uint64_t since = t_ns > a->start_ns ? t_ns - a->start_ns : 0;
	if (a->latest && t_ns - a->latest_ns < a->width_ns)
		return a->latest;
	while (since / a->width_ns >= ACTIVITY_SLOTS && a->width_ns < UINT64_MAX / 2)
		widen(a);
	since /= a->width_ns;
	if (since >= ACTIVITY_SLOTS)
		return &a->slots[ACTIVITY_SLOTS - 1];
	a->latest = &a->slots[since];
	a->latest_ns = a->start_ns + since * a->width_ns;
	return a->latest;
}

/* A sleep belongs to every slot that it touches, for as long as it does. */
static void add_sleep(struct activity *a, uint64_t from_ns, uint64_t to_ns)
{
	if (from_ns < a->start_ns)
		from_ns = a->start_ns;
	slot_at(a, to_ns); /* it may double the width: now, not on the way */
	while (from_ns < to_ns) {
		uint64_t left = a->width_ns - (from_ns - a->start_ns) % a->width_ns;
		uint64_t n = to_ns - from_ns < left ? to_ns - from_ns : left;
		slot_at(a, from_ns)->slept_ns += n;
		from_ns += n;
	}
}

static void add_io(struct activity *a, const struct ev_io *io)
{
	struct trace_slot *s = slot_at(a, io->hdr.t_ns);
	uint64_t end_ns = io->hdr.t_ns;
	s->ops++;
	s->bytes += io->bytes;
	if (io->slept_ns && !(io->hdr.flags & IO_HALF))
		add_sleep(a, end_ns > io->slept_ns ? end_ns - io->slept_ns : 0, end_ns);
}

static void begin(struct activity *a, uint64_t t_ns)
{
	if (a->width_ns)
		return;
	a->width_ns = WIDTH_FIRST_NS;
	a->start_ns = t_ns;
}

void activity_add(struct activity *a, const struct ev_hdr *ev)
{
	if (ev->type != EV_IO && ev->type != EV_LOST)
		return;
	begin(a, ev->t_ns);
	if (ev->type == EV_IO)
		add_io(a, (const struct ev_io *)ev);
	else
		slot_at(a, ev->t_ns)->lost += ((const struct ev_lost *)ev)->count;
}

int activity_add_waits(struct activity *a, sqlite3 *db)
{
	int64_t last_ns = meta_number(db, "last_ns"), since_ns;
	sqlite3_stmt *st;
	int rc = db_prepare(db, "SELECT since_ns FROM wait WHERE until_ns IS NULL", &st);
	if (rc)
		return rc;
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		since_ns = sqlite3_column_int64(st, 0);
		if (since_ns <= 0 || since_ns >= last_ns)
			continue;
		begin(a, (uint64_t)since_ns);
		add_sleep(a, (uint64_t)since_ns, (uint64_t)last_ns);
	}
	sqlite3_finalize(st);
	return rc == SQLITE_DONE ? 0 : db_errno(db);
}

int activity_save(const struct activity *a, sqlite3 *db)
{
	sqlite3_stmt *st;
	int rc = db_exec(db, "DELETE FROM activity");
	if (rc == 0)
		rc = db_prepare(db, "INSERT INTO activity(t_ns, width_ns, ops, bytes, slept_ns, lost)"
				    " VALUES(?1, ?2, ?3, ?4, ?5, ?6)", &st);
	if (rc)
		return rc;
	for (uint64_t i = 0; rc == 0 && i < ACTIVITY_SLOTS; i++) {
		const struct trace_slot *s = &a->slots[i];
		if (!s->ops && !s->slept_ns && !s->lost)
			continue;
		int64_t v[] = {(int64_t)(a->start_ns + i * a->width_ns), (int64_t)a->width_ns,
			       (int64_t)s->ops, (int64_t)s->bytes, (int64_t)s->slept_ns,
			       (int64_t)s->lost};
		db_bind_ints(st, 1, (int)(sizeof(v) / sizeof(v[0])), v);
		rc = db_run(st);
	}
	sqlite3_finalize(st);
	return rc;
}

int trace_activity(struct trace *t, struct trace_slot *slots, size_t *n)
{
	sqlite3_stmt *st;
	size_t room = *n;
	*n = 0;
	if (db_prepare(t->db, "SELECT t_ns, width_ns, ops, bytes, slept_ns, lost FROM activity"
			      " ORDER BY t_ns", &st))
		return 0; /* older than the table */
	int rc = 0;
	while (*n < room && (rc = sqlite3_step(st)) == SQLITE_ROW)
		slots[(*n)++] = (struct trace_slot){
		    .t_ns = (uint64_t)sqlite3_column_int64(st, 0),
		    .width_ns = (uint64_t)sqlite3_column_int64(st, 1),
		    .ops = (uint64_t)sqlite3_column_int64(st, 2),
		    .bytes = (uint64_t)sqlite3_column_int64(st, 3),
		    .slept_ns = (uint64_t)sqlite3_column_int64(st, 4),
		    .lost = (uint64_t)sqlite3_column_int64(st, 5),
		};
	sqlite3_finalize(st);
	return rc == SQLITE_DONE || rc == SQLITE_ROW || rc == 0 ? 0 : -EBADMSG;
}
