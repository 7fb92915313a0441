// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Requests of an io_uring in the forms that are decoded differently, each as often as the test knows
 * (tests/live/uring.t). Exits with 77 where there is no io_uring to be had.
 */
#include <errno.h>
#include <linux/io_uring.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define ENTRIES 16

static struct {
	int fd;
	uint32_t *sq_tail, *sq_mask, *sq_array, *cq_head, *cq_tail, *cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
	uint32_t waiting; /* prepared, not submitted */
} ring;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void *ring_map(size_t size, off_t what)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring.fd, what);
	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

static void ring_open(void)
{
	struct io_uring_params p = {0};
	ring.fd = (int)syscall(SYS_io_uring_setup, ENTRIES, &p);
	if (ring.fd < 0) {
		perror("io_uring_setup");
		exit(77);
	}
	char *sq = ring_map(p.sq_off.array + p.sq_entries * sizeof(uint32_t), IORING_OFF_SQ_RING);
	char *cq = ring_map(p.cq_off.cqes + p.cq_entries * sizeof(*ring.cqes), IORING_OFF_CQ_RING);
	ring.sqes = ring_map(p.sq_entries * sizeof(*ring.sqes), IORING_OFF_SQES);
	ring.sq_tail = (uint32_t *)(sq + p.sq_off.tail);
	ring.sq_mask = (uint32_t *)(sq + p.sq_off.ring_mask);
	ring.sq_array = (uint32_t *)(sq + p.sq_off.array);
	ring.cq_head = (uint32_t *)(cq + p.cq_off.head);
	ring.cq_tail = (uint32_t *)(cq + p.cq_off.tail);
	ring.cq_mask = (uint32_t *)(cq + p.cq_off.ring_mask);
	ring.cqes = (struct io_uring_cqe *)(cq + p.cq_off.cqes);
}

static struct io_uring_sqe *prepare(int opcode, int fd, const void *buf, size_t size)
{
	uint32_t tail = *ring.sq_tail, at = tail & *ring.sq_mask;
	struct io_uring_sqe *e = &ring.sqes[at];
	memset(e, 0, sizeof(*e));
	e->opcode = (uint8_t)opcode;
	e->fd = fd;
	e->addr = (uint64_t)(uintptr_t)buf;
	e->len = (uint32_t)size;
	ring.sq_array[at] = at;
	__atomic_store_n(ring.sq_tail, tail + 1, __ATOMIC_RELEASE);
	ring.waiting++;
	return e;
}

static void submit(void)
{
	if (syscall(SYS_io_uring_enter, ring.fd, ring.waiting, 0, 0, NULL, 0) != (long)ring.waiting)
		die("io_uring_enter");
	ring.waiting = 0;
}

