// SPDX-License-Identifier: GPL-2.0-or-later
#include "shim_ring.h"

#include <string.h>

/* A stamp further ahead than this is no stamp. */
#define FUTURE_NS 1000000000ull
#define ATOMIC_GET(p) __atomic_load_n(p, __ATOMIC_ACQUIRE)

bool shim_reader_init(struct shim_reader *r, void *base, size_t bytes)
{
	struct shim_ring *h = base;
	memset(r, 0, sizeof(*r));
	if (bytes < SHIM_PAGE + SHIM_DATA_MIN || h->magic != SHIM_MAGIC || h->version != SHIM_VERSION ||
	    h->header_bytes != SHIM_PAGE)
		return false;
	uint64_t data_bytes = h->data_bytes;
	if (data_bytes < SHIM_DATA_MIN || data_bytes > SHIM_DATA_MAX || data_bytes & (data_bytes - 1) ||
	    data_bytes > bytes - SHIM_PAGE)
		return false;
	r->ring = h;
	r->data = (const uint8_t *)base + SHIM_PAGE;
	r->data_bytes = data_bytes;
	r->pid = h->pid;
	r->tid = h->tid;
	r->ppid = h->ppid;
	r->last_ns = h->start_ns;
	r->tail = ATOMIC_GET(&h->tail);
	r->head = r->tail;
	for (int i = 0; i < SHIM_LOST_MAX; i++)
		r->lost_told[i] = 0;
	return r->pid && r->tid && r->tail % 8 == 0;
}

static void tail_set(struct shim_reader *r, uint64_t tail)
{
	r->tail = tail;
	__atomic_store_n(&r->ring->tail, tail, __ATOMIC_RELEASE);
}

/* Nothing of what is there can be told apart from anything else. */
static void skip_all(struct shim_reader *r)
{
	r->bad++;
	tail_set(r, r->head);
}

void shim_reader_update(struct shim_reader *r)
{
	uint64_t head = ATOMIC_GET(&r->ring->head);
	if (head % 8 || head < r->head || head - r->tail > r->data_bytes) {
		if (head % 8 == 0 && head != r->head) {
			r->head = head;
			skip_all(r);
		}
		return;
	}
	r->head = head;
}

/* ---- checking ---- */

static bool is_text(const char *text, size_t size) { return memchr(text, 0, size) != NULL; }

static bool is_object(uint64_t obj) { return RAW_OBJ_KIND(obj) > KIND_NONE && RAW_OBJ_KIND(obj) < KIND_MAX; }

static bool io_is_valid(const struct ev_io *e)
{
	return (e->op > OP_NONE || e->hdr.type == RAW_MAP) && e->op < OP_MAX && e->fd >= -1 &&
	       (!e->chan || is_object(e->chan));
}

static bool endpoint_is_valid(const struct ev_endpoint *e)
{
	bool is_memory = e->what == ENDPOINT_ATTACH || e->what == ENDPOINT_DETACH;
	return e->what >= ENDPOINT_OPEN && e->what <= ENDPOINT_PASSED && e->fd >= (is_memory ? -1 : 0) &&
	       is_object(e->chan);
}

static bool object_is_valid(const struct raw_object *o)
{
	return o->kind > KIND_NONE && o->kind < KIND_MAX && RAW_OBJ_KIND(o->obj) == o->kind &&
	       o->name_len <= sizeof(o->name);
}

