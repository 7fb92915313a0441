// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Records are copied into chunks; what is sorted is an array of keys. Input is almost sorted (a
 * few rings, each almost in order), so an arriving key is first moved back over its last few
 * predecessors; one that belongs further back begins a new run. A release merges the runs, a
 * stable natural merge sort in which only the overlap of two runs is touched.
 */
#include "order.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES (256u * 1024)
#define CHUNKS_SPARE 16 /* kept for reuse; more are given back */
#define SHIFT_MAX 32    /* places a key may be moved back on arrival */

/* Aligned to its size, so that a record's chunk is found from its address. */
struct chunk {
	struct chunk *next;  /* of the spare ones */
	uint32_t used, live; /* bytes handed out; records not yet released */
	char data[];
};

struct key {
	uint64_t t_ns;
	struct ev_hdr *ev;
};

struct order {
	struct sink sink;
	struct sink *next;
	struct chunk *fill, *spare;
	unsigned int nspare;
	/* keys[head..n) are pending, in runs[0..nruns), each beginning at the index given */
	struct key *keys, *tmp;
	size_t head, n, cap, tmp_cap;
	size_t *runs;
	size_t nruns, runs_cap;
	bool released;
	uint64_t released_ns; /* everything up to here is out */
	uint64_t late;
};

static struct chunk *chunk_get(struct order *q)
{
	struct chunk *c = q->spare;
	if (c) {
		q->spare = c->next;
		q->nspare--;
	} else {
		c = aligned_alloc(CHUNK_BYTES, CHUNK_BYTES);
	}
	if (c)
		*c = (struct chunk){.used = sizeof(*c)};
	return c;
}

static void chunk_put(struct order *q, struct chunk *c)
{
	if (q->nspare == CHUNKS_SPARE) {
		free(c);
		return;
	}
	c->next = q->spare;
	q->spare = c;
	q->nspare++;
}

static struct chunk *chunk_of(const struct ev_hdr *ev)
{
	return (struct chunk *)((uintptr_t)ev & ~(uintptr_t)(CHUNK_BYTES - 1));
}

static void record_drop(struct order *q, struct ev_hdr *ev)
{
	struct chunk *c = chunk_of(ev);
	if (--c->live > 0)
		return;
	if (c == q->fill)
		c->used = sizeof(*c);
	else
		chunk_put(q, c);
}

static struct ev_hdr *record_copy(struct order *q, const struct ev_hdr *ev)
{
	uint32_t size = ((uint32_t)ev->size + 7) & ~7u;
	if (!q->fill || q->fill->used + size > CHUNK_BYTES) {
		struct chunk *c = chunk_get(q);
		if (!c)
			return NULL;
		q->fill = c; /* the full one is found again through its records */
	}
	struct ev_hdr *copy = (struct ev_hdr *)((char *)q->fill + q->fill->used);
	memcpy(copy, ev, ev->size);
	q->fill->used += size;
	q->fill->live++;
	return copy;
}

/* Room for one more element in an array of `size` bytes each. */
static int grow(void *array, size_t *cap, size_t need, size_t size)
{
	if (need <= *cap)
		return 0;
	size_t want = *cap ? *cap * 2 : 1024;
	if (want < need)
		want = need;
	void *bigger = reallocarray(*(void **)array, want, size);
	if (!bigger)
		return -ENOMEM;
	*(void **)array = bigger;
	*cap = want;
	return 0;
}

static int push(struct order *q, const struct ev_hdr *ev)
{
	if (q->head == q->n)
		q->head = q->n = q->nruns = 0;
	if (grow(&q->keys, &q->cap, q->n + 1, sizeof(*q->keys)) < 0 ||
	    grow(&q->runs, &q->runs_cap, q->nruns + 1, sizeof(*q->runs)) < 0)
		return -ENOMEM;
	struct ev_hdr *copy = record_copy(q, ev);
	if (!copy)
		return -ENOMEM;
	struct key key = {ev->t_ns, copy};
	if (q->nruns == 0)
		q->runs[q->nruns++] = q->n;
	size_t begin = q->runs[q->nruns - 1], at = q->n;
	size_t stop = q->n - begin > SHIFT_MAX ? q->n - SHIFT_MAX : begin;
	while (at > stop && q->keys[at - 1].t_ns > key.t_ns)
		at--;
	if (at > begin && q->keys[at - 1].t_ns > key.t_ns) {
		q->runs[q->nruns++] = q->n; /* belongs further back than is worth moving */
		at = q->n;
	}
	memmove(&q->keys[at + 1], &q->keys[at], (q->n - at) * sizeof(key));
	q->keys[at] = key;
	q->n++;
	return 0;
}

