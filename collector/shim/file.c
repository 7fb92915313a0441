// SPDX-License-Identifier: LGPL-2.1-or-later
/* Calls that move bytes through descriptors, whatever is behind them. */
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include "collector/shim/calls.h"

/* What glibc exports beside what its headers declare. */
ssize_t __read(int fd, void *buf, size_t n);
ssize_t __write(int fd, const void *buf, size_t n);
ssize_t __pread64(int fd, void *buf, size_t n, off64_t at);
ssize_t __pwrite64(int fd, const void *buf, size_t n, off64_t at);
ssize_t __read_chk(int fd, void *buf, size_t n, size_t room);
ssize_t __pread_chk(int fd, void *buf, size_t n, off_t at, size_t room);
ssize_t __pread64_chk(int fd, void *buf, size_t n, off64_t at, size_t room);

/* ---- bytes ---- */

#define IO(name, params, args, op, dir, data)                                                      \
	SHIM_EXPORT ssize_t name params                                                            \
	{                                                                                          \
		struct shim_op o;                                                                  \
		if (!shim_begin_fd(&o, fd, op, dir))                                               \
			return REAL(name) args;                                                    \
		ssize_t ret = REAL(name) args;                                                     \
		shim_end_io(&o, ret, data);                                                        \
		return ret;                                                                        \
	}

IO(read, (int fd, void *buf, size_t n), (fd, buf, n), OP_READ, IO_READ, buf)
IO(__read, (int fd, void *buf, size_t n), (fd, buf, n), OP_READ, IO_READ, buf)
IO(__read_chk, (int fd, void *buf, size_t n, size_t room), (fd, buf, n, room), OP_READ, IO_READ, buf)
IO(write, (int fd, const void *buf, size_t n), (fd, buf, n), OP_WRITE, IO_WRITE, buf)
IO(__write, (int fd, const void *buf, size_t n), (fd, buf, n), OP_WRITE, IO_WRITE, buf)
IO(pread, (int fd, void *buf, size_t n, off_t at), (fd, buf, n, at), OP_PREAD64, IO_READ, buf)
IO(pread64, (int fd, void *buf, size_t n, off64_t at), (fd, buf, n, at), OP_PREAD64, IO_READ, buf)
IO(__pread64, (int fd, void *buf, size_t n, off64_t at), (fd, buf, n, at), OP_PREAD64, IO_READ, buf)
IO(__pread_chk, (int fd, void *buf, size_t n, off_t at, size_t room), (fd, buf, n, at, room),
   OP_PREAD64, IO_READ, buf)
IO(__pread64_chk, (int fd, void *buf, size_t n, off64_t at, size_t room), (fd, buf, n, at, room),
   OP_PREAD64, IO_READ, buf)
IO(pwrite, (int fd, const void *buf, size_t n, off_t at), (fd, buf, n, at), OP_PWRITE64, IO_WRITE, buf)
IO(pwrite64, (int fd, const void *buf, size_t n, off64_t at), (fd, buf, n, at), OP_PWRITE64, IO_WRITE, buf)
IO(__pwrite64, (int fd, const void *buf, size_t n, off64_t at), (fd, buf, n, at), OP_PWRITE64, IO_WRITE, buf)

/*
 * Of vectors only the first piece's payload is kept. A record may begin with more than that piece
 * has: what lies behind it in memory is not the operation's, so the length is cut at it.
 */
void shim_end_iov(struct shim_op *o, int64_t ret, const struct iovec *iov, int n)
{
	bool whole = ret > 0 && n > 0 && iov[0].iov_len >= (size_t)ret;
	shim_end_io(o, ret, whole ? iov[0].iov_base : NULL);
}

#define IOV(name, params, args, op, dir)                                                           \
	SHIM_EXPORT ssize_t name params                                                            \
	{                                                                                          \
		struct shim_op o;                                                                  \
		if (!shim_begin_fd(&o, fd, op, dir))                                               \
			return REAL(name) args;                                                    \
		ssize_t ret = REAL(name) args;                                                     \
		shim_end_iov(&o, ret, iov, n);                                                     \
		return ret;                                                                        \
	}

IOV(readv, (int fd, const struct iovec *iov, int n), (fd, iov, n), OP_READV, IO_READ)
IOV(writev, (int fd, const struct iovec *iov, int n), (fd, iov, n), OP_WRITEV, IO_WRITE)
IOV(preadv, (int fd, const struct iovec *iov, int n, off_t at), (fd, iov, n, at), OP_PREADV, IO_READ)
IOV(preadv64, (int fd, const struct iovec *iov, int n, off64_t at), (fd, iov, n, at), OP_PREADV, IO_READ)
IOV(pwritev, (int fd, const struct iovec *iov, int n, off_t at), (fd, iov, n, at), OP_PWRITEV, IO_WRITE)
IOV(pwritev64, (int fd, const struct iovec *iov, int n, off64_t at), (fd, iov, n, at), OP_PWRITEV, IO_WRITE)
IOV(preadv2, (int fd, const struct iovec *iov, int n, off_t at, int f), (fd, iov, n, at, f), OP_PREADV2, IO_READ)
IOV(preadv64v2, (int fd, const struct iovec *iov, int n, off64_t at, int f), (fd, iov, n, at, f),
    OP_PREADV2, IO_READ)
IOV(pwritev2, (int fd, const struct iovec *iov, int n, off_t at, int f), (fd, iov, n, at, f), OP_PWRITEV2, IO_WRITE)
IOV(pwritev64v2, (int fd, const struct iovec *iov, int n, off64_t at, int f), (fd, iov, n, at, f),
    OP_PWRITEV2, IO_WRITE)

