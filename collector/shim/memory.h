/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is mapped where in this process, for those who name memory: mappings, segments, futexes. */
#ifndef IPCTAP_SHIM_MEMORY_H
#define IPCTAP_SHIM_MEMORY_H

#include "collector/shim/shim.h"

/* Tells of a change of what is mapped: *change, its io taken from the operation, which is done. */
void shim_tell_map(struct shim_op *o, const struct raw_map *change);

/* Counts the changes of shared mappings: an address looked up before one may mean something else. */
extern uint32_t shim_mappings;

struct shim_mapping {
	uint64_t start, end, offset, ino;
	uint32_t dev;
	bool is_shared;
	char path[128];
};

/* The mapping around an address, from /proc/self/maps; false: none, or not readable. */
bool shim_mapping_find(uint64_t address, struct shim_mapping *m);

/* The memory mapped at an address as an object, with its name; false: none of ours. */
bool shim_describe_mapping(uint64_t address, struct raw_object *o);

#endif
