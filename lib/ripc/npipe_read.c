// SPDX-License-Identifier: LGPL-2.1-or-later
/* Named pipes: reading and looking (npipe_flow.h). */
#include <limits.h>

#include "npipe_flow.h"
#include "probes.h"

static uint64_t record_at(const struct np_flow *f, uint64_t pos)
{
	uint32_t length;

	ring_get(f->data, f->size, pos, &length, sizeof(length));
	return length;
}

static void advance(struct np_flow *f, uint64_t n)
{
	atomic_fetch_add_explicit(&f->ring->head, n, memory_order_release);
	ripc_gate_wake(f->writable, INT_MAX);
}

/* The beginning of the next record, unless we are inside one. */
static DWORD begin_record(struct np_flow *f, bool nowait)
{
	struct np_end *end = f->end;
	DWORD error;

	if (end->in_message)
		return 0;
	f->need = NP_HEAD_BYTES;
	error = np_flow_wait(f, np_has_bytes, f->readable, nowait);
	if (error)
		return error;
	end->message_left = record_at(f, atomic_load(&f->ring->head));
	end->in_message = true;
	advance(f, NP_HEAD_BYTES);
	return 0;
}

/* Takes what is there of the current record, waiting for a first byte. */
static DWORD take_some(struct np_flow *f, char *buf, DWORD size, DWORD *got, bool nowait)
{
	struct np_end *end = f->end;
	uint64_t n = size < end->message_left ? size : end->message_left;
	uint64_t used;
	DWORD error;

	if (n) {
		f->need = 1;
		error = np_flow_wait(f, np_has_bytes, f->readable, nowait);
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
static DWORD read_message(struct np_flow *f, char *buf, DWORD size, DWORD *got, bool nowait)
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
static DWORD read_bytes(struct np_flow *f, char *buf, DWORD size, DWORD *got, bool nowait)
{
	DWORD error;

	do {
		uint64_t used;

		if (*got && !f->end->in_message) {
			used = ring_used(f->ring, f->size);
			if (used == UINT64_MAX || used < NP_HEAD_BYTES ||
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
	struct np_flow f = np_flow_of(end, false);
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
		RIPC_PROBE_RECEIVE(RIPC_KIND("npipe"), end->name, end->object->ino, *got,
				   np_flow_tag(&f) ^ 1);
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

/* ---- PeekNamedPipe ---- */

/* All payload in the ring, from `pos` on with `left` bytes of a record begun. */
static uint64_t total_avail(const struct np_flow *f, uint64_t pos, uint64_t used, uint64_t left)
{
	uint64_t total = 0;

	for (;;) {
		uint64_t n = left < used ? left : used;

		total += n;
		pos += n;
		used -= n;
		if (used < NP_HEAD_BYTES)
			return total;
		left = record_at(f, pos);
		pos += NP_HEAD_BYTES;
		used -= NP_HEAD_BYTES;
	}
}

/* The same walk, copying; in message mode it ends with the first record. */
static DWORD peek_copy(const struct np_flow *f, uint64_t pos, uint64_t used, uint64_t left, char *buf,
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
		if (message || got == size || n < left || used - n < NP_HEAD_BYTES)
			return got;
		pos += n;
		used -= n + NP_HEAD_BYTES;
		left = record_at(f, pos);
		pos += NP_HEAD_BYTES;
	}
}

static DWORD peek_locked(struct np_end *end, void *buf, DWORD size, DWORD *got, DWORD *avail,
			 DWORD *rest)
{
	struct np_flow f = np_flow_of(end, false);
	DWORD error = np_link(end, end->slot, true);
	uint64_t used = ring_used(f.ring, f.size), pos = atomic_load(&f.ring->head), left = 0;

	if (used == UINT64_MAX)
		return ERROR_FILE_CORRUPT;
	if (error && (error != ERROR_BROKEN_PIPE || used == 0))
		return error;
	if (end->in_message) {
		left = end->message_left;
	} else if (used >= NP_HEAD_BYTES) {
		left = record_at(&f, pos);
		pos += NP_HEAD_BYTES;
		used -= NP_HEAD_BYTES;
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

/* ---- TransactNamedPipe ---- */

DWORD np_transact(struct np_end *end, const void *in, DWORD in_size, void *out, DWORD out_size,
		  DWORD *got)
{
	DWORD error, put = 0;
	struct np_flow f;

	if (!(atomic_load(&end->mode) & PIPE_READMODE_MESSAGE) ||
	    end->shape.access != PIPE_ACCESS_DUPLEX)
		return ERROR_BAD_PIPE;
	pthread_mutex_lock(&end->reading);
	f = np_flow_of(end, false);
	if (end->in_message || ring_used(f.ring, f.size) != 0)
		error = ERROR_PIPE_BUSY;
	else
		error = np_write(&end->base, in, in_size, &put);
	if (!error)
		error = read_locked(end, out, out_size, got);
	pthread_mutex_unlock(&end->reading);
	return error;
}
