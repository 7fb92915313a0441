/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A diagnosis of the host as it is now: two passes of a snapshot far enough apart, and the verdict
 * on what did not move in between. When the first pass shows nothing, there is no second.
 */
#ifndef IPCTAP_COLLECTOR_DIAGNOSE_H
#define IPCTAP_COLLECTOR_DIAGNOSE_H

#include <stdbool.h>

#include "collector/snap.h"
#include "lib/analysis/solve.h"
#include "lib/base/fail.h"

struct diagnosis {
	struct waitgraph *first, *graph; /* graph is the one that was judged */
	struct solution before, solution;
	uint64_t now_ns; /* when `graph` was taken; CLOCK_MONOTONIC */
};

/*
 * slow_ns and slow_quiet as in struct solve_opts. 0, or a negative errno with *fail filled. Release it
 * either way.
 */
int diagnose(struct diagnosis *d, struct snap *snap, uint64_t slow_ns, bool slow_quiet, struct fail *fail);
void diagnosis_release(struct diagnosis *d);

#endif
