// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The ceiling: a bare ring in shared memory, for one sender and one receiver. It has no lock, no
 * way to sleep, no lengths, no safety from anybody's death: what is left is to copy a message in,
 * to bring its cache lines to the other side, and to copy it out. Whoever finds it empty or full
 * spins, and gives its turn away when that takes long.
 */
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/ripc/bench.h"

struct bare {
	_Alignas(64) _Atomic uint64_t tail;
	uint64_t head_seen;
	_Alignas(64) _Atomic uint64_t head;
	uint64_t tail_seen;
	_Alignas(64) char ring[];
};

static struct bare *rings[BENCH_CHANNELS];
static size_t slot_bytes, map_bytes;
static uint64_t slots;

static void bare_close(void)
{
	for (int c = 0; c < BENCH_CHANNELS; c++) {
		if (rings[c])
			munmap(rings[c], map_bytes);
		rings[c] = NULL;
	}
}

static int bare_open(size_t bytes, unsigned depth)
{
	slot_bytes = (bytes + 63) / 64 * 64;
	slots = depth;
	map_bytes = sizeof(struct bare) + slot_bytes * slots;
	for (int c = 0; c < BENCH_CHANNELS; c++) {
		void *p = mmap(NULL, map_bytes, PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
		if (p == MAP_FAILED)
			return -1;
		rings[c] = p;
	}
	return 0;
}

static void relax(unsigned turns)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#endif
	if (turns % 64 == 63)
		sched_yield();
}

static int bare_send(int c, const void *m, size_t n)
{
	struct bare *r = rings[c];
	uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
	for (unsigned i = 0; tail - r->head_seen >= slots; i++) {
		r->head_seen = atomic_load_explicit(&r->head, memory_order_acquire);
		if (tail - r->head_seen >= slots)
			relax(i);
	}
	memcpy(r->ring + tail % slots * slot_bytes, m, n);
	atomic_store_explicit(&r->tail, tail + 1, memory_order_release);
	return 0;
}

static int bare_receive(int c, void *m, size_t n)
{
	struct bare *r = rings[c];
	uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
	for (unsigned i = 0; head == r->tail_seen; i++) {
		r->tail_seen = atomic_load_explicit(&r->tail, memory_order_acquire);
		if (head == r->tail_seen)
			relax(i);
	}
	memcpy(m, r->ring + head % slots * slot_bytes, n);
	atomic_store_explicit(&r->head, head + 1, memory_order_release);
	return 0;
}

const struct bench_carrier bench_bare = {"(bare ring, no safety, spins)", bare_open, bare_send,
					 bare_receive, bare_close, 1};
