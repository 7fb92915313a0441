/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The records of one pass (lib/abi/snap.h), in one buffer, from either way of looking. Private to
 * collector/snap*.
 */
#ifndef IPCTAP_COLLECTOR_SNAP_READ_H
#define IPCTAP_COLLECTOR_SNAP_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/abi/snap.h"
#include "lib/base/fail.h"

struct snap_buf {
	char *data;
	size_t len, room;
};

void snap_buf_release(struct snap_buf *b);
/* Room for `size` more bytes, 8-aligned; NULL: no memory. Counts them as used. */
void *snap_buf_add(struct snap_buf *b, size_t size);

struct snap_reader;

struct snap_reader {
	/* Appends the records of tasks, or of everything else. 0 or a negative errno. */
	int (*tasks)(struct snap_reader *r, struct snap_buf *b);
	int (*files)(struct snap_reader *r, struct snap_buf *b);
	void (*free)(struct snap_reader *r);
	bool whole; /* sees the host's descriptors, peers, locks and queues, not just what /proc tells */
};

/* NULL with *fail filled. Without BPF in the build: NULL, ENOTSUP. */
struct snap_reader *snap_reader_bpf(struct fail *fail);
struct snap_reader *snap_reader_proc(struct fail *fail);

#endif
