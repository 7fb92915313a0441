// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The condition: a gate and nothing else. A signal wakes one sleeper, and moves the gate for all: a
 * sleeper whose signal was taken by somebody who then died looks again within a heartbeat.
 */
#include "lib/ripc/object.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "lib/ripc/cs.h"
#include "lib/ripc/probes.h"

struct condition_body {
	_Alignas(64) struct ripc_gate gate;
};

struct ripc_condition {
	struct ripc_object *o;
	struct condition_body *b;
};

static int condition_check(const void *body, size_t bytes, void *arg)
{
	(void)body, (void)arg;
	return bytes == sizeof(struct condition_body) ? 0 : -EBADMSG;
}

int ripc_condition_open(struct ripc_condition **out, const char *name, unsigned flags, mode_t mode)
{
	const struct ripc_spec spec = {.type = RIPC_TYPE_CONDITION,
				       .name = name,
				       .body_bytes = sizeof(struct condition_body),
				       .mode = mode,
				       .check = condition_check};
	*out = NULL;
	if (!name)
		return -EINVAL;
	struct ripc_condition *c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	int r = ripc_object_open(&c->o, &spec, flags);
	if (r < 0) {
		free(c);
		return r;
	}
	c->b = c->o->body;
	*out = c;
	return r;
}

int ripc_condition_wait_until(struct ripc_condition *c, struct ripc_cs *cs, int64_t deadline_ns)
{
	if (!ripc_cs_is_entered_once(cs))
		return -EPERM;
	if (deadline_ns == RIPC_TRY)
		return -EAGAIN;
	struct ripc_gate *g = &c->b->gate;
	RIPC_PROBE_BEGIN();
	RIPC_PROBE_WAIT_BEGIN(RIPC_KIND("cond"), c->o->name, c->o->ino);
	struct ripc_ticket t = ripc_gate_enter(g);
	int err = ripc_cs_leave(cs);
	while (!err && !ripc_gate_has_moved(g, t))
		err = ripc_gate_sleep(g, t, deadline_ns);
	ripc_gate_leave(g, t);
	int entered = ripc_cs_enter(cs);
	RIPC_PROBE_WAIT_END(RIPC_KIND("cond"), c->o->name, c->o->ino, -err);
	if (!err)
		RIPC_PROBE_ACQUIRE(RIPC_KIND("cond"), c->o->name, c->o->ino);
	return entered ? entered : err;
}

int ripc_condition_wait(struct ripc_condition *c, struct ripc_cs *cs)
{
	return ripc_condition_wait_until(c, cs, RIPC_FOREVER);
}

int ripc_condition_signal(struct ripc_condition *c)
{
	ripc_gate_wake(&c->b->gate, 1);
	RIPC_PROBE_RELEASE(RIPC_KIND("cond"), c->o->name, c->o->ino);
	return 0;
}

int ripc_condition_broadcast(struct ripc_condition *c)
{
	ripc_gate_wake(&c->b->gate, INT_MAX);
	RIPC_PROBE_RELEASE(RIPC_KIND("cond"), c->o->name, c->o->ino);
	return 0;
}

void ripc_condition_close(struct ripc_condition *c)
{
	if (c)
		ripc_object_close(c->o);
	free(c);
}

int ripc_condition_unlink(const char *name)
{
	return ripc_object_unlink(RIPC_TYPE_CONDITION, name);
}

struct ripc_condition *init_condition(const char *name)
{
	struct ripc_condition *c;
	int r = ripc_condition_open(&c, name, RIPC_CREATE, 0);
	if (r < 0)
		errno = -r;
	return c;
}
