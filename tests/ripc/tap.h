// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * TAP for the tests of lib/ripc that work with processes, and the few helpers that they share: a
 * directory of objects of their own, a child that runs a function, and waiting until it sleeps.
 */
#ifndef RIPC_TESTS_TAP_H
#define RIPC_TESTS_TAP_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int tap_done, tap_failed;
static char tap_dir[64];

#define OK(condition, name) tap_ok((condition), (name), __FILE__, __LINE__, #condition)
#define IS(got, wanted, name) tap_is((long)(got), (long)(wanted), (name), __FILE__, __LINE__)
/* A call that returns -1 and sets errno to what is wanted. */
#define FAILS(call, wanted, name)                                                                  \
	do {                                                                                       \
		errno = 0;                                                                         \
		long r_ = (long)(call);                                                            \
		int e_ = errno;                                                                    \
		tap_is(r_ == -1 ? e_ : -1, (wanted), (name), __FILE__, __LINE__);                  \
	} while (0)

__attribute__((unused)) static bool tap_ok(bool passed, const char *name, const char *file,
					   int line, const char *what)
{
	printf("%sok %d - %s\n", passed ? "" : "not ", ++tap_done, name);
	if (!passed) {
		tap_failed++;
		fprintf(stderr, "# %s:%d: not true: %s (errno %d)\n", file, line, what, errno);
	}
	fflush(stdout);
	return passed;
}

__attribute__((unused)) static bool tap_is(long got, long wanted, const char *name,
					   const char *file, int line)
{
	printf("%sok %d - %s\n", got == wanted ? "" : "not ", ++tap_done, name);
	if (got != wanted) {
		tap_failed++;
		fprintf(stderr, "# %s:%d: got %ld, wanted %ld\n", file, line, got, wanted);
	}
	fflush(stdout);
	return got == wanted;
}

/* Objects of the test's own, in memory; mode 0700, or what it asks for. */
__attribute__((unused)) static void tap_begin(mode_t mode)
{
	strcpy(tap_dir, "/dev/shm/ripc-test.XXXXXX");
	if (!mkdtemp(tap_dir) || chmod(tap_dir, mode) < 0 || setenv("RIPC_DIR", tap_dir, 1) < 0) {
		printf("Bail out! %s: %s\n", tap_dir, strerror(errno));
		exit(255);
	}
	alarm(60);
}

/* What lies in the directory, but for its lock. */
__attribute__((unused)) static int tap_files(bool show)
{
	int n = 0;
	DIR *d = opendir(tap_dir);
	for (struct dirent *e; d && (e = readdir(d));) {
		if (e->d_name[0] == '.')
			continue;
		n++;
		if (show)
			fprintf(stderr, "# left: %s\n", e->d_name);
	}
	if (d)
		closedir(d);
	return n;
}

__attribute__((unused)) static int tap_end(void)
{
	IS(tap_files(true), 0, "nothing is left behind");
	char command[128];
	snprintf(command, sizeof(command), "rm -rf %s", tap_dir);
	if (system(command) != 0)
		tap_failed++;
	printf("1..%d\n", tap_done);
	return tap_failed ? 1 : 0;
}

/* A child that runs f and exits with what it returns (0..255). */
__attribute__((unused)) static pid_t tap_fork(int (*f)(void *arg), void *arg)
{
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0)
		_exit(f(arg) & 0xff);
	return pid;
}

/* Its exit status; 1000 + the signal that killed it. */
__attribute__((unused)) static int tap_wait(pid_t pid)
{
	int status = 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* true once the process sleeps in the kernel, in futex or (of the kernel's own queues) in ipc */
__attribute__((unused)) static bool tap_sleeps(pid_t pid)
{
	char path[64], line[256];
	snprintf(path, sizeof(path), "/proc/%d/syscall", (int)pid);
	for (int tries = 0; tries < 5000; tries++) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);
		if (fd >= 0)
			close(fd);
		line[n > 0 ? n : 0] = 0;
		/* x86-64 and the generic numbers: futex, msgsnd, msgrcv */
		int nr = n > 0 && line[0] != 'r' ? atoi(line) : -1;
#ifdef __x86_64__
		if (nr == 202 || nr == 69 || nr == 70)
			return true;
#else
		if (nr == 98 || nr == 188 || nr == 189)
			return true;
#endif
		usleep(1000);
	}
	return false;
}

__attribute__((unused)) static void tap_kill(pid_t pid)
{
	kill(pid, SIGKILL);
	tap_wait(pid);
}

#endif
