// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The cases of hangs.h, all in one file, so that the table at its end can be read beside them. A case
 * is one function: it runs in a worker, forks its members by member(), and then waits for them as any
 * parent would, which makes it a victim. A member that gets past the call it should hang in exits,
 * and the case is seen to have failed.
 */
#include "hangs.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ring.h"
#include "workloads.h"

#define BIG (1u << 20) /* more than any pipe or socket here holds */

/* ---- what cases are made of ---- */

static char block[BIG];

static pid_t latest; /* member */

/* True in the new process, which is called `name` and dies with its parent. */
static bool member(const char *name)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		demo_die("fork");
	latest = pid;
	if (pid)
		return false;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	prctl(PR_SET_NAME, name);
	return true;
}

/* Where nobody should come. */
static void __attribute__((noreturn)) got_past(void) { _exit(1); }

static void __attribute__((noreturn)) wait_for_all(void)
{
	while (wait(NULL) > 0 || errno == EINTR)
		;
	got_past();
}

static void must(bool good, const char *what)
{
	if (!good)
		demo_die(what);
}

static void make_pipe(int fds[2]) { must(pipe(fds) == 0, "pipe"); }

static void fill(int fd)
{
	for (size_t done = 0; done < BIG;) {
		ssize_t n = write(fd, block, BIG - done);

		must(n > 0, "write");
		done += (size_t)n;
	}
}

static void drain(int fd)
{
	while (read(fd, block, sizeof(block)) > 0)
		;
}

static void rest_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}

/* Memory that members share, zeroed. */
static void *shared(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	must(p != MAP_FAILED, "mmap");
	return p;
}

/* Two parties that must both have come so far before either goes on. */
struct meeting {
	int here;
};

static void meet(struct meeting *m, int parties)
{
	__atomic_add_fetch(&m->here, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&m->here, __ATOMIC_SEQ_CST) < parties)
		rest_ms(1);
}

/* ---- pipes ---- */

static void eof_self(void)
{
	int p[2];

	make_pipe(p);
	prctl(PR_SET_NAME, "es-reader");
	drain(p[0]); /* its own p[1] is still open */
	got_past();
}

/* out and err of a child; the parent reads one to its end before the other */
static void popen_both(void)
{
	int out[2], err[2];

	make_pipe(out);
	make_pipe(err);
	if (member("pb-child")) {
		close(out[0]);
		close(err[0]);
		fill(err[1]);
		got_past();
	}
	prctl(PR_SET_NAME, "pb-parent");
	close(out[1]);
	close(err[1]);
	drain(out[0]);
	got_past();
}

static void feed_cat(void)
{
	int in[2], out[2];

	make_pipe(in);
	make_pipe(out);
	if (member("fc-cat")) {
		close(in[1]);
		close(out[0]);
		for (ssize_t n; (n = read(in[0], block, 4096)) > 0;)
			must(write(out[1], block, (size_t)n) == n, "write");
		_exit(0);
	}
	prctl(PR_SET_NAME, "fc-feeder");
	close(in[0]);
	close(out[1]);
	fill(in[1]);
	got_past();
}

static void wait_undrained(void)
{
	int out[2];

	make_pipe(out);
	if (member("wu-child")) {
		close(out[0]);
		fill(out[1]);
		got_past();
	}
	prctl(PR_SET_NAME, "wu-parent");
	close(out[1]);
	wait_for_all();
}

/* The child of vfork may do little, and read is little: what hangs is what is wanted. */
static void vfork_pipe(void)
{
	int p[2];

	make_pipe(p);
	prctl(PR_SET_NAME, "vp-vfork");
	if (vfork() == 0) {
		char c;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(read(p[0], &c, 1) == 1);
	}
	got_past();
}

/* a | b | c, and c feeds what it reads back to a */
static void ring_of_three(void)
{
	static const char *const names[] = { "rt-one", "rt-two", "rt-three" };
	int p[3][2];

	for (int i = 0; i < 3; i++)
		make_pipe(p[i]);
	for (int i = 0; i < 3; i++) {
		if (!member(names[i]))
			continue;
		for (int k = 0; k < 3; k++) {
			if (k != (i + 2) % 3)
				close(p[k][0]);
			if (k != i)
				close(p[k][1]);
		}
		fill(p[i][1]);
		drain(p[(i + 2) % 3][0]);
		got_past();
	}
	for (int i = 0; i < 3; i++) {
		close(p[i][0]);
		close(p[i][1]);
	}
	wait_for_all();
}

/* ---- sockets ---- */

typedef void on_socket(int fd);

static void both(int a, int b, on_socket *fn, const char *left, const char *right)
{
	if (member(left)) {
		close(b);
		fn(a);
		got_past();
	}
	if (member(right)) {
		close(a);
		fn(b);
		got_past();
	}
	close(a);
	close(b);
	wait_for_all();
}

static void unix_pair(int s[2], int type) { must(socketpair(AF_UNIX, type, 0, s) == 0, "socketpair"); }

static void tcp_pair(int s[2])
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(a);
	int l = socket(AF_INET, SOCK_STREAM, 0);

	must(bind(l, (void *)&a, len) == 0 && listen(l, 1) == 0, "listen");
	must(getsockname(l, (void *)&a, &len) == 0, "getsockname");
	s[0] = socket(AF_INET, SOCK_STREAM, 0);
	must(connect(s[0], (void *)&a, len) == 0, "connect");
	s[1] = accept(l, NULL, NULL);
	must(s[1] >= 0, "accept");
	close(l);
}

static void send_all(int fd)
{
	for (;;)
		must(send(fd, block, 65536, 0) > 0, "send");
}

static void send_small(int fd)
{
	for (;;)
		must(send(fd, block, 1024, 0) > 0, "send");
}

static void recv_one(int fd) { must(recv(fd, block, 1, 0) > 0, "recv"); }

static void poll_one(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	poll(&p, 1, -1);
}

static void epoll_one(int fd)
{
	struct epoll_event e = { .events = EPOLLIN };
	int ep = epoll_create1(0);

	must(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e) == 0, "epoll_ctl");
	epoll_wait(ep, &e, 1, -1);
}

static void unix_send(void)
{
	int s[2];

	unix_pair(s, SOCK_STREAM);
	both(s[0], s[1], send_all, "us-left", "us-right");
}

static void dgram_send(void)
{
	int s[2];

	unix_pair(s, SOCK_DGRAM);
	both(s[0], s[1], send_small, "ds-left", "ds-right");
}

static void tcp_send(void)
{
	int s[2];

	tcp_pair(s);
	both(s[0], s[1], send_all, "ts-left", "ts-right");
}

static void unix_recv(void)
{
	int s[2];

	unix_pair(s, SOCK_STREAM);
	both(s[0], s[1], recv_one, "ur-left", "ur-right");
}

static void tcp_recv(void)
{
	int s[2];

	tcp_pair(s);
	both(s[0], s[1], recv_one, "tr-left", "tr-right");
}

static void poll_pair(void)
{
	int s[2];

	unix_pair(s, SOCK_STREAM);
	both(s[0], s[1], poll_one, "pp-left", "pp-right");
}

static void epoll_pair(void)
{
	int s[2];

	tcp_pair(s);
	both(s[0], s[1], epoll_one, "ep-left", "ep-right");
}

