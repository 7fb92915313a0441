// SPDX-License-Identifier: GPL-2.0-or-later
/* See hangs_kit.h. */
#include "hangs_kit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kit.h"

char hang_block[HANG_BIG];
pid_t hang_latest;

bool hang_member(const char *name)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		demo_die("fork");
	hang_latest = pid;
	if (pid)
		return false;
	demo_child(parent, name);
	return true;
}

void hang_got_past(void) { _exit(1); }

void hang_wait_for_all(void)
{
	while (wait(NULL) > 0 || errno == EINTR)
		;
	hang_got_past();
}

void hang_must(bool good, const char *what)
{
	if (!good)
		demo_die(what);
}

void hang_pipe(int fds[2]) { hang_must(pipe(fds) == 0, "pipe"); }

void hang_fill(int fd)
{
	for (size_t done = 0; done < HANG_BIG;) {
		ssize_t n = write(fd, hang_block, HANG_BIG - done);

		hang_must(n > 0, "write");
		done += (size_t)n;
	}
}

void hang_drain(int fd)
{
	while (read(fd, hang_block, sizeof(hang_block)) > 0)
		;
}

void hang_rest_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}

void *hang_shared(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	hang_must(p != MAP_FAILED, "mmap");
	return p;
}

void hang_meet(struct hang_meeting *m, int parties)
{
	__atomic_add_fetch(&m->here, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&m->here, __ATOMIC_SEQ_CST) < parties)
		hang_rest_ms(1);
}

pthread_t hang_thread(void *(*fn)(void *), void *arg)
{
	pthread_t t;

	hang_must(pthread_create(&t, NULL, fn, arg) == 0, "pthread_create");
	return t;
}

void hang_unix_pair(int s[2], int type)
{
	hang_must(socketpair(AF_UNIX, type, 0, s) == 0, "socketpair");
}

int hang_tcp_listener(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int l = socket(AF_INET, SOCK_STREAM, 0);

	hang_must(bind(l, (void *)&a, sizeof(a)) == 0 && listen(l, 1) == 0, "listen");
	return l;
}

void hang_epoll_one(int fd)
{
	struct epoll_event e = { .events = EPOLLIN };
	int ep = epoll_create1(0);

	hang_must(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e) == 0, "epoll_ctl");
	epoll_wait(ep, &e, 1, -1);
}
