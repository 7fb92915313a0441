/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much this machine bears: a load that nothing exceeds, programs that do nothing but calls of one
 * byte, recorded as `ipctap record` would. All in a child, which gives up the rights that tracing does.
 */
#ifndef IPCTAP_UI_CLI_LOAD_H
#define IPCTAP_UI_CLI_LOAD_H

#include <stdint.h>

#include "lib/base/fail.h"

struct load_run {
	uint64_t ring_bytes;
	uint64_t calls;    /* that the programs made */
	uint64_t recorded; /* of these */
	uint64_t lost;     /* of whatever; calls == recorded + lost, if all is well */
	uint64_t dur_ns;
};

/*
 * One run of so many seconds, with so many such programs and a ring of ring_bytes, into a trace in
 * TMPDIR (/tmp) that is removed. Returns 0 or a negative errno with *fail set.
 */
int load_run(struct load_run *out, uint64_t ring_bytes, double seconds, unsigned int programs,
	     struct fail *fail);

/*
 * Runs with the default ring and then with smaller ones, each half of the one before, until something
 * is lost; or, if that already happens, with larger ones until nothing is. Calls `done` after each.
 * *least is the least ring that lost nothing, 0: none.
 */
#define LOAD_RING_DEFAULT (16ull << 20)
#define LOAD_RING_MIN (64ull << 10)
#define LOAD_RING_MAX (1ull << 30)
int load_search(uint64_t *least, double seconds, unsigned int programs,
		void (*done)(void *arg, const struct load_run *run), void *arg, struct fail *fail);

#endif
