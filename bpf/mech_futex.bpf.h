/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Futexes: what POSIX semaphores, mutexes, conditions, barriers and joins sleep on. In shared memory
 * a futex is named by file and offset, so that both processes name the same one whatever address
 * they have it at. One of a process's own memory is told only when a thread slept on it: the rest,
 * and its wakers' calls, concern nobody else.
 *
 * A lock that nobody contends for makes no system call, and is not seen.
 */
#ifndef IPCTAP_BPF_MECH_FUTEX_H
#define IPCTAP_BPF_MECH_FUTEX_H

#include "mech_map.bpf.h"

#define FUTEX_WAIT 0
#define FUTEX_WAKE 1
#define FUTEX_REQUEUE 3
#define FUTEX_CMP_REQUEUE 4
#define FUTEX_WAKE_OP 5
#define FUTEX_LOCK_PI 6
#define FUTEX_WAIT_BITSET 9
#define FUTEX_WAIT_REQUEUE_PI 11
#define FUTEX_CMP_REQUEUE_PI 12
#define FUTEX_LOCK_PI2 13
#define FUTEX_PRIVATE 128
#define FUTEX_CLOCK_REALTIME 256
#define FUTEX_CMD 127
#define CLOCK_REALTIME 0
#define FUTEX_WAITV_MAX 128

struct futex_waitv {
	__u64 val;
	__u64 uaddr;
	__u32 flags;
	__u32 reserved;
};

static __always_inline bool futex_waits(__u32 cmd)
{
	return cmd == FUTEX_WAIT || cmd == FUTEX_WAIT_BITSET || cmd == FUTEX_LOCK_PI ||
	       cmd == FUTEX_LOCK_PI2 || cmd == FUTEX_WAIT_REQUEUE_PI;
}

static __always_inline bool futex_has_two(__u32 cmd)
{
	return cmd == FUTEX_REQUEUE || cmd == FUTEX_CMP_REQUEUE || cmd == FUTEX_CMP_REQUEUE_PI ||
	       cmd == FUTEX_WAKE_OP;
}

/* The memory of a process: its address alone may be given to another later. */
static __always_inline __u64 memory_id(struct task_struct *t)
{
	return (__u64)BPF_CORE_READ(t, mm) ^ BPF_CORE_READ(t, group_leader, start_time);
}

/* An object id, described; 0: it lies in memory that could not be looked at just now. */
static __always_inline __u64 futex_obj(struct task_struct *t, __u64 addr, bool private)
{
	struct look l = {};
	struct mapped m = {};
	__u64 at = addr;
	__u32 tgid = BPF_CORE_READ(t, tgid);
	/* refused while another thread changes the mappings */
	if (!private && bpf_find_vma(t, addr, mapped_vma, &m, 0))
		return 0;
	if (m.file && (m.flags & VM_MAYSHARE)) {
		look_mapped(t, m.file, &l);
		/* a segment's inode number is its id, in its IPC namespace */
		__u64 file = l.kind == KIND_SHM ? l.obj : RAW_MIX(l.ino, l.dev);
		at = (m.pgoff << 12) + addr - m.start;
		l.sk = (void *)l.obj;
		l.obj = RAW_OBJ_FUTEX(file, at, 0);
	} else {
		l.ino = tgid;
		l.obj = RAW_OBJ_FUTEX(memory_id(t), at, 1);
	}
	l.kind = KIND_FUTEX;
	__u64 obj = l.obj;
	if (!bpf_map_lookup_elem(&described, &obj))
		describe_memory(&l, at, tgid, -1, RAW_OBJ_IS_PRIVATE(obj) ? RAW_PRIVATE : 0);
	return obj;
}

/* An absolute time of the clock given, or a relative one, as CLOCK_MONOTONIC; 0: none. */
static __always_inline __u64 futex_deadline(__u64 timeout, bool relative, bool realtime, __u64 now)
{
	struct timespec64 ts = {};
	if (!timeout || bpf_probe_read_user(&ts, sizeof(ts), (void *)timeout))
		return 0;
	__u64 ns = (__u64)ts.tv_sec * 1000000000ULL + (__u64)ts.tv_nsec;
	if (relative)
		return now + ns;
	return realtime ? (ns > realtime_ahead_ns ? ns - realtime_ahead_ns : 0) : ns;
}

/* What the calls of the family have in common. */
struct futex_call {
	__u64 addr, addr2, timeout;
	bool waits, private, private2, relative, realtime;
};

/* Returns 0 for a wake in a process's own memory. */
__noinline int futex_take(struct thread *s, struct futex_call *c)
{
	if (!s || !c || (c->private && !c->waits))
		return 0;
	struct task_struct *t = bpf_get_current_task_btf();
	s->arg = c->addr;
	s->bytes = c->private;
	s->obj = futex_obj(t, c->addr, c->private);
	if (RAW_OBJ_IS_PRIVATE(s->obj) && !c->waits)
		return 0;
	if (c->addr2)
		s->obj2 = futex_obj(t, c->addr2, c->private2);
	s->deadline_ns = futex_deadline(c->timeout, c->relative, c->realtime, s->enter_ns);
	return 1;
}

