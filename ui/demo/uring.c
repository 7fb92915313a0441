// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * io-uring: iu-client asks over a socket, iu-server answers through a pipe, both by requests of an
 * io_uring and none by plain calls.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ring.h"
#include "workloads.h"

#define QUESTION_BYTES 48u
#define ANSWER_BYTES 112u

/* fds: the socket's two ends, then the pipe's */
static void iu_client(struct demo_run *run, const int *fds)
{
	struct demo_pace pace = {0};
	struct ring ring;
	char question[QUESTION_BYTES], answer[ANSWER_BYTES];

	close(fds[1]);
	close(fds[3]);
	ring_open(&ring);
	while (demo_turn(run, &pace)) {
		demo_fill(question, sizeof(question), "question", pace.sent);
		demo_sent(run, KIND_UNIX, ring_do(&ring, IORING_OP_SEND, fds[0], question,
						  sizeof(question)));
		demo_got(run, KIND_PIPE, ring_do(&ring, IORING_OP_READ, fds[2], answer,
						 sizeof(answer)));
	}
}

static void iu_server(struct demo_run *run, const int *fds)
{
	struct ring ring;
	char question[QUESTION_BYTES], answer[ANSWER_BYTES];
	uint64_t n = 0;
	size_t got;

	close(fds[0]);
	close(fds[2]);
	ring_open(&ring);
	while ((got = ring_do(&ring, IORING_OP_RECV, fds[1], question, sizeof(question))) > 0) {
		demo_got(run, KIND_UNIX, got);
		demo_fill(answer, sizeof(answer), "answer", ++n);
		demo_sent(run, KIND_PIPE, ring_do(&ring, IORING_OP_WRITE, fds[3], answer,
						  sizeof(answer)));
	}
}

int demo_io_uring(struct demo_run *run)
{
	int fds[5] = {-1, -1, -1, -1, -1}, err = ring_probe();

	if (err) {
		fprintf(stderr, "ipctap demo: io-uring: skipped: io_uring is not to be had here: %s\n",
			strerror(-err));
		return 0;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0 || pipe(fds + 2) < 0)
		return -errno;
	err = demo_spawn(run, "iu-client", iu_client, fds);
	if (!err)
		err = demo_spawn(run, "iu-server", iu_server, fds);
	demo_close(fds);
	return err;
}
