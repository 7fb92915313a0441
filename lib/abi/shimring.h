/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the shim (collector/shim, a library inside the traced programs) hands what it sees to the
 * collector, without a system call, a lock or an open descriptor.
 *
 * The way down. The collector makes a folder of its own, mode 0700, and in it the file "control":
 * struct shim_control. A program finds the folder in its environment (IPCTAP_SHIM=FOLDER, beside
 * LD_PRELOAD) and maps that file. Each thread that has something to tell makes a file of its own, a
 * ring: one page of struct shim_ring, then ring.data_bytes bytes. It is made whole under the name
 * "new.TID.PID.N" and then renamed to "ring.TID.PID.N", so what has that name has a valid header; both sides
 * map it and close it, and the collector removes the name. Its blocks are allocated before anything
 * is written, so that a full disk can never be a SIGBUS in the program.
 *
 * One thread writes a ring and one collector reads it. `head` counts the bytes written since the
 * ring was made, `tail` those read; their difference is never more than data_bytes, which is a power
 * of two. A record lies in one piece at (position & (data_bytes - 1)), at a multiple of 8; where the
 * end of the ring is too near for the next one, a SHIM_PAD fills it up. The writer stores the record
 * first and then, with release, the new head: whatever has been published is whole, at whatever
 * instruction the program dies. No room: the record is not written, and lost[] counts it by cause.
 *
 * Records are those of raw.h and event.h, with object ids where a channel is named, and with
 *
 *     hdr.t_ns     the stamp: the clock when the record was made; of an operation, its return
 *     pid, tid     left 0: the ring's are meant (but see SHIM_TASK_NOT_COVERED)
 *     enter_ns     set; dur_ns is left 0: the stamp less enter_ns
 *
 * Within a ring stamps run backwards only where a signal handler came between. A record that describes an object is published, by
 * whichever thread, before any that names it has been stamped; so whoever takes the time first, then
 * reads every head, and hands on in the order of their stamps only records up to that time, never
 * meets a name before its description.
 *
 * All of it is hostile to the collector: a program can write what it likes to its own rings. The
 * collector copies a record before it looks, and believes no size, position, identity or string.
 *
 * Beside the records, the writer keeps in the header what must be known when no record will come:
 * the call it is in (struct shim_call), the locks it holds (struct shim_held), and what it has done to
 * semaphores, conditions and barriers (struct shim_deed). Whoever asks who could end a wait reads that
 * out of the program's own memory (collector/snap_shim.c), whether anybody reads the rings or not. Of a
 * thread that has ended, the collector keeps it in the control page (struct shim_ended).
 */
#ifndef IPCTAP_ABI_SHIMRING_H
#define IPCTAP_ABI_SHIMRING_H

#include <linux/types.h>

#include "raw.h"

#define SHIM_ENV "IPCTAP_SHIM"
#define SHIM_MAGIC 0x30676e6972637069ULL /* "ipcring0" */
#define SHIM_VERSION 3                   /* raised whenever anything below, raw.h or event.h changes */
#define SHIM_CONTROL "control"
#define SHIM_RING_PREFIX "ring."
#define SHIM_PAGE 4096
#define SHIM_DATA_MIN (64u << 10)
#define SHIM_DATA_MAX (64u << 20)

/*
 * What threads that have ended did to one object (struct shim_deed, struct shim_held), all together: their
 * rings are gone. Of objects of one process's own, as long as that lives. The place is found as a deed's is;
 * where there is none, that of the object whose latest of them ended first is taken.
 */
struct shim_person {
	__u32 pid, tid;
	char comm[EV_COMM_LEN];
};

struct shim_ended {
	__u64 obj;      /* 0: a free place. Stored last */
	__u64 ended_ns; /* when the latest of them ended, as known to the collector */
	__u64 last_ns;  /* of their latest post, signal, broadcast, or round of the barrier */
	__u32 gives, units, strange;
	__u32 held;     /* so many ended with it locked */
	struct shim_person giver;  /* whose that latest was */
	struct shim_person holder; /* the latest who ended with a unit, or with it locked */
};
#define SHIM_ENDED_MAX 44

static inline unsigned int shim_ended_place(__u64 obj, unsigned int probe)
{
	return (unsigned int)((obj * 0x9e3779b97f4a7c15ULL >> 40) + probe) % SHIM_ENDED_MAX;
}

/* One page, written by the collector; programs only read it, but for `asleep`. */
struct shim_control {
	__u64 magic;
	__u32 version;
	__u32 on;         /* 0: nobody reads; the shim does nothing but forward */
	/* raised by each collector: threads make new rings, what was described before is described again */
	__u32 generation;
	__u32 no_follow;  /* a child is not to be traced, nor what it executes */
	__u32 snap_bytes; /* payload bytes to keep of each operation */
	__u32 collector;  /* its pid, for another that wants to take over */
	__u64 data_bytes; /* of each ring; a thread takes less when there is no room */
	/* 1: the collector sleeps in a futex here. Who finds its ring an eighth full clears it and wakes. */
	__u32 asleep;
	__u32 offs; /* how often `on` was taken away: what a ring of before says is held may have been let go since */
	struct shim_ended ended[SHIM_ENDED_MAX]; /* since then */
};

