// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Byte streams: pipes, stream sockets. What is written queues up in order and is read from the
 * front, whatever the sizes. A write counts as a message to whoever reads its last byte.
 *
 * Where both ends tell their position in the stream (TCP), that decides which bytes are meant: what
 * was written before tracing began, or was lost, or moved out of sight, is then neither taken for
 * something else nor does it put the rest out of step.
 */
#include "match.h"

#include <errno.h>

/* Bytes of *x whose other end is out of sight. */
static int attribute_unknown(struct model *m, const struct transfer *x, struct queue *q,
			     const struct proc *who, uint64_t messages, uint64_t bytes, bool is_read)
{
	struct attribution a = {.src = is_read ? NULL : (struct proc *)who,
				.dst = is_read ? (struct proc *)who : NULL,
				.messages = messages,
				.bytes = bytes,
				.no_latency = true};
	return bytes && x->counts ? match_attribute(m, x, q, &a) : 0;
}

/*
 * Is the position of an operation to be believed? When a second thread turns up, the first one's latest
 * position, if it was none of the sure ones, may have included what this one moved: *left loses what
 * was told of it then.
 */
static bool is_placed(struct placing *p, const struct ev_io *io, uint64_t *left)
{
	if (!(io->hdr.flags & IO_POS))
		return false;
	bool sure = io->hdr.flags & IO_POS_SURE;
	if (!p->tid)
		p->tid = io->tid;
	if (p->tid != io->tid && !p->is_shared) {
		p->is_shared = true;
		if (!p->was_sure)
			*left -= min_u64(p->skipped, *left);
	}
	p->was_sure = sure;
	p->has_sure |= sure;
	return sure || !p->is_shared;
}

/* Several threads, and of some writes the place is known: of the others it is not, but they have one. */
static bool has_loose(const struct queue *q)
{
	return q->writing.is_shared && q->writing.has_sure;
}

/* Operations were lost, or bytes are inside that nobody knows of. */
static bool is_unsure(const struct model *m, const struct chan *c)
{
	return match_is_suspect(m, c) || c->backlog > 0 || match_is_older(c);
}

/* ---- pipes in packet mode ---- */

/* Of a write of `whole` bytes, the last `left` of them still there: what its first packet has left. */
static uint64_t packet_left(uint64_t whole, uint64_t left)
{
	uint64_t at = whole - left;
	return min_u64(left, PIPE_PAGE_BYTES - at % PIPE_PAGE_BYTES);
}

/* ---- writing ---- */

/* Feeds one debt from the write *x, of which *left bytes are not yet placed. */
static int pay(struct model *m, const struct transfer *x, struct queue *q, struct piece *debt,
	       uint64_t *left, bool approximate)
{
	bool is_packet = x->io->hdr.flags & IO_PACKET;
	uint64_t most = is_packet ? packet_left(x->io->bytes, *left) : *left;
	uint64_t n = min_u64(debt->left, most);
	*left -= is_packet ? most : n;
	struct attribution a = {.src = x->proc,
				.dst = debt->who,
				.messages = *left == 0,
				.bytes = n,
				.read_end_ns = debt->t_ns,
				.approximate = approximate};
	return debt_pay(m, x, q, debt, &a);
}

/* Are there debts so many that they are not kept apart, which this write may have fed? */
static bool is_stale(const struct queue *q, const struct ev_io *io)
{
	return q->stale && q->stale_end >= io->enter_ns;
}

static int pay_debts(struct model *m, const struct transfer *x, struct queue *q, uint64_t *left,
		     bool approximate)
{
	uint64_t begin_ns = x->io->enter_ns;
	int err = 0;
	if (is_stale(q, x->io))
		for (struct piece *s = q->stale; s < q->stale + STALE_MAX && !err && *left; s++)
			if (s->left && s->t_ns >= begin_ns)
				err = pay(m, x, q, s, left, true);
	for (struct piece *d; !err && *left && (d = debt_front(q));) {
		if (d->t_ns < begin_ns) {
			debt_expire(q);
			continue;
		}
		err = pay(m, x, q, d, left, approximate);
		if (d->left == 0)
			ring_pop(&q->debts);
	}
	return err;
}

/*
 * The same by position: *left bytes of the write begin at *at. What lies before the debt was read
 * out of sight, and what of the debt lies before the write, was written there.
 */
