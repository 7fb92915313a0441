// SPDX-License-Identifier: LGPL-2.1-or-later
/* Anonymous pipes: reading and writing, by POSIX (ripc_pipe.h). */
#include <errno.h>
#include <limits.h>

#include "pipe.h"
#include "probes.h"

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

/* ---- waiting ---- */

struct wait {
	struct ripc_pipe_end *end;
	uint64_t need;
	struct ripc_looks looks;
};

enum { READY = 1, ALONE, BROKEN };

/* Whether the other side is gone; who is dead is looked up only as often as the heart beats. */
static bool is_alone(struct wait *w)
{
	return !is_held(w->end->body, !w->end->side, ripc_is_time_to_look(&w->looks));
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

/* For what one does at a time. Who died in it has left nothing to repair. */
static int take_side(struct ripc_pipe_end *e)
{
	int err = ripc_lock(&e->body->side[e->side].lock);

	return err == -EOWNERDEAD ? 0 : err;
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
		state = take_side(end);
		if (state)
			return state;
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
		state = take_side(end);
		if (state)
			return done ? (ssize_t)done : state;
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
