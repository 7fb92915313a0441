// SPDX-License-Identifier: LGPL-2.1-or-later
/* The message buffer: opening, and waiting for room or a message (buffer.h, buffer_ring.c). */
#include "lib/ripc/buffer_ring.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/ripc/probes.h"

/* ---- opening ---- */

static uint64_t power_of_two(uint64_t n)
{
	uint64_t p = 1;
	while (p < n)
		p *= 2;
	return p;
}

static uint64_t rounded(uint64_t bytes)
{
	return (bytes + RIPC_RECORD_ALIGN - 1) / RIPC_RECORD_ALIGN * RIPC_RECORD_ALIGN;
}

/* What follows from a shape: the sizes of the ring. -EINVAL when it is out of bounds. */
static int plan(struct ripc_buffer *b, const struct ripc_buffer_shape *shape)
{
	bool is_fixed = !shape->room_bytes;
	if (shape->message_bytes > RIPC_MESSAGE_MAX || shape->room_bytes > RIPC_ROOM_MAX ||
	    is_fixed != !!shape->messages || (!is_fixed && !shape->message_bytes) ||
	    shape->messages > 1u << 24)
		return -EINVAL;
	uint64_t record = sizeof(struct record) + rounded(shape->message_bytes);
	b->shape = *shape;
	if (is_fixed) {
		b->unit_bytes = (uint32_t)record;
		b->units = power_of_two(shape->messages);
		b->limit = shape->messages;
	} else {
		uint64_t room = shape->room_bytes > 2 * record ? shape->room_bytes : 2 * record;
		b->unit_bytes = RIPC_RECORD_ALIGN;
		b->units = b->limit = power_of_two(room) / RIPC_RECORD_ALIGN;
	}
	b->mask = b->units - 1;
	return b->units * b->unit_bytes > RIPC_BODY_MAX / 2 ? -EINVAL : 0;
}

static size_t body_bytes_of(const struct ripc_buffer *b)
{
	return sizeof(struct buffer_body) + b->units * b->unit_bytes;
}

static int buffer_init(void *body, size_t bytes, void *arg)
{
	struct buffer_body *s = body;
	struct ripc_buffer *b = arg;
	(void)bytes;
	s->shape = b->shape;
	s->units = b->units;
	s->limit = b->limit;
	s->unit_bytes = b->unit_bytes;
	b->is_kept = !ripc_leaf_prepare();
	if (!b->is_kept) {
		ripc_leaf_never_keep(&s->send_lock);
		ripc_leaf_never_keep(&s->receive_lock);
	}
	return 0;
}

/* They move as we look: those between two looks at the same head belong together. */
static bool positions_are_sound(const struct ripc_buffer *b, const struct buffer_body *s)
{
	for (int tries = 0; tries < 1000; tries++) {
		uint64_t head = atomic_load(&s->head), next = atomic_load(&s->next);
		uint64_t tail = atomic_load(&s->tail);
		if (atomic_load(&s->head) == head)
			return tail - head <= b->units &&
			       ripc_buffer_front(head, next) - head <= tail - head;
	}
	return true; /* so busy that it works; every call looks again */
}

/* Everything private is made from the shape again, and must agree with what lies there. */
static int buffer_check(const void *body, size_t bytes, void *arg)
{
	const struct buffer_body *s = body;
	struct ripc_buffer *b = arg;
	if (bytes < sizeof(*s))
		return -EBADMSG;
	struct ripc_buffer_shape wanted = b->shape, there = s->shape;
	bool any = !wanted.messages && !wanted.room_bytes;
	if (plan(b, &there) || body_bytes_of(b) != bytes || s->units != b->units ||
	    s->limit != b->limit || s->unit_bytes != b->unit_bytes)
		return -EBADMSG;
	if (!any && (there.messages != wanted.messages ||
		     there.message_bytes != wanted.message_bytes ||
		     there.room_bytes != wanted.room_bytes))
		return -EINVAL;
	if (!positions_are_sound(b, s))
		return -EBADMSG;
	b->is_kept = !ripc_leaf_is_never_kept(&s->send_lock) ||
		     !ripc_leaf_is_never_kept(&s->receive_lock);
	return b->is_kept ? ripc_leaf_prepare() : 0;
}

int ripc_buffer_open(struct ripc_buffer **out, const char *name,
		     const struct ripc_buffer_shape *shape, unsigned flags, mode_t mode)
{
	*out = NULL;
	if (!name || (!shape && (flags & RIPC_CREATE)))
		return -EINVAL;
	struct ripc_buffer *b = calloc(1, sizeof(*b));
	if (!b)
		return -ENOMEM;
	int r = shape ? plan(b, shape) : 0;
	const struct ripc_spec spec = {.type = RIPC_TYPE_BUFFER,
				       .name = name,
				       .body_bytes = body_bytes_of(b),
				       .mode = mode,
				       .init = buffer_init,
				       .check = buffer_check,
				       .arg = b};
	if (!r)
		r = ripc_object_open(&b->o, &spec, flags);
	if (r < 0) {
		free(b);
		return r;
	}
	b->b = b->o->body;
	*out = b;
	return r;
}