/* Of the right size, and nothing in it that others would take for an index or a string and fall for. */
static bool is_valid(union shim_record *r)
{
	const struct ev_hdr *h = &r->hdr;
	switch (h->type) {
	case EV_IO:
		return h->size >= sizeof(r->io) && h->size <= sizeof(r->io) + EV_PAYLOAD_MAX && io_is_valid(&r->io);
	case RAW_IO_ADDR:
		return h->size >= sizeof(r->io_addr) && h->size <= sizeof(r->io_addr) + EV_PAYLOAD_MAX &&
		       io_is_valid(&r->io_addr.io) && RAW_OBJ_KIND(r->io_addr.io.chan) == KIND_UDP;
	case SHIM_IO_UNIX:
		return h->size == sizeof(r->io_unix) && io_is_valid(&r->io_unix.io) &&
		       r->io_unix.len <= sizeof(r->io_unix.path) &&
		       RAW_OBJ_KIND(r->io_unix.io.chan) == KIND_UNIX;
	case EV_ENDPOINT:
		return h->size == sizeof(r->endpoint) && endpoint_is_valid(&r->endpoint);
	case EV_TASK:
		return h->size == sizeof(r->task) && r->task.what >= TASK_FORK && r->task.what <= TASK_RENAME &&
		       is_text(r->task.comm, sizeof(r->task.comm)) && is_text(r->task.exe, sizeof(r->task.exe));
	case RAW_OBJECT:
		return h->size == sizeof(r->object) && object_is_valid(&r->object);
	case RAW_MAP:
		return h->size == sizeof(r->map) && io_is_valid(&r->map.io) && r->map.start <= r->map.end &&
		       r->map.old_start <= r->map.old_end && r->map.dir <= 3;
	case RAW_MKNOD:
	case RAW_MQ_UNLINK:
		return h->size == sizeof(r->mknod) && io_is_valid(&r->mknod.io) && is_text(r->mknod.path, sizeof(r->mknod.path));
	}
	return false;
}

/* Copies what is at tail; false when it was skipped. */
static bool take(struct shim_reader *r)
{
	uint64_t at = r->tail & (r->data_bytes - 1), avail = r->head - r->tail;
	if (avail > r->data_bytes - at)
		avail = r->data_bytes - at;
	struct ev_hdr h = { 0 };
	memcpy(&h, r->data + at, avail < sizeof(h) ? 8 : sizeof(h));
	/* a pad of 8 bytes has no room for more than half a header */
	if (avail < sizeof(h)) {
		tail_set(r, r->tail + avail);
		return false;
	}
	if (h.size < sizeof(h) || h.size % 8 || h.size > avail) {
		if (h.type == SHIM_PAD && avail == r->data_bytes - at) {
			tail_set(r, r->tail + avail);
			return false;
		}
		skip_all(r);
		return false;
	}
	if (h.type != SHIM_PAD && h.size <= SHIM_RECORD_MAX) {
		memcpy(r->record.bytes, r->data + at, h.size);
		r->record.hdr.size = h.size; /* the first look counts */
		r->record.hdr.type = h.type;
		if (is_valid(&r->record))
			return true;
	}
	if (h.type != SHIM_PAD)
		r->bad++;
	tail_set(r, r->tail + h.size);
	return false;
}

const union shim_record *shim_reader_peek(struct shim_reader *r, uint64_t now_ns)
{
	while (!r->has_record && r->tail < r->head)
		r->has_record = take(r);
	if (!r->has_record)
		return NULL;
	uint64_t *t = (uint64_t *)&r->record.hdr.t_ns;
	if (*t < r->last_ns)
		*t = r->last_ns;
	if (*t > now_ns && *t - now_ns > FUTURE_NS)
		*t = now_ns;
	return &r->record;
}

void shim_reader_next(struct shim_reader *r)
{
	if (!r->has_record)
		return;
	r->last_ns = r->record.hdr.t_ns;
	r->has_record = false;
	tail_set(r, r->tail + r->record.hdr.size);
}

uint64_t shim_reader_lost(struct shim_reader *r, enum shim_lost cause)
{
	uint64_t now = __atomic_load_n(&r->ring->lost[cause], __ATOMIC_RELAXED);
	uint64_t fresh = now > r->lost_told[cause] ? now - r->lost_told[cause] : 0; /* no shim counts down */
	r->lost_told[cause] = now;
	return fresh;
}

bool shim_reader_call(const struct shim_reader *r, struct shim_call *call)
{
	const struct shim_call *c = &r->ring->call;
	uint16_t op = ATOMIC_GET(&c->op);
	*call = *c;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	call->op = op;
	return op && op < OP_MAX && ATOMIC_GET(&c->op) == op && c->enter_ns == call->enter_ns;
}
