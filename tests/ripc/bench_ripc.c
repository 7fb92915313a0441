// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a message costs, by libripc and by its neighbours, and what an uncontended lock costs.
 *
 *     bench_ripc [ROUNDS]        default 5; RIPC_BENCH_MS milliseconds for each run (60)
 *
 * Every figure is the median over rounds; in a round all carriers take turns, so that what else the
 * machine does hits them alike. The receiver runs on one CPU, the senders on another, unless
 * RIPC_BENCH_PIN=0 leaves that to the scheduler. Exits 1 when a goal is missed.
 */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/ripc/ripc.h"
#include "tests/ripc/bench.h"

#define ROUNDS_MAX 101
#define SENDERS_MAX 8

static const struct bench_carrier *carriers[BENCH_MOST];
static int ncarriers;
static int64_t run_ns;
static char text[65536];

/* ---- runs ---- */

static void run_on(unsigned cpu)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	const char *pin = getenv("RIPC_BENCH_PIN");
	if (sysconf(_SC_NPROCESSORS_ONLN) > 1 && !(pin && *pin == '0'))
		sched_setaffinity(0, sizeof(set), &set);
}

static void stop(const pid_t *pids, int n)
{
	for (int i = 0; i < n; i++) {
		if (pids[i] <= 0)
			continue;
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
}

static pid_t start_sender(const struct bench_carrier *c, size_t bytes)
{
	pid_t pid = fork();
	if (pid == 0) {
		run_on(1);
		while (!c->send(BENCH_THERE, text, bytes))
			;
		_exit(1);
	}
	return pid;
}

/* Messages a second that one receiver gets of so many senders; < 0 when it cannot be done. */
static double one_way(const struct bench_carrier *c, size_t bytes, int senders)
{
	unsigned depth = bytes <= 64 ? 1024 : bytes <= 1024 ? 256 : 16;
	pid_t pids[SENDERS_MAX] = {0};
	double rate = -1;
	if (c->open(bytes, depth) == 0) {
		long n = 0, every = bytes > 1024 ? 4 : 64;
		bool works = true;
		for (int i = 0; i < senders; i++) {
			pids[i] = start_sender(c, bytes);
			works &= pids[i] > 0;
		}
		for (int i = 0; works && i < 64; i++) /* they have started, caches are warm */
			works = !c->receive(BENCH_THERE, text, bytes);
		int64_t start = ripc_now_ns(), now = start;
		for (; works && now - start < run_ns; now = ripc_now_ns()) {
			for (long k = 0; works && k < every; k++, n++)
				works = !c->receive(BENCH_THERE, text, bytes);
		}
		rate = works ? (double)n * 1e9 / (double)(now - start) : -1;
		stop(pids, senders);
	}
	c->close();
	return rate;
}

/* Microseconds there and back. */
static double round_trip(const struct bench_carrier *c, size_t bytes, int clients)
{
	double us = -1;
	(void)clients;
	if (c->open(bytes, 16) == 0) {
		pid_t pid = fork();
		if (pid == 0) {
			run_on(1);
			while (!c->receive(BENCH_THERE, text, bytes) &&
			       !c->send(BENCH_BACK, text, bytes))
				;
			_exit(1);
		}
		long n = 0;
		int64_t start = ripc_now_ns(), now = start;
		for (; pid > 0 && now - start < run_ns; now = ripc_now_ns(), n++) {
			if (c->send(BENCH_THERE, text, bytes) || c->receive(BENCH_BACK, text, bytes))
				break;
		}
		us = n ? (double)(now - start) / 1e3 / (double)n : -1;
		stop(&pid, 1);
	}
	c->close();
	return us;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static double median(double *v, int n)
{
	qsort(v, (size_t)n, sizeof(*v), by_value);
	return v[n / 2];
}

/* One column: the medians of all carriers. */
static void measure(double (*run)(const struct bench_carrier *, size_t, int), size_t bytes,
		    int senders, int rounds, double *out)
{
	static double v[BENCH_MOST][ROUNDS_MAX];
	for (int r = 0; r < rounds; r++) {
		for (int i = 0; i < ncarriers; i++)
			v[i][r] = run(carriers[i], bytes, senders);
	}
	for (int i = 0; i < ncarriers; i++)
		out[i] = median(v[i], rounds);
}

/* ---- locks, uncontended ---- */

static pthread_mutex_t mutex, robust;
static sem_t posix_sem;
static struct ripc_cs *cs;
static struct ripc_semaphore *sem;

static void mutex_once(void) { pthread_mutex_lock(&mutex), pthread_mutex_unlock(&mutex); }
static void robust_once(void) { pthread_mutex_lock(&robust), pthread_mutex_unlock(&robust); }
static void posix_sem_once(void) { sem_wait(&posix_sem), sem_post(&posix_sem); }
static void cs_once(void) { ripc_cs_enter(cs), ripc_cs_leave(cs); }
static void sem_once(void) { ripc_semaphore_wait(sem), ripc_semaphore_post(sem, 1); }

static const struct {
	const char *name;
	void (*once)(void);
} locks[] = {
	{"ripc critical section", cs_once},
	{"ripc semaphore", sem_once},
	{"pthread mutex, process-shared", mutex_once},
	{"pthread mutex, process-shared and robust", robust_once},
	{"POSIX semaphore, process-shared", posix_sem_once},
};
#define LOCKS 5

static void *idle(void *arg)
{
	pause();
	return arg;
}

/* With a second thread: the C library may do without atomic instructions while there is but one. */
static void measure_locks(int rounds, double *ns)
{
	static double v[LOCKS][ROUNDS_MAX];
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
		for (int i = 0; i < LOCKS; i++) {
			int64_t start = ripc_now_ns();
			for (int k = 0; k < 300000; k++)
				locks[i].once();
			v[i][r] = (double)(ripc_now_ns() - start) / 300000;
		}
	}
	for (int i = 0; i < LOCKS; i++)
		ns[i] = median(v[i], rounds);
	ripc_cs_close(cs);
	ripc_semaphore_close(sem);
}

/* ---- the table ---- */

static const size_t sizes[] = {64, 1024, 65536};
#define SIZES 3
typedef double table[SIZES][BENCH_MOST];

static void print_table(const char *title, const char *unit, table t, double scale)
{
	printf("\n%-32s %12s %12s %12s\n", title, "64 B", "1 KiB", "64 KiB");
	for (int i = 0; i < ncarriers; i++) {
		printf("  %-30s", carriers[i]->name);
		for (int s = 0; s < SIZES; s++) {
			if (t[s][i] < 0)
				printf(" %12s", "-");
			else
				printf(" %12.*f", t[s][i] * scale < 0.1 ? 4 : 2, t[s][i] * scale);
		}
		printf("  %s\n", unit);
	}
	fflush(stdout);
}

static void fill_table(table t, double (*run)(const struct bench_carrier *, size_t, int),
		       int senders, int rounds)
{
	for (int s = 0; s < SIZES; s++)
		measure(run, sizes[s], senders, rounds, t[s]);
}

static int goals_missed;

static void goal(const char *name, double got, double wanted, bool more_is_better)
{
	bool met = more_is_better ? got >= wanted : got <= wanted;
	goals_missed += !met;
	printf("  %-6s %-50s %.2f (goal %s %.2f)\n", met ? "met" : "MISSED", name, got,
	       more_is_better ? ">=" : "<=", wanted);
}

static double best_other(const double *v, bool most)
{
	double b = -1;
	for (int i = BENCH_OURS; i < ncarriers; i++) {
		if (v[i] >= 0 && (b < 0 || (most ? v[i] > b : v[i] < b)))
			b = v[i];
	}
	return b;
}

int main(int argc, char **argv)
{
	static table way1, way4, trip;
	static double ns[LOCKS];
	int rounds = argc > 1 ? atoi(argv[1]) : 5;
	const char *ms = getenv("RIPC_BENCH_MS");
	if (rounds < 1 || rounds > ROUNDS_MAX)
		rounds = 5;
	run_ns = (ms ? atoi(ms) : 60) * 1000000ll;
	for (int i = 0; i < BENCH_OURS; i++)
		carriers[ncarriers++] = &bench_ours[i];
	for (int i = 0; i < bench_nkernels; i++)
		carriers[ncarriers++] = &bench_kernels[i];
#ifdef BENCH_BOOST
	carriers[ncarriers++] = &bench_boost;
#endif
	run_on(0);
	printf("medians of %d rounds of %d ms\n", rounds, (int)(run_ns / 1000000));
	fill_table(way1, one_way, 1, rounds);
	print_table("one way, one producer", "M messages/s", way1, 1e-6);
	fill_table(way4, one_way, 4, rounds);
	print_table("one way, four producers", "M messages/s", way4, 1e-6);
	fill_table(trip, round_trip, 1, rounds);
	print_table("round trip", "us", trip, 1);
	measure_locks(rounds, ns);
	printf("\nuncontended, taken and given back\n");
	for (int i = 0; i < LOCKS; i++)
		printf("  %-46s %8.1f ns\n", locks[i].name, ns[i]);

	printf("\ngoals\n");
	goal("64 B one way, over the best of the others", way1[0][0] / best_other(way1[0], true), 2,
	     true);
	goal("64 B round trip, over the fastest of the others",
	     trip[0][0] / best_other(trip[0], false), 1, false);
	goal("critical section, over a pthread mutex", ns[0] / ns[2], 2, false);
	goal("semaphore, over a pthread mutex", ns[1] / ns[2], 2, false);
	return goals_missed ? 1 : 0;
}
