// SPDX-License-Identifier: GPL-2.0-or-later
#include "stream.h"

#include <stddef.h>
#include <string.h>

static int fanout_event(struct sink *self, const struct ev_hdr *ev)
{
	struct fanout *f = (struct fanout *)self;
	for (int i = 0; i < f->n; i++) {
		int err = sink_event(f->to[i], ev);
		if (err)
			return err;
	}
	return 0;
}

void fanout_init(struct fanout *f) { *f = (struct fanout){.sink.event = fanout_event}; }

void fanout_add(struct fanout *f, struct sink *to)
{
	if (f->n < FANOUT_MAX)
		f->to[f->n++] = to;
}

/* EV_IO may carry payload after the struct; every other type has exactly one size. */
static const struct {
	uint16_t min, max;
} sizes[EV_TYPE_MAX] = {
    [EV_IO] = {sizeof(struct ev_io), UINT16_MAX},
    [EV_CHAN] = {sizeof(struct ev_chan), sizeof(struct ev_chan)},
    [EV_ENDPOINT] = {sizeof(struct ev_endpoint), sizeof(struct ev_endpoint)},
    [EV_TASK] = {sizeof(struct ev_task), sizeof(struct ev_task)},
    [EV_WAIT] = {sizeof(struct ev_wait), sizeof(struct ev_wait)},
    [EV_LOST] = {sizeof(struct ev_lost), sizeof(struct ev_lost)},
    [EV_TIME] = {sizeof(struct ev_hdr), sizeof(struct ev_hdr)},
    [EV_GONE] = {sizeof(struct ev_gone), sizeof(struct ev_gone)},
    [EV_ROOM] = {sizeof(struct ev_room), sizeof(struct ev_room)},
};

static bool is_terminated(const char *text, size_t size) { return memchr(text, 0, size) != NULL; }

static bool are_strings_terminated(const struct ev_hdr *ev)
{
	if (ev->type == EV_CHAN) {
		const struct ev_chan *c = (const struct ev_chan *)ev;
		return is_terminated(c->ident, sizeof(c->ident)) &&
		       is_terminated(c->name, sizeof(c->name));
	}
	if (ev->type == EV_TASK) {
		const struct ev_task *t = (const struct ev_task *)ev;
		return is_terminated(t->comm, sizeof(t->comm)) &&
		       is_terminated(t->exe, sizeof(t->exe)) &&
		       is_terminated(t->args, sizeof(t->args)) &&
		       is_terminated(t->cgroup_path, sizeof(t->cgroup_path));
	}
	return true;
}

bool event_is_valid(const struct ev_hdr *ev, uint64_t avail)
{
	if (avail < sizeof(*ev) || ev->type == 0 || ev->type >= EV_TYPE_MAX)
		return false;
	if (ev->size % 8 || ev->size > avail)
		return false;
	if (ev->size < sizes[ev->type].min || ev->size > sizes[ev->type].max)
		return false;
	return are_strings_terminated(ev);
}
