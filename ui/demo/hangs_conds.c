// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Cases of the corpus of waits (hangs.h): what in memory nobody owns, or several do. Semaphores,
 * conditions, read-write locks, barriers, bare futexes.
 */
#include "hangs_cases.h"

#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hangs_kit.h"

/* ---- semaphores ---- */

void case_sem_t_abba(void)
{
	struct { sem_t s[2]; struct hang_meeting meeting; } *l = hang_shared(sizeof(*l));

	for (int i = 0; i < 2; i++)
		sem_init(&l->s[i], 1, 1);
	for (int i = 0; i < 2; i++)
		if (hang_member(i ? "st-right" : "st-left")) {
			sem_wait(&l->s[i]);
			hang_meet(&l->meeting, 2);
			sem_wait(&l->s[!i]);
			hang_got_past();
		}
	pause();
	hang_got_past();
}

static sem_t term;
static void on_term(int sig)
{
	(void)sig;
	sem_post(&term);
}

/* How many a daemon waits for its end: a handler posts. */
void case_sem_handler(void)
{
	if (hang_member("sh-waiter")) {
		sem_init(&term, 0, 0);
		signal(SIGTERM, on_term);
		sem_wait(&term);
		hang_got_past();
	}
	hang_wait_for_all();
}

/* The private semaphore's poster is a thread that sleeps for now. */
static sem_t job;

static void *poster(void *arg)
{
	prctl(PR_SET_NAME, "ws-poster");
	for (;;)
		hang_rest_ms(1000);
	return arg;
}

void case_worker_sem(void)
{
	prctl(PR_SET_NAME, "ws-worker");
	sem_init(&job, 0, 0);
	hang_thread(poster, NULL);
	sem_wait(&job);
	hang_got_past();
}

/* ---- conditions ---- */

void case_cond_lost(void)
{
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t cond = PTHREAD_COND_INITIALIZER;

	prctl(PR_SET_NAME, "cl-waiter");
	pthread_cond_signal(&cond); /* nobody waits yet */
	pthread_mutex_lock(&mutex);
	pthread_cond_wait(&cond, &mutex);
	hang_got_past();
}

/* Signalled between processes before anybody waited; who could signal again rests. */
void case_cond_shared(void)
{
	struct { pthread_mutex_t m; pthread_cond_t c; } *s = hang_shared(sizeof(*s));
	pthread_condattr_t ca;
	pthread_mutexattr_t ma;

	pthread_condattr_init(&ca);
	pthread_condattr_setpshared(&ca, PTHREAD_PROCESS_SHARED);
	pthread_cond_init(&s->c, &ca);
	pthread_mutexattr_init(&ma);
	pthread_mutexattr_setpshared(&ma, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&s->m, &ma);
	pthread_cond_signal(&s->c);
	if (hang_member("cs-waiter")) {
		pthread_mutex_lock(&s->m);
		pthread_cond_wait(&s->c, &s->m);
		hang_got_past();
	}
	pause();
	hang_got_past();
}

static struct {
	pthread_mutex_t m;
	pthread_cond_t more, done;
	int queued;
} pool = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER, 0 };

static void pool_submit(void)
{
	pthread_mutex_lock(&pool.m);
	pool.queued++;
	pthread_cond_signal(&pool.more);
	pthread_mutex_unlock(&pool.m);
}

/* Takes a job, which is to have another done by the pool and to wait for that. */
static void *pool_worker(void *arg)
{
	prctl(PR_SET_NAME, "po-worker");
	pthread_mutex_lock(&pool.m);
	while (!pool.queued)
		pthread_cond_wait(&pool.more, &pool.m);
	pool.queued--;
	pthread_mutex_unlock(&pool.m);
	if (!arg) {
		pool_submit();
		pthread_mutex_lock(&pool.m);
		pthread_cond_wait(&pool.done, &pool.m);
	}
	return arg;
}

void case_pool_own_queue(void)
{
	pthread_t t;

	prctl(PR_SET_NAME, "po-main");
	t = hang_thread(pool_worker, NULL);
	hang_thread(pool_worker, NULL);
	pool_submit();
	pool_submit();
	pthread_join(t, NULL);
	hang_got_past();
}

