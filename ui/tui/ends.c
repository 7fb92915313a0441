// SPDX-License-Identifier: GPL-2.0-or-later
/* Who holds the ends of a channel; see ends.h. */
#include "ui/tui/ends.h"

#include <string.h>

#define SHOWN_MAX 3 /* names in a text; the rest is a number */

/* Some processes, each once, and what they are called. */
struct procs {
	const struct m_proc *v[ROW_ENDS_MAX];
	const char *comm[SHOWN_MAX];
	int n;
};

static bool procs_has(const struct procs *p, const struct m_proc *proc)
{
	for (int i = 0; i < p->n; i++)
		if (p->v[i] == proc)
			return true;
	return false;
}

static void procs_add(struct procs *p, const struct m_proc *proc, const char *comm)
{
	if (p->n == ROW_ENDS_MAX || procs_has(p, proc))
		return;
	if (p->n < SHOWN_MAX)
		p->comm[p->n] = comm;
	p->v[p->n++] = proc;
}

static void add_procs(struct row_line *l, const struct procs *p)
{
	for (int i = 0; i < p->n && i < SHOWN_MAX; i++) {
		row_line_text(l, i ? ", " : "");
		row_line_proc(l, p->v[i], p->comm[i]);
	}
	if (p->n > SHOWN_MAX) {
		row_line_text(l, ", +");
		row_line_number(l, (uint32_t)(p->n - SHOWN_MAX));
	}
	if (!p->n)
		row_line_text(l, "?");
}

static enum row_role role_of(uint8_t dir)
{
	if (dir == ENDPOINT_DIR_READ)
		return ROLE_READER;
	return dir == ENDPOINT_DIR_WRITE ? ROLE_WRITER : ROLE_BOTH;
}

/* Left and right of the arrow: side A and B of two sides, else writers and readers. */
static bool is_left(const struct m_endpoint *e)
{
	return e->chan->duplex ? e->side == 0 : e->dir != ENDPOINT_DIR_READ;
}

static bool is_right(const struct m_endpoint *e)
{
	return e->chan->duplex ? e->side == 1 : e->dir != ENDPOINT_DIR_WRITE;
}

const char *ends_add_all(struct rows *rows, struct row *row, const struct m_chan *chan)
{
	struct procs left, right;
	struct row_line l;
	const char *comm;
	bool directed = chan->duplex; /* somebody can do only one of reading and writing */

	left.n = right.n = 0; /* the rest, and it is a lot, need not be anything */
	l.len = 0;
	for (const struct m_endpoint *e = chan->endpoints; e; e = e->next) {
		if (e->open != (chan->nopen > 0))
			continue;
		comm = row_add_end(rows, row, e->proc, role_of(e->dir));
		if (is_left(e))
			procs_add(&left, e->proc, comm);
		if (is_right(e))
			procs_add(&right, e->proc, comm);
		if (is_left(e) != is_right(e))
			directed = true;
	}
	if (!left.n && !right.n)
		return "?";
	add_procs(&l, &left);
	if (directed) {
		row_line_text(&l, chan->duplex ? " <> " : " -> ");
		add_procs(&l, &right);
	}
	return row_line_take(rows, &l);
}

/* The direction that a call needs somebody else to act in; 0: the call does not say. */
static uint8_t dir_awaited(uint16_t op)
{
	switch (op) {
	case OP_READ:
	case OP_READV:
	case OP_PREAD64:
	case OP_PREADV:
	case OP_PREADV2:
	case OP_RECVFROM:
	case OP_RECVMSG:
	case OP_RECVMMSG:
	case OP_MSGRCV:
		return ENDPOINT_DIR_WRITE;
	case OP_WRITE:
	case OP_WRITEV:
	case OP_PWRITE64:
	case OP_PWRITEV:
	case OP_PWRITEV2:
	case OP_SENDTO:
	case OP_SENDMSG:
	case OP_SENDMMSG:
	case OP_VMSPLICE:
	case OP_MSGSND:
		return ENDPOINT_DIR_READ;
	case OP_OPEN: /* of a FIFO */
	case OP_OPENAT:
	case OP_OPENAT2:
	default:
		return 0;
	}
}

bool ends_awaits_room(const struct m_wait *w)
{
	return dir_awaited(w->op) == ENDPOINT_DIR_READ || w->op == OP_MQ_TIMEDSEND;
}

/* Its own end: the one of the fd it waits on, else the first it has. */
static const struct m_endpoint *own_end(const struct m_wait *w)
{
	const struct m_endpoint *own = NULL;

	for (const struct m_endpoint *e = w->chan->endpoints; e; e = e->next) {
		if (!e->open || e->proc != w->task->proc)
			continue;
		if (e->fd == w->fd)
			return e;
		if (!own)
			own = e;
	}
	return own;
}

static bool could_end(const struct m_wait *w, const struct m_endpoint *own,
		      const struct m_endpoint *e)
{
	uint8_t awaited = dir_awaited(w->op);

	if (w->chan->duplex && own)
		return e->side != own->side;
	/* splice and its like do either: the end that it holds says which */
	if (!awaited && own && own->dir == ENDPOINT_DIR_READ)
		awaited = ENDPOINT_DIR_WRITE;
	if (!awaited && own && own->dir == ENDPOINT_DIR_WRITE)
		awaited = ENDPOINT_DIR_READ;
	if (awaited && e->dir)
		return e->dir & awaited && e != own;
	return e->proc != w->task->proc;
}

const char *ends_add_holders(struct rows *rows, struct row *row, const struct m_wait *wait)
{
	const struct m_endpoint *own;
	struct procs holders;
	struct row_line l;

	if (!wait->chan)
		return "?";
	holders.n = 0;
	l.len = 0;
	own = own_end(wait);
	for (const struct m_endpoint *e = wait->chan->endpoints; e; e = e->next) {
		if (!e->open || !could_end(wait, own, e))
			continue;
		procs_add(&holders, e->proc, row_add_end(rows, row, e->proc, role_of(e->dir)));
	}
	add_procs(&l, &holders);
	if (holders.n)
		return row_line_take(rows, &l);
	return wait->chan->remote ? "another host" : "?";
}

static const struct m_wait *longest_wait(const struct m_proc *proc)
{
	const struct m_wait *longest = NULL;

	for (const struct m_wait *w = proc->waits; w; w = w->proc_next)
		if (!longest || w->since_ns < longest->since_ns)
			longest = w;
	return longest;
}

const struct m_proc *ends_cause(const struct m_wait *wait)
{
	const struct m_endpoint *own;
	const struct m_proc *cause = NULL;
	uint64_t since_ns = UINT64_MAX;

	if (!wait->chan)
		return NULL;
	own = own_end(wait);
	for (const struct m_endpoint *e = wait->chan->endpoints; e; e = e->next) {
		const struct m_wait *w;

		if (!e->open || e->proc == wait->task->proc || !could_end(wait, own, e))
			continue;
		w = longest_wait(e->proc);
		if (!w || e->proc->nwaits < e->proc->nthreads)
			return e->proc; /* it, or a thread of it, does not wait */
		if (w->since_ns < since_ns) {
			cause = e->proc;
			since_ns = w->since_ns;
		}
	}
	return cause;
}
