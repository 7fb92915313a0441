// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What sleeps on a futex: mutexes (the owner is in the word or beside it), stdio locks, joins; and
 * whatever else, where all that can be said is who shares the memory.
 *
 * The layouts are glibc's of 64-bit hosts. A word is taken for a mutex only when everything about it
 * fits; what does not fit is a futex that anybody who maps it may wake, which is weaker and true.
 */
#include <linux/futex.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "snap_futex.h"
#include "snap_shim.h"

#define PID_MAX 4194304 /* of the kernel, on 64 bits */
#define MUTEX_KINDS 0x3ffu
#define MUTEX_ROBUST 0x10u
#define MUTEX_PI 0x20u
#define MUTEX_SHARED 0x80u
#define PI_HOPS_MAX 64
#define MUTEX_USERS_MAX 30000u /* a pointer's upper half, 0x7fxx, is more */

/* struct __pthread_mutex_s */
enum { MUTEX_LOCK = 0, MUTEX_OWNER = 2, MUTEX_USERS = 3, MUTEX_KIND = 4 };

/* ---- who may wake it ---- */

struct mapper_walk {
	struct snap_world *w;
	wg_ref gate;
	uint32_t n;
};

static void add_mapper(void *arg, uint32_t pid)
{
	struct mapper_walk *a = arg;
	wg_add(a->w->g, a->gate, wg_process_ref(a->w->g, pid), 1);
	a->n++;
}

/*
 * Memory without a name may be a memfd's: whoever has a descriptor of it can map it yet, and so can
 * who takes one out of a socket or ring. Of a descriptor that is nowhere else it is not known whose it is.
 */
static void add_openers(struct snap_world *w, wg_ref gate, const struct snap_place *p)
{
	bool in_flight = false;
	for (uint32_t i = 0; i < w->nfiles; i++)
		if (w->files[i]->what == SNAP_IS_REG && w->files[i]->ino == p->ino && w->files[i]->dev == p->dev)
			wg_add(w->g, gate, snap_file_takers(w, i), 1);
	for (uint32_t i = 0; i < w->nparcels && !in_flight; i++)
		in_flight = w->parcels[i]->what == SNAP_IS_REG &&
			    snap_first(&w->file_file, w->parcels[i]->file) == SNAP_NONE;
	for (uint32_t i = 0; i < w->nreqs && !in_flight; i++)
		in_flight = w->reqs[i]->file && w->reqs[i]->what == SNAP_IS_REG &&
			    snap_first(&w->file_file, w->reqs[i]->file) == SNAP_NONE;
	if (in_flight)
		wg_add(w->g, gate, wg_outside(w->g, WG_HIDDEN, "a file that may be this memory is in flight"), 1);
}

/* Once for the whole host, when the first shared futex is met. */
static void read_maps(struct snap_world *w)
{
	w->maps = snap_maps_new();
	for (uint32_t i = 0; w->maps && i < w->ntasks; i++)
		if (w->tasks[i]->pid == w->tasks[i]->hdr.tid && w->tasks[i]->mm)
			snap_maps_add(w->maps, w->tasks[i]->pid);
}

static wg_ref mappers(struct snap_world *w, const struct snap_place *p)
{
	uint64_t id = snap_mix(p->dev, p->ino);
	wg_ref known = *snap_memo(w, MEMO_MAPPERS, id);
	if (known)
		return known;
	if (!w->maps)
		read_maps(w);
	struct mapper_walk a = { w, wg_any(w->g), 0 };
	if (w->maps)
		snap_maps_who(w->maps, p->dev, p->ino, add_mapper, &a);
	if (!p->named)
		add_openers(w, a.gate, p);
	if (!a.n || snap_maps_unread(w->maps))
		wg_add(w->g, a.gate, snap_unknown(w, "who else maps the memory"), 1);
	*snap_memo(w, MEMO_MAPPERS, id) = a.gate;
	return a.gate;
}

