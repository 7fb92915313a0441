// SPDX-License-Identifier: LGPL-2.1-or-later
/* Named pipes: the shared object, and the slots of its table, each an instance with its rings. */
#include "npipe_slot.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

/* ---- the object ---- */

static size_t body_bytes(const struct np_shape *s)
{
	return sizeof(struct np_pipe) +
	       s->slots * (sizeof(struct np_slot) + (size_t)s->bytes[0] + s->bytes[1]);
}

static bool shape_is_sound(const struct np_shape *s, size_t bytes)
{
	return s->access >= PIPE_ACCESS_INBOUND && s->access <= PIPE_ACCESS_DUPLEX &&
	       s->max_instances >= 1 && s->max_instances <= PIPE_UNLIMITED_INSTANCES &&
	       s->slots >= 1 && s->slots <= NP_SLOTS_MAX && s->bytes[0] >= 64 &&
	       s->bytes[0] <= NP_BUFFER_MAX && s->bytes[1] >= 64 &&
	       s->bytes[1] <= NP_BUFFER_MAX && body_bytes(s) <= bytes;
}

static int check_body(const void *body, size_t bytes, void *arg)
{
	struct np_shape s;

	(void)arg;
	if (bytes < sizeof(struct np_pipe))
		return -EBADMSG;
	s = ((const struct np_pipe *)body)->shape;
	return shape_is_sound(&s, bytes) ? 0 : -EBADMSG;
}

/* The creator is the first instance from the start, so that nobody finds a pipe without a server. */
static int init_body(void *body, size_t bytes, void *arg)
{
	struct np_pipe *p = body;

	(void)bytes;
	p->shape = *(const struct np_shape *)arg;
	atomic_store(&p->slot[0].server, ripc_self_id());
	atomic_store(&p->slot[0].phase, NP_DISCONNECTED);
	return 0;
}

static void recover_body(void *body, size_t bytes, void *arg)
{
	(void)bytes;
	(void)arg;
	ripc_lock_reset(&((struct np_pipe *)body)->lock);
}

/* An end without a slot. `want` NULL: the pipe must exist. *created may be NULL. */
DWORD np_end_new(struct np_end **result, const char *name, const struct np_shape *want,
		     bool *created)
{
	struct np_end *end = calloc(1, sizeof(*end));
	struct ripc_spec spec = {
	    .type = RIPC_TYPE_NPIPE,
	    .name = name,
	    .body_bytes = want ? body_bytes(want) : 0,
	    .holders = 2 * NP_SLOTS_MAX,
	    .sparse = true,
	    .is_silent = name && name[0] == '~', /* np_pair's */
	    .init = init_body,
	    .check = check_body,
	    .recover = recover_body,
	    .arg = (void *)(uintptr_t)want,
	};
	int err;

	if (!end)
		return ERROR_NOT_ENOUGH_MEMORY;
	err = ripc_object_open(&end->object, &spec, want ? RIPC_CREATE : 0);
	if (err < 0) {
		free(end);
		return w32_error_of(err);
	}
	if (created)
		*created = err == 1;
	w32_object_init(&end->base, &np_type, 0, -1);
	end->pipe = end->object->body;
	end->shape = end->pipe->shape;
	/* it was sound when it was opened; but what counts is what we have now */
	if (!shape_is_sound(&end->shape, end->object->body_bytes)) {
		ripc_object_close(end->object);
		free(end);
		return ERROR_FILE_CORRUPT;
	}
	pthread_mutex_init(&end->control, NULL);
	pthread_mutex_init(&end->reading, NULL);
	pthread_mutex_init(&end->writing, NULL);
	snprintf(end->name, sizeof(end->name), "\\\\.\\pipe\\%s", name ? name : "");
	*result = end;
	return 0;
}

void np_end_free(struct np_end *end)
{
	ripc_object_close(end->object);
	pthread_mutex_destroy(&end->control);
	pthread_mutex_destroy(&end->reading);
	pthread_mutex_destroy(&end->writing);
	free(end);
}

/* Each change of the table is one store: after a death in the middle there is nothing to repair. */
void np_table_lock(struct np_end *end) { ripc_lock(&end->pipe->lock); }
void np_table_unlock(struct np_end *end) { ripc_unlock(&end->pipe->lock); }

/* ---- slots; all with the table's lock ---- */

bool np_is_server_phase(uint32_t phase)
{
	return phase == NP_DISCONNECTED || phase == NP_LISTENING || phase == NP_CONNECTED ||
	       phase == NP_CLIENT_GONE;
}

