// SPDX-License-Identifier: GPL-2.0-or-later
#include "locks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
static _Thread_local bool hash_failed;
#define uthash_nonfatal_oom(element) (hash_failed = true)
#include <uthash.h>

#define NESTINGS_MAX 65536
#define CYCLES_MAX 256
#define STEPS_MAX 10000000 /* of all searches together: beyond that, circles may be missed */
#define SAMPLES 2          /* threads remembered of each nesting: two suffice to tell a circle from one's own */

struct lock {
	struct lock_stat stat;
	bool is_lock; /* an operation on a lock was told: not some other futex */
	UT_hash_handle hh;
};

struct nesting_key {
	uint64_t held, got;
	uint32_t held_reading, got_reading;
};

struct nesting {
	struct nesting_key key;
	struct lock_nesting by[SAMPLES];
	uint32_t n;        /* threads, at most SAMPLES */
	struct nesting *next; /* of those with the same lock held */
	uint32_t number, from;
	uint32_t seen;     /* in which search it was met last */
	UT_hash_handle hh;
};

struct outgoing { /* by the lock held */
	uint64_t held;
	struct nesting *first;
	UT_hash_handle hh;
};

/* The first row of a lock_order, until the second comes. */
struct half {
	uint32_t tid;
	struct ev_io io;
	UT_hash_handle hh;
};

struct locks {
	struct lock *locks;
	struct lock **sorted;
	size_t nsorted;
	struct nesting *nestings;
	struct nesting **list;
	uint32_t n, room;
	struct outgoing *outgoing;
	struct half *halves;
	uint64_t dropped;
};

struct locks *locks_new(void) { return calloc(1, sizeof(struct locks)); }

#define FREE_ALL(type, head)                                                                       \
	do {                                                                                       \
		struct type *x_, *next_;                                                           \
		HASH_ITER(hh, head, x_, next_)                                                     \
		{                                                                                  \
			HASH_DEL(head, x_);                                                        \
			free(x_);                                                                  \
		}                                                                                  \
	} while (0)

void locks_free(struct locks *l)
{
	if (!l)
		return;
	FREE_ALL(lock, l->locks);
	FREE_ALL(nesting, l->nestings);
	FREE_ALL(outgoing, l->outgoing);
	FREE_ALL(half, l->halves);
	free(l->sorted);
	free(l->list);
	free(l);
}

/* ---- how long ---- */

static struct lock *lock_of(struct locks *l, uint64_t chan)
{
	struct lock *k;

	HASH_FIND(hh, l->locks, &chan, sizeof(chan), k);
	if (k)
		return k;
	k = calloc(1, sizeof(*k));
	if (!k)
		return NULL;
	k->stat.chan = chan;
	hash_failed = false;
	HASH_ADD(hh, l->locks, stat.chan, sizeof(chan), k);
	if (!hash_failed)
		return k;
	free(k);
	return NULL;
}

static void note_longest(struct lock_longest *longest, uint64_t ns, uint64_t t_ns, const struct ev_io *e)
{
	if (ns > longest->ns)
		*longest = (struct lock_longest){ .ns = ns, .t_ns = t_ns, .pid = e->pid, .tid = e->tid };
}

static int note_wait(struct locks *l, const struct ev_io *e, bool is_lock)
{
	struct lock *k = lock_of(l, e->chan);

	if (!k)
		return -ENOMEM;
	k->is_lock |= is_lock;
	if (!e->slept_ns)
		return 0;
	k->stat.waits++;
	k->stat.wait_total_ns += e->slept_ns;
	note_longest(&k->stat.wait, e->slept_ns, e->enter_ns, e);
	return 0;
}

/* mtype: held for so many nanoseconds; 0: not known, or got by another thread. */
static int note_release(struct locks *l, const struct ev_io *e)
{
	struct lock *k = lock_of(l, e->chan);
	uint64_t ns = e->mtype > 0 ? (uint64_t)e->mtype : 0;

	if (!k)
		return -ENOMEM;
	k->is_lock = true;
	if (!ns || ns > e->enter_ns)
		return 0;
	k->stat.holds++;
	k->stat.hold_total_ns += ns;
	note_longest(&k->stat.hold, ns, e->enter_ns - ns, e);
	return 0;
}

/* ---- in which order ---- */

static bool add_sample(struct nesting *x, const struct lock_nesting *by)
{
	for (uint32_t i = 0; i < x->n; i++)
		if (x->by[i].tid == by->tid && x->by[i].pid == by->pid)
			return false;
	if (x->n == SAMPLES)
		return false;
	x->by[x->n++] = *by;
	return true;
}

