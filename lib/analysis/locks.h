/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Locks, from the operations that the shim tells (lib/abi/tables.h, 120 to 131 and 147): how long each was
 * held and waited for, by whom; and whether all threads nest them in the same order. Pure: no I/O, no clock.
 *
 *     struct locks *l = locks_new();
 *     locks_io(l, e);                        every operation, in the order of the stream
 *     for (i = 0; i < locks_count(l); i++)   … locks_stat(l, i) …
 *     locks_find_cycles(l, &n)               what may become a deadlock, though it has not
 *     locks_free(l);
 *
 * A lock is its channel: what lies in shared memory is one and the same in all processes that map it.
 *
 * An *inversion* is a circle of nestings: one thread got B while it held A, another A while it held B (or
 * so over more locks). Had they met, each would wait for the other. It is only possible: another lock may
 * keep them apart, or the program's phases. Not an inversion is what only one thread ever did, as that
 * cannot meet itself; nor where at one of the locks both read.
 */
#ifndef IPCTAP_ANALYSIS_LOCKS_H
#define IPCTAP_ANALYSIS_LOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/abi/event.h"

struct locks;

struct lock_longest {
	uint64_t ns, t_ns; /* how long, from when on; 0: never */
	uint32_t pid, tid; /* whose */
};

struct lock_stat {
	uint64_t chan;
	uint64_t waits, wait_total_ns; /* those told that had to wait for it */
	uint64_t holds, hold_total_ns; /* told: of locks in a process's own memory only long ones */
	struct lock_longest wait, hold;
};

/* Thread `tid` got `got` while it held `held`, for the first time. */
struct lock_nesting {
	uint64_t held, got, t_ns;
	uint32_t pid, tid;
	bool held_reading, got_reading;
};

#define LOCK_CYCLE_MAX 8
struct lock_cycle {
	uint32_t n;
	struct lock_nesting step[LOCK_CYCLE_MAX]; /* step[i].got is step[i + 1].held, and of the last step[0].held */
};

struct locks *locks_new(void);
void locks_free(struct locks *l); /* accepts NULL */

/* 0 or -ENOMEM. What is no operation on a lock is passed over. */
int locks_io(struct locks *l, const struct ev_io *e);

/* Those that were waited for or held, the longest total of waits first, then of holds. Sorts; -ENOMEM or 0. */
int locks_sort(struct locks *l);
size_t locks_count(const struct locks *l);
const struct lock_stat *locks_stat(const struct locks *l, size_t i);

/* The shortest circle through each nesting, each once; the caller frees it. NULL and *n 0: none; *n 1: no memory. */
struct lock_cycle *locks_find_cycles(const struct locks *l, size_t *n);

/* Nestings that there was no room to remember: a circle through them is not found. */
uint64_t locks_dropped(const struct locks *l);

#endif
