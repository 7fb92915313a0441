// SPDX-License-Identifier: LGPL-2.1-or-later
/* Views of file mappings. Each holds its mapping object, so that handles may be closed before. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "object.h"
#include "probes.h"
#include "win32_map.h"

struct view {
	char *base;
	size_t bytes;
	struct w32_map *map;
	struct view *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct view *views;

/* Whether the mapping's protection allows the view, and how it is to be mapped. */
static DWORD view_mode(const struct w32_map *m, DWORD access, int *prot, int *flags)
{
	bool all = access == FILE_MAP_ALL_ACCESS;
	bool writes = all || (access & FILE_MAP_WRITE);
	bool copies = !all && (access & FILE_MAP_COPY);

	if (!(access & (FILE_MAP_READ | FILE_MAP_WRITE | FILE_MAP_COPY)))
		return ERROR_INVALID_PARAMETER;
	*prot = PROT_READ | (writes || copies ? PROT_WRITE : 0);
	*flags = copies ? MAP_PRIVATE : MAP_SHARED;
	if (writes && !copies && (m->base.protect != PAGE_READWRITE || m->only_read))
		return ERROR_ACCESS_DENIED;
	return 0;
}

/* An address that is a multiple of the granularity, as Windows gives them: reserve, then cut. */
static char *reserve(size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), more, skip;
	char *p;

	bytes = (bytes + page - 1) & -page;
	more = bytes + RIPC_ALLOCATION_GRANULARITY - page;
	p = mmap(NULL, more, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	skip = -(uintptr_t)p & (RIPC_ALLOCATION_GRANULARITY - 1);
	if (skip)
		munmap(p, skip);
	if (more - skip > bytes)
		munmap(p + skip + bytes, more - skip - bytes);
	return p + skip;
}

static DWORD view_map(struct view *v, const struct w32_map *m, DWORD access, uint64_t offset)
{
	int prot, flags;
	DWORD error = view_mode(m, access, &prot, &flags);
	struct stat st;

	if (error)
		return error;
	/* a file that has been cut since would be a SIGBUS; what is beyond a page is not checked */
	if (fstat(m->base.fd, &st) < 0 || (uint64_t)st.st_size < m->offset + offset)
		return ERROR_FILE_INVALID;
	v->base = reserve(v->bytes);
	if (!v->base)
		return ERROR_NOT_ENOUGH_MEMORY;
	if (mmap(v->base, v->bytes, prot, flags | MAP_FIXED, m->base.fd,
		 (off_t)(m->offset + offset)) == MAP_FAILED) {
		error = errno == EACCES ? ERROR_ACCESS_DENIED : ERROR_NOT_ENOUGH_MEMORY;
		munmap(v->base, v->bytes);
	}
	return error;
}

/* Takes the reference to the mapping over. */
static DWORD view_new(struct view **result, struct w32_map *m, DWORD access, uint64_t offset,
		      uint64_t bytes)
{
	struct view *v = NULL;
	DWORD error = 0;

	if (offset % RIPC_ALLOCATION_GRANULARITY)
		error = ERROR_MAPPED_ALIGNMENT;
	else if (offset >= m->base.size || bytes > m->base.size - offset)
		error = ERROR_ACCESS_DENIED; /* STATUS_INVALID_VIEW_SIZE */
	if (!error) {
		v = calloc(1, sizeof(*v));
		error = v ? 0 : ERROR_NOT_ENOUGH_MEMORY;
	}
	if (!error) {
		v->bytes = bytes ? bytes : m->base.size - offset;
		v->map = m;
		error = view_map(v, m, access, offset);
	}
	if (error) {
		free(v);
		w32_object_put(&m->base);
	} else {
		*result = v;
	}
	return error;
}

LPVOID MapViewOfFile(HANDLE hFileMappingObject, DWORD dwDesiredAccess, DWORD dwFileOffsetHigh,
		     DWORD dwFileOffsetLow, size_t dwNumberOfBytesToMap)
{
	uint64_t offset = (uint64_t)dwFileOffsetHigh << 32 | dwFileOffsetLow;
	struct w32_map *m = (struct w32_map *)w32_handle_get(hFileMappingObject, &w32_map_type);
	struct view *v = NULL;

	if (!m || !w32_result(view_new(&v, m, dwDesiredAccess, offset, dwNumberOfBytesToMap)))
		return NULL;
	pthread_mutex_lock(&lock);
	v->next = views;
	views = v;
	pthread_mutex_unlock(&lock);
	if (m->object)
		RIPC_PROBE_ACQUIRE(RIPC_KIND("mapping"), m->object->name, m->object->ino);
	return v->base;
}

BOOL FlushViewOfFile(LPCVOID lpBaseAddress, size_t dwNumberOfBytesToFlush)
{
	uintptr_t at = (uintptr_t)lpBaseAddress, page = (uintptr_t)sysconf(_SC_PAGESIZE);
	DWORD error = ERROR_INVALID_ADDRESS;

	pthread_mutex_lock(&lock);
	for (struct view *v = views; v; v = v->next) {
		uintptr_t base = (uintptr_t)v->base, left;

		if (at < base || at >= base + v->bytes)
			continue;
		left = base + v->bytes - at;
		if (dwNumberOfBytesToFlush > left)
			break;
		if (dwNumberOfBytesToFlush)
			left = dwNumberOfBytesToFlush;
		error = msync((void *)(at & -page), left + (at & (page - 1)), MS_SYNC) < 0
			    ? w32_error_of(errno)
			    : 0;
		break;
	}
	pthread_mutex_unlock(&lock);
	return w32_result(error);
}

BOOL UnmapViewOfFile(LPCVOID lpBaseAddress)
{
	struct view **at = &views, *v;

	pthread_mutex_lock(&lock);
	while (*at && (*at)->base != lpBaseAddress)
		at = &(*at)->next;
	v = *at;
	if (v)
		*at = v->next;
	pthread_mutex_unlock(&lock);
	if (!v)
		return w32_result(ERROR_INVALID_ADDRESS);
	munmap(v->base, v->bytes);
	if (v->map->object)
		RIPC_PROBE_RELEASE(RIPC_KIND("mapping"), v->map->object->name, v->map->object->ino);
	w32_object_put(&v->map->base);
	free(v);
	return TRUE;
}
