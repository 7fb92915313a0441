// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Calls that a program makes by number, with syscall(2). A few tell of what others do as well: bytes moved,
 * and futexes, on which Rust's and C++'s own locks are made. All else goes straight through.
 *
 * It is made here, not by libc's function: that does the same, and this may be called from within the
 * dynamic linker or an allocator, where nothing can be looked up.
 */
#include <linux/futex.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "collector/shim/sync.h"

#undef syscall

#define LASTED_NS 20000 /* of a futex in one's own memory only a wait is told that did: as in sync.c */

static long make(long nr, const long a[6]) { return shim_syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]); }

static long futex(const long a[6])
{
	const void *p = (const void *)a[0];
	bool own = a[1] & FUTEX_PRIVATE_FLAG;
	struct shim_thread *t = shim_ready();
	struct shim_op o;
	if (!t)
		return make(SYS_futex, a);
	shim_begin(&o, t, own ? shim_private_object(p) : shim_sync_object(t, p), -1, OP_FUTEX, 0);
	o.io.mtype = (int)a[1];
	long ret = make(SYS_futex, a);
	shim_done(&o, ret);
	if (own && o.io.hdr.t_ns - o.io.enter_ns < LASTED_NS)
		return ret;
	if (own)
		o.io.chan = shim_sync_object(t, p);
	shim_tell(&o);
	return ret;
}

static long move(long nr, const long a[6], enum ipctap_op op, uint32_t dir)
{
	struct shim_op o;
	if (!shim_begin_fd(&o, (int)a[0], op, dir))
		return make(nr, a);
	long ret = make(nr, a);
	shim_end_io(&o, ret, (const void *)a[1]);
	return ret;
}

SHIM_EXPORT long syscall(long nr, ...)
{
	long a[6];
	va_list ap;
	va_start(ap, nr);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	switch (nr) {
	case SYS_read:
		return move(nr, a, OP_READ, IO_READ);
	case SYS_write:
		return move(nr, a, OP_WRITE, IO_WRITE);
	case SYS_futex:
		return futex(a);
	default:
		return make(nr, a);
	}
}
