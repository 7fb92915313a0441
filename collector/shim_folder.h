/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The folder through which programs with the shim and a collector meet (lib/abi/shimring.h): made for
 * a command that is launched, or taken over from the environment of a program that already runs.
 */
#ifndef IPCTAP_COLLECTOR_SHIM_FOLDER_H
#define IPCTAP_COLLECTOR_SHIM_FOLDER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/abi/shimring.h"
#include "lib/base/fail.h"

struct shim_folder {
	char path[128];
	char library[4096]; /* libipctap-shim.so */
	int fd;             /* of the folder, which is locked (flock) while we read; -1: not open */
	bool is_ours;       /* made by us: removed at the end */
	struct shim_control *control;
};

struct shim_folder_opts {
	uint64_t data_bytes; /* of each ring; 0: the default */
	uint32_t snap_bytes;
	bool no_follow;
};

/* A new one, in memory if there is such a place. Fails with the remedy when the library is not found. */
int shim_folder_make(struct shim_folder *f, const struct shim_folder_opts *opts, struct fail *fail);

/*
 * That of a running program. Fails with ENOENT when it has no shim, with EBUSY when another
 * collector that still lives reads it.
 */
int shim_folder_take(struct shim_folder *f, uint32_t pid, const struct shim_folder_opts *opts,
		     struct fail *fail);

/* Was this process started with the shim? */
bool shim_folder_has(uint32_t pid);

/* Were both, with the same folder? Then whoever takes that has both. */
bool shim_folder_is_shared(uint32_t pid, uint32_t other);

/* LD_PRELOAD and all else that a command needs, set in our own environment: call in its child. */
void shim_folder_env(const struct shim_folder *f);

/* Programs stop telling; what they have told can still be read. */
void shim_folder_off(struct shim_folder *f);

/* Removes what is ours. Accepts a zeroed one. */
void shim_folder_release(struct shim_folder *f);

#endif
