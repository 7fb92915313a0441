// SPDX-License-Identifier: LGPL-2.1-or-later
/* Calls that make, copy and close descriptors, whatever is behind them, and fcntl. */
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collector/shim/calls.h"

/* What glibc exports beside what its headers declare. */
int __pipe(int fds[2]);
int __close(int fd);
int __dup2(int from, int to);
int __fcntl(int fd, int cmd, ...);
int __open(const char *path, int flags, ...);
int __open64(const char *path, int flags, ...);
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int dir, const char *path, int flags);
int __openat64_2(int dir, const char *path, int flags);
int __xmknod(int version, const char *path, mode_t mode, dev_t *dev);
int __xmknodat(int version, int dir, const char *path, mode_t mode, dev_t *dev);

/* ---- descriptors come ---- */

void shim_end_pair(struct shim_op *o, int ret, const int fds[2])
{
	shim_done(o, ret);
	if (ret == 0) {
		o->io.chan = shim_fd_new_pair(o->t, fds);
		o->io.fd = fds[0];
		o->io.mtype = fds[1];
	}
	shim_tell(o);
}

/* libc's pipe is the kernel's pipe2 */
#define PIPE(name, params, args)                                                                   \
	SHIM_EXPORT int name params                                                                \
	{                                                                                          \
		struct shim_op o;                                                                  \
		if (!shim_begin_none(&o, OP_PIPE2))                                                \
			return REAL(name) args;                                                    \
		int ret = REAL(name) args;                                                         \
		shim_end_pair(&o, ret, fds);                                                       \
		return ret;                                                                        \
	}

PIPE(pipe, (int fds[2]), (fds))
PIPE(__pipe, (int fds[2]), (fds))
PIPE(pipe2, (int fds[2], int flags), (fds, flags))

/*
 * Of what was opened only a FIFO, a terminal and an object of POSIX shared memory are told of. An open
 * that sleeps is one of a FIFO whose other end nobody has; which, its end says.
 */
void shim_end_open(struct shim_op *o, int fd, const char *path)
{
	shim_done(o, fd);
	if (fd < 0)
		return;
	struct stat st;
	int saved = errno;
	bool has = fstat(fd, &st) == 0;
	errno = saved;
	o->io.fd = fd;
	shim_fd_forget(fd);
	if (has && (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode))) {
		o->io.chan = shim_fd_new(o->t, fd, 0, ENDPOINT_OPEN);
		if (o->io.chan)
			shim_tell(o);
	} else if (has && S_ISREG(st.st_mode) && strncmp(path, "/dev/shm/", 9) == 0) {
		o->io.chan = shim_memory_opened(o->t, fd, 0);
		shim_tell(o);
	}
}

#define OPEN_MODE(flags)                                                                           \
	mode_t mode = 0;                                                                           \
	if ((flags) & (O_CREAT | __O_TMPFILE)) {                                                   \
		va_list ap;                                                                        \
		va_start(ap, flags);                                                               \
		mode = va_arg(ap, mode_t);                                                         \
		va_end(ap);                                                                        \
	}
#define OPEN(name, params, args, op, prologue)                                                     \
	SHIM_EXPORT int name params                                                                \
	{                                                                                          \
		struct shim_op o;                                                                  \
		prologue;                                                                          \
		if (!shim_begin_none(&o, op))                                                      \
			return REAL(name) args;                                                    \
		int fd = REAL(name) args;                                                          \
		shim_end_open(&o, fd, path);                                                       \
		return fd;                                                                         \
	}

OPEN(open, (const char *path, int flags, ...), (path, flags, mode), OP_OPENAT, OPEN_MODE(flags))
OPEN(open64, (const char *path, int flags, ...), (path, flags, mode), OP_OPENAT, OPEN_MODE(flags))
OPEN(__open, (const char *path, int flags, ...), (path, flags, mode), OP_OPENAT, OPEN_MODE(flags))
OPEN(__open64, (const char *path, int flags, ...), (path, flags, mode), OP_OPENAT, OPEN_MODE(flags))
OPEN(openat, (int dir, const char *path, int flags, ...), (dir, path, flags, mode), OP_OPENAT, OPEN_MODE(flags))
OPEN(openat64, (int dir, const char *path, int flags, ...), (dir, path, flags, mode), OP_OPENAT, OPEN_MODE(flags))
OPEN(__open_2, (const char *path, int flags), (path, flags), OP_OPENAT, )
OPEN(__open64_2, (const char *path, int flags), (path, flags), OP_OPENAT, )
OPEN(__openat_2, (int dir, const char *path, int flags), (dir, path, flags), OP_OPENAT, )
OPEN(__openat64_2, (int dir, const char *path, int flags), (dir, path, flags), OP_OPENAT, )
OPEN(creat, (const char *path, mode_t mode), (path, mode), OP_CREAT, )
OPEN(creat64, (const char *path, mode_t mode), (path, mode), OP_CREAT, )

