// SPDX-License-Identifier: GPL-2.0-or-later
#include "ring.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kit.h"

#define ENTRIES 4

int ring_probe(void)
{
	struct io_uring_params p = {0};
	int probe = (int)syscall(SYS_io_uring_setup, 1, &p);

	if (probe < 0) /* /proc/sys/kernel/io_uring_disabled, or a container's filter */
		return -errno;
	close(probe);
	return 0;
}

static void *ring_map(int fd, size_t size, off_t what)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, what);

	if (p == MAP_FAILED)
		demo_die("mmap of the ring");
	return p;
}

void ring_open(struct ring *r)
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

size_t ring_do(struct ring *r, int opcode, int fd, void *buf, size_t size)
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

void ring_fix(struct ring *r, int fd)
{
	if (syscall(SYS_io_uring_register, r->fd, IORING_REGISTER_FILES, &fd, 1) < 0)
		demo_die("io_uring_register");
}
