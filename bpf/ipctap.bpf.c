// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The probes. A call of a thread in scope is decoded at entry, timed while it sleeps, and told at
 * exit: sys_enter and sys_exit below dispatch by the table in calls.bpf.h to the mechanisms.
 *
 * Hooks are raw tracepoints with BTF (tp_btf): they exist wherever BTF does, also on kernels that
 * refuse fentry and have no kprobes. fentry stands in for two tracepoints that older kernels lack
 * (collector/src_bpf_hooks.c), not for sys_enter and sys_exit, though calls that are not ours would then
 * cost nothing: it takes a program for each call and direction, some 230 of them to verify and attach at
 * every start, and what puts one program on many functions (fprobe) Debian's kernels do not have.
 */
#include "scope.bpf.h"
#include "mech_sock.bpf.h"
#include "mech_sysv.bpf.h"
#include "mech_map.bpf.h"
#include "mech_futex.bpf.h"
#include "mech_peer.bpf.h"
#include "mech_child.bpf.h"
#include "mech_queue.bpf.h"
#include "mech_set.bpf.h"
#include "mech_signal.bpf.h"
#include "mech_uring.bpf.h"
#include "sched.bpf.h"
#include "tcp_place.bpf.h"
#include "snapshot.bpf.h"

char LICENSE[] SEC("license") = "GPL";

static __always_inline void count_compat(__u32 nr)
{
	__u32 key = nr & (CALL_MAX - 1);
	__u64 *n = bpf_map_lookup_elem(&compat_calls, &key);
	if (n)
		(*n)++;
}

/* The mechanisms whose entry and exit are functions of their own. */
static __always_inline bool more_enter(struct thread *s, const struct pt_regs *r,
				       const struct call *c)
{
	struct call_args args;
	call_args(&args, r, c);
	if (c->class <= CALL_EVENTFD)
		return queue_enter(s, &args);
	if (c->class <= CALL_PAUSE)
		return signal_enter(s, &args);
	if (c->class == CALL_FLOCK)
		return flock_enter(s, &args);
	if (c->class <= CALL_VFORK)
		return child_enter(s, &args);
	return set_enter(s, &args);
}

static __always_inline void more_exit(struct thread *s, struct done *d)
{
	if (s->class <= CALL_EVENTFD)
		queue_exit(s, d);
	else if (s->class <= CALL_PAUSE)
		signal_exit(s, d);
	else if (s->class > CALL_FLOCK && s->class <= CALL_VFORK)
		child_exit(s, d);
	else
		emit_io(s, d);
}

static __always_inline bool enter(struct task_struct *t, struct thread *s,
				  const struct pt_regs *r, const struct call *c)
{
	switch (c->class) {
	case CALL_MSG:
	case CALL_MMSG:
	case CALL_SOCKET:
	case CALL_SOCKETPAIR:
	case CALL_BIND:
	case CALL_ACCEPT:
		return sock_enter(t, s, r, c);
	case CALL_IPC_GET:
	case CALL_IPC_CTL:
	case CALL_SHMAT:
	case CALL_SHMDT:
	case CALL_MSGSND:
	case CALL_MSGRCV:
	case CALL_SEMOP:
		sysv_enter(t, s, r, c);
		return true;
	case CALL_MMAP:
	case CALL_MUNMAP:
	case CALL_MREMAP:
	case CALL_MEMFD:
		return map_enter(t, s, r, c->class);
	case CALL_FUTEX:
		return futex_enter(s, r, c->op);
	case CALL_PROCESS_VM:
		return memory_enter(s, (__u32)r->di);
	case CALL_GETFD:
		s->arg = r->di;
		return true;
	case CALL_URING:
		s->fd = (__s32)r->di;
		return true;
	case CALL_EXEC:
		s->in_exec = 1;
		return false;
	default:
		if (c->class > CALL_URING)
			return more_enter(s, r, c);
		return file_enter(t, s, r, c);
	}
}

#define ERESTART_RESTARTBLOCK 516

/* A stop ends a call that has a timeout. It goes on as restart_syscall, with what is known of it: not after
 * a handler, nor for one that is none of ours. */
static __always_inline void restart_note(struct task_struct *t, struct thread *s)
{
	s->restart_op = s->op;
	s->restart_fn = (__u64)t->restart_block.fn;
}

