/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A parsed filter, a list of terms that must all hold: for filter.c and filter_parse.c, and for who
 * holds the same words against other things than operations (ui/tui/rowfilter.c).
 */
#ifndef IPCTAP_MODEL_FILTER_TERMS_H
#define IPCTAP_MODEL_FILTER_TERMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "filter.h"

enum term_what {
	TERM_KIND,
	TERM_OP,
	TERM_PID,
	TERM_TID,
	TERM_COMM,
	TERM_CHAN,
	TERM_BYTES,
	TERM_LATENCY,
	TERM_SLEPT,
	TERM_RET,
	TERM_FD,
	TERM_BLOCKED,
	TERM_ERROR,
};

enum term_cmp { CMP_EQ, CMP_NE, CMP_LT, CMP_LE, CMP_GT, CMP_GE };

struct term_glob {
	char *pattern;
	bool is_literal; /* no wildcard: compared, not matched */
	uint64_t id;     /* the pattern as a channel's id; 0: it is none */
};

struct term {
	enum term_what what;
	enum term_cmp cmp;
	bool negate;
	int64_t value;   /* compared with; 0 and up but for ret and fd */
	uint64_t set[4]; /* kind, op: one bit each */
	uint32_t *ids;   /* pid, tid: nids of them */
	struct term_glob *globs;
	size_t nids, nglobs;
};

struct filter {
	struct term *terms;
	size_t n;
};

/* Compares n with the term's value, as its cmp says. */
bool term_holds_unsigned(const struct term *t, uint64_t n);
bool term_holds_signed(const struct term *t, int64_t n);

void term_release(struct term *t);

_Static_assert(OP_MAX <= 256 && KIND_MAX <= 256, "term.set");

#endif
