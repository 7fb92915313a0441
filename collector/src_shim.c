// SPDX-License-Identifier: GPL-2.0-or-later
#include "src_shim.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <uthash.h>

#include "collector/join.h"
#include "collector/procfs.h"
#include "collector/shim_death.h"
#include "collector/shim_guard.h"
#include "collector/shim_objects.h"
#include "collector/shim_ring.h"
#include "collector/shim_sleep.h"
#include "collector/shim_strays.h"
#include "collector/sleepers.h"
#include "lib/base/clock.h"

#define DRAIN_MS 5
#define DRAIN_IDLE_MS 50
#define LOOK_MS 200
#define TIME_MS 1000
/* How long after a process has ended the record of the wait for it may come. */
#define WAIT_MS 200
/* How late a record can come that was stamped in time: its thread lost the CPU in between. */
#define STAMP_SLACK_NS (20 * NS_PER_MS)
/* What the shim can say of an operation; the rest is found out here. */
#define IO_FROM_SHIM (IO_READ | IO_WRITE | IO_NONBLOCK | IO_ERROR | IO_PEEK | IO_HALF | IO_TRUNC | IO_SUM | IO_KILLED)
/* A call that lasted longer is taken to have slept: how long, only the kernel knows. */
#define SLEPT_NS 20000
/* How long after its beginning, or before its end, a call takes effect at the most. */
#define EFFECT_NS 250

struct proc {
	uint32_t pid, ppid;
	uint64_t start_ns, last_ns; /* as told; of the latest record */
	uint32_t exit_status;       /* 0x100 | what it gave to exit; 0: not known */
	int status;                 /* as the kernel has it; -1: not known */
	uint64_t dead_ns;           /* when we noticed */
	uint32_t nrings;
	int pidfd;                  /* -1: looked for in /proc */
	bool dead;                  /* what it has told is all that there will be */
	bool exited;                /* its end has been told */
	char comm[EV_COMM_LEN];
	UT_hash_handle hh;
};

struct ring {
	struct shim_reader reader;
	void *base;
	size_t bytes;
	struct shim_guard guard;
	struct proc *proc;
	uint64_t start_ns;
	bool replaced; /* its process has executed something else */
	bool told_exit;
};

struct src_shim {
	struct source source;
	struct shim_folder folder;
	struct shim_guard control_guard;
	struct feed_opts opts;
	struct join *join;
	struct shim_objects *objects;
	struct sleepers *sleepers;
	struct shim_strays *strays;
	struct sink into_sleepers, into_out;
	struct sink *out;
	struct ring **rings;  /* the first nheap of them a heap by the stamp of their next record */
	size_t nrings, room;
	struct proc *procs;
	int notify, deaths; /* inotify of the folder; epoll of the pidfds */
	pid_t held;
	uint64_t next_look_ns, next_time_ns, look_ns, drained, bad_told;
	int idle_ms;
	bool detached, listed;
};

static int to_out(struct sink *self, const struct ev_hdr *h)
{
	struct src_shim *s = (struct src_shim *)((char *)self - offsetof(struct src_shim, into_out));
	return s->out ? sink_event(s->out, h) : 0;
}

static int to_sleepers(struct sink *self, const struct ev_hdr *h)
{
	struct src_shim *s = (struct src_shim *)((char *)self - offsetof(struct src_shim, into_sleepers));
	return sink_event(sleepers_sink(s->sleepers), h);
}

static void forget(void *arg, uint64_t obj)
{
	struct src_shim *s = arg;
	shim_objects_forget(s->objects, obj);
}

static int tell_lost(struct src_shim *s, uint32_t cause, uint64_t count)
{
	struct ev_lost e = {
		.hdr = { .t_ns = clock_now_ns(), .type = EV_LOST, .size = sizeof(e) },
		.count = count, .cause = cause,
	};
	return count ? sink_event(s->out, &e.hdr) : 0;
}

/* ---- processes ---- */

static struct proc *proc_find(struct src_shim *s, uint32_t pid)
{
	struct proc *p;
	HASH_FIND(hh, s->procs, &pid, sizeof(pid), p);
	return p;
}

