// SPDX-License-Identifier: GPL-2.0-or-later
#include "report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- lists ---- */

static int list_add(struct report_list *l, const void *item)
{
	if ((l->n & (l->n - 1)) == 0) { /* full: its size is always the next power of two */
		const void **grown = reallocarray(l->item, l->n ? 2 * l->n : 1, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		l->item = grown;
	}
	l->item[l->n++] = item;
	return 0;
}

static void list_sort(struct report_list *l, int (*compare)(const void *, const void *))
{
	if (l->n > 1)
		qsort(l->item, l->n, sizeof(*l->item), compare);
}

/* What qsort hands over is a pointer to an item. */
#define ITEM(type, p) ((const struct type *)*(const void *const *)(p))
#define DESCENDING(a, b) (((a) < (b)) - ((a) > (b)))
#define ASCENDING(a, b) (((a) > (b)) - ((a) < (b)))

static int by_flow_bytes(const void *pa, const void *pb)
{
	const struct m_flow *a = ITEM(m_flow, pa), *b = ITEM(m_flow, pb);
	int order = DESCENDING(a->bytes, b->bytes);

	if (!order)
		order = DESCENDING(a->messages, b->messages);
	if (!order)
		order = ASCENDING(a->chan->id, b->chan->id);
	if (!order)
		order = ASCENDING(a->first_ns, b->first_ns);
	if (!order)
		order = ASCENDING(a->src ? a->src->pid : 0, b->src ? b->src->pid : 0);
	return order ? order : ASCENDING(a->dst ? a->dst->pid : 0, b->dst ? b->dst->pid : 0);
}

static int by_proc_ops(const void *pa, const void *pb)
{
	const struct m_proc *a = ITEM(m_proc, pa), *b = ITEM(m_proc, pb);
	int order = DESCENDING(a->count.ops, b->count.ops);

	if (!order)
		order = ASCENDING(a->pid, b->pid);
	return order ? order : ASCENDING(a->first_ns, b->first_ns);
}

static int by_pid(const void *pa, const void *pb)
{
	const struct m_proc *a = ITEM(m_proc, pa), *b = ITEM(m_proc, pb);
	int order = ASCENDING(a->pid, b->pid);

	return order ? order : ASCENDING(a->first_ns, b->first_ns);
}

static uint64_t chan_bytes(const struct m_chan *c)
{
	return c->count.bytes_out > c->count.bytes_in ? c->count.bytes_out : c->count.bytes_in;
}

static int by_chan_bytes(const void *pa, const void *pb)
{
	const struct m_chan *a = ITEM(m_chan, pa), *b = ITEM(m_chan, pb);
	int order = DESCENDING(chan_bytes(a), chan_bytes(b));

	if (!order)
		order = DESCENDING(a->count.ops, b->count.ops);
	return order ? order : ASCENDING(a->id, b->id);
}

static int by_attached(const void *pa, const void *pb)
{
	const struct m_chan *a = ITEM(m_chan, pa), *b = ITEM(m_chan, pb);
	int order = DESCENDING(a->nopen, b->nopen);

	return order ? order : ASCENDING(a->id, b->id);
}

static int by_since(const void *pa, const void *pb)
{
	const struct m_wait *a = ITEM(m_wait, pa), *b = ITEM(m_wait, pb);
	int order = ASCENDING(a->since_ns, b->since_ns);

	return order ? order : ASCENDING(a->task->tid, b->task->tid);
}

/* qsort has no argument: the sum is kept beside each row while they are sorted. */
struct blocked_row {
	const struct m_blocked *b;
	uint64_t total_ns;
};

static int by_total_slept(const void *pa, const void *pb)
{
	const struct blocked_row *a = pa, *b = pb;
	int order = DESCENDING(a->total_ns, b->total_ns);

	if (!order)
		order = ASCENDING(a->b->task->tid, b->b->task->tid);
	if (!order)
		order = ASCENDING(a->b->op, b->b->op);
	return order ? order
		     : ASCENDING(a->b->chan ? a->b->chan->id : 0, b->b->chan ? b->b->chan->id : 0);
}

static int sort_blocked(const struct report *r, struct report_list *l)
{
	struct blocked_row *rows = calloc(l->n + 1, sizeof(*rows));

	if (!rows)
		return -ENOMEM;
	for (size_t i = 0; i < l->n; i++) {
		rows[i].b = l->item[i];
		rows[i].total_ns = report_slept(r, rows[i].b).total_ns;
	}
	qsort(rows, l->n, sizeof(*rows), by_total_slept);
	for (size_t i = 0; i < l->n; i++)
		l->item[i] = rows[i].b;
	free(rows);
	return 0;
}

/* ---- what is shown ---- */

static int collect_procs(struct report *r)
{
	for (const struct m_proc *p = model_procs(r->model); p; p = p->next) {
		if (!p->count.ops && !report_slept_ns(r, p))
			r->idle_procs++;
		else if (list_add(&r->procs, p))
			return -ENOMEM;
	}
	list_sort(&r->procs, by_proc_ops);
	return 0;
}

/* A file that one process maps for itself is not worth a line; a System V segment was made to be shared. */
static bool is_shared_memory(const struct m_chan *c)
{
	if (c->shape != SHAPE_MEMORY || !c->endpoints)
		return false;
	for (const struct m_endpoint *e = c->endpoints->next; e; e = e->next)
		if (e->proc != c->endpoints->proc)
			return true;
	return c->kind == KIND_SHM;
}

static int collect_chans(struct report *r)
{
	for (const struct m_chan *c = model_chans(r->model); c; c = c->next) {
		if (is_shared_memory(c) && (c->count.ops || !r->selects) &&
		    list_add(&r->segments, c))
			return -ENOMEM;
		if (!c->count.ops)
			r->idle_chans++;
		else if (list_add(&r->chans, c))
			return -ENOMEM;
	}
	list_sort(&r->chans, by_chan_bytes);
	list_sort(&r->segments, by_attached);
	return 0;
}

static int collect_waits(struct report *r)
{
	for (const struct m_wait *w = model_waits(r->model); w; w = w->next)
		if (filter_match_wait(r->selects, r->model, w) && list_add(&r->waits, w))
			return -ENOMEM;
	list_sort(&r->waits, by_since);
	/* a row may be there for nothing but a wait that the filter declines */
	for (const struct m_blocked *b = model_blocked(r->model); b; b = b->next) {
		const struct m_wait *w = b->still ? b->task->wait : NULL;

		if (b->times || (w && filter_match_wait(r->selects, r->model, w)))
			if (list_add(&r->blocked, b))
				return -ENOMEM;
	}
	return sort_blocked(r, &r->blocked);
}

int report_init(struct report *r, const struct filter *filter)
{
	r->selects = filter;
	for (const struct m_flow *f = model_flows(r->model); f; f = f->next)
		if ((f->messages || f->bytes) && list_add(&r->flows, f))
			return -ENOMEM;
	list_sort(&r->flows, by_flow_bytes);
	if (collect_procs(r) || collect_chans(r))
		return -ENOMEM;
	return collect_waits(r);
}

void report_release(struct report *r)
{
	struct report_list *const lists[] = { &r->flows,   &r->procs, &r->chans,
					      &r->blocked, &r->waits, &r->segments };

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		free(lists[i]->item);
	*r = (struct report){ 0 };
}

/* ---- derived ---- */

uint64_t report_losses(const struct report *r)
{
	uint64_t sum = 0;

	for (const struct m_loss *l = model_losses(r->model); l; l = l->next)
		sum += l->count;
	return sum;
}

static uint64_t since(const struct report *r, uint64_t then_ns)
{
	uint64_t now = model_now_ns(r->model);

	return now > then_ns ? now - then_ns : 0;
}

/* What of a sleep was before the process was observed is no part of that time, either. */
uint64_t report_slept_ns(const struct report *r, const struct m_proc *p)
{
	uint64_t sum = p->count.slept_ns;

	for (const struct m_wait *w = p->waits; w; w = w->proc_next)
		if (filter_match_wait(r->selects, r->model, w))
			sum += since(r, w->since_ns > p->first_ns ? w->since_ns : p->first_ns);
	return sum;
}

uint64_t report_observed_ns(const struct report *r, const struct m_proc *p)
{
	uint64_t sum = 0;

	for (const struct m_task *t = p->tasks; t; t = t->sibling) {
		uint64_t begin = t->start_ns > p->first_ns ? t->start_ns : p->first_ns;
		uint64_t end = t->exited ? t->exit_ns : model_now_ns(r->model);

		sum += end > begin ? end - begin : 0;
	}
	return sum;
}

struct report_slept report_slept(const struct report *r, const struct m_blocked *b)
{
	struct report_slept s = { b->total_slept_ns, b->longest_ns, b->times };

	if (b->still) {
		uint64_t open_ns = since(r, b->still_since_ns);

		s.total_ns += open_ns;
		s.longest_ns = open_ns > s.longest_ns ? open_ns : s.longest_ns;
		s.times++;
	}
	return s;
}

static bool list_has(const struct report_list *l, const void *item)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->item[i] == item)
			return true;
	return false;
}

