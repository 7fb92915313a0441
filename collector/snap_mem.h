/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory of other processes, and what /proc tells of descriptors and mappings. Of snap*, and sets.c. */
#ifndef IPCTAP_COLLECTOR_SNAP_MEM_H
#define IPCTAP_COLLECTOR_SNAP_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All `size` bytes, or false. */
bool snap_mem_read(uint32_t pid, uint64_t address, void *to, size_t size);

/* What /proc/PID/fd/FD points to; "" when it cannot be read. */
void snap_fd_link(uint32_t pid, int fd, char *buf, size_t size);
/* /proc/PID/fdinfo/FD whole, NUL-terminated; the caller frees. NULL: cannot be read. */
char *snap_fdinfo(uint32_t pid, int fd);
/* True when process pid has never called write in any form. False when unknown. */
bool snap_never_wrote(uint32_t pid);

/* Where an address is mapped. */
struct snap_place {
	bool shared;
	bool named;   /* a file, or a segment with a key: others can come to it */
	uint32_t dev; /* major << 20 | minor */
	uint64_t ino;
	uint64_t offset; /* of the address in the file */
	char name[96];
};
bool snap_place_of(uint32_t pid, uint64_t address, struct snap_place *p);

/* Calls each(arg, start, end, name) for every shared mapping of a file; false when they cannot be read. */
bool snap_mappings(uint32_t pid, void (*each)(void *arg, uint64_t start, uint64_t end, const char *name), void *arg);

/* Which processes map what, shared. */
struct snap_maps;
struct snap_maps *snap_maps_new(void);
void snap_maps_free(struct snap_maps *m);
/* Reads the mappings of a process; false when they cannot be read. */
bool snap_maps_add(struct snap_maps *m, uint32_t pid);
/* Calls each(arg, pid) for each process that maps the file, once each. */
void snap_maps_who(const struct snap_maps *m, uint32_t dev, uint64_t ino,
		   void (*each)(void *arg, uint32_t pid), void *arg);
bool snap_maps_unread(const struct snap_maps *m); /* some process could not be read */

#endif