static struct proc *proc_get(struct src_shim *s, uint32_t pid, uint32_t ppid)
{
	struct proc *p = proc_find(s, pid);
	if (p)
		return p;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->pid = pid;
	p->ppid = ppid;
	p->status = -1;
	p->dead_ns = clock_now_ns(); /* should it be gone already */
	p->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (p->pidfd >= 0)
		epoll_ctl(s->deaths, EPOLL_CTL_ADD, p->pidfd, &(struct epoll_event){ .events = EPOLLIN, .data.u32 = pid });
	else
		p->dead = errno == ESRCH;
	HASH_ADD(hh, s->procs, pid, sizeof(p->pid), p);
	return p;
}

static void proc_free(struct src_shim *s, struct proc *p)
{
	HASH_DEL(s->procs, p);
	if (p->pidfd >= 0)
		close(p->pidfd);
	free(p);
}

/* Before the rings are looked at: what those have told that are gone by now is all there. */
static void note_deaths(struct src_shim *s)
{
	struct epoll_event ev[64];
	int n;
	struct proc *p, *next;
	while ((n = epoll_wait(s->deaths, ev, 64, 0)) > 0)
		for (int i = 0; i < n; i++) {
			p = proc_find(s, ev[i].data.u32);
			if (!p || p->pidfd < 0)
				continue;
			p->status = shim_death_status(p->pid, p->pidfd);
			p->dead_ns = clock_now_ns();
			p->dead = true;
			close(p->pidfd);
			p->pidfd = -1;
		}
	HASH_ITER(hh, s->procs, p, next)
		if (p->pidfd < 0 && !p->dead) {
			p->dead = kill((pid_t)p->pid, 0) && errno == ESRCH;
			p->dead_ns = clock_now_ns();
		}
}

