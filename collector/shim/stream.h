/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A call on a stream, and what it moved: how much lay in the stream's buffers before and after says so.
 * stdio.c says why. Characters that are wide lie in a buffer of their own, and count as what they are made
 * into (wide.c).
 */
#ifndef IPCTAP_SHIM_STREAM_H
#define IPCTAP_SHIM_STREAM_H

#include <stdio.h>

#include "collector/shim/shim.h"

struct stream {
	struct shim_op o;
	FILE *f;
	size_t before;
	char *base;
};

/* False: nothing to tell of this call. */
bool shim_out_begin(struct stream *s, FILE *f);
bool shim_in_begin(struct stream *s, FILE *f);
/* `put`: the bytes that the call took, negative: it failed. */
void shim_out_end(struct stream *s, int64_t put);
/* `got`: the bytes that the call gave; negative: not known, but what it left in the buffer is. */
void shim_in_end(struct stream *s, int64_t got);

/* Bytes that the wide characters of a stream's own buffer are made of, to be written and not read yet. */
size_t shim_wide_pending(const FILE *f);
size_t shim_wide_unread(const FILE *f);

/* Bytes in the buffers: not written yet, not read yet. */
static inline size_t shim_pending(const FILE *f)
{
	size_t n = (size_t)(f->_IO_write_ptr - f->_IO_write_base);
	return SHIM_RARE(f->_mode > 0) ? n + shim_wide_pending(f) : n;
}

static inline size_t shim_unread(const FILE *f)
{
	size_t n = (size_t)(f->_IO_read_end - f->_IO_read_ptr);
	return SHIM_RARE(f->_mode > 0) ? n + shim_wide_unread(f) : n;
}

/* Wrappers: `put` and `got` as above, of the result `ret`. */
#define OUT(type, name, params, args, f, put)                                              \
	SHIM_EXPORT type name params                                                       \
	{                                                                                  \
		struct stream s;                                                           \
		if (!shim_out_begin(&s, f))                                                \
			return REAL(name) args;                                            \
		type ret = REAL(name) args;                                                \
		shim_out_end(&s, put);                                                     \
		return ret;                                                                \
	}

#define IN(type, name, params, args, f, got)                                               \
	SHIM_EXPORT type name params                                                       \
	{                                                                                  \
		struct stream s;                                                           \
		if (!shim_in_begin(&s, f))                                                 \
			return REAL(name) args;                                            \
		type ret = REAL(name) args;                                                \
		shim_in_end(&s, got);                                                      \
		return ret;                                                                \
	}

#define FORMAT(name, params, last, call)                                                   \
	SHIM_EXPORT int name params                                                        \
	{                                                                                  \
		va_list ap;                                                                \
		va_start(ap, last);                                                        \
		int ret = call;                                                            \
		va_end(ap);                                                                \
		return ret;                                                                \
	}

#endif
