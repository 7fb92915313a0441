/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A finished call becomes an ev_io. */
#ifndef IPCTAP_BPF_EMIT_H
#define IPCTAP_BPF_EMIT_H

#include "object.bpf.h"

/* What the exit side of a call says of one of its channels. */
struct done {
	__u64 obj;
	__s64 ret;
	__u64 bytes;
	__u32 messages;
	__u32 flags; /* IO_* */
	__s32 fd;
	__u64 now;
	__u8 addr[16]; /* of a datagram's partner: emit_io_addr */
	__u16 port;
};

/*
 * A sleeper in msgrcv does not fetch its message when it comes to run: the sender puts it into its
 * hands and then wakes it. Another receiver may get a later one before it runs. POSIX queues do so
 * both ways: a receiver also puts the message of a sleeping sender into the full queue.
 */
static __always_inline bool is_handed(__u16 op)
{
	return op == OP_MSGRCV || op == OP_MQ_TIMEDRECEIVE || op == OP_MQ_TIMEDSEND;
}

/*
 * When the call took effect: when that was seen (hand_ns); else after its last wake-up if it slept;
 * else somewhere between the last time its thread came onto a CPU (or entered) and now. Measured
 * against truth carried in the payload, with four writers the middle is right for 99.9 % of reads
 * of a pipe, but for 95 to 99 % of a socket, where hand_ns gives 99.9.
 */
static __always_inline __u64 effect_ns(const struct thread *s, __u64 now)
{
	__u64 from = s->on_ns > s->enter_ns ? s->on_ns : s->enter_ns;
	if (s->hand_ns > s->enter_ns)
		return s->hand_ns;
	return s->slept_ns ? from : from + since(from, now) / 2;
}

/*
 * Where in the stream the call's bytes end: sender and receiver of a TCP connection count the same
 * bytes. Returns IO_POS and its like; 0: not known. A layer above TCP (TLS in the kernel) puts bytes
 * of its own between those of the calls. What was seen during the call is sure (tcp_place.bpf.h); where
 * the stream stands now is right only if nobody else moved anything meanwhile.
 */
static __always_inline __u32 tcp_position(const struct thread *s, const struct done *d, __s64 *pos)
{
	struct tcp_sock *tp = (void *)s->sk;
	if (!tp || !d->bytes || (d->flags & IO_PEEK) ||
	    BPF_CORE_READ((struct inet_connection_sock *)tp, icsk_ulp_ops))
		return 0;
	bool is_sure = s->placed == PLACED_SURE;
	if (d->flags & IO_WRITE) {
		/* more than was asked for then: a part went with the connection's first packet */
		is_sure &= d->bytes <= s->place_asked;
		*pos = is_sure ? s->place + (__u32)d->bytes : BPF_CORE_READ(tp, write_seq);
		return is_sure ? IO_POS | IO_POS_SURE : IO_POS;
	}
	if (is_sure) {
		*pos = s->place;
		return IO_POS | IO_POS_SURE;
	}
	/* In this order: what arrives meanwhile must not look as if it had been read */
	__u32 seq = BPF_CORE_READ(tp, copied_seq);
	__u8 state = BPF_CORE_READ((struct sock *)tp, __sk_common.skc_state);
	bool is_open = state == TCP_ESTABLISHED || state == TCP_FIN_WAIT1 || state == TCP_FIN_WAIT2;
	/* The end of the stream counts as a byte, and the read of the last bytes takes it, too */
	bool took_end = !is_open && seq == BPF_CORE_READ(tp, rcv_nxt);
	*pos = took_end ? seq - 1 : seq;
	return !took_end || state != TCP_CLOSE ? IO_POS : 0; /* reset: there may have been no end */
}

static __always_inline void fill_io(struct ev_io *e, struct task_struct *t, const struct thread *s,
				    const struct done *d, __u16 type, __u16 size)
{
	__u32 flags = d->flags;
	if (d->ret < 0 && d->ret >= -4095)
		flags |= IO_ERROR;
	if (s->slept_ns)
		flags |= IO_BLOCKED;
	e->hdr.t_ns = effect_ns(s, d->now);
	e->hdr.type = type;
	e->hdr.size = size;
	e->hdr.flags = flags;
	e->enter_ns = s->enter_ns;
	e->dur_ns = since(s->enter_ns, d->now);
	e->slept_ns = s->slept_ns;
	e->chan = d->obj;
	e->ret = d->ret;
	e->mtype = s->mtype;
	e->bytes = d->bytes;
	e->pid = t->tgid;
	e->tid = t->pid;
	e->waker_tid = s->slept_ns ? s->waker : 0;
	e->fd = d->fd;
	e->op = s->op;
	e->messages = (__u16)d->messages;
	e->pad = 0;
	__s64 pos;
	__u32 placed = RAW_OBJ_KIND(d->obj) == KIND_TCP ? tcp_position(s, d, &pos) : 0;
	if (placed) {
		e->mtype = pos;
		e->hdr.flags |= placed;
	}
}

