/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * THE wire contract: the events that every source produces and every sink consumes.
 *
 * Compiles with gcc and with clang -target bpf. Little-endian hosts of 64 bits only; fixed-width
 * types, explicit padding, every size asserted. All times are CLOCK_MONOTONIC nanoseconds; all
 * pids and tids are those of the collector's (initial) pid namespace. Strings are NUL-terminated
 * and hostile: print them only through lib/base/escape.h.
 *
 * A stream is ordered by hdr.t_ns: the instant at which the event took effect as best known.
 * For an operation that is not its entry but the moment it could last have acted: the later of
 * its entry and the last time its thread was put on a CPU, or, when it never slept, the middle
 * between that and its return.
 */
#ifndef IPCTAP_ABI_EVENT_H
#define IPCTAP_ABI_EVENT_H

#include <linux/types.h>

#include "tables.h"

/* Raised whenever any struct below changes; stored in every trace. */
#define IPCTAP_ABI_VERSION 2 /* 2: EV_ROOM; all else is as in 1 */
#define IPCTAP_ABI_OLDEST 1  /* of the traces that can be read: each is a subset of what is known now */

#define IPCTAP_ENUM_KIND(n, id, word, what) KIND_##id = n,
enum ipctap_kind { KIND_NONE = 0, IPCTAP_KINDS(IPCTAP_ENUM_KIND) KIND_MAX };
#define IPCTAP_ENUM_SHAPE(n, id, word) SHAPE_##id = n,
enum ipctap_shape { IPCTAP_SHAPES(IPCTAP_ENUM_SHAPE) SHAPE_MAX };
#define IPCTAP_ENUM_OP(n, id, word) OP_##id = n,
enum ipctap_op { OP_NONE = 0, IPCTAP_OPS(IPCTAP_ENUM_OP) OP_MAX };
#define IPCTAP_ENUM_LOSS(n, id, word, what, remedy) LOST_##id = n,
enum ipctap_loss { LOST_NONE = 0, IPCTAP_LOSSES(IPCTAP_ENUM_LOSS) LOST_MAX };

enum ev_type {
	EV_IO = 1,   /* struct ev_io */
	EV_CHAN,     /* struct ev_chan */
	EV_ENDPOINT, /* struct ev_endpoint */
	EV_TASK,     /* struct ev_task */
	EV_WAIT,     /* struct ev_wait */
	EV_LOST,     /* struct ev_lost */
	EV_TIME,     /* struct ev_hdr alone: time has come this far, whether or not anything happened */
	EV_GONE,     /* struct ev_gone */
	EV_ROOM,     /* struct ev_room */
	EV_TYPE_MAX
};

/* hdr.flags valid for every type */
#define EV_SYNTHETIC 0x80000000u /* asked of the kernel by a snapshot, not observed happening */

struct ev_hdr {
	__u64 t_ns;
	__u16 type;  /* enum ev_type */
	__u16 size;  /* of the whole record in bytes, a multiple of 8 */
	__u32 flags; /* EV_SYNTHETIC and the flags of the type */
};

/* hdr.flags of EV_IO */
#define IO_READ 0x0001u     /* takes data out of the channel */
#define IO_WRITE 0x0002u    /* puts data in */
#define IO_SIDE_B 0x0004u   /* done at side B of a two-sided channel (struct ev_chan.duplex) */
#define IO_BLOCKED 0x0008u  /* slept inside the call: slept_ns > 0 */
#define IO_NONBLOCK 0x0010u /* O_NONBLOCK, MSG_DONTWAIT, IPC_NOWAIT, SPLICE_F_NONBLOCK */
#define IO_ERROR 0x0020u    /* ret is -errno */
#define IO_PEEK 0x0040u     /* MSG_PEEK, tee's input, MSG_COPY: data stays in the channel */
#define IO_HALF 0x0080u     /* second row of one call that names two channels (splice, tee; the futex
			       that a wait of libripc sleeps in) */
