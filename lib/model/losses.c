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

int losses_apply(struct model *m, const struct ev_lost *ev)
{
	if (ev->cause == LOST_NONE || ev->cause >= LOST_MAX)
		return -EINVAL;
	if (ev->count == 0)
		return 0;
	if (ev->cause == LOST_RING_OP || ev->cause == LOST_STORE_QUEUE ||
	    ev->cause == LOST_BAD_RECORD || ev->cause == LOST_URING)
		m->loss_epoch++;
	return loss_add(m, ev->cause, ev->where, ev->count);
}

void losses_free(struct model *m)
{
	for (struct m_loss *l = m->losses, *next; l; l = next) {
		next = l->next;
		free(l);
	}
}