/* ---- payload (-s) ---- */

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	/* 8 more: the verifier takes the end of a payload to be rounded up from any number, not from the most */
	__type(value, __u8[sizeof(struct raw_io_addr) + EV_PAYLOAD_MAX + 8]);
} scratch SEC(".maps");

struct user_iovec {
	__u64 base, len;
};
#define MSGHDR_IOV 16 /* offset of msg_iov in struct msghdr */

/* Where the call's data begins, and how much lies there in one piece (vectors: the first one). */
static __always_inline struct user_iovec payload_at(const struct thread *s)
{
	struct user_iovec v = { .base = s->data, .len = ~0ULL };
	switch (s->op) {
	case OP_READ: case OP_WRITE: case OP_PREAD64: case OP_PWRITE64:
	case OP_SENDTO: case OP_RECVFROM: case OP_MQ_TIMEDSEND: case OP_MQ_TIMEDRECEIVE:
		return v;
	case OP_MSGSND: case OP_MSGRCV:
		v.base += sizeof(__s64); /* behind the type */
		return v;
	case OP_SENDMSG: case OP_RECVMSG: case OP_SENDMMSG: case OP_RECVMMSG:
		bpf_probe_read_user(&v.base, sizeof(v.base), (void *)s->data + MSGHDR_IOV);
		break;
	case OP_READV: case OP_PREADV: case OP_PREADV2:
	case OP_WRITEV: case OP_PWRITEV: case OP_PWRITEV2:
		break;
	default: /* splice and its kin move pages that no program has mapped */
		v.len = 0;
		return v;
	}
	struct user_iovec first = {};
	bpf_probe_read_user(&first, sizeof(first), (void *)v.base);
	return first;
}

/* The record of `size` bytes in scratch, and the first payload bytes behind it. */
static __always_inline void emit_scratch(void *record, __u32 size, const struct thread *s,
					 const struct done *d)
{
	struct user_iovec v = payload_at(s);
	__u64 n = d->bytes < v.len ? d->bytes : v.len;
	if (n > snap_bytes)
		n = snap_bytes;
	if (n > EV_PAYLOAD_MAX)
		n = EV_PAYLOAD_MAX;
	__builtin_memset(record + size, 0, EV_PAYLOAD_MAX);
	if (!v.base || bpf_probe_read_user(record + size, (__u32)n, (void *)v.base))
		n = 0;
	__u32 total = size + (((__u32)n + 7) & ~7u);
	struct ev_hdr *h = record;
	h->size = (__u16)total;
	__u64 waiting = bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA);
	if (bpf_ringbuf_output(&ring, record, total, waiting >= ring_wake_bytes ? BPF_RB_FORCE_WAKEUP
										: BPF_RB_NO_WAKEUP))
		count(RAW_COUNT_LOST_OP);
}

static __always_inline void *scratch_record(const struct done *d)
{
	__u32 zero = 0;
	return snap_bytes && d->bytes ? bpf_map_lookup_elem(&scratch, &zero) : NULL;
}

/* ---- records ----
 *
 * Global functions: the verifier checks them once, by themselves, not again for every way that leads
 * here. What they are given is memory to it, of known size but perhaps absent.
 */

__noinline int emit_io(struct thread *s, struct done *d)
{
	if (!s || !d)
		return 0;
	struct task_struct *t = bpf_get_current_task_btf();
	struct ev_io *e = scratch_record(d);
	if (e) {
		fill_io(e, t, s, d, EV_IO, sizeof(*e));
		emit_scratch(e, sizeof(*e), s, d);
		return 0;
	}
	e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);
	if (!e) {
		count(RAW_COUNT_LOST_OP);
		return 0;
	}
	fill_io(e, t, s, d, EV_IO, sizeof(*e));
	ring_submit_io(e, s);
	return 0;
}

static __always_inline void fill_addr(struct raw_io_addr *e, struct task_struct *t,
				      const struct thread *s, const struct done *d)
{
	fill_io(&e->io, t, s, d, RAW_IO_ADDR, sizeof(*e));
	__builtin_memcpy(e->addr, d->addr, sizeof(e->addr));
	e->port = d->port;
	e->refused = s->refused;
	__builtin_memset(e->pad, 0, sizeof(e->pad));
}

/* The same for a datagram with its partner's address, d->addr and d->port. */
__noinline int emit_io_addr(struct thread *s, struct done *d)
{
	if (!s || !d)
		return 0;
	struct task_struct *t = bpf_get_current_task_btf();
	struct raw_io_addr *e = scratch_record(d);
	if (e) {
		fill_addr(e, t, s, d);
		emit_scratch(e, sizeof(*e), s, d);
		return 0;
	}
	e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);
	if (!e) {
		count(RAW_COUNT_LOST_OP);
		return 0;
	}
	fill_addr(e, t, s, d);
	ring_submit_io(e, s);
	return 0;
}

#endif
