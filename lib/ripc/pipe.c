// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Anonymous pipes: a ring with a lock at either side, and a table of who holds which end.
 *
 * A fork must never look as if the last writer had gone: the parent may close its end before the
 * child has run a single instruction. So the parent takes the child's row before it forks, in its
 * own name, and waits until the child has made it its own.
 */
#include "ripc_pipe.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>

#include "object.h"
#include "probes.h"
#include "ring.h"

#define ADOPTION_NS 1000000000ll /* a child that has not run by then was killed, or fork failed */

enum { READ_END, WRITE_END };

struct pipe_body { /* then its bytes */
	struct {
		struct ripc_lock lock; /* one reader, one writer at a time */
		struct ripc_gate gate; /* where that side sleeps */
		_Atomic ripc_id holders[RIPC_PIPE_PROCESSES];
	} side[2];
	struct ripc_ring ring;
	uint64_t size;
	_Alignas(64) char data[];
};

struct ripc_pipe_end {
	struct pipe_share *share;
	struct pipe_body *body;
	uint64_t size; /* a copy: the body may change */
	int side;
	int row, forked_row; /* in holders; −1: none */
	bool nonblock;
	unsigned int spin;
	struct ripc_pipe_end *next, **link; /* all ends of this process */
};

/* The object, for as long as this process has an end of it. */
struct pipe_share {
	struct ripc_object *object;
	unsigned int ends; /* under `ends_lock` */
};

static pthread_mutex_t ends_lock = PTHREAD_MUTEX_INITIALIZER;
static struct ripc_pipe_end *ends;

/* ---- who holds an end ---- */

static int take_row(struct pipe_body *b, int side)
{
	ripc_id me = ripc_self_id();

	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < RIPC_PIPE_PROCESSES; i++) {
			ripc_id was = atomic_load(&b->side[side].holders[i]);

			/* only when the table is full are the dead looked for */
			if (was && (round == 0 || ripc_id_is_alive(was)))
				continue;
			if (atomic_compare_exchange_strong(&b->side[side].holders[i], &was, me))
				return i;
		}
	}
	return -EUSERS;
}

static void give_row(struct ripc_pipe_end *e)
{
	if (e->row >= 0)
		atomic_store(&e->body->side[e->side].holders[e->row], 0);
	e->row = -1;
	/* the other side may be waiting for just this */
	ripc_gate_wake(&e->body->side[!e->side].gate, INT_MAX);
}

static bool is_held(struct pipe_body *b, int side, bool look)
{
	for (int i = 0; i < RIPC_PIPE_PROCESSES; i++) {
		ripc_id id = atomic_load_explicit(&b->side[side].holders[i], memory_order_acquire);

		if (id && (!look || ripc_id_is_alive(id)))
			return true;
		if (id)
			atomic_compare_exchange_strong(&b->side[side].holders[i], &id, 0);
	}
	return false;
}

/* ---- fork ---- */

static void fork_prepare(void)
{
	pthread_mutex_lock(&ends_lock);
	for (struct ripc_pipe_end *e = ends; e; e = e->next)
		e->forked_row = e->row < 0 ? -1 : take_row(e->body, e->side);
}

/* Whether the child has put its own id over ours. */
static int is_adopted(void *arg)
{
	const struct ripc_pipe_end *e = arg;

	return atomic_load(&e->body->side[e->side].holders[e->forked_row]) != ripc_self_id();
}

static void fork_parent(void)
{
	int64_t until = ripc_deadline_in(ADOPTION_NS);

	for (struct ripc_pipe_end *e = ends; e; e = e->next) {
		ripc_id me = ripc_self_id();

		if (e->forked_row < 0)
			continue;
		if (ripc_gate_wait(&e->body->side[e->side].gate, is_adopted, e, until) < 0)
			atomic_compare_exchange_strong(
				&e->body->side[e->side].holders[e->forked_row], &me, 0);
		e->forked_row = -1;
	}
	pthread_mutex_unlock(&ends_lock);
}

/* Runs after the core's handler, since ours are registered later: the id is the child's. */
static void fork_child(void)
{
	for (struct ripc_pipe_end *e = ends; e; e = e->next) {
		e->row = e->forked_row;
		e->forked_row = -1;
		if (e->row < 0)
			continue;
		atomic_store(&e->body->side[e->side].holders[e->row], ripc_self_id());
		ripc_gate_wake(&e->body->side[e->side].gate, INT_MAX);
	}
	pthread_mutex_unlock(&ends_lock);
}

