// SPDX-License-Identifier: GPL-2.0-or-later
/* From a task's registers to what it waits for: the mechanisms are asked in turn. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include "collector/procfs.h"
#include "lib/base/clock.h"
#include "snap_shim.h"
#include "snap_world.h"

#define STATE_STOPPED 0x0004u /* kernel: TASK_STOPPED, TASK_TRACED, TASK_FROZEN */
#define STATE_TRACED 0x0008u
#define STATE_FROZEN 0x8000u

void snap_timeout_ns(struct snap_call *c, uint64_t relative_ns)
{
	char why[64];
	snprintf(why, sizeof(why), "timeout of %.3g s", (double)relative_ns / NS_PER_S);
	c->th->deadline_ns = (c->t->last_ns ? c->t->last_ns : c->w->now_ns) + relative_ns;
	c->th->condition = snap_or(c->w, c->th->condition, wg_outside(c->w->g, WG_TIMEOUT, why));
}

void snap_timeout(struct snap_call *c, uint64_t address, enum snap_time how)
{
	int64_t v[2];
	if (!address)
		return;
	if (!snap_mem_read(c->t->pid, address, v, sizeof(v)) || v[0] < 0 || v[1] < 0) {
		c->th->condition = snap_or(c->w, c->th->condition,
					   wg_outside(c->w->g, WG_TIMEOUT, "a timeout"));
		return;
	}
	uint64_t unit = how == SNAP_TIMEVAL ? 1000 : 1;
	uint64_t s = (uint64_t)v[0] > 1u << 30 && how < SNAP_TIMESPEC_REALTIME ? 1u << 30 : (uint64_t)v[0];
	uint64_t ns = s * NS_PER_S + (uint64_t)v[1] * unit, start = c->t->last_ns ? c->t->last_ns : c->w->now_ns;
	if (how == SNAP_TIMESPEC_REALTIME) {
		struct timespec real;
		clock_gettime(CLOCK_REALTIME, &real);
		uint64_t real_ns = (uint64_t)real.tv_sec * NS_PER_S + (uint64_t)real.tv_nsec;
		start += real_ns - c->w->now_ns; /* the same instant by the wall */
	}
	if (how >= SNAP_TIMESPEC_REALTIME)
		ns = ns > start ? ns - start : 0;
	snap_timeout_ns(c, ns);
}

/* ---- what ends any sleep, whatever the call ---- */

static void add_signals(struct snap_call *c)
{
	struct snap_world *w = c->w;
	if (c->t->flags & SNAP_TIMER)
		c->th->condition = snap_or(w, c->th->condition,
					   wg_outside(w->g, WG_TIMEOUT, "an interval timer of its process runs"));
	if (c->t->flags & SNAP_CHILD_HANDLER) /* the end of a child runs code of its own */
		c->th->condition = snap_or(w, c->th->condition, snap_children(w, c->t, 0));
}

/*
 * A timer that is running, an end that is in flight: /proc tells of neither. Where the shim has told who
 * can end the wait, or it is for a child or a thread, and no handler can come in between, there is nothing
 * of the kind; what is left is what a history does not prove.
 */
static void add_hidden(struct snap_call *c)
{
	struct snap_world *w = c->w;
	wg_ref hidden = wg_outside(w->g, WG_HIDDEN, "what can be seen only by root, with BPF");
	bool plain = c->told || c->th->wait == WG_CHILD || c->th->wait == WG_JOIN;
	if (plain && snap_shim_covers(w, c->t) && !procfs_has_handlers(c->t->pid))
		hidden = snap_newcomer(w, hidden, "what the shim did not tell");
	c->th->condition = snap_or(w, c->th->condition, hidden);
}

