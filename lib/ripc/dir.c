// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The directory of objects: which one it is, how files are named, the lock under which objects
 * come and go, and the files beside them.
 */
#include "head.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define LOCK_FILE ".lock"

static const char *const type_words[RIPC_TYPE_COUNT] = {
	[RIPC_TYPE_CS] = "cs",		     [RIPC_TYPE_SEMAPHORE] = "sem",
	[RIPC_TYPE_EVENT] = "event",	     [RIPC_TYPE_CONDITION] = "cond",
	[RIPC_TYPE_BUFFER] = "buffer",	     [RIPC_TYPE_SHM] = "shm",
	[RIPC_TYPE_MSQ] = "msq",	     [RIPC_TYPE_MAPPING] = "mapping",
	[RIPC_TYPE_SHARED] = "shared",	     [RIPC_TYPE_PIPE] = "pipe",
	[RIPC_TYPE_NPIPE] = "npipe",	     [RIPC_TYPE_NPIPE_END] = "npend",
	[RIPC_TYPE_SOCKET] = "socket",
};

const char *ripc_type_word(unsigned type)
{
	return type < RIPC_TYPE_COUNT && type_words[type] ? type_words[type] : "?";
}

int ripc_type_by_word(const char *word)
{
	for (int i = 1; i < RIPC_TYPE_COUNT; i++) {
		if (type_words[i] && !strcmp(word, type_words[i]))
			return i;
	}
	return -EINVAL;
}

/* ---- names ---- */

static bool is_plain(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_' || c == '.';
}

