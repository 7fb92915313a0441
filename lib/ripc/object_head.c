// SPDX-License-Identifier: LGPL-2.1-or-later
/* Heads and names of objects that are there (object.c makes, opens and closes them). */
#include "head.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- heads ---- */

int ripc_head_check(const struct ripc_head *h, uint64_t file_bytes, unsigned type)
{
	if (h->magic != RIPC_MAGIC)
		return -EBADMSG;
	if (h->layout != RIPC_LAYOUT)
		return -EPROTONOSUPPORT;
	if (h->type != type || !h->nholders || h->nholders > RIPC_HOLDERS_MAX)
		return -EBADMSG;
	if (h->body_off % 4096 || h->body_bytes > RIPC_BODY_MAX || !h->body_bytes ||
	    h->body_off > (1u << 24) ||
	    h->body_off < sizeof(*h) + h->nholders * sizeof(ripc_id))
		return -EBADMSG;
	return h->body_off + h->body_bytes > file_bytes ? -EBADMSG : 0;
}

int ripc_file_read_head(int fd, unsigned type, struct ripc_head *h, size_t bytes)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size < sizeof(*h))
		return -EBADMSG;
	ssize_t n = pread(fd, h, bytes, 0);
	if (n < 0)
		return -errno;
	return (size_t)n < bytes ? -EBADMSG : ripc_head_check(h, (uint64_t)st.st_size, type);
}

unsigned ripc_object_count(struct ripc_object *o)
{
	return ripc_holder_count(o->head->holders, o->nholders, true);
}

bool ripc_object_is_unlinked(const struct ripc_object *o)
{
	return atomic_load(&o->head->flags) & RIPC_HEAD_UNLINKED;
}

void ripc_object_keep(struct ripc_object *o)
{
	atomic_fetch_or(&o->head->flags, RIPC_HEAD_KEEP);
}

bool ripc_object_is_kept(const struct ripc_object *o)
{
	return atomic_load(&o->head->flags) & RIPC_HEAD_KEEP;
}

void ripc_object_unkeep(struct ripc_object *o)
{
	atomic_fetch_and(&o->head->flags, ~(uint32_t)RIPC_HEAD_KEEP);
}

/* ---- names ---- */

/*
 * Holders learn of it; the flag is set before the name goes: the last close looks at either. By the
 * mapping: holders change the flags without the directory's lock.
 */
static void mark_unlinked(int dirfd, const char *file, unsigned type)
{
	int fd = openat(dirfd, file, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct ripc_head h, *m;
	if (fd >= 0 && ripc_file_read_head(fd, type, &h, sizeof(h)) == 0) {
		m = mmap(NULL, sizeof(*m), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (m != MAP_FAILED) {
			atomic_fetch_or(&m->flags, RIPC_HEAD_UNLINKED);
			munmap(m, sizeof(*m));
		}
	}
	if (fd >= 0)
		close(fd);
}

int ripc_object_unlink(enum ripc_type type, const char *name)
{
	char file[RIPC_FILE_MAX + 1];
	struct stat st;
	int err = ripc_dir_file_name(file, sizeof(file), type, name);
	int dirfd = err ? err : ripc_dir_lock();
	if (dirfd < 0)
		return dirfd;
	if (fstatat(dirfd, file, &st, AT_SYMLINK_NOFOLLOW) < 0)
		err = -errno;
	if (!err) {
		bool other_names = st.st_nlink > 1;
		if (!other_names)
			mark_unlinked(dirfd, file, type);
		err = ripc_file_unlink(dirfd, file, st.st_dev, st.st_ino);
	}
	ripc_dir_unlock(dirfd);
	return err;
}

int ripc_object_alias(struct ripc_object *o, const char *name)
{
	char from[RIPC_FILE_MAX + 1], to[RIPC_FILE_MAX + 1];
	struct stat st;
	int err = ripc_dir_file_name(from, sizeof(from), o->type, o->name);
	if (!err)
		err = ripc_dir_file_name(to, sizeof(to), o->type, name);
	int dirfd = err ? err : ripc_dir_lock();
	if (dirfd < 0)
		return dirfd;
	if (fstatat(dirfd, from, &st, AT_SYMLINK_NOFOLLOW) < 0)
		err = -errno;
	else if (st.st_dev != o->dev || st.st_ino != o->ino)
		err = -ENOENT;
	else if (linkat(dirfd, from, dirfd, to, 0) < 0)
		err = -errno;
	ripc_dir_unlock(dirfd);
	return err;
}