static int pay_placed(struct model *m, const struct transfer *x, struct queue *q, uint32_t at,
		      uint64_t *left)
{
	int err = 0;
	for (struct piece *d; !err && *left && (d = debt_front(q));) {
		if (!(d->flags & PIECE_PLACED))
			return 0;
		int32_t ahead = (int32_t)(d->end - (uint32_t)d->left - at);
		if (ahead < 0) {
			debt_forgive(q, x->chan, (uint64_t)-(int64_t)ahead);
			continue;
		}
		uint64_t before = *left;
		if (ahead > 0) {
			*left -= min_u64((uint64_t)ahead, *left);
			err = attribute_unknown(m, x, q, x->proc, *left == 0, before - *left, false);
		} else {
			err = pay(m, x, q, d, left, false);
			if (d->left == 0)
				ring_pop(&q->debts);
		}
		at += (uint32_t)(before - *left);
	}
	return err;
}

/*
 * The same where several write: a debt in front of this write may be another one's, of which it is
 * not known where it lies, or which is told late.
 */
static int pay_among_others(struct model *m, const struct transfer *x, struct queue *q, uint32_t at,
			    uint64_t *left)
{
	int err = 0;
	for (uint32_t i = 0; !err && *left && i < q->debts.n; i++) {
		struct piece *d = ring_at(&q->debts, i);
		int32_t ahead = (int32_t)(d->end - (uint32_t)d->left - at);
		if (!(d->flags & PIECE_PLACED) || (int32_t)(d->end - at) <= 0 || !d->left)
			continue;
		if (ahead < 0)
			d = ring_at(&q->debts, i = debt_split(m, q, x->chan, i, (uint64_t)-(int64_t)ahead));
		uint64_t before = *left;
		if (ahead > 0) {
			*left -= min_u64((uint64_t)ahead, *left);
			err = attribute_unknown(m, x, q, x->proc, *left == 0, before - *left, false);
			at += (uint32_t)(before - *left);
			before = *left;
		}
		if (!err && *left)
			err = pay(m, x, q, d, left, false);
		at += (uint32_t)(before - *left);
	}
	debt_front(q);
	return err;
}

static int stream_write(struct model *m, const struct transfer *x)
{
	const struct ev_io *io = x->io;
	uint64_t left = io->bytes;
	if (left == 0)
		return 0;
	struct queue *q = match_write_queue(x);
	bool overlaps = queue_note_write(q, x->proc, io->enter_ns, io_end_ns(io));
	/* where its bytes begin and end is not certain */
	overlaps |= (io->hdr.flags & (IO_COOKED | IO_UNSURE)) != 0;
	/* The only writer there ever was cannot be confused with another. */
	bool approximate = overlaps || q->many_writers || is_unsure(m, x->chan);
	bool placed = is_placed(&q->writing, io, &left);
	if (io->hdr.flags & IO_EARLY && !placed) { /* some of it was the backlog: nobody knows how much */
		match_suspect(x->chan);
		approximate = overlaps = true;
	}
	uint32_t end = (uint32_t)(io->hdr.flags & IO_PACKET ? (__s64)io->bytes : io->mtype);
	uint32_t flags = overlaps ? PIECE_APPROX : 0;
	q->writing.skipped = 0;
	int err = 0;
	if (placed && has_loose(q))
		err = pay_among_others(m, x, q, end - (uint32_t)left, &left);
	else if (placed && !is_stale(q, io))
		err = pay_placed(m, x, q, end - (uint32_t)left, &left);
	if (!err && left > 0 && !(placed && has_loose(q)))
		err = pay_debts(m, x, q, &left, approximate);
	if (err || left == 0)
		return err;
	if (placed)
		flags = PIECE_PLACED | (io->hdr.flags & IO_POS_SURE ? PIECE_SURE : 0);
	else if (has_loose(q))
		flags = PIECE_LOOSE | PIECE_APPROX;
	else if (io->hdr.flags & IO_PACKET)
		flags |= PIECE_PACKET;
	return match_queue(m, x, q, left, flags, end);
}

/* ---- reading ---- */

/* Takes up to *left bytes from the front piece of *r. */
static int take(struct model *m, const struct transfer *x, struct queue *q, struct ring *r,
		uint64_t *left, bool approximate)
{
	struct piece *p = ring_at(r, 0);
	bool is_packet = p->flags & PIECE_PACKET;
	uint64_t most = is_packet ? packet_left(p->end, p->left) : p->left;
	uint64_t n = min_u64(most, *left), gone = is_packet ? most : n, now_ns = x->io->hdr.t_ns;
	*left -= n;
	p->left -= gone;
	x->chan->pub.unread_bytes -= gone;
	struct attribution a = {.src = p->who,
				.dst = x->proc,
				.messages = p->left == 0,
				.bytes = n,
				.latency_ns = now_ns > p->t_ns ? now_ns - p->t_ns : 0,
				.approximate = approximate || p->flags & PIECE_APPROX,
				.no_latency = !p->who};
	bool counts = x->counts || p->flags & PIECE_COUNTS;
	if (p->left == 0)
		ring_pop(r);
	return counts ? match_attribute(m, x, q, &a) : 0;
}

