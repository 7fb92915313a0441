// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * io-uring: iu-client asks over a socket, iu-server answers through a pipe, both by requests of an
 * io_uring and none by plain calls. The bare system calls, so that nothing else is needed.
 */
#include <errno.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "workloads.h"

#define QUESTION_BYTES 48u
#define ANSWER_BYTES 112u
#define ENTRIES 4

struct ring {
	int fd;
	uint32_t *sq_tail, *sq_mask, *sq_array, *cq_head, *cq_tail, *cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
};

static void *ring_map(int fd, size_t size, off_t what)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, what);

	if (p == MAP_FAILED)
		demo_die("mmap of the ring");
	return p;
}

static void ring_open(struct ring *r)
{
	struct io_uring_params p = {0};
	char *sq, *cq;

	r->fd = (int)syscall(SYS_io_uring_setup, ENTRIES, &p);
	if (r->fd < 0)
		demo_die("io_uring_setup");
	sq = ring_map(r->fd, p.sq_off.array + p.sq_entries * sizeof(uint32_t), IORING_OFF_SQ_RING);
	cq = ring_map(r->fd, p.cq_off.cqes + p.cq_entries * sizeof(*r->cqes), IORING_OFF_CQ_RING);
	r->sqes = ring_map(r->fd, p.sq_entries * sizeof(*r->sqes), IORING_OFF_SQES);
	r->sq_tail = (uint32_t *)(sq + p.sq_off.tail);
	r->sq_mask = (uint32_t *)(sq + p.sq_off.ring_mask);
	r->sq_array = (uint32_t *)(sq + p.sq_off.array);
	r->cq_head = (uint32_t *)(cq + p.cq_off.head);
	r->cq_tail = (uint32_t *)(cq + p.cq_off.tail);
	r->cq_mask = (uint32_t *)(cq + p.cq_off.ring_mask);
	r->cqes = (struct io_uring_cqe *)(cq + p.cq_off.cqes);
}

/* One request, and its result; dies of an error. */
static size_t ring_do(struct ring *r, int opcode, int fd, void *buf, size_t size)
{
	uint32_t tail = *r->sq_tail, at = tail & *r->sq_mask, head = *r->cq_head;
	struct io_uring_cqe *cqe;

	memset(&r->sqes[at], 0, sizeof(*r->sqes));
	r->sqes[at].opcode = (uint8_t)opcode;
	r->sqes[at].fd = fd;
	r->sqes[at].addr = (uint64_t)(uintptr_t)buf;
	r->sqes[at].len = (uint32_t)size;
	r->sq_array[at] = at;
	__atomic_store_n(r->sq_tail, tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, r->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		demo_die("io_uring_enter");
	while (__atomic_load_n(r->cq_tail, __ATOMIC_ACQUIRE) == head)
		if (syscall(SYS_io_uring_enter, r->fd, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
			demo_die("io_uring_enter");
	cqe = &r->cqes[head & *r->cq_mask];
	if (cqe->res < 0) {
		errno = -cqe->res;
		demo_die("a request");
	}
	size = (size_t)cqe->res;
	__atomic_store_n(r->cq_head, head + 1, __ATOMIC_RELEASE);
	return size;
}

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
	struct io_uring_params p = {0};
	int fds[5] = {-1, -1, -1, -1, -1}, err;
	int probe = (int)syscall(SYS_io_uring_setup, 1, &p);

	if (probe < 0) { /* /proc/sys/kernel/io_uring_disabled, or a container's filter */
		fprintf(stderr, "ipctap demo: io-uring: skipped: io_uring is not to be had here: %s\n",
			strerror(errno));
		return 0;
	}
	close(probe);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0 || pipe(fds + 2) < 0)
		return -errno;
	err = demo_spawn(run, "iu-client", iu_client, fds);
	if (!err)
		err = demo_spawn(run, "iu-server", iu_server, fds);
	demo_close(fds);
	return err;
}
