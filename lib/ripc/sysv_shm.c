// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * System V shared memory. A segment is an object (who attached it, when, its size) and a companion
 * file with the memory, whose mode is the segment's. An attachment holds the object open and has a
 * row in the segment's own table, so that shm_nattch counts attachments and nothing else.
 */
#include "lib/ripc/sysv_shm.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/ripc/probes.h"
#include "lib/ripc/head.h"

struct attachment {
	struct attachment *next;
	struct ripc_object *o;
	void *addr;
	size_t bytes;
	unsigned row;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct attachment *attachments;

/* ---- fork: the child has attached what its parent had ---- */

static void fork_prepare(void) { pthread_mutex_lock(&mutex); }
static void fork_parent(void) { pthread_mutex_unlock(&mutex); }

static void fork_child(void)
{
	ripc_id_forget();
	for (struct attachment *a = attachments; a; a = a->next) {
		struct shm_body *b = a->o->body;
		int row = ripc_holder_claim(b->rows, SHM_ROWS, ripc_self_id());
		a->row = row < 0 ? SHM_ROWS : (unsigned)row;
	}
	pthread_mutex_unlock(&mutex);
}

__attribute__((constructor)) static void at_load(void)
{
	pthread_atfork(fork_prepare, fork_parent, fork_child);
}

/* ---- shmget ---- */

static int shm_init(void *body, int id, const void *arg)
{
	struct shm_body *b = body;
	char name[16];
	ripc_sysv_id_name(name, sizeof(name), id);
	b->bytes = *(const size_t *)arg;
	b->cpid = getpid();
	size_t pages = (b->bytes + SHM_PAGE - 1) & ~(SHM_PAGE - 1);
	int fd = ripc_companion_create(RIPC_TYPE_SHM, name, pages, b->h.mode & 0666);
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static int shm_fits(const void *body, const void *arg)
{
	const struct shm_body *b = body;
	return *(const size_t *)arg > b->bytes ? -EINVAL : 0;
}

static const struct sysv_kind shm_kind = {
	.type = RIPC_TYPE_SHM,
	.body_bytes = sizeof(struct shm_body),
	.limit = RIPC_SHMMNI,
	.init = shm_init,
	.fits = shm_fits,
};

int ripc_shmget(key_t key, size_t size, int flags)
{
	if (flags & SHM_HUGETLB)
		return (int)ripc_sysv_result(-EINVAL);
	int r = -ENOENT;
	if (key != IPC_PRIVATE) /* an existing one is not asked for a size that it could be made with */
		r = ripc_sysv_get(&shm_kind, key, flags & ~IPC_CREAT, &size);
	if ((r >= 0 || r == -EINVAL || r == -EACCES) && (flags & IPC_CREAT) && (flags & IPC_EXCL))
		r = -EEXIST;
	if (r != -ENOENT || (key != IPC_PRIVATE && !(flags & IPC_CREAT)))
		return (int)ripc_sysv_result(r);
	if (!size || size > RIPC_SHMMAX)
		return (int)ripc_sysv_result(-EINVAL);
	return (int)ripc_sysv_result(ripc_sysv_get(&shm_kind, key, flags, &size));
}

/* ---- shmat ---- */

/* The segment's memory as asked for, or a negative errno. */
static int open_memory(const struct shm_body *b, int flags, size_t *bytes)
{
	char name[16];
	struct stat st;
	ripc_sysv_id_name(name, sizeof(name), b->h.id);
	unsigned want = flags & SHM_RDONLY ? 4 : 6;
	int err = ripc_sysv_may(&b->h, want);
	if (err)
		return err;
	int fd = ripc_companion_open(RIPC_TYPE_SHM, name,
				     flags & SHM_RDONLY ? O_RDONLY : O_RDWR);
	if (fd < 0)
		return fd == -ENOENT ? -EINVAL : fd;
	size_t pages = (b->bytes + SHM_PAGE - 1) & ~(SHM_PAGE - 1);
	if (!pages || b->bytes > RIPC_SHMMAX || fstat(fd, &st) < 0 || (size_t)st.st_size < pages) {
		close(fd);
		return -EBADMSG;
	}
	*bytes = pages;
	return fd;
}

static int map_memory(struct attachment *a, int fd, const void *addr, int flags)
{
	int prot = PROT_READ | (flags & SHM_RDONLY ? 0 : PROT_WRITE) |
		   (flags & SHM_EXEC ? PROT_EXEC : 0);
	uintptr_t at = (uintptr_t)addr;
	int how = MAP_SHARED;
	if (at % SHMLBA) {
		if (!(flags & SHM_RND))
			return -EINVAL;
		at -= at % SHMLBA;
	}
	if (!addr && (flags & SHM_REMAP))
		return -EINVAL;
	if (at)
		how |= flags & SHM_REMAP ? MAP_FIXED : MAP_FIXED_NOREPLACE;
	void *p = mmap((void *)at, a->bytes, prot, how, fd, 0);
	if (p == MAP_FAILED)
		return errno == EEXIST ? -EINVAL : errno == EPERM ? -EACCES : -errno;
	if (at && p != (void *)at) { /* a kernel older than 4.17 takes the address as a hint */
		munmap(p, a->bytes);
		return -EINVAL;
	}
	a->addr = p;
	return 0;
}

static int attach(struct attachment *a, const void *addr, int flags)
{
	struct shm_body *b = a->o->body;
	int fd = open_memory(b, flags, &a->bytes);
	if (fd < 0)
		return fd;
	int row = ripc_holder_claim(b->rows, SHM_ROWS, ripc_self_id());
	int err = row < 0 ? -ENOMEM : map_memory(a, fd, addr, flags);
	close(fd);
	if (err) {
		if (row >= 0)
			atomic_store(&b->rows[row], 0);
		return err;
	}
	if (atomic_load(&b->locked))
		mlock(a->addr, a->bytes); /* as far as this process may */
	a->row = (unsigned)row;
	b->atime_s = time(NULL);
	b->lpid = getpid();
	return 0;
}

static void release(struct attachment *a)
{
	struct shm_body *b = a->o->body;
	if (a->row < SHM_ROWS)
		atomic_store(&b->rows[a->row], 0);
	b->dtime_s = time(NULL);
	b->lpid = getpid();
}

/* SHM_REMAP: what lay wholly where the new one lies is no longer attached. */
static void drop_covered(const struct attachment *by)
{
	for (struct attachment **p = &attachments; *p;) {
		struct attachment *a = *p;
		uintptr_t from = (uintptr_t)a->addr - (uintptr_t)by->addr;
		if (from < by->bytes && a->bytes <= by->bytes - from) {
			*p = a->next;
			release(a);
			ripc_object_close(a->o);
			free(a);
		} else {
			p = &a->next;
		}
	}
}

void *ripc_shmat(int id, const void *addr, int flags)
{
	struct attachment *a = calloc(1, sizeof(*a));
	int err = a ? ripc_sysv_open(&a->o, &shm_kind, id) : -ENOMEM;
	if (err >= 0) {
		pthread_mutex_lock(&mutex);
		err = attach(a, addr, flags);
		if (!err) {
			drop_covered(a);
			a->next = attachments;
			attachments = a;
			RIPC_PROBE_ACQUIRE(RIPC_KIND("shm"), a->o->name, a->o->ino);
		}
		pthread_mutex_unlock(&mutex);
		if (err)
			ripc_object_close(a->o);
	}
	if (err < 0) {
		free(a);
		return (void *)ripc_sysv_result(err);
	}
	return a->addr;
}

/* ---- shmdt ---- */

int ripc_shmdt(const void *addr)
{
	pthread_mutex_lock(&mutex);
	struct attachment **p = &attachments, *a;
	while (*p && (*p)->addr != addr)
		p = &(*p)->next;
	a = *p;
	if (a) {
		*p = a->next;
		munmap(a->addr, a->bytes);
		release(a);
	}
	pthread_mutex_unlock(&mutex);
	if (!a)
		return (int)ripc_sysv_result(-EINVAL);
	RIPC_PROBE_RELEASE(RIPC_KIND("shm"), a->o->name, a->o->ino);
	ripc_object_close(a->o); /* the last one out removes what IPC_RMID has condemned */
	free(a);
	return 0;
}

/* ---- shmctl ---- */

static int shm_stat(const struct ripc_object *o, struct shmid_ds *buf, bool any)
{
	struct shm_body *b = o->body;
	int err = any ? 0 : ripc_sysv_may(&b->h, 4);
	if (err)
		return err;
	memset(buf, 0, sizeof(*buf));
	ripc_sysv_fill_perm(&b->h, &buf->shm_perm);
	buf->shm_perm.mode |= ripc_sysv_is_removed(o) ? SHM_DEST : 0;
	buf->shm_perm.mode |= atomic_load(&b->locked) ? SHM_LOCKED : 0;
	buf->shm_segsz = b->bytes;
	buf->shm_atime = b->atime_s;
	buf->shm_dtime = b->dtime_s;
	buf->shm_ctime = b->h.ctime_s;
	buf->shm_cpid = b->cpid;
	buf->shm_lpid = b->lpid;
	buf->shm_nattch = ripc_holder_count(b->rows, SHM_ROWS, true);
	return 0;
}

static int shm_remove(struct ripc_object *o)
{
	struct shm_body *b = o->body;
	int err = ripc_sysv_owns(&b->h);
	if (err)
		return err;
	ripc_sysv_remove(&shm_kind, o, true);
	return 0;
}

/* mlock or munlock of what this process has attached of it; all or nothing. */
static int lock_attached(const struct ripc_object *o, bool lock)
{
	int err = 0;
	pthread_mutex_lock(&mutex);
	for (struct attachment *a = attachments; a && !err; a = a->next) {
		if (a->o->dev == o->dev && a->o->ino == o->ino && lock && mlock(a->addr, a->bytes) < 0)
			err = errno == EPERM ? -EPERM : -ENOMEM;
	}
	for (struct attachment *a = attachments; a && (err || !lock); a = a->next) {
		if (a->o->dev == o->dev && a->o->ino == o->ino)
			munlock(a->addr, a->bytes);
	}
	pthread_mutex_unlock(&mutex);
	return err;
}

/* Linux ipc/shm.c: its owners may, and who is asked for no more than may be locked. */
static int shm_lock(struct ripc_object *o, bool lock)
{
	struct shm_body *b = o->body;
	struct rlimit most;
	int err = ripc_sysv_owns(&b->h);
	if (!err && lock && geteuid() != 0 && getrlimit(RLIMIT_MEMLOCK, &most) == 0 && !most.rlim_cur)
		err = -EPERM;
	if (!err)
		err = lock_attached(o, lock);
	if (!err)
		atomic_store(&b->locked, lock);
	return err;
}

static int shm_control(struct ripc_object *o, int cmd, struct shmid_ds *buf)
{
	struct shm_body *b = o->body;
	int err;
	switch (cmd) {
	case IPC_STAT:
	case SHM_STAT:
	case SHM_STAT_ANY:
		return shm_stat(o, buf, cmd == SHM_STAT_ANY);
	case IPC_SET:
		err = ripc_sysv_owns(&b->h);
		return err ? err : ripc_sysv_set_perm(&shm_kind, o, &buf->shm_perm);
	case IPC_RMID:
		return shm_remove(o);
	case SHM_LOCK:
	case SHM_UNLOCK:
		return shm_lock(o, cmd == SHM_LOCK);
	default:
		return -EINVAL;
	}
}

int ripc_shmctl(int id, int cmd, struct shmid_ds *buf)
{
	struct ripc_object *o;
	bool by_index = cmd == SHM_STAT || cmd == SHM_STAT_ANY;
	if (id < 0)
		return (int)ripc_sysv_result(-EINVAL);
	if (cmd == IPC_INFO || cmd == SHM_INFO)
		return (int)ripc_sysv_result(ripc_shm_info(cmd, buf));
	if (by_index)
		id = ripc_sysv_by_index(RIPC_TYPE_SHM, id);
	int err = id < 0 ? id : ripc_sysv_open(&o, &shm_kind, id);
	if (err < 0)
		return (int)ripc_sysv_result(err);
	err = shm_control(o, cmd, buf);
	ripc_object_close(o);
	return (int)ripc_sysv_result(err < 0 || !by_index ? err : id);
}
