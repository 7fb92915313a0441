// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * File mappings with a name: an object of the core that says what is mapped. Memory of its own lies
 * in that object's file, behind the body's first page or so.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "object.h"
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
	*fd = open(b->path, (b->protect == PAGE_READWRITE ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK);
	if (*fd < 0)
		return errno == ENOENT ? ERROR_FILE_INVALID : w32_error_of(errno);
	if (fstat(*fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_dev == b->dev &&
	    st.st_ino == b->ino && (uint64_t)st.st_size >= b->size)
		return 0;
	close(*fd);
	return ERROR_FILE_INVALID;
}

DWORD w32_map_plain_name(LPCSTR *name)
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

bool w32_map_is_others_name(LPCSTR name)
{
	static const enum ripc_type others[] = {RIPC_TYPE_EVENT, RIPC_TYPE_CS, RIPC_TYPE_SEMAPHORE};

	for (unsigned int i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (ripc_dir_taken(others[i], name))
			return true;
	return false;
}

/* `want` NULL: there must be one. *existed: the answer's other half. */
static DWORD open_or_create(struct w32_map **map, LPCSTR name, struct wanted *want, bool *existed)
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
		*map = w32_map_new(fd, o, b->protect, b->size);
		if (*map)
			(*map)->offset = b->is_file ? 0 : data_offset(o);
		error = *map ? 0 : ERROR_NOT_ENOUGH_MEMORY;
	} else {
		ripc_object_close(o);
	}
	free(b);
	return error;
}

DWORD w32_map_create(struct w32_map **map, LPCSTR name, int fd, DWORD protect, bool reserve,
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
	if (!error && w32_map_is_others_name(name))
		error = ERROR_INVALID_HANDLE;
	if (!error && size > RIPC_BODY_MAX / 2 && fd < 0)
		error = ERROR_NOT_ENOUGH_MEMORY;
	if (!error)
		error = open_or_create(map, name, want, existed);
	free(want);
	return error;
}

DWORD w32_map_open(struct w32_map **map, LPCSTR name)
{
	bool existed;

	return open_or_create(map, name, NULL, &existed);
}
