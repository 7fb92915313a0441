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
	uint16_t size = avail < sizeof(*ev) ? 0 : event_size(ev->type);
	if (!size || ev->size % 8 || ev->size > avail)
		return false;
	if (ev->type == EV_IO ? ev->size < size : ev->size != size)
		return false;
	return are_strings_terminated(ev);
}
