/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Long waits. Several times a second the collector looks at who is asleep inside a call; a call that
 * two looks in a row find asleep becomes an EV_WAIT, and its end closes it; of one that sleeps for room an
 * EV_ROOM tells how full that is. This sink stands between
 * the joiner and the ordering queue so as to see calls end.
 */
#ifndef IPCTAP_COLLECTOR_SLEEPERS_H
#define IPCTAP_COLLECTOR_SLEEPERS_H

#include <stddef.h>
#include <stdint.h>

#include "collector/join.h"
#include "lib/abi/raw.h"
#include "lib/stream/stream.h"

struct sleepers;

struct sleepers *sleepers_new(struct sink *next); /* borrows next; NULL: no memory */
void sleepers_free(struct sleepers *w);           /* accepts NULL */
struct sink *sleepers_sink(struct sleepers *w);

/* One look, taken at now_ns: everyone asleep inside a call. Returns 0 or the next sink's error. */
int sleepers_look(struct sleepers *w, struct join *j, const struct raw_inflight *list, size_t n,
	       uint64_t now_ns);

#endif
