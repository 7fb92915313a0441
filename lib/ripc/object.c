// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Opening and closing of objects. A new one is made whole in a file without a name (O_TMPFILE),
 * and given its name by link: a process that dies half way leaves nothing, and nobody ever sees an
 * unfinished one. Whoever opens or closes does so under the directory's lock.
 */
#include "head.h"
#include "probes.h"
#include "robust.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* ---- all that is open in this process, for fork ---- */

static pthread_mutex_t open_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct ripc_object open_objects = {.next = &open_objects, .prev = &open_objects};

/* As RIPC_KIND() of its word, for the probes. */
static uint64_t kind_of(const struct ripc_object *o)
{
	uint64_t kind = 0;
	const char *word = ripc_type_word(o->type);
	for (unsigned i = 0; i < sizeof(kind) && word[i]; i++)
		kind |= (uint64_t)(unsigned char)word[i] << 8 * i;
	return kind;
}

/* Under open_mutex: no other handle of this process is of the same object. */
static bool is_alone_here(const struct ripc_object *o)
{
	for (struct ripc_object *p = open_objects.next; p != &open_objects; p = p->next) {
		if (p != o && p->dev == o->dev && p->ino == o->ino && p->is_silent == o->is_silent)
			return false;
	}
	return !o->is_silent;
}

static void register_object(struct ripc_object *o, bool is_new)
{
	pthread_mutex_lock(&open_mutex);
	if (is_alone_here(o)) {
		uint64_t kind = kind_of(o);
		RIPC_PROBE_OPEN(kind, o->name, o->ino, is_new);
	}
	o->next = open_objects.next;
	o->prev = &open_objects;
	o->next->prev = o->prev->next = o;
	pthread_mutex_unlock(&open_mutex);
}

static void unregister_object(struct ripc_object *o)
{
	pthread_mutex_lock(&open_mutex);
	o->next->prev = o->prev;
	o->prev->next = o->next;
	if (is_alone_here(o)) {
		uint64_t kind = kind_of(o);
		RIPC_PROBE_CLOSE(kind, o->name, o->ino);
	}
	pthread_mutex_unlock(&open_mutex);
}

static void fork_prepare(void)
{
	ripc_dir_fork_prepare();
	pthread_mutex_lock(&open_mutex);
}

static void fork_parent(void)
{
	pthread_mutex_unlock(&open_mutex);
	ripc_dir_fork_done();
}

/* The child holds what it inherited, in rows of its own. */
static void fork_child(void)
{
	ripc_thread_forget();
	ripc_leaf_forked();
	ripc_id_forget();
	for (struct ripc_object *o = open_objects.next; o != &open_objects; o = o->next) {
		int row = ripc_holder_claim(o->head->holders, o->nholders, ripc_self_id());
		o->holder = row < 0 ? RIPC_NO_HOLDER : (unsigned)row;
		if (!o->is_silent) {
			uint64_t kind = kind_of(o);
			RIPC_PROBE_OPEN(kind, o->name, o->ino, 0);
		}
	}
	fork_parent();
}

/* Before those of the rows: their locks are taken first, so that ours must be asked for later. */
__attribute__((constructor(201))) static void at_load(void)
{
	pthread_atfork(fork_prepare, fork_parent, fork_child);
}

/* ---- mappings ---- */

static int map_object(struct ripc_object *o, int fd, const struct ripc_head *h)
{
	o->map_bytes = h->body_off + h->body_bytes;
	o->body_bytes = h->body_bytes;
	o->nholders = h->nholders;
	o->type = h->type;
	/* Once in a process: a lock is in its owner's robust list by address (lock.c). */
	for (struct ripc_object *p = open_objects.next; fd >= 0 && p != &open_objects; p = p->next) {
		if (p->dev == o->dev && p->ino == o->ino && p->map_bytes == o->map_bytes) {
			o->head = p->head;
			o->body = p->body;
			return 0;
		}
	}
	o->head = mmap(NULL, o->map_bytes, PROT_READ | PROT_WRITE,
		       MAP_SHARED | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);
	if (o->head == MAP_FAILED)
		return -errno;
	o->body = (char *)o->head + h->body_off;
	return 0;
}

