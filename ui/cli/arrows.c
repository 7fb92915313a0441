// SPDX-License-Identifier: GPL-2.0-or-later
#include "arrows.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

/* Without this uthash ends the program when memory is short. */
#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(elt) ((elt)->refused = true)
#include <uthash.h>

#define OPS_KEPT 4 /* of a thread: those that are told before the sleep that one of them ended */
#define OPEN_MAX 8 /* sleeps ended by a thread whose operation is still to be told */

struct op {
	uint64_t enter_ns, end_ns, chan;
};

/* A sleep, without the waker's side. */
struct sleep {
	uint32_t pid, tid;
	uint64_t chan, end_ns;
};

struct thread {
	uint32_t tid, pid;
	struct op ops[OPS_KEPT]; /* a ring */
	unsigned int nops;
	struct sleep open[OPEN_MAX];
	unsigned int nopen;
	bool refused;
	UT_hash_handle hh;
};

struct arrows {
	struct thread *threads;
};

struct arrows *arrows_new(void)
{
	return calloc(1, sizeof(struct arrows));
}

void arrows_free(struct arrows *a)
{
	struct thread *t, *next;

	if (!a)
		return;
	HASH_ITER(hh, a->threads, t, next) {
		HASH_DEL(a->threads, t);
		free(t);
	}
	free(a);
}

static struct thread *thread_get(struct arrows *a, uint32_t tid)
{
	struct thread *t;

	HASH_FIND(hh, a->threads, &tid, sizeof(tid), t);
	if (t)
		return t;
	t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	t->tid = tid;
	HASH_ADD(hh, a->threads, tid, sizeof(t->tid), t);
	if (!t->refused)
		return t;
	free(t);
	return NULL;
}

static bool could_have_ended(const struct op *op, const struct sleep *s)
{
	return op->enter_ns <= s->end_ns &&
	       (op->end_ns >= s->end_ns || (op->chan && op->chan == s->chan));
}

static void put_one(const struct thread *t, const struct op *op, const struct sleep *s,
		    arrows_put *put, void *arg)
{
	uint64_t last_ns = op->end_ns > op->enter_ns ? op->end_ns - 1 : op->enter_ns;
	struct arrow a = {
		.from_pid = t->pid,
		.from_tid = t->tid,
		.to_pid = s->pid,
		.to_tid = s->tid,
		.to_ns = s->end_ns - 1, /* the end itself is no part of it any more */
	};

	a.from_ns = a.to_ns < last_ns ? a.to_ns : last_ns;
	if (a.from_ns < op->enter_ns)
		a.from_ns = op->enter_ns;
	put(arg, &a);
}

/* Of those told already, the latest that fits. */
static bool put_from_ops(const struct thread *t, const struct sleep *s, arrows_put *put, void *arg)
{
	for (unsigned int i = t->nops; i-- > 0 && t->nops - i <= OPS_KEPT;) {
		if (!could_have_ended(&t->ops[i % OPS_KEPT], s))
			continue;
		put_one(t, &t->ops[i % OPS_KEPT], s, put, arg);
		return true;
	}
	return false;
}

int arrows_op(struct arrows *a, const struct ev_io *io, arrows_put *put, void *arg)
{
	struct op op = { io->enter_ns, io->enter_ns + io->dur_ns, io->chan };
	struct thread *t = thread_get(a, io->tid);
	unsigned int left = 0;

	if (!t)
		return -ENOMEM;
	t->pid = io->pid;
	t->ops[t->nops++ % OPS_KEPT] = op;
	for (unsigned int i = 0; i < t->nopen; i++) {
		struct sleep *s = &t->open[i];

		if (could_have_ended(&op, s))
			put_one(t, &op, s, put, arg);
		else if (op.enter_ns <= s->end_ns) /* the next may be it */
			t->open[left++] = *s;
	}
	t->nopen = left;
	return 0;
}

int arrows_sleep(struct arrows *a, const struct ev_io *io, uint64_t end_ns, arrows_put *put,
		 void *arg)
{
	struct sleep s = { io->pid, io->tid, io->chan, end_ns };
	struct thread *t = io->waker_tid ? thread_get(a, io->waker_tid) : NULL;

	if (!io->waker_tid || !end_ns)
		return 0;
	if (!t)
		return -ENOMEM;
	if (!put_from_ops(t, &s, put, arg) && t->nopen < OPEN_MAX)
		t->open[t->nopen++] = s;
	return 0;
}
