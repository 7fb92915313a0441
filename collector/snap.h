/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The snapshot engine: asks the kernel who sleeps on what and who holds the other ends, of the whole
 * host, and makes a wait graph of it (lib/analysis/waitgraph.h). Nothing needs to have been traced.
 *
 *     struct snap *s;
 *     snap_open(&s, SNAP_AUTO, &fail);
 *     snap_take(s, &first, &fail);  … at least SNAP_APART_MS later …
 *     snap_take(s, &second, &fail);        solve_confirmed() judges the two
 *     snap_free(s);                        the graphs are the caller's: waitgraph_free
 *
 * Two ways to look: BPF iterators (root; everything), or /proc alone (any user, of his own
 * processes; what /proc does not tell, such as the holders of a socket's other end, is unknown).
 */
#ifndef IPCTAP_COLLECTOR_SNAP_H
#define IPCTAP_COLLECTOR_SNAP_H

#include <stdint.h>

#include "lib/abi/snap.h"
#include "lib/analysis/waitgraph.h"
#include "lib/base/fail.h"

struct snap;

#define SNAP_APART_MS 120 /* two passes this far apart make a verdict */

enum snap_source { SNAP_AUTO, SNAP_BPF, SNAP_PROC };

/* 0 or a negative errno with *fail filled. SNAP_AUTO: BPF where it is allowed, else /proc. */
int snap_open(struct snap **out, enum snap_source source, struct fail *fail);
void snap_free(struct snap *s); /* accepts NULL */

enum snap_source snap_source(const struct snap *s); /* SNAP_BPF or SNAP_PROC */
/* Why SNAP_AUTO came down to /proc, for the user to be told; NULL: it did not. Borrowed. */
const struct fail *snap_without_bpf(const struct snap *s);

/* One pass. The caller frees *out. */
int snap_take(struct snap *s, struct waitgraph **out, struct fail *fail);

/*
 * The cheap look, at tasks alone: calls each(arg, t) for every thread; *t is valid during the call.
 * 0 or a negative errno. collector/suspects.h tells from it whether a whole look is worth while.
 */
int snap_tasks(struct snap *s, void (*each)(void *arg, const struct snap_task *t), void *arg);

#endif
