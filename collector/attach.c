// SPDX-License-Identifier: GPL-2.0-or-later
#include "attach.h"

#include <stdlib.h>
#include <uthash.h>

struct attachment {
	struct attachment *next;
	struct ev_endpoint endpoint; /* as it was told, chan is a channel id */
};

struct holder {
	uint32_t pid;
	struct attachment *list;
	UT_hash_handle hh;
};

struct attachments {
	struct holder *by_pid;
};

struct attachments *attachments_new(void) { return calloc(1, sizeof(struct attachments)); }

static void holder_drop(struct attachments *a, uint32_t pid)
{
	struct holder *h;
	HASH_FIND(hh, a->by_pid, &pid, sizeof(pid), h);
	if (!h)
		return;
	HASH_DEL(a->by_pid, h);
	for (struct attachment *i = h->list, *next; i; i = next) {
		next = i->next;
		free(i);
	}
	free(h);
}

void attachments_free(struct attachments *a)
{
	if (!a)
		return;
	while (a->by_pid)
		holder_drop(a, a->by_pid->pid);
	free(a);
}

static void attach(struct attachments *a, const struct ev_endpoint *e)
{
	struct holder *h;
	HASH_FIND(hh, a->by_pid, &e->pid, sizeof(e->pid), h);
	if (!h) {
		h = calloc(1, sizeof(*h));
		if (!h)
			return;
		h->pid = e->pid;
		HASH_ADD(hh, a->by_pid, pid, sizeof(h->pid), h);
	}
	struct attachment *i = malloc(sizeof(*i));
	if (!i)
		return;
	i->endpoint = *e;
	i->next = h->list;
	h->list = i;
}

static void detach(struct attachments *a, const struct ev_endpoint *e)
{
	struct holder *h;
	HASH_FIND(hh, a->by_pid, &e->pid, sizeof(e->pid), h);
	for (struct attachment **at = h ? &h->list : NULL; at && *at; at = &(*at)->next) {
		struct attachment *i = *at;
		if (i->endpoint.chan != e->chan)
			continue;
		*at = i->next;
		free(i);
		return;
	}
}

void attachments_note(struct attachments *a, const struct ev_endpoint *e)
{
	if (e->what == ENDPOINT_ATTACH)
		attach(a, e);
	else if (e->what == ENDPOINT_DETACH)
		detach(a, e);
}

int attachments_follow(struct attachments *a, const struct ev_task *t, struct sink *out)
{
	if (t->what == TASK_EXEC || (t->what == TASK_EXIT && (t->hdr.flags & TASK_F_LAST)))
		holder_drop(a, t->pid);
	if (t->what != TASK_FORK || t->pid != t->tid)
		return 0;
	struct holder *parent;
	HASH_FIND(hh, a->by_pid, &t->ppid, sizeof(t->ppid), parent);
	for (struct attachment *i = parent ? parent->list : NULL; i; i = i->next) {
		struct ev_endpoint e = i->endpoint;
		e.hdr.t_ns = t->hdr.t_ns;
		e.pid = t->pid;
		attach(a, &e);
		int err = sink_event(out, &e.hdr);
		if (err)
			return err;
	}
	return 0;
}
