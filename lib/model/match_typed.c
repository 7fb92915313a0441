// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * System V message queues: first in, first out within a message type. The type in the event of a
 * msgrcv is that of the message it got, so the rules by which msgrcv chooses need not be known.
 */
#include "match.h"

#include <errno.h>
#include <stdlib.h>

#define TYPES_KEPT 64u /* empty queues, so that a steady exchange allocates nothing */
#define TYPES_MANY 1024u

/* Programs that use pids as types make ever new ones: the empty queues go once they are many. */
static void forget_empty(struct model *m, struct chan *c)
{
	bool is_crowded = HASH_COUNT(c->types) > TYPES_MANY; /* debts then stay with "?" */
	struct type_queue *t, *tmp;
	HASH_ITER(hh, c->types, t, tmp)
	{
		if (t->q.written.n == 0 && (t->q.debts.n == 0 || is_crowded)) {
			HASH_DELETE(hh, c->types, t);
			queue_release(m, &t->q);
			free(t);
		}
	}
	c->types_max = 2 * HASH_COUNT(c->types) + TYPES_KEPT;
}

struct queue *match_type_queue(struct model *m, struct chan *c, int64_t mtype)
{
	struct type_queue *t = NULL;
	HASH_FIND(hh, c->types, &mtype, sizeof(mtype), t);
	if (t)
		return &t->q;
	if (HASH_COUNT(c->types) >= c->types_max)
		forget_empty(m, c);
	t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	t->mtype = mtype;
	HASH_ADD(hh, c->types, mtype, sizeof(mtype), t);
	if (!t->hh.tbl) {
		free(t);
		return NULL;
	}
	return &t->q;
}

static int typed_write(struct model *m, const struct transfer *x)
{
	struct queue *q = match_type_queue(m, x->chan, x->io->mtype);
	return q ? message_write(m, x, q) : -ENOMEM;
}

/* The types of what was inside at first sight are not known: a queued message of just that size
 * wins. */
bool match_is_typed_backlog(const struct transfer *x, const struct queue *q)
{
	if (x->chan->backlog == 0 || x->io->bytes > x->chan->backlog)
		return false;
	return q->written.n == 0 || ring_at(&q->written, 0)->left != x->io->bytes;
}

static int typed_read(struct model *m, const struct transfer *x)
{
	struct queue *q = match_type_queue(m, x->chan, x->io->mtype);
	return q ? message_read(m, x, q, match_is_typed_backlog(x, q)) : -ENOMEM;
}

int match_typed_backlog(struct model *m, struct chan *c, uint64_t bytes)
{
	(void)m;
	c->backlog = bytes;
	return 0;
}

const struct matcher match_typed = {
    .write = typed_write,
    .read = typed_read,
    .backlog = match_typed_backlog,
};
