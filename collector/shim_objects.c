// SPDX-License-Identifier: GPL-2.0-or-later
#include "shim_objects.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <uthash.h>

#include "collector/shim_sleep.h"

/* Remembered at most: the oldest goes, which the joiner either knows or has long not needed. */
#define OBJECTS_MAX 65536
/* Sockets of one port (SO_REUSEPORT) that are looked at for a datagram; who has so many, balances them. */
#define SAME_PORT_MAX 64

struct known {
	uint64_t obj;
	struct raw_object raw;
	bool told;
	struct known *next, *prev; /* UDP: the others of its port */
	bool in_port;
	UT_hash_handle hh;
};

/* UDP sockets by namespace and local port. */
struct port {
	uint64_t key;
	struct known *first;
	UT_hash_handle hh;
};

/* The datagram socket that was bound to a path last. */
struct bound {
	struct {
		uint16_t len;
		char path[RAW_NAME_LEN];
	} key;
	uint64_t obj;
	UT_hash_handle hh;
};

struct pair {
	uint64_t ino, peer;
	UT_hash_handle hh;
};

/* Who gave last. */
struct giver {
	uint64_t obj, t_ns;
	uint32_t tid;
	UT_hash_handle hh;
};

struct shim_objects {
	struct sink *join;
	struct known *by_obj;
	struct port *ports;
	struct bound *bounds;
	struct pair *pairs;
	struct giver *givers;
};

struct shim_objects *shim_objects_new(struct sink *join)
{
	struct shim_objects *s = calloc(1, sizeof(*s));
	if (s)
		s->join = join;
	return s;
}

static struct known *find(const struct shim_objects *s, uint64_t obj)
{
	struct known *k;
	HASH_FIND(hh, s->by_obj, &obj, sizeof(obj), k);
	return k;
}

/* ---- where datagrams go ---- */

static struct port *port_find(const struct shim_objects *s, uint32_t ns, uint16_t number)
{
	uint64_t key = (uint64_t)ns << 16 | number;
	struct port *p;
	HASH_FIND(hh, s->ports, &key, sizeof(key), p);
	return p;
}

static void port_leave(struct shim_objects *s, struct known *k)
{
	struct port *p = k->in_port ? port_find(s, k->raw.ns, k->raw.lport) : NULL;
	k->in_port = false;
	if (!p)
		return;
	if (k->next)
		k->next->prev = k->prev;
	if (k->prev)
		k->prev->next = k->next;
	else
		p->first = k->next;
	if (p->first)
		return;
	HASH_DEL(s->ports, p);
	free(p);
}

static void port_enter(struct shim_objects *s, struct known *k)
{
	if (k->raw.kind != KIND_UDP || !k->raw.lport)
		return;
	struct port *p = port_find(s, k->raw.ns, k->raw.lport);
	if (!p) {
		p = calloc(1, sizeof(*p));
		if (!p)
			return;
		p->key = (uint64_t)k->raw.ns << 16 | k->raw.lport;
		HASH_ADD(hh, s->ports, key, sizeof(p->key), p);
	}
	k->prev = NULL;
	k->next = p->first;
	if (k->next)
		k->next->prev = k;
	p->first = k;
	k->in_port = true;
}

static struct bound *bound_find(const struct shim_objects *s, const char *path, uint16_t len)
{
	struct bound b, *found;
	memset(&b, 0, sizeof(b));
	b.key.len = len;
	memcpy(b.key.path, path, len);
	HASH_FIND(hh, s->bounds, &b.key, sizeof(b.key), found);
	return found;
}

