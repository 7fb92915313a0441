// SPDX-License-Identifier: LGPL-2.1-or-later
/* The message buffer's ring: putting records in, taking them out, one try at a time (buffer.h). */
#include "lib/ripc/buffer.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "lib/ripc/head.h"
#include "lib/ripc/probes.h"

static inline uint64_t units_for(const struct ripc_buffer *b, size_t bytes)
{
	if (!b->shape.room_bytes)
		return 1;
	return 1 + (bytes + RIPC_RECORD_ALIGN - 1) / RIPC_RECORD_ALIGN;
}

static inline struct record *record_at(const struct ripc_buffer *b, uint64_t at)
{
	return (struct record *)(void *)(b->b->ring + (at & b->mask) * b->unit_bytes);
}

/* The record at `at`, if it lies within the ring and before end; its lengths in the caller's hands. */
static inline struct record *sound_record(const struct ripc_buffer *b, uint64_t at, uint64_t end,
					  uint32_t *bytes, uint32_t *units)
{
	struct record *r = record_at(b, at);
	*bytes = *(volatile uint32_t *)&r->bytes;
	*units = *(volatile uint32_t *)&r->units;
	if (!*units || *units > end - at || *units > b->units - (at & b->mask) ||
	    *bytes > (uint64_t)*units * b->unit_bytes - sizeof(*r))
		return NULL;
	return r;
}

struct record *ripc_buffer_record(const struct ripc_buffer *b, uint64_t at, uint64_t end,
				  uint32_t *bytes, uint32_t *units)
{
	return sound_record(b, at, end, bytes, units);
}

/* ---- cache lines ---- */

/*
 * Between two CPUs a message costs what it takes to bring its lines from one to the other. Many can
 * be on their way at once: so they are asked for some records before they are needed, as far as they
 * are known to be the other side's no more. On one CPU that would be in vain.
 */
#define AHEAD 6 /* records, of up to four lines: in longer ones the processor sees what is coming */
#define LINE 64

static inline bool is_apart(const _Atomic int *theirs, const _Atomic int *ours)
{
	return atomic_load_explicit(theirs, memory_order_relaxed) !=
	       atomic_load_explicit(ours, memory_order_relaxed);
}

static inline void fetch_to_read(void *p) { __builtin_prefetch(p); }

static inline void fetch_to_write(void *p)
{
#if defined(__x86_64__)
	/* for which the compiler would want -mprfchw; where there is none it is a no-op */
	__asm__ volatile("prefetchw %0" : : "m"(*(const char *)p));
#else
	__builtin_prefetch(p, 1);
#endif
}

static inline void fetch_record(const struct ripc_buffer *b, uint64_t at, uint64_t bytes,
				void (*fetch)(void *p))
{
	char *r = (char *)record_at(b, at);
	for (uint64_t i = 0; i < bytes; i += LINE)
		fetch(r + i);
}

/* If the records to come are as long as this one, and their room is known to be free. */
static inline void fetch_room(const struct ripc_buffer *b, uint64_t tail, uint64_t units)
{
	const struct buffer_body *s = b->b;
	uint64_t bytes = units * b->unit_bytes;
	if (s->receives_apart && bytes <= 4 * LINE &&
	    tail + (AHEAD + 1) * units - s->head_seen <= b->limit)
		fetch_record(b, tail + AHEAD * units, bytes, fetch_to_write);
}

static inline void fetch_messages(const struct ripc_buffer *b, uint64_t at, uint64_t units)
{
	const struct buffer_body *s = b->b;
	uint64_t bytes = units * b->unit_bytes;
	if (s->sends_apart && bytes <= 4 * LINE && s->tail_seen - at > (AHEAD + 1) * units)
		fetch_record(b, at + AHEAD * units, bytes, fetch_to_read);
}

/* ---- sending ---- */

/* A stop-gap to the ring's end, for a record that must be in one piece. */
static void write_filler(struct ripc_buffer *b, uint64_t at, uint32_t units)
{
	struct record *r = record_at(b, at);
	r->bytes = 0;
	r->units = units;
	atomic_store_explicit(&r->state, RECORD_DONE, memory_order_relaxed);
}

/*
 * Under send_lock: finds room for a record of so many units, at *at with tail to become *tail.
 * A filler may come first.
 */
static inline int find_room(struct ripc_buffer *b, uint64_t units, uint64_t *at, uint64_t *tail)
{
	struct buffer_body *s = b->b;
	uint64_t t = atomic_load_explicit(&s->tail, memory_order_relaxed);
	uint64_t rest = b->units - (t & b->mask);
	uint64_t filler = rest < units ? rest : 0;
	uint64_t head = s->head_seen;
	if (t - head > b->limit || t + filler + units - head > b->limit) {
		head = atomic_load_explicit(&s->head, memory_order_acquire);
		s->head_seen = head;
		s->receives_apart = is_apart(&s->receiver_cpu, &s->sender_cpu);
		if (t - head > b->units)
			return -EBADMSG;
		if (t + filler + units - head > b->limit)
			return -EAGAIN;
	}
	if (filler)
		write_filler(b, t, (uint32_t)filler);
	*at = t + filler;
	*tail = t + filler + units;
	return 0;
}

