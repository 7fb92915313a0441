// SPDX-License-Identifier: GPL-2.0-or-later
/* Who holds the ends of a channel; see ends.h. */
#include "ui/tui/ends.h"

#include <stdio.h>
#include <string.h>

#define SHOWN_MAX 3 /* names in a text; the rest is a number */

/* Some processes, each once. */
struct procs {
	const struct m_proc *v[ROW_ENDS_MAX];
	int n;
};

static bool procs_has(const struct procs *p, const struct m_proc *proc)
{
	for (int i = 0; i < p->n; i++)
		if (p->v[i] == proc)
			return true;
	return false;
}

static void procs_add(struct procs *p, const struct m_proc *proc)
{
	if (p->n < ROW_ENDS_MAX && !procs_has(p, proc))
		p->v[p->n++] = proc;
}

static const char *procs_text(struct rows *rows, const struct procs *p)
{
	const char *text = "";

	for (int i = 0; i < p->n && i < SHOWN_MAX; i++)
		text = rows_print(rows, "%s%s%s", text, i ? ", " : "", rows_proc(rows, p->v[i]));
	if (p->n > SHOWN_MAX)
		text = rows_print(rows, "%s, +%d", text, p->n - SHOWN_MAX);
	return text;
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
	struct procs left = { .n = 0 }, right = { .n = 0 };
	bool directed = chan->duplex; /* somebody can do only one of reading and writing */

	for (const struct m_endpoint *e = chan->endpoints; e; e = e->next) {
		if (e->open != (chan->nopen > 0))
			continue;
		row_add_end(rows, row, e->proc, role_of(e->dir));
		if (is_left(e))
			procs_add(&left, e->proc);
		if (is_right(e))
			procs_add(&right, e->proc);
		if (is_left(e) != is_right(e))
			directed = true;
	}
	if (!left.n && !right.n)
		return "?";
	if (!directed)
		return procs_text(rows, &left);
	return rows_print(rows, "%s %s %s", left.n ? procs_text(rows, &left) : "?",
			  chan->duplex ? "<>" : "->", right.n ? procs_text(rows, &right) : "?");
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
	struct procs holders = { .n = 0 };

	if (!wait->chan)
		return "?";
	own = own_end(wait);
	for (const struct m_endpoint *e = wait->chan->endpoints; e; e = e->next) {
		if (!e->open || !could_end(wait, own, e))
			continue;
		row_add_end(rows, row, e->proc, role_of(e->dir));
		procs_add(&holders, e->proc);
	}
	if (holders.n)
		return procs_text(rows, &holders);
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
