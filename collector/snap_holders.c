// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who holds an object: every descriptor that was seen, whoever may receive one that is in flight, and
 * what the kernel's own counts say is held by somebody who was not seen.
 */
#include <stdio.h>
#include <sys/syscall.h>

#include "snap_world.h"

#define PARCEL_DEPTH 4 /* a descriptor of a socket, in flight in a socket, in flight in … */

static void add_sock_readers(struct snap_world *w, wg_ref gate, uint32_t chan, uint64_t sock,
			     int depth);

/* Whoever may take the struct file out of the sockets in which it is in flight. */
static uint32_t add_parcels(struct snap_world *w, wg_ref gate, uint32_t chan, uint64_t file, int depth)
{
	uint32_t n = 0;
	for (uint32_t i = snap_first(&w->parcel_file, file); i != SNAP_NONE;
	     i = snap_next(&w->parcel_file, i), n++)
		add_sock_readers(w, gate, chan, w->parcels[i]->sock, depth);
	return n;
}

/*
 * Whoever has a ring in whose table of fixed files, or in one of whose requests, the struct file is.
 * Returns how many references to it that makes.
 */
static uint32_t add_rings(struct snap_world *w, wg_ref gate, uint32_t chan, uint64_t file)
{
	uint32_t n = 0;
	for (uint32_t i = snap_first(&w->req_file, file); i != SNAP_NONE; i = snap_next(&w->req_file, i)) {
		uint64_t ring = w->reqs[i]->ring;
		uint32_t k = snap_first(&w->file_obj, ring);
		n += w->reqs[i]->fixed != SNAP_REQ_FIXED;
		if (k == SNAP_NONE) /* in flight, or in another ring */
			wg_add(w->g, gate, wg_outside(w->g, WG_HIDDEN, "in a ring that nobody was seen to have"), 1);
		for (; k != SNAP_NONE; k = snap_next(&w->file_obj, k))
			wg_add_holder(w->g, gate, chan, w->files[k]->pid, -1, WG_END_BOTH, 0);
	}
	return n;
}

static void add_sock_readers(struct snap_world *w, wg_ref gate, uint32_t chan, uint64_t sock, int depth)
{
	const struct snap_sock *s = snap_sock_of(w, sock);
	bool seen = false;
	if (s && s->listener && depth < PARCEL_DEPTH) { /* not accepted yet */
		add_sock_readers(w, gate, chan, s->listener, depth + 1);
		return;
	}
	for (uint32_t i = snap_first(&w->file_obj, sock); i != SNAP_NONE;
	     i = snap_next(&w->file_obj, i)) {
		wg_add_holder(w->g, gate, chan, w->files[i]->pid, -1, WG_END_BOTH, 0);
		seen = true;
		if (depth < PARCEL_DEPTH)
			add_parcels(w, gate, chan, w->files[i]->file, depth + 1);
	}
	if (!seen || depth >= PARCEL_DEPTH)
		wg_add(w->g, gate,
		       wg_outside(w->g, WG_HIDDEN, "a descriptor is in flight in a socket nobody was seen to hold"),
		       1);
}

/* References to a struct file that no descriptor, parcel, ring (`others`) or blocked call accounts for. */
static uint64_t hidden_refs(struct snap_world *w, uint64_t file, uint32_t others)
{
	uint64_t refs = 0, seen = others;
	for (uint32_t i = snap_first(&w->file_file, file); i != SNAP_NONE;
	     i = snap_next(&w->file_file, i)) {
		const struct snap_file *f = w->files[i];
		const struct snap_task *t = snap_task_of(w, f->hdr.tid);
		refs = f->refs;
		/* processes that share one table of descriptors share the reference */
		bool first = true, shared = t && t->files_users > 1;
		for (uint32_t k = snap_next(&w->file_file, i); first && shared && k != SNAP_NONE;
		     k = snap_next(&w->file_file, k)) {
			const struct snap_task *o = snap_task_of(w, w->files[k]->hdr.tid);
			first = w->files[k]->fd != f->fd || !o || o->files != t->files;
		}
		seen += (first ? 1 : 0) + w->busy[i];
	}
	return refs > seen ? refs - seen : 0;
}

static uint8_t end_of(const struct snap_file *f)
{
	return f->mode ? (uint8_t)f->mode : WG_END_BOTH;
}

