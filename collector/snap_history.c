// SPDX-License-Identifier: GPL-2.0-or-later
/* From what the shim keeps of each thread to the condition of one that waits: see snap_shim.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "collector/procfs.h"
#include "lib/base/clock.h"
#include "snap_shim.h"

#define PARTIES_MAX 4096
#define FEW 16 /* so many get a condition each; more share one */

/* ---- whoever reaches the object, and what he has had to do with it ---- */

struct party {
	const struct snap_task *t;
	const struct shim_ring *ring; /* NULL: nothing is known of him */
	const struct shim_deed *deed; /* NULL: none */
	uint64_t held_ns;             /* he holds it as a lock, since; 0: he does not */
	bool waits;                   /* he is in a call on it now */
};

struct parties {
	struct futex_word *f;
	uint64_t obj;
	uint64_t born_ns; /* when it was last initialised; 0: that was not seen */
	const struct shim_ended *ended; /* what those did who are gone; NULL: nothing */
	struct party *of;
	uint32_t n, room;
	bool failed;
};

static const struct shim_deed *deed_on(const struct shim_ring *r, uint64_t obj)
{
	for (unsigned int i = 0; i < SHIM_DEED_PROBES; i++) {
		const struct shim_deed *d = &r->deeds[shim_deed_place(obj, i)];
		if (d->obj == obj)
			return d;
	}
	return NULL;
}

static uint64_t held_since(const struct shim_ring *r, uint64_t obj)
{
	for (unsigned int i = 0; i < SHIM_HELD_MAX; i++)
		if (r->held[i].obj == obj)
			return r->held[i].since_ns ? r->held[i].since_ns : 1;
	return 0;
}

static void add_party(struct parties *ps, const struct snap_task *t)
{
	if (t->flags & SNAP_ZOMBIE)
		return;
	if (ps->n == ps->room) {
		uint32_t room = ps->room ? ps->room * 2 : 16;
		struct party *grown = room <= PARTIES_MAX ? realloc(ps->of, room * sizeof(*grown)) : NULL;
		if (!grown) {
			ps->failed = true;
			return;
		}
		ps->of = grown;
		ps->room = room;
	}
	struct party *p = &ps->of[ps->n++];
	*p = (struct party){ .t = t, .ring = snap_shim_ring(ps->f->c->w, t) };
	if (!p->ring)
		return;
	p->deed = deed_on(p->ring, ps->obj);
	p->held_ns = held_since(p->ring, ps->obj);
	p->waits = p->ring->call.op && p->ring->call.obj == ps->obj;
	if (p->deed && p->deed->born_ns > ps->born_ns)
		ps->born_ns = p->deed->born_ns;
}

static void add_process(void *arg, uint32_t pid)
{
	struct parties *ps = arg;
	const struct snap_world *w = ps->f->c->w;
	for (uint32_t i = snap_first(&w->task_pid, pid); i != SNAP_NONE; i = snap_next(&w->task_pid, i))
		add_party(ps, w->tasks[i]);
}

/* What was done before the object was made anew does not count. */
static uint32_t gives_of(const struct parties *ps, const struct party *p)
{
	return p->deed && p->deed->last_ns >= ps->born_ns ? p->deed->gives : 0;
}

static bool parties_find(struct parties *ps, struct futex_word *f, uint64_t obj)
{
	const struct snap_world *w = f->c->w;
	const struct snap_place *at = f->place;
	*ps = (struct parties){ .f = f, .obj = obj };
	if (!f->is_private && !at)
		return false;
	if (!f->is_private && at && at->shared) {
		if (w->maps)
			snap_maps_who(w->maps, at->dev, at->ino, add_process, ps);
	} else {
		for (uint32_t i = snap_first(&w->task_mm, f->c->t->mm); i != SNAP_NONE; i = snap_next(&w->task_mm, i))
			add_party(ps, w->tasks[i]);
	}
	ps->ended = snap_shim_ended(f->c->w, f->c->t, obj);
	if (ps->ended && ps->ended->ended_ns < ps->born_ns)
		ps->ended = NULL;
	return ps->n && !ps->failed;
}

