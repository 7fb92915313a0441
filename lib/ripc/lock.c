// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The robust lock: futex(2); the owner's robust list is robust.h. list_op_pending covers the
 * instants when the word and the list disagree.
 *
 * Whoever may write to an object can still lie about who has its lock, so that two have it or nobody
 * gets it: that is why objects are 0600 unless asked otherwise.
 */
#include "head.h"
#include "robust.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdio.h>
#include <unistd.h>

#define SPINS 64
#define LOOKS_APART_MOST_NS (64 * RIPC_HEARTBEAT_NS) /* 12.8 s */

/* Takes a lock whose word is free, seen as v. The waiters' bit stays, for those behind us. */
static inline int take(struct ripc_lock *l, uint32_t v, uint32_t waited)
{
	uint32_t mine = ripc_my_tid | (v & FUTEX_WAITERS) | waited;
	if (!atomic_compare_exchange_strong_explicit(&l->word, &v, mine, memory_order_acquire,
						     memory_order_relaxed))
		return -EAGAIN;
	ripc_held_add(l);
	return v & FUTEX_OWNER_DIED ? -EOWNERDEAD : 0;
}

/*
 * The kernel marks the locks of whoever dies, and wakes a waiter. Not so of one that died before the
 * file was copied or the machine started; of one whose links were scribbled on, or whose list the
 * kernel gave up; and a waiter that is woken so and dies before it takes the lock wakes the next only
 * since Linux 6.2 (commit 90d758896787). A word that names nobody is marked here, by those who wait.
 */
static void mark_if_orphan(struct ripc_lock *l, uint32_t v)
{
	uint32_t owner = v & FUTEX_TID_MASK;
	if (owner == ripc_my_tid ? ripc_held_has(l) : ripc_tid_is_alive(owner))
		return;
	atomic_compare_exchange_strong(&l->word, &v, (v & FUTEX_WAITERS) | FUTEX_OWNER_DIED);
}

static __attribute__((noinline)) int lock_slow(struct ripc_lock *l, int64_t deadline_ns)
{
	uint32_t waited = 0;
	int64_t apart = RIPC_HEARTBEAT_NS; /* looks at an owner who may be gone unmarked */
	for (int spins = 0;; spins++) {
		uint32_t v = atomic_load_explicit(&l->word, memory_order_relaxed);
		uint32_t owner = v & FUTEX_TID_MASK;
		if (!owner) {
			int err = take(l, v, waited);
			if (err != -EAGAIN)
				return err;
			continue;
		}
		if (owner == ripc_my_tid) {
			if (ripc_held_has(l))
				return -EDEADLK;
			mark_if_orphan(l, v);
			continue;
		}
		if (deadline_ns == RIPC_TRY)
			return -EAGAIN;
		if (spins < SPINS && !(v & FUTEX_WAITERS)) {
			ripc_cpu_relax();
			continue;
		}
		if (!(v & FUTEX_WAITERS) &&
		    !atomic_compare_exchange_strong(&l->word, &v, v | FUTEX_WAITERS))
			continue;
		int64_t next_look = ripc_deadline_in(apart);
		int64_t until = deadline_ns < next_look ? deadline_ns : next_look;
		if (ripc_futex_wait(&l->word, v | FUTEX_WAITERS, until) == -ETIMEDOUT) {
			mark_if_orphan(l, atomic_load(&l->word));
			if (apart < LOOKS_APART_MOST_NS)
				apart *= 2;
			if (ripc_now_ns() >= deadline_ns &&
			    atomic_load(&l->word) & FUTEX_TID_MASK)
				return -ETIMEDOUT;
		}
		waited = FUTEX_WAITERS; /* others may sleep: wake one when we leave */
	}
}

static inline int lock_until(struct ripc_lock *l, int64_t deadline_ns)
{
	if (__builtin_expect(!ripc_robust, 0) && ripc_lock_is_possible())
		return -ENOSYS;
	ripc_robust->list_op_pending = ripc_link_of(&l->word);
	ripc_barrier();
	int err = take(l, 0, 0);
	if (__builtin_expect(err == -EAGAIN, 0))
		err = lock_slow(l, deadline_ns);
	ripc_barrier();
	ripc_robust->list_op_pending = NULL;
	return err;
}

int ripc_lock_until(struct ripc_lock *l, int64_t deadline_ns)
{
	int err = ripc_held_ask();
	return err ? err : lock_until(l, deadline_ns);
}

int ripc_lock(struct ripc_lock *l) { return lock_until(l, RIPC_FOREVER); }

bool ripc_lock_is_mine(const struct ripc_lock *l)
{
	return (atomic_load_explicit(&l->word, memory_order_relaxed) & FUTEX_TID_MASK) ==
	       ripc_tid();
}

int ripc_unlock(struct ripc_lock *l)
{
	if (!ripc_lock_is_mine(l) || !ripc_robust)
		return -EPERM;
	ripc_robust->list_op_pending = ripc_link_of(&l->word);
	ripc_barrier();
	if (!ripc_held_remove(l)) {
		/* the word says that we have it, our list says not: somebody wrote to it */
		ripc_robust->list_op_pending = NULL;
		return -EPERM;
	}
	ripc_barrier();
	if (atomic_exchange(&l->word, 0) & FUTEX_WAITERS)
		ripc_futex_wake(&l->word, 1);
	ripc_barrier();
	ripc_robust->list_op_pending = NULL;
	return 0;
}

bool ripc_lock_owner_is_here(const struct ripc_lock *l)
{
	uint32_t owner = atomic_load(&l->word) & FUTEX_TID_MASK;
	char path[40];
	snprintf(path, sizeof(path), "/proc/self/task/%u", owner);
	return owner && (owner == ripc_tid() || access(path, F_OK) == 0);
}

void ripc_lock_expire(struct ripc_lock *l)
{
	uint32_t had = atomic_load(&l->word) & (FUTEX_TID_MASK | FUTEX_OWNER_DIED);
	atomic_store(&l->word, had ? FUTEX_OWNER_DIED : 0);
}

void ripc_lock_reset(struct ripc_lock *l) { atomic_store(&l->word, 0); }
