// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Eventfds: a number that writes add to. A read takes the whole of it, or, of a semaphore, one; what it
 * took it says. So the numbers written queue up like a stream's bytes, and the reader got them from
 * whoever wrote them, whether it slept or, in an event loop, was told by epoll. A message is what one read
 * got of one write.
 *
 * Who of several writers one of a semaphore came from nobody can know; the oldest one then stands for
 * all, and the flow is approximate. So it is where several read and calls overlapped. One reader gets
 * everything, in whatever order.
 */
#include "match.h"

#include <errno.h>

#define APART_MAX 256u /* from here on, what one writes without being read is one piece */

/* The call says what it added or took. */
static bool is_told(const struct ev_io *io)
{
	if (io->op == OP_EVENTFD || io->op == OP_EVENTFD2)
		return true;
	return io->bytes == sizeof(uint64_t) && !(io->hdr.flags & (IO_URING | IO_UNSURE));
}

static bool has_readers(const struct queue *q) { return q->reads.other_end > 0; }

/* Operations were lost, what was inside is not known, or somebody out of sight may take of it. */
static bool is_unsure(const struct model *m, const struct chan *c)
{
	return match_is_suspect(m, c) || (c->older && !c->backlog_known) || c->has_outside;
}

/*
 * A write that turns up behind a read during which it began may have been what that read got, instead of
 * *other's, which went on at the same time.
 */
static int doubt(struct model *m, const struct transfer *x, struct queue *q, const struct proc *other)
{
	if (!has_readers(q) || io_begin_ns(x->io) >= q->reads.first_end)
		return 0;
	match_suspect(x->chan);
	struct flow *f = flow_get(m, (struct proc *)other, (struct proc *)q->reads.first, x->chan, &q->flow);
	if (!f)
		return -ENOMEM;
	if (f->pprev)
		f->pub.approximate = true;
	return 0;
}

/* Gives *left of the write to reads that were seen before it. */
static int pay_debts(struct model *m, const struct transfer *x, struct queue *q, uint64_t *left,
		     bool approximate)
{
	int err = 0;
	for (struct piece *d; !err && *left && (d = debt_front(q));) {
		if (d->t_ns < io_begin_ns(x->io)) {
			ring_pop(&q->debts); /* of a writer out of sight: stays with "?" */
			continue;
		}
		struct attribution a = {.src = x->proc,
					.dst = d->who,
					.messages = 1,
					.bytes = min_u64(d->left, *left),
					.read_end_ns = d->t_ns,
					.approximate = approximate};
		*left -= a.bytes;
		err = debt_pay(m, x, q, d, &a);
	}
	return err;
}

/* Nobody reads, or only what is no process: to keep each apart would have no end. */
static bool is_merged(struct queue *q, const struct transfer *x, uint64_t n)
{
	if (q->written.n < APART_MAX)
		return false;
	struct piece *last = ring_at(&q->written, q->written.n - 1);
	if (last->who != x->proc || last->messages == UINT32_MAX || last->left > UINT64_MAX - n ||
	    !(last->flags & PIECE_COUNTS) != !x->counts)
		return false;
	last->left += n;
	last->messages++;
	return true;
}

static int sum_write(struct model *m, const struct transfer *x)
{
	const struct ev_io *io = x->io;
	bool told = is_told(io);
	uint64_t left = told ? (uint64_t)io->mtype : 1;
	if (io->messages == 0 || left == 0)
		return 0;
	if (!told)
		match_suspect(x->chan);
	struct queue *q = match_write_queue(x);
	const struct proc *other = q->writes.first;
	bool overlaps = queue_note_write(q, x->proc, io_begin_ns(io), io_end_ns(io));
	int err = overlaps ? doubt(m, x, q, other) : 0;
	bool approximate = is_unsure(m, x->chan) || (has_readers(q) && q->many_writers);
	if (!err)
		err = pay_debts(m, x, q, &left, approximate);
	if (err || !left || is_merged(q, x, left))
		return err;
	return match_queue(m, x, q, left, overlaps ? PIECE_APPROX : 0, 0);
}

/* Takes up to *left from the front piece. */
static int take(struct model *m, const struct transfer *x, struct queue *q, uint64_t *left,
		bool approximate)
{
	struct piece *p = ring_at(&q->written, 0);
	uint64_t n = min_u64(p->left, *left), now_ns = x->io->hdr.t_ns;
	*left -= n;
	p->left -= n;
	struct attribution a = {.src = p->who,
				.dst = x->proc,
				.messages = p->left ? 1 : p->messages,
				.bytes = n,
				.latency_ns = now_ns > p->t_ns ? now_ns - p->t_ns : 0,
				.approximate = approximate || (has_readers(q) && p->flags & PIECE_APPROX),
				.no_latency = !p->who};
	bool counts = x->counts || p->flags & PIECE_COUNTS;
	if (p->left && p->messages > 1)
		p->messages--;
	else if (!p->left)
		ring_pop(&q->written);
	return counts ? match_attribute(m, x, q, &a) : 0;
}

/* One was taken, and there is more of others: it may have been any of theirs. */
static bool is_any(const struct queue *q, uint64_t took)
{
	uint32_t n = q->written.n;
	return took == 1 && n > 1 && (q->many_writers || !ring_at(&q->written, 0)->who);
}

static int sum_read(struct model *m, const struct transfer *x)
{
	const struct ev_io *io = x->io;
	if (io->messages == 0)
		return 0;
	struct queue *q = match_read_queue(x);
	bool told = is_told(io);
	uint64_t left = told ? (uint64_t)io->mtype : UINT64_MAX;
	bool overlaps = queue_note_read(q, x->proc, io_begin_ns(io), io_end_ns(io));
	bool approximate = !told || is_unsure(m, x->chan) || is_any(q, left) ||
			   (overlaps && has_readers(q) && q->many_writers);
	int err = 0;
	if (!told && q->written.n == 0)
		return debt_add(m, x, q, 1, 0, 0);
	while (!err && left > 0 && q->written.n > 0)
		err = take(m, x, q, &left, approximate);
	return !err && told && left > 0 ? debt_add(m, x, q, left, 0, 0) : err;
}

const struct matcher match_sum = {.write = sum_write, .read = sum_read};
