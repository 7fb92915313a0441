/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much went on when: the whole of a trace in no more than ACTIVITY_SLOTS slots of equal width,
 * for a timeline. The width doubles when the time is up, so that it costs the same however long
 * the trace becomes. Table `activity`; slots in which nothing happened have no row.
 */
#ifndef IPCTAP_STORE_ACTIVITY_H
#define IPCTAP_STORE_ACTIVITY_H

#include <sqlite3.h>

#include "lib/abi/event.h"
#include "store.h"

struct activity {
	uint64_t start_ns, width_ns; /* width 0: nothing yet */
	struct trace_slot *latest;   /* the slot from latest_ns on: the next event is likely in it, too */
	uint64_t latest_ns;
	struct trace_slot slots[ACTIVITY_SLOTS]; /* t_ns and width_ns are not kept here */
};

void activity_add(struct activity *a, const struct ev_hdr *ev);
/* Those who were asleep when the trace ended: no operation tells of that. From table `wait`. */
int activity_add_waits(struct activity *a, sqlite3 *db);
int activity_save(const struct activity *a, sqlite3 *db); /* replaces what was there */

#endif
