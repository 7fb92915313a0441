// SPDX-License-Identifier: GPL-2.0-or-later
/* Operations: on which channel each was, also where an address or a path is all that is known. */
#include "join_world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/bystanders.h"
#include "collector/maps.h"
#include "collector/names.h"
#include "collector/ports.h"
#include "collector/processes.h"
#include "collector/procfs.h"

/* Copies an operation and the payload that lies `at` bytes from the record's beginning. */
void io_copy(union io_buf *to, const struct ev_hdr *from, size_t at)
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

int join_io(struct join *j, struct ev_io *e)
{
	if (is_own(RAW_OBJ_KIND(e->chan))) {
		int err = e->op == OP_SIGNAL ? tell_signaller(j, e) : 0;
		/* at entry, the process a signal is sent to still lived */
		e->chan = own_id(own_chan(j, e->chan, ev_io_from_ns(e)));
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
int join_io_addr(struct join *j, const struct raw_io_addr *r)
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

int join_mknod(struct join *j, const struct raw_mknod *r)
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
int join_mq_unlink(struct join *j, const struct raw_mknod *r)
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
