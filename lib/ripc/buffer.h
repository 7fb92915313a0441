// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The message buffer's shared memory, and the parts of its implementation. Private to lib/ripc.
 *
 * A ring of units. A message is a record: a header and its bytes, in one piece of whole units.
 * Three positions count units from the beginning of time, head <= front <= tail:
 *
 *	[head, front)  taken: viewed by somebody, or done with; room is given back at head
 *	[front, tail)  to be received, or reserved by a sender who still writes
 *
 * where front is the later one of head and `next`: a message that is received at the front with
 * nothing taken before it only moves head, and next is left behind.
 *
 * Senders are serialised by one lock, receivers by another; they meet only in the positions, each
 * written by one side. While one thread sends and one receives, each keeps its lock, and neither
 * executes an atomic read-modify-write; who is about to sleep fences for both. Every step commits
 * by one store: tail publishes a record; head, or the record's state, takes it. So there is nothing
 * to repair when a lock's owner has died.
 */
#ifndef RIPC_BUFFER_H
#define RIPC_BUFFER_H

#include "lib/ripc/leaf.h"
#include "lib/ripc/object.h"

#define RIPC_RECORD_ALIGN 32u

enum record_state {
	RECORD_DONE = 0x51,
	RECORD_RESERVED, /* by owner, who writes */
	RECORD_READY,
	RECORD_VIEWED, /* by owner, who reads */
};

struct record {
	_Atomic uint32_t state;
	uint32_t bytes;
	uint32_t units; /* the whole record's */
	uint32_t pad;
	_Atomic ripc_id owner;
	uint64_t pad2;
};
_Static_assert(sizeof(struct record) == RIPC_RECORD_ALIGN, "data is aligned");

struct buffer_body {
	struct ripc_buffer_shape shape;
	uint64_t units, limit; /* in the ring, a power of two; and how many may be in use */
	uint32_t unit_bytes;

	struct ripc_leaf send_lock;
	_Alignas(64) _Atomic uint64_t tail;
	uint64_t head_seen;	   /* head, as the senders saw it last */
	_Atomic int sender_cpu;	   /* where the last one was, + 1 */
	_Atomic uint32_t reserved; /* spans; too many after a death, until reaped */
	uint32_t receives_apart;   /* the last receiver was on another CPU */

	struct ripc_leaf receive_lock;
	_Alignas(64) _Atomic uint64_t next; /* behind head it has no meaning */
	_Atomic uint64_t head;
	uint64_t tail_seen;
	_Atomic int receiver_cpu; /* as sender_cpu */
	_Atomic uint32_t viewed;  /* as reserved */
	uint32_t sends_apart;

	_Alignas(64) struct ripc_gate not_empty;
	_Alignas(64) struct ripc_gate not_full;	 /* woken for each that is taken */
	_Alignas(64) struct ripc_gate half_empty; /* woken when half of the room is free */
	_Alignas(64) unsigned char ring[];
};

struct ripc_buffer {
	struct ripc_object *o;
	struct buffer_body *b;
	/* as they were found sound */
	struct ripc_buffer_shape shape;
	uint64_t mask, units, limit;
	uint32_t unit_bytes;
	bool is_kept; /* its locks may be (leaf.h) */
	unsigned send_spin, receive_spin;
};

/* One try each: 0 or what is described, -EAGAIN when full or empty. */
int ripc_buffer_put(struct ripc_buffer *b, const void *message, size_t bytes);
int ripc_buffer_hold(struct ripc_buffer *b, size_t bytes, struct ripc_span *span);
ssize_t ripc_buffer_take(struct ripc_buffer *b, void *message, size_t room);
int ripc_buffer_look(struct ripc_buffer *b, struct ripc_span *span);

/* Whether there may be a message to receive, without a lock. */
bool ripc_buffer_is_worth_a_look(const struct ripc_buffer *b);

/* Lets senders look, after `taken` records have made room. */
void ripc_buffer_wake_senders(struct ripc_buffer *b, int taken);

/* Gives back what the dead had reserved or viewed, if there is a span; whether there was any. */
bool ripc_buffer_reap(struct ripc_buffer *b);

/* The front, by these. */
static inline uint64_t ripc_buffer_front(uint64_t head, uint64_t next)
{
	return (int64_t)(next - head) < 0 ? head : next;
}

/* Under receive_lock. */
int ripc_buffer_advance_head(struct ripc_buffer *b);

#endif