/* A server with nothing to do: it listens, and its workers wait for jobs. */
void case_pool_idle(void)
{
	int l = hang_tcp_listener();

	prctl(PR_SET_NAME, "pi-main");
	for (intptr_t i = 0; i < 3; i++)
		hang_thread(pool_worker, (void *)(i + 1));
	hang_epoll_one(l);
	hang_got_past();
}

/* ---- read-write locks ---- */

void case_rwlock_paused(void)
{
	struct { pthread_rwlock_t l; struct hang_meeting meeting; } *s = hang_shared(sizeof(*s));
	pthread_rwlockattr_t a;

	pthread_rwlockattr_init(&a);
	pthread_rwlockattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	pthread_rwlock_init(&s->l, &a);
	if (hang_member("rw-reader")) {
		pthread_rwlock_rdlock(&s->l);
		hang_meet(&s->meeting, 2);
		pause();
		hang_got_past();
	}
	if (hang_member("rw-writer")) {
		hang_meet(&s->meeting, 2);
		pthread_rwlock_wrlock(&s->l);
		hang_got_past();
	}
	pause();
	hang_got_past();
}

/* A reader that comes again behind a writer, where writers come first. */
void case_rwlock_again(void)
{
	struct { pthread_rwlock_t l; struct hang_meeting meeting; } *s = hang_shared(sizeof(*s));
	pthread_rwlockattr_t a;

	pthread_rwlockattr_init(&a);
	pthread_rwlockattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	pthread_rwlockattr_setkind_np(&a, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&s->l, &a);
	if (hang_member("ra-reader")) {
		pthread_rwlock_rdlock(&s->l);
		hang_meet(&s->meeting, 2);
		while (pthread_rwlock_tryrdlock(&s->l) == 0) { /* until the writer waits */
			pthread_rwlock_unlock(&s->l);
			hang_rest_ms(1);
		}
		pthread_rwlock_rdlock(&s->l);
		hang_got_past();
	}
	if (hang_member("ra-writer")) {
		hang_meet(&s->meeting, 2);
		pthread_rwlock_wrlock(&s->l);
		hang_got_past();
	}
	hang_wait_for_all();
}

/* A writer has it, and both wait for each other. */
void case_rwlock_writer(void)
{
	struct { pthread_rwlock_t l[2]; struct hang_meeting meeting; } *s = hang_shared(sizeof(*s));
	pthread_rwlockattr_t a;

	pthread_rwlockattr_init(&a);
	pthread_rwlockattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	for (int i = 0; i < 2; i++)
		pthread_rwlock_init(&s->l[i], &a);
	for (int i = 0; i < 2; i++)
		if (hang_member(i ? "rx-right" : "rx-left")) {
			pthread_rwlock_wrlock(&s->l[i]);
			hang_meet(&s->meeting, 2);
			if (i)
				pthread_rwlock_wrlock(&s->l[0]);
			else
				pthread_rwlock_rdlock(&s->l[1]);
			hang_got_past();
		}
	hang_wait_for_all();
}

/* ---- barriers and bare futexes ---- */

void case_barrier_short(void)
{
	pthread_barrier_t *b = hang_shared(sizeof(*b));
	pthread_barrierattr_t a;

	pthread_barrierattr_init(&a);
	pthread_barrierattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(b, &a, 3);
	for (int i = 0; i < 2; i++)
		if (hang_member(i ? "bs-two" : "bs-one")) {
			pthread_barrier_wait(b);
			hang_got_past();
		}
	pause();
	hang_got_past();
}

/* Any one of two words of shared memory would do. */
void case_futex_many(void)
{
	struct waiter { /* struct futex_waitv */
		uint64_t val, address;
		uint32_t flags, reserved;
	};
	uint32_t *word = hang_shared(2 * sizeof(*word));

	for (int i = 0; i < 2; i++)
		if (hang_member(i ? "fm-right" : "fm-left")) {
			struct waiter v[2] = { { 0, (uintptr_t)&word[0], 2, 0 },
					       { 0, (uintptr_t)&word[1], 2, 0 } };

			hang_must(syscall(449 /* futex_waitv */, v, 2, 0, NULL, 0) >= 0, "futex_waitv");
			hang_got_past();
		}
	hang_wait_for_all();
}
