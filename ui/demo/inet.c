// SPDX-License-Identifier: GPL-2.0-or-later
/* Workloads over TCP and UDP on the loopback address. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "workloads.h"

#define REQUEST_BYTES 100u
#define REPLY_BYTES 1000u
#define QUERY_BYTES 40u
#define ANSWER_BYTES 120u

/* A socket of `type` on a free port of 127.0.0.1; returns it or a negative errno. */
static int local_socket(int type)
{
	struct sockaddr_in addr = {
	    .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
		return fd;
	err = -errno;
	close(fd);
	return err;
}

/* ---- tcp: tcp-client asks, tcp-server answers ---- */

static void tcp_server(struct demo_run *run, const int *fds)
{
	char request[REQUEST_BYTES], reply[REPLY_BYTES];
	int fd = accept4(fds[0], NULL, NULL, SOCK_CLOEXEC), one = 1;
	uint64_t n = 0;

	if (fd < 0)
		demo_die("accept4");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	while (demo_read(run, KIND_TCP, fd, request, sizeof(request))) {
		demo_fill(reply, sizeof(reply), "reply", ++n);
		demo_write(run, KIND_TCP, fd, reply, sizeof(reply));
	}
}

static void tcp_client(struct demo_run *run, const int *fds)
{
	char request[REQUEST_BYTES], reply[REPLY_BYTES];
	int fd = demo_connect_to(fds[0], SOCK_STREAM), one = 1;
	struct demo_pace pace = {0};

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	while (demo_turn(run, &pace)) {
		demo_fill(request, sizeof(request), "request", pace.sent);
		demo_write(run, KIND_TCP, fd, request, sizeof(request));
		if (!demo_read(run, KIND_TCP, fd, reply, sizeof(reply))) {
			errno = EPIPE;
			demo_die("reply");
		}
	}
	shutdown(fd, SHUT_WR);
}

int demo_tcp(struct demo_run *run)
{
	int fd = local_socket(SOCK_STREAM), err;

	if (fd < 0)
		return fd;
	err = listen(fd, 1) < 0 ? -errno : 0;
	if (!err)
		err = demo_spawn(run, "tcp-server", tcp_server, (int[]){fd, -1});
	if (!err)
		err = demo_spawn(run, "tcp-client", tcp_client, (int[]){fd, -1});
	close(fd);
	return err;
}

/* ---- udp: one question in flight at a time, so that none is dropped ---- */

static void udp_server(struct demo_run *run, const int *fds)
{
	char query[QUERY_BYTES], answer[ANSWER_BYTES];
	uint64_t answers = 0;

	for (;;) {
		struct sockaddr_in from;
		socklen_t len = sizeof(from);
		ssize_t n =
		    recvfrom(fds[0], query, sizeof(query), 0, (struct sockaddr *)&from, &len);

		if (n < 0)
			demo_die("recvfrom");
		demo_got(run, KIND_UDP, (size_t)n);
		if (n == 0)
			return; /* the client's last word */
		demo_fill(answer, sizeof(answer), "answer", ++answers);
		if (sendto(fds[0], answer, sizeof(answer), 0, (struct sockaddr *)&from, len) < 0)
			demo_die("sendto");
		demo_sent(run, KIND_UDP, sizeof(answer));
	}
}

static void udp_client(struct demo_run *run, const int *fds)
{
	char query[QUERY_BYTES], answer[ANSWER_BYTES];
	int fd = demo_connect_to(fds[0], SOCK_DGRAM);
	struct timeval patience = {.tv_sec = 5};
	struct demo_pace pace = {0};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	while (demo_turn(run, &pace)) {
		ssize_t n;

		demo_fill(query, sizeof(query), "query", pace.sent);
		demo_write(run, KIND_UDP, fd, query, sizeof(query));
		n = recv(fd, answer, sizeof(answer), 0);
		if (n < 0)
			demo_die("recv");
		demo_got(run, KIND_UDP, (size_t)n);
	}
	if (send(fd, "", 0, 0) < 0)
		demo_die("send");
	demo_sent(run, KIND_UDP, 0);
}

int demo_udp(struct demo_run *run)
{
	int fd = local_socket(SOCK_DGRAM), err;

	if (fd < 0)
		return fd;
	err = demo_spawn(run, "udp-server", udp_server, (int[]){fd, -1});
	if (!err)
		err = demo_spawn(run, "udp-client", udp_client, (int[]){fd, -1});
	close(fd);
	return err;
}
