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
#define SIGCONT 18
#define SIGNALFD_SIGINFO_BYTES 128 /* struct signalfd_siginfo, ssi_signo first */
#define RESULT_DELIVERED 0         /* of signal_generate: include/trace/events/signal.h */
#define RESULT_LOSE_INFO 4         /* delivered, without its siginfo */

struct kernel_siginfo;

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

SEC("tp_btf/signal_generate")
int BPF_PROG(on_signal, int sig, struct kernel_siginfo *info, struct task_struct *t, int group,
	     int result)
{
	struct task_struct *current = bpf_get_current_task_btf();
	struct thread *s = thread_of(current);
	if (!s || s->class != CALL_KILL || !s->op || s->mtype != sig)
		return 0;
	__u32 zero = 0, *in = bpf_map_lookup_elem(&in_timer, &zero);
	if (in && *in)
		return 0; /* the timer's signal, whoever it interrupts */
	if (!thread_of(t))
		task_emit(t->group_leader, TASK_SEEN, EV_SYNTHETIC | TASK_F_OUTSIDE,
			  bpf_ktime_get_ns());
	/* ignored (SIGCONT acts all the same), or merged with one that was pending: sent, but nobody gets it */
	bool received = result == RESULT_DELIVERED || result == RESULT_LOSE_INFO || sig == SIGCONT;
	signal_sent(s, RAW_OBJ_SIGNAL(t->tgid, sig), received);
	return 0;
}

#endif
