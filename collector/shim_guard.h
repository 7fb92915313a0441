/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mapped files that belong to others, who may cut them short while we look: the kernel answers such a
 * look with SIGBUS. Here it is answered with zeroes instead: the first fault in a guarded range puts
 * empty memory in its place, for good, and says so.
 *
 * The handler is the process's; a fault anywhere else goes to whoever had it before. Guards are added
 * and removed by the one thread that looks into their ranges.
 */
#ifndef IPCTAP_COLLECTOR_SHIM_GUARD_H
#define IPCTAP_COLLECTOR_SHIM_GUARD_H

#include <stdbool.h>
#include <stddef.h>

struct shim_guard {
	struct shim_guard *prev, *next;
	void *base;
	size_t bytes;
	volatile bool cut; /* it was cut short: what is there now are zeroes */
};

/*
 * Makes sure that the handler is ours, which somebody else may have changed since (the dashboard wants
 * to leave the terminal as it was): before a round of looks. 0 or -errno.
 */
int shim_guard_on(void);

/* Over the mapping of `bytes` at `base`, until it is removed; *g stays where it is. 0 or -errno. */
int shim_guard_add(struct shim_guard *g, void *base, size_t bytes);
void shim_guard_remove(struct shim_guard *g); /* accepts a zeroed one; before munmap */

#endif
