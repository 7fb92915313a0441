/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What programs under the shim know of themselves: who holds a read-write lock, who has posted a
 * semaphore or holds its units, who has signalled a condition, who came to a barrier before. It stands in
 * the headers of their rings (lib/abi/shimring.h), which are read out of their own memory: also when
 * another ipctap records them, or nobody. Private to collector/snap*.
 *
 * A history is no proof. Those it names take the place of `anybody who maps the memory`, who could help
 * from now on only as newcomers (WG_NEW): what is dead then is so in a closed world at the most, unless the
 * snapshot proves it without. And only where the history has something to say of the very object; threads
 * of which it knows nothing (not under the shim, too many objects, no ring) may always help.
 */
#ifndef IPCTAP_COLLECTOR_SNAP_SHIM_H
#define IPCTAP_COLLECTOR_SNAP_SHIM_H

#include "lib/abi/shimring.h"
#include "snap_futex.h"

/* ---- snap_shim.c: what is there ---- */

void snap_shim_free(struct snap_shim *s); /* accepts NULL */

/*
 * The header of the thread's ring, hostile, when all that it did since the ring was made is in there. NULL:
 * none, or nobody has listened for a while, or does not now. Valid as long as *w.
 */
const struct shim_ring *snap_shim_ring(struct snap_world *w, const struct snap_task *t);

/*
 * What threads that have ended did to the object, of those that told of themselves to whom t's process tells;
 * hostile. NULL: nothing is known. Valid as long as *w.
 */
const struct shim_ended *snap_shim_ended(struct snap_world *w, const struct snap_task *t, uint64_t obj);

/* Is the thread under the shim, and what the shim tells of it up to date? */
bool snap_shim_covers(struct snap_world *w, const struct snap_task *t);

/*
 * What was found out for one thread, for others that wait for the same, `key`: sets f's condition, detail and
 * told, or takes them from there.
 */
bool snap_shim_answered(struct futex_word *f, uint64_t key);
void snap_shim_answer(struct futex_word *f, uint64_t key);

/* ---- snap_history.c: what follows ---- */

/* Narrows the condition of f's thread, which snap_glibc has named, and says by whom in its detail. */
void snap_shim_narrow(struct futex_word *f);

/* A mutex whose owner stands in its word: does that one say so as well? Then the call is `told`. */
void snap_shim_confirm(struct futex_word *f);

/* `part` may help, but only where newcomers may. */
wg_ref snap_newcomer(struct snap_world *w, wg_ref part, const char *why);

#endif
