// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Waits for any of several descriptors. A poll of a single one that is a channel is a wait on that
 * channel; any other is one on a set, which the collector looks into when the wait lasts.
 */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>

#include "collector/shim/calls.h"

/* glibc declares the array of poll as one that is only written to. */
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"

int __poll(struct pollfd *fds, nfds_t n, int timeout);
int __poll_chk(struct pollfd *fds, nfds_t n, int timeout, size_t room);
int __ppoll_chk(struct pollfd *fds, nfds_t n, const struct timespec *t, const sigset_t *mask, size_t room);

#define FOREVER (~0ULL)

uint64_t shim_of_ms(int ms) { return ms < 0 ? FOREVER : (uint64_t)ms * 1000000ULL; }
uint64_t shim_of_timespec(const struct timespec *t)
{
	return shim_is_address(t) ? (uint64_t)t->tv_sec * 1000000000ULL + (uint64_t)t->tv_nsec : FOREVER;
}
uint64_t shim_of_timeval(const struct timeval *t)
{
	return shim_is_address(t) ? (uint64_t)t->tv_sec * 1000000000ULL + (uint64_t)t->tv_usec * 1000ULL : FOREVER;
}

static void until(struct shim_op *o, uint64_t timeout_ns)
{
	if (timeout_ns == FOREVER)
		return;
	shim_call(o)->deadline_ns = o->io.enter_ns + timeout_ns;
	if (!timeout_ns)
		o->io.hdr.flags |= IO_NONBLOCK;
}

/* Without a descriptor it is a sleep: none of ours. */
bool shim_begin_poll(struct shim_op *o, const struct pollfd *fds, nfds_t n, enum ipctap_op op, uint64_t timeout_ns)
{
	struct shim_thread *t = n ? shim_ready() : NULL;
	struct shim_fd f;
	if (!t)
		return false;
	if (n == 1 && shim_is_address(fds) && fds[0].fd >= 0 && shim_fd_get(t, fds[0].fd, &f) && !(f.state & FD_SIGNALFD)) {
		shim_begin(o, t, f.obj, fds[0].fd, op, 0);
	} else {
		shim_begin(o, t, RAW_OBJ_SET(t->tid, RAW_SET_NO_FD), -1, op, 0);
	}
	struct shim_call *c = shim_call(o);
	c->arg[0] = (uint64_t)fds;
	c->arg[2] = n;
	until(o, timeout_ns);
	return true;
}

#define POLL(name, params, args, op, timeout_ns)                                                   \
	SHIM_EXPORT int name params                                                                \
	{                                                                                          \
		struct shim_op o;                                                                  \
		if (!shim_begin_poll(&o, fds, n, op, timeout_ns))                                  \
			return REAL(name) args;                                                    \
		int ret = REAL(name) args;                                                         \
		shim_end(&o, ret);                                                                 \
		return ret;                                                                        \
	}

POLL(poll, (struct pollfd *fds, nfds_t n, int ms), (fds, n, ms), OP_POLL, shim_of_ms(ms))
POLL(__poll, (struct pollfd *fds, nfds_t n, int ms), (fds, n, ms), OP_POLL, shim_of_ms(ms))
POLL(__poll_chk, (struct pollfd *fds, nfds_t n, int ms, size_t room), (fds, n, ms, room), OP_POLL, shim_of_ms(ms))
POLL(ppoll, (struct pollfd *fds, nfds_t n, const struct timespec *t, const sigset_t *mask), (fds, n, t, mask),
     OP_PPOLL, shim_of_timespec(t))
POLL(__ppoll_chk, (struct pollfd *fds, nfds_t n, const struct timespec *t, const sigset_t *mask, size_t room),
     (fds, n, t, mask, room), OP_PPOLL, shim_of_timespec(t))

bool shim_begin_select(struct shim_op *o, int n, const fd_set *r, const fd_set *w, const fd_set *x, enum ipctap_op op,
		       uint64_t timeout_ns)
{
	struct shim_thread *t = n > 0 && (r || w || x) ? shim_ready() : NULL;
	if (!t)
		return false;
	shim_begin(o, t, RAW_OBJ_SET(t->tid, RAW_SET_NO_FD), -1, op, 0);
	struct shim_call *c = shim_call(o);
	c->arg[0] = (uint64_t)r;
	c->arg[1] = (uint64_t)w;
	c->arg[2] = (uint64_t)n;
	until(o, timeout_ns);
	return true;
}

/* glibc makes pselect6 of either. */
SHIM_EXPORT int select(int n, fd_set *r, fd_set *w, fd_set *x, struct timeval *timeout)
{
	struct shim_op o;
	if (!shim_begin_select(&o, n, r, w, x, OP_PSELECT6, shim_of_timeval(timeout)))
		return REAL(select)(n, r, w, x, timeout);
	int ret = REAL(select)(n, r, w, x, timeout);
	shim_end(&o, ret);
	return ret;
}

SHIM_EXPORT int pselect(int n, fd_set *r, fd_set *w, fd_set *x, const struct timespec *timeout, const sigset_t *mask)
{
	struct shim_op o;
	if (!shim_begin_select(&o, n, r, w, x, OP_PSELECT6, shim_of_timespec(timeout)))
		return REAL(pselect)(n, r, w, x, timeout, mask);
	int ret = REAL(pselect)(n, r, w, x, timeout, mask);
	shim_end(&o, ret);
	return ret;
}

bool shim_begin_epoll(struct shim_op *o, int fd, enum ipctap_op op, uint64_t timeout_ns)
{
	struct shim_thread *t = fd >= 0 ? shim_ready() : NULL;
	if (!t)
		return false;
	shim_begin(o, t, RAW_OBJ_SET(shim_pid, fd), fd, op, 0);
	until(o, timeout_ns);
	return true;
}

#define EPOLL(name, params, args, op, timeout_ns)                                                  \
	SHIM_EXPORT int name params                                                                \
	{                                                                                          \
		struct shim_op o;                                                                  \
		if (!shim_begin_epoll(&o, fd, op, timeout_ns))                                     \
			return REAL(name) args;                                                    \
		int ret = REAL(name) args;                                                         \
		shim_end(&o, ret);                                                                 \
		return ret;                                                                        \
	}

EPOLL(epoll_wait, (int fd, struct epoll_event *e, int n, int ms), (fd, e, n, ms), OP_EPOLL_WAIT, shim_of_ms(ms))
EPOLL(epoll_pwait, (int fd, struct epoll_event *e, int n, int ms, const sigset_t *mask), (fd, e, n, ms, mask),
      OP_EPOLL_PWAIT, shim_of_ms(ms))
EPOLL(epoll_pwait2, (int fd, struct epoll_event *e, int n, const struct timespec *t, const sigset_t *mask),
      (fd, e, n, t, mask), OP_EPOLL_PWAIT2, shim_of_timespec(t))

extern __typeof__(select) __select __attribute__((alias("select"), copy(select), visibility("default")));