#define IO_KILLED 0x0100u   /* never returned: its thread died inside the call; ret is 0 */
#define IO_EARLY 0x0200u    /* was in the call when tracing began: enter_ns is when it fell asleep */
#define IO_TRUNC 0x0400u    /* MSG_TRUNC or MSG_NOERROR: ret may exceed or cut the message */
#define IO_POS 0x2000u      /* mtype is a position: TCP's own count of the bytes */
#define IO_POS_SURE 0x4000u /* with IO_POS: it holds whatever other threads did meanwhile */
#define IO_ASSUMED 0x8000u  /* where it arrived was not seen: it is who has the address it was sent to */
#define IO_COOKED 0x0800u   /* a terminal edits on the way: bytes in need not be bytes out */
#define IO_SLEPT_ABOUT 0x20000u /* slept_ns is the time in the call: whether all of it asleep is not known */
#define IO_SUM 0x40000u     /* what one library call moved, perhaps in several system calls */
#define IO_UNSURE 0x10000u  /* the channel may have held something when tracing began: nobody knows how
			       much, and who gets what is approximate */
#define IO_PACKET 0x80000u /* written to a pipe in packet mode (O_DIRECT): a read takes one packet, of a page
			      at most, and what it has no room for is thrown away */
#define IO_URING 0x1000u    /* a request of an io_uring: enter_ns is its submission, fd may be -1 */

/*
 * One finished operation: one system call on one channel. splice, tee and sendfile between two
 * channels give two records, the second with IO_HALF.
 */
struct ev_io {
	struct ev_hdr hdr;
	__u64 enter_ns;  /* entry into the kernel */
	__u64 dur_ns;    /* entry to return */
	__u64 slept_ns;  /* of which asleep (not merely preempted) */
	__u64 chan;      /* ev_chan.chan; 0: the call named no channel (failed before it had one) */
	__s64 ret;       /* what the call returned, -errno on failure */
	__s64 mtype;     /* IO_POS: the position in the stream, modulo 2^32, behind what was moved;
			    msgsnd, msgrcv: the message's type; *ctl: the command; semop: first sem_op;
			    dup forms, accept: the new fd; mq_timed*: the priority, -1 not told;
			    signals: the number; eventfd: the value; flock: the operation; fcntl: the
			    command, of a lock's its type << 16 as well; wait4, waitid: the status as
			    wait4 gives it; ripc_send, ripc_receive: the tag of lib/ripc/probes.h; mmap, munmap, mremap: the length; futex: its operation and
			    flags; process_vm_*, pidfd_getfd: the other process; sendmsg, recvmsg:
			    descriptors passed; pthread_join: the thread; lock_order: 1, for
			    reading; else 0 */
	__u64 bytes;     /* payload moved; for sendmmsg and recvmmsg the sum */
	__u32 pid;       /* process (thread group); 0: the kernel itself (OP_SIGNAL) */
	__u32 tid;
	__u32 waker_tid; /* who ended the last sleep; 0: did not sleep, or a timer or interrupt did */
	__s32 fd;        /* -1: the call takes none */
	__u16 op;        /* enum ipctap_op */
	__u16 messages;  /* messages moved: 1, or what a *mmsg call moved; 0 on error or end of file */
	__u32 pad;
	/* hdr.size beyond this struct: the first payload bytes (-s), zero-padded to 8; or, of a lock
	 * by fcntl, which has none, a struct ev_range */
};

/* The first instant of it that belongs to the story: what was before tracing began does not. */
static inline __u64 ev_io_from_ns(const struct ev_io *io)
{
	return io->hdr.flags & IO_EARLY ? io->hdr.t_ns : io->enter_ns;
}

/* Which bytes of a file, counted from its beginning; length 0: to its end, wherever that comes to be. */
struct ev_range {
	__u64 start, length;
};
#define EV_PAYLOAD_MAX 256

#define EV_IDENT_LEN 128
#define EV_NAME_LEN 128

/*
 * A channel. Sent before the first event that names it, ahead of the ordering queue; sent again
 * with the same id when more became known (a name after bind, a peer after accept).
 */
