// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * File mappings. A mapping without a name is a descriptor: of the file, or of a memfd. A named one
 * is an object of the core besides, that says what is mapped; memory of its own lies in that
 * object's file, behind the body's first page or so.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "object.h"
#include "probes.h"
#include "win32_map.h"

struct map_body { /* shared: hostile */
	uint64_t size;
	uint32_t protect, is_file;
	uint64_t dev, ino;
	char path[PATH_MAX];
};

static uint64_t page_up(uint64_t n)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	return (n + page - 1) & -page;
}

/* ---- the object ---- */

static void map_destroy(struct w32_object *o)
{
	struct w32_map *m = (struct w32_map *)o;

	close(o->fd);
	ripc_object_close(m->object);
	free(m);
}

const struct w32_type w32_map_type = {.letter = 'm', .destroy = map_destroy};

/* Takes the descriptor and the object over. */
static struct w32_map *map_new(int fd, struct ripc_object *object, DWORD protect, uint64_t size)
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
	m = map_new(heir->fd, NULL, heir->protect, heir->size);
	return m ? &m->base : NULL;
}

/* ---- without a name ---- */

static bool is_writable(DWORD protect) { return protect == PAGE_READWRITE; }

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
	if (!is_writable(protect))
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
	DWORD need = GENERIC_READ | (is_writable(protect) ? GENERIC_WRITE : 0), error = 0;

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

/* ---- with a name ---- */

struct wanted {
	DWORD protect;
	bool reserve;
	uint64_t size;
	int file_fd; /* −1: memory */
	char path[PATH_MAX];
	struct stat st;
};

static uint64_t data_offset(const struct ripc_object *o)
{
	return page_up((uint64_t)((char *)o->body - (char *)o->head) + sizeof(struct map_body));
}

static int init_body(void *body, size_t bytes, void *arg)
{
	const struct wanted *w = arg;
	struct map_body *b = body;

	(void)bytes;
	b->size = w->size;
	b->protect = w->protect;
	b->is_file = w->file_fd >= 0;
	b->dev = w->st.st_dev;
	b->ino = w->st.st_ino;
	memcpy(b->path, w->path, sizeof(b->path));
	return 0;
}

static int check_body(const void *body, size_t bytes, void *arg)
{
	(void)body;
	(void)arg;
	return bytes >= sizeof(struct map_body) ? 0 : -EBADMSG;
}

/* The object's own file, once more: views need a descriptor. It may have been replaced: by inode. */
static int object_fd(const struct ripc_object *o)
{
	char path[PATH_MAX], file[RIPC_FILE_MAX + 1];
	struct stat st;
	int fd, err = ripc_dir_path(path, sizeof(path) - sizeof(file));

	if (!err)
		err = ripc_dir_file_name(file, sizeof(file), RIPC_TYPE_MAPPING, o->name);
	if (err < 0)
		return err;
	strcat(strcat(path, "/"), file);
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && st.st_dev == o->dev && st.st_ino == o->ino)
		return fd;
	close(fd);
	return -ENOENT;
}

