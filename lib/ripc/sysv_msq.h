// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A System V queue's shared memory, and its store of messages. Private.
 *
 * A message is a slot: its state is the truth, and changes by one store. Everything else, the order
 * of the queue, the free slots and blocks, the counts, follows from the slots and is made again from
 * them when a process died while it was at work (msq_rebuild). Short messages lie in the slot,
 * longer ones in a chain of blocks.
 */
#ifndef RIPC_SYSV_MSQ_H
#define RIPC_SYSV_MSQ_H

#include "lib/ripc/ripc_sysv.h"
#include "lib/ripc/sysv.h"

#define MSQ_SLOTS RIPC_MSGMNB_MAX
#define MSQ_INLINE 32u
#define MSQ_BLOCK 64u
/* Enough for any mix: a message has at most one block not full, and one in blocks is over 32 bytes. */
#define MSQ_BLOCKS (RIPC_MSGMNB_MAX / MSQ_INLINE)
#define MSQ_NONE UINT32_MAX

enum msq_state { MSQ_FREE, MSQ_LIVE };

struct msq_slot {
	uint64_t order; /* of sending */
	int64_t type;
	_Atomic uint32_t state;
	uint32_t bytes;
	uint32_t block; /* first of the chain, or MSQ_NONE */
	uint32_t next;	/* in the queue, or among the free */
	unsigned char text[MSQ_INLINE];
};
_Static_assert(sizeof(struct msq_slot) == 64, "one cache line");

struct msq_body {
	struct sysv_head h;
	int64_t stime_s, rtime_s;
	int32_t lspid, lrpid;
	_Atomic uint64_t qbytes;
	struct ripc_lock lock;
	_Atomic uint32_t dirty; /* the rest is to be made again */
	uint32_t first, last, free_slot, slots_used, free_block, blocks_used;
	uint64_t count, bytes, order;
	_Alignas(64) struct ripc_gate not_empty, not_full;
	uint32_t next_block[MSQ_BLOCKS];
	_Alignas(64) unsigned char blocks[MSQ_BLOCKS][MSQ_BLOCK];
	struct msq_slot slots[MSQ_SLOTS];
};

/* Under the lock, each of them. */

/* After a death: the order, the free and the counts from the slots. -ENOMEM. */
int msq_rebuild(struct msq_body *q);

/* 0, or -EAGAIN: no room under qbytes. */
int msq_put(struct msq_body *q, long type, const void *text, size_t bytes);

/* The first that type and MSG_EXCEPT ask for: its slot, with the one before it; or MSQ_NONE. */
uint32_t msq_find(struct msq_body *q, long type, int flags, uint32_t *before);
/* Number `index` of the queue, from 0; MSQ_NONE. */
uint32_t msq_nth(const struct msq_body *q, long index);
size_t msq_bytes(const struct msq_body *q, uint32_t slot);
long msq_type(const struct msq_body *q, uint32_t slot);
/* Its first `bytes`. */
void msq_copy_out(const struct msq_body *q, uint32_t slot, void *text, size_t bytes);
void msq_drop(struct msq_body *q, uint32_t slot, uint32_t before);

#endif
