// SPDX-License-Identifier: GPL-2.0-or-later
/* Rings of pieces: first in, first out, growing by doubling up to a bound. */
#include "world.h"

#include <stdlib.h>
#include <string.h>

#define RING_FIRST 8u /* every ring may have that many, whatever the budget says */

static bool ring_grow(struct model *m, struct ring *r)
{
	uint32_t cap = r->cap ? r->cap * 2 : RING_FIRST;
	if (r->cap && m->pieces + r->cap > RING_BUDGET)
		return false;
	struct piece *v = malloc(cap * sizeof(*v));
	if (!v)
		return false;
	for (uint32_t i = 0; i < r->n; i++)
		v[i] = *ring_at(r, i);
	free(r->v);
	m->pieces += cap - r->cap;
	r->v = v;
	r->cap = cap;
	r->head = 0;
	return true;
}

struct piece *ring_push(struct model *m, struct ring *r, uint32_t max)
{
	if (r->n >= max || (r->n == r->cap && !ring_grow(m, r)))
		return NULL;
	struct piece *p = ring_at(r, r->n++);
	*p = (struct piece){0};
	return p;
}

void ring_pop(struct ring *r)
{
	r->head = (r->head + 1) & (r->cap - 1);
	r->n--;
}

void ring_release(struct model *m, struct ring *r)
{
	m->pieces -= r->cap;
	free(r->v);
	*r = (struct ring){0};
}