static void register_fork(void) { pthread_atfork(fork_prepare, fork_parent, fork_child); }

/* ---- ends ---- */

static int end_new(struct ripc_pipe_end **result, struct pipe_share *share, uint64_t size, int side)
{
	struct ripc_pipe_end *e = calloc(1, sizeof(*e));
	int row;

	if (!e)
		return -ENOMEM;
	e->share = share;
	e->body = share->object->body;
	e->size = size;
	e->side = side;
	e->forked_row = -1;
	pthread_mutex_lock(&ends_lock);
	e->row = row = take_row(e->body, side);
	if (row >= 0) {
		share->ends++;
		e->next = ends;
		e->link = &ends;
		if (ends)
			ends->link = &e->next;
		ends = e;
	}
	pthread_mutex_unlock(&ends_lock);
	if (row < 0) {
		free(e);
		return row;
	}
	*result = e;
	return 0;
}

void ripc_pipe_close(struct ripc_pipe_end *end)
{
	struct pipe_share *share;
	bool last;

	if (!end)
		return;
	share = end->share;
	pthread_mutex_lock(&ends_lock);
	*end->link = end->next;
	if (end->next)
		end->next->link = end->link;
	give_row(end);
	last = --share->ends == 0;
	pthread_mutex_unlock(&ends_lock);
	if (last) {
		ripc_object_close(share->object);
		free(share);
	}
	free(end);
}

static int init_body(void *body, size_t bytes, void *arg)
{
	(void)bytes;
	((struct pipe_body *)body)->size = *(const uint64_t *)arg;
	return 0;
}

int ripc_pipe_create(struct ripc_pipe_end **reader, struct ripc_pipe_end **writer, size_t bytes)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	uint64_t size = bytes ? (bytes + RIPC_PIPE_BUF - 1) / RIPC_PIPE_BUF * RIPC_PIPE_BUF
			      : RIPC_PIPE_DEFAULT;
	struct ripc_spec spec = {
	    .type = RIPC_TYPE_PIPE,
	    .body_bytes = sizeof(struct pipe_body) + size,
	    .init = init_body,
	    .arg = &size,
	};
	struct pipe_share *share;
	int err;

	if (bytes > RIPC_PIPE_MAX)
		return -EINVAL;
	pthread_once(&once, register_fork);
	share = calloc(1, sizeof(*share));
	if (!share)
		return -ENOMEM;
	err = ripc_object_open(&share->object, &spec, RIPC_CREATE);
	if (err < 0) {
		free(share);
		return err;
	}
	share->ends = 1; /* until both are there */
	err = end_new(reader, share, size, READ_END);
	if (!err) {
		err = end_new(writer, share, size, WRITE_END);
		share->ends--;
		if (err)
			ripc_pipe_close(*reader);
	} else {
		ripc_object_close(share->object);
		free(share);
	}
	return err;
}

int ripc_pipe_dup(struct ripc_pipe_end **copy, struct ripc_pipe_end *end)
{
	int err = end_new(copy, end->share, end->size, end->side);

	if (!err)
		(*copy)->nonblock = end->nonblock;
	return err;
}

void ripc_pipe_set_nonblock(struct ripc_pipe_end *end, bool nonblock) { end->nonblock = nonblock; }

/* ---- data ---- */

struct wait {
	struct ripc_pipe_end *end;
	uint64_t need;
	unsigned int asked;
	int64_t look_ns;
};

enum { READY = 1, ALONE, BROKEN };

/* Whether the other side is gone; who is dead is looked up only as often as the heart beats. */
static bool is_alone(struct wait *w)
{
	bool look = false;

	if (w->asked++) { /* the first time nobody has waited yet: not even the clock is read */
		int64_t now = ripc_now_ns();

		look = w->look_ns && now - w->look_ns >= RIPC_HEARTBEAT_NS / 2;
		if (look || !w->look_ns)
			w->look_ns = now;
	}
	return !is_held(w->end->body, !w->end->side, look);
}

static int can_read(void *arg)
{
	struct wait *w = arg;
	bool alone = is_alone(w); /* before the ring: what they wrote before they left counts */
	uint64_t used = ring_used(&w->end->body->ring, w->end->size);

	return used == UINT64_MAX ? BROKEN : used ? READY : alone ? ALONE : 0;
}

static int can_write(void *arg)
{
	struct wait *w = arg;
	uint64_t used;

	if (is_alone(w))
		return ALONE;
	used = ring_used(&w->end->body->ring, w->end->size);
	return used == UINT64_MAX ? BROKEN : w->end->size - used >= w->need ? READY : 0;
}

