// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * File mappings. A mapping without a name is a descriptor: of the file, or of a memfd. A named one
 * is an object of the core besides (win32_map_named.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "object.h"
#include "win32_map.h"

/* ---- the object ---- */

static void map_destroy(struct w32_object *o)
{
	struct w32_map *m = (struct w32_map *)o;

	close(o->fd);
	ripc_object_close(m->object);
	free(m);
}

const struct w32_type w32_map_type = {.letter = 'm', .destroy = map_destroy};

struct w32_map *w32_map_new(int fd, struct ripc_object *object, DWORD protect, uint64_t size)
{
	struct w32_map *m = calloc(1, sizeof(*m));

	if (!m) {
		close(fd);
		ripc_object_close(object);
		SetLastError(ERROR_NOT_ENOUGH_MEMORY);
		return NULL;
	}
	w32_object_init(&m->base, &w32_map_type, 0, fd);
	m->base.size = size;
	m->base.protect = protect;
	m->object = object;
	return m;
}

struct w32_object *w32_map_adopt(const struct w32_heir *heir)
{
	struct stat st;
	struct w32_map *m;

	if (fstat(heir->fd, &st) < 0 || !S_ISREG(st.st_mode) || !heir->size ||
	    heir->size > (uint64_t)st.st_size)
		return NULL;
	m = w32_map_new(heir->fd, NULL, heir->protect, heir->size);
	return m ? &m->base : NULL;
}

/* ---- without a name ---- */



/* The size asked for, or the file's; and a file that is large enough for it. */
static DWORD fit_file(int fd, DWORD protect, uint64_t *size)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return w32_error_of(errno);
	if (!S_ISREG(st.st_mode))
		return ERROR_FILE_INVALID;
	if (*size == 0)
		*size = (uint64_t)st.st_size;
	if (*size == 0)
		return ERROR_FILE_INVALID;
	if (*size <= (uint64_t)st.st_size)
		return 0;
	if (protect != PAGE_READWRITE)
		return ERROR_NOT_ENOUGH_MEMORY;
	if (*size > INT64_MAX)
		return ERROR_DISK_FULL;
	if (ftruncate(fd, (off_t)*size) < 0)
		return errno == EFBIG || errno == ENOSPC ? ERROR_DISK_FULL : w32_error_of(errno);
	return 0;
}

/* A descriptor of the file behind a handle, as the mapping needs it. */
static DWORD file_fd(HANDLE file, DWORD protect, uint64_t *size, int *fd)
{
	struct w32_object *o = w32_handle_get(file, &w32_file_type);
	DWORD need = GENERIC_READ | (protect == PAGE_READWRITE ? GENERIC_WRITE : 0), error = 0;

	*fd = -1;
	if (!o)
		return ERROR_INVALID_HANDLE;
	if (need & ~o->access)
		error = ERROR_ACCESS_DENIED;
	if (!error)
		error = fit_file(o->fd, protect, size);
	if (!error) {
		*fd = fcntl(o->fd, F_DUPFD_CLOEXEC, 3);
		error = *fd < 0 ? w32_error_of(errno) : 0;
	}
	w32_object_put(o);
	return error;
}

/* What the system can give without killing anybody: the limit of what is committed. */
static uint64_t memory_available(void)
{
	FILE *f = fopen("/proc/meminfo", "re");
	unsigned long long kb, total = 0;
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemAvailable: %llu", &kb) == 1 ||
		    sscanf(line, "SwapFree: %llu", &kb) == 1)
			total += kb;
	if (!f)
		return UINT64_MAX;
	fclose(f);
	return total * 1024;
}

static DWORD memory_fd(uint64_t size, bool reserve, int *fd)
{
	*fd = memfd_create("ripc-mapping", MFD_CLOEXEC);
	if (*fd < 0)
		return w32_error_of(errno);
	/* memory that is not there when it is touched would be a SIGBUS: better an error now */
	if (size > INT64_MAX || (reserve ? ftruncate(*fd, (off_t)size) < 0
					 : posix_fallocate(*fd, 0, (off_t)size) != 0)) {
		close(*fd);
		*fd = -1;
		return ERROR_NOT_ENOUGH_MEMORY;
	}
	return 0;
}

/* ---- the calls ---- */

static DWORD map_create(struct w32_map **map, HANDLE file, DWORD protect, bool reserve,
			uint64_t size, LPCSTR name, bool *existed)
{
	DWORD error = 0;
	int fd = -1;

	*existed = false;
	if (name)
		error = w32_map_plain_name(&name);
	if (!error && file != INVALID_HANDLE_VALUE)
		error = file_fd(file, protect, &size, &fd);
	else if (!error && !size)
		error = ERROR_INVALID_PARAMETER;
	else if (!error && !reserve && size > memory_available())
		error = ERROR_NOT_ENOUGH_MEMORY;
	if (!error && !name && fd < 0)
		error = memory_fd(size, reserve, &fd);
	if (error)
		return error;
	if (name) {
		error = w32_map_create(map, name, fd, protect, reserve, size, existed);
		if (fd >= 0)
			close(fd);
		return error;
	}
	*map = w32_map_new(fd, NULL, protect, size);
	return *map ? 0 : ERROR_NOT_ENOUGH_MEMORY;
}

HANDLE CreateFileMapping(HANDLE hFile, LPSECURITY_ATTRIBUTES lpFileMappingAttributes,
			 DWORD flProtect, DWORD dwMaximumSizeHigh, DWORD dwMaximumSizeLow,
			 LPCSTR lpName)
{
	uint64_t size = (uint64_t)dwMaximumSizeHigh << 32 | dwMaximumSizeLow;
	DWORD protect = flProtect & ~(SEC_COMMIT | SEC_RESERVE), error = 0;
	bool inherit, existed;
	struct w32_map *map;
	HANDLE h;

	if (protect & (0xf0u | ~0xffu)) /* PAGE_EXECUTE_…, SEC_IMAGE and the rest */
		error = ERROR_NOT_SUPPORTED;
	else if (protect != PAGE_READONLY && protect != PAGE_READWRITE && protect != PAGE_WRITECOPY)
		error = ERROR_INVALID_PARAMETER;
	if (!w32_result(error) || !w32_security(lpFileMappingAttributes, &inherit))
		return NULL;
	error = map_create(&map, hFile, protect, flProtect & SEC_RESERVE, size, lpName, &existed);
	if (!w32_result(error))
		return NULL;
	h = w32_handle_new(&map->base, inherit);
	if (h)
		SetLastError(existed ? ERROR_ALREADY_EXISTS : 0);
	return h;
}

HANDLE OpenFileMapping(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCSTR lpName)
{
	struct w32_map *map;
	DWORD error;

	if (!lpName)
		return w32_result(ERROR_INVALID_PARAMETER), NULL;
	error = w32_map_plain_name(&lpName);
	if (!error)
		error = w32_map_open(&map, lpName);
	if (error == ERROR_FILE_NOT_FOUND && w32_map_is_others_name(lpName))
		error = ERROR_INVALID_HANDLE;
	if (!w32_result(error))
		return NULL;
	map->only_read = !(dwDesiredAccess & FILE_MAP_WRITE);
	return w32_handle_new(&map->base, bInheritHandle);
}
