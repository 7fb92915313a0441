/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside a traced program: what the wrappers of libc's functions share. lib/abi/shimring.h says
 * where the records go.
 *
 * A wrapper asks shim_ready() first. NULL: forward the call and do nothing else. Otherwise it
 * brackets the call:
 *
 *     struct shim_op o;
 *     if (!shim_begin_fd(&o, fd, OP_READ, IO_READ))
 *             return REAL(read)(fd, buf, n);
 *     ssize_t ret = REAL(read)(fd, buf, n);
 *     shim_end_bytes(&o, ret, buf);
 *     return ret;
 *
 * The call is always made, once, with the caller's arguments; errno is what the call left. What is not
 * the hot way may make system calls of its own, by syscall(2), and puts errno back. Nothing here
 * allocates from the program's heap, takes a lock or ends the program.
 *
 * A cancelled thread unwinds through these frames: so there is nothing in them to be cleaned up.
 */
#ifndef IPCTAP_SHIM_H
#define IPCTAP_SHIM_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>

#include "lib/abi/shimring.h"
#include "collector/shim/real.h"

#define SHIM_EXPORT __attribute__((visibility("default")))
#define SHIM_RARE(x) __builtin_expect(!!(x), 0)

/* ---- the calling thread ---- */

/* What a signal handler tells while the thread it interrupted is about to store a record. */
struct shim_side {
	uint32_t len;
	uint32_t busy, flushing, flushed; /* flushed: bytes of buf that are in the ring already */
	uint8_t buf[4096 - 16];
};

struct shim_thread {
	uint32_t epoch; /* that of the process the ring was made in; 0: no ring */
	uint32_t depth; /* 1: a record is being stored */
	uint64_t head, tail, mask; /* tail: as last seen */
	struct shim_ring *ring;
	uint8_t *data;
	struct shim_ring *old; /* the one before it, of a collector that is gone: somebody we interrupted may be in it */
	size_t old_bytes;
	struct shim_side *side;
	const char *section; /* the frame of the wrapper that stores */
	uint32_t tid;
	uint32_t vfork_pid; /* called vfork: until it is known which of the two this is */
	uint32_t generation; /* of the collector that the ring was made for */
	uint32_t failed;    /* generation in which no ring could be made */
	uint32_t endings;   /* how often its end was announced */
	uint32_t inside;    /* on the slow way */
	uint32_t nheld;     /* locks; the first SHIM_HELD_MAX stand in the ring's header … */
	uint32_t readings;  /* … of which these, by bit, are held for reading … */
	const void *held_at[SHIM_HELD_MAX]; /* … and lie here */
};

/* Initial-exec: a preloaded library has its place beside the program's, and no call is needed to find it. */
extern __thread struct shim_thread shim_self __attribute__((tls_model("initial-exec")));

extern struct shim_control *shim_control; /* the collector's, or zeroes */
extern uint32_t *shim_epoch;              /* in a page that is zeroed in a forked child */
extern uint32_t shim_pid;

struct shim_thread *shim_ready_slow(void);

static inline struct shim_thread *shim_ready(void)
{
	struct shim_thread *t = &shim_self;
	if (SHIM_RARE(!t->epoch || t->epoch != *shim_epoch ||
		      t->generation != __atomic_load_n(&shim_control->generation, __ATOMIC_RELAXED) ||
		      !__atomic_load_n(&shim_control->on, __ATOMIC_RELAXED)))
		return shim_ready_slow();
	return t;
}

/* May it be looked at before the call? What is no address at all is for the kernel to refuse. */
static inline bool shim_is_address(const void *p)
{
	return (uintptr_t)p - SHIM_PAGE < (1ULL << 47) - SHIM_PAGE;
}

static inline uint64_t shim_now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

/* The process has forked, and this is the child. */
void shim_forked(void);
/* The process ends, with what it gave to exit; its rings say so. */
void shim_exiting(int status);
/* Nothing that this process executes is to be traced. */
void shim_exec_unfollow(void);
/* In the child of a fork: private objects are other ones now. sync.c */
void shim_sync_forked(void);
/* Before vfork, which returns twice on one stack. */
void shim_vfork_begin(void);

/* ---- records (record.c) ---- */

/* A longjmp is about to leave frames, of which one may be storing a record. */
void shim_jumped(void);

/* Publishes one record (a struct of raw.h or event.h, hdr filled in), or counts it as lost. `frame` is
 * the wrapper's. */
