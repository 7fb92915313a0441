// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * POSIX message queues: a receive takes the oldest message of the highest priority. The priority in
 * the event of a receive is that of the message it got, so the rule is needed only where the caller
 * did not ask for it (mtype -1): then the message is the first of the highest priority waiting.
 */
#include "match.h"

#include <errno.h>

#define NOT_TOLD (-1)

static struct type_queue *highest(const struct chan *c)
{
	struct type_queue *best = NULL;
	for (struct type_queue *t = c->types; t; t = t->hh.next)
		if (t->q.written.n > 0 && (!best || t->mtype > best->mtype))
			best = t;
	return best;
}

/* A receive of no told priority that came before its message: could the write *x be that message? */
static struct queue *queue_in_debt(const struct transfer *x)
{
	struct type_queue *t = NULL;
	int64_t mtype = NOT_TOLD;
	HASH_FIND(hh, x->chan->types, &mtype, sizeof(mtype), t);
	if (!t)
		return NULL;
	uint64_t begin_ns = io_begin_ns(x->io);
	while (t->q.debts.n > 0 && ring_at(&t->q.debts, 0)->t_ns < begin_ns)
		ring_pop(&t->q.debts); /* of a sender out of sight: stays with "?" */
	return t->q.debts.n > 0 ? &t->q : NULL;
}

static int priority_write(struct model *m, const struct transfer *x)
{
	struct queue *q = match_type_queue(m, x->chan, x->io->mtype);
	if (!q)
		return -ENOMEM;
	struct queue *debtor = q->debts.n == 0 ? queue_in_debt(x) : NULL;
	return message_write(m, x, debtor ? debtor : q);
}

static int priority_read(struct model *m, const struct transfer *x)
{
	struct type_queue *t = x->io->mtype == NOT_TOLD ? highest(x->chan) : NULL;
	struct queue *q = t ? &t->q : match_type_queue(m, x->chan, x->io->mtype);
	return q ? message_read(m, x, q, match_is_typed_backlog(x, q)) : -ENOMEM;
}

const struct matcher match_priority = {
    .write = priority_write,
    .read = priority_read,
    .backlog = match_typed_backlog,
};
