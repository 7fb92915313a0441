/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the wait-graph iterators (bpf/waits.bpf.c) write for collector/snap*: a sequence of records,
 * each a struct snap_hdr and what follows it, `size` bytes in all, a multiple of 8.
 *
 * Kernel pointers are identity inside one snapshot and never leave the collector. Pids and tids are
 * those of the initial pid namespace unless a field says otherwise.
 */
#ifndef IPCTAP_ABI_SNAP_H
#define IPCTAP_ABI_SNAP_H

#include <linux/types.h>

#include "event.h"

enum snap_type {
	SNAP_TASK = 1, /* struct snap_task: every thread of a user process */
	SNAP_FILE,     /* struct snap_file: a descriptor of a process */
	SNAP_PIPE,     /* struct snap_pipe: follows the SNAP_FILE that shows it */
	SNAP_SOCK,     /* struct snap_sock: the same */
	SNAP_MQ,       /* struct snap_mq: the same */
	SNAP_LOCK,     /* struct snap_lock: a lock on the file of the SNAP_FILE before, held or wanted */
	SNAP_PARCEL,   /* struct snap_parcel: a descriptor in flight in a unix socket */
	SNAP_SEM,      /* struct snap_sem: one semaphore of a set somebody sleeps on */
	SNAP_UNDO,     /* struct snap_undo: what one undo list would give back to that set */
	SNAP_MSG,      /* struct snap_msg: a message queue somebody sleeps on */
	SNAP_RING,     /* struct snap_ring: the io_uring of the SNAP_FILE before */
	SNAP_REQ,      /* struct snap_req: a fixed file of a ring, or a request that waits there */
	SNAP_CUT,      /* struct snap_hdr alone: the records of tid, or of the object before, were cut */
	SNAP_TYPE_MAX
};

struct snap_hdr {
	__u16 type;
	__u16 size;
	__u32 tid; /* the task that was looked at */
};

/* snap_task.flags */
#define SNAP_ON_CPU 0x0001u
#define SNAP_COMPAT 0x0002u   /* in a 32-bit call: nr and args are not what they seem */
#define SNAP_TIMER 0x0004u    /* its process has a running interval or POSIX timer */
#define SNAP_EXITING 0x0008u
#define SNAP_TRACED 0x0010u
#define SNAP_ZOMBIE 0x0020u   /* exited; not yet collected */
#define SNAP_PI_BLOCKED 0x0080u /* waits for the kernel's side of a PI mutex: pi_owner is valid */
#define SNAP_WORKER 0x0040u   /* a thread that the kernel made for an io_uring */
#define SNAP_CHILD_HANDLER 0x0100u /* SIGCHLD has a handler */
#define SNAP_FILTERED 0x0200u /* seccomp filters its calls, and may hand them to a supervisor */

struct snap_task {
	struct snap_hdr hdr;
	__u64 start_ns;
	__u64 csw;           /* context switches so far */
	__u64 last_ns;       /* when it was last put on a CPU */
	__u64 args[6];
	__u64 sp;
	__u64 fsbase;        /* the thread's struct pthread */
	__u64 clear_tid;     /* the word that its exit clears and wakes */
	__u64 files;         /* identity of its descriptor table */
	__u64 mm;            /* identity of its address space */
	__u64 undo;          /* identity of its SEM_UNDO list; 0: none */
	__u64 vfork_done;    /* its parent waits in vfork for it; 0: no */
	__u64 restart_fn;    /* a call that was interrupted goes on through this */
	__s32 nr;            /* system call; -1: in none */
	__u32 pid;
	__u32 ppid;          /* process of the real parent */
	__u32 pgrp;          /* process group */
	__u32 ns_tid;        /* as its own pid namespace numbers it */
	__u32 ns_pid;
	__u32 pidns;         /* inode of that namespace */
	__u32 ipcns;
	__u32 pi_owner;      /* tid; 0: none */
	__u32 state;         /* TASK_* of the kernel; 0: running or runnable */
	__u32 flags;         /* SNAP_* */
	__u32 files_users;   /* how many tasks share the descriptor table */
	__u32 tracer;        /* process; 0: not traced */
	__u32 pad;
	char comm[EV_COMM_LEN];
};

enum snap_what {
	SNAP_IS_OTHER = 0, /* a file that nothing here understands */
	SNAP_IS_PIPE,
	SNAP_IS_FIFO,
	SNAP_IS_SOCK,
	SNAP_IS_MQ,
	SNAP_IS_REG,   /* regular file or folder */
	SNAP_IS_CHAR,  /* terminals, devices */
	SNAP_IS_ANON,  /* epoll, eventfd, timerfd, signalfd, pidfd, io_uring …: /proc/PID/fd says which */
};

struct snap_file {
	struct snap_hdr hdr;
	__u64 file;   /* identity of the struct file */
	__u64 obj;    /* of the pipe, socket, queue or inode; of private data of an anonymous inode */
	__u64 ino;
	__u64 refs;   /* references to the struct file, the iterator's own left out */
	__u32 dev;
	__u32 pid;
	__s32 fd;
	__u32 flags;  /* O_* */
	__u16 mode;   /* FMODE_READ 1, FMODE_WRITE 2 */
	__u16 what;   /* enum snap_what */
	__u32 users;  /* eventfd: references to it, of which its struct file is one; others: no meaning */
};

struct snap_pipe {
	struct snap_hdr hdr;
	__u64 obj;
	__u32 used, slots;      /* full when used >= slots, empty when 0 */
	__u32 readers, writers; /* open struct files of either end */
};

