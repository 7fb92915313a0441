// SPDX-License-Identifier: GPL-2.0-or-later
/* Objects and the channels they lead to: known by id, held or idle, and in the end forgotten. */
#include "join_world.h"

#include <errno.h>
#include <stdlib.h>

#include "collector/bystanders.h"
#include "collector/ports.h"

/* ---- channels ---- */

static const uint8_t shape_of_kind[KIND_MAX] = {
	[KIND_PIPE] = SHAPE_STREAM, [KIND_FIFO] = SHAPE_STREAM, [KIND_MSG] = SHAPE_TYPED,
	[KIND_SEM] = SHAPE_COUNTER, [KIND_SHM] = SHAPE_MEMORY,
	[KIND_MAP] = SHAPE_MEMORY, [KIND_FUTEX] = SHAPE_COUNTER, [KIND_MEM] = SHAPE_DIRECT,
	[KIND_MQ] = SHAPE_PRIORITY, [KIND_EVENTFD] = SHAPE_SUM, [KIND_SIGNAL] = SHAPE_DIRECT,
	[KIND_PTY] = SHAPE_STREAM, [KIND_LOCK] = SHAPE_COUNTER, [KIND_CHILD] = SHAPE_DIRECT,
};

struct joined *chan_new(struct join *j, uint16_t kind)
{
	struct joined *joined = calloc(1, sizeof(*joined));
	if (!joined)
		return NULL;
	struct ev_chan *c = &joined->c;
	joined->refs = 1;
	c->hdr.type = EV_CHAN;
	c->hdr.size = sizeof(*c);
	c->chan = ++j->nchans;
	c->kind = kind;
	c->shape = shape_of_kind[kind];
	return joined;
}

/* The last that leads to a channel says that its number will not be used again. */
int chan_put(struct join *j, struct joined *joined)
{
	if (!joined || --joined->refs)
		return 0;
	struct ev_gone gone = {
		.hdr = { .t_ns = j->newest_ns, .type = EV_GONE, .size = sizeof(gone) },
		.chan = joined->c.chan,
	};
	free(joined);
	return j->next ? sink_event(j->next, &gone.hdr) : 0;
}

int chan_tell(struct join *j, struct ev_chan *c, uint64_t t_ns)
{
	c->hdr.t_ns = t_ns;
	return sink_event(j->next, &c->hdr);
}

int chan_tell_room(struct join *j, struct joined *joined, const struct raw_object *raw)
{
	uint64_t bytes = is_pipe(raw->kind) || raw->kind == KIND_MSG ? raw->at : 0;
	uint32_t messages = is_pipe(raw->kind) || raw->kind == KIND_MQ ? (uint32_t)raw->peer_ino : 0;
	if ((!bytes && !messages) || (bytes == joined->room_bytes && messages == joined->room_messages))
		return 0;
	joined->room_bytes = bytes;
	joined->room_messages = messages;
	struct ev_room e = {
		.hdr = { .t_ns = raw->hdr.t_ns, .type = EV_ROOM, .size = sizeof(e) },
		.chan = joined->c.chan, .bytes = bytes, .messages = messages,
	};
	return sink_event(j->next, &e.hdr);
}

/* ---- objects ---- */

static void list_add(struct object_list *l, struct object *o)
{
	o->older = l->newest;
	o->newer = NULL;
	*(l->newest ? &l->newest->newer : &l->oldest) = o;
	l->newest = o;
	l->n++;
}

static void list_del(struct object_list *l, struct object *o)
{
	*(o->older ? &o->older->newer : &l->oldest) = o->newer;
	*(o->newer ? &o->newer->older : &l->newest) = o->older;
	l->n--;
}

/* Moves *o to where it belongs after it was held, let go of, or used. */
static void object_file(struct join *j, struct object *o)
{
	if (o == j->idle.newest && !o->nheld)
		return;
	if (o->listed != LISTED_NOT)
		list_del(o->listed == LISTED_IDLE ? &j->idle : &j->doomed, o);
	o->listed = o->nheld ? LISTED_NOT : LISTED_IDLE;
	if (o->listed == LISTED_IDLE)
		list_add(&j->idle, o);
}

struct object *object_find(struct join *j, uint64_t obj)
{
	if (j->last && j->last->obj == obj)
		return j->last;
	struct object *o;
	HASH_FIND(hh, j->by_obj, &obj, sizeof(obj), o);
	if (!o)
		return NULL;
	j->last = o;
	if (!o->nheld)
		object_file(j, o);
	return o;
}

