// SPDX-License-Identifier: GPL-2.0-or-later
/* fd-passing: fp-sender hands pipes to fp-receiver over a unix socket, and talks through them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "workloads.h"

#define LETTER_BYTES 32u

union control {
	char buf[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

static void fp_send(int sock, int fd)
{
	char byte = 'x';
	union control control = {0};
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buf,
			     .msg_controllen = sizeof(control.buf)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	if (sendmsg(sock, &msg, 0) != 1)
		demo_die("sendmsg");
}

/* The descriptor that came with the next byte; -1: there is no more. */
static int fp_receive(int sock)
{
	char byte;
	union control control = {0};
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buf,
			     .msg_controllen = sizeof(control.buf)};
	ssize_t n = recvmsg(sock, &msg, 0);
	struct cmsghdr *c = n == 1 ? CMSG_FIRSTHDR(&msg) : NULL;
	int fd;

	if (n < 0)
		demo_die("recvmsg");
	if (n == 0)
		return -1;
	if (!c || c->cmsg_type != SCM_RIGHTS) {
		errno = EPROTO;
		demo_die("recvmsg: no descriptor");
	}
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

static void fp_sender(struct demo_run *run, const int *socks)
{
	struct demo_pace pace = {0};
	char letter[LETTER_BYTES];

	close(socks[1]);
	while (demo_turn(run, &pace)) {
		int fds[2];

		if (pipe(fds) < 0)
			demo_die("pipe");
		fp_send(socks[0], fds[0]);
		demo_sent(run, KIND_UNIX, 1);
		close(fds[0]);
		demo_fill(letter, sizeof(letter), "letter", pace.sent);
		demo_write(run, KIND_PIPE, fds[1], letter, sizeof(letter));
		close(fds[1]);
	}
}

static void fp_receiver(struct demo_run *run, const int *socks)
{
	char letter[LETTER_BYTES];
	int fd;

	close(socks[0]);
	while ((fd = fp_receive(socks[1])) >= 0) {
		demo_got(run, KIND_UNIX, 1);
		while (demo_read(run, KIND_PIPE, fd, letter, sizeof(letter)))
			;
		close(fd);
	}
}

int demo_fd_passing(struct demo_run *run)
{
	int socks[3] = {-1, -1, -1}, err;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, socks) < 0)
		return -errno;
	err = demo_spawn(run, "fp-sender", fp_sender, socks);
	if (!err)
		err = demo_spawn(run, "fp-receiver", fp_receiver, socks);
	demo_close(socks);
	return err;
}