/* Stopped and continued in the middle of poll, which then goes on as restart_syscall. */
static bool is_in_poll(pid_t pid)
{
	char path[64], text[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	f = fopen(path, "re");
	if (f && !fgets(text, sizeof(text), f))
		text[0] = '\0';
	if (f)
		fclose(f);
	return atoi(text) == SYS_poll && text[0] != 'r';
}

static void poll_stopped(void)
{
	static const char *const names[] = { "ps-left", "ps-right" };
	int s[2];

	unix_pair(s, SOCK_STREAM);
	for (int i = 0; i < 2; i++) {
		if (member(names[i])) {
			close(s[!i]);
			poll_one(s[i]);
			got_past();
		}
		while (!is_in_poll(latest))
			rest_ms(5);
		kill(latest, SIGSTOP);
		waitpid(latest, NULL, WUNTRACED);
		kill(latest, SIGCONT);
	}
	close(s[0]);
	close(s[1]);
	wait_for_all();
}

/* A socket with a name of its own in the abstract space. */
static int named_socket(int type, struct sockaddr_un *a, socklen_t *len)
{
	int s = socket(AF_UNIX, type, 0);

	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	*len = sizeof(*a);
	must(bind(s, (void *)a, sizeof(a->sun_family)) == 0, "bind");
	must(getsockname(s, (void *)a, len) == 0, "getsockname");
	return s;
}

/* Room of its own for more than any queue takes. */
static int sender_socket(void)
{
	int s = socket(AF_UNIX, SOCK_DGRAM, 0), room = 1 << 22;

	must(s >= 0, "socket");
	setsockopt(s, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	return s;
}

/* Two send to one socket, whose owner first wants to hear from them by a pipe. */
static void dgram_fanin(void)
{
	struct sockaddr_un a;
	socklen_t len;
	int to = named_socket(SOCK_DGRAM, &a, &len), back[2];

	make_pipe(back);
	if (member("df-receiver")) {
		close(back[1]);
		drain(back[0]);
		got_past();
	}
	for (int i = 0; i < 2; i++)
		if (member(i ? "df-two" : "df-one")) {
			int s = sender_socket();

			must(connect(s, (void *)&a, len) == 0, "connect");
			close(to);
			close(back[0]);
			while (send(s, "x", 1, 0) == 1)
				;
			got_past();
		}
	close(to);
	close(back[0]);
	close(back[1]);
	wait_for_all();
}

/* The same by address, from a socket that is not connected. */
static void dgram_sendto(void)
{
	struct sockaddr_un a;
	socklen_t len;
	int to = named_socket(SOCK_DGRAM, &a, &len), back[2];

	make_pipe(back);
	if (member("da-receiver")) {
		close(back[1]);
		drain(back[0]);
		got_past();
	}
	if (member("da-sender")) {
		int s = sender_socket();

		close(to);
		close(back[0]);
		while (sendto(s, "x", 1, 0, (void *)&a, len) == 1)
			;
		got_past();
	}
	close(to);
	close(back[0]);
	close(back[1]);
	wait_for_all();
}

/* A client connects more often than the server accepts, which waits to be told by a pipe. */
static void connect_full(void)
{
	struct sockaddr_un a;
	socklen_t len;
	int l = named_socket(SOCK_STREAM, &a, &len), back[2];

	make_pipe(back);
	must(listen(l, 1) == 0, "listen");
	if (member("cb-server")) {
		close(back[1]);
		drain(back[0]);
		got_past();
	}
	if (member("cb-client")) {
		close(l);
		close(back[0]);
		while (connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&a, len) == 0)
			;
		got_past();
	}
	close(l);
	close(back[0]);
	close(back[1]);
	wait_for_all();
}

/* A window that is closed most of the time, small segments and late acknowledgements: slow it is. */
static void tcp_window(void)
{
	int s[2], room = 4096;

	tcp_pair(s);
	setsockopt(s[1], SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (member("tw-sender")) {
		close(s[1]);
		for (;;)
			must(send(s[0], block, 7, 0) > 0, "send");
	}
	if (member("tw-receiver")) {
		close(s[0]);
		while (recv(s[1], block, 1, 0) == 1)
			rest_ms(200);
		got_past();
	}
	close(s[0]);
	close(s[1]);
	wait_for_all();
}

/* Reads one eventfd, would then write the other. */
static void eventfd_pair(void)
{
	int a = eventfd(0, 0), b = eventfd(0, 0);
	uint64_t one = 1;

	for (int i = 0; i < 2; i++)
		if (member(i ? "ev-right" : "ev-left")) {
			must(read(i ? b : a, &one, sizeof(one)) == sizeof(one), "read");
			got_past();
		}
	close(a);
	close(b);
	wait_for_all();
}

static void send_fd(int sock, int fd)
{
	char data = 'x', room[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { &data, 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = room,
			    .msg_controllen = sizeof(room) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	must(sendmsg(sock, &m, 0) == 1, "sendmsg");
}

/* The only write end lies in a socket, whose reader takes its time. */
static void fd_in_flight(void)
{
	int p[2], s[2];

	make_pipe(p);
	unix_pair(s, SOCK_STREAM);
	send_fd(s[0], p[1]);
	close(p[1]);
	if (member("fl-reader")) {
		close(s[0]);
		close(s[1]);
		drain(p[0]);
		got_past();
	}
	close(p[0]);
	if (member("fl-taker")) {
		pause();
		got_past();
	}
	close(s[0]);
	close(s[1]);
	wait_for_all();
}

/* ---- io_uring ---- */

/* The only write end is in the fixed files of a ring, whose owner rests: for a while, or for good. */
static void uring_fixed_how(bool for_good, const char *reader, const char *keeper)
{
	int p[2];

	make_pipe(p);
	if (member(reader)) {
		close(p[1]);
		drain(p[0]);
		got_past();
	}
	if (member(keeper)) {
		struct ring r;

		close(p[0]);
		ring_open(&r);
		ring_fix(&r, p[1]);
		close(p[1]);
		while (!for_good)
			rest_ms(1000);
		pause();
		got_past();
	}
	close(p[0]);
	close(p[1]);
	wait_for_all();
}

static void uring_fixed(void) { uring_fixed_how(true, "uf-reader", "uf-keeper"); }
static void uring_keeper(void) { uring_fixed_how(false, "uk-reader", "uk-keeper"); }

/* Both write into full pipes, by requests of a ring. */
static void uring_write(void)
{
	int there[2], back[2];

	make_pipe(there);
	make_pipe(back);
	for (int i = 0; i < 2; i++)
		if (member(i ? "uw-right" : "uw-left")) {
			struct ring r;

			close(i ? there[1] : there[0]);
			close(i ? back[0] : back[1]);
			ring_open(&r);
			for (;;)
				ring_do(&r, IORING_OP_WRITE, i ? back[1] : there[1], block, 65536);
		}
	close(there[0]);
	close(there[1]);
	close(back[0]);
	close(back[1]);
	wait_for_all();
}

/* ---- mutexes ---- */

struct two_locks {
	pthread_mutex_t m[2];
	struct meeting meeting;
};

enum { ROBUST = 1, PI = 2, PRIVATE = 4 };

static void locks_init(struct two_locks *l, int how)
{
	pthread_mutexattr_t a;

	pthread_mutexattr_init(&a);
	if (!(how & PRIVATE))
		pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	if (how & ROBUST)
		pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
	if (how & PI)
		pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT);
	for (int i = 0; i < 2; i++)
		pthread_mutex_init(&l->m[i], &a);
	l->meeting.here = 0;
}

static void abba(struct two_locks *l, int first)
{
	pthread_mutex_lock(&l->m[first]);
	meet(&l->meeting, 2);
	pthread_mutex_lock(&l->m[!first]);
}

static void mutex_abba_how(int how, const char *left, const char *right)
{
	struct two_locks *l = shared(sizeof(*l));

	locks_init(l, how);
	for (int i = 0; i < 2; i++)
		if (member(i ? right : left)) {
			abba(l, i);
			got_past();
		}
	wait_for_all();
}

static void mutex_abba(void) { mutex_abba_how(0, "ma-left", "ma-right"); }
static void robust_abba(void) { mutex_abba_how(ROBUST, "ra-left", "ra-right"); }
static void pi_abba(void) { mutex_abba_how(PI, "pi-left", "pi-right"); }

static struct two_locks local;

static void *thread_left(void *arg)
{
	prctl(PR_SET_NAME, "ta-left");
	abba(&local, 0);
	return arg;
}

static void *thread_right(void *arg)
{
	prctl(PR_SET_NAME, "ta-right");
	abba(&local, 1);
	return arg;
}

static pthread_t thread(void *(*fn)(void *), void *arg)
{
	pthread_t t;

	must(pthread_create(&t, NULL, fn, arg) == 0, "pthread_create");
	return t;
}

static void threads_abba(void)
{
	locks_init(&local, PRIVATE);
	pthread_t a = thread(thread_left, NULL);

	thread(thread_right, NULL);
	pthread_join(a, NULL);
	got_past();
}

static void mutex_self(void)
{
	locks_init(&local, PRIVATE);
	prctl(PR_SET_NAME, "ms-self");
	pthread_mutex_lock(&local.m[0]);
	pthread_mutex_lock(&local.m[0]);
	got_past();
}

static void owner_died_how(int how, const char *waiter)
{
	struct two_locks *l = shared(sizeof(*l));

	locks_init(l, how);
	if (member("od-owner")) {
		pthread_mutex_lock(&l->m[0]);
		_exit(0);
	}
	wait(NULL);
	if (member(waiter)) {
		if (pthread_mutex_lock(&l->m[0]) == EOWNERDEAD)
			for (;;)
				rest_ms(1000);
		got_past();
	}
	wait_for_all();
}

static void owner_died(void) { owner_died_how(0, "od-waiter"); }
static void robust_died(void) { owner_died_how(ROBUST, "rd-waiter"); }

static void *hold_and_sleep(void *arg)
{
	pthread_mutex_lock(&local.m[0]);
	meet(&local.meeting, 2);
	rest_ms(3600 * 1000);
	return arg;
}

static void fork_held(void)
{
	locks_init(&local, PRIVATE);
	thread(hold_and_sleep, NULL);
	meet(&local.meeting, 2);
	if (member("fh-child")) {
		pthread_mutex_lock(&local.m[0]);
		got_past();
	}
	wait_for_all();
}

static void *hold_stream(void *arg)
{
	flockfile(arg);
	meet(&local.meeting, 2);
	rest_ms(3600 * 1000);
	return arg;
}

/* glibc makes the locks of streams anew in a child of fork. */
static void fork_printf(void)
{
	FILE *f = fopen("/dev/null", "w");

	must(f != NULL, "/dev/null");
	locks_init(&local, PRIVATE);
	thread(hold_stream, f);
	meet(&local.meeting, 2);
	if (member("fp-child"))
		for (;;) {
			fprintf(f, "it goes on\n");
			rest_ms(500);
		}
	wait_for_all();
}

static int *handled;

static void on_usr1(int sig)
{
	FILE *f = popen("true", "r"); /* calls malloc, which was interrupted with its lock held */

	(void)sig;
	if (f)
		pclose(f);
	++*handled;
}

static void *nothing(void *arg) { return arg; }

/* Is in malloc's lock nearly all of the time: there is much for it to give back. */
static void malloc_without_end(void)
{
	static void *chunk[4000];

	pthread_join(thread(nothing, NULL), NULL); /* from the second thread on, malloc locks */
	signal(SIGUSR1, on_usr1);
	for (;;) {
		for (int i = 0; i < 4000; i++)
			chunk[i] = malloc(10000);
		for (int i = 0; i < 4000; i += 2)
			free(chunk[i]);
		for (int i = 0; i < 20; i++)
			malloc_trim(0);
		for (int i = 1; i < 4000; i += 2)
			free(chunk[i]);
	}
}

static void popen_handler(void)
{
	handled = shared(sizeof(*handled));
	if (member("hp-self"))
		malloc_without_end();
	rest_ms(100);
	for (int seen = -1, same = 0; same < 3; same = seen == *handled ? same + 1 : 0) {
		seen = *handled;
		kill(latest, SIGUSR1);
		rest_ms(1000);
	}
	wait_for_all();
}

/* One holds the stream and wants the mutex, the other has the mutex and wants to print. */
static void *stdio_left(void *arg)
{
	prctl(PR_SET_NAME, "sl-stream");
	flockfile(arg);
	meet(&local.meeting, 2);
	pthread_mutex_lock(&local.m[0]);
	return arg;
}

static void *stdio_right(void *arg)
{
	prctl(PR_SET_NAME, "sl-mutex");
	pthread_mutex_lock(&local.m[0]);
	meet(&local.meeting, 2);
	fputc('x', arg);
	return arg;
}

static void stdio_lock(void)
{
	FILE *f = fopen("/dev/null", "w");

	must(f != NULL, "/dev/null");
	locks_init(&local, PRIVATE);
	pthread_t a = thread(stdio_left, f);

	thread(stdio_right, f);
	pthread_join(a, NULL);
	got_past();
}

static pthread_t joiners[3];
static struct meeting joiners_meeting;

static void *join_next(void *arg)
{
	int i = (int)(intptr_t)arg;

	prctl(PR_SET_NAME, i == 0 ? "jc-one" : i == 1 ? "jc-two" : "jc-three");
	meet(&joiners_meeting, 4);
	pthread_join(joiners[(i + 1) % 3], NULL);
	return NULL;
}

static void join_cycle(void)
{
	for (intptr_t i = 0; i < 3; i++)
		joiners[i] = thread(join_next, (void *)i);
	meet(&joiners_meeting, 4);
	pause();
	got_past();
}

static void stopped_owner(void)
{
	struct two_locks *l = shared(sizeof(*l));

	locks_init(l, 0);
	if (member("so-owner")) {
		pthread_mutex_lock(&l->m[0]);
		meet(&l->meeting, 2);
		raise(SIGSTOP);
		got_past();
	}
	if (member("so-waiter")) {
		meet(&l->meeting, 2);
		pthread_mutex_lock(&l->m[0]);
		got_past();
	}
	wait_for_all();
}

/* ---- semaphores in memory, conditions, rwlocks, barriers ---- */

static void sem_t_abba(void)
{
	struct { sem_t s[2]; struct meeting meeting; } *l = shared(sizeof(*l));

	for (int i = 0; i < 2; i++)
		sem_init(&l->s[i], 1, 1);
	for (int i = 0; i < 2; i++)
		if (member(i ? "st-right" : "st-left")) {
			sem_wait(&l->s[i]);
			meet(&l->meeting, 2);
			sem_wait(&l->s[!i]);
			got_past();
		}
	pause();
	got_past();
}

static void cond_lost(void)
{
	pthread_cond_t cond = PTHREAD_COND_INITIALIZER;

	prctl(PR_SET_NAME, "cl-waiter");
	pthread_cond_signal(&cond); /* nobody waits yet */
	pthread_mutex_lock(&local.m[0]);
	pthread_cond_wait(&cond, &local.m[0]);
	got_past();
}

static void rwlock_paused(void)
{
	struct { pthread_rwlock_t l; struct meeting meeting; } *s = shared(sizeof(*s));
	pthread_rwlockattr_t a;

	pthread_rwlockattr_init(&a);
	pthread_rwlockattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	pthread_rwlock_init(&s->l, &a);
	if (member("rw-reader")) {
		pthread_rwlock_rdlock(&s->l);
		meet(&s->meeting, 2);
		pause();
		got_past();
	}
	if (member("rw-writer")) {
		meet(&s->meeting, 2);
		pthread_rwlock_wrlock(&s->l);
		got_past();
	}
	pause();
	got_past();
}

/* A reader that comes again behind a writer, where writers come first. */
static void rwlock_again(void)
{
	struct { pthread_rwlock_t l; struct meeting meeting; } *s = shared(sizeof(*s));
	pthread_rwlockattr_t a;

	pthread_rwlockattr_init(&a);
	pthread_rwlockattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	pthread_rwlockattr_setkind_np(&a, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&s->l, &a);
	if (member("ra-reader")) {
		pthread_rwlock_rdlock(&s->l);
		meet(&s->meeting, 2);
		while (pthread_rwlock_tryrdlock(&s->l) == 0) { /* until the writer waits */
			pthread_rwlock_unlock(&s->l);
			rest_ms(1);
		}
		pthread_rwlock_rdlock(&s->l);
		got_past();
	}
	if (member("ra-writer")) {
		meet(&s->meeting, 2);
		pthread_rwlock_wrlock(&s->l);
		got_past();
	}
	wait_for_all();
}

/* A writer has it, and both wait for each other. */
static void rwlock_writer(void)
{
	struct { pthread_rwlock_t l[2]; struct meeting meeting; } *s = shared(sizeof(*s));
	pthread_rwlockattr_t a;

	pthread_rwlockattr_init(&a);
	pthread_rwlockattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	for (int i = 0; i < 2; i++)
		pthread_rwlock_init(&s->l[i], &a);
	for (int i = 0; i < 2; i++)
		if (member(i ? "rx-right" : "rx-left")) {
			pthread_rwlock_wrlock(&s->l[i]);
			meet(&s->meeting, 2);
			if (i)
				pthread_rwlock_wrlock(&s->l[0]);
			else
				pthread_rwlock_rdlock(&s->l[1]);
			got_past();
		}
	wait_for_all();
}

/* Signalled between processes before anybody waited; who could signal again rests. */
static void cond_shared(void)
{
	struct { pthread_mutex_t m; pthread_cond_t c; } *s = shared(sizeof(*s));
	pthread_condattr_t ca;
	pthread_mutexattr_t ma;

	pthread_condattr_init(&ca);
	pthread_condattr_setpshared(&ca, PTHREAD_PROCESS_SHARED);
	pthread_cond_init(&s->c, &ca);
	pthread_mutexattr_init(&ma);
	pthread_mutexattr_setpshared(&ma, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&s->m, &ma);
	pthread_cond_signal(&s->c);
	if (member("cs-waiter")) {
		pthread_mutex_lock(&s->m);
		pthread_cond_wait(&s->c, &s->m);
		got_past();
	}
	pause();
	got_past();
}

static struct {
	pthread_mutex_t m;
	pthread_cond_t more, done;
	int queued;
} pool = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER, 0 };

static void pool_submit(void)
{
	pthread_mutex_lock(&pool.m);
	pool.queued++;
	pthread_cond_signal(&pool.more);
	pthread_mutex_unlock(&pool.m);
}

/* Takes a job, which is to have another done by the pool and to wait for that. */
static void *pool_worker(void *arg)
{
	prctl(PR_SET_NAME, "po-worker");
	pthread_mutex_lock(&pool.m);
	while (!pool.queued)
		pthread_cond_wait(&pool.more, &pool.m);
	pool.queued--;
	pthread_mutex_unlock(&pool.m);
	if (!arg) {
		pool_submit();
		pthread_mutex_lock(&pool.m);
		pthread_cond_wait(&pool.done, &pool.m);
	}
	return arg;
}

static void pool_own_queue(void)
{
	pthread_t t;

	prctl(PR_SET_NAME, "po-main");
	t = thread(pool_worker, NULL);
	thread(pool_worker, NULL);
	pool_submit();
	pool_submit();
	pthread_join(t, NULL);
	got_past();
}

static int tcp_listener(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int l = socket(AF_INET, SOCK_STREAM, 0);

	must(bind(l, (void *)&a, sizeof(a)) == 0 && listen(l, 1) == 0, "listen");
	return l;
}

/* A server with nothing to do: it listens, and its workers wait for jobs. */
static void pool_idle(void)
{
	int l = tcp_listener();

	prctl(PR_SET_NAME, "pi-main");
	for (intptr_t i = 0; i < 3; i++)
		thread(pool_worker, (void *)(i + 1));
	epoll_one(l);
	got_past();
}

/* Any one of two words of shared memory would do. */
static void futex_many(void)
{
	struct waiter { /* struct futex_waitv */
		uint64_t val, address;
		uint32_t flags, reserved;
	};
	uint32_t *word = shared(2 * sizeof(*word));

	for (int i = 0; i < 2; i++)
		if (member(i ? "fm-right" : "fm-left")) {
			struct waiter v[2] = { { 0, (uintptr_t)&word[0], 2, 0 },
					       { 0, (uintptr_t)&word[1], 2, 0 } };

			must(syscall(449 /* futex_waitv */, v, 2, 0, NULL, 0) >= 0, "futex_waitv");
			got_past();
		}
	wait_for_all();
}

static sem_t term;
static void on_term(int sig)
{
	(void)sig;
	sem_post(&term);
}

/* How many a daemon waits for its end: a handler posts. */
static void sem_handler(void)
{
	if (member("sh-waiter")) {
		sem_init(&term, 0, 0);
		signal(SIGTERM, on_term);
		sem_wait(&term);
		got_past();
	}
	wait_for_all();
}

static void barrier_short(void)
{
	pthread_barrier_t *b = shared(sizeof(*b));
	pthread_barrierattr_t a;

	pthread_barrierattr_init(&a);
	pthread_barrierattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(b, &a, 3);
	for (int i = 0; i < 2; i++)
		if (member(i ? "bs-two" : "bs-one")) {
			pthread_barrier_wait(b);
			got_past();
		}
	pause();
	got_past();
}

/* ---- file locks ---- */

static int temp_file(void)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);

	must(fd >= 0, "O_TMPFILE");
	return fd;
}

