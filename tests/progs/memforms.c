// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every form of every call on memory that others may have: mappings, futexes, the memory and the
 * descriptors of another process, an io_uring's wait; each with a known outcome, failures included.
 * Exits 0 when every call returned what it should. Nothing depends on timing.
 */
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

#include "forms.h"

#define PAGE 4096L
#define SYS_waitv 449 /* futex_waitv: not in all headers */

/* An mmap that must succeed */
static char *map(int line, void *at, long len, int prot, int flags, int fd, long offset)
{
	long ret = syscall(SYS_mmap, at, len, prot, flags, (long)fd, offset);

	check(line, "mmap", ret == -1 ? -1 : 0, 0);
	if (ret == -1)
		exit(97);
	return (char *)ret;
}
#define MAP(at, len, prot, flags, fd, offset) map(__LINE__, at, len, prot, flags, fd, offset)
#define RW (PROT_READ | PROT_WRITE)

/* ---- mappings ---- */

static void anonymous_maps(void)
{
	char *a = MAP(NULL, 8 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0), *b, *own;

	W(0, munmap, a + 2 * PAGE, PAGE);                        /* a hole */
	W(0, munmap, a + 2 * PAGE, PAGE);                        /* nothing is left there */
	MAP(a + 4 * PAGE, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0); /* over it */
	W(0, munmap, a + 4 * PAGE, PAGE);                        /* that was private */
	W(-EINVAL, munmap, a + 1, PAGE);
	W(0, munmap, a, 8 * PAGE); /* what is left, and a hole */
	own = MAP(NULL, 2 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	W(0, munmap, own, 2 * PAGE);
	W(-EINVAL, mmap, NULL, 0L, RW, MAP_SHARED | MAP_ANONYMOUS, -1L, 0L);

	a = MAP(NULL, 2 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	b = (char *)G(mremap, a, 2 * PAGE, 5 * PAGE, MREMAP_MAYMOVE);
	W((long)b, mremap, b, 5 * PAGE, PAGE, 0L);
	a = (char *)G(mremap, b, 0L, PAGE, MREMAP_MAYMOVE); /* a second one of the same */
	W(0, munmap, a, PAGE);
	W(0, munmap, b, PAGE);
	own = MAP(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	own = (char *)G(mremap, own, PAGE, 2 * PAGE, MREMAP_MAYMOVE);
	W(0, munmap, own, 2 * PAGE);
}

static void file_maps(void)
{
	char path[64], *a, *b;
	int fd, read_only, memory = FD(memfd_create, "memforms", MFD_CLOEXEC);

	W(-EINVAL, memfd_create, "memforms", 0x4000000);
	W(0, ftruncate, memory, 4 * PAGE);
	a = MAP(NULL, 4 * PAGE, PROT_READ, MAP_SHARED, memory, 0);
	b = MAP(NULL, PAGE, RW, MAP_SHARED_VALIDATE, memory, PAGE);
	W(0, munmap, b, PAGE);
	W(0, munmap, a + PAGE, 3 * PAGE);
	W(0, munmap, a, PAGE);
	CLOSE(memory);

	snprintf(path, sizeof(path), "/dev/shm/memforms-%d", getpid());
	fd = FD(openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_EXCL, 0600);
	W(0, ftruncate, fd, PAGE);
	read_only = FD(openat, AT_FDCWD, path, O_RDONLY, 0);
	a = MAP(NULL, PAGE, RW, MAP_SHARED, fd, 0);
	b = MAP(NULL, PAGE, PROT_READ, MAP_SHARED, read_only, 0);
	W(-EACCES, mmap, NULL, PAGE, RW, MAP_SHARED, (long)read_only, 0L);
	W(0, munmap, a, PAGE);
	W(0, munmap, b, PAGE);
	a = MAP(NULL, PAGE, RW, MAP_PRIVATE, fd, 0);
	W(0, munmap, a, PAGE);
	CLOSE(read_only);
	CLOSE(fd);
	unlink(path);

	/* a file like any other: of one that is opened for reading nobody else can learn anything */
	fd = FD(openat, AT_FDCWD, "/tmp", O_TMPFILE | O_RDWR, 0600);
	W(0, ftruncate, fd, 2 * PAGE);
	a = MAP(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0);
	b = MAP(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	W(0, munmap, b, PAGE);
	W(0, munmap, a, 2 * PAGE);
	CLOSE(fd);
	fd = FD(openat, AT_FDCWD, "/proc/self/exe", O_RDONLY, 0);
	a = MAP(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	W(0, munmap, a, PAGE);
	CLOSE(fd);
	fd = FD(openat, AT_FDCWD, "/dev/zero", O_RDWR, 0);
	a = MAP(NULL, PAGE, RW, MAP_SHARED, fd, 0); /* a device */
	W(0, munmap, a, PAGE);
	CLOSE(fd);
}

/* A child has what its parent had mapped; what it unmaps is its own. */
static void inherited_maps(void)
{
	char *a = MAP(NULL, 2 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid = child();
	int status;

	if (pid == 0) {
		W(0, munmap, a, PAGE);
		W(0, munmap, a, PAGE); /* nothing */
		_exit(failures);
	}
	W(pid, wait4, pid, &status, 0, NULL);
	failures += status != 0;
	W(0, munmap, a, 2 * PAGE);
}

/* ---- futexes ---- */

static const struct timespec soon = { .tv_nsec = 1000000 };

static void futex_waits(uint32_t *word, int flag)
{
	W(-EAGAIN, futex, word, FUTEX_WAIT | flag, 1L, NULL, NULL, 0L);
	W(-ETIMEDOUT, futex, word, FUTEX_WAIT | flag, 0L, &soon, NULL, 0L);
	W(-EAGAIN, futex, word, FUTEX_WAIT_BITSET | flag | FUTEX_CLOCK_REALTIME, 1L, NULL, NULL, -1L);
	W(-ETIMEDOUT, futex, word, FUTEX_WAIT_BITSET | flag, 0L, &soon, NULL, -1L); /* long over */
	W(0, futex, word, FUTEX_WAKE | flag, 1L, NULL, NULL, 0L);
	W(0, futex, word, FUTEX_WAKE_BITSET | flag, 1L, NULL, NULL, -1L);
	W(0, futex, word, FUTEX_REQUEUE | flag, 1L, 1L, word + 1, 0L);
	W(-EAGAIN, futex, word, FUTEX_CMP_REQUEUE | flag, 1L, 1L, word + 1, 7L);
	W(0, futex, word, FUTEX_WAKE_OP | flag, 1L, 1L, word + 1,
	  (long)FUTEX_OP(FUTEX_OP_SET, 0, FUTEX_OP_CMP_EQ, 0));
	W(0, futex, word, FUTEX_LOCK_PI | flag, 0L, NULL, NULL, 0L);
	W(-EDEADLK, futex, word, FUTEX_LOCK_PI | flag, 0L, NULL, NULL, 0L);
	W(0, futex, word, FUTEX_UNLOCK_PI | flag, 0L, NULL, NULL, 0L);
}

struct waiter { /* struct futex_waitv, not in all headers */
	uint64_t val, address;
	uint32_t flags, reserved;
};
#define WORD_32 2 /* FUTEX_32 */

static void futex_calls(void)
{
	char *room = MAP(NULL, 3 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint32_t *shared = (void *)(room + PAGE), own[2] = { 0, 0 };
	struct waiter any[2] = { { 0, (uintptr_t)shared, WORD_32, 0 },
				 { 0, (uintptr_t)(shared + 8), WORD_32, 0 } };
	struct waiter none[1] = { { 1, (uintptr_t)shared, WORD_32, 0 } };
	pid_t pid;
	int status;

	futex_waits(shared, 0);
	futex_waits(own, FUTEX_PRIVATE_FLAG);
	futex_waits(own, 0); /* shared is what it says, but nobody else has that memory */
	W(-EINVAL, futex, (char *)shared + 1, FUTEX_WAIT, 0L, NULL, NULL, 0L);
	W(-EFAULT, futex, NULL, FUTEX_WAIT, 0L, NULL, NULL, 0L);

	W(0, munmap, room, PAGE); /* what is left keeps its place in the memory */
	for (int i = 0; i < 2; i++) {
		pid = child();
		if (pid == 0) {
			if (i)
				W(1, waitv, any, 2, 0, NULL, CLOCK_MONOTONIC);
			else
				W(0, futex, shared, FUTEX_WAIT, 0L, NULL, NULL, 0L);
			_exit(failures);
		}
		until_asleep(pid);
		W(1, futex, i ? shared + 8 : shared, FUTEX_WAKE, 1L, NULL, NULL, 0L);
		W(pid, wait4, pid, &status, 0, NULL);
		failures += status != 0;
	}
	W(-EAGAIN, waitv, none, 1, 0, NULL, CLOCK_MONOTONIC);
	W(0, munmap, shared, 2 * PAGE);
}

/* ---- what another process has ---- */

static void peer_calls(void)
{
	char there[64] = "", here[64] = "hello";
	struct iovec mine[2] = { { here, 5 }, { here + 5, 10 } }, its = { there, sizeof(there) };
	struct iovec nowhere = { (void *)8, 8 };
	int p[2], got, pidfd, status;
	pid_t pid;

	W(0, pipe2, p, 0);
	pid = child();
	if (pid == 0) {
		pause();
		_exit(1);
	}
	until_asleep(pid);
	W(5, process_vm_writev, pid, mine, 1L, &its, 1L, 0L);
	W(15, process_vm_readv, pid, mine, 2L, &its, 1L, 0L);
	W(-EFAULT, process_vm_readv, pid, mine, 1L, &nowhere, 1L, 0L);
	W(-EINVAL, process_vm_readv, pid, mine, 1L, &its, 1L, 1L);
	W(0, process_vm_writev, pid, mine, 0L, &its, 1L, 0L);
	W(-ESRCH, process_vm_readv, 0x3fffffff, mine, 1L, &its, 1L, 0L);

	pidfd = FD(pidfd_open, pid, 0);
	got = FD(pidfd_getfd, pidfd, p[1], 0);
	W(3, write, got, "abc", 3L);
	W(3, read, p[0], here, 10L);
	CLOSE(got);
	CLOSE(FD(pidfd_getfd, pidfd, p[0], 0));
	W(-EBADF, pidfd_getfd, pidfd, 999, 0);
	W(-EINVAL, pidfd_getfd, pidfd, p[1], 1);
	W(0, kill, pid, SIGKILL);
	W(pid, wait4, pid, &status, 0, NULL);
	W(-ESRCH, pidfd_getfd, pidfd, p[1], 0);
	CLOSE(pidfd);
	CLOSE(p[0]);
	CLOSE(p[1]);
}

/* ---- a wait for requests, of which there are none ---- */

static void uring_calls(void)
{
	struct io_uring_params p = { 0 };
	int ring = (int)syscall(SYS_io_uring_setup, 4, &p);

	if (ring < 0)
		return; /* not to be had here */
	W(0, io_uring_enter, ring, 0, 0, 0, NULL, 0L);
	W(0, io_uring_enter, ring, 0, 0, IORING_ENTER_GETEVENTS, NULL, 0L);
	W(-EINVAL, io_uring_enter, ring, 0, 0, 0x80000000, NULL, 0L);
	CLOSE(ring);
}

int main(void)
{
	alarm(30); /* whatever goes wrong, it ends */
	anonymous_maps();
	file_maps();
	inherited_maps();
	futex_calls();
	peer_calls();
	uring_calls();
	return failures ? 1 : 0;
}
