/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A batch: raw events back to back, in the order of the stream, numbered from `seq` on. Private to
 * lib/store. Every record in it is valid (event_is_valid) and begins at a multiple of 8 bytes.
 * It is what the sink fills, what a spilled blob holds, and what the virtual table walks.
 */
#ifndef IPCTAP_STORE_BATCH_H
#define IPCTAP_STORE_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/abi/event.h"

struct batch {
	struct batch *next;
	uint64_t seq;     /* number of the first record */
	uint64_t born_ns; /* CLOCK_MONOTONIC, when the first record came in */
	struct keyframe_blob *keyframe; /* the model behind the last record; owned; or NULL */
	uint32_t n;       /* records */
	uint32_t nio;     /* of which EV_IO */
	size_t bytes, capacity;
	unsigned char data[] __attribute__((aligned(8)));
};

/* A model's state, as keyframe_save made it. */
struct keyframe_blob {
	uint64_t t_ns; /* the latest time that an event up to there told */
	void *bytes;
	size_t size;
};
void keyframe_blob_free(struct keyframe_blob *k); /* accepts NULL */

struct batch *batch_new(size_t capacity); /* NULL: no memory */
void batch_clear(struct batch *b);
void batch_free(struct batch *b); /* accepts NULL */
/* False: no room (always fits in an empty batch of at least 64 KiB). *at, if wanted: the copy. */
bool batch_add(struct batch *b, const struct ev_hdr *ev, struct ev_hdr **at);

static inline const struct ev_hdr *batch_at(const struct batch *b, size_t offset)
{
	return offset < b->bytes ? (const struct ev_hdr *)(b->data + offset) : NULL;
}

/*
 * Makes a batch of a blob that came from a file. What does not make sense becomes one EV_LOST of
 * cause bad-record, counting the rest of the `n` records; the numbers of those before stay.
 */
struct batch *batch_from_blob(const void *blob, size_t size, uint32_t n, uint64_t seq);

/* An EV_LOST. */
struct ev_lost lost_event(uint64_t t_ns, enum ipctap_loss cause, uint64_t count);

#endif
