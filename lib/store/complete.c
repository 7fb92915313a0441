// SPDX-License-Identifier: GPL-2.0-or-later
/* What the recorder would have done at the end, had it not been killed. */
#include <errno.h>
#include <stdlib.h>

#include "db.h"
#include "finish.h"
#include "keyframes.h"
#include "rows.h"
#include "schema.h"
#include "spill.h"
#include "trace.h"
#include "lib/base/clock.h"

struct replay {
	struct trace *trace;
	struct model *model;
	struct activity activity;
	uint64_t last_ns, keyframe_due;
	uint64_t last_seq, tell_ns;
	double from; /* how much was done before, as it is told */
};

#define TELL_NS 20000000ull
#define TELL_EVENTS 4096u

static void tell(struct replay *r, uint64_t seq)
{
	const struct trace *t = r->trace;
	if (!t->tell || seq % TELL_EVENTS || clock_now_ns() < r->tell_ns)
		return;
	r->tell_ns = clock_now_ns() + TELL_NS;
	double done = seq < r->last_seq ? (double)seq / (double)r->last_seq : 1;
	t->tell(t->tell_arg, r->from + (1 - r->from) * done);
}

static int put_keyframe(struct replay *r, uint64_t seq)
{
	struct keyframe_blob *k = keyframe_blob_new(r->model, r->last_ns);
	r->keyframe_due = seq + keyframe_distance(k ? k->size : 0);
	int rc = k ? keyframes_put(r->trace->db, seq, k) : 0;
	keyframe_blob_free(k);
	return rc;
}

static int replay_event(struct replay *r, const struct ev_hdr *ev, uint64_t seq)
{
	int rc = model_apply_or_count(r->model, ev);
	activity_add(&r->activity, ev);
	if (event_tells_time(ev) && ev->t_ns > r->last_ns)
		r->last_ns = ev->t_ns;
	if (rc == 0 && seq >= r->keyframe_due)
		rc = put_keyframe(r, seq);
	return rc;
}

static int replay(struct replay *r)
{
	struct source *source;
	const struct ev_hdr *ev;
	uint64_t seq;
	int rc = trace_source(r->trace, &source, NULL), more;
	if (rc)
		return rc;
	while (rc == 0 && (more = trace_source_next(source, &ev, &seq)) != 0) {
		rc = more < 0 ? more : replay_event(r, ev, seq);
		tell(r, seq);
	}
	source_free(source);
	return rc;
}

/* Blobs to rows takes about as long as the replay after it: half of what is told, if there are any. */
#define EXPAND_SHARE 0.5

static int expand_all(struct trace *t, double *share)
{
	struct rows rows;
	int rc = rows_open(&rows, t->db);
	if (rc)
		return rc;
	uint64_t already = rows.events, spilled = (uint64_t)meta_number(t->db, "spilled");
	while ((rc = spill_expand(&rows)) > 0) {
		uint64_t made = rows.events - already;
		*share = EXPAND_SHARE;
		if (t->tell) /* of what was spilled, some may have been rows by then */
			t->tell(t->tell_arg, made < spilled ? *share * (double)made / (double)spilled : *share);
	}
	rows_release(&rows);
	return rc;
}

static int finish_by_replay(struct trace *t, double from)
{
	struct replay *r = calloc(1, sizeof(*r));
	struct model *m = r ? model_new() : NULL;
	int64_t keep = meta_number(t->db, "keep");
	int rc = m ? schema_add_shortcuts(t->db) : -ENOMEM;
	if (rc == 0)
		rc = db_exec(t->db, "DELETE FROM keyframe");
	if (rc == 0) {
		if (keep > 0)
			model_set_keep(m, (uint64_t)keep);
		r->trace = t;
		r->from = from;
		r->model = m;
		r->keyframe_due = KEYFRAME_EVENTS;
		r->tell_ns = clock_now_ns() + TELL_NS;
		rc = trace_last_seq(t, &r->last_seq);
	}
	if (rc == 0) {
		rc = replay(r);
	}
	if (rc == 0) /* for good: that something may be missing at its end does not change */
		rc = meta_set(t->db, "torn", "1");
	if (rc == 0)
		rc = finish_trace(t->db, m, &r->activity);
	model_free(m);
	free(r);
	return rc;
}

int trace_complete(struct trace *t)
{
	double share = 0;
	int rc = db_open(&t->db, t->path, SQLITE_OPEN_READWRITE, NULL);
	if (rc)
		return rc;
	rc = schema_pragmas(t->db);
	if (rc == 0)
		rc = schema_migrate(t->db);
	if (rc == 0)
		rc = expand_all(t, &share);
	if (rc == 0)
		rc = finish_by_replay(t, share);
	sqlite3_close(t->db);
	t->db = NULL;
	return rc;
}
