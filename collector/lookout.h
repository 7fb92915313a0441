/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looks out for deadlocks in a thread of its own, for whoever must not be kept waiting: a dashboard
 * asks at each redraw whether there is news, and draws what it had until there is.
 *
 *     struct lookout *l;
 *     lookout_start(&l, &fail);       before capabilities are dropped: it loads BPF (some 100 ms)
 *     lookout_scope(l, pids, n);      whenever those that are shown have changed
 *     …
 *     t = lookout_take(l);            at each redraw; NULL: nothing new
 *     if (t) { waittree_free(shown); shown = t; }
 *     …
 *     lookout_stop(l);
 *
 * Once a second it looks at the tasks alone (some milliseconds of CPU a thousand tasks); who waits for
 * whom is found out only when somebody of the scope has slept for two seconds who had not before, and
 * now and then while there are such (collector/suspects.h). So a hang shows after some three seconds.
 */
#ifndef IPCTAP_COLLECTOR_LOOKOUT_H
#define IPCTAP_COLLECTOR_LOOKOUT_H

#include <stddef.h>
#include <stdint.h>

#include "lib/analysis/waittree.h"
#include "lib/base/fail.h"

struct lookout;

/* 0, or a negative errno with *fail filled. Without BPF it looks by /proc, which proves nothing. */
int lookout_start(struct lookout **out, struct fail *fail);
/* Ends the thread: waits for the look that is under way, at most some 100 ms. Accepts NULL. */
void lookout_stop(struct lookout *l);

/*
 * Those whose waits count: processes, all of their threads. Copied. NULL: the whole host. Nobody is
 * looked at before the first call.
 */
void lookout_scope(struct lookout *l, const uint32_t *pids, size_t n);

/* The newest picture, once; the caller frees it with waittree_free. NULL: none since the last. */
struct waittree *lookout_take(struct lookout *l);

#endif
