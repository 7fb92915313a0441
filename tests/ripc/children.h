/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For tests of libripc: a directory of objects of the test's own, and children that run a function.
 * A child checks with CHECK, which ends it with a message; the parent's join_child asserts that it
 * ended well. Nobody lives longer than a test may take.
 */
#ifndef TESTS_RIPC_CHILDREN_H
#define TESTS_RIPC_CHILDREN_H

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/ripc/object.h"

#define TEST_SECONDS 120

static char objects_dir[64];

/* For cmocka's group setup and teardown: RIPC_DIR is a fresh folder, empty again at the end. */
static inline int objects_setup(void **state)
{
	(void)state;
	strcpy(objects_dir, "/dev/shm/ripc-test-XXXXXX");
	if (access("/dev/shm", W_OK) < 0)
		strcpy(objects_dir, "/tmp/ripc-test-XXXXXX");
	alarm(TEST_SECONDS);
	return mkdtemp(objects_dir) ? setenv("RIPC_DIR", objects_dir, 1) : -1;
}

/* Files of objects that somebody still holds (not the directory's own lock); or removes all. */
static inline int objects_left(bool remove_them)
{
	char path[400];
	struct dirent *e;
	int n = 0;
	DIR *d;

	ripc_dir_sweep();
	d = opendir(objects_dir);
	while (d && (e = readdir(d))) {
		if (e->d_name[0] == '.' && !remove_them)
			continue;
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		n += e->d_name[0] != '.';
		snprintf(path, sizeof(path), "%s/%s", objects_dir, e->d_name);
		if (remove_them)
			unlink(path);
	}
	if (d)
		closedir(d);
	return n;
}

static inline int objects_teardown(void **state)
{
	(void)state;
	objects_left(true);
	return rmdir(objects_dir);
}

#define CHECK(what)                                                                                \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			fprintf(stderr, "%s:%d: child %d: not so: %s\n", __FILE__, __LINE__,       \
				(int)getpid(), #what);                                             \
			_exit(99);                                                                 \
		}                                                                                  \
	} while (0)

static inline pid_t start_child(void (*fn)(void *arg), void *arg)
{
	pid_t parent = getpid(), pid;

	fflush(stdout);
	pid = fork();
	assert_true(pid >= 0);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(98);
	alarm(TEST_SECONDS);
	fn(arg);
	_exit(0);
}

static inline int end_of_child(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		assert_int_equal(errno, EINTR);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

#define join_child(pid) assert_int_equal(end_of_child(pid), 0)

static inline void kill_child(pid_t pid)
{
	kill(pid, SIGKILL);
	end_of_child(pid);
}

static inline int64_t test_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* A step of two processes: a kernel pipe that one writes a byte to and the other reads it from. */
struct step {
	int fds[2];
};

static inline void step_init(struct step *s) { assert_int_equal(pipe(s->fds), 0); }

static inline void step_release(struct step *s)
{
	close(s->fds[0]);
	close(s->fds[1]);
}

static inline void step_done(struct step *s)
{
	if (write(s->fds[1], "x", 1) != 1)
		_exit(97);
}

static inline void step_await(struct step *s)
{
	char c;

	if (read(s->fds[0], &c, 1) != 1)
		_exit(96);
}

/* Whether a process sleeps in a futex: it is in a wait of ours. */
static inline bool is_asleep(pid_t pid)
{
	char path[64], state = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "r");
	if (!f)
		return false;
	if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		state = 0;
	fclose(f);
	return state == 'S';
}

/* Until it sleeps, for several looks in a row; at most 5 s. */
static inline bool await_sleep(pid_t pid)
{
	int64_t end = test_now_ms() + 5000;
	int asleep = 0;

	while (test_now_ms() < end && asleep < 5) {
		struct timespec ms = {.tv_nsec = 1000000};

		asleep = is_asleep(pid) ? asleep + 1 : 0;
		nanosleep(&ms, NULL);
	}
	return asleep == 5;
}

/* A Win32 call that fails with this error. */
#define assert_fails(call, error)                                                                  \
	do {                                                                                       \
		SetLastError(0xdeadu);                                                             \
		assert_false(call);                                                                \
		assert_int_equal(GetLastError(), error);                                           \
	} while (0)
#define assert_bad_handle(call, error)                                                             \
	do {                                                                                       \
		SetLastError(0xdeadu);                                                             \
		assert_ptr_equal(call, INVALID_HANDLE_VALUE);                                      \
		assert_int_equal(GetLastError(), error);                                           \
	} while (0)

#endif
