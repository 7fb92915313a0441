// SPDX-License-Identifier: LGPL-2.1-or-later
/* The leaf lock, when it is not simply kept (leaf.h). */
#include "lib/ripc/leaf.h"

#include <limits.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/ripc/head.h"

#define SPINS 64
#define RELUCTANCE_MOST 12

/* ---- whether we can ---- */

static _Atomic bool takes_part;

/* Asked anew each time: a sandbox may have come. Where it is done already it costs nothing. */
int ripc_leaf_prepare(void)
{
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0))
		return -ENOSYS;
	atomic_store(&takes_part, true);
	return 0;
}

/* A child of fork that goes on using what its parent had opened. */
void ripc_leaf_forked(void)
{
	if (atomic_load(&takes_part))
		ripc_leaf_prepare();
}

int ripc_leaf_fence(void)
{
	return syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0) ? -ENOSYS : 0;
}

void ripc_leaf_never_keep(struct ripc_leaf *l) { l->reluctance = RIPC_LEAF_NEVER; }

bool ripc_leaf_is_never_kept(const struct ripc_leaf *l)
{
	return *(const volatile uint32_t *)&l->reluctance == RIPC_LEAF_NEVER;
}

/* ---- waiting ---- */

/*
 * Until futex, seen as v, has changed, or its owner has ended without the kernel's saying so: it
 * died before the file was copied, or its robust list was scribbled on.
 */
static void wait_for(_Atomic uint32_t *futex, uint32_t v)
{
	uint32_t marked = v | FUTEX_WAITERS;
	if (v != marked && !atomic_compare_exchange_strong(futex, &v, marked))
		return;
	if (ripc_futex_wait(futex, marked, ripc_deadline_in(RIPC_HEARTBEAT_NS)) == -ETIMEDOUT &&
	    !ripc_tid_is_alive(marked & FUTEX_TID_MASK))
		atomic_compare_exchange_strong(futex, &marked, FUTEX_WAITERS | FUTEX_OWNER_DIED);
}

/* Whether the keeper has died inside; it may be another thread's next seat then. */
static bool wait_until_out(struct ripc_leaf_seat *s)
{
	for (int spins = 0;; spins++) {
		uint32_t v = atomic_load(&s->inside);
		if (!(v & FUTEX_TID_MASK)) {
			if (v)
				atomic_compare_exchange_strong(&s->inside, &v, 0);
			return v & FUTEX_OWNER_DIED;
		}
		if (spins < SPINS)
			ripc_cpu_relax();
		else
			wait_for(&s->inside, v);
	}
}

/* The word is ours; whoever kept the lock, or took it from such a one and died, may be inside. */
static int settle(struct ripc_leaf *l)
{
	bool died = false;
	atomic_store(&l->wanted, 1);
	int err = ripc_leaf_fence();
	for (unsigned i = 0; !err && i < RIPC_LEAF_SEATS; i++)
		died |= wait_until_out(&l->seats[i]);
	atomic_store(&l->wanted, 0);
	return err ? err : died ? -EOWNERDEAD : 0;
}

/* ---- taking ---- */

/* A sandbox has come since we opened it: as it was, v; a keeper has noticed nothing. */
static int give_back(struct ripc_leaf *l, uint32_t v)
{
	if (atomic_exchange(&l->word, v) & FUTEX_WAITERS)
		ripc_futex_wake(&l->word, INT_MAX);
	return -ENOSYS;
}

static int take_kept(struct ripc_leaf *l, uint32_t v, uint32_t waited)
{
	uint32_t mine = ripc_my_tid | (v & FUTEX_WAITERS) | waited;
	if (!atomic_compare_exchange_strong(&l->word, &v, mine))
		return -EAGAIN;
	int err = settle(l);
	if (err == -ENOSYS)
		return give_back(l, v);
	l->last = ripc_my_tid;
	l->run = 0;
	if (l->reluctance < RELUCTANCE_MOST)
		l->reluctance++;
	return err;
}

