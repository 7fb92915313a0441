// SPDX-License-Identifier: GPL-2.0-or-later
#include "src_shim_inner.h"

#include <string.h>

#include "collector/shim_sleep.h"

/* What the shim can say of an operation; the rest is found out here. */
#define IO_FROM_SHIM (IO_READ | IO_WRITE | IO_NONBLOCK | IO_ERROR | IO_PEEK | IO_HALF | IO_TRUNC | IO_SUM | IO_KILLED | \
		      IO_UNSURE)
/* A call that lasted longer is taken to have slept: how long, only the kernel knows. */
#define SLEPT_NS 20000
/* How long after its beginning, or before its end, a call takes effect at the most. */
#define EFFECT_NS 250

static int tell_task(struct src_shim *s, const struct shim_proc *p, uint32_t tid, uint64_t start_ns, uint16_t what,
		     uint32_t flags, int exit_code, uint64_t t_ns)
{
	struct ev_task e = {
		.hdr = { .t_ns = t_ns, .type = EV_TASK, .size = sizeof(e), .flags = flags },
		.start_ns = start_ns, .pid = p->pid, .tid = tid, .ppid = p->ppid, .what = what,
		.exit_code = exit_code,
	};
	memcpy(e.comm, p->comm, sizeof(e.comm));
	return sink_event(join_sink(s->join), &e.hdr);
}

/*
 * From entry and return to when the call took effect. Nothing is known of what lies in between, so data
 * is put in right after the call began and taken out right before it ended: whatever the scheduler did
 * with the two threads, no message is then read before it was written. Where several write at once,
 * that they are told in the order in which they began is an approximation.
 *
 * Nor is it known whether the thread slept or only waited for a CPU: an estimate, marked.
 */
static void io_finish(struct ev_io *e, const struct shim_source_ring *r)
{
	uint64_t stamp = e->hdr.t_ns;
	if (e->enter_ns > stamp || !e->enter_ns)
		e->enter_ns = stamp;
	e->dur_ns = stamp - e->enter_ns;
	e->pid = r->reader.pid;
	e->tid = r->reader.tid;
	e->waker_tid = 0;
	e->slept_ns = 0;
	e->hdr.flags &= IO_FROM_SHIM;
	uint64_t part = e->dur_ns / 4 < EFFECT_NS ? e->dur_ns / 4 : EFFECT_NS;
	e->hdr.t_ns = e->hdr.flags & IO_WRITE ? e->enter_ns + part : stamp - part;
	if (e->dur_ns > SLEPT_NS && op_can_sleep(e->op) && !(e->hdr.flags & IO_NONBLOCK)) {
		e->slept_ns = e->dur_ns;
		e->hdr.flags |= IO_BLOCKED | IO_SLEPT_ABOUT;
	}
}

int shim_tell_thread_exit(struct src_shim *s, struct shim_source_ring *r)
{
	uint32_t status = r->reader.ring->exit_status;
	bool is_main = r->reader.tid == r->proc->pid;
	if (status & 0x100)
		r->proc->exit_status = status;
	if (is_main || r->told_exit)
		return 0;
	r->told_exit = true;
	struct shim_proc thread = *r->proc; /* with the thread's own name */
	if (r->comm[0])
		memcpy(thread.comm, r->comm, sizeof(thread.comm));
	return tell_task(s, &thread, r->reader.tid, r->start_ns, TASK_EXIT, 0, 0, r->proc->last_ns + 1);
}

int shim_tell_exit(struct src_shim *s, struct shim_proc *p, int code, uint64_t t_ns)
{
	int err = 0;
	if (p->exited || !p->start_ns)
		return 0;
	p->exited = true;
	for (size_t i = 0; i < s->nrings && !err; i++)
		if (s->rings[i]->proc == p)
			err = shim_tell_thread_exit(s, s->rings[i]);
	if (code < 0)
		code = p->status >= 0 ? p->status : (int)(p->exit_status & 0xff) << 8;
	return err ? err : tell_task(s, p, p->pid, p->start_ns, TASK_EXIT, TASK_F_LAST, code, t_ns);
}

