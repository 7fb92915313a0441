/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The leaf lock: for short sections between processes, in which no other lock of libripc and no
 * robust mutex of the C library is touched. As robust as the lock of object.h, and cheaper: whoever
 * takes it again and again is left in possession, and then comes and goes without being asked.
 * Private to lib/ripc; in shared memory, ready when zeroed.
 *
 * word    0                free
 *         a thread's id    taken, a futex with the kernel's bits for waiters and a dead owner
 *         KEPT | a seat    kept by the thread of that seat, which is inside or not
 *
 * A seat is a thread's, until it has ended: its id, and whether it is inside a lock that it keeps:
 * 0 or its id, again a robust futex. The keeper writes `inside`, then looks whether the word is
 * still its own; who wants the lock takes the word, then looks whether the keeper is inside, and
 * waits until it is out. Each must see what the other wrote before; and so it is with `wanted`, by
 * which the keeper knows that it has to wake somebody as it goes. The keeper pays nothing for that,
 * not one atomic read-modify-write: the other makes all CPUs that run users of such locks pass a
 * memory barrier (membarrier(2), MEMBARRIER_CMD_GLOBAL_EXPEDITED; tens of microseconds when it
 * has to interrupt another CPU). Each time a lock is taken so, it is kept more reluctantly.
 *
 * While a thread is inside, its robust list's pending operation (Documentation/robust-futexes.rst)
 * is the futex that says so, the word or its seat's: the kernel marks it when the thread ends, at
 * whatever instruction, and wakes a waiter. There is only one such operation for a thread: that is
 * why these locks are leaves. A seat is only ever written by its own thread, and given to another
 * when that one has ended, so that a store delayed for however long hits nobody else's.
 */
#ifndef RIPC_LEAF_H
#define RIPC_LEAF_H

#include <errno.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/ripc/robust.h"

#define RIPC_LEAF_SEATS 4u /* a power of two */
/* Not an owner's id (PID_MAX_LIMIT is 2^22), but among the bits that the kernel takes for one. */
#define RIPC_LEAF_KEPT 0x20000000u
#define RIPC_LEAF_NEVER 0xffu

struct ripc_leaf_seat {
	_Atomic uint32_t tid, inside;
};

struct ripc_leaf {
	_Alignas(64) _Atomic uint32_t word;
	/* by whoever has it: who had it last, and how often in a row */
	uint32_t last, run;
	uint32_t reluctance; /* it is kept after 16 << this; RIPC_LEAF_NEVER */
	struct ripc_leaf_seat seats[RIPC_LEAF_SEATS];
	_Atomic uint32_t wanted; /* by whoever has the word, and waits for a keeper to come out */
	uint32_t pad[3];
};
_Static_assert(sizeof(struct ripc_leaf) == 64, "one cache line");

/*
 * Whether this process can take part: -ENOSYS without membarrier(2) (CONFIG_MEMBARRIER, or a
 * sandbox). To be asked before a leaf is used; then either all users can, or whoever made it has
 * called ripc_leaf_never_keep(), and it is an ordinary lock. The first time in a process that has
 * several threads it takes some milliseconds.
 */
int ripc_leaf_prepare(void);
void ripc_leaf_never_keep(struct ripc_leaf *l);
bool ripc_leaf_is_never_kept(const struct ripc_leaf *l);

/*
 * 0, or -EOWNERDEAD: it is ours, and its owner died inside. -EDEADLK in a signal handler that
 * interrupted such a section; -ENOSYS when libc's robust list is not laid out as ours must be.
 * Waits for ever.
 *
 * Unlocking is no memory fence. Who unlocks and then looks for others that wait for what it has
 * done (a gate, object.h) sees them if they, after they came to the gate and before they looked,
 * called ripc_leaf_fence(): 0, or -ENOSYS and nothing is sure.
 */
int ripc_leaf_fence(void);
static inline int ripc_leaf_lock(struct ripc_leaf *l);
static inline void ripc_leaf_unlock(struct ripc_leaf *l);

/* ---- how ---- */

int ripc_leaf_lock_slow(struct ripc_leaf *l);
void ripc_leaf_unlock_slow(struct ripc_leaf *l);
void ripc_leaf_step_out(_Atomic uint32_t *inside);

static inline int ripc_leaf_lock(struct ripc_leaf *l)
{
	struct robust_list_head *r = ripc_robust;
	if (__builtin_expect(!r, 0))
		return ripc_leaf_lock_slow(l);
	if (__builtin_expect(r->list_op_pending != NULL, 0))
		return -EDEADLK;
	uint32_t v = atomic_load_explicit(&l->word, memory_order_relaxed), me = ripc_my_tid;
	struct ripc_leaf_seat *s = &l->seats[v % RIPC_LEAF_SEATS];
	if (__builtin_expect(!(v & RIPC_LEAF_KEPT), 0) ||
	    atomic_load_explicit(&s->tid, memory_order_relaxed) != me)
		return ripc_leaf_lock_slow(l);
	r->list_op_pending = ripc_link_of(&s->inside);
	ripc_barrier();
	/* as if somebody waited: then the kernel wakes them whenever we die */
	atomic_store_explicit(&s->inside, me | FUTEX_WAITERS, memory_order_relaxed);
	atomic_signal_fence(memory_order_seq_cst);
	if (__builtin_expect(atomic_load_explicit(&l->word, memory_order_acquire) == v, 1))
		return 0;
	ripc_leaf_step_out(&s->inside);
	return ripc_leaf_lock_slow(l);
}

static inline void ripc_leaf_unlock(struct ripc_leaf *l)
{
	struct robust_list_head *r = ripc_robust;
	char *pending = (char *)r->list_op_pending;
	/* the word's; or none, when a signal handler has used a lock of another kind meanwhile */
	if (__builtin_expect(pending < (char *)ripc_link_of(&l->seats[0].tid) ||
				     pending >= (char *)ripc_link_of(&l->wanted),
			     0)) {
		ripc_leaf_unlock_slow(l);
		return;
	}
	_Atomic uint32_t *inside = (_Atomic uint32_t *)(void *)(pending - RIPC_LINK_OFFSET);
	atomic_store_explicit(inside, 0, memory_order_release);
	atomic_signal_fence(memory_order_seq_cst);
	if (__builtin_expect(atomic_load_explicit(&l->wanted, memory_order_relaxed), 0)) {
		ripc_leaf_step_out(inside);
		return;
	}
	ripc_barrier();
	r->list_op_pending = NULL;
}

#endif