/* The end through which the thread of this wait is in the call; NULL: not seen. */
static const struct m_endpoint *own_end(const struct m_wait *w)
{
	for (const struct m_endpoint *e = w->chan->endpoints; e; e = e->next)
		if (e->open && e->proc == w->task->proc && e->fd == w->fd)
			return e;
	return NULL;
}

static bool could_end(const struct m_endpoint *e, const struct m_endpoint *own,
		      const struct m_wait *w)
{
	if (!e->open || e->proc->exited)
		return false;
	if (!own)
		return e->proc != w->task->proc;
	if (w->chan->duplex)
		return e->side != own->side;
	if (own->dir == ENDPOINT_DIR_READ || own->dir == ENDPOINT_DIR_WRITE)
		return (e->dir & ~own->dir) != 0;
	return e->proc != w->task->proc;
}

struct report_list report_other_ends(const struct m_wait *w)
{
	struct report_list l = { 0 };
	const struct m_endpoint *own;

	if (!w->chan)
		return l;
	own = own_end(w);
	for (const struct m_endpoint *e = w->chan->endpoints; e; e = e->next)
		if (could_end(e, own, w) && !list_has(&l, e->proc) && list_add(&l, e->proc))
			break;
	list_sort(&l, by_pid);
	return l;
}

struct report_list report_attached(const struct m_chan *segment)
{
	struct report_list l = { 0 };

	for (const struct m_endpoint *e = segment->endpoints; e; e = e->next)
		if (!list_has(&l, e->proc) && list_add(&l, e->proc))
			break;
	list_sort(&l, by_pid);
	return l;
}

bool report_has_open(const struct m_chan *c, const struct m_proc *p)
{
	for (const struct m_endpoint *e = c->endpoints; e; e = e->next)
		if (e->proc == p && e->open)
			return true;
	return false;
}
