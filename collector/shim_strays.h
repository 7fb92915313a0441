/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes that run below a traced command and into which the shim did not come: statically linked,
 * with privileges, started with another environment. Each is told of once: as a process outside the
 * scope, which has a name, and as a loss.
 */
#ifndef IPCTAP_COLLECTOR_SHIM_STRAYS_H
#define IPCTAP_COLLECTOR_SHIM_STRAYS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/stream/stream.h"

struct shim_strays;

/* Borrows both: `join` is told of what becomes of processes in scope, `out` of those outside it. */
struct shim_strays *shim_strays_new(struct sink *join, struct sink *out); /* NULL: no memory */
void shim_strays_free(struct shim_strays *s);          /* accepts NULL */

/* A process that is known not to be covered. `task` names it: pid, comm, exe, time. */
int shim_strays_tell(struct shim_strays *s, const struct ev_task *task);

/*
 * Looks at the children of `root`, and theirs. Whoever two looks find and `is_covered` does not know
 * is told of.
 */
int shim_strays_look(struct shim_strays *s, uint32_t root, uint64_t now_ns,
		     bool (*is_covered)(void *arg, uint32_t pid), void *arg);

#endif