/* ---- FIFOs made ---- */

bool shim_begin_mknod(struct shim_op *o, mode_t mode, enum ipctap_op op)
{
	return (mode & S_IFMT) == S_IFIFO && shim_begin_none(o, op);
}

void shim_end_mknod(struct shim_op *o, int ret, int dir, const char *path)
{
	struct raw_mknod r = { .dirfd = dir };
	shim_done(o, ret);
	r.io = o->io;
	r.io.hdr.type = RAW_MKNOD;
	r.io.hdr.size = sizeof(r);
	strncpy(r.path, shim_is_address(path) ? path : "", sizeof(r.path) - 1);
	shim_put(o->t, &r, sizeof(r), SHIM_LOST_OP);
}

#define MKNOD(name, params, args, op, mode, dir)                                                   \
	SHIM_EXPORT int name params                                                                \
	{                                                                                          \
		struct shim_op o;                                                                  \
		if (!shim_begin_mknod(&o, mode, op))                                               \
			return REAL(name) args;                                                    \
		int ret = REAL(name) args;                                                         \
		shim_end_mknod(&o, ret, dir, path);                                                \
		return ret;                                                                        \
	}

MKNOD(mkfifo, (const char *path, mode_t bits), (path, bits), OP_MKNODAT, S_IFIFO, AT_FDCWD)
MKNOD(mkfifoat, (int at, const char *path, mode_t bits), (at, path, bits), OP_MKNODAT, S_IFIFO, at)
MKNOD(mknod, (const char *path, mode_t mode, dev_t dev), (path, mode, dev), OP_MKNODAT, mode, AT_FDCWD)
MKNOD(mknodat, (int at, const char *path, mode_t mode, dev_t dev), (at, path, mode, dev), OP_MKNODAT, mode, at)
MKNOD(__xmknod, (int v, const char *path, mode_t mode, dev_t *dev), (v, path, mode, dev), OP_MKNODAT, mode, AT_FDCWD)
MKNOD(__xmknodat, (int v, int at, const char *path, mode_t mode, dev_t *dev), (v, at, path, mode, dev),
      OP_MKNODAT, mode, at)

/* ---- descriptors are copied ---- */

void shim_end_dup(struct shim_op *o, int ret)
{
	shim_done(o, ret);
	o->io.mtype = ret >= 0 ? ret : 0;
	if (ret >= 0)
		shim_fd_new(o->t, ret, 0, ENDPOINT_OPEN);
	shim_tell(o);
}

SHIM_EXPORT int dup(int fd)
{
	struct shim_op o;
	if (!shim_begin_fd(&o, fd, OP_DUP, 0)) {
		int plain = REAL(dup)(fd);
		shim_fd_forget(plain);
		return plain;
	}
	int ret = REAL(dup)(fd);
	shim_end_dup(&o, ret);
	return ret;
}

bool shim_begin_dup_to(struct shim_dup_to *d, int from, int to, enum ipctap_op op)
{
	d->t = shim_ready();
	if (!d->t)
		return false;
	d->replaced = from != to ? shim_fd_closing(d->t, to) : 0;
	d->is_ours = shim_begin_fd(&d->o, from, op, 0);
	if (d->is_ours)
		d->o.io.mtype = to;
	return true;
}

void shim_end_dup_to(struct shim_dup_to *d, int ret, int from, int to)
{
	if (ret >= 0)
		shim_fd_closed(d->t, to, d->replaced);
	else if (d->replaced)
		shim_fd_look_up(d->t, to);
	if (!d->is_ours)
		return;
	shim_done(&d->o, ret);
	if (ret >= 0 && from != to)
		shim_fd_new(d->t, ret, 0, ENDPOINT_OPEN);
	shim_tell(&d->o);
}

#define DUP_TO(name, params, args, op)                                                             \
	SHIM_EXPORT int name params                                                                \
	{                                                                                          \
		struct shim_dup_to d;                                                              \
		if (!shim_begin_dup_to(&d, from, to, op))                                          \
			return REAL(name) args;                                                    \
		int ret = REAL(name) args;                                                         \
		shim_end_dup_to(&d, ret, from, to);                                                \
		return ret;                                                                        \
	}

DUP_TO(dup2, (int from, int to), (from, to), OP_DUP2)
DUP_TO(__dup2, (int from, int to), (from, to), OP_DUP2)
DUP_TO(dup3, (int from, int to, int flags), (from, to, flags), OP_DUP3)

