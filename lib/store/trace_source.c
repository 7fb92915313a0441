// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A trace as a source. Rows of `event` and `control`, merged by their number in the stream, are
 * the events as they were written; blobs of `spill` follow. Everything is checked as if an enemy
 * had written it: what makes no sense becomes an EV_LOST in its place.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "db.h"
#include "schema.h"
#include "spill.h"
#include "trace.h"

#define EVENTS_A_POLL 4096 /* so that who replays can look up now and then */

struct table {
	sqlite3_stmt *st;
	int64_t seq; /* of the row that st stands on */
	bool more;   /* st stands on a row */
};

struct trace_source {
	struct source base;
	struct trace *trace; /* borrowed */
	struct table events, controls, payloads;
	struct batch *spill; /* the blob being delivered, or NULL */
	size_t spill_offset;
	uint64_t spill_from;
	bool started;
	uint64_t last_ns; /* the latest time delivered */
	bool sink_failed;
	union {
		struct ev_hdr hdr;
		struct ev_io io;
		unsigned char bytes[UINT16_MAX + 1];
	} record;
};

static int step(struct table *t)
{
	int rc = sqlite3_step(t->st);
	t->more = rc == SQLITE_ROW;
	if (t->more)
		t->seq = sqlite3_column_int64(t->st, 0);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : db_errno(sqlite3_db_handle(t->st));
}

static int start(struct trace_source *s)
{
	int rc = step(&s->events);
	if (rc == 0)
		rc = step(&s->controls);
	if (rc == 0)
		rc = step(&s->payloads);
	s->started = rc == 0;
	return rc;
}

static int deliver(struct trace_source *s, struct sink *out, const struct ev_hdr *ev)
{
	/* descriptions and losses may be older than what went before */
	if (ev->type != EV_CHAN && ev->type != EV_LOST && ev->t_ns > s->last_ns)
		s->last_ns = ev->t_ns;
	int rc = sink_event(out, ev);
	s->sink_failed = rc != 0;
	return rc;
}

static int deliver_bad(struct trace_source *s, struct sink *out)
{
	struct ev_lost lost = lost_event(s->last_ns, LOST_BAD_RECORD, 1);
	return deliver(s, out, &lost.hdr);
}

static void read_io(struct ev_io *io, sqlite3_stmt *st)
{
	io->enter_ns = (uint64_t)sqlite3_column_int64(st, COL_T);
	io->dur_ns = (uint64_t)sqlite3_column_int64(st, COL_DUR);
	io->slept_ns = (uint64_t)sqlite3_column_int64(st, COL_SLEPT);
	io->pid = (uint32_t)sqlite3_column_int64(st, COL_PID);
	io->tid = (uint32_t)sqlite3_column_int64(st, COL_TID);
	io->op = (uint16_t)sqlite3_column_int64(st, COL_OP);
	io->chan = (uint64_t)sqlite3_column_int64(st, COL_CHAN);
	io->fd = (int32_t)sqlite3_column_int64(st, COL_FD);
	io->ret = sqlite3_column_int64(st, COL_RET);
	io->bytes = (uint64_t)sqlite3_column_int64(st, COL_BYTES);
	io->mtype = sqlite3_column_int64(st, COL_MTYPE);
	io->waker_tid = (uint32_t)sqlite3_column_int64(st, COL_WAKER);
	io->messages = (uint16_t)sqlite3_column_int64(st, COL_MESSAGES);
	io->pad = 0;
	io->hdr = (struct ev_hdr){
	    .t_ns = io->enter_ns + (uint64_t)sqlite3_column_int64(st, COL_AT),
	    .type = EV_IO,
	    .size = sizeof(*io),
	    .flags = (uint32_t)sqlite3_column_int64(st, COL_FLAGS),
	};
}

/* Appends the tail of the event with number `seq`, if it has one. *ok: it had none, or it fits. */
static int read_payload(struct trace_source *s, int64_t seq, bool *ok)
{
	int rc = 0;
	while (rc == 0 && s->payloads.more && s->payloads.seq < seq)
		rc = step(&s->payloads);
	*ok = true;
	if (rc || !s->payloads.more || s->payloads.seq != seq)
		return rc;
	const void *tail = sqlite3_column_blob(s->payloads.st, 1);
	size_t n = (size_t)sqlite3_column_bytes(s->payloads.st, 1);
	*ok = n % 8 == 0 && n <= UINT16_MAX - sizeof(struct ev_io);
	if (*ok && n) {
		memcpy(s->record.bytes + sizeof(struct ev_io), tail, n);
		s->record.hdr.size = (uint16_t)(sizeof(struct ev_io) + n);
	}
	return 0;
}

