// SPDX-License-Identifier: GPL-2.0-or-later
/* Workloads over shared memory, semaphores and futexes in it, and over the memory of a process. */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "workloads.h"

static void count_op(struct demo_run *run, int kind)
{
	__atomic_fetch_add(&run->tally[kind].ops, 1, __ATOMIC_RELAXED);
}

/*
 * ---- posix-shm: px-writer → a ring in /dev/shm → px-reader ----
 *
 * Each opens the object by its name, maps it and unmaps it. The semaphores lie in the ring.
 */

#define SLOTS 4
#define SLOT_BYTES 256u

struct px_ring {
	sem_t free, filled;
	struct {
		uint32_t bytes; /* 0: the writer has finished */
		char data[SLOT_BYTES];
	} slot[SLOTS];
};

static char px_name[DEMO_NAME_MAX];

static struct px_ring *px_map(void)
{
	int fd = shm_open(px_name, O_RDWR, 0);
	struct px_ring *ring;

	if (fd < 0)
		demo_die("shm_open");
	ring = mmap(NULL, sizeof(*ring), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (ring == MAP_FAILED)
		demo_die("mmap");
	close(fd);
	return ring;
}

static void px_put(struct demo_run *run, struct px_ring *ring, uint64_t n, uint32_t bytes)
{
	sem_wait(&ring->free);
	ring->slot[n % SLOTS].bytes = bytes;
	demo_fill(ring->slot[n % SLOTS].data, bytes, "slot", n);
	if (bytes)
		demo_sent(run, KIND_MAP, bytes);
	sem_post(&ring->filled);
}

static void px_writer(struct demo_run *run, const int *fds)
{
	struct px_ring *ring = px_map();
	struct demo_pace pace = {0};
	uint64_t n = 0;

	(void)fds;
	while (demo_turn(run, &pace))
		px_put(run, ring, n++, SLOT_BYTES);
	px_put(run, ring, n, 0);
	munmap(ring, sizeof(*ring));
}

static void px_reader(struct demo_run *run, const int *fds)
{
	struct px_ring *ring = px_map();

	(void)fds;
	for (uint64_t n = 0;; n++) {
		uint32_t bytes;

		sem_wait(&ring->filled);
		bytes = ring->slot[n % SLOTS].bytes;
		if (!bytes)
			break;
		demo_got(run, KIND_MAP, bytes);
		sem_post(&ring->free);
	}
	munmap(ring, sizeof(*ring));
}

static int px_make(struct demo_run *run)
{
	struct px_ring *ring;
	int fd;

	if (!demo_posix(run, "ring", px_name))
		return -ENAMETOOLONG;
	fd = shm_open(px_name, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (fd < 0 || ftruncate(fd, sizeof(*ring)) < 0)
		return -errno;
	ring = mmap(NULL, sizeof(*ring), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (ring == MAP_FAILED)
		return -errno;
	sem_init(&ring->free, 1, SLOTS);
	sem_init(&ring->filled, 1, 0);
	munmap(ring, sizeof(*ring));
	return 0;
}

int demo_posix_shm(struct demo_run *run)
{
	int err = px_make(run);

	if (!err)
		err = demo_spawn(run, "px-writer", px_writer, NULL);
	if (!err)
		err = demo_spawn(run, "px-reader", px_reader, NULL);
	return err;
}

/* ---- posix-sem: ps-ping and ps-pong take turns by two named semaphores ---- */

static char ps_names[2][DEMO_NAME_MAX];

static sem_t *ps_open(int i)
{
	sem_t *sem = sem_open(ps_names[i], 0);

	if (sem == SEM_FAILED)
		demo_die("sem_open");
	return sem;
}

static void ps_post(struct demo_run *run, sem_t *sem)
{
	if (sem_post(sem) < 0)
		demo_die("sem_post");
	demo_sent(run, KIND_FUTEX, 0);
}

static void ps_wait(struct demo_run *run, sem_t *sem)
{
	if (sem_wait(sem) < 0)
		demo_die("sem_wait");
	demo_got(run, KIND_FUTEX, 0);
}

static void ps_ping(struct demo_run *run, const int *ends)
{
	sem_t *mine = ps_open(0), *other = ps_open(1);
	struct demo_pace pace = {0};

	while (demo_turn(run, &pace)) {
		ps_post(run, other);
		ps_wait(run, mine);
	}
	close(ends[1]); /* says that this was all */
	ps_post(run, other);
}

static void ps_pong(struct demo_run *run, const int *ends)
{
	sem_t *other = ps_open(0), *mine = ps_open(1);
	char none;

	close(ends[1]);
	for (;;) {
		ps_wait(run, mine);
		if (read(ends[0], &none, 1) == 0)
			return;
		ps_post(run, other);
	}
}

int demo_posix_sem(struct demo_run *run)
{
	int ends[3] = {-1, -1, -1}, err = 0;

	for (int i = 0; i < 2; i++) {
		sem_t *sem;

		if (!demo_posix(run, i ? "pong" : "ping", ps_names[i]))
			return -ENAMETOOLONG;
		sem = sem_open(ps_names[i], O_CREAT | O_EXCL, 0600, 0);
		if (sem == SEM_FAILED)
			return -errno;
		sem_close(sem);
	}
	if (pipe2(ends, O_NONBLOCK) < 0)
		return -errno;
	err = demo_spawn(run, "ps-ping", ps_ping, ends);
	if (!err)
		err = demo_spawn(run, "ps-pong", ps_pong, ends);
	demo_close(ends);
	return err;
}

/*
 * ---- futex: fx-ping and fx-pong take turns by one word of anonymous shared memory ----
 *
 * By the bare system call, so that every one is counted.
 */

enum { FX_PING, FX_PONG, FX_END };

static uint32_t *fx_word;

static void fx_call(struct demo_run *run, int op, uint32_t val)
{
	if (syscall(SYS_futex, fx_word, op, val, NULL, NULL, 0) < 0 && errno != EAGAIN)
		demo_die("futex");
	count_op(run, KIND_FUTEX);
}

static void fx_set(struct demo_run *run, uint32_t turn)
{
	__atomic_store_n(fx_word, turn, __ATOMIC_SEQ_CST);
	fx_call(run, FUTEX_WAKE, 1);
}

/* Waits while it is the other's turn. */
static uint32_t fx_wait(struct demo_run *run, uint32_t other)
{
	uint32_t turn;

	while ((turn = __atomic_load_n(fx_word, __ATOMIC_SEQ_CST)) == other)
		fx_call(run, FUTEX_WAIT, other);
	return turn;
}

static void fx_ping(struct demo_run *run, const int *fds)
{
	struct demo_pace pace = {0};

	(void)fds;
	while (demo_turn(run, &pace)) {
		fx_set(run, FX_PONG);
		fx_wait(run, FX_PONG);
	}
	fx_set(run, FX_END);
}

static void fx_pong(struct demo_run *run, const int *fds)
{
	(void)fds;
	while (fx_wait(run, FX_PING) != FX_END)
		fx_set(run, FX_PING);
}

int demo_futex(struct demo_run *run)
{
	int err;

	fx_word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (fx_word == MAP_FAILED)
		return -errno;
	err = demo_spawn(run, "fx-ping", fx_ping, NULL);
	if (!err)
		err = demo_spawn(run, "fx-pong", fx_pong, NULL);
	munmap(fx_word, 4096);
	return err;
}

/*
 * ---- process-vm: pv-watcher reads the memory of pv-subject, and writes into it ----
 *
 * Both have the state at the same address: it was there before they were made.
 */

#define PV_READ 64u
#define PV_WRITE 16u

static char pv_state[PV_READ];

static void pv_subject(struct demo_run *run, const int *ends)
{
	char none;

	(void)run;
	close(ends[1]);
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
	demo_fill(pv_state, sizeof(pv_state), "state", 0);
	if (read(ends[0], &none, 1) < 0) /* until the watcher is gone */
		demo_die("read");
}

static void pv_copy(struct demo_run *run, bool writes, char *buf, size_t size)
{
	struct iovec here = {buf, size}, there = {pv_state, size};
	pid_t subject = run->workers[0];
	ssize_t n = writes ? process_vm_writev(subject, &here, 1, &there, 1, 0)
			   : process_vm_readv(subject, &here, 1, &there, 1, 0);

	if (n != (ssize_t)size)
		demo_die(writes ? "process_vm_writev" : "process_vm_readv");
	demo_sent(run, KIND_MEM, size);
	demo_got(run, KIND_MEM, size);
}

static void pv_watcher(struct demo_run *run, const int *ends)
{
	struct demo_pace pace = {0};
	char buf[PV_READ];

	close(ends[0]);
	while (demo_turn(run, &pace)) {
		pv_copy(run, false, buf, PV_READ);
		pv_copy(run, true, buf, PV_WRITE);
	}
}

int demo_process_vm(struct demo_run *run)
{
	int ends[3] = {-1, -1, -1}, err;

	if (pipe(ends) < 0)
		return -errno;
	err = demo_spawn(run, "pv-subject", pv_subject, ends);
	if (!err)
		err = demo_spawn(run, "pv-watcher", pv_watcher, ends);
	demo_close(ends);
	return err;
}