/* Unmaps unless another handle of this process shares the mapping. Under the directory's lock. */
static void unmap_object(struct ripc_object *o)
{
	bool shared = false;
	pthread_mutex_lock(&open_mutex);
	for (struct ripc_object *p = open_objects.next; p != &open_objects; p = p->next)
		shared |= p != o && p->head == o->head;
	pthread_mutex_unlock(&open_mutex);
	if (!shared && o->head && o->head != MAP_FAILED)
		munmap(o->head, o->map_bytes);
	o->head = NULL;
}

/* ---- an existing one ---- */

static int check_existing(struct ripc_object *o, const struct ripc_spec *spec, bool alone)
{
	if (alone && spec->recover)
		spec->recover(o->body, o->body_bytes, spec->arg);
	int err = spec->check ? spec->check(o->body, o->body_bytes, spec->arg) : 0;
	if (err)
		return err;
	int row = ripc_holder_claim(o->head->holders, o->nholders, ripc_self_id());
	if (row < 0)
		return row;
	o->holder = (unsigned)row;
	return 0;
}

/* 0; -ENOENT also when it was what the dead have left, which is removed. */
static int open_existing(struct ripc_object *o, const struct ripc_spec *spec, int dirfd,
			 const char *file, unsigned flags)
{
	int fd = openat(dirfd, file, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return errno == ELOOP || errno == EISDIR || errno == ENXIO ? -EBADMSG : -errno;
	struct ripc_head h;
	struct stat st;
	int err = ripc_file_read_head(fd, spec->type, &h, sizeof(h));
	if (!err && fstat(fd, &st) < 0)
		err = -errno;
	if (!err) {
		o->dev = st.st_dev;
		o->ino = st.st_ino;
		pthread_mutex_lock(&open_mutex);
		err = map_object(o, fd, &h);
		pthread_mutex_unlock(&open_mutex);
	}
	close(fd);
	if (err)
		return err;
	bool alone = ripc_holder_count(o->head->holders, o->nholders, true) == 0;
	if (alone && !(atomic_load(&o->head->flags) & RIPC_HEAD_KEEP)) {
		err = ripc_file_unlink(dirfd, file, o->dev, o->ino);
		return err ? err : -ENOENT;
	}
	if ((flags & RIPC_CREATE) && (flags & RIPC_EXCL))
		return -EEXIST;
	return check_existing(o, spec, alone);
}

/* ---- a new one ---- */

/*
 * -ENOSPC when there is not that much to be had. A tmpfs may be as large as all memory, and filling
 * it is not answered by an error but by the kernel's OOM killer: so no more than half of what is
 * available, unless the pages are taken only as they are touched.
 */
static int check_room(int fd, uint64_t bytes, bool sparse)
{
	struct statvfs fs;
	if (fd >= 0 && fstatvfs(fd, &fs) == 0 && fs.f_blocks && fs.f_bavail < bytes / fs.f_bsize)
		return -ENOSPC;
	if (sparse || bytes < 64u << 20)
		return 0;
	unsigned long long kib = 0;
	char line[128];
	FILE *f = fopen("/proc/meminfo", "re");
	while (f && fgets(line, sizeof(line), f) && sscanf(line, "MemAvailable: %llu", &kib) != 1)
		;
	if (f)
		fclose(f);
	return kib && bytes / 1024 > kib / 2 ? -ENOSPC : 0;
}

static int fill_new(struct ripc_object *o, const struct ripc_spec *spec, unsigned flags, int fd)
{
	unsigned rows = spec->holders ? spec->holders : RIPC_HOLDERS_DEFAULT;
	struct ripc_head h = {.magic = RIPC_MAGIC,
			      .layout = RIPC_LAYOUT,
			      .type = spec->type,
			      .nholders = rows,
			      .flags = flags & RIPC_KEEP ? RIPC_HEAD_KEEP : 0,
			      .creator = ripc_self_id(),
			      .body_bytes = spec->body_bytes};
	h.body_off = (sizeof(h) + rows * sizeof(ripc_id) + 4095) & ~4095ull;
	off_t bytes = (off_t)(h.body_off + h.body_bytes);
	int room = check_room(fd, (uint64_t)bytes, spec->sparse);
	if (room)
		return room;
	if (fd >= 0 && ftruncate(fd, bytes) < 0)
		return -errno;
	/* memory that is not there would be a SIGBUS later: better an error now */
	int err = fd >= 0 ? posix_fallocate(fd, 0, spec->sparse ? 4096 : bytes) : 0;
	if (err)
		return -err;
	err = map_object(o, fd, &h);
	if (err)
		return err;
	memcpy(o->head, &h, sizeof(h));
	o->holder = 0;
	atomic_store(&o->head->holders[0], ripc_self_id());
	return spec->init ? spec->init(o->body, o->body_bytes, spec->arg) : 0;
}

static int link_fd(int fd, int dirfd, const char *file)
{
	char path[32];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, path, dirfd, file, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}

static int create_new(struct ripc_object *o, const struct ripc_spec *spec, int dirfd,
		      const char *file, unsigned flags)
{
	int fd = openat(dirfd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	struct stat st;
	int err = fchmod(fd, spec->mode ? spec->mode & 0777 : 0600) < 0 ? -errno : 0;
	if (!err)
		err = fill_new(o, spec, flags, fd);
	if (!err && fstat(fd, &st) < 0)
		err = -errno;
	if (!err) {
		o->dev = st.st_dev;
		o->ino = st.st_ino;
		err = link_fd(fd, dirfd, file);
	}
	close(fd);
	return err;
}

/* ---- both ---- */

static void sweep_once(void)
{
	static atomic_bool swept;
	if (!atomic_exchange(&swept, true))
		ripc_dir_sweep();
}

static int open_or_create(struct ripc_object *o, const struct ripc_spec *spec, const char *file,
			  unsigned flags)
{
	int dirfd = ripc_dir_lock();
	if (dirfd < 0)
		return dirfd;
	sweep_once();
	int err = open_existing(o, spec, dirfd, file, flags);
	if (err == -ENOENT && (flags & RIPC_CREATE)) {
		unmap_object(o);
		o->dev = 0;
		o->ino = 0;
		err = create_new(o, spec, dirfd, file, flags);
		err = err ? err : 1;
	}
	if (err < 0)
		unmap_object(o);
	else
		register_object(o, err);
	ripc_dir_unlock(dirfd);
	return err;
}

/* Of an object without a file, for the probes; no inode has the highest bit. */
static ino_t nameless_id(void)
{
	static _Atomic uint32_t count;
	return 1ull << 63 | (uint64_t)getpid() << 32 | atomic_fetch_add(&count, 1);
}

int ripc_object_open(struct ripc_object **out, const struct ripc_spec *spec, unsigned flags)
{
	char file[RIPC_FILE_MAX + 1];
	*out = NULL;
	int err = spec->name ? ripc_dir_file_name(file, sizeof(file), spec->type, spec->name) : 0;
	if (!err && (flags & RIPC_CREATE) &&
	    (!spec->body_bytes || spec->body_bytes > RIPC_BODY_MAX ||
	     spec->holders > RIPC_HOLDERS_MAX))
		err = -EINVAL;
	if (!err && !spec->name && !(flags & RIPC_CREATE))
		err = -EINVAL;
	if (!err)
		err = ripc_lock_is_possible();
	if (err)
		return err;
	struct ripc_object *o = calloc(1, sizeof(*o));
	if (!o)
		return -ENOMEM;
	o->is_silent = spec->is_silent;
	if (spec->name) {
		strcpy(o->name, spec->name); /* its length was checked for the file's name */
		err = open_or_create(o, spec, file, flags);
	} else {
		err = fill_new(o, spec, flags, -1);
		err = err ? err : 1;
		o->ino = nameless_id();
		if (err > 0)
			register_object(o, true);
		else
			unmap_object(o);
	}
	if (err >= 0)
		*out = o;
	else
		free(o);
	return err;
}

static void remove_if_last(struct ripc_object *o, int dirfd)
{
	char file[RIPC_FILE_MAX + 1];
	if (o->holder < o->nholders) {
		ripc_id me = ripc_self_id();
		atomic_compare_exchange_strong(&o->head->holders[o->holder], &me, 0);
	}
	if (dirfd < 0 || atomic_load(&o->head->flags) & (RIPC_HEAD_KEEP | RIPC_HEAD_UNLINKED))
		return;
	if (ripc_holder_count(o->head->holders, o->nholders, true) == 0 &&
	    ripc_dir_file_name(file, sizeof(file), o->type, o->name) == 0)
		ripc_file_unlink(dirfd, file, o->dev, o->ino);
}

void ripc_object_close(struct ripc_object *o)
{
	if (!o)
		return;
	int dirfd = o->name[0] ? ripc_dir_lock() : -ENOENT;
	unregister_object(o);
	remove_if_last(o, dirfd);
	unmap_object(o);
	if (dirfd >= 0)
		ripc_dir_unlock(dirfd);
	free(o);
}
