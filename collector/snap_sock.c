// SPDX-License-Identifier: GPL-2.0-or-later
/* Sockets: what a connection is called, and who can make a read from one or a write to it go on. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "snap_world.h"

/* ---- names ---- */

static void addr_text(char *buf, size_t size, const uint8_t *addr, uint16_t port)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	char text[INET6_ADDRSTRLEN] = "?";
	bool v4 = memcmp(addr, mapped, 12) == 0;
	inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? addr + 12 : addr, text, sizeof(text));
	snprintf(buf, size, v4 ? "%s:%u" : "[%s]:%u", text, port);
}

static uint16_t sock_kind(const struct snap_sock *s)
{
	if (s->family == AF_UNIX)
		return KIND_UNIX;
	if (s->family != AF_INET && s->family != AF_INET6)
		return KIND_NONE;
	return s->type == SOCK_STREAM ? KIND_TCP : s->type == SOCK_DGRAM ? KIND_UDP : KIND_NONE;
}

/* The inode of a socket, which /proc knows it by; 0: nobody has a descriptor of it. */
static uint64_t sock_inode(const struct snap_world *w, uint64_t obj)
{
	uint32_t i = snap_first(&w->file_obj, obj);
	return i == SNAP_NONE ? 0 : w->files[i]->ino;
}

void snap_sock_name(struct snap_world *w, const struct snap_sock *s, uint64_t ino, struct wg_chan *c)
{
	c->kind = sock_kind(s);
	if (c->kind == KIND_UNIX) {
		uint64_t a = ino, b = sock_inode(w, s->peer);
		if (b && b < a) { /* both ends give the connection one name */
			a = b;
			b = ino;
		}
		if (s->peer)
			snprintf(c->ident, sizeof(c->ident), "unix:[%llu]-[%llu]", (unsigned long long)a,
				 (unsigned long long)b);
		else
			snprintf(c->ident, sizeof(c->ident), "unix:[%llu]", (unsigned long long)ino);
		return;
	}
	char l[INET6_ADDRSTRLEN + 12], r[INET6_ADDRSTRLEN + 12];
	addr_text(l, sizeof(l), s->laddr, s->lport);
	addr_text(r, sizeof(r), s->raddr, s->rport);
	const char *proto = c->kind == KIND_UDP ? "udp" : c->kind == KIND_TCP ? "tcp" : "socket";
	if (s->rport && snap_tuple_peer(w, s) && strcmp(r, l) < 0)
		snprintf(c->ident, sizeof(c->ident), "%s %s-%s", proto, r, l);
	else if (s->rport)
		snprintf(c->ident, sizeof(c->ident), "%s %s-%s", proto, l, r);
	else
		snprintf(c->ident, sizeof(c->ident), "%s %s", proto, l);
}

/* ---- conditions ---- */

static wg_ref remote(struct snap_world *w, const struct snap_sock *s)
{
	char to[INET6_ADDRSTRLEN + 12], why[96];
	addr_text(to, sizeof(to), s->raddr, s->rport);
	snprintf(why, sizeof(why), "peer %s", to);
	return wg_outside(w->g, WG_REMOTE, why);
}

/* Whoever holds this very socket may shut it down, which wakes who sleeps in it. */
static wg_ref with_shutdown(struct snap_world *w, const struct snap_sock *s, uint32_t chan, wg_ref cond)
{
	return snap_or(w, cond, snap_holders(w, s->obj, chan, 0));
}

/* Sockets that are connected to this one, which is not connected to them: datagram senders. */
static wg_ref senders_to(struct snap_world *w, const struct snap_sock *s, uint32_t chan)
{
	wg_ref gate = 0;
	for (uint32_t i = snap_first(&w->sock_peer, s->obj); i != SNAP_NONE;
	     i = snap_next(&w->sock_peer, i)) {
		if (!gate)
			gate = wg_any(w->g);
		wg_add(w->g, gate, snap_holders(w, w->socks[i]->obj, chan, 0), 1);
	}
	return gate;
}

static wg_ref unix_end(struct snap_world *w, const struct snap_sock *s, uint32_t chan)
{
	if (s->peer)
		return snap_holders(w, s->peer, chan, 0);
	wg_ref known = senders_to(w, s, chan);
	/* like a listener: its address is there to be sent to by whoever comes */
	return snap_or(w, known, wg_outside(w->g, WG_REMOTE, "anyone who can reach its address may send"));
}

static wg_ref inet_end(struct snap_world *w, const struct snap_sock *s, uint32_t chan)
{
	const struct snap_sock *p = s->rport ? snap_tuple_peer(w, s) : NULL;
	if (sock_kind(s) == KIND_TCP)
		return p ? snap_holders(w, p->obj, chan, 0) : remote(w, s);
	wg_ref anyone = wg_outside(w->g, WG_REMOTE, "anyone may send a datagram");
	return p ? snap_or(w, snap_holders(w, p->obj, chan, 0), anyone) : anyone;
}

wg_ref snap_sock_readable(struct snap_world *w, const struct snap_sock *s, uint32_t chan, bool *quiet)
{
	if (s->state == SNAP_TCP_LISTEN) {
		*quiet = true; /* always open: clients are meant to come that nobody has seen yet */
		return with_shutdown(w, s, chan, wg_outside(w->g, WG_REMOTE, "somebody connects"));
	}
	uint16_t kind = sock_kind(s);
	if (kind == KIND_NONE)
		return wg_outside(w->g, WG_UNKNOWN, "a socket of a kind that is not understood");
	if (kind == KIND_TCP ? s->unread : s->rcvq)
		return snap_unknown(w, "there is something to read");
	*quiet = true;
	wg_ref cond = kind == KIND_UNIX ? unix_end(w, s, chan) : inet_end(w, s, chan);
	return with_shutdown(w, s, chan, cond);
}

static wg_ref unix_room(struct snap_world *w, const struct snap_sock *s, uint32_t chan)
{
	const struct snap_sock *p = snap_sock_of(w, s->peer);
	if (!s->peer)
		return snap_unknown(w, "to whom this datagram socket sends");
	wg_ref cond = snap_holders(w, s->peer, chan, 0);
	bool own_full = s->wmem * 2 >= s->sndbuf, peer_full = p && p->rcvq > p->max_backlog;
	if (!own_full && !peer_full)
		return snap_unknown(w, "there seems to be room");
	/* what fills it may lie with sockets that it sent to before it was connected */
	if (s->type == SOCK_DGRAM && !peer_full && (!p || p->peer != s->obj))
		cond = snap_or(w, cond, snap_unknown(w, "with whom its datagrams lie"));
	return cond;
}

wg_ref snap_sock_writable(struct snap_world *w, const struct snap_sock *s, uint32_t chan)
{
	wg_ref cond;
	switch (sock_kind(s)) {
	case KIND_UNIX:
		return with_shutdown(w, s, chan, unix_room(w, s, chan));
	case KIND_TCP:
		if (s->state != SNAP_TCP_ESTABLISHED)
			return remote(w, s);
		cond = with_shutdown(w, s, chan, inet_end(w, s, chan));
		return s->patience ? snap_or(w, cond, wg_outside(w->g, WG_TIMEOUT, "TCP_USER_TIMEOUT")) : cond;
	default:
		return snap_unknown(w, "a socket that leads out of this host");
	}
}
