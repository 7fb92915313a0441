// SPDX-License-Identifier: GPL-2.0-or-later
#include "ports.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "collector/names.h"

struct place {
	__u32 ns;
	__u32 port;
};

/* A socket with a local port, among those with the same. */
struct bound {
	__u64 obj;
	struct place place;
	__u16 rport;
	__u8 laddr[16], raddr[16];
	struct bound *next; /* of the same place */
	UT_hash_handle hh;
};

struct taken {
	struct place place;
	struct bound *first;
	UT_hash_handle hh;
};

struct ports {
	struct bound *by_obj;
	struct taken *by_place;
};

struct ports *ports_new(void) { return calloc(1, sizeof(struct ports)); }

void ports_free(struct ports *p)
{
	struct bound *b, *next;
	if (!p)
		return;
	HASH_ITER(hh, p->by_obj, b, next)
		ports_drop(p, b->obj);
	free(p);
}

void ports_drop(struct ports *p, __u64 obj)
{
	struct bound *b;
	struct taken *t;
	HASH_FIND(hh, p->by_obj, &obj, sizeof(obj), b);
	if (!b)
		return;
	HASH_FIND(hh, p->by_place, &b->place, sizeof(b->place), t);
	struct bound **at = &t->first;
	while (*at != b)
		at = &(*at)->next;
	*at = b->next;
	if (!t->first) {
		HASH_DELETE(hh, p->by_place, t);
		free(t);
	}
	HASH_DELETE(hh, p->by_obj, b);
	free(b);
}

static struct taken *place_get(struct ports *p, const struct place *place)
{
	struct taken *t;
	HASH_FIND(hh, p->by_place, place, sizeof(*place), t);
	if (t)
		return t;
	t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	t->place = *place;
	HASH_ADD(hh, p->by_place, place, sizeof(t->place), t);
	return t;
}

int ports_set(struct ports *p, const struct raw_object *raw)
{
	ports_drop(p, raw->obj);
	if (!raw->lport)
		return 0;
	struct place place = { .ns = raw->ns, .port = raw->lport };
	struct bound *b = calloc(1, sizeof(*b));
	struct taken *t = b ? place_get(p, &place) : NULL;
	if (!t) {
		free(b);
		return -ENOMEM;
	}
	b->obj = raw->obj;
	b->place = place;
	b->rport = raw->rport;
	memcpy(b->laddr, raw->laddr, sizeof(b->laddr));
	memcpy(b->raddr, raw->raddr, sizeof(b->raddr));
	b->next = t->first;
	t->first = b;
	HASH_ADD(hh, p->by_obj, obj, sizeof(b->obj), b);
	return 0;
}

/* How well *b fits; 0: not at all. The sender's own address may be any until the packet has one. */
static int fits(const struct bound *b, const struct raw_object *from, const __u8 *addr)
{
	static const __u8 v4[12] = { [10] = 0xff, [11] = 0xff };
	bool is_here = memcmp(b->laddr, addr, 16) == 0;
	if (!is_here && !names_is_any(b->laddr))
		return 0;
	if (memcmp(b->laddr, v4, sizeof(v4)) == 0 && memcmp(addr, v4, sizeof(v4)) != 0)
		return 0; /* any address, but of IPv4 */
	if (!b->rport)
		return is_here ? 2 : 1;
	bool is_from = b->rport == from->lport &&
		       (names_is_any(from->laddr) || memcmp(b->raddr, from->laddr, 16) == 0);
	return is_from ? 3 : 0;
}

__u64 ports_find(const struct ports *p, const struct raw_object *from, const __u8 *addr, __u16 port)
{
	struct place place = { .ns = from->ns, .port = port };
	struct taken *t;
	int best = 0;
	__u64 obj = 0;
	HASH_FIND(hh, p->by_place, &place, sizeof(place), t);
	for (const struct bound *b = t ? t->first : NULL; b; b = b->next) {
		int fit = fits(b, from, addr);
		if (fit > best)
			obj = b->obj;
		else if (fit == best)
			obj = 0; /* either may get it (SO_REUSEPORT) */
		if (fit > best)
			best = fit;
	}
	return obj;
}