bool np_server_lives(struct np_slot *slot)
{
	return np_is_server_phase(atomic_load(&slot->phase)) &&
	       ripc_id_is_alive(atomic_load(&slot->server));
}

void np_slot_wake(struct np_slot *slot)
{
	ripc_gate_wake(&slot->changed, INT_MAX);
	for (int way = 0; way < 2; way++) {
		ripc_gate_wake(&slot->way[way].readable, INT_MAX);
		ripc_gate_wake(&slot->way[way].writable, INT_MAX);
	}
}

void np_slot_set(struct np_slot *slot, uint32_t phase)
{
	atomic_store(&slot->phase, phase);
	np_slot_wake(slot);
}

/* Brings a slot's phase up to date with who is alive. Returns it. */
uint32_t np_slot_look(struct np_slot *slot)
{
	uint32_t was = atomic_load(&slot->phase), phase = was;
	bool server, client;

	if (phase == NP_FREE)
		return phase;
	server = np_is_server_phase(phase) && ripc_id_is_alive(atomic_load(&slot->server));
	client = (phase == NP_CONNECTED || phase == NP_SERVER_GONE || phase == NP_THROWN_OFF) &&
		 ripc_id_is_alive(atomic_load(&slot->client));
	if (!server && !client)
		phase = NP_FREE;
	else if (phase == NP_CONNECTED && !server)
		phase = NP_SERVER_GONE;
	else if (phase == NP_CONNECTED && !client)
		phase = NP_CLIENT_GONE;
	if (phase != was)
		np_slot_set(slot, phase);
	return phase;
}

struct np_slot *np_slot_find_free(struct np_end *end)
{
	for (unsigned int i = 0; i < end->shape.slots; i++)
		if (atomic_load(&end->pipe->slot[i].phase) == NP_FREE)
			return &end->pipe->slot[i];
	for (unsigned int i = 0; i < end->shape.slots; i++)
		if (np_slot_look(&end->pipe->slot[i]) == NP_FREE)
			return &end->pipe->slot[i];
	return NULL;
}

/* The pages of a slot's rings, whole ones only (a slot's neighbours may share the others). */
static int slot_memory(struct np_end *end, struct np_slot *slot, int advice)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t from = (uintptr_t)np_data(end, slot, 0);
	uintptr_t to = from + end->shape.bytes[0] + end->shape.bytes[1];

	if (advice == MADV_REMOVE) {
		from = (from + page - 1) & -page;
		to &= -page;
	} else {
		from &= -page;
		to = (to + page - 1) & -page;
	}
	return to > from && madvise((void *)from, to - from, advice) < 0 ? -errno : 0;
}

/* Memory that is promised but cannot be had would be a SIGBUS later on: ask for it now. */
DWORD np_slot_populate(struct np_end *end, struct np_slot *slot)
{
	int err = slot_memory(end, slot, MADV_POPULATE_WRITE);

	return !err || err == -EINVAL ? 0 : ERROR_NO_SYSTEM_RESOURCES; /* EINVAL: an older kernel */
}

/* For the only process that may touch them. */
void np_slot_reset_rings(struct np_slot *slot)
{
	for (int way = 0; way < 2; way++) {
		atomic_store(&slot->way[way].ring.tail, 0);
		atomic_store(&slot->way[way].ring.head, 0);
	}
}

DWORD np_slot_take(struct np_end *end, struct np_slot *slot, uint32_t phase)
{
	DWORD error = np_slot_populate(end, slot);

	if (error)
		return error;
	np_slot_reset_rings(slot);
	atomic_store(&slot->server, ripc_self_id());
	atomic_store(&slot->client, 0);
	np_slot_set(slot, phase);
	return 0;
}

void np_slot_free(struct np_end *end, struct np_slot *slot)
{
	atomic_store(&slot->server, 0);
	atomic_store(&slot->client, 0);
	slot_memory(end, slot, MADV_REMOVE);
	np_slot_set(slot, NP_FREE);
}

unsigned int np_count_servers(struct np_end *end, bool look)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < end->shape.slots; i++)
		n += np_is_server_phase(look ? np_slot_look(&end->pipe->slot[i])
					  : atomic_load(&end->pipe->slot[i].phase));
	return n;
}

bool np_has_server(struct np_end *end)
{
	for (unsigned int i = 0; i < end->shape.slots; i++)
		if (np_server_lives(&end->pipe->slot[i]))
			return true;
	return false;
}