/* All it does is let time pass: it waits for nobody, so that it is not about to use what it holds. */
static bool is_idle(struct snap_world *w, uint32_t pid)
{
	for (uint32_t i = snap_first(&w->task_pid, pid); i != SNAP_NONE; i = snap_next(&w->task_pid, i)) {
		const struct snap_task *t = w->tasks[i];
		bool sleeps = t->nr == SYS_nanosleep || t->nr == SYS_clock_nanosleep ||
			      t->nr == SYS_rt_sigtimedwait || t->nr == SYS_rt_sigsuspend;
#ifdef SYS_pause
		sleeps = sleeps || t->nr == SYS_pause;
#endif
		if (!t->state || !sleeps)
			return false;
	}
	return true;
}

/*
 * Somebody who inherited this end and does not use it. What can be told without a history: it idles,
 * and has not written to anything in its life.
 */
static uint8_t heir_flags(struct snap_world *w, const struct snap_file *f, unsigned int mode)
{
	bool write_end = (f->what == SNAP_IS_PIPE || f->what == SNAP_IS_FIFO) && mode == 2;
	return write_end && is_idle(w, f->pid) && snap_never_wrote(f->pid) ? WG_IDLE_HEIR : 0;
}

static void add_hidden(struct snap_world *w, wg_ref gate, uint64_t n, const char *what)
{
	char why[96];
	snprintf(why, sizeof(why), "%llu %s held by somebody who was not seen",
		 (unsigned long long)n, what);
	wg_add(w->g, gate, wg_outside(w->g, WG_HIDDEN, why), 1);
}

/* One struct file: everybody who has it, and those who are not seen. */
static void add_file(struct snap_world *w, wg_ref gate, uint32_t chan, uint64_t file, unsigned int mode)
{
	uint32_t last_pid = 0;
	for (uint32_t i = snap_first(&w->file_file, file); i != SNAP_NONE;
	     i = snap_next(&w->file_file, i)) {
		const struct snap_file *f = w->files[i];
		uint8_t flags = f->pid == last_pid ? 0 : heir_flags(w, f, mode);
		last_pid = f->pid;
		wg_add_holder(w->g, gate, chan, f->pid, f->fd, end_of(f), flags);
	}
	uint32_t others = add_parcels(w, gate, chan, file, 0) + add_rings(w, gate, chan, file);
	uint64_t hidden = hidden_refs(w, file, others);
	if (hidden)
		add_hidden(w, gate, hidden, hidden == 1 ? "reference is" : "references are");
}

wg_ref snap_file_holders(struct snap_world *w, uint64_t file, uint32_t chan)
{
	uint32_t *memo = snap_memo(w, MEMO_FILE, file);
	if (*memo)
		return *memo;
	wg_ref gate = wg_any(w->g);
	*memo = gate;
	add_file(w, gate, chan, file, 0);
	return gate;
}

wg_ref snap_file_takers(struct snap_world *w, uint32_t row)
{
	wg_ref gate = wg_any(w->g);
	wg_add_holder(w->g, gate, 0, w->files[row]->pid, w->files[row]->fd, end_of(w->files[row]), 0);
	add_parcels(w, gate, 0, w->files[row]->file, 0);
	add_rings(w, gate, 0, w->files[row]->file);
	return gate;
}

/* True for the first of the rows of its struct file in the object's list. */
static bool is_first_of_file(const struct snap_world *w, uint32_t row)
{
	return snap_first(&w->file_file, w->files[row]->file) == row;
}

/* Pipes: the kernel counts the open struct files of either end. */
static bool add_uncounted(struct snap_world *w, wg_ref gate, uint64_t obj, unsigned int mode,
			  uint32_t files)
{
	const struct snap_pipe *p = snap_pipe_of(w, obj);
	uint32_t have = !p ? 0 : mode == 2 ? p->writers : p->readers;
	if (have > files)
		add_hidden(w, gate, have - files, mode == 2 ? "write end is" : "read end is");
	return have > files;
}

