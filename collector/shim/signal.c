// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Signals sent and waited for. Who gets one that is sent to a group only the kernel knows: of such
 * a call only the sending is told, to nobody in particular.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "collector/shim/calls.h"
#include "collector/shim/names.h"
#include "collector/shim/sigset.h"

/* Whether it was merged with one that was pending, or is ignored, is not known either. */
void shim_end_sent(struct shim_op *o, int ret)
{
	shim_done(o, ret);
	o->io.messages = ret == 0 && o->io.mtype != 0;
	shim_tell(o);
}

bool shim_begin_send(struct shim_op *o, enum ipctap_op op, pid_t pid, int sig)
{
	struct shim_thread *t = shim_ready();
	if (!t)
		return false;
	shim_begin(o, t, pid > 0 && sig > 0 ? RAW_OBJ_SIGNAL((uint32_t)pid, sig) : 0, -1, op, IO_WRITE);
	o->io.mtype = sig;
	return true;
}

/* pthread functions return the error instead of setting errno, which they leave alone. */
static void sent_by_number(struct shim_op *o, int err)
{
	int saved = errno;
	errno = err;
	shim_end_sent(o, err ? -1 : 0);
	errno = saved;
}

#define SEND(name, params, args, op, pid, sig, how)                                                \
	SHIM_EXPORT int name params                                                                \
	{                                                                                          \
		struct shim_op o;                                                                  \
		if (!shim_begin_send(&o, op, pid, sig))                                            \
			return REAL(name) args;                                                    \
		int ret = REAL(name) args;                                                         \
		how(&o, ret);                                                                      \
		return ret;                                                                        \
	}

SEND(kill, (pid_t pid, int sig), (pid, sig), OP_KILL, pid, sig, shim_end_sent)
SEND(killpg, (pid_t pgrp, int sig), (pgrp, sig), OP_KILL, 0, sig, shim_end_sent)
SEND(raise, (int sig), (sig), OP_TGKILL, (pid_t)shim_pid, sig, shim_end_sent)
SEND(tgkill, (pid_t pid, pid_t tid, int sig), (pid, tid, sig), OP_TGKILL, pid, sig, shim_end_sent)
SEND(sigqueue, (pid_t pid, int sig, const union sigval v), (pid, sig, v), OP_RT_SIGQUEUEINFO, pid, sig, shim_end_sent)
SEND(pthread_kill, (pthread_t thread, int sig), (thread, sig), OP_TGKILL, (pid_t)shim_pid, sig, sent_by_number)
SEND(pthread_sigqueue, (pthread_t thread, int sig, const union sigval v), (thread, sig, v), OP_RT_TGSIGQUEUEINFO,
     (pid_t)shim_pid, sig, sent_by_number)

/* Whose descriptor it is, /proc tells: "Pid:	1234". 0: nobody's. */
static pid_t pidfd_owner(int fd)
{
	char text[512];
	struct path p;
	int saved = errno;
	path_begin(&p, "/proc/self/fdinfo/");
	path_number(&p, (uint32_t)fd);
	int info = (int)syscall(SYS_openat, AT_FDCWD, p.text, O_RDONLY | O_CLOEXEC);
	long n = info >= 0 ? syscall(SYS_read, info, text, sizeof(text) - 1) : 0;
	if (info >= 0)
		syscall(SYS_close, info);
	text[n > 0 ? n : 0] = '\0';
	const char *at = strstr(text, "\nPid:\t");
	pid_t pid = 0;
	for (at = at ? at + 6 : ""; *at >= '0' && *at <= '9'; at++)
		pid = pid * 10 + (*at - '0');
	errno = saved;
	return pid;
}

SEND(pidfd_send_signal, (int fd, int sig, siginfo_t *info, unsigned int flags), (fd, sig, info, flags), OP_PIDFD_SEND_SIGNAL,
     fd >= 0 ? pidfd_owner(fd) : 0, sig, shim_end_sent)

/* A descriptor out of another process. */
SHIM_EXPORT int pidfd_getfd(int fd, int theirs, unsigned int flags)
{
	struct shim_op o;
	struct shim_thread *t = shim_ready();
	if (!t)
		return REAL(pidfd_getfd)(fd, theirs, flags);
	shim_begin(&o, t, 0, fd, OP_PIDFD_GETFD, 0);
	o.io.mtype = pidfd_owner(fd);
	int got = REAL(pidfd_getfd)(fd, theirs, flags);
	shim_done(&o, got);
	if (got >= 0) {
		shim_fd_forget(got);
		o.io.chan = shim_fd_new(t, got, 0, ENDPOINT_PASSED);
	}
	shim_tell(&o);
	return got;
}

/* ---- waited for ---- */

static bool wait_begin(struct shim_op *o, enum ipctap_op op, const sigset_t *set, const struct timespec *timeout)
{
	struct shim_thread *t = shim_ready();
	if (!t)
		return false;
	shim_begin(o, t, RAW_OBJ_SIGNAL(shim_pid, only_signal(set)), -1, op, op == OP_RT_SIGTIMEDWAIT ? IO_READ : 0);
	if (timeout) {
		uint64_t ns = (uint64_t)timeout->tv_sec * 1000000000ULL + (uint64_t)timeout->tv_nsec;
		shim_call(o)->deadline_ns = o->io.enter_ns + ns;
		o->io.hdr.flags |= ns ? 0 : IO_NONBLOCK;
	}
	return true;
}

static void wait_end(struct shim_op *o, int ret)
{
	shim_done(o, ret);
	if (ret > 0) {
		o->io.chan = RAW_OBJ_SIGNAL(shim_pid, ret);
		o->io.messages = 1;
		o->io.mtype = ret;
	}
	shim_tell(o);
}

SHIM_EXPORT int sigwaitinfo(const sigset_t *set, siginfo_t *info)
{
	struct shim_op o;
	if (!wait_begin(&o, OP_RT_SIGTIMEDWAIT, set, NULL))
		return REAL(sigwaitinfo)(set, info);
	int ret = REAL(sigwaitinfo)(set, info);
	wait_end(&o, ret);
	return ret;
}

SHIM_EXPORT int sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout)
{
	struct shim_op o;
	if (!wait_begin(&o, OP_RT_SIGTIMEDWAIT, set, timeout))
		return REAL(sigtimedwait)(set, info, timeout);
	int ret = REAL(sigtimedwait)(set, info, timeout);
	wait_end(&o, ret);
	return ret;
}

SHIM_EXPORT int sigwait(const sigset_t *set, int *sig)
{
	struct shim_op o;
	if (!wait_begin(&o, OP_RT_SIGTIMEDWAIT, set, NULL))
		return REAL(sigwait)(set, sig);
	int err = REAL(sigwait)(set, sig), saved = errno;
	errno = err;
	wait_end(&o, err ? -1 : *sig);
	errno = saved;
	return err;
}

SHIM_EXPORT int pause(void)
{
	struct shim_op o;
	if (!wait_begin(&o, OP_PAUSE, NULL, NULL))
		return REAL(pause)();
	int ret = REAL(pause)();
	shim_end(&o, ret);
	return ret;
}

SHIM_EXPORT int sigsuspend(const sigset_t *mask)
{
	struct shim_op o;
	if (!wait_begin(&o, OP_RT_SIGSUSPEND, NULL, NULL))
		return REAL(sigsuspend)(mask);
	int ret = REAL(sigsuspend)(mask);
	shim_end(&o, ret);
	return ret;
}

extern __typeof__(sigsuspend) __sigsuspend __attribute__((alias("sigsuspend"), copy(sigsuspend), visibility("default")));
