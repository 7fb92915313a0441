// SPDX-License-Identifier: LGPL-2.1-or-later
/* POSIX message queues, and the making of eventfds and signalfds. */
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

#include "collector/shim/calls.h"
#include "collector/shim/sigset.h"

mqd_t __mq_open_2(const char *name, int flags);

uint64_t shim_until(const struct timespec *until)
{
	struct timespec now;
	if (!shim_is_address(until))
		return 0;
	clock_gettime(CLOCK_REALTIME, &now);
	int64_t left = (until->tv_sec - now.tv_sec) * 1000000000LL + (until->tv_nsec - now.tv_nsec);
	return shim_now() + (uint64_t)(left > 0 ? left : 0);
}

/* ---- made ---- */

void shim_end_made(struct shim_op *o, int fd, uint32_t flags)
{
	shim_done(o, fd);
	if (fd >= 0) {
		if (o->io.op == OP_EVENTFD2 && o->io.mtype) { /* is put in, like a write's */
			o->io.hdr.flags |= IO_WRITE;
			o->io.messages = 1;
		}
		o->io.fd = fd;
		o->io.chan = shim_fd_new(o->t, fd, flags, ENDPOINT_OPEN);
	}
	shim_tell(o);
}

SHIM_EXPORT mqd_t mq_open(const char *name, int flags, ...)
{
	mode_t mode = 0;
	struct mq_attr *attr = NULL;
	struct shim_op o;
	if (flags & O_CREAT) {
		va_list ap;
		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		attr = va_arg(ap, struct mq_attr *);
		va_end(ap);
	}
	if (!shim_begin_none(&o, OP_MQ_OPEN))
		return REAL(mq_open)(name, flags, mode, attr);
	mqd_t q = REAL(mq_open)(name, flags, mode, attr);
	shim_end_made(&o, q, 0);
	return q;
}

#define MAKE(name, params, args, op, flags, begin)                                                      \
	SHIM_EXPORT int name params                                                                \
	{                                                                                          \
		struct shim_op o;                                                                  \
		if (!shim_begin_none(&o, op))                                                      \
			return REAL(name) args;                                                    \
		o.io.mtype = begin;                                                                \
		int fd = REAL(name) args;                                                          \
		shim_end_made(&o, fd, flags);                                                      \
		return fd;                                                                         \
	}

MAKE(__mq_open_2, (const char *name, int how), (name, how), OP_MQ_OPEN, 0, 0)
MAKE(eventfd, (unsigned int value, int how), (value, how), OP_EVENTFD2, RAW_NEW, value)

SHIM_EXPORT int signalfd(int fd, const sigset_t *set, int flags)
{
	struct shim_op o;
	struct shim_thread *t = shim_ready();
	if (!t)
		return REAL(signalfd)(fd, set, flags);
	shim_begin(&o, t, RAW_OBJ_SIGNAL(shim_pid, only_signal(set)), -1, OP_SIGNALFD4, 0);
	int got = REAL(signalfd)(fd, set, flags);
	shim_done(&o, got);
	if (got >= 0) {
		o.io.fd = got;
		shim_fd_forget(got);
	}
	shim_tell(&o);
	return got;
}

/* ---- used ---- */

void shim_end_message(struct shim_op *o, int64_t ret, uint64_t bytes, int64_t prio, const void *data)
{
	shim_done(o, ret);
	o->io.mtype = prio;
	if (ret >= 0) {
		o->io.bytes = bytes;
		o->io.messages = 1;
	}
	if (ret >= 0 && shim_control->snap_bytes)
		shim_tell_payload(o, data, bytes);
	else
		shim_tell(o);
}

#define SEND(name, params, args, until)                                                            \
	SHIM_EXPORT int name params                                                                \
	{                                                                                          \
		struct shim_op o;                                                                  \
		if (!shim_begin_fd(&o, q, OP_MQ_TIMEDSEND, IO_WRITE))                              \
			return REAL(name) args;                                                    \
		shim_call(&o)->deadline_ns = shim_until(until);                                    \
		int ret = REAL(name) args;                                                         \
		shim_end_message(&o, ret, n, prio, m);                                             \
		return ret;                                                                        \
	}
#define RECEIVE(name, params, args, until)                                                         \
	SHIM_EXPORT ssize_t name params                                                            \
	{                                                                                          \
		struct shim_op o;                                                                  \
		if (!shim_begin_fd(&o, q, OP_MQ_TIMEDRECEIVE, IO_READ))                            \
			return REAL(name) args;                                                    \
		shim_call(&o)->deadline_ns = shim_until(until);                                    \
		unsigned int unasked = 0;                                                          \
		prio = prio ? prio : &unasked;                                                     \
		ssize_t ret = REAL(name) args;                                                     \
		shim_end_message(&o, ret, (uint64_t)ret, ret >= 0 ? (int64_t)*prio : -1, m);       \
		return ret;                                                                        \
	}

SEND(mq_send, (mqd_t q, const char *m, size_t n, unsigned int prio), (q, m, n, prio), NULL)
SEND(mq_timedsend, (mqd_t q, const char *m, size_t n, unsigned int prio, const struct timespec *until),
     (q, m, n, prio, until), until)
RECEIVE(mq_receive, (mqd_t q, char *m, size_t n, unsigned int *prio), (q, m, n, prio), NULL)
RECEIVE(mq_timedreceive, (mqd_t q, char *m, size_t n, unsigned int *prio, const struct timespec *until),
	(q, m, n, prio, until), until)

#define CONTROL(name, params, args, op)                                                            \
	SHIM_EXPORT int name params                                                                \
	{                                                                                          \
		struct shim_op o;                                                                  \
		if (!shim_begin_fd(&o, q, op, 0))                                                  \
			return REAL(name) args;                                                    \
		int ret = REAL(name) args;                                                         \
		shim_end(&o, ret);                                                                 \
		return ret;                                                                        \
	}

CONTROL(mq_getattr, (mqd_t q, struct mq_attr *a), (q, a), OP_MQ_GETSETATTR)
CONTROL(mq_setattr, (mqd_t q, const struct mq_attr *a, struct mq_attr *old), (q, a, old), OP_MQ_GETSETATTR)
CONTROL(mq_notify, (mqd_t q, const struct sigevent *e), (q, e), OP_MQ_NOTIFY)

SHIM_EXPORT int mq_close(mqd_t q)
{
	struct shim_op o;
	struct shim_thread *t = shim_ready();
	uint64_t obj = t ? shim_fd_closing(t, q) : 0;
	if (!obj)
		return REAL(mq_close)(q);
	shim_begin(&o, t, obj, q, OP_CLOSE, 0);
	int ret = REAL(mq_close)(q);
	shim_done(&o, ret);
	shim_fd_closed(t, q, obj);
	shim_tell(&o);
	return ret;
}

void shim_end_mq_unlink(struct shim_op *o, int ret, const char *name)
{
	struct raw_mknod r = { .dirfd = 0 };
	shim_done(o, ret);
	r.io = o->io;
	r.io.hdr.type = RAW_MQ_UNLINK;
	r.io.hdr.size = sizeof(r);
	if (shim_is_address(name))
		memcpy(r.path, name, strnlen(name, sizeof(r.path) - 1));
	shim_put(o->t, &r, sizeof(r), SHIM_LOST_OP);
}

SHIM_EXPORT int mq_unlink(const char *name)
{
	struct shim_op o;
	if (!shim_begin_none(&o, OP_MQ_UNLINK))
		return REAL(mq_unlink)(name);
	int ret = REAL(mq_unlink)(name);
	shim_end_mq_unlink(&o, ret, name);
	return ret;
}
