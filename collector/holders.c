// SPDX-License-Identifier: GPL-2.0-or-later
#include "holders.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct place {
	uint32_t pid;
	int32_t fd;
};

struct held {
	struct held *next, **pprev; /* of the process */
	struct place at;
	uint64_t obj;
	UT_hash_handle hh; /* not of attachments, whose fd is -1 */
};

struct holder {
	uint32_t pid;
	struct held *list;
	UT_hash_handle hh;
};

struct holders {
	struct holder *by_pid;
	struct held *by_place;
	void (*change)(void *arg, uint64_t obj, int by);
	void *arg;
};

struct holders *holders_new(void (*change)(void *arg, uint64_t obj, int by), void *arg)
{
	struct holders *h = calloc(1, sizeof(*h));
	if (!h)
		return NULL;
	h->change = change;
	h->arg = arg;
	return h;
}

static struct holder *find(struct holders *h, uint32_t pid)
{
	struct holder *p;
	HASH_FIND(hh, h->by_pid, &pid, sizeof(pid), p);
	return p;
}

static void let_go(struct holders *h, struct held *i)
{
	*i->pprev = i->next;
	if (i->next)
		i->next->pprev = i->pprev;
	if (i->at.fd >= 0)
		HASH_DELETE(hh, h->by_place, i);
	h->change(h->arg, i->obj, -1);
	free(i);
}

static struct held *find_at(struct holders *h, uint32_t pid, int32_t fd)
{
	struct place at = { .pid = pid, .fd = fd };
	struct held *i = NULL;
	if (fd >= 0)
		HASH_FIND(hh, h->by_place, &at, sizeof(at), i);
	return i;
}

static struct holder *get(struct holders *h, uint32_t pid)
{
	struct holder *p = find(h, pid);
	if (p)
		return p;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->pid = pid;
	HASH_ADD(hh, h->by_pid, pid, sizeof(p->pid), p);
	if (p->hh.tbl)
		return p;
	free(p);
	return NULL;
}

/* Without memory it is not held: the object may be forgotten early, and is then told of again. */
static void hold(struct holders *h, uint32_t pid, int32_t fd, uint64_t obj)
{
	struct held *i = find_at(h, pid, fd);
	if (i && i->obj == obj)
		return;
	if (i)
		let_go(h, i);
	struct holder *p = get(h, pid);
	i = p ? calloc(1, sizeof(*i)) : NULL;
	if (!i)
		return;
	i->at = (struct place){ .pid = pid, .fd = fd };
	i->obj = obj;
	if (fd >= 0) {
		HASH_ADD(hh, h->by_place, at, sizeof(i->at), i);
		if (!i->hh.tbl) {
			free(i);
			return;
		}
	}
	i->next = p->list;
	i->pprev = &p->list;
	if (i->next)
		i->next->pprev = &i->next;
	p->list = i;
	h->change(h->arg, obj, 1);
}

static void empty(struct holders *h, struct holder *p)
{
	while (p && p->list)
		let_go(h, p->list);
}

static void drop(struct holders *h, struct holder *p)
{
	if (!p)
		return;
	empty(h, p);
	HASH_DELETE(hh, h->by_pid, p);
	free(p);
}

static void detach(struct holders *h, uint32_t pid, uint64_t obj)
{
	struct holder *p = find(h, pid);
	struct held *i = p ? p->list : NULL;
	while (i && !(i->at.fd < 0 && i->obj == obj))
		i = i->next;
	if (i)
		let_go(h, i);
}

void holders_endpoint(struct holders *h, const struct ev_endpoint *e)
{
	if (e->what == ENDPOINT_DETACH) {
		detach(h, e->pid, e->chan);
	} else if (e->what == ENDPOINT_CLOSE) {
		struct held *i = find_at(h, e->pid, e->fd);
		if (i && i->obj == e->chan)
			let_go(h, i);
	} else {
		hold(h, e->pid, e->fd, e->chan);
	}
}

void holders_task(struct holders *h, const struct ev_task *t)
{
	if (t->what == TASK_EXEC) {
		empty(h, find(h, t->pid));
	} else if (t->what == TASK_EXIT && (t->hdr.flags & TASK_F_LAST)) {
		drop(h, find(h, t->pid));
	} else if (t->what == TASK_FORK && t->pid == t->tid) {
		drop(h, find(h, t->pid)); /* an earlier bearer of its number, whose end was lost */
		get(h, t->pid);
	} else if (t->what == TASK_SEEN) {
		get(h, t->pid);
	}
}

void holders_sweep(struct holders *h, void (*gone)(void *arg, uint32_t pid), void *arg)
{
	struct holder *p, *next;
	int left = 16384;
	HASH_ITER(hh, h->by_pid, p, next) {
		uint32_t pid = p->pid;
		if (left-- == 0)
			break;
		if (!kill((pid_t)pid, 0) || errno != ESRCH)
			continue;
		drop(h, p);
		gone(arg, pid);
	}
}

void holders_free(struct holders *h)
{
	if (!h)
		return;
	struct holder *p, *next;
	h->change = NULL;
	HASH_CLEAR(hh, h->by_place);
	HASH_ITER(hh, h->by_pid, p, next) {
		HASH_DELETE(hh, h->by_pid, p);
		for (struct held *i = p->list, *after; i; i = after) {
			after = i->next;
			free(i);
		}
		free(p);
	}
	free(h);
}
