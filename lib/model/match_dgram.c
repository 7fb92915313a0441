// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Messages in order: datagrams, seqpacket pairs. The queue belongs to the receiving socket, into
 * which many may send; only a pair has one for each side.
 */
#include "match.h"

static int dgram_write(struct model *m, const struct transfer *x)
{
	return message_write(m, x, match_write_queue(x));
}

/* What was inside at first sight is older than what was queued since, where there is one queue. */
static bool is_backlog(const struct transfer *x, const struct queue *q)
{
	struct chan *c = x->chan;
	if (c->backlog == 0)
		return false;
	if (c->pub.duplex && q->written.n > 0)
		return false;
	if (x->io->bytes <= c->backlog)
		return true;
	c->pub.unread_bytes -= c->backlog; /* a message cannot exceed it: the rest was cut off */
	c->backlog = 0;
	return false;
}

static int dgram_read(struct model *m, const struct transfer *x)
{
	struct queue *q = match_read_queue(x);
	return message_read(m, x, q, is_backlog(x, q));
}

static int dgram_backlog(struct model *m, struct chan *c, uint64_t bytes)
{
	(void)m;
	c->backlog = bytes;
	return 0;
}

const struct matcher match_dgram = {
    .write = dgram_write,
    .read = dgram_read,
    .backlog = dgram_backlog,
};
