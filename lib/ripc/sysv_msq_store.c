// SPDX-License-Identifier: LGPL-2.1-or-later
/* The messages of a System V queue in its shared memory (sysv_msq.h). */
#include "lib/ripc/sysv_msq.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

static unsigned blocks_for(size_t bytes)
{
	return bytes <= MSQ_INLINE ? 0 : (unsigned)((bytes - MSQ_INLINE + MSQ_BLOCK - 1) / MSQ_BLOCK);
}

size_t msq_bytes(const struct msq_body *q, uint32_t slot)
{
	return least(q->slots[slot].bytes, RIPC_MSGMAX);
}

long msq_type(const struct msq_body *q, uint32_t slot) { return q->slots[slot].type; }

/* ---- room ---- */

static uint32_t take_slot(struct msq_body *q)
{
	uint32_t i = q->free_slot;
	if (i < MSQ_SLOTS) {
		q->free_slot = q->slots[i].next;
		return i;
	}
	i = q->slots_used;
	if (i >= MSQ_SLOTS)
		return MSQ_NONE;
	q->slots_used = i + 1;
	return i;
}

static uint32_t take_block(struct msq_body *q)
{
	uint32_t i = q->free_block;
	if (i < MSQ_BLOCKS) {
		q->free_block = q->next_block[i];
		return i;
	}
	i = q->blocks_used;
	if (i >= MSQ_BLOCKS)
		return MSQ_NONE;
	q->blocks_used = i + 1;
	return i;
}

static void free_chain(struct msq_body *q, uint32_t block, unsigned n)
{
	while (n-- && block < MSQ_BLOCKS) {
		uint32_t next = q->next_block[block];
		q->next_block[block] = q->free_block;
		q->free_block = block;
		block = next;
	}
}

static uint32_t take_chain(struct msq_body *q, unsigned n)
{
	uint32_t first = MSQ_NONE;
	for (unsigned i = 0; i < n; i++) {
		uint32_t b = take_block(q);
		if (b == MSQ_NONE) {
			free_chain(q, first, i);
			return MSQ_NONE;
		}
		q->next_block[b] = first;
		first = b;
	}
	return first;
}

static void free_slot(struct msq_body *q, uint32_t i)
{
	q->slots[i].next = q->free_slot;
	q->free_slot = i;
}

/* ---- text ---- */

static void copy_in(struct msq_body *q, struct msq_slot *s, const unsigned char *text, size_t bytes)
{
	size_t n = least(bytes, MSQ_INLINE);
	memcpy(s->text, text, n);
	for (uint32_t b = s->block; n < bytes && b < MSQ_BLOCKS; b = q->next_block[b]) {
		size_t part = least(bytes - n, MSQ_BLOCK);
		memcpy(q->blocks[b], text + n, part);
		n += part;
	}
}

void msq_copy_out(const struct msq_body *q, uint32_t slot, void *text, size_t bytes)
{
	const struct msq_slot *s = &q->slots[slot];
	unsigned char *to = text;
	size_t n = least(bytes, MSQ_INLINE);
	memcpy(to, s->text, n);
	for (uint32_t b = s->block; n < bytes && b < MSQ_BLOCKS; b = q->next_block[b]) {
		size_t part = least(bytes - n, MSQ_BLOCK);
		memcpy(to + n, q->blocks[b], part);
		n += part;
	}
}

/* ---- in and out ---- */

static void append(struct msq_body *q, uint32_t i)
{
	q->slots[i].next = MSQ_NONE;
	if (q->last < MSQ_SLOTS && q->first < MSQ_SLOTS)
		q->slots[q->last].next = i;
	else
		q->first = i;
	q->last = i;
	q->count++;
	q->bytes += q->slots[i].bytes;
}

int msq_put(struct msq_body *q, long type, const void *text, size_t bytes)
{
	/* Linux: no more messages than msg_qbytes either, or empty ones would be without bound */
	uint64_t qbytes = atomic_load(&q->qbytes);
	if (q->bytes + bytes > qbytes || q->count + 1 > qbytes)
		return -EAGAIN;
	uint32_t i = take_slot(q);
	if (i == MSQ_NONE)
		return -EAGAIN;
	unsigned blocks = blocks_for(bytes);
	uint32_t chain = blocks ? take_chain(q, blocks) : MSQ_NONE;
	if (blocks && chain == MSQ_NONE) {
		free_slot(q, i);
		return -EAGAIN;
	}
	struct msq_slot *s = &q->slots[i];
	s->order = ++q->order;
	s->type = type;
	s->bytes = (uint32_t)bytes;
	s->block = chain;
	copy_in(q, s, text, bytes);
	atomic_store_explicit(&s->state, MSQ_LIVE, memory_order_release); /* from here on it is sent */
	append(q, i);
	return 0;
}

