// SPDX-License-Identifier: GPL-2.0-or-later
#include "player.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "activity.h"
#include "db.h"
#include "keyframes.h"
#include "lib/base/clock.h"
#include "lib/model/keyframe.h"
#include "trace.h"

#define MEMORY_BYTES (256u << 20) /* of keyframes that are not in the trace */
#define LOAD_EVENTS 4096u         /* loading a keyframe takes as long as applying so many */
#define PROGRESS_EVENTS 4096u
#define PROGRESS_NS 100000000ull

/* A keyframe that is known: in the trace, or (blob) in memory. */
struct mark {
	uint64_t seq, t_ns;
	struct keyframe_blob *blob;
};

struct player {
	struct trace *trace;
	struct model *model;
	struct player_opts opts;
	struct sink *listener;
	struct source *source;
	const struct ev_hdr *ahead; /* read and not applied; NULL: none */
	uint64_t ahead_seq;
	bool at_end;
	uint64_t seq, t_ns;
	struct ev_io io;
	bool has_io;

	struct mark *marks; /* by seq */
	size_t nmarks, room;
	size_t memory_bytes;
	uint64_t mark_due; /* one is wanted when seq has come so far */

	uint64_t first_ns, last_ns, events;
	struct activity *counting; /* while there is no table */
	struct trace_slot slots[ACTIVITY_SLOTS];
	size_t nslots;
	uint64_t progress_ns, began_seq, goal_seq; /* of what is going on */
};

uint64_t trace_keep(struct trace *t)
{
	int64_t keep = meta_number(t->db, "keep");
	return keep > 0 ? (uint64_t)keep : MODEL_KEEP;
}

static int cannot(struct player *p, int err, struct fail *fail)
{
	struct fail why = {0};
	trace_error(p->trace, &why);
	if (why.what[0] && fail)
		*fail = why;
	else
		fail_set(fail, -err, NULL, "cannot replay '%s'", p->trace->name);
	return err;
}

/* ---- keyframes ---- */

