/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One ring of a traced program's thread (lib/abi/shimring.h), as its reader. Nothing in it is
 * believed: the program may write what it likes, at any time. A record is copied out first, then
 * checked; what makes no sense is counted and skipped, and when it is not even clear where the next
 * one begins, all that is there is skipped.
 *
 * Works on memory: a mapped file, or a buffer in a test.
 */
#ifndef IPCTAP_COLLECTOR_SHIM_RING_H
#define IPCTAP_COLLECTOR_SHIM_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/abi/shimring.h"

/* A record, and room to check one that claims to be longer than it is. */
union shim_record {
	struct ev_hdr hdr;
	struct ev_io io;
	struct ev_task task;
	struct ev_endpoint endpoint;
	struct raw_object object;
	struct raw_map map;
	struct raw_mknod mknod;
	struct raw_io_addr io_addr;
	struct shim_io_unix io_unix;
	uint8_t bytes[SHIM_RECORD_MAX];
};

struct shim_reader {
	struct shim_ring *ring; /* borrowed */
	const uint8_t *data;
	uint64_t data_bytes;    /* as found at first; the header's is not read again */
	uint64_t head, tail;
	uint64_t last_ns;       /* stamp of the last record: they do not run backwards */
	uint32_t pid, tid, ppid;
	uint64_t bad;           /* records that made no sense, or bytes' worth skipped at once as one */
	uint64_t lost_told[SHIM_LOST_MAX];
	bool has_record;
	union shim_record record; /* the one at tail, checked; stamped no earlier than last_ns */
};

/* Begins to read the ring at `base`, `bytes` long with its header. False: it is none. */
bool shim_reader_init(struct shim_reader *r, void *base, size_t bytes);

/* Looks how far the writer has come. Records up to there can be had until the next call. */
void shim_reader_update(struct shim_reader *r);

/*
 * The next record, NULL when there is none. One stamped more than a second later than now_ns is taken
 * to be of now_ns. Stays the same until shim_reader_next, which frees its place for the writer.
 */
const union shim_record *shim_reader_peek(struct shim_reader *r, uint64_t now_ns);
void shim_reader_next(struct shim_reader *r);

/* How many records of a cause the writer had no room for since this was asked last. */
uint64_t shim_reader_lost(struct shim_reader *r, enum shim_lost cause);

/* The call the thread is in, in *call; false: in none, or it changed while we looked. */
bool shim_reader_call(const struct shim_reader *r, struct shim_call *call);

#endif