/* POSIX msgrcv: 0 the first; > 0 the first of the type; < 0 the first of the lowest up to -type. */
uint32_t msq_find(struct msq_body *q, long type, int flags, uint32_t *before)
{
	uint32_t best = MSQ_NONE, prev = MSQ_NONE, i = q->first;
	long limit = type == LONG_MIN ? LONG_MAX : -type;
	for (uint32_t steps = 0; i < MSQ_SLOTS && steps < MSQ_SLOTS; steps++) {
		long t = q->slots[i].type;
		bool fits = type == 0 || (type > 0 && (t == type) == !(flags & MSG_EXCEPT));
		if (type < 0 && t <= limit && (best == MSQ_NONE || t < q->slots[best].type)) {
			best = i;
			*before = prev;
		}
		if (fits || (best == i && t == 1)) {
			*before = prev;
			return i;
		}
		prev = i;
		i = q->slots[i].next;
	}
	return best;
}

uint32_t msq_nth(const struct msq_body *q, long index)
{
	uint32_t i = q->first;
	for (uint32_t steps = 0; i < MSQ_SLOTS && steps < MSQ_SLOTS; steps++) {
		if (steps == index)
			return i;
		i = q->slots[i].next;
	}
	return MSQ_NONE;
}

void msq_drop(struct msq_body *q, uint32_t i, uint32_t before)
{
	struct msq_slot *s = &q->slots[i];
	atomic_store_explicit(&s->state, MSQ_FREE, memory_order_release); /* from here on received */
	if (before < MSQ_SLOTS)
		q->slots[before].next = s->next;
	else
		q->first = s->next;
	if (q->last == i)
		q->last = before;
	q->count--;
	q->bytes -= s->bytes;
	free_chain(q, s->block, blocks_for(least(s->bytes, RIPC_MSGMAX)));
	free_slot(q, i);
}

/* ---- after a death ---- */

struct place {
	uint64_t order;
	uint32_t slot;
};

static int by_order(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	return x->order < y->order ? -1 : x->order > y->order;
}

/* Marks its blocks as used; false when they are not a chain of its length that nobody else has. */
static bool claim_blocks(struct msq_body *q, const struct msq_slot *s, unsigned char *used)
{
	uint32_t b = s->block;
	if (s->bytes > RIPC_MSGMAX)
		return false;
	for (unsigned n = blocks_for(s->bytes); n; n--, b = q->next_block[b]) {
		if (b >= MSQ_BLOCKS || used[b])
			return false;
		used[b] = 1;
	}
	return true;
}

int msq_rebuild(struct msq_body *q)
{
	uint32_t used_slots = q->slots_used < MSQ_SLOTS ? q->slots_used : MSQ_SLOTS;
	unsigned char *used = calloc(1, MSQ_BLOCKS);
	struct place *live = malloc((used_slots + 1) * sizeof(*live));
	uint32_t n = 0;
	if (!used || !live) {
		free(used);
		free(live);
		return -ENOMEM;
	}
	q->first = q->last = q->free_slot = q->free_block = MSQ_NONE;
	q->count = q->bytes = 0;
	for (uint32_t i = 0; i < used_slots; i++) {
		struct msq_slot *s = &q->slots[i];
		if (atomic_load(&s->state) == MSQ_LIVE && claim_blocks(q, s, used)) {
			live[n++] = (struct place){s->order, i};
		} else {
			atomic_store(&s->state, MSQ_FREE);
			free_slot(q, i);
		}
	}
	qsort(live, n, sizeof(*live), by_order);
	for (uint32_t i = 0; i < n; i++) {
		append(q, live[i].slot);
		if (live[i].order > q->order)
			q->order = live[i].order;
	}
	for (uint32_t b = 0; b < MSQ_BLOCKS && b < q->blocks_used; b++) {
		if (!used[b])
			free_chain(q, b, 1);
	}
	free(used);
	free(live);
	return 0;
}
