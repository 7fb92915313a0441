// SPDX-License-Identifier: GPL-2.0-or-later
/* Waits for children, for signals, for time to pass, and for a FIFO's other end to be opened. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "collector/procfs.h"
#include "snap_world.h"

/* The number of a process as its parent t knows it; 0: it cannot be told. */
static uint32_t child_number(const struct snap_task *t, const struct snap_task *child)
{
	if (child->pidns == t->pidns)
		return child->ns_pid;
	return t->ns_pid == t->pid ? child->pid : 0;
}

/* All of its threads have exited: it waits to be collected, and does nothing any more. */
static bool is_over(const struct snap_world *w, uint32_t pid)
{
	for (uint32_t k = snap_first(&w->task_pid, pid); k != SNAP_NONE; k = snap_next(&w->task_pid, k))
		if (!(w->tasks[k]->flags & SNAP_ZOMBIE))
			return false;
	return true;
}

/*
 * Any of the children that are meant. When what is meant is not understood (a process group, a pidfd)
 * it is any child: more that may help, never fewer. 0: there is none.
 */
static wg_ref children(struct snap_world *w, const struct snap_task *parent, uint32_t pid, bool vfork_only)
{
	wg_ref gate = 0;
	for (uint32_t i = snap_first(&w->task_ppid, parent->pid); i != SNAP_NONE;
	     i = snap_next(&w->task_ppid, i)) {
		const struct snap_task *t = w->tasks[i];
		uint32_t number = child_number(parent, t);
		if (t->hdr.tid != t->pid || (vfork_only && !t->vfork_done) ||
		    (pid && number && number != pid) || is_over(w, t->pid))
			continue;
		if (!gate)
			gate = wg_any(w->g);
		wg_add(w->g, gate, wg_process_ref(w->g, t->pid), 1);
	}
	return gate;
}

wg_ref snap_children(struct snap_world *w, const struct snap_task *t, uint32_t pid)
{
	return children(w, t, pid, false);
}

static wg_ref tracees(struct snap_call *c)
{
	wg_ref gate = 0;
	for (uint32_t i = snap_first(&c->w->task_tracer, c->t->pid); i != SNAP_NONE;
	     i = snap_next(&c->w->task_tracer, i)) {
		if (!gate)
			gate = wg_any(c->w->g);
		wg_add(c->w->g, gate, wg_thread_ref(c->w->g, c->w->tasks[i]->hdr.tid), 1);
	}
	return gate;
}

static void wait_child(struct snap_call *c, uint32_t pid)
{
	c->th->wait = WG_CHILD;
	c->th->condition = snap_or(c->w, snap_children(c->w, c->t, pid), tracees(c));
	if (pid)
		snprintf(c->th->call, sizeof(c->th->call), "waitpid(%u)", pid);
	else
		snprintf(c->th->call, sizeof(c->th->call), "wait for any child");
	if (!c->th->condition)
		c->th->condition = snap_unknown(c->w, "for which child it waits");
}

static bool wait_vfork(struct snap_call *c)
{
	wg_ref child = children(c->w, c->t, 0, true);
	if (!child)
		return false;
	c->th->wait = WG_VFORK;
	c->th->condition = child;
	snprintf(c->th->call, sizeof(c->th->call), "vfork");
	return true;
}

static void wait_signal(struct snap_call *c, const char *call)
{
	c->th->wait = WG_SIGNAL;
	snprintf(c->th->call, sizeof(c->th->call), "%s", call);
	/* the end of a child is a signal */
	c->th->condition = snap_or(c->w, wg_outside(c->w->g, WG_SIG, "a signal"), snap_children(c->w, c->t, 0));
}

static void wait_sleep(struct snap_call *c, uint64_t address, enum snap_time how)
{
	c->th->wait = WG_SLEEP;
	snprintf(c->th->call, sizeof(c->th->call), "sleep");
	snap_timeout(c, address, how);
}

/* ---- FIFOs being opened ---- */

static bool wait_open(struct snap_call *c, int dirfd, uint64_t path, uint64_t flags)
{
	char name[256], whole[EV_NAME_LEN];
	uint32_t dev;
	uint64_t ino;
	if (procfs_read_string(c->t->pid, path, name, sizeof(name)) ||
	    procfs_fifo(c->t->pid, dirfd, name, &dev, &ino, whole, sizeof(whole)))
		return false;
	uint64_t id = snap_mix(dev, ino);
	uint32_t chan = *snap_memo(c->w, MEMO_CHAN, id);
	if (!chan) {
		struct wg_chan fifo = { .kind = KIND_FIFO };
		snprintf(fifo.ident, sizeof(fifo.ident), "fifo:[%llu]", (unsigned long long)ino);
		snprintf(fifo.name, sizeof(fifo.name), "%s", whole);
		chan = wg_chan(c->w->g, &fifo);
		*snap_memo(c->w, MEMO_CHAN, id) = chan;
	}
	c->th->wait = WG_OPEN;
	c->th->chan = chan;
	snprintf(c->th->call, sizeof(c->th->call), "open for %s",
		 (flags & O_ACCMODE) == O_RDONLY ? "reading" : "writing");
	/* nobody has it open from the other side, and who is going to cannot be known: kin is a guess */
	c->th->condition = snap_or(c->w, wg_outside(c->w->g, WG_NEW, "anyone who opens the FIFO"),
				   wg_outside(c->w->g, WG_HIDDEN, "the kernel does not know who will open it"));
	c->th->condition = snap_or(c->w, c->th->condition, snap_relatives(c->w, c->t));
	return true;
}

bool snap_wait_task(struct snap_call *c)
{
	const __u64 *a = c->t->args;
	switch (c->t->nr) {
	case SYS_wait4:
		wait_child(c, (int32_t)a[0] > 0 ? (uint32_t)a[0] : 0);
		return true;
	case SYS_waitid:
		wait_child(c, a[0] == P_PID ? (uint32_t)a[1] : 0);
		return true;
#ifdef SYS_vfork
	case SYS_vfork:
#endif
	case SYS_clone:
	case SYS_clone3:
		return wait_vfork(c);
#ifdef SYS_pause
	case SYS_pause: wait_signal(c, "pause"); return true;
#endif
	case SYS_rt_sigsuspend: wait_signal(c, "sigsuspend"); return true;
	case SYS_rt_sigtimedwait:
		wait_signal(c, "sigwait");
		snap_timeout(c, a[2], SNAP_TIMESPEC);
		return true;
	case SYS_nanosleep: wait_sleep(c, a[0], SNAP_TIMESPEC); return true;
	case SYS_clock_nanosleep:
		wait_sleep(c, a[2], !(a[1] & TIMER_ABSTIME) ? SNAP_TIMESPEC
				    : a[0] == CLOCK_REALTIME ? SNAP_TIMESPEC_REALTIME
							     : SNAP_TIMESPEC_MONOTONIC);
		return true;
#ifdef SYS_open
	case SYS_open: return wait_open(c, AT_FDCWD, a[0], a[1]);
#endif
	case SYS_openat: return wait_open(c, (int)a[0], a[1], a[2]);
	default:
		return false;
	}
}
