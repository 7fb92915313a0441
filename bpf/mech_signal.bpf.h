/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signals: who sent which to whom, and who waits for one. A sender's call names its target by a
 * number that may be of another pid namespace, by a group, or by a pidfd; the kernel's own
 * tracepoint signal_generate, which runs inside that call, names the very task.
 */
#ifndef IPCTAP_BPF_MECH_SIGNAL_H
#define IPCTAP_BPF_MECH_SIGNAL_H

#include "mech_file.bpf.h"
#include "scope.bpf.h"
#include "sched.bpf.h"

#define SIG_ANY 0
#define SIGCHLD 17
#define SIGCONT 18
#define SIGNALFD_SIGINFO_BYTES 128 /* struct signalfd_siginfo, ssi_signo first */
#define RESULT_DELIVERED 0         /* of signal_generate: include/trace/events/signal.h */
#define RESULT_LOSE_INFO 4         /* delivered, without its siginfo */

#define SI_FROM_CALL(code) ((code) == 0 || (code) == -1 || (code) == -6) /* SI_USER, SI_QUEUE, SI_TKILL */

/* The only signal of a set; SIG_ANY when there are several. */
static __always_inline __u32 only_signal(__u64 set)
{
	if (!set || set & (set - 1))
		return SIG_ANY;
	__u32 n = 1;
	for (__u32 half = 32; half; half /= 2) {
		if (set >> half) {
			set >>= half;
			n += half;
		}
	}
	return n;
}

static __always_inline __u32 user_only_signal(__u64 user)
{
	__u64 set = 0;
	if (user)
		bpf_probe_read_user(&set, sizeof(set), (void *)user);
	return only_signal(set);
}

__noinline int signal_enter(struct thread *s, struct call_args *c)
{
	if (!s || !c)
		return 0;
	struct task_struct *t = bpf_get_current_task_btf();
	struct timespec64 ts = {};
	switch (c->class) {
	case CALL_KILL:
		s->mtype = (__s32)args_nth(c, c->arg);
		s->fd = c->op == OP_PIDFD_SEND_SIGNAL ? (__s32)c->a[0] : -1;
		s->bytes = 0; /* whether the first target got it */
		return 1;
	case CALL_SIGNALFD:
		s->obj = RAW_OBJ_SIGNAL(t->tgid, user_only_signal(c->a[1]));
		return 1;
	case CALL_SIGWAIT:
		s->obj = RAW_OBJ_SIGNAL(t->tgid, user_only_signal(c->a[0]));
		if (user_timespec(c->a[2], &ts)) {
			__u64 ns = (__u64)ts.tv_sec * 1000000000ULL + (__u64)ts.tv_nsec;
			s->deadline_ns = s->enter_ns + ns;
			s->flags |= ns ? 0 : IO_NONBLOCK;
		}
		return 1;
	case CALL_PAUSE:
		s->obj = RAW_OBJ_SIGNAL(t->tgid, SIG_ANY);
		return 1;
	}
	return 0;
}

__noinline int signal_exit(struct thread *s, struct done *d)
{
	if (!s || !d)
		return 0;
	struct task_struct *t = bpf_get_current_task_btf();
	switch (s->class) {
	case CALL_KILL:
		d->messages = (__u32)s->bytes;
		break;
	case CALL_SIGNALFD:
		d->fd = ret_ok(d->ret) ? (__s32)d->ret : -1;
		break;
	case CALL_SIGWAIT:
		if (d->ret <= 0)
			break;
		d->obj = RAW_OBJ_SIGNAL(t->tgid, d->ret);
		d->messages = 1;
		s->mtype = d->ret;
		break;
	}
	emit_io(s, d);
	return 0;
}

