// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Threads: waits for their end, and their names. The object of a wait is the word of the thread's descriptor
 * that its end clears, which is what the kernel's probes name when the wait comes to a futex; its name says
 * which thread it is.
 */
#include <pthread.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <threads.h>
#include <unistd.h>

#include "collector/shim/names.h"
#include "collector/shim/sync.h"

#define TID_AT 0x2d0 /* in glibc's struct pthread, on x86-64, at least from 2.25 on */

/* The word with the number of a thread, NULL where libc's is not as we know it. */
static const uint32_t *tid_word(pthread_t thread)
{
	static int known; /* 1: it is as we know it; -1: it is not */
	if (!known)
		known = *(const uint32_t *)((uintptr_t)pthread_self() + TID_AT) == (uint32_t)syscall(SYS_gettid) ? 1 : -1;
	return known > 0 ? (const uint32_t *)((uintptr_t)thread + TID_AT) : NULL;
}

static uint64_t describe(struct shim_thread *t, const uint32_t *word, uint32_t tid)
{
	struct raw_object o = {
		.hdr = { .t_ns = shim_now(), .type = RAW_OBJECT, .size = sizeof(o), .flags = RAW_PRIVATE },
		.obj = shim_private_object(word), .at = (uintptr_t)word, .ino = shim_pid, .kind = KIND_FUTEX, .fd = -1,
	};
	struct path p;
	path_begin(&p, "end of thread ");
	path_number(&p, tid);
	memcpy(o.name, p.text, strnlen(p.text, sizeof(o.name) - 1));
	shim_put(t, &o, sizeof(o), SHIM_LOST_CTL);
	return o.obj;
}

/* False: nothing to tell; whoever is over, or is nobody, is not waited for. */
static bool begin(struct shim_op *o, pthread_t thread, uint32_t flags)
{
	struct shim_thread *t = shim_ready();
	const uint32_t *word = t ? tid_word(thread) : NULL;
	uint32_t tid = word ? __atomic_load_n(word, __ATOMIC_RELAXED) : 0;
	if (!t)
		return false;
	shim_begin(o, t, tid ? describe(t, word, tid) : 0, -1, OP_JOIN, flags);
	o->io.mtype = tid;
	return true;
}

static void end(struct shim_op *o, int err)
{
	int saved = errno;
	errno = err;
	shim_end(o, err ? -1 : 0);
	errno = saved;
}

#define JOIN(name, params, args, thread, flags, err)                                         \
	SHIM_EXPORT int name params                                                                \
	{                                                                                          \
		struct shim_op o;                                                                  \
		if (!begin(&o, thread, flags))                                                     \
			return REAL(name) args;                                                    \
		int ret = REAL(name) args;                                                         \
		end(&o, err);                                                                      \
		return ret;                                                                        \
	}
JOIN(pthread_join, (pthread_t thread, void **got), (thread, got), thread, 0, ret)
JOIN(pthread_tryjoin_np, (pthread_t thread, void **got), (thread, got), thread, IO_NONBLOCK, ret)
JOIN(pthread_timedjoin_np, (pthread_t thread, void **got, const struct timespec *t), (thread, got, t), thread, 0, ret)
JOIN(pthread_clockjoin_np, (pthread_t thread, void **got, clockid_t c, const struct timespec *t), (thread, got, c, t),
     thread, 0, ret)
JOIN(thrd_join, (thrd_t thread, int *got), (thread, got), thread, 0, ret == thrd_success ? 0 : EINVAL)

/* ---- names ---- */

static void renamed(void)
{
	struct shim_thread *t = shim_ready();
	struct ev_task e = { .hdr = { .type = EV_TASK, .size = sizeof(e) }, .what = TASK_RENAME };
	int saved = errno;
	if (t && REAL(prctl)(PR_GET_NAME, e.comm, 0, 0, 0) == 0) {
		e.hdr.t_ns = shim_now();
		memcpy(t->ring->comm, e.comm, sizeof(e.comm));
		e.start_ns = t->ring->start_ns;
		shim_put(t, &e, sizeof(e), SHIM_LOST_CTL);
	}
	errno = saved;
}

SHIM_EXPORT int prctl(int what, ...)
{
	va_list ap;
	unsigned long a[4];
	va_start(ap, what);
	for (int i = 0; i < 4; i++)
		a[i] = va_arg(ap, unsigned long);
	va_end(ap);
	int ret = REAL(prctl)(what, a[0], a[1], a[2], a[3]);
	if (what == PR_SET_NAME && ret == 0)
		renamed();
	return ret;
}

SHIM_EXPORT int pthread_setname_np(pthread_t thread, const char *name)
{
	int ret = REAL(pthread_setname_np)(thread, name);
	if (ret == 0 && pthread_equal(thread, pthread_self()))
		renamed();
	return ret;
}