/* The same file opened anew: a struct file of its own. */
static int reopen(int fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	fd = open(path, O_RDWR);
	must(fd >= 0, "reopen");
	return fd;
}

static struct flock range(int type, int at)
{
	return (struct flock){ .l_type = (short)type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };
}

static void flock_abba(void)
{
	struct meeting *m = shared(sizeof(*m));
	int f[2] = { temp_file(), temp_file() };

	for (int i = 0; i < 2; i++)
		if (member(i ? "fk-right" : "fk-left")) {
			int mine = reopen(f[i]), other = reopen(f[!i]);

			flock(mine, LOCK_EX);
			meet(m, 2);
			flock(other, LOCK_EX);
			got_past();
		}
	wait_for_all();
}

static void locks_cross(int cmd, const char *left, const char *right)
{
	struct meeting *m = shared(sizeof(*m));
	int f = temp_file();

	for (int i = 0; i < 2; i++)
		if (member(i ? right : left)) {
			int fd = reopen(f);
			struct flock mine = range(F_WRLCK, i), other = range(F_WRLCK, !i);

			fcntl(fd, cmd, &mine);
			meet(m, 2);
			if (fcntl(fd, cmd, &other) < 0 && errno == EDEADLK)
				for (;;) /* refused, it goes on with its work */
					rest_ms(1000);
			got_past();
		}
	wait_for_all();
}

