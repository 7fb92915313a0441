/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside libripc: named pipes, below their Win32 calls. A pipe is one object in shared memory: its
 * properties, and a table of slots. A slot is an instance with its two rings, one for each direction.
 *
 * Who may change what. The table's lock covers every change of a slot's phase; each change is one
 * store of its state word, so that who dies with the lock leaves nothing to repair. A ring has one
 * writing and one reading process (the rest is ordered by locks private to an end), so that data go
 * through without the table's lock. A slot is used again only when its client has let go of it or
 * is dead: a server that throws a client off goes on in another slot, because that client may be
 * in the middle of copying.
 *
 * Functions return a Win32 error, 0 when it went well.
 */
#ifndef RIPC_NPIPE_H
#define RIPC_NPIPE_H

#include <pthread.h>

#include "object.h"
#include "ring.h"
#include "win32_handle.h"

#define NP_NAME_MAX 160 /* bytes after \\.\pipe\ */
#define NP_BUFFER_DEFAULT 4096u
#define NP_BUFFER_MAX (1u << 20)
#define NP_SLOTS_SPARE 8u /* beside two for each instance */
#define NP_SLOTS_MAX (2 * PIPE_UNLIMITED_INSTANCES + NP_SLOTS_SPARE)

enum np_phase {
	NP_FREE,
	NP_DISCONNECTED, /* a server, not open for a client */
	NP_LISTENING,
	NP_CONNECTED,
	NP_CLIENT_GONE, /* the server may read what is left */
	NP_SERVER_GONE, /* the client may read what is left */
	NP_THROWN_OFF,  /* the server has disconnected; the client has not let go yet */
};
enum { NP_TO_SERVER, NP_TO_CLIENT };

struct np_slot {
	_Alignas(64) _Atomic uint32_t phase;
	_Atomic ripc_id server, client;
	struct ripc_gate changed; /* the phase, for ConnectNamedPipe */
	struct {
		struct ripc_ring ring;
		struct ripc_gate readable, writable;
	} way[2];
};

/* What CreateNamedPipe said; copied into private memory and checked by whoever opens the pipe. */
struct np_shape {
	uint32_t type;   /* PIPE_TYPE_… and PIPE_REJECT_REMOTE_CLIENTS */
	uint32_t access; /* PIPE_ACCESS_… */
	uint32_t max_instances, slots;
	uint32_t timeout_ms;
	uint32_t bytes[2]; /* of each direction's ring */
};

struct np_pipe { /* the body: this, the slots, the rings' bytes slot by slot */
	struct ripc_lock lock;
	struct np_shape shape;
	_Atomic uint32_t retired; /* no server was left; a new pipe has the name, or may take it */
	struct ripc_gate listening;
	struct np_slot slot[];
};

/* One end of an instance. `slot` changes only with all three locks held. */
struct np_end {
	struct w32_object base;
	struct ripc_object *object;
	struct np_pipe *pipe;
	struct np_shape shape;
	struct np_slot *slot;
	pthread_mutex_t control, reading, writing; /* taken in this order */
	bool is_server;
	atomic_bool parted;
	_Atomic uint32_t mode;   /* PIPE_READMODE_…, PIPE_NOWAIT */
	uint64_t message_left;   /* of the message that is being read (reading) */
	bool in_message;
	unsigned int spin_read, spin_write; /* ripc_spin's budgets */
	void *bridge; /* of a remote pipe: what carries it (npipe_remote.c) */
	char name[NP_NAME_MAX + 16]; /* \\.\pipe\name, for the probes */
};

extern const struct w32_type np_type;

/* ---- names ---- */

/*
 * Cuts \\machine\pipe\name: the name, lower case, to `name` (NP_NAME_MAX + 1 bytes), the machine
 * ("." is this one) to `machine` (64 bytes). False: no pipe's name.
 */
bool np_parse(LPCSTR path, char *machine, char *name);

/* ---- coming and going (npipe_table.c) ---- */

DWORD np_create(struct np_end **end, const char *name, const struct np_shape *want, bool first);
DWORD np_open(struct np_end **end, const char *name, DWORD access, bool remote);
DWORD np_wait(const char *name, DWORD timeout_ms); /* NMPWAIT_… */
DWORD np_connect(struct np_end *end);
DWORD np_disconnect(struct np_end *end);
void np_part(struct np_end *end);  /* closes this end for the other one; calls on it fail from now */
void np_leave(struct np_end *end); /* the same, and frees it: nobody may be using it */
unsigned int np_instances(struct np_end *end);

/* A pipe that nobody else can find: both ends, connected, of this process. */
DWORD np_pair(struct np_end **server, struct np_end **client, const struct np_shape *want,
	      DWORD client_access, const char *shown_name);

/*
 * What the phase means to this end's I/O: 0 connected, ERROR_BROKEN_PIPE the other end is closed
 * (reading may go on until the ring is empty), ERROR_PIPE_LISTENING, ERROR_PIPE_NOT_CONNECTED.
 * With `look`, whether the other process lives is looked up first.
 */
DWORD np_link(struct np_end *end, struct np_slot *slot, bool look);

/* ---- data (npipe_read.c, npipe_write.c) ---- */

DWORD np_read(struct w32_object *o, void *buf, DWORD size, DWORD *got);
DWORD np_write(struct w32_object *o, const void *buf, DWORD size, DWORD *put);
DWORD np_flush(struct w32_object *o);
void np_destroy(struct w32_object *o); /* win32_npipe.c: with its bridge, if it has one */
DWORD np_peek(struct w32_object *o, void *buf, DWORD size, DWORD *got, DWORD *avail, DWORD *left);
DWORD np_transact(struct np_end *end, const void *in, DWORD in_size, void *out, DWORD out_size,
		  DWORD *got);
static inline char *np_data(const struct np_end *end, const struct np_slot *slot, int way)
{
	size_t each = (size_t)end->shape.bytes[0] + end->shape.bytes[1];
	char *data = (char *)&end->pipe->slot[end->shape.slots];

	return data + (size_t)(slot - end->pipe->slot) * each + (way ? end->shape.bytes[0] : 0);
}

#endif
