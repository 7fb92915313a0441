/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls on descriptors whatever is behind them: pipes, FIFOs and the byte calls of sockets. */
#ifndef IPCTAP_BPF_MECH_FILE_H
#define IPCTAP_BPF_MECH_FILE_H

#include "calls.bpf.h"
#include "emit.bpf.h"
#include "mech_map.bpf.h"
#include "mech_lock.bpf.h"

#define SPLICE_F_NONBLOCK 2
#define F_DUPFD 0
#define F_DUPFD_CLOEXEC 1030
#define F_SETPIPE_SZ 1031

static __always_inline bool ret_ok(__s64 ret) { return ret >= 0; }

/* ---- entry ---- */

/* termios(3): what makes bytes vanish, multiply or come back on their way through a terminal */
#define IFLAGS_EDIT (0000010u | 0000200u | 0002000u) /* PARMRK, IGNCR, IXON */
#define OFLAGS_EDIT 0000001u                         /* OPOST */
#define LFLAGS_EDIT (0000001u | 0000002u)            /* ISIG, ICANON */
#define LFLAGS_ECHO (0000010u | 0000100u)            /* ECHO, ECHONL */

/* Does the terminal edit what goes the way of this call, in at the master or out at it? */
static __noinline bool tty_edits(const struct look *l, __u32 flags)
{
	struct tty_struct *tty = l->sk;
	if (l->type == TTY_MASTER)
		tty = BPF_CORE_READ(tty, link); /* the settings that count are the slave's */
	bool in = (l->type == TTY_MASTER) == ((flags & IO_WRITE) != 0);
	__u32 lflag = BPF_CORE_READ(tty, termios.c_lflag);
	if (in)
		return (BPF_CORE_READ(tty, termios.c_iflag) & IFLAGS_EDIT) || (lflag & LFLAGS_EDIT);
	return (BPF_CORE_READ(tty, termios.c_oflag) & OFLAGS_EDIT) || (lflag & LFLAGS_ECHO);
}

/* Takes the object behind fd as the call's first; false: not a channel. */
static __always_inline bool take_look(struct task_struct *t, struct thread *s, __s32 fd,
				      __u32 flags, struct look *l)
{
	look_fd(t, (__u32)fd, l);
	s->fd = fd;
	if (!l->obj)
		return false;
	s->obj = l->obj;
	s->sk = l->is_mptcp ? 0 : (__u64)l->sk;
	s->type = l->type;
	s->flags = flags | (l->f_flags & O_NONBLOCK ? IO_NONBLOCK : 0);
	/* A datagram's channel is the socket it arrives in: on_data_ready learns which. */
	s->wants_receiver = (flags & IO_WRITE) && l->type == SOCK_DGRAM && l->sk;
	describe_once(s, l, t->tgid, fd, s->enter_ns);
	return true;
}

APART bool take_fd(struct task_struct *t, struct thread *s, __s32 fd, __u32 flags)
{
	struct look l;
	return take_look(t, s, fd, flags, &l);
}

/* Writes that keep together: only those of write and its forms, not what splice puts in. */
static __always_inline __u32 io_packet(const struct look *l, __u32 dir)
{
	bool is_pipe = l->kind == KIND_PIPE || l->kind == KIND_FIFO;
	return is_pipe && (l->f_flags & O_DIRECT) && (dir & IO_WRITE) ? IO_PACKET : 0;
}

/* A read or write: also of a signalfd, which is no channel; not of what only has its own calls. */
static __always_inline bool take_io(struct task_struct *t, struct thread *s, __s32 fd, __u16 dir)
{
	struct look l;
	if (take_look(t, s, fd, dir, &l)) {
		if (l.kind == KIND_PTY && tty_edits(&l, dir))
			s->flags |= IO_COOKED;
		s->flags |= io_packet(&l, dir);
		return l.kind != KIND_MQ; /* to read a queue's file gives a status, no message */
	}
	if (l.kind != KIND_SIGNAL || dir != IO_READ)
		return false;
	s->obj = RAW_OBJ_SIGNAL(t->tgid, 0);
	s->flags |= l.f_flags & O_NONBLOCK ? IO_NONBLOCK : 0;
	return true;
}

APART bool take_fd2(struct task_struct *t, struct thread *s, __s32 fd, __u32 flags)
{
	struct look l;
	look_fd(t, (__u32)fd, &l);
	if (!l.obj)
		return false;
	s->obj2 = l.obj;
	if (l.kind == KIND_TCP && !l.is_mptcp)
		s->sk = (__u64)l.sk;
	s->fd2 = fd;
	s->flags2 = flags | (l.f_flags & O_NONBLOCK ? IO_NONBLOCK : 0);
	describe_once(NULL, &l, t->tgid, fd, s->enter_ns);
	return true;
}