void ripc_buffer_get_shape(const struct ripc_buffer *b, struct ripc_buffer_shape *shape)
{
	*shape = b->shape;
}

void ripc_buffer_close(struct ripc_buffer *b)
{
	if (b)
		ripc_object_close(b->o);
	free(b);
}

int ripc_buffer_unlink(const char *name) { return ripc_object_unlink(RIPC_TYPE_BUFFER, name); }

struct ripc_buffer *init_message_buffer(unsigned count, const char *name)
{
	struct ripc_buffer *b;
	struct ripc_buffer_shape shape = {.messages = count, .message_bytes = RIPC_MESSAGE_BYTES};
	int r = ripc_buffer_open(&b, name, &shape, RIPC_CREATE, 0);
	if (r < 0)
		errno = -r;
	return b;
}

size_t ripc_buffer_count(struct ripc_buffer *b)
{
	size_t count = 0;
	int err = ripc_leaf_lock(&b->b->receive_lock);
	if (err && err != -EOWNERDEAD)
		return 0;
	uint64_t head = atomic_load(&b->b->head), tail = atomic_load(&b->b->tail);
	uint64_t at = ripc_buffer_front(head, atomic_load(&b->b->next));
	while (at != tail && tail - at <= b->units) {
		uint32_t bytes, units;
		struct record *r = ripc_buffer_record(b, at, tail, &bytes, &units);
		if (!r)
			break;
		count += atomic_load(&r->state) == RECORD_READY;
		at += units;
	}
	ripc_leaf_unlock(&b->b->receive_lock);
	return count;
}

/* ---- waiting ---- */

struct request {
	struct ripc_buffer *b;
	const void *out;
	void *in;
	size_t bytes;
	struct ripc_span *span;
	uint64_t head_was, enough; /* when it was full; room that is worth a look */
};

static ssize_t try_put(struct request *q) { return ripc_buffer_put(q->b, q->out, q->bytes); }
static ssize_t try_hold(struct request *q) { return ripc_buffer_hold(q->b, q->bytes, q->span); }
static ssize_t try_take(struct request *q) { return ripc_buffer_take(q->b, q->in, q->bytes); }
static ssize_t try_look(struct request *q) { return ripc_buffer_look(q->b, q->span); }

/* Cheap looks, for spinning: whether a try is worth it. */
static int has_new_room(void *arg)
{
	struct request *q = arg;
	return atomic_load_explicit(&q->b->b->head, memory_order_relaxed) - q->head_was >=
	       q->enough;
}

static int has_message(void *arg)
{
	struct request *q = arg;
	return ripc_buffer_is_worth_a_look(q->b);
}

/* At a gate: those who then find us there have not to fence for it (leaf.h). */
static ssize_t look(struct request *q, ssize_t (*try)(struct request *))
{
	int err = q->b->is_kept ? ripc_leaf_fence() : 0;
	return err ? err : try(q);
}

static ssize_t wait_at(struct request *q, struct ripc_gate *g, ssize_t (*try)(struct request *),
		       int64_t deadline_ns)
{
	ssize_t r;
	for (int err = 0;;) {
		struct ripc_ticket t = ripc_gate_enter(g);
		r = look(q, try);
		if (r == -EAGAIN && ripc_buffer_reap(q->b))
			r = try(q);
		if (r == -EAGAIN && !err)
			err = ripc_gate_sleep(g, t, deadline_ns);
		else if (r == -EAGAIN)
			r = err;
		ripc_gate_leave(g, t);
		/* after the deadline, one more look: what came with it is not lost */
		if (r != -EAGAIN || err == -EAGAIN)
			return r;
		/* woken, and nearly always for something */
		r = try(q);
		if (r != -EAGAIN)
			return r;
	}
}

/*
 * A sender that finds a large buffer full sleeps first until half of it is free: to be woken for
 * each message that a busy receiver takes would cost both more than the message. When that does
 * not come soon, any room will do.
 */
#define PATIENCE_NS 1000000
#define MANY 16 /* units: large */

