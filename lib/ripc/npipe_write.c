// SPDX-License-Identifier: LGPL-2.1-or-later
/* Named pipes: writing, and waiting until it is read (npipe_flow.h). */
#include <limits.h>

#include "npipe_flow.h"
#include "probes.h"

static void publish(struct np_flow *f, uint64_t n)
{
	atomic_fetch_add_explicit(&f->ring->tail, n, memory_order_release);
	ripc_gate_wake(f->readable, INT_MAX);
}

/* One record. In pieces when it is larger than the ring; else it appears at once. */
static DWORD put_record(struct np_flow *f, const char *buf, uint32_t size, DWORD *put)
{
	uint64_t whole = (uint64_t)NP_HEAD_BYTES + size, tail = atomic_load(&f->ring->tail), room, n;
	DWORD error;

	f->need = whole < f->size ? whole : f->size;
	error = np_flow_wait(f, np_has_room, f->writable, false);
	if (error)
		return error;
	ring_put(f->data, f->size, tail, &size, NP_HEAD_BYTES);
	n = size < f->need - NP_HEAD_BYTES ? size : f->need - NP_HEAD_BYTES;
	ring_put(f->data, f->size, tail + NP_HEAD_BYTES, buf, n);
	publish(f, NP_HEAD_BYTES + n);
	for (*put = (DWORD)n; *put < size; *put += (DWORD)n) {
		f->need = 1;
		error = np_flow_wait(f, np_has_room, f->writable, false);
		if (error)
			return error;
		room = f->size - ring_used(f->ring, f->size);
		room = room <= f->size ? room : 1; /* it was broken since np_has_room: no matter */
		n = size - *put < room ? size - *put : room;
		ring_put(f->data, f->size, atomic_load(&f->ring->tail), buf + *put, n);
		publish(f, n);
	}
	return 0;
}

/* With PIPE_NOWAIT: how much of `size` may be written now, without waiting; −1 for nothing. */
static int64_t fits_now(struct np_flow *f, uint32_t size)
{
	uint64_t used = ring_used(f->ring, f->size), room;

	if (used == UINT64_MAX || f->size - used < NP_HEAD_BYTES)
		return -1;
	room = f->size - used - NP_HEAD_BYTES;
	if (size <= room)
		return size;
	return f->end->shape.type & PIPE_TYPE_MESSAGE || room == 0 ? -1 : (int64_t)room;
}

static DWORD write_locked(struct np_end *end, const void *buf, DWORD size, DWORD *put)
{
	struct np_flow f = np_flow_of(end, true);
	DWORD error = np_link(end, end->slot, false);
	uint32_t n = size;

	if (!error && (atomic_load(&end->mode) & PIPE_NOWAIT)) {
		int64_t now = fits_now(&f, size);

		if (now < 0)
			return 0;
		n = (uint32_t)now;
	}
	if (!error) {
		RIPC_PROBE_BEGIN();
		error = put_record(&f, buf, n, put);
		if (!error || *put)
			RIPC_PROBE_SEND(RIPC_KIND("npipe"), end->name, end->object->ino, *put,
					np_flow_tag(&f));
	}
	/* STATUS_PIPE_CLOSING: for a writer, a pipe that breaks is one that is being closed */
	return error == ERROR_BROKEN_PIPE ? ERROR_NO_DATA : error;
}

DWORD np_write(struct w32_object *o, const void *buf, DWORD size, DWORD *put)
{
	struct np_end *end = (struct np_end *)o;
	DWORD error;

	pthread_mutex_lock(&end->writing);
	error = write_locked(end, buf, size, put);
	pthread_mutex_unlock(&end->writing);
	return error;
}

/* ---- FlushFileBuffers ---- */

struct flush {
	struct np_flow flow;
	uint64_t until;
};

static int is_read(void *arg)
{
	struct flush *fl = arg;
	bool down = np_flow_is_down(&fl->flow);

	/* positions only grow, so this also holds when more has been written meanwhile */
	if ((int64_t)(atomic_load(&fl->flow.ring->head) - fl->until) >= 0)
		return NP_READY;
	return down ? NP_LINK : 0;
}

DWORD np_flush(struct w32_object *o)
{
	struct np_end *end = (struct np_end *)o;
	struct flush fl;
	DWORD error;

	pthread_mutex_lock(&end->writing); /* else the slot could change */
	fl.flow = np_flow_of(end, true);
	fl.until = atomic_load(&fl.flow.ring->tail);
	pthread_mutex_unlock(&end->writing);
	error = np_link(end, fl.flow.slot, false);
	if (error && error != ERROR_BROKEN_PIPE)
		return error;
	switch (ripc_gate_wait(fl.flow.writable, is_read, &fl, RIPC_FOREVER)) {
	case NP_READY:
		return 0;
	default:
		return np_link(end, fl.flow.slot, false);
	}
}
