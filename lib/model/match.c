// SPDX-License-Identifier: GPL-2.0-or-later
/* The matcher: picks the rules by the channel's shape, and holds what the rules have in common. */
#include "match.h"

#include <errno.h>
#include <stdlib.h>

static const struct matcher *const matchers[SHAPE_MAX] = {
    [SHAPE_STREAM] = &match_stream,
    [SHAPE_DGRAM] = &match_dgram,
    [SHAPE_TYPED] = &match_typed,
    [SHAPE_COUNTER] = &match_counter,
    [SHAPE_PRIORITY] = &match_priority,
    [SHAPE_DIRECT] = &match_direct,
    [SHAPE_SUM] = &match_sum,
};

struct queue *match_write_queue(const struct transfer *x)
{
	struct chan *c = x->chan;
	return &c->q[c->pub.duplex && x->io->hdr.flags & IO_SIDE_B];
}

struct queue *match_read_queue(const struct transfer *x)
{
	struct chan *c = x->chan;
	return &c->q[c->pub.duplex && !(x->io->hdr.flags & IO_SIDE_B)];
}

int match_attribute(struct model *m, const struct transfer *x, struct queue *q,
		    const struct attribution *a)
{
	struct flow *f = flow_get(m, a->src, a->dst, x->chan, &q->flow);
	if (!f)
		return -ENOMEM;
	uint64_t bytes = in_bytes(x->chan, a->bytes);
	flow_add(m, f, a->messages, bytes, x->io->hdr.t_ns);
	f->pub.approximate |= a->approximate;
	if (m->witness && a->dst)
		m->witness(m->witness_arg, &f->pub,
			   a->read_end_ns ? a->read_end_ns : io_end_ns(x->io), bytes);
	if (a->messages == 0 || a->no_latency)
		return 0;
	int err = hist_add(&f->pub.latency, a->latency_ns, a->messages);
	return err ? err : hist_add(&x->chan->pub.latency, a->latency_ns, a->messages);
}

/* The other end is on another host: what is sent has left, what is received came from there. */
static int remote_transfer(struct model *m, const struct transfer *x)
{
	const struct ev_io *io = x->io;
	struct attribution a = {
	    .messages = x->chan->pub.shape == SHAPE_DGRAM ? io->messages : 1,
	    .bytes = io->bytes,
	    .no_latency = true,
	};
	int err = 0;
	if (!x->counts || (a.bytes == 0 && io->messages == 0))
		return 0;
	if (io->hdr.flags & IO_WRITE) {
		a.src = x->proc;
		err = match_attribute(m, x, match_write_queue(x), &a);
	}
	if (!err && io->hdr.flags & IO_READ) {
		a.src = NULL;
		a.dst = x->proc;
		err = match_attribute(m, x, match_read_queue(x), &a);
	}
	return err;
}

int match_apply(struct model *m, const struct transfer *x)
{
	const struct matcher *rules = matchers[x->chan->pub.shape];
	uint32_t flags = x->io->hdr.flags;
	if (!rules || flags & IO_ERROR)
		return 0;
	if (rules->wake && x->io->slept_ns > 0 && x->io->waker_tid && !(flags & IO_KILLED))
		return rules->wake(m, x);
	if (x->chan->pub.remote)
		return flags & IO_PEEK ? 0 : remote_transfer(m, x);
	int err = 0;
	if (flags & IO_WRITE && rules->write && !outside_write(m, x, &err))
		err = rules->write(m, x);
	if (!err && flags & IO_READ && !(flags & IO_PEEK) && rules->read &&
	    !outside_read(m, x, &err))
		err = rules->read(m, x);
	return err;
}

int match_backlog(struct model *m, struct chan *c, uint64_t bytes)
{
	const struct matcher *rules = matchers[c->pub.shape];
	if (!rules || !rules->backlog || bytes == 0)
		return 0;
	c->pub.unread_bytes += bytes;
	return rules->backlog(m, c, bytes);
}

int match_inside(struct model *m, struct chan *c, bool for_b, uint64_t n)
{
	bool is_one = c->pub.shape == SHAPE_STREAM || c->pub.shape == SHAPE_SUM;
	struct queue *q = &c->q[c->pub.duplex && !for_b]; /* by the side that wrote */
	if (n == 0 || c->pub.remote || (!is_one && c->pub.shape != SHAPE_DGRAM))
		return 0;
	c->older = true;
	for (uint64_t i = is_one ? 1 : n; i > 0; i--) {
		struct piece *p = ring_push(m, &q->written, RING_MAX);
		if (!p) {
			c->backlog_known = false;
			return q->written.n ? 0 : -ENOMEM;
		}
		p->left = is_one ? n : 0; /* how long each message is is not known, nor of interest */
		p->messages = 1;
	}
	c->pub.unread_bytes += is_one ? in_bytes(c, n) : 0;
	return 0;
}

void queue_release(struct model *m, struct queue *q)
{
	ring_release(m, &q->written);
	ring_release(m, &q->loose);
	ring_release(m, &q->debts);
	free(q->stale);
	*q = (struct queue){0};
}

void match_release(struct model *m, struct chan *c)
{
	queue_release(m, &c->q[0]);
	queue_release(m, &c->q[1]);
	struct type_queue *t, *tmp;
	HASH_ITER(hh, c->types, t, tmp)
	{
		HASH_DELETE(hh, c->types, t);
		queue_release(m, &t->q);
		free(t);
	}
	c->backlog = 0;
	c->pub.unread_bytes = 0;
}

bool match_is_older(const struct chan *c)
{
	bool is_socket = c->pub.kind == KIND_UNIX || c->pub.kind == KIND_TCP || c->pub.kind == KIND_UDP;
	return c->older && !c->backlog_known && (c->pub.duplex || is_socket);
}

bool match_is_suspect(const struct model *m, const struct chan *c)
{
	return c->loss_epoch != m->loss_epoch;
}

void match_suspect(struct chan *c) { c->loss_epoch = UINT64_MAX; }

static bool overlap_add(struct overlap *o, const struct proc *p, uint64_t begin_ns, uint64_t end_ns)
{
	bool same = o->first == p;
	bool overlaps = begin_ns < (same ? o->other_end : o->first_end);
	if (same) {
		if (end_ns > o->first_end)
			o->first_end = end_ns;
	} else if (end_ns > o->first_end) {
		o->other_end = o->first_end;
		o->first_end = end_ns;
		o->first = p;
	} else if (end_ns > o->other_end) {
		o->other_end = end_ns;
	}
	return overlaps;
}

bool queue_note_write(struct queue *q, const struct proc *p, uint64_t begin_ns, uint64_t end_ns)
{
	if (q->writer != p) {
		q->many_writers |= q->writer != NULL;
		q->writer = p;
	}
	if (!overlap_add(&q->writes, p, begin_ns, end_ns))
		return false;
	if (q->written.n > 0) {
		struct piece *last = ring_at(&q->written, q->written.n - 1);
		if (last->who != p && !(last->flags & PIECE_SURE))
			last->flags |= PIECE_APPROX;
	}
	return true;
}

bool queue_note_read(struct queue *q, const struct proc *p, uint64_t begin_ns, uint64_t end_ns)
{
	return overlap_add(&q->reads, p, begin_ns, end_ns);
}
