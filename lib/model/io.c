// SPDX-License-Identifier: GPL-2.0-or-later
/* One finished operation: counted, and handed to the matcher. The hot path of every verb. */
#include "match.h"

#include <errno.h>

/* Of a sleep that began before anybody looked, what belongs to the story. */
static uint64_t slept_in_sight(const struct model *m, const struct ev_io *io)
{
	uint64_t end = io_end_ns(io);
	if (!(io->hdr.flags & IO_EARLY) || !m->first_ns || end < m->first_ns)
		return io->slept_ns;
	return min_u64(io->slept_ns, end - m->first_ns);
}

static void count_add(struct m_count *n, const struct ev_io *io, bool is_call, uint64_t slept_ns)
{
	uint32_t flags = io->hdr.flags;
	if (is_call) {
		n->ops++;
		n->errors += (flags & IO_ERROR) != 0;
		n->blocked += io->slept_ns > 0;
		n->slept_ns += slept_ns;
	}
	if (flags & (IO_ERROR | IO_PEEK))
		return;
	if (flags & IO_READ) {
		n->msgs_in += io->messages;
		n->bytes_in += io->bytes;
	}
	if (flags & IO_WRITE) {
		n->msgs_out += io->messages;
		n->bytes_out += io->bytes;
	}
}

/* The second row of a splice is a second operation to its channel, but not to its process. */
static int count(struct model *m, const struct transfer *x)
{
	const struct ev_io *io = x->io;
	bool is_half = io->hdr.flags & IO_HALF;
	uint64_t slept_ns = slept_in_sight(m, io);
	count_add(&x->proc->pub.count, io, !is_half, slept_ns);
	int err = 0;
	if (io->slept_ns > 0 && !is_half)
		err = blocked_add(m, x->task, x->chan, io);
	if (err || !x->chan)
		return err;
	count_add(&x->chan->pub.count, io, true, slept_ns);
	if (io->hdr.flags & IO_WRITE && !(io->hdr.flags & IO_ERROR) && io->messages > 0)
		err = hist_add(&x->chan->pub.sizes, io->bytes / io->messages, io->messages);
	return err;
}

/*
 * A thread that returns from a call sleeps no more. But a wait of libripc's is made of system calls,
 * which return while it goes on.
 */
static bool ends_wait(const struct m_wait *w, const struct ev_io *io)
{
	bool is_ripc = io->op >= OP_RIPC_OPEN && io->op <= OP_RIPC_WAIT;
	return io_end_ns(io) >= w->since_ns && (w->op != OP_RIPC_WAIT || is_ripc);
}

int io_apply(struct model *m, const struct ev_io *io)
{
	if (io->op == OP_NONE || io->op >= OP_MAX)
		return -EINVAL;
	struct transfer x = {.io = io};
	x.task = task_get(m, io->pid, io->tid, io->enter_ns);
	x.chan = io->chan ? chan_get(m, io->chan, io->hdr.t_ns) : NULL;
	if (!x.task || (io->chan && !x.chan))
		return -ENOMEM;
	x.proc = (struct proc *)x.task->pub.proc;
	m->ops++;
	if (x.task->pub.wait && ends_wait(x.task->pub.wait, io))
		wait_end(m, x.task); /* it returned: the end of its sleep was missed */
	x.counts = !m->match || m->match(m->match_arg, m, io);
	int err = x.counts ? count(m, &x) : 0;
	if (err || !x.chan)
		return err;
	if (io->hdr.t_ns > x.chan->pub.last_ns)
		x.chan->pub.last_ns = io->hdr.t_ns;
	if (io->hdr.flags & (IO_READ | IO_WRITE) && !(io->hdr.flags & (IO_ERROR | IO_PEEK)))
		x.chan->pub.found = false;
	err = endpoint_used(m, x.proc, x.chan, io);
	return err ? err : match_apply(m, &x);
}
