// SPDX-License-Identifier: GPL-2.0-or-later
#include "lookout.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "collector/diagnose.h"
#include "collector/suspects.h"
#include "lib/base/clock.h"

#define LOOK_NS NS_PER_S
#define AGE_NS (2 * NS_PER_S)

struct pids {
	uint32_t *pid; /* ascending; NULL: all there are */
	size_t n;
};

struct lookout {
	pthread_t thread;
	/* the thread's own */
	struct snap *snap;
	struct suspects suspects;
	struct pids scope;
	/* shared, under the lock, which nobody holds for longer than a few assignments take */
	pthread_mutex_t lock;
	pthread_cond_t stop;
	bool ending;
	bool has_scope; /* new_scope is to be taken over */
	bool told;      /* there was a scope: until then there is nobody to look at */
	struct pids new_scope;
	struct waittree *news;
};

/* ---- the scope ---- */

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

void lookout_scope(struct lookout *l, const uint32_t *pids, size_t n)
{
	struct pids scope = { pids ? calloc(n + 1, sizeof(*scope.pid)) : NULL, n };
	uint32_t *old;

	if (pids && !scope.pid)
		return; /* without memory it stays as it is */
	if (pids) {
		memcpy(scope.pid, pids, n * sizeof(*pids));
		qsort(scope.pid, n, sizeof(*pids), by_number);
	}
	pthread_mutex_lock(&l->lock);
	old = l->new_scope.pid;
	l->new_scope = scope;
	l->has_scope = l->told = true;
	pthread_mutex_unlock(&l->lock);
	free(old);
}

/* True when the scope is another now. The lock is held. */
static bool take_scope(struct lookout *l)
{
	bool has = l->has_scope;

	if (has) {
		free(l->scope.pid);
		l->scope = l->new_scope;
		l->new_scope = (struct pids){ 0 };
		l->has_scope = false;
	}
	return has;
}

static bool is_meant(void *arg, uint32_t pid)
{
	const struct pids *scope = arg;

	return !scope->pid || bsearch(&pid, scope->pid, scope->n, sizeof(pid), by_number);
}

/* ---- the thread ---- */

static void publish(struct lookout *l, const struct diagnosis *d)
{
	uint32_t n = waitgraph_threads(d->graph);
	bool *in = calloc((size_t)n + 1, sizeof(*in));
	struct waittree_opts opts = { .now_ns = d->now_ns, .in_scope = in };
	struct waittree *t = NULL, *old;

	for (uint32_t i = 0; in && i < n; i++)
		in[i] = is_meant(&l->scope, waitgraph_thread(d->graph, i)->pid);
	if (in)
		t = waittree_new(&d->solution, &opts);
	free(in);
	if (!t)
		return;
	pthread_mutex_lock(&l->lock);
	old = l->news;
	l->news = t;
	pthread_mutex_unlock(&l->lock);
	waittree_free(old);
}

static void look(struct lookout *l, bool anyway)
{
	struct diagnosis d;

	if (suspects_look(&l->suspects, l->snap, AGE_NS, is_meant, &l->scope) == 0 && !anyway)
		return;
	if (diagnose(&d, l->snap, 0, false, NULL) == 0)
		publish(l, &d);
	diagnosis_release(&d);
}

/* Until it is time for the next look. False: it is to end. The lock is held. */
static bool rest_until(struct lookout *l, uint64_t t_ns)
{
	struct timespec t = { .tv_sec = (time_t)(t_ns / NS_PER_S), .tv_nsec = (long)(t_ns % NS_PER_S) };

	while (!l->ending && pthread_cond_timedwait(&l->stop, &l->lock, &t) != ETIMEDOUT)
		;
	return !l->ending;
}

static void *run(void *arg)
{
	struct lookout *l = arg;
	uint64_t next = clock_now_ns();

	pthread_mutex_lock(&l->lock);
	while (rest_until(l, next)) {
		bool anyway = take_scope(l), told = l->told;

		pthread_mutex_unlock(&l->lock);
		next = clock_now_ns() + LOOK_NS;
		if (told)
			look(l, anyway);
		pthread_mutex_lock(&l->lock);
	}
	pthread_mutex_unlock(&l->lock);
	return NULL;
}

/* ---- outside ---- */

static int start_thread(struct lookout *l)
{
	pthread_condattr_t attr;
	sigset_t all, old;
	int err;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->stop, &attr);
	pthread_condattr_destroy(&attr);
	sigfillset(&all); /* signals are for those who expect them */
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&l->thread, NULL, run, l);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return err;
}

int lookout_start(struct lookout **out, struct fail *fail)
{
	struct lookout *l = calloc(1, sizeof(*l));
	int err;

	*out = NULL;
	if (!l)
		return fail_set(fail, ENOMEM, NULL, "cannot look out for deadlocks");
	err = snap_open(&l->snap, SNAP_AUTO, fail);
	if (err) {
		free(l);
		return err;
	}
	err = start_thread(l);
	if (err) {
		snap_free(l->snap);
		free(l);
		return fail_set(fail, err, NULL, "cannot look out for deadlocks");
	}
	*out = l;
	return 0;
}

void lookout_stop(struct lookout *l)
{
	if (!l)
		return;
	pthread_mutex_lock(&l->lock);
	l->ending = true;
	pthread_cond_signal(&l->stop);
	pthread_mutex_unlock(&l->lock);
	pthread_join(l->thread, NULL);
	pthread_cond_destroy(&l->stop);
	pthread_mutex_destroy(&l->lock);
	suspects_release(&l->suspects);
	waittree_free(l->news);
	snap_free(l->snap);
	free(l->scope.pid);
	free(l->new_scope.pid);
	free(l);
}

struct waittree *lookout_take(struct lookout *l)
{
	struct waittree *t;

	pthread_mutex_lock(&l->lock);
	t = l->news;
	l->news = NULL;
	pthread_mutex_unlock(&l->lock);
	return t;
}
