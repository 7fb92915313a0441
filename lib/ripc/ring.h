/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside libripc: a ring of bytes in shared memory. Positions only grow; where they lie in the ring
 * is their remainder. The writer fills bytes and then publishes them by one store to `tail`, the
 * reader takes bytes and then gives their room back by one store to `head`: who dies in between has
 * written, or read, nothing.
 */
#ifndef RIPC_RING_H
#define RIPC_RING_H

#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

struct ripc_ring {
	_Alignas(64) _Atomic uint64_t tail; /* the writer's */
	_Alignas(64) _Atomic uint64_t head; /* the reader's */
};

#define RING_TRIES 1000 /* a head that never stands still is as good as a broken one */

/*
 * Bytes that can be read, or UINT64_MAX when the ring says what cannot be: it is broken. Asked
 * without a lock, by one of several readers, others may read on, and writers write, between the two
 * loads: that is no breakage as long as the head has moved meanwhile.
 */
static inline uint64_t ring_used(const struct ripc_ring *r, uint64_t size)
{
	uint64_t head = atomic_load_explicit(&r->head, memory_order_acquire);

	for (int i = 0; i < RING_TRIES; i++) {
		uint64_t tail = atomic_load_explicit(&r->tail, memory_order_acquire);
		uint64_t used = tail - head, now;

		if (used <= size)
			return used;
		now = atomic_load_explicit(&r->head, memory_order_acquire);
		if (now == head)
			break;
		head = now;
	}
	return UINT64_MAX;
}

static inline void ring_put(char *data, uint64_t size, uint64_t pos, const void *from, uint64_t n)
{
	uint64_t at = pos % size, first = n < size - at ? n : size - at;

	memcpy(data + at, from, first);
	memcpy(data, (const char *)from + first, n - first);
}

static inline void ring_get(const char *data, uint64_t size, uint64_t pos, void *to, uint64_t n)
{
	uint64_t at = pos % size, first = n < size - at ? n : size - at;

	memcpy(to, data + at, first);
	memcpy((char *)to + first, data, n - first);
}

#endif
