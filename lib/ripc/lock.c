// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The robust lock: futex(2), set_robust_list(2), Documentation/robust-futexes.rst.
 *
 * The C library registers one robust list for each thread, for its own robust mutexes. Our locks
 * join that list; so their links lie where the library's do, 32 bytes behind the futex word
 * (robust_list_head.futex_offset says so and is checked), with the backward link before the
 * forward one. list_op_pending covers the instants when the word and the list disagree.
 *
 * As with pthread's robust mutexes the links are addresses in the owner's memory that lie in the
 * shared memory: whoever may write to an object that another process is locking can harm it. That
 * is why objects are 0600 unless asked otherwise.
 */
#include "head.h"
#include "leaf.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(offsetof(struct ripc_lock, next) == RIPC_LINK_OFFSET, "where libc has its links");
#define SPINS 64

__thread struct robust_list_head *ripc_robust;
__thread uint32_t ripc_my_tid;

static void thread_learn(void)
{
	struct robust_list_head *head = NULL;
	size_t bytes = 0;
	if (syscall(SYS_get_robust_list, 0, &head, &bytes) == 0 && head &&
	    bytes == sizeof(*head) && head->futex_offset == -RIPC_LINK_OFFSET)
		ripc_robust = head;
	ripc_my_tid = (uint32_t)syscall(SYS_gettid);
}

uint32_t ripc_tid(void)
{
	if (!ripc_my_tid)
		thread_learn();
	return ripc_my_tid;
}

void ripc_thread_forget(void)
{
	ripc_my_tid = 0;
	ripc_robust = NULL;
}

int ripc_lock_is_possible(void)
{
	ripc_tid();
	return ripc_robust ? 0 : -ENOSYS;
}

static inline struct robust_list *link_of(struct ripc_lock *l)
{
	return (struct robust_list *)(void *)&l->next;
}

/* A neighbour's backward link. */
static inline uint64_t *prev_of(uint64_t link) { return (uint64_t *)(uintptr_t)(link - 8); }

static void list_add(struct ripc_lock *l)
{
	uint64_t head = (uint64_t)(uintptr_t)&ripc_robust->list;
	uint64_t first = (uint64_t)(uintptr_t)ripc_robust->list.next;
	l->next = first;
	l->prev = head;
	if ((first & ~1ull) != head) /* bit 0 marks a PI mutex */
		*prev_of(first & ~1ull) = (uint64_t)(uintptr_t)&l->next;
	ripc_barrier();
	ripc_robust->list.next = link_of(l);
}

/* Searched from the front, where it nearly always is; the backward link is only kept for libc. */
static bool list_remove(struct ripc_lock *l)
{
	uint64_t head = (uint64_t)(uintptr_t)&ripc_robust->list, me = (uint64_t)(uintptr_t)&l->next;
	uint64_t at = head;
	if (ripc_robust->list.next == link_of(l) && l->next == head) { /* the only one: nearly always */
		ripc_robust->list.next = &ripc_robust->list;
		return true;
	}
	for (int steps = 0; steps < ROBUST_LIST_LIMIT; steps++) {
		uint64_t *forward = (uint64_t *)(uintptr_t)at;
		uint64_t following = *forward & ~1ull;
		if (following == head)
			return false;
		if (following == me) {
			uint64_t after = l->next;
			*forward = after;
			if ((after & ~1ull) != head)
				*prev_of(after & ~1ull) = at;
			return true;
		}
		at = following;
	}
	return false;
}

static bool list_has(const struct ripc_lock *l)
{
	uint64_t head = (uint64_t)(uintptr_t)&ripc_robust->list, at = head;
	for (int steps = 0; steps < ROBUST_LIST_LIMIT; steps++) {
		at = *(uint64_t *)(uintptr_t)at & ~1ull;
		if (at == head)
			return false;
		if (at == (uint64_t)(uintptr_t)&l->next)
			return true;
	}
	return false;
}

/* Takes a lock whose word is free, seen as v. The waiters' bit stays, for those behind us. */
static inline int take(struct ripc_lock *l, uint32_t v, uint32_t waited)
{
	uint32_t mine = ripc_my_tid | (v & FUTEX_WAITERS) | waited;
	if (!atomic_compare_exchange_strong_explicit(&l->word, &v, mine, memory_order_acquire,
						     memory_order_relaxed))
		return -EAGAIN;
	list_add(l);
	return v & FUTEX_OWNER_DIED ? -EOWNERDEAD : 0;
}

/*
 * The kernel marks the locks of whoever dies; but not one that died before the machine or the file
 * was copied, or whose list was scribbled on. A word that names nobody is marked here.
 */
static void mark_if_orphan(struct ripc_lock *l, uint32_t v)
{
	uint32_t owner = v & FUTEX_TID_MASK;
	if (owner == ripc_my_tid ? list_has(l) : ripc_tid_is_alive(owner))
		return;
	atomic_compare_exchange_strong(&l->word, &v, (v & FUTEX_WAITERS) | FUTEX_OWNER_DIED);
}

static __attribute__((noinline)) int lock_slow(struct ripc_lock *l, int64_t deadline_ns)
{
	uint32_t waited = 0;
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
			if (list_has(l))
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
		int64_t heartbeat = ripc_deadline_in(RIPC_HEARTBEAT_NS);
		int64_t until = deadline_ns < heartbeat ? deadline_ns : heartbeat;
		if (ripc_futex_wait(&l->word, v | FUTEX_WAITERS, until) == -ETIMEDOUT) {
			mark_if_orphan(l, atomic_load(&l->word));
			if (ripc_now_ns() >= deadline_ns &&
			    atomic_load(&l->word) & FUTEX_TID_MASK)
				return -ETIMEDOUT;
		}
		waited = FUTEX_WAITERS; /* others may sleep: wake one when we leave */
	}
}

int ripc_lock_until(struct ripc_lock *l, int64_t deadline_ns)
{
	if (__builtin_expect(!ripc_my_tid, 0))
		thread_learn();
	if (__builtin_expect(!ripc_robust, 0))
		return -ENOSYS;
	ripc_robust->list_op_pending = link_of(l);
	ripc_barrier();
	int err = take(l, 0, 0);
	if (__builtin_expect(err == -EAGAIN, 0))
		err = lock_slow(l, deadline_ns);
	ripc_barrier();
	ripc_robust->list_op_pending = NULL;
	return err;
}

int ripc_lock(struct ripc_lock *l) { return ripc_lock_until(l, RIPC_FOREVER); }

bool ripc_lock_is_mine(const struct ripc_lock *l)
{
	return (atomic_load_explicit(&l->word, memory_order_relaxed) & FUTEX_TID_MASK) ==
	       ripc_tid();
}

int ripc_unlock(struct ripc_lock *l)
{
	if (!ripc_lock_is_mine(l) || !ripc_robust)
		return -EPERM;
	ripc_robust->list_op_pending = link_of(l);
	ripc_barrier();
	if (!list_remove(l)) {
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