/* Under the lock whose line it is in. */
static inline void note_cpu(_Atomic int *last)
{
	int cpu = ripc_cpu() + 1;
	if (atomic_load_explicit(last, memory_order_relaxed) != cpu)
		atomic_store_explicit(last, cpu, memory_order_relaxed);
}

/* A lock whose owner died needs no repair here. */
static inline int take_lock(struct ripc_leaf *l)
{
	int err = ripc_leaf_lock(l);
	return err == -EOWNERDEAD ? 0 : err;
}

int ripc_buffer_put(struct ripc_buffer *b, const void *message, size_t bytes)
{
	uint64_t units = units_for(b, bytes), at, tail;
	int err = take_lock(&b->b->send_lock);
	if (err)
		return err;
	note_cpu(&b->b->sender_cpu);
	err = find_room(b, units, &at, &tail);
	if (!err) {
		struct record *r = record_at(b, at);
		fetch_room(b, tail, units);
		r->bytes = (uint32_t)bytes;
		r->units = (uint32_t)units;
		atomic_store_explicit(&r->state, RECORD_READY, memory_order_relaxed);
		if (bytes)
			memcpy(r + 1, message, bytes);
		atomic_store_explicit(&b->b->tail, tail, memory_order_release);
	}
	ripc_leaf_unlock(&b->b->send_lock);
	if (!err)
		ripc_gate_wake_fenced(&b->b->not_empty, 1);
	return err;
}

/* In lines of their own sides: senders and receivers do not fight for one. */
static void count_span(_Atomic uint32_t *count, int by)
{
	uint32_t n = atomic_load_explicit(count, memory_order_relaxed);
	while (!(by < 0 && n == 0) && !atomic_compare_exchange_weak(count, &n, n + (uint32_t)by))
		;
}

int ripc_buffer_hold(struct ripc_buffer *b, size_t bytes, struct ripc_span *span)
{
	uint64_t units = units_for(b, bytes), at, tail;
	int err = take_lock(&b->b->send_lock);
	if (err)
		return err;
	note_cpu(&b->b->sender_cpu);
	err = find_room(b, units, &at, &tail);
	if (!err) {
		struct record *r = record_at(b, at);
		fetch_room(b, tail, units);
		count_span(&b->b->reserved, 1);
		r->bytes = (uint32_t)bytes;
		r->units = (uint32_t)units;
		atomic_store_explicit(&r->owner, ripc_self_id(), memory_order_relaxed);
		atomic_store_explicit(&r->state, RECORD_RESERVED, memory_order_relaxed);
		atomic_store_explicit(&b->b->tail, tail, memory_order_release);
		*span = (struct ripc_span){r + 1, bytes, at};
	}
	ripc_leaf_unlock(&b->b->send_lock);
	return err;
}

/* The record of a span that is ours and in this state. */
static struct record *our_record(struct ripc_buffer *b, const struct ripc_span *span,
				 uint32_t state, uint32_t *bytes)
{
	/* in this order: neither passes our record, so what is read first cannot be too old */
	uint64_t tail = atomic_load(&b->b->tail), head = atomic_load(&b->b->head);
	uint32_t units;
	if (!span->data || tail - head > b->units || span->at - head >= tail - head)
		return NULL;
	struct record *r = ripc_buffer_record(b, span->at, tail, bytes, &units);
	if (!r || span->data != r + 1 || atomic_load(&r->state) != state ||
	    atomic_load(&r->owner) != ripc_self_id())
		return NULL;
	return r;
}

static int finish_reservation(struct ripc_buffer *b, struct ripc_span *span, size_t bytes,
			      uint32_t state)
{
	uint32_t reserved;
	struct record *r = our_record(b, span, RECORD_RESERVED, &reserved);
	if (!r)
		return -EINVAL;
	if (bytes > reserved)
		return -EMSGSIZE;
	r->bytes = (uint32_t)bytes;
	atomic_store_explicit(&r->state, state, memory_order_release);
	count_span(&b->b->reserved, -1); /* a fence, on x86 */
	*span = (struct ripc_span){0};
	return 0;
}

