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

/* Takes the descriptor and the object over. NULL, with the last error: no memory, both are closed. */
struct w32_map *w32_map_new(int fd, struct ripc_object *object, DWORD protect, uint64_t size);

/* ---- with a name: win32_map_named.c ---- */

/* Takes Global\ or Local\, which are the same here, from the front; whether the rest is a name. */
DWORD w32_map_plain_name(LPCSTR *name);

/* Events, mutexes, semaphores and mappings share one name space in Win32: it is one of the others'. */
bool w32_map_is_others_name(LPCSTR name);

DWORD w32_map_open(struct w32_map **map, LPCSTR name);
/* The mapping of that name; when there is none, of the file fd, which stays the caller's, or memory. */
DWORD w32_map_create(struct w32_map **map, LPCSTR name, int fd, DWORD protect, bool reserve,
		     uint64_t size, bool *existed);

#endif
