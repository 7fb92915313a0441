// SPDX-License-Identifier: GPL-2.0-or-later
/* flock, fcntl and open file description locks: all who hold one that conflicts must let go. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/syscall.h>

#include "snap_world.h"

#define WHOLE_FILE 0x7fffffffffffffffLL

struct wanted {
	enum snap_lock_kind kind;
	bool exclusive;
	int64_t start, end;
	uint64_t file, owner;
};

static bool conflicts(const struct wanted *a, const struct snap_lock *l)
{
	/* flock is one world, fcntl and OFD locks together the other */
	if ((a->kind == SNAP_FLOCK) != (l->kind == SNAP_FLOCK))
		return false;
	if (!a->exclusive && !l->exclusive)
		return false;
	if (a->kind == l->kind &&
	    (l->kind == SNAP_POSIX ? l->owner == a->owner : l->file == a->file))
		return false; /* its own */
	return a->start <= l->end && l->start <= a->end;
}

/* Whoever may give up the lock. */
static wg_ref holder(struct snap_world *w, const struct snap_lock *l, uint32_t chan)
{
	if (l->kind != SNAP_POSIX)
		return snap_file_holders(w, l->file, chan);
	wg_ref gate = 0;
	uint32_t seen = 0;
	for (uint32_t i = l->owner ? snap_first(&w->task_files, l->owner) : SNAP_NONE; i != SNAP_NONE;
	     i = snap_next(&w->task_files, i)) {
		if (!gate)
			gate = wg_any(w->g);
		if (w->tasks[i]->pid == seen)
			continue;
		seen = w->tasks[i]->pid;
		wg_add_holder(w->g, gate, chan, seen, -1, WG_END_BOTH, 0);
	}
	return gate ? gate : snap_unknown(w, "the holder of the lock was not seen");
}

/* The same lock is told once for each descriptor of its file. */
static bool is_told(struct snap_world *w, const struct snap_lock *l, uint32_t tid)
{
	uint32_t *memo = snap_memo(w, MEMO_LOCK, snap_mix(l->lock, tid));
	bool told = *memo != 0;
	*memo = 1;
	return told;
}

static void wait_lock(struct snap_call *c, uint32_t row, const struct wanted *want)
{
	struct snap_world *w = c->w;
	uint64_t inode = w->files[row]->obj;
	wg_ref all = 0;
	for (uint32_t i = snap_first(&w->lock_obj, inode); i != SNAP_NONE; i = snap_next(&w->lock_obj, i)) {
		const struct snap_lock *l = w->locks[i];
		if (l->waits || !conflicts(want, l) || is_told(w, l, c->t->hdr.tid))
			continue;
		if (!all)
			all = wg_all(w->g);
		wg_add(w->g, all, holder(w, l, c->th->chan), 1);
	}
	c->th->condition = all ? all : snap_unknown(w, "no lock was seen that is in its way");
}

/*
 * The range as the kernel keeps it for who waits, of which there must be but one: another thread of the
 * process may wait there too. The call's own may be relative to an offset that was another then.
 */
static bool range_of(struct snap_call *c, uint32_t row, struct wanted *want)
{
	struct snap_world *w = c->w;
	const struct snap_lock *mine = NULL;
	for (uint32_t i = snap_first(&w->lock_obj, w->files[row]->obj); i != SNAP_NONE;
	     i = snap_next(&w->lock_obj, i)) {
		const struct snap_lock *l = w->locks[i];
		if (!l->waits || l->kind != want->kind || l->pid != c->t->pid ||
		    l->file != w->files[row]->file)
			continue;
		if (mine && (mine->start != l->start || mine->end != l->end || mine->exclusive != l->exclusive))
			return false;
		mine = l;
	}
	if (!mine)
		return false;
	want->start = mine->start;
	want->end = mine->end;
	want->exclusive = mine->exclusive != 0;
	return true;
}

static bool read_fcntl(struct snap_call *c, uint32_t row, struct wanted *want)
{
	struct flock fl;
	if (!snap_mem_read(c->t->pid, c->t->args[2], &fl, sizeof(fl)))
		return false;
	if (fl.l_whence != SEEK_SET)
		return range_of(c, row, want);
	if (fl.l_start < 0)
		return false;
	want->exclusive = fl.l_type == F_WRLCK;
	want->start = fl.l_len < 0 ? fl.l_start + fl.l_len : fl.l_start;
	want->end = fl.l_len > 0 ? fl.l_start + fl.l_len - 1 : fl.l_len < 0 ? fl.l_start - 1 : WHOLE_FILE;
	return fl.l_type == F_WRLCK || fl.l_type == F_RDLCK;
}

bool snap_wait_lock(struct snap_call *c)
{
	int fd = (int)c->t->args[0];
	bool is_flock = c->t->nr == SYS_flock;
	if (!is_flock && (c->t->nr != SYS_fcntl ||
			  (c->t->args[1] != F_SETLKW && c->t->args[1] != F_OFD_SETLKW)))
		return false;
	struct wanted want = {
		.kind = is_flock ? SNAP_FLOCK : c->t->args[1] == F_SETLKW ? SNAP_POSIX : SNAP_OFD,
		.exclusive = (c->t->args[1] & LOCK_EX) != 0, .end = WHOLE_FILE, .owner = c->t->files,
	};
	uint32_t row = snap_fd_row(c->w, c->t, fd);
	c->th->wait = WG_FILE_LOCK;
	c->th->fd = fd;
	snprintf(c->th->call, sizeof(c->th->call), "%s(%d)", is_flock ? "flock" : "fcntl", fd);
	if (row == SNAP_NONE || (!is_flock && !read_fcntl(c, row, &want))) {
		c->th->condition = snap_unknown(c->w, "what is to be locked");
		return true;
	}
	if (!is_flock && want.end == WHOLE_FILE)
		snprintf(c->th->call, sizeof(c->th->call), "fcntl(%d, bytes %" PRIu64 "-)", fd,
			 (uint64_t)want.start);
	else if (!is_flock)
		snprintf(c->th->call, sizeof(c->th->call), "fcntl(%d, bytes %" PRIu64 "-%" PRIu64 ")", fd,
			 (uint64_t)want.start, (uint64_t)want.end);
	want.file = c->w->files[row]->file;
	c->th->chan = snap_file_chan(c->w, row);
	wait_lock(c, row, &want);
	return true;
}
