/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls that only sockets have. */
#ifndef IPCTAP_BPF_MECH_SOCK_H
#define IPCTAP_BPF_MECH_SOCK_H

#include "mech_file.bpf.h"
#include "mech_peer.bpf.h"

#define MMSG_SIZE 64 /* struct mmsghdr: a msghdr of 56 bytes, then msg_len */
#define MMSG_LEN 56
#define MMSG_MAX 1024 /* UIO_MAXIOV: the kernel takes no more in one call */
#define EINVAL 22
#define EINPROGRESS 115

struct user_msghdr_head {
	__u64 name;
	__u32 namelen;
};

static __always_inline bool sock_enter(struct task_struct *t, struct thread *s,
				       const struct pt_regs *r, const struct call *c)
{
	__s32 fd = (__s32)r->di;
	switch (c->class) {
	case CALL_MSG:
	case CALL_MMSG: {
		__u32 flags = (__u32)call_arg(r, c->arg);
		if (!take_fd(t, s, fd, c->dir))
			return false;
		s->flags |= (flags & MSG_DONTWAIT ? IO_NONBLOCK : 0) |
			    /* the error queue holds copies of what was sent: nothing arrives by it */
			    (flags & (MSG_PEEK | MSG_ERRQUEUE) && c->dir == IO_READ ? IO_PEEK : 0) |
			    (flags & MSG_TRUNC && c->dir == IO_READ ? IO_TRUNC : 0);
		if ((flags & MSG_WAITALL) && c->dir == IO_READ)
			s->placed = PLACED_APART;
		s->arg = r->si;  /* message header, vector of them, or buffer */
		s->arg2 = r->r8; /* sendto, recvfrom: the address */
		if (c->dir == IO_WRITE && c->op != OP_SENDTO && RAW_OBJ_KIND(s->obj) == KIND_UNIX)
			rights_sent(s, c->op == OP_SENDMMSG ? (__u32)r->dx : 1);
		return true;
	}
	case CALL_SOCKETPAIR:
		s->arg = call_arg(r, c->arg);
		return sock_kind(r->di, IPPROTO_TCP) != KIND_NONE;
	case CALL_SOCKET:
		return sock_kind(r->di, IPPROTO_TCP) != KIND_NONE;
	case CALL_BIND:
	case CALL_ACCEPT:
		s->arg = r->si;  /* connect: the address … */
		s->arg2 = r->dx; /* … and its length */
		return take_fd(t, s, fd, 0);
	}
	return false;
}

/* ---- datagrams ---- */

/* The user's sockaddr of the call: sendto and recvfrom have it as argument, the rest in a msghdr. */
static __always_inline __u64 partner_sockaddr(const struct thread *s)
{
	if (s->op == OP_SENDTO || s->op == OP_RECVFROM)
		return s->arg2;
	if (s->op != OP_SENDMSG && s->op != OP_RECVMSG && s->op != OP_SENDMMSG &&
	    s->op != OP_RECVMMSG)
		return 0;
	struct user_msghdr_head h = {};
	bpf_probe_read_user(&h, sizeof(h), (void *)s->arg);
	return h.name;
}

/* A UDP socket's own remote address, when it is connected. */
static __always_inline bool connected_addr(struct task_struct *t, __s32 fd, __u8 *addr, __u16 *port)
{
	struct look l;
	look_fd(t, (__u32)fd, &l);
	if (l.kind != KIND_UDP)
		return false;
	struct sock *sk = l.sk;
	*port = __builtin_bswap16(BPF_CORE_READ(sk, __sk_common.skc_dport));
	if (BPF_CORE_READ(sk, __sk_common.skc_family) == AF_INET)
		map_ipv4(addr, BPF_CORE_READ(sk, __sk_common.skc_daddr));
	else
		BPF_CORE_READ_INTO(addr, sk, __sk_common.skc_v6_daddr);
	return *port != 0;
}

/* The socket got its local port only now: its name is to be told. */
static __always_inline void describe_port(struct task_struct *t, const struct thread *s, __u64 now)
{
	__u64 obj = s->obj;
	__u32 *known = bpf_map_lookup_elem(&described, &obj);
	if (known && (*known & DESCRIBED_PORT))
		return;
	struct look l;
	look_fd(t, (__u32)s->fd, &l);
	if (l.obj == obj)
		describe(&l, t->tgid, s->fd, 0, now);
}

