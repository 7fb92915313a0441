// SPDX-License-Identifier: GPL-2.0-or-later
#include "join.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <uthash.h>

#include "collector/bystanders.h"
#include "collector/holders.h"
#include "collector/maps.h"
#include "collector/names.h"
#include "collector/ports.h"
#include "collector/processes.h"
#include "collector/procfs.h"
#include "collector/ripc.h"

/* A connection as both its ends can compute it: the namespace, then "my side", then "the other". */
struct tuple {
	uint32_t ns;
	uint16_t lport, rport;
	uint8_t laddr[16], raddr[16];
};

/* A partner on another host (or nowhere): the socket and the address it talks to. */
struct far {
	uint64_t obj;
	uint8_t addr[16];
	uint16_t port;
	uint16_t pad[3];
};

/* A channel: alive while an object (or, far, an address) leads to it. */
struct joined {
	struct ev_chan c;
	unsigned int refs;
};

struct object {
	uint64_t obj;
	struct raw_object raw; /* the latest description */
	struct tuple tuple;    /* TCP, connected */
	struct joined *chan;   /* NULL: not told yet */
	struct object *newer, *older; /* in the list of those not held, or of those to be forgotten */
	uint32_t nheld;
	enum { LISTED_NOT, LISTED_IDLE, LISTED_DOOMED } listed;
	bool in_sk, in_tuple;
	struct object *next_mq; /* of join.mqs */
	bool lonely; /* the holders of its other end are to be looked for */
	uint8_t side;
	UT_hash_handle hh, hh_sk, hh_tuple;
};

/* The object behind a channel of memory, which attachments name by its id. */
struct memory {
	uint64_t chan, obj;
	UT_hash_handle hh;
};

struct far_chan {
	struct far key;
	struct joined *chan;
	UT_hash_handle hh;
};

struct join {
	struct sink sink;
	struct sink *next;
	struct object *by_obj, *by_sk, *by_tuple;
	struct far_chan *far;
	uint64_t nchans;    /* ids given out */
	uint64_t newest_ns; /* the latest record */
	struct holders *holders;
	struct join_idle idle_opts;
	struct object_list { struct object *oldest, *newest; size_t n; } idle, doomed;
	struct maps *maps;
	struct sink from_maps; /* sees who attaches, and hands on to next */
	struct memory *memories;
	struct bystanders *bystanders;
	struct processes *processes;
	bool told_kernel;
	struct ports *ports;
	struct object *mqs;  /* POSIX queues that still have their name, the newest first */
	struct object *last; /* the object asked for last */
	size_t nlonely;
};

/* ---- channels ---- */

static const uint8_t shape_of_kind[KIND_MAX] = {
	[KIND_PIPE] = SHAPE_STREAM, [KIND_FIFO] = SHAPE_STREAM, [KIND_MSG] = SHAPE_TYPED,
	[KIND_SEM] = SHAPE_COUNTER, [KIND_SHM] = SHAPE_MEMORY,
	[KIND_MAP] = SHAPE_MEMORY, [KIND_FUTEX] = SHAPE_COUNTER, [KIND_MEM] = SHAPE_DIRECT,
	[KIND_MQ] = SHAPE_PRIORITY, [KIND_EVENTFD] = SHAPE_COUNTER, [KIND_SIGNAL] = SHAPE_DIRECT,
	[KIND_PTY] = SHAPE_STREAM, [KIND_LOCK] = SHAPE_COUNTER, [KIND_CHILD] = SHAPE_DIRECT,
};

static struct joined *chan_new(struct join *j, uint16_t kind)
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
static int chan_put(struct join *j, struct joined *joined)
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