/* How often those who are gone gave it to others, since it was made. */
static uint32_t gives_of_ended(const struct parties *ps)
{
	return ps->ended && ps->ended->last_ns >= ps->born_ns ? ps->ended->gives : 0;
}

/* ---- conditions ---- */

wg_ref snap_newcomer(struct snap_world *w, wg_ref part, const char *why)
{
	wg_ref all = wg_all(w->g);
	wg_add(w->g, all, wg_outside(w->g, WG_NEW, why), 1);
	wg_add(w->g, all, part, 1);
	return all;
}

/* Asleep until somebody sends a signal. */
static bool is_resting(const struct snap_task *t)
{
	return t->state && !(t->flags & (SNAP_ON_CPU | SNAP_COMPAT)) &&
	       (t->nr == SYS_pause || t->nr == SYS_rt_sigsuspend || (t->nr == SYS_rt_sigtimedwait && !t->args[2]));
}

/*
 * One who has had nothing to do with the object so far may begin to as soon as he can act; but a signal
 * that would have to wake him first is not to be waited for.
 */
static wg_ref stranger(const struct parties *ps, const struct party *p)
{
	struct snap_world *w = ps->f->c->w;
	wg_ref thread = wg_thread_ref(w->g, p->t->hdr.tid);
	return p->ring && is_resting(p->t) ? snap_newcomer(w, thread, "one who has never done so") : thread;
}

static void say(struct parties *ps, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct parties *ps, const char *format, ...)
{
	char *detail = ps->f->c->th->detail;
	size_t len = strlen(detail);
	va_list ap;
	va_start(ap, format);
	vsnprintf(detail + len, WG_DETAIL_LEN - len, format, ap);
	va_end(ap);
}

static void say_who(struct parties *ps, const struct party *p, bool first)
{
	say(ps, "%s%.*s[%u]", first ? "" : ", ", EV_COMM_LEN - 1, p->t->comm, p->t->hdr.tid);
}

static void say_ended(struct parties *ps, const char *before, const struct shim_person *p)
{
	say(ps, "%s%.*s[", before, EV_COMM_LEN - 1, p->comm);
	say(ps, p->pid != p->tid ? "%u/%u], which has ended" : "%u], which has ended", p->pid, p->tid);
}

static double seconds_since(const struct parties *ps, uint64_t t_ns)
{
	uint64_t now = ps->f->c->w->now_ns;
	return t_ns < now ? (double)(now - t_ns) / NS_PER_S : 0;
}

/* The old condition stays as what newcomers may do. */
static void narrowed(struct parties *ps, wg_ref gate)
{
	struct snap_call *c = ps->f->c;
	wg_add(c->w->g, gate, snap_newcomer(c->w, c->th->condition, "one who has never done so"), 1);
	c->th->condition = gate;
	c->told = true;
}

/* ---- semaphores and conditions: whoever gave before, or has what was taken ---- */

/* Of many, each is in the condition that they share: it does not help itself there either. */
static bool is_me(const struct parties *ps, const struct party *p)
{
	return ps->n <= FEW && p->t->hdr.tid == ps->f->c->t->hdr.tid;
}

/* Nothing is known of some, or not all: what is not seen cannot be left out. */
static bool is_unknown(const struct party *p) { return !p->ring || p->ring->deeds_lost; }

/*
 * For what a semaphore is used. A lock: whoever posts has a unit, always, and as far as anybody knows. To
 * signal: somebody posted who had none, and who got one need not give it back.
 */
enum use { USE_OPEN, USE_LOCK, USE_SIGNAL };

static enum use use_of(const struct parties *ps)
{
	uint32_t posts = gives_of_ended(ps) > 0, units = ps->ended && ps->ended->units, unknown = 0;
	if (posts && ps->ended->strange)
		return USE_SIGNAL;
	for (uint32_t i = 0; i < ps->n; i++) {
		const struct party *p = &ps->of[i];
		unknown += is_unknown(p);
		posts += gives_of(ps, p) > 0;
		units += p->deed && p->deed->units;
		if (gives_of(ps, p) && p->deed->strange)
			return USE_SIGNAL;
	}
	return posts && units && !unknown ? USE_LOCK : USE_OPEN;
}

