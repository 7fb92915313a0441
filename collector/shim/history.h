/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a thread has, and what it has done for others, kept in the header of its ring for whoever asks
 * who could end a wait (lib/abi/shimring.h): locks held, units of semaphores, posts, signals, rounds of
 * barriers. And in which order it nests its locks, which is told once for each thread and pair.
 *
 * Locks are on the hot path: got and let go of by a few stores. All of it may be interrupted anywhere by
 * a signal handler that does the same.
 */
#ifndef IPCTAP_SHIM_HISTORY_H
#define IPCTAP_SHIM_HISTORY_H

#include "collector/shim/shim.h"

/* Tells of each pair (held already, got just now) that was not told yet. Rare: nested locks only. */
void shim_order_tell(struct shim_thread *t, uint32_t n);
/* In a forked child, and for a new collector: nothing was told yet. */
void shim_order_forget(void);

/* Got, at p. `waits`: it would have waited, so that the order matters. */
static inline void shim_hold(struct shim_thread *t, uint64_t obj, const void *p, uint64_t since_ns, bool waits)
{
	struct shim_held *h = t->ring->held;
	uint32_t n = t->nheld++;
	if (SHIM_RARE(n >= SHIM_HELD_MAX))
		return; /* counted, so that the places below are right when it is let go */
	h[n].since_ns = since_ns;
	t->held_at[n] = p;
	__atomic_store_n(&h[n].obj, obj, __ATOMIC_RELEASE);
	if (SHIM_RARE(n && waits))
		shim_order_tell(t, n);
}

/* The same of a read-write lock, got for reading: with others of that kind it makes no circle. */
static inline void shim_hold_to_read(struct shim_thread *t, uint64_t obj, const void *p, uint64_t since_ns, bool waits)
{
	if (t->nheld < SHIM_HELD_MAX)
		t->readings |= 1u << t->nheld;
	shim_hold(t, obj, p, since_ns, waits);
}

/* Usually the last one got. Returns since when; 0: not held, or got by another thread. */
static inline uint64_t shim_let_go(struct shim_thread *t, uint64_t obj)
{
	struct shim_held *h = t->ring->held;
	uint32_t n = t->nheld < SHIM_HELD_MAX ? t->nheld : SHIM_HELD_MAX;
	for (uint32_t i = n; i-- > 0;) {
		if (h[i].obj != obj)
			continue;
		uint64_t since = h[i].since_ns;
		if (SHIM_RARE(t->readings)) {
			uint32_t below = (1u << i) - 1;
			t->readings = (t->readings & below) | (t->readings >> 1 & ~below);
		}
		for (; i + 1 < n; i++) {
			h[i] = h[i + 1];
			t->held_at[i] = t->held_at[i + 1];
		}
		__atomic_store_n(&h[n - 1].obj, 0, __ATOMIC_RELEASE);
		t->nheld--;
		return since;
	}
	if (t->nheld > SHIM_HELD_MAX)
		t->nheld--;
	return 0;
}

/* ---- semaphores, conditions, barriers ---- */

void shim_deed_born(struct shim_thread *t, uint64_t obj, uint64_t now); /* initialised */
void shim_deed_take(struct shim_thread *t, uint64_t obj);               /* a unit was got */
void shim_deed_post(struct shim_thread *t, uint64_t obj, uint64_t now); /* a unit was posted */
void shim_deed_give(struct shim_thread *t, uint64_t obj, uint64_t now); /* signalled, or a round is over */

#endif