/* vmsplice goes the way its pipe end does. */
APART bool take_vmsplice(struct task_struct *t, struct thread *s, __s32 fd)
{
	struct look l = {};
	look_fd(t, (__u32)fd, &l);
	return take_fd(t, s, fd, l.obj && (l.f_mode & FMODE_WRITE) ? IO_WRITE : IO_READ);
}

#define CLOSE_RANGE_UNSHARE 2

/*
 * The descriptors are gone at exit, so their ends are told at entry; the call cannot fail later. To mark
 * them for exec closes nothing now, and of a table that is shared with others they keep theirs.
 */
APART void close_range_enter(struct task_struct *t, const struct pt_regs *r, __u64 now)
{
	__u32 flags = r->dx;
	if (flags & ~CLOSE_RANGE_UNSHARE || (flags && BPF_CORE_READ(t, files, count.counter) != 1))
		return;
	fd_walk_range(t, (__u32)r->di, (__u32)r->si, ENDPOINT_CLOSE, now);
}

/* Returns false when the call is none of ours after all. */
static __always_inline bool file_enter(struct task_struct *t, struct thread *s,
				       const struct pt_regs *r, const struct call *c)
{
	__s32 fd = (__s32)r->di;
	bool a, b;
	switch (c->class) {
	case CALL_IO:
		return take_io(t, s, fd, c->dir);
	case CALL_SPLICE:
		a = take_fd(t, s, fd, IO_READ);
		b = take_fd2(t, s, (__s32)r->dx, IO_WRITE);
		return a || b;
	case CALL_TEE:
		a = take_fd(t, s, fd, IO_READ | IO_PEEK);
		b = take_fd2(t, s, (__s32)r->si, IO_WRITE);
		return a || b;
	case CALL_SENDFILE:
		a = take_fd(t, s, fd, IO_WRITE);
		b = take_fd2(t, s, (__s32)r->si, IO_READ);
		return a || b;
	case CALL_VMSPLICE:
		return take_vmsplice(t, s, fd);
	case CALL_DUP_TO:
		s->arg = r->si;
		a = take_fd(t, s, fd, 0);
		b = take_fd2(t, s, (__s32)r->si, 0);
		return a || b;
	case CALL_FCNTL:
		if (is_lock_cmd(r->si)) {
			struct call_args args;
			call_args(&args, r, c);
			return fcntl_lock_enter(s, &args);
		}
		s->mtype = r->si;
		if (r->si != F_DUPFD && r->si != F_DUPFD_CLOEXEC && r->si != F_SETPIPE_SZ)
			return false;
		return take_fd(t, s, fd, 0);
	case CALL_DUP:
	case CALL_CLOSE:
		return take_fd(t, s, fd, 0);
	case CALL_CLOSE_RANGE:
		close_range_enter(t, r, s->enter_ns);
		return false;
	case CALL_PIPE:
		s->arg = r->di;
		return true;
	case CALL_OPEN:
		s->arg = c->arg ? r->si : r->di;
		s->fd = c->arg ? (__s32)r->di : -100; /* AT_FDCWD */
		return true;
	case CALL_MKNOD:
		s->arg = c->arg ? r->si : r->di;
		s->fd = c->arg ? (__s32)r->di : -100;
		return ((c->arg ? r->dx : r->si) & S_IFMT) == S_IFIFO;
	}
	return false;
}

/* ---- exit ---- */

/* A descriptor has just appeared in the table: tells what it is. Returns its object, 0: not ours. */
APART __u64 new_fd(struct task_struct *t, __s32 fd, __u32 describe_flags,
				    __u8 what, __u64 now)
{
	struct look l;
	look_fd(t, (__u32)fd, &l);
	if (!l.obj)
		return 0;
	if (describe_flags)
		describe(&l, t->tgid, fd, describe_flags, now);
	else
		describe_once(NULL, &l, t->tgid, fd, now);
	endpoint_emit(l.obj, t->tgid, fd, what, look_dir(&l), 0, now);
	return l.obj;
}

/* pipe, pipe2, socketpair: two descriptors at a user address. */
APART void pair_exit(struct task_struct *t, struct thread *s, struct done *d)
{
	__s32 fds[2] = { -1, -1 };
	d->fd = -1;
	if (ret_ok(d->ret) && !bpf_probe_read_user(fds, sizeof(fds), (void *)s->arg)) {
		d->obj = new_fd(t, fds[0], RAW_NEW, ENDPOINT_OPEN, d->now);
		new_fd(t, fds[1], RAW_NEW, ENDPOINT_OPEN, d->now);
		d->fd = fds[0];
		s->mtype = fds[1];
	}
	emit_io(s, d);
}