/* The first channel of an object. One that can be attached to is known to those who do by its id. */
int object_chan(struct join *j, struct object *o, uint16_t kind)
{
	o->chan = chan_new(j, kind);
	if (!o->chan)
		return -ENOMEM;
	if (kind != KIND_SHM && kind != KIND_MAP && kind != KIND_FUTEX)
		return 0;
	struct memory *m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	m->chan = o->chan->c.chan;
	m->obj = o->obj;
	HASH_ADD(hh, j->memories, chan, sizeof(m->chan), m);
	return 0;
}

struct object *object_get(struct join *j, uint64_t obj)
{
	struct object *o = object_find(j, obj);
	if (o)
		return o;
	o = calloc(1, sizeof(*o));
	if (!o)
		return NULL;
	o->obj = obj;
	HASH_ADD(hh, j->by_obj, obj, sizeof(o->obj), o);
	object_file(j, o);
	return o;
}

/* Called by holders, with an object's id, or, of an attachment, with a channel's. */
void object_held(void *arg, uint64_t obj, int by)
{
	struct join *j = arg;
	struct object *o;
	if (!RAW_OBJ_KIND(obj)) {
		struct memory *m;
		HASH_FIND(hh, j->memories, &obj, sizeof(obj), m);
		if (!m)
			return;
		obj = m->obj;
	}
	HASH_FIND(hh, j->by_obj, &obj, sizeof(obj), o);
	if (!o)
		return;
	o->nheld += (uint32_t)by;
	if (!o->nheld)
		ports_drop(j->ports, obj);
	object_file(j, o);
}

void set_lonely(struct join *j, struct object *o, bool lonely)
{
	if (o->lonely == lonely)
		return;
	o->lonely = lonely;
	j->nlonely += lonely ? 1 : -1;
}

size_t join_lonely(const struct join *j) { return j->nlonely; }

int join_forget_lonely(struct join *j)
{
	struct object *o, *next;
	HASH_ITER(hh, j->by_obj, o, next)
		o->lonely = false;
	j->nlonely = 0;
	return bystanders_age(j->bystanders, j->newest_ns, j->next);
}

/* ---- forgetting ---- */

static void mq_forget(struct join *j, const struct object *o)
{
	struct object **at = &j->mqs;
	while (*at && *at != o)
		at = &(*at)->next_mq;
	if (*at)
		*at = o->next_mq;
}

static void memory_forget(struct join *j, const struct object *o)
{
	struct memory *m = NULL;
	if (o->chan)
		HASH_FIND(hh, j->memories, &o->chan->c.chan, sizeof(m->chan), m);
	if (!m)
		return;
	HASH_DELETE(hh, j->memories, m);
	free(m);
}

static int object_free(struct join *j, struct object *o)
{
	unindex_sk(j, o);
	unindex_tuple(j, o);
	ports_drop(j->ports, o->obj);
	memory_forget(j, o);
	mq_forget(j, o);
	HASH_DELETE(hh, j->by_obj, o);
	set_lonely(j, o, false);
	if (j->last == o)
		j->last = NULL;
	int err = chan_put(j, o->chan);
	free(o);
	return err;
}

/*
 * In two steps, for between the probes and us lies the ring: an object is first taken from what the
 * probes take for told, and goes when they have had time to tell of it again and did not.
 */
int join_trim(struct join *j)
{
	int err = 0;
	while (j->doomed.oldest && !err) {
		struct object *o = j->doomed.oldest;
		list_del(&j->doomed, o);
		err = object_free(j, o);
	}
	while (j->idle.n > j->idle_opts.max) {
		struct object *o = j->idle.oldest;
		list_del(&j->idle, o);
		o->listed = LISTED_DOOMED;
		list_add(&j->doomed, o);
		if (j->last == o)
			j->last = NULL; /* the next to ask for it is to be noticed */
		if (j->idle_opts.forget)
			j->idle_opts.forget(j->idle_opts.arg, o->obj);
	}
	while (HASH_COUNT(j->far) > j->idle_opts.max && !err) {
		struct far_chan *f = j->far;
		HASH_DELETE(hh, j->far, f);
		err = chan_put(j, f->chan);
		free(f);
	}
	return err;
}

void join_set_idle(struct join *j, const struct join_idle *idle) { j->idle_opts = *idle; }
