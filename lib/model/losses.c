// SPDX-License-Identifier: GPL-2.0-or-later
/* What is missing, by cause and place. */
#include "world.h"

#include <errno.h>
#include <stdlib.h>

#define ROWS_MAX 4096 /* distinct places; the rest of a hostile trace is summed up under 0 */

int loss_add(struct model *m, uint32_t cause, uint32_t where, uint64_t count)
{
	uint32_t rows = 0;
	struct m_loss *l = m->losses;
	for (; l && !(l->cause == cause && l->where == where); l = l->next)
		rows++;
	if (!l && rows >= ROWS_MAX && where != 0)
		return loss_add(m, cause, 0, count);
	if (!l) {
		l = calloc(1, sizeof(*l));
		if (!l)
			return -ENOMEM;
		l->cause = cause;
		l->where = where;
		*m->loss_tail = l;
		m->loss_tail = &l->next;
	}
	l->count += count;
	return 0;
}

/* A loss is told when it is counted, some time after it happened. */
#define TOLD_WITHIN_NS 1000000000ull

/* Requests of an io_uring that neither put data into a channel nor take any out: IORING_OP_* */
static bool is_dataless(uint32_t opcode)
{
	switch (opcode) {
	case 40: /* MSG_RING */
	case 50: /* WAITID */
	case 51: /* FUTEX_WAIT */
	case 52: /* FUTEX_WAKE */
	case 53: /* FUTEX_WAITV */
	case 59: /* EPOLL_WAIT */
	case 62: /* PIPE */
		return true;
	default:
		return false;
	}
}

/* May who wrote what in *c be taken for another when an operation on it is missing? */
static bool is_by_order(const struct chan *c)
{
	switch (c->pub.shape) {
	case SHAPE_STREAM: /* its positions tell what is missing */
		return !c->q[0].writing.tid && !c->q[1].writing.tid;
	case SHAPE_DGRAM:
	case SHAPE_TYPED:
	case SHAPE_PRIORITY:
		return true;
	default:
		return false;
	}
}

/* What was matched lately may already have been out of step, what will be may be as well. */
static void doubt(struct model *m, uint64_t t_ns)
{
	m->loss_epoch++;
	for (struct m_flow *f = m->flows; f; f = f->next)
		if (f->last_ns + TOLD_WITHIN_NS >= t_ns && is_by_order((const struct chan *)f->chan))
			f->approximate = true;
}

int losses_apply(struct model *m, const struct ev_lost *ev)
{
	if (ev->cause == LOST_NONE || ev->cause >= LOST_MAX)
		return -EINVAL;
	if (ev->count == 0)
		return 0;
	if (ev->cause == LOST_RING_OP || ev->cause == LOST_STORE_QUEUE ||
	    ev->cause == LOST_BAD_RECORD || (ev->cause == LOST_URING && !is_dataless(ev->where)))
		doubt(m, ev->hdr.t_ns);
	return loss_add(m, ev->cause, ev->where, ev->count);
}

void losses_free(struct model *m)
{
	for (struct m_loss *l = m->losses, *next; l; l = next) {
		next = l->next;
		free(l);
	}
}
