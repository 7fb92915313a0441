// SPDX-License-Identifier: LGPL-2.1-or-later
/* Named pipes: how servers and clients come, connect and go. */
#include "npipe_slot.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "probes.h"

unsigned int np_instances(struct np_end *end)
{
	unsigned int n;

	np_table_lock(end);
	n = np_count_servers(end, true);
	np_table_unlock(end);
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
	if (!atomic_load(&end->pipe->retired) && np_has_server(end))
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
	if (np_count_servers(end, false) >= end->shape.max_instances &&
	    np_count_servers(end, true) >= end->shape.max_instances)
		return ERROR_PIPE_BUSY;
	slot = np_slot_find_free(end);
	if (!slot)
		return ERROR_NO_SYSTEM_RESOURCES;
	error = np_slot_take(end, slot, NP_LISTENING);
	end->slot = slot;
	return error;
}

static DWORD start(struct np_end *end)
{
	DWORD error = np_slot_populate(end, &end->pipe->slot[0]);

	end->slot = &end->pipe->slot[0];
	if (!error)
		np_slot_set(end->slot, NP_LISTENING);
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
		error = np_end_new(&end, name, want, &created);
		if (error)
			return error;
		np_table_lock(end);
		retired = !created && is_retired(end, end->object->ino == last_ino);
		last_ino = end->object->ino;
		if (!retired)
			error = created ? start(end) : join(end, want, first);
		np_table_unlock(end);
		if (retired || error)
			np_end_free(end);
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
	return remote ? np_is_server_phase(atomic_load(&slot->phase)) &&
			    atomic_load(&slot->server) == ripc_self_id()
		      : np_server_lives(slot);
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
			np_slot_set(slot, NP_CONNECTED);
			return 0;
		}
		busy = busy || is_for(slot, remote);
	}
	return busy ? ERROR_PIPE_BUSY : ERROR_FILE_NOT_FOUND;
}

DWORD np_open(struct np_end **result, const char *name, DWORD access, bool remote)
{
	struct np_end *end;
	DWORD error = np_end_new(&end, name, NULL, NULL);

	if (error)
		return error;
	np_table_lock(end);
	error = take_listening(end, access, remote);
	np_table_unlock(end);
	if (error) {
		np_end_free(end);
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

		if (np_server_lives(slot))
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
	DWORD error = np_end_new(&end, name, NULL, NULL);
	int result;

	if (error)
		return error;
	if (timeout_ms == NMPWAIT_USE_DEFAULT_WAIT)
		timeout_ms = end->shape.timeout_ms;
	deadline = timeout_ms == NMPWAIT_WAIT_FOREVER
		       ? RIPC_FOREVER
		       : ripc_deadline_in((int64_t)timeout_ms * 1000000);
	RIPC_PROBE_BEGIN();
	RIPC_PROBE_WAIT_BEGIN(RIPC_KIND("npipe"), end->name, end->object->ino);
	result = ripc_gate_wait(&end->pipe->listening, may_open, end, deadline);
	RIPC_PROBE_WAIT_END(RIPC_KIND("npipe"), end->name, end->object->ino, result < 0 ? -result : 0);
	if (result == 1)
		RIPC_PROBE_ACQUIRE(RIPC_KIND("npipe"), end->name, end->object->ino);
	if (result < 0)
		error = ERROR_SEM_TIMEOUT;
	else
		error = result == 1 ? 0 : ERROR_FILE_NOT_FOUND;
	np_end_free(end);
	return error;
}

/* ---- ConnectNamedPipe, DisconnectNamedPipe ---- */

/* With the control lock: the slot is opened to the next client. */
static DWORD listen_again(struct np_end *end)
{
	pthread_mutex_lock(&end->reading);
	pthread_mutex_lock(&end->writing);
	end->in_message = false;
	np_table_lock(end);
	np_slot_reset_rings(end->slot);
	np_slot_set(end->slot, NP_LISTENING);
	np_table_unlock(end);
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
	RIPC_PROBE_BEGIN();
	RIPC_PROBE_WAIT_BEGIN(RIPC_KIND("npipe"), end->name, end->object->ino);
	phase = (uint32_t)ripc_gate_wait(&slot->changed, has_client, slot, RIPC_FOREVER);
	/* a client that has come and gone again was there: what it wrote can be read */
	error = phase == NP_CONNECTED || phase == NP_CLIENT_GONE ? 0 : ERROR_PIPE_NOT_CONNECTED;
	RIPC_PROBE_WAIT_END(RIPC_KIND("npipe"), end->name, end->object->ino, error ? EPIPE : 0);
	if (!error)
		RIPC_PROBE_ACQUIRE(RIPC_KIND("npipe"), end->name, end->object->ino);
	return error;
}

/* With control and table locks: ends the connection; *next is where the server goes on. */
static DWORD throw_off(struct np_end *end, struct np_slot **next)
{
	struct np_slot *slot = end->slot;
	DWORD error;

	*next = slot;
	switch (np_slot_look(slot)) {
	case NP_LISTENING:
	case NP_CLIENT_GONE:
		np_slot_set(slot, NP_DISCONNECTED);
		return 0;
	case NP_CONNECTED:
		*next = np_slot_find_free(end);
		if (!*next)
			return ERROR_NO_SYSTEM_RESOURCES;
		error = np_slot_take(end, *next, NP_DISCONNECTED);
		if (!error)
			np_slot_set(slot, NP_THROWN_OFF);
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
	np_table_lock(end);
	error = throw_off(end, &next);
	np_table_unlock(end);
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
	uint32_t phase = np_slot_look(slot);

	if (phase == NP_CONNECTED)
		np_slot_set(slot, end->is_server ? NP_SERVER_GONE : NP_CLIENT_GONE);
	else if (end->is_server ? np_is_server_phase(phase)
				: phase == NP_SERVER_GONE || phase == NP_THROWN_OFF)
		np_slot_free(end, slot);
}

void np_part(struct np_end *end)
{
	pthread_mutex_lock(&end->control);
	if (!atomic_exchange(&end->parted, true)) {
		np_slot_wake(end->slot); /* who is in a call on this end finds out, and leaves it */
		pthread_mutex_lock(&end->reading);
		pthread_mutex_lock(&end->writing);
		np_table_lock(end);
		slot_part(end, end->slot);
		np_table_unlock(end);
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
	np_end_free(end);
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
		np_table_lock(end);
		phase = np_slot_look(slot);
		np_table_unlock(end);
	}
	if (phase == NP_CONNECTED)
		return 0;
	if (phase == (end->is_server ? NP_CLIENT_GONE : NP_SERVER_GONE))
		return ERROR_BROKEN_PIPE;
	if (end->is_server && phase == NP_LISTENING)
		return ERROR_PIPE_LISTENING;
	return ERROR_PIPE_NOT_CONNECTED;
}
