// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Storing a record where the hot way (shim_put in shim.h) does not: the ring is full or at its end, a signal
 * handler came while another was being stored, or whoever was storing one has been jumped away from.
 */
#include <linux/futex.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "collector/shim/shim.h"

/* Space for `size` bytes in one piece, tail looked at anew. */
static bool make_room(struct shim_thread *t, uint32_t size)
{
	uint64_t at = t->head & t->mask, left = t->mask + 1 - at;
	uint64_t need = left < size ? left + size : size;
	t->tail = __atomic_load_n(&t->ring->tail, __ATOMIC_ACQUIRE);
	if (t->tail > t->head) /* no collector of ours */
		t->tail = t->head;
	if (t->head + need - t->tail > t->mask + 1)
		return false;
	if (left < size) {
		struct ev_hdr pad = { .type = SHIM_PAD, .size = (uint16_t)left };
		memcpy(t->data + at, &pad, left < sizeof(pad) ? left : sizeof(pad));
		t->head += left;
	}
	return true;
}

static void put_outermost(struct shim_thread *t, const void *record, uint32_t size,
			  enum shim_lost cause, const char *frame)
{
	t->section = frame;
	t->depth = 1;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (make_room(t, size)) {
		memcpy(t->data + (t->head & t->mask), record, size);
		t->head += size;
		__atomic_store_n(&t->ring->head, t->head, __ATOMIC_RELEASE);
	} else {
		__atomic_store_n(&t->ring->lost[cause], t->ring->lost[cause] + 1, __ATOMIC_RELAXED);
	}
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	t->depth = 0;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static bool on_alternate_stack(void)
{
	stack_t ss;
	int saved = errno;
	bool on = syscall(SYS_sigaltstack, NULL, &ss) == 0 && (ss.ss_flags & SS_ONSTACK);
	errno = saved;
	return on;
}

/*
 * Whoever was storing a record is below `frame` on the stack, or was there: a handler of theirs has
 * left it in a way that shim_jumped is not told of (an exception, a cancellation).
 */
static bool is_abandoned(const struct shim_thread *t, const char *frame)
{
	return frame >= t->section && !on_alternate_stack();
}

/* What was being stored is published if it is whole, and lost if it is not. */
static void abandon(struct shim_thread *t)
{
	if (t->head != t->ring->head)
		__atomic_store_n(&t->ring->head, t->head, __ATOMIC_RELEASE);
	else
		t->ring->lost[SHIM_LOST_NESTED]++;
	t->depth = 0;
	t->side->busy = t->side->flushing = 0;
}

/*
 * A handler that jumps out while a record is being stored leaves it for good. (One that jumps within
 * itself may spoil that one record, which the reader then refuses.)
 */
void shim_jumped(void)
{
	struct shim_thread *t = &shim_self;
	t->inside = 0;
	if (SHIM_RARE(t->epoch && t->depth))
		abandon(t);
}

void shim_put_slow(struct shim_thread *t, const void *record, uint32_t size, enum shim_lost cause,
		   const char *frame)
{
	struct shim_side *s = t->side;
	if (t->depth && is_abandoned(t, frame))
		abandon(t);
	if (!t->depth) {
		put_outermost(t, record, size, cause, frame);
		if (s->len)
			shim_flush_side(t);
		if (__atomic_load_n(&shim_control->asleep, __ATOMIC_RELAXED))
			shim_wake();
		return;
	}
	if (s->busy || s->len + size > sizeof(s->buf)) {
		t->ring->lost[SHIM_LOST_NESTED]++;
		return;
	}
	s->busy = 1;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	memcpy(s->buf + s->len, record, size);
	s->len += size;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	s->busy = 0;
}

/* What handlers told meanwhile. Another may come at any place here, and puts its record behind. */
void shim_flush_side(struct shim_thread *t)
{
	struct shim_side *s = t->side;
	if (s->flushing)
		return; /* by the one that we interrupted */
	s->flushing = 1;
	for (;;) {
		uint32_t len = __atomic_load_n(&s->len, __ATOMIC_RELAXED);
		while (s->flushed < len) {
			struct ev_hdr h;
			const uint8_t *record = s->buf + s->flushed;
			memcpy(&h, record, sizeof(h));
			/* before it is put: should a handler jump out of here, it is not put twice */
			s->flushed += h.size;
			__atomic_signal_fence(__ATOMIC_SEQ_CST);
			put_outermost(t, record, h.size, SHIM_LOST_OP, __builtin_frame_address(0));
		}
		s->flushed = 0;
		if (__atomic_compare_exchange_n(&s->len, &len, 0, false, __ATOMIC_RELAXED,
						__ATOMIC_RELAXED))
			break;
		s->flushed = len;
	}
	s->flushing = 0;
}

void shim_wake(void)
{
	int saved = errno;
	if (__atomic_exchange_n(&shim_control->asleep, 0, __ATOMIC_ACQ_REL))
		syscall(SYS_futex, &shim_control->asleep, FUTEX_WAKE, 1, NULL, NULL, 0);
	errno = saved;
}

void shim_tell_payload(struct shim_op *o, const void *data, size_t have)
{
	struct {
		struct ev_io io;
		uint8_t bytes[EV_PAYLOAD_MAX];
	} r;
	size_t n = shim_control->snap_bytes;
	if (n > EV_PAYLOAD_MAX)
		n = EV_PAYLOAD_MAX;
	if (n > have)
		n = have;
	if (!data)
		n = 0;
	r.io = o->io;
	memset(r.bytes, 0, sizeof(r.bytes));
	memcpy(r.bytes, data, n);
	r.io.hdr.size = (uint16_t)(sizeof(r.io) + ((n + 7) & ~(size_t)7));
	shim_put(o->t, &r, r.io.hdr.size, SHIM_LOST_OP);
}
