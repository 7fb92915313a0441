// SPDX-License-Identifier: GPL-2.0-or-later
/* Cases of the corpus of waits (hangs.h): locks that have an owner, in memory, and pthread_join. */
#include "hangs_cases.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hangs_kit.h"

struct two_locks {
	pthread_mutex_t m[2];
	struct hang_meeting meeting;
};

enum { ROBUST = 1, PI = 2, PRIVATE = 4 };

static void locks_init(struct two_locks *l, int how)
{
	pthread_mutexattr_t a;

	pthread_mutexattr_init(&a);
	if (!(how & PRIVATE))
		pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	if (how & ROBUST)
		pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
	if (how & PI)
		pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT);
	for (int i = 0; i < 2; i++)
		pthread_mutex_init(&l->m[i], &a);
	l->meeting.here = 0;
}

/* ---- lock order ---- */

static void abba(struct two_locks *l, int first)
{
	pthread_mutex_lock(&l->m[first]);
	hang_meet(&l->meeting, 2);
	pthread_mutex_lock(&l->m[!first]);
}

static void mutex_abba_how(int how, const char *left, const char *right)
{
	struct two_locks *l = hang_shared(sizeof(*l));

	locks_init(l, how);
	for (int i = 0; i < 2; i++)
		if (hang_member(i ? right : left)) {
			abba(l, i);
			hang_got_past();
		}
	hang_wait_for_all();
}

void case_mutex_abba(void) { mutex_abba_how(0, "ma-left", "ma-right"); }
void case_robust_abba(void) { mutex_abba_how(ROBUST, "ra-left", "ra-right"); }
void case_pi_abba(void) { mutex_abba_how(PI, "pi-left", "pi-right"); }

static struct two_locks local;

static void *thread_left(void *arg)
{
	prctl(PR_SET_NAME, "ta-left");
	abba(&local, 0);
	return arg;
}

static void *thread_right(void *arg)
{
	prctl(PR_SET_NAME, "ta-right");
	abba(&local, 1);
	return arg;
}

void case_threads_abba(void)
{
	locks_init(&local, PRIVATE);
	pthread_t a = hang_thread(thread_left, NULL);

	hang_thread(thread_right, NULL);
	pthread_join(a, NULL);
	hang_got_past();
}

void case_mutex_self(void)
{
	locks_init(&local, PRIVATE);
	prctl(PR_SET_NAME, "ms-self");
	pthread_mutex_lock(&local.m[0]);
	pthread_mutex_lock(&local.m[0]);
	hang_got_past();
}

/* One holds the stream and wants the mutex, the other has the mutex and wants to print. */
static void *stdio_left(void *arg)
{
	prctl(PR_SET_NAME, "sl-stream");
	flockfile(arg);
	hang_meet(&local.meeting, 2);
	pthread_mutex_lock(&local.m[0]);
	return arg;
}

static void *stdio_right(void *arg)
{
	prctl(PR_SET_NAME, "sl-mutex");
	pthread_mutex_lock(&local.m[0]);
	hang_meet(&local.meeting, 2);
	fputc('x', arg);
	return arg;
}

void case_stdio_lock(void)
{
	FILE *f = fopen("/dev/null", "w");

	hang_must(f != NULL, "/dev/null");
	locks_init(&local, PRIVATE);
	pthread_t a = hang_thread(stdio_left, f);

	hang_thread(stdio_right, f);
	pthread_join(a, NULL);
	hang_got_past();
}

/* ---- owners that died, stopped, or work ---- */

static void owner_died_how(int how, const char *waiter)
{
	struct two_locks *l = hang_shared(sizeof(*l));

	locks_init(l, how);
	if (hang_member("od-owner")) {
		pthread_mutex_lock(&l->m[0]);
		_exit(0);
	}
	wait(NULL);
	if (hang_member(waiter)) {
		if (pthread_mutex_lock(&l->m[0]) == EOWNERDEAD)
			for (;;)
				hang_rest_ms(1000);
		hang_got_past();
	}
	hang_wait_for_all();
}

void case_owner_died(void) { owner_died_how(0, "od-waiter"); }
void case_robust_died(void) { owner_died_how(ROBUST, "rd-waiter"); }