static void bound_note(struct shim_objects *s, const struct raw_object *o)
{
	if (o->kind != KIND_UNIX || o->sock_type != SOCK_DGRAM || !o->name_len || o->hdr.flags & RAW_REFUSED)
		return;
	struct bound *b = bound_find(s, o->name, o->name_len);
	if (!b && HASH_COUNT(s->bounds) >= OBJECTS_MAX) {
		b = s->bounds;
		HASH_DEL(s->bounds, b);
		free(b);
		b = NULL;
	}
	if (!b) {
		b = calloc(1, sizeof(*b));
		if (!b)
			return;
		b->key.len = o->name_len;
		memcpy(b->key.path, o->name, o->name_len);
		HASH_ADD(hh, s->bounds, key, sizeof(b->key), b);
	}
	b->obj = o->obj;
}

/* ---- all of them ---- */

static struct known *get(struct shim_objects *s, uint64_t obj)
{
	struct known *k = find(s, obj);
	if (k)
		return k;
	if (HASH_COUNT(s->by_obj) >= OBJECTS_MAX) {
		k = s->by_obj;
		port_leave(s, k);
		HASH_DEL(s->by_obj, k);
		free(k);
	}
	k = calloc(1, sizeof(*k));
	if (!k)
		return NULL;
	k->obj = obj;
	HASH_ADD(hh, s->by_obj, obj, sizeof(k->obj), k);
	return k;
}

/* ---- who is connected to whom ---- */

static void pair_note(struct shim_objects *s, uint64_t ino, uint64_t peer)
{
	struct pair *p;
	HASH_FIND(hh, s->pairs, &ino, sizeof(ino), p);
	if (p) {
		p->peer = peer;
		return;
	}
	if (HASH_COUNT(s->pairs) >= OBJECTS_MAX) {
		p = s->pairs;
		HASH_DEL(s->pairs, p);
		free(p);
	}
	p = calloc(1, sizeof(*p));
	if (!p)
		return;
	p->ino = ino;
	p->peer = peer;
	HASH_ADD(hh, s->pairs, ino, sizeof(p->ino), p);
}

/* One end tells who both are; the other may have said before, or say later, only who it is itself. */
static void complete_unix(struct shim_objects *s, struct raw_object *o)
{
	struct pair *p;
	if (o->peer_ino) {
		pair_note(s, o->ino, o->peer_ino);
		pair_note(s, o->peer_ino, o->ino);
		return;
	}
	if (!o->peer_sk)
		return;
	HASH_FIND(hh, s->pairs, &o->ino, sizeof(o->ino), p);
	if (p)
		o->peer_ino = o->peer_sk = p->peer;
}

/* ---- telling ---- */

/* Whose, under which number, and when, is of no interest to the joiner a second time. */
static bool is_same(const struct raw_object *a, const struct raw_object *b)
{
	struct raw_object c = *b;
	c.hdr.t_ns = a->hdr.t_ns;
	c.pid = a->pid;
	c.fd = a->fd;
	c.backlog = a->backlog;
	return memcmp(a, &c, sizeof(c)) == 0;
}

int shim_objects_add(struct shim_objects *s, const struct raw_object *raw)
{
	struct raw_object o = *raw;
	struct known *k = get(s, o.obj);
	if (!k)
		return -ENOMEM;
	if (o.kind == KIND_UNIX)
		complete_unix(s, &o);
	bool is_new = o.hdr.flags & RAW_NEW && (o.kind == KIND_EVENTFD || o.kind == KIND_PTY);
	if (k->told && !is_new && is_same(&k->raw, &o))
		return 0;
	port_leave(s, k);
	k->raw = o;
	k->raw.hdr.flags &= ~RAW_NEW;
	port_enter(s, k);
	bound_note(s, &o);
	k->told = true;
	return sink_event(s->join, &o.hdr);
}

int shim_objects_need(struct shim_objects *s, uint64_t obj, uint64_t t_ns)
{
	struct known *k = obj ? find(s, obj) : NULL;
	if (!k || k->told)
		return 0;
	k->told = true;
	k->raw.hdr.t_ns = t_ns;
	return sink_event(s->join, &k->raw.hdr);
}

void shim_objects_forget(struct shim_objects *s, uint64_t obj)
{
	struct known *k = find(s, obj);
	if (k)
		k->told = false;
}

