/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inside ripc_win32: mapping objects, between CreateFileMapping and the views of them. */
#ifndef RIPC_WIN32_MAP_H
#define RIPC_WIN32_MAP_H

#include "win32_handle.h"

struct ripc_object;

struct w32_map {
	struct w32_object base;     /* fd, size, protect */
	struct ripc_object *object; /* of a named one; else NULL */
	uint64_t offset;            /* of the mapped bytes in the file */
	bool only_read;             /* OpenFileMapping without FILE_MAP_WRITE */
};

extern const struct w32_type w32_map_type;

#endif
