// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Many datagrams of UDP in one message, several messages in one call: sendmmsg with UDP_SEGMENT of its
 * own for each, recvmmsg with UDP_GRO. Two children send the same; what the receiver got of each it says:
 *
 *     apart=PID apart_got=N together=PID together_got=N bytes=N calls=N
 *
 * apart: datagram by datagram; together: put together again, counted by the length that each message
 * says; bytes: of either; calls: of recvmmsg, and messages that they gave. Exits 0 when all arrived.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#define UDP_GRO 104
#endif
#define MESSAGES 3
#define SEGMENTS_BYTES 100

static const size_t lengths[MESSAGES] = { 1000, 950, 30 }; /* the last of one datagram, as it is */
#define DATAGRAMS (10 + 10 + 1)
#define BYTES (1000 + 950 + 30)

static char room[MESSAGES][2000];
static char control[MESSAGES][CMSG_SPACE(sizeof(int))];
static struct iovec iov[MESSAGES];
static struct mmsghdr messages[MESSAGES];

static void must(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

static void prepare(void)
{
	memset(control, 0, sizeof(control));
	for (int i = 0; i < MESSAGES; i++) {
		iov[i] = (struct iovec){ room[i], sizeof(room[i]) };
		messages[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &iov[i], .msg_iovlen = 1,
			.msg_control = control[i], .msg_controllen = sizeof(control[i]) } };
	}
}

static int sender(const struct sockaddr_in *to)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	uint16_t size = SEGMENTS_BYTES;

	must(fd >= 0 && connect(fd, (const struct sockaddr *)to, sizeof(*to)) == 0, "connect");
	prepare();
	for (int i = 0; i < MESSAGES; i++) {
		struct cmsghdr *c = (struct cmsghdr *)control[i];
		iov[i].iov_len = lengths[i];
		messages[i].msg_hdr.msg_controllen = i < MESSAGES - 1 ? CMSG_SPACE(sizeof(size)) : 0;
		c->cmsg_len = CMSG_LEN(sizeof(size));
		c->cmsg_level = SOL_UDP;
		c->cmsg_type = UDP_SEGMENT;
		memcpy(CMSG_DATA(c), &size, sizeof(size));
	}
	return sendmmsg(fd, messages, MESSAGES, 0) == MESSAGES ? 0 : 1;
}

static pid_t sent(const struct sockaddr_in *to)
{
	pid_t pid = fork();
	int status = 1;

	must(pid >= 0, "fork");
	if (pid == 0)
		_exit(sender(to));
	must(waitpid(pid, &status, 0) == pid && status == 0, "the sender");
	return pid;
}

/* How many datagrams a message is that was received. */
static int datagrams_of(struct mmsghdr *m)
{
	int size = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m->msg_hdr); c; c = CMSG_NXTHDR(&m->msg_hdr, c))
		if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO)
			memcpy(&size, CMSG_DATA(c), sizeof(size));
	return size ? ((int)m->msg_len + size - 1) / size : 1;
}

/* Everything there is: how many datagrams. */
static int received(int fd, size_t *bytes, int *calls)
{
	int n, got = 0;

	for (*bytes = 0;; (*calls)++) {
		prepare();
		n = recvmmsg(fd, messages, MESSAGES, MSG_DONTWAIT, NULL);
		if (n <= 0)
			return got;
		for (int i = 0; i < n; i++) {
			got += datagrams_of(&messages[i]);
			*bytes += messages[i].msg_len;
		}
	}
}

int main(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_DGRAM, 0), on = 1, calls = 0;
	size_t apart_bytes, together_bytes;

	must(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0 &&
	     getsockname(fd, (struct sockaddr *)&at, &len) == 0, "bind");
	pid_t apart = sent(&at);
	int apart_got = received(fd, &apart_bytes, &calls);
	must(setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof(on)) == 0, "UDP_GRO");
	pid_t together = sent(&at);
	int before = calls, together_got = received(fd, &together_bytes, &calls);

	printf("apart=%d apart_got=%d together=%d together_got=%d bytes=%zu calls=%d\n", apart, apart_got,
	       together, together_got, apart_bytes, calls);
	/* three messages, not one for each datagram: they did come together */
	return apart_got == DATAGRAMS && together_got == DATAGRAMS && apart_bytes == BYTES &&
	       together_bytes == BYTES && calls - before == 1 ? 0 : 1;
}