static int chan_tell(struct join *j, struct ev_chan *c, uint64_t t_ns)
{
	c->hdr.t_ns = t_ns;
	return sink_event(j->next, &c->hdr);
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

static struct object *object_find(struct join *j, uint64_t obj)
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
static int object_chan(struct join *j, struct object *o, uint16_t kind)
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

static struct object *object_get(struct join *j, uint64_t obj)
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

static void unindex_sk(struct join *j, struct object *o)
{
	if (o->in_sk)
		HASH_DELETE(hh_sk, j->by_sk, o);
	o->in_sk = false;
}

static void unindex_tuple(struct join *j, struct object *o)
{
	if (o->in_tuple)
		HASH_DELETE(hh_tuple, j->by_tuple, o);
	o->in_tuple = false;
}

/*
 * The newest socket at a kernel address is the one there is. Whoever was connected to the one that
 * was there before is no partner of it: both addresses of a pair are often used again together.
 */
static void index_sk(struct join *j, struct object *o)
{
	struct object *old, *left;
	HASH_FIND(hh_sk, j->by_sk, &o->raw.sk, sizeof(o->raw.sk), old);
	if (old) {
		HASH_FIND(hh_sk, j->by_sk, &old->raw.peer_sk, sizeof(old->raw.peer_sk), left);
		if (left && left != old && left->chan && left->chan == old->chan)
			unindex_sk(j, left);
		unindex_sk(j, old);
	}
	HASH_ADD(hh_sk, j->by_sk, raw.sk, sizeof(o->raw.sk), o);
	o->in_sk = true;
}

static struct object *partner_tcp(struct join *j, const struct object *o)
{
	struct tuple t;
	memset(&t, 0, sizeof(t));
	t.ns = o->raw.ns;
	t.lport = o->raw.rport;
	t.rport = o->raw.lport;
	memcpy(t.laddr, o->raw.raddr, 16);
	memcpy(t.raddr, o->raw.laddr, 16);
	struct object *p;
	HASH_FIND(hh_tuple, j->by_tuple, &t, sizeof(t), p);
	return p == o ? NULL : p;
}

/* The same for addresses and ports. */
static void index_tuple(struct join *j, struct object *o)
{
	struct object *old, *left;
	HASH_FIND(hh_tuple, j->by_tuple, &o->tuple, sizeof(o->tuple), old);
	if (old) {
		left = partner_tcp(j, old);
		if (left && left->chan && left->chan == old->chan)
			unindex_tuple(j, left);
		unindex_tuple(j, old);
	}
	HASH_ADD(hh_tuple, j->by_tuple, tuple, sizeof(o->tuple), o);
	o->in_tuple = true;
}

static int object_update(struct join *j, struct object *o, const struct raw_object *raw)
{
	uint32_t role = o->raw.hdr.flags & (RAW_ACCEPTED | RAW_CONNECTED);
	unindex_sk(j, o);
	unindex_tuple(j, o);
	o->raw = *raw;
	o->raw.hdr.flags |= role;
	if (raw->sk)
		index_sk(j, o);
	if (raw->kind == KIND_TCP && raw->rport) {
		memset(&o->tuple, 0, sizeof(o->tuple));
		o->tuple.ns = raw->ns;
		o->tuple.lport = raw->lport;
		o->tuple.rport = raw->rport;
		memcpy(o->tuple.laddr, raw->laddr, 16);
		memcpy(o->tuple.raddr, raw->raddr, 16);
		index_tuple(j, o);
	}
	return raw->kind == KIND_UDP ? ports_set(j->ports, &o->raw) : 0;
}

/* Called by holders, with an object's id, or, of an attachment, with a channel's. */
static void object_held(void *arg, uint64_t obj, int by)
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

static void set_lonely(struct join *j, struct object *o, bool lonely)
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

/* ---- joining ---- */

/*
 * Who is at the address of the peer. An address is used again: its inode must be right, too, or,
 * where the kernel has none, it must know us. (A socket that waits to be accepted has no inode, and
 * nobody has been told of it; one that is closed has none any more, and told who its peer was.)
 */
static struct object *partner_unix(struct join *j, const struct object *o)
{
	struct object *p;
	HASH_FIND(hh_sk, j->by_sk, &o->raw.peer_sk, sizeof(o->raw.peer_sk), p);
	if (!p || p->obj == o->obj)
		return NULL;
	bool is_peer = o->raw.peer_ino ? p->raw.ino == o->raw.peer_ino : p->raw.peer_sk == o->raw.sk;
	return is_peer ? p : NULL;
}

/* Would this socket, not ours to keep, join one that is? */
static bool has_partner(struct join *j, const struct raw_object *raw)
{
	struct object o = { .obj = raw->obj, .raw = *raw };
	struct object *p = raw->kind == KIND_TCP ? partner_tcp(j, &o) : partner_unix(j, &o);
	return p && p->obj != raw->obj;
}

static bool is_pipe(uint16_t kind) { return kind == KIND_PIPE || kind == KIND_FIFO; }

static bool is_connection(const struct raw_object *r)
{
	if (r->hdr.flags & RAW_LISTENING)
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

static int join_object(struct join *j, const struct raw_object *raw)
{
	if (!raw->kind || raw->kind >= KIND_MAX)
		return -EINVAL;
	if ((raw->hdr.flags & RAW_IF_PEER) && !has_partner(j, raw))
		return 0;
	struct object *o = object_get(j, raw->obj);
	if (!o)
		return -ENOMEM;
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
	return chan_tell(j, c, raw->hdr.t_ns);
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

/* ---- channels that belong to a process ---- */

static bool is_own(unsigned int kind)
{
	return kind == KIND_SIGNAL || kind == KIND_CHILD || kind == KIND_SET;
}

static uint32_t own_pid(uint64_t obj)
{
	switch (RAW_OBJ_KIND(obj)) {
	case KIND_SIGNAL:
		return (uint32_t)(obj >> 8);
	case KIND_CHILD:
		return (uint32_t)obj;
	default:
		return (uint32_t)(obj >> 32) & 0xffffff;
	}
}

/* Who is at the far end: the process a signal goes to, the child whose end is waited for. */
static int own_attach(struct join *j, const struct ev_chan *c, uint64_t obj, uint64_t t_ns)
{
	uint64_t exit_ns;
	uint32_t pid = own_pid(obj);
	bool in_scope = processes_find(j->processes, pid, &exit_ns);
	if (c->kind == KIND_SET || (c->kind == KIND_CHILD && (obj != RAW_OBJ_CHILD(pid) || !in_scope)))
		return 0;
	int err = in_scope ? 0 : bystanders_tell(j->bystanders, pid, j->next);
	struct ev_endpoint e = {
		.hdr = { .type = EV_ENDPOINT, .size = sizeof(e), .flags = EV_SYNTHETIC },
		.chan = c->chan, .pid = pid, .fd = -1, .what = ENDPOINT_ATTACH,
		.dir = c->kind == KIND_SIGNAL ? ENDPOINT_DIR_READ : ENDPOINT_DIR_WRITE,
	};
	e.hdr.t_ns = exit_ns && exit_ns < t_ns ? exit_ns : t_ns; /* a late word of one that is gone */
	return err ? err : sink_event(j->next, &e.hdr);
}

/* NULL: no memory, or the next sink refused. */
static struct ev_chan *own_chan(struct join *j, uint64_t obj, uint64_t t_ns)
{
	void **slot = processes_chan(j->processes, own_pid(obj), obj);
	struct joined *joined = slot ? *slot : NULL;
	if (!slot || joined)
		return joined ? &joined->c : NULL;
	joined = chan_new(j, (uint16_t)RAW_OBJ_KIND(obj));
	if (!joined)
		return NULL;
	*slot = joined;
	struct ev_chan *c = &joined->c;
	names_own(c, obj, processes_comm(j->processes, own_pid(obj)));
	return chan_tell(j, c, t_ns) || own_attach(j, c, obj, t_ns) ? NULL : c;
}

static uint64_t own_id(const struct ev_chan *c) { return c ? c->chan : 0; }

/* The process has been gone for so long that nobody waits for it any more: so are its channels. */
static void own_drop(void *arg, void *chan) { chan_put(arg, chan); }

int join_name(struct join *j, uint64_t obj, const char *name, uint64_t t_ns)
{
	struct ev_chan *c = own_chan(j, obj, t_ns);
	if (!c || strncmp(c->name, name, sizeof(c->name) - 1) == 0)
		return 0;
	snprintf(c->name, sizeof(c->name), "%s", name);
	return chan_tell(j, c, t_ns);
}

const char *join_text(struct join *j, uint64_t obj)
{
	struct object *o = object_find(j, obj);
	if (!o || !o->chan)
		return NULL;
	return o->chan->c.name[0] ? o->chan->c.name : o->chan->c.ident;
}

/* ---- objects again ---- */

static struct object *object_known(struct join *j, uint64_t obj)
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

/* ---- events ---- */

/* An EV_IO with room for its payload. */
union io_buf {
	struct ev_io io;
	uint8_t bytes[sizeof(struct ev_io) + EV_PAYLOAD_MAX];
};

/* Copies an operation and the payload that lies `at` bytes from the record's beginning. */
static void io_copy(union io_buf *to, const struct ev_hdr *from, size_t at)
{
	size_t payload = from->size > at ? from->size - at : 0;
	if (payload > EV_PAYLOAD_MAX)
		payload = EV_PAYLOAD_MAX;
	memcpy(&to->io, from, sizeof(to->io));
	memcpy(to->bytes + sizeof(to->io), (const uint8_t *)from + at, payload);
	to->io.hdr.type = EV_IO;
	to->io.hdr.size = (uint16_t)(sizeof(to->io) + payload);
}

/* What maps.c tells: who attaches to a channel, and who no longer is. */
static int on_attached(struct sink *self, const struct ev_hdr *h)
{
	struct join *j = (struct join *)((char *)self - offsetof(struct join, from_maps));
	holders_endpoint(j->holders, (const struct ev_endpoint *)h);
	return sink_event(j->next, h);
}

/* Whoever uses a futex in shared memory holds it: it could end another's wait. */
static int join_futex(struct join *j, const struct object *o, const struct ev_io *e)
{
	if (o->chan->c.shape == SHAPE_NONE)
		return 0;
	const struct object *memory = object_find(j, o->raw.peer_sk);
	return maps_futex(j->maps, e->pid, e->chan, memory && memory->chan ? memory->chan->c.chan : 0,
			  e->hdr.t_ns, &j->from_maps);
}

/* A signal that no call in scope sent: of the kernel, which is process 0, or of somebody outside. */
static int tell_signaller(struct join *j, const struct ev_io *e)
{
	uint64_t exit_ns;
	if (e->pid)
		return processes_find(j->processes, e->pid, &exit_ns)
			       ? 0 : bystanders_tell(j->bystanders, e->pid, j->next);
	if (j->told_kernel)
		return 0;
	struct ev_task t = {
		.hdr = { .t_ns = e->hdr.t_ns, .type = EV_TASK, .size = sizeof(t),
			 .flags = EV_SYNTHETIC | TASK_F_OUTSIDE },
		.what = TASK_SEEN, .comm = "kernel",
	};
	j->told_kernel = true;
	return sink_event(j->next, &t.hdr);
}

static int join_io(struct join *j, struct ev_io *e)
{
	if (is_own(RAW_OBJ_KIND(e->chan))) {
		int err = e->op == OP_SIGNAL ? tell_signaller(j, e) : 0;
		/* at entry, the process a signal is sent to still lived */
		e->chan = own_id(own_chan(j, e->chan, e->enter_ns));
		return err ? err : sink_event(j->next, &e->hdr);
	}
	struct object *o = object_known(j, e->chan);
	e->chan = o ? o->chan->c.chan : 0;
	if (o && o->side)
		e->hdr.flags |= IO_SIDE_B;
	int err = o && o->chan->c.kind == KIND_FUTEX ? join_futex(j, o, e) : 0;
	return err ? err : sink_event(j->next, &e->hdr);
}

static int far_chan(struct join *j, const struct raw_io_addr *r, struct object *o, __u64 *chan)
{
	struct far key = { .obj = r->io.chan, .port = r->port };
	memcpy(key.addr, r->addr, 16);
	struct far_chan *f;
	HASH_FIND(hh, j->far, &key, sizeof(key), f);
	if (f) {
		*chan = f->chan->c.chan;
		if (HASH_COUNT(j->far) > j->idle_opts.max / 2) { /* to the end: used the latest */
			HASH_DELETE(hh, j->far, f);
			HASH_ADD(hh, j->far, key, sizeof(f->key), f);
		}
		return 0;
	}
	f = calloc(1, sizeof(*f));
	struct joined *joined = f ? chan_new(j, KIND_UDP) : NULL;
	if (!joined) {
		free(f);
		return -ENOMEM;
	}
	struct ev_chan *c = &joined->c;
	f->key = key;
	f->chan = joined;
	*chan = c->chan;
	HASH_ADD(hh, j->far, key, sizeof(f->key), f);
	c->shape = SHAPE_DGRAM;
	c->duplex = 1;
	c->remote = 1;
	char from[NAMES_ADDR_LEN], to[NAMES_ADDR_LEN];
	names_addr(from, sizeof(from), o->raw.laddr, o->raw.lport);
	names_addr(to, sizeof(to), r->addr, r->port);
	names_service(c->name, sizeof(c->name), r->addr, r->port, KIND_UDP);
	snprintf(c->ident, sizeof(c->ident), "udp %s-%s", from, to);
	return chan_tell(j, c, r->io.hdr.t_ns);
}

/*
 * A datagram whose partner is known by address only. From an address of this host it lies in the
 * socket's own queue like any other. Sent to one, it reached whoever has that address, or, refused or
 * with nobody there, a channel that leads nowhere.
 */
static int join_io_addr(struct join *j, const struct raw_io_addr *r)
{
	union io_buf e;
	io_copy(&e, &r->io.hdr, sizeof(*r));
	bool is_local = names_is_local(r->addr) || names_is_any(r->addr);
	struct object *o = object_known(j, e.io.chan);
	if (!o || ((e.io.hdr.flags & IO_READ) && is_local))
		return join_io(j, &e.io);
	__u64 at = is_local && !r->refused ? ports_find(j->ports, &o->raw, r->addr, r->port) : 0;
	if (at) {
		e.io.chan = at;
		e.io.hdr.flags |= IO_ASSUMED;
		return join_io(j, &e.io);
	}
	int err = far_chan(j, r, o, &e.io.chan);
	return err ? err : sink_event(j->next, &e.io.hdr);
}

uint64_t join_fifo(struct join *j, uint32_t pid, int dirfd, const char *path, uint64_t t_ns)
{
	uint32_t dev;
	uint64_t ino;
	char whole[RAW_NAME_LEN];
	if (procfs_fifo(pid, dirfd, path, &dev, &ino, whole, sizeof(whole)))
		return 0;
	struct raw_object raw = {
		.hdr = { .t_ns = t_ns, .type = RAW_OBJECT, .size = sizeof(raw),
			 .flags = whole[0] == '/' ? RAW_PATH : 0 },
		.obj = RAW_OBJ_FIFO(dev, ino), .ino = ino, .dev = dev, .pid = pid, .fd = -1,
		.kind = KIND_FIFO,
	};
	memcpy(raw.name, whole, sizeof(raw.name));
	return join_object(j, &raw) ? 0 : raw.obj;
}

static int join_mknod(struct join *j, const struct raw_mknod *r)
{
	struct ev_io e = r->io;
	e.hdr.type = EV_IO;
	e.hdr.size = sizeof(e);
	char path[EV_PATH_LEN];
	snprintf(path, sizeof(path), "%.*s", EV_PATH_LEN - 1, r->path);
	/* failed, or already gone: no channel to name */
	e.chan = e.ret == 0 ? join_fifo(j, e.pid, r->dirfd, path, e.hdr.t_ns) : 0;
	return join_io(j, &e);
}

/* The name it was known by is gone; the queue lives on while it is open. */
static int join_mq_unlink(struct join *j, const struct raw_mknod *r)
{
	struct ev_io e = r->io;
	e.hdr.type = EV_IO;
	e.hdr.size = sizeof(e);
	e.chan = 0;
	for (struct object **at = &j->mqs; e.ret == 0 && *at; at = &(*at)->next_mq) {
		struct object *o = *at;
		if (strncmp(o->raw.name, r->path, sizeof(o->raw.name) - 1) != 0)
			continue;
		e.chan = o->obj;
		*at = o->next_mq;
		break;
	}
	return join_io(j, &e);
}

static int join_endpoint(struct join *j, struct ev_endpoint *e)
{
	struct object *o = e->hdr.flags & RAW_IF_KNOWN ? object_find(j, e->chan)
						       : object_known(j, e->chan);
	__u32 flags = e->hdr.flags;
	if (!o || !o->chan)
		return 0;
	if (flags & RAW_IF_KNOWN) {
		e->hdr.flags &= ~RAW_IF_KNOWN;
		int err = bystanders_tell(j->bystanders, e->pid, j->next);
		if (err)
			return err;
	}
	/* what those outside let go of is not seen; memory is held by what is mapped */
	if (!(flags & RAW_IF_KNOWN) && o->chan->c.shape != SHAPE_MEMORY)
		holders_endpoint(j->holders, e);
	e->chan = o->chan->c.chan;
	e->side = o->side;
	int err = sink_event(j->next, &e->hdr);
	if (err || e->what != ENDPOINT_PASSED || o->chan->c.shape != SHAPE_MEMORY)
		return err;
	e->what = ENDPOINT_CLOSE; /* who holds memory is told by what is mapped, not by descriptors */
	e->from = 0;
	return sink_event(j->next, &e->hdr);
}

/* mmap and its kin; what touched nothing shared is none of ours. */
static int join_map(struct join *j, const struct raw_map *r)
{
	struct object *o = object_known(j, r->io.chan);
	struct ev_io e = r->io;
	e.hdr.type = EV_IO;
	e.hdr.size = sizeof(e);
	uint64_t chan = o ? o->chan->c.chan : 0;
	int err = maps_change(j->maps, r, &chan, &j->from_maps);
	e.chan = chan;
	if (err || !e.op || (!e.chan && (e.op == OP_MUNMAP || e.op == OP_MREMAP)))
		return err;
	return sink_event(j->next, &e.hdr);
}

/* A child that is waited for has another name now. */
static int child_rename(struct join *j, const struct ev_task *e)
{
	uint64_t obj = RAW_OBJ_CHILD(e->pid);
	struct joined *joined = processes_has(j->processes, e->pid, obj);
	if (!joined || e->pid != e->tid || (e->what != TASK_EXEC && e->what != TASK_RENAME))
		return 0;
	names_own(&joined->c, obj, processes_comm(j->processes, e->pid));
	return chan_tell(j, &joined->c, e->hdr.t_ns);
}

static int join_task(struct join *j, struct ev_task *e)
{
	uint64_t exit_ns;
	if (bystanders_note(j->bystanders, e))
		return 0;
	holders_task(j->holders, e);
	/* a parent in scope may wait for this: the channel is told while there is a process to attach */
	if (e->what == TASK_EXIT && (e->hdr.flags & TASK_F_LAST) &&
	    processes_find(j->processes, e->ppid, &exit_ns) && !exit_ns)
		own_chan(j, RAW_OBJ_CHILD(e->pid), e->hdr.t_ns);
	processes_note(j->processes, e);
	int err = child_rename(j, e);
	if (err)
		return err;
	if (e->what == TASK_EXEC)
		procfs_join_args(e->args, sizeof(e->args));
	if (e->what == TASK_SEEN && e->pid == e->tid) {
		procfs_exe(e->pid, e->exe, sizeof(e->exe));
		procfs_args(e->pid, e->args, sizeof(e->args));
	}
	if (e->what != TASK_EXIT && e->what != TASK_RENAME && e->pid == e->tid)
		procfs_cgroup(e->pid, e->cgroup_path, sizeof(e->cgroup_path));
	err = sink_event(j->next, &e->hdr);
	return err ? err : maps_follow(j->maps, e, &j->from_maps);
}

/* Copies the record, which is the ring's, into room of our own before changing it. */
#define OWN(type, name, from)                                                                      \
	type name;                                                                                 \
	memcpy(&name, from, sizeof(name))

static int on_record(struct sink *self, const struct ev_hdr *h)
{
	struct join *j = (struct join *)self;
	if (h->t_ns > j->newest_ns)
		j->newest_ns = h->t_ns;
	switch (h->type) {
	case RAW_OBJECT:
		return join_object(j, (const struct raw_object *)h);
	case RAW_IO_ADDR:
		return join_io_addr(j, (const struct raw_io_addr *)h);
	case RAW_MKNOD:
		return join_mknod(j, (const struct raw_mknod *)h);
	case RAW_MAP:
		return join_map(j, (const struct raw_map *)h);
	case RAW_MQ_UNLINK:
		return join_mq_unlink(j, (const struct raw_mknod *)h);
	case EV_IO: {
		union io_buf io;
		io_copy(&io, h, sizeof(io.io));
		return join_io(j, &io.io);
	}
	case EV_ENDPOINT: {
		OWN(struct ev_endpoint, endpoint, h);
		return join_endpoint(j, &endpoint);
	}
	case EV_TASK: {
		OWN(struct ev_task, task, h);
		return join_task(j, &task);
	}
	default:
		return sink_event(j->next, h);
	}
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

static void process_gone(void *arg, uint32_t pid)
{
	struct join *j = arg;
	struct ev_task e = {
		.hdr = { .t_ns = j->newest_ns, .type = EV_TASK, .size = sizeof(e),
			 .flags = EV_SYNTHETIC | TASK_F_LAST },
		.pid = pid, .tid = pid, .what = TASK_EXIT,
	};
	join_task(j, &e);
}

void join_sweep(struct join *j) { holders_sweep(j->holders, process_gone, j); }

struct join *join_new(struct sink *next)
{
	struct join *j = calloc(1, sizeof(*j));
	if (!j)
		return NULL;
	j->sink.event = on_record;
	j->next = next;
	j->maps = maps_new();
	j->bystanders = bystanders_new();
	j->processes = processes_new(own_drop, j);
	j->ports = ports_new();
	j->from_maps.event = on_attached;
	j->holders = holders_new(object_held, j);
	j->idle_opts.max = JOIN_IDLE_MAX;
	if (j->maps && j->bystanders && j->processes && j->ports && j->holders)
		return j;
	join_free(j);
	return NULL;
}

void join_free(struct join *j)
{
	if (!j)
		return;
	struct object *o, *next_o;
	struct far_chan *f, *next_f;
	j->next = NULL; /* nothing is told any more */
	HASH_CLEAR(hh_sk, j->by_sk);
	HASH_CLEAR(hh_tuple, j->by_tuple);
	HASH_ITER(hh, j->by_obj, o, next_o) {
		HASH_DEL(j->by_obj, o);
		if (o->chan && !--o->chan->refs)
			free(o->chan);
		free(o);
	}
	HASH_ITER(hh, j->far, f, next_f) {
		HASH_DEL(j->far, f);
		free(f->chan);
		free(f);
	}
	struct memory *m, *next_m;
	HASH_ITER(hh, j->memories, m, next_m) {
		HASH_DEL(j->memories, m);
		free(m);
	}
	holders_free(j->holders);
	maps_free(j->maps);
	ports_free(j->ports);
	bystanders_free(j->bystanders);
	processes_free(j->processes);
	free(j);
}

struct sink *join_sink(struct join *j) { return &j->sink; }