struct ev_chan {
	struct ev_hdr hdr;
	__u64 chan;     /* 1, 2, 3 … in order of first sight */
	__u64 backlog;  /* bytes already inside when first seen; backlog_known: what A had to read */
	__u16 kind;     /* enum ipctap_kind */
	__u16 shape;    /* enum ipctap_shape */
	__u8 duplex;    /* 1: two sides, each reads what the other wrote */
	__u8 remote;    /* 1: the other end is no socket of this host (elsewhere, or nowhere) */
	__u8 backlog_known; /* 1: backlog and backlog_b are all there was, in bytes, or, SHAPE_DGRAM, messages */
	__u8 pad;
	__s32 key;      /* System V key, else 0 */
	__u32 backlog_b; /* what side B had to read */
	char ident[EV_IDENT_LEN]; /* what the kernel calls it: pipe:[123], unix:[5]-[6], tcp 127.0.0.1:80-… */
	char name[EV_NAME_LEN];   /* what people call it: a path, an address, a key; may be empty */
};

enum ev_endpoint_what {
	ENDPOINT_OPEN = 1, /* a call of this process made it: pipe, socket, accept, open, dup */
	ENDPOINT_INHERIT,  /* came with fork, or was found in the table after exec */
	ENDPOINT_SEEN,     /* first noticed in use, or found by a snapshot */
	ENDPOINT_CLOSE,
	ENDPOINT_ATTACH,   /* shmat, mmap, first use of a futex; fd is -1 */
	ENDPOINT_DETACH,
	ENDPOINT_PASSED,   /* came from another process: SCM_RIGHTS, pidfd_getfd */
};
#define ENDPOINT_DIR_READ 1
#define ENDPOINT_DIR_WRITE 2

/* A process holds, or stops holding, an end of a channel. Exit and exec are implied closes: after
 * EV_TASK TASK_EXIT of the last thread nothing is held; after TASK_EXEC only what is announced anew. */
struct ev_endpoint {
	struct ev_hdr hdr;
	__u64 chan;
	__u32 pid;
	__s32 fd;
	__u8 what; /* enum ev_endpoint_what */
	__u8 dir;  /* ENDPOINT_DIR_* */
	__u8 side; /* 0 A, 1 B */
	__u8 pad;
	__u32 from; /* ENDPOINT_PASSED: the process it came from; 0: not known */
};

enum ev_task_what {
	TASK_SEEN = 1, /* existed when tracing began, or came into scope later */
	TASK_FORK,     /* ppid created it: a process when pid == tid, else a thread */
	TASK_EXEC,
	TASK_RENAME,
	TASK_EXIT,     /* of one thread; TASK_F_LAST: of the process */
};
/* hdr.flags of EV_TASK */
#define TASK_F_LAST 0x0001u    /* TASK_EXIT: the last thread of its process */
#define TASK_F_OUTSIDE 0x0002u /* TASK_SEEN: not traced, known only as holder of a channel's other end */

#define EV_COMM_LEN 16
#define EV_PATH_LEN 128
#define EV_ARGS_LEN 160

struct ev_task {
	struct ev_hdr hdr;
	__u64 start_ns; /* start of the thread: with tid, its identity for ever */
	__u64 cgroup;   /* cgroup id (v2 inode number); 0 unknown */
	__u32 pid;
	__u32 tid;
	__u32 ppid;
	__s32 exit_code; /* TASK_EXIT: as from waitpid(2): status << 8 | signal */
	__u32 pidns;     /* inode of its pid namespace */
	__u16 what;      /* enum ev_task_what */
	__u16 pad;
	char comm[EV_COMM_LEN];
	char exe[EV_PATH_LEN];    /* TASK_SEEN and TASK_EXEC, else empty */
	char args[EV_ARGS_LEN];   /* argv, one space between; cut at the size */
	char cgroup_path[EV_PATH_LEN];
};

enum ev_wait_what { WAIT_BEGIN = 1, WAIT_END };