/* What an existing object maps: everything checked, the object being able to say anything. */
static DWORD fd_of_body(const struct ripc_object *o, struct map_body *b, int *fd)
{
	struct stat st;

	memcpy(b, o->body, sizeof(*b));
	b->path[sizeof(b->path) - 1] = '\0';
	*fd = -1;
	if (!b->size || (b->protect != PAGE_READONLY && b->protect != PAGE_READWRITE &&
			 b->protect != PAGE_WRITECOPY))
		return ERROR_FILE_CORRUPT;
	if (!b->is_file) {
		if (b->size > o->map_bytes || data_offset(o) > o->map_bytes - b->size)
			return ERROR_FILE_CORRUPT;
		*fd = object_fd(o);
		return *fd < 0 ? w32_error_of(*fd) : 0;
	}
	*fd = open(b->path, (is_writable(b->protect) ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK);
	if (*fd < 0)
		return errno == ENOENT ? ERROR_FILE_INVALID : w32_error_of(errno);
	if (fstat(*fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_dev == b->dev &&
	    st.st_ino == b->ino && (uint64_t)st.st_size >= b->size)
		return 0;
	close(*fd);
	return ERROR_FILE_INVALID;
}

/* Global\ and Local\ are the same here. */
static DWORD plain_name(LPCSTR *name)
{
	if (strncmp(*name, "Global\\", 7) == 0)
		*name += 7;
	else if (strncmp(*name, "Local\\", 6) == 0)
		*name += 6;
	if (strpbrk(*name, "\\/"))
		return ERROR_PATH_NOT_FOUND;
	if (!**name)
		return ERROR_INVALID_NAME;
	return strlen(*name) > RIPC_NAME_MAX ? ERROR_FILENAME_EXCED_RANGE : 0;
}

/* Events, mutexes, semaphores and mappings share one name space in Win32. */
static bool name_is_others(LPCSTR name)
{
	static const enum ripc_type others[] = {RIPC_TYPE_EVENT, RIPC_TYPE_CS, RIPC_TYPE_SEMAPHORE};

	for (unsigned int i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (ripc_dir_taken(others[i], name))
			return true;
	return false;
}

/* `want` NULL: there must be one. *existed: the answer's other half. */
static DWORD named_open(struct w32_map **map, LPCSTR name, struct wanted *want, bool *existed)
{
	struct ripc_spec spec = {
	    .type = RIPC_TYPE_MAPPING,
	    .name = name,
	    .sparse = want && want->reserve,
	    .init = init_body,
	    .check = check_body,
	    .arg = want,
	};
	struct map_body *b = malloc(sizeof(*b));
	struct ripc_object *o;
	DWORD error;
	int err, fd;

	if (!b)
		return ERROR_NOT_ENOUGH_MEMORY;
	if (want) /* a page more: where the body begins in its page is the core's business */
		spec.body_bytes = page_up(sizeof(*b)) + page_up(1) +
				  (want->file_fd < 0 ? page_up(want->size) : 0);
	err = ripc_object_open(&o, &spec, want ? RIPC_CREATE : 0);
	if (err < 0) {
		free(b);
		return err == -ENOSPC ? ERROR_NOT_ENOUGH_MEMORY : w32_error_of(err);
	}
	*existed = err == 0;
	error = fd_of_body(o, b, &fd);
	if (!error) {
		*map = map_new(fd, o, b->protect, b->size);
		if (*map)
			(*map)->offset = b->is_file ? 0 : data_offset(o);
		error = *map ? 0 : ERROR_NOT_ENOUGH_MEMORY;
	} else {
		ripc_object_close(o);
	}
	free(b);
	return error;
}

static DWORD named_create(struct w32_map **map, LPCSTR name, int fd, DWORD protect, bool reserve,
			  uint64_t size, bool *existed)
{
	struct wanted *want = calloc(1, sizeof(*want));
	char link[40];
	DWORD error = 0;

	if (!want)
		return ERROR_NOT_ENOUGH_MEMORY;
	want->protect = protect;
	want->reserve = reserve;
	want->size = size;
	want->file_fd = fd;
	if (fd >= 0) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		if (readlink(link, want->path, sizeof(want->path) - 1) < 0 ||
		    fstat(fd, &want->st) < 0)
			error = w32_error_of(errno);
	}
	if (!error && name_is_others(name))
		error = ERROR_INVALID_HANDLE;
	if (!error && size > RIPC_BODY_MAX / 2 && fd < 0)
		error = ERROR_NOT_ENOUGH_MEMORY;
	if (!error)
		error = named_open(map, name, want, existed);
	free(want);
	return error;
}

/* ---- the calls ---- */

static DWORD map_create(struct w32_map **map, HANDLE file, DWORD protect, bool reserve,
			uint64_t size, LPCSTR name, bool *existed)
{
	DWORD error = 0;
	int fd = -1;

	*existed = false;
	if (name)
		error = plain_name(&name);
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
		error = named_create(map, name, fd, protect, reserve, size, existed);
		if (fd >= 0)
			close(fd);
		return error;
	}
	*map = map_new(fd, NULL, protect, size);
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
	bool existed;
	DWORD error;

	if (!lpName)
		return w32_result(ERROR_INVALID_PARAMETER), NULL;
	error = plain_name(&lpName);
	if (!error)
		error = named_open(&map, lpName, NULL, &existed);
	if (error == ERROR_FILE_NOT_FOUND && name_is_others(lpName))
		error = ERROR_INVALID_HANDLE;
	if (!w32_result(error))
		return NULL;
	map->only_read = !(dwDesiredAccess & FILE_MAP_WRITE);
	return w32_handle_new(&map->base, bInheritHandle);
}
