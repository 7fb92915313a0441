// SPDX-License-Identifier: GPL-2.0-or-later
#include "both.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

/* The latest futex calls of a thread: one lock may come to several. */
#define CALLS 16
struct thread {
	uint32_t tid;
	uint32_t next;
	struct {
		uint64_t from_ns, to_ns;
	} call[CALLS];
	UT_hash_handle hh;
};

struct name {
	uint16_t kind;
	char ident[EV_IDENT_LEN];
};

/* A channel of the probes, by what the kernel calls it. */
struct theirs {
	struct name name;
	uint64_t chan;
	UT_hash_handle hh, hh_chan;
};

/* One of the shim's: as it was described, and whether that was handed on. */
struct ours {
	uint64_t chan;
	struct ev_chan c;
	bool told;
	UT_hash_handle hh;
};

struct both {
	struct sink from_bpf, from_shim;
	struct sink *out;
	struct thread *threads;
	struct theirs *by_name, *by_chan;
	struct ours *ours;
	struct ev_io *waiting; /* in the order of their arrival */
	size_t n, room;
	uint64_t doubled;
};

/* ---- the probes' side ---- */

static int note_call(struct both *b, const struct ev_io *e)
{
	struct thread *t;
	HASH_FIND(hh, b->threads, &e->tid, sizeof(e->tid), t);
	if (!t) {
		t = calloc(1, sizeof(*t));
		if (!t)
			return -ENOMEM;
		t->tid = e->tid;
		HASH_ADD(hh, b->threads, tid, sizeof(t->tid), t);
	}
	t->call[t->next % CALLS].from_ns = e->enter_ns;
	t->call[t->next++ % CALLS].to_ns = e->enter_ns + e->dur_ns;
	return 0;
}

static struct name name_of(const struct ev_chan *c)
{
	struct name n;
	memset(&n, 0, sizeof(n));
	n.kind = c->kind;
	memcpy(n.ident, c->ident, strnlen(c->ident, sizeof(n.ident) - 1));
	return n;
}

static int note_chan(struct both *b, const struct ev_chan *c)
{
	struct theirs *t;
	struct name n = name_of(c);
	HASH_FIND(hh, b->by_name, &n, sizeof(n), t);
	if (t) {
		HASH_DELETE(hh_chan, b->by_chan, t);
	} else {
		t = calloc(1, sizeof(*t));
		if (!t)
			return -ENOMEM;
		t->name = n;
		HASH_ADD(hh, b->by_name, name, sizeof(t->name), t);
	}
	t->chan = c->chan;
	HASH_ADD(hh_chan, b->by_chan, chan, sizeof(t->chan), t);
	return 0;
}

static void chan_gone(struct both *b, uint64_t chan)
{
	struct theirs *t;
	HASH_FIND(hh_chan, b->by_chan, &chan, sizeof(chan), t);
	if (!t)
		return;
	HASH_DELETE(hh_chan, b->by_chan, t);
	HASH_DELETE(hh, b->by_name, t);
	free(t);
}

static void thread_gone(struct both *b, uint32_t tid)
{
	struct thread *t;
	HASH_FIND(hh, b->threads, &tid, sizeof(tid), t);
	if (!t)
		return;
	HASH_DEL(b->threads, t);
	free(t);
}

static int on_bpf(struct sink *self, const struct ev_hdr *h)
{
	struct both *b = (struct both *)((char *)self - offsetof(struct both, from_bpf));
	const struct ev_io *io = (const struct ev_io *)h;
	const struct ev_task *task = (const struct ev_task *)h;
	int err = 0;
	switch (h->type) {
	case EV_IO:
		if (io->op >= OP_FUTEX && io->op <= OP_FUTEX_REQUEUE)
			err = note_call(b, io);
		break;
	case EV_CHAN:
		if (((const struct ev_chan *)h)->kind == KIND_FUTEX)
			err = note_chan(b, (const struct ev_chan *)h);
		break;
	case EV_GONE:
		chan_gone(b, ((const struct ev_gone *)h)->chan);
		break;
	case EV_TASK:
		if (task->what == TASK_FORK) /* a number that is given out again */
			thread_gone(b, task->tid);
		break;
	}
	return err ? err : sink_event(b->out, h);
}

/* ---- the shim's side ---- */

