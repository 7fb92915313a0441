// SPDX-License-Identifier: GPL-2.0-or-later
#include "batch.h"

#include <stdlib.h>
#include <string.h>

#include "lib/stream/stream.h"

struct batch *batch_new(size_t capacity)
{
	struct batch *b = malloc(sizeof(*b) + capacity);
	if (!b)
		return NULL;
	b->capacity = capacity;
	b->keyframe = NULL;
	batch_clear(b);
	return b;
}

void keyframe_blob_free(struct keyframe_blob *k)
{
	if (k)
		free(k->bytes);
	free(k);
}

void batch_free(struct batch *b)
{
	if (b)
		keyframe_blob_free(b->keyframe);
	free(b);
}

void batch_clear(struct batch *b)
{
	keyframe_blob_free(b->keyframe);
	b->keyframe = NULL;
	b->next = NULL;
	b->seq = b->born_ns = 0;
	b->n = b->nio = 0;
	b->bytes = 0;
}

bool batch_add(struct batch *b, const struct ev_hdr *ev, struct ev_hdr **at)
{
	if (b->capacity - b->bytes < ev->size)
		return false;
	void *to = b->data + b->bytes;
	if (ev->type == EV_IO &&
	    ev->size == sizeof(struct ev_io)) /* a copy of known size is inline */
		memcpy(to, ev, sizeof(struct ev_io));
	else
		memcpy(to, ev, ev->size);
	if (at)
		*at = to;
	b->bytes += ev->size;
	b->nio += ev->type == EV_IO;
	b->n++;
	return true;
}

struct ev_lost lost_event(uint64_t t_ns, enum ipctap_loss cause, uint64_t count)
{
	return (struct ev_lost){
	    .hdr = {.t_ns = t_ns, .type = EV_LOST, .size = sizeof(struct ev_lost)},
	    .count = count,
	    .cause = cause,
	};
}

struct batch *batch_from_blob(const void *blob, size_t size, uint32_t n, uint64_t seq)
{
	struct batch *b = batch_new(size + sizeof(struct ev_lost));
	if (!b)
		return NULL;
	b->seq = seq;
	if (size)
		memcpy(b->data, blob, size); /* the blob itself may not be aligned */
	uint64_t t_ns = 0;
	while (b->n < n) {
		const struct ev_hdr *ev = (const struct ev_hdr *)(b->data + b->bytes);
		size_t left = size - b->bytes;
		if (left < sizeof(*ev) || ev->size % 8 || !event_is_valid(ev, left)) {
			struct ev_lost lost = lost_event(t_ns, LOST_BAD_RECORD, n - b->n);
			batch_add(b, &lost.hdr, NULL);
			break;
		}
		t_ns = ev->t_ns;
		b->bytes += ev->size;
		b->nio += ev->type == EV_IO;
		b->n++;
	}
	return b;
}
