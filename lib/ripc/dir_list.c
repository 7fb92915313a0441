// SPDX-License-Identifier: LGPL-2.1-or-later
/* What is in the directory of objects, and the removal of what the dead have left (dir.c). */
#include "head.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- looking at all of it ---- */

/* A copy of the head with its holders, malloc'ed, or NULL and why. */
static struct ripc_head *copy_head(int fd, unsigned type, uint64_t file_bytes, int *err)
{
	struct ripc_head first;
	*err = ripc_file_read_head(fd, type, &first, sizeof(first));
	if (!*err)
		*err = ripc_head_check(&first, file_bytes, type);
	if (*err)
		return NULL;
	size_t bytes = sizeof(first) + first.nholders * sizeof(ripc_id);
	struct ripc_head *h = malloc(bytes);
	*err = h ? ripc_file_read_head(fd, type, h, bytes) : -ENOMEM;
	if (!*err)
		*err = h->nholders != first.nholders ? -EBADMSG : 0;
	if (*err) {
		free(h);
		return NULL;
	}
	return h;
}

static void look_into(int fd, struct ripc_listing *l, struct ripc_head **head, void **map)
{
	struct ripc_head *h = *head = copy_head(fd, l->type, l->bytes, &l->error);
	if (!h)
		return;
	l->keep = atomic_load(&h->flags) & RIPC_HEAD_KEEP;
	l->creator = h->creator;
	l->holders = ripc_holder_count(h->holders, h->nholders, false);
	void *p = mmap(NULL, h->body_off + h->body_bytes, PROT_READ, MAP_SHARED, fd, 0);
	if (p != MAP_FAILED) {
		*map = p;
		l->body = (char *)p + h->body_off;
		l->body_bytes = h->body_bytes;
	}
}

static int list_one(int dirfd, const char *file, int (*each)(const struct ripc_listing *, void *),
		    void *arg, bool bodies)
{
	char name[RIPC_NAME_MAX + 1] = "";
	struct ripc_listing l = {.file = file, .name = name};
	int type = ripc_dir_parse_name(file, name);
	if (type < 0)
		return 0;
	l.type = (unsigned)type;
	int fd = openat(dirfd, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct stat st = {0};
	if (fd < 0)
		l.error = errno == ELOOP ? -EBADMSG : -errno;
	if ((fd < 0 ? fstatat(dirfd, file, &st, AT_SYMLINK_NOFOLLOW) : fstat(fd, &st)) < 0)
		st.st_mode = 0;
	l.uid = st.st_uid;
	l.mode = st.st_mode & 07777;
	l.bytes = (uint64_t)st.st_size;
	struct ripc_head *head = NULL;
	void *map = NULL;
	if (!l.error)
		look_into(fd, &l, &head, &map);
	if (!bodies)
		l.body = NULL;
	int r = each(&l, arg);
	if (map)
		munmap(map, head->body_off + head->body_bytes);
	free(head);
	if (fd >= 0)
		close(fd);
	return r;
}

static int walk(int dirfd, int (*each)(int dirfd, const char *file, void *arg), void *arg)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		int err = -errno;
		if (fd >= 0)
			close(fd);
		return err;
	}
	int r = 0;
	for (struct dirent *e; !r && (e = readdir(d));)
		r = each(dirfd, e->d_name, arg);
	closedir(d);
	return r;
}

struct list_args {
	int (*each)(const struct ripc_listing *, void *);
	void *arg;
};

static int list_file(int dirfd, const char *file, void *arg)
{
	struct list_args *a = arg;
	return list_one(dirfd, file, a->each, a->arg, true);
}

int ripc_dir_list(int (*each)(const struct ripc_listing *l, void *arg), void *arg)
{
	struct list_args a = {each, arg};
	int dirfd = ripc_dir_lock();
	if (dirfd < 0)
		return dirfd;
	int r = walk(dirfd, list_file, &a);
	ripc_dir_unlock(dirfd);
	return r;
}

static int note_live(const struct ripc_listing *l, void *arg)
{
	*(bool *)arg = !l->error && (l->keep || l->holders);
	return 0;
}

bool ripc_dir_taken(enum ripc_type type, const char *name)
{
	char file[RIPC_FILE_MAX + 1];
	bool taken = false;
	if (ripc_dir_file_name(file, sizeof(file), type, name))
		return false;
	int dirfd = ripc_dir_lock();
	if (dirfd < 0)
		return false;
	if (faccessat(dirfd, file, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		list_one(dirfd, file, note_live, &taken, false);
	ripc_dir_unlock(dirfd);
	return taken;
}

/* ---- sweeping ---- */

static int note_dead(const struct ripc_listing *l, void *arg)
{
	*(bool *)arg = !l->error && !l->keep && !l->holders;
	return 0;
}

static int sweep_file(int dirfd, const char *file, void *arg)
{
	int *removed = arg;
	bool dead = false;
	struct stat st;
	size_t n = strlen(file), suffix = strlen(RIPC_COMPANION);
	if (n > suffix && !strcmp(file + n - suffix, RIPC_COMPANION)) {
		char base[256];
		snprintf(base, sizeof(base), "%.*s", (int)(n - suffix), file);
		if (fstatat(dirfd, base, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
			*removed += unlinkat(dirfd, file, 0) == 0;
		return 0;
	}
	list_one(dirfd, file, note_dead, &dead, false);
	if (dead && fstatat(dirfd, file, &st, AT_SYMLINK_NOFOLLOW) == 0)
		*removed += ripc_file_unlink(dirfd, file, st.st_dev, st.st_ino) == 0;
	return 0;
}

int ripc_dir_sweep(void)
{
	int removed = 0;
	int dirfd = ripc_dir_lock();
	if (dirfd < 0)
		return dirfd;
	int err = walk(dirfd, sweep_file, &removed);
	ripc_dir_unlock(dirfd);
	return err < 0 ? err : removed;
}