static void ofd_abba(void) { locks_cross(F_OFD_SETLKW, "oa-left", "oa-right"); }
static void fcntl_abba(void) { locks_cross(F_SETLKW, "fa-left", "fa-right"); }

/* The same with ranges told from where the file's offset is. */
static void ofd_offset(void)
{
	struct meeting *m = shared(sizeof(*m));
	int f = temp_file();

	for (int i = 0; i < 2; i++)
		if (member(i ? "oo-right" : "oo-left")) {
			int fd = reopen(f);
			struct flock mine = range(F_WRLCK, 0), other = range(F_WRLCK, 0);

			mine.l_whence = other.l_whence = SEEK_CUR;
			lseek(fd, 100 + i, SEEK_SET);
			fcntl(fd, F_OFD_SETLKW, &mine);
			meet(m, 2);
			lseek(fd, 100 + !i, SEEK_SET);
			fcntl(fd, F_OFD_SETLKW, &other);
			got_past();
		}
	wait_for_all();
}

/* The kernel refuses the second; the first has to wait until that lets go of its own. */
static void fcntl_upgrade(void)
{
	struct meeting *m = shared(sizeof(*m));
	int f = temp_file();

	for (int i = 0; i < 2; i++)
		if (member(i ? "fq-right" : "fq-left")) {
			struct flock read_lock = range(F_RDLCK, 0), write_lock = range(F_WRLCK, 0);

			fcntl(f, F_SETLKW, &read_lock);
			meet(m, 2);
			fcntl(f, F_SETLKW, &write_lock);
			for (;;) /* refused or not, it goes on with its work */
				rest_ms(1000);
		}
	wait_for_all();
}

