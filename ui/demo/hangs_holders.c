// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Cases of the corpus of waits (hangs.h) in which an end is held, or used, where no process's table of
 * descriptors shows it: in a message that nobody has taken, in an io_uring, in a thread's own table.
 */
#include "hangs_cases.h"

#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hangs_kit.h"
#include "kit.h"
#include "ring.h"

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
	hang_must(sendmsg(sock, &m, 0) == 1, "sendmsg");
}

/* The only write end lies in a socket, whose reader takes its time. */
void case_fd_in_flight(void)
{
	int p[2], s[2];

	hang_pipe(p);
	hang_unix_pair(s, SOCK_STREAM);
	send_fd(s[0], p[1]);
	close(p[1]);
	if (hang_member("fl-reader")) {
		close(s[0]);
		close(s[1]);
		hang_drain(p[0]);
		hang_got_past();
	}
	close(p[0]);
	if (hang_member("fl-taker")) {
		pause();
		hang_got_past();
	}
	close(s[0]);
	close(s[1]);
	hang_wait_for_all();
}

/* The only write end is in the fixed files of a ring, whose owner rests: for a while, or for good. */
static void uring_fixed_how(bool for_good, const char *reader, const char *keeper)
{
	int p[2];

	hang_pipe(p);
	if (hang_member(reader)) {
		close(p[1]);
		hang_drain(p[0]);
		hang_got_past();
	}
	if (hang_member(keeper)) {
		struct ring r;

		close(p[0]);
		ring_open(&r);
		ring_fix(&r, p[1]);
		close(p[1]);
		while (!for_good)
			hang_rest_ms(1000);
		pause();
		hang_got_past();
	}
	close(p[0]);
	close(p[1]);
	hang_wait_for_all();
}

void case_uring_fixed(void) { uring_fixed_how(true, "uf-reader", "uf-keeper"); }
void case_uring_keeper(void) { uring_fixed_how(false, "uk-reader", "uk-keeper"); }

/* Both write into full pipes, by requests of a ring. */
void case_uring_write(void)
{
	int there[2], back[2];

	hang_pipe(there);
	hang_pipe(back);
	for (int i = 0; i < 2; i++)
		if (hang_member(i ? "uw-right" : "uw-left")) {
			struct ring r;

			close(i ? there[1] : there[0]);
			close(i ? back[0] : back[1]);
			ring_open(&r);
			for (;;)
				ring_do(&r, IORING_OP_WRITE, i ? back[1] : there[1], hang_block, 65536);
		}
	demo_close((const int[]){ there[0], there[1], back[0], back[1], -1 });
	hang_wait_for_all();
}

/* Its other thread has a table of descriptors of its own, with the only write end, and rests. */
static struct hang_meeting tables;

static void *own_table(void *arg)
{
	hang_must(unshare(CLONE_FILES) == 0, "unshare");
	hang_meet(&tables, 2);
	hang_rest_ms(3600 * 1000);
	return arg;
}

void case_thread_table(void)
{
	int p[2];

	hang_pipe(p);
	prctl(PR_SET_NAME, "tt-reader");
	hang_thread(own_table, NULL);
	hang_meet(&tables, 2);
	close(p[1]);
	hang_drain(p[0]);
	hang_got_past();
}
