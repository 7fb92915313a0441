// SPDX-License-Identifier: GPL-2.0-or-later
/* Descriptions of objects: which channel one is, what that is called, and who has its other end. */
#include "join_world.h"

#include <errno.h>
#include <sys/socket.h>

#include "collector/names.h"
#include "collector/ripc.h"

/* Would this socket, not ours to keep, join one that is? */
static bool has_partner(struct join *j, const struct raw_object *raw)
{
	struct object o = { .obj = raw->obj, .raw = *raw };
	struct object *p = raw->kind == KIND_TCP ? partner_tcp(j, &o) : partner_unix(j, &o);
	return p && p->obj != raw->obj;
}

bool is_connection(const struct raw_object *r)
{
	if (r->hdr.flags & (RAW_LISTENING | RAW_REFUSED))
		return false;
	if (r->kind == KIND_TCP)
		return r->rport != 0;
	if (r->kind == KIND_PTY)
		return r->peer_sk != 0;
	return r->kind == KIND_UNIX && r->sock_type != SOCK_DGRAM && r->peer_sk;
}

/* What lay in a channel when it was first seen, by one of its ends, which is its side A then. */
static void set_backlog(struct ev_chan *c, const struct raw_object *raw)
{
	bool is_new = raw->hdr.flags & RAW_NEW;
	c->backlog_known = is_new || raw->hdr.flags & RAW_BACKLOG;
	c->backlog = is_new ? 0 : raw->backlog;
	if (is_connection(raw) && !is_new && raw->kind == KIND_UNIX)
		c->backlog_b = raw->at < UINT32_MAX ? (uint32_t)raw->at : UINT32_MAX;
}

static int join_connection(struct join *j, struct object *o, uint64_t t_ns)
{
	struct object *p = o->raw.kind == KIND_TCP ? partner_tcp(j, o) : partner_unix(j, o);
	if (p && p->chan && p->chan != o->chan) {
		int err = chan_put(j, o->chan);
		o->chan = p->chan;
		o->chan->refs++;
		o->side = !p->side;
		if (err)
			return err;
	} else if (!o->chan) {
		o->chan = chan_new(j, o->raw.kind);
		if (!o->chan)
			return -ENOMEM;
		if (o->raw.kind == KIND_UNIX)
			set_backlog(&o->chan->c, &o->raw);
	}
	struct ev_chan *c = &o->chan->c;
	c->duplex = 1;
	c->shape = o->raw.sock_type == SOCK_SEQPACKET ? SHAPE_DGRAM : SHAPE_STREAM;
	c->remote = o->raw.kind == KIND_TCP && !p && !names_is_local(o->raw.raddr);
	set_lonely(j, o, !p && !c->remote);
	if (p)
		set_lonely(j, p, false);
	if (o->side)
		names_pair(c, p ? &p->raw : &o->raw, p ? &o->raw : NULL);
	else
		names_pair(c, &o->raw, p ? &p->raw : NULL);
	return chan_tell(j, c, t_ns);
}

int join_object(struct join *j, const struct raw_object *raw)
{
	if (!raw->kind || raw->kind >= KIND_MAX)
		return -EINVAL;
	if ((raw->hdr.flags & RAW_IF_PEER) && !has_partner(j, raw))
		return 0;
	struct object *o = object_get(j, raw->obj);
	if (!o)
		return -ENOMEM;
	if (o->chan && raw->hdr.flags & RAW_ROOM)
		return chan_tell_room(j, o->chan, raw);
	if (object_update(j, o, raw))
		return -ENOMEM;
	if (o->chan && raw->hdr.flags & RAW_NEW &&
	    (raw->kind == KIND_EVENTFD || raw->kind == KIND_PTY || raw->kind == KIND_RIPC)) {
		int err = chan_put(j, o->chan); /* such ids are given out again at once: this is another one */
		o->chan = NULL;
		o->side = 0;
		if (err)
			return err;
	}
	if (is_connection(&o->raw))
		return join_connection(j, o, raw->hdr.t_ns);
	bool known = o->chan != NULL;
	if (!known && object_chan(j, o, raw->kind))
		return -ENOMEM;
	struct ev_chan *c = &o->chan->c;
	if (raw->kind == KIND_RIPC)
		ripc_shape(c, raw);
	if (raw->sock_type == SOCK_DGRAM)
		c->shape = SHAPE_DGRAM;
	if (raw->hdr.flags & RAW_PRIVATE) /* its threads wait, but nothing goes to another process */
		c->shape = SHAPE_NONE;
	if (!known) {
		set_backlog(c, raw);
		if (raw->kind == KIND_MQ) {
			o->next_mq = j->mqs;
			j->mqs = o;
		}
		set_lonely(j, o, is_pipe(raw->kind) && !(raw->hdr.flags & RAW_NEW));
	}
	names_object(c, raw);
	int err = chan_tell(j, c, raw->hdr.t_ns);
	return err ? err : chan_tell_room(j, o->chan, raw);
}

/* An object whose description was lost: all that is known is in its id. */
static struct object *object_placeholder(struct join *j, uint64_t obj)
{
	unsigned int kind = RAW_OBJ_KIND(obj);
	if (!kind || kind >= KIND_MAX)
		return NULL;
	struct object *o = object_get(j, obj);
	if (!o)
		return NULL;
	if (object_chan(j, o, (uint16_t)kind))
		return NULL;
	o->raw.kind = (uint16_t)kind;
	o->raw.fd = -1;
	o->raw.ino = obj & 0xffffffff;
	if (kind == KIND_FUTEX && RAW_OBJ_IS_PRIVATE(obj))
		o->chan->c.shape = SHAPE_NONE;
	else if (!o->chan->c.shape)
		o->chan->c.shape = SHAPE_STREAM;
	names_object(&o->chan->c, &o->raw);
	return chan_tell(j, &o->chan->c, 0) ? NULL : o;
}

struct object *object_known(struct join *j, uint64_t obj)
{
	struct object *o = obj ? object_find(j, obj) : NULL;
	return o && o->chan ? o : obj ? object_placeholder(j, obj) : NULL;
}

uint64_t join_chan(struct join *j, uint64_t obj, uint64_t t_ns)
{
	if (is_own(RAW_OBJ_KIND(obj)))
		return own_id(own_chan(j, obj, t_ns));
	struct object *o = object_known(j, obj);
	return o ? o->chan->c.chan : 0;
}

const char *join_text(struct join *j, uint64_t obj)
{
	struct object *o = object_find(j, obj);
	if (!o || !o->chan)
		return NULL;
	return o->chan->c.name[0] ? o->chan->c.name : o->chan->c.ident;
}