/* Pieces that lie between others, nobody knows where. */
static int take_loose(struct model *m, const struct transfer *x, struct queue *q, uint64_t *left)
{
	int err = 0;
	while (!err && *left > 0 && q->loose.n > 0)
		err = take(m, x, q, &q->loose, left, true);
	return err;
}

/* What was inside at first sight of a two-sided channel, in a direction that nobody knows. */
static int take_backlog(struct model *m, const struct transfer *x, struct queue *q, uint64_t *left)
{
	struct chan *c = x->chan;
	uint64_t n = min_u64(c->backlog, *left);
	c->backlog -= n;
	c->pub.unread_bytes -= n;
	*left -= n;
	struct attribution a = {
	    .dst = x->proc, .messages = 1, .bytes = n, .approximate = true, .no_latency = true};
	return x->counts ? match_attribute(m, x, q, &a) : 0;
}

/*
 * Bytes up to `end`, in front of all pieces whose place is known: `known` of them were there before
 * tracing began. The others are of a write of which it is not known where it lies, or that is to come.
 */
static int read_between(struct model *m, const struct transfer *x, struct queue *q, uint32_t end,
			uint64_t known, uint64_t others)
{
	int err = attribute_unknown(m, x, q, x->proc, 1, known, true);
	if (!err)
		err = take_loose(m, x, q, &others);
	return err || !others ? err : debt_add(m, x, q, others, PIECE_PLACED, end);
}

/*
 * Before a piece is taken by a read whose *left bytes begin at `at`: what of the piece was read out
 * of sight is passed over, what of the read lies before the piece was written out of sight. *ready:
 * piece and read begin together.
 */
static int line_up(struct model *m, const struct transfer *x, struct queue *q, uint32_t at,
		   uint64_t *left, bool *ready)
{
	struct piece *p = ring_at(&q->written, 0);
	int32_t ahead = (int32_t)(p->end - (uint32_t)p->left - at);
	*ready = ahead == 0;
	if (ahead == 0)
		return 0;
	struct chan *c = x->chan;
	if (ahead > 0) {
		uint64_t n = min_u64((uint64_t)ahead, *left), known = min_u64(n, c->backlog);
		*left -= n;
		c->backlog -= known;
		c->pub.unread_bytes -= known;
		if (has_loose(q))
			return read_between(m, x, q, at + (uint32_t)n, known, n - known);
		q->writing.skipped += n;
		return attribute_unknown(m, x, q, x->proc, 1, n, true);
	}
	uint64_t n = min_u64((uint64_t)-(int64_t)ahead, p->left);
	struct proc *who = p->who;
	p->left -= n;
	c->pub.unread_bytes -= n;
	q->reading.skipped += n;
	bool is_over = p->left == 0;
	if (is_over)
		ring_pop(&q->written);
	return attribute_unknown(m, x, q, who, is_over, n, false);
}

static int stream_read(struct model *m, const struct transfer *x)
{
	const struct ev_io *io = x->io;
	uint64_t left = io->bytes;
	if (left == 0)
		return 0;
	struct queue *q = match_read_queue(x);
	bool overlaps = queue_note_read(q, x->proc, io_begin_ns(io), io_end_ns(io));
	bool approximate = (overlaps && q->many_writers) || is_unsure(m, x->chan) ||
			   io->hdr.flags & (IO_COOKED | IO_UNSURE) || q->loose.n > 0;
	bool placed = is_placed(&q->reading, io, &left);
	uint32_t end = (uint32_t)io->mtype;
	q->reading.skipped = 0;
	int err = 0;
	while (!err && left > 0 && q->written.n > 0) {
		bool by_place = placed && ring_at(&q->written, 0)->flags & PIECE_PLACED, ready = true;
		if (by_place)
			err = line_up(m, x, q, end - (uint32_t)left, &left, &ready);
		if (!err && ready)
			err = take(m, x, q, &q->written, &left, approximate && !by_place);
	}
	if (!err)
		err = take_loose(m, x, q, &left);
	if (!err && left > 0 && x->chan->backlog > 0)
		err = take_backlog(m, x, q, &left);
	if (!err && left > 0)
		err = debt_add(m, x, q, left, placed ? PIECE_PLACED : 0, end);
	return err;
}

static int stream_backlog(struct model *m, struct chan *c, uint64_t bytes)
{
	if (c->pub.duplex) {
		c->backlog = bytes;
		return 0;
	}
	struct piece *p = ring_push(m, &c->q[0].written, RING_MAX);
	if (!p)
		return -ENOMEM;
	p->left = bytes;
	return 0;
}

const struct matcher match_stream = {
    .write = stream_write,
    .read = stream_read,
    .backlog = stream_backlog,
};