static uint32_t threads_of_mm(const struct snap_world *w, uint64_t mm)
{
	uint32_t n = 0;
	for (uint32_t i = snap_first(&w->task_mm, mm); mm && i != SNAP_NONE; i = snap_next(&w->task_mm, i))
		n++;
	return n;
}

bool futex_is_alone(const struct futex_word *f)
{
	bool shared = !f->is_private && (!f->place || f->place->shared);
	return !shared && f->c->w->whole && threads_of_mm(f->c->w, f->c->t->mm) == 1;
}

wg_ref futex_reachers(struct futex_word *f)
{
	struct snap_world *w = f->c->w;
	const struct snap_place *p = f->place;
	if (!f->is_private && !p)
		return snap_unknown(w, "where the futex lies");
	if (!f->is_private && p->shared) {
		wg_ref who = mappers(w, p);
		return p->named ? snap_or(w, who, wg_outside(w->g, WG_NEW, "anyone who maps the file")) : who;
	}
	return futex_is_alone(f) ? wg_gone(w->g, "no other thread has this memory, so none can wake it")
				 : snap_mm_tasks(w, f->c->t->mm);
}

/* ---- owners ---- */

static bool exists(uint32_t tid)
{
	char path[32];
	snprintf(path, sizeof(path), "/proc/%u", tid);
	return access(path, F_OK) == 0;
}

struct namesake_walk {
	struct futex_word *f;
	uint32_t owner;
	wg_ref gate; /* 0: nobody yet */
	bool foreign;
};

static void add_namesakes(void *arg, uint32_t pid)
{
	struct namesake_walk *a = arg;
	struct snap_world *w = a->f->c->w;
	for (uint32_t i = snap_first(&w->task_pid, pid); i != SNAP_NONE; i = snap_next(&w->task_pid, i)) {
		const struct snap_task *t = w->tasks[i];
		if (t->ns_tid != a->owner || (t->flags & SNAP_ZOMBIE))
			continue;
		a->foreign = a->foreign || t->pidns != a->f->c->t->pidns;
		if (!a->gate)
			a->gate = wg_any(w->g);
		wg_add(w->g, a->gate, wg_thread_ref(w->g, t->hdr.tid), 1);
	}
}

wg_ref futex_namesakes(struct futex_word *f, uint32_t owner)
{
	struct namesake_walk a = { .f = f, .owner = owner };
	struct snap_world *w = f->c->w;
	if (!w->many_pidns || !f->place || !f->place->shared)
		return 0;
	if (!w->maps)
		read_maps(w);
	if (w->maps)
		snap_maps_who(w->maps, f->place->dev, f->place->ino, add_namesakes, &a);
	if (!a.foreign)
		return 0;
	snprintf(f->c->th->detail, sizeof(f->c->th->detail), "owner %u of a pid namespace", owner);
	return a.gate;
}

/*
 * The thread that the word names, as its own pid namespace counts. A private mutex's owner has this
 * memory; if no such thread has, the owner is gone: it ended, or stayed behind in the parent when
 * this process was forked.
 */
static wg_ref owner_ref(struct futex_word *f, uint32_t owner)
{
	struct snap_world *w = f->c->w;
	const struct snap_task *me = f->c->t, *o = snap_task_in(w, me->pidns, owner);
	wg_ref elsewhere = futex_namesakes(f, owner);
	char why[96];
	if (elsewhere)
		return elsewhere;
	if (o && (o->flags & SNAP_ZOMBIE))
		o = NULL;
	if (o && (!f->is_private || o->mm == me->mm)) {
		snprintf(f->c->th->detail, sizeof(f->c->th->detail), "owner %u", o->hdr.tid);
		return wg_thread_ref(w->g, o->hdr.tid);
	}
	/* of another namespace perhaps, or not ours to see; who has a private one has this memory */
	if (!o && ((!f->is_private && exists(owner)) || !w->whole || !me->pidns))
		return snap_unknown(w, "the owner of the mutex was not seen");
	snprintf(why, sizeof(why), o ? "owner %u was left in the parent at fork" : "owner %u is dead", owner);
	snprintf(f->c->th->detail, sizeof(f->c->th->detail), "%s", why);
	return wg_gone(w->g, why);
}