static int next_event(struct trace_source *s, struct sink *out)
{
	bool ok = true;
	int rc = 0;
	read_io(&s->record.io, s->events.st);
	if (s->payloads.more)
		rc = read_payload(s, s->events.seq, &ok);
	if (rc == 0)
		rc = ok ? deliver(s, out, &s->record.hdr) : deliver_bad(s, out);
	return rc ? rc : step(&s->events);
}

static int next_control(struct trace_source *s, struct sink *out)
{
	const void *blob = sqlite3_column_blob(s->controls.st, 1);
	size_t n = (size_t)sqlite3_column_bytes(s->controls.st, 1);
	bool ok = n >= sizeof(struct ev_hdr) && n <= sizeof(s->record);
	if (ok) {
		memcpy(s->record.bytes, blob, n);
		ok = s->record.hdr.type != EV_IO && s->record.hdr.size == n &&
		     event_is_valid(&s->record.hdr, n);
	}
	int rc = ok ? deliver(s, out, &s->record.hdr) : deliver_bad(s, out);
	return rc ? rc : step(&s->controls);
}

/* 1: delivered; 0: there are no more blobs. */
static int next_spilled(struct trace_source *s, struct sink *out)
{
	const struct ev_hdr *ev;
	while (!s->spill || !(ev = batch_at(s->spill, s->spill_offset))) {
		free(s->spill);
		s->spill = NULL;
		int rc = spill_next(s->trace->db, s->spill_from, &s->spill);
		if (rc <= 0)
			return rc;
		s->spill_from = s->spill->seq + 1;
		s->spill_offset = 0;
	}
	s->spill_offset += ev->size;
	int rc = deliver(s, out, ev);
	return rc ? rc : 1;
}

static int next(struct trace_source *s, struct sink *out)
{
	int rc;
	if (s->events.more && (!s->controls.more || s->events.seq < s->controls.seq))
		rc = next_event(s, out);
	else if (s->controls.more)
		rc = next_control(s, out);
	else
		return next_spilled(s, out);
	return rc ? rc : 1;
}

static int trace_poll(struct source *self, struct sink *out, int timeout_ms, uint64_t *complete_ns)
{
	(void)timeout_ms;
	struct trace_source *s = (struct trace_source *)self;
	int rc = s->started ? 1 : start(s);
	if (rc == 0)
		rc = 1;
	for (int i = 0; rc > 0 && i < EVENTS_A_POLL; i++)
		rc = next(s, out);
	/* another event of the very same time may be yet to come */
	*complete_ns = rc == 0 ? UINT64_MAX : s->last_ns ? s->last_ns - 1 : 0;
	if (rc < 0 && !s->sink_failed) {
		if (rc == -EBADMSG)
			trace_damaged(s->trace->name, "it ends, or makes no sense, before its end",
				      &s->trace->fail);
		else
			fail_set(&s->trace->fail, -rc, NULL, "cannot read trace '%s'",
				 s->trace->name);
	}
	return rc;
}

static void trace_source_free(struct source *self)
{
	struct trace_source *s = (struct trace_source *)self;
	sqlite3_finalize(s->events.st);
	sqlite3_finalize(s->controls.st);
	sqlite3_finalize(s->payloads.st);
	free(s->spill);
	free(s);
}

int trace_source(struct trace *t, struct source **out, struct fail *fail)
{
	struct trace_source *s = calloc(1, sizeof(*s));
	if (!s)
		return fail_set(fail, ENOMEM, NULL, "cannot read trace '%s'", t->name);
	s->base = (struct source){.name = "trace", .poll = trace_poll, .free = trace_source_free};
	s->trace = t;
	int rc =
	    db_prepare(t->db, "SELECT " EVENT_COLUMNS " FROM event ORDER BY id", &s->events.st);
	if (rc == 0)
		rc = db_prepare(t->db, "SELECT seq, record FROM control ORDER BY seq",
				&s->controls.st);
	if (rc == 0)
		rc = db_prepare(t->db, "SELECT event, data FROM payload ORDER BY event",
				&s->payloads.st);
	if (rc) {
		trace_source_free(&s->base);
		return trace_damaged(t->name, "its tables do not make sense", fail);
	}
	*out = &s->base;
	return 0;
}
