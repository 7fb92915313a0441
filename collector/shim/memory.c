// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Memory that processes share: mappings, POSIX shared memory, memfd, what one process reads of
 * another. Which ranges are mapped is kept by the collector; here a process is only known to have
 * some, so that the munmap calls of all others cost a load.
 */
#include <fcntl.h>
#include <semaphore.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "collector/shim/calls.h"
#include "collector/shim/describe.h"
#include "collector/shim/memory.h"
#include "collector/shim/names.h"

#define PAGE_MASK 4095ULL
#define TMPFS_MAGIC 0x01021994

static bool has_mapped;

static uint64_t whole_pages(size_t n) { return ((uint64_t)n + PAGE_MASK) & ~PAGE_MASK; }

static void describe(struct shim_thread *t, struct raw_object *o, int fd, uint32_t flags)
{
	o->hdr = (struct ev_hdr){ .t_ns = shim_now(), .type = RAW_OBJECT, .size = sizeof(*o),
				  .flags = o->hdr.flags | flags };
	o->fd = fd;
	shim_put(t, o, sizeof(*o), SHIM_LOST_CTL);
}

uint64_t shim_lock_object(struct shim_thread *t, int fd)
{
	struct raw_object o = { 0 };
	if (fd < 0 || !shim_describe_file(fd, KIND_LOCK, &o))
		return 0;
	describe(t, &o, fd, 0);
	return o.obj;
}

/* A file in memory, or one that is mapped to be written: what says nothing to anybody is left out. */
static bool map_object(int fd, struct raw_object *o)
{
	struct stat st;
	struct statfs fs;
	int saved = errno;
	bool ok = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && shim_describe_file(fd, KIND_MAP, o);
	if (ok && (syscall(SYS_fcntl, fd, F_GETFL) & O_ACCMODE) == O_RDONLY)
		ok = fstatfs(fd, &fs) == 0 && fs.f_type == TMPFS_MAGIC;
	errno = saved;
	return ok;
}

uint64_t shim_memory_opened(struct shim_thread *t, int fd, uint32_t flags)
{
	struct raw_object o = { 0 };
	if (!map_object(fd, &o))
		return 0;
	describe(t, &o, fd, flags);
	return o.obj;
}

/* ---- what has changed ---- */

void shim_tell_map(struct shim_op *o, const struct raw_map *change)
{
	struct raw_map r = *change;
	r.io = o->io;
	r.io.hdr.type = RAW_MAP;
	r.io.hdr.size = sizeof(r);
	has_mapped = true;
	__atomic_fetch_add(&shim_mappings, 1, __ATOMIC_RELAXED);
	shim_put(o->t, &r, sizeof(r), SHIM_LOST_OP);
}

/* The object of anonymous shared memory is known by what the kernel calls it in the list of mappings. */
static void mmap_end(struct shim_op *o, void *at, size_t n, int prot, int flags, int fd)
{
	struct raw_object obj = { 0 };
	struct raw_map r = { .old_start = (uint64_t)at, .old_end = (uint64_t)at + whole_pages(n) };
	int saved = errno;
	shim_done(o, at == MAP_FAILED ? -1 : 0);
	if (at == MAP_FAILED)
		return; /* nothing changed, and what it was about is not known */
	o->io.ret = (int64_t)(intptr_t)at;
	o->io.mtype = (int64_t)n;
	o->io.fd = flags & MAP_ANONYMOUS ? -1 : fd;
	if (flags & MAP_SHARED) {
		bool ours = flags & MAP_ANONYMOUS ? shim_describe_mapping((uint64_t)at, &obj)
						  : map_object(fd, &obj);
		if (!ours && !(flags & MAP_ANONYMOUS))
			return; /* a device, or what is no memory to others */
		if (ours)
			describe(o->t, &obj, o->io.fd, 0);
		r.start = r.old_start;
		r.end = r.old_end;
		r.dir = (uint8_t)((prot & PROT_READ ? ENDPOINT_DIR_READ : 0) |
				  (prot & PROT_WRITE ? ENDPOINT_DIR_WRITE : 0));
		o->io.chan = obj.obj;
	} else {
		o->io.op = OP_NONE;
	}
	shim_tell_map(o, &r);
	errno = saved;
}

#define MMAP(name, off)                                                                            \
	SHIM_EXPORT void *name(void *at, size_t n, int prot, int flags, int fd, off where)         \
	{                                                                                          \
		struct shim_op o;                                                                  \
		bool ours = flags & MAP_SHARED || (flags & MAP_FIXED && has_mapped);               \
		struct shim_thread *t = ours ? shim_ready() : NULL;                                \
		if (!t)                                                                            \
			return REAL(name)(at, n, prot, flags, fd, where);                          \
		shim_begin(&o, t, 0, -1, OP_MMAP, 0);                                              \
		void *got = REAL(name)(at, n, prot, flags, fd, where);                             \
		mmap_end(&o, got, n, prot, flags, fd);                                             \
		return got;                                                                        \
	}