static int order_event(struct sink *self, const struct ev_hdr *ev)
{
	struct order *q = (struct order *)((char *)self - offsetof(struct order, sink));
	if (ev->size < sizeof(*ev))
		return -EINVAL;
	if (ev->type == EV_CHAN || ev->type == EV_LOST)
		return sink_event(q->next, ev);
	if (q->released && ev->t_ns <= q->released_ns) {
		q->late++;
		return sink_event(q->next, ev);
	}
	return push(q, ev);
}

/* The first of v[lo..hi) with a time above t_ns, or, for `or_equal`, not below it. */
static size_t bound(const struct key *v, size_t lo, size_t hi, uint64_t t_ns, bool or_equal)
{
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (v[mid].t_ns < t_ns || (v[mid].t_ns == t_ns && !or_equal))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Merges the neighbours v[lo..mid) and v[mid..hi), the left one first among equals. */
static void merge(struct key *v, struct key *tmp, size_t lo, size_t mid, size_t hi)
{
	if (v[mid - 1].t_ns <= v[mid].t_ns)
		return;
	lo = bound(v, lo, mid, v[mid].t_ns, false);
	hi = bound(v, mid, hi, v[mid - 1].t_ns, true);
	size_t left = mid - lo, i = 0, j = mid, at = lo;
	memcpy(tmp, &v[lo], left * sizeof(*v));
	while (i < left && j < hi)
		v[at++] = v[j].t_ns < tmp[i].t_ns ? v[j++] : tmp[i++];
	memcpy(&v[at], &tmp[i], (left - i) * sizeof(*v));
}

/* Makes one run of all: neighbours are merged in rounds, which keeps the cost at n log(runs). */
static int sort(struct order *q)
{
	if (q->nruns <= 1)
		return 0;
	if (grow(&q->tmp, &q->tmp_cap, q->n - q->head, sizeof(*q->tmp)) < 0)
		return -ENOMEM;
	while (q->nruns > 1) {
		size_t out = 0;
		for (size_t i = 0; i < q->nruns; i += 2) {
			if (i + 1 < q->nruns) {
				size_t hi = i + 2 < q->nruns ? q->runs[i + 2] : q->n;
				merge(q->keys, q->tmp, q->runs[i], q->runs[i + 1], hi);
			}
			q->runs[out++] = q->runs[i];
		}
		q->nruns = out;
	}
	return 0;
}

/* Moves the pending keys to the front once those already out take up more than they do. */
static void compact(struct order *q)
{
	size_t pending = q->n - q->head;
	if (q->head > pending) {
		memcpy(q->keys, &q->keys[q->head], pending * sizeof(*q->keys));
		q->head = 0;
		q->n = pending;
	}
	q->nruns = pending > 0;
	if (pending > 0)
		q->runs[0] = q->head;
}

int order_release(struct order *q, uint64_t until_ns)
{
	int err = sort(q);
	if (err)
		return err;
	while (!err && q->head < q->n && q->keys[q->head].t_ns <= until_ns) {
		struct ev_hdr *ev = q->keys[q->head++].ev;
		err = sink_event(q->next, ev);
		record_drop(q, ev);
	}
	compact(q);
	if (!q->released || until_ns > q->released_ns)
		q->released_ns = until_ns;
	q->released = true;
	return err;
}

struct order *order_new(struct sink *next)
{
	struct order *q = calloc(1, sizeof(*q));
	if (!q)
		return NULL;
	q->sink.event = order_event;
	q->next = next;
	return q;
}

void order_free(struct order *q)
{
	if (!q)
		return;
	while (q->head < q->n)
		record_drop(q, q->keys[q->head++].ev);
	free(q->fill);
	for (struct chunk *c = q->spare, *next; c; c = next) {
		next = c->next;
		free(c);
	}
	free(q->keys);
	free(q->tmp);
	free(q->runs);
	free(q);
}

struct sink *order_sink(struct order *q) { return &q->sink; }
uint64_t order_late(const struct order *q) { return q->late; }
uint64_t order_pending(const struct order *q) { return q->n - q->head; }
