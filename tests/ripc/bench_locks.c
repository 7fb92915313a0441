// SPDX-License-Identifier: GPL-2.0-or-later
/* What an uncontended lock costs, by libripc and by the C library. */
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

#include "lib/ripc/ripc.h"
#include "tests/ripc/bench.h"

#define TURNS 300000

static pthread_mutex_t mutex, robust;
static sem_t posix_sem;
static struct ripc_cs *cs;
static struct ripc_semaphore *sem;

static void mutex_once(void) { pthread_mutex_lock(&mutex), pthread_mutex_unlock(&mutex); }
static void robust_once(void) { pthread_mutex_lock(&robust), pthread_mutex_unlock(&robust); }
static void posix_sem_once(void) { sem_wait(&posix_sem), sem_post(&posix_sem); }
static void cs_once(void) { ripc_cs_enter(cs), ripc_cs_leave(cs); }
static void sem_once(void) { ripc_semaphore_wait(sem), ripc_semaphore_post(sem, 1); }

const char *const bench_lock_names[BENCH_LOCKS] = {
	"ripc critical section",
	"ripc semaphore",
	"pthread mutex, process-shared",
	"pthread mutex, process-shared and robust",
	"POSIX semaphore, process-shared",
};
static void (*const once[BENCH_LOCKS])(void) = {cs_once, sem_once, mutex_once, robust_once,
						posix_sem_once};

static void *idle(void *arg)
{
	pause();
	return arg;
}

/* With a second thread: the C library may do without atomic instructions while there is but one. */
void bench_locks(int rounds, double ns[BENCH_LOCKS][BENCH_ROUNDS_MAX])
{
	pthread_mutexattr_t a;
	pthread_t t;
	pthread_create(&t, NULL, idle, NULL);
	pthread_mutexattr_init(&a);
	pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&mutex, &a);
	pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&robust, &a);
	sem_init(&posix_sem, 1, 1);
	cs = init_CS("bench");
	sem = init_semaphore(1, "bench");
	for (int r = 0; r < rounds; r++) {
		for (int i = 0; i < BENCH_LOCKS; i++) {
			int64_t start = ripc_now_ns();
			for (int k = 0; k < TURNS; k++)
				once[i]();
			ns[i][r] = (double)(ripc_now_ns() - start) / TURNS;
		}
	}
	ripc_cs_close(cs);
	ripc_semaphore_close(sem);
	pthread_cancel(t);
	pthread_join(t, NULL);
}
