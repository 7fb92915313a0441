/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A ring in memory and a writer of it, for tests that play the traced program: a well-behaved one
 * that puts records, and any other, which writes into `ring` and `data` what it likes.
 */
#ifndef IPCTAP_TESTS_RING_FIXTURE_H
#define IPCTAP_TESTS_RING_FIXTURE_H

#include <string.h>

#include "lib/abi/shimring.h"

struct written {
	struct shim_ring *ring;
	__u8 *data;
	__u64 data_bytes;
};

#define RING_PID 0x7f000001u /* no process has it */
#define RING_BYTES (SHIM_PAGE + SHIM_DATA_MIN)

/* Makes a ring of `bytes` at `base`, zeroed before, whose thread is `tid` of a process of its own. */
static inline struct written ring_of(void *base, size_t bytes, __u32 tid)
{
	struct written w = { base, (__u8 *)base + SHIM_PAGE, bytes - SHIM_PAGE };
	*w.ring = (struct shim_ring){
		.magic = SHIM_MAGIC, .version = SHIM_VERSION, .header_bytes = SHIM_PAGE, .data_bytes = w.data_bytes,
		.start_ns = 1000, .pid = tid, .tid = tid, .ppid = 1, .comm = "fixture",
	};
	return w;
}

/* Puts a record as it is, where the shim would: in one piece, behind a pad when the end is near. */
static inline void ring_put(struct written *w, const void *record, size_t size)
{
	__u64 at = w->ring->head & (w->data_bytes - 1), left = w->data_bytes - at;
	if (left < size) {
		struct ev_hdr pad = { .type = SHIM_PAD, .size = (__u16)left };
		memcpy(w->data + at, &pad, left < sizeof(pad) ? left : sizeof(pad));
		w->ring->head += left;
		at = 0;
	}
	memcpy(w->data + at, record, size);
	__atomic_store_n(&w->ring->head, w->ring->head + size, __ATOMIC_RELEASE);
}

#define RING_PIPE RAW_OBJ(KIND_PIPE, 77)

/* A write of `bytes` to the one pipe, entered 10 ns before it returned at t_ns. */
static inline struct ev_io ring_write(__u64 t_ns, __u64 bytes)
{
	return (struct ev_io){
		.hdr = { .t_ns = t_ns, .type = EV_IO, .size = sizeof(struct ev_io), .flags = IO_WRITE },
		.enter_ns = t_ns - 10, .chan = RING_PIPE, .ret = (__s64)bytes, .bytes = bytes, .fd = 1,
		.op = OP_WRITE, .messages = 1,
	};
}

/* What must come before the first operation on it. */
static inline struct raw_object ring_pipe(__u64 t_ns)
{
	return (struct raw_object){
		.hdr = { .t_ns = t_ns, .type = RAW_OBJECT, .size = sizeof(struct raw_object) },
		.obj = RING_PIPE, .ino = 77, .kind = KIND_PIPE, .fd = 1,
	};
}

#endif
