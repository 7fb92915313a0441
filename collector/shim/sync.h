/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How locks and their kin are named: as the kernel's probes name the futex that lies there. */
#ifndef IPCTAP_SHIM_SYNC_H
#define IPCTAP_SHIM_SYNC_H

#include "collector/shim/shim.h"

/* What lies at p in this process's own memory. Not described: see shim_sync_object. */
static inline uint64_t shim_private_object(const void *p)
{
	return RAW_OBJ_FUTEX((uint64_t)shim_pid << 32 | *shim_epoch, (uint64_t)p, 1);
}

/* What lies at p, in shared memory or not, described if it is new. Keeps errno. */
uint64_t shim_sync_object(struct shim_thread *t, const void *p);

#endif
