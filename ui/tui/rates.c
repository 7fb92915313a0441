// SPDX-License-Identifier: GPL-2.0-or-later
/* Rates per second between two refreshes; see rates.h. */
#include "ui/tui/rates.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Without this uthash ends the program when memory is short. */
#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(elt) ((elt)->refused = true)
#include <uthash.h>

struct counted {
	struct row_key key;
	uint64_t counters[RATES_COUNTERS];
	uint64_t refresh; /* the latest that asked for it */
	bool refused;
	UT_hash_handle hh;
};

struct rates {
	struct counted *objects;
	uint64_t refresh; /* 1, 2, 3 … */
	uint64_t now_ns;
	uint64_t span_ns;
};

struct rates *rates_new(void)
{
	return calloc(1, sizeof(struct rates));
}

void rates_free(struct rates *r)
{
	struct counted *c, *next;

	if (!r)
		return;
	HASH_ITER(hh, r->objects, c, next) {
		HASH_DEL(r->objects, c);
		free(c);
	}
	free(r);
}

void rates_begin(struct rates *r, uint64_t now_ns, uint64_t first_ns)
{
	uint64_t before = r->refresh ? r->now_ns : first_ns;

	r->span_ns = now_ns > before ? now_ns - before : 0;
	r->now_ns = now_ns;
	r->refresh++;
}

double rates_span_s(const struct rates *r)
{
	return (double)r->span_ns / 1e9;
}

static struct counted *counted_new(struct rates *r, const struct row_key *key)
{
	struct counted *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->key = *key;
	HASH_ADD(hh, r->objects, key, sizeof(c->key), c);
	if (c->refused) {
		free(c);
		return NULL;
	}
	return c;
}

int rates_get(struct rates *r, const struct row_key *key, const uint64_t counters[RATES_COUNTERS],
	      double per_s[RATES_COUNTERS])
{
	double span_s = rates_span_s(r);
	struct counted *c;

	HASH_FIND(hh, r->objects, key, sizeof(*key), c);
	if (!c)
		c = counted_new(r, key);
	for (int i = 0; i < RATES_COUNTERS; i++) {
		uint64_t before = c ? c->counters[i] : 0;

		per_s[i] = counters[i] > before && span_s > 0 ?
				   (double)(counters[i] - before) / span_s :
				   0;
	}
	if (!c)
		return -ENOMEM;
	memcpy(c->counters, counters, sizeof(c->counters));
	c->refresh = r->refresh;
	return 0;
}

void rates_end(struct rates *r)
{
	struct counted *c, *next;

	HASH_ITER(hh, r->objects, c, next) {
		if (c->refresh == r->refresh)
			continue;
		HASH_DEL(r->objects, c);
		free(c);
	}
}