/* Struct files of the object that are in flight and in no table at all. Returns how many. */
static uint32_t add_only_parcels(struct snap_world *w, wg_ref gate, uint32_t chan, uint64_t obj,
				 unsigned int mode)
{
	uint32_t files = 0;
	for (uint32_t i = snap_first(&w->parcel_obj, obj); i != SNAP_NONE;
	     i = snap_next(&w->parcel_obj, i)) {
		const struct snap_parcel *p = w->parcels[i];
		if ((mode && !(p->mode & mode)) || snap_first(&w->file_file, p->file) != SNAP_NONE ||
		    snap_first(&w->parcel_file, p->file) != i)
			continue;
		add_parcels(w, gate, chan, p->file, 0);
		add_rings(w, gate, chan, p->file);
		files++;
	}
	return files;
}

/* The same of those that are in tables of fixed files, and neither in flight nor in a table. */
static uint32_t add_only_fixed(struct snap_world *w, wg_ref gate, uint32_t chan, uint64_t obj,
			       unsigned int mode)
{
	uint32_t files = 0;
	for (uint32_t i = snap_first(&w->req_obj, obj); i != SNAP_NONE; i = snap_next(&w->req_obj, i)) {
		const struct snap_req *r = w->reqs[i];
		if ((mode && !(r->mode & mode)) || !r->file ||
		    snap_first(&w->file_file, r->file) != SNAP_NONE ||
		    snap_first(&w->parcel_file, r->file) != SNAP_NONE ||
		    snap_first(&w->req_file, r->file) != i)
			continue;
		add_rings(w, gate, chan, r->file);
		files++;
	}
	return files;
}

wg_ref snap_holders(struct snap_world *w, uint64_t obj, uint32_t chan, unsigned int mode)
{
	uint32_t *memo = snap_memo(w, MEMO_HOLDERS + (mode << 8), obj);
	if (*memo)
		return *memo;
	wg_ref gate = wg_any(w->g);
	*memo = gate;
	uint32_t files = 0;
	for (uint32_t i = snap_first(&w->file_obj, obj); i != SNAP_NONE;
	     i = snap_next(&w->file_obj, i)) {
		if ((mode && !(w->files[i]->mode & mode)) || !is_first_of_file(w, i))
			continue;
		add_file(w, gate, chan, w->files[i]->file, mode);
		files++;
	}
	files += add_only_parcels(w, gate, chan, obj, mode) + add_only_fixed(w, gate, chan, obj, mode);
	if (mode && add_uncounted(w, gate, obj, mode, files))
		return gate;
	const struct snap_sock *s = snap_sock_of(w, obj);
	if (!files && s && s->listener) /* whoever accepts it */
		add_sock_readers(w, gate, chan, obj, 0);
	else if (!files)
		wg_add(w->g, gate, snap_unknown(w, "nobody was seen to hold the other end"), 1);
	return gate;
}

wg_ref snap_mm_tasks(struct snap_world *w, uint64_t mm)
{
	uint32_t *memo = snap_memo(w, MEMO_MM, mm);
	if (*memo)
		return *memo;
	wg_ref gate = wg_any(w->g);
	*memo = gate;
	for (uint32_t i = snap_first(&w->task_mm, mm); mm && i != SNAP_NONE;
	     i = snap_next(&w->task_mm, i))
		wg_add(w->g, gate, wg_thread_ref(w->g, w->tasks[i]->hdr.tid), 1);
	return gate;
}

/* ---- relatives ---- */

static uint32_t add_descent(struct snap_world *w, wg_ref gate, uint32_t pid, int depth)
{
	uint32_t n = 0;
	for (uint32_t i = snap_first(&w->task_ppid, pid); i != SNAP_NONE;
	     i = snap_next(&w->task_ppid, i)) {
		const struct snap_task *t = w->tasks[i];
		if (t->hdr.tid != t->pid || (t->flags & SNAP_ZOMBIE))
			continue;
		wg_add_holder(w->g, gate, 0, t->pid, -1, WG_END_BOTH, WG_GUESSED);
		n++;
		if (depth > 0)
			n += add_descent(w, gate, t->pid, depth - 1);
	}
	return n;
}

wg_ref snap_relatives(struct snap_world *w, const struct snap_task *t)
{
	uint32_t *memo = snap_memo(w, MEMO_RELATIVES, t->ppid);
	if (*memo)
		return *memo;
	wg_ref gate = wg_any(w->g);
	uint32_t n = add_descent(w, gate, t->ppid, 3);
	*snap_memo(w, MEMO_RELATIVES, t->ppid) = n ? gate : 0;
	return n ? gate : 0;
}
