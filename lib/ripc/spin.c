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
/* That many waits do without after it was in vain down to the least; or, doubled for each turn that
 * took long without a short one in between, up to BUSY_MOST times, after that. */
#define SKIPS 64
#define BUSY_MOST 7

/* A handle's memory of how it went. */
union budget {
	unsigned all;
	struct {
		unsigned ns_16 : 12; /* to pause for, in units of 16 ns; 0 is SPIN_START_NS */
		unsigned skip : 14;
		unsigned busy : 3;
	};
};
_Static_assert(SPIN_START_NS / 16 < 1 << 12 && SKIPS << BUSY_MOST < 1 << 14, "fits");

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
	union budget b = {.all = *budget};
	unsigned ns = b.ns_16 ? b.ns_16 * 16 : SPIN_START_NS;
	bool took_long = false;
	int r;
	if (b.skip) {
		b.skip--;
		*budget = b.all;
		return is_true(arg);
	}
	if (peer_cpu == RIPC_CPU_UNKNOWN)
		r = is_multiprocessor() ? pause_for(ns / (SPIN_START_NS / SPIN_BLIND_NS), is_true, arg)
					: is_true(arg);
	else if (peer_cpu == ripc_cpu())
		r = yield_to(is_true, arg, &took_long);
	else
		r = pause_for(ns, is_true, arg);
	b.ns_16 = r ? 0 : ns / 2 / 16;
	if (took_long) {
		b.busy += b.busy < BUSY_MOST;
		b.skip = SKIPS << b.busy;
	} else if (r) {
		b.busy -= b.busy > 0;
	} else if (ns / 2 < SPIN_LEAST_NS) {
		b.ns_16 = 0;
		b.skip = SKIPS;
	}
	*budget = b.all;
	return r;
}
