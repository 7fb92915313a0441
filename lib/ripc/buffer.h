// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The message buffer's shared memory, and the parts of its implementation. Private to lib/ripc.
 *
 * A ring of units. A message is a record: a header and its bytes, in one piece of whole units. Three
 * positions count units from the beginning of time, head <= next <= tail:
 *
 *	[head, next)  taken: viewed by somebody, or done with; room is given back at head
 *	[next, tail)  to be received, or reserved by a sender who still writes
 *
 * Senders are serialised by one lock, receivers by another; they meet only in the positions, each
 * written by one side. Every step commits by one store: tail publishes a record, its state says who
 * has it. So there is nothing to repair when a lock's owner has died.
 */
#ifndef RIPC_BUFFER_H
#define RIPC_BUFFER_H

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
	_Atomic uint32_t spans; /* reserved and viewed; too many after a death, until reaped */

	struct ripc_lock send_lock;
	_Alignas(64) _Atomic uint64_t tail;
	uint64_t head_seen; /* head, as the senders saw it last */

	struct ripc_lock receive_lock;
	_Alignas(64) _Atomic uint64_t next;
	_Atomic uint64_t head;
	uint64_t tail_seen;

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
	unsigned send_spin, receive_spin;
};

/* One try each: 0 or what is described, -EAGAIN when full or empty. */
int ripc_buffer_put(struct ripc_buffer *b, const void *message, size_t bytes);
int ripc_buffer_hold(struct ripc_buffer *b, size_t bytes, struct ripc_span *span);
ssize_t ripc_buffer_take(struct ripc_buffer *b, void *message, size_t room);
int ripc_buffer_look(struct ripc_buffer *b, struct ripc_span *span);

/* Lets senders look, after `taken` records have made room. */
void ripc_buffer_wake_senders(struct ripc_buffer *b, int taken);

/* Gives back what dead processes had reserved or viewed; whether there was something. */
bool ripc_buffer_reap(struct ripc_buffer *b);

/* Under receive_lock. */
int ripc_buffer_advance_head(struct ripc_buffer *b);
struct record *ripc_buffer_record(const struct ripc_buffer *b, uint64_t at, uint64_t end,
				  uint32_t *bytes, uint32_t *units);

#endif