/* ---- fcntl ---- */

static bool is_lock_cmd(int cmd)
{
	return cmd == F_GETLK || cmd == F_SETLK || cmd == F_SETLKW || cmd == F_OFD_GETLK ||
	       cmd == F_OFD_SETLK || cmd == F_OFD_SETLKW;
}

bool shim_begin_fcntl(struct shim_op *o, int fd, int cmd, void *arg)
{
	struct shim_thread *t;
	switch (cmd) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		return shim_begin_fd(o, fd, OP_FCNTL, 0);
	}
	if (!is_lock_cmd(cmd) || !shim_is_address(arg) || !(t = shim_ready()))
		return false;
	uint64_t obj = shim_lock_object(t, fd);
	if (!obj)
		return false;
	shim_begin(o, t, obj, fd, OP_FCNTL, cmd == F_SETLKW || cmd == F_OFD_SETLKW ? 0 : IO_NONBLOCK);
	o->io.mtype = cmd | (int64_t)((const struct flock *)arg)->l_type << 16;
	return true;
}

void shim_end_fcntl(struct shim_op *o, int ret, int cmd)
{
	if (cmd == F_DUPFD || cmd == F_DUPFD_CLOEXEC)
		shim_end_dup(o, ret);
	else
		shim_end(o, ret);
}

void shim_plain_fcntl(int fd, int cmd, void *arg, int ret)
{
	struct shim_thread *t = cmd == F_SETPIPE_SZ && ret >= 0 ? shim_ready() : NULL;
	if (t)
		shim_fd_describe(t, fd, 0); /* what it has room for */
	if (cmd == F_SETFL && ret == 0)
		shim_fd_set_nonblock(fd, (int)(intptr_t)arg & O_NONBLOCK);
	else if (cmd == F_DUPFD || cmd == F_DUPFD_CLOEXEC)
		shim_fd_forget(ret);
}

/* The third argument is a number or an address; either comes through as a pointer. */
#define FCNTL(name)                                                                                \
	SHIM_EXPORT int name(int fd, int cmd, ...)                                                 \
	{                                                                                          \
		struct shim_op o;                                                                  \
		va_list ap;                                                                        \
		va_start(ap, cmd);                                                                 \
		void *arg = va_arg(ap, void *);                                                    \
		va_end(ap);                                                                        \
		bool ours = shim_begin_fcntl(&o, fd, cmd, arg);                                    \
		int ret = REAL(name)(fd, cmd, arg);                                                \
		if (ours)                                                                          \
			shim_end_fcntl(&o, ret, cmd);                                              \
		else                                                                               \
			shim_plain_fcntl(fd, cmd, arg, ret);                                       \
		return ret;                                                                        \
	}

FCNTL(fcntl)
FCNTL(fcntl64)
FCNTL(__fcntl)

/* ---- descriptors go ---- */

bool shim_begin_close(struct shim_op *o, int fd)
{
	struct shim_thread *t = shim_ready();
	uint64_t obj = t ? shim_fd_closing(t, fd) : 0;
	if (obj)
		shim_begin(o, t, obj, fd, OP_CLOSE, 0);
	return obj != 0;
}

/* close frees the descriptor whatever it returns. */
void shim_end_close(struct shim_op *o, int ret)
{
	shim_done(o, ret);
	shim_fd_closed(o->t, o->io.fd, o->io.chan);
	shim_tell(o);
}

#define CLOSE(name)                                                                                \
	SHIM_EXPORT int name(int fd)                                                               \
	{                                                                                          \
		struct shim_op o;                                                                  \
		if (!shim_begin_close(&o, fd))                                                     \
			return REAL(name)(fd);                                                     \
		int ret = REAL(name)(fd);                                                          \
		shim_end_close(&o, ret);                                                           \
		return ret;                                                                        \
	}

CLOSE(close)
CLOSE(__close)

#define CLOSE_RANGE_ANY_FLAG (~0)
SHIM_EXPORT int close_range(unsigned int first, unsigned int last, int flags)
{
	struct shim_thread *t = flags & CLOSE_RANGE_ANY_FLAG ? NULL : shim_ready();
	if (t && first <= last)
		shim_fd_close_range(t, first, last);
	return REAL(close_range)(first, last, flags);
}

SHIM_EXPORT void closefrom(int first)
{
	struct shim_thread *t = shim_ready();
	if (t)
		shim_fd_close_range(t, first < 0 ? 0 : (unsigned int)first, ~0u);
	REAL(closefrom)(first);
}
