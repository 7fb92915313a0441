// SPDX-License-Identifier: LGPL-2.1-or-later
/* The counting semaphore: one word, changed by compare and swap, so that no death is half way. */
#include "lib/ripc/object.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "lib/ripc/probes.h"

struct semaphore_body {
	_Atomic uint32_t count;
	uint32_t max;
	_Alignas(64) struct ripc_gate gate;
};

struct ripc_semaphore {
	struct ripc_object *o;
	struct semaphore_body *b;
	uint32_t max; /* as it was found sound */
	unsigned spin;
};

struct semaphore_args {
	uint32_t count, max;
};

static int semaphore_init(void *body, size_t bytes, void *arg)
{
	struct semaphore_body *b = body;
	const struct semaphore_args *a = arg;
	(void)bytes;
	atomic_store(&b->count, a->count);
	b->max = a->max;
	return 0;
}

static int semaphore_check(const void *body, size_t bytes, void *arg)
{
	const struct semaphore_body *b = body;
	struct semaphore_args *a = arg;
	if (bytes != sizeof(*b))
		return -EBADMSG;
	a->max = b->max;
	return a->max && a->max <= RIPC_SEMAPHORE_MAX && atomic_load(&b->count) <= a->max
		       ? 0
		       : -EBADMSG;
}

int ripc_semaphore_open(struct ripc_semaphore **out, const char *name, unsigned count, unsigned max,
			unsigned flags, mode_t mode)
{
	struct semaphore_args a = {count, max ? max : RIPC_SEMAPHORE_MAX};
	const struct ripc_spec spec = {.type = RIPC_TYPE_SEMAPHORE,
				       .name = name,
				       .body_bytes = sizeof(struct semaphore_body),
				       .mode = mode,
				       .init = semaphore_init,
				       .check = semaphore_check,
				       .arg = &a};
	*out = NULL;
	if (!name || a.max > RIPC_SEMAPHORE_MAX || count > a.max)
		return -EINVAL;
	struct ripc_semaphore *s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	int r = ripc_object_open(&s->o, &spec, flags);
	if (r < 0) {
		free(s);
		return r;
	}
	s->b = s->o->body;
	s->max = a.max;
	*out = s;
	return r;
}

static int take_one(void *arg)
{
	struct semaphore_body *b = arg;
	uint32_t n = atomic_load_explicit(&b->count, memory_order_relaxed);
	while (n) {
		if (atomic_compare_exchange_weak_explicit(&b->count, &n, n - 1,
							  memory_order_acquire,
							  memory_order_relaxed))
			return 1;
	}
	return 0;
}

int ripc_semaphore_wait_until(struct ripc_semaphore *s, int64_t deadline_ns)
{
	RIPC_PROBE_BEGIN();
	int r = take_one(s->b);
	if (!r && deadline_ns == RIPC_TRY)
		return -EAGAIN;
	if (!r)
		r = ripc_spin(&s->spin, RIPC_CPU_UNKNOWN, take_one, s->b);
	if (!r) {
		RIPC_PROBE_WAIT_BEGIN(RIPC_KIND("sem"), s->o->name, s->o->ino);
		r = ripc_gate_wait(&s->b->gate, take_one, s->b, deadline_ns);
		RIPC_PROBE_WAIT_END(RIPC_KIND("sem"), s->o->name, s->o->ino, r < 0 ? -r : 0);
	}
	if (r < 0)
		return r;
	RIPC_PROBE_ACQUIRE(RIPC_KIND("sem"), s->o->name, s->o->ino);
	return 0;
}

int ripc_semaphore_wait(struct ripc_semaphore *s)
{
	return ripc_semaphore_wait_until(s, RIPC_FOREVER);
}

int ripc_semaphore_try(struct ripc_semaphore *s) { return ripc_semaphore_wait_until(s, RIPC_TRY); }

int ripc_semaphore_post(struct ripc_semaphore *s, unsigned n)
{
	if (!n)
		return -EINVAL;
	uint32_t count = atomic_load_explicit(&s->b->count, memory_order_relaxed);
	do {
		if (count > s->max || n > s->max - count)
			return -EOVERFLOW;
	} while (!atomic_compare_exchange_weak(&s->b->count, &count, count + n));
	ripc_gate_wake_fenced(&s->b->gate, n > INT_MAX ? INT_MAX : (int)n);
	RIPC_PROBE_RELEASE(RIPC_KIND("sem"), s->o->name, s->o->ino);
	return 0;
}

unsigned ripc_semaphore_value(const struct ripc_semaphore *s) { return atomic_load(&s->b->count); }

void ripc_semaphore_close(struct ripc_semaphore *s)
{
	if (s)
		ripc_object_close(s->o);
	free(s);
}

int ripc_semaphore_unlink(const char *name)
{
	return ripc_object_unlink(RIPC_TYPE_SEMAPHORE, name);
}

struct ripc_semaphore *init_semaphore(unsigned count, const char *name)
{
	struct ripc_semaphore *s;
	int r = ripc_semaphore_open(&s, name, count, 0, RIPC_CREATE, 0);
	if (r < 0)
		errno = -r;
	return s;
}