MMAP(mmap, off_t)
MMAP(mmap64, off64_t)

SHIM_EXPORT int munmap(void *at, size_t n)
{
	struct shim_op o;
	struct shim_thread *t = has_mapped ? shim_ready() : NULL;
	if (!t)
		return REAL(munmap)(at, n);
	shim_begin(&o, t, 0, -1, OP_MUNMAP, 0);
	int ret = REAL(munmap)(at, n);
	shim_done(&o, ret);
	o.io.mtype = (int64_t)n;
	if (ret == 0)
		shim_tell_map(&o, &(struct raw_map){ .old_start = (uint64_t)at,
						     .old_end = (uint64_t)at + whole_pages(n) });
	return ret;
}

SHIM_EXPORT void *mremap(void *old, size_t old_n, size_t n, int flags, ...)
{
	struct shim_op o;
	va_list ap;
	va_start(ap, flags);
	void *to = va_arg(ap, void *);
	va_end(ap);
	struct shim_thread *t = has_mapped ? shim_ready() : NULL;
	if (!t)
		return REAL(mremap)(old, old_n, n, flags, to);
	shim_begin(&o, t, 0, -1, OP_MREMAP, 0);
	void *got = REAL(mremap)(old, old_n, n, flags, to);
	shim_done(&o, got == MAP_FAILED ? -1 : 0);
	if (got == MAP_FAILED)
		return got;
	o.io.ret = (int64_t)(intptr_t)got;
	o.io.mtype = (int64_t)n;
	shim_tell_map(&o, &(struct raw_map){
				  .old_start = (uint64_t)old,
				  .old_end = (uint64_t)old + whole_pages(old_n),
				  .start = (uint64_t)got,
				  .end = (uint64_t)got + whole_pages(n),
				  .moves = 1,
				  .keeps = flags & MREMAP_DONTUNMAP || !old_n,
			  });
	return got;
}

/* ---- memory that has a name ---- */

static void opened_end(struct shim_op *o, int fd, uint32_t flags)
{
	shim_done(o, fd);
	if (fd < 0)
		return;
	shim_fd_forget(fd);
	o->io.fd = fd;
	o->io.chan = shim_memory_opened(o->t, fd, flags);
	shim_tell(o);
}

SHIM_EXPORT int shm_open(const char *name, int flags, mode_t mode)
{
	struct shim_op o;
	struct shim_thread *t = shim_ready();
	if (!t)
		return REAL(shm_open)(name, flags, mode);
	shim_begin(&o, t, 0, -1, OP_OPENAT, 0);
	int fd = REAL(shm_open)(name, flags, mode);
	opened_end(&o, fd, 0);
	return fd;
}

/* libc maps it, a page of its own; it was mapped already if this process has it open. */
static sem_t *sem_opened(struct shim_op *o, sem_t *sem)
{
	if (sem != SEM_FAILED)
		mmap_end(o, (void *)((uintptr_t)sem & ~PAGE_MASK), sizeof(*sem), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1);
	else
		shim_drop(o);
	return sem;
}

SHIM_EXPORT sem_t *sem_open(const char *name, int flags, ...)
{
	struct shim_op o;
	struct shim_thread *t = shim_ready();
	mode_t mode = 0;
	unsigned int value = 0;
	va_list ap;
	if (flags & O_CREAT) {
		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		value = va_arg(ap, unsigned int);
		va_end(ap);
	}
	if (!t)
		return REAL(sem_open)(name, flags, mode, value);
	shim_begin(&o, t, 0, -1, OP_MMAP, 0);
	return sem_opened(&o, REAL(sem_open)(name, flags, mode, value));
}

/* Unmapped when it was opened as often as it is closed. */
SHIM_EXPORT int sem_close(sem_t *sem)
{
	struct shim_op o;
	struct shim_thread *t = shim_ready();
	unsigned char resident;
	void *page = (void *)((uintptr_t)sem & ~PAGE_MASK);
	if (!t)
		return REAL(sem_close)(sem);
	shim_begin(&o, t, 0, -1, OP_MUNMAP, 0);
	int ret = REAL(sem_close)(sem), saved = errno;
	if (ret == 0 && syscall(SYS_mincore, page, 1, &resident) && errno == ENOMEM) {
		shim_done(&o, 0);
		o.io.mtype = sizeof(*sem);
		shim_tell_map(&o, &(struct raw_map){ .old_start = (uint64_t)page, .old_end = (uint64_t)page + PAGE_MASK + 1 });
	} else {
		shim_drop(&o);
	}
	errno = saved;
	return ret;
}

