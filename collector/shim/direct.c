// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Calls that a program makes by number, with syscall(2): a row for each that tells of what others do as
 * well, noted by the same functions as libc's names for them (calls.h). All else goes straight through.
 *
 * It is made here, not by libc's function: that does the same, and this may be called from within the
 * dynamic linker or an allocator, where nothing can be looked up. Nor is it by libc's name for it, which a
 * thread could be cancelled in, other than in syscall.
 */
#include <fcntl.h>
#include <linux/futex.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "collector/shim/calls.h"
#include "collector/shim/sync.h"

#undef syscall

#define LASTED_NS 20000 /* of a futex in one's own memory only a wait is told that did: as in sync.c */

static long make(long nr, const long a[6]) { return shim_syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]); }

struct row {
	/* Either both of these … */
	bool (*begin)(struct shim_op *o, const struct row *r, const long a[6]);
	void (*end)(struct shim_op *o, const struct row *r, long ret, const long a[6]);
	void (*plain)(const long a[6], long ret); /* where begin gave false; or NULL */
	/* … or this, which makes the call itself */
	long (*whole)(long nr, const struct row *r, const long a[6]);
	uint16_t op;
	uint16_t flags; /* IO_READ or IO_WRITE */
};

#define BEGIN(name) static bool name(struct shim_op *o, const struct row *r, const long a[6])
#define END(name) static void name(struct shim_op *o, const struct row *r, long ret, const long a[6])
#define UNUSED (void)a, (void)r
#define ADDRESS(x) ((void *)(x))
#define TIME(x) ((const struct timespec *)(x))

/* ---- what most end by ---- */

END(end) { UNUSED, shim_end(o, ret); }
END(end_bytes) { UNUSED, shim_end_bytes(o, ret, NULL); }
END(end_io) { UNUSED, shim_end_io(o, ret, ADDRESS(a[1])); }
END(end_iov) { UNUSED, shim_end_iov(o, ret, ADDRESS(a[1]), (int)a[2]); }
END(end_made) { UNUSED, shim_end_made(o, (int)ret, RAW_NEW); }

static void forget(const long a[6], long ret)
{
	(void)a;
	shim_fd_forget((int)ret);
}

BEGIN(by_fd) { return shim_begin_fd(o, (int)a[0], r->op, r->flags); }
BEGIN(by_nothing) { return UNUSED, shim_begin_none(o, r->op); }

/* ---- sockets ---- */

BEGIN(by_fd_flags2) { return shim_begin_fd(o, (int)a[0], r->op, shim_msg_flags((int)a[2], r->flags)); }
BEGIN(by_fd_flags3) { return shim_begin_fd(o, (int)a[0], r->op, shim_msg_flags((int)a[3], r->flags)); }
BEGIN(by_domain) { return shim_begin_socket(o, (int)a[0], r->op); }
END(end_sendto) { UNUSED, shim_end_msg(o, ret, ADDRESS(a[4]), (unsigned int)a[5], ADDRESS(a[1])); }
END(end_recvfrom)
{
	const socklen_t *len = ADDRESS(a[5]);
	UNUSED, shim_end_msg(o, ret, ADDRESS(a[4]), len ? *len : 0, ADDRESS(a[1]));
}
END(end_msghdr) { shim_end_msghdr(o, ret, ADDRESS(a[1]), r->flags & IO_READ); }
END(end_mmsg) { shim_end_mmsg(o, (int)ret, ADDRESS(a[1]), r->flags & IO_READ); }
END(end_socket) { UNUSED, shim_end_socket(o, (int)ret); }
END(end_socketpair) { UNUSED, shim_end_pair(o, (int)ret, ADDRESS(a[3])); }
END(end_named) { UNUSED, shim_end_named(o, (int)ret); }
END(end_connect) { UNUSED, shim_end_connect(o, (int)ret, ADDRESS(a[1]), (socklen_t)a[2]); }
END(end_accept) { UNUSED, shim_end_accept(o, (int)ret); }

/* ---- descriptors ---- */