int ripc_dir_file_name(char *buf, size_t bytes, enum ripc_type type, const char *name)
{
	if ((unsigned)type >= RIPC_TYPE_COUNT || !type_words[type] || !name || !*name)
		return -EINVAL;
	if (strnlen(name, RIPC_NAME_MAX + 1) > RIPC_NAME_MAX)
		return -EINVAL;
	size_t n = (size_t)snprintf(buf, bytes, "%s.", type_words[type]);
	for (const unsigned char *p = (const unsigned char *)name; *p; p++) {
		if (n + 4 > bytes)
			return -EINVAL;
		n += (size_t)snprintf(buf + n, bytes - n, is_plain(*p) ? "%c" : "%%%02X", *p);
	}
	return n + sizeof(RIPC_COMPANION) > RIPC_FILE_MAX ? -EINVAL : 0;
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int ripc_dir_parse_name(const char *file, char *name)
{
	const char *dot = strchr(file, '.');
	char word[16];
	if (!dot || (size_t)(dot - file) >= sizeof(word))
		return -EINVAL;
	memcpy(word, file, (size_t)(dot - file));
	word[dot - file] = 0;
	int type = ripc_type_by_word(word);
	size_t n = 0;
	for (const char *p = dot + 1; *p && type > 0; p++) {
		int c = (unsigned char)*p;
		if (c == '%') {
			if (hex(p[1]) < 0 || hex(p[2]) < 0)
				return -EINVAL;
			c = hex(p[1]) * 16 + hex(p[2]);
			p += 2;
		} else if (!is_plain((unsigned char)c)) {
			return -EINVAL;
		}
		if (n == RIPC_NAME_MAX || !c)
			return -EINVAL;
		name[n++] = (char)c;
	}
	name[n] = 0;
	return n ? type : -EINVAL;
}

/* ---- which directory ---- */

/* Ours alone: made by us, and nobody else can put a file into it. */
static int check_private(const char *path)
{
	struct stat st;
	if (lstat(path, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	return st.st_uid == geteuid() && !(st.st_mode & 022) ? 0 : -EACCES;
}

int ripc_dir_path(char *buf, size_t bytes)
{
	const char *asked = secure_getenv("RIPC_DIR"), *run = secure_getenv("XDG_RUNTIME_DIR");
	if (asked && *asked)
		return (size_t)snprintf(buf, bytes, "%s", asked) < bytes ? 0 : -ENAMETOOLONG;
	int n;
	if (run && *run && check_private(run) == 0)
		n = snprintf(buf, bytes, "%s/ripc", run);
	else
		n = snprintf(buf, bytes, "/dev/shm/ripc-%u", geteuid());
	if ((size_t)n >= bytes)
		return -ENAMETOOLONG;
	if (mkdir(buf, 0700) == 0 || errno == EEXIST)
		return check_private(buf);
	return -errno;
}

/* ---- the lock ---- */

static pthread_mutex_t dir_mutex = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static int dir_depth, dir_fd = -1, lock_fd = -1;

void ripc_dir_fork_prepare(void) { pthread_mutex_lock(&dir_mutex); }
void ripc_dir_fork_done(void)
{
	/* A recursive mutex is its locker's by thread id, which a child of fork does not have. */
	if (pthread_mutex_unlock(&dir_mutex) == EPERM)
		dir_mutex = (pthread_mutex_t)PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
}

/* In a directory that users share, everybody locks the same file. */
static int open_lock_file(int dirfd)
{
	int flags = O_RDWR | O_NOFOLLOW | O_CLOEXEC;
	for (int tries = 0; tries < 3; tries++) {
		int fd = openat(dirfd, LOCK_FILE, flags);
		if (fd >= 0 || errno != ENOENT)
			return fd < 0 ? -errno : fd;
		struct stat st;
		mode_t mode = fstat(dirfd, &st) == 0 ? st.st_mode & 0066 : 0;
		fd = openat(dirfd, LOCK_FILE, flags | O_CREAT | O_EXCL, 0600);
		if (fd >= 0) {
			(void)!fchmod(fd, 0600 | mode | mode << 1);
			return fd;
		}
		if (errno != EEXIST)
			return -errno;
	}
	return -EACCES;
}

static int dir_take(void)
{
	char path[4096];
	int err = ripc_dir_path(path, sizeof(path));
	if (err)
		return err;
	dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return -errno;
	lock_fd = open_lock_file(dir_fd);
	err = lock_fd < 0 ? lock_fd : 0;
	struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	while (!err && fcntl(lock_fd, F_SETLKW, &fl) < 0)
		err = errno == EINTR ? 0 : -errno;
	if (err) {
		if (lock_fd >= 0)
			close(lock_fd);
		close(dir_fd);
		lock_fd = dir_fd = -1;
	}
	return err;
}

int ripc_dir_lock(void)
{
	pthread_mutex_lock(&dir_mutex);
	int err = dir_depth ? 0 : dir_take();
	if (err) {
		pthread_mutex_unlock(&dir_mutex);
		return err;
	}
	dir_depth++;
	return dir_fd;
}

void ripc_dir_unlock(int dirfd)
{
	(void)dirfd;
	if (--dir_depth == 0) {
		close(lock_fd); /* which gives the lock back */
		close(dir_fd);
		lock_fd = dir_fd = -1;
	}
	pthread_mutex_unlock(&dir_mutex);
}

/* ---- companions ---- */

static int companion_name(char *buf, enum ripc_type type, const char *name)
{
	int err = ripc_dir_file_name(buf, RIPC_FILE_MAX + 1, type, name);
	if (!err)
		strcat(buf, RIPC_COMPANION); /* there is room: ripc_dir_file_name() sees to it */
	return err;
}

int ripc_companion_create(enum ripc_type type, const char *name, size_t bytes, mode_t mode)
{
	char file[RIPC_FILE_MAX + 1];
	int err = companion_name(file, type, name);
	int dirfd = err ? err : ripc_dir_lock();
	if (dirfd < 0)
		return dirfd;
	unlinkat(dirfd, file, 0); /* what somebody left who died before the object was there */
	int fd = openat(dirfd, file, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	err = fd < 0 ? -errno : 0;
	struct statvfs fs;
	if (!err && fstatvfs(fd, &fs) == 0 && fs.f_blocks && fs.f_bavail < bytes / fs.f_bsize) {
		err = -ENOSPC;
		unlinkat(dirfd, file, 0);
		close(fd);
	}
	if (!err && (ftruncate(fd, (off_t)bytes) < 0 || fchmod(fd, mode & 0777) < 0)) {
		err = -errno;
		unlinkat(dirfd, file, 0);
		close(fd);
	}
	ripc_dir_unlock(dirfd);
	return err ? err : fd;
}

int ripc_companion_open(enum ripc_type type, const char *name, int open_flags)
{
	char file[RIPC_FILE_MAX + 1];
	int err = companion_name(file, type, name);
	int dirfd = err ? err : ripc_dir_lock();
	if (dirfd < 0)
		return dirfd;
	int fd = openat(dirfd, file, open_flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	err = fd < 0 ? -errno : 0;
	struct stat st;
	if (!err && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))) {
		err = -EBADMSG;
		close(fd);
	}
	ripc_dir_unlock(dirfd);
	return err ? err : fd;
}

int ripc_file_unlink(int dirfd, const char *file, dev_t dev, ino_t ino)
{
	struct stat st;
	if (fstatat(dirfd, file, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (st.st_dev != dev || st.st_ino != ino)
		return -ENOENT;
	char companion[RIPC_FILE_MAX + sizeof(RIPC_COMPANION)];
	snprintf(companion, sizeof(companion), "%s" RIPC_COMPANION, file);
	unlinkat(dirfd, companion, 0);
	return unlinkat(dirfd, file, 0) < 0 ? -errno : 0;
}
