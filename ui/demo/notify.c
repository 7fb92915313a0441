// SPDX-License-Identifier: GPL-2.0-or-later
/* Workloads that tell each other without data: eventfd, signals, file locks. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <unistd.h>

#include "workloads.h"

/* ---- eventfd: ev-asker adds to one counter, ev-answerer to another, in turns ---- */

enum { ASK = 1, END = 2 };

static void ev_add(struct demo_run *run, int fd, uint64_t value)
{
	demo_write(run, KIND_EVENTFD, fd, &value, sizeof(value));
}

static uint64_t ev_take(struct demo_run *run, int fd)
{
	uint64_t value;

	if (!demo_read(run, KIND_EVENTFD, fd, &value, sizeof(value)))
		demo_die("read: an eventfd ended");
	return value;
}

static void ev_asker(struct demo_run *run, const int *fds)
{
	struct demo_pace pace = {0};

	while (demo_turn(run, &pace)) {
		ev_add(run, fds[0], ASK);
		ev_take(run, fds[1]);
	}
	ev_add(run, fds[0], END);
}

static void ev_answerer(struct demo_run *run, const int *fds)
{
	while (ev_take(run, fds[0]) != END)
		ev_add(run, fds[1], ASK);
}

int demo_eventfd(struct demo_run *run)
{
	int fds[] = {eventfd(0, EFD_CLOEXEC), eventfd(0, EFD_CLOEXEC), -1}, err = 0;

	if (fds[0] < 0 || fds[1] < 0)
		err = -errno;
	if (!err)
		err = demo_spawn(run, "ev-answerer", ev_answerer, fds);
	if (!err)
		err = demo_spawn(run, "ev-asker", ev_asker, fds);
	for (int i = 0; i < 2; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	return err;
}

/* ---- signals: sg-caller sends, sg-callee answers each with SIGUSR1; SIGUSR2 is the last ---- */

static void sg_set(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGUSR1);
	sigaddset(set, SIGUSR2);
	sigaddset(set, SIGRTMIN);
}

static void sg_send(struct demo_run *run, pid_t to, int sig, uint64_t n)
{
	union sigval value = {.sival_int = (int)n};
	int err = sig == SIGRTMIN ? sigqueue(to, sig, value) : kill(to, sig);

	if (err < 0)
		demo_die("kill");
	demo_sent(run, KIND_SIGNAL, 0);
}

static siginfo_t sg_wait(struct demo_run *run)
{
	siginfo_t info;
	sigset_t set;

	sg_set(&set);
	if (sigwaitinfo(&set, &info) < 0)
		demo_die("sigwaitinfo");
	demo_got(run, KIND_SIGNAL, 0);
	return info;
}

static void sg_caller(struct demo_run *run, const int *pids)
{
	struct demo_pace pace = {0};

	while (demo_turn(run, &pace)) {
		sg_send(run, pids[0], SIGRTMIN, pace.sent);
		sg_wait(run);
	}
	sg_send(run, pids[0], SIGUSR2, 0);
}

static void sg_callee(struct demo_run *run, const int *none)
{
	siginfo_t info;

	(void)none;
	while (info = sg_wait(run), info.si_signo != SIGUSR2)
		sg_send(run, info.si_pid, SIGUSR1, 0);
}

int demo_signals(struct demo_run *run)
{
	sigset_t mask = run->worker_mask, set, ours;
	int err;

	/* blocked from the fork on: none is delivered before it is waited for */
	sg_set(&set);
	sigorset(&run->worker_mask, &mask, &set);
	sigprocmask(SIG_BLOCK, &set, &ours);
	err = demo_spawn(run, "sg-callee", sg_callee, (int[]){-1});
	if (!err)
		err = demo_spawn(run, "sg-caller", sg_caller,
				 (int[]){run->workers[run->nworkers - 1], -1});
	sigprocmask(SIG_SETMASK, &ours, NULL);
	run->worker_mask = mask;
	return err;
}

/* ---- locks: lk-posix and lk-ofd contend for one file, with flock and with locks of a range ---- */

static void lk_range(struct demo_run *run, int fd, int cmd, short type)
{
	struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = 100, .l_len = 8};

	if (fcntl(fd, cmd, &lock) < 0)
		demo_die("fcntl");
	demo_op(run, KIND_LOCK);
}

static void lk_whole(struct demo_run *run, int fd, int operation)
{
	if (flock(fd, operation) < 0)
		demo_die("flock");
	demo_op(run, KIND_LOCK);
}

static void lk_contend(struct demo_run *run, const int *fds, int cmd)
{
	struct demo_pace pace = {0};
	char path[32];
	int fd;

	/* its own open file: flock and OFD locks belong to that, not to the process */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[0]);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		demo_die("open");
	while (demo_turn(run, &pace)) {
		lk_whole(run, fd, LOCK_EX);
		lk_range(run, fd, cmd, F_WRLCK);
		lk_range(run, fd, cmd, F_UNLCK);
		lk_whole(run, fd, LOCK_UN);
	}
	close(fd);
}

static void lk_posix(struct demo_run *run, const int *fds) { lk_contend(run, fds, F_SETLKW); }
static void lk_ofd(struct demo_run *run, const int *fds) { lk_contend(run, fds, F_OFD_SETLKW); }

int demo_locks(struct demo_run *run)
{
	char path[PATH_MAX];
	int fd, err;

	if (!demo_path(run, "lock", path))
		return -errno;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	err = demo_spawn(run, "lk-posix", lk_posix, (int[]){fd, -1});
	if (!err)
		err = demo_spawn(run, "lk-ofd", lk_ofd, (int[]){fd, -1});
	close(fd);
	return err;
}