END(end_pipe) { UNUSED, shim_end_pair(o, (int)ret, ADDRESS(a[0])); }
END(end_open) { UNUSED, shim_end_open(o, (int)ret, ADDRESS(a[0])); }
END(end_openat) { UNUSED, shim_end_open(o, (int)ret, ADDRESS(a[1])); }
END(end_dup) { UNUSED, shim_end_dup(o, (int)ret); }
BEGIN(by_close) { return UNUSED, shim_begin_close(o, (int)a[0]); }
END(end_close) { UNUSED, shim_end_close(o, (int)ret); }

static long dup_to(long nr, const struct row *r, const long a[6])
{
	struct shim_dup_to d;
	if (!shim_begin_dup_to(&d, (int)a[0], (int)a[1], r->op))
		return make(nr, a);
	long ret = make(nr, a);
	shim_end_dup_to(&d, (int)ret, (int)a[0], (int)a[1]);
	return ret;
}

static long close_range_by_number(long nr, const struct row *r, const long a[6])
{
	struct shim_thread *t = a[2] ? NULL : shim_ready();
	(void)r;
	if (t && (unsigned int)a[0] <= (unsigned int)a[1])
		shim_fd_close_range(t, (unsigned int)a[0], (unsigned int)a[1]);
	return make(nr, a);
}

BEGIN(by_fcntl) { return UNUSED, shim_begin_fcntl(o, (int)a[0], (int)a[1], ADDRESS(a[2])); }
END(end_fcntl) { UNUSED, shim_end_fcntl(o, (int)ret, (int)a[1]); }
static void plain_fcntl(const long a[6], long ret) { shim_plain_fcntl((int)a[0], (int)a[1], ADDRESS(a[2]), (int)ret); }
BEGIN(by_flock) { return UNUSED, shim_begin_flock(o, (int)a[0], (int)a[1]); }

static long two(long nr, const struct row *r, const long a[6])
{
	struct shim_two w;
	bool splices = r->op == OP_SPLICE, writes = r->op == OP_SENDFILE; /* sendfile has the one written to first */
	uint32_t first = writes ? IO_WRITE : r->op == OP_TEE ? IO_READ | IO_PEEK : IO_READ;
	if (!shim_begin_two(&w, (int)a[0], (int)a[splices ? 2 : 1], r->op, first, writes ? IO_READ : IO_WRITE))
		return make(nr, a);
	long ret = make(nr, a);
	shim_end_two(&w, ret);
	return ret;
}

BEGIN(by_vmsplice) { return UNUSED, shim_begin_vmsplice(o, (int)a[0]); }
BEGIN(by_mknod) { return shim_begin_mknod(o, (mode_t)a[1], r->op); }
END(end_mknod) { UNUSED, shim_end_mknod(o, (int)ret, AT_FDCWD, ADDRESS(a[0])); }
BEGIN(by_mknodat) { return shim_begin_mknod(o, (mode_t)a[2], r->op); }
END(end_mknodat) { UNUSED, shim_end_mknod(o, (int)ret, (int)a[0], ADDRESS(a[1])); }

/* ---- messages, semaphores ---- */

END(end_mq_open) { UNUSED, shim_end_made(o, (int)ret, 0); }

/* The kernel's names have no slash before them, which libc's have. */
END(end_mq_unlink)
{
	char name[EV_PATH_LEN] = "/";
	if (shim_is_address(ADDRESS(a[0])))
		strncpy(name + 1, ADDRESS(a[0]), sizeof(name) - 2);
	UNUSED, shim_end_mq_unlink(o, (int)ret, name);
}

/* The kind that the row is of. */
static uint16_t kind_of(const struct row *r)
{
	return r->op <= OP_SHMCTL ? KIND_SHM : r->op <= OP_MSGCTL ? KIND_MSG : KIND_SEM;
}
END(end_get) { UNUSED, shim_end_sysv_get(o, (int)ret, kind_of(r)); }
BEGIN(by_ctl) { return shim_begin_sysv_ctl(o, kind_of(r), (int)a[0], (int)a[r->op == OP_SEMCTL ? 2 : 1], r->op); }
END(end_ctl) { shim_end_sysv_ctl(o, kind_of(r), (int)a[0], (int)ret); }

BEGIN(by_mq)
{
	bool ours = shim_begin_fd(o, (int)a[0], r->op, r->flags);
	if (ours)
		shim_call(o)->deadline_ns = shim_until(TIME(a[4]));
	return ours;
}
END(end_mq_send) { UNUSED, shim_end_message(o, ret, (uint64_t)a[2], a[3], ADDRESS(a[1])); }