void case_stopped_owner(void)
{
	struct two_locks *l = hang_shared(sizeof(*l));

	locks_init(l, 0);
	if (hang_member("so-owner")) {
		pthread_mutex_lock(&l->m[0]);
		hang_meet(&l->meeting, 2);
		raise(SIGSTOP);
		hang_got_past();
	}
	if (hang_member("so-waiter")) {
		hang_meet(&l->meeting, 2);
		pthread_mutex_lock(&l->m[0]);
		hang_got_past();
	}
	hang_wait_for_all();
}

void case_busy(void)
{
	struct two_locks *l = hang_shared(sizeof(*l));
	volatile unsigned long n = 0;

	locks_init(l, 0);
	if (hang_member("bu-owner")) {
		pthread_mutex_lock(&l->m[0]);
		hang_meet(&l->meeting, 2);
		for (;;)
			n = n + 1;
	}
	if (hang_member("bu-waiter")) {
		hang_meet(&l->meeting, 2);
		pthread_mutex_lock(&l->m[0]);
		hang_got_past();
	}
	hang_wait_for_all();
}

/* ---- locks and fork ---- */

static void *hold_and_sleep(void *arg)
{
	pthread_mutex_lock(&local.m[0]);
	hang_meet(&local.meeting, 2);
	hang_rest_ms(3600 * 1000);
	return arg;
}

void case_fork_held(void)
{
	locks_init(&local, PRIVATE);
	hang_thread(hold_and_sleep, NULL);
	hang_meet(&local.meeting, 2);
	if (hang_member("fh-child")) {
		pthread_mutex_lock(&local.m[0]);
		hang_got_past();
	}
	hang_wait_for_all();
}

static void *hold_stream(void *arg)
{
	flockfile(arg);
	hang_meet(&local.meeting, 2);
	hang_rest_ms(3600 * 1000);
	return arg;
}

/* glibc makes the locks of streams anew in a child of fork. */
void case_fork_printf(void)
{
	FILE *f = fopen("/dev/null", "w");

	hang_must(f != NULL, "/dev/null");
	locks_init(&local, PRIVATE);
	hang_thread(hold_stream, f);
	hang_meet(&local.meeting, 2);
	if (hang_member("fp-child"))
		for (;;) {
			fprintf(f, "it goes on\n");
			hang_rest_ms(500);
		}
	hang_wait_for_all();
}

/* ---- malloc and a signal handler ---- */

static void on_usr1(int sig)
{
	(void)sig;
	/*
	 * Calls malloc, which was interrupted with its lock held. Should it not have been, the stream stays
	 * open: the next one would get this one's memory from the thread's own cache, without the lock.
	 */
	(void)!popen("true", "r");
}

static void *nothing(void *arg) { return arg; }

/* Is in malloc's lock nearly all of the time: there is much for it to give back. */
static void malloc_without_end(void)
{
	static void *chunk[4000];

	pthread_join(hang_thread(nothing, NULL), NULL); /* from the second thread on, malloc locks */
	for (;;) {
		for (int i = 0; i < 4000; i++)
			chunk[i] = malloc(10000);
		for (int i = 0; i < 4000; i += 2)
			free(chunk[i]);
		for (int i = 0; i < 20; i++)
			malloc_trim(0);
		for (int i = 1; i < 4000; i += 2)
			free(chunk[i]);
	}
}

void case_popen_handler(void)
{
	signal(SIGUSR1, on_usr1); /* before the fork: the first signal may come before the member runs */
	if (hang_member("hp-self"))
		malloc_without_end();
	/* What a signal hits is chance, so they come without end: once it hangs, one more only waits. */
	while (waitpid(hang_latest, NULL, WNOHANG) == 0) {
		hang_rest_ms(500);
		kill(hang_latest, SIGUSR1);
	}
	hang_got_past();
}

/* ---- pthread_join ---- */

static pthread_t joiners[3];
static struct hang_meeting joiners_meeting;

static void *join_next(void *arg)
{
	int i = (int)(intptr_t)arg;

	prctl(PR_SET_NAME, i == 0 ? "jc-one" : i == 1 ? "jc-two" : "jc-three");
	hang_meet(&joiners_meeting, 4);
	pthread_join(joiners[(i + 1) % 3], NULL);
	return NULL;
}

void case_join_cycle(void)
{
	for (intptr_t i = 0; i < 3; i++)
		joiners[i] = hang_thread(join_next, (void *)i);
	hang_meet(&joiners_meeting, 4);
	pause();
	hang_got_past();
}
