// SPDX-License-Identifier: GPL-2.0-or-later
/* Channels that belong to a process: its signals, its end, the sets it waits on. */
#include "join_world.h"

#include <stdio.h>
#include <string.h>

#include "collector/bystanders.h"
#include "collector/names.h"
#include "collector/processes.h"

bool is_own(unsigned int kind)
{
	return kind == KIND_SIGNAL || kind == KIND_CHILD || kind == KIND_SET;
}

static uint32_t own_pid(uint64_t obj)
{
	switch (RAW_OBJ_KIND(obj)) {
	case KIND_SIGNAL:
		return (uint32_t)(obj >> 8);
	case KIND_CHILD:
		return (uint32_t)obj;
	default:
		return (uint32_t)(obj >> 32) & 0xffffff;
	}
}

/* Who is at the far end: the process a signal goes to, the child whose end is waited for. */
static int own_attach(struct join *j, const struct ev_chan *c, uint64_t obj, uint64_t t_ns)
{
	uint64_t exit_ns;
	uint32_t pid = own_pid(obj);
	bool in_scope = processes_find(j->processes, pid, &exit_ns);
	if (c->kind == KIND_SET || (c->kind == KIND_CHILD && (obj != RAW_OBJ_CHILD(pid) || !in_scope)))
		return 0;
	int err = in_scope ? 0 : bystanders_tell(j->bystanders, pid, j->next);
	struct ev_endpoint e = {
		.hdr = { .type = EV_ENDPOINT, .size = sizeof(e), .flags = EV_SYNTHETIC },
		.chan = c->chan, .pid = pid, .fd = -1, .what = ENDPOINT_ATTACH,
		.dir = c->kind == KIND_SIGNAL ? ENDPOINT_DIR_READ : ENDPOINT_DIR_WRITE,
	};
	e.hdr.t_ns = exit_ns && exit_ns < t_ns ? exit_ns : t_ns; /* a late word of one that is gone */
	return err ? err : sink_event(j->next, &e.hdr);
}

/* NULL: no memory, or the next sink refused. */
struct ev_chan *own_chan(struct join *j, uint64_t obj, uint64_t t_ns)
{
	void **slot = processes_chan(j->processes, own_pid(obj), obj);
	struct joined *joined = slot ? *slot : NULL;
	if (!slot || joined)
		return joined ? &joined->c : NULL;
	joined = chan_new(j, (uint16_t)RAW_OBJ_KIND(obj));
	if (!joined)
		return NULL;
	*slot = joined;
	struct ev_chan *c = &joined->c;
	names_own(c, obj, processes_comm(j->processes, own_pid(obj)));
	return chan_tell(j, c, t_ns) || own_attach(j, c, obj, t_ns) ? NULL : c;
}

uint64_t own_id(const struct ev_chan *c) { return c ? c->chan : 0; }

/* The process has been gone for so long that nobody waits for it any more: so are its channels. */
void own_drop(void *arg, void *chan) { chan_put(arg, chan); }

int join_name(struct join *j, uint64_t obj, const char *name, uint64_t t_ns)
{
	struct ev_chan *c = own_chan(j, obj, t_ns);
	if (!c || strncmp(c->name, name, sizeof(c->name) - 1) == 0)
		return 0;
	snprintf(c->name, sizeof(c->name), "%s", name);
	return chan_tell(j, c, t_ns);
}