static void ofd_upgrade(void)
{
	struct meeting *m = shared(sizeof(*m));
	int f = temp_file();

	for (int i = 0; i < 2; i++)
		if (member(i ? "ou-right" : "ou-left")) {
			int fd = reopen(f);
			struct flock read_lock = range(F_RDLCK, 0), write_lock = range(F_WRLCK, 0);

			fcntl(fd, F_OFD_SETLKW, &read_lock);
			meet(m, 2);
			fcntl(fd, F_OFD_SETLKW, &write_lock);
			got_past();
		}
	wait_for_all();
}

/* The lock belongs to what the dead parent opened, and its child still has that. */
static void flock_heir(void)
{
	struct meeting *m = shared(sizeof(*m));
	int f = temp_file(), held = reopen(f);

	flock(held, LOCK_EX);
	if (member("lh-heir")) {
		meet(m, 2);
		pause();
		got_past();
	}
	close(held);
	if (member("lh-waiter")) {
		int mine = reopen(f);

		meet(m, 2);
		flock(mine, LOCK_EX);
		got_past();
	}
	close(f);
	wait_for_all();
}

/* ---- System V and POSIX queues ---- */

/* Made by hang_start, so that it is removed however the case ends. */
static int sysv_id = -1, sysv_other = -1;
static char fifo_path[2][PATH_MAX];

#define SEMS 3 /* all 1 */

static void sem_do(int id, int num, int op, int flags)
{
	struct sembuf b = { (unsigned short)num, (short)op, (short)flags };

	semop(id, &b, 1);
}

static void philosophers_how(int flags, const char *const names[3])
{
	struct meeting *m = shared(sizeof(*m));
	int id = sysv_id;

	for (int i = 0; i < 3; i++)
		if (member(names[i])) {
			sem_do(id, i, -1, flags);
			meet(m, 3);
			sem_do(id, (i + 1) % 3, -1, flags);
			got_past();
		}
	wait_for_all();
}

static void philosophers(void)
{
	philosophers_how(SEM_UNDO, (const char *const[]){ "ph-one", "ph-two", "ph-three" });
}

static void philosophers_bare(void)
{
	philosophers_how(0, (const char *const[]){ "pn-one", "pn-two", "pn-three" });
}

/* All three want three units of five; each has got one. */
static void sem_partial(void)
{
	static const char *const names[] = { "sp-one", "sp-two", "sp-three" };
	struct meeting *m = shared(sizeof(*m));
	int id = sysv_id;

	must(semctl(id, 0, SETVAL, 5) == 0, "semctl");

	for (int i = 0; i < 3; i++)
		if (member(names[i])) {
			sem_do(id, 0, -1, SEM_UNDO);
			meet(m, 3);
			sem_do(id, 0, -3, SEM_UNDO);
			got_past();
		}
	wait_for_all();
}

/* Both forks at once or none: some of them always eat. */
static void philosophers_and(void)
{
	static const char *const names[] = { "pa-one", "pa-two", "pa-three" };
	int id = sysv_id;

	for (int i = 0; i < 3; i++)
		if (member(names[i])) {
			unsigned short a = (unsigned short)i, b = (unsigned short)((i + 1) % 3);
			struct sembuf take[] = { { a, -1, SEM_UNDO }, { b, -1, SEM_UNDO } };
			struct sembuf give[] = { { a, 1, SEM_UNDO }, { b, 1, SEM_UNDO } };

			for (;;) {
				semop(id, take, 2);
				rest_ms(5);
				semop(id, give, 2);
			}
		}
	wait_for_all();
}

struct message {
	long type;
	char text[1024];
};

static void msg_own(void)
{
	int id = sysv_id;

	if (member("mo-self")) {
		static struct message m = { .type = 1 };

		while (msgsnd(id, &m, sizeof(m.text), 0) == 0)
			;
		got_past();
	}
	wait_for_all();
}

