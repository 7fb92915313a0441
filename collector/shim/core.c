// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The life of the shim in a process: how it finds the collector, how each thread gets its ring, and
 * what becomes of both when the process forks, executes or ends.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "collector/shim/names.h"
#include "collector/shim/shim.h"
#include "collector/shim/stdio.h"

__thread struct shim_thread shim_self __attribute__((tls_model("initial-exec")));

static struct shim_control no_control;
static uint32_t no_epoch;
struct shim_control *shim_control = &no_control;
uint32_t *shim_epoch = &no_epoch;
uint32_t shim_pid;

static enum { NOT_TRIED, TRYING, OFF, LIVE } state;
static char folder[PATH_ROOM];
static uint32_t last_epoch, rings_made;
static pthread_key_t ending;
static bool has_ending;
static bool is_announced; /* this process image has been told of */
static char *const *program_argv;

static void *map(size_t bytes, int prot, int flags, int fd)
{
	void *p = (void *)syscall(SYS_mmap, NULL, bytes, prot, flags, fd, 0);
	return p == MAP_FAILED ? NULL : p;
}

/* ---- finding the collector ---- */

/* A folder of ours that nobody else can write to. */
static bool is_private(const char *path)
{
	struct stat st;
	return fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode) &&
	       st.st_uid == geteuid() && !(st.st_mode & 077);
}

