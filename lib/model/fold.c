// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is over is folded into totals, so that memory stays bounded however long it lasts: see
 * m_folded in model.h.
 *
 * Half as many again as are kept, or a sixteenth of all rows, may gather; then all that are too
 * old go at once, in one pass over everything: marks first (`into`), then whatever points at a marked
 * object is pointed at the sum instead, then the marked objects go. So an object costs nothing until
 * it is over, and a constant then. When that happens depends on counts alone.
 */
#include "world.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#define GATHER_MIN 16u
#define ENDPOINTS_KEPT 4u /* times as many as of all else: a channel has two or more */

static uint64_t keep_of(const struct model *m, enum ended what)
{
	return what == ENDED_ENDPOINT ? ENDPOINTS_KEPT * m->keep : m->keep;
}

static bool is_old(const struct model *m, enum ended what, uint64_t end_seq)
{
	return end_seq && m->ended[what] - end_seq >= keep_of(m, what);
}

/* ---- marks ---- */

/* The threads of a process that goes become one of its sum; the old ones of others, one of theirs. */
static int mark_tasks(struct model *m, struct proc *p)
{
	struct proc *owner = p->into ? p->into : p;
	for (struct m_task *i = p->pub.tasks; i; i = i->sibling) {
		struct task *t = (struct task *)i;
		t->into = NULL;
		if (t == p->folded ? !p->into : !(p->into || is_old(m, ENDED_TASK, t->end_seq)))
			continue;
		if (!owner->folded)
			owner->folded = task_add(owner);
		if (!owner->folded)
			return -ENOMEM;
		t->into = owner->folded;
	}
	return 0;
}

static int mark_procs(struct model *m)
{
	int err = 0;
	for (struct m_proc *i = m->procs; i && !err; i = i->next) {
		struct proc *p = (struct proc *)i;
		p->into = NULL;
		if (is_old(m, ENDED_PROC, p->end_seq)) {
			if (!m->folded_proc)
				m->folded_proc = proc_add(m);
			if (!m->folded_proc)
				return -ENOMEM;
			p->into = m->folded_proc;
		}
		err = mark_tasks(m, p);
	}
	return err;
}

static int mark_chans(struct model *m)
{
	for (struct m_wait *w = m->waits; w; w = w->next)
		if (w->chan)
			((struct chan *)w->chan)->is_waited = true;
	for (struct m_chan *i = m->chans; i; i = i->next) {
		struct chan *c = (struct chan *)i, **sum = &m->folded_chans[i->kind];
		c->into = NULL;
		bool is_waited = c->is_waited;
		c->is_waited = false;
		if (is_waited || i->nopen > 0 || !is_old(m, ENDED_CHAN, c->end_seq))
			continue;
		if (!*sum)
			*sum = chan_add(m, i->kind);
		if (!*sum)
			return -ENOMEM;
		c->into = *sum;
	}
	return 0;
}

/* ---- what points at them ---- */

static struct proc *proc_now(struct proc *p) { return p && p->into ? p->into : p; }

static int move_flows(struct model *m)
{
	int err = 0;
	for (struct flow *f = m->all_flows, *next; f && !err; f = next) {
		next = f->all_next;
		struct proc *src = (struct proc *)f->pub.src, *dst = (struct proc *)f->pub.dst;
		struct chan *c = (struct chan *)f->pub.chan;
		if ((src && src->into) || (dst && dst->into) || c->into)
			err = flow_rekey(m, f, proc_now(src), proc_now(dst), c->into ? c->into : c);
	}
	return err;
}

static int move_blocked(struct model *m)
{
	int err = 0;
	for (struct blocked *b = m->all_blocked, *next; b && !err; b = next) {
		next = b->all_next;
		struct task *t = (struct task *)b->pub.task;
		struct chan *c = (struct chan *)b->pub.chan;
		if (t->into || (c && c->into))
			err = blocked_rekey(m, b, t->into ? t->into : t, c && c->into ? c->into : c);
	}
	return err;
}

static void move_ring(struct ring *r)
{
	for (uint32_t i = 0; i < r->n; i++)
		ring_at(r, i)->who = proc_now(ring_at(r, i)->who);
}

static void move_queue(struct queue *q)
{
	move_ring(&q->written);
	move_ring(&q->loose);
	move_ring(&q->debts);
	for (struct piece *s = q->stale; s && s < q->stale + STALE_MAX; s++)
		s->who = proc_now(s->who);
	q->writer = proc_now((struct proc *)q->writer);
	q->writes.first = proc_now((struct proc *)q->writes.first);
	q->reads.first = proc_now((struct proc *)q->reads.first);
	q->flow = q->nobody = NULL;
}

static void drop_endpoints(struct model *m, struct chan *c)
{
	struct m_endpoint **link = &c->pub.endpoints;
	for (struct endpoint *e; (e = (struct endpoint *)*link);) {
		bool goes = c->into || ((struct proc *)e->pub.proc)->into ||
			    is_old(m, ENDED_ENDPOINT, e->end_seq);
		if (e->pub.open || !goes) {
			link = &e->pub.next;
			continue;
		}
		*link = e->pub.next;
		endpoint_drop(e);
		m->folded[ENDED_ENDPOINT]++;
		m->kept[ENDED_ENDPOINT]--;
	}
	c->endpoint_tail = link;
}

