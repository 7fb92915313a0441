// SPDX-License-Identifier: LGPL-2.1-or-later
/* Processes: made, replaced, ended, waited for. */
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "collector/shim/calls.h"

/* ---- fork ---- */

pid_t _Fork(void);
pid_t __fork(void);

#define FORK(name)                                                                                 \
	SHIM_EXPORT pid_t name(void)                                                               \
	{                                                                                          \
		pid_t pid = REAL(name)();                                                          \
		if (pid == 0)                                                                      \
			shim_forked();                                                             \
		return pid;                                                                        \
	}

FORK(fork)
FORK(__fork)
FORK(_Fork)

/*
 * vfork returns twice into one frame, so there can be none of ours in between: a jump, after a note
 * that until the parent runs again what happens here may be the child's doing.
 */
__attribute__((used)) static void *vfork_begin(void)
{
	shim_vfork_begin();
	return (void *)REAL(vfork);
}

#ifdef __x86_64__
__asm__(".text\n"
	".globl vfork\n"
	".type vfork, @function\n"
	"vfork:\n"
	"	.cfi_startproc\n"
	"	sub $8, %rsp\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	call vfork_begin\n"
	"	add $8, %rsp\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	jmp *%rax\n"
	"	.cfi_endproc\n"
	".size vfork, .-vfork\n"
	".globl __vfork\n"
	".set __vfork, vfork\n");
#endif

/* ---- the end ---- */

#define END(name)                                                                                  \
	SHIM_EXPORT __attribute__((noreturn)) void name(int status)                                \
	{                                                                                          \
		shim_exiting(status);                                                              \
		REAL(name)(status);                                                                \
		__builtin_unreachable();                                                           \
	}

END(_exit)
END(_Exit)
END(quick_exit)

/* ---- waits for a child ---- */

static bool is_end(uint32_t status) { return (status & 0xff) != 0x7f && status != 0xffff; }

bool shim_begin_wait(struct shim_op *o, enum ipctap_op op, pid_t pid, int options)
{
	struct shim_thread *t = shim_ready();
	if (!t)
		return false;
	uint64_t obj = pid > 0 ? RAW_OBJ_CHILD((uint32_t)pid) : RAW_OBJ_ANY_CHILD(shim_pid);
	shim_begin(o, t, obj, -1, op, IO_READ | (options & WNOHANG ? IO_NONBLOCK : 0) |
					      (options & WNOWAIT ? IO_PEEK : 0));
	return true;
}

void shim_end_wait(struct shim_op *o, pid_t pid, const int *status)
{
	shim_done(o, pid);
	if (pid > 0) {
		uint32_t s = (uint32_t)*status;
		o->io.chan = RAW_OBJ_CHILD((uint32_t)pid);
		o->io.messages = is_end(s);
		o->io.mtype = s;
	}
	shim_tell(o);
}

#define WAIT(name, params, args, child, options)                                                   \
	SHIM_EXPORT pid_t name params                                                              \
	{                                                                                          \
		struct shim_op o;                                                                  \
		int unasked;                                                                       \
		if (!shim_begin_wait(&o, OP_WAIT4, child, options))                                \
			return REAL(name) args;                                                    \
		status = status ? status : &unasked;                                               \
		pid_t pid = REAL(name) args;                                                       \
		shim_end_wait(&o, pid, status);                                                    \
		return pid;                                                                        \
	}

pid_t __wait(int *status);
pid_t __waitpid(pid_t child, int *status, int options);
WAIT(wait, (int *status), (status), -1, 0)
WAIT(__wait, (int *status), (status), -1, 0)
WAIT(waitpid, (pid_t child, int *status, int options), (child, status, options), child, options)
WAIT(__waitpid, (pid_t child, int *status, int options), (child, status, options), child, options)
WAIT(wait3, (int *status, int options, struct rusage *use), (status, options, use), -1, options)
WAIT(wait4, (pid_t child, int *status, int options, struct rusage *use), (child, status, options, use), child, options)

static uint32_t status_of(const siginfo_t *i)
{
	uint32_t s = (uint32_t)i->si_status;
	if (i->si_code == CLD_EXITED)
		return (s & 0xff) << 8;
	if (i->si_code == CLD_KILLED || i->si_code == CLD_DUMPED)
		return (s & 0x7f) | (i->si_code == CLD_DUMPED ? 0x80 : 0);
	return (s & 0xff) << 8 | 0x7f;
}

void shim_end_waitid(struct shim_op *o, int ret, const siginfo_t *info)
{
	shim_done(o, ret);
	if (ret == 0 && info && info->si_pid > 0) {
		uint32_t status = status_of(info);
		o->io.chan = RAW_OBJ_CHILD((uint32_t)info->si_pid);
		o->io.messages = is_end(status);
		o->io.mtype = status;
	}
	shim_tell(o);
}

SHIM_EXPORT int waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
	struct shim_op o;
	if (!shim_begin_wait(&o, OP_WAITID, type == P_PID ? (pid_t)id : -1, options))
		return REAL(waitid)(type, id, info, options);
	o.io.fd = type == P_PIDFD ? (int)id : -1;
	int ret = REAL(waitid)(type, id, info, options);
	shim_end_waitid(&o, ret, info);
	return ret;
}
