// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every form of every call on POSIX queues, eventfds, signals, terminals, locks, children and sets,
 * each with known arguments and a known outcome, failures included; callforms.c does the same for
 * pipes, sockets and System V. Exits 0 when every call returned what it should.
 *
 * Calls are made by number. Nothing depends on timing: a process that must sleep before another
 * acts is waited for until the kernel says that it sleeps (/proc/PID/stat).
 */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "forms.h"

#define NSIG_BYTES 8L

static const struct timespec soon = {.tv_nsec = 1000000}, now_spec;

/* ---- POSIX message queues; the kernel's names have no slash ---- */

static void mq_calls(void)
{
	struct mq_attr attr = {.mq_maxmsg = 3, .mq_msgsize = 64};
	struct sigevent none = {.sigev_notify = SIGEV_NONE};
	char name[32], buf[64];
	unsigned int prio = 0;
	struct timespec past = {.tv_sec = 1};
	int q;

	snprintf(name, sizeof(name), "eventforms-%d", getpid());
	W(-ENOENT, mq_open, name, O_RDWR, 0, NULL);
	W(-ENOENT, mq_unlink, name);
	q = FD(mq_open, name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
	W(-EEXIST, mq_open, name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
	W(0, mq_getsetattr, q, NULL, &attr);
	W(0, mq_notify, q, &none);
	W(0, mq_notify, q, NULL);
	W(0, mq_timedsend, q, "low", 3L, 1, NULL);
	W(0, mq_timedsend, q, "high..", 6L, 9, NULL);
	W(0, mq_timedsend, q, "", 0L, 5, NULL);
	W(-EMSGSIZE, mq_timedsend, q, buf, 65L, 0, NULL);
	W(-ETIMEDOUT, mq_timedsend, q, "x", 1L, 0, &past);
	W(-EMSGSIZE, mq_timedreceive, q, buf, 63L, &prio, NULL);
	W(6, mq_timedreceive, q, buf, 64L, NULL, NULL); /* does not ask for the priority */
	W(0, mq_timedreceive, q, buf, 64L, &prio, NULL);
	W(3, mq_timedreceive, q, buf, 64L, &prio, NULL);
	W(-ETIMEDOUT, mq_timedreceive, q, buf, 64L, &prio, &past);
	attr.mq_flags = O_NONBLOCK;
	W(0, mq_getsetattr, q, &attr, NULL);
	W(-EAGAIN, mq_timedreceive, q, buf, 64L, &prio, NULL);
	W(0, mq_unlink, name);
	CLOSE(q);
	W(-EBADF, mq_timedsend, q, "x", 1L, 0, NULL);
}

/* ---- eventfd ---- */

static void eventfd_calls(void)
{
	uint64_t v = 7, all = UINT64_MAX;
	int a = FD(eventfd, 3), b = FD(eventfd2, 2, EFD_SEMAPHORE | EFD_NONBLOCK), c;

	W(-EINVAL, eventfd2, 0, 0x40);
	W(8, read, a, &v, 8L); /* 3 */
	v = 40;
	W(8, write, a, &v, 8L);
	v = 2;
	W(8, write, a, &v, 8L);
	W(8, read, a, &v, 100L); /* both at once: 42 */
	if (v != 42)
		failures++;
	W(8, read, b, &v, 8L); /* a semaphore's are taken one by one */
	W(8, read, b, &v, 8L);
	W(-EAGAIN, read, b, &v, 8L);
	W(-EINVAL, write, a, &v, 4L);
	W(-EINVAL, write, a, &all, 8L);
	c = FD(dup, a);
	CLOSE(a);
	W(8, write, c, &v, 8L);
	CLOSE(c);
	CLOSE(b);
}

/* ---- signals ---- */

static void on_signal(int sig) { (void)sig; }

/* Sleeps in a wait for a signal until its parent sends one. */
static void sleeper(int how)
{
	uint64_t usr1 = 1ull << (SIGUSR1 - 1), nothing = 0;
	pid_t pid = child();

	if (pid == 0) {
		if (how == 0)
			W(-EINTR, pause);
		else if (how == 1)
			W(-EINTR, rt_sigsuspend, &nothing, NSIG_BYTES);
		else
			W(SIGUSR1, rt_sigtimedwait, &usr1, NULL, NULL, NSIG_BYTES);
		_exit(failures);
	}
	until_asleep(pid);
	W(0, kill, pid, SIGUSR1);
	W(pid, wait4, pid, NULL, 0, NULL);
}

static void signal_calls(void)
{
	uint64_t usr = 1ull << (SIGUSR1 - 1) | 1ull << (SIGUSR2 - 1) | 1ull << (SIGRTMIN - 1);
	siginfo_t info = {.si_code = SI_QUEUE}, got;
	struct signalfd_siginfo read_info[4];
	struct sigaction act = {.sa_handler = on_signal};
	int pid = getpid(), pidfd = FD(pidfd_open, pid, 0), fd, fd4;

	sigaction(SIGUSR1, &act, NULL);
	sleeper(0);
	sleeper(1);
	W(0, rt_sigprocmask, SIG_BLOCK, &usr, NULL, NSIG_BYTES);
	sleeper(2);
	W(0, kill, pid, 0);
	W(-EINVAL, kill, pid, 99);
	W(-ESRCH, kill, 0x3fffffff, SIGUSR1);
	W(0, kill, pid, SIGUSR1);
	W(0, kill, pid, SIGUSR1); /* pending already: one is all that arrives */
	W(0, tkill, pid, SIGUSR2);
	W(SIGUSR2, rt_sigtimedwait, &usr, &got, NULL, NSIG_BYTES); /* the thread's own first */
	W(SIGUSR1, rt_sigtimedwait, &usr, NULL, &soon, NSIG_BYTES);
	W(-EAGAIN, rt_sigtimedwait, &usr, NULL, &now_spec, NSIG_BYTES);
	W(-EAGAIN, rt_sigtimedwait, &usr, NULL, &soon, NSIG_BYTES);

	fd = FD(signalfd, -1, &usr, NSIG_BYTES);
	fd4 = FD(signalfd4, -1, &usr, NSIG_BYTES, SFD_NONBLOCK | SFD_CLOEXEC);
	W(-EINVAL, signalfd4, -1, &usr, NSIG_BYTES, 0x40);
	info.si_signo = SIGRTMIN;
	W(0, tgkill, pid, pid, SIGUSR2);
	W(0, rt_sigqueueinfo, pid, SIGRTMIN, &info);
	W(0, rt_tgsigqueueinfo, pid, pid, SIGRTMIN, &info);
	W(128, read, fd, read_info, 128L);
	W(256, read, fd4, read_info, sizeof(read_info));
	W(-EAGAIN, read, fd4, read_info, sizeof(read_info));
	W(0, pidfd_send_signal, pidfd, SIGUSR1, NULL, 0);
	W(128, read, fd, read_info, sizeof(read_info));
	CLOSE(fd);
	CLOSE(fd4);
	CLOSE(pidfd);
	W(0, rt_sigprocmask, SIG_UNBLOCK, &usr, NULL, NSIG_BYTES);
}

/* ---- terminals ---- */

static void pty_calls(void)
{
	char name[32], buf[64];
	struct termios t;
	int master = FD(openat, AT_FDCWD, "/dev/ptmx", O_RDWR | O_NOCTTY), slave, n = 0;

	if (ioctl(master, TIOCSPTLCK, &n) < 0 || ioctl(master, TIOCGPTN, &n) < 0)
		exit(97);
	snprintf(name, sizeof(name), "/dev/pts/%d", n);
	slave = FD(open, name, O_RDWR | O_NOCTTY);
	W(4, write, slave, "one\n", 4L); /* edited: a CR is put in */
	W(5, read, master, buf, 5L);
	tcgetattr(slave, &t);
	cfmakeraw(&t);
	tcsetattr(slave, TCSANOW, &t);
	W(5, write, master, "typed", 5L);
	W(5, read, slave, buf, sizeof(buf));
	W(7, write, slave, "shown\r\n", 7L);
	W(7, read, master, buf, 7L);
	CLOSE(slave);
	W(-EIO, read, master, buf, sizeof(buf));
	CLOSE(master);
}

/* ---- locks ---- */

static int temporary(void)
{
	char path[] = "/tmp/eventforms-XXXXXX";
	int fd = mkostemp(path, O_CLOEXEC);

	if (fd < 0)
		exit(96);
	unlink(path);
	return fd;
}

static void lock_calls(void)
{
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = 5};
	struct flock ofd = l, asked = l;
	int fd = temporary(), other, pid;
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	other = open(path, O_RDWR | O_CLOEXEC);
	W(0, flock, fd, LOCK_EX);
	W(-EAGAIN, flock, other, LOCK_SH | LOCK_NB);
	W(0, flock, fd, LOCK_UN);
	W(-EINVAL, flock, fd, 77);
	W(-EBADF, flock, 999, LOCK_EX);
	W(0, fcntl, fd, F_SETLK, &l);
	W(0, fcntl, fd, F_GETLK, &asked);
	W(0, fcntl, fd, F_SETLKW, &l);
	W(-EAGAIN, fcntl, other, F_OFD_SETLK, &ofd);
	l.l_type = F_UNLCK;
	W(0, fcntl, fd, F_SETLK, &l);
	W(0, fcntl, other, F_OFD_SETLKW, &ofd);
	asked = ofd;
	W(0, fcntl, fd, F_OFD_GETLK, &asked);
	ofd.l_type = F_UNLCK;
	W(0, fcntl, other, F_OFD_SETLK, &ofd);

	/* a child waits until its parent unlocks */
	W(0, flock, fd, LOCK_EX);
	pid = child();
	if (pid == 0) {
		W(0, flock, other, LOCK_EX);
		_exit(failures);
	}
	until_asleep(pid);
	W(0, flock, fd, LOCK_UN);
	W(pid, wait4, pid, NULL, 0, NULL);
	CLOSE(fd);
	CLOSE(other);
}

/* ---- children ---- */

static void child_calls(void)
{
	siginfo_t info = {0};
	int status = 0, pid, pidfd;

	W(-ECHILD, wait4, -1, &status, 0, NULL);
	W(-ECHILD, waitid, P_ALL, 0, &info, WEXITED, NULL);
	pid = child();
	if (pid == 0) {
		syscall(SYS_pause);
		_exit(5);
	}
	until_asleep(pid);
	W(0, wait4, pid, &status, WNOHANG, NULL);
	W(0, kill, pid, SIGSTOP);
	W(pid, wait4, -1, &status, WUNTRACED, NULL);
	W(0, kill, pid, SIGCONT);
	W(0, waitid, P_PID, pid, &info, WCONTINUED, NULL);
	W(0, kill, pid, SIGKILL);
	W(0, waitid, P_PID, pid, &info, WEXITED | WNOWAIT, NULL);
	W(pid, wait4, pid, &status, 0, NULL);
	pid = child();
	if (pid == 0)
		_exit(7);
	pidfd = FD(pidfd_open, pid, 0);
	W(0, waitid, P_PIDFD, pidfd, &info, WEXITED, NULL);
	CLOSE(pidfd);
	pid = vfork();
	if (pid == 0)
		_exit(3);
	W(pid, wait4, pid, &status, 0, NULL);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 3)
		failures++;
}