static void narrow_sem(struct parties *ps, bool has_units)
{
	struct snap_world *w = ps->f->c->w;
	enum use use = has_units ? use_of(ps) : USE_SIGNAL;
	bool lock = use == USE_LOCK, any = false, own = false;
	wg_ref gate = wg_any(w->g);
	uint64_t last_ns = 0;
	for (uint32_t i = 0; i < ps->n; i++) {
		const struct party *p = &ps->of[i];
		bool has = has_units && p->deed && p->deed->units, gave = gives_of(ps, p) > 0;
		own = own || (is_me(ps, p) && gave);
		if (is_me(ps, p) ? has && use != USE_SIGNAL : has || (gave && !lock)) {
			say(ps, "%s", any ? "" : has_units ? "held or posted before by " : "signalled before by ");
			say_who(ps, p, !any);
			wg_add(w->g, gate, wg_thread_ref(w->g, p->t->hdr.tid), 1);
			any = true;
		} else if (!is_me(ps, p) && !lock) {
			wg_add(w->g, gate, stranger(ps, p), 1);
		}
		if (gave && p->deed->last_ns > last_ns)
			last_ns = p->deed->last_ns;
	}
	if (has_units && use != USE_SIGNAL && ps->ended && ps->ended->units) {
		say_ended(ps, any ? ", " : "held by ", &ps->ended->holder);
		wg_add(w->g, gate, wg_gone(w->g, "who has a unit has ended"), 1);
		any = true;
	}
	if (gives_of_ended(ps) && ps->ended->last_ns > last_ns) {
		last_ns = ps->ended->last_ns;
		if (!any || ps->ended->giver.tid != ps->ended->holder.tid)
			say_ended(ps, any ? "; last by " : has_units ? "last posted by " : "last signalled by ", &ps->ended->giver);
		if (!any) /* that nobody is left who did is no reason why nobody should begin to */
			say(ps, ", %.3g s ago", seconds_since(ps, last_ns));
	}
	if (!any)
		return;
	if (has_units && own && use == USE_SIGNAL && procfs_has_handlers(ps->f->c->t->pid))
		wg_add(w->g, gate, wg_outside(w->g, WG_SIG, "a signal handler of its own may post it"), 1);
	if (last_ns)
		say(ps, "; last %.3g s ago%s", seconds_since(ps, last_ns),
		    ps->f->c->th->since_ns > last_ns ? ", before this wait began" : "");
	narrowed(ps, gate);
}

/* ---- barriers: whoever came in earlier rounds and has not in this one ---- */

static void narrow_barrier(struct parties *ps)
{
	struct snap_world *w = ps->f->c->w;
	wg_ref gate = wg_at_least(w->g, ps->f->missing);
	bool was = gives_of_ended(ps) > 0, any = false, named = false;
	for (uint32_t i = 0; i < ps->n; i++)
		was = was || gives_of(ps, &ps->of[i]);
	if (!was) /* the first round: anybody may be meant */
		return;
	for (uint32_t i = 0; i < ps->n; i++) {
		const struct party *p = &ps->of[i];
		if (p->waits || is_me(ps, p))
			continue;
		if (gives_of(ps, p)) {
			say(ps, "%s", named ? "" : "; came before: ");
			say_who(ps, p, !named);
			named = true;
		}
		wg_add(w->g, gate, gives_of(ps, p) ? wg_thread_ref(w->g, p->t->hdr.tid) : stranger(ps, p), 1);
		any = true;
	}
	if (gives_of_ended(ps))
		say_ended(ps, named ? ", " : "; came before: ", &ps->ended->giver);
	if (!any)
		wg_add(w->g, gate, wg_gone(w->g, "those who came before are gone"), ps->f->missing);
	wg_ref either = wg_any(w->g);
	wg_add(w->g, either, gate, 1);
	narrowed(ps, either);
}

/* ---- read-write locks: all who have it ---- */