/* Each fills the queue that the other should read. */
static void msg_full(void)
{
	const int id[2] = { sysv_id, sysv_other };

	for (int i = 0; i < 2; i++)
		if (member(i ? "mm-right" : "mm-left")) {
			static struct message m = { .type = 1 };

			while (msgsnd(id[i], &m, sizeof(m.text), 0) == 0)
				;
			msgrcv(id[!i], &m, sizeof(m.text), 0, 0);
			got_past();
		}
	wait_for_all();
}

static void msg_type(void)
{
	int id = sysv_id;
	static struct message m = { .type = 1 };

	msgsnd(id, &m, sizeof(m.text), 0);
	if (member("mt-reader")) {
		msgrcv(id, &m, sizeof(m.text), 2, 0);
		got_past();
	}
	wait_for_all();
}

static void mq_full(void)
{
	struct mq_attr a = { .mq_maxmsg = 2, .mq_msgsize = 8 };
	mqd_t q[2];

	for (int i = 0; i < 2; i++) {
		char name[64];

		snprintf(name, sizeof(name), "/ipctap-demo-%d-%d", getpid(), i);
		q[i] = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &a);
		must(q[i] >= 0, "mq_open");
		mq_unlink(name);
	}
	for (int i = 0; i < 2; i++)
		if (member(i ? "mf-right" : "mf-left")) {
			while (mq_send(q[i], "x", 1, 0) == 0)
				;
			got_past();
		}
	pause();
	got_past();
}

/* ---- FIFOs ---- */

static void fifo_opposite(void)
{
	for (int i = 0; i < 2; i++)
		if (member(i ? "fo-right" : "fo-left")) {
			must(open(fifo_path[i], O_RDONLY) >= 0, "open");
			got_past();
		}
	wait_for_all();
}

/* Who serves a FIFO keeps its write end open, so that it never sees the end of file. */
static void fifo_server(void)
{
	prctl(PR_SET_NAME, "fs-server");
	drain(open(fifo_path[0], O_RDWR));
	got_past();
}

/* ---- what must not be found ---- */

/* Its other thread has a table of descriptors of its own, with the only write end, and rests. */
static struct meeting tables;

static void *own_table(void *arg)
{
	must(unshare(CLONE_FILES) == 0, "unshare");
	meet(&tables, 2);
	rest_ms(3600 * 1000);
	return arg;
}

static void thread_table(void)
{
	int p[2];

	make_pipe(p);
	prctl(PR_SET_NAME, "tt-reader");
	thread(own_table, NULL);
	meet(&tables, 2);
	close(p[1]);
	drain(p[0]);
	got_past();
}

static void cron(void)
{
	if (member("cr-cron"))
		for (;;)
			rest_ms(60 * 1000);
	wait_for_all();
}

/* A daemon that inherited the write end, and sleeps. */
static void grand(void)
{
	int p[2];

	make_pipe(p);
	if (member("gr-daemon")) {
		close(p[0]);
		for (;;)
			rest_ms(1000000);
	}
	prctl(PR_SET_NAME, "gr-reader");
	close(p[1]);
	drain(p[0]);
	got_past();
}

static void slow(void)
{
	int p[2];

	make_pipe(p);
	if (member("sw-writer")) {
		close(p[0]);
		for (;;)
			fill(p[1]);
	}
	prctl(PR_SET_NAME, "sw-reader");
	close(p[1]);
	while (read(p[0], block, 100) > 0)
		rest_ms(1000);
	got_past();
}

static void busy(void)
{
	struct two_locks *l = shared(sizeof(*l));
	volatile unsigned long n = 0;

	locks_init(l, 0);
	if (member("bu-owner")) {
		pthread_mutex_lock(&l->m[0]);
		meet(&l->meeting, 2);
		for (;;)
			n = n + 1;
	}
	if (member("bu-waiter")) {
		meet(&l->meeting, 2);
		pthread_mutex_lock(&l->m[0]);
		got_past();
	}
	wait_for_all();
}

static void recv_timeout(int fd)
{
	struct timeval t = { .tv_sec = 3600 };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	recv_one(fd);
}

static void socket_timeout(void)
{
	int s[2];

	unix_pair(s, SOCK_STREAM);
	both(s[0], s[1], recv_timeout, "to-left", "to-right");
}

static void on_alarm(int sig) { (void)sig; }

static void with_alarm(void)
{
	int there[2], back[2];

	make_pipe(there);
	make_pipe(back);
	for (int i = 0; i < 2; i++)
		if (member(i ? "al-right" : "al-left")) {
			close(i ? there[1] : there[0]);
			close(i ? back[0] : back[1]);
			if (!i) {
				signal(SIGALRM, on_alarm);
				alarm(3600);
			}
			fill(i ? back[1] : there[1]);
			got_past();
		}
	close(there[0]);
	close(there[1]);
	close(back[0]);
	close(back[1]);
	wait_for_all();
}

static void epoll_timer(int fd)
{
	struct itimerspec in = { .it_value = { .tv_sec = 3600 } };
	struct epoll_event e = { .events = EPOLLIN };
	int ep = epoll_create1(0), t = timerfd_create(CLOCK_MONOTONIC, 0);

	timerfd_settime(t, 0, &in, NULL);
	epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
	epoll_ctl(ep, EPOLL_CTL_ADD, t, &e);
	epoll_wait(ep, &e, 1, -1);
}

static void epoll_timerfd(void)
{
	int s[2];

	unix_pair(s, SOCK_STREAM);
	both(s[0], s[1], epoll_timer, "et-left", "et-right");
}

static void poll_timeout(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	poll(&p, 1, 3600 * 1000);
}

static void poll_deadline(void)
{
	int s[2];

	unix_pair(s, SOCK_STREAM);
	both(s[0], s[1], poll_timeout, "pd-left", "pd-right");
}

/* Linux gives up the shared lock first, so that two who upgrade get it in turn. */
static void flock_upgrade(void)
{
	struct meeting *m = shared(sizeof(*m));
	int f = temp_file();

	for (int i = 0; i < 2; i++)
		if (member(i ? "fu-right" : "fu-left")) {
			int fd = reopen(f);

			flock(fd, LOCK_SH);
			meet(m, 2);
			flock(fd, LOCK_EX);
			for (;;) /* got it; gives it back now and then */
				rest_ms(1000);
		}
	wait_for_all();
}

/* Two of three wait for each other's pipe; the third has the same ends, and will write. */
static void one_live_saves(void)
{
	int there[2], back[2];

	make_pipe(there);
	make_pipe(back);
	for (int i = 0; i < 3; i++) {
		static const char *const names[] = { "ol-left", "ol-right", "ol-live" };

		if (!member(names[i]))
			continue;
		if (i == 2) {
			int null = open("/dev/null", O_WRONLY);

			must(write(null, "x", 1) == 1, "write"); /* it does use what it has */
			for (;;)
				rest_ms(1000);
		}
		drain(i ? there[0] : back[0]);
		got_past();
	}
	close(there[0]);
	close(there[1]);
	close(back[0]);
	close(back[1]);
	wait_for_all();
}

/* The private semaphore's poster is a thread that sleeps for now. */
static sem_t job;

static void *poster(void *arg)
{
	prctl(PR_SET_NAME, "ws-poster");
	for (;;)
		rest_ms(1000);
	return arg;
}

static void worker_sem(void)
{
	prctl(PR_SET_NAME, "ws-worker");
	sem_init(&job, 0, 0);
	thread(poster, NULL);
	sem_wait(&job);
	got_past();
}