SHIM_EXPORT int memfd_create(const char *name, unsigned int flags)
{
	struct shim_op o;
	struct shim_thread *t = shim_ready();
	if (!t)
		return REAL(memfd_create)(name, flags);
	shim_begin(&o, t, 0, -1, OP_MEMFD_CREATE, 0);
	int fd = REAL(memfd_create)(name, flags);
	opened_end(&o, fd, RAW_NEW);
	return fd;
}

/* ---- memory of another process ---- */

/* Known by its process; when that began, which the probes tell as well, user space knows only roughly. */
static uint64_t process_object(struct shim_thread *t, uint32_t pid)
{
	static uint64_t told; /* most look at one other process */
	struct raw_object o = { .obj = RAW_OBJ_MEM(pid, 0), .ino = pid, .kind = KIND_MEM };
	struct path p;
	uint64_t now = o.obj ^ (uint64_t)shim_control->generation << 32;
	if (__atomic_exchange_n(&told, now, __ATOMIC_RELAXED) == now)
		return o.obj;
	path_begin(&p, "/proc/");
	path_number(&p, pid);
	path_add(&p, "comm");
	int fd = (int)syscall(SYS_openat, AT_FDCWD, p.text, O_RDONLY | O_CLOEXEC, 0);
	long n = fd >= 0 ? syscall(SYS_read, fd, o.name, EV_COMM_LEN) : 0;
	if (fd >= 0)
		syscall(SYS_close, fd);
	if (n > 0)
		o.name[n - 1] = '\0'; /* the end of the line */
	describe(t, &o, -1, 0);
	return o.obj;
}

bool shim_begin_process_vm(struct shim_op *o, pid_t pid, enum ipctap_op op, uint32_t dir)
{
	struct shim_thread *t = pid > 0 ? shim_ready() : NULL;
	if (!t)
		return false;
	int saved = errno;
	uint64_t obj = process_object(t, (uint32_t)pid);
	errno = saved;
	shim_begin(o, t, obj, -1, op, dir);
	o->io.mtype = pid;
	return true;
}

#define PROCESS_VM(name, op, dir)                                                                  \
	SHIM_EXPORT ssize_t name(pid_t pid, const struct iovec *own, unsigned long n,              \
				 const struct iovec *its, unsigned long its_n, unsigned long flags) \
	{                                                                                          \
		struct shim_op o;                                                                  \
		if (!shim_begin_process_vm(&o, pid, op, dir))                                      \
			return REAL(name)(pid, own, n, its, its_n, flags);                         \
		ssize_t ret = REAL(name)(pid, own, n, its, its_n, flags);                          \
		shim_end_bytes(&o, ret, NULL);                                                     \
		return ret;                                                                        \
	}

PROCESS_VM(process_vm_readv, OP_PROCESS_VM_READV, IO_READ)
PROCESS_VM(process_vm_writev, OP_PROCESS_VM_WRITEV, IO_WRITE)

/* ---- locks on files ---- */

bool shim_begin_flock(struct shim_op *o, int fd, int what)
{
	struct shim_thread *t = shim_ready();
	uint64_t obj = t ? shim_lock_object(t, fd) : 0;
	if (!obj)
		return false;
	shim_begin(o, t, obj, fd, OP_FLOCK, what & LOCK_NB ? IO_NONBLOCK : 0);
	o->io.mtype = what;
	return true;
}

SHIM_EXPORT int flock(int fd, int what)
{
	struct shim_op o;
	if (!shim_begin_flock(&o, fd, what))
		return REAL(flock)(fd, what);
	int ret = REAL(flock)(fd, what);
	shim_end(&o, ret);
	return ret;
}

/* libc makes fcntl's POSIX locks of it. */
#define LOCKF(name, off)                                                                           \
	SHIM_EXPORT int name(int fd, int what, off n)                                              \
	{                                                                                          \
		struct shim_op o;                                                                  \
		struct shim_thread *t = shim_ready();                                              \
		uint64_t obj = t ? shim_lock_object(t, fd) : 0;                                    \
		if (!obj)                                                                          \
			return REAL(name)(fd, what, n);                                            \
		int cmd = what == F_LOCK ? F_SETLKW : what == F_TEST ? F_GETLK : F_SETLK;          \
		shim_begin(&o, t, obj, fd, OP_FCNTL, what == F_LOCK ? 0 : IO_NONBLOCK);            \
		o.io.mtype = cmd | (int64_t)(what == F_ULOCK ? F_UNLCK : F_WRLCK) << 16;           \
		int ret = REAL(name)(fd, what, n);                                                 \
		shim_end(&o, ret);                                                                 \
		return ret;                                                                        \
	}

LOCKF(lockf, off_t)
LOCKF(lockf64, off64_t)
