/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private to lib/model: what lies in a channel, as queues of pieces: in one direction, or of one type of
 * message. What goes in and comes out is match.h's. Whoever includes this has uthash, which gives NULL when
 * there is no memory.
 */
#ifndef IPCTAP_MODEL_QUEUE_H
#define IPCTAP_MODEL_QUEUE_H

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "model.h"

struct flow;
struct proc;

/* A run of bytes, or one message, waiting for its other half. */
struct piece {
	struct proc *who;  /* who wrote it, or, for a debt, who read it; NULL: not known */
	uint64_t t_ns;     /* written: when; a debt: when the read had returned */
	uint64_t left;     /* bytes not yet matched; SHAPE_SUM: of the number */
	uint32_t messages; /* a debt: reads merged into it; SHAPE_SUM: writes */
	uint32_t flags;    /* PIECE_* */
	uint32_t end;      /* PIECE_PLACED: the stream's position behind it; PIECE_PACKET: its whole length */
};
#define PIECE_COUNTS 1u /* the filter lets its operation count */
#define PIECE_APPROX 2u /* its place in the order is not certain */
#define PIECE_PLACED 4u /* its place in the stream is known … */
#define PIECE_SURE 8u   /* … whatever others wrote at the same time */
#define PIECE_LOOSE 16u /* its place is not known, that of others in the channel is: they go apart */
#define PIECE_PACKET 32u /* of packets, which are read one by one, the rest thrown away */

struct ring {
	struct piece *v;
	uint32_t cap, head, n; /* cap: a power of two */
};

#define RING_MAX 65536u               /* pieces a direction (or message type) */
#define RING_BUDGET ((128u << 20) / (uint32_t)sizeof(struct piece)) /* of the whole model: 128 MiB */

struct piece *ring_push(struct model *m, struct ring *r, uint32_t max); /* NULL: full, or no memory */
void ring_pop(struct ring *r);
void ring_release(struct model *m, struct ring *r);
static inline struct piece *ring_at(const struct ring *r, uint32_t i)
{
	return &r->v[(r->head + i) & (r->cap - 1)];
}

/* The latest end of all operations, and of all not of that process: enough to tell an overlap. */
struct overlap {
	const struct proc *first;
	uint64_t first_end, other_end;
};

/*
 * One end of a stream whose operations tell their position (IO_POS). Unless it is a sure one
 * (IO_POS_SURE) it may include what another thread moved meanwhile: then it is believed only while
 * there is one thread.
 */
struct placing {
	uint32_t tid;     /* the first thread */
	bool is_shared;   /* there is another */
	bool has_sure;    /* some were sure */
	bool was_sure;    /* the latest was */
	uint64_t skipped; /* bytes that the latest operation said were somebody's out of sight */
};

/* One direction of a channel. */
struct queue {
	struct ring written; /* and not yet read; of those that are placed, in order of the stream */
	struct ring loose;   /* the same: pieces that lie somewhere between those in written */
	struct ring debts;   /* read before their write was seen, oldest first */
	struct piece *stale; /* debts the latest writes were too young for; STALE_MAX, or NULL */
	uint64_t stale_end;  /* the latest t_ns of stale debts; 0: there are none */
	const struct proc *writer;
	bool many_writers;
	struct placing writing, reading;
	struct overlap writes, reads;
	struct flow *flow;   /* the last one used */
	struct flow *nobody; /* the last one used, from "?" */
};
#define STALE_MAX 8

/* The messages of one type in a System V queue, of one priority in a POSIX queue. */
struct type_queue {
	int64_t mtype;
	struct queue q;
	UT_hash_handle hh;
};

#endif
