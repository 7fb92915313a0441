// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Named pipes: the data. Each write is a record in the ring, its length first; a byte pipe's
 * records run together for the reader. A record larger than the ring goes through in pieces.
 */
#include "npipe.h"

#include <errno.h>
#include <limits.h>

#include "probes.h"

#define HEAD_BYTES 4u /* a record's length */

/* What a thread that reads or writes is doing. */
struct flow {
	struct np_end *end;
	struct np_slot *slot;
	struct ripc_ring *ring;
	struct ripc_gate *readable, *writable;
	char *data;
	uint64_t size;
	uint64_t need; /* bytes (reader) or room (writer) that it waits for */
	unsigned int asked;
	int64_t look_ns;
	unsigned int *spin;
};

/* With the lock of this direction held. */
static struct flow flow_of(struct np_end *end, bool writes)
{
	struct np_slot *slot = end->slot;
	int way = end->is_server == writes ? NP_TO_CLIENT : NP_TO_SERVER;

	return (struct flow){
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

static long tag_of(const struct flow *f)
{
	return 2 * (f->slot - f->end->pipe->slot) + !f->end->is_server;
}

/* ---- waiting ---- */

enum { WAIT_READY = 1, WAIT_LINK, WAIT_BROKEN };

/*
 * Asked at every wakeup, and every RIPC_HEARTBEAT_NS: then it looks whether the other process is
 * still alive, which nobody tells us.
 */
static bool link_is_down(struct flow *f)
{
	bool look = false;

	if (f->asked++) { /* the first time nobody has waited yet: not even the clock is read */
		int64_t now = ripc_now_ns();

		look = f->look_ns && now - f->look_ns >= RIPC_HEARTBEAT_NS / 2;
		if (look || !f->look_ns)
			f->look_ns = now;
	}
	return np_link(f->end, f->slot, look) != 0;
}

static int has_bytes(void *arg)
{
	struct flow *f = arg;
	/* asked before the ring: what was written before the other end closed counts */
	bool down = link_is_down(f);
	uint64_t used = ring_used(f->ring, f->size);

	if (used == UINT64_MAX)
		return WAIT_BROKEN;
	return used >= f->need ? WAIT_READY : down ? WAIT_LINK : 0;
}

static int has_room(void *arg)
{
	struct flow *f = arg;
	uint64_t used;

	if (link_is_down(f))
		return WAIT_LINK;
	used = ring_used(f->ring, f->size);
	if (used == UINT64_MAX)
		return WAIT_BROKEN;
	return f->size - used >= f->need ? WAIT_READY : 0;
}

/* 0 once there is what f->need says; or why there will not be. */
static DWORD flow_wait(struct flow *f, int (*is_true)(void *), struct ripc_gate *gate, bool nowait)
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
				    state == WAIT_READY ? 0 : EPIPE);
	}
	if (state == WAIT_READY)
		return 0;
	return state == WAIT_LINK ? np_link(f->end, f->slot, false) : ERROR_FILE_CORRUPT;
}

/* ---- reading ---- */

static uint64_t record_at(const struct flow *f, uint64_t pos)
{
	uint32_t length;

	ring_get(f->data, f->size, pos, &length, sizeof(length));
	return length;
}

static void advance(struct flow *f, uint64_t n)
{
	atomic_fetch_add_explicit(&f->ring->head, n, memory_order_release);
	ripc_gate_wake(f->writable, INT_MAX);
}

/* The beginning of the next record, unless we are inside one. */
static DWORD begin_record(struct flow *f, bool nowait)
{
	struct np_end *end = f->end;
	DWORD error;

	if (end->in_message)
		return 0;
	f->need = HEAD_BYTES;
	error = flow_wait(f, has_bytes, f->readable, nowait);
	if (error)
		return error;
	end->message_left = record_at(f, atomic_load(&f->ring->head));
	end->in_message = true;
	advance(f, HEAD_BYTES);
	return 0;
}

/* Takes what is there of the current record, waiting for a first byte. */
static DWORD take_some(struct flow *f, char *buf, DWORD size, DWORD *got, bool nowait)
{
	struct np_end *end = f->end;
	uint64_t n = size < end->message_left ? size : end->message_left;
	uint64_t used;
	DWORD error;

	if (n) {
		f->need = 1;
		error = flow_wait(f, has_bytes, f->readable, nowait);
		if (error)
			return error;
		used = ring_used(f->ring, f->size);
		if (used == UINT64_MAX)
			return ERROR_FILE_CORRUPT;
		n = n < used ? n : used;
		ring_get(f->data, f->size, atomic_load(&f->ring->head), buf, n);
		end->message_left -= n;
		*got += (DWORD)n;
	}
	end->in_message = end->message_left > 0;
	if (n)
		advance(f, n);
	return 0;
}

