// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Queues of whole messages: the first one written is the first one read, and a read takes it
 * whole, whatever its buffer holds. A call that moved several tells only the sum of their sizes;
 * they are taken to be equal.
 */
#include "match.h"

#include <errno.h>

/* Gives the message to a reader that was seen before it. *paid tells whether there was one. */
static int pay_debt(struct model *m, const struct transfer *x, struct queue *q, bool approximate,
		    bool *paid)
{
	while (q->debts.n > 0) {
		struct piece *d = ring_at(&q->debts, 0);
		if (d->t_ns < io_begin_ns(x->io)) {
			ring_pop(&q->debts); /* of a sender out of sight: stays with "?" */
			continue;
		}
		struct attribution a = {.src = x->proc,
					.dst = d->who,
					.messages = 1,
					.bytes = d->left,
					.read_end_ns = d->t_ns,
					.approximate = approximate};
		int err = debt_pay(m, x, q, d, &a);
		ring_pop(&q->debts);
		*paid = true;
		return err;
	}
	return 0;
}

int message_write(struct model *m, const struct transfer *x, struct queue *q)
{
	const struct ev_io *io = x->io;
	uint64_t n = io->messages, left = io->bytes;
	if (n == 0)
		return 0;
	bool overlaps = queue_note_write(q, x->proc, io_begin_ns(io), io_end_ns(io));
	bool unsure = overlaps || n > 1 || io->hdr.flags & (IO_ASSUMED | IO_UNSURE);
	bool approximate = unsure || q->many_writers || match_is_suspect(m, x->chan);
	for (; n > 0; n--) {
		uint64_t bytes = n > 1 ? io->bytes / io->messages : left;
		left -= bytes;
		bool paid = false;
		int err = pay_debt(m, x, q, approximate, &paid);
		if (!err && !paid)
			err = match_queue(m, x, q, bytes, unsure ? PIECE_APPROX : 0, 0);
		if (err)
			return err;
	}
	return 0;
}

/* One handed to a receiver that slept never lay there: the probes put the two 1 ns apart, for their order alone. */
static uint64_t lay_ns(uint64_t from_ns, uint64_t to_ns)
{
	return to_ns > from_ns && to_ns - from_ns > 1 ? to_ns - from_ns : 0;
}

/* The front message goes to the reader, who got `bytes` of it. */
static int take(struct model *m, const struct transfer *x, struct queue *q, uint64_t bytes,
		bool approximate)
{
	struct piece p = *ring_at(&q->written, 0);
	ring_pop(&q->written);
	x->chan->pub.unread_bytes -= p.left;
	struct attribution a = {.src = p.who,
				.dst = x->proc,
				.messages = 1,
				.bytes = bytes,
				.latency_ns = lay_ns(p.t_ns, x->io->hdr.t_ns),
				.approximate = approximate || p.flags & PIECE_APPROX,
				.no_latency = !p.who};
	return x->counts || p.flags & PIECE_COUNTS ? match_attribute(m, x, q, &a) : 0;
}

static int take_backlog(struct model *m, const struct transfer *x, struct queue *q)
{
	struct chan *c = x->chan;
	uint64_t bytes = min_u64(x->io->bytes, c->backlog);
	c->backlog -= bytes;
	c->pub.unread_bytes -= bytes;
	struct attribution a = {
	    .dst = x->proc, .messages = x->io->messages, .bytes = x->io->bytes, .no_latency = true};
	return x->counts ? match_attribute(m, x, q, &a) : 0;
}

int message_read(struct model *m, const struct transfer *x, struct queue *q, bool from_backlog)
{
	const struct ev_io *io = x->io;
	uint64_t n = io->messages, left = io->bytes;
	if (n == 0)
		return 0;
	bool overlaps = queue_note_read(q, x->proc, io_begin_ns(io), io_end_ns(io));
	bool approximate =
	    (overlaps && q->many_writers) || match_is_suspect(m, x->chan) || x->chan->backlog > 0 ||
	    match_is_older(x->chan) || io->hdr.flags & IO_UNSURE;
	if (from_backlog)
		return take_backlog(m, x, q);
	for (; n > 0; n--) {
		bool is_queued = q->written.n > 0;
		uint64_t bytes = n == 1      ? left
				 : is_queued ? ring_at(&q->written, 0)->left
					     : left / n;
		bytes = min_u64(bytes, left);
		left -= bytes;
		int err = is_queued ? take(m, x, q, bytes, approximate) : debt_add(m, x, q, bytes, 0, 0);
		if (err)
			return err;
	}
	return 0;
}