/* snap_sock.shut */
#define SNAP_SHUT_RCV 1
#define SNAP_SHUT_SND 2

struct snap_sock {
	struct snap_hdr hdr;
	__u64 obj;        /* struct sock */
	__u64 peer;       /* unix: the peer's; 0: none */
	__u64 listener;   /* unix, not yet accepted: whose queue it is in */
	__s64 rcvtimeo;   /* in ticks; SNAP_FOREVER: none */
	__s64 sndtimeo;
	__u32 netns;
	__u32 rcvq;       /* packets in the receive queue */
	__u32 unread;     /* TCP: bytes received and not read; MPTCP: packets */
	__u32 wmem;       /* bytes it has in flight */
	__u32 sndbuf;
	__u32 backlog, max_backlog;
	__u16 family, type;
	__u16 lport, rport; /* host byte order */
	__u8 state;       /* of TCP, and of unix by the same numbers */
	__u8 shut;
	__u8 pad[2];
	__u32 patience;   /* TCP_USER_TIMEOUT in ms; 0: none */
	__u32 pad2;
	__u8 laddr[16];   /* IPv4 in IPv6's mapped form */
	__u8 raddr[16];
};
#define SNAP_FOREVER 0x7fffffffffffffffLL
#define SNAP_TCP_ESTABLISHED 1
#define SNAP_TCP_LISTEN 10

struct snap_mq {
	struct snap_hdr hdr;
	__u64 obj;
	__s64 cur, max;
};

/* snap_lock.kind */
enum snap_lock_kind { SNAP_FLOCK = 1, SNAP_POSIX, SNAP_OFD };

struct snap_lock {
	struct snap_hdr hdr;
	__u64 obj;      /* the inode */
	__u64 lock;
	__u64 file;     /* FLOCK and OFD: the struct file that holds it */
	__u64 owner;    /* POSIX: the descriptor table that holds it */
	__s64 start, end;
	__u32 pid;      /* as the kernel notes it; 0: remote */
	__u8 kind;      /* enum snap_lock_kind */
	__u8 exclusive;
	__u8 waits;     /* it is not held, but wanted by pid, and waits for the one told before it */
	__u8 pad;
};

struct snap_parcel {
	struct snap_hdr hdr;
	__u64 sock; /* in whose receive queue */
	__u64 file; /* as in snap_file, and so on */
	__u64 obj;
	__u16 mode;
	__u16 what;
	__u32 pad;
};

struct snap_sem {
	struct snap_hdr hdr;
	__u64 obj;
	__s32 id, key;
	__u32 num, nsems;
	__s32 val;
	__u32 last_pid; /* of the last semop; 0: none */
};

#define SNAP_UNDO_SEMS 64
struct snap_undo {
	struct snap_hdr hdr;
	__u64 obj;
	__u64 undo; /* as in snap_task */
	__s16 adj[SNAP_UNDO_SEMS];
};

struct snap_msg {
	struct snap_hdr hdr;
	__u64 obj;
	__u64 bytes, messages, max_bytes;
	__s32 id, key;
	__u32 last_snd, last_rcv; /* processes; 0: none */
};

struct snap_ring {
	struct snap_hdr hdr;
	__u64 obj;
	__u32 pending;  /* requests that it took, less completions that it gave */
	__u32 unreaped; /* completions that nobody has taken yet */
	__u32 timers;   /* 1: a timeout is among the requests */
	__u32 pad;
};

/* snap_req.fixed */
#define SNAP_REQ_SLOT 1  /* no request: a slot of the table of fixed files, which holds a reference */
#define SNAP_REQ_FIXED 2 /* a request on a file of that table, of which it holds no reference */

struct snap_req {
	struct snap_hdr hdr;
	__u64 ring; /* obj of the snap_ring */
	__u64 file; /* as in snap_file, and so on; 0: it is about no file */
	__u64 obj;
	__u16 mode;
	__u16 what;
	__u8 opcode; /* IORING_OP_* */
	__u8 fixed;
	__u8 pad[2];
};

#define SNAP_SLOTS_MAX 1024 /* of a ring */
#define SNAP_BUCKETS_MAX 256
#define SNAP_REQS_MAX 64    /* of a bucket */
#define SNAP_WAITERS_MAX 64 /* of a lock */
#define SNAP_SEMS_MAX 512
#define SNAP_UNDOS_MAX 512
#define SNAP_LOCKS_MAX 256
#define SNAP_PARCELS_MAX 64 /* packets of one queue that are looked into */

_Static_assert(sizeof(struct snap_hdr) == 8, "wire");
_Static_assert(sizeof(struct snap_task) == 216, "wire");
_Static_assert(sizeof(struct snap_file) == 64, "wire");
_Static_assert(sizeof(struct snap_pipe) == 32, "wire");
_Static_assert(sizeof(struct snap_sock) == 128, "wire");
_Static_assert(sizeof(struct snap_mq) == 32, "wire");
_Static_assert(sizeof(struct snap_lock) == 64, "wire");
_Static_assert(sizeof(struct snap_parcel) == 40, "wire");
_Static_assert(sizeof(struct snap_ring) == 32, "wire");
_Static_assert(sizeof(struct snap_req) == 40, "wire");
_Static_assert(sizeof(struct snap_sem) == 40, "wire");
_Static_assert(sizeof(struct snap_undo) == 152, "wire");
_Static_assert(sizeof(struct snap_msg) == 56, "wire");

#endif
