/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers and texts to bytes and back, private to lib/model. One function codes both ways: called
 * on a field while saving it appends the field, while loading it fills it in. What is written and
 * what is read can then not differ.
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

struct codec {
	bool loading;
	int err;                       /* 0, -ENOMEM, or -EBADMSG */
	unsigned char *bytes;          /* saving: the caller's to free() */
	size_t size, room;
	const unsigned char *at, *end; /* loading: what is left */
};

void code_number(struct codec *k, uint64_t *v);
/* A NUL-terminated string in a field of `size` bytes; what lies behind its end is not kept. */
void code_text(struct codec *k, char *text, size_t size);

static inline void codec_bad(struct codec *k)
{
	if (!k->err)
		k->err = -EBADMSG;
}

/* How many objects follow: never more than there are bytes left, so that a lie costs no memory. */
static inline void code_count(struct codec *k, uint64_t *n)
{
	code_number(k, n);
	if (k->loading && *n > (uint64_t)(k->end - k->at)) {
		codec_bad(k);
		*n = 0;
	}
}

/* A field of any unsigned type, or bool. One that the value does not fit into is an error. */
#define CODE(k, field)                                                                             \
	do {                                                                                       \
		uint64_t code_v_ = (uint64_t)(field);                                              \
		code_number(k, &code_v_);                                                          \
		if ((k)->loading) {                                                                \
			(field) = (__typeof__(field))code_v_;                                      \
			if ((uint64_t)(field) != code_v_)                                          \
				codec_bad(k);                                                      \
		}                                                                                  \
	} while (0)

/* The same, signed: small numbers are short, whatever their sign. */
#define CODE_SIGNED(k, field)                                                                      \
	do {                                                                                       \
		int64_t code_s_ = (int64_t)(field);                                                \
		uint64_t code_z_ = ((uint64_t)code_s_ << 1) ^ (uint64_t)(code_s_ >> 63);           \
		code_number(k, &code_z_);                                                          \
		if ((k)->loading) {                                                                \
			code_s_ = (int64_t)((code_z_ >> 1) ^ (0 - (code_z_ & 1)));                 \
			(field) = (__typeof__(field))code_s_;                                      \
			if ((int64_t)(field) != code_s_)                                           \
				codec_bad(k);                                                      \
		}                                                                                  \
	} while (0)

#endif