void shim_put_slow(struct shim_thread *t, const void *record, uint32_t size, enum shim_lost cause,
		   const char *frame);
void shim_flush_side(struct shim_thread *t);
void shim_wake(void);

static inline __attribute__((always_inline)) void shim_put(struct shim_thread *t, const void *record, uint32_t size,
			    enum shim_lost cause)
{
	const char *frame = __builtin_frame_address(0);
	uint64_t pos = t->head, at = pos & t->mask;
	if (SHIM_RARE(t->depth || at + size > t->mask + 1 || pos + size - t->tail > t->mask + 1)) {
		shim_put_slow(t, record, size, cause, frame);
		return;
	}
	t->section = frame;
	t->depth = 1;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	pos = t->head; /* a handler may have come just before */
	at = pos & t->mask;
	if (SHIM_RARE(at + size > t->mask + 1 || pos + size - t->tail > t->mask + 1)) {
		t->depth = 0;
		shim_put_slow(t, record, size, cause, frame);
		return;
	}
	memcpy(t->data + at, record, size);
	t->head = pos + size;
	__atomic_store_n(&t->ring->head, t->head, __ATOMIC_RELEASE);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	t->depth = 0;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (SHIM_RARE(t->side->len))
		shim_flush_side(t);
	if (SHIM_RARE(__atomic_load_n(&shim_control->asleep, __ATOMIC_RELAXED)) &&
	    t->head - t->tail > t->mask / 8)
		shim_wake();
}

/* ---- operations ---- */

struct shim_op {
	struct shim_thread *t;
	uint32_t state; /* of the descriptor, if there is one */
	struct ev_io io;
};

static inline void shim_begin(struct shim_op *o, struct shim_thread *t, uint64_t obj, int fd,
			      enum ipctap_op op, uint32_t flags)
{
	o->t = t;
	o->io = (struct ev_io){
		.hdr = { .type = EV_IO, .size = sizeof(o->io), .flags = flags },
		.enter_ns = shim_now(), .chan = obj, .fd = fd, .op = (uint16_t)op,
	};
	struct shim_call *c = &t->ring->call;
	c->enter_ns = o->io.enter_ns;
	c->obj = obj;
	c->fd = fd;
	c->deadline_ns = 0;
	__atomic_store_n(&c->op, (uint16_t)op, __ATOMIC_RELEASE);
}

/* A call that names no channel yet: what it made is known when it has returned. */
static inline bool shim_begin_none(struct shim_op *o, enum ipctap_op op)
{
	struct shim_thread *t = shim_ready();
	if (t)
		shim_begin(o, t, 0, -1, op, 0);
	return t != NULL;
}

/* Where the call under way is described further: its deadline, what it looks at. */
static inline struct shim_call *shim_call(struct shim_op *o) { return &o->t->ring->call; }

/* The call has returned: when, and what. A size beyond ev_io's is the caller's. */
static inline void shim_done(struct shim_op *o, int64_t ret)
{
	__atomic_store_n(&o->t->ring->call.op, 0, __ATOMIC_RELAXED);
	o->io.hdr.t_ns = shim_now();
	o->io.ret = ret;
	if (SHIM_RARE(ret == -1)) {
		o->io.ret = -errno;
		o->io.hdr.flags |= IO_ERROR;
	}
}

static inline __attribute__((always_inline)) void shim_tell(struct shim_op *o)
{
	shim_put(o->t, &o->io, sizeof(o->io), SHIM_LOST_OP);
}

static inline void shim_end(struct shim_op *o, int64_t ret)
{
	shim_done(o, ret);
	shim_tell(o);
}

/* Not to be told of after all. */
static inline void shim_drop(struct shim_op *o)
{
	__atomic_store_n(&o->t->ring->call.op, 0, __ATOMIC_RELAXED);
}

/* Tells the operation with the first payload bytes behind it (-s), `have` of which are at `data`. */
void shim_tell_payload(struct shim_op *o, const void *data, size_t have);

/* A call that moves bytes. */
static inline void shim_end_bytes(struct shim_op *o, int64_t ret, const void *data)
{
	shim_done(o, ret);
	if (ret > 0) {
		o->io.bytes = (uint64_t)ret;
		o->io.messages = 1;
		if (SHIM_RARE(shim_control->snap_bytes)) {
			shim_tell_payload(o, data, (size_t)ret);
			return;
		}
	}
	shim_tell(o);
}

/* ---- descriptors (fds.c) ---- */

