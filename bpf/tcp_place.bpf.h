/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where in a TCP stream a call's bytes lie, whatever other threads do to the same socket: seen while
 * the call has the socket locked. Read at the return of the call (emit.bpf.h), the position may
 * already include what others moved; that serves where these hooks do not exist.
 *
 * The time at which it is seen is that of the call's effect (hand_ns): in order of time is then in
 * order of the stream.
 */
#ifndef IPCTAP_BPF_TCP_PLACE_H
#define IPCTAP_BPF_TCP_PLACE_H

#include "calls.bpf.h"
#include "emit.bpf.h"

/* The thread, if it is in a call that moves bytes of *sk that way, and in one go. */
static __always_inline struct thread *tcp_mover(const struct sock *sk, __u32 way)
{
	struct thread *s = thread_of(bpf_get_current_task_btf());
	if (!s || !s->op || s->sk != (__u64)sk || !(s->flags & way) || (s->flags & IO_PEEK) ||
	    (s->class != CALL_IO && s->class != CALL_MSG))
		return NULL;
	return s;
}

static __always_inline void tcp_stamp(struct thread *s)
{
	s->hand_ns = bpf_ktime_get_ns();
	s->place_slept_ns = s->slept_ns;
}

/*
 * The next of *left bytes goes to `seq`. What went before lies in one piece in front of it, unless
 * the call had to give the lock back, to sleep for room, and others came in between.
 */
static __always_inline void tcp_writes_at(struct thread *s, __u32 seq, __u32 left)
{
	if (s->placed == PLACED_NOT) {
		s->placed = PLACED_SURE;
		s->place = seq;
		s->place_asked = left;
		tcp_stamp(s);
		return;
	}
	if (seq - s->place != s->place_asked - left)
		s->placed = PLACED_APART;
	if (s->slept_ns != s->place_slept_ns)
		tcp_stamp(s);
}

/* v6.16 (0f08335ade71): before each piece of a send */
SEC("tp_btf/tcp_sendmsg_locked")
int BPF_PROG(on_tcp_piece, const struct sock *sk, const struct msghdr *msg)
{
	struct thread *s = tcp_mover(sk, IO_WRITE);
	if (s)
		tcp_writes_at(s, BPF_CORE_READ((struct tcp_sock *)sk, write_seq),
			      (__u32)msg->msg_iter.count);
	return 0;
}

/* The same where there is no such tracepoint but functions may be hooked: before all and behind it. */
SEC("fentry/tcp_sendmsg_locked")
int BPF_PROG(on_tcp_send, struct sock *sk, struct msghdr *msg, __u64 size)
{
	struct thread *s = tcp_mover(sk, IO_WRITE);
	if (s)
		tcp_writes_at(s, BPF_CORE_READ((struct tcp_sock *)sk, write_seq), (__u32)size);
	return 0;
}

SEC("fexit/tcp_sendmsg_locked")
int BPF_PROG(on_tcp_sent, struct sock *sk, struct msghdr *msg, __u64 size, int ret)
{
	struct thread *s = ret > 0 ? tcp_mover(sk, IO_WRITE) : NULL;
	if (s)
		tcp_writes_at(s, BPF_CORE_READ((struct tcp_sock *)sk, write_seq),
			      (__u32)size - (__u32)ret);
	return 0;
}

/*
 * After each piece that a receiver copied. One that waits for more when it has some (SO_RCVLOWAT;
 * MSG_WAITALL: sock_enter) gives the lock back in between.
 */
SEC("tp_btf/tcp_rcv_space_adjust")
int BPF_PROG(on_tcp_copied, struct sock *sk)
{
	struct thread *s = tcp_mover(sk, IO_READ);
	if (!s)
		return 0;
	if (s->placed == PLACED_NOT)
		s->placed = sk->sk_rcvlowat > 1 ? PLACED_APART : PLACED_SURE;
	else if (s->slept_ns != s->place_slept_ns)
		s->placed = PLACED_APART;
	s->place = BPF_CORE_READ((struct tcp_sock *)sk, copied_seq);
	tcp_stamp(s);
	return 0;
}

#endif
