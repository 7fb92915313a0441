// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rates per second between two refreshes; see rates.h.
 *
 * Objects are asked for in the same order at each refresh, but for those that are gone or new. So
 * what is remembered is a list in that order, and the next object is nearly always the next entry.
 * Where it is not, the list is searched by key, through an index that is made only then.
 */
#include "ui/tui/rates.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_AHEAD 8 /* entries of objects that may be gone */

struct counted {
	struct row_key key;
	uint64_t counters[RATES_COUNTERS];
};

struct list {
	struct counted *v;
	size_t n, capacity;
};

struct rates {
	struct list before, now; /* of the refresh before, and of this one or the latest */
	size_t at;          /* in before: where the next object is likely to be */
	size_t nfound;      /* of before */
	uint32_t *by_key;   /* indexes into before, sorted by key; NULL: not made */
	bool has_now;
	uint64_t now_ns, span_ns;
};

struct rates *rates_new(void)
{
	return calloc(1, sizeof(struct rates));
}

void rates_free(struct rates *r)
{
	if (!r)
		return;
	free(r->before.v);
	free(r->now.v);
	free(r->by_key);
	free(r);
}

static bool list_copy(struct list *to, const struct list *from)
{
	to->v = malloc((from->n + 1) * sizeof(*to->v));
	if (!to->v)
		return false;
	if (from->n)
		memcpy(to->v, from->v, from->n * sizeof(*to->v));
	to->n = from->n;
	to->capacity = from->n + 1;
	return true;
}

struct rates *rates_copy(const struct rates *r)
{
	struct rates *copy = rates_new();

	if (!copy)
		return NULL;
	if (list_copy(&copy->before, &r->before) && list_copy(&copy->now, &r->now)) {
		copy->has_now = r->has_now;
		copy->now_ns = r->now_ns;
		copy->span_ns = r->span_ns;
		return copy;
	}
	rates_free(copy);
	return NULL;
}

void rates_begin(struct rates *r, uint64_t now_ns, uint64_t first_ns)
{
	uint64_t before_ns = r->has_now ? r->now_ns : first_ns;

	if (!r->has_now || now_ns != r->now_ns) {
		struct list before = r->before;

		r->before = r->now;
		r->now = before;
		r->span_ns = now_ns > before_ns ? now_ns - before_ns : 0;
		r->now_ns = now_ns;
		r->has_now = true;
	}
	r->now.n = 0;
	r->at = r->nfound = 0;
}

double rates_span_s(const struct rates *r)
{
	return (double)r->span_ns / 1e9;
}

static int compare_keys(const void *pa, const void *pb, void *arg)
{
	const struct list *l = arg;

	return memcmp(&l->v[*(const uint32_t *)pa].key, &l->v[*(const uint32_t *)pb].key,
		      sizeof(struct row_key));
}

static bool index_make(struct rates *r)
{
	if (r->by_key)
		return true;
	r->by_key = malloc((r->before.n + 1) * sizeof(*r->by_key));
	if (!r->by_key)
		return false;
	for (size_t i = 0; i < r->before.n; i++)
		r->by_key[i] = (uint32_t)i;
	qsort_r(r->by_key, r->before.n, sizeof(*r->by_key), compare_keys, &r->before);
	return true;
}

static bool key_is(const struct counted *c, const struct row_key *key)
{
	return memcmp(&c->key, key, sizeof(*key)) == 0;
}

/* By the index. Without memory for it, one after the other. */
static const struct counted *search(struct rates *r, const struct row_key *key)
{
	size_t low = 0, high = r->before.n;

	if (!index_make(r)) {
		for (size_t i = 0; i < high; i++)
			if (key_is(&r->before.v[i], key))
				return &r->before.v[i];
		return NULL;
	}
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct counted *c = &r->before.v[r->by_key[middle]];
		int order = memcmp(&c->key, key, sizeof(*key));

		if (order == 0)
			return c;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static const struct counted *find(struct rates *r, const struct row_key *key)
{
	const struct counted *c;

	for (size_t i = r->at; i < r->before.n && i < r->at + LOOK_AHEAD; i++) {
		if (!key_is(&r->before.v[i], key))
			continue;
		r->at = i + 1;
		return &r->before.v[i];
	}
	if (r->nfound == r->before.n)
		return NULL; /* all have been asked for: it is new */
	c = search(r, key);
	if (c)
		r->at = (size_t)(c - r->before.v) + 1;
	return c;
}

static int remember(struct rates *r, const struct row_key *key,
		    const uint64_t counters[RATES_COUNTERS])
{
	struct list *l = &r->now;

	if (l->n == l->capacity) {
		size_t capacity = l->capacity ? l->capacity * 2 : 64;
		struct counted *v = capacity <= UINT32_MAX ?
					    reallocarray(l->v, capacity, sizeof(*v)) :
					    NULL;

		if (!v)
			return -ENOMEM;
		l->v = v;
		l->capacity = capacity;
	}
	l->v[l->n].key = *key;
	memcpy(l->v[l->n].counters, counters, sizeof(l->v[l->n].counters));
	l->n++;
	return 0;
}

int rates_get(struct rates *r, const struct row_key *key, const uint64_t counters[RATES_COUNTERS],
	      double per_s[RATES_COUNTERS])
{
	const struct counted *c = find(r, key);
	double span_s = rates_span_s(r);

	r->nfound += c != NULL;
	for (int i = 0; i < RATES_COUNTERS; i++) {
		uint64_t before = c ? c->counters[i] : 0;

		per_s[i] = counters[i] > before && span_s > 0 ?
				   (double)(counters[i] - before) / span_s :
				   0;
	}
	return remember(r, key, counters);
}

void rates_end(struct rates *r)
{
	free(r->by_key);
	r->by_key = NULL;
}
