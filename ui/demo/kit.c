// SPDX-License-Identifier: GPL-2.0-or-later
#include "kit.h"
#include "lib/base/clock.h"

#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

void demo_child(pid_t parent, const char *name)
{
	/* The parent may have died between fork and prctl; then nobody would tell us. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	prctl(PR_SET_NAME, name);
}

static void __attribute__((noreturn))
worker_main(struct demo_run *run, const char *name, demo_worker fn, const int *fds, pid_t parent)
{
	demo_child(parent, name);
	sigprocmask(SIG_SETMASK, &run->worker_mask, NULL);
	fn(run, fds);
	_exit(0);
}

/* Whoever gets to know of a worker is to know it by its own name, so it has that before any other begins. */
static void await_name(pid_t pid, const char *name)
{
	char path[32], comm[32] = "";

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	for (int i = 0; i < 2000; i++) {
		FILE *f = fopen(path, "r");

		if (!f || !fgets(comm, sizeof(comm), f) || strncmp(comm, name, strcspn(comm, "\n")) == 0)
			i = 2000; /* it has, or is gone */
		else
			usleep(500);
		if (f)
			fclose(f);
	}
}

int demo_spawn(struct demo_run *run, const char *name, demo_worker fn, const int *fds)
{
	pid_t parent = getpid(), pid;

	if (run->nworkers == DEMO_WORKERS_MAX)
		return -E2BIG;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		worker_main(run, name, fn, fds, parent);
	await_name(pid, name);
	run->workers[run->nworkers++] = pid;
	return 0;
}

void demo_close(const int *fds)
{
	for (int i = 0; fds[i] >= 0; i++)
		close(fds[i]);
}

int demo_two_pipes(int fds[5])
{
	fds[0] = fds[1] = fds[2] = fds[3] = fds[4] = -1;
	if (pipe(fds) == 0 && pipe(fds + 2) == 0)
		return 0;

	int err = -errno;

	demo_close(fds);
	return err;
}

int demo_connect_to(int server, int type)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	int fd;

	if (getsockname(server, (struct sockaddr *)&addr, &len) < 0)
		demo_die("getsockname");
	fd = socket(addr.ss_family, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		demo_die("socket");
	if (connect(fd, (struct sockaddr *)&addr, len) < 0)
		demo_die("connect");
	close(server);
	return fd;
}

/* ---- names and objects that outlive processes ---- */

static int make_dir(struct demo_run *run)
{
	const char *tmp = getenv("TMPDIR");

	/* A socket's whole path must fit sun_path, so a long TMPDIR is not used. */
	if (!tmp || !*tmp || strlen(tmp) > 40)
		tmp = "/tmp";
	snprintf(run->dir, sizeof(run->dir), "%s/ipctap-demo-XXXXXX", tmp);
	if (mkdtemp(run->dir))
		return 0;
	run->dir[0] = '\0';
	return -1;
}

const char *demo_path(struct demo_run *run, const char *name, char buf[PATH_MAX])
{
	if (!run->dir[0] && make_dir(run) < 0)
		return NULL;
	if (run->nnames == DEMO_NAMES_MAX || strlen(name) >= DEMO_NAME_MAX) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	strcpy(run->names[run->nnames++], name);
	snprintf(buf, PATH_MAX, "%s/%s", run->dir, name);
	return buf;
}

int demo_address(struct demo_run *run, const char *name, struct sockaddr_un *addr)
{
	char path[PATH_MAX];

	if (!demo_path(run, name, path))
		return -errno;
	memset(addr, 0, sizeof(*addr));
	addr->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(addr->sun_path))
		return -ENAMETOOLONG;
	strcpy(addr->sun_path, path);
	return 0;
}

const char *demo_posix(struct demo_run *run, const char *name, char buf[DEMO_NAME_MAX])
{
	int n = snprintf(buf, DEMO_NAME_MAX, "/ipctap-demo-%d-%s", (int)getpid(), name);

	if (n < 0 || n >= DEMO_NAME_MAX || run->nposix == DEMO_POSIX_MAX)
		return NULL;
	return strcpy(run->posix[run->nposix++], buf);
}