/*
 * An operation that has been asleep over two looks of the collector, and later its end. The EV_IO
 * of the operation follows the WAIT_END; a thread that dies inside gets WAIT_END as well.
 */
struct ev_wait {
	struct ev_hdr hdr;
	__u64 since_ns;    /* when it fell asleep inside the call */
	__u64 until_ns;    /* WAIT_END only */
	__u64 deadline_ns; /* 0: none; the call's own timeout */
	__u64 chan;        /* 0: not known */
	__u32 pid;
	__u32 tid;
	__s32 fd;
	__u16 op;   /* enum ipctap_op */
	__u16 what; /* enum ev_wait_what */
};

/*
 * A channel's id will not be used again: nobody in scope holds an end of it, and it has long not
 * been used. Should the kernel object be used once more, it comes back under a new id.
 */
struct ev_gone {
	struct ev_hdr hdr;
	__u64 chan;
};

/* hdr.flags of EV_ROOM */
#define ROOM_INSIDE 0x0001u /* `inside` and its like are what the kernel had in it at hdr.t_ns */

/*
 * How much a channel has room for, as its kernel object says; sent when it is first described, and again
 * when that changes (F_SETPIPE_SZ, IPC_SET). While somebody sleeps for room in it, what is inside is looked
 * up as well (ROOM_INSIDE): a write that is only half done is in no EV_IO yet.
 *
 *     pipe, FIFO     bytes: F_GETPIPE_SZ. It is kept in pages, and a page may be left in part: such a pipe
 *                    is full with fewer bytes. messages: its pages, one a packet (O_DIRECT)
 *     System V queue bytes: msg_qbytes. messages: 0; inside: msg_qnum
 *     POSIX queue    messages: mq_maxmsg. bytes: 0
 */
struct ev_room {
	struct ev_hdr hdr;
	__u64 chan;
	__u64 bytes;    /* 0: no limit in bytes */
	__u64 inside;   /* ROOM_INSIDE: bytes */
	__u32 messages; /* 0: no limit in messages */
	__u32 messages_inside; /* ROOM_INSIDE: messages, of a pipe its pages in use */
};

/* Something is missing. Counts are increments since the last record of the same cause and where. */
struct ev_lost {
	struct ev_hdr hdr;
	__u64 count;
	__u32 cause; /* enum ipctap_loss */
	__u32 where; /* COMPAT32: the i386 call number; URING: IORING_OP_*, 64: completions that found
			no room; RING_*: CPU; NOT_COVERED: the process; else 0 */
};

_Static_assert(sizeof(struct ev_hdr) == 16, "wire");
_Static_assert(sizeof(struct ev_io) == 96, "wire");
_Static_assert(sizeof(struct ev_range) == 16, "wire");
_Static_assert(sizeof(struct ev_chan) == 304, "wire");
_Static_assert(sizeof(struct ev_endpoint) == 40, "wire");
_Static_assert(sizeof(struct ev_task) == 488, "wire");
_Static_assert(sizeof(struct ev_wait) == 64, "wire");
_Static_assert(sizeof(struct ev_gone) == 24, "wire");
_Static_assert(sizeof(struct ev_lost) == 32, "wire");
_Static_assert(sizeof(struct ev_room) == 48, "wire");

/* An EV_IO may have more behind it (a payload, a range); all others have this very size. 0: no such type. */
static inline __u16 event_size(unsigned int type)
{
	switch (type) {
	case EV_IO:
		return sizeof(struct ev_io);
	case EV_CHAN:
		return sizeof(struct ev_chan);
	case EV_ENDPOINT:
		return sizeof(struct ev_endpoint);
	case EV_TASK:
		return sizeof(struct ev_task);
	case EV_WAIT:
		return sizeof(struct ev_wait);
	case EV_LOST:
		return sizeof(struct ev_lost);
	case EV_TIME:
		return sizeof(struct ev_hdr);
	case EV_GONE:
		return sizeof(struct ev_gone);
	case EV_ROOM:
		return sizeof(struct ev_room);
	default:
		return 0;
	}
}

#endif
