// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The gate: an event count. state is, from the low end, a sequence (32 bits, the futex), an epoch
 * (12) and the number of sleepers (20).
 *
 * A sleeper that was killed is never subtracted. That costs the wakers a syscall each, not more;
 * and when a wake finds nobody asleep though some are counted, the epoch is turned: the count
 * starts at 0, everybody asleep looks again and is counted anew, and those of the old epoch are
 * not subtracted when they leave.
 */
#include "head.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define EPOCH_SHIFT 32
#define EPOCH_MASK 0xfffu
#define SLEEPER (1ull << 44)

int64_t ripc_now_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

int64_t ripc_deadline_in(int64_t ns)
{
	int64_t now = ripc_now_ns();
	if (ns < 0)
		return 1; /* long ago; 0 would mean RIPC_TRY */
	return ns > RIPC_FOREVER - now ? RIPC_FOREVER : now + ns;
}

long ripc_futex_wait(_Atomic uint32_t *word, uint32_t value, int64_t deadline_ns)
{
	struct timespec ts = {deadline_ns / 1000000000, deadline_ns % 1000000000};
	long r = syscall(SYS_futex, word, FUTEX_WAIT_BITSET, value,
			 deadline_ns == RIPC_FOREVER ? NULL : &ts, NULL,
			 FUTEX_BITSET_MATCH_ANY);
	return r < 0 ? -errno : 0;
}

long ripc_futex_wake(_Atomic uint32_t *word, int how_many)
{
	long r = syscall(SYS_futex, word, FUTEX_WAKE, how_many, NULL, NULL, 0);
	return r < 0 ? -errno : r;
}

static _Atomic uint32_t *futex_of(struct ripc_gate *g)
{
	_Atomic uint32_t *half = (_Atomic uint32_t *)(void *)&g->state;
	return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? half : half + 1;
}

static uint32_t epoch_of(uint64_t state) { return (uint32_t)(state >> EPOCH_SHIFT) & EPOCH_MASK; }

/* The next sequence number: without a carry into the epoch. */
static uint64_t advanced(uint64_t state)
{
	return (state & ~(uint64_t)UINT32_MAX) | (uint32_t)(state + 1);
}

struct ripc_ticket ripc_gate_enter(struct ripc_gate *g)
{
	uint64_t s = atomic_fetch_add(&g->state, SLEEPER);
	return (struct ripc_ticket){(uint32_t)s, epoch_of(s)};
}

bool ripc_gate_has_moved(const struct ripc_gate *g, struct ripc_ticket t)
{
	return (uint32_t)atomic_load(&g->state) != t.seq;
}

void ripc_gate_leave(struct ripc_gate *g, struct ripc_ticket t)
{
	uint64_t s = atomic_load(&g->state);
	while (epoch_of(s) == t.epoch && s >= SLEEPER &&
	       !atomic_compare_exchange_weak(&g->state, &s, s - SLEEPER))
		;
}

void ripc_gate_wake_slow(struct ripc_gate *g, int how_many)
{
	uint64_t s = atomic_load(&g->state);
	while (!atomic_compare_exchange_weak(&g->state, &s, advanced(s)))
		;
	if (ripc_futex_wake(futex_of(g), how_many) > 0)
		return;
	s = advanced(s);
	uint64_t turned = ((uint64_t)((epoch_of(s) + 1) & EPOCH_MASK) << EPOCH_SHIFT) |
			  (uint32_t)(s + 1);
	if (atomic_compare_exchange_strong(&g->state, &s, turned))
		ripc_futex_wake(futex_of(g), INT_MAX);
}

int ripc_gate_sleep_intr(struct ripc_gate *g, struct ripc_ticket t, int64_t deadline_ns)
{
	if (deadline_ns == RIPC_TRY)
		return -EAGAIN;
	int64_t heartbeat = ripc_deadline_in(RIPC_HEARTBEAT_NS);
	long err = ripc_futex_wait(futex_of(g), t.seq,
				   deadline_ns < heartbeat ? deadline_ns : heartbeat);
	if (err == -ETIMEDOUT)
		return deadline_ns <= heartbeat ? -ETIMEDOUT : 0;
	return err == -EAGAIN ? 0 : (int)err;
}

int ripc_gate_sleep(struct ripc_gate *g, struct ripc_ticket t, int64_t deadline_ns)
{
	int err = ripc_gate_sleep_intr(g, t, deadline_ns);
	return err == -EINTR ? 0 : err;
}

bool ripc_is_time_to_look(struct ripc_looks *l)
{
	if (!l->asked++)
		return false;
	int64_t now = ripc_now_ns();
	bool is_time = l->last_ns && now - l->last_ns >= RIPC_HEARTBEAT_NS / 2;
	if (is_time || !l->last_ns)
		l->last_ns = now;
	return is_time;
}

int ripc_gate_wait(struct ripc_gate *g, int (*is_true)(void *arg), void *arg, int64_t deadline_ns)
{
	for (;;) {
		struct ripc_ticket t = ripc_gate_enter(g);
		int r = is_true(arg);
		int err = r ? 0 : ripc_gate_sleep(g, t, deadline_ns);
		ripc_gate_leave(g, t);
		if (r)
			return r;
		if (err) /* it may have come true as time ran out */
			return (r = is_true(arg)) ? r : err;
	}
}