static int result(uint32_t *flags)
{
	uint32_t head = *ring.cq_head;
	while (__atomic_load_n(ring.cq_tail, __ATOMIC_ACQUIRE) == head)
		if (syscall(SYS_io_uring_enter, ring.fd, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
			die("io_uring_enter");
	struct io_uring_cqe *c = &ring.cqes[head & *ring.cq_mask];
	int res = c->res;
	if (flags)
		*flags = c->flags;
	__atomic_store_n(ring.cq_head, head + 1, __ATOMIC_RELEASE);
	return res;
}

static void expect(int want, const char *what)
{
	int res = result(NULL);
	if (res == want)
		return;
	fprintf(stderr, "%s: %d, not %d\n", what, res, want);
	exit(1);
}

/* 3 writes of 10 bytes, each before its read of 10; then a read that has to wait for its write. */
static void plain(int *p)
{
	char buf[16] = "0123456789";
	for (int i = 0; i < 3; i++) {
		prepare(IORING_OP_WRITE, p[1], buf, 10);
		submit();
		expect(10, "write");
		prepare(IORING_OP_READ, p[0], buf, 10);
		submit();
		expect(10, "read");
	}
	prepare(IORING_OP_READ, p[0], buf, 10);
	submit();
	prepare(IORING_OP_WRITE, p[1], buf, 10);
	submit();
	expect(10, "write or read");
	expect(10, "read or write");
}

/* The same descriptors through the table of the ring: 2 writes of 7, one read of 14. */
static void fixed(int *p)
{
	char buf[16] = "abcdefg";
	if (syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_FILES, p, 2) < 0)
		die("register");
	for (int i = 0; i < 2; i++) {
		prepare(IORING_OP_WRITE, 1, buf, 7)->flags = IOSQE_FIXED_FILE;
		submit();
		expect(7, "fixed write");
	}
	prepare(IORING_OP_READ, 0, buf, 14)->flags = IOSQE_FIXED_FILE;
	submit();
	expect(14, "fixed read");
}

/* 20 bytes go from one pipe to the other inside the kernel. */
static void spliced(int *from, int *to)
{
	char buf[32] = "twenty bytes of text";
	if (write(from[1], buf, 20) != 20)
		die("write");
	struct io_uring_sqe *e = prepare(IORING_OP_SPLICE, to[1], NULL, 20);
	e->splice_fd_in = from[0];
	e->splice_off_in = e->off = (uint64_t)-1;
	submit();
	expect(20, "splice");
	if (read(to[0], buf, sizeof(buf)) != 20)
		die("read");
}

/* One accept that lasts, two clients; a recv that lasts would need a pool of buffers. */
static void accepted(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = ""};
	snprintf(a.sun_path + 1, sizeof(a.sun_path) - 1, "ringforms-%d", (int)getpid());
	int server = socket(AF_UNIX, SOCK_STREAM, 0), client[2], got[2];
	if (bind(server, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(server, 4) < 0)
		die("listen");
	struct io_uring_sqe *e = prepare(IORING_OP_ACCEPT, server, NULL, 0);
	e->ioprio = IORING_ACCEPT_MULTISHOT;
	e->user_data = 77;
	submit();
	for (int i = 0; i < 2; i++) {
		uint32_t flags = 0;
		client[i] = socket(AF_UNIX, SOCK_STREAM, 0);
		if (connect(client[i], (struct sockaddr *)&a, sizeof(a)) < 0)
			die("connect");
		got[i] = result(&flags);
		if (got[i] < 0 || !(flags & IORING_CQE_F_MORE)) {
			fprintf(stderr, "accept: %d, flags %x\n", got[i], flags);
			exit(1);
		}
	}
	char buf[40] = "";
	prepare(IORING_OP_SEND, client[1], buf, 40);
	submit();
	expect(40, "send");
	prepare(IORING_OP_RECV, got[1], buf, 40)->msg_flags = MSG_PEEK;
	submit();
	expect(40, "look");
	prepare(IORING_OP_RECV, got[1], buf, 40);
	submit();
	expect(40, "recv");
	prepare(IORING_OP_CLOSE, got[1], NULL, 0)->fd = got[1];
	submit();
	expect(0, "close");
}

/* A datagram of 9 bytes, which is its receiver's. */
static void datagram(void)
{
	int s[2];
	char buf[16] = "datagram";
	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, s) < 0)
		die("socketpair");
	prepare(IORING_OP_SEND, s[0], buf, 9);
	submit();
	expect(9, "send a datagram");
	if (read(s[1], buf, sizeof(buf)) != 9)
		die("read");
}

/* Not decoded: a message to a ring; and a write that is asked not to say that it succeeded. */
static void unknown(int *p)
{
	char buf[8] = "quiet";
	struct io_uring_sqe *e = prepare(IORING_OP_MSG_RING, ring.fd, NULL, 0);
	e->off = 5;
	submit();
	result(NULL);
	prepare(IORING_OP_WRITE, p[1], buf, 5)->flags = IOSQE_CQE_SKIP_SUCCESS;
	submit();
	if (read(p[0], buf, sizeof(buf)) != 5)
		die("read");
}

int main(void)
{
	int p[2], q[2];
	if (pipe(p) < 0 || pipe(q) < 0)
		die("pipe");
	ring_open();
	plain(p);
	fixed(p);
	spliced(p, q);
	accepted();
	datagram();
	unknown(p);
	return 0;
}
