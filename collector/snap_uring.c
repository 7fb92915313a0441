// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Waits for completions of an io_uring: so many of the requests that are under way. Those that wait
 * for a file to be ready are in the ring's table; others (on a worker, linked behind another) are in
 * none, so that it can never be ruled out that one more is under way.
 */
#include <linux/io_uring.h>
#include <stdio.h>
#include <sys/syscall.h>

#include "snap_world.h"

#ifndef IORING_ENTER_REGISTERED_RING
#define IORING_ENTER_REGISTERED_RING (1U << 4) /* v5.18 */
#endif
#define ENTER_KNOWN (IORING_ENTER_GETEVENTS | IORING_ENTER_SQ_WAKEUP | IORING_ENTER_EXT_ARG)

/* In which direction an operation waits for its file. */
static void ways_of(uint8_t opcode, bool *reads, bool *writes)
{
	switch (opcode) {
	case IORING_OP_READV: case IORING_OP_READ: case IORING_OP_READ_FIXED: case IORING_OP_RECVMSG:
	case IORING_OP_RECV: case IORING_OP_ACCEPT:
		*reads = true;
		break;
	case IORING_OP_WRITEV: case IORING_OP_WRITE: case IORING_OP_WRITE_FIXED: case IORING_OP_SENDMSG:
	case IORING_OP_SEND:
		*writes = true;
		break;
	case IORING_OP_POLL_ADD: /* for which, its events tell: either may do */
		*reads = *writes = true;
		break;
	default:
		break;
	}
}

static wg_ref request_done(struct snap_call *c, const struct snap_req *r, bool *loud)
{
	struct snap_world *w = c->w;
	uint32_t row = r->file ? snap_first(&w->file_file, r->file) : SNAP_NONE;
	bool reads = false, writes = false, quiet = false;
	wg_ref cond = 0;
	ways_of(r->opcode, &reads, &writes);
	if (row == SNAP_NONE || (!reads && !writes)) {
		*loud = true;
		return snap_unknown(w, "what a request of the ring waits for");
	}
	if (!c->th->chan)
		c->th->chan = snap_file_chan(w, row);
	if (reads)
		cond = snap_readable(w, c->t, row, &quiet);
	if (writes)
		cond = snap_or(w, cond, snap_writable(w, row));
	*loud = *loud || writes || !quiet;
	return cond;
}

/* Every request that the ring's table shows. Returns how many. */
static uint32_t add_requests(struct snap_call *c, wg_ref gate, uint64_t ring)
{
	struct snap_world *w = c->w;
	uint32_t n = 0;
	bool loud = false;
	for (uint32_t i = snap_first(&w->req_ring, ring); i != SNAP_NONE; i = snap_next(&w->req_ring, i)) {
		if (w->reqs[i]->fixed == SNAP_REQ_SLOT)
			continue;
		wg_add(w->g, gate, request_done(c, w->reqs[i], &loud), 1);
		n++;
	}
	c->th->quiet = n && !loud;
	return n;
}

static void wait_limit(struct snap_call *c)
{
	struct io_uring_getevents_arg arg;
	if (!(c->t->args[3] & IORING_ENTER_EXT_ARG))
		return;
	if (snap_mem_read(c->t->pid, c->t->args[4], &arg, sizeof(arg)))
		snap_timeout(c, arg.ts, SNAP_TIMESPEC);
	else
		c->th->condition = snap_or(c->w, c->th->condition, snap_unknown(c->w, "its time limit"));
}

/* Has its process another thread? */
static bool has_others(const struct snap_world *w, const struct snap_task *t)
{
	uint32_t i = snap_first(&w->task_pid, t->pid);
	return i != SNAP_NONE && snap_next(&w->task_pid, i) != SNAP_NONE;
}

static wg_ref completions(struct snap_call *c, const struct snap_ring *ring, uint32_t need)
{
	struct snap_world *w = c->w;
	wg_ref gate = wg_at_least(w->g, need);
	uint32_t n = add_requests(c, gate, ring->obj);
	if (ring->timers)
		wg_add(w->g, gate, wg_outside(w->g, WG_TIMEOUT, "a timeout is among its requests"), need);
	else if (n != ring->pending)
		wg_add(w->g, gate, snap_unknown(w, "requests that are not seen to wait for a file"), need);
	wg_add(w->g, gate,
	       wg_outside(w->g, WG_HIDDEN, "a ring may have requests under way that its table does not show"),
	       need);
	/* whoever else has the ring may submit to it; its mappings hold it too, so that to count is no use */
	for (uint32_t k = snap_first(&w->file_obj, ring->obj); k != SNAP_NONE; k = snap_next(&w->file_obj, k))
		if (w->files[k]->pid != c->t->pid || has_others(w, c->t))
			wg_add(w->g, gate, wg_process_ref(w->g, w->files[k]->pid), need);
	snprintf(c->th->detail, sizeof(c->th->detail), "%u of %u requests must end", need, ring->pending);
	return gate;
}

bool snap_wait_uring(struct snap_call *c)
{
	const struct snap_task *t = c->t;
	struct snap_world *w = c->w;
	if (t->nr != SYS_io_uring_enter)
		return false;
	bool plain = !(t->args[3] & ~(uint64_t)ENTER_KNOWN) && (t->args[3] & IORING_ENTER_GETEVENTS);
	uint32_t row = plain ? snap_fd_row(w, t, (int)t->args[0]) : SNAP_NONE;
	uint32_t i = row == SNAP_NONE ? SNAP_NONE : snap_first(&w->ring_obj, w->files[row]->obj);
	uint32_t min = (uint32_t)t->args[2];
	c->th->wait = WG_URING;
	c->th->fd = (int)t->args[0];
	snprintf(c->th->call, sizeof(c->th->call), "io_uring_enter(%d)", (int)t->args[0]);
	if (i == SNAP_NONE)
		c->th->condition = snap_unknown(w, "which io_uring operations are under way");
	else if (w->rings[i]->unreaped >= min)
		c->th->condition = snap_unknown(w, "as many completions are there as it waits for");
	else
		c->th->condition = completions(c, w->rings[i], min - w->rings[i]->unreaped);
	wait_limit(c);
	return true;
}
