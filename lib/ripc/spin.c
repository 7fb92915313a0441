// SPDX-License-Identifier: LGPL-2.1-or-later
/* Looking for a while before going to sleep (object.h). */
#include <sched.h>
#include <stdatomic.h>

#include "lib/ripc/head.h"

#define SPIN_START_NS 50000u
#define SPIN_LEAST_NS 4000u
#define SPIN_BLIND_NS 5000u
/* A turn given away that comes back later than this went to somebody with work of his own. */
#define YIELD_MOST_NS 200000
#define YIELDS 3
/* After it was in vain down to the least, that many waits do without. */
#define SKIP 0x80000000u
#define SKIPS 64

static bool is_multiprocessor(void)
{
	static _Atomic int known; /* 1 no, 2 yes */
	int k = atomic_load_explicit(&known, memory_order_relaxed);
	if (!k) {
		cpu_set_t set;
		k = sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) < 2 ? 1 : 2;
		atomic_store(&known, k);
	}
	return k == 2;
}

static int pause_for(int64_t ns, int (*is_true)(void *arg), void *arg)
{
	int64_t until = ripc_now_ns() + ns;
	do {
		for (int i = 0; i < 16; i++) {
			int r = is_true(arg);
			if (r)
				return r;
			ripc_cpu_relax();
		}
	} while (ripc_now_ns() < until);
	return is_true(arg);
}

static int yield_to(int (*is_true)(void *arg), void *arg, bool *took_long)
{
	int64_t start = ripc_now_ns();
	int r = 0;
	for (int i = 0; i < YIELDS && !r && !*took_long; i++) {
		sched_yield();
		r = is_true(arg);
		*took_long = ripc_now_ns() - start > YIELD_MOST_NS;
	}
	return r;
}

int ripc_spin(unsigned *budget, int peer_cpu, int (*is_true)(void *arg), void *arg)
{
	unsigned ns = *budget ? *budget : SPIN_START_NS;
	bool took_long = false;
	int r;
	if (ns & SKIP) {
		*budget = ns > SKIP + 1 ? ns - 1 : SPIN_START_NS;
		return is_true(arg);
	}
	if (peer_cpu == RIPC_CPU_UNKNOWN)
		r = is_multiprocessor() ? pause_for(ns / (SPIN_START_NS / SPIN_BLIND_NS), is_true, arg)
					: is_true(arg);
	else if (peer_cpu == ripc_cpu())
		r = yield_to(is_true, arg, &took_long);
	else
		r = pause_for(ns, is_true, arg);
	if (took_long || (!r && ns / 2 < SPIN_LEAST_NS))
		*budget = SKIP + SKIPS;
	else
		*budget = r ? SPIN_START_NS : ns / 2;
	return r;
}