enum shim_lost {
	SHIM_LOST_OP,     /* operations: no room in the ring */
	SHIM_LOST_CTL,    /* descriptions, endpoints, tasks: no room */
	SHIM_LOST_NESTED, /* from a signal handler that interrupted the shim itself */
	SHIM_LOST_ORDER,  /* pairs of nested locks: no place to remember that they were told */
	SHIM_LOST_MAX = 8
};

/*
 * The call under way. `op` is stored last, with release, and cleared first: 0 is in none. A reader that
 * finds op and enter_ns the same before and after has read one call.
 */
struct shim_call {
	__u64 enter_ns;
	__u64 obj;
	__u64 deadline_ns; /* 0: none */
	__u64 arg[3];      /* as raw_inflight.set */
	__s32 fd;
	__u16 op;
	__u16 pad;
};

/* A lock held: object and when it was got; obj 0: a free place. Beyond the last place: not told. */
struct shim_held {
	__u64 obj;
	__u64 since_ns;
};
#define SHIM_HELD_MAX 32

/*
 * What the thread has done to one semaphore, condition or barrier. A place is taken once and kept; for an
 * object that finds none shim_ring.deeds_lost counts, and then nothing can be ruled out of this thread.
 */
struct shim_deed {
	__u64 obj;     /* 0: a free place. Stored last */
	__u64 last_ns; /* of its latest post, signal, broadcast, or round of the barrier */
	__u64 born_ns; /* it initialised the object then: what anybody did before was to another one; 0: it did not */
	__u32 gives;   /* posts; signals and broadcasts; rounds that it came to the barrier for and went on */
	__u32 units;   /* semaphore: got and not posted again */
	__u32 strange; /* semaphore: posts while it had no unit, as in signalling, not locking */
	__u32 pad;
};
#define SHIM_DEEDS_MAX 40
#define SHIM_DEED_PROBES 8 /* places looked at, from shim_deed_place on */

static inline unsigned int shim_deed_place(__u64 obj, unsigned int probe)
{
	return (unsigned int)((obj * 0x9e3779b97f4a7c15ULL >> 40) + probe) % SHIM_DEEDS_MAX;
}

struct shim_ring {
	/* written once, before the file gets its name */
	__u64 magic;
	__u32 version;
	__u32 header_bytes; /* SHIM_PAGE */
	__u64 data_bytes;
	__u64 start_ns; /* when this ring was made */
	__u32 pid, tid, ppid;
	__u32 pidns;    /* inode of the pid namespace these numbers are of */
	char comm[EV_COMM_LEN]; /* the latest, if it told of its renaming itself */
	__u32 offs;     /* as in the control page when this ring was made */
	__u8 pad0[60];
	/* by the thread */
	__u64 head;
	__u64 lost[SHIM_LOST_MAX];
	__u64 ended_ns;    /* the thread is over, or its process has executed something else; 0: not yet */
	__u32 exit_status; /* 0x100 | what exit(3) was given; 0: not known */
	__u32 deeds_lost;
	struct shim_call call;
	struct shim_held held[SHIM_HELD_MAX];
	struct shim_deed deeds[SHIM_DEEDS_MAX];
	__u8 pad2[64];
	/* by the collector */
	__u64 tail;
};

/* hdr.flags of an EV_TASK, TASK_EXEC, in a ring: what is executed by process pid (0: this one) has no shim. */
#define SHIM_TASK_NOT_COVERED 0x0001u

enum shim_type {
	SHIM_PAD = 128, /* no record: the rest of the ring's end */
	SHIM_IO_UNIX,   /* struct shim_io_unix */
};

/*
 * A datagram sent over a unix socket: it belongs to the socket bound to `path` (a leading NUL:
 * abstract), or, len 0, to the one that io.chan is connected to. In a RAW_IO_ADDR of a ring, port 0
 * means the same.
 */
struct shim_io_unix {
	struct ev_io io;
	__u16 len;
	__u16 pad[3];
	char path[RAW_NAME_LEN];
};

/* The greatest record: an operation with all of its payload, or a task. */
#define SHIM_RECORD_MAX 512

_Static_assert(sizeof(struct shim_ended) == 88, "wire");
_Static_assert(sizeof(struct shim_control) == 48 + SHIM_ENDED_MAX * 88 && sizeof(struct shim_control) <= SHIM_PAGE, "wire");
_Static_assert(sizeof(struct shim_call) == 56, "wire");
_Static_assert(sizeof(struct shim_deed) == 40, "wire");
_Static_assert(sizeof(struct shim_ring) <= SHIM_PAGE, "wire");
_Static_assert(sizeof(struct shim_io_unix) == 216, "wire");
_Static_assert(sizeof(struct ev_task) <= SHIM_RECORD_MAX, "wire");
_Static_assert(sizeof(struct raw_io_addr) + EV_PAYLOAD_MAX <= SHIM_RECORD_MAX, "wire");

#endif
