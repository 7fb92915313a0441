/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers and texts to bytes and back, private to lib/model. One function codes both ways: called
 * on a field while saving it appends the field, while loading it fills it in. What is written and
 * what is read can then not differ.
 *
 * Bytes lie in lanes: a field of all objects of a kind stands together, since neighbours are alike, and what
 * is alike gets small when it is compressed. codec_at says in which lane the first field of an object
 * goes; each field moves on by one. Lanes are for size alone: two fields in one do no harm.
 *
 * Numbers take seven bits a byte, the lowest first. The bytes may come from a file that an enemy
 * wrote: what does not fit sets `err`, once and for all, and every later field is loaded as 0.
 */
#ifndef IPCTAP_MODEL_CODEC_H
#define IPCTAP_MODEL_CODEC_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CODEC_LANES 256u

struct codec_lane {
	unsigned char *bytes;          /* saving */
	size_t size, room;
	const unsigned char *at, *end; /* loading: what is left */
	uint64_t last;                 /* that code_near saw */
};

struct codec {
	bool loading;
	int err;      /* 0, -ENOMEM, or -EBADMSG */
	size_t total; /* loading: bytes in all lanes, when it began */
	unsigned int lane;
	struct codec_lane lanes[CODEC_LANES];
};

/* A zeroed codec saves. This one loads; the bytes are borrowed until codec_release. */
void codec_load(struct codec *k, const void *bytes, size_t size);
/* What was saved, the caller's to free(). 0, or the error. */
int codec_take(struct codec *k, void **bytes, size_t *size);
/* All that was there has been loaded. */
bool codec_is_at_end(const struct codec *k);
void codec_release(struct codec *k);

static inline void codec_at(struct codec *k, unsigned int lane) { k->lane = lane; }

void code_number(struct codec *k, uint64_t *v);
/* The same, of one that differs little from the one before it in its lane: a time, a reference. */
void code_near(struct codec *k, uint64_t *v);
/* A NUL-terminated string in a field of `size` bytes; what lies behind its end is not kept. */
void code_text(struct codec *k, char *text, size_t size);

static inline void codec_bad(struct codec *k)
{
	if (!k->err)
		k->err = -EBADMSG;
}

/* How many objects follow: never more than there are bytes, so that a lie costs no memory. */
static inline void code_count(struct codec *k, uint64_t *n)
{
	code_number(k, n);
	if (k->loading && *n > k->total) {
		codec_bad(k);
		*n = 0;
	}
}

/* A field of any unsigned type, or bool. One that the value does not fit into is an error. */
#define CODE_BY(code, k, field)                                                                    \
	do {                                                                                       \
		uint64_t code_v_ = (uint64_t)(field);                                              \
		code(k, &code_v_);                                                                 \
		if ((k)->loading) {                                                                \
			(field) = (__typeof__(field))code_v_;                                      \
			if ((uint64_t)(field) != code_v_)                                          \
				codec_bad(k);                                                      \
		}                                                                                  \
	} while (0)
#define CODE(k, field) CODE_BY(code_number, k, field)
#define CODE_NEAR(k, field) CODE_BY(code_near, k, field)

/* The same, signed: small numbers are short, whatever their sign. */
#define CODE_SIGNED(k, field)                                                                      \
	do {                                                                                       \
		uint64_t code_z_ = codec_zigzag((int64_t)(field));                                 \
		code_number(k, &code_z_);                                                          \
		if ((k)->loading) {                                                                \
			int64_t code_s_ = codec_unzigzag(code_z_);                                 \
			(field) = (__typeof__(field))code_s_;                                      \
			if ((int64_t)(field) != code_s_)                                           \
				codec_bad(k);                                                      \
		}                                                                                  \
	} while (0)

/* 0, -1, 1, -2 … to 0, 1, 2, 3 … and back */
static inline uint64_t codec_zigzag(int64_t v) { return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63); }
static inline int64_t codec_unzigzag(uint64_t z) { return (int64_t)((z >> 1) ^ (0 - (z & 1))); }

#endif