static struct shim_control *control_map(void)
{
	struct path p;
	struct stat st;
	path_begin(&p, folder);
	path_add(&p, SHIM_CONTROL);
	int fd = (int)syscall(SYS_openat, AT_FDCWD, p.text, O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0);
	if (fd < 0)
		return NULL;
	struct shim_control *c = NULL;
	if (fstat(fd, &st) == 0 && st.st_size >= SHIM_PAGE)
		c = map(SHIM_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	syscall(SYS_close, fd);
	if (!c)
		return NULL;
	if (c->magic == SHIM_MAGIC && c->version == SHIM_VERSION)
		return c;
	syscall(SYS_munmap, c, SHIM_PAGE);
	return NULL;
}

static void thread_ends(void *arg);

/* Once in a process image. A program that gains privileges has no LD_PRELOAD, and never comes here. */
static void start(void)
{
	int expected = NOT_TRIED;
	if (!environ) /* libc has not begun yet: a call from .preinit_array */
		return;
	if (!__atomic_compare_exchange_n((int *)&state, &expected, TRYING, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_ACQUIRE))
		return;
	const char *path = getenv(SHIM_ENV);
	size_t len = path ? strlen(path) : 0;
	int outcome = OFF;
	if (len && len < sizeof(folder) - 64) {
		memcpy(folder, path, len + 1);
		uint32_t *page = map(SHIM_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
		struct shim_control *c = is_private(folder) ? control_map() : NULL;
		if (page && c && syscall(SYS_madvise, page, SHIM_PAGE, MADV_WIPEONFORK) == 0) {
			*page = ++last_epoch;
			shim_pid = (uint32_t)syscall(SYS_getpid);
			has_ending = pthread_key_create(&ending, thread_ends) == 0;
			shim_control = c;
			__atomic_store_n(&shim_epoch, page, __ATOMIC_RELEASE);
			outcome = LIVE;
		}
	}
	__atomic_store_n((int *)&state, outcome, __ATOMIC_RELEASE);
}

/* ---- rings ---- */

static uint32_t pidns_inode(void)
{
	struct stat st;
	return fstatat(AT_FDCWD, "/proc/self/ns/pid", &st, 0) == 0 ? (uint32_t)st.st_ino : 0;
}

/* A file of its own, all of its blocks there: NULL when there is no room even for the least. */
static struct shim_ring *ring_file(const char *name, uint64_t *bytes)
{
	int fd = (int)syscall(SYS_openat, AT_FDCWD, name,
			      O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return NULL;
	struct shim_ring *r = NULL;
	for (; !r && *bytes >= SHIM_DATA_MIN; *bytes /= 2)
		if (syscall(SYS_fallocate, fd, 0, 0L, (long)(SHIM_PAGE + *bytes)) == 0) {
			r = map(SHIM_PAGE + *bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
			break;
		}
	syscall(SYS_close, fd);
	if (!r)
		syscall(SYS_unlinkat, AT_FDCWD, name, 0);
	return r;
}

static uint64_t ring_bytes(void)
{
	uint64_t bytes = SHIM_DATA_MIN, wanted = shim_control->data_bytes;
	while (bytes < wanted && bytes < SHIM_DATA_MAX)
		bytes *= 2;
	/* with many threads, each is less often the busy one */
	for (uint32_t n = __atomic_load_n(&rings_made, __ATOMIC_RELAXED); n >= 4 && bytes > SHIM_DATA_MIN; n /= 4)
		bytes /= 2;
	return bytes;
}

static bool ring_make(struct shim_thread *t, uint32_t ppid)
{
	struct path made, named;
	uint32_t generation = __atomic_load_n(&shim_control->generation, __ATOMIC_RELAXED);
	uint64_t bytes = ring_bytes();
	uint64_t now = shim_now(); /* the same thread of an earlier program has a ring of the same number */
	__atomic_fetch_add(&rings_made, 1, __ATOMIC_RELAXED);
	t->tid = (uint32_t)syscall(SYS_gettid);
	path_ring(&made, folder, "new.", t->tid, shim_pid, now);
	path_ring(&named, folder, SHIM_RING_PREFIX, t->tid, shim_pid, now);
	struct shim_ring *r = ring_file(made.text, &bytes);
	struct shim_side *side = t->side;
	if (!r)
		return false;
	/* A child is to have nothing of this: it makes its own. */
	syscall(SYS_madvise, r, SHIM_PAGE + bytes, MADV_DONTFORK);
	r->magic = SHIM_MAGIC;
	r->version = SHIM_VERSION;
	r->header_bytes = SHIM_PAGE;
	r->data_bytes = bytes;
	r->start_ns = now;
	r->pid = shim_pid;
	r->tid = t->tid;
	r->ppid = ppid ? ppid : (uint32_t)syscall(SYS_getppid);
	r->pidns = pidns_inode();
	r->offs = __atomic_load_n(&shim_control->offs, __ATOMIC_RELAXED);
	syscall(SYS_prctl, PR_GET_NAME, r->comm, 0, 0, 0);
	if (!side)
		side = map(sizeof(*side), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	if (!side || syscall(SYS_renameat, AT_FDCWD, made.text, AT_FDCWD, named.text)) {
		syscall(SYS_munmap, r, SHIM_PAGE + bytes);
		if (side && side != t->side)
			syscall(SYS_munmap, side, sizeof(*side));
		return false;
	}
	t->ring = r;
	t->side = side;
	t->data = (uint8_t *)r + SHIM_PAGE;
	t->mask = bytes - 1;
	t->head = t->tail = 0;
	t->depth = 0;
	t->endings = 0;
	t->nheld = t->readings = 0;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	t->epoch = *shim_epoch;
	t->generation = generation;
	if (has_ending)
		pthread_setspecific(ending, t);
	return true;
}

/* ---- the first words of a process, or of a thread ---- */

static void tell_task(struct shim_thread *t, uint16_t what)
{
	struct ev_task e = {
		.hdr = { .t_ns = shim_now(), .type = EV_TASK, .size = sizeof(e) },
		.start_ns = t->ring->start_ns, .ppid = t->ring->ppid, .what = what,
	};
	memcpy(e.comm, t->ring->comm, sizeof(e.comm));
	if (what == TASK_EXEC) {
		long n = syscall(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", e.exe, sizeof(e.exe) - 1);
		(void)n;
		size_t at = 0;
		for (int i = 0; program_argv && program_argv[i] && at < sizeof(e.args) - 1; i++) {
			size_t len = strnlen(program_argv[i], sizeof(e.args) - 1 - at);
			memcpy(e.args + at, program_argv[i], len);
			at += len + 1;
		}
	}
	shim_put(t, &e, sizeof(e), SHIM_LOST_CTL);
}

static struct shim_thread *thread_start(struct shim_thread *t)
{
	uint32_t generation = shim_control->generation;
	if (t->failed && t->failed == generation)
		return NULL;
	if (!ring_make(t, 0)) {
		t->failed = generation ? generation : 1;
		return NULL;
	}
	bool first = !__atomic_exchange_n(&is_announced, true, __ATOMIC_ACQ_REL);
	tell_task(t, first ? TASK_EXEC : TASK_FORK);
	if (first)
		shim_fds_adopt(t, ENDPOINT_INHERIT);
	return t;
}

static void unmap_old(struct shim_thread *t)
{
	if (t->old)
		syscall(SYS_munmap, t->old, t->old_bytes);
	t->old = NULL;
}

/*
 * Another collector has come; the files of the rings that there are have no names, so it gets new ones.
 * What was in the old ones is the old one's. A thread that sleeps in a call meanwhile is known to the new
 * one from its next call on.
 */
static struct shim_thread *thread_again(struct shim_thread *t)
{
	static uint32_t adopted_for;
	struct shim_ring *old = t->ring;
	uint32_t nheld = t->nheld, readings = t->readings;
	size_t old_bytes = SHIM_PAGE + t->mask + 1;
	if (t->depth)
		return t; /* whoever we interrupted is writing into it */
	if (t->failed == shim_control->generation || !ring_make(t, 0)) {
		t->failed = shim_control->generation;
		return NULL;
	}
	if (t->ring->offs == old->offs) { /* nothing was done unseen in between */
		memcpy(t->ring->held, old->held, sizeof(old->held));
		memcpy(t->ring->deeds, old->deeds, sizeof(old->deeds));
		t->ring->deeds_lost = old->deeds_lost;
		t->nheld = nheld;
		t->readings = readings;
	}
	unmap_old(t);
	t->old = old;
	t->old_bytes = old_bytes;
	if (__atomic_exchange_n(&adopted_for, t->generation, __ATOMIC_ACQ_REL) != t->generation)
		shim_fds_adopt(t, ENDPOINT_SEEN);
	return t;
}

/*
 * In the child of a fork: the rings are its parent's and were not given to it. What was known of the
 * descriptors holds, for they are the same.
 */
static struct shim_thread *child_start(struct shim_thread *t)
{
	uint32_t parent = shim_pid;
	if (shim_control->no_follow) {
		__atomic_store_n((int *)&state, OFF, __ATOMIC_RELEASE);
		return NULL;
	}
	*t = (struct shim_thread){ .inside = t->inside };
	shim_pid = (uint32_t)syscall(SYS_getpid);
	rings_made = 0;
	*shim_epoch = ++last_epoch;
	if (!ring_make(t, parent))
		return NULL;
	__atomic_store_n(&is_announced, true, __ATOMIC_RELEASE);
	shim_sync_forked();
	tell_task(t, TASK_FORK);
	shim_fds_inherit(t);
	return t;
}

/* The thread called vfork; since then its memory may be looked at by the child as well. */
static bool is_vfork_child(struct shim_thread *t)
{
	if ((uint32_t)syscall(SYS_getpid) != t->vfork_pid)
		return true;
	t->vfork_pid = 0;
	t->epoch = t->ring ? *shim_epoch : 0;
	return false;
}

static struct shim_thread *ready(struct shim_thread *t)
{
	if (__atomic_load_n((int *)&state, __ATOMIC_ACQUIRE) == NOT_TRIED)
		start();
	if (__atomic_load_n((int *)&state, __ATOMIC_ACQUIRE) != LIVE ||
	    !__atomic_load_n(&shim_control->on, __ATOMIC_RELAXED))
		return NULL;
	if (t->vfork_pid && is_vfork_child(t))
		return NULL;
	if (!*shim_epoch)
		return child_start(t);
	if (t->epoch == *shim_epoch)
		return t->generation == shim_control->generation ? t : thread_again(t);
	return thread_start(t);
}

struct shim_thread *shim_ready_slow(void)
{
	struct shim_thread *t = &shim_self;
	if (t->inside) /* by way of a function that the slow way uses, or a signal handler */
		return NULL;
	t->inside = 1;
	int saved = errno;
	t = ready(t);
	errno = saved;
	shim_self.inside = 0;
	return t;
}

void shim_forked(void) { shim_ready(); }

/* ---- the end ---- */

/*
 * A thread's end is announced up to PTHREAD_DESTRUCTOR_ITERATIONS times, as long as somebody wants it
 * again: other destructors, called after ours, may still use a channel. The last time it is over.
 */
static void thread_ends(void *arg)
{
	struct shim_thread *t = arg;
	if (t != &shim_self || !t->ring || t->epoch != *shim_epoch)
		return;
	if (++t->endings < 4) {
		pthread_setspecific(ending, t);
		return;
	}
	struct shim_ring *r = t->ring;
	size_t bytes = SHIM_PAGE + t->mask + 1;
	if (t->tid != shim_pid) /* the process lives on */
		__atomic_store_n(&t->ring->ended_ns, shim_now(), __ATOMIC_RELEASE);
	t->epoch = 0;
	t->failed = shim_control->generation;
	t->ring = NULL;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	syscall(SYS_munmap, r, bytes);
	unmap_old(t);
	syscall(SYS_munmap, t->side, sizeof(*t->side));
	t->side = NULL;
}

void shim_exiting(int status)
{
	struct shim_thread *t = shim_ready();
	if (t)
		t->ring->exit_status = 0x100u | (uint32_t)(status & 0xff);
}

void shim_vfork_begin(void)
{
	struct shim_thread *t = shim_ready();
	if (!t)
		return;
	t->vfork_pid = shim_pid;
	t->epoch = 0;
}

/* ---- loading ---- */

static void on_exit_of_program(int status, void *arg)
{
	(void)arg;
	shim_stdio_end();
	shim_exiting(status);
}

/* glibc gives every constructor what main gets. */
__attribute__((constructor)) static void shim_load(int argc, char **argv, char **envp)
{
	(void)argc;
	(void)envp;
	int saved = errno;
	program_argv = argv;
	shim_real_resolve_all();
	shim_ready();
	if (state == LIVE)
		on_exit(on_exit_of_program, NULL);
	if (state == LIVE && shim_control->no_follow)
		shim_exec_unfollow();
	errno = saved;
}