/* The last one for which is_before holds; NULL: there is none. */
static struct mark *mark_before(struct player *p, uint64_t seq, uint64_t t_ns)
{
	size_t low = 0, high = p->nmarks;
	while (low < high) {
		size_t mid = (low + high) / 2;
		if (p->marks[mid].seq <= seq && p->marks[mid].t_ns <= t_ns)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? &p->marks[low - 1] : NULL;
}

static void mark_remove(struct player *p, size_t at)
{
	struct mark *m = &p->marks[at];
	if (m->blob)
		p->memory_bytes -= m->blob->size;
	keyframe_blob_free(m->blob);
	memmove(m, m + 1, (p->nmarks - at - 1) * sizeof(*m));
	p->nmarks--;
}

/* Every second one of those in memory goes, so that they stay spread over all of the trace. */
static void marks_thin(struct player *p)
{
	bool drop = false;
	for (size_t i = p->nmarks; i-- > 0;) {
		if (!p->marks[i].blob)
			continue;
		drop = !drop;
		if (drop)
			mark_remove(p, i);
	}
}

static int mark_insert(struct player *p, size_t at, const struct mark *m)
{
	if (p->nmarks == p->room) {
		struct mark *grown = reallocarray(p->marks, 2 * p->room + 64, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		p->marks = grown;
		p->room = 2 * p->room + 64;
	}
	memmove(&p->marks[at + 1], &p->marks[at], (p->nmarks - at) * sizeof(*m));
	p->marks[at] = *m;
	p->nmarks++;
	return 0;
}

/* A keyframe of here, unless one is near; without memory there is one less. */
static void mark_here(struct player *p)
{
	struct mark *before = mark_before(p, p->seq, UINT64_MAX);
	size_t at = before ? (size_t)(before - p->marks) + 1 : 0;
	if (before && p->seq - before->seq < KEYFRAME_EVENTS) {
		p->mark_due = before->seq + KEYFRAME_EVENTS;
		return;
	}
	struct mark here = {.seq = p->seq, .t_ns = p->t_ns};
	here.blob = keyframe_blob_new(p->model, p->t_ns);
	p->mark_due = p->seq + keyframe_distance(here.blob ? here.blob->size : 0);
	if (!here.blob)
		return;
	/* one that is not far behind will do as well */
	if (at < p->nmarks && p->marks[at].seq < p->mark_due) {
		p->mark_due = p->marks[at].seq + KEYFRAME_EVENTS;
		keyframe_blob_free(here.blob);
		return;
	}
	if (mark_insert(p, at, &here)) {
		keyframe_blob_free(here.blob);
		return;
	}
	p->memory_bytes += here.blob->size;
	while (p->memory_bytes > MEMORY_BYTES)
		marks_thin(p);
}

static int marks_load(struct player *p)
{
	struct keyframe_at *v;
	size_t n;
	int rc = p->opts.is_filtered ? 0 : keyframes_list(p->trace->db, &v, &n);
	if (rc || p->opts.is_filtered)
		return rc;
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = mark_insert(p, p->nmarks, &(struct mark){.seq = v[i].seq, .t_ns = v[i].t_ns});
	free(v);
	return rc;
}

/* ---- moving ---- */

static int reopen(struct player *p, uint64_t seq, uint64_t t_ns)
{
	source_free(p->source);
	p->source = NULL;
	p->ahead = NULL;
	p->at_end = p->has_io = false;
	p->seq = seq;
	p->t_ns = t_ns;
	return trace_source_after(p->trace, seq, &p->source, &p->trace->fail);
}

static int load_mark(struct player *p, const struct mark *m)
{
	void *bytes = NULL;
	size_t size = m->blob ? m->blob->size : 0;
	int rc = m->blob ? 0 : keyframes_get(p->trace->db, m->seq, &bytes, &size);
	if (rc == 0)
		rc = keyframe_load(p->model, m->blob ? m->blob->bytes : bytes, size);
	free(bytes);
	p->mark_due = m->seq + keyframe_distance(size);
	return rc;
}

/* To the last keyframe before there that is of any use, or else before the first event. */
static int go_back(struct player *p, uint64_t seq, uint64_t t_ns)
{
	struct mark *m;
	while ((m = mark_before(p, seq, t_ns))) {
		int rc = load_mark(p, m);
		if (rc == -ENOMEM)
			return rc;
		if (rc == 0)
			return reopen(p, m->seq, m->t_ns);
		mark_remove(p, (size_t)(m - p->marks)); /* of another version, or damaged */
	}
	p->mark_due = KEYFRAME_EVENTS;
	model_reset(p->model);
	return reopen(p, 0, 0);
}

/* 1: p->ahead is the next event. 0: there is none. */
static int look_ahead(struct player *p)
{
	if (p->ahead)
		return 1;
	if (p->at_end)
		return 0;
	int rc = trace_source_next(p->source, &p->ahead, &p->ahead_seq);
	if (rc <= 0)
		p->ahead = NULL;
	p->at_end = rc == 0;
	return rc;
}

static int apply_ahead(struct player *p)
{
	const struct ev_hdr *ev = p->ahead;
	int rc = model_apply_or_count(p->model, ev);
	if (p->counting)
		activity_add(p->counting, ev);
	if (ev->type == EV_IO) {
		p->io = *(const struct ev_io *)ev;
		p->has_io = true;
	}
	if (event_tells_time(ev) && ev->t_ns > p->t_ns)
		p->t_ns = ev->t_ns;
	p->seq = p->ahead_seq;
	p->ahead = NULL;
	if (rc == 0 && p->listener)
		rc = sink_event(p->listener, ev);
	if (rc == 0 && p->seq >= p->mark_due)
		mark_here(p);
	return rc;
}

/* Something that may take long begins: from here to about there. */
static void progress_begin(struct player *p, uint64_t goal_seq)
{
	p->began_seq = p->seq;
	p->goal_seq = goal_seq;
	p->progress_ns = p->opts.progress ? clock_now_ns() + p->opts.progress_ns : 0;
}

/* False: nobody wants it any more. */
static bool progress_tell(struct player *p)
{
	if (!p->opts.progress || p->seq % PROGRESS_EVENTS)
		return true;
	uint64_t now = clock_now_ns();
	if (now < p->progress_ns)
		return true;
	p->progress_ns = now + p->opts.progress_ns;
	double all = p->goal_seq > p->began_seq ? (double)(p->goal_seq - p->began_seq) : 1;
	double done = (double)(p->seq - p->began_seq) / all;
	return p->opts.progress(p->opts.arg, done < 1 ? done : 1);
}

/* Is the event ahead within both? */
static bool is_within(const struct player *p, uint64_t seq, uint64_t t_ns)
{
	return p->ahead_seq <= seq && (!event_tells_time(p->ahead) || p->ahead->t_ns <= t_ns);
}

/* Applies what is within both, at most `events`. 1: there is more of it. */
static int run(struct player *p, uint64_t seq, uint64_t t_ns, uint64_t events)
{
	for (uint64_t n = 0;; n++) {
		int rc = look_ahead(p);
		if (rc <= 0 || !is_within(p, seq, t_ns))
			return rc < 0 ? rc : 0;
		if (n == events)
			return 1;
		rc = apply_ahead(p);
		if (rc)
			return rc;
		if (!progress_tell(p))
			return -ECANCELED;
	}
}

/* Is there a keyframe on the way that saves more than it costs? */
static bool is_worth_a_jump(struct player *p, uint64_t seq, uint64_t t_ns)
{
	const struct mark *m = mark_before(p, seq, t_ns);
	return m && m->seq > p->seq + LOAD_EVENTS;
}

static int go(struct player *p, uint64_t seq, uint64_t t_ns, uint64_t events, struct fail *fail)
{
	int rc = 0;
	if (p->seq > seq || p->t_ns > t_ns || is_worth_a_jump(p, seq, t_ns))
		rc = go_back(p, seq, t_ns);
	/* how many events it is to a time is not known: as many as to the next keyframe */
	const struct mark *before = mark_before(p, seq, t_ns);
	size_t next = before ? (size_t)(before - p->marks) + 1 : 0;
	uint64_t goal = next < p->nmarks ? p->marks[next].seq : p->events;
	progress_begin(p, seq < goal ? seq : goal);
	if (rc == 0)
		rc = run(p, seq, t_ns, events);
	return rc < 0 ? cannot(p, rc, fail) : rc;
}

int player_to_time(struct player *p, uint64_t t_ns, struct fail *fail)
{
	return go(p, UINT64_MAX, t_ns, UINT64_MAX, fail);
}

int player_to_seq(struct player *p, uint64_t seq, struct fail *fail)
{
	return go(p, seq, UINT64_MAX, UINT64_MAX, fail);
}

int player_through_to_seq(struct player *p, uint64_t seq, struct fail *fail)
{
	if (seq < p->seq)
		return player_to_seq(p, seq, fail);
	progress_begin(p, seq);
	int rc = run(p, seq, UINT64_MAX, UINT64_MAX);
	return rc ? cannot(p, rc, fail) : 0;
}

int player_advance(struct player *p, uint64_t t_ns, uint64_t events, struct fail *fail)
{
	return go(p, UINT64_MAX, t_ns, events, fail);
}

/* ---- finding ---- */

/*
 * Applies events up to number `last` and notes in *found the first (or with `all` the last)
 * operation that matches.
 */
static int scan(struct player *p, uint64_t last, bool all, player_match *match, const void *arg,
		uint64_t *found)
{
	int rc;
	*found = 0;
	while ((rc = look_ahead(p)) > 0 && p->ahead_seq <= last) {
		bool is_io = p->ahead->type == EV_IO;
		bool matches = is_io && (!match || match(arg, p->model,
							 (const struct ev_io *)p->ahead));
		rc = apply_ahead(p);
		if (rc)
			return rc;
		if (matches)
			*found = p->seq;
		if (matches && !all)
			return 0;
		if (!progress_tell(p))
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
		rc = go_back(p, to - 1, UINT64_MAX);
		end = p->seq + 1;
		progress_begin(p, to);
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
		progress_begin(p, p->events);
		rc = scan(p, UINT64_MAX, false, match, arg, &found);
	}
	if (rc)
		return cannot(p, rc, fail);
	rc = player_to_seq(p, found ? found : stood, fail);
	return rc ? rc : found > 0;
}

/* Losses are few: their numbers are asked of the table. The type is in bytes 8 and 9 of a record. */
static int loss_seq(struct player *p, bool back, uint64_t *seq)
{
	sqlite3_stmt *st;
	int rc = db_prepare(p->trace->db,
			    back ? "SELECT seq FROM control WHERE seq < ?1"
				   " AND substr(record, 9, 2) = x'0600' ORDER BY seq DESC LIMIT 1"
				 : "SELECT seq FROM control WHERE seq > ?1"
				   " AND substr(record, 9, 2) = x'0600' ORDER BY seq LIMIT 1",
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
_Static_assert(EV_LOST == 6, "loss_seq says it in SQL");

int player_find_loss(struct player *p, bool back, struct fail *fail)
{
	uint64_t seq = 0;
	int found = loss_seq(p, back, &seq);
	if (found <= 0)
		return found ? cannot(p, found, fail) : 0;
	int rc = player_to_seq(p, seq, fail);
	return rc ? rc : 1;
}

/* ---- opening ---- */

/* A trace from before there was a table of activity, or of a recorder that was killed. */
static int count_activity(struct player *p, struct fail *fail)
{
	struct activity *a = calloc(1, sizeof(*a));
	if (!a)
		return fail_set(fail, ENOMEM, NULL, "cannot replay '%s'", p->trace->name);
	p->counting = a;
	progress_begin(p, p->events);
	int rc = run(p, UINT64_MAX, UINT64_MAX, UINT64_MAX);
	p->counting = NULL;
	if (rc == 0)
		rc = activity_add_waits(a, p->trace->db);
	for (size_t i = 0; rc == 0 && a->width_ns && i < ACTIVITY_SLOTS; i++) {
		struct trace_slot *s = &p->slots[p->nslots];
		*s = a->slots[i];
		s->t_ns = a->start_ns + i * a->width_ns;
		s->width_ns = a->width_ns;
		p->nslots += s->ops || s->slept_ns || s->lost;
	}
	free(a);
	return rc ? cannot(p, rc, fail) : player_to_seq(p, 0, fail);
}

static int set_up(struct player *p, struct fail *fail)
{
	p->nslots = ACTIVITY_SLOTS;
	int rc = trace_last_seq(p->trace, &p->events);
	if (rc == 0)
		rc = trace_activity(p->trace, p->slots, &p->nslots);
	if (rc == 0)
		rc = marks_load(p);
	if (rc == 0)
		rc = go_back(p, 0, 0);
	if (rc)
		return cannot(p, rc, fail);
	p->first_ns = (uint64_t)meta_number(p->trace->db, "first_ns");
	p->last_ns = (uint64_t)meta_number(p->trace->db, "last_ns");
	if (p->last_ns < p->first_ns)
		p->last_ns = p->first_ns;
	return p->nslots || !p->events ? 0 : count_activity(p, fail);
}

int player_open(struct player **out, struct trace *t, struct model *m,
		const struct player_opts *opts, struct fail *fail)
{
	struct player *p = calloc(1, sizeof(*p));
	if (!p)
		return fail_set(fail, ENOMEM, NULL, "cannot replay '%s'", t->name);
	p->trace = t;
	p->model = m;
	p->opts = *opts;
	if (!p->opts.progress_ns)
		p->opts.progress_ns = PROGRESS_NS;
	int rc = set_up(p, fail);
	if (rc) {
		player_close(p);
		return rc;
	}
	*out = p;
	return 0;
}

void player_close(struct player *p)
{
	if (!p)
		return;
	source_free(p->source);
	for (size_t i = 0; i < p->nmarks; i++)
		keyframe_blob_free(p->marks[i].blob);
	free(p->marks);
	free(p);
}

void player_set_progress(struct player *p, bool (*progress)(void *arg, double done), void *arg)
{
	p->opts.progress = progress;
	p->opts.arg = arg;
}

void player_set_listener(struct player *p, struct sink *listener) { p->listener = listener; }

uint64_t player_first_ns(const struct player *p) { return p->first_ns; }
uint64_t player_last_ns(const struct player *p) { return p->last_ns; }
uint64_t player_events(const struct player *p) { return p->events; }
uint64_t player_seq(const struct player *p) { return p->seq; }
uint64_t player_ns(const struct player *p) { return p->t_ns; }
const struct ev_io *player_io(const struct player *p) { return p->has_io ? &p->io : NULL; }

const struct trace_slot *player_activity(const struct player *p, size_t *n)
{
	*n = p->nslots;
	return p->slots;
}
