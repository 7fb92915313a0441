/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside libripc: named pipes, the data. Each write is a record in the ring, its length first; a
 * byte pipe's records run together for the reader. A record larger than the ring goes through in
 * pieces. What those who read (npipe_read.c) and who write (npipe_write.c) have in common.
 */
#ifndef RIPC_NPIPE_FLOW_H
#define RIPC_NPIPE_FLOW_H

#include "npipe.h"

#define NP_HEAD_BYTES 4u /* a record's length */

/* What a thread that reads or writes is doing. */
struct np_flow {
	struct np_end *end;
	struct np_slot *slot;
	struct ripc_ring *ring;
	struct ripc_gate *readable, *writable;
	char *data;
	uint64_t size;
	uint64_t need; /* bytes (reader) or room (writer) that it waits for */
	struct ripc_looks looks;
	unsigned int *spin;
};

/* With the lock of this direction held. */
struct np_flow np_flow_of(struct np_end *end, bool writes);
long np_flow_tag(const struct np_flow *f);

/* Whether there is what f->need says: for np_flow_wait(). 0: not yet */
enum { NP_READY = 1, NP_LINK, NP_BROKEN };
int np_has_bytes(void *flow);
int np_has_room(void *flow);
bool np_flow_is_down(struct np_flow *f);

/* 0 once there is; or why there will not be. ERROR_NO_DATA: not yet, and nowait. */
DWORD np_flow_wait(struct np_flow *f, int (*is_true)(void *), struct ripc_gate *gate, bool nowait);

#endif