/*
 * A child has been waited for: it is over, and all that it told was stamped before the wait returned
 * and has been handed on. So this is the place to tell of its end.
 */
static int child_waited_for(struct src_shim *s, const struct ev_io *e)
{
	struct shim_proc *p = NULL;
	if ((e->op == OP_WAIT4 || e->op == OP_WAITID) && e->messages && RAW_OBJ_KIND(e->chan) == KIND_CHILD)
		p = shim_proc_find(s, (uint32_t)e->chan);
	return p ? shim_tell_exit(s, p, (int)(e->mtype & 0xffff), p->last_ns + 1) : 0;
}

int shim_on_io(struct src_shim *s, const struct shim_source_ring *r, union shim_record *rec)
{
	struct ev_io *e = &rec->io;
	if (rec->hdr.type == EV_IO) {
		int failed = child_waited_for(s, e);
		if (failed)
			return failed;
	}
	int err = shim_objects_need(s->objects, e->chan, e->hdr.t_ns);
	io_finish(e, r);
	if (err)
		return err;
	e->waker_tid = shim_objects_waker(s->objects, e);
	if (e->hdr.type == RAW_IO_ADDR) {
		uint64_t to = shim_objects_inet(s->objects, &rec->io_addr);
		if (e->hdr.flags & IO_WRITE && to) {
			e->hdr.type = EV_IO;
			e->hdr.size = sizeof(*e);
			e->chan = to;
		} else if (!rec->io_addr.port) {
			e->hdr.type = EV_IO;
			e->hdr.size = sizeof(*e);
		}
	} else if (e->hdr.type == SHIM_IO_UNIX) {
		uint64_t to = shim_objects_unix(s->objects, &rec->io_unix);
		e->hdr.type = EV_IO;
		e->hdr.size = sizeof(*e);
		if (to)
			e->chan = to;
	}
	err = shim_objects_need(s->objects, e->chan, e->hdr.t_ns);
	return err ? err : sink_event(join_sink(s->join), &rec->hdr);
}

/* A program that ran before this collector came: nobody has told of it. */
static int known_first(struct src_shim *s, struct shim_source_ring *r, uint64_t t_ns)
{
	struct shim_proc *p = r->proc;
	if (p->start_ns)
		return 0;
	p->start_ns = r->start_ns;
	memcpy(p->comm, r->reader.ring->comm, sizeof(p->comm));
	p->comm[sizeof(p->comm) - 1] = '\0';
	return tell_task(s, p, p->pid, p->start_ns, TASK_SEEN, EV_SYNTHETIC, 0, t_ns);
}

/*
 * What is executed will tell nothing more. A child that was spawned is not known at all; this process
 * ends for us with its rings, and what comes has another name.
 */
static int not_covered(struct src_shim *s, struct shim_source_ring *r, const struct ev_task *t)
{
	struct ev_task e = *t;
	bool is_child = e.pid && e.pid != r->proc->pid;
	e.args[0] = e.cgroup_path[0] = e.comm[sizeof(e.comm) - 1] = e.exe[sizeof(e.exe) - 1] = '\0';
	e.hdr.flags = is_child ? EV_SYNTHETIC | TASK_F_OUTSIDE : 0;
	e.what = is_child ? TASK_SEEN : TASK_EXEC;
	e.pid = e.tid = is_child ? e.pid : r->proc->pid;
	e.ppid = is_child ? r->proc->pid : r->proc->ppid;
	e.start_ns = is_child ? e.hdr.t_ns : r->proc->start_ns;
	if (!is_child)
		memcpy(r->proc->comm, e.comm, sizeof(e.comm));
	e.exit_code = 0;
	e.cgroup = e.pidns = 0;
	return shim_strays_tell(s->strays, &e);
}