int demo_owns(struct demo_run *run, int kind, int id)
{
	if (id < 0)
		return -errno;
	if (run->nsysv < DEMO_SYSV_MAX) {
		run->sysv[run->nsysv].kind = kind;
		run->sysv[run->nsysv++].id = id;
	}
	return id;
}

void demo_cleanup(struct demo_run *run)
{
	char path[PATH_MAX];

	if (run->at_end)
		run->at_end();
	run->at_end = NULL;
	for (int i = 0; i < run->nsysv; i++) {
		int id = run->sysv[i].id;

		if (run->sysv[i].kind == KIND_MSG)
			msgctl(id, IPC_RMID, NULL);
		else if (run->sysv[i].kind == KIND_SEM)
			semctl(id, 0, IPC_RMID);
		else
			shmctl(id, IPC_RMID, NULL);
	}
	run->nsysv = 0;
	for (int i = 0; i < run->nposix; i++) {
		shm_unlink(run->posix[i]);
		sem_unlink(run->posix[i]);
	}
	run->nposix = 0;
	for (int i = 0; i < run->nnames; i++) {
		snprintf(path, sizeof(path), "%s/%s", run->dir, run->names[i]);
		unlink(path);
	}
	run->nnames = 0;
	if (run->dir[0])
		rmdir(run->dir);
	run->dir[0] = '\0';
}

/* ---- in workers ---- */

bool demo_turn(const struct demo_run *run, struct demo_pace *pace)
{
	uint64_t now = clock_now_ns();

	if ((run->count && pace->sent == run->count) || now >= run->deadline_ns)
		return false;
	if (run->gap_ns) {
		struct timespec until;

		pace->next_ns = (pace->next_ns ? pace->next_ns : now) + run->gap_ns;
		if (pace->next_ns >= run->deadline_ns)
			return false;
		until.tv_sec = (time_t)(pace->next_ns / 1000000000u);
		until.tv_nsec = (long)(pace->next_ns % 1000000000u);
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
	}
	pace->sent++;
	return true;
}

void demo_sent(struct demo_run *run, int kind, size_t bytes)
{
	__atomic_fetch_add(&run->tally[kind].sent, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&run->tally[kind].bytes, bytes, __ATOMIC_RELAXED);
}

void demo_got(struct demo_run *run, int kind, size_t bytes)
{
	__atomic_fetch_add(&run->tally[kind].received, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&run->tally[kind].got_bytes, bytes, __ATOMIC_RELAXED);
}

void demo_op(struct demo_run *run, int kind)
{
	__atomic_fetch_add(&run->tally[kind].ops, 1, __ATOMIC_RELAXED);
}

void demo_die(const char *what)
{
	int err = errno;
	char name[16] = "?";

	prctl(PR_GET_NAME, name);
	fprintf(stderr, "ipctap demo: %s: %s: %s\n", name, what, strerror(err));
	_exit(1);
}

void demo_write(struct demo_run *run, int kind, int fd, const void *buf, size_t size)
{
	ssize_t n = write(fd, buf, size);

	if (n >= 0 && (size_t)n != size)
		errno = EIO;
	if (n < 0 || (size_t)n != size)
		demo_die("write");
	demo_sent(run, kind, size);
}

bool demo_read(struct demo_run *run, int kind, int fd, void *buf, size_t size)
{
	size_t have = 0;

	while (have < size) {
		ssize_t n = read(fd, (char *)buf + have, size - have);

		if (n < 0)
			demo_die("read");
		if (n == 0)
			break;
		have += (size_t)n;
	}
	if (have == size)
		demo_got(run, kind, size);
	else if (have > 0) {
		errno = EPROTO;
		demo_die("read: half a message, then the end");
	}
	return have == size;
}

void demo_fill(char *buf, size_t size, const char *name, uint64_t n)
{
	int head;

	memset(buf, '.', size);
	head = snprintf(buf, size, "%s %06llu ", name, (unsigned long long)n);
	if (head >= 0 && (size_t)head < size)
		buf[head] = '.';
	if (size)
		buf[size - 1] = '\n';
}