static __always_inline void restart_enter(struct task_struct *t, struct thread *s)
{
	if (!s->restart_op || s->restart_fn != (__u64)t->restart_block.fn)
		return;
	s->enter_ns = bpf_ktime_get_ns();
	s->slept_ns = s->sleep_ns = 0;
	s->waker = 0;
	s->op = s->restart_op;
	s->restart_op = OP_NONE;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(on_sys_enter, struct pt_regs *regs, long nr)
{
	struct task_struct *t = bpf_get_current_task_btf();
	bool compat = t->thread_info.status & TS_COMPAT;
	if ((__u64)nr >= CALL_MAX)
		return 0;
	struct call c = call_row((__u64)nr);
	if (compat ? !calls_i386[nr & (CALL_MAX - 1)] : !c.class)
		return 0;
	struct thread *s = thread_of(t);
	if (!s)
		return 0;
	s->op = OP_NONE;
	if (compat) {
		count_compat((__u32)nr);
		return 0;
	}
	if (c.class == CALL_RESTART) {
		restart_enter(t, s);
		return 0;
	}
	s->restart_op = OP_NONE;
	s->enter_ns = bpf_ktime_get_ns();
	s->slept_ns = s->sleep_ns = s->deadline_ns = 0;
	s->obj = s->obj2 = s->rcv_obj = 0;
	s->mtype = 0;
	s->data = regs->si;
	s->flags = c.dir <= (IO_READ | IO_WRITE) ? c.dir : 0;
	s->waker = 0;
	s->fd = -1;
	s->type = s->wants_receiver = s->placed = s->refused = s->nrcv_more = 0;
	if (enter(t, s, regs, &c)) {
		s->class = c.class;
		s->op = c.op;
	}
	return 0;
}

/* The classes from CALL_MMAP on. */
static __always_inline void memory_class_exit(struct task_struct *t, struct thread *s,
					      const struct call *c, struct done *d)
{
	switch (c->class) {
	case CALL_FUTEX:
		futex_exit(s, d);
		break;
	case CALL_PROCESS_VM:
		memory_exit(s, d);
		break;
	case CALL_GETFD:
		getfd_exit(s, d);
		break;
	case CALL_URING: /* its requests are told one by one; what is left is the wait for them */
		d->obj = 0;
		if (s->slept_ns)
			emit_io(s, d);
		break;
	default:
		map_exit(t, s, c->class, d);
	}
}

SEC("tp_btf/sys_exit")
int BPF_PROG(on_sys_exit, struct pt_regs *regs, long ret)
{
	struct task_struct *t = bpf_get_current_task_btf();
	__u64 nr = regs->orig_ax;
	if (nr >= CALL_MAX)
		return 0;
	struct call c = call_row((__u64)nr);
	if (!c.class)
		return 0;
	struct thread *s = thread_of(t);
	if (!s)
		return 0;
	if (c.class == CALL_EXEC)
		s->in_exec = 0;
	if (c.class == CALL_RESTART)
		c.class = s->class;
	if (!s->op || s->class != c.class)
		return 0;
	struct done d = {
		.obj = s->obj,
		.ret = ret,
		.flags = s->flags,
		.fd = s->fd,
		.now = bpf_ktime_get_ns(),
	};
	if (c.class > CALL_URING)
		more_exit(s, &d);
	else if (c.class > CALL_EXEC)
		memory_class_exit(t, s, &c, &d);
	else if ((c.class == CALL_SHMAT || c.class == CALL_SHMDT) && ipc_ok(ret))
		shm_exit(t, s, c.class, &d);
	else if (c.class >= CALL_IPC_GET)
		sysv_exit(t, s, &c, &d);
	else if (c.class >= CALL_SOCKET || c.class == CALL_MSG || c.class == CALL_MMSG ||
		 (c.class == CALL_IO && s->type == SOCK_DGRAM))
		sock_exit(t, s, &c, &d);
	else if (RAW_OBJ_KIND(d.obj) == KIND_SIGNAL)
		signalfd_exit(t, s, &d);
	else
		file_exit(t, s, &c, &d);
	if (ret == -ERESTART_RESTARTBLOCK)
		restart_note(t, s);
	s->op = OP_NONE;
	return 0;
}
