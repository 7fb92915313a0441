// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * syscost pipe|getppid|mutex CALLS: makes so many calls, pinned to one CPU, and prints what one
 * took: "ns_per_call=550.3 calls=400000". What a tracer adds is the difference between two runs.
 *
 * pipe writes one byte and reads it back, so half the calls are writes; of mutex one "call" is a lock
 * and its unlock, which nobody contends for and which make no system call. The clock starts after a
 * tenth of the calls, when caches and the tracer's own tables are warm.
 */
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* To the last CPU allowed: the first ones serve interrupts, and the tracer takes what is left. */
static int pin(void)
{
	cpu_set_t all, one;
	int last = -1;

	if (sched_getaffinity(0, sizeof(all), &all))
		return -1;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &all))
			last = cpu;
	CPU_ZERO(&one);
	CPU_SET(last, &one);
	return sched_setaffinity(0, sizeof(one), &one);
}

static int pipe_calls(long calls)
{
	static int fd[2];
	char byte = 'x';

	if (!fd[1] && pipe(fd))
		return -1;
	for (long i = 0; i < calls / 2; i++)
		if (write(fd[1], &byte, 1) != 1 || read(fd[0], &byte, 1) != 1)
			return -1;
	return 0;
}

static int getppid_calls(long calls)
{
	for (long i = 0; i < calls; i++)
		syscall(SYS_getppid);
	return 0;
}

static int mutex_calls(long calls)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

	for (long i = 0; i < calls; i++)
		if (pthread_mutex_lock(&lock) || pthread_mutex_unlock(&lock))
			return -1;
	return 0;
}

int main(int argc, char **argv)
{
	int (*work)(long) = NULL;
	long calls = argc == 3 ? atol(argv[2]) : 0;

	if (argc == 3 && !strcmp(argv[1], "pipe"))
		work = pipe_calls;
	else if (argc == 3 && !strcmp(argv[1], "getppid"))
		work = getppid_calls;
	else if (argc == 3 && !strcmp(argv[1], "mutex"))
		work = mutex_calls;
	if (!work || calls < 20 || calls > 100000000) {
		fprintf(stderr, "usage: syscost pipe|getppid|mutex CALLS (20 to 100000000)\n");
		return 2;
	}
	if (pin()) {
		perror("syscost: pin");
		return 1;
	}

	long warm = calls / 10 & ~1L, timed = (calls - warm) & ~1L;

	if (work(warm)) {
		perror("syscost");
		return 1;
	}
	uint64_t from_ns = now_ns();

	if (work(timed)) {
		perror("syscost");
		return 1;
	}
	printf("ns_per_call=%.1f calls=%ld\n", (double)(now_ns() - from_ns) / (double)timed,
	       warm + timed);
	return 0;
}
