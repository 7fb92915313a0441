/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An index from 64-bit keys to the rows of an array that does not change any more: built once, in
 * two arrays, whatever the number of rows of a key. Private to collector/snap*.
 *
 *     for (uint32_t i = snap_first(&ix, key); i != SNAP_NONE; i = snap_next(&ix, i))
 *             … rows[i] …                            latest row first
 */
#ifndef IPCTAP_COLLECTOR_SNAP_INDEX_H
#define IPCTAP_COLLECTOR_SNAP_INDEX_H

#include <stdint.h>
#include <stdlib.h>

#define SNAP_NONE UINT32_MAX

struct snap_index {
	uint64_t *keys; /* of each row */
	uint32_t *next; /* of the same bucket */
	uint32_t *head;
	uint32_t mask, rows;
};

static inline uint64_t snap_mix(uint64_t a, uint64_t b)
{
	return (a ^ (b + 0x9e3779b97f4a7c15ULL) * 0xff51afd7ed558ccdULL) * 0xc4ceb9fe1a85ec53ULL;
}

static inline uint32_t snap_bucket(const struct snap_index *ix, uint64_t key)
{
	return (uint32_t)(snap_mix(key, 0) >> 32) & ix->mask;
}

/* Room for `rows` rows, none in yet. 0 or -1: no memory; release it either way. */
static inline int snap_index_init(struct snap_index *ix, uint32_t rows)
{
	uint32_t buckets = 16;
	while (buckets < rows)
		buckets *= 2;
	*ix = (struct snap_index){ .mask = buckets - 1, .rows = rows };
	ix->keys = calloc(rows + 1, sizeof(*ix->keys));
	ix->next = calloc(rows + 1, sizeof(*ix->next));
	ix->head = malloc(buckets * sizeof(*ix->head));
	if (!ix->keys || !ix->next || !ix->head)
		return -1;
	for (uint32_t i = 0; i < buckets; i++)
		ix->head[i] = SNAP_NONE;
	return 0;
}

static inline void snap_index_put(struct snap_index *ix, uint32_t row, uint64_t key)
{
	uint32_t *head = &ix->head[snap_bucket(ix, key)];
	ix->keys[row] = key;
	ix->next[row] = *head;
	*head = row;
}

static inline uint32_t snap_match(const struct snap_index *ix, uint32_t row, uint64_t key)
{
	while (row != SNAP_NONE && ix->keys[row] != key)
		row = ix->next[row];
	return row;
}

static inline uint32_t snap_first(const struct snap_index *ix, uint64_t key)
{
	return ix->head ? snap_match(ix, ix->head[snap_bucket(ix, key)], key) : SNAP_NONE;
}

static inline uint32_t snap_next(const struct snap_index *ix, uint32_t row)
{
	return snap_match(ix, ix->next[row], ix->keys[row]);
}

static inline void snap_index_release(struct snap_index *ix)
{
	free(ix->keys);
	free(ix->next);
	free(ix->head);
	*ix = (struct snap_index){ 0 };
}

#endif
