// SPDX-License-Identifier: GPL-2.0-or-later
#include "shim_strays.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "collector/procfs.h"

#define DEEP_MAX 64
#define STRAYS_MAX 4096 /* remembered */

struct stray {
	uint32_t pid;
	uint32_t looks;
	bool told;
	UT_hash_handle hh;
};

struct shim_strays {
	struct sink *join, *out;
	struct stray *by_pid;
};

struct shim_strays *shim_strays_new(struct sink *join, struct sink *out)
{
	struct shim_strays *s = calloc(1, sizeof(*s));
	if (s) {
		s->join = join;
		s->out = out;
	}
	return s;
}

void shim_strays_free(struct shim_strays *s)
{
	struct stray *x, *next;
	if (!s)
		return;
	HASH_ITER(hh, s->by_pid, x, next) {
		HASH_DEL(s->by_pid, x);
		free(x);
	}
	free(s);
}

static struct stray *get(struct shim_strays *s, uint32_t pid)
{
	struct stray *x;
	HASH_FIND(hh, s->by_pid, &pid, sizeof(pid), x);
	if (x)
		return x;
	if (HASH_COUNT(s->by_pid) >= STRAYS_MAX) {
		x = s->by_pid;
		HASH_DEL(s->by_pid, x);
		free(x);
	}
	x = calloc(1, sizeof(*x));
	if (!x)
		return NULL;
	x->pid = pid;
	HASH_ADD(hh, s->by_pid, pid, sizeof(x->pid), x);
	return x;
}

int shim_strays_tell(struct shim_strays *s, const struct ev_task *task)
{
	struct stray *x = get(s, task->pid);
	struct ev_lost lost = {
		.hdr = { .t_ns = task->hdr.t_ns, .type = EV_LOST, .size = sizeof(lost) },
		.count = 1, .cause = LOST_NOT_COVERED, .where = task->pid,
	};
	if (!x || x->told)
		return 0;
	x->told = true;
	int err = sink_event(task->hdr.flags & TASK_F_OUTSIDE ? s->out : s->join, &task->hdr);
	return err ? err : sink_event(s->out, &lost.hdr);
}

/* ---- looking ---- */

struct walk {
	struct shim_strays *s;
	bool (*is_covered)(void *arg, uint32_t pid);
	void *arg;
	uint64_t now_ns;
	int depth, err;
};

static int found(struct walk *w, uint32_t pid)
{
	struct stray *x = get(w->s, pid);
	if (!x || x->told || ++x->looks < 2)
		return 0;
	struct ev_task e = {
		.hdr = { .t_ns = w->now_ns, .type = EV_TASK, .size = sizeof(e),
			 .flags = EV_SYNTHETIC | TASK_F_OUTSIDE },
		.start_ns = w->now_ns, .pid = pid, .tid = pid, .what = TASK_SEEN,
	};
	char path[EV_PATH_LEN];
	if (procfs_exe(pid, path, sizeof(path)))
		return 0; /* gone, or not ours to look at */
	const char *last = strrchr(path, '/');
	last = last ? last + 1 : path;
	memcpy(e.exe, path, sizeof(e.exe));
	memcpy(e.comm, last, strnlen(last, sizeof(e.comm) - 1));
	return shim_strays_tell(w->s, &e);
}

static void one(void *arg, uint32_t pid)
{
	struct walk *w = arg;
	if (w->err || w->depth >= DEEP_MAX)
		return;
	if (!w->is_covered(w->arg, pid))
		w->err = found(w, pid);
	w->depth++;
	procfs_children(pid, one, w);
	w->depth--;
}

int shim_strays_look(struct shim_strays *s, uint32_t root, uint64_t now_ns,
		     bool (*is_covered)(void *arg, uint32_t pid), void *arg)
{
	struct walk w = { .s = s, .is_covered = is_covered, .arg = arg, .now_ns = now_ns };
	one(&w, root);
	return w.err;
}
