/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asleep inside a call: since when, how long, and who ended it. */
#ifndef IPCTAP_BPF_SCHED_H
#define IPCTAP_BPF_SCHED_H

#include "emit.bpf.h"

/*
 * A timer runs in whatever thread it interrupts, which has nothing to do with the sleeper it wakes.
 * Set and cleared, not counted: tracing may begin inside one. A switch clears both, for there is
 * none inside a timer: of one that began before its end was hooked, the end is never told.
 */
#define IN_HRTIMER 1u
#define IN_TIMER 2u
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} in_timer SEC(".maps");

static __always_inline void timer_mark(__u32 set, __u32 clear)
{
	__u32 zero = 0, *in = bpf_map_lookup_elem(&in_timer, &zero);
	if (in)
		*in = (*in & ~clear) | set;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, bool preempt, struct task_struct *prev, struct task_struct *next,
	     unsigned int prev_state)
{
	timer_mark(0, IN_HRTIMER | IN_TIMER);
	/* prev_state is an argument since v5.18 (fa2c3254d7cf); prev->__state may already have changed */
	struct thread *p = thread_of(prev);
	if (p && p->op && !preempt && prev_state) {
		/* the waker stays: on another CPU it may come before this switch is told */
		p->sleep_ns = bpf_ktime_get_ns();
	}
	struct thread *n = thread_of(next);
	if (n) {
		n->on_ns = bpf_ktime_get_ns();
		if (n->sleep_ns) {
			n->slept_ns += since(n->sleep_ns, n->on_ns);
			n->sleep_ns = 0;
		}
	}
	return 0;
}

SEC("tp_btf/hrtimer_expire_entry")
int BPF_PROG(on_hrtimer) { timer_mark(IN_HRTIMER, 0); return 0; }
SEC("tp_btf/hrtimer_expire_exit")
int BPF_PROG(on_hrtimer_end) { timer_mark(0, IN_HRTIMER); return 0; }
SEC("tp_btf/timer_expire_entry")
int BPF_PROG(on_timer) { timer_mark(IN_TIMER, 0); return 0; }
SEC("tp_btf/timer_expire_exit")
int BPF_PROG(on_timer_end) { timer_mark(0, IN_TIMER); return 0; }

static __always_inline void hand_over(struct thread *from, struct thread *to)
{
	to->hand_ns = bpf_ktime_get_ns();
	if (from && (from->op == OP_MSGSND || is_handed(from->op)))
		from->hand_ns = to->hand_ns - 1; /* next to each other, the waker first */
}

/*
 * Runs in the waker: current is who ended the sleep (sched_wakeup may run on the sleeper's CPU).
 * A network socket is also woken by packets that arrive in whatever thread happens to run: there
 * only a thread that is itself inside a call of ours is believed.
 */
SEC("tp_btf/sched_waking")
int BPF_PROG(on_waking, struct task_struct *t)
{
	struct thread *s = thread_of(t);
	if (!s || !s->op)
		return 0;
	struct task_struct *current = bpf_get_current_task_btf();
	__u32 zero = 0, *in = bpf_map_lookup_elem(&in_timer, &zero);
	if (in && *in) {
		s->waker = 0;
		return 0;
	}
	if (is_handed(s->op))
		hand_over(thread_of(current), s);
	__u32 kind = RAW_OBJ_KIND(s->obj);
	bool of_fds = kind == KIND_SET && s->op != OP_FUTEX_WAITV;
	if (kind == KIND_TCP || kind == KIND_UDP || of_fds) {
		struct thread *w = thread_of(current);
		if (!w || !w->op)
			return 0;
	}
	/* a kernel thread carries on what somebody else began: a terminal's data, for one */
	s->waker = current->flags & PF_KTHREAD ? 0 : current->pid;
	return 0;
}

/*
 * Something has just been queued in *sk, on one host inside the sender's own call. No moment tells
 * better when that call took effect: the lock of the queue has only now been given back. It is the
 * first that counts, for what a long write begins with can be read before it ends.
 */
static __always_inline void data_ready(struct sock *sk)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct thread *s = thread_of(t);
	if (!s || !s->op || (!(s->flags & IO_WRITE) && !s->wants_receiver))
		return;
	struct look l = {};
	l.kind = sock_kind(sk->__sk_common.skc_family, sk->sk_protocol);
	if (l.kind != RAW_OBJ_KIND(s->obj))
		return;
	if ((s->flags & IO_WRITE) && s->hand_ns <= s->enter_ns)
		s->hand_ns = bpf_ktime_get_ns();
	if (!s->wants_receiver)
		return;
	l.type = sk->sk_type;
	l.sk = sk;
	l.ino = BPF_CORE_READ(sk, sk_socket, file, f_inode, i_ino);
	if (l.type != SOCK_DGRAM || !l.ino)
		return;
	l.obj = RAW_OBJ(l.kind, l.ino);
	l.arrived = 1;
	describe_once(NULL, &l, 0, -1, s->enter_ns);
	__u32 n = s->nrcv_more;
	if (s->rcv_obj && s->rcv_obj != l.obj && n < RCV_MORE_MAX) {
		s->rcv_more[n] = s->rcv_obj;
		s->nrcv_more = (__u8)(n + 1);
	}
	s->rcv_obj = l.obj;
}

/* v6.3 (40e0b0908142) */
SEC("tp_btf/sk_data_ready")
int BPF_PROG(on_data_ready, struct sock *sk)
{
	data_ready(sk);
	return 0;
}

/* A UDP socket has no room for a datagram. */
SEC("tp_btf/udp_fail_queue_rcv_skb")
int BPF_PROG(on_udp_refused)
{
	struct thread *s = thread_of(bpf_get_current_task_btf());
	if (s && s->op && s->wants_receiver)
		s->refused = 1;
	return 0;
}

/* Before that, where functions may be hooked: what sk->sk_data_ready is unless somebody replaced it. */
SEC("fentry/sock_def_readable")
int BPF_PROG(on_readable, struct sock *sk)
{
	data_ready(sk);
	return 0;
}

#endif
