// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One pipe, written to under many names, each its own number of times:
 *
 *     morph         3  the program as started
 *     morph-two     4  … after it renamed itself
 *     morph-thread  5  a thread of it, with a name of its own
 *     morph-child   7  a child, after fork
 *     morph         6  that child, after it executed the program anew
 *     morph-new     2  … and renamed itself again
 *
 * The parent reads the 27 bytes. Prints `main=PID thread=TID child=PID`.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t thread_tid;

static void write_times(int fd, int n)
{
	while (n-- > 0)
		if (write(fd, "x", 1) != 1)
			exit(1);
}

static void *thread_main(void *arg)
{
	thread_tid = gettid();
	prctl(PR_SET_NAME, "morph-thread");
	write_times((int)(intptr_t)arg, 5);
	return NULL;
}

static void child_main(char *self, int fd)
{
	char number[16];

	prctl(PR_SET_NAME, "morph-child");
	write_times(fd, 7);
	snprintf(number, sizeof(number), "%d", fd);
	execl(self, self, number, NULL);
	_exit(127);
}

int main(int argc, char **argv)
{
	char buf[64];
	int fds[2], status, got = 0;
	pthread_t thread;
	pid_t child;

	alarm(20);
	if (argc > 1) { /* the child, anew */
		write_times(atoi(argv[1]), 6);
		prctl(PR_SET_NAME, "morph-new");
		write_times(atoi(argv[1]), 2);
		return 0;
	}
	if (pipe(fds) < 0)
		return 1;
	write_times(fds[1], 3);
	prctl(PR_SET_NAME, "morph-two");
	write_times(fds[1], 4);
	if (pthread_create(&thread, NULL, thread_main, (void *)(intptr_t)fds[1]) != 0)
		return 1;
	pthread_join(thread, NULL);
	child = fork();
	if (child == 0)
		child_main(argv[0], fds[1]);
	if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
		return 1;
	close(fds[1]);
	for (ssize_t n; (n = read(fds[0], buf, sizeof(buf))) > 0;)
		got += (int)n;
	printf("main=%d thread=%d child=%d\n", getpid(), thread_tid, child);
	return got != 27;
}
