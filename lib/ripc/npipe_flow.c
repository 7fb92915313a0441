// SPDX-License-Identifier: LGPL-2.1-or-later
/* One direction of a named pipe's instance, and waiting for the other side (npipe_flow.h). */
#include "npipe_flow.h"

#include <errno.h>

#include "probes.h"

struct np_flow np_flow_of(struct np_end *end, bool writes)
{
	struct np_slot *slot = end->slot;
	int way = end->is_server == writes ? NP_TO_CLIENT : NP_TO_SERVER;

	return (struct np_flow){
	    .end = end,
	    .slot = slot,
	    .ring = &slot->way[way].ring,
	    .readable = &slot->way[way].readable,
	    .writable = &slot->way[way].writable,
	    .data = np_data(end, slot, way),
	    .size = end->shape.bytes[way],
	    .spin = writes ? &end->spin_write : &end->spin_read,
	};
}

long np_flow_tag(const struct np_flow *f)
{
	return 2 * (f->slot - f->end->pipe->slot) + !f->end->is_server;
}

/* ---- waiting ---- */

/*
 * Asked at every wakeup, and every RIPC_HEARTBEAT_NS: then it looks whether the other process is
 * still alive, which nobody tells us.
 */
bool np_flow_is_down(struct np_flow *f)
{
	return np_link(f->end, f->slot, ripc_is_time_to_look(&f->looks)) != 0;
}

int np_has_bytes(void *arg)
{
	struct np_flow *f = arg;
	/* asked before the ring: what was written before the other end closed counts */
	bool down = np_flow_is_down(f);
	uint64_t used = ring_used(f->ring, f->size);

	if (used == UINT64_MAX)
		return NP_BROKEN;
	return used >= f->need ? NP_READY : down ? NP_LINK : 0;
}

int np_has_room(void *arg)
{
	struct np_flow *f = arg;
	uint64_t used;

	if (np_flow_is_down(f))
		return NP_LINK;
	used = ring_used(f->ring, f->size);
	if (used == UINT64_MAX)
		return NP_BROKEN;
	return f->size - used >= f->need ? NP_READY : 0;
}

DWORD np_flow_wait(struct np_flow *f, int (*is_true)(void *), struct ripc_gate *gate, bool nowait)
{
	int state = is_true(f);

	if (!state && nowait)
		return ERROR_NO_DATA;
	if (!state)
		state = ripc_spin(f->spin, RIPC_CPU_UNKNOWN, is_true, f);
	if (!state) {
		RIPC_PROBE_WAIT_BEGIN(RIPC_KIND("npipe"), f->end->name, f->end->object->ino);
		state = ripc_gate_wait(gate, is_true, f, RIPC_FOREVER);
		RIPC_PROBE_WAIT_END(RIPC_KIND("npipe"), f->end->name, f->end->object->ino,
				    state == NP_READY ? 0 : EPIPE);
	}
	if (state == NP_READY)
		return 0;
	return state == NP_LINK ? np_link(f->end, f->slot, false) : ERROR_FILE_CORRUPT;
}