static void idle_server(void)
{
	prctl(PR_SET_NAME, "is-server");
	accept(tcp_listener(), NULL, NULL);
	got_past();
}

/* ---- the table ---- */

const struct hang hangs[] = {
	{ "two-pipes-full", "two processes, each writes more than its pipe holds", "proven",
	  "tp-left,tp-right", "each fills the other's pipe, and nobody reads", NULL, 0 },
	{ "eof-self", "a reader waits for the end of file from itself", "proven", "es-reader",
	  "it never closed its own write end", eof_self, 0 },
	{ "popen-both", "a parent reads a child's output to its end while errors fill up", "proven",
	  "pb-child,pb-parent", "two pipes of one child, read one after the other", popen_both, 0 },
	{ "feed-cat", "a parent feeds a filter without reading what comes out", "proven",
	  "fc-cat,fc-feeder", "each has filled the other's pipe", feed_cat, 0 },
	{ "wait-undrained", "a parent waits for a child that cannot write to it", "proven",
	  "wu-child,wu-parent", "the pipe is to be read before waitpid", wait_undrained, 0 },
	{ "vfork-pipe", "a child of vfork reads from its sleeping parent", "proven", NULL,
	  "the parent cannot write before the child execs", vfork_pipe, 0 },
	{ "ring-of-three", "three processes write in a ring before any reads", "proven",
	  "rt-one,rt-three,rt-two", "a pipeline that feeds back", ring_of_three, 0 },
	{ "unix-send", "both ends of a unix socket send, neither receives", "proven", "us-left,us-right",
	  "both buffers are full", unix_send, 0 },
	{ "dgram-send", "both ends of a datagram pair send", "proven", "ds-left,ds-right",
	  "both queues are full", dgram_send, 0 },
	{ "tcp-send", "both ends of a TCP connection send", "proven", "ts-left,ts-right",
	  "both windows are closed", tcp_send, 0 },
	{ "unix-recv", "both ends of a unix socket wait for the other to speak", "quiescent",
	  "ur-left,ur-right", "idle, or a protocol without a first speaker", unix_recv, 0 },
	{ "tcp-recv", "both ends of a TCP connection wait for the other to speak", "quiescent",
	  "tr-left,tr-right", "idle, or a protocol without a first speaker", tcp_recv, 0 },
	{ "poll-pair", "the same in poll", "quiescent", "pp-left,pp-right", "idle", poll_pair, 0 },
	{ "epoll-pair", "the same in epoll", "quiescent", "ep-left,ep-right", "idle", epoll_pair, 0 },
	{ "poll-stopped", "the same, when both were stopped and continued meanwhile", "quiescent",
	  "ps-left,ps-right", "idle", poll_stopped, 0 },
	{ "dgram-fanin", "two send datagrams to one that waits for them", "proven",
	  "df-one,df-receiver,df-two", "its queue is full", dgram_fanin, 0 },
	{ "dgram-sendto", "the same by address", "proven", "da-receiver,da-sender", "its queue is full",
	  dgram_sendto, 0 },
	{ "connect-full", "a client connects more often than a server accepts that waits for it", "proven",
	  "cb-client,cb-server", "the backlog is full", connect_full, 0 },
	{ "uring-write", "two pipes filled by requests of an io_uring", "stuck", "uw-left,uw-right",
	  "each has filled the other's pipe", uring_write, NEEDS_URING },
	{ "uring-fixed", "the write end a reader waits for is a fixed file of an io_uring", "stuck", NULL,
	  "who has the ring sleeps", uring_fixed, NEEDS_URING },
	{ "eventfd-pair", "two wait for each other's eventfd", "quiescent", "ev-left,ev-right",
	  "each would write the other's after its own", eventfd_pair, 0 },
	{ "fd-in-flight", "the write end a reader waits for lies unread in a socket", "stuck", NULL,
	  "who should take the descriptor sleeps", fd_in_flight, 0 },
	{ "mutex-abba", "two processes lock two mutexes in opposite order", "proven", "ma-left,ma-right",
	  "lock order", mutex_abba, 0 },
	{ "robust-abba", "the same with robust mutexes", "proven", "ra-left,ra-right", "lock order",
	  robust_abba, 0 },
	{ "pi-abba", "the same with priority inheritance", "proven", "pi-left,pi-right",
	  "lock order: the kernel refused one of the two, and the C library parks it for ever", pi_abba, 0 },
	{ "threads-abba", "two threads lock two mutexes in opposite order", "proven", "ta-left,ta-right",
	  "lock order", threads_abba, 0 },
	{ "mutex-self", "a thread locks a mutex that it has", "proven", "ms-self",
	  "the mutex is not recursive", mutex_self, 0 },
	{ "owner-died", "the owner of a mutex died with it", "orphan", "od-waiter",
	  "a mutex between processes should be robust", owner_died, 0 },
	{ "fork-held", "a child of fork wants a mutex that a thread of its parent had", "orphan",
	  "fh-child", "the owner was left in the parent", fork_held, 0 },
	{ "stdio-lock", "one holds a stream and wants a mutex, another the reverse", "proven",
	  "sl-mutex,sl-stream", "lock order", stdio_lock, 0 },
	{ "join-cycle", "three threads join each other", "proven", "jc-one,jc-three,jc-two",
	  "a ring of pthread_join", join_cycle, 0 },
	{ "stopped-owner", "the owner of a mutex is stopped", "stuck", NULL, "SIGCONT would help",
	  stopped_owner, 0 },
	{ "sem-t-abba", "two take two POSIX semaphores in opposite order", "stuck", NULL, "lock order",
	  sem_t_abba, 0 },
	{ "cond-lost", "a condition was signalled before anybody waited", "orphan", "cl-waiter",
	  "the signal was lost", cond_lost, 0 },
	{ "cond-shared", "the same between processes, of which the other rests", "stuck", NULL,
	  "the signal was lost", cond_shared, 0 },
	{ "popen-handler", "a signal handler calls popen in the middle of malloc", "orphan", "hp-self",
	  "popen is not for signal handlers", popen_handler, 0 },
	{ "sem-handler", "a daemon waits for the semaphore that its signal handler posts", "stuck", NULL,
	  "idle: a signal would help", sem_handler, 0 },
	{ "pool-own-queue", "all workers of a pool wait for jobs that the pool should do", "proven",
	  "po-main,po-worker,po-worker", "jobs that wait for jobs of the same pool", pool_own_queue, 0 },
	{ "futex-many", "two wait for any of several words that only they and their parent map", "proven",
	  "case,fm-left,fm-right", "nobody is left to wake them", futex_many, 0 },
	{ "rwlock-again", "a reader comes again behind a writer that waits for it", "proven",
	  "case,ra-reader,ra-writer", "read locks do not nest where writers come first", rwlock_again, 0 },
	{ "rwlock-abba", "two have a read-write lock for writing and want the other's", "proven",
	  "rx-left,rx-right", "lock order", rwlock_writer, 0 },
	{ "rwlock-paused", "a writer waits behind a reader that pauses", "stuck", NULL,
	  "the reader sleeps with the lock", rwlock_paused, 0 },
	{ "barrier-short", "two of three have come to a barrier", "stuck", NULL, "the third never comes",
	  barrier_short, 0 },
	{ "flock-abba", "two processes flock two files in opposite order", "proven", "fk-left,fk-right",
	  "lock order", flock_abba, 0 },
	{ "ofd-abba", "the same with open file description locks", "proven", "oa-left,oa-right",
	  "lock order", ofd_abba, 0 },
	{ "ofd-offset", "the same with ranges told from the file's offset", "proven", "oo-left,oo-right",
	  "lock order", ofd_offset, 0 },
	{ "ofd-upgrade", "two readers of a range both want to write it", "proven", "ou-left,ou-right",
	  "both upgrade", ofd_upgrade, 0 },
	{ "flock-heir", "a lock's file is held by a child that inherited it", "stuck", NULL,
	  "the heir should close it", flock_heir, 0 },
	{ "philosophers", "three take three System V semaphores in a ring", "closed-world",
	  "ph-one,ph-three,ph-two", "lock order", philosophers, KIND_SEM },
	{ "philosophers-bare", "the same without SEM_UNDO", "stuck", "pn-one,pn-three,pn-two",
	  "lock order", philosophers_bare, KIND_SEM },
	{ "sem-partial", "three have one unit each of five, and want three more", "closed-world",
	  "sp-one,sp-three,sp-two", "units taken bit by bit", sem_partial, KIND_SEM },
	{ "msg-own", "a process fills a queue that nobody else reads", "stuck", "mo-self",
	  "nobody receives", msg_own, KIND_MSG },
	{ "msg-full", "two fill the System V queues that the other should read", "stuck", "mm-left,mm-right",
	  "both send before they receive", msg_full, NEEDS_TWO_QUEUES },
	{ "msg-type", "a receiver wants a type that nobody sends", "stuck", "case,mt-reader",
	  "the wrong type", msg_type, KIND_MSG },
	{ "mq-full", "two fill POSIX queues whose opener pauses", "stuck", NULL, "nobody receives",
	  mq_full, 0 },
	{ "fifo-opposite", "two open two FIFOs, each the end that the other should", "stuck",
	  "fo-left,fo-right", "both open for reading", fifo_opposite, KIND_FIFO },
	{ "grand", "a sleeping daemon has inherited the write end", "leak-suspect", NULL,
	  "a leaked descriptor", grand, 0 },
	{ "slow", "a reader takes a hundred bytes a second", "none", NULL, "slow, not stuck", slow, 0 },
	{ "busy", "the owner of a mutex computes", "none", NULL, "it will let go", busy, 0 },
	{ "socket-timeout", "both wait for the other to speak, with a timeout", "none", NULL,
	  "SO_RCVTIMEO", socket_timeout, 0 },
	{ "with-alarm", "two full pipes, and an alarm clock", "none", NULL, "SIGALRM will come",
	  with_alarm, 0 },
	{ "epoll-timerfd", "two wait in epoll, each with a timer in the set", "none", NULL,
	  "the timer will fire", epoll_timerfd, 0 },
	{ "poll-deadline", "two wait in poll, with a timeout", "none", NULL, "it will time out",
	  poll_deadline, 0 },
	{ "robust-died", "the owner of a robust mutex died with it", "none", NULL,
	  "the next owner is told", robust_died, 0 },
	{ "fcntl-abba", "two lock two ranges in opposite order", "none", NULL,
	  "the kernel refuses one of the two", fcntl_abba, 0 },
	{ "flock-upgrade", "two upgrade a shared flock", "none", NULL, "the old lock is dropped first",
	  flock_upgrade, 0 },
	{ "philosophers-and", "three take two semaphores in one call", "none", NULL, "some always eat",
	  philosophers_and, KIND_SEM },
	{ "fcntl-upgrade", "two readers of a range both want to write it, by fcntl", "none", NULL,
	  "the kernel refuses one of the two", fcntl_upgrade, 0 },
	{ "fork-printf", "a child prints to a stream that a thread of its parent had locked", "none", NULL,
	  "the C library makes such locks anew", fork_printf, 0 },
	{ "tcp-window", "a TCP window that is closed most of the time", "none", NULL, "slow, not stuck",
	  tcp_window, 0 },
	{ "uring-keeper", "the write end is a fixed file of an io_uring, whose owner sleeps for a while",
	  "none", NULL, "the owner will act", uring_keeper, NEEDS_URING },
	{ "thread-table", "the write end is in another thread's own table of descriptors", "none", NULL,
	  "that thread sleeps for a while", thread_table, 0 },
	{ "pool-idle", "a server that listens, whose workers wait for jobs", "none", NULL, "idle",
	  pool_idle, 0 },
	{ "cron", "one that sleeps and is waited for", "none", NULL, "its time will come", cron, 0 },
	{ "one-live-saves", "two wait for pipes to which a third will write", "none", NULL,
	  "one live holder is enough", one_live_saves, 0 },
	{ "worker-sem", "a thread waits for another that sleeps", "none", NULL, "it will be posted",
	  worker_sem, 0 },
	{ "fifo-server", "a server of a FIFO that nobody calls, which keeps it open itself", "none", NULL,
	  "idle", fifo_server, KIND_FIFO },
	{ "idle-server", "a server that nobody calls", "none", NULL, "idle", idle_server, 0 },
	{ NULL, NULL, NULL, NULL, NULL, NULL, 0 },
};