/* FUTEX_WAIT alone has a relative timeout; that of the older PI lock is of the wall clock. */
static __always_inline void futex_read(struct futex_call *c, const struct pt_regs *r)
{
	__u32 op = (__u32)r->si, cmd = op & FUTEX_CMD;
	c->addr = r->di;
	c->waits = futex_waits(cmd);
	c->private = c->private2 = (op & FUTEX_PRIVATE) != 0;
	if (futex_has_two(cmd))
		c->addr2 = r->r8;
	if (c->waits)
		c->timeout = r->r10;
	c->relative = cmd == FUTEX_WAIT;
	c->realtime = cmd == FUTEX_LOCK_PI || (op & FUTEX_CLOCK_REALTIME);
}

APART void futex2_read(struct futex_call *c, const struct pt_regs *r, __u16 op)
{
	__u32 flags = op == OP_FUTEX_REQUEUE ? (__u32)r->si : (__u32)r->r10;
	c->addr = r->di;
	c->private = (flags & FUTEX_PRIVATE) != 0;
	if (op == OP_FUTEX_WAIT) {
		c->waits = true;
		c->timeout = r->r8;
		c->realtime = r->r9 == CLOCK_REALTIME;
	} else if (op == OP_FUTEX_REQUEUE) {
		struct futex_waitv pair[2] = {};
		bpf_probe_read_user(pair, sizeof(pair), (void *)r->di);
		c->addr = pair[0].uaddr;
		c->addr2 = pair[1].uaddr;
		c->private = (pair[0].flags & FUTEX_PRIVATE) != 0;
		c->private2 = (pair[1].flags & FUTEX_PRIVATE) != 0;
	}
}

/* A wait for any of several is one on a set (mech_set.bpf.h), for one alone it is one on that. */
__noinline int futex_waitv_take(struct thread *s, struct futex_call *c)
{
	if (!s || !c)
		return 0;
	struct task_struct *t = bpf_get_current_task_btf();
	struct futex_waitv first = {};
	bpf_probe_read_user(&first, sizeof(first), (void *)c->addr);
	s->arg = c->addr;
	s->arg2 = c->addr2; /* how many */
	s->bytes = (first.flags & FUTEX_PRIVATE) != 0;
	s->obj = c->addr2 == 1 ? futex_obj(t, first.uaddr, s->bytes) : RAW_OBJ_SET(t->pid, RAW_SET_NO_FD);
	s->deadline_ns = futex_deadline(c->timeout, false, c->realtime, s->enter_ns);
	return 1;
}

static __always_inline bool futex_enter(struct thread *s, const struct pt_regs *r, __u16 op)
{
	struct futex_call c = {};
	s->mtype = (__u32)r->si;
	if (op == OP_FUTEX_WAITV) {
		c.addr = r->di;
		c.addr2 = r->si;
		c.timeout = r->r10;
		c.realtime = r->r8 == CLOCK_REALTIME;
		return futex_waitv_take(s, &c);
	}
	if (op == OP_FUTEX)
		futex_read(&c, r);
	else
		futex2_read(&c, r, op);
	return futex_take(s, &c);
}

/* Which of its futexes ended a futex_waitv is its result; one that failed was for all of them. */
static __always_inline __u64 waitv_obj(struct task_struct *t, struct thread *s, __s64 ret)
{
	struct futex_waitv one = {};
	if (ret < 0 || ret >= FUTEX_WAITV_MAX ||
	    bpf_probe_read_user(&one, sizeof(one), (void *)s->arg + (__u64)ret * sizeof(one)))
		return s->obj;
	return futex_obj(t, one.uaddr, one.flags & FUTEX_PRIVATE);
}

/* In one's own memory a wait that did not come to a sleep is not told. */
__noinline int futex_exit(struct thread *s, struct done *d)
{
	if (!s || !d)
		return 0;
	struct task_struct *t = bpf_get_current_task_btf();
	d->fd = -1;
	if (s->op == OP_FUTEX_WAITV)
		d->obj = waitv_obj(t, s, d->ret);
	else if (!d->obj)
		d->obj = futex_obj(t, s->arg, s->bytes);
	bool private = RAW_OBJ_KIND(d->obj) == KIND_SET ? s->bytes != 0 : RAW_OBJ_IS_PRIVATE(d->obj);
	if (private && !s->slept_ns)
		return 0;
	if (s->in_ripc) /* its sleep is the object's */
		d->flags |= IO_HALF;
	emit_io(s, d);
	if (s->in_ripc && s->slept_ns)
		s->hand_ns = d->now;
	if (s->obj2 && !RAW_OBJ_IS_PRIVATE(s->obj2)) {
		d->obj = s->obj2;
		d->flags |= IO_HALF;
		emit_io(s, d);
	}
	return 0;
}

/* A thread found asleep in one when tracing begins. */
static __always_inline __u64 futex_adopt(struct task_struct *t, struct thread *s, const struct pt_regs *r,
					 __u16 call)
{
	if (call == OP_FUTEX_WAITV) {
		s->arg = r->di;
		s->arg2 = r->si;
		return RAW_OBJ_SET(t->pid, RAW_SET_NO_FD);
	}
	if (call != OP_FUTEX)
		return 0;
	__u32 op = (__u32)r->si;
	return futex_waits(op & FUTEX_CMD) ? futex_obj(t, r->di, op & FUTEX_PRIVATE) : 0;
}

#endif
