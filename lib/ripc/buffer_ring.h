/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What putting in and taking out have in common, in buffer_ring.c by copies and in buffer_span.c
 * in place. Inline: these are the few dozen instructions that a message costs. Private to them.
 */
#ifndef RIPC_BUFFER_RING_H
#define RIPC_BUFFER_RING_H

#include <errno.h>

#include "lib/ripc/buffer.h"
#include "lib/ripc/head.h"

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

/* The record at `at`, if it lies within the ring and before end; its lengths as they were seen. */
static inline struct record *ripc_buffer_record(const struct ripc_buffer *b, uint64_t at,
						uint64_t end, uint32_t *bytes, uint32_t *units)
{
	struct record *r = record_at(b, at);
	*bytes = *(volatile uint32_t *)&r->bytes;
	*units = *(volatile uint32_t *)&r->units;
	if (!*units || *units > end - at || *units > b->units - (at & b->mask) ||
	    *bytes > (uint64_t)*units * b->unit_bytes - sizeof(*r))
		return NULL;
	return r;
}

/* ---- cache lines ---- */

/*
 * Between two CPUs a message costs what it takes to bring its lines from one to the other. Many can
 * be on their way at once: so they are asked for some records before they are needed, as far as
 * they are known to be the other side's no more. On one CPU that would be in vain.
 */
#define AHEAD 6 /* records, of up to four lines: in longer ones the processor sees what comes */
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
static inline void write_filler(struct ripc_buffer *b, uint64_t at, uint32_t units)
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

/* A record for a message of so many bytes: all but its state; there once tail is stored. */
struct new_record {
	struct record *r;
	uint64_t at, tail;
};

/* With send_lock taken when it returns 0. */
static inline int new_record(struct ripc_buffer *b, size_t bytes, struct new_record *n)
{
	uint64_t units = units_for(b, bytes);
	int err = take_lock(&b->b->send_lock);
	if (err)
		return err;
	note_cpu(&b->b->sender_cpu);
	err = find_room(b, units, &n->at, &n->tail);
	if (__builtin_expect(err, 0)) {
		ripc_leaf_unlock(&b->b->send_lock);
		return err;
	}
	fetch_room(b, n->tail, units);
	n->r = record_at(b, n->at);
	n->r->bytes = (uint32_t)bytes;
	n->r->units = (uint32_t)units;
	return 0;
}

/* ---- receiving ---- */

static inline uint64_t front_of(const struct buffer_body *s, uint64_t head)
{
	return ripc_buffer_front(head, atomic_load_explicit(&s->next, memory_order_relaxed));
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
		uint32_t state =
		    atomic_load_explicit(&record_at(b, p)->state, memory_order_acquire);
		struct record *r = ripc_buffer_record(b, p, tail, bytes, units);
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
static inline void pass_over(struct ripc_buffer *b, uint64_t head, uint64_t at, uint32_t units)
{
	if (front_of(b->b, head) == at)
		atomic_store_explicit(&b->b->next, at + units, memory_order_relaxed);
}

#endif