static const struct hang *chosen;

static void run_chosen(struct demo_run *run, const int *fds)
{
	(void)run, (void)fds;
	chosen->run();
	_exit(1);
}

static int make_sems(struct demo_run *run)
{
	sysv_id = demo_owns(run, KIND_SEM, semget(IPC_PRIVATE, SEMS, 0600));
	if (sysv_id < 0)
		return sysv_id;
	for (int i = 0; i < SEMS; i++)
		if (semctl(sysv_id, i, SETVAL, 1) < 0)
			return -errno;
	return 0;
}

static int make_fifos(struct demo_run *run)
{
	for (int i = 0; i < 2; i++)
		if (!demo_path(run, i ? "right" : "left", fifo_path[i]) || mkfifo(fifo_path[i], 0600) < 0)
			return -errno;
	return 0;
}

static int make_needs(struct demo_run *run, int needs)
{
	switch (needs) {
	case KIND_SEM: return make_sems(run);
	case KIND_MSG: sysv_id = demo_owns(run, KIND_MSG, msgget(IPC_PRIVATE, 0600)); break;
	case NEEDS_TWO_QUEUES:
		sysv_id = demo_owns(run, KIND_MSG, msgget(IPC_PRIVATE, 0600));
		sysv_other = demo_owns(run, KIND_MSG, msgget(IPC_PRIVATE, 0600));
		return sysv_id < 0 ? sysv_id : sysv_other < 0 ? sysv_other : 0;
	case KIND_FIFO: return make_fifos(run);
	case NEEDS_URING: return ring_probe();
	default: return 0;
	}
	return sysv_id < 0 ? sysv_id : 0;
}

int hang_start(struct demo_run *run, const struct hang *h)
{
	int err = make_needs(run, h->needs);

	if (!h->run)
		return demo_two_pipes_full(run);
	chosen = h;
	return err ? err : demo_spawn(run, "case", run_chosen, NULL);
}