static int take_free(struct ripc_leaf *l, uint32_t v, uint32_t waited)
{
	uint32_t mine = ripc_my_tid | (v & FUTEX_WAITERS) | waited;
	if (!atomic_compare_exchange_strong(&l->word, &v, mine))
		return -EAGAIN;
	if (l->last != ripc_my_tid)
		l->run = 0;
	l->last = ripc_my_tid;
	l->run++;
	if (!(v & FUTEX_OWNER_DIED))
		return 0;
	/* perhaps as it waited for a keeper to come out */
	if (!ripc_leaf_is_never_kept(l) && settle(l) == -ENOSYS)
		return give_back(l, v);
	return -EOWNERDEAD;
}

static int take(struct ripc_leaf *l)
{
	uint32_t waited = 0; /* once we have: others may sleep, and one is to be woken as we leave */
	for (int spins = 0;; spins++) {
		uint32_t v = atomic_load_explicit(&l->word, memory_order_relaxed);
		int err = -EAGAIN;
		if (v & RIPC_LEAF_KEPT)
			err = take_kept(l, v, waited);
		else if (!(v & FUTEX_TID_MASK))
			err = take_free(l, v, waited);
		else if ((v & FUTEX_TID_MASK) == ripc_my_tid) /* a thread's that had our number */
			atomic_compare_exchange_strong(&l->word, &v, v & FUTEX_WAITERS);
		else if (spins < SPINS && !(v & FUTEX_WAITERS))
			ripc_cpu_relax();
		else
			wait_for(&l->word, v), waited = FUTEX_WAITERS;
		if (err != -EAGAIN)
			return err;
	}
}

int ripc_leaf_lock_slow(struct ripc_leaf *l)
{
	int err = ripc_lock_is_possible();
	if (err)
		return err;
	if (ripc_robust->list_op_pending)
		return -EDEADLK; /* the first look was at a thread that did not know its list */
	ripc_robust->list_op_pending = ripc_link_of(&l->word);
	ripc_barrier();
	err = take(l);
	if (err && err != -EOWNERDEAD)
		ripc_robust->list_op_pending = NULL;
	return err;
}

/* ---- leaving ---- */

static struct ripc_leaf_seat *seat_of(struct ripc_leaf *l, bool (*is_it)(uint32_t tid))
{
	for (unsigned i = 0; i < RIPC_LEAF_SEATS; i++) {
		if (is_it(atomic_load(&l->seats[i].tid)))
			return &l->seats[i];
	}
	return NULL;
}

static bool is_ours(uint32_t tid) { return tid == ripc_my_tid; }
static bool is_free(uint32_t tid) { return !tid || !ripc_tid_is_alive(tid); }

/* In place of unlocking: false when somebody waits, or all seats are taken. */
static bool keep(struct ripc_leaf *l)
{
	uint32_t mine = ripc_my_tid;
	struct ripc_leaf_seat *s = seat_of(l, is_ours);
	l->run = 0;
	if (!s)
		s = seat_of(l, is_free);
	if (!s || ripc_leaf_prepare()) {
		l->reluctance += l->reluctance < RELUCTANCE_MOST;
		return false;
	}
	atomic_store(&s->inside, 0);
	atomic_store(&s->tid, mine);
	return atomic_compare_exchange_strong(&l->word, &mine,
					      RIPC_LEAF_KEPT | (uint32_t)(s - l->seats));
}

void ripc_leaf_unlock_slow(struct ripc_leaf *l)
{
	if ((atomic_load(&l->word) & FUTEX_TID_MASK) != ripc_my_tid) {
		struct ripc_leaf_seat *s = seat_of(l, is_ours);
		if (s)
			ripc_leaf_step_out(&s->inside);
		return;
	}
	uint32_t reluctance = l->reluctance;
	if (!(reluctance <= RELUCTANCE_MOST && l->run > 16u << reluctance && keep(l)) &&
	    atomic_exchange(&l->word, 0) & FUTEX_WAITERS)
		ripc_futex_wake(&l->word, 1);
	ripc_barrier();
	ripc_robust->list_op_pending = NULL;
}

/* The pending operation is this seat's until the end: if we die before it, the kernel wakes. */
void ripc_leaf_step_out(_Atomic uint32_t *inside)
{
	atomic_store(inside, 0);
	ripc_futex_wake(inside, INT_MAX);
	ripc_barrier();
	ripc_robust->list_op_pending = NULL;
}