/* ---- datagrams ---- */

static bool is_any(const uint8_t addr[16])
{
	static const uint8_t any[16], any4[16] = { [10] = 0xff, [11] = 0xff };
	return memcmp(addr, any, 16) == 0 || memcmp(addr, any4, 16) == 0;
}

uint64_t shim_objects_inet(struct shim_objects *s, struct raw_io_addr *r)
{
	const struct known *from = find(s, r->io.chan);
	if (!from)
		return 0;
	if (!r->port) {
		r->port = from->raw.rport;
		memcpy(r->addr, from->raw.raddr, sizeof(r->addr));
	}
	/* a socket that is connected itself takes only its peer's; else the one of that very address */
	uint64_t best = 0;
	int best_fit = 0;
	const struct port *p = r->port ? port_find(s, from->raw.ns, r->port) : NULL;
	int looked = 0;
	for (const struct known *k = p ? p->first : NULL; k && looked++ < SAME_PORT_MAX; k = k->next) {
		const struct raw_object *o = &k->raw;
		bool exact = memcmp(o->laddr, r->addr, sizeof(o->laddr)) == 0;
		if ((!exact && !is_any(o->laddr)) || (o->rport && o->rport != from->raw.lport))
			continue;
		int fit = 1 + exact + 2 * (o->rport != 0);
		if (fit > best_fit) { /* the latest comes first */
			best = k->obj;
			best_fit = fit;
		}
	}
	return best;
}

uint64_t shim_objects_unix(struct shim_objects *s, const struct shim_io_unix *r)
{
	if (!r->len) {
		const struct known *from = find(s, r->io.chan);
		return from && from->raw.peer_ino ? RAW_OBJ(KIND_UNIX, from->raw.peer_ino) : 0;
	}
	const struct bound *b = bound_find(s, r->path, r->len);
	return b ? b->obj : 0;
}

/* ---- who woke whom ---- */

static void give(struct shim_objects *s, const struct ev_io *e)
{
	struct giver *g;
	HASH_FIND(hh, s->givers, &e->chan, sizeof(e->chan), g);
	if (!g && HASH_COUNT(s->givers) >= OBJECTS_MAX) {
		g = s->givers;
		HASH_DEL(s->givers, g);
		free(g);
		g = NULL;
	}
	if (!g) {
		g = calloc(1, sizeof(*g));
		if (!g)
			return;
		g->obj = e->chan;
		HASH_ADD(hh, s->givers, obj, sizeof(g->obj), g);
	}
	g->t_ns = e->enter_ns + e->dur_ns;
	g->tid = e->tid;
}

uint32_t shim_objects_waker(struct shim_objects *s, const struct ev_io *e)
{
	const struct giver *g = NULL;
	if (!e->chan)
		return 0;
	if (e->slept_ns)
		HASH_FIND(hh, s->givers, &e->chan, sizeof(e->chan), g);
	uint32_t tid = g && g->t_ns >= e->enter_ns && g->tid != e->tid ? g->tid : 0;
	if (op_gives(e))
		give(s, e);
	return tid;
}

void shim_objects_free(struct shim_objects *s)
{
	struct known *k, *next;
	struct pair *p, *next_p;
	if (!s)
		return;
	HASH_ITER(hh, s->by_obj, k, next) {
		port_leave(s, k);
		HASH_DEL(s->by_obj, k);
		free(k);
	}
	HASH_ITER(hh, s->pairs, p, next_p) {
		HASH_DEL(s->pairs, p);
		free(p);
	}
	struct bound *d, *next_d;
	HASH_ITER(hh, s->bounds, d, next_d) {
		HASH_DEL(s->bounds, d);
		free(d);
	}
	struct giver *g, *next_g;
	HASH_ITER(hh, s->givers, g, next_g) {
		HASH_DEL(s->givers, g);
		free(g);
	}
	free(s);
}