int ripc_buffer_commit(struct ripc_buffer *b, struct ripc_span *span, size_t bytes)
{
	RIPC_PROBE_BEGIN();
	int err = finish_reservation(b, span, bytes, RECORD_READY);
	if (!err) {
		ripc_gate_wake_fenced(&b->b->not_empty, 1);
		RIPC_PROBE_SEND(RIPC_KIND("buffer"), b->o->name, b->o->ino, bytes, 0);
	}
	return err;
}

/* ---- receiving ---- */

static inline uint64_t front_of(const struct buffer_body *s, uint64_t head)
{
	return ripc_buffer_front(head, atomic_load_explicit(&s->next, memory_order_relaxed));
}

/* After receive_lock was given back: the gates' sleepers have fenced, or unlocking did. */
void ripc_buffer_wake_senders(struct ripc_buffer *b, int taken)
{
	struct buffer_body *s = b->b;
	ripc_gate_wake_fenced(&s->not_full, b->shape.room_bytes ? INT_MAX : taken);
	if (ripc_gate_is_used(&s->half_empty) &&
	    atomic_load(&s->tail) - atomic_load(&s->head) <= b->limit / 2)
		ripc_gate_wake_fenced(&s->half_empty, INT_MAX);
}

/* Under receive_lock: gives back the room of what is done with; how many records that was. */
int ripc_buffer_advance_head(struct ripc_buffer *b)
{
	struct buffer_body *s = b->b;
	uint64_t at = atomic_load_explicit(&s->head, memory_order_relaxed);
	int count = 0;
	uint64_t front = front_of(s, at);
	if (front - at > b->units)
		return -EBADMSG;
	while (at != front) {
		uint32_t bytes, units;
		struct record *r = sound_record(b, at, front, &bytes, &units);
		if (!r)
			return -EBADMSG;
		if (atomic_load_explicit(&r->state, memory_order_acquire) != RECORD_DONE)
			break;
		at += units;
		count++;
	}
	if (count)
		atomic_store_explicit(&s->head, at, memory_order_release);
	return count;
}

/*
 * Under receive_lock: the first record that is ready, at *at; -EAGAIN when there is none. next is
 * moved over what has been taken, and never over a reservation.
 */
static inline int find_ready(struct ripc_buffer *b, uint64_t head, uint64_t *at,
			     struct record **found, uint32_t *bytes, uint32_t *units)
{
	struct buffer_body *s = b->b;
	uint64_t p = front_of(s, head), tail = s->tail_seen;
	bool is_front = true;
	for (;;) {
		if (p == tail || tail - p > b->units) {
			tail = atomic_load_explicit(&s->tail, memory_order_acquire);
			if (tail - p > b->units)
				return -EBADMSG;
			if (p == tail)
				return -EAGAIN;
			s->tail_seen = tail;
			s->sends_apart = is_apart(&s->sender_cpu, &s->receiver_cpu);
		}
		/* the state first: its length may become less until it is ready */
		uint32_t state = atomic_load_explicit(&record_at(b, p)->state, memory_order_acquire);
		struct record *r = sound_record(b, p, tail, bytes, units);
		if (!r)
			return -EBADMSG;
		if (state == RECORD_READY) {
			*at = p;
			*found = r;
			return 0;
		}
		p += *units;
		is_front &= state == RECORD_DONE || state == RECORD_VIEWED;
		if (is_front)
			atomic_store_explicit(&s->next, p, memory_order_relaxed);
	}
}

/* Under receive_lock: the record at `at` is not to be received any more. */
static void pass_over(struct ripc_buffer *b, uint64_t head, uint64_t at, uint32_t units)
{
	if (front_of(b->b, head) == at)
		atomic_store_explicit(&b->b->next, at + units, memory_order_relaxed);
}

/* Under receive_lock: the record has been received; how many records' room that gave back. */
static inline int finish_record(struct ripc_buffer *b, uint64_t head, struct record *r, uint64_t at,
				uint32_t units)
{
	if (at == head) {
		atomic_store_explicit(&b->b->head, at + units, memory_order_release);
		return 1;
	}
	atomic_store_explicit(&r->state, RECORD_DONE, memory_order_release);
	pass_over(b, head, at, units);
	return ripc_buffer_advance_head(b);
}

ssize_t ripc_buffer_take(struct ripc_buffer *b, void *message, size_t room)
{
	struct record *r;
	uint32_t bytes = 0, units;
	uint64_t at, head;
	int advanced = 0, err = take_lock(&b->b->receive_lock);
	if (err)
		return err;
	note_cpu(&b->b->receiver_cpu);
	head = atomic_load_explicit(&b->b->head, memory_order_relaxed);
	err = find_ready(b, head, &at, &r, &bytes, &units);
	if (__builtin_expect(!err, 1)) {
		if (bytes > room) {
			err = -EMSGSIZE;
		} else {
			fetch_messages(b, at, units);
			if (bytes)
				memcpy(message, r + 1, bytes);
			advanced = finish_record(b, head, r, at, units);
		}
	} else if (err == -EAGAIN) {
		advanced = ripc_buffer_advance_head(b);
	}
	if (advanced < 0)
		err = advanced;
	ripc_leaf_unlock(&b->b->receive_lock);
	if (advanced > 0)
		ripc_buffer_wake_senders(b, advanced);
	if (__builtin_expect(err == -EMSGSIZE, 0)) /* others may have room for it */
		ripc_gate_wake_fenced(&b->b->not_empty, 1);
	return err ? err : (ssize_t)bytes;
}

