/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For programs that make every form of every call of some families, each with a known outcome. Calls
 * are made by number, since libc turns some into others (accept into accept4, pipe into pipe2). What
 * did not return as it should is told on standard error and counted in `failures`.
 */
#ifndef IPCTAP_TESTS_FORMS_H
#define IPCTAP_TESTS_FORMS_H

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int failures;

static inline long check(int line, const char *call, long ret, long wanted)
{
	long got = ret == -1 ? -errno : ret;

	if (got != wanted) {
		fprintf(stderr, "%s:%d: %s gave %ld, not %ld\n", program_invocation_short_name, line, call, got,
			wanted);
		failures++;
	}
	return ret;
}

static inline long check_good(int line, const char *call, long ret)
{
	return check(line, call, ret, ret < 0 ? 0 : ret);
}

/* W(wanted, call, args…): the return value must be `wanted`, a negative errno on failure */
#define W(wanted, call, ...) check(__LINE__, #call, syscall(SYS_##call, ##__VA_ARGS__), wanted)
/* G(call, args…): any return value but failure: a new descriptor, id or address */
#define G(call, ...) check_good(__LINE__, #call, syscall(SYS_##call, ##__VA_ARGS__))
#define FD(call, ...) ((int)G(call, ##__VA_ARGS__))
#define CLOSE(fd) W(0, close, fd)

/* fork; 0 in the child */
static inline pid_t child(void)
{
	pid_t pid;

	fflush(stderr);
	pid = fork();
	if (pid < 0)
		exit(99);
	return pid;
}

/* Until the process or thread sleeps: it can only do so in the call that it is to be found in. */
static inline void until_asleep(pid_t pid)
{
	char path[64], stat[256], state = '?';

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	for (int tries = 0; tries < 20000 && state != 'S'; tries++) {
		FILE *f = fopen(path, "re");
		const char *end;

		if (!f || !fgets(stat, sizeof(stat), f))
			exit(98);
		fclose(f);
		end = strrchr(stat, ')');
		state = end ? end[2] : '?';
		sched_yield();
	}
}

#endif
