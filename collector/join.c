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
#include "collector/maps.h"
#include "collector/names.h"
#include "collector/processes.h"
#include "collector/procfs.h"

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

struct object {
	uint64_t obj;
	struct raw_object raw; /* the latest description */
	struct tuple tuple;    /* TCP, connected */
	struct ev_chan *chan;  /* borrowed from join.chans */
	bool in_sk, in_tuple;
	struct object *next_mq; /* of join.mqs */
	bool lonely; /* the holders of its other end are to be looked for */
	uint8_t side;
	UT_hash_handle hh, hh_sk, hh_tuple;
};

struct far_chan {
	struct far key;
	uint64_t chan;
	UT_hash_handle hh;
};

struct join {
	struct sink sink;
	struct sink *next;
	struct object *by_obj, *by_sk, *by_tuple;
	struct far_chan *far;
	struct ev_chan **chans; /* [id - 1] */
	size_t nchans, room;
	struct maps *maps;
	struct bystanders *bystanders;
	struct processes *processes;
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

static struct ev_chan *chan_new(struct join *j, uint16_t kind)
{
	if (j->nchans == j->room) {
		size_t room = j->room ? j->room * 2 : 256;
		struct ev_chan **grown = realloc(j->chans, room * sizeof(struct ev_chan *));
		if (!grown)
			return NULL;
		j->chans = grown;
		j->room = room;
	}
	struct ev_chan *c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	j->chans[j->nchans++] = c;
	c->hdr.type = EV_CHAN;
	c->hdr.size = sizeof(*c);
	c->chan = j->nchans;
	c->kind = kind;
	c->shape = shape_of_kind[kind];
	return c;
}

static int chan_tell(struct join *j, struct ev_chan *c, uint64_t t_ns)
{
	c->hdr.t_ns = t_ns;
	return sink_event(j->next, &c->hdr);
}

/* ---- objects ---- */

static struct object *object_find(struct join *j, uint64_t obj)
{
	if (j->last && j->last->obj == obj)
		return j->last;
	struct object *o;
	HASH_FIND(hh, j->by_obj, &obj, sizeof(obj), o);
	if (o)
		j->last = o;
	return o;
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

static void object_update(struct join *j, struct object *o, const struct raw_object *raw)
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
}

static void set_lonely(struct join *j, struct object *o, bool lonely)
{
	if (o->lonely == lonely)
		return;
	o->lonely = lonely;
	j->nlonely += lonely ? 1 : -1;
}

size_t join_lonely(const struct join *j) { return j->nlonely; }

void join_forget_lonely(struct join *j)
{
	struct object *o, *next;
	HASH_ITER(hh, j->by_obj, o, next)
		o->lonely = false;
	j->nlonely = 0;
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

static int join_connection(struct join *j, struct object *o, uint64_t t_ns)
{
	struct object *p = o->raw.kind == KIND_TCP ? partner_tcp(j, o) : partner_unix(j, o);
	if (p && p->chan && p->chan != o->chan) {
		o->chan = p->chan;
		o->side = !p->side;
	} else if (!o->chan) {
		o->chan = chan_new(j, o->raw.kind);
		if (!o->chan)
			return -ENOMEM;
	}
	struct ev_chan *c = o->chan;
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
	object_update(j, o, raw);
	if (raw->hdr.flags & RAW_NEW && (raw->kind == KIND_EVENTFD || raw->kind == KIND_PTY)) {
		o->chan = NULL; /* such ids are given out again at once: this is another one */
		o->side = 0;
	}
	if (is_connection(&o->raw))
		return join_connection(j, o, raw->hdr.t_ns);
	bool known = o->chan != NULL;
	if (!known)
		o->chan = chan_new(j, raw->kind);
	if (!o->chan)
		return -ENOMEM;
	struct ev_chan *c = o->chan;
	if (raw->sock_type == SOCK_DGRAM)
		c->shape = SHAPE_DGRAM;
	if (raw->hdr.flags & RAW_PRIVATE) /* its threads wait, but nothing goes to another process */
		c->shape = SHAPE_NONE;
	if (!known) {
		c->backlog = raw->backlog;
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
	o->chan = chan_new(j, (uint16_t)kind);
	if (!o->chan)
		return NULL;
	o->raw.kind = (uint16_t)kind;
	o->raw.fd = -1;
	o->raw.ino = obj & 0xffffffff;
	if (kind == KIND_FUTEX && RAW_OBJ_IS_PRIVATE(obj))
		o->chan->shape = SHAPE_NONE;
	else if (!o->chan->shape)
		o->chan->shape = SHAPE_STREAM;
	names_object(o->chan, &o->raw);
	return chan_tell(j, o->chan, 0) ? NULL : o;
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

/* 0: no memory, or the next sink refused. */
static uint64_t own_chan(struct join *j, uint64_t obj, uint64_t t_ns)
{
	uint64_t *slot = processes_chan(j->processes, own_pid(obj), obj);
	if (!slot || *slot)
		return slot ? *slot : 0;
	struct ev_chan *c = chan_new(j, (uint16_t)RAW_OBJ_KIND(obj));
	if (!c)
		return 0;
	*slot = c->chan;
	names_own(c, obj, processes_comm(j->processes, own_pid(obj)));
	return chan_tell(j, c, t_ns) || own_attach(j, c, obj, t_ns) ? 0 : c->chan;
}

int join_name(struct join *j, uint64_t obj, const char *name, uint64_t t_ns)
{
	uint64_t chan = join_chan(j, obj, t_ns);
	struct ev_chan *c = chan ? j->chans[chan - 1] : NULL;
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
	return o->chan->name[0] ? o->chan->name : o->chan->ident;
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
		return own_chan(j, obj, t_ns);
	struct object *o = object_known(j, obj);
	return o ? o->chan->chan : 0;
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

/* Whoever uses a futex in shared memory holds it: it could end another's wait. */
static int join_futex(struct join *j, const struct object *o, const struct ev_io *e)
{
	if (o->chan->shape == SHAPE_NONE)
		return 0;
	const struct object *memory = object_find(j, o->raw.peer_sk);
	return maps_futex(j->maps, e->pid, e->chan, memory && memory->chan ? memory->chan->chan : 0,
			  e->hdr.t_ns, j->next);
}

static int join_io(struct join *j, struct ev_io *e)
{
	if (is_own(RAW_OBJ_KIND(e->chan))) {
		/* at entry, the process a signal is sent to still lived */
		e->chan = own_chan(j, e->chan, e->enter_ns);
		return sink_event(j->next, &e->hdr);
	}
	struct object *o = object_known(j, e->chan);
	e->chan = o ? o->chan->chan : 0;
	if (o && o->side)
		e->hdr.flags |= IO_SIDE_B;
	int err = o && o->chan->kind == KIND_FUTEX ? join_futex(j, o, e) : 0;
	return err ? err : sink_event(j->next, &e->hdr);
}

static int far_chan(struct join *j, const struct raw_io_addr *r, struct object *o, __u64 *chan)
{
	struct far key = { .obj = r->io.chan, .port = r->port };
	memcpy(key.addr, r->addr, 16);
	struct far_chan *f;
	HASH_FIND(hh, j->far, &key, sizeof(key), f);
	if (f) {
		*chan = f->chan;
		return 0;
	}
	f = calloc(1, sizeof(*f));
	struct ev_chan *c = f ? chan_new(j, KIND_UDP) : NULL;
	if (!c) {
		free(f);
		return -ENOMEM;
	}
	f->key = key;
	f->chan = *chan = c->chan;
	HASH_ADD(hh, j->far, key, sizeof(f->key), f);
	c->shape = SHAPE_DGRAM;
	c->duplex = 1;
	c->remote = 1;
	char from[NAMES_ADDR_LEN];
	names_addr(from, sizeof(from), o->raw.laddr, o->raw.lport);
	names_addr(c->name, sizeof(c->name), r->addr, r->port);
	snprintf(c->ident, sizeof(c->ident), "udp %s-%.54s", from, c->name);
	return chan_tell(j, c, r->io.hdr.t_ns);
}

/*
 * A datagram whose partner is known by address only. From an address of this host it lies in the
 * socket's own queue like any other; sent to one, it reached nobody: a channel that leads nowhere.
 */
static int join_io_addr(struct join *j, const struct raw_io_addr *r)
{
	union io_buf e;
	io_copy(&e, &r->io.hdr, sizeof(*r));
	bool is_local = names_is_local(r->addr) || names_is_any(r->addr);
	struct object *o = object_known(j, e.io.chan);
	if (!o || ((e.io.hdr.flags & IO_READ) && is_local))
		return join_io(j, &e.io);
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
	if (!o || !o->chan)
		return 0;
	if (e->hdr.flags & RAW_IF_KNOWN) {
		e->hdr.flags &= ~RAW_IF_KNOWN;
		int err = bystanders_tell(j->bystanders, e->pid, j->next);
		if (err)
			return err;
	}
	e->chan = o->chan->chan;
	e->side = o->side;
	int err = sink_event(j->next, &e->hdr);
	if (err || e->what != ENDPOINT_PASSED || o->chan->shape != SHAPE_MEMORY)
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
	uint64_t chan = o ? o->chan->chan : 0;
	int err = maps_change(j->maps, r, &chan, j->next);
	e.chan = chan;
	if (err || !e.op || (!e.chan && (e.op == OP_MUNMAP || e.op == OP_MREMAP)))
		return err;
	return sink_event(j->next, &e.hdr);
}

static int join_task(struct join *j, struct ev_task *e)
{
	uint64_t exit_ns;
	if (bystanders_note(j->bystanders, e))
		return 0;
	/* a parent in scope may wait for this: the channel is told while there is a process to attach */
	if (e->what == TASK_EXIT && (e->hdr.flags & TASK_F_LAST) &&
	    processes_find(j->processes, e->ppid, &exit_ns) && !exit_ns)
		own_chan(j, RAW_OBJ_CHILD(e->pid), e->hdr.t_ns);
	processes_note(j->processes, e);
	if (e->what == TASK_EXEC)
		procfs_join_args(e->args, sizeof(e->args));
	if (e->what == TASK_SEEN && e->pid == e->tid) {
		procfs_exe(e->pid, e->exe, sizeof(e->exe));
		procfs_args(e->pid, e->args, sizeof(e->args));
	}
	if (e->what != TASK_EXIT && e->what != TASK_RENAME && e->pid == e->tid)
		procfs_cgroup(e->pid, e->cgroup_path, sizeof(e->cgroup_path));
	int err = sink_event(j->next, &e->hdr);
	return err ? err : maps_follow(j->maps, e, j->next);
}

/* Copies the record, which is the ring's, into room of our own before changing it. */
#define OWN(type, name, from)                                                                      \
	type name;                                                                                 \
	memcpy(&name, from, sizeof(name))

static int on_record(struct sink *self, const struct ev_hdr *h)
{
	struct join *j = (struct join *)self;
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

struct join *join_new(struct sink *next)
{
	struct join *j = calloc(1, sizeof(*j));
	if (!j)
		return NULL;
	j->sink.event = on_record;
	j->next = next;
	j->maps = maps_new();
	j->bystanders = bystanders_new();
	j->processes = processes_new();
	if (j->maps && j->bystanders && j->processes)
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
	HASH_CLEAR(hh_sk, j->by_sk);
	HASH_CLEAR(hh_tuple, j->by_tuple);
	HASH_ITER(hh, j->by_obj, o, next_o) {
		HASH_DEL(j->by_obj, o);
		free(o);
	}
	HASH_ITER(hh, j->far, f, next_f) {
		HASH_DEL(j->far, f);
		free(f);
	}
	for (size_t i = 0; i < j->nchans; i++)
		free(j->chans[i]);
	free(j->chans);
	maps_free(j->maps);
	bystanders_free(j->bystanders);
	processes_free(j->processes);
	free(j);
}

struct sink *join_sink(struct join *j) { return &j->sink; }