int ripc_buffer_look(struct ripc_buffer *b, struct ripc_span *span)
{
	struct record *r;
	uint32_t bytes, units;
	uint64_t at, head;
	int err = take_lock(&b->b->receive_lock);
	if (err)
		return err;
	note_cpu(&b->b->receiver_cpu);
	head = atomic_load_explicit(&b->b->head, memory_order_relaxed);
	err = find_ready(b, head, &at, &r, &bytes, &units);
	if (!err) {
		fetch_messages(b, at, units);
		count_span(&b->b->viewed, 1);
		atomic_store_explicit(&r->owner, ripc_self_id(), memory_order_relaxed);
		atomic_store_explicit(&r->state, RECORD_VIEWED, memory_order_release);
		pass_over(b, head, at, units);
		*span = (struct ripc_span){r + 1, bytes, at};
	}
	ripc_leaf_unlock(&b->b->receive_lock);
	return err;
}

bool ripc_buffer_is_worth_a_look(const struct ripc_buffer *b)
{
	const struct buffer_body *s = b->b;
	uint64_t at = front_of(s, atomic_load_explicit(&s->head, memory_order_relaxed));
	uint64_t tail = atomic_load_explicit(&s->tail, memory_order_acquire);
	const struct record *r = record_at(b, at);
	if (at == tail)
		return false;
	/* one that is still being written, and nothing behind it */
	return atomic_load_explicit(&r->state, memory_order_relaxed) != RECORD_RESERVED ||
	       tail - at > *(const volatile uint32_t *)&r->units;
}

static int give_back_room(struct ripc_buffer *b)
{
	int err = take_lock(&b->b->receive_lock);
	if (err)
		return err;
	int advanced = ripc_buffer_advance_head(b);
	ripc_leaf_unlock(&b->b->receive_lock);
	if (advanced > 0)
		ripc_buffer_wake_senders(b, advanced);
	return advanced < 0 ? advanced : 0;
}

int ripc_buffer_release(struct ripc_buffer *b, struct ripc_span *span)
{
	uint32_t bytes;
	struct record *r = our_record(b, span, RECORD_VIEWED, &bytes);
	if (!r)
		return -EINVAL;
	atomic_store_explicit(&r->state, RECORD_DONE, memory_order_release);
	count_span(&b->b->viewed, -1);
	*span = (struct ripc_span){0};
	return give_back_room(b);
}

/* ---- the dead ---- */

static bool reap(struct ripc_buffer *b)
{
	struct buffer_body *s = b->b;
	if (take_lock(&s->receive_lock))
		return false;
	uint64_t at = atomic_load(&s->head), tail = atomic_load(&s->tail);
	bool found = false, is_front = true;
	while (at != tail && tail - at <= b->units) {
		uint32_t bytes, units;
		struct record *r = ripc_buffer_record(b, at, tail, &bytes, &units);
		if (!r)
			break;
		uint32_t state = atomic_load(&r->state);
		if ((state == RECORD_RESERVED || state == RECORD_VIEWED) &&
		    !ripc_id_is_alive(atomic_load(&r->owner)) &&
		    atomic_compare_exchange_strong(&r->state, &state, RECORD_DONE)) {
			count_span(state == RECORD_VIEWED ? &s->viewed : &s->reserved, -1);
			found = true;
			state = RECORD_DONE;
		}
		at += units;
		is_front &= state == RECORD_DONE || state == RECORD_VIEWED;
		if (is_front && front_of(s, at) == at)
			atomic_store(&s->next, at);
	}
	found |= ripc_buffer_advance_head(b) > 0;
	ripc_leaf_unlock(&s->receive_lock);
	if (found)
		ripc_buffer_wake_senders(b, INT_MAX);
	return found;
}

bool ripc_buffer_reap(struct ripc_buffer *b)
{
	return (atomic_load(&b->b->reserved) || atomic_load(&b->b->viewed)) && reap(b);
}

int ripc_buffer_abandon(struct ripc_buffer *b, struct ripc_span *span)
{
	int err = finish_reservation(b, span, 0, RECORD_DONE);
	if (err)
		return err;
	/* a receiver's look moves next over it; so do we, when it is at the front */
	reap(b);
	return 0;
}
