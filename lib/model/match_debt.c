// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the queues of all shapes do when the halves of a transfer do not meet: reads that come
 * before their write become debts, writes that nobody reads fall out of a full queue.
 *
 * A long write is placed at its end in the stream of events, after many reads that already took
 * its first bytes: debts are the rule there, not the exception. A write can only have fed a read
 * that returned after the write began, which keeps a writer out of sight (out of scope) from
 * being paid for by the next one in sight.
 */
#include "world.h"

#include <errno.h>
#include <stdlib.h>

#define DEBTS_MAX 1024u  /* a direction; older ones become stale */
#define DEBTS_MERGE 256u /* from here on, reads in quick succession are merged */
#define DEBTS_MERGE_NS 1000000ull

/* The oldest piece of a full queue: its reader is out of sight. */
static int push_out(struct model *m, const struct transfer *x, struct queue *q)
{
	struct piece *p = ring_at(&q->written, 0);
	int err = loss_add(m, LOST_MATCH_QUEUE, 0, 1);
	struct attribution a = {.src = p->who,
				.messages = 1,
				.bytes = p->left,
				.no_latency = true,
				.approximate = p->flags & PIECE_APPROX};
	if (!err && p->who && p->flags & PIECE_COUNTS)
		err = match_attribute(m, x, q, &a);
	x->chan->pub.unread_bytes -= p->left;
	x->chan->older = true;
	chan_update_known(x->chan);
	ring_pop(&q->written);
	return err;
}

int match_queue(struct model *m, const struct transfer *x, struct queue *q, uint64_t bytes,
		uint32_t flags)
{
	struct piece *p = ring_push(m, &q->written, RING_MAX);
	if (!p && q->written.n > 0) {
		int err = push_out(m, x, q);
		if (err)
			return err;
		p = ring_push(m, &q->written, RING_MAX);
	}
	if (!p)
		return -ENOMEM;
	p->who = x->proc;
	p->t_ns = x->io->hdr.t_ns;
	p->left = bytes;
	p->messages = 1;
	p->flags = flags | (x->counts ? PIECE_COUNTS : 0);
	x->chan->pub.unread_bytes += bytes;
	return 0;
}

static bool is_mergeable(const struct queue *q, const struct transfer *x, uint32_t flags)
{
	if (x->chan->pub.shape != SHAPE_STREAM || q->debts.n < DEBTS_MERGE)
		return false;
	const struct piece *last = ring_at(&q->debts, q->debts.n - 1);
	return last->who == x->proc && last->flags == flags &&
	       io_end_ns(x->io) - last->t_ns < DEBTS_MERGE_NS;
}

int debt_add(struct model *m, const struct transfer *x, struct queue *q, uint64_t bytes,
	     uint32_t flags)
{
	flags |= x->counts ? PIECE_COUNTS : 0;
	struct piece *d;
	if (is_mergeable(q, x, flags)) {
		d = ring_at(&q->debts, q->debts.n - 1);
	} else {
		d = ring_push(m, &q->debts, DEBTS_MAX);
		if (!d && q->debts.n > 0) {
			debt_expire(q);
			d = ring_push(m, &q->debts, DEBTS_MAX);
		}
		if (!d)
			return -ENOMEM;
		d->who = x->proc;
		d->flags = flags;
		x->chan->debts++;
		chan_update_known(x->chan);
	}
	d->t_ns = io_end_ns(x->io);
	d->end = (uint32_t)x->io->mtype;
	d->left += bytes;
	d->messages++;
	if (!x->counts)
		return 0;
	struct flow *f = flow_get(m, NULL, x->proc, x->chan, &q->nobody);
	if (!f)
		return -ENOMEM;
	flow_add(m, f, 1, bytes, x->io->hdr.t_ns);
	return 0;
}

int debt_pay(struct model *m, const struct transfer *x, struct queue *q, struct piece *debt,
	     const struct attribution *a)
{
	debt->left -= a->bytes;
	bool paid = debt->left == 0;
	if (debt->flags & PIECE_COUNTS) {
		struct flow *f = flow_get(m, NULL, debt->who, x->chan, &q->nobody);
		if (!f)
			return -ENOMEM;
		flow_take_back(m, f, paid ? debt->messages : 0, a->bytes);
	}
	if (paid) {
		x->chan->debts--;
		chan_update_known(x->chan);
	}
	return x->counts || debt->flags & PIECE_COUNTS ? match_attribute(m, x, q, a) : 0;
}

void debt_forgive(struct queue *q, struct chan *c, uint64_t bytes)
{
	struct piece *d = ring_at(&q->debts, 0);
	d->left -= min_u64(bytes, d->left);
	if (d->left > 0)
		return;
	ring_pop(&q->debts);
	c->debts--;
	chan_update_known(c);
}

/*
 * The oldest debt is out of reach of the latest writes. One that is still inside its call may
 * have begun early enough, so streams keep it, merged by reader; otherwise it stays with "?".
 */
void debt_expire(struct queue *q)
{
	struct piece d = *ring_at(&q->debts, 0);
	ring_pop(&q->debts);
	d.flags &= ~PIECE_PLACED; /* merged, it has no one place */
	if (!q->stale)
		q->stale = calloc(STALE_MAX, sizeof(*q->stale));
	if (!q->stale)
		return;
	struct piece *to = NULL;
	for (struct piece *s = q->stale; s < q->stale + STALE_MAX && !to; s++)
		if (s->left == 0 || (s->who == d.who && s->flags == d.flags))
			to = s;
	if (!to)
		return;
	if (to->left == 0)
		*to = (struct piece){.who = d.who, .flags = d.flags};
	to->left += d.left;
	to->messages += d.messages;
	if (d.t_ns > to->t_ns)
		to->t_ns = d.t_ns;
	if (d.t_ns > q->stale_end)
		q->stale_end = d.t_ns;
}
