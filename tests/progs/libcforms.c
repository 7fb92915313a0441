// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Each function of libc that moves something between processes or makes what it moves through, called as
 * programs call them. What the kernel sees of it and what a library in between sees must be the same.
 * Status 1: one of them failed that should not have.
 */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static char buf[64];
static struct iovec two[2] = { { buf, 3 }, { buf + 3, 5 } };
static struct msghdr message = { .msg_iov = two, .msg_iovlen = 2 };
static int failures;

#define GIVES(wanted, call)                                                                        \
	do {                                                                                       \
		if ((long)(call) != (wanted)) {                                                    \
			fprintf(stderr, "libcforms: %s: %s\n", #call, strerror(errno));            \
			failures++;                                                                \
		}                                                                                  \
	} while (0)
#define WORKS(call) GIVES(1, (call) >= 0)

static void pipes(void)
{
	int a[2], b[2];
	WORKS(pipe(a));
	WORKS(pipe2(b, O_NONBLOCK));
	GIVES(10, write(a[1], buf, 10));
	GIVES(4, read(a[0], buf, 4));
	GIVES(6, readv(a[0], two, 2));
	GIVES(-1, read(b[0], buf, 1));
	GIVES(8, writev(a[1], two, 2));
	GIVES(8, tee(a[0], b[1], 8, 0));
	GIVES(8, splice(a[0], NULL, b[1], NULL, 8, 0));
	GIVES(16, read(b[0], buf, 16));
	GIVES(8, vmsplice(a[1], two, 2, 0));
	GIVES(8, read(a[0], buf, 8));
	int copy = dup(a[0]);
	WORKS(copy);
	GIVES(20, dup2(a[0], 20));
	GIVES(21, dup3(a[0], 21, O_CLOEXEC));
	GIVES(30, fcntl(a[0], F_DUPFD, 30));
	WORKS(close(20));
	WORKS(close_range(21, 30, 0));
	WORKS(close(copy));
	for (int i = 0; i < 2; i++) {
		WORKS(close(a[i]));
		WORKS(close(b[i]));
	}
	char path[] = "libcforms.fifo";
	WORKS(mkfifo(path, 0600));
	int fd = open(path, O_RDWR);
	GIVES(4, write(fd, buf, 4));
	GIVES(4, read(fd, buf, 4));
	WORKS(close(fd));
	WORKS(unlink(path));
}

static void unix_sockets(void)
{
	struct mmsghdr many[2] = { { .msg_hdr = message }, { .msg_hdr = message } };
	int s[2];
	WORKS(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	GIVES(3, send(s[0], buf, 3, 0));
	GIVES(3, recv(s[1], buf, 3, 0));
	GIVES(4, sendto(s[0], buf, 4, 0, NULL, 0));
	GIVES(4, recvfrom(s[1], buf, 4, 0, NULL, NULL));
	GIVES(8, sendmsg(s[0], &message, 0));
	GIVES(8, recvmsg(s[1], &message, 0));
	GIVES(2, write(s[1], buf, 2));
	GIVES(2, read(s[0], buf, 2));
	WORKS(shutdown(s[0], SHUT_WR));
	GIVES(0, read(s[1], buf, 1));
	WORKS(close(s[0]));
	WORKS(close(s[1]));
	WORKS(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
	GIVES(2, sendmmsg(s[0], many, 2, 0));
	GIVES(2, recvmmsg(s[1], many, 2, 0, NULL));
	GIVES(-1, recv(s[1], buf, 1, MSG_DONTWAIT));
	WORKS(close(s[0]));
	WORKS(close(s[1]));
}

static void inet_sockets(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(at);
	int l = socket(AF_INET, SOCK_STREAM, 0), c = socket(AF_INET, SOCK_STREAM, 0);
	WORKS(bind(l, (struct sockaddr *)&at, len));
	WORKS(listen(l, 5));
	WORKS(getsockname(l, (struct sockaddr *)&at, &len));
	WORKS(connect(c, (struct sockaddr *)&at, len));
	int s = accept(l, NULL, NULL);
	WORKS(s);
	GIVES(7, write(c, buf, 7));
	GIVES(7, read(s, buf, 7));
	GIVES(9, send(s, buf, 9, 0));
	GIVES(9, recv(c, buf, 9, 0));
	WORKS(close(c));
	GIVES(0, read(s, buf, 1));
	WORKS(close(s));
	WORKS(close(l));
	int u = socket(AF_INET, SOCK_DGRAM, 0), w = socket(AF_INET, SOCK_DGRAM, 0);
	at.sin_port = 0;
	WORKS(bind(u, (struct sockaddr *)&at, len));
	WORKS(getsockname(u, (struct sockaddr *)&at, &len));
	GIVES(6, sendto(w, buf, 6, 0, (struct sockaddr *)&at, len));
	GIVES(6, recv(u, buf, 6, 0));
	WORKS(connect(w, (struct sockaddr *)&at, len));
	GIVES(5, send(w, buf, 5, 0));
	GIVES(5, recvfrom(u, buf, 5, 0, (struct sockaddr *)&at, &len));
	GIVES(2, sendto(u, buf, 2, 0, (struct sockaddr *)&at, len));
	GIVES(2, recv(w, buf, 2, 0));
	WORKS(close(u));
	WORKS(close(w));
}

static void events_and_signals(void)
{
	struct signalfd_siginfo info;
	eventfd_t value;
	sigset_t set;
	int e = eventfd(3, 0), sig = 0;
	WORKS(eventfd_read(e, &value));
	WORKS(eventfd_write(e, 2));
	GIVES(8, read(e, buf, 8));
	WORKS(close(e));
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	WORKS(sigprocmask(SIG_BLOCK, &set, NULL));
	int fd = signalfd(-1, &set, 0);
	WORKS(kill(getpid(), SIGUSR1));
	GIVES(sizeof(info), read(fd, &info, sizeof(info)));
	WORKS(raise(SIGUSR1));
	GIVES(0, sigwait(&set, &sig));
	WORKS(close(fd));
}

static void system_v(void)
{
	struct { long type; char text[8]; } m = { 5, "abc" };
	struct sembuf op = { 0, 2, 0 };
	int q = msgget(IPC_PRIVATE, 0600), sem = semget(IPC_PRIVATE, 1, 0600), shm = shmget(IPC_PRIVATE, 4096, 0600);
	WORKS(msgsnd(q, &m, 8, 0));
	GIVES(8, msgrcv(q, &m, 8, 0, 0));
	WORKS(msgctl(q, IPC_RMID, NULL));
	WORKS(semop(sem, &op, 1));
	op.sem_op = -1;
	WORKS(semop(sem, &op, 1));
	WORKS(semctl(sem, 0, IPC_RMID));
	void *p = shmat(shm, NULL, 0);
	WORKS(shmctl(shm, IPC_RMID, NULL));
	WORKS(shmdt(p));
}

static void posix(void)
{
	char name[32], room[8192];
	snprintf(name, sizeof(name), "/libcforms-%d", getpid());
	mqd_t q = mq_open(name, O_CREAT | O_RDWR, 0600, NULL);
	WORKS(mq_send(q, buf, 3, 1));
	GIVES(3, mq_receive(q, room, sizeof(room), NULL));
	WORKS(mq_close(q));
	WORKS(mq_unlink(name));
	int fd = shm_open(name, O_CREAT | O_RDWR, 0600);
	WORKS(ftruncate(fd, 4096));
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	WORKS(munmap(p, 4096));
	WORKS(close(fd));
	WORKS(shm_unlink(name));
}

static void waits(void)
{
	int fds[2], status;
	struct epoll_event event = { .events = EPOLLIN };
	struct timespec none = { 0, 0 };
	siginfo_t info;
	fd_set set;
	WORKS(pipe(fds));
	struct pollfd p = { fds[0], POLLIN, 0 };
	int epoll = epoll_create1(0);
	WORKS(epoll_ctl(epoll, EPOLL_CTL_ADD, fds[0], &event));
	GIVES(1, write(fds[1], buf, 1));
	GIVES(1, epoll_wait(epoll, &event, 1, 0));
	GIVES(1, poll(&p, 1, 0));
	GIVES(1, ppoll(&p, 1, &none, NULL));
	FD_ZERO(&set);
	FD_SET(fds[0], &set);
	GIVES(1, select(fds[0] + 1, &set, NULL, NULL, NULL));
	GIVES(1, pselect(fds[0] + 1, &set, NULL, NULL, &none, NULL));
	WORKS(close(epoll));
	GIVES(1, read(fds[0], buf, 1));
	WORKS(close(fds[0]));
	WORKS(close(fds[1]));
	pid_t pid = fork();
	if (pid == 0)
		_exit(3);
	GIVES(pid, waitpid(pid, &status, 0));
	pid = fork();
	if (pid == 0)
		_exit(1);
	WORKS(waitid(P_PID, (id_t)pid, &info, WEXITED));
}

static void locks(void)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open("libcforms.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	WORKS(flock(fd, LOCK_EX));
	WORKS(flock(fd, LOCK_UN));
	WORKS(fcntl(fd, F_SETLK, &whole));
	WORKS(lockf(fd, F_ULOCK, 0));
	WORKS(close(fd));
	WORKS(unlink("libcforms.lock"));
}

int main(void)
{
	pipes();
	unix_sockets();
	inet_sockets();
	events_and_signals();
	system_v();
	posix();
	waits();
	locks();
	return failures > 0;
}