/* Who does not ask for the priority is not to miss it: as libc's. */
static long mq_receive_by_number(long nr, const struct row *r, const long a[6])
{
	struct shim_op o;
	unsigned int unasked = 0;
	long b[6] = { a[0], a[1], a[2], a[3] ? a[3] : (long)&unasked, a[4] };
	if (!by_mq(&o, r, a))
		return make(nr, a);
	long ret = make(nr, b);
	shim_end_message(&o, ret, (uint64_t)ret, ret >= 0 ? (int64_t) * (unsigned int *)b[3] : -1, ADDRESS(a[1]));
	return ret;
}

BEGIN(by_msgsnd) { return shim_begin_sysv_msg(o, (int)a[0], r->op, (int)a[3]); }
BEGIN(by_msgrcv) { return shim_begin_sysv_msg(o, (int)a[0], r->op, (int)a[4]); }
END(end_msgsnd) { UNUSED, shim_end_sysv_msg(o, ret, ADDRESS(a[1]), (size_t)a[2]); }
END(end_msgrcv) { UNUSED, shim_end_sysv_msg(o, ret, ADDRESS(a[1]), (size_t)ret); }
BEGIN(by_semop) { return shim_begin_semop(o, (int)a[0], ADDRESS(a[1]), (size_t)a[2], NULL, r->op); }
BEGIN(by_semtimedop) { return shim_begin_semop(o, (int)a[0], ADDRESS(a[1]), (size_t)a[2], TIME(a[3]), r->op); }

/* ---- waits for any of several ---- */

BEGIN(by_poll) { return shim_begin_poll(o, ADDRESS(a[0]), (nfds_t)a[1], r->op, shim_of_ms((int)a[2])); }
BEGIN(by_ppoll) { return shim_begin_poll(o, ADDRESS(a[0]), (nfds_t)a[1], r->op, shim_of_timespec(TIME(a[2]))); }
BEGIN(by_epoll) { return shim_begin_epoll(o, (int)a[0], r->op, shim_of_ms((int)a[3])); }
BEGIN(by_epoll2) { return shim_begin_epoll(o, (int)a[0], r->op, shim_of_timespec(TIME(a[3]))); }
BEGIN(by_select)
{
	return shim_begin_select(o, (int)a[0], ADDRESS(a[1]), ADDRESS(a[2]), ADDRESS(a[3]), r->op,
				 shim_of_timeval(ADDRESS(a[4])));
}
BEGIN(by_pselect)
{
	return shim_begin_select(o, (int)a[0], ADDRESS(a[1]), ADDRESS(a[2]), ADDRESS(a[3]), r->op,
				 shim_of_timespec(TIME(a[4])));
}

/* ---- signals, children, memory ---- */

BEGIN(by_kill) { return shim_begin_send(o, r->op, (pid_t)a[0], (int)a[1]); }
BEGIN(by_tgkill) { return shim_begin_send(o, r->op, (pid_t)a[0], (int)a[2]); }
BEGIN(by_tkill) { return shim_begin_send(o, r->op, 0, (int)a[1]); } /* a thread: whose is not said */
END(end_sent) { UNUSED, shim_end_sent(o, (int)ret); }

static long wait4_by_number(long nr, const struct row *r, const long a[6])
{
	struct shim_op o;
	int unasked;
	long b[6] = { a[0], a[1] ? a[1] : (long)&unasked, a[2], a[3] };
	if (!shim_begin_wait(&o, r->op, (pid_t)a[0], (int)a[2]))
		return make(nr, a);
	long ret = make(nr, b);
	shim_end_wait(&o, (pid_t)ret, ADDRESS(b[1]));
	return ret;
}

BEGIN(by_waitid)
{
	bool ours = shim_begin_wait(o, r->op, a[0] == P_PID ? (pid_t)a[1] : -1, (int)a[3]);
	if (ours)
		o->io.fd = a[0] == P_PIDFD ? (int)a[1] : -1;
	return ours;
}
END(end_waitid) { UNUSED, shim_end_waitid(o, (int)ret, ADDRESS(a[2])); }
BEGIN(by_process) { return shim_begin_process_vm(o, (pid_t)a[0], r->op, r->flags); }

