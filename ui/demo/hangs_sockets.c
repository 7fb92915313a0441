// SPDX-License-Identifier: GPL-2.0-or-later
/* Cases of the corpus of waits (hangs.h): sockets, and poll and epoll on them. */
#include "hangs_cases.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hangs_kit.h"

/* ---- both ends do the same ---- */

typedef void on_socket(int fd);

static void both(int a, int b, on_socket *fn, const char *left, const char *right)
{
	if (hang_member(left)) {
		close(b);
		fn(a);
		hang_got_past();
	}
	if (hang_member(right)) {
		close(a);
		fn(b);
		hang_got_past();
	}
	close(a);
	close(b);
	hang_wait_for_all();
}

static void tcp_pair(int s[2])
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	int l = hang_tcp_listener();

	hang_must(getsockname(l, (void *)&a, &len) == 0, "getsockname");
	s[0] = socket(AF_INET, SOCK_STREAM, 0);
	hang_must(connect(s[0], (void *)&a, len) == 0, "connect");
	s[1] = accept(l, NULL, NULL);
	hang_must(s[1] >= 0, "accept");
	close(l);
}

static void send_all(int fd)
{
	for (;;)
		hang_must(send(fd, hang_block, 65536, 0) > 0, "send");
}

static void send_small(int fd)
{
	for (;;)
		hang_must(send(fd, hang_block, 1024, 0) > 0, "send");
}

static void recv_one(int fd) { hang_must(recv(fd, hang_block, 1, 0) > 0, "recv"); }

static void poll_one(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	poll(&p, 1, -1);
}

void case_unix_send(void)
{
	int s[2];

	hang_unix_pair(s, SOCK_STREAM);
	both(s[0], s[1], send_all, "us-left", "us-right");
}

void case_dgram_send(void)
{
	int s[2];

	hang_unix_pair(s, SOCK_DGRAM);
	both(s[0], s[1], send_small, "ds-left", "ds-right");
}

void case_tcp_send(void)
{
	int s[2];

	tcp_pair(s);
	both(s[0], s[1], send_all, "ts-left", "ts-right");
}

/* The kernel gives up the connection when nothing was acknowledged for so long. */
void case_tcp_patience(void)
{
	unsigned int ms = 3600 * 1000;
	int s[2];

	tcp_pair(s);
	for (int i = 0; i < 2; i++)
		hang_must(setsockopt(s[i], IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms)) == 0,
			  "TCP_USER_TIMEOUT");
	both(s[0], s[1], send_all, "tu-left", "tu-right");
}

void case_unix_recv(void)
{
	int s[2];

	hang_unix_pair(s, SOCK_STREAM);
	both(s[0], s[1], recv_one, "ur-left", "ur-right");
}

void case_tcp_recv(void)
{
	int s[2];

	tcp_pair(s);
	both(s[0], s[1], recv_one, "tr-left", "tr-right");
}

void case_poll_pair(void)
{
	int s[2];

	hang_unix_pair(s, SOCK_STREAM);
	both(s[0], s[1], poll_one, "pp-left", "pp-right");
}

