/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the probes remember: per thread in scope a struct thread (its presence is what "in scope"
 * means), the objects already described, the ring, the counters. The constants the collector sets
 * before loading are here too.
 */
#ifndef IPCTAP_BPF_STATE_H
#define IPCTAP_BPF_STATE_H

#include "clock.bpf.h"
#include "kernel.h"

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "lib/abi/raw.h"

/*
 * A function with a frame of its own, which is gone when it returns: the frames of all that may call
 * each other share 512 bytes, and what is inlined adds to those of every call below it.
 */
#define APART static __noinline __attribute__((unused))

/* ---- set by the collector before load ---- */

#define SCOPE_MAX 16
const volatile __u32 self_tgid;      /* never traced, nor what it starts for itself */
const volatile bool scope_all;
const volatile bool scope_follow;    /* children of a process in scope are in scope */
const volatile __u32 scope_ncomms;
const volatile char scope_comms[SCOPE_MAX][EV_COMM_LEN];
const volatile __u32 scope_ncgroups;
const volatile __u64 scope_cgroup_ids[SCOPE_MAX];
const volatile __u32 scope_cgroup_levels[SCOPE_MAX];
const volatile bool has_rdonly_cast; /* v6.2: fd35fdcd9e8a; without it, probe reads */
const volatile __u32 snap_bytes;     /* payload bytes to keep of each operation; at most EV_PAYLOAD_MAX */
const volatile __u64 realtime_ahead_ns; /* CLOCK_REALTIME minus CLOCK_MONOTONIC, at start */
const volatile __u64 ring_wake_bytes; /* wake the collector when so much waits in the ring */

/* ---- per thread ---- */

#define RCV_MORE_MAX 7

/*
 * The call a thread in scope is in, or, between calls, op == 0. Written by the thread itself
 * (sys_enter, sys_exit) and by the scheduler's hooks while it is not running: never both at once.
 */
struct thread {
	__u64 enter_ns;
	__u64 on_ns;    /* last time it was put on a CPU */
	__u64 sleep_ns; /* since when asleep; 0: awake */
	__u64 hand_ns;  /* when a message passed from hand to hand (is_handed), or into a socket's queue;
			   when the thread came out of a futex in a wait of libripc's */
	__u64 slept_ns;
	__u64 obj;      /* object of the call; 0: not known yet */
	__u64 sk;       /* struct sock behind obj or obj2, when that is a TCP socket */
	__u64 obj2;     /* second one (splice, tee, sendfile, dup2) */
	__u64 rcv_obj;  /* datagram send: the socket it arrived in, the latest … */
	__u64 rcv_more[RCV_MORE_MAX]; /* … and others, of one to many */
	__u64 arg;      /* user pointer or value the exit side needs, by class */
	__u64 arg2;
	__u64 data;     /* user pointer to the data, or to what leads there, by class */
	__u64 deadline_ns;
	__s64 mtype;
	__u64 bytes;
	__u64 described; /* the object this thread described last: spares a look-up */
	__s32 fd, fd2;
	__u32 flags;    /* IO_* known at entry */
	__u32 flags2;   /* of obj2 */
	__u32 waker;
	__u16 op;       /* 0: not in a call of ours */
	__u8 class;
	__u8 wants_receiver; /* a datagram send: on_data_ready looks at it */
	__u8 type;      /* SOCK_* of the socket in obj */
	__u8 in_exec;
	__u8 submitted; /* counts on, for ring_submit_io */
	__u8 placed;    /* PLACED_*: tcp_place.bpf.h */
	__u8 refused;   /* a datagram send: there was no room for it */
	__u8 nrcv_more;
	__u32 place;    /* TCP: where what it writes begins, or what it read ends */
	__u32 place_asked; /* a write: how much it was to be, then */
	__u64 place_slept_ns; /* slept_ns, when that was seen last */
	__u16 restart_op; /* op of a call that ended in ERESTART_RESTARTBLOCK, the rest is still here … */
	__u64 restart_fn; /* … and what goes on with it in the kernel */
	__u8 in_ripc;   /* in a wait of libripc's (ripc.bpf.c), which is told of its object */
};

#define PLACED_NOT 0   /* not seen */
#define PLACED_SURE 1  /* all in one piece */
#define PLACED_APART 2 /* perhaps with bytes of others in between */

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct thread);
} threads SEC(".maps");

/* Processes to take into scope at start (-p, -- CMD). */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, __u8);
} scope_pids SEC(".maps");

/* Objects the collector has been told of. Eviction costs a second description, nothing else. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, __u32);
} described SEC(".maps");
#define DESCRIBED 1u
#define DESCRIBED_PORT 2u /* its local port was known */
#define DESCRIBED_EMPTY 4u /* of libripc: made since tracing began */

/*
 * One ring for all CPUs. More were considered, against contention for its spinlock: there is none to speak of.
 * On two cores, of 3.6 million records asked for by six processes that do nothing but pipe calls of one
 * byte, 2 waited for the lock (Linux 6.18; lock:contention_begin with LCB_F_SPIN, by kernel stack, under
 * __bpf_ringbuf_reserve). When records are lost it is for want of room, because the collector did not get the CPU,
 * and room can be had here as well (--ring); order is kept for nothing.
 */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 << 20); /* the collector sets it */
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, RAW_COUNT_MAX);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

/* 32-bit calls seen, by i386 call number. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 512);
	__type(key, __u32);
	__type(value, __u64);
} compat_calls SEC(".maps");

static __always_inline void count(__u32 what)
{
	__u64 *n = bpf_map_lookup_elem(&counters, &what);
	if (n)
		(*n)++;
}

static __always_inline struct thread *thread_of(struct task_struct *t)
{
	return bpf_task_storage_get(&threads, t, 0, 0);
}

/* ---- the ring ---- */

/* Submits without a wakeup, which would cost more than all else, until enough has gathered. */
static __always_inline void ring_submit(void *record)
{
	__u64 waiting = bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA);
	bpf_ringbuf_submit(record, waiting >= ring_wake_bytes ? BPF_RB_FORCE_WAKEUP
							      : BPF_RB_NO_WAKEUP);
}

/* Operations come in such numbers that to look at every sixteenth of a thread is enough. */
static __always_inline void ring_submit_io(void *record, struct thread *s)
{
	if (++s->submitted & 15)
		bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
	else
		ring_submit(record);
}

/* Room for a control record, its header filled, the rest not; NULL and counted when there is none. */
static __always_inline void *ring_control(__u32 size, __u16 type, __u32 flags, __u64 now)
{
	struct ev_hdr *h = bpf_ringbuf_reserve(&ring, size, 0);
	if (!h) {
		count(RAW_COUNT_LOST_CTL);
		return NULL;
	}
	h->t_ns = now;
	h->type = type;
	h->size = (__u16)size;
	h->flags = flags;
	return h;
}

#endif
