// SPDX-License-Identifier: GPL-2.0-or-later
#include "rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "batch_vtab.h"
#include "db.h"
#include "schema.h"

int rows_open(struct rows *r, sqlite3 *db)
{
	*r = (struct rows){.db = db};
	r->events = (uint64_t)meta_number(db, "events");
	r->first_ns = (uint64_t)meta_number(db, "first_ns");
	r->last_ns = (uint64_t)meta_number(db, "last_ns");
	r->activity = calloc(1, sizeof(*r->activity));
	int rc = r->activity ? batch_vtab_register(db, &r->batch) : -ENOMEM;
	if (rc == 0)
		rc = db_prepare(
		    db, "INSERT INTO event(" EVENT_COLUMNS ") SELECT " EVENT_COLUMNS " FROM batch",
		    &r->st[ROWS_EVENTS]);
	if (rc == 0)
		rc = db_prepare(db, "INSERT INTO payload(event, data) VALUES(?1, ?2)",
				&r->st[ROWS_PAYLOAD]);
	if (rc == 0)
		rc = rows_control_open(r);
	if (rc)
		rows_release(r);
	return rc;
}

void rows_release(struct rows *r)
{
	for (int i = 0; i < ROWS_NSTMTS; i++)
		sqlite3_finalize(r->st[i]);
	memset(r->st, 0, sizeof(r->st));
	free(r->activity);
	r->activity = NULL;
}

static int write_payload(struct rows *r, uint64_t seq, const struct ev_io *io)
{
	sqlite3_stmt *st = r->st[ROWS_PAYLOAD];
	sqlite3_bind_int64(st, 1, (sqlite3_int64)seq);
	sqlite3_bind_blob(st, 2, io + 1, (int)(io->hdr.size - sizeof(*io)), SQLITE_STATIC);
	return db_run(st);
}

static void span(struct rows *r, uint64_t from_ns, uint64_t to_ns)
{
	if (from_ns && (r->first_ns == 0 || from_ns < r->first_ns))
		r->first_ns = from_ns;
	if (to_ns > r->last_ns)
		r->last_ns = to_ns;
}

/* What is not the plain part of an EV_IO, in the order of the stream. */
static int write_others(struct rows *r, const struct batch *b)
{
	uint64_t seq = b->seq;
	size_t offset = 0;
	int rc = 0;
	for (const struct ev_hdr *ev; rc == 0 && (ev = batch_at(b, offset));
	     offset += ev->size, seq++) {
		activity_add(r->activity, ev);
		if (ev->type != EV_IO) {
			span(r, ev->t_ns, ev->t_ns);
			rc = rows_control(r, seq, ev);
			continue;
		}
		const struct ev_io *io = (const struct ev_io *)ev;
		span(r, ev_io_from_ns(io), io->enter_ns + io->dur_ns);
		if (ev->size > sizeof(*io))
			rc = write_payload(r, seq, io);
	}
	return rc;
}

int rows_write(struct rows *r, const struct batch *b)
{
	int rc = write_others(r, b);
	if (rc == 0 && b->nio) {
		r->batch = b;
		rc = db_run(r->st[ROWS_EVENTS]);
		r->batch = NULL;
	}
	if (rc == 0)
		r->events += b->nio;
	return rc;
}

int rows_save_totals(struct rows *r)
{
	int rc = meta_set_number(r->db, "events", (int64_t)r->events);
	if (rc == 0)
		rc = meta_set_number(r->db, "first_ns", (int64_t)r->first_ns);
	if (rc == 0)
		rc = meta_set_number(r->db, "last_ns", (int64_t)r->last_ns);
	return rc;
}