static int keep(struct both *b, const struct ev_io *e)
{
	if (b->n == b->room) {
		size_t room = b->room ? b->room * 2 : 256;
		struct ev_io *grown = realloc(b->waiting, room * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		b->waiting = grown;
		b->room = room;
	}
	b->waiting[b->n] = *e;
	b->waiting[b->n++].hdr.size = sizeof(*e);
	return 0;
}

static int note_ours(struct both *b, const struct ev_chan *c)
{
	struct ours *o;
	HASH_FIND(hh, b->ours, &c->chan, sizeof(c->chan), o);
	if (!o) {
		o = calloc(1, sizeof(*o));
		if (!o)
			return -ENOMEM;
		o->chan = c->chan;
		HASH_ADD(hh, b->ours, chan, sizeof(o->chan), o);
	}
	o->c = *c;
	return 0;
}

static int on_shim(struct sink *self, const struct ev_hdr *h)
{
	struct both *b = (struct both *)((char *)self - offsetof(struct both, from_shim));
	const struct ev_lost *lost = (const struct ev_lost *)h;
	if (h->type == EV_IO && ((const struct ev_io *)h)->op >= OP_MUTEX_LOCK)
		return keep(b, (const struct ev_io *)h);
	if (h->type == EV_CHAN && ((const struct ev_chan *)h)->kind == KIND_FUTEX)
		return note_ours(b, (const struct ev_chan *)h);
	/* who is not covered is so by the probes */
	if (h->type == EV_LOST && lost->cause != LOST_NOT_COVERED)
		return sink_event(b->out, h);
	return 0;
}

static bool is_doubled(const struct both *b, const struct ev_io *e)
{
	const struct thread *t;
	if (e->op == OP_LOCK_ORDER || e->op == OP_LOCK_HELD) /* no call of the kernel tells of that */
		return false;
	HASH_FIND(hh, b->threads, &e->tid, sizeof(e->tid), t);
	for (uint32_t i = 0; t && i < CALLS && i < t->next; i++)
		if (t->call[i].from_ns <= e->enter_ns + e->dur_ns && t->call[i].to_ns >= e->enter_ns)
			return true;
	return false;
}

static int hand_on(struct both *b, struct ev_io *e)
{
	struct ours *o;
	struct theirs *t = NULL;
	HASH_FIND(hh, b->ours, &e->chan, sizeof(e->chan), o);
	if (o) {
		struct name n = name_of(&o->c);
		HASH_FIND(hh, b->by_name, &n, sizeof(n), t);
	}
	if (t) {
		e->chan = t->chan;
	} else if (o) {
		struct ev_chan c = o->c;
		e->chan = c.chan = BOTH_CHAN + o->chan;
		int err = o->told ? 0 : sink_event(b->out, &c.hdr);
		o->told = true;
		if (err)
			return err;
	} else {
		e->chan = 0;
	}
	return sink_event(b->out, &e->hdr);
}

/* Of an unlock that came to a call, what that does not tell: how long it was held. */
static bool only_holds(struct ev_io *e)
{
	if ((e->op != OP_MUTEX_UNLOCK && e->op != OP_RWLOCK_UNLOCK) || e->mtype <= 0)
		return false;
	e->op = OP_LOCK_HELD;
	e->dur_ns = e->slept_ns = e->waker_tid = 0;
	e->ret = 0;
	e->hdr.flags = 0;
	return true;
}

int both_release(struct both *b, uint64_t until_ns)
{
	size_t left = 0;
	int err = 0;
	for (size_t i = 0; i < b->n; i++) {
		struct ev_io *e = &b->waiting[i];
		if (err || e->enter_ns + e->dur_ns > until_ns)
			b->waiting[left++] = *e;
		else if (is_doubled(b, e)) {
			b->doubled++;
			if (only_holds(e))
				err = hand_on(b, e);
		} else
			err = hand_on(b, e);
	}
	b->n = left;
	return err;
}

uint64_t both_doubled(const struct both *b) { return b->doubled; }

/* ---- both ---- */

struct both *both_new(void)
{
	struct both *b = calloc(1, sizeof(*b));
	if (b) {
		b->from_bpf.event = on_bpf;
		b->from_shim.event = on_shim;
	}
	return b;
}

void both_free(struct both *b)
{
	if (!b)
		return;
	while (b->threads)
		thread_gone(b, b->threads->tid);
	while (b->by_chan)
		chan_gone(b, b->by_chan->chan);
	struct ours *o, *next;
	HASH_ITER(hh, b->ours, o, next) {
		HASH_DEL(b->ours, o);
		free(o);
	}
	free(b->waiting);
	free(b);
}

void both_set_out(struct both *b, struct sink *out) { b->out = out; }
struct sink *both_from_bpf(struct both *b) { return &b->from_bpf; }
struct sink *both_from_shim(struct both *b) { return &b->from_shim; }

struct two {
	struct source source;
	struct source *bpf, *shim;
	struct both *both;
};

/*
 * The probes first: what they have told is complete up to a time before which the shim's calls can be
 * judged. One that is not yet may have taken effect a little before that time.
 */
static int two_poll(struct source *self, struct sink *out, int timeout_ms, uint64_t *complete_ns)
{
	struct two *t = (struct two *)self;
	uint64_t by_bpf, by_shim;
	both_set_out(t->both, out);
	int more = source_poll(t->bpf, both_from_bpf(t->both), timeout_ms, &by_bpf);
	int more_shim = more < 0 ? more : source_poll(t->shim, both_from_shim(t->both), 0, &by_shim);
	if (more_shim < 0)
		return more_shim;
	int err = both_release(t->both, by_bpf < by_shim ? by_bpf : by_shim);
	*complete_ns = by_bpf < by_shim ? by_bpf : by_shim;
	for (size_t i = 0; i < t->both->n; i++)
		if (t->both->waiting[i].hdr.t_ns <= *complete_ns)
			*complete_ns = t->both->waiting[i].hdr.t_ns - 1;
	return err ? err : more || more_shim;
}

static void two_free(struct source *self)
{
	struct two *t = (struct two *)self;
	source_free(t->bpf);
	source_free(t->shim);
	both_free(t->both);
	free(t);
}

struct source *both_source(struct source *bpf, struct source *shim)
{
	struct two *t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	t->both = both_new();
	if (!t->both) {
		free(t);
		return NULL;
	}
	t->source = (struct source){ .name = "bpf+shim", .poll = two_poll, .free = two_free };
	t->bpf = bpf;
	t->shim = shim;
	return &t->source;
}
