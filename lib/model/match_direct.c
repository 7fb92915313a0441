// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What goes from one process to one other without lying in a queue in between: a signal goes to the
 * process it was sent to, the end of a child to the parent that waits for it. The kernel names the
 * other side, which is attached to the channel before the operation is told; so every such flow is
 * exact, also when that process is outside the scope, or has ended meanwhile.
 */
#include "match.h"

static struct proc *other_end(const struct chan *c, uint8_t dir)
{
	struct m_proc *last = NULL;
	for (const struct m_endpoint *e = c->pub.endpoints; e; e = e->next)
		if (e->dir & dir)
			last = e->proc;
	return (struct proc *)last;
}

static int direct_write(struct model *m, const struct transfer *x)
{
	if (!x->counts || x->io->messages == 0)
		return 0;
	struct attribution a = {
	    .src = x->proc,
	    .dst = other_end(x->chan, ENDPOINT_DIR_READ),
	    .messages = x->io->messages,
	    .bytes = x->io->bytes,
	    .no_latency = true,
	};
	return match_attribute(m, x, &x->chan->q[0], &a);
}

/* Only a sender that is attached sent it; else the write itself has been told, or was not seen. */
static int direct_read(struct model *m, const struct transfer *x)
{
	struct proc *src = other_end(x->chan, ENDPOINT_DIR_WRITE);
	if (!src || !x->counts || x->io->messages == 0)
		return 0;
	uint64_t sent_ns = src->pub.exited ? src->pub.exit_ns : 0, now_ns = x->io->hdr.t_ns;
	struct attribution a = {
	    .src = src,
	    .dst = x->proc,
	    .messages = x->io->messages,
	    .bytes = x->io->bytes,
	    .latency_ns = now_ns > sent_ns ? now_ns - sent_ns : 0,
	    .no_latency = sent_ns == 0,
	};
	return match_attribute(m, x, &x->chan->q[0], &a);
}

const struct matcher match_direct = {.write = direct_write, .read = direct_read};
