// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How full a channel is: what it has room for, which the kernel says, and what lies in it, which the
 * matcher counts; or, while somebody sleeps for room in it, the kernel.
 */
#include "match.h"

#include <errno.h>

int room_apply(struct model *m, const struct ev_room *ev)
{
	if (ev->chan == 0)
		return -EINVAL;
	struct chan *c = chan_get(m, ev->chan, ev->hdr.t_ns);
	if (!c)
		return -ENOMEM;
	c->pub.room_bytes = ev->bytes;
	c->pub.room_messages = ev->messages;
	c->pub.found = ev->hdr.flags & ROOM_INSIDE;
	c->pub.found_bytes = c->pub.found ? ev->inside : 0;
	c->pub.found_messages = c->pub.found ? ev->messages_inside : 0;
	return 0;
}

/*
 * A packet takes whole pages, and what is left of one is whole pages, too, but for its end. Returns
 * false when not all that lies there is packets.
 */
static bool packet_pages(const struct chan *c, uint64_t *pages)
{
	const struct ring *r = &c->q[0].written;
	*pages = 0;
	for (uint32_t i = 0; i < r->n && i <= c->pub.room_messages; i++) {
		const struct piece *p = ring_at(r, i);
		if (!(p->flags & PIECE_PACKET))
			return false;
		*pages += (p->left + PIPE_PAGE_BYTES - 1) / PIPE_PAGE_BYTES;
	}
	return true;
}

static bool holds_packets(const struct chan *c)
{
	const struct ring *r = &c->q[0].written;
	return r->n > 0 && (ring_at(r, 0)->flags | ring_at(r, r->n - 1)->flags) & PIECE_PACKET;
}

static uint64_t messages_queued(const struct chan *c)
{
	uint64_t n = 0;
	for (const struct type_queue *t = c->types; t; t = t->hh.next)
		n += t->q.written.n;
	return n;
}

/* Somebody sleeps in a call that may have written in part; what it has is told when it returns. */
static bool is_half_written(const struct m_chan *c)
{
	for (const struct m_endpoint *e = c->endpoints; e; e = e->next)
		for (const struct m_wait *w = e->open ? e->proc->waits : NULL; w; w = w->proc_next)
			if (w->chan == c && e->dir & ENDPOINT_DIR_WRITE &&
			    w->op != OP_READ && w->op != OP_READV)
				return true;
	return false;
}

static bool pipe_fill(const struct chan *c, bool is_known, struct m_fill *f)
{
	if (c->pub.found) { /* pages are what it can be full of */
		*f = (struct m_fill){ .unit = FILL_PAGES, .inside = c->pub.found_messages,
				      .room = c->pub.room_messages };
		return f->room > 0;
	}
	if (!is_known || is_half_written(&c->pub))
		return false;
	if (holds_packets(c)) {
		*f = (struct m_fill){ .unit = FILL_PAGES, .room = c->pub.room_messages };
		return packet_pages(c, &f->inside) && f->room > 0;
	}
	*f = (struct m_fill){ .unit = FILL_BYTES, .inside = c->pub.unread_bytes, .room = c->pub.room_bytes };
	return f->room > 0;
}

bool model_fill(const struct model *m, const struct m_chan *chan, struct m_fill *f)
{
	const struct chan *c = (const struct chan *)chan;
	bool is_known = c->pub.unread_known && !match_is_suspect(m, c);
	switch (c->pub.kind) {
	case KIND_PIPE:
	case KIND_FIFO:
		return pipe_fill(c, is_known, f);
	case KIND_MSG:
		*f = (struct m_fill){ .unit = FILL_BYTES, .room = c->pub.room_bytes,
				      .inside = c->pub.found ? c->pub.found_bytes : c->pub.unread_bytes };
		return f->room > 0 && (c->pub.found || is_known);
	case KIND_MQ:
		*f = (struct m_fill){ .unit = FILL_MESSAGES, .room = c->pub.room_messages,
				      .inside = c->pub.found ? c->pub.found_messages : messages_queued(c) };
		return f->room > 0 && (c->pub.found || is_known);
	default:
		return false;
	}
}
