/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The latest operations, for the Events view and for pages: a sink behind the model that keeps the
 * last of those that -e lets through, and forgets the others; how many there were is counted.
 */
#ifndef IPCTAP_UI_TUI_TAIL_H
#define IPCTAP_UI_TUI_TAIL_H

#include <stdbool.h>

#include "lib/stream/stream.h"

#define TAIL_MAX 8192u /* a power of two */

struct tail {
	struct sink sink;
	struct ev_io *v; /* a ring */
	uint64_t n;      /* so many ever; the i-th is v[i % TAIL_MAX] */
	uint64_t before; /* operations before the first of those, when it began in the middle */
	bool is_numbered; /* that is known */
};

int tail_init(struct tail *t); /* 0 or -ENOMEM */
void tail_release(struct tail *t);
void tail_clear(struct tail *t); /* as after tail_init: the stream begins anew */

/* The number of the oldest one that is still there; up to n - 1. */
static inline uint64_t tail_first(const struct tail *t)
{
	return t->n > TAIL_MAX ? t->n - TAIL_MAX : 0;
}
static inline const struct ev_io *tail_get(const struct tail *t, uint64_t i)
{
	return &t->v[i % TAIL_MAX];
}

#endif