static void wait_stopped(struct snap_call *c)
{
	uint32_t tracer = c->t->state & STATE_TRACED ? c->t->tracer : 0;
	c->th->wait = WG_STOPPED;
	snprintf(c->th->call, sizeof(c->th->call), "%s",
		 tracer ? "stopped by its debugger"
			: c->t->state & STATE_FROZEN ? "frozen with its cgroup" : "stopped by a signal");
	c->th->condition = wg_outside(c->w->g, WG_SIG,
				      tracer ? "its debugger lets it go on"
					     : c->t->state & STATE_FROZEN ? "its cgroup is thawed"
									  : "SIGCONT");
	if (tracer)
		c->th->condition = snap_or(c->w, c->th->condition, wg_process_ref(c->w->g, tracer));
}

static void wait_unknown(struct snap_call *c, const char *why)
{
	c->th->wait = WG_OTHER;
	if (!c->th->call[0])
		snprintf(c->th->call, sizeof(c->th->call), "system call %d", c->t->nr);
	c->th->condition = snap_unknown(c->w, why);
}

/* Its registers are those of a call that it has not begun yet, and may never: a filter asks somebody first. */
static bool is_handed_over(const struct snap_task *t)
{
	char where[64];
	procfs_wchan(t->pid, t->hdr.tid, where, sizeof(where));
	return !where[0] || strstr(where, "seccomp");
}

static bool (*const mechanisms[])(struct snap_call *c) = {
	snap_wait_fd, snap_wait_poll, snap_wait_sysv, snap_wait_futex, snap_wait_lock, snap_wait_uring, snap_wait_task,
};

static void wait_call(struct snap_call *c)
{
	if (c->t->flags & SNAP_WORKER) { /* its registers are its maker's */
		snprintf(c->th->call, sizeof(c->th->call), "an io_uring worker");
		wait_unknown(c, "what an io_uring worker waits for");
		return;
	}
	if (c->t->nr < 0) {
		snprintf(c->th->call, sizeof(c->th->call), "no system call");
		wait_unknown(c, "asleep outside of system calls, as on a page that is being read");
		return;
	}
	if ((c->t->flags & SNAP_FILTERED) && is_handed_over(c->t)) {
		wait_unknown(c, "a supervisor is to answer the call (seccomp)");
		return;
	}
	if (c->w->fetches && procfs_is_fetching(c->t->pid, c->t->hdr.tid)) {
		wait_unknown(c, "a page that somebody is to bring (userfaultfd)");
		return;
	}
	struct snap_task restarted = *c->t;
	struct snap_call of = { .w = c->w, .t = &restarted, .th = c->th };
	if (c->t->nr == SYS_restart_syscall) {
		int nr = snap_restarted(c->w, c->t);
		restarted.nr = nr < 0 ? c->t->nr : nr;
	}
	for (size_t i = 0; i < sizeof(mechanisms) / sizeof(mechanisms[0]); i++)
		if (mechanisms[i](&of)) {
			c->told = of.told;
			return;
		}
	wait_unknown(c, "asleep in a call that has to do with no other process, or is not understood");
}

void snap_wait(struct snap_world *w, const struct snap_task *t, struct wg_thread *th)
{
	*th = (struct wg_thread){
		.pid = t->pid, .tid = t->hdr.tid, .ppid = t->ppid, .start_ns = t->start_ns,
		.switches = t->csw, .fd = -1,
	};
	memcpy(th->comm, t->comm, sizeof(th->comm));
	th->comm[sizeof(th->comm) - 1] = '\0';
	struct snap_call c = { .w = w, .t = t, .th = th };
	if (!t->state || (t->flags & (SNAP_ON_CPU | SNAP_EXITING)))
		return;
	th->since_ns = t->last_ns;
	if (t->state & (STATE_STOPPED | STATE_TRACED | STATE_FROZEN)) {
		wait_stopped(&c);
		return;
	}
	if (t->flags & SNAP_COMPAT) {
		snprintf(th->call, sizeof(th->call), "a 32-bit system call");
		wait_unknown(&c, "32-bit system calls are not decoded");
	} else {
		wait_call(&c);
	}
	if (th->wait == WG_RUNS)
		return;
	if (!th->condition)
		th->condition = snap_unknown(w, "nothing is known of what ends this");
	add_signals(&c);
	if (!w->whole)
		add_hidden(&c);
}

