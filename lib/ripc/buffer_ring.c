// SPDX-License-Identifier: LGPL-2.1-or-later
/* The message buffer's ring: putting records in, taking them out, one try at a time (buffer.h). */
#include "lib/ripc/buffer_ring.h"

#include <limits.h>
#include <string.h>

/* ---- sending ---- */

int ripc_buffer_put(struct ripc_buffer *b, const void *message, size_t bytes)
{
	struct new_record n;
	int err = new_record(b, bytes, &n);
	if (err)
		return err;
	atomic_store_explicit(&n.r->state, RECORD_READY, memory_order_relaxed);
	if (bytes)
		memcpy(n.r + 1, message, bytes);
	atomic_store_explicit(&b->b->tail, n.tail, memory_order_release);
	ripc_leaf_unlock(&b->b->send_lock);
	ripc_gate_wake_fenced(&b->b->not_empty, 1);
	return 0;
}

/* ---- receiving ---- */

/* After receive_lock was given back: the gates' sleepers have fenced, or unlocking did. */
void ripc_buffer_wake_senders(struct ripc_buffer *b, int taken)
{
	struct buffer_body *s = b->b;
	ripc_gate_wake_fenced(&s->not_full, b->shape.room_bytes ? INT_MAX : taken);
	if (ripc_gate_is_used(&s->half_empty) &&
	    atomic_load(&s->tail) - atomic_load(&s->head) <= b->limit / 2)
		ripc_gate_wake_fenced(&s->half_empty, INT_MAX);
}

/* Under receive_lock: gives back the room of what is done with; how many records that was. */
int ripc_buffer_advance_head(struct ripc_buffer *b)
{
	struct buffer_body *s = b->b;
	uint64_t at = atomic_load_explicit(&s->head, memory_order_relaxed);
	int count = 0;
	uint64_t front = front_of(s, at);
	if (front - at > b->units)
		return -EBADMSG;
	while (at != front) {
		uint32_t bytes, units;
		struct record *r = ripc_buffer_record(b, at, front, &bytes, &units);
		if (!r)
			return -EBADMSG;
		if (atomic_load_explicit(&r->state, memory_order_acquire) != RECORD_DONE)
			break;
		at += units;
		count++;
	}
	if (count)
		atomic_store_explicit(&s->head, at, memory_order_release);
	return count;
}

/* Under receive_lock: the record has been received; how many records' room that gave back. */
static inline int finish_record(struct ripc_buffer *b, uint64_t head, struct record *r, uint64_t at,
				uint32_t units)
{
	if (at == head) {
		atomic_store_explicit(&b->b->head, at + units, memory_order_release);
		return 1;
	}
	atomic_store_explicit(&r->state, RECORD_DONE, memory_order_release);
	pass_over(b, head, at, units);
	return ripc_buffer_advance_head(b);
}

ssize_t ripc_buffer_take(struct ripc_buffer *b, void *message, size_t room)
{
	struct record *r;
	uint32_t bytes = 0, units;
	uint64_t at, head;
	int advanced = 0, err = take_lock(&b->b->receive_lock);
	if (err)
		return err;
	note_cpu(&b->b->receiver_cpu);
	head = atomic_load_explicit(&b->b->head, memory_order_relaxed);
	err = find_ready(b, head, &at, &r, &bytes, &units);
	if (__builtin_expect(!err, 1)) {
		if (bytes > room) {
			err = -EMSGSIZE;
		} else {
			fetch_messages(b, at, units);
			if (bytes)
				memcpy(message, r + 1, bytes);
			advanced = finish_record(b, head, r, at, units);
		}
	} else if (err == -EAGAIN) {
		advanced = ripc_buffer_advance_head(b);
	}
	if (advanced < 0)
		err = advanced;
	ripc_leaf_unlock(&b->b->receive_lock);
	if (advanced > 0)
		ripc_buffer_wake_senders(b, advanced);
	if (__builtin_expect(err == -EMSGSIZE, 0)) /* others may have room for it */
		ripc_gate_wake_fenced(&b->b->not_empty, 1);
	return err ? err : (ssize_t)bytes;
}

bool ripc_buffer_is_worth_a_look(const struct ripc_buffer *b)
{
	const struct buffer_body *s = b->b;
	uint64_t at = front_of(s, atomic_load_explicit(&s->head, memory_order_relaxed));
	uint64_t tail = atomic_load_explicit(&s->tail, memory_order_acquire);
	const struct record *r = record_at(b, at);
	if (at == tail)
		return false;
	/* one that is still being written, and nothing behind it */
	return atomic_load_explicit(&r->state, memory_order_relaxed) != RECORD_RESERVED ||
	       tail - at > *(const volatile uint32_t *)&r->units;
}