enum shim_fd_state {
	FD_UNKNOWN = 0, /* not looked at yet */
	FD_OTHER,       /* not a channel */
	FD_CHANNEL,
	FD_STATE = 3,   /* mask */
	FD_NONBLOCK = 4,
	FD_DGRAM = 8,
	FD_SIGNALFD = 16,
	FD_PORT = 128, /* its local port has been told */
	FD_READ = 32, FD_WRITE = 64, /* it was opened for */
	FD_GENERATION = 8, /* shift */
};

struct shim_fd {
	uint64_t obj;
	uint32_t state;
	uint32_t pad;
};

/* What is known of a descriptor, looked up if it is not. state FD_CHANNEL or FD_OTHER. */
struct shim_fd shim_fd_look_up(struct shim_thread *t, int fd);
struct shim_fd *shim_fd_entry(int fd); /* NULL: nothing was ever known of those around it */

static inline bool shim_fd_get(struct shim_thread *t, int fd, struct shim_fd *f)
{
	struct shim_fd *e = shim_fd_entry(fd);
	if (e) {
		f->state = __atomic_load_n(&e->state, __ATOMIC_ACQUIRE);
		f->obj = __atomic_load_n(&e->obj, __ATOMIC_RELAXED);
	}
	if (SHIM_RARE(!e || !(f->state & FD_STATE) ||
		      f->state >> FD_GENERATION != (shim_control->generation & 0xffffff)))
		*f = shim_fd_look_up(t, fd);
	return (f->state & FD_STATE) == FD_CHANNEL;
}

/* A descriptor has just come to be: describes it, with `flags` (RAW_NEW …), and tells that it is held. */
uint64_t shim_fd_new(struct shim_thread *t, int fd, uint32_t flags, uint8_t what);
uint64_t shim_fd_new_pair(struct shim_thread *t, const int fds[2]);
/* It became something else without being told of: a library closed it. */
void shim_fd_forget(int fd);
/* Is about to be closed: its object, 0 for none of ours. */
uint64_t shim_fd_closing(struct shim_thread *t, int fd);
void shim_fd_closed(struct shim_thread *t, int fd, uint64_t obj);
void shim_fd_close_range(struct shim_thread *t, unsigned int first, unsigned int last);
void shim_fd_set_nonblock(int fd, bool on);
/* Describes a socket anew: it was bound, connected … */
void shim_fd_describe(struct shim_thread *t, int fd, uint32_t flags);
/* … or was to be connected to that address, which is under way, or (RAW_REFUSED) failed. */
void shim_fd_describe_target(struct shim_thread *t, int fd, uint32_t flags, const void *addr, unsigned int len);
/* A datagram socket got its local port only by sending. */
void shim_fd_describe_port(struct shim_thread *t, int fd);
/* What the table holds when the program begins, or when a child has inherited it. */
void shim_fds_adopt(struct shim_thread *t, uint8_t what);
void shim_fds_inherit(struct shim_thread *t);

/* Of any file, as a thing to lock; of memory, as a thing to map: described if it is new. memory.c */
uint64_t shim_lock_object(struct shim_thread *t, int fd);
uint64_t shim_memory_opened(struct shim_thread *t, int fd, uint32_t flags);

static inline bool shim_begin_fd(struct shim_op *o, int fd, enum ipctap_op op, uint32_t flags)
{
	struct shim_thread *t = shim_ready();
	struct shim_fd f;
	if (!t || fd < 0 || !shim_fd_get(t, fd, &f))
		return false;
	o->state = f.state;
	shim_begin(o, t, f.obj, fd, op, flags | (f.state & FD_NONBLOCK ? IO_NONBLOCK : 0));
	return true;
}

/* Of what is neither a pipe nor a connection: eventfd, signalfd, datagrams. */
void shim_end_io_other(struct shim_op *o, int64_t ret, const void *data);

/* A call that moves bytes through a descriptor, whatever is behind it. */
static inline void shim_end_io(struct shim_op *o, int64_t ret, const void *data)
{
	unsigned int kind = RAW_OBJ_KIND(o->io.chan);
	if (SHIM_RARE(kind > KIND_TCP || (o->state & FD_DGRAM)))
		shim_end_io_other(o, ret, data);
	else
		shim_end_bytes(o, ret, data);
}

/* A datagram to or from `addr` (NULL: its socket's peer). sock.c */
void shim_end_dgram(struct shim_op *o, int64_t ret, const void *addr, unsigned int len, const void *data);

#endif
