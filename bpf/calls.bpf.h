/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The system calls of ours, one row each: how to decode it, what it is called, which way data
 * goes. A call without a row costs a load, a compare and a return.
 */
#ifndef IPCTAP_BPF_CALLS_H
#define IPCTAP_BPF_CALLS_H

#include <asm/unistd_64.h>

#include "state.bpf.h"

/* newer than the headers of Debian 12: v6.7, 9f6c532f59b2, cb8c4312afca, 0f4b5f972216 */
#ifndef __NR_futex_wake
#define __NR_futex_wake 454
#define __NR_futex_wait 455
#define __NR_futex_requeue 456
#endif

enum call_class {
	CALL_NONE,
	/* mech_file.bpf.h */
	CALL_IO,     /* fd; ret is bytes */
	CALL_MSG,    /* fd, with MSG_ flags and perhaps an address; ret is bytes */
	CALL_MMSG,   /* fd, vector; ret is messages */
	CALL_SPLICE, /* fd to fd */
	CALL_TEE,
	CALL_VMSPLICE,
	CALL_SENDFILE,
	CALL_PIPE, /* makes two descriptors */
	CALL_OPEN, /* makes one, perhaps of a FIFO */
	CALL_MKNOD,
	CALL_DUP,
	CALL_DUP_TO, /* dup2, dup3 */
	CALL_FCNTL,
	CALL_CLOSE,
	CALL_CLOSE_RANGE,
	/* mech_sock.bpf.h */
	CALL_SOCKET,
	CALL_SOCKETPAIR,
	CALL_BIND, /* bind, listen, connect, shutdown: the socket is to be described anew */
	CALL_ACCEPT,
	/* mech_sysv.bpf.h */
	CALL_IPC_GET,
	CALL_IPC_CTL,
	CALL_SHMAT,
	CALL_SHMDT,
	CALL_MSGSND,
	CALL_MSGRCV,
	CALL_SEMOP,
	/* only noted */
	CALL_RESTART, /* a poll or futex goes on after a stop */
	CALL_EXEC,
	/* mech_map.bpf.h */
	CALL_MMAP,
	CALL_MUNMAP,
	CALL_MREMAP,
	CALL_MEMFD,
	/* mech_futex.bpf.h */
	CALL_FUTEX,
	/* mech_peer.bpf.h */
	CALL_PROCESS_VM,
	CALL_GETFD,
	/* mech_uring.bpf.h */
	CALL_URING,
	/* mech_queue.bpf.h */
	CALL_MQ_OPEN,
	CALL_MQ_UNLINK,
	CALL_MQ_SEND,
	CALL_MQ_RECEIVE,
	CALL_MQ_CTL,
	CALL_EVENTFD,
	/* mech_signal.bpf.h */
	CALL_KILL, /* arg: which argument is the signal */
	CALL_SIGNALFD,
	CALL_SIGWAIT,
	CALL_PAUSE,
	/* mech_lock.bpf.h; fcntl's locks are CALL_FCNTL */
	CALL_FLOCK,
	/* mech_child.bpf.h */
	CALL_WAIT4,
	CALL_WAITID,
	CALL_VFORK,  /* clone and clone3 only with CLONE_VFORK; arg: where the flags are */
	/* mech_set.bpf.h; arg: the timeout */
	CALL_POLL,   /* milliseconds */
	CALL_PPOLL,  /* a timespec, as have those below but epoll_wait and epoll_pwait */
	CALL_SELECT, /* a timeval */
	CALL_PSELECT,
	CALL_EPOLL, /* milliseconds */
	CALL_EPOLL2,
};

struct call {
	__u8 class;
	__u8 op;
	__u16 dir; /* IO_READ, IO_WRITE, 0; CALL_IPC_*: the kind */
	__u8 arg;  /* which argument holds what the class needs: MSG_ flags, sockaddr, path … */
};