/* A message that its writer will not finish is dropped with what has been read of it. */
static DWORD read_message(struct flow *f, char *buf, DWORD size, DWORD *got, bool nowait)
{
	DWORD error = begin_record(f, nowait);

	while (!error) {
		error = take_some(f, buf + *got, size - *got, got, nowait && !*got);
		if (!error && !f->end->in_message)
			return 0;
		if (!error && *got == size)
			return ERROR_MORE_DATA;
		/* larger than the ring, and not all there: PIPE_NOWAIT takes it in parts */
		if (!error && nowait)
			return ERROR_MORE_DATA;
	}
	if (f->end->in_message && error != ERROR_NO_DATA) {
		f->end->in_message = false;
		*got = 0;
	}
	return error;
}

/* At least one byte, then whatever else is there; an empty record ends a read, alone. */
static DWORD read_bytes(struct flow *f, char *buf, DWORD size, DWORD *got, bool nowait)
{
	DWORD error;

	do {
		uint64_t used;

		if (*got && !f->end->in_message) {
			used = ring_used(f->ring, f->size);
			if (used == UINT64_MAX || used < HEAD_BYTES ||
			    record_at(f, atomic_load(&f->ring->head)) == 0)
				break;
		}
		error = begin_record(f, nowait);
		if (!error)
			error = take_some(f, buf + *got, size - *got, got, nowait || *got);
		if (error)
			return *got ? 0 : error;
	} while (*got && *got < size);
	return 0;
}

/* With the reading lock. */
static DWORD read_locked(struct np_end *end, void *buf, DWORD size, DWORD *got)
{
	struct flow f = flow_of(end, false);
	uint32_t mode = atomic_load(&end->mode);
	bool nowait = mode & PIPE_NOWAIT;
	DWORD error = np_link(end, end->slot, false);

	if (error && error != ERROR_BROKEN_PIPE)
		return error;
	RIPC_PROBE_BEGIN();
	if (mode & PIPE_READMODE_MESSAGE)
		error = read_message(&f, buf, size, got, nowait);
	else
		error = size ? read_bytes(&f, buf, size, got, nowait) : 0;
	if (!error || error == ERROR_MORE_DATA)
		RIPC_PROBE_RECEIVE(RIPC_KIND("npipe"), end->name, end->object->ino, *got, tag_of(&f) ^ 1);
	return error;
}

DWORD np_read(struct w32_object *o, void *buf, DWORD size, DWORD *got)
{
	struct np_end *end = (struct np_end *)o;
	DWORD error;

	pthread_mutex_lock(&end->reading);
	error = read_locked(end, buf, size, got);
	pthread_mutex_unlock(&end->reading);
	return error;
}

/* All payload in the ring, from `pos` on with `left` bytes of a record begun. */
static uint64_t total_avail(const struct flow *f, uint64_t pos, uint64_t used, uint64_t left)
{
	uint64_t total = 0;

	for (;;) {
		uint64_t n = left < used ? left : used;

		total += n;
		pos += n;
		used -= n;
		if (used < HEAD_BYTES)
			return total;
		left = record_at(f, pos);
		pos += HEAD_BYTES;
		used -= HEAD_BYTES;
	}
}

/* The same walk, copying; in message mode it ends with the first record. */
static DWORD peek_copy(const struct flow *f, uint64_t pos, uint64_t used, uint64_t left, char *buf,
		       DWORD size, bool message, DWORD *rest)
{
	DWORD got = 0;

	for (;;) {
		uint64_t n = left < used ? left : used;

		n = n < size - got ? n : size - got;
		if (n)
			ring_get(f->data, f->size, pos, buf + got, n);
		got += (DWORD)n;
		if (message)
			*rest = (DWORD)(left - n);
		if (message || got == size || n < left || used - n < HEAD_BYTES)
			return got;
		pos += n;
		used -= n + HEAD_BYTES;
		left = record_at(f, pos);
		pos += HEAD_BYTES;
	}
}

static DWORD peek_locked(struct np_end *end, void *buf, DWORD size, DWORD *got, DWORD *avail,
			 DWORD *rest)
{
	struct flow f = flow_of(end, false);
	DWORD error = np_link(end, end->slot, true);
	uint64_t used = ring_used(f.ring, f.size), pos = atomic_load(&f.ring->head), left = 0;

	if (used == UINT64_MAX)
		return ERROR_FILE_CORRUPT;
	if (error && (error != ERROR_BROKEN_PIPE || used == 0))
		return error;
	if (end->in_message) {
		left = end->message_left;
	} else if (used >= HEAD_BYTES) {
		left = record_at(&f, pos);
		pos += HEAD_BYTES;
		used -= HEAD_BYTES;
	} else {
		return 0;
	}
	*avail = (DWORD)total_avail(&f, pos, used, left);
	*got = peek_copy(&f, pos, used, left, buf, size,
			 atomic_load(&end->mode) & PIPE_READMODE_MESSAGE, rest);
	return 0;
}