#define SOL_UDP 17
#define UDP_SEGMENT 103
#define UDP_GRO 104
#define UDP_CMSG_MAX 4 /* looked through for it */

/* How long each datagram is that a control message says, of that type; 0: none does. Checked once: global. */
__noinline int udp_cmsg(__u64 msghdr, __u32 type)
{
	struct {
		__u64 control, len;
	} h = {};
	bpf_probe_read_user(&h, sizeof(h), (void *)msghdr + MSGHDR_CONTROL);
	for (int i = 0; i < UDP_CMSG_MAX && h.control && h.len >= CMSG_HEAD + sizeof(__u16); i++) {
		struct {
			__u64 len;
			__u32 level, type;
		} c = {};
		__u16 size = 0;
		bpf_probe_read_user(&c, sizeof(c), (void *)h.control);
		if (c.level == SOL_UDP && c.type == type) {
			bpf_probe_read_user(&size, sizeof(size), (void *)h.control + CMSG_HEAD);
			return size;
		}
		__u64 step = (c.len + 7) & ~7ULL;
		if (c.len < CMSG_HEAD || step >= h.len)
			return 0;
		h.control += step;
		h.len -= step;
	}
	return 0;
}

/* ---- many messages in one call ---- */

struct mmsg_walk {
	struct thread *s;
};

/*
 * Message i of those that lie at s->arg: adds its bytes to s->bytes, its datagrams to s->arg2. They are as
 * long as a control message of its own says, else s->place bytes, or, with that 0, one. (Counted in
 * memory of which the verifier knows nothing, for a count that it knows it follows to the last number.)
 */
static long mmsg_one(__u32 i, struct mmsg_walk *w)
{
	struct thread *s = w->s;
	__u64 at = s->arg + (__u64)i * MMSG_SIZE;
	__u32 len = 0, size = 0;
	if (bpf_probe_read_user(&len, sizeof(len), (void *)at + MMSG_LEN))
		return 1;
	if (RAW_OBJ_KIND(s->obj) == KIND_UDP)
		size = (__u32)udp_cmsg(at, s->flags & IO_WRITE ? UDP_SEGMENT : UDP_GRO);
	if (!size)
		size = s->place;
	s->bytes += len;
	s->arg2 += size && len ? (len + size - 1) / size : 1;
	return 0;
}

/* Is what was sent only a part of a datagram that a later call sends (MSG_MORE, UDP_CORK)? */
static __always_inline bool is_part(const struct thread *s)
{
	struct udp_sock *up = (void *)s->sk;
	return (s->flags & IO_WRITE) && BPF_CORE_READ(up, pending);
}

/* What a call of n messages moved: bytes in s->bytes; returns how many messages, of UDP datagrams. */
__noinline int mmsg_count(struct thread *s, __s64 n)
{
	if (!s)
		return 0;
	bool is_udp = RAW_OBJ_KIND(s->obj) == KIND_UDP;
	struct udp_sock *up = (void *)s->sk;
	struct mmsg_walk w = { .s = s };
	s->bytes = s->arg2 = 0;
	s->place = is_udp && (s->flags & IO_WRITE) ? BPF_CORE_READ(up, gso_size) : 0;
	bpf_loop(n < MMSG_MAX ? (__u32)n : MMSG_MAX, mmsg_one, &w, 0);
	if (is_udp && is_part(s))
		return 0;
	return s->arg2 < 0xffff ? (int)s->arg2 : 0xffff; /* ev_io holds no more */
}

/*
 * One call may send, or yield, many datagrams of UDP; one sent with MSG_MORE, or to a corked socket, is
 * only a part of the one that the last such call sends.
 */
APART void udp_messages(struct thread *s, struct done *d)
{
	struct udp_sock *up = (void *)s->sk;
	bool sends = s->flags & IO_WRITE;
	__u32 size = 0;
	if (!up || d->ret <= 0 || s->op == OP_SENDMMSG || s->op == OP_RECVMMSG)
		return;
	if (is_part(s)) {
		d->messages = 0;
		return;
	}
	if (s->op == OP_SENDMSG || s->op == OP_RECVMSG)
		size = (__u32)udp_cmsg(s->arg, sends ? UDP_SEGMENT : UDP_GRO);
	if (sends && !size)
		size = BPF_CORE_READ(up, gso_size);
	if (size)
		d->messages = ((__u32)d->ret + size - 1) / size;
}

