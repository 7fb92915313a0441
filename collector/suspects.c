// SPDX-License-Identifier: GPL-2.0-or-later
#include "suspects.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>

#include "collector/snap_index.h"
#include "lib/base/clock.h"

#define STATE_IDLE 0x0402u /* TASK_IDLE: not a wait for anybody */

/*
 * The argument that limits the time of a call: a pointer, which is none when 0, or milliseconds, which
 * are none when negative.
 */
static bool has_limit(const struct snap_task *t)
{
	switch (t->nr) {
	case SYS_nanosleep:
	case SYS_clock_nanosleep:
		return true;
#ifdef SYS_poll
	case SYS_poll:
		return (int)t->args[2] >= 0;
#endif
#ifdef SYS_epoll_wait
	case SYS_epoll_wait:
#endif
	case SYS_epoll_pwait:
		return (int)t->args[3] >= 0;
	case SYS_ppoll:
		return t->args[2] != 0;
#ifdef SYS_select
	case SYS_select:
#endif
	case SYS_pselect6:
		return t->args[4] != 0;
	case SYS_futex:
	case SYS_semtimedop:
		return t->args[3] != 0;
	case SYS_rt_sigtimedwait:
		return t->args[2] != 0;
	default:
		return false;
	}
}

/* Whether anybody can end that sleep, only a whole look tells. */
static bool is_suspect(const struct snap_task *t, uint64_t now_ns, uint64_t age_ns)
{
	if (!t->state || (t->flags & (SNAP_ON_CPU | SNAP_EXITING | SNAP_ZOMBIE)) || t->nr < 0)
		return false;
	return (t->state & STATE_IDLE) != STATE_IDLE && now_ns > t->last_ns &&
	       now_ns - t->last_ns >= age_ns && !((t->flags & SNAP_COMPAT) == 0 && has_limit(t));
}

struct looking {
	struct suspects now;
	size_t room;
	uint64_t now_ns, age_ns;
	bool (*is_meant)(void *arg, uint32_t pid);
	void *arg;
	bool failed;
};

static void look_at(void *arg, const struct snap_task *t)
{
	struct looking *l = arg;
	uint64_t *grown;

	if (!is_suspect(t, l->now_ns, l->age_ns) || (l->is_meant && !l->is_meant(l->arg, t->pid)))
		return;
	if (l->now.n == l->room) {
		l->room = l->room ? l->room * 2 : 256;
		grown = reallocarray(l->now.keys, l->room, sizeof(*grown));
		if (!grown) {
			l->room = l->now.n;
			l->failed = true;
			return;
		}
		l->now.keys = grown;
	}
	l->now.keys[l->now.n++] = snap_mix(snap_mix(t->hdr.tid, t->start_ns), t->csw);
}

static int by_key(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Both ascending: is anything in `now` that was not in `was`? */
static bool has_news(const struct suspects *now, const struct suspects *was)
{
	size_t k = 0;

	for (size_t i = 0; i < now->n; i++) {
		while (k < was->n && was->keys[k] < now->keys[i])
			k++;
		if (k == was->n || was->keys[k] != now->keys[i])
			return true;
	}
	return false;
}

int suspects_look(struct suspects *s, struct snap *snap, uint64_t age_ns,
		  bool (*is_meant)(void *arg, uint32_t pid), void *arg)
{
	struct looking l = { .now_ns = clock_now_ns(), .age_ns = age_ns, .is_meant = is_meant, .arg = arg };
	int err = snap_tasks(snap, look_at, &l);
	bool due;

	if (!err && l.failed)
		err = -ENOMEM;
	if (err) {
		free(l.now.keys);
		return err;
	}
	if (l.now.n)
		qsort(l.now.keys, l.now.n, sizeof(*l.now.keys), by_key);
	due = has_news(&l.now, s) || (l.now.n && l.now_ns - s->whole_ns >= SUSPECTS_ANYWAY_NS);
	l.now.whole_ns = due ? l.now_ns : s->whole_ns;
	free(s->keys);
	*s = l.now;
	return due;
}

void suspects_release(struct suspects *s)
{
	free(s->keys);
	*s = (struct suspects){ 0 };
}
