// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Byte streams: pipes, stream sockets. What is written queues up in order and is read from the
 * front, whatever the sizes. A write counts as a message to whoever reads its last byte.
 */
#include "world.h"

#include <errno.h>

/* Feeds one debt from the write *x, of which *left bytes are not yet placed. */
static int pay(struct model *m, const struct transfer *x, struct queue *q, struct piece *debt,
	       uint64_t *left, bool approximate)
{
	uint64_t n = min_u64(debt->left, *left);
	*left -= n;
	struct attribution a = {.src = x->proc,
				.dst = debt->who,
				.messages = *left == 0,
				.bytes = n,
				.approximate = approximate};
	return debt_pay(m, x, q, debt, &a);
}

static int pay_debts(struct model *m, const struct transfer *x, struct queue *q, uint64_t *left,
		     bool approximate)
{
	uint64_t begin_ns = x->io->enter_ns;
	int err = 0;
	if (q->stale && q->stale_end >= begin_ns)
		for (struct piece *s = q->stale; s < q->stale + STALE_MAX && !err && *left; s++)
			if (s->left && s->t_ns >= begin_ns)
				err = pay(m, x, q, s, left, true);
	while (!err && *left && q->debts.n > 0) {
		struct piece *d = ring_at(&q->debts, 0);
		if (d->t_ns < begin_ns) {
			debt_expire(q);
			continue;
		}
		err = pay(m, x, q, d, left, approximate);
		if (d->left == 0)
			ring_pop(&q->debts);
	}
	return err;
}

static int stream_write(struct model *m, const struct transfer *x)
{
	const struct ev_io *io = x->io;
	uint64_t left = io->bytes;
	if (left == 0)
		return 0;
	struct queue *q = match_write_queue(x);
	bool overlaps = queue_note_write(q, x->proc, io->enter_ns, io_end_ns(io));
	overlaps |= (io->hdr.flags & IO_COOKED) != 0; /* where its bytes begin and end is not certain */
	/* The only writer there ever was cannot be confused with another. */
	bool approximate = overlaps || q->many_writers || match_is_suspect(m, x->chan);
	int err = pay_debts(m, x, q, &left, approximate);
	if (err || left == 0)
		return err;
	return match_queue(m, x, q, left, overlaps ? PIECE_APPROX : 0);
}

/* Takes up to *left bytes from the front piece. */
static int take(struct model *m, const struct transfer *x, struct queue *q, uint64_t *left,
		bool approximate)
{
	struct piece *p = ring_at(&q->written, 0);
	uint64_t n = min_u64(p->left, *left), now_ns = x->io->hdr.t_ns;
	*left -= n;
	p->left -= n;
	x->chan->pub.unread_bytes -= n;
	struct attribution a = {.src = p->who,
				.dst = x->proc,
				.messages = p->left == 0,
				.bytes = n,
				.latency_ns = now_ns > p->t_ns ? now_ns - p->t_ns : 0,
				.approximate = approximate || p->flags & PIECE_APPROX,
				.no_latency = !p->who};
	bool counts = x->counts || p->flags & PIECE_COUNTS;
	if (p->left == 0)
		ring_pop(&q->written);
	return counts ? match_attribute(m, x, q, &a) : 0;
}

/* What was inside at first sight of a two-sided channel, in a direction that nobody knows. */
static int take_backlog(struct model *m, const struct transfer *x, struct queue *q, uint64_t *left)
{
	struct chan *c = x->chan;
	uint64_t n = min_u64(c->backlog, *left);
	c->backlog -= n;
	c->pub.unread_bytes -= n;
	*left -= n;
	struct attribution a = {
	    .dst = x->proc, .messages = 1, .bytes = n, .approximate = true, .no_latency = true};
	return x->counts ? match_attribute(m, x, q, &a) : 0;
}

static int stream_read(struct model *m, const struct transfer *x)
{
	const struct ev_io *io = x->io;
	uint64_t left = io->bytes;
	if (left == 0)
		return 0;
	struct queue *q = match_read_queue(x);
	uint64_t begin_ns = io->slept_ns > 0 ? io->hdr.t_ns : io->enter_ns;
	bool overlaps = queue_note_read(q, x->proc, begin_ns, io_end_ns(io));
	bool approximate =
	    (overlaps && q->many_writers) || match_is_suspect(m, x->chan) || x->chan->backlog > 0 ||
	    io->hdr.flags & IO_COOKED;
	int err = 0;
	while (!err && left > 0 && q->written.n > 0)
		err = take(m, x, q, &left, approximate);
	if (!err && left > 0 && x->chan->backlog > 0)
		err = take_backlog(m, x, q, &left);
	if (!err && left > 0)
		err = debt_add(m, x, q, left);
	return err;
}

static int stream_backlog(struct model *m, struct chan *c, uint64_t bytes)
{
	if (c->pub.duplex) {
		c->backlog = bytes;
		return 0;
	}
	struct piece *p = ring_push(m, &c->q[0].written, RING_MAX);
	if (!p)
		return -ENOMEM;
	p->left = bytes;
	return 0;
}

const struct matcher match_stream = {
    .write = stream_write,
    .read = stream_read,
    .backlog = stream_backlog,
};
