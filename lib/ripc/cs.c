// SPDX-License-Identifier: LGPL-2.1-or-later
/* The critical section: the core's robust lock, owned by a thread, recursive. */
#include "lib/ripc/object.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/ripc/cs.h"
#include "lib/ripc/probes.h"

struct cs_body {
	struct ripc_lock lock;
	_Alignas(64) uint32_t depth; /* entered again, by the owner; its owner's alone */
};

struct ripc_cs {
	struct ripc_object *o;
	struct cs_body *b;
	_Atomic unsigned owned; /* by threads of this process through this handle */
};

static int cs_check(const void *body, size_t bytes, void *arg)
{
	(void)body, (void)arg;
	return bytes == sizeof(struct cs_body) ? 0 : -EBADMSG;
}

static void cs_recover(void *body, size_t bytes, void *arg)
{
	(void)arg;
	if (bytes != sizeof(struct cs_body))
		return;
	/* an owner that died is still to be told of */
	struct cs_body *b = body;
	ripc_lock_expire(&b->lock);
}

int ripc_cs_open(struct ripc_cs **out, const char *name, unsigned flags, mode_t mode)
{
	const struct ripc_spec spec = {.type = RIPC_TYPE_CS,
				       .name = name,
				       .body_bytes = sizeof(struct cs_body),
				       .mode = mode,
				       .check = cs_check,
				       .recover = cs_recover};
	*out = NULL;
	if (!name)
		return -EINVAL;
	struct ripc_cs *cs = calloc(1, sizeof(*cs));
	if (!cs)
		return -ENOMEM;
	int r = ripc_object_open(&cs->o, &spec, flags);
	if (r < 0) {
		free(cs);
		return r;
	}
	cs->b = cs->o->body;
	*out = cs;
	return r;
}

/* By the owner, so by one at a time: no need of an atomic addition. */
static void add_owned(struct ripc_cs *cs, int by)
{
	unsigned n = atomic_load_explicit(&cs->owned, memory_order_relaxed);
	atomic_store_explicit(&cs->owned, n + (unsigned)by, memory_order_relaxed);
}

static int entered(struct ripc_cs *cs, int err)
{
	if (err == -EDEADLK) { /* ours already */
		if (cs->b->depth >= INT32_MAX)
			return -EAGAIN;
		cs->b->depth++;
		err = 0;
	} else if (!err || err == -EOWNERDEAD) {
		cs->b->depth = 0;
		add_owned(cs, 1);
	} else {
		return err;
	}
	RIPC_PROBE_ACQUIRE(RIPC_KIND("cs"), cs->o->name, cs->o->ino);
	return err;
}

int ripc_cs_enter_until(struct ripc_cs *cs, int64_t deadline_ns)
{
	RIPC_PROBE_BEGIN();
	int err = ripc_lock_until(&cs->b->lock, RIPC_TRY);
	if (__builtin_expect(err == -EAGAIN, 0) && deadline_ns != RIPC_TRY) {
		RIPC_PROBE_WAIT_BEGIN(RIPC_KIND("cs"), cs->o->name, cs->o->ino);
		err = ripc_lock_until(&cs->b->lock, deadline_ns);
		RIPC_PROBE_WAIT_END(RIPC_KIND("cs"), cs->o->name, cs->o->ino, -err);
	}
	return entered(cs, err);
}

int ripc_cs_enter(struct ripc_cs *cs) { return ripc_cs_enter_until(cs, RIPC_FOREVER); }
int ripc_cs_try_enter(struct ripc_cs *cs) { return ripc_cs_enter_until(cs, RIPC_TRY); }

int ripc_cs_leave(struct ripc_cs *cs)
{
	if (!ripc_lock_is_mine(&cs->b->lock))
		return -EPERM;
	if (cs->b->depth) {
		cs->b->depth--;
		RIPC_PROBE_RELEASE(RIPC_KIND("cs"), cs->o->name, cs->o->ino);
		return 0;
	}
	add_owned(cs, -1);
	int err = ripc_unlock(&cs->b->lock);
	if (err)
		return err;
	RIPC_PROBE_RELEASE(RIPC_KIND("cs"), cs->o->name, cs->o->ino);
	return 0;
}

bool ripc_cs_is_entered_once(const struct ripc_cs *cs)
{
	return ripc_lock_is_mine(&cs->b->lock) && !cs->b->depth;
}

int ripc_cs_close(struct ripc_cs *cs)
{
	if (!cs)
		return 0;
	/* its mapping would go from under a thread's robust list; a child of fork owns nothing */
	if (atomic_load(&cs->owned) && ripc_lock_owner_is_here(&cs->b->lock))
		return -EBUSY;
	ripc_object_close(cs->o);
	free(cs);
	return 0;
}

int ripc_cs_unlink(const char *name) { return ripc_object_unlink(RIPC_TYPE_CS, name); }

struct ripc_cs *init_CS(const char *name)
{
	struct ripc_cs *cs;
	int r = ripc_cs_open(&cs, name, RIPC_CREATE, 0);
	if (r < 0)
		errno = -r;
	return cs;
}
