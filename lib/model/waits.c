// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who sleeps now, and what every thread has slept, by operation and channel. A row of the latter
 * is listed while it has a finished sleep or an open one.
 */
#include "world.h"

#include <errno.h>
#include <stdlib.h>

static struct blocked *blocked_get(struct model *m, struct task *t, struct chan *c, uint16_t op)
{
	struct blocked *b = t->blocked;
	if (b && b->key.chan == c && b->key.op == op)
		return b;
	struct blocked_key key = {t, c, op};
	HASH_FIND(hh, m->by_blocked, &key, sizeof(key), b);
	if (!b) {
		b = calloc(1, sizeof(*b));
		if (!b)
			return NULL;
		b->key = key;
		b->pub.task = &t->pub;
		b->pub.chan = c ? &c->pub : NULL;
		b->pub.op = op;
		HASH_ADD(hh, m->by_blocked, key, sizeof(key), b);
		if (!b->hh.tbl) {
			free(b);
			return NULL;
		}
		b->all_next = m->all_blocked;
		b->all_pprev = &m->all_blocked;
		if (b->all_next)
			b->all_next->all_pprev = &b->all_next;
		m->all_blocked = b;
	}
	t->blocked = b;
	return b;
}

static void blocked_list(struct model *m, struct blocked *b)
{
	bool wanted = b->pub.times > 0 || b->pub.still;
	if (wanted && !b->pprev)
		LIST_ADD(m->blocked_tail, b, next);
	else if (!wanted && b->pprev)
		LIST_DEL(m->blocked_tail, b, next);
}

int blocked_add(struct model *m, struct task *t, struct chan *c, const struct ev_io *io)
{
	struct blocked *b = blocked_get(m, t, c, io->op);
	if (!b)
		return -ENOMEM;
	b->pub.total_slept_ns += io->slept_ns;
	b->pub.times++;
	if (io->slept_ns > b->pub.longest_ns)
		b->pub.longest_ns = io->slept_ns;
	blocked_list(m, b);
	return 0;
}

static void proc_unlink(struct m_proc *p, const struct wait *w)
{
	struct m_wait **link = &p->waits;
	while (*link != &w->pub)
		link = &(*link)->proc_next;
	*link = w->pub.proc_next;
	p->nwaits--;
}

void wait_end(struct model *m, struct task *t)
{
	struct wait *w = (struct wait *)t->pub.wait;
	if (!w)
		return;
	struct blocked *b = w->blocked;
	b->pub.still = false;
	b->pub.still_since_ns = 0;
	blocked_list(m, b);
	proc_unlink(t->pub.proc, w);
	LIST_DEL(m->wait_tail, w, next);
	t->pub.wait = NULL;
	free(w);
}

static int wait_begin(struct model *m, struct task *t, const struct ev_wait *ev)
{
	struct chan *c = ev->chan ? chan_get(m, ev->chan, ev->since_ns) : NULL;
	if (ev->chan && !c)
		return -ENOMEM;
	wait_end(m, t); /* a thread sleeps in one call at a time */
	struct blocked *b = blocked_get(m, t, c, ev->op);
	struct wait *w = b ? calloc(1, sizeof(*w)) : NULL;
	if (!w)
		return -ENOMEM;
	w->blocked = b;
	w->pub.task = &t->pub;
	w->pub.chan = c ? &c->pub : NULL;
	w->pub.op = ev->op;
	w->pub.fd = ev->fd;
	w->pub.since_ns = ev->since_ns;
	w->pub.deadline_ns = ev->deadline_ns;
	struct m_wait **link = &t->pub.proc->waits;
	while (*link)
		link = &(*link)->proc_next;
	*link = &w->pub;
	t->pub.proc->nwaits++;
	LIST_ADD(m->wait_tail, w, next);
	t->pub.wait = &w->pub;
	b->pub.still = true;
	b->pub.still_since_ns = ev->since_ns;
	blocked_list(m, b);
	return 0;
}

int waits_apply(struct model *m, const struct ev_wait *ev)
{
	if (ev->op >= OP_MAX || (ev->what != WAIT_BEGIN && ev->what != WAIT_END))
		return -EINVAL;
	if (ev->what == WAIT_END) {
		struct task *t = task_find(m, ev->tid);
		if (t && t->pub.proc->pid == ev->pid)
			wait_end(m, t);
		return 0;
	}
	struct task *t = task_get(m, ev->pid, ev->tid, ev->hdr.t_ns);
	if (!t)
		return -ENOMEM;
	return t->pub.exited ? 0 : wait_begin(m, t, ev);
}

static void blocked_merge(struct model *m, struct blocked *into, const struct blocked *b)
{
	into->pub.total_slept_ns += b->pub.total_slept_ns;
	into->pub.times += b->pub.times;
	if (b->pub.longest_ns > into->pub.longest_ns)
		into->pub.longest_ns = b->pub.longest_ns;
	blocked_list(m, into);
}

static void blocked_drop(struct model *m, struct blocked *b)
{
	if (b->pprev)
		LIST_DEL(m->blocked_tail, b, next);
	*b->all_pprev = b->all_next;
	if (b->all_next)
		b->all_next->all_pprev = b->all_pprev;
	free(b);
}

int blocked_rekey(struct model *m, struct blocked *b, struct task *t, struct chan *c)
{
	struct blocked_key key = {t, c, b->key.op};
	struct blocked *into = NULL;
	int err = 0;
	HASH_DELETE(hh, m->by_blocked, b);
	HASH_FIND(hh, m->by_blocked, &key, sizeof(key), into);
	if (!into && b->pprev) {
		b->key = key;
		b->pub.task = &t->pub;
		b->pub.chan = c ? &c->pub : NULL;
		HASH_ADD(hh, m->by_blocked, key, sizeof(key), b);
		if (b->hh.tbl)
			return 0;
		err = -ENOMEM;
	} else if (into) {
		blocked_merge(m, into, b);
	}
	blocked_drop(m, b);
	return err;
}

void waits_free(struct model *m)
{
	for (struct m_wait *w = m->waits, *next; w; w = next) {
		next = w->next;
		free(w);
	}
	HASH_CLEAR(hh, m->by_blocked);
	for (struct blocked *b = m->all_blocked, *next; b; b = next) {
		next = b->all_next;
		free(b);
	}
}