/* A read of a signalfd may yield several signals: it is told as one of the first one's channel. */
APART void signalfd_exit(struct task_struct *t, struct thread *s, struct done *d)
{
	__u32 signo = 0;
	if (d->ret >= SIGNALFD_SIGINFO_BYTES) {
		d->bytes = (__u64)d->ret;
		d->messages = (__u32)d->ret / SIGNALFD_SIGINFO_BYTES;
		bpf_probe_read_user(&signo, sizeof(signo), (void *)s->data);
		d->obj = RAW_OBJ_SIGNAL(t->tgid, signo);
		s->mtype = signo;
	}
	emit_io(s, d);
}

/* A call sends to each of a group: the first target is the call's own row, each other one a half. */
static __always_inline void signal_sent(struct thread *s, __u64 obj, bool received)
{
	if (!s->obj) {
		s->obj = obj;
		s->bytes = received;
		return;
	}
	struct done d = {
		.obj = obj,
		.messages = received,
		.flags = s->flags | IO_HALF,
		.fd = s->fd,
		.now = bpf_ktime_get_ns(),
	};
	emit_io(s, &d);
}

static __always_inline bool in_interrupt_of_timer(void)
{
	__u32 zero = 0, *in = bpf_map_lookup_elem(&in_timer, &zero);
	return in && *in;
}

/* Did a call send it, as its siginfo tells? The lowest pointers stand for none. */
static __always_inline bool is_from_call(struct kernel_siginfo *info)
{
	if ((__u64)info <= 1)
		return false;
	int code = BPF_CORE_READ(info, si_code);
	return SI_FROM_CALL(code);
}

/*
 * A signal that no call of ours sent, to a process in scope that gets it: the kernel's own, told as of
 * pid 0 (a broken pipe, a fault, a timer, ^C), or a call's of somebody outside. What SIGCHLD says is told
 * as the child's end.
 */
static __always_inline void signal_from_elsewhere(struct task_struct *current, int sig,
						  struct kernel_siginfo *info, struct task_struct *to)
{
	bool call = is_from_call(info) && !in_interrupt_of_timer() && !(current->flags & PF_KTHREAD);
	__u64 now = bpf_ktime_get_ns();
	if ((sig == SIGCHLD && !call) || !thread_of(to->group_leader))
		return;
	if (call && !thread_of(current))
		task_emit(current->group_leader, TASK_SEEN, EV_SYNTHETIC | TASK_F_OUTSIDE, now);
	struct ev_io *e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);
	if (!e) {
		count(RAW_COUNT_LOST_OP);
		return;
	}
	__builtin_memset(e, 0, sizeof(*e));
	e->hdr.t_ns = e->enter_ns = now;
	e->hdr.type = EV_IO;
	e->hdr.size = sizeof(*e);
	e->hdr.flags = IO_WRITE;
	e->chan = RAW_OBJ_SIGNAL(to->tgid, sig);
	e->mtype = sig;
	e->pid = call ? current->tgid : 0;
	e->tid = call ? current->pid : 0;
	e->fd = -1;
	e->op = OP_SIGNAL;
	e->messages = 1;
	ring_submit(e);
}

SEC("tp_btf/signal_generate")
int BPF_PROG(on_signal, int sig, struct kernel_siginfo *info, struct task_struct *t, int group,
	     int result)
{
	struct task_struct *current = bpf_get_current_task_btf();
	struct thread *s = thread_of(current);
	/* ignored (SIGCONT acts all the same), or merged with one that was pending: sent, but nobody gets it */
	bool received = result == RESULT_DELIVERED || result == RESULT_LOSE_INFO || sig == SIGCONT;
	if (!s || s->class != CALL_KILL || !s->op || s->mtype != sig || in_interrupt_of_timer()) {
		if (received)
			signal_from_elsewhere(current, sig, info, t);
		return 0;
	}
	if (!thread_of(t))
		task_emit(t->group_leader, TASK_SEEN, EV_SYNTHETIC | TASK_F_OUTSIDE,
			  bpf_ktime_get_ns());
	signal_sent(s, RAW_OBJ_SIGNAL(t->tgid, sig), received);
	return 0;
}

#endif