static int list_add(struct locks *l, struct nesting *x)
{
	struct outgoing *o;

	if (l->n == l->room) {
		uint32_t room = l->room ? l->room * 2 : 64;
		struct nesting **grown = reallocarray(l->list, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		l->list = grown;
		l->room = room;
	}
	HASH_FIND(hh, l->outgoing, &x->key.held, sizeof(x->key.held), o);
	if (!o) {
		o = calloc(1, sizeof(*o));
		if (!o)
			return -ENOMEM;
		o->held = x->key.held;
		hash_failed = false;
		HASH_ADD(hh, l->outgoing, held, sizeof(o->held), o);
		if (hash_failed) {
			free(o);
			return -ENOMEM;
		}
	}
	x->next = o->first;
	o->first = x;
	x->number = l->n;
	l->list[l->n++] = x;
	return 0;
}

static int note_nesting(struct locks *l, const struct lock_nesting *by)
{
	struct nesting_key key = { by->held, by->got, by->held_reading, by->got_reading };
	struct nesting *x;

	HASH_FIND(hh, l->nestings, &key, sizeof(key), x);
	if (x) {
		add_sample(x, by);
		return 0;
	}
	if (l->n >= NESTINGS_MAX) {
		l->dropped++;
		return 0;
	}
	x = calloc(1, sizeof(*x));
	if (!x)
		return -ENOMEM;
	x->key = key;
	add_sample(x, by);
	hash_failed = false;
	HASH_ADD(hh, l->nestings, key, sizeof(key), x);
	if (hash_failed) {
		free(x);
		return -ENOMEM;
	}
	return list_add(l, x);
}

static int note_order(struct locks *l, const struct ev_io *e)
{
	struct half *h;

	HASH_FIND(hh, l->halves, &e->tid, sizeof(e->tid), h);
	if (!(e->hdr.flags & IO_HALF)) {
		if (!h) {
			h = calloc(1, sizeof(*h));
			if (!h)
				return -ENOMEM;
			h->tid = e->tid;
			hash_failed = false;
			HASH_ADD(hh, l->halves, tid, sizeof(h->tid), h);
			if (hash_failed) {
				free(h);
				return -ENOMEM;
			}
		}
		h->io = *e;
		return 0;
	}
	/* of two rows made at one instant; the first may have been lost, or filtered out */
	if (!h || h->io.pid != e->pid || h->io.enter_ns != e->enter_ns || h->io.chan == e->chan)
		return 0;
	return note_nesting(l, &(struct lock_nesting){
				       .held = h->io.chan, .got = e->chan, .t_ns = e->enter_ns, .pid = e->pid,
				       .tid = e->tid, .held_reading = h->io.mtype != 0, .got_reading = e->mtype != 0,
			       });
}

int locks_io(struct locks *l, const struct ev_io *e)
{
	if (!e->chan)
		return 0;
	switch (e->op) {
	case OP_MUTEX_LOCK: case OP_MUTEX_TRYLOCK: case OP_RWLOCK_RDLOCK: case OP_RWLOCK_WRLOCK: case OP_SPIN_LOCK:
		return note_wait(l, e, true);
	case OP_FUTEX: /* with both sources, those who waited are told as the kernel saw them */
		return e->slept_ns ? note_wait(l, e, false) : 0;
	case OP_MUTEX_UNLOCK: case OP_RWLOCK_UNLOCK: case OP_SPIN_UNLOCK: case OP_LOCK_HELD:
		return note_release(l, e);
	case OP_LOCK_ORDER:
		return note_order(l, e);
	default:
		return 0;
	}
}

/* ---- asking ---- */

static int by_weight(const void *pa, const void *pb)
{
	const struct lock_stat *a = &(*(struct lock *const *)pa)->stat, *b = &(*(struct lock *const *)pb)->stat;

	if (a->wait_total_ns != b->wait_total_ns)
		return a->wait_total_ns > b->wait_total_ns ? -1 : 1;
	if (a->hold_total_ns != b->hold_total_ns)
		return a->hold_total_ns > b->hold_total_ns ? -1 : 1;
	return a->chan < b->chan ? -1 : a->chan > b->chan;
}

int locks_sort(struct locks *l)
{
	free(l->sorted);
	l->nsorted = 0;
	l->sorted = calloc(HASH_COUNT(l->locks) + 1, sizeof(struct lock *));
	if (!l->sorted)
		return -ENOMEM;
	for (struct lock *k = l->locks; k; k = k->hh.next)
		if (k->is_lock && (k->stat.waits || k->stat.holds))
			l->sorted[l->nsorted++] = k;
	qsort(l->sorted, l->nsorted, sizeof(*l->sorted), by_weight);
	return 0;
}

size_t locks_count(const struct locks *l) { return l->nsorted; }
const struct lock_stat *locks_stat(const struct locks *l, size_t i) { return &l->sorted[i]->stat; }
uint64_t locks_dropped(const struct locks *l) { return l->dropped; }

/* One has the lock, the other wants it: do they get into each other's way? */
static bool conflict(const struct nesting *wants, const struct nesting *has)
{
	return !(wants->key.got_reading && has->key.held_reading);
}

static bool used_before(const struct lock_cycle *c, const struct lock_nesting *by)
{
	for (uint32_t i = 0; i < c->n; i++)
		if (c->step[i].tid == by->tid && c->step[i].pid == by->pid)
			return true;
	return false;
}

/* A thread of its own for each step, tried from the last of the circle's nestings on; false: there are too few. */
static bool choose_threads(struct nesting *const *path, uint32_t n, struct lock_cycle *c)
{
	c->n = 0;
	for (uint32_t pick = 0; pick < SAMPLES; pick++) {
		c->n = 0;
		for (uint32_t i = 0; i < n; i++) {
			const struct nesting *x = path[i];
			uint32_t first = i ? 0 : pick, k;

			for (k = first; k < x->n && used_before(c, &x->by[k]); k++)
				;
			if (k >= x->n)
				break;
			c->step[c->n++] = x->by[k];
		}
		if (c->n == n)
			return true;
	}
	return false;
}

/* Breadth first, from one nesting on, until one is met that leads back to where that began. */
static uint32_t shortest(const struct locks *l, struct nesting *start, struct nesting **queue, uint64_t *steps,
			 struct nesting *path[LOCK_CYCLE_MAX])
{
	uint32_t head = 0, tail = 0, search = start->number + 1, n = 0;

	queue[tail++] = start;
	start->seen = search;
	start->from = UINT32_MAX;
	while (head < tail && *steps < STEPS_MAX) {
		struct nesting *at = queue[head++];
		struct outgoing *o;

		if (at->key.got == start->key.held && at != start && conflict(at, start)) {
			for (uint32_t i = at->number; i != UINT32_MAX && n < LOCK_CYCLE_MAX; i = l->list[i]->from)
				path[n++] = l->list[i];
			return n && path[n - 1] == start ? n : 0;
		}
		HASH_FIND(hh, l->outgoing, &at->key.got, sizeof(at->key.got), o);
		for (struct nesting *next = o ? o->first : NULL; next; next = next->next) {
			++*steps;
			if (next->seen == search || !conflict(at, next))
				continue;
			next->seen = search;
			next->from = at->number;
			queue[tail++] = next;
		}
	}
	return 0;
}

/* Circles are the same when their nestings are. */
static bool is_news(const struct lock_cycle *found, size_t n, const struct lock_cycle *c)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t same = 0;

		for (uint32_t a = 0; a < c->n && found[i].n == c->n; a++)
			for (uint32_t b = 0; b < c->n; b++)
				same += found[i].step[b].held == c->step[a].held && found[i].step[b].got == c->step[a].got;
		if (same == c->n)
			return false;
	}
	return true;
}

struct lock_cycle *locks_find_cycles(const struct locks *l, size_t *n)
{
	struct nesting **queue = calloc(l->n + 1, sizeof(struct nesting *));
	struct lock_cycle *found = calloc(CYCLES_MAX, sizeof(*found));
	uint64_t steps = 0;

	*n = 0;
	if (!queue || !found) {
		free(queue);
		free(found);
		*n = 1;
		return NULL;
	}
	for (uint32_t i = 0; i < l->n; i++)
		l->list[i]->seen = 0;
	for (uint32_t i = 0; i < l->n && *n < CYCLES_MAX; i++) {
		struct nesting *path[LOCK_CYCLE_MAX], *turned[LOCK_CYCLE_MAX];
		struct lock_cycle c;
		uint32_t len = shortest(l, l->list[i], queue, &steps, path);

		for (uint32_t k = 0; k < len; k++)
			turned[k] = path[len - 1 - k];
		if (len && choose_threads(turned, len, &c) && is_news(found, *n, &c))
			found[(*n)++] = c;
	}
	free(queue);
	if (*n)
		return found;
	free(found);
	return NULL;
}
