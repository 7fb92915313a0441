/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A thread that sleeps on a futex, between collector/snap_futex.c and snap_glibc.c. Private to snap*. */
#ifndef IPCTAP_COLLECTOR_SNAP_FUTEX_H
#define IPCTAP_COLLECTOR_SNAP_FUTEX_H

#include "snap_world.h"

struct futex_word {
	struct snap_call *c;
	uint64_t address;
	uint32_t val;
	int cmd;         /* FUTEX_WAIT … */
	bool is_private; /* FUTEX_PRIVATE_FLAG */
	bool readable;
	uint32_t word[10]; /* memory from the address on */
	struct snap_place where;
	const struct snap_place *place; /* &where; NULL: private, where that does not matter, or not known */
	uint32_t readers; /* a read-write lock that readers have: how many, those that only wait among them */
	uint32_t missing; /* a barrier: how many have not come */
};

/* What the thread of f waits for: fills th->wait, call and condition. */
void futex_set(struct futex_word *f, enum wg_wait wait, const char *call, wg_ref condition);

/* Any thread that reaches the word, and so may wake whoever sleeps on it; gone when there is none. */
wg_ref futex_reachers(struct futex_word *f);

/*
 * A lock in shared memory names its owner as that one's pid namespace counts, which need not be the
 * waiter's: any thread of that number that maps the memory may be it, and f's thread is given a detail
 * that says so. 0: no other namespace has such a thread, and the number is one of the waiter's own.
 */
wg_ref futex_namesakes(struct futex_word *f, uint32_t owner);

/* No other thread has the memory it lies in. False also when that cannot be known. */
bool futex_is_alone(const struct futex_word *f);

/*
 * Read-write locks, conditions, barriers and sem_t, known by what lies around the word. True when it
 * was one: then f's thread is filled in. Only a writer's number narrows who could help; all else is
 * a better name for what futex_reachers tells.
 */
bool snap_glibc(struct futex_word *f);

#endif
