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
#include "match.h"

#include <errno.h>
#include <stdlib.h>

#define DEBTS_MAX 1024u  /* a direction; older ones become stale */
#define DEBTS_MERGE 256u /* from here on, reads in quick succession are merged */
#define DEBTS_MERGE_NS 1000000ull

/* The oldest piece of a full ring: its reader is out of sight. */
static int push_out(struct model *m, const struct transfer *x, struct queue *q, struct ring *r)
{
	struct piece *p = ring_at(r, 0);
	int err = loss_add(m, LOST_MATCH_QUEUE, 0, 1);
	struct attribution a = {.src = p->who,
				.messages = 1,
				.bytes = p->left,
				.no_latency = true,
				.approximate = p->flags & PIECE_APPROX};
	if (!err && p->who && p->flags & PIECE_COUNTS)
		err = match_attribute(m, x, q, &a);
	x->chan->pub.unread_bytes -= in_bytes(x->chan, p->left);
	x->chan->older = true;
	x->chan->backlog_known = false;
	chan_update_known(x->chan);
	ring_pop(r);
	return err;
}

/* Events can come a little late: the last piece goes where it lies in the stream. */
static void put_in_place(struct ring *r)
{
	for (uint32_t i = r->n - 1; i > 0; i--) {
		struct piece *before = ring_at(r, i - 1), *last = ring_at(r, i);
		if (!(before->flags & PIECE_SURE) || (int32_t)(before->end - last->end) <= 0)
			return;
		struct piece swap = *before;
		*before = *last;
		*last = swap;
	}
}

int match_queue(struct model *m, const struct transfer *x, struct queue *q, uint64_t bytes,
		uint32_t flags, uint32_t end)
{
	struct ring *r = flags & PIECE_LOOSE ? &q->loose : &q->written;
	struct piece *p = ring_push(m, r, RING_MAX);
	if (!p && r->n > 0) {
		int err = push_out(m, x, q, r);
		if (err)
			return err;
		p = ring_push(m, r, RING_MAX);
	}
	if (!p)
		return -ENOMEM;
	p->who = x->proc;
	p->t_ns = x->io->hdr.t_ns;
	p->left = bytes;
	p->messages = 1;
	p->flags = flags | (x->counts ? PIECE_COUNTS : 0);
	p->end = end;
	x->chan->pub.unread_bytes += in_bytes(x->chan, bytes);
	if (flags & PIECE_SURE)
		put_in_place(r);
	return 0;
}

/* Those whose place is known lie next to each other then. */
static bool is_mergeable(const struct queue *q, const struct transfer *x, uint64_t bytes,
			 uint32_t flags, uint32_t end)
{
	if (x->chan->pub.shape != SHAPE_STREAM || q->debts.n < DEBTS_MERGE)
		return false;
	const struct piece *last = ring_at(&q->debts, q->debts.n - 1);
	return last->left > 0 && last->who == x->proc && last->flags == flags &&
	       io_end_ns(x->io) - last->t_ns < DEBTS_MERGE_NS &&
	       (!(flags & PIECE_PLACED) || last->end == end - (uint32_t)bytes);
}

int debt_add(struct model *m, const struct transfer *x, struct queue *q, uint64_t bytes,
	     uint32_t flags, uint32_t end)
{
	flags |= x->counts ? PIECE_COUNTS : 0;
	struct piece *d;
	if (is_mergeable(q, x, bytes, flags, end)) {
		d = ring_at(&q->debts, q->debts.n - 1);
	} else {
		d = ring_push(m, &q->debts, DEBTS_MAX);
		if (!d && q->debts.n > 0) {
			if (debt_front(q) && q->debts.n == DEBTS_MAX)
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
	d->end = end;
	d->left += bytes;
	d->messages++;
	if (!x->counts)
		return 0;
	struct flow *f = flow_get(m, NULL, x->proc, x->chan, &q->nobody);
	if (!f)
		return -ENOMEM;
	flow_add(m, f, 1, in_bytes(x->chan, bytes), x->io->hdr.t_ns);
	return 0;
}

uint32_t debt_split(struct model *m, struct queue *q, struct chan *c, uint32_t i, uint64_t bytes)
{
	if (!ring_push(m, &q->debts, DEBTS_MAX)) {
		ring_at(&q->debts, i)->left -= bytes;
		return i;
	}
	for (uint32_t to = q->debts.n - 1; to > i; to--)
		*ring_at(&q->debts, to) = *ring_at(&q->debts, to - 1);
	struct piece *first = ring_at(&q->debts, i), *rest = ring_at(&q->debts, i + 1);
	rest->left -= bytes;
	first->end -= (uint32_t)rest->left;
	first->left = bytes;
	first->messages = 0; /* the read is counted with its last byte */
	c->debts++;
	chan_update_known(c);
	return i + 1;
}

struct piece *debt_front(struct queue *q)
{
	while (q->debts.n > 0 && ring_at(&q->debts, 0)->left == 0)
		ring_pop(&q->debts);
	return q->debts.n > 0 ? ring_at(&q->debts, 0) : NULL;
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
		flow_take_back(m, f, paid ? debt->messages : 0, in_bytes(x->chan, a->bytes));
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