static void move_chans(struct model *m)
{
	for (struct m_chan *i = m->chans; i; i = i->next) {
		struct chan *c = (struct chan *)i;
		drop_endpoints(m, c);
		move_queue(&c->q[0]);
		move_queue(&c->q[1]);
		for (struct type_queue *t = c->types; t; t = t->hh.next)
			move_queue(&t->q);
		c->resurvey = true;
	}
}

/* ---- the sums ---- */

static void count_merge(struct m_count *into, const struct m_count *n)
{
	into->ops += n->ops;
	into->errors += n->errors;
	into->blocked += n->blocked;
	into->slept_ns += n->slept_ns;
	into->msgs_in += n->msgs_in;
	into->bytes_in += n->bytes_in;
	into->msgs_out += n->msgs_out;
	into->bytes_out += n->bytes_out;
}

static void span_merge(uint64_t *first, uint64_t *last, uint64_t from_ns, uint64_t to_ns)
{
	if (from_ns && (!*first || from_ns < *first))
		*first = from_ns;
	if (to_ns > *last)
		*last = to_ns;
}

/* What a sum is called: "(12 folded)"; a comm has room for six digits. */
static void name_sum(char *name, size_t size, uint64_t n)
{
	if (size > EV_COMM_LEN || n < 1000000)
		snprintf(name, size, "(%" PRIu64 " folded)", n);
	else
		snprintf(name, size, "(%.1fM folded)", (double)n / 1e6);
}

static void fold_tasks(struct model *m, struct proc *p)
{
	struct m_task **link = &p->pub.tasks;
	for (struct task *t; (t = (struct task *)*link);) {
		t->blocked = NULL;
		if (!t->into) {
			link = &t->pub.sibling;
			continue;
		}
		*link = t->pub.sibling;
		if (t->end_seq) { /* else a sum itself */
			m->folded[ENDED_TASK]++;
			m->kept[ENDED_TASK]--;
		}
		struct m_task *into = &t->into->pub;
		into->folded += t->pub.folded ? t->pub.folded : 1;
		name_sum(into->comm, sizeof(into->comm), into->folded);
		task_drop(m, t);
	}
	p->task_tail = link;
}

static void fold_procs(struct model *m)
{
	struct m_proc **link = &m->procs;
	for (struct proc *p; (p = (struct proc *)*link);) {
		fold_tasks(m, p);
		if (!p->into) {
			link = &p->pub.next;
			continue;
		}
		*link = p->pub.next;
		struct m_proc *into = &p->into->pub;
		into->folded = ++m->folded[ENDED_PROC];
		m->kept[ENDED_PROC]--;
		count_merge(&into->count, &p->pub.count);
		span_merge(&into->first_ns, &into->exit_ns, p->pub.first_ns, p->pub.exit_ns);
		name_sum(into->comm, sizeof(into->comm), into->folded);
		proc_drop(m, p);
	}
	m->proc_tail = link;
}

static int fold_chans(struct model *m)
{
	int err = 0;
	struct m_chan **link = &m->chans;
	for (struct chan *c; (c = (struct chan *)*link);) {
		if (!c->into || err) {
			link = &c->pub.next;
			continue;
		}
		*link = c->pub.next;
		struct m_chan *into = &c->into->pub;
		into->folded++;
		m->folded[ENDED_CHAN]++;
		m->kept[ENDED_CHAN]--;
		count_merge(&into->count, &c->pub.count);
		span_merge(&into->first_ns, &into->last_ns, c->pub.first_ns, c->pub.last_ns);
		name_sum(into->name, sizeof(into->name), into->folded);
		err = hist_merge(&into->latency, &c->pub.latency);
		if (!err)
			err = hist_merge(&into->sizes, &c->pub.sizes);
		chan_drop(m, c);
	}
	m->chan_tail = link;
	return err;
}

/*
 * What could not go yet, since somebody still sleeps in it, does not make the next time come sooner.
 * A pass looks at all there is, so where much lives on, more may gather before the next one.
 */
static void set_gather(struct model *m)
{
	uint64_t rows = m->nchans + HASH_COUNT(m->by_tid) + HASH_COUNT(m->by_flow);
	for (int i = 0; i < ENDED_MAX; i++) {
		uint64_t keep = keep_of(m, (enum ended)i), more = keep / 2 + GATHER_MIN;
		if (more < rows / 16)
			more = rows / 16;
		m->gather[i] = (m->kept[i] > keep ? m->kept[i] : keep) + more;
	}
}

static int fold(struct model *m)
{
	int err = mark_procs(m);
	if (!err)
		err = mark_chans(m);
	if (!err)
		err = move_flows(m);
	if (!err)
		err = move_blocked(m);
	if (err)
		return err;
	move_chans(m);
	fold_procs(m);
	err = fold_chans(m);
	chans_rebase(m);
	set_gather(m);
	return err;
}

void fold_set_keep(struct model *m, uint64_t keep)
{
	m->keep = keep;
	set_gather(m);
}

int fold_if_due(struct model *m)
{
	for (int i = 0; i < ENDED_MAX; i++)
		if (m->kept[i] > m->gather[i])
			return fold(m);
	return 0;
}

struct m_folded model_folded(const struct model *m)
{
	return (struct m_folded){
	    .procs = m->folded[ENDED_PROC],
	    .tasks = m->folded[ENDED_TASK],
	    .chans = m->folded[ENDED_CHAN],
	    .endpoints = m->folded[ENDED_ENDPOINT],
	};
}
