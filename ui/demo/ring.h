/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An io_uring by its bare system calls, so that the demos need no library for it. */
#ifndef IPCTAP_UI_DEMO_RING_H
#define IPCTAP_UI_DEMO_RING_H

#include <linux/io_uring.h>
#include <stddef.h>
#include <stdint.h>

struct ring {
	int fd;
	uint32_t *sq_tail, *sq_mask, *sq_array, *cq_head, *cq_tail, *cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
};

/* 0, or a negative errno where io_uring is not to be had. */
int ring_probe(void);

/* The worker dies of an error in these. */
void ring_open(struct ring *r);
/* One request, and its result. */
size_t ring_do(struct ring *r, int opcode, int fd, void *buf, size_t size);
/* Makes `fd` the ring's only fixed file. */
void ring_fix(struct ring *r, int fd);

#endif
