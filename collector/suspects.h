/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a whole look for deadlocks is worth while, told from a look at the tasks alone.
 *
 * Who is in a deadlock sleeps without a time limit, for as long as it lasts. So nothing can have
 * arisen when nobody has begun such a sleep since the last whole look: but for the few hangs that
 * begin with somebody else's going away (the third party that could still have written has exited).
 * For those a whole look is due now and then as long as anybody sleeps.
 */
#ifndef IPCTAP_COLLECTOR_SUSPECTS_H
#define IPCTAP_COLLECTOR_SUSPECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/snap.h"

#define SUSPECTS_ANYWAY_NS 5000000000ull /* whole looks are that far apart while nobody new sleeps */

/* Zeroed to begin with. */
struct suspects {
	uint64_t *keys; /* ascending; one for each sleep that was seen */
	size_t n;
	uint64_t whole_ns; /* when a whole look was last due; CLOCK_MONOTONIC */
};

/*
 * 1: a whole look is due, and is taken to be made now. 0: it is not. Negative errno: could not look.
 * Only sleeps that last `age_ns` or longer count, of processes for which is_meant(arg, pid); NULL: all.
 */
int suspects_look(struct suspects *s, struct snap *snap, uint64_t age_ns,
		  bool (*is_meant)(void *arg, uint32_t pid), void *arg);
void suspects_release(struct suspects *s);

#endif