/* READY, ALONE, BROKEN; -EAGAIN for a non-blocking end. */
static int wait_for(struct wait *w, int (*is_true)(void *))
{
	const struct ripc_object *o = w->end->share->object;
	int state = is_true(w);

	if (!state && w->end->nonblock)
		return -EAGAIN;
	if (!state)
		state = ripc_spin(&w->end->spin, RIPC_CPU_UNKNOWN, is_true, w);
	if (!state) {
		RIPC_PROBE_WAIT_BEGIN(RIPC_KIND("pipe"), o->name, o->ino);
		state = ripc_gate_wait(&w->end->body->side[w->end->side].gate, is_true, w,
				       RIPC_FOREVER);
		RIPC_PROBE_WAIT_END(RIPC_KIND("pipe"), o->name, o->ino, state == READY ? 0 : EPIPE);
	}
	return state;
}

/* With the lock of the side. A dead owner has left nothing to repair: each commits by one store. */
static size_t take_bytes(struct ripc_pipe_end *e, void *buf, size_t bytes)
{
	struct ripc_ring *r = &e->body->ring;
	uint64_t used = ring_used(r, e->size), head = atomic_load(&r->head);
	size_t n = used == UINT64_MAX ? 0 : used < bytes ? used : bytes;

	if (!n)
		return 0;
	ring_get(e->body->data, e->size, head, buf, n);
	atomic_store_explicit(&r->head, head + n, memory_order_release);
	return n;
}

ssize_t ripc_pipe_read(struct ripc_pipe_end *end, void *buf, size_t bytes)
{
	const struct ripc_object *o = end->share->object;
	struct wait w = {.end = end};

	if (end->side != READ_END)
		return -EBADF;
	if (!bytes)
		return 0;
	RIPC_PROBE_BEGIN();
	for (;;) {
		int state = wait_for(&w, can_read);
		size_t n;

		if (state != READY)
			return state == ALONE ? 0 : state == BROKEN ? -EBADMSG : state;
		ripc_lock(&end->body->side[READ_END].lock);
		n = take_bytes(end, buf, bytes);
		ripc_unlock(&end->body->side[READ_END].lock);
		if (!n)
			continue; /* another reader was faster */
		ripc_gate_wake(&end->body->side[WRITE_END].gate, INT_MAX);
		RIPC_PROBE_RECEIVE(RIPC_KIND("pipe"), o->name, o->ino, n, 0);
		return (ssize_t)n;
	}
}

/* With the lock of the side: all of it if it must be whole, else what fits. */
static size_t put_bytes(struct ripc_pipe_end *e, const void *buf, size_t bytes, bool whole)
{
	struct ripc_ring *r = &e->body->ring;
	uint64_t used = ring_used(r, e->size), tail = atomic_load(&r->tail);
	uint64_t room = used == UINT64_MAX ? 0 : e->size - used;
	size_t n = room < bytes ? room : bytes;

	if (!n || (whole && n < bytes))
		return 0;
	ring_put(e->body->data, e->size, tail, buf, n);
	atomic_store_explicit(&r->tail, tail + n, memory_order_release);
	return n;
}

ssize_t ripc_pipe_write(struct ripc_pipe_end *end, const void *buf, size_t bytes)
{
	bool whole = bytes <= RIPC_PIPE_BUF;
	struct wait w = {.end = end, .need = whole ? bytes : 1};
	const struct ripc_object *o = end->share->object;
	size_t done = 0;

	if (end->side != WRITE_END)
		return -EBADF;
	RIPC_PROBE_BEGIN();
	while (done < bytes) {
		int state = wait_for(&w, can_write);
		size_t n;

		if (state != READY && done)
			break;
		if (state != READY)
			return state == ALONE ? -EPIPE : state == BROKEN ? -EBADMSG : state;
		ripc_lock(&end->body->side[WRITE_END].lock);
		n = put_bytes(end, (const char *)buf + done, bytes - done, whole);
		ripc_unlock(&end->body->side[WRITE_END].lock);
		if (n)
			ripc_gate_wake(&end->body->side[READ_END].gate, INT_MAX);
		done += n;
	}
	RIPC_PROBE_SEND(RIPC_KIND("pipe"), o->name, o->ino, done, 0);
	return (ssize_t)done;
}

ssize_t ripc_pipe_available(struct ripc_pipe_end *end)
{
	uint64_t used = ring_used(&end->body->ring, end->size);

	return used == UINT64_MAX ? -EBADMSG : (ssize_t)used;
}