bool shim_is_covered(void *arg, uint32_t pid)
{
	return shim_proc_find(arg, pid) != NULL;
}

/* The first of a thread, or of a process: forked, or executed anew. */
static int on_task(struct src_shim *s, struct shim_source_ring *r, union shim_record *rec)
{
	struct ev_task *e = &rec->task;
	struct shim_proc *p = r->proc;
	bool is_thread = r->reader.tid != p->pid, is_known = p->start_ns != 0;
	int err = 0;
	if (e->hdr.flags & SHIM_TASK_NOT_COVERED) {
		err = known_first(s, r, e->hdr.t_ns);
		return err ? err : not_covered(s, r, e);
	}
	e->hdr.flags = 0;
	e->pid = p->pid;
	e->tid = r->reader.tid;
	e->ppid = p->ppid;
	e->exit_code = 0;
	e->cgroup = 0;
	e->pidns = 0;
	e->cgroup_path[0] = e->comm[sizeof(e->comm) - 1] = '\0';
	if (e->what == TASK_EXEC)
		shim_rings_replace(s, r);
	memcpy(is_thread ? r->comm : p->comm, e->comm, sizeof(p->comm));
	if (!is_known && e->what != TASK_RENAME) {
		p->start_ns = e->hdr.t_ns;
		if (is_thread || e->what == TASK_EXEC)
			err = tell_task(s, p, p->pid, p->start_ns, (pid_t)p->pid == s->held ? TASK_SEEN : TASK_FORK, 0, 0, e->hdr.t_ns);
	}
	e->start_ns = is_thread ? r->start_ns : p->start_ns;
	if (e->what == TASK_RENAME) {
		err = known_first(s, r, e->hdr.t_ns);
		return err ? err : sink_event(join_sink(s->join), &e->hdr);
	}
	if (!is_thread && is_known && e->what == TASK_FORK)
		return err; /* its record is the second of two rings it made: known already */
	return err ? err : sink_event(join_sink(s->join), &e->hdr);
}

/* Whose memory it is need not be in scope; the joiner tells of it if so. */
static int attach_subject(struct src_shim *s, const struct raw_object *o)
{
	struct ev_endpoint e = {
		.hdr = { .t_ns = o->hdr.t_ns, .type = EV_ENDPOINT, .size = sizeof(e), .flags = EV_SYNTHETIC | RAW_IF_KNOWN },
		.chan = o->obj, .pid = (uint32_t)o->ino, .fd = -1, .what = ENDPOINT_ATTACH,
		.dir = ENDPOINT_DIR_READ | ENDPOINT_DIR_WRITE,
	};
	return sink_event(join_sink(s->join), &e.hdr);
}

int shim_on_record(struct src_shim *s, struct shim_source_ring *r, union shim_record *rec)
{
	int err;
	r->proc->last_ns = rec->hdr.t_ns;
	if (rec->hdr.type == EV_TASK)
		return on_task(s, r, rec);
	err = known_first(s, r, rec->hdr.t_ns);
	if (err)
		return err;
	switch (rec->hdr.type) {
	case RAW_OBJECT:
		rec->object.pid = r->proc->pid;
		rec->object.hdr.flags &= RAW_NEW | RAW_ACCEPTED | RAW_CONNECTED | RAW_LISTENING | RAW_PATH |
					 RAW_PRIVATE | RAW_REFUSED;
		err = shim_objects_add(s->objects, &rec->object);
		return err || rec->object.kind != KIND_MEM ? err : attach_subject(s, &rec->object);
	case EV_ENDPOINT:
		rec->endpoint.pid = r->proc->pid;
		rec->endpoint.from = 0;
		rec->endpoint.hdr.flags &= EV_SYNTHETIC;
		err = shim_objects_need(s->objects, rec->endpoint.chan, rec->hdr.t_ns);
		return err ? err : sink_event(join_sink(s->join), &rec->hdr);
	default:
		return shim_on_io(s, r, rec);
	}
}
