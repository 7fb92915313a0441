/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private to lib/model: which read got which write. A channel's shape has a row of functions for it, one
 * file each (match_*.c); they share how what was written is queued, what was read before its write was
 * seen is noted (a debt), and what the two make of each other is put down to a flow.
 */
#ifndef IPCTAP_MODEL_MATCH_H
#define IPCTAP_MODEL_MATCH_H

#include "world.h"

/* One operation that moves data. */
struct transfer {
	const struct ev_io *io;
	struct task *task;
	struct proc *proc;
	struct chan *chan;
	bool counts; /* the filter lets it count */
};

/* A row of the table: NULL members do nothing. */
struct matcher {
	int (*write)(struct model *m, const struct transfer *x);
	int (*read)(struct model *m, const struct transfer *x);
	int (*wake)(struct model *m, const struct transfer *x); /* slept, and was woken by a task */
	int (*backlog)(struct model *m, struct chan *c, uint64_t bytes);
};
extern const struct matcher match_stream, match_dgram, match_typed, match_counter, match_priority,
    match_direct, match_sum;

int match_apply(struct model *m, const struct transfer *x);
int match_backlog(struct model *m, struct chan *c, uint64_t bytes); /* found in it at first sight */
/* The same where it is known in full: `n` bytes, or messages, or the sum, that side B has to read (or A, or anybody). */
int match_inside(struct model *m, struct chan *c, bool for_b, uint64_t n);
void match_release(struct model *m, struct chan *c); /* forgets what the channel holds */
void queue_release(struct model *m, struct queue *q); /* … what the queue does */

/* The queue an operation puts into or takes out of, when the channel is no set of type queues. */
struct queue *match_write_queue(const struct transfer *x);
struct queue *match_read_queue(const struct transfer *x);

/* One attribution: `messages` of them ended, having lain latency_ns each. */
struct attribution {
	struct proc *src, *dst; /* NULL: not known */
	uint64_t messages, bytes, latency_ns;
	uint64_t read_end_ns; /* 0: the read is the operation at hand, or there was none */
	bool approximate, no_latency;
};
int match_attribute(struct model *m, const struct transfer *x, struct queue *q,
		    const struct attribution *a);

/*
 * Puts what was written into the queue, pushing the oldest out (a loss) when it is full. `end`: of a
 * placed piece, the stream's position behind it.
 */
int match_queue(struct model *m, const struct transfer *x, struct queue *q, uint64_t bytes,
		uint32_t flags, uint32_t end);
/* Notes what was read though nobody is known to have written it, and gives it back. */
int debt_add(struct model *m, const struct transfer *x, struct queue *q, uint64_t bytes,
	     uint32_t flags, uint32_t end);
/* `bytes` of the oldest debt, its first, were written out of sight: they stay with "?". */
void debt_forgive(struct queue *q, struct chan *c, uint64_t bytes);
/*
 * Makes the first `bytes` of debt i, which are not all, a debt of their own in front of it. Returns
 * which is now the rest. When there are too many, those bytes stay with "?".
 */
uint32_t debt_split(struct model *m, struct queue *q, struct chan *c, uint32_t i, uint64_t bytes);
/* The oldest debt; those that were paid before it are gone then. NULL: there is none. */
struct piece *debt_front(struct queue *q);
void debt_expire(struct queue *q);
int debt_pay(struct model *m, const struct transfer *x, struct queue *q, struct piece *debt,
	     const struct attribution *a);

bool match_is_suspect(const struct model *m, const struct chan *c); /* operations were lost … */
void match_suspect(struct chan *c); /* … or it is to be taken so */
/* A socket that existed before the trace, or whose queue overflowed: what it held nobody knows. */
bool match_is_older(const struct chan *c);
/*
 * Notes an operation of *p from begin to end, and whether it is one of a second process. True when
 * one of another process went on at the same time: the order of the two is not certain.
 */
bool queue_note_write(struct queue *q, const struct proc *p, uint64_t begin_ns, uint64_t end_ns);
bool queue_note_read(struct queue *q, const struct proc *p, uint64_t begin_ns, uint64_t end_ns);

/* outside.c: true when only processes outside the scope hold the far end: *err is then the result */
bool outside_write(struct model *m, const struct transfer *x, int *err);
bool outside_read(struct model *m, const struct transfer *x, int *err);

/* match_message.c: queues of whole messages, for dgram and typed */
int message_write(struct model *m, const struct transfer *x, struct queue *q);
int message_read(struct model *m, const struct transfer *x, struct queue *q, bool from_backlog);

/* match_typed.c: the queue of the messages of one type, made when there is none; NULL: no memory */
struct queue *match_type_queue(struct model *m, struct chan *c, int64_t mtype);
/* Is what *x got of what was inside at first sight, whose types are not known? */
bool match_is_typed_backlog(const struct transfer *x, const struct queue *q);
int match_typed_backlog(struct model *m, struct chan *c, uint64_t bytes);

/* From when a call may have taken effect: one that slept did when that was over, never in part before. */
static inline uint64_t io_begin_ns(const struct ev_io *io)
{
	return io->slept_ns > 0 ? io->hdr.t_ns : io->enter_ns;
}

/* Of what queues hold and attributions move, how much is bytes: a sum's are none. */
static inline uint64_t in_bytes(const struct chan *c, uint64_t n)
{
	return c->pub.shape == SHAPE_SUM ? 0 : n;
}

#define PIPE_PAGE_BYTES 4096u /* a pipe keeps what is in it in pages; in packet mode each is of one packet */

#endif