static ssize_t wait_for_half(struct request *q, ssize_t (*try)(struct request *),
			     int64_t deadline_ns)
{
	struct ripc_gate *g = &q->b->b->half_empty;
	int64_t until = ripc_deadline_in(PATIENCE_NS);
	struct ripc_ticket t = ripc_gate_enter(g);
	ssize_t r = look(q, try);
	if (r == -EAGAIN) {
		ripc_gate_sleep(g, t, deadline_ns < until ? deadline_ns : until);
		r = try(q);
	}
	ripc_gate_leave(g, t);
	return r;
}

static int spin(struct request *q, bool is_send)
{
	struct ripc_buffer *b = q->b;
	if (is_send)
		return ripc_spin(&b->send_spin, atomic_load(&b->b->receiver_cpu) - 1, has_new_room,
				 q);
	return ripc_spin(&b->receive_spin, atomic_load(&b->b->sender_cpu) - 1, has_message, q);
}

/* After a first try in vain. */
static ssize_t request(struct request *q, bool is_send, ssize_t (*try)(struct request *),
		       int64_t deadline_ns)
{
	struct ripc_buffer *b = q->b;
	ssize_t r = -EAGAIN;
	q->head_was = atomic_load_explicit(&b->b->head, memory_order_relaxed);
	/* not for each message of a large buffer that is full: sender and receiver would go in step */
	q->enough = b->limit >= MANY ? b->limit / 4 : 1;
	if (deadline_ns != RIPC_TRY && spin(q, is_send))
		r = try(q);
	if (r != -EAGAIN)
		return r;
	if (deadline_ns == RIPC_TRY) {
		if (ripc_buffer_reap(b))
			r = try(q);
		return r;
	}
	RIPC_PROBE_WAIT_BEGIN(RIPC_KIND("buffer"), b->o->name, b->o->ino);
	if (is_send && b->limit >= MANY)
		r = wait_for_half(q, try, deadline_ns);
	if (r == -EAGAIN)
		r = wait_at(q, is_send ? &b->b->not_full : &b->b->not_empty, try, deadline_ns);
	RIPC_PROBE_WAIT_END(RIPC_KIND("buffer"), b->o->name, b->o->ino, r < 0 ? -r : 0);
	return r;
}

int ripc_buffer_send_until(struct ripc_buffer *b, const void *message, size_t bytes,
			   int64_t deadline_ns)
{
	if (bytes > b->shape.message_bytes)
		return -EMSGSIZE;
	RIPC_PROBE_BEGIN();
	ssize_t r = ripc_buffer_put(b, message, bytes);
	if (__builtin_expect(r == -EAGAIN, 0)) {
		struct request q = {.b = b, .out = message, .bytes = bytes};
		r = request(&q, true, try_put, deadline_ns);
	}
	if (!r)
		RIPC_PROBE_SEND(RIPC_KIND("buffer"), b->o->name, b->o->ino, bytes, 0);
	return (int)r;
}

int ripc_buffer_send(struct ripc_buffer *b, const void *message, size_t bytes)
{
	return ripc_buffer_send_until(b, message, bytes, RIPC_FOREVER);
}

ssize_t ripc_buffer_receive_until(struct ripc_buffer *b, void *message, size_t room,
				  int64_t deadline_ns)
{
	RIPC_PROBE_BEGIN();
	ssize_t r = ripc_buffer_take(b, message, room);
	if (__builtin_expect(r == -EAGAIN, 0)) {
		struct request q = {.b = b, .in = message, .bytes = room};
		r = request(&q, false, try_take, deadline_ns);
	}
	if (r >= 0)
		RIPC_PROBE_RECEIVE(RIPC_KIND("buffer"), b->o->name, b->o->ino, r, 0);
	return r;
}

ssize_t ripc_buffer_receive(struct ripc_buffer *b, void *message, size_t room)
{
	return ripc_buffer_receive_until(b, message, room, RIPC_FOREVER);
}

int ripc_buffer_reserve(struct ripc_buffer *b, size_t bytes, struct ripc_span *span,
			int64_t deadline_ns)
{
	struct request q = {.b = b, .bytes = bytes, .span = span};
	if (bytes > b->shape.message_bytes)
		return -EMSGSIZE;
	RIPC_PROBE_BEGIN();
	int r = ripc_buffer_hold(b, bytes, span);
	return r == -EAGAIN ? (int)request(&q, true, try_hold, deadline_ns) : r;
}

int ripc_buffer_view(struct ripc_buffer *b, struct ripc_span *span, int64_t deadline_ns)
{
	struct request q = {.b = b, .span = span};
	RIPC_PROBE_BEGIN();
	int r = ripc_buffer_look(b, span);
	if (r == -EAGAIN)
		r = (int)request(&q, false, try_look, deadline_ns);
	if (!r)
		RIPC_PROBE_RECEIVE(RIPC_KIND("buffer"), b->o->name, b->o->ino, span->bytes, 0);
	return r;
}
