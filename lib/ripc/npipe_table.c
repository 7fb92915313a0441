// SPDX-License-Identifier: LGPL-2.1-or-later
/* Named pipes: the table of instances, and how servers and clients come and go. */
#include "npipe.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "probes.h"

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

static DWORD error_of(int err)
{
	return err == -EUSERS ? ERROR_NO_SYSTEM_RESOURCES
	       : err == -EPROTONOSUPPORT ? ERROR_REVISION_MISMATCH
					 : w32_error_of(err);
}

/* An end without a slot. `want` NULL: the pipe must exist. *created may be NULL. */
static DWORD end_new(struct np_end **result, const char *name, const struct np_shape *want,
		     bool *created)
{
	struct np_end *end = calloc(1, sizeof(*end));
	struct ripc_spec spec = {
	    .type = RIPC_TYPE_NPIPE,
	    .name = name,
	    .body_bytes = want ? body_bytes(want) : 0,
	    .holders = 2 * NP_SLOTS_MAX,
	    .sparse = true,
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
		return error_of(err);
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

static void end_free(struct np_end *end)
{
	ripc_object_close(end->object);
	pthread_mutex_destroy(&end->control);
	pthread_mutex_destroy(&end->reading);
	pthread_mutex_destroy(&end->writing);
	free(end);
}

/* Each change of the table is one store: after a death in the middle there is nothing to repair. */
static void table_lock(struct np_end *end) { ripc_lock(&end->pipe->lock); }
static void table_unlock(struct np_end *end) { ripc_unlock(&end->pipe->lock); }

/* ---- slots; all with the table's lock ---- */

static bool is_server_phase(uint32_t phase)
{
	return phase == NP_DISCONNECTED || phase == NP_LISTENING || phase == NP_CONNECTED ||
	       phase == NP_CLIENT_GONE;
}

static bool server_lives(struct np_slot *slot)
{
	return is_server_phase(atomic_load(&slot->phase)) &&
	       ripc_id_is_alive(atomic_load(&slot->server));
}

static void slot_wake(struct np_slot *slot)
{
	ripc_gate_wake(&slot->changed, INT_MAX);
	for (int way = 0; way < 2; way++) {
		ripc_gate_wake(&slot->way[way].readable, INT_MAX);
		ripc_gate_wake(&slot->way[way].writable, INT_MAX);
	}
}

static void slot_set(struct np_slot *slot, uint32_t phase)
{
	atomic_store(&slot->phase, phase);
	slot_wake(slot);
}

/* Brings a slot's phase up to date with who is alive. Returns it. */
static uint32_t slot_look(struct np_slot *slot)
{
	uint32_t was = atomic_load(&slot->phase), phase = was;
	bool server, client;

	if (phase == NP_FREE)
		return phase;
	server = is_server_phase(phase) && ripc_id_is_alive(atomic_load(&slot->server));
	client = (phase == NP_CONNECTED || phase == NP_SERVER_GONE || phase == NP_THROWN_OFF) &&
		 ripc_id_is_alive(atomic_load(&slot->client));
	if (!server && !client)
		phase = NP_FREE;
	else if (phase == NP_CONNECTED && !server)
		phase = NP_SERVER_GONE;
	else if (phase == NP_CONNECTED && !client)
		phase = NP_CLIENT_GONE;
	if (phase != was)
		slot_set(slot, phase);
	return phase;
}

static struct np_slot *slot_find_free(struct np_end *end)
{
	for (unsigned int i = 0; i < end->shape.slots; i++)
		if (atomic_load(&end->pipe->slot[i].phase) == NP_FREE)
			return &end->pipe->slot[i];
	for (unsigned int i = 0; i < end->shape.slots; i++)
		if (slot_look(&end->pipe->slot[i]) == NP_FREE)
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
static DWORD slot_populate(struct np_end *end, struct np_slot *slot)
{
	int err = slot_memory(end, slot, MADV_POPULATE_WRITE);

	return !err || err == -EINVAL ? 0 : ERROR_NO_SYSTEM_RESOURCES; /* EINVAL: an older kernel */
}

/* For the only process that may touch them. */
static void slot_reset_rings(struct np_slot *slot)
{
	for (int way = 0; way < 2; way++) {
		atomic_store(&slot->way[way].ring.tail, 0);
		atomic_store(&slot->way[way].ring.head, 0);
	}
}

static DWORD slot_take(struct np_end *end, struct np_slot *slot, uint32_t phase)
{
	DWORD error = slot_populate(end, slot);

	if (error)
		return error;
	slot_reset_rings(slot);
	atomic_store(&slot->server, ripc_self_id());
	atomic_store(&slot->client, 0);
	slot_set(slot, phase);
	return 0;
}

static void slot_free(struct np_end *end, struct np_slot *slot)
{
	atomic_store(&slot->server, 0);
	atomic_store(&slot->client, 0);
	slot_memory(end, slot, MADV_REMOVE);
	slot_set(slot, NP_FREE);
}

static unsigned int count_servers(struct np_end *end, bool look)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < end->shape.slots; i++)
		n += is_server_phase(look ? slot_look(&end->pipe->slot[i])
					  : atomic_load(&end->pipe->slot[i].phase));
	return n;
}

static bool has_server(struct np_end *end)
{
	for (unsigned int i = 0; i < end->shape.slots; i++)
		if (server_lives(&end->pipe->slot[i]))
			return true;
	return false;
}

unsigned int np_instances(struct np_end *end)
{
	unsigned int n;

	table_lock(end);
	n = count_servers(end, true);
	table_unlock(end);
	return n;
}

/* ---- the server comes ---- */

/*
 * A pipe whose servers are all gone is not joined: its clients may read what is left, but the name
 * goes to a new one. Only who has the lock takes the name away. `again`: the name led here though
 * it was said to be gone: whoever was at it has died in between.
 */
static bool is_retired(struct np_end *end, bool again)
{
	if (!atomic_load(&end->pipe->retired) && has_server(end))
		return false;
	atomic_store(&end->pipe->retired, 1);
	if (again || !ripc_object_is_unlinked(end->object))
		ripc_object_unlink(RIPC_TYPE_NPIPE, end->object->name);
	return true;
}

static DWORD join(struct np_end *end, const struct np_shape *want, bool first)
{
	struct np_slot *slot;
	DWORD error;

	if (first || ((end->shape.type ^ want->type) & PIPE_TYPE_MESSAGE) ||
	    end->shape.access != want->access || end->shape.max_instances != want->max_instances)
		return ERROR_ACCESS_DENIED;
	if (count_servers(end, false) >= end->shape.max_instances &&
	    count_servers(end, true) >= end->shape.max_instances)
		return ERROR_PIPE_BUSY;
	slot = slot_find_free(end);
	if (!slot)
		return ERROR_NO_SYSTEM_RESOURCES;
	error = slot_take(end, slot, NP_LISTENING);
	end->slot = slot;
	return error;
}

static DWORD start(struct np_end *end)
{
	DWORD error = slot_populate(end, &end->pipe->slot[0]);

	end->slot = &end->pipe->slot[0];
	if (!error)
		slot_set(end->slot, NP_LISTENING);
	else
		atomic_store(&end->slot->phase, NP_FREE);
	return error;
}

DWORD np_create(struct np_end **result, const char *name, const struct np_shape *want, bool first)
{
	struct np_end *end = NULL;
	bool created, retired;
	ino_t last_ino = 0;
	DWORD error;

	do {
		error = end_new(&end, name, want, &created);
		if (error)
			return error;
		table_lock(end);
		retired = !created && is_retired(end, end->object->ino == last_ino);
		last_ino = end->object->ino;
		if (!retired)
			error = created ? start(end) : join(end, want, first);
		table_unlock(end);
		if (retired || error)
			end_free(end);
	} while (retired);
	if (error)
		return error;
	end->is_server = true;
	end->base.access = (want->access & PIPE_ACCESS_INBOUND ? GENERIC_READ : 0) |
			   (want->access & PIPE_ACCESS_OUTBOUND ? GENERIC_WRITE : 0);
	ripc_gate_wake(&end->pipe->listening, INT_MAX);
	*result = end;
	return 0;
}

/* ---- the client comes ---- */

/* A remote client reaches the pipes of the process that lets it in, and no others. */
static bool is_for(struct np_slot *slot, bool remote)
{
	return remote ? is_server_phase(atomic_load(&slot->phase)) &&
			    atomic_load(&slot->server) == ripc_self_id()
		      : server_lives(slot);
}

static DWORD take_listening(struct np_end *end, DWORD access, bool remote)
{
	bool busy = false;

	if (atomic_load(&end->pipe->retired))
		return ERROR_FILE_NOT_FOUND;
	if (((access & GENERIC_READ) && !(end->shape.access & PIPE_ACCESS_OUTBOUND)) ||
	    ((access & GENERIC_WRITE) && !(end->shape.access & PIPE_ACCESS_INBOUND)))
		return ERROR_ACCESS_DENIED;
	if (remote && (end->shape.type & PIPE_REJECT_REMOTE_CLIENTS))
		return ERROR_ACCESS_DENIED;
	for (unsigned int i = 0; i < end->shape.slots; i++) {
		struct np_slot *slot = &end->pipe->slot[i];

		if (atomic_load(&slot->phase) == NP_LISTENING && is_for(slot, remote)) {
			atomic_store(&slot->client, ripc_self_id());
			end->slot = slot;
			slot_set(slot, NP_CONNECTED);
			return 0;
		}
		busy = busy || is_for(slot, remote);
	}
	return busy ? ERROR_PIPE_BUSY : ERROR_FILE_NOT_FOUND;
}

DWORD np_open(struct np_end **result, const char *name, DWORD access, bool remote)
{
	struct np_end *end;
	DWORD error = end_new(&end, name, NULL, NULL);

	if (error)
		return error;
	table_lock(end);
	error = take_listening(end, access, remote);
	table_unlock(end);
	if (error) {
		end_free(end);
		return error;
	}
	end->base.access = access;
	*result = end;
	return 0;
}

/* ---- WaitNamedPipe ---- */

static int may_open(void *arg)
{
	struct np_end *end = arg;
	DWORD state = ERROR_FILE_NOT_FOUND;

	for (unsigned int i = 0; i < end->shape.slots && state; i++) {
		struct np_slot *slot = &end->pipe->slot[i];

		if (server_lives(slot))
			state = atomic_load(&slot->phase) == NP_LISTENING ? 0 : ERROR_PIPE_BUSY;
	}
	if (atomic_load(&end->pipe->retired))
		state = ERROR_FILE_NOT_FOUND;
	return state == ERROR_PIPE_BUSY ? 0 : state == 0 ? 1 : 2;
}

DWORD np_wait(const char *name, DWORD timeout_ms)
{
	int64_t deadline;
	struct np_end *end;
	DWORD error = end_new(&end, name, NULL, NULL);
	int result;

	if (error)
		return error;
	if (timeout_ms == NMPWAIT_USE_DEFAULT_WAIT)
		timeout_ms = end->shape.timeout_ms;
	deadline = timeout_ms == NMPWAIT_WAIT_FOREVER
		       ? RIPC_FOREVER
		       : ripc_deadline_in((int64_t)timeout_ms * 1000000);
	RIPC_PROBE_WAIT_BEGIN("npipe", end->name);
	result = ripc_gate_wait(&end->pipe->listening, may_open, end, deadline);
	RIPC_PROBE_WAIT_END("npipe", end->name, result < 0 ? -result : 0);
	if (result < 0)
		error = ERROR_SEM_TIMEOUT;
	else
		error = result == 1 ? 0 : ERROR_FILE_NOT_FOUND;
	end_free(end);
	return error;
}

/* ---- ConnectNamedPipe, DisconnectNamedPipe ---- */

/* With the control lock: the slot is opened to the next client. */
static DWORD listen_again(struct np_end *end)
{
	pthread_mutex_lock(&end->reading);
	pthread_mutex_lock(&end->writing);
	end->in_message = false;
	table_lock(end);
	slot_reset_rings(end->slot);
	slot_set(end->slot, NP_LISTENING);
	table_unlock(end);
	pthread_mutex_unlock(&end->writing);
	pthread_mutex_unlock(&end->reading);
	ripc_gate_wake(&end->pipe->listening, INT_MAX);
	return 0;
}

static int has_client(void *arg)
{
	uint32_t phase = atomic_load(&((struct np_slot *)arg)->phase);

	return phase == NP_LISTENING ? 0 : (int)phase;
}

DWORD np_connect(struct np_end *end)
{
	bool nowait = atomic_load(&end->mode) & PIPE_NOWAIT;
	struct np_slot *slot;
	uint32_t phase;
	DWORD error = 0;

	if (!end->is_server)
		return ERROR_INVALID_HANDLE;
	pthread_mutex_lock(&end->control);
	slot = end->slot;
	phase = atomic_load(&slot->phase);
	if (phase == NP_DISCONNECTED)
		error = listen_again(end);
	else if (phase == NP_CONNECTED)
		error = ERROR_PIPE_CONNECTED;
	else if (phase == NP_CLIENT_GONE)
		error = ERROR_NO_DATA;
	else if (phase != NP_LISTENING)
		error = ERROR_PIPE_NOT_CONNECTED;
	else if (nowait)
		error = ERROR_PIPE_LISTENING;
	pthread_mutex_unlock(&end->control);
	if (error || nowait)
		return error;
	RIPC_PROBE_WAIT_BEGIN("npipe", end->name);
	phase = (uint32_t)ripc_gate_wait(&slot->changed, has_client, slot, RIPC_FOREVER);
	RIPC_PROBE_WAIT_END("npipe", end->name, 0);
	/* a client that has come and gone again was there: what it wrote can be read */
	return phase == NP_CONNECTED || phase == NP_CLIENT_GONE ? 0 : ERROR_PIPE_NOT_CONNECTED;
}

/* With control and table locks: ends the connection; *next is where the server goes on. */
static DWORD throw_off(struct np_end *end, struct np_slot **next)
{
	struct np_slot *slot = end->slot;
	DWORD error;

	*next = slot;
	switch (slot_look(slot)) {
	case NP_LISTENING:
	case NP_CLIENT_GONE:
		slot_set(slot, NP_DISCONNECTED);
		return 0;
	case NP_CONNECTED:
		*next = slot_find_free(end);
		if (!*next)
			return ERROR_NO_SYSTEM_RESOURCES;
		error = slot_take(end, *next, NP_DISCONNECTED);
		if (!error)
			slot_set(slot, NP_THROWN_OFF);
		return error;
	default:
		return ERROR_PIPE_NOT_CONNECTED;
	}
}

DWORD np_disconnect(struct np_end *end)
{
	struct np_slot *next;
	DWORD error;

	if (!end->is_server)
		return ERROR_INVALID_HANDLE;
	pthread_mutex_lock(&end->control);
	table_lock(end);
	error = throw_off(end, &next);
	table_unlock(end);
	if (!error) { /* whoever was reading or writing is on its way out */
		pthread_mutex_lock(&end->reading);
		pthread_mutex_lock(&end->writing);
		end->slot = next;
		end->in_message = false;
		pthread_mutex_unlock(&end->writing);
		pthread_mutex_unlock(&end->reading);
	}
	pthread_mutex_unlock(&end->control);
	return error;
}

/* ---- leaving ---- */

/* With all locks: the slot as this end leaves it. */
static void slot_part(struct np_end *end, struct np_slot *slot)
{
	uint32_t phase = slot_look(slot);

	if (phase == NP_CONNECTED)
		slot_set(slot, end->is_server ? NP_SERVER_GONE : NP_CLIENT_GONE);
	else if (end->is_server ? is_server_phase(phase)
				: phase == NP_SERVER_GONE || phase == NP_THROWN_OFF)
		slot_free(end, slot);
}

void np_part(struct np_end *end)
{
	pthread_mutex_lock(&end->control);
	if (!atomic_exchange(&end->parted, true)) {
		slot_wake(end->slot); /* who is in a call on this end finds out, and leaves it */
		pthread_mutex_lock(&end->reading);
		pthread_mutex_lock(&end->writing);
		table_lock(end);
		slot_part(end, end->slot);
		table_unlock(end);
		pthread_mutex_unlock(&end->writing);
		pthread_mutex_unlock(&end->reading);
		ripc_gate_wake(&end->pipe->listening, INT_MAX); /* perhaps no instance is left */
	}
	pthread_mutex_unlock(&end->control);
}

void np_leave(struct np_end *end)
{
	if (!w32_object_is_inherited(&end->base)) /* else the parent's: it is still there */
		np_part(end);
	end_free(end);
}

DWORD np_pair(struct np_end **server, struct np_end **client, const struct np_shape *want,
	      DWORD client_access, const char *shown_name)
{
	static _Atomic unsigned int count;
	char name[64];
	DWORD error;

	/* ~ is in no name that np_parse lets through: nobody else's pipe is in the way */
	snprintf(name, sizeof(name), "~%d.%u", (int)getpid(), atomic_fetch_add(&count, 1));
	error = np_create(server, name, want, true);
	if (error)
		return error;
	error = np_open(client, name, client_access, false);
	ripc_object_unlink(RIPC_TYPE_NPIPE, name);
	if (error) {
		np_leave(*server);
		return error;
	}
	snprintf((*server)->name, sizeof((*server)->name), "%s", shown_name);
	snprintf((*client)->name, sizeof((*client)->name), "%s", shown_name);
	return 0;
}

/* ---- the state of the link ---- */

DWORD np_link(struct np_end *end, struct np_slot *slot, bool look)
{
	uint32_t phase = atomic_load(&slot->phase);

	if (atomic_load(&end->parted)) /* the slot may be another's by now */
		return ERROR_PIPE_NOT_CONNECTED;
	if (look && phase == NP_CONNECTED &&
	    !ripc_id_is_alive(atomic_load(end->is_server ? &slot->client : &slot->server))) {
		table_lock(end);
		phase = slot_look(slot);
		table_unlock(end);
	}
	if (phase == NP_CONNECTED)
		return 0;
	if (phase == (end->is_server ? NP_CLIENT_GONE : NP_SERVER_GONE))
		return ERROR_BROKEN_PIPE;
	if (end->is_server && phase == NP_LISTENING)
		return ERROR_PIPE_LISTENING;
	return ERROR_PIPE_NOT_CONNECTED;
}