static bool plausible_tid(uint32_t tid) { return tid > 0 && tid <= PID_MAX; }

static bool looks_like_mutex(const struct futex_word *f)
{
	uint32_t kind = f->word[MUTEX_KIND];
	/* a private mutex is waited for with FUTEX_PRIVATE_FLAG, a shared one without */
	bool shared = (kind & MUTEX_SHARED) != 0;
	return !(kind & ~MUTEX_KINDS) && shared == !f->is_private && !(kind & MUTEX_PI) &&
	       plausible_tid(f->word[MUTEX_OWNER]) && f->word[MUTEX_USERS] > 0 &&
	       f->word[MUTEX_USERS] < MUTEX_USERS_MAX;
}

/* _IO_lock_t: the word, a count, and the owner's struct pthread. */
static const struct snap_task *stdio_owner(const struct futex_word *f)
{
	struct snap_world *w = f->c->w;
	uint64_t owner;
	memcpy(&owner, &f->word[2], sizeof(owner));
	for (uint32_t i = snap_first(&w->task_mm, f->c->t->mm); owner && i != SNAP_NONE;
	     i = snap_next(&w->task_mm, i))
		if (w->tasks[i]->fsbase == owner)
			return w->tasks[i];
	return NULL;
}

/* ---- what it is ---- */

void futex_set(struct futex_word *f, enum wg_wait wait, const char *call, wg_ref condition)
{
	f->c->th->wait = wait;
	f->c->th->condition = condition;
	snprintf(f->c->th->call, sizeof(f->c->th->call), "%s", call);
}

static bool is_join(struct futex_word *f)
{
	struct snap_world *w = f->c->w;
	for (uint32_t i = snap_first(&w->task_mm, f->c->t->mm); i != SNAP_NONE;
	     i = snap_next(&w->task_mm, i)) {
		const struct snap_task *t = w->tasks[i];
		if (t->clear_tid != f->address || t->hdr.tid == f->c->t->hdr.tid)
			continue;
		futex_set(f, WG_JOIN, "pthread_join", wg_thread_ref(w->g, t->hdr.tid));
		snprintf(f->c->th->detail, sizeof(f->c->th->detail), "of thread %u", t->hdr.tid);
		return true;
	}
	return false;
}

static bool is_stdio(struct futex_word *f)
{
	bool fits = f->cmd == FUTEX_WAIT && f->val == 2 && f->word[MUTEX_LOCK] == 2;
	const struct snap_task *o = fits ? stdio_owner(f) : NULL;
	if (!o)
		return false;
	futex_set(f, WG_STDIO, "a stdio lock", wg_thread_ref(f->c->w->g, o->hdr.tid));
	snprintf(f->c->th->detail, sizeof(f->c->th->detail), "owner %u", o->hdr.tid);
	return true;
}

static bool is_normal_mutex(struct futex_word *f)
{
	if (f->cmd != FUTEX_WAIT || f->val != 2 || f->word[MUTEX_LOCK] != 2 || !looks_like_mutex(f) ||
	    (f->word[MUTEX_KIND] & MUTEX_ROBUST))
		return false;
	futex_set(f, WG_MUTEX, "pthread_mutex_lock", owner_ref(f, f->word[MUTEX_OWNER]));
	return true;
}

/* The owner is in the futex word itself, and the kernel wakes the next when it dies. */
static bool is_robust_mutex(struct futex_word *f)
{
	uint32_t owner = f->val & FUTEX_TID_MASK, kind = f->word[MUTEX_KIND];
	if (f->cmd != FUTEX_WAIT || !(f->val & FUTEX_WAITERS) || f->word[MUTEX_LOCK] != f->val ||
	    (kind & ~MUTEX_KINDS) || !(kind & MUTEX_ROBUST) || !plausible_tid(owner))
		return false;
	const struct snap_task *o = snap_task_in(f->c->w, f->c->t->pidns, owner);
	wg_ref elsewhere = futex_namesakes(f, owner);
	if (o && (o->flags & SNAP_ZOMBIE))
		o = NULL;
	futex_set(f, WG_MUTEX, "pthread_mutex_lock (robust)",
	    elsewhere ? elsewhere
	    : o	      ? wg_thread_ref(f->c->w->g, o->hdr.tid)
		      : snap_unknown(f->c->w, "the owner of the robust mutex was not seen"));
	if (o && !elsewhere)
		snprintf(f->c->th->detail, sizeof(f->c->th->detail), "owner %u", o->hdr.tid);
	return true;
}