/* A multicast address, or what looks like a broadcast one: its last number is 255. */
APART bool is_to_many(struct task_struct *t, const struct thread *s)
{
	__u8 addr[16] = {};
	__u16 port;
	if (RAW_OBJ_KIND(s->obj) != KIND_UDP || (!read_sockaddr(partner_sockaddr(s), addr, &port) &&
						 !connected_addr(t, s->fd, addr, &port)))
		return false;
	bool is_v4 = addr[10] == 0xff && addr[11] == 0xff && !addr[0];
	return is_v4 ? (addr[12] & 0xf0) == 0xe0 || addr[15] == 255 : addr[0] == 0xff;
}

/* Each socket that it arrived in has it whole. */
static __always_inline void dgram_copies(struct thread *s, struct done *d)
{
	d->flags |= IO_HALF;
	for (__u32 i = 0; i < RCV_MORE_MAX && i < s->nrcv_more; i++) {
		d->obj = s->rcv_more[i];
		emit_io(s, d);
	}
}

/*
 * A datagram sent belongs to the socket it arrived in, when that is on this host; a UDP datagram
 * that came from or went to elsewhere, to its partner's address.
 */
APART void dgram_exit(struct task_struct *t, struct thread *s, struct done *d)
{
	if (RAW_OBJ_KIND(s->obj) == KIND_UDP && ret_ok(d->ret)) {
		udp_messages(s, d);
		if (s->flags & IO_WRITE)
			describe_port(t, s, d->now);
		if (!s->rcv_obj && (read_sockaddr(partner_sockaddr(s), d->addr, &d->port) ||
				    connected_addr(t, s->fd, d->addr, &d->port))) {
			emit_io_addr(s, d);
			return;
		}
	}
	if (s->rcv_obj && ret_ok(d->ret))
		d->obj = s->rcv_obj;
	emit_io(s, d);
	if (s->nrcv_more && ret_ok(d->ret) && is_to_many(t, s))
		dgram_copies(s, d);
}

/* ---- exit ---- */

APART void bind_exit(struct task_struct *t, struct thread *s, struct done *d)
{
	struct look l;
	look_fd(t, (__u32)s->fd, &l);
	bool connects = s->op == OP_CONNECT, good = ret_ok(d->ret) || (connects && d->ret == -EINPROGRESS);
	if (connects && !good && d->ret != -EINVAL && l.kind != KIND_UDP) { /* that one: it is no address */
		l.path = s->arg;
		l.addr_len = (__u32)s->arg2;
	}
	if (l.obj == s->obj && l.sk && (good ? s->op != OP_SHUTDOWN : l.path))
		describe(&l, t->tgid, s->fd, connects && good ? RAW_CONNECTED : 0, d->now);
	emit_io(s, d);
}

static __always_inline void sock_exit(struct task_struct *t, struct thread *s,
				      const struct call *c, struct done *d)
{
	bool ok = ret_ok(d->ret);
	switch (c->class) {
	case CALL_MMSG:
		if (d->ret > 0) {
			d->messages = (__u32)mmsg_count(s, d->ret);
			d->bytes = s->bytes;
		}
		break;
	case CALL_IO: /* read, write … of a datagram socket */
	case CALL_MSG:
		if (d->ret > 0 || (ok && s->type == SOCK_DGRAM)) {
			d->bytes = (__u64)d->ret;
			d->messages = 1; /* an empty datagram is one too */
		}
		break;
	case CALL_SOCKET:
		d->fd = -1;
		if (ok) {
			d->obj = new_fd(t, (__s32)d->ret, RAW_NEW, ENDPOINT_OPEN, d->now);
			d->fd = (__s32)d->ret;
			if (!d->obj)
				return; /* raw, SCTP, …: not of ours */
		}
		emit_io(s, d);
		return;
	case CALL_SOCKETPAIR:
		pair_exit(t, s, d);
		return;
	case CALL_BIND:
		bind_exit(t, s, d);
		return;
	case CALL_ACCEPT:
		if (ok)
			new_fd(t, (__s32)d->ret, RAW_ACCEPTED, ENDPOINT_OPEN, d->now);
		s->mtype = ok ? d->ret : 0;
		emit_io(s, d);
		return;
	}
	if ((s->op == OP_RECVMSG || s->op == OP_RECVMMSG) && d->ret >= 0 &&
	    RAW_OBJ_KIND(s->obj) == KIND_UNIX)
		rights_received(s, d);
	if (s->type == SOCK_DGRAM)
		dgram_exit(t, s, d);
	else
		emit_io(s, d);
}

#endif