#define CALL_MAX 512
#define ROW(nr, class_, op_, dir_, arg_)                                                           \
	[__NR_##nr] = { .class = CALL_##class_, .op = OP_##op_, .dir = dir_, .arg = arg_ }

static const volatile struct call calls[CALL_MAX] = {
	ROW(read, IO, READ, IO_READ, 0),
	ROW(readv, IO, READV, IO_READ, 0),
	ROW(pread64, IO, PREAD64, IO_READ, 0),
	ROW(preadv, IO, PREADV, IO_READ, 0),
	ROW(preadv2, IO, PREADV2, IO_READ, 0),
	ROW(write, IO, WRITE, IO_WRITE, 0),
	ROW(writev, IO, WRITEV, IO_WRITE, 0),
	ROW(pwrite64, IO, PWRITE64, IO_WRITE, 0),
	ROW(pwritev, IO, PWRITEV, IO_WRITE, 0),
	ROW(pwritev2, IO, PWRITEV2, IO_WRITE, 0),
	ROW(sendto, MSG, SENDTO, IO_WRITE, 3),
	ROW(sendmsg, MSG, SENDMSG, IO_WRITE, 2),
	ROW(recvfrom, MSG, RECVFROM, IO_READ, 3),
	ROW(recvmsg, MSG, RECVMSG, IO_READ, 2),
	ROW(sendmmsg, MMSG, SENDMMSG, IO_WRITE, 3),
	ROW(recvmmsg, MMSG, RECVMMSG, IO_READ, 3),
	ROW(splice, SPLICE, SPLICE, 0, 5),
	ROW(tee, TEE, TEE, 0, 3),
	ROW(vmsplice, VMSPLICE, VMSPLICE, 0, 3),
	ROW(sendfile, SENDFILE, SENDFILE, 0, 0),
	ROW(pipe, PIPE, PIPE, 0, 0),
	ROW(pipe2, PIPE, PIPE2, 0, 0),
	ROW(mknod, MKNOD, MKNOD, 0, 0),
	ROW(mknodat, MKNOD, MKNODAT, 0, 1),
	ROW(open, OPEN, OPEN, 0, 0),
	ROW(creat, OPEN, CREAT, 0, 0),
	ROW(openat, OPEN, OPENAT, 0, 1),
	ROW(openat2, OPEN, OPENAT2, 0, 1),
	ROW(dup, DUP, DUP, 0, 0),
	ROW(dup2, DUP_TO, DUP2, 0, 0),
	ROW(dup3, DUP_TO, DUP3, 0, 0),
	ROW(fcntl, FCNTL, FCNTL, 0, 0),
	ROW(close, CLOSE, CLOSE, 0, 0),
	ROW(close_range, CLOSE_RANGE, NONE, 0, 0), /* its ends are told, not the call */
	ROW(socket, SOCKET, SOCKET, 0, 0),
	ROW(socketpair, SOCKETPAIR, SOCKETPAIR, 0, 3),
	ROW(bind, BIND, BIND, 0, 0),
	ROW(listen, BIND, LISTEN, 0, 0),
	ROW(connect, BIND, CONNECT, 0, 0),
	ROW(shutdown, BIND, SHUTDOWN, 0, 0),
	ROW(accept, ACCEPT, ACCEPT, 0, 0),
	ROW(accept4, ACCEPT, ACCEPT4, 0, 0),
	ROW(shmget, IPC_GET, SHMGET, KIND_SHM, 0),
	ROW(shmctl, IPC_CTL, SHMCTL, KIND_SHM, 1),
	ROW(shmat, SHMAT, SHMAT, 0, 0),
	ROW(shmdt, SHMDT, SHMDT, 0, 0),
	ROW(msgget, IPC_GET, MSGGET, KIND_MSG, 0),
	ROW(msgctl, IPC_CTL, MSGCTL, KIND_MSG, 1),
	ROW(msgsnd, MSGSND, MSGSND, IO_WRITE, 0),
	ROW(msgrcv, MSGRCV, MSGRCV, IO_READ, 0),
	ROW(semget, IPC_GET, SEMGET, KIND_SEM, 0),
	ROW(semctl, IPC_CTL, SEMCTL, KIND_SEM, 2),
	ROW(semop, SEMOP, SEMOP, 0, 0),
	ROW(semtimedop, SEMOP, SEMTIMEDOP, 0, 3),
	ROW(restart_syscall, RESTART, NONE, 0, 0),
	ROW(execve, EXEC, NONE, 0, 0),
	ROW(execveat, EXEC, NONE, 0, 0),
	ROW(mmap, MMAP, MMAP, 0, 0),
	ROW(munmap, MUNMAP, MUNMAP, 0, 0),
	ROW(mremap, MREMAP, MREMAP, 0, 0),
	ROW(memfd_create, MEMFD, MEMFD_CREATE, 0, 0),
	ROW(futex, FUTEX, FUTEX, 0, 0),
	ROW(futex_waitv, FUTEX, FUTEX_WAITV, 0, 0),
	ROW(futex_wake, FUTEX, FUTEX_WAKE, 0, 0),
	ROW(futex_wait, FUTEX, FUTEX_WAIT, 0, 0),
	ROW(futex_requeue, FUTEX, FUTEX_REQUEUE, 0, 0),
	ROW(process_vm_readv, PROCESS_VM, PROCESS_VM_READV, IO_READ, 0),
	ROW(process_vm_writev, PROCESS_VM, PROCESS_VM_WRITEV, IO_WRITE, 0),
	ROW(pidfd_getfd, GETFD, PIDFD_GETFD, 0, 0),
	ROW(io_uring_enter, URING, IO_URING_ENTER, 0, 0),
	ROW(mq_open, MQ_OPEN, MQ_OPEN, 0, 0),
	ROW(mq_unlink, MQ_UNLINK, MQ_UNLINK, 0, 0),
	ROW(mq_timedsend, MQ_SEND, MQ_TIMEDSEND, IO_WRITE, 0),
	ROW(mq_timedreceive, MQ_RECEIVE, MQ_TIMEDRECEIVE, IO_READ, 0),
	ROW(mq_getsetattr, MQ_CTL, MQ_GETSETATTR, 0, 0),
	ROW(mq_notify, MQ_CTL, MQ_NOTIFY, 0, 0),
	ROW(eventfd, EVENTFD, EVENTFD, 0, 0),
	ROW(eventfd2, EVENTFD, EVENTFD2, 0, 0),
	ROW(kill, KILL, KILL, IO_WRITE, 1),
	ROW(tkill, KILL, TKILL, IO_WRITE, 1),
	ROW(tgkill, KILL, TGKILL, IO_WRITE, 2),
	ROW(rt_sigqueueinfo, KILL, RT_SIGQUEUEINFO, IO_WRITE, 1),
	ROW(rt_tgsigqueueinfo, KILL, RT_TGSIGQUEUEINFO, IO_WRITE, 2),
	ROW(pidfd_send_signal, KILL, PIDFD_SEND_SIGNAL, IO_WRITE, 1),
	ROW(signalfd, SIGNALFD, SIGNALFD, 0, 0),
	ROW(signalfd4, SIGNALFD, SIGNALFD4, 0, 0),
	ROW(rt_sigtimedwait, SIGWAIT, RT_SIGTIMEDWAIT, IO_READ, 0),
	ROW(pause, PAUSE, PAUSE, 0, 0),
	ROW(rt_sigsuspend, PAUSE, RT_SIGSUSPEND, 0, 0),
	ROW(flock, FLOCK, FLOCK, 0, 0),
	ROW(wait4, WAIT4, WAIT4, IO_READ, 0),
	ROW(waitid, WAITID, WAITID, IO_READ, 0),
	ROW(vfork, VFORK, VFORK, 0, 0),
	ROW(clone, VFORK, CLONE, 0, 1),
	ROW(clone3, VFORK, CLONE3, 0, 2),
	ROW(poll, POLL, POLL, 0, 2),
	ROW(ppoll, PPOLL, PPOLL, 0, 2),
	ROW(select, SELECT, SELECT, 0, 4),
	ROW(pselect6, PSELECT, PSELECT6, 0, 4),
	ROW(epoll_wait, EPOLL, EPOLL_WAIT, 0, 3),
	ROW(epoll_pwait, EPOLL, EPOLL_PWAIT, 0, 3),
	ROW(epoll_pwait2, EPOLL2, EPOLL_PWAIT2, 0, 3),
};

/* The i386 calls that would have been ours: counted, not decoded. */
static const volatile __u8 calls_i386[CALL_MAX] = {
	[3] = 1,   /* read */
	[4] = 1,   /* write */
	[41] = 1,  /* dup */
	[42] = 1,  /* pipe */
	[63] = 1,  /* dup2 */
	[102] = 1, /* socketcall */
	[117] = 1, /* ipc */
	[145] = 1, /* readv */
	[146] = 1, /* writev */
	[180] = 1, /* pread64 */
	[181] = 1, /* pwrite64 */
	[187] = 1, /* sendfile */
	[239] = 1, /* sendfile64 */
	[313] = 1, /* splice */
	[315] = 1, /* tee */
	[316] = 1, /* vmsplice */
	[330] = 1, /* dup3 */
	[331] = 1, /* pipe2 */
	[333] = 1, /* preadv */
	[334] = 1, /* pwritev */
	[337] = 1, /* recvmmsg */
	[345] = 1, /* sendmmsg */
	[359] = 1, [360] = 1, [361] = 1, [362] = 1, [363] = 1, [364] = 1, /* socket … accept4 */
	[369] = 1, [370] = 1, [371] = 1, [372] = 1, [373] = 1, /* sendto … shutdown */
	[378] = 1, [379] = 1, /* preadv2, pwritev2 */
	[393] = 1, [394] = 1, [395] = 1, [396] = 1, [397] = 1, [398] = 1, /* semget … shmdt */
	[399] = 1, [400] = 1, [401] = 1, [402] = 1, /* msgget … msgctl */
	[417] = 1, [420] = 1, /* recvmmsg_time64, semtimedop_time64 */
	[7] = 1, [114] = 1, [284] = 1, [190] = 1, /* waitpid, wait4, waitid, vfork */
	[29] = 1, [37] = 1, [72] = 1, [143] = 1,  /* pause, kill, sigsuspend, flock */
	[82] = 1, [142] = 1, [168] = 1, [308] = 1, [309] = 1, [413] = 1, [414] = 1, /* select … poll */
	[256] = 1, [319] = 1, [441] = 1,          /* epoll_wait, epoll_pwait, epoll_pwait2 */
	[177] = 1, [421] = 1, [178] = 1, [179] = 1, /* rt_sigtimedwait, …_time64, rt_sigqueueinfo, rt_sigsuspend */
	[238] = 1, [270] = 1, [335] = 1, [424] = 1, /* tkill, tgkill, rt_tgsigqueueinfo, pidfd_send_signal */
	[277] = 1, [278] = 1, [279] = 1, [280] = 1, [281] = 1, [282] = 1, /* mq_open … mq_getsetattr */
	[418] = 1, [419] = 1,                     /* mq_timedsend_time64, mq_timedreceive_time64 */
	[321] = 1, [323] = 1, [327] = 1, [328] = 1, /* signalfd, eventfd, signalfd4, eventfd2 */
};

/* A copy, so that the compiler keeps values, not pointers into the table, across branches. */
static __always_inline struct call call_row(__u64 nr)
{
	const volatile struct call *c = &calls[nr & (CALL_MAX - 1)];
	return (struct call){ .class = c->class, .op = c->op, .dir = c->dir, .arg = c->arg };
}

/*
 * What a mechanism whose entry is a function of its own, checked once by itself, is given: the
 * registers and the row, as plain memory.
 */
struct call_args {
	__u64 a[6];
	__u32 class, op;
	__u32 arg;
	__u32 pad;
};

static __always_inline __u64 call_arg(const struct pt_regs *r, __u8 n)
{
	switch (n) {
	case 0: return r->di;
	case 1: return r->si;
	case 2: return r->dx;
	case 3: return r->r10;
	case 4: return r->r8;
	default: return r->r9;
	}
}

static __always_inline void call_args(struct call_args *to, const struct pt_regs *r,
				      const struct call *c)
{
	for (__u8 n = 0; n < 6; n++)
		to->a[n] = call_arg(r, n);
	to->class = c->class;
	to->op = c->op;
	to->arg = c->arg;
	to->pad = 0;
}

static __always_inline __u64 args_nth(const struct call_args *c, __u32 n)
{
	return c->a[n < 6 ? n : 0];
}

/* Of a relative timeout in user memory, which may be absent; false: there is none. */
struct timespec64 {
	__s64 tv_sec;
	__s64 tv_nsec;
};
static __always_inline bool user_timespec(__u64 user, struct timespec64 *ts)
{
	return user && !bpf_probe_read_user(ts, sizeof(*ts), (void *)user);
}

#endif