static void set_pi_mutex(struct futex_word *f)
{
	const struct snap_task *t = f->c->t;
	futex_set(f, WG_MUTEX, "pthread_mutex_lock (priority inheritance)",
	    t->pi_owner ? wg_thread_ref(f->c->w->g, t->pi_owner)
			: snap_unknown(f->c->w, "the owner of the PI mutex"));
	if (t->pi_owner)
		snprintf(f->c->th->detail, sizeof(f->c->th->detail), "owner %u", t->pi_owner);
}

/*
 * Those that wait, through however many, for a PI mutex that this thread has: the kernel refuses it a
 * mutex with EDEADLK when the owner of that one is among them. 0: there are none.
 */
static wg_ref pi_behind(struct futex_word *f)
{
	struct snap_world *w = f->c->w;
	wg_ref gate = 0;
	for (uint32_t i = 0; i < w->ntasks; i++) {
		const struct snap_task *t = w->tasks[i];
		for (int hops = 0; t && (t->flags & SNAP_PI_BLOCKED) && hops < PI_HOPS_MAX; hops++) {
			if (t->pi_owner == f->c->t->hdr.tid) {
				if (!gate)
					gate = wg_any(w->g);
				wg_add(w->g, gate, wg_thread_ref(w->g, w->tasks[i]->hdr.tid), 1);
				break;
			}
			t = snap_task_of(w, t->pi_owner);
		}
	}
	return gate;
}

/*
 * Where the kernel refuses a PI mutex with EDEADLK, glibc parks the thread for ever on a word of its
 * own stack, which nobody else knows of. It is shown as what it is part of: a circle of mutexes. Who
 * might move the owner of the one it was refused is named as if that could help, which is too much and
 * so proves nothing wrong. Without anybody behind it a semaphore there would look the same.
 */
static bool is_parked(struct futex_word *f)
{
	uint64_t sp = f->c->t->sp;
	bool fits = f->readable && f->val == 0 && !f->c->t->args[3] && f->address >= sp &&
		    f->address - sp < 512 && f->word[0] == 0;
	wg_ref behind = fits ? pi_behind(f) : 0;
	if (!behind)
		return false;
	futex_set(f, WG_MUTEX, "pthread_mutex_lock (priority inheritance)", behind);
	snprintf(f->c->th->detail, sizeof(f->c->th->detail),
		 "refused with EDEADLK, and parked for ever by the C library");
	return true;
}

static void set_any(struct futex_word *f)
{
	if (!snap_glibc(f)) {
		futex_set(f, WG_FUTEX, "futex wait", futex_reachers(f));
		if (f->cmd == FUTEX_WAIT && f->val == 2 && futex_is_alone(f))
			snprintf(f->c->th->detail, sizeof(f->c->th->detail),
				 "a lock it can only have taken itself, as when a signal came in between");
	} else {
		snap_shim_narrow(f);
	}
	if (f->readable && f->word[0] != f->val && f->cmd != FUTEX_LOCK_PI)
		f->c->th->condition =
			snap_or(f->c->w, f->c->th->condition,
				snap_unknown(f->c->w, "the word is no longer what it waits for"));
}

/* ---- the call ---- */

