// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where sockets find the other end of their connection: by the kernel's addresses, and, over TCP, by
 * addresses and ports.
 */
#include "join_world.h"

#include <string.h>

#include "collector/ports.h"

void unindex_sk(struct join *j, struct object *o)
{
	if (o->in_sk)
		HASH_DELETE(hh_sk, j->by_sk, o);
	o->in_sk = false;
}

void unindex_tuple(struct join *j, struct object *o)
{
	if (o->in_tuple)
		HASH_DELETE(hh_tuple, j->by_tuple, o);
	o->in_tuple = false;
}

/*
 * The newest socket at a kernel address is the one there is. Whoever was connected to the one that
 * was there before is no partner of it: both addresses of a pair are often used again together.
 */
static void index_sk(struct join *j, struct object *o)
{
	struct object *old, *left;
	HASH_FIND(hh_sk, j->by_sk, &o->raw.sk, sizeof(o->raw.sk), old);
	if (old) {
		HASH_FIND(hh_sk, j->by_sk, &old->raw.peer_sk, sizeof(old->raw.peer_sk), left);
		if (left && left != old && left->chan && left->chan == old->chan)
			unindex_sk(j, left);
		unindex_sk(j, old);
	}
	HASH_ADD(hh_sk, j->by_sk, raw.sk, sizeof(o->raw.sk), o);
	o->in_sk = true;
}

struct object *partner_tcp(struct join *j, const struct object *o)
{
	struct tuple t;
	memset(&t, 0, sizeof(t));
	t.ns = o->raw.ns;
	t.lport = o->raw.rport;
	t.rport = o->raw.lport;
	memcpy(t.laddr, o->raw.raddr, 16);
	memcpy(t.raddr, o->raw.laddr, 16);
	struct object *p;
	HASH_FIND(hh_tuple, j->by_tuple, &t, sizeof(t), p);
	return p == o ? NULL : p;
}

/* The same for addresses and ports. */
static void index_tuple(struct join *j, struct object *o)
{
	struct object *old, *left;
	HASH_FIND(hh_tuple, j->by_tuple, &o->tuple, sizeof(o->tuple), old);
	if (old) {
		left = partner_tcp(j, old);
		if (left && left->chan && left->chan == old->chan)
			unindex_tuple(j, left);
		unindex_tuple(j, old);
	}
	HASH_ADD(hh_tuple, j->by_tuple, tuple, sizeof(o->tuple), o);
	o->in_tuple = true;
}

int object_update(struct join *j, struct object *o, const struct raw_object *raw)
{
	uint32_t role = o->raw.hdr.flags & (RAW_ACCEPTED | RAW_CONNECTED);
	unindex_sk(j, o);
	unindex_tuple(j, o);
	o->raw = *raw;
	o->raw.hdr.flags |= role;
	if (raw->sk)
		index_sk(j, o);
	if (raw->kind == KIND_TCP && is_connection(raw)) {
		memset(&o->tuple, 0, sizeof(o->tuple));
		o->tuple.ns = raw->ns;
		o->tuple.lport = raw->lport;
		o->tuple.rport = raw->rport;
		memcpy(o->tuple.laddr, raw->laddr, 16);
		memcpy(o->tuple.raddr, raw->raddr, 16);
		index_tuple(j, o);
	}
	return raw->kind == KIND_UDP ? ports_set(j->ports, &o->raw) : 0;
}

/*
 * Who is at the address of the peer. An address is used again: its inode must be right, too, or,
 * where the kernel has none, it must know us. (A socket that waits to be accepted has no inode, and
 * nobody has been told of it; one that is closed has none any more, and told who its peer was.)
 */
struct object *partner_unix(struct join *j, const struct object *o)
{
	struct object *p;
	HASH_FIND(hh_sk, j->by_sk, &o->raw.peer_sk, sizeof(o->raw.peer_sk), p);
	if (!p || p->obj == o->obj)
		return NULL;
	bool is_peer = o->raw.peer_ino ? p->raw.ino == o->raw.peer_ino : p->raw.peer_sk == o->raw.sk;
	return is_peer ? p : NULL;
}
