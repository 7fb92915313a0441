// SPDX-License-Identifier: GPL-2.0-or-later
/* As bytes: the size of each lane, then the lanes. */
#include "codec.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 256u
#define NUMBER_BYTES_MAX 10u

static struct codec_lane *next_lane(struct codec *k) { return &k->lanes[k->lane++ % CODEC_LANES]; }

/* ---- saving ---- */

static unsigned char *reserve(struct codec *k, struct codec_lane *l, size_t n)
{
	if (l->room - l->size < n) {
		size_t room = 2 * (l->room + n) + ROOM_FIRST;
		unsigned char *bytes = k->err ? NULL : realloc(l->bytes, room);
		if (!bytes) {
			k->err = k->err ? k->err : -ENOMEM;
			return NULL;
		}
		l->bytes = bytes;
		l->room = room;
	}
	return l->bytes + l->size;
}

static unsigned char *write_number(unsigned char *to, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		*to++ = (unsigned char)(v | 0x80);
	*to++ = (unsigned char)v;
	return to;
}

static void put_number(struct codec *k, struct codec_lane *l, uint64_t v)
{
	unsigned char *to = reserve(k, l, NUMBER_BYTES_MAX);
	if (to)
		l->size = (size_t)(write_number(to, v) - l->bytes);
}

int codec_take(struct codec *k, void **bytes, size_t *size)
{
	size_t n = CODEC_LANES * NUMBER_BYTES_MAX;
	for (unsigned int i = 0; i < CODEC_LANES; i++)
		n += k->lanes[i].size;
	unsigned char *all = k->err ? NULL : malloc(n), *to = all;
	if (!all)
		return k->err ? k->err : -ENOMEM;
	for (unsigned int i = 0; i < CODEC_LANES; i++)
		to = write_number(to, k->lanes[i].size);
	for (unsigned int i = 0; i < CODEC_LANES; i++) {
		const struct codec_lane *l = &k->lanes[i];
		if (l->size)
			memcpy(to, l->bytes, l->size);
		to += l->size;
	}
	*bytes = all;
	*size = (size_t)(to - all);
	return 0;
}

void codec_release(struct codec *k)
{
	for (unsigned int i = 0; i < CODEC_LANES; i++)
		free(k->lanes[i].bytes);
}

/* ---- loading ---- */

static uint64_t get_number(struct codec *k, struct codec_lane *l)
{
	uint64_t v = 0;
	for (unsigned int shift = 0; shift < 64 && l->at < l->end; shift += 7) {
		unsigned char byte = *l->at++;
		if (shift == 63 && byte > 1)
			break;
		v |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return v;
	}
	codec_bad(k);
	return 0;
}

void codec_load(struct codec *k, const void *bytes, size_t size)
{
	struct codec_lane all = {.at = bytes, .end = (const unsigned char *)bytes + size};
	size_t sizes[CODEC_LANES];
	*k = (struct codec){.loading = true, .total = size};
	for (unsigned int i = 0; i < CODEC_LANES; i++)
		sizes[i] = get_number(k, &all);
	for (unsigned int i = 0; i < CODEC_LANES && !k->err; i++) {
		if (sizes[i] > (size_t)(all.end - all.at)) {
			codec_bad(k);
			return;
		}
		k->lanes[i].at = all.at;
		k->lanes[i].end = all.at += sizes[i];
	}
	if (all.at != all.end)
		codec_bad(k);
}

bool codec_is_at_end(const struct codec *k)
{
	for (unsigned int i = 0; i < CODEC_LANES; i++)
		if (k->lanes[i].at != k->lanes[i].end)
			return false;
	return true;
}

/* ---- both ---- */

void code_number(struct codec *k, uint64_t *v)
{
	struct codec_lane *l = next_lane(k);
	if (k->loading)
		*v = k->err ? 0 : get_number(k, l);
	else
		put_number(k, l, *v);
}

void code_near(struct codec *k, uint64_t *v)
{
	struct codec_lane *l = next_lane(k);
	if (!k->loading)
		put_number(k, l, codec_zigzag((int64_t)(*v - l->last)));
	else
		*v = k->err ? 0 : l->last + (uint64_t)codec_unzigzag(get_number(k, l));
	l->last = *v;
}

static void get_text(struct codec *k, struct codec_lane *l, char *text, size_t size)
{
	uint64_t n = k->err ? 0 : get_number(k, l);
	if (n >= size || n > (size_t)(l->end - l->at)) {
		codec_bad(k);
		n = 0;
	}
	if (n)
		memcpy(text, l->at, n);
	memset(text + n, 0, size - n);
	l->at += n;
}

void code_text(struct codec *k, char *text, size_t size)
{
	struct codec_lane *l = next_lane(k);
	if (k->loading) {
		get_text(k, l, text, size);
		return;
	}
	size_t n = strnlen(text, size - 1);
	put_number(k, l, n);
	unsigned char *to = n ? reserve(k, l, n) : NULL;
	if (!to)
		return;
	memcpy(to, text, n);
	l->size += n;
}
