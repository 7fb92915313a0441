// SPDX-License-Identifier: GPL-2.0-or-later
#include "sleepers.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "collector/sets.h"

struct sleeper {
	uint32_t tid;
	uint64_t enter_ns;  /* with tid, the call */
	uint64_t look;      /* number of the last look that found it */
	bool open;          /* told as a wait */
	struct ev_wait wait;
	struct ev_room room; /* as told last of what it sleeps for */
	UT_hash_handle hh;
};

struct sleepers {
	struct sink sink;
	struct sink *next;
	struct sleeper *by_tid;
	uint64_t look;
	size_t nopen;
};

static int wait_end(struct sleepers *w, struct sleeper *s, uint64_t t_ns, uint64_t until_ns,
		    uint32_t flags)
{
	s->wait.what = WAIT_END;
	s->wait.hdr.t_ns = t_ns;
	s->wait.hdr.flags = flags;
	s->wait.until_ns = until_ns;
	s->open = false;
	w->nopen--;
	return sink_event(w->next, &s->wait.hdr);
}

static int on_event(struct sink *self, const struct ev_hdr *h)
{
	struct sleepers *w = (struct sleepers *)self;
	if (w->nopen && h->type == EV_IO) {
		const struct ev_io *io = (const struct ev_io *)h;
		struct sleeper *s;
		HASH_FIND(hh, w->by_tid, &io->tid, sizeof(io->tid), s);
		if (s && s->open && s->enter_ns == io->enter_ns) {
			int err = wait_end(w, s, h->t_ns, io->enter_ns + io->dur_ns, 0);
			if (err)
				return err;
		}
	}
	return sink_event(w->next, h);
}

static struct sleeper *sleeper_get(struct sleepers *w, uint32_t tid)
{
	struct sleeper *s;
	HASH_FIND(hh, w->by_tid, &tid, sizeof(tid), s);
	if (s)
		return s;
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->tid = tid;
	HASH_ADD(hh, w->by_tid, tid, sizeof(s->tid), s);
	return s;
}

static int wait_begin(struct sleepers *w, struct join *j, struct sleeper *s,
		      const struct raw_inflight *r, uint64_t now_ns)
{
	s->wait = (struct ev_wait){
		.hdr = { .t_ns = now_ns, .type = EV_WAIT, .size = sizeof(s->wait) },
		.since_ns = r->sleep_ns,
		.deadline_ns = r->deadline_ns,
		.chan = join_chan(j, r->obj, now_ns),
		.pid = r->pid,
		.tid = r->tid,
		.fd = r->fd,
		.op = r->op,
		.what = WAIT_BEGIN,
	};
	s->open = true;
	w->nopen++;
	if (RAW_OBJ_KIND(r->obj) == KIND_SET) {
		int err = sets_tell(j, r, now_ns);
		if (err)
			return err;
	}
	return sink_event(w->next, &s->wait.hdr);
}

/* What it sleeps for, as the kernel has it now, if that is news. */
static int tell_room(struct sleepers *w, struct sleeper *s, const struct raw_inflight *r, uint64_t now_ns)
{
	struct ev_room room = {
		.hdr = { .t_ns = s->room.hdr.t_ns, .type = EV_ROOM, .size = sizeof(room), .flags = ROOM_INSIDE },
		.chan = s->wait.chan, .bytes = r->room_bytes, .inside = r->inside,
		.messages = r->room_messages, .messages_inside = r->messages_inside,
	};
	if (!r->has_room || !room.chan || memcmp(&room, &s->room, sizeof(room)) == 0)
		return 0;
	room.hdr.t_ns = now_ns;
	s->room = room;
	return sink_event(w->next, &room.hdr);
}

static int look_at(struct sleepers *w, struct join *j, const struct raw_inflight *r, uint64_t now_ns)
{
	struct sleeper *s = sleeper_get(w, r->tid);
	if (!s)
		return 0; /* no memory: this wait goes untold until its call returns */
	bool same = s->enter_ns == r->enter_ns && s->look;
	int err = 0;
	if (!same && s->open) /* the record of the end of its last call was lost */
		err = wait_end(w, s, now_ns, now_ns, EV_SYNTHETIC);
	if (!same)
		s->room = (struct ev_room){ 0 };
	s->enter_ns = r->enter_ns;
	s->look = w->look;
	if (!err && same && !s->open)
		err = wait_begin(w, j, s, r, now_ns);
	return err || !s->open ? err : tell_room(w, s, r, now_ns);
}

int sleepers_look(struct sleepers *w, struct join *j, const struct raw_inflight *list, size_t n,
	       uint64_t now_ns)
{
	w->look++;
	for (size_t i = 0; i < n; i++) {
		int err = look_at(w, j, &list[i], now_ns);
		if (err)
			return err;
	}
	struct sleeper *s, *next;
	HASH_ITER(hh, w->by_tid, s, next) {
		if (s->look == w->look)
			continue;
		/* Awake again. The end of an open wait comes with its EV_IO; if that was lost, here. */
		if (s->open && w->look - s->look < 3)
			continue;
		if (s->open) {
			int err = wait_end(w, s, now_ns, now_ns, EV_SYNTHETIC);
			if (err)
				return err;
		}
		HASH_DEL(w->by_tid, s);
		free(s);
	}
	return 0;
}

struct sleepers *sleepers_new(struct sink *next)
{
	struct sleepers *w = calloc(1, sizeof(*w));
	if (w) {
		w->sink.event = on_event;
		w->next = next;
	}
	return w;
}

void sleepers_free(struct sleepers *w)
{
	if (!w)
		return;
	struct sleeper *s, *next;
	HASH_ITER(hh, w->by_tid, s, next) {
		HASH_DEL(w->by_tid, s);
		free(s);
	}
	free(w);
}

struct sink *sleepers_sink(struct sleepers *w) { return &w->sink; }
