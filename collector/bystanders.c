// SPDX-License-Identifier: GPL-2.0-or-later
#include "bystanders.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include <uthash.h>

#include "collector/procfs.h"

struct known {
	uint32_t pid;
	bool told;
	uint64_t look;
	struct ev_task task;
	UT_hash_handle hh;
};

/* A process in scope, which whoever looks at it from another may not know. */
struct inside {
	uint32_t pid;
	UT_hash_handle hh;
};

struct bystanders {
	struct known *by_pid;
	struct inside *inside;
	uint64_t look; /* the how manieth */
};

struct bystanders *bystanders_new(void) { return calloc(1, sizeof(struct bystanders)); }

void bystanders_free(struct bystanders *b)
{
	struct known *k, *next;
	struct inside *i, *next_i;
	if (!b)
		return;
	HASH_ITER(hh, b->inside, i, next_i) {
		HASH_DEL(b->inside, i);
		free(i);
	}
	HASH_ITER(hh, b->by_pid, k, next) {
		HASH_DEL(b->by_pid, k);
		free(k);
	}
	free(b);
}

static struct known *find(struct bystanders *b, uint32_t pid)
{
	struct known *k;
	HASH_FIND(hh, b->by_pid, &pid, sizeof(pid), k);
	return k;
}

static void note_inside(struct bystanders *b, const struct ev_task *t)
{
	struct inside *i;
	bool ends = t->what == TASK_EXIT && (t->hdr.flags & TASK_F_LAST);
	HASH_FIND(hh, b->inside, &t->pid, sizeof(t->pid), i);
	if (i && ends) {
		HASH_DEL(b->inside, i);
		free(i);
	} else if (!i && !ends && (i = calloc(1, sizeof(*i)))) {
		i->pid = t->pid;
		HASH_ADD(hh, b->inside, pid, sizeof(i->pid), i);
	}
}

static bool is_inside(const struct bystanders *b, uint32_t pid)
{
	struct inside *i;
	HASH_FIND(hh, b->inside, &pid, sizeof(pid), i);
	return i != NULL;
}

bool bystanders_note(struct bystanders *b, const struct ev_task *t)
{
	struct known *k = find(b, t->pid);
	bool candidate = t->hdr.flags & TASK_F_OUTSIDE;
	if (t->pid == (uint32_t)getpid()) /* whoever signals us: we are in nobody's trace */
		return true;
	if (!candidate)
		note_inside(b, t);
	else if (is_inside(b, t->pid))
		return true;
	if (k && (!candidate || k->task.start_ns != t->start_ns)) {
		/* it has come into scope, is gone, or its number was given to another */
		HASH_DEL(b->by_pid, k);
		free(k);
		k = NULL;
	}
	if (k)
		k->look = b->look;
	if (!candidate || k)
		return candidate;
	k = calloc(1, sizeof(*k));
	if (!k)
		return true;
	k->pid = t->pid;
	k->look = b->look;
	k->task = *t;
	HASH_ADD(hh, b->by_pid, pid, sizeof(k->pid), k);
	return true;
}

int bystanders_age(struct bystanders *b, uint64_t t_ns, struct sink *out)
{
	struct known *k, *next;
	int err = 0;
	b->look++;
	HASH_ITER(hh, b->by_pid, k, next) {
		if (err || b->look - k->look <= 2)
			continue;
		bool gone = kill((pid_t)k->pid, 0) && errno == ESRCH;
		if (k->told && !gone)
			continue;
		if (k->told) {
			struct ev_task e = k->task;
			e.hdr.t_ns = t_ns;
			e.hdr.flags |= TASK_F_LAST;
			e.what = TASK_EXIT;
			err = sink_event(out, &e.hdr);
		}
		HASH_DEL(b->by_pid, k);
		free(k);
	}
	return err;
}

int bystanders_tell(struct bystanders *b, uint32_t pid, struct sink *out)
{
	struct known *k = find(b, pid);
	if (!k || k->told)
		return 0;
	k->told = true;
	procfs_exe(pid, k->task.exe, sizeof(k->task.exe));
	procfs_args(pid, k->task.args, sizeof(k->task.args));
	procfs_cgroup(pid, k->task.cgroup_path, sizeof(k->task.cgroup_path));
	return sink_event(out, &k->task.hdr);
}
