/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each process has mapped shared, range by range: a munmap may take away part of a mapping,
 * several, or none, and an mmap may land on top of one. A process is attached to a channel as often
 * as it has mapped it and any part of that mapping is left. fork copies all of it, exec and exit
 * drop it (the model knows those by itself).
 *
 * Hands on EV_ENDPOINT, ATTACH and DETACH, in the order of the changes told.
 */
#ifndef IPCTAP_COLLECTOR_MAPS_H
#define IPCTAP_COLLECTOR_MAPS_H

#include <stdint.h>

#include "lib/abi/raw.h"
#include "lib/stream/stream.h"

struct maps;

struct maps *maps_new(void); /* NULL: no memory */
void maps_free(struct maps *m);

/*
 * Applies one change. *chan is the channel now mapped, 0 when the call named none: it is then set to
 * that of the first range that went or moved, and stays 0 when there was none. Returns 0 or the
 * error of a sink.
 */
int maps_change(struct maps *m, const struct raw_map *r, uint64_t *chan, struct sink *out);

/*
 * Process `pid` has used the futex `chan`, which lies in memory that it has mapped as channel
 * `memory` (0: not known): the first time attaches it, the last range of that memory detaches it.
 */
int maps_futex(struct maps *m, uint32_t pid, uint64_t chan, uint64_t memory, uint64_t t_ns,
	       struct sink *out);

/* A fork, exec or exit. */
int maps_follow(struct maps *m, const struct ev_task *t, struct sink *out);

#endif
