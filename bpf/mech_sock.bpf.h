/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls that only sockets have. */
#ifndef IPCTAP_BPF_MECH_SOCK_H
#define IPCTAP_BPF_MECH_SOCK_H

#include "mech_file.bpf.h"
#include "mech_peer.bpf.h"

#define MMSG_SIZE 64 /* struct mmsghdr: a msghdr of 56 bytes, then msg_len */
#define MMSG_LEN 56
#define MMSG_MAX 1024 /* UIO_MAXIOV: the kernel takes no more in one call */
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
		return take_fd(t, s, fd, 0);
	}
	return false;
}

/* ---- datagrams ---- */

struct mmsg_sum {
	__u64 vec;
	__u64 bytes;
};

static long mmsg_one(__u32 i, struct mmsg_sum *m)
{
	__u32 len = 0;
	if (bpf_probe_read_user(&len, sizeof(len), (void *)m->vec + (__u64)i * MMSG_SIZE + MMSG_LEN))
		return 1;
	m->bytes += len;
	return 0;
}

static __always_inline __u64 mmsg_bytes(__u64 vec, __s64 n)
{
	struct mmsg_sum m = { .vec = vec };
	bpf_loop(n < MMSG_MAX ? (__u32)n : MMSG_MAX, mmsg_one, &m, 0);
	return m.bytes;
}

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

/* Address and port of a user's sockaddr_in or sockaddr_in6. */
static __always_inline bool read_sockaddr(__u64 user, __u8 *addr, __u16 *port)
{
	struct {
		__u16 family;
		__be16 port;
		__be32 v4; /* IPv6: flow label */
		__u8 v6[16];
	} sa = {};
	if (!user || bpf_probe_read_user(&sa, 8, (void *)user))
		return false;
	if (sa.family == AF_INET) {
		map_ipv4(addr, sa.v4);
	} else if (sa.family == AF_INET6) {
		if (bpf_probe_read_user(addr, 16, (void *)user + 8))
			return false;
	} else {
		return false;
	}
	*port = __builtin_bswap16(sa.port);
	return true;
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

/*
 * A datagram sent belongs to the socket it arrived in, when that is on this host; a UDP datagram
 * that came from or went to elsewhere, to its partner's address.
 */
APART void dgram_exit(struct task_struct *t, struct thread *s, struct done *d)
{
	if (RAW_OBJ_KIND(s->obj) == KIND_UDP && ret_ok(d->ret)) {
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
}

/* ---- exit ---- */

APART void bind_exit(struct task_struct *t, struct thread *s, struct done *d)
{
	struct look l;
	look_fd(t, (__u32)s->fd, &l);
	bool under_way = s->op == OP_CONNECT && d->ret == -EINPROGRESS;
	if (l.obj == s->obj && l.sk && s->op != OP_SHUTDOWN && (ret_ok(d->ret) || under_way))
		describe(&l, t->tgid, s->fd, s->op == OP_CONNECT ? RAW_CONNECTED : 0, d->now);
	emit_io(s, d);
}

static __always_inline void sock_exit(struct task_struct *t, struct thread *s,
				      const struct call *c, struct done *d)
{
	bool ok = ret_ok(d->ret);
	switch (c->class) {
	case CALL_MMSG:
		if (d->ret > 0) {
			d->messages = (__u32)d->ret;
			d->bytes = mmsg_bytes(s->arg, d->ret);
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
