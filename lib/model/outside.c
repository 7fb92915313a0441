// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Ends held by processes outside the scope. Their operations are not seen, so nothing they do
 * enters or leaves a queue: when only they hold the far end of a channel, what is written has gone
 * to them and what is read came from them, to one of them by name if there is only one. How many
 * messages that was is then counted at the near end, so such flows are approximate.
 */
#include "match.h"

static bool can_read(const struct m_chan *c, const struct m_endpoint *e, int q)
{
	if (!(e->dir & ENDPOINT_DIR_READ))
		return false;
	return !c->duplex || e->side != q;
}

/* A datagram queue's endpoints are its receiver's; its senders hold none. */
static bool can_write(const struct m_chan *c, const struct m_endpoint *e, int q)
{
	if (!(e->dir & ENDPOINT_DIR_WRITE) || (c->shape == SHAPE_DGRAM && !c->duplex))
		return false;
	return !c->duplex || e->side == q;
}

static void survey_add(struct far_end *f, const struct m_endpoint *e, bool *inside)
{
	if (!e->proc->outside) {
		*inside = true;
		return;
	}
	f->one = !f->is_outside || f->one == (struct proc *)e->proc ? (struct proc *)e->proc : NULL;
	f->is_outside = true;
}

static void survey(struct chan *c)
{
	for (int q = 0; q < 2; q++) {
		bool inside_reader = false, inside_writer = false;
		c->readers[q] = c->writers[q] = (struct far_end){0};
		for (const struct m_endpoint *e = c->pub.endpoints; e; e = e->next) {
			if (!e->open)
				continue;
			if (can_read(&c->pub, e, q))
				survey_add(&c->readers[q], e, &inside_reader);
			if (can_write(&c->pub, e, q))
				survey_add(&c->writers[q], e, &inside_writer);
		}
		if (inside_reader)
			c->readers[q] = (struct far_end){0};
		if (inside_writer)
			c->writers[q] = (struct far_end){0};
	}
	c->resurvey = false;
}

static int attribute(struct model *m, const struct transfer *x, struct queue *q, struct proc *src,
		     struct proc *dst)
{
	struct attribution a = {
	    .src = src,
	    .dst = dst,
	    .messages = x->io->messages,
	    .bytes = x->io->bytes,
	    .approximate = true,
	    .no_latency = true,
	};
	if (!x->counts || (in_bytes(x->chan, a.bytes) == 0 && a.messages == 0))
		return 0;
	return match_attribute(m, x, q, &a);
}

/* What was written before the readers were known to be outside went to them as well. */
static int flush(struct model *m, const struct transfer *x, struct queue *q, struct proc *to)
{
	int err = 0;
	while (!err && q->written.n > 0) {
		struct piece p = *ring_at(&q->written, 0);
		struct attribution a = {
		    .src = p.who,
		    .dst = to,
		    .messages = p.messages,
		    .bytes = p.left,
		    .approximate = true,
		    .no_latency = true,
		};
		ring_pop(&q->written);
		x->chan->pub.unread_bytes -= in_bytes(x->chan, p.left);
		if (p.who && p.flags & PIECE_COUNTS)
			err = match_attribute(m, x, q, &a);
	}
	return err;
}

bool outside_write(struct model *m, const struct transfer *x, int *err)
{
	struct chan *c = x->chan;
	if (!c->has_outside || c->pub.shape == SHAPE_DIRECT) /* which knows the other end exactly */
		return false;
	if (c->resurvey)
		survey(c);
	struct queue *q = match_write_queue(x);
	const struct far_end *f = &c->readers[q - c->q];
	if (!f->is_outside)
		return false;
	*err = flush(m, x, q, f->one);
	if (!*err)
		*err = attribute(m, x, q, x->proc, f->one);
	return true;
}

bool outside_read(struct model *m, const struct transfer *x, int *err)
{
	struct chan *c = x->chan;
	if (!c->has_outside || c->pub.shape == SHAPE_DIRECT)
		return false;
	if (c->resurvey)
		survey(c);
	struct queue *q = match_read_queue(x);
	const struct far_end *f = &c->writers[q - c->q];
	if (!f->is_outside || q->written.n > 0)
		return false;
	*err = attribute(m, x, q, f->one, x->proc);
	return true;
}
