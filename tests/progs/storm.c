// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A byte written into a pipe and read out of it, again and again, by one thread:
 *
 *     storm [-n PAIRS] [-t SEC] [-p PAIRS] [-l LOG] [-u FILE]
 *
 * -n how many write-read pairs (100000); -t stop after SEC seconds instead; -p no more than so
 * many pairs a millisecond; -l note the progress in a file, every 10 ms a line "MONOTONIC_NS
 * WRITES", the writes that were finished then; -u stop as soon as FILE exists, looked for as often.
 *
 * At the end: `calls=N writes=N`. Calls are all IPC calls it made: two for each pair, and pipe2 and
 * two closes.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000u
#define NS_PER_MS 1000000u
#define LOG_EVERY_NS (10 * NS_PER_MS)

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static void pause_until(uint64_t t_ns)
{
	struct timespec ts = {(time_t)(t_ns / NS_PER_S), (long)(t_ns % NS_PER_S)};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

int main(int argc, char **argv)
{
	uint64_t pairs = 100000, n = 0, per_ms = 0, start = now_ns(), end = 0, logged = 0;
	const char *until = NULL;
	FILE *log = NULL;
	int fds[2], c;
	char byte = 'x';

	while ((c = getopt(argc, argv, "n:t:p:l:u:")) != -1) {
		if (c == 'n')
			pairs = strtoull(optarg, NULL, 10);
		else if (c == 't')
			end = start + (uint64_t)(atof(optarg) * NS_PER_S);
		else if (c == 'p')
			per_ms = strtoull(optarg, NULL, 10);
		else if (c == 'u')
			until = optarg;
		else if (c != 'l' || !(log = fopen(optarg, "w")))
			return 2;
	}
	if (pipe2(fds, O_CLOEXEC) < 0)
		return 1;
	/* The clock is read once in 16 pairs: it should not be what is measured. */
	for (uint64_t t = start; end ? t < end : n < pairs; n++) {
		if (write(fds[1], &byte, 1) != 1 || read(fds[0], &byte, 1) != 1)
			return 1;
		if (n % 16 == 0)
			t = now_ns();
		if (per_ms && n % per_ms == 0)
			pause_until(start + n / per_ms * NS_PER_MS);
		if (log && t >= logged + LOG_EVERY_NS) {
			logged = now_ns();
			fprintf(log, "%" PRIu64 " %" PRIu64 "\n", logged, n + 1);
			fflush(log);
			if (until && access(until, F_OK) == 0) {
				n++;
				break;
			}
		}
	}
	close(fds[0]);
	close(fds[1]);
	printf("calls=%" PRIu64 " writes=%" PRIu64 "\n", 2 * n + 3, n);
	return log ? fclose(log) != 0 : 0;
}
