/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A System V segment's object: who has it attached. Its memory is a companion file. Private. */
#ifndef RIPC_SYSV_SHM_H
#define RIPC_SYSV_SHM_H

#include "lib/ripc/ripc_sysv.h"
#include "lib/ripc/sysv.h"

#define SHM_ROWS 4096
#define SHM_PAGE 4096ul

struct shm_body {
	struct sysv_head h;
	uint64_t bytes;
	int64_t atime_s, dtime_s;
	int32_t cpid, lpid;
	_Atomic uint32_t locked; /* SHM_LOCK */
	_Alignas(64) _Atomic ripc_id rows[SHM_ROWS];
};

#endif