/* ---- sets ---- */

static void set_calls(void)
{
	struct pollfd one = {.events = POLLIN}, two[2];
	struct epoll_event ev = {.events = EPOLLIN}, out[2];
	struct timeval tv = {.tv_usec = 1000};
	uint64_t v = 1;
	fd_set r;
	int e = FD(eventfd2, 0, 0), p[2], ep;

	if (pipe(p) < 0)
		exit(95);
	ep = epoll_create1(EPOLL_CLOEXEC);
	epoll_ctl(ep, EPOLL_CTL_ADD, e, &ev);
	epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev);
	one.fd = e;
	two[0] = one;
	two[1] = (struct pollfd){.fd = p[0], .events = POLLIN};
	FD_ZERO(&r);
	FD_SET(e, &r);
	W(0, poll, &one, 1L, 0);
	W(0, poll, two, 2L, 1);
	W(0, poll, NULL, 0L, 1); /* no descriptor: a sleep */
	W(0, ppoll, &one, 1L, &soon, NULL, NSIG_BYTES);
	W(0, select, e + 1, &r, NULL, NULL, &tv);
	W(0, select, 0, NULL, NULL, NULL, &tv);
	W(0, epoll_wait, ep, out, 2, 0);
	W(0, epoll_pwait, ep, out, 2, 1, NULL, NSIG_BYTES);
	W(0, epoll_pwait2, ep, out, 2, &soon, NULL, NSIG_BYTES);
	W(8, write, e, &v, 8L);
	W(1, write, p[1], "x", 1L);
	FD_SET(e, &r);
	W(1, poll, &one, 1L, -1);
	W(2, poll, two, 2L, -1);
	W(1, pselect6, e + 1, &r, NULL, NULL, NULL, NULL);
	W(2, epoll_wait, ep, out, 2, -1);
	W(-EBADF, epoll_wait, 999, out, 2, 0);
	CLOSE(e);
	CLOSE(p[0]);
	CLOSE(p[1]);
	CLOSE(ep);
}

int main(void)
{
	mq_calls();
	eventfd_calls();
	signal_calls();
	pty_calls();
	lock_calls();
	child_calls();
	set_calls();
	return failures ? 1 : 0;
}