static void name_futex(struct futex_word *f)
{
	const struct snap_place *p = f->place;
	bool shared = p && p->shared && !f->is_private;
	uint64_t id = shared ? snap_mix(snap_mix(p->dev, p->ino), p->offset)
			     : snap_mix(f->c->t->mm, f->address);
	uint32_t chan = *snap_memo(f->c->w, MEMO_FUTEX_CHAN, id);
	if (!chan) {
		struct wg_chan c = { .kind = KIND_NONE };
		if (shared) {
			snprintf(c.ident, sizeof(c.ident), "futex %x:%llu+0x%llx", p->dev,
				 (unsigned long long)p->ino, (unsigned long long)p->offset);
			snprintf(c.name, sizeof(c.name), "%s", p->name);
		} else {
			snprintf(c.ident, sizeof(c.ident), "futex 0x%llx", (unsigned long long)f->address);
		}
		chan = wg_chan(f->c->w->g, &c);
		*snap_memo(f->c->w, MEMO_FUTEX_CHAN, id) = chan;
	}
	f->c->th->chan = chan;
}

static void wait_futex(struct futex_word *f)
{
	if (!f->is_private && snap_place_of(f->c->t->pid, f->address, &f->where))
		f->place = &f->where;
	f->readable = snap_mem_read(f->c->t->pid, f->address, f->word, sizeof(f->word));
	name_futex(f);
	if (f->c->t->flags & SNAP_PI_BLOCKED) {
		set_pi_mutex(f);
		return;
	}
	if (is_join(f) || is_parked(f))
		return;
	if (f->readable && (is_stdio(f) || is_normal_mutex(f) || is_robust_mutex(f))) {
		snap_shim_confirm(f);
		return;
	}
	set_any(f);
}

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449 /* v5.16, on all architectures */
#endif
#define WAITV_MAX 128 /* the kernel's FUTEX_WAITV_MAX */
#define WAITV_PRIVATE 128u /* FUTEX2_PRIVATE */

struct waitv { /* struct futex_waitv */
	uint64_t val, address;
	uint32_t flags, reserved;
};

/* Any one of several words. */
static void wait_many(struct snap_call *c)
{
	struct waitv v[WAITV_MAX];
	uint64_t n = c->t->args[1];
	c->th->wait = WG_FUTEX;
	snprintf(c->th->call, sizeof(c->th->call), "futex_waitv of %llu", (unsigned long long)n);
	if (!n || n > WAITV_MAX || !snap_mem_read(c->t->pid, c->t->args[0], v, n * sizeof(v[0]))) {
		c->th->condition = snap_unknown(c->w, "for which words it waits");
		return;
	}
	wg_ref any = wg_any(c->w->g);
	for (uint64_t i = 0; i < n; i++) {
		struct futex_word f = { .c = c, .address = v[i].address,
					.is_private = (v[i].flags & WAITV_PRIVATE) != 0 };
		if (!f.is_private && snap_place_of(c->t->pid, f.address, &f.where))
			f.place = &f.where;
		if (!i)
			name_futex(&f);
		wg_add(c->w->g, any, futex_reachers(&f), 1);
	}
	c->th->condition = any;
	snap_timeout(c, c->t->args[3],
		     c->t->args[4] == CLOCK_REALTIME ? SNAP_TIMESPEC_REALTIME : SNAP_TIMESPEC_MONOTONIC);
}

bool snap_wait_futex(struct snap_call *c)
{
	if (c->t->nr == SYS_futex_waitv) {
		wait_many(c);
		return true;
	}
	if (c->t->nr != SYS_futex)
		return false;
	struct futex_word f = {
		.c = c, .address = c->t->args[0], .val = (uint32_t)c->t->args[2],
		.cmd = (int)c->t->args[1] & FUTEX_CMD_MASK,
		.is_private = (c->t->args[1] & FUTEX_PRIVATE_FLAG) != 0,
	};
	bool realtime = (c->t->args[1] & FUTEX_CLOCK_REALTIME) != 0 || f.cmd == FUTEX_LOCK_PI;
	wait_futex(&f);
	/* FUTEX_WAIT's timeout is relative, the others' a time of day or of CLOCK_MONOTONIC */
	snap_timeout(c, c->t->args[3],
		     f.cmd == FUTEX_WAIT ? SNAP_TIMESPEC
					 : realtime ? SNAP_TIMESPEC_REALTIME : SNAP_TIMESPEC_MONOTONIC);
	return true;
}