static long futex(long nr, const struct row *r, const long a[6])
{
	const void *p = (const void *)a[0];
	bool own = a[1] & FUTEX_PRIVATE_FLAG;
	struct shim_thread *t = shim_ready();
	struct shim_op o;
	if (!t)
		return make(nr, a);
	shim_begin(&o, t, own ? shim_private_object(p) : shim_sync_object(t, p), -1, r->op, 0);
	o.io.mtype = (int)a[1];
	long ret = make(nr, a);
	shim_done(&o, ret);
	if (own && o.io.hdr.t_ns - o.io.enter_ns < LASTED_NS)
		return ret;
	if (own)
		o.io.chan = shim_sync_object(t, p);
	shim_tell(&o);
	return ret;
}

/* ---- the table ---- */

#define ROW(nr, word, from, to, dir) [SYS_##nr] = { .begin = from, .end = to, .op = OP_##word, .flags = dir }
#define NEW(nr, word, from, to) [SYS_##nr] = { .begin = from, .end = to, .plain = forget, .op = OP_##word }
#define WHOLE(nr, word, fn, dir) [SYS_##nr] = { .whole = fn, .op = OP_##word, .flags = dir }

static const struct row rows[] = {
	ROW(read, READ, by_fd, end_io, IO_READ),
	ROW(write, WRITE, by_fd, end_io, IO_WRITE),
	ROW(pread64, PREAD64, by_fd, end_io, IO_READ),
	ROW(pwrite64, PWRITE64, by_fd, end_io, IO_WRITE),
	ROW(readv, READV, by_fd, end_iov, IO_READ),
	ROW(writev, WRITEV, by_fd, end_iov, IO_WRITE),
	ROW(preadv, PREADV, by_fd, end_iov, IO_READ),
	ROW(pwritev, PWRITEV, by_fd, end_iov, IO_WRITE),
	ROW(preadv2, PREADV2, by_fd, end_iov, IO_READ),
	ROW(pwritev2, PWRITEV2, by_fd, end_iov, IO_WRITE),
	ROW(sendto, SENDTO, by_fd_flags3, end_sendto, IO_WRITE),
	ROW(recvfrom, RECVFROM, by_fd_flags3, end_recvfrom, IO_READ),
	ROW(sendmsg, SENDMSG, by_fd_flags2, end_msghdr, IO_WRITE),
	ROW(recvmsg, RECVMSG, by_fd_flags2, end_msghdr, IO_READ),
	ROW(sendmmsg, SENDMMSG, by_fd_flags3, end_mmsg, IO_WRITE),
	ROW(recvmmsg, RECVMMSG, by_fd_flags3, end_mmsg, IO_READ),
	NEW(socket, SOCKET, by_domain, end_socket),
	ROW(socketpair, SOCKETPAIR, by_domain, end_socketpair, 0),
	ROW(bind, BIND, by_fd, end_named, 0),
	ROW(listen, LISTEN, by_fd, end_named, 0),
	ROW(connect, CONNECT, by_fd, end_connect, 0),
	ROW(accept, ACCEPT, by_fd, end_accept, 0),
	ROW(accept4, ACCEPT4, by_fd, end_accept, 0),
	ROW(shutdown, SHUTDOWN, by_fd, end, 0),
#ifdef SYS_pipe /* those that newer architectures have no number for */
	ROW(pipe, PIPE, by_nothing, end_pipe, 0),
	ROW(open, OPEN, by_nothing, end_open, 0),
	ROW(creat, CREAT, by_nothing, end_open, 0),
	ROW(mknod, MKNOD, by_mknod, end_mknod, 0),
	WHOLE(dup2, DUP2, dup_to, 0),
	ROW(poll, POLL, by_poll, end, 0),
	ROW(select, SELECT, by_select, end, 0),
	ROW(epoll_wait, EPOLL_WAIT, by_epoll, end, 0),
	ROW(eventfd, EVENTFD, by_nothing, end_made, 0),
#endif
	ROW(pipe2, PIPE2, by_nothing, end_pipe, 0),
	ROW(openat, OPENAT, by_nothing, end_openat, 0),
	ROW(eventfd2, EVENTFD2, by_nothing, end_made, 0),
	NEW(dup, DUP, by_fd, end_dup),
	WHOLE(dup3, DUP3, dup_to, 0),
	[SYS_fcntl] = { .begin = by_fcntl, .end = end_fcntl, .plain = plain_fcntl, .op = OP_FCNTL },
	ROW(close, CLOSE, by_close, end_close, 0),
	WHOLE(close_range, CLOSE, close_range_by_number, 0),
	ROW(flock, FLOCK, by_flock, end, 0),
	WHOLE(splice, SPLICE, two, 0),
	WHOLE(tee, TEE, two, 0),
	WHOLE(sendfile, SENDFILE, two, 0),
	ROW(vmsplice, VMSPLICE, by_vmsplice, end_bytes, 0),
	ROW(mknodat, MKNODAT, by_mknodat, end_mknodat, 0),
	ROW(mq_open, MQ_OPEN, by_nothing, end_mq_open, 0),
	ROW(mq_unlink, MQ_UNLINK, by_nothing, end_mq_unlink, 0),
	ROW(mq_getsetattr, MQ_GETSETATTR, by_fd, end, 0),
	ROW(mq_notify, MQ_NOTIFY, by_fd, end, 0),
	ROW(shmget, SHMGET, by_nothing, end_get, 0),
	ROW(shmctl, SHMCTL, by_ctl, end_ctl, 0),
	ROW(msgget, MSGGET, by_nothing, end_get, 0),
	ROW(msgctl, MSGCTL, by_ctl, end_ctl, 0),
	ROW(semget, SEMGET, by_nothing, end_get, 0),
	ROW(semctl, SEMCTL, by_ctl, end_ctl, 0),
	ROW(mq_timedsend, MQ_TIMEDSEND, by_mq, end_mq_send, IO_WRITE),
	WHOLE(mq_timedreceive, MQ_TIMEDRECEIVE, mq_receive_by_number, IO_READ),
	ROW(msgsnd, MSGSND, by_msgsnd, end_msgsnd, IO_WRITE),
	ROW(msgrcv, MSGRCV, by_msgrcv, end_msgrcv, IO_READ),
	ROW(semop, SEMOP, by_semop, end, 0),
	ROW(semtimedop, SEMTIMEDOP, by_semtimedop, end, 0),
	ROW(ppoll, PPOLL, by_ppoll, end, 0),
	ROW(pselect6, PSELECT6, by_pselect, end, 0),
	ROW(epoll_pwait, EPOLL_PWAIT, by_epoll, end, 0),
	ROW(epoll_pwait2, EPOLL_PWAIT2, by_epoll2, end, 0),
	ROW(kill, KILL, by_kill, end_sent, IO_WRITE),
	ROW(tgkill, TGKILL, by_tgkill, end_sent, IO_WRITE),
	ROW(tkill, TKILL, by_tkill, end_sent, IO_WRITE),
	ROW(rt_sigqueueinfo, RT_SIGQUEUEINFO, by_kill, end_sent, IO_WRITE),
	ROW(rt_tgsigqueueinfo, RT_TGSIGQUEUEINFO, by_tgkill, end_sent, IO_WRITE),
	WHOLE(wait4, WAIT4, wait4_by_number, 0),
	ROW(waitid, WAITID, by_waitid, end_waitid, 0),
	ROW(process_vm_readv, PROCESS_VM_READV, by_process, end_bytes, IO_READ),
	ROW(process_vm_writev, PROCESS_VM_WRITEV, by_process, end_bytes, IO_WRITE),
	WHOLE(futex, FUTEX, futex, 0),
};

SHIM_EXPORT long syscall(long nr, ...)
{
	static const struct row none;
	struct shim_op o;
	long a[6];
	va_list ap;
	va_start(ap, nr);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	const struct row *r = nr >= 0 && (size_t)nr < sizeof(rows) / sizeof(*rows) ? &rows[nr] : &none;
	if (r->whole)
		return r->whole(nr, r, a);
	bool ours = r->begin && r->begin(&o, r, a);
	long ret = make(nr, a);
	if (ours)
		r->end(&o, r, ret, a);
	else if (r->plain)
		r->plain(a, ret);
	return ret;
}
