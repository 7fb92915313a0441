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
	uint64_t spill_from, spill_seq;
	uint64_t after; /* events up to that number are left out */
	bool started;
	int err; /* met behind the event that was handed out last */
	uint64_t last_ns; /* the latest time delivered */
	uint64_t last_seq;
	struct ev_lost bad;
	union {
		struct ev_hdr hdr;
		struct ev_io io;
		unsigned char bytes[UINT16_MAX + 1];
	} record;
};

/*
 * To the next row. That numbers rise, SQLite takes from the file: where a page is meant to be in one place
 * of the tree, a damaged one may have it in many, and what is read of it would never end.
 */
static int step(struct table *t)
{
	int64_t before = t->more ? t->seq : INT64_MIN;
	int rc = sqlite3_step(t->st);
	t->more = rc == SQLITE_ROW;
	if (t->more)
		t->seq = sqlite3_column_int64(t->st, 0);
	if (t->more && t->seq <= before)
		return -EBADMSG;
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

/* In the place of what makes no sense. */
static const struct ev_hdr *bad_record(struct trace_source *s)
{
	s->bad = lost_event(s->last_ns, LOST_BAD_RECORD, 1);
	return &s->bad.hdr;
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

/* The next one of a kind; *ev is good until the one after it. 1: there was one, 0: no more. */

static int next_event(struct trace_source *s, const struct ev_hdr **ev, uint64_t *seq)
{
	bool ok = true;
	int rc = 0;
	*seq = (uint64_t)s->events.seq;
	read_io(&s->record.io, s->events.st);
	if (s->payloads.more)
		rc = read_payload(s, s->events.seq, &ok);
	*ev = ok ? &s->record.hdr : bad_record(s);
	if (rc == 0)
		s->err = step(&s->events);
	return rc ? rc : 1;
}

static int next_control(struct trace_source *s, const struct ev_hdr **ev, uint64_t *seq)
{
	const void *blob = sqlite3_column_blob(s->controls.st, 1);
	size_t n = (size_t)sqlite3_column_bytes(s->controls.st, 1);
	bool ok = n >= sizeof(struct ev_hdr) && n <= sizeof(s->record);
	*seq = (uint64_t)s->controls.seq;
	if (ok) {
		memcpy(s->record.bytes, blob, n);
		ok = s->record.hdr.type != EV_IO && s->record.hdr.size == n &&
		     event_is_valid(&s->record.hdr, n);
	}
	*ev = ok ? &s->record.hdr : bad_record(s);
	s->err = step(&s->controls);
	return 1;
}

static int next_spilled(struct trace_source *s, const struct ev_hdr **ev, uint64_t *seq)
{
	do {
		while (!s->spill || !(*ev = batch_at(s->spill, s->spill_offset))) {
			free(s->spill);
			s->spill = NULL;
			int rc = spill_next(s->trace->db, s->spill_from, &s->spill);
			if (rc <= 0)
				return rc;
			s->spill_from = s->spill->seq + 1;
			s->spill_seq = s->spill->seq;
			s->spill_offset = 0;
		}
		s->spill_offset += (*ev)->size;
		*seq = s->spill_seq++;
	} while (*seq <= s->after);
	return 1;
}

static int next(struct trace_source *s, const struct ev_hdr **ev, uint64_t *seq)
{
	int rc = s->started ? s->err : start(s);
	if (rc)
		return rc;
	if (s->events.more && (!s->controls.more || s->events.seq < s->controls.seq))
		rc = next_event(s, ev, seq);
	else if (s->controls.more)
		rc = next_control(s, ev, seq);
	else
		rc = next_spilled(s, ev, seq);
	if (rc > 0 && *seq <= s->last_seq) /* two of one number */
		return -EBADMSG;
	if (rc > 0)
		s->last_seq = *seq;
	/* descriptions and losses may be older than what went before */
	if (rc > 0 && event_tells_time(*ev) && (*ev)->t_ns > s->last_ns)
		s->last_ns = (*ev)->t_ns;
	return rc;
}

static void explain(struct trace *t, int err)
{
	if (err == EBADMSG)
		trace_damaged(t->name, "it ends, or makes no sense, before its end", &t->fail);
	else
		fail_set(&t->fail, err, NULL, "cannot read trace '%s'", t->name);
}

int trace_source_next(struct source *self, const struct ev_hdr **ev, uint64_t *seq)
{
	struct trace_source *s = (struct trace_source *)self;
	int rc = next(s, ev, seq);
	if (rc < 0)
		explain(s->trace, -rc);
	return rc;
}

static int trace_poll(struct source *self, struct sink *out, int timeout_ms, uint64_t *complete_ns)
{
	(void)timeout_ms;
	struct trace_source *s = (struct trace_source *)self;
	int rc = 1;
	for (int i = 0; rc > 0 && i < EVENTS_A_POLL; i++) {
		const struct ev_hdr *ev;
		uint64_t seq;
		rc = trace_source_next(self, &ev, &seq);
		int refused = rc > 0 ? sink_event(out, ev) : 0;
		if (refused)
			return refused;
	}
	/* another event of the very same time may be yet to come */
	*complete_ns = rc == 0 ? UINT64_MAX : s->last_ns ? s->last_ns - 1 : 0;
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

static int prepare(struct trace_source *s, struct table *t, const char *sql)
{
	int rc = db_prepare(s->trace->db, sql, &t->st);
	if (rc == 0)
		sqlite3_bind_int64(t->st, 1, s->after ? (sqlite3_int64)s->after : INT64_MIN);
	return rc;
}

int trace_source_after(struct trace *t, uint64_t seq, struct source **out, struct fail *fail)
{
	struct trace_source *s = calloc(1, sizeof(*s));
	if (!s)
		return fail_set(fail, ENOMEM, NULL, "cannot read trace '%s'", t->name);
	s->base = (struct source){.name = "trace", .poll = trace_poll, .free = trace_source_free};
	s->trace = t;
	s->after = seq < INT64_MAX ? seq : INT64_MAX;
	int rc = prepare(s, &s->events,
			 "SELECT " EVENT_COLUMNS " FROM event WHERE id > ?1 ORDER BY id");
	if (rc == 0)
		rc = prepare(s, &s->controls,
			     "SELECT seq, record FROM control WHERE seq > ?1 ORDER BY seq");
	if (rc == 0)
		rc = prepare(s, &s->payloads,
			     "SELECT event, data FROM payload WHERE event > ?1 ORDER BY event");
	if (rc) {
		trace_source_free(&s->base);
		return trace_damaged(t->name, "its tables do not make sense", fail);
	}
	*out = &s->base;
	return 0;
}

int trace_source(struct trace *t, struct source **out, struct fail *fail)
{
	return trace_source_after(t, 0, out, fail);
}
