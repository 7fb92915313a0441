// SPDX-License-Identifier: LGPL-2.1-or-later
/* The event: one word that is set or not, and a gate. */
#include "lib/ripc/object.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "lib/ripc/probes.h"

struct event_body {
	_Atomic uint32_t is_set;
	uint32_t kind;
	_Alignas(64) struct ripc_gate gate;
};

struct ripc_event {
	struct ripc_object *o;
	struct event_body *b;
	bool is_manual;
	unsigned spin;
};

struct event_args {
	uint32_t kind, is_set;
};

static int event_init(void *body, size_t bytes, void *arg)
{
	struct event_body *b = body;
	const struct event_args *a = arg;
	(void)bytes;
	b->kind = a->kind;
	atomic_store(&b->is_set, a->is_set);
	return 0;
}

static int event_check(const void *body, size_t bytes, void *arg)
{
	const struct event_body *b = body;
	struct event_args *a = arg;
	if (bytes != sizeof(*b))
		return -EBADMSG;
	a->kind = b->kind; /* Win32: an existing event keeps its kind */
	return a->kind <= RIPC_EVENT_MANUAL ? 0 : -EBADMSG;
}

int ripc_event_open(struct ripc_event **out, const char *name, enum ripc_event_kind kind,
		    bool is_set, unsigned flags, mode_t mode)
{
	struct event_args a = {kind, is_set};
	const struct ripc_spec spec = {.type = RIPC_TYPE_EVENT,
				       .name = name,
				       .body_bytes = sizeof(struct event_body),
				       .mode = mode,
				       .init = event_init,
				       .check = event_check,
				       .arg = &a};
	*out = NULL;
	if (!name || (unsigned)kind > RIPC_EVENT_MANUAL)
		return -EINVAL;
	struct ripc_event *e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	int r = ripc_object_open(&e->o, &spec, flags);
	if (r < 0) {
		free(e);
		return r;
	}
	e->b = e->o->body;
	e->is_manual = a.kind == RIPC_EVENT_MANUAL;
	*out = e;
	return r;
}

static int pass(void *arg)
{
	const struct ripc_event *e = arg;
	uint32_t is_set = 1;
	if (e->is_manual)
		return atomic_load(&e->b->is_set) == 1;
	return atomic_load_explicit(&e->b->is_set, memory_order_relaxed) == 1 &&
	       atomic_compare_exchange_strong(&e->b->is_set, &is_set, 0);
}

int ripc_event_wait_until(struct ripc_event *e, int64_t deadline_ns)
{
	RIPC_PROBE_BEGIN();
	int r = pass(e);
	if (!r && deadline_ns == RIPC_TRY)
		return -EAGAIN;
	if (!r)
		r = ripc_spin(&e->spin, RIPC_CPU_UNKNOWN, pass, e);
	if (!r) {
		RIPC_PROBE_WAIT_BEGIN(RIPC_KIND("event"), e->o->name, e->o->ino);
		r = ripc_gate_wait(&e->b->gate, pass, e, deadline_ns);
		RIPC_PROBE_WAIT_END(RIPC_KIND("event"), e->o->name, e->o->ino, r < 0 ? -r : 0);
	}
	if (r < 0)
		return r;
	RIPC_PROBE_ACQUIRE(RIPC_KIND("event"), e->o->name, e->o->ino);
	return 0;
}

int ripc_event_wait(struct ripc_event *e) { return ripc_event_wait_until(e, RIPC_FOREVER); }
int ripc_event_try(struct ripc_event *e) { return ripc_event_wait_until(e, RIPC_TRY); }

/*
 * Of a manual event, all who wait now pass, even when it is reset before they run: Win32 leaves
 * that open, and we do not promise it either: they look again, and may find it reset.
 */
int ripc_event_set(struct ripc_event *e)
{
	atomic_exchange(&e->b->is_set, 1);
	ripc_gate_wake_fenced(&e->b->gate, e->is_manual ? INT_MAX : 1);
	RIPC_PROBE_RELEASE(RIPC_KIND("event"), e->o->name, e->o->ino);
	return 0;
}

int ripc_event_reset(struct ripc_event *e)
{
	atomic_store(&e->b->is_set, 0);
	return 0;
}

bool ripc_event_is_manual(const struct ripc_event *e) { return e->is_manual; }

void ripc_event_close(struct ripc_event *e)
{
	if (e)
		ripc_object_close(e->o);
	free(e);
}

int ripc_event_unlink(const char *name) { return ripc_object_unlink(RIPC_TYPE_EVENT, name); }

struct ripc_event *init_event(const char *name)
{
	struct ripc_event *e;
	int r = ripc_event_open(&e, name, RIPC_EVENT_AUTO, false, RIPC_CREATE, 0);
	if (r < 0)
		errno = -r;
	return e;
}