void case_epoll_pair(void)
{
	int s[2];

	tcp_pair(s);
	both(s[0], s[1], hang_epoll_one, "ep-left", "ep-right");
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

void case_poll_stopped(void)
{
	static const char *const names[] = { "ps-left", "ps-right" };
	int s[2];

	hang_unix_pair(s, SOCK_STREAM);
	for (int i = 0; i < 2; i++) {
		if (hang_member(names[i])) {
			close(s[!i]);
			poll_one(s[i]);
			hang_got_past();
		}
		while (!is_in_poll(hang_latest))
			hang_rest_ms(5);
		kill(hang_latest, SIGSTOP);
		waitpid(hang_latest, NULL, WUNTRACED);
		kill(hang_latest, SIGCONT);
	}
	close(s[0]);
	close(s[1]);
	hang_wait_for_all();
}

/* ---- with a time limit, which saves them ---- */

static void recv_timeout(int fd)
{
	struct timeval t = { .tv_sec = 3600 };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	recv_one(fd);
}

void case_socket_timeout(void)
{
	int s[2];

	hang_unix_pair(s, SOCK_STREAM);
	both(s[0], s[1], recv_timeout, "to-left", "to-right");
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

void case_epoll_timerfd(void)
{
	int s[2];

	hang_unix_pair(s, SOCK_STREAM);
	both(s[0], s[1], epoll_timer, "et-left", "et-right");
}

static void poll_timeout(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	poll(&p, 1, 3600 * 1000);
}

void case_poll_deadline(void)
{
	int s[2];

	hang_unix_pair(s, SOCK_STREAM);
	both(s[0], s[1], poll_timeout, "pd-left", "pd-right");
}

/* ---- many to one ---- */

/* A socket with a name of its own in the abstract space. */
static int named_socket(int type, struct sockaddr_un *a, socklen_t *len)
{
	int s = socket(AF_UNIX, type, 0);

	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	*len = sizeof(*a);
	hang_must(bind(s, (void *)a, sizeof(a->sun_family)) == 0, "bind");
	hang_must(getsockname(s, (void *)a, len) == 0, "getsockname");
	return s;
}

/* Room of its own for more than any queue takes. */
static int sender_socket(void)
{
	int s = socket(AF_UNIX, SOCK_DGRAM, 0), room = 1 << 22;

	hang_must(s >= 0, "socket");
	setsockopt(s, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	return s;
}

/* Two send to one socket, whose owner first wants to hear from them by a pipe. */
void case_dgram_fanin(void)
{
	struct sockaddr_un a;
	socklen_t len;
	int to = named_socket(SOCK_DGRAM, &a, &len), back[2];

	hang_pipe(back);
	if (hang_member("df-receiver")) {
		close(back[1]);
		hang_drain(back[0]);
		hang_got_past();
	}
	for (int i = 0; i < 2; i++)
		if (hang_member(i ? "df-two" : "df-one")) {
			int s = sender_socket();

			hang_must(connect(s, (void *)&a, len) == 0, "connect");
			close(to);
			close(back[0]);
			while (send(s, "x", 1, 0) == 1)
				;
			hang_got_past();
		}
	close(to);
	close(back[0]);
	close(back[1]);
	hang_wait_for_all();
}

/* The same by address, from a socket that is not connected. */
void case_dgram_sendto(void)
{
	struct sockaddr_un a;
	socklen_t len;
	int to = named_socket(SOCK_DGRAM, &a, &len), back[2];

	hang_pipe(back);
	if (hang_member("da-receiver")) {
		close(back[1]);
		hang_drain(back[0]);
		hang_got_past();
	}
	if (hang_member("da-sender")) {
		int s = sender_socket();

		close(to);
		close(back[0]);
		while (sendto(s, "x", 1, 0, (void *)&a, len) == 1)
			;
		hang_got_past();
	}
	close(to);
	close(back[0]);
	close(back[1]);
	hang_wait_for_all();
}

/* A client connects more often than the server accepts, which waits to be told by a pipe. */
void case_connect_full(void)
{
	struct sockaddr_un a;
	socklen_t len;
	int l = named_socket(SOCK_STREAM, &a, &len), back[2];

	hang_pipe(back);
	hang_must(listen(l, 1) == 0, "listen");
	if (hang_member("cb-server")) {
		close(back[1]);
		hang_drain(back[0]);
		hang_got_past();
	}
	if (hang_member("cb-client")) {
		close(l);
		close(back[0]);
		while (connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&a, len) == 0)
			;
		hang_got_past();
	}
	close(l);
	close(back[0]);
	close(back[1]);
	hang_wait_for_all();
}

/* ---- slow or idle ---- */

/* A window that is closed most of the time, small segments and late acknowledgements: slow it is. */
void case_tcp_window(void)
{
	int s[2], room = 4096;

	tcp_pair(s);
	setsockopt(s[1], SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (hang_member("tw-sender")) {
		close(s[1]);
		for (;;)
			hang_must(send(s[0], hang_block, 7, 0) > 0, "send");
	}
	if (hang_member("tw-receiver")) {
		close(s[0]);
		while (recv(s[1], hang_block, 1, 0) == 1)
			hang_rest_ms(200);
		hang_got_past();
	}
	close(s[0]);
	close(s[1]);
	hang_wait_for_all();
}

void case_idle_server(void)
{
	prctl(PR_SET_NAME, "is-server");
	accept(hang_tcp_listener(), NULL, NULL);
	hang_got_past();
}