static int tell_task(struct src_shim *s, const struct proc *p, uint32_t tid, uint64_t start_ns, uint16_t what,
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

/* ---- rings ---- */

static void ring_free(struct ring *r)
{
	shim_guard_remove(&r->guard);
	munmap(r->base, r->bytes);
	free(r);
}

static struct ring *ring_map(struct src_shim *s, const char *name)
{
	struct stat st;
	struct ring *r = calloc(1, sizeof(*r));
	int fd = openat(s->folder.fd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	void *p = MAP_FAILED;
	if (r && fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > SHIM_PAGE &&
	    st.st_size <= (off_t)(SHIM_PAGE + SHIM_DATA_MAX)) {
		r->bytes = (size_t)st.st_size;
		p = mmap(NULL, r->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	}
	if (fd >= 0)
		close(fd);
	unlinkat(s->folder.fd, name, 0);
	if (p != MAP_FAILED) {
		r->base = p;
		if (shim_guard_add(&r->guard, p, r->bytes) == 0 && shim_reader_init(&r->reader, p, r->bytes))
			return r;
		ring_free(r);
		return NULL;
	}
	free(r);
	return NULL;
}

/* Of what the process was before it executed something else: by whichever of its threads. */
static void replace_rings(struct src_shim *s, const struct ring *by)
{
	for (size_t i = 0; i < s->nrings; i++)
		if (s->rings[i]->proc == by->proc && s->rings[i]->start_ns < by->start_ns)
			s->rings[i]->replaced = true;
}

static int ring_add(struct src_shim *s, const char *name)
{
	struct ring *r = ring_map(s, name);
	if (!r)
		return tell_lost(s, LOST_BAD_RECORD, 1);
	if (s->nrings == s->room) {
		size_t room = s->room ? s->room * 2 : 64;
		struct ring **grown = realloc(s->rings, room * sizeof(struct ring *));
		if (grown)
			s->rings = grown;
		s->room = grown ? room : s->room;
	}
	r->proc = s->nrings < s->room ? proc_get(s, r->reader.pid, r->reader.ppid) : NULL;
	if (!r->proc) {
		ring_free(r);
		return -ENOMEM;
	}
	r->start_ns = r->reader.last_ns;
	r->proc->nrings++;
	s->rings[s->nrings++] = r;
	return 0;
}

static bool is_ring_name(const char *name)
{
	return strncmp(name, SHIM_RING_PREFIX, strlen(SHIM_RING_PREFIX)) == 0;
}

/* Those that were there before we began to watch. */
static int list_rings(struct src_shim *s)
{
	char buf[8192];
	ssize_t n;
	int err = 0;
	s->listed = true;
	lseek(s->folder.fd, 0, SEEK_SET);
	while (!err && (n = syscall(SYS_getdents64, s->folder.fd, buf, sizeof(buf))) > 0)
		for (ssize_t at = 0; at < n && !err;) {
			uint16_t reclen;
			memcpy(&reclen, buf + at + 16, sizeof(reclen));
			if (is_ring_name(buf + at + 19))
				err = ring_add(s, buf + at + 19);
			at += reclen;
		}
	return err;
}

static int new_rings(struct src_shim *s)
{
	char buf[4096] __attribute__((aligned(8)));
	ssize_t n;
	int err = s->listed ? 0 : list_rings(s);
	while (!err && (n = read(s->notify, buf, sizeof(buf))) > 0)
		for (ssize_t at = 0; at < n && !err;) {
			const struct inotify_event *e = (const struct inotify_event *)(buf + at);
			if (e->mask & IN_Q_OVERFLOW)
				s->listed = false;
			else if (e->len && is_ring_name(e->name) && faccessat(s->folder.fd, e->name, F_OK, 0) == 0)
				err = ring_add(s, e->name);
			at += (ssize_t)(sizeof(*e) + e->len);
		}
	return !err && !s->listed ? list_rings(s) : err;
}

/* ---- records ---- */

/*
 * From entry and return to when the call took effect. Nothing is known of what lies in between, so data
 * is put in right after the call began and taken out right before it ended: whatever the scheduler did
 * with the two threads, no message is then read before it was written. Where several write at once,
 * that they are told in the order in which they began is an approximation.
 *
 * Nor is it known whether the thread slept or only waited for a CPU: an estimate, marked.
 */
static void io_finish(struct ev_io *e, const struct ring *r)
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

static int thread_exited(struct src_shim *s, struct ring *r)
{
	uint32_t status = r->reader.ring->exit_status;
	bool is_main = r->reader.tid == r->proc->pid;
	if (status & 0x100)
		r->proc->exit_status = status;
	if (is_main || r->told_exit)
		return 0;
	r->told_exit = true;
	return tell_task(s, r->proc, r->reader.tid, r->start_ns, TASK_EXIT, 0, 0, r->proc->last_ns + 1);
}

static int proc_exited(struct src_shim *s, struct proc *p, int code, uint64_t t_ns)
{
	int err = 0;
	if (p->exited || !p->start_ns)
		return 0;
	p->exited = true;
	for (size_t i = 0; i < s->nrings && !err; i++)
		if (s->rings[i]->proc == p)
			err = thread_exited(s, s->rings[i]);
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
	struct proc *p = NULL;
	if ((e->op == OP_WAIT4 || e->op == OP_WAITID) && e->messages && RAW_OBJ_KIND(e->chan) == KIND_CHILD)
		p = proc_find(s, (uint32_t)e->chan);
	return p ? proc_exited(s, p, (int)(e->mtype & 0xffff), p->last_ns + 1) : 0;
}

static int on_io(struct src_shim *s, const struct ring *r, union shim_record *rec)
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
static int known_first(struct src_shim *s, struct ring *r, uint64_t t_ns)
{
	struct proc *p = r->proc;
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
static int not_covered(struct src_shim *s, struct ring *r, const struct ev_task *t)
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

static bool is_covered(void *arg, uint32_t pid)
{
	return proc_find(arg, pid) != NULL;
}

/* The first of a thread, or of a process: forked, or executed anew. */
static int on_task(struct src_shim *s, struct ring *r, union shim_record *rec)
{
	struct ev_task *e = &rec->task;
	struct proc *p = r->proc;
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
		replace_rings(s, r);
	if (!is_thread)
		memcpy(p->comm, e->comm, sizeof(p->comm));
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

static int on_record(struct src_shim *s, struct ring *r, union shim_record *rec)
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
		rec->object.hdr.flags &= RAW_NEW | RAW_ACCEPTED | RAW_CONNECTED | RAW_LISTENING | RAW_PATH | RAW_PRIVATE;
		err = shim_objects_add(s->objects, &rec->object);
		return err || rec->object.kind != KIND_MEM ? err : attach_subject(s, &rec->object);
	case EV_ENDPOINT:
		rec->endpoint.pid = r->proc->pid;
		rec->endpoint.from = 0;
		rec->endpoint.hdr.flags &= EV_SYNTHETIC;
		err = shim_objects_need(s->objects, rec->endpoint.chan, rec->hdr.t_ns);
		return err ? err : sink_event(join_sink(s->join), &rec->hdr);
	default:
		return on_io(s, r, rec);
	}
}

/* ---- merging: a heap of the rings that have records, the earliest on top ---- */

static uint64_t next_ns(const struct ring *r) { return r->reader.record.hdr.t_ns; }

static void sift_down(struct ring **heap, size_t n, size_t i)
{
	for (;;) {
		size_t least = i, left = 2 * i + 1, right = left + 1;
		if (left < n && next_ns(heap[left]) < next_ns(heap[least]))
			least = left;
		if (right < n && next_ns(heap[right]) < next_ns(heap[least]))
			least = right;
		if (least == i)
			return;
		struct ring *r = heap[i];
		heap[i] = heap[least];
		heap[least] = r;
		i = least;
	}
}

/* Of each ring all up to limit_ns; of those whose process is gone, all. */
static bool has_next(struct ring *r, uint64_t limit_ns)
{
	const union shim_record *rec = shim_reader_peek(&r->reader, limit_ns);
	if (rec && r->proc->dead && rec->hdr.t_ns > limit_ns)
		r->reader.record.hdr.t_ns = limit_ns;
	return rec && rec->hdr.t_ns <= limit_ns;
}

static int merge(struct src_shim *s, uint64_t limit_ns)
{
	size_t n = 0;
	int err = 0;
	for (size_t i = 0; i < s->nrings; i++) {
		struct ring *r = s->rings[i];
		shim_reader_update(&r->reader);
		if (!has_next(r, limit_ns))
			continue;
		s->rings[i] = s->rings[n];
		s->rings[n++] = r;
	}
	for (size_t i = n / 2; i-- > 0;)
		sift_down(s->rings, n, i);
	while (n && !err) {
		struct ring *r = s->rings[0];
		union shim_record rec = r->reader.record;
		shim_reader_next(&r->reader);
		s->drained++;
		err = on_record(s, r, &rec);
		if (err == -EINVAL)
			err = 0; /* the joiner could make nothing of it: counted where it is known */
		if (!has_next(r, limit_ns)) {
			s->rings[0] = s->rings[--n];
			s->rings[n] = r;
		}
		sift_down(s->rings, n, 0);
	}
	return err;
}

/* What the writer had no room for, and what made no sense. */
static int ring_losses(struct src_shim *s, struct ring *r)
{
	static const uint32_t causes[] = {
		[SHIM_LOST_OP] = LOST_SHIM_OP, [SHIM_LOST_CTL] = LOST_SHIM_CTL, [SHIM_LOST_NESTED] = LOST_SHIM_NESTED,
		[SHIM_LOST_ORDER] = LOST_SHIM_ORDER,
	};
	uint64_t bad = r->reader.bad;
	r->reader.bad = 0;
	int err = tell_lost(s, LOST_BAD_RECORD, bad);
	for (uint32_t i = 0; i < sizeof(causes) / sizeof(*causes) && !err; i++)
		err = tell_lost(s, causes[i], shim_reader_lost(&r->reader, (enum shim_lost)i));
	return err;
}

/* ---- ends ---- */

/* The call that the thread did not come back from. */
static int tell_killed(struct src_shim *s, struct ring *r, uint64_t t_ns)
{
	struct shim_call c;
	if (!shim_reader_call(&r->reader, &c) || (c.obj && RAW_OBJ_KIND(c.obj) >= KIND_MAX) || !c.obj)
		return 0;
	union shim_record rec = { .io = {
		.hdr = { .t_ns = t_ns, .type = EV_IO, .size = sizeof(rec.io), .flags = IO_KILLED },
		.enter_ns = c.enter_ns, .chan = c.obj, .fd = c.fd, .op = c.op,
	} };
	int err = on_io(s, r, &rec);
	return err;
}

static int ring_done(struct src_shim *s, struct ring *r, uint64_t now)
{
	struct proc *p = r->proc;
	uint64_t t_ns = p->last_ns ? p->last_ns + 1 : now;
	int err = 0;
	if (!r->replaced && p->dead && !p->exited)
		err = tell_killed(s, r, t_ns);
	if (!err)
		err = thread_exited(s, r);
	p->nrings--;
	ring_free(r);
	return err;
}

/* Its end is not known yet, and its parent may be about to tell of it. */
static bool is_wait_due(const struct proc *p, uint64_t now)
{
	return !p->exited && p->status < 0 && !p->exit_status && now < p->dead_ns + WAIT_MS * NS_PER_MS;
}

static int reap(struct src_shim *s, uint64_t now)
{
	struct proc *p, *next;
	int err = 0;
	for (size_t i = 0; i < s->nrings && !err;) {
		struct ring *r = s->rings[i];
		bool over = r->proc->dead || r->replaced || r->guard.cut || __atomic_load_n(&r->reader.ring->ended_ns, __ATOMIC_ACQUIRE);
		shim_reader_update(&r->reader);
		if (!over || shim_reader_peek(&r->reader, now)) {
			i++;
			continue;
		}
		err = tell_lost(s, LOST_BAD_RECORD, r->guard.cut);
		if (!err)
			err = ring_losses(s, r);
		s->rings[i] = s->rings[--s->nrings];
		if (!err)
			err = ring_done(s, r, now);
	}
	HASH_ITER(hh, s->procs, p, next) {
		if (!p->dead || p->nrings || err || (is_wait_due(p, now) && !s->detached))
			continue;
		err = proc_exited(s, p, -1, p->last_ns ? p->last_ns + 1 : now);
		proc_free(s, p);
	}
	return err;
}

/* ---- from time to time ---- */

static int tell_losses(struct src_shim *s)
{
	int err = 0;
	for (size_t i = 0; i < s->nrings && !err; i++)
		err = ring_losses(s, s->rings[i]);
	return err;
}

/* Is the thread asleep? One that only waits for a CPU is none of those who wait for others. */
static bool is_asleep(uint32_t pid, uint32_t tid)
{
	char path[64], buf[256];
	snprintf(path, sizeof(path), "/proc/%u/task/%u/stat", pid, tid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, buf, sizeof(buf) - 1) : -1;
	if (fd >= 0)
		close(fd);
	buf[n > 0 ? n : 0] = '\0';
	const char *end = strrchr(buf, ')');
	return end && end[1] == ' ' && (end[2] == 'S' || end[2] == 'D');
}

static int look(struct src_shim *s, uint64_t now)
{
	struct raw_inflight *list = calloc(s->nrings + 1, sizeof(*list));
	size_t n = 0;
	if (!list)
		return 0;
	for (size_t i = 0; i < s->nrings; i++) {
		const struct shim_reader *r = &s->rings[i]->reader;
		struct shim_call c;
		if (!shim_reader_call(r, &c) || !op_can_sleep(c.op) || c.enter_ns >= now || now - c.enter_ns < LOOK_MS * NS_PER_MS / 4 ||
		    !is_asleep(r->pid, r->tid))
			continue;
		list[n] = (struct raw_inflight){
			.enter_ns = c.enter_ns, .sleep_ns = c.enter_ns, .deadline_ns = c.deadline_ns, .obj = c.obj,
			.pid = r->pid, .tid = r->tid, .fd = c.fd, .op = c.op,
		};
		memcpy(list[n].set, c.arg, sizeof(list[n].set));
		if (RAW_OBJ_KIND(c.obj) < KIND_MAX && c.obj) {
			shim_objects_need(s->objects, c.obj, now);
			n++;
		}
	}
	int err = sleepers_look(s->sleepers, s->join, list, n, now);
	free(list);
	return err;
}

static int periodic(struct src_shim *s, uint64_t now)
{
	int err = 0;
	if (now >= s->next_time_ns || s->detached) {
		struct ev_hdr e = { .t_ns = now, .type = EV_TIME, .size = sizeof(e) };
		s->next_time_ns = now + TIME_MS * NS_PER_MS;
		err = sink_event(s->out, &e);
	}
	if (!err && (now >= s->next_look_ns || s->detached)) {
		s->next_look_ns = now + s->look_ns;
		err = tell_losses(s);
		if (!err && !s->detached)
			err = look(s, now);
		if (!err && !s->detached && s->held && !s->opts.scope.no_follow)
			err = shim_strays_look(s->strays, (uint32_t)s->held, now, is_covered, s);
	}
	return err;
}

/* ---- the source ---- */

/* Until a ring is filling up, or it is time to look again. */
static void wait_for_records(struct src_shim *s, int timeout_ms)
{
	int ms = s->idle_ms < timeout_ms ? s->idle_ms : timeout_ms;
	struct timespec ts = { .tv_nsec = ms * 1000000L };
	uint32_t *asleep = &s->folder.control->asleep;
	if (ms <= 0)
		return;
	__atomic_store_n(asleep, 1, __ATOMIC_RELEASE);
	syscall(SYS_futex, asleep, FUTEX_WAIT, 1, &ts, NULL, 0);
	__atomic_store_n(asleep, 0, __ATOMIC_RELEASE);
}

static int shim_poll(struct source *self, struct sink *out, int timeout_ms, uint64_t *complete_ns)
{
	struct src_shim *s = (struct src_shim *)self;
	uint64_t before = s->drained;
	s->out = out;
	shim_guard_on(); /* it was ours before: that it can be is known */
	if (!s->detached)
		wait_for_records(s, timeout_ms);
	note_deaths(s);
	uint64_t now = clock_now_ns(); /* before the heads are read: shimring.h */
	int err = new_rings(s);
	if (!err)
		err = merge(s, now);
	s->idle_ms = s->drained != before ? DRAIN_MS
					  : s->idle_ms < DRAIN_IDLE_MS ? s->idle_ms * 2 : DRAIN_IDLE_MS;
	if (!err)
		err = join_trim(s->join);
	if (!err)
		err = periodic(s, now);
	if (!err)
		err = reap(s, now);
	*complete_ns = s->detached ? UINT64_MAX : now - STAMP_SLACK_NS;
	return err ? err : !s->detached;
}

static void shim_free(struct source *self)
{
	struct src_shim *s = (struct src_shim *)self;
	struct proc *p, *next;
	for (size_t i = 0; i < s->nrings; i++) {
		ring_free(s->rings[i]);
	}
	free(s->rings);
	HASH_ITER(hh, s->procs, p, next)
		proc_free(s, p);
	if (s->notify >= 0)
		close(s->notify);
	if (s->deaths >= 0)
		close(s->deaths);
	join_free(s->join);
	shim_objects_free(s->objects);
	sleepers_free(s->sleepers);
	shim_guard_remove(&s->control_guard);
	shim_strays_free(s->strays);
	shim_folder_release(&s->folder);
	free(s);
}

struct source *src_shim_source(struct src_shim *s) { return &s->source; }

void src_shim_detach(struct src_shim *s)
{
	shim_folder_off(&s->folder);
	s->detached = true;
}

int src_shim_open(struct src_shim **out, struct shim_folder *folder, const struct feed_opts *opts, pid_t held,
		  struct fail *fail)
{
	struct src_shim *s = calloc(1, sizeof(*s));
	if (!s)
		return fail_set(fail, ENOMEM, NULL, "cannot start tracing");
	s->source = (struct source){ .name = "shim", .poll = shim_poll, .free = shim_free };
	s->folder = *folder;
	*folder = (struct shim_folder){ .fd = -1 };
	s->opts = *opts;
	s->held = held;
	s->idle_ms = DRAIN_MS;
	s->look_ns = (opts->wait_look_ms ? opts->wait_look_ms : LOOK_MS) * NS_PER_MS;
	s->into_sleepers.event = to_sleepers;
	s->into_out.event = to_out;
	int unguarded = shim_guard_add(&s->control_guard, s->folder.control, SHIM_PAGE);
	s->notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	s->deaths = epoll_create1(EPOLL_CLOEXEC);
	s->sleepers = sleepers_new(&s->into_out);
	s->join = join_new(&s->into_sleepers);
	s->strays = s->join ? shim_strays_new(join_sink(s->join), &s->into_out) : NULL;
	s->objects = s->join ? shim_objects_new(join_sink(s->join)) : NULL;
	if (unguarded || s->notify < 0 || s->deaths < 0 || !s->sleepers || !s->objects || !s->strays ||
	    inotify_add_watch(s->notify, s->folder.path, IN_MOVED_TO) < 0) {
		int err = errno;
		shim_free(&s->source);
		return fail_set(fail, err, NULL, "cannot watch for programs with the shim");
	}
	join_set_idle(s->join, &(struct join_idle){ .max = opts->keep_idle ? opts->keep_idle : JOIN_IDLE_MAX,
						    .forget = forget, .arg = s });
	*out = s;
	return 0;
}
