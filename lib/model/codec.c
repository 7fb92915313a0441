// SPDX-License-Identifier: GPL-2.0-or-later
#include "codec.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 4096u
#define NUMBER_BYTES_MAX 10u

static unsigned char *reserve(struct codec *k, size_t n)
{
	if (k->room - k->size < n) {
		size_t room = 2 * (k->room + n) + ROOM_FIRST;
		unsigned char *bytes = k->err ? NULL : realloc(k->bytes, room);
		if (!bytes) {
			k->err = k->err ? k->err : -ENOMEM;
			return NULL;
		}
		k->bytes = bytes;
		k->room = room;
	}
	return k->bytes + k->size;
}

static void put_number(struct codec *k, uint64_t v)
{
	unsigned char *to = reserve(k, NUMBER_BYTES_MAX);
	if (!to)
		return;
	for (; v >= 0x80; v >>= 7)
		*to++ = (unsigned char)(v | 0x80);
	*to++ = (unsigned char)v;
	k->size = (size_t)(to - k->bytes);
}

static uint64_t get_number(struct codec *k)
{
	uint64_t v = 0;
	for (unsigned int shift = 0; shift < 64 && k->at < k->end; shift += 7) {
		unsigned char byte = *k->at++;
		if (shift == 63 && byte > 1)
			break;
		v |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return v;
	}
	codec_bad(k);
	k->at = k->end; /* nothing that follows can be told apart */
	return 0;
}

void code_number(struct codec *k, uint64_t *v)
{
	if (k->loading)
		*v = k->err ? 0 : get_number(k);
	else
		put_number(k, *v);
}

void code_text(struct codec *k, char *text, size_t size)
{
	uint64_t n = k->loading ? 0 : strnlen(text, size - 1);
	code_count(k, &n);
	if (k->loading) {
		if (n >= size) {
			codec_bad(k);
			n = 0;
		}
		if (n)
			memcpy(text, k->at, n);
		memset(text + n, 0, size - n);
		k->at += n;
		return;
	}
	unsigned char *to = n ? reserve(k, n) : NULL;
	if (!to)
		return;
	memcpy(to, text, n);
	k->size += n;
}
