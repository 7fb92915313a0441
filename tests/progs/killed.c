// SPDX-License-Identifier: GPL-2.0-or-later
/*
 *     killed count FILE            a byte into a pipe and out of it, some thousand times a second, until FILE
 *                                  says stop
 *     killed some TIMES FILE       starts TIMES of these, one after another and without a pause in them, and
 *                                  kills each at some moment, the late ones asleep in a read
 *     killed wait FILE COUNT       until FILE says that so many were done (60 s at most)
 *     killed stop FILE             says stop
 *
 * FILE is mapped by all of them: how many bytes have been through the pipe (what is counted there was
 * done, at whatever instruction the program was killed), and whether to stop. `some` prints for each
 * "PID COUNT"; `count` at its end "COUNT".
 */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct shared {
	uint64_t done;
	uint32_t stop;
};

#define LEAST 50
#define MOST 2000
#define FITS 4000 /* with their two records each, into the smallest ring that is the default */
#define PATIENCE_S 60
#define PAUSE_US 200

static volatile struct shared *shared_at(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	void *p = MAP_FAILED;
	if (fd >= 0 && ftruncate(fd, sizeof(struct shared)) == 0)
		p = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED) {
		perror(path);
		exit(1);
	}
	close(fd);
	return p;
}

static int count(volatile struct shared *s, uint64_t most)
{
	int fds[2];
	char byte = 'x';
	if (pipe(fds))
		return 1;
	while (!s->stop) {
		if (write(fds[1], &byte, 1) != 1 || read(fds[0], &byte, 1) != 1)
			return 1;
		if (__atomic_add_fetch(&s->done, 1, __ATOMIC_RELEASE) == most && read(fds[0], &byte, 1) != 1)
			return 1;
		if (!most)
			usleep(PAUSE_US);
	}
	printf("%llu\n", (unsigned long long)s->done);
	return 0;
}

static int wait_for(volatile struct shared *s, uint64_t done)
{
	time_t end = time(NULL) + PATIENCE_S;
	while (s->done < done)
		if (time(NULL) > end || usleep(PAUSE_US))
			return 1;
	return 0;
}

static int some(int times, const char *path, const char *self)
{
	volatile struct shared *s = shared_at(path);
	srandom(1);
	for (int i = 0; i < times; i++) {
		int status;
		s->done = 0;
		pid_t pid = fork();
		if (pid == 0) {
			if (i % 2) /* a fresh program, or the child of one */
				execl(self, "killed", "fresh", path, (char *)NULL);
			_exit(count(s, FITS));
		}
		if (wait_for(s, LEAST + (uint64_t)random() % (MOST - LEAST)))
			return 1;
		kill(pid, SIGKILL);
		if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status))
			return 1;
		printf("%d %llu\n", pid, (unsigned long long)s->done);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "count") == 0)
		return count(shared_at(argv[2]), 0);
	if (argc == 3 && strcmp(argv[1], "fresh") == 0)
		return count(shared_at(argv[2]), FITS);
	if (argc == 4 && strcmp(argv[1], "some") == 0)
		return some(atoi(argv[2]), argv[3], argv[0]);
	if (argc == 4 && strcmp(argv[1], "wait") == 0)
		return wait_for(shared_at(argv[2]), strtoull(argv[3], NULL, 10));
	if (argc == 3 && strcmp(argv[1], "stop") == 0) {
		shared_at(argv[2])->stop = 1;
		return 0;
	}
	return 2;
}
