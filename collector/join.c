// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The records as they come: each goes to the file that knows its kind. Those of tasks and of who has
 * what are dealt with here.
 */
#include "join_world.h"

#include <stdlib.h>
#include <string.h>

#include "collector/bystanders.h"
#include "collector/holders.h"
#include "collector/maps.h"
#include "collector/names.h"
#include "collector/ports.h"
#include "collector/processes.h"
#include "collector/procfs.h"

/* What maps.c tells: who attaches to a channel, and who no longer is. */
static int on_attached(struct sink *self, const struct ev_hdr *h)
{
	struct join *j = (struct join *)((char *)self - offsetof(struct join, from_maps));
	holders_endpoint(j->holders, (const struct ev_endpoint *)h);
	return sink_event(j->next, h);
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