DWORD np_peek(struct w32_object *o, void *buf, DWORD size, DWORD *got, DWORD *avail, DWORD *left)
{
	struct np_end *end = (struct np_end *)o;
	DWORD error;

	pthread_mutex_lock(&end->reading);
	error = peek_locked(end, buf, size, got, avail, left);
	pthread_mutex_unlock(&end->reading);
	return error;
}

/* ---- writing ---- */

static void publish(struct flow *f, uint64_t n)
{
	atomic_fetch_add_explicit(&f->ring->tail, n, memory_order_release);
	ripc_gate_wake(f->readable, INT_MAX);
}

/* One record. In pieces when it is larger than the ring; else it appears at once. */
static DWORD put_record(struct flow *f, const char *buf, uint32_t size, DWORD *put)
{
	uint64_t whole = (uint64_t)HEAD_BYTES + size, tail = atomic_load(&f->ring->tail), room, n;
	DWORD error;

	f->need = whole < f->size ? whole : f->size;
	error = flow_wait(f, has_room, f->writable, false);
	if (error)
		return error;
	ring_put(f->data, f->size, tail, &size, HEAD_BYTES);
	n = size < f->need - HEAD_BYTES ? size : f->need - HEAD_BYTES;
	ring_put(f->data, f->size, tail + HEAD_BYTES, buf, n);
	publish(f, HEAD_BYTES + n);
	for (*put = (DWORD)n; *put < size; *put += (DWORD)n) {
		f->need = 1;
		error = flow_wait(f, has_room, f->writable, false);
		if (error)
			return error;
		room = f->size - ring_used(f->ring, f->size);
		room = room <= f->size ? room : 1; /* it was broken since has_room: no matter */
		n = size - *put < room ? size - *put : room;
		ring_put(f->data, f->size, atomic_load(&f->ring->tail), buf + *put, n);
		publish(f, n);
	}
	return 0;
}

/* With PIPE_NOWAIT: how much of `size` may be written now, without waiting; −1 for nothing. */
static int64_t fits_now(struct flow *f, uint32_t size)
{
	uint64_t used = ring_used(f->ring, f->size), room;

	if (used == UINT64_MAX || f->size - used < HEAD_BYTES)
		return -1;
	room = f->size - used - HEAD_BYTES;
	if (size <= room)
		return size;
	return f->end->shape.type & PIPE_TYPE_MESSAGE || room == 0 ? -1 : (int64_t)room;
}

static DWORD write_locked(struct np_end *end, const void *buf, DWORD size, DWORD *put)
{
	struct flow f = flow_of(end, true);
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
			RIPC_PROBE_SEND(RIPC_KIND("npipe"), end->name, end->object->ino, *put, tag_of(&f));
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
	struct flow flow;
	uint64_t until;
};

static int is_read(void *arg)
{
	struct flush *fl = arg;
	bool down = link_is_down(&fl->flow);

	/* positions only grow, so this also holds when more has been written meanwhile */
	if ((int64_t)(atomic_load(&fl->flow.ring->head) - fl->until) >= 0)
		return WAIT_READY;
	return down ? WAIT_LINK : 0;
}

DWORD np_flush(struct w32_object *o)
{
	struct np_end *end = (struct np_end *)o;
	struct flush fl;
	DWORD error;

	pthread_mutex_lock(&end->writing); /* else the slot could change */
	fl.flow = flow_of(end, true);
	fl.until = atomic_load(&fl.flow.ring->tail);
	pthread_mutex_unlock(&end->writing);
	error = np_link(end, fl.flow.slot, false);
	if (error && error != ERROR_BROKEN_PIPE)
		return error;
	switch (ripc_gate_wait(fl.flow.writable, is_read, &fl, RIPC_FOREVER)) {
	case WAIT_READY:
		return 0;
	default:
		return np_link(end, fl.flow.slot, false);
	}
}

/* ---- TransactNamedPipe ---- */

DWORD np_transact(struct np_end *end, const void *in, DWORD in_size, void *out, DWORD out_size,
		  DWORD *got)
{
	DWORD error, put = 0;
	struct flow f;

	if (!(atomic_load(&end->mode) & PIPE_READMODE_MESSAGE) ||
	    end->shape.access != PIPE_ACCESS_DUPLEX)
		return ERROR_BAD_PIPE;
	pthread_mutex_lock(&end->reading);
	f = flow_of(end, false);
	if (end->in_message || ring_used(f.ring, f.size) != 0)
		error = ERROR_PIPE_BUSY;
	else
		error = np_write(&end->base, in, in_size, &put);
	if (!error)
		error = read_locked(end, out, out_size, got);
	pthread_mutex_unlock(&end->reading);
	return error;
}
