/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests that tell a model small stories: told, and what it then is, as text. */
#ifndef IPCTAP_TESTS_MODEL_STORY_H
#define IPCTAP_TESTS_MODEL_STORY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/model/model.h"
#include "make_event.h"

/* An event of any type, which must be taken. */
static inline void tell(struct model *m, const void *ev) { assert_int_equal(model_apply(m, ev), 0); }

/* The canonical text; the caller frees. */
static inline char *dump(const struct model *m)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	assert_non_null(f);
	assert_int_equal(model_dump(m, f), 0);
	fclose(f);
	return text;
}

#endif