static void narrow_rwlock(struct parties *ps, bool reads)
{
	struct snap_world *w = ps->f->c->w;
	uint32_t known = 0;
	const struct party *writer = NULL;
	wg_ref gate = wg_all(w->g), either;
	char before[WG_DETAIL_LEN];
	if (!ps->f->readers) /* a writer has it, who is known */
		return;
	snprintf(before, sizeof(before), "%s", ps->f->c->th->detail);
	ps->f->c->th->detail[0] = '\0';
	say(ps, "%u reader%s: ", ps->f->readers, ps->f->readers == 1 ? "" : "s");
	for (uint32_t i = 0; i < ps->n; i++) {
		const struct party *p = &ps->of[i];
		if (p->waits && p->ring->call.op == OP_RWLOCK_WRLOCK && !is_me(ps, p))
			writer = p;
		if (!p->held_ns)
			continue;
		say_who(ps, p, !known++);
		wg_add(w->g, gate, wg_thread_ref(w->g, p->t->hdr.tid), 1);
	}
	if (ps->ended && ps->ended->held && known < ps->f->readers) {
		say_ended(ps, known ? ", " : "", &ps->ended->holder);
		wg_add(w->g, gate, wg_gone(w->g, "who reads it has ended"), 1);
		known += ps->ended->held;
	}
	if (!known) {
		snprintf(ps->f->c->th->detail, WG_DETAIL_LEN, "%s", before);
		return;
	}
	if (known < ps->f->readers) { /* the others hold it as well */
		say(ps, "%s", ", and others");
		wg_add(w->g, gate, ps->f->c->th->condition, 1);
	}
	if (reads && writer) { /* one that came first, where writers do */
		say(ps, "%s", "; first comes ");
		say_who(ps, writer, true);
		wg_add(w->g, gate, wg_thread_ref(w->g, writer->t->hdr.tid), 1);
	}
	either = wg_any(w->g);
	wg_add(w->g, either, gate, 1);
	narrowed(ps, either);
}

/* ---- by the call that the thread says it is in ---- */

void snap_shim_narrow(struct futex_word *f)
{
	const struct shim_ring *mine = snap_shim_ring(f->c->w, f->c->t);
	enum wg_wait wait = f->c->th->wait;
	unsigned int op = mine ? mine->call.op : 0;
	struct parties ps = { 0 };
	bool fits = (wait == WG_POSIX_SEM && op == OP_SEM_WAIT) || (wait == WG_COND && op == OP_COND_WAIT) ||
		    (wait == WG_BARRIER && op == OP_BARRIER_WAIT) ||
		    (wait == WG_RWLOCK && (op == OP_RWLOCK_RDLOCK || op == OP_RWLOCK_WRLOCK));
	if (!fits || snap_shim_answered(f, snap_mix(mine->call.obj, op)))
		return;
	if (parties_find(&ps, f, mine->call.obj)) {
		if (wait == WG_BARRIER)
			narrow_barrier(&ps);
		else if (wait == WG_RWLOCK)
			narrow_rwlock(&ps, op == OP_RWLOCK_RDLOCK);
		else
			narrow_sem(&ps, wait == WG_POSIX_SEM);
		if (ps.n > FEW)
			snap_shim_answer(f, snap_mix(mine->call.obj, op));
	}
	free(ps.of);
}

void snap_shim_confirm(struct futex_word *f)
{
	const struct shim_ring *mine = snap_shim_ring(f->c->w, f->c->t);
	struct parties ps = { 0 };
	uint32_t owner = f->word[2];
	if (!mine || mine->call.op != OP_MUTEX_LOCK || f->c->th->wait != WG_MUTEX || !parties_find(&ps, f, mine->call.obj))
		goto out;
	for (uint32_t i = 0; i < ps.n; i++)
		if (ps.of[i].held_ns && ps.of[i].t->ns_tid == owner && ps.of[i].t->pidns == f->c->t->pidns) {
			say(&ps, ", since %.3g s", seconds_since(&ps, ps.of[i].held_ns));
			f->c->told = true;
		}
out:
	free(ps.of);
}