void shim_end_io_other(struct shim_op *o, int64_t ret, const void *data)
{
	if (o->state & FD_DGRAM) {
		shim_end_dgram(o, ret, NULL, 0, data);
		return;
	}
	switch (RAW_OBJ_KIND(o->io.chan)) {
	case KIND_MQ: /* to read a queue's file gives a status, no message */
		shim_drop(o);
		return;
	case KIND_EVENTFD:
		if (ret == sizeof(o->io.mtype) && data)
			memcpy(&o->io.mtype, data, sizeof(o->io.mtype));
		break;
	case KIND_SIGNAL:
		if (ret >= (int64_t)sizeof(struct signalfd_siginfo) && data) {
			uint32_t number;
			memcpy(&number, data, sizeof(number));
			shim_done(o, ret);
			o->io.mtype = number;
			o->io.chan = RAW_OBJ_SIGNAL(shim_pid, number);
			o->io.bytes = (uint64_t)ret;
			o->io.messages = (uint16_t)((size_t)ret / sizeof(struct signalfd_siginfo));
			shim_tell(o);
			return;
		}
		break;
	}
	shim_end_bytes(o, ret, data);
}

/* libc's own read and write of a counter, which are not those above. */
SHIM_EXPORT int eventfd_read(int fd, eventfd_t *value)
{
	struct shim_op o;
	if (!shim_begin_fd(&o, fd, OP_READ, IO_READ))
		return REAL(eventfd_read)(fd, value);
	int ret = REAL(eventfd_read)(fd, value);
	shim_end_io(&o, ret == 0 ? (int64_t)sizeof(*value) : -1, value);
	return ret;
}

SHIM_EXPORT int eventfd_write(int fd, eventfd_t value)
{
	struct shim_op o;
	if (!shim_begin_fd(&o, fd, OP_WRITE, IO_WRITE))
		return REAL(eventfd_write)(fd, value);
	int ret = REAL(eventfd_write)(fd, value);
	shim_end_io(&o, ret == 0 ? (int64_t)sizeof(value) : -1, &value);
	return ret;
}

/* ---- between two descriptors ---- */

bool shim_begin_two(struct shim_two *w, int a, int b, enum ipctap_op op, uint32_t dir_a, uint32_t dir_b)
{
	struct shim_thread *t = shim_ready();
	struct shim_fd f;
	if (!t || a < 0 || b < 0)
		return false;
	w->has_a = shim_fd_get(t, a, &f);
	w->has_b = shim_fd_get(t, b, &w->b);
	if (!w->has_a && !w->has_b)
		return false;
	w->fd_b = b;
	w->flags_b = dir_b | (w->b.state & FD_NONBLOCK ? IO_NONBLOCK : 0);
	if (w->has_a)
		shim_begin(&w->o, t, f.obj, a, op, dir_a | (f.state & FD_NONBLOCK ? IO_NONBLOCK : 0));
	else
		shim_begin(&w->o, t, w->b.obj, b, op, w->flags_b);
	return true;
}

void shim_end_two(struct shim_two *w, int64_t ret)
{
	shim_done(&w->o, ret);
	if (ret > 0) {
		w->o.io.bytes = (uint64_t)ret;
		w->o.io.messages = 1;
	}
	shim_tell(&w->o);
	if (!w->has_a || !w->has_b)
		return;
	w->o.io.hdr.flags = w->flags_b | IO_HALF | (w->o.io.hdr.flags & IO_ERROR);
	w->o.io.chan = w->b.obj;
	w->o.io.fd = w->fd_b;
	shim_tell(&w->o);
}

#define TWO(name, params, args, a, b, op, dir_a, dir_b)                                            \
	SHIM_EXPORT ssize_t name params                                                            \
	{                                                                                          \
		struct shim_two w;                                                                 \
		if (!shim_begin_two(&w, a, b, op, dir_a, dir_b))                                   \
			return REAL(name) args;                                                    \
		ssize_t ret = REAL(name) args;                                                     \
		shim_end_two(&w, ret);                                                             \
		return ret;                                                                        \
	}

TWO(splice, (int from, off64_t *at, int to, off64_t *to_at, size_t n, unsigned int f), (from, at, to, to_at, n, f),
    from, to, OP_SPLICE, IO_READ, IO_WRITE)
TWO(tee, (int from, int to, size_t n, unsigned int f), (from, to, n, f), from, to, OP_TEE, IO_READ | IO_PEEK, IO_WRITE)
TWO(sendfile, (int to, int from, off_t *at, size_t n), (to, from, at, n), to, from, OP_SENDFILE, IO_WRITE, IO_READ)
TWO(sendfile64, (int to, int from, off64_t *at, size_t n), (to, from, at, n), to, from, OP_SENDFILE, IO_WRITE, IO_READ)

bool shim_begin_vmsplice(struct shim_op *o, int fd)
{
	bool ours = shim_begin_fd(o, fd, OP_VMSPLICE, 0);
	if (ours)
		o->io.hdr.flags |= o->state & FD_WRITE ? IO_WRITE : IO_READ;
	return ours;
}

SHIM_EXPORT ssize_t vmsplice(int fd, const struct iovec *iov, size_t n, unsigned int flags)
{
	struct shim_op o;
	if (!shim_begin_vmsplice(&o, fd))
		return REAL(vmsplice)(fd, iov, n, flags);
	ssize_t ret = REAL(vmsplice)(fd, iov, n, flags);
	shim_end_bytes(&o, ret, NULL);
	return ret;
}