APART void open_exit(struct task_struct *t, struct thread *s, struct done *d)
{
	if (!ret_ok(d->ret))
		return; /* what a failed open was of is not known here */
	struct look l;
	look_fd(t, (__u32)d->ret, &l);
	/* an anonymous pipe is opened once more by /proc/PID/fd or /dev/fd: a shell's <(command) */
	if (l.kind != KIND_FIFO && l.kind != KIND_PTY && l.kind != KIND_PIPE) {
		if (!l.obj)
			shm_open_exit(s, d);
		return;
	}
	l.path = l.kind == KIND_FIFO ? s->arg : 0;
	d->fd = (__s32)d->ret;
	d->obj = l.obj;
	/* to open the master is to make the pair */
	describe(&l, t->tgid, d->fd, l.type == TTY_MASTER ? RAW_NEW : 0, d->now);
	endpoint_emit(l.obj, t->tgid, d->fd, ENDPOINT_OPEN, look_dir(&l), 0, d->now);
	emit_io(s, d);
}

APART void mknod_exit(struct task_struct *t, struct thread *s, struct done *d)
{
	__s32 dirfd = s->fd;
	d->fd = -1;
	struct raw_mknod *e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);
	if (!e) {
		count(RAW_COUNT_LOST_OP);
		return;
	}
	fill_io(&e->io, t, s, d, RAW_MKNOD, sizeof(*e));
	e->dirfd = dirfd;
	e->pad = 0;
	__builtin_memset(e->path, 0, sizeof(e->path));
	bpf_probe_read_user_str(e->path, sizeof(e->path), (void *)s->arg);
	ring_submit(e);
}

APART void dup_exit(struct task_struct *t, struct thread *s, __u8 class,
				     struct done *d)
{
	bool ok = ret_ok(d->ret);
	if (ok && class == CALL_DUP_TO && s->obj2 && s->fd != s->fd2)
		endpoint_emit(s->obj2, t->tgid, s->fd2, ENDPOINT_CLOSE, 0, 0, d->now);
	if (!s->obj)
		return; /* only the descriptor it replaced was ours */
	if (ok && !(class == CALL_DUP_TO && s->fd == (__s32)s->arg))
		new_fd(t, (__s32)d->ret, 0, ENDPOINT_OPEN, d->now);
	s->mtype = ok ? d->ret : class == CALL_DUP_TO ? (__s32)s->arg : 0;
	emit_io(s, d);
}

/* F_SETPIPE_SZ: no operation of its own, but the pipe is another one now. */
APART void resize_exit(struct task_struct *t, struct thread *s, struct done *d)
{
	struct look l;
	look_fd(t, (__u32)s->fd, &l);
	if (ret_ok(d->ret) && l.obj == s->obj)
		describe(&l, t->tgid, s->fd, RAW_ROOM, d->now);
}

/* What a read took from an eventfd, or a write added to it; of several numbers at once none is told. */
APART void eventfd_moved(struct thread *s, const struct done *d)
{
	if (d->ret == sizeof(s->mtype))
		bpf_probe_read_user(&s->mtype, sizeof(s->mtype), (void *)payload_at(s).base);
}

/* Byte counts, and splice's and sendfile's second half. */
static __always_inline void moved_exit(struct task_struct *t, struct thread *s, struct done *d)
{
	__u64 obj2 = s->obj2;
	if (d->ret > 0) {
		d->bytes = (__u64)d->ret;
		d->messages = 1;
		if (RAW_OBJ_KIND(d->obj) == KIND_EVENTFD && s->class == CALL_IO)
			eventfd_moved(s, d);
	}
	if (d->obj)
		emit_io(s, d);
	if (!obj2)
		return;
	d->flags = s->flags2 | (d->obj ? IO_HALF : 0);
	d->obj = obj2;
	d->fd = s->fd2;
	emit_io(s, d);
}

static __always_inline void file_exit(struct task_struct *t, struct thread *s,
				      const struct call *c, struct done *d)
{
	switch (c->class) {
	case CALL_PIPE:
		pair_exit(t, s, d);
		break;
	case CALL_OPEN:
		open_exit(t, s, d);
		break;
	case CALL_MKNOD:
		mknod_exit(t, s, d);
		break;
	case CALL_DUP:
	case CALL_DUP_TO:
	case CALL_FCNTL:
		if (RAW_OBJ_KIND(d->obj) == KIND_LOCK)
			fcntl_lock_exit(s, d);
		else if (c->class == CALL_FCNTL && s->mtype == F_SETPIPE_SZ)
			resize_exit(t, s, d);
		else
			dup_exit(t, s, c->class, d);
		break;
	case CALL_CLOSE:
		/* close frees the descriptor whatever it returns, but for EBADF, which never comes here */
		endpoint_emit(s->obj, t->tgid, s->fd, ENDPOINT_CLOSE, 0, 0, d->now);
		emit_io(s, d);
		break;
	default:
		moved_exit(t, s, d);
	}
}

#endif
