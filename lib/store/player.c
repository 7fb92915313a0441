// SPDX-License-Identifier: GPL-2.0-or-later
#include "player_inner.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "db.h"
#include "keyframes.h"
#include "lib/base/clock.h"
#include "lib/model/keyframe.h"
#include "trace.h"

#define LOAD_EVENTS 4096u         /* loading a keyframe takes as long as applying so many */
#define PROGRESS_EVENTS 4096u
#define PROGRESS_NS 100000000ull

uint64_t trace_keep(struct trace *t)
{
	int64_t keep = meta_number(t->db, "keep");
	return keep > 0 ? (uint64_t)keep : MODEL_KEEP;
}

int player_cannot(struct player *p, int err, struct fail *fail)
{
	struct fail why = {0};
	trace_error(p->trace, &why);
	if (why.what[0] && fail)
		*fail = why;
	else
		fail_set(fail, -err, NULL, "cannot replay '%s'", p->trace->name);
	return err;
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

int player_go_back(struct player *p, uint64_t seq, uint64_t t_ns)
{
	struct mark *m;
	while ((m = player_mark_before(p, seq, t_ns))) {
		int rc = load_mark(p, m);
		if (rc == -ENOMEM)
			return rc;
		if (rc == 0)
			return reopen(p, m->seq, m->t_ns);
		player_mark_remove(p, (size_t)(m - p->marks)); /* of another version, or damaged */
	}
	p->mark_due = KEYFRAME_EVENTS;
	model_reset(p->model);
	return reopen(p, 0, 0);
}

int player_look_ahead(struct player *p)
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

int player_apply_ahead(struct player *p)
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
		player_mark_here(p);
	return rc;
}

void player_progress_begin(struct player *p, uint64_t goal_seq)
{
	p->began_seq = p->seq;
	p->goal_seq = goal_seq;
	p->progress_ns = p->opts.progress ? clock_now_ns() + p->opts.progress_ns : 0;
}

bool player_progress_tell(struct player *p)
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
		int rc = player_look_ahead(p);
		if (rc <= 0 || !is_within(p, seq, t_ns))
			return rc < 0 ? rc : 0;
		if (n == events)
			return 1;
		rc = player_apply_ahead(p);
		if (rc)
			return rc;
		if (!player_progress_tell(p))
			return -ECANCELED;
	}
}

/* Is there a keyframe on the way that saves more than it costs? */
static bool is_worth_a_jump(struct player *p, uint64_t seq, uint64_t t_ns)
{
	const struct mark *m = player_mark_before(p, seq, t_ns);
	return m && m->seq > p->seq + LOAD_EVENTS;
}

static int go(struct player *p, uint64_t seq, uint64_t t_ns, uint64_t events, struct fail *fail)
{
	int rc = 0;
	if (p->seq > seq || p->t_ns > t_ns || is_worth_a_jump(p, seq, t_ns))
		rc = player_go_back(p, seq, t_ns);
	/* how many events it is to a time is not known: as many as to the next keyframe */
	const struct mark *before = player_mark_before(p, seq, t_ns);
	size_t next = before ? (size_t)(before - p->marks) + 1 : 0;
	uint64_t goal = next < p->nmarks ? p->marks[next].seq : p->events;
	player_progress_begin(p, seq < goal ? seq : goal);
	if (rc == 0)
		rc = run(p, seq, t_ns, events);
	return rc < 0 ? player_cannot(p, rc, fail) : rc;
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
	player_progress_begin(p, seq);
	int rc = run(p, seq, UINT64_MAX, UINT64_MAX);
	return rc ? player_cannot(p, rc, fail) : 0;
}

int player_advance(struct player *p, uint64_t t_ns, uint64_t events, struct fail *fail)
{
	return go(p, UINT64_MAX, t_ns, events, fail);
}

/* ---- opening ---- */

/* A trace from before there was a table of activity, or of a recorder that was killed. */
static int count_activity(struct player *p, struct fail *fail)
{
	struct activity *a = calloc(1, sizeof(*a));
	if (!a)
		return fail_set(fail, ENOMEM, NULL, "cannot replay '%s'", p->trace->name);
	p->counting = a;
	player_progress_begin(p, p->events);
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
	return rc ? player_cannot(p, rc, fail) : player_to_seq(p, 0, fail);
}

static int set_up(struct player *p, struct fail *fail)
{
	p->nslots = ACTIVITY_SLOTS;
	int rc = trace_last_seq(p->trace, &p->events);
	if (rc == 0)
		rc = trace_activity(p->trace, p->slots, &p->nslots);
	if (rc == 0)
		rc = player_marks_load(p);
	if (rc == 0)
		rc = player_go_back(p, 0, 0);
	if (rc)
		return player_cannot(p, rc, fail);
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
