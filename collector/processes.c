// SPDX-License-Identifier: GPL-2.0-or-later
#include "processes.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

/* Those gone are kept for a while: a parent waits for a child that has ended. */
#define GONE_MAX 1024

struct own_chan {
	struct own_chan *next;
	uint64_t obj;
	void *chan;
};

struct process {
	uint32_t pid;
	bool known; /* announced: in scope; else only the target of a signal */
	bool in_ring;
	uint64_t start_ns, exit_ns;
	char comm[EV_COMM_LEN];
	struct own_chan *chans;
	UT_hash_handle hh;
};

struct processes {
	struct process *by_pid;
	struct process *gone[GONE_MAX]; /* a ring; NULL: none, or its pid was given out again */
	unsigned int next_gone;
	void (*drop)(void *arg, void *chan);
	void *arg;
};

struct processes *processes_new(void (*drop)(void *arg, void *chan), void *arg)
{
	struct processes *p = calloc(1, sizeof(*p));
	if (p) {
		p->drop = drop;
		p->arg = arg;
	}
	return p;
}

static void process_drop(struct processes *p, struct process *q)
{
	HASH_DEL(p->by_pid, q);
	for (struct own_chan *c = q->chans, *next; c; c = next) {
		next = c->next;
		if (c->chan)
			p->drop(p->arg, c->chan);
		free(c);
	}
	free(q);
}

void processes_free(struct processes *p)
{
	struct process *q, *next;
	if (!p)
		return;
	HASH_ITER(hh, p->by_pid, q, next)
		process_drop(p, q);
	free(p);
}

static struct process *find(const struct processes *p, uint32_t pid)
{
	struct process *q;
	HASH_FIND(hh, p->by_pid, &pid, sizeof(pid), q);
	return q;
}

static struct process *get(struct processes *p, uint32_t pid)
{
	struct process *q = find(p, pid);
	if (q)
		return q;
	q = calloc(1, sizeof(*q));
	if (!q)
		return NULL;
	q->pid = pid;
	HASH_ADD(hh, p->by_pid, pid, sizeof(q->pid), q);
	return q;
}

/* To be forgotten once so many others have come after it. */
static void keep_awhile(struct processes *p, struct process *q)
{
	struct process **slot = &p->gone[p->next_gone++ % GONE_MAX];
	if (*slot)
		process_drop(p, *slot);
	*slot = q;
	q->in_ring = true;
}

static void ring_leave(struct processes *p, struct process *q)
{
	for (unsigned int i = 0; q->in_ring && i < GONE_MAX; i++)
		if (p->gone[i] == q)
			p->gone[i] = NULL;
	q->in_ring = false;
}

/* Its pid is another process's now. */
static void replaced(struct processes *p, struct process *q)
{
	ring_leave(p, q);
	process_drop(p, q);
}

void processes_note(struct processes *p, const struct ev_task *t)
{
	struct process *q = find(p, t->pid);
	if (t->what == TASK_EXIT) {
		if (q && !q->exit_ns && (t->hdr.flags & TASK_F_LAST)) {
			q->exit_ns = t->hdr.t_ns;
			if (!q->in_ring)
				keep_awhile(p, q);
		}
		return;
	}
	if (t->pid != t->tid)
		return;
	if (q && q->start_ns && t->start_ns && q->start_ns != t->start_ns) {
		replaced(p, q);
		q = NULL;
	}
	if (!q)
		q = get(p, t->pid);
	if (!q)
		return;
	if (!q->exit_ns)
		ring_leave(p, q);
	q->known = true;
	q->start_ns = t->start_ns;
	memcpy(q->comm, t->comm, sizeof(q->comm));
	q->comm[sizeof(q->comm) - 1] = '\0';
}

const char *processes_comm(const struct processes *p, uint32_t pid)
{
	const struct process *q = find(p, pid);
	return q ? q->comm : "";
}

bool processes_find(const struct processes *p, uint32_t pid, uint64_t *exit_ns)
{
	const struct process *q = find(p, pid);
	*exit_ns = q ? q->exit_ns : 0;
	return q && q->known;
}

void *processes_has(const struct processes *p, uint32_t pid, uint64_t obj)
{
	const struct process *q = find(p, pid);
	for (const struct own_chan *c = q ? q->chans : NULL; c; c = c->next)
		if (c->obj == obj)
			return c->chan;
	return NULL;
}

void **processes_chan(struct processes *p, uint32_t pid, uint64_t obj)
{
	struct process *q = get(p, pid);
	if (!q)
		return NULL;
	if (!q->known && !q->in_ring)
		keep_awhile(p, q);
	for (struct own_chan *c = q->chans; c; c = c->next)
		if (c->obj == obj)
			return &c->chan;
	struct own_chan *c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->obj = obj;
	c->next = q->chans;
	q->chans = c;
	return &c->chan;
}
