// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The message buffer's messages in place: room reserved and written by its user, messages looked at
 * where they lie; and what the dead had of both (buffer.h).
 */
#include "lib/ripc/buffer_ring.h"

#include <limits.h>

#include "lib/ripc/probes.h"

/* In lines of their own sides: senders and receivers do not fight for one. */
static void count_span(_Atomic uint32_t *count, int by)
{
	uint32_t n = atomic_load_explicit(count, memory_order_relaxed);
	while (!(by < 0 && n == 0) && !atomic_compare_exchange_weak(count, &n, n + (uint32_t)by))
		;
}

/* ---- reserving ---- */

int ripc_buffer_hold(struct ripc_buffer *b, size_t bytes, struct ripc_span *span)
{
	struct new_record n;
	int err = new_record(b, bytes, &n);
	if (err)
		return err;
	count_span(&b->b->reserved, 1);
	atomic_store_explicit(&n.r->owner, ripc_self_id(), memory_order_relaxed);
	atomic_store_explicit(&n.r->state, RECORD_RESERVED, memory_order_relaxed);
	atomic_store_explicit(&b->b->tail, n.tail, memory_order_release);
	*span = (struct ripc_span){n.r + 1, bytes, n.at};
	ripc_leaf_unlock(&b->b->send_lock);
	return 0;
}

/* The record of a span that is ours and in this state. */
static struct record *our_record(struct ripc_buffer *b, const struct ripc_span *span,
				 uint32_t state, uint32_t *bytes)
{
	/* in this order: neither passes our record, so what is read first cannot be too old */
	uint64_t tail = atomic_load(&b->b->tail), head = atomic_load(&b->b->head);
	uint32_t units;
	if (!span->data || tail - head > b->units || span->at - head >= tail - head)
		return NULL;
	struct record *r = ripc_buffer_record(b, span->at, tail, bytes, &units);
	if (!r || span->data != r + 1 || atomic_load(&r->state) != state ||
	    atomic_load(&r->owner) != ripc_self_id())
		return NULL;
	return r;
}

static int finish_reservation(struct ripc_buffer *b, struct ripc_span *span, size_t bytes,
			      uint32_t state)
{
	uint32_t reserved;
	struct record *r = our_record(b, span, RECORD_RESERVED, &reserved);
	if (!r)
		return -EINVAL;
	if (bytes > reserved)
		return -EMSGSIZE;
	r->bytes = (uint32_t)bytes;
	atomic_store_explicit(&r->state, state, memory_order_release);
	count_span(&b->b->reserved, -1); /* a fence, on x86 */
	*span = (struct ripc_span){0};
	return 0;
}

int ripc_buffer_commit(struct ripc_buffer *b, struct ripc_span *span, size_t bytes)
{
	RIPC_PROBE_BEGIN();
	int err = finish_reservation(b, span, bytes, RECORD_READY);
	if (!err) {
		ripc_gate_wake_fenced(&b->b->not_empty, 1);
		RIPC_PROBE_SEND(RIPC_KIND("buffer"), b->o->name, b->o->ino, bytes, 0);
	}
	return err;
}

/* ---- viewing ---- */

int ripc_buffer_look(struct ripc_buffer *b, struct ripc_span *span)
{
	struct record *r;
	uint32_t bytes, units;
	uint64_t at, head;
	int err = take_lock(&b->b->receive_lock);
	if (err)
		return err;
	note_cpu(&b->b->receiver_cpu);
	head = atomic_load_explicit(&b->b->head, memory_order_relaxed);
	err = find_ready(b, head, &at, &r, &bytes, &units);
	if (!err) {
		fetch_messages(b, at, units);
		count_span(&b->b->viewed, 1);
		atomic_store_explicit(&r->owner, ripc_self_id(), memory_order_relaxed);
		atomic_store_explicit(&r->state, RECORD_VIEWED, memory_order_release);
		pass_over(b, head, at, units);
		*span = (struct ripc_span){r + 1, bytes, at};
	}
	ripc_leaf_unlock(&b->b->receive_lock);
	return err;
}

static int give_back_room(struct ripc_buffer *b)
{
	int err = take_lock(&b->b->receive_lock);
	if (err)
		return err;
	int advanced = ripc_buffer_advance_head(b);
	ripc_leaf_unlock(&b->b->receive_lock);
	if (advanced > 0)
		ripc_buffer_wake_senders(b, advanced);
	return advanced < 0 ? advanced : 0;
}

int ripc_buffer_release(struct ripc_buffer *b, struct ripc_span *span)
{
	uint32_t bytes;
	struct record *r = our_record(b, span, RECORD_VIEWED, &bytes);
	if (!r)
		return -EINVAL;
	atomic_store_explicit(&r->state, RECORD_DONE, memory_order_release);
	count_span(&b->b->viewed, -1);
	*span = (struct ripc_span){0};
	return give_back_room(b);
}

/* ---- the dead ---- */

static bool reap(struct ripc_buffer *b)
{
	struct buffer_body *s = b->b;
	if (take_lock(&s->receive_lock))
		return false;
	uint64_t at = atomic_load(&s->head), tail = atomic_load(&s->tail);
	bool found = false, is_front = true;
	while (at != tail && tail - at <= b->units) {
		uint32_t bytes, units;
		struct record *r = ripc_buffer_record(b, at, tail, &bytes, &units);
		if (!r)
			break;
		uint32_t state = atomic_load(&r->state);
		if ((state == RECORD_RESERVED || state == RECORD_VIEWED) &&
		    !ripc_id_is_alive(atomic_load(&r->owner)) &&
		    atomic_compare_exchange_strong(&r->state, &state, RECORD_DONE)) {
			count_span(state == RECORD_VIEWED ? &s->viewed : &s->reserved, -1);
			found = true;
			state = RECORD_DONE;
		}
		at += units;
		is_front &= state == RECORD_DONE || state == RECORD_VIEWED;
		if (is_front && front_of(s, at) == at)
			atomic_store(&s->next, at);
	}
	found |= ripc_buffer_advance_head(b) > 0;
	ripc_leaf_unlock(&s->receive_lock);
	if (found)
		ripc_buffer_wake_senders(b, INT_MAX);
	return found;
}

bool ripc_buffer_reap(struct ripc_buffer *b)
{
	return (atomic_load(&b->b->reserved) || atomic_load(&b->b->viewed)) && reap(b);
}

int ripc_buffer_abandon(struct ripc_buffer *b, struct ripc_span *span)
{
	int err = finish_reservation(b, span, 0, RECORD_DONE);
	if (err)
		return err;
	/* a receiver's look moves next over it; so do we, when it is at the front */
	reap(b);
	return 0;
}
