// SPDX-License-Identifier: GPL-2.0-or-later
#include "src_shim_inner.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "collector/procfs.h"
#include "collector/shim_ended.h"
#include "collector/shim_sleep.h"
#include "lib/base/clock.h"

#define DRAIN_MS 5
#define DRAIN_IDLE_MS 50
#define LOOK_MS 200
#define TIME_MS 1000
/* How long after a process has ended the record of the wait for it may come. */
#define WAIT_MS 200
/* How late a record can come that was stamped in time: its thread lost the CPU in between. */
#define STAMP_SLACK_NS (20 * NS_PER_MS)

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

int shim_tell_lost(struct src_shim *s, uint32_t cause, uint64_t count)
{
	struct ev_lost e = {
		.hdr = { .t_ns = clock_now_ns(), .type = EV_LOST, .size = sizeof(e) },
		.count = count, .cause = cause,
	};
	return count ? sink_event(s->out, &e.hdr) : 0;
}

/* ---- merging: a heap of the rings that have records, the earliest on top ---- */

static uint64_t next_ns(const struct shim_source_ring *r) { return r->reader.record.hdr.t_ns; }

static void sift_down(struct shim_source_ring **heap, size_t n, size_t i)
{
	for (;;) {
		size_t least = i, left = 2 * i + 1, right = left + 1;
		if (left < n && next_ns(heap[left]) < next_ns(heap[least]))
			least = left;
		if (right < n && next_ns(heap[right]) < next_ns(heap[least]))
			least = right;
		if (least == i)
			return;
		struct shim_source_ring *r = heap[i];
		heap[i] = heap[least];
		heap[least] = r;
		i = least;
	}
}

/* Of each ring all up to limit_ns; of those whose process is gone, all. */
static bool has_next(struct shim_source_ring *r, uint64_t limit_ns)
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
		struct shim_source_ring *r = s->rings[i];
		shim_reader_update(&r->reader);
		if (!has_next(r, limit_ns))
			continue;
		s->rings[i] = s->rings[n];
		s->rings[n++] = r;
	}
	for (size_t i = n / 2; i-- > 0;)
		sift_down(s->rings, n, i);
	while (n && !err) {
		struct shim_source_ring *r = s->rings[0];
		union shim_record rec = r->reader.record;
		shim_reader_next(&r->reader);
		s->drained++;
		err = shim_on_record(s, r, &rec);
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
static int ring_losses(struct src_shim *s, struct shim_source_ring *r)
{
	static const uint32_t causes[] = {
		[SHIM_LOST_OP] = LOST_SHIM_OP, [SHIM_LOST_CTL] = LOST_SHIM_CTL, [SHIM_LOST_NESTED] = LOST_SHIM_NESTED,
		[SHIM_LOST_ORDER] = LOST_SHIM_ORDER,
	};
	uint64_t bad = r->reader.bad;
	r->reader.bad = 0;
	int err = shim_tell_lost(s, LOST_BAD_RECORD, bad);
	for (uint32_t i = 0; i < sizeof(causes) / sizeof(*causes) && !err; i++)
		err = shim_tell_lost(s, causes[i], shim_reader_lost(&r->reader, (enum shim_lost)i));
	return err;
}

/* ---- ends ---- */

/* The call that the thread did not come back from. */
static int tell_killed(struct src_shim *s, struct shim_source_ring *r, uint64_t t_ns)
{
	struct shim_call c;
	if (!shim_reader_call(&r->reader, &c) || (c.obj && RAW_OBJ_KIND(c.obj) >= KIND_MAX) || !c.obj)
		return 0;
	union shim_record rec = { .io = {
		.hdr = { .t_ns = t_ns, .type = EV_IO, .size = sizeof(rec.io), .flags = IO_KILLED },
		.enter_ns = c.enter_ns, .chan = c.obj, .fd = c.fd, .op = c.op,
	} };
	int err = shim_on_io(s, r, &rec);
	return err;
}

static int ring_done(struct src_shim *s, struct shim_source_ring *r, uint64_t now)
{
	struct shim_proc *p = r->proc;
	uint64_t t_ns = p->last_ns ? p->last_ns + 1 : now;
	struct shim_person who = { .pid = r->reader.pid, .tid = r->reader.tid };
	int err = 0;
	memcpy(who.comm, r->comm[0] ? r->comm : p->comm, sizeof(who.comm));
	if (!r->replaced && !r->guard.cut && !s->detached)
		shim_ended_note(s->folder.control, r->reader.ring, &who, p->dead, now);
	if (!r->replaced && p->dead && !p->exited)
		err = tell_killed(s, r, t_ns);
	if (!err)
		err = shim_tell_thread_exit(s, r);
	p->nrings--;
	shim_ring_free(r);
	return err;
}

/* Its end is not known yet, and its parent may be about to tell of it. */
static bool is_wait_due(const struct shim_proc *p, uint64_t now)
{
	return !p->exited && p->status < 0 && !p->exit_status && now < p->dead_ns + WAIT_MS * NS_PER_MS;
}

static int reap(struct src_shim *s, uint64_t now)
{
	struct shim_proc *p, *next;
	int err = 0;
	for (size_t i = 0; i < s->nrings && !err;) {
		struct shim_source_ring *r = s->rings[i];
		bool over = r->proc->dead || r->replaced || r->guard.cut || __atomic_load_n(&r->reader.ring->ended_ns, __ATOMIC_ACQUIRE);
		shim_reader_update(&r->reader);
		if (!over || shim_reader_peek(&r->reader, now)) {
			i++;
			continue;
		}
		err = shim_tell_lost(s, LOST_BAD_RECORD, r->guard.cut);
		if (!err)
			err = ring_losses(s, r);
		s->rings[i] = s->rings[--s->nrings];
		if (!err)
			err = ring_done(s, r, now);
	}
	HASH_ITER(hh, s->procs, p, next) {
		if (!p->dead || p->nrings || err || (is_wait_due(p, now) && !s->detached))
			continue;
		err = shim_tell_exit(s, p, -1, p->last_ns ? p->last_ns + 1 : now);
		shim_proc_free(s, p);
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
	char state = procfs_state(pid, tid);
	return state == 'S' || state == 'D';
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
			err = shim_strays_look(s->strays, (uint32_t)s->held, now, shim_is_covered, s);
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
	shim_procs_note_deaths(s);
	uint64_t now = clock_now_ns(); /* before the heads are read: shimring.h */
	int err = shim_rings_new(s);
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
	struct shim_proc *p, *next;
	for (size_t i = 0; i < s->nrings; i++) {
		shim_ring_free(s->rings[i]);
	}
	free(s->rings);
	HASH_ITER(hh, s->procs, p, next)
		shim_proc_free(s, p);
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
