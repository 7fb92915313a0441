// SPDX-License-Identifier: LGPL-2.1-or-later
#include "collector/shim/history.h"
#include "collector/shim/sync.h"

/* ---- deeds ---- */

/* The place of an object, taken if it has none; NULL: there is none to be had. */
static struct shim_deed *deed_of(struct shim_thread *t, uint64_t obj)
{
	struct shim_deed *deeds = t->ring->deeds;
	for (unsigned int i = 0; i < SHIM_DEED_PROBES; i++) {
		struct shim_deed *d = &deeds[shim_deed_place(obj, i)];
		uint64_t none = 0;
		if (d->obj == obj || __atomic_compare_exchange_n(&d->obj, &none, obj, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED) ||
		    none == obj)
			return d;
	}
	__atomic_fetch_add(&t->ring->deeds_lost, 1, __ATOMIC_RELAXED);
	return NULL;
}

/* A handler may come in between; of what both do, nothing must be lost. */
static void add(uint32_t *n, uint32_t more) { __atomic_fetch_add(n, more, __ATOMIC_RELAXED); }

void shim_deed_born(struct shim_thread *t, uint64_t obj, uint64_t now)
{
	struct shim_deed *d = deed_of(t, obj);
	if (!d)
		return;
	d->gives = d->units = d->strange = 0;
	__atomic_store_n(&d->born_ns, now, __ATOMIC_RELEASE);
}

void shim_deed_take(struct shim_thread *t, uint64_t obj)
{
	struct shim_deed *d = deed_of(t, obj);
	if (d)
		add(&d->units, 1);
}

void shim_deed_give(struct shim_thread *t, uint64_t obj, uint64_t now)
{
	struct shim_deed *d = deed_of(t, obj);
	if (!d)
		return;
	d->last_ns = now;
	add(&d->gives, 1);
}

void shim_deed_post(struct shim_thread *t, uint64_t obj, uint64_t now)
{
	struct shim_deed *d = deed_of(t, obj);
	if (!d)
		return;
	uint32_t units = __atomic_load_n(&d->units, __ATOMIC_RELAXED);
	while (units && !__atomic_compare_exchange_n(&d->units, &units, units - 1, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
	if (!units)
		add(&d->strange, 1);
	d->last_ns = now;
	add(&d->gives, 1);
}

/* ---- the order of locks ---- */

/* Pairs that were told, by a mix of both and of the thread; 0: a free place. One that is full forgets nothing. */
#define PAIRS 4096
#define PROBES 16
static uint64_t pairs[PAIRS];
static uint32_t pairs_generation;

void shim_order_forget(void) { memset(pairs, 0, sizeof(pairs)); }

enum seen { TOLD, NEW, NO_PLACE };

static enum seen note_pair(const struct shim_thread *t, uint64_t held, uint64_t got)
{
	uint64_t key = RAW_MIX(held ^ (uint64_t)t->tid << 20, 0) ^ got * 0x9e3779b97f4a7c15ULL;
	key |= 1;
	for (unsigned int i = 0; i < PROBES; i++) {
		uint64_t *place = &pairs[((key >> 20) + i) % PAIRS], none = 0;
		if (__atomic_load_n(place, __ATOMIC_RELAXED) == key)
			return TOLD;
		if (__atomic_compare_exchange_n(place, &none, key, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
			return NEW;
		if (none == key)
			return TOLD;
	}
	return NO_PLACE;
}

static void tell_one(struct shim_thread *t, const void *p, uint64_t obj, bool reading, uint64_t now, uint32_t flags)
{
	/* described, if that is all that was ever told of it: one's own locks are not, until they last */
	uint64_t chan = RAW_OBJ_IS_PRIVATE(obj) ? shim_sync_object(t, p) : obj;
	struct ev_io e = {
		.hdr = { .t_ns = now, .type = EV_IO, .size = sizeof(e), .flags = flags },
		.enter_ns = now, .chan = chan, .mtype = reading, .fd = -1, .op = OP_LOCK_ORDER,
	};
	shim_put(t, &e, sizeof(e), SHIM_LOST_OP);
}

void shim_order_tell(struct shim_thread *t, uint32_t n)
{
	const struct shim_held *h = t->ring->held;
	uint32_t generation = shim_control->generation;
	if (__atomic_exchange_n(&pairs_generation, generation, __ATOMIC_RELAXED) != generation)
		shim_order_forget();
	for (uint32_t i = 0; i < n; i++) {
		if (h[i].obj == h[n].obj) /* a recursive mutex */
			continue;
		enum seen seen = note_pair(t, h[i].obj, h[n].obj);
		if (seen == NO_PLACE)
			__atomic_fetch_add(&t->ring->lost[SHIM_LOST_ORDER], 1, __ATOMIC_RELAXED);
		if (seen != NEW)
			continue;
		uint64_t stamp = shim_now();
		tell_one(t, t->held_at[i], h[i].obj, t->readings >> i & 1, stamp, 0);
		tell_one(t, t->held_at[n], h[n].obj, t->readings >> n & 1, stamp, IO_HALF);
	}
}