/* ---- references that blocked calls hold ---- */

static void busy_fd(struct snap_world *w, const struct snap_task *t, int fd)
{
	uint32_t row = snap_fd_row(w, t, fd);
	if (row != SNAP_NONE && w->busy[row] < UINT8_MAX)
		w->busy[row]++;
}

struct pollfd_user {
	int32_t fd;
	int16_t events, revents;
};

static void busy_poll(struct snap_world *w, const struct snap_task *t)
{
	struct pollfd_user fds[64];
	for (uint64_t at = 0; at < t->args[1] && at < 4096; at += 64) {
		uint64_t n = t->args[1] - at < 64 ? t->args[1] - at : 64;
		if (!snap_mem_read(t->pid, t->args[0] + at * sizeof(fds[0]), fds, n * sizeof(fds[0])))
			return;
		for (uint64_t i = 0; i < n; i++)
			busy_fd(w, t, fds[i].fd);
	}
}

static void busy_select(struct snap_world *w, const struct snap_task *t)
{
	uint64_t bits[16], set[16];
	uint64_t n = t->args[0] < 1024 ? t->args[0] : 1024;
	memset(bits, 0, sizeof(bits));
	for (int k = 1; k <= 3; k++)
		if (t->args[k] && snap_mem_read(t->pid, t->args[k], set, (n + 63) / 64 * 8))
			for (int i = 0; i < 16; i++)
				bits[i] |= set[i];
	for (uint64_t fd = 0; fd < n; fd++)
		if (bits[fd / 64] >> (fd % 64) & 1)
			busy_fd(w, t, (int)fd);
}

static void busy_call(struct snap_world *w, const struct snap_task *t)
{
	switch (t->nr) {
	case SYS_splice:
		busy_fd(w, t, (int)t->args[2]);
		busy_fd(w, t, (int)t->args[0]);
		break;
	case SYS_tee:
	case SYS_sendfile:
		busy_fd(w, t, (int)t->args[1]);
		busy_fd(w, t, (int)t->args[0]);
		break;
	case SYS_read: case SYS_write: case SYS_readv: case SYS_writev: case SYS_preadv2:
	case SYS_pwritev2: case SYS_recvfrom: case SYS_recvmsg: case SYS_recvmmsg: case SYS_sendto:
	case SYS_sendmsg: case SYS_sendmmsg: case SYS_accept: case SYS_accept4: case SYS_connect:
	case SYS_vmsplice: case SYS_flock: case SYS_fcntl: case SYS_epoll_pwait:
	case SYS_mq_timedsend: case SYS_mq_timedreceive: case SYS_io_uring_enter:
	case SYS_ioctl:
#ifdef SYS_epoll_wait
	case SYS_epoll_wait:
#endif
		busy_fd(w, t, (int)t->args[0]);
		break;
	default:
		break;
	}
}

/*
 * Calls of a process that has one table of descriptors for several tasks hold on to their files; who
 * sleeps in poll or select always does.
 */
void snap_count_busy(struct snap_world *w)
{
	for (uint32_t i = 0; i < w->ntasks; i++) {
		const struct snap_task *t = w->tasks[i];
		if (!t->state || (t->flags & (SNAP_COMPAT | SNAP_WORKER)) ||
		    (w->fetches && procfs_is_fetching(t->pid, t->hdr.tid)))
			continue;
		switch (t->nr) {
#ifdef SYS_poll
		case SYS_poll:
#endif
		case SYS_ppoll:
			busy_poll(w, t);
			break;
#ifdef SYS_select
		case SYS_select:
#endif
		case SYS_pselect6:
			busy_select(w, t);
			break;
		default:
			if (t->files_users > 1)
				busy_call(w, t);
			break;
		}
	}
}
