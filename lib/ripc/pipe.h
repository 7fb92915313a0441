/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside libripc: anonymous pipes. A ring with a lock at either side, and a table of who holds
 * which end. The table is pipe.c, the ring pipe_io.c.
 */
#ifndef RIPC_PIPE_PRIVATE_H
#define RIPC_PIPE_PRIVATE_H

#include "object.h"
#include "ring.h"
#include "ripc_pipe.h"

enum { READ_END, WRITE_END };

struct pipe_body { /* then its bytes */
	struct {
		struct ripc_lock lock; /* one reader, one writer at a time */
		struct ripc_gate gate; /* where that side sleeps */
		_Atomic ripc_id holders[RIPC_PIPE_PROCESSES];
	} side[2];
	struct ripc_ring ring;
	uint64_t size;
	_Alignas(64) char data[];
};

struct ripc_pipe_end {
	struct pipe_share *share;
	struct pipe_body *body;
	uint64_t size; /* a copy: the body may change */
	int side;
	int row, forked_row; /* in holders; −1: none */
	bool nonblock;
	unsigned int spin;
	struct ripc_pipe_end *next, **link; /* all ends of this process */
};

/* The object, for as long as this process has an end of it. */
struct pipe_share {
	struct ripc_object *object;
	unsigned int ends; /* under ends_lock, of pipe.c */
};

#endif
