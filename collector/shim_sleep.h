/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which calls wait for somebody else. The shim sees how long a call took, not whether it slept. */
#ifndef IPCTAP_COLLECTOR_SHIM_SLEEP_H
#define IPCTAP_COLLECTOR_SHIM_SLEEP_H

#include <stdbool.h>
#include <fcntl.h>
#include <sys/file.h>

#include "lib/abi/raw.h"

static inline bool op_can_sleep(unsigned int op)
{
	if (op >= OP_READ && op <= OP_SENDFILE)
		return true;
	switch (op) {
	case OP_OPEN: case OP_OPENAT: case OP_ACCEPT: case OP_ACCEPT4: case OP_CONNECT:
	case OP_MSGSND: case OP_MSGRCV: case OP_SEMOP: case OP_SEMTIMEDOP:
	case OP_POLL: case OP_PPOLL: case OP_SELECT: case OP_PSELECT6:
	case OP_EPOLL_WAIT: case OP_EPOLL_PWAIT: case OP_EPOLL_PWAIT2:
	case OP_MQ_TIMEDSEND: case OP_MQ_TIMEDRECEIVE:
	case OP_RT_SIGTIMEDWAIT: case OP_PAUSE: case OP_RT_SIGSUSPEND:
	case OP_FLOCK: case OP_FCNTL: case OP_WAIT4: case OP_WAITID: case OP_VFORK: case OP_FUTEX:
	case OP_MUTEX_LOCK: case OP_RWLOCK_RDLOCK: case OP_RWLOCK_WRLOCK: case OP_COND_WAIT:
	case OP_BARRIER_WAIT: case OP_SEM_WAIT: case OP_JOIN:
		return true;
	}
	return false;
}

/*
 * Does the operation let go of, or add to, what others wait for without moving bytes? Who does so last
 * while another sleeps in a call on the same object is taken for its waker.
 */
static inline bool op_gives(const struct ev_io *e)
{
	if (e->hdr.flags & IO_ERROR)
		return false;
	switch (e->op) {
	case OP_SEM_POST: case OP_MUTEX_UNLOCK: case OP_RWLOCK_UNLOCK: case OP_COND_SIGNAL:
	case OP_COND_BROADCAST: case OP_BARRIER_WAIT: case OP_LOCK_HELD:
		return true;
	case OP_SEMOP: case OP_SEMTIMEDOP:
		return e->mtype > 0;
	case OP_FUTEX: /* FUTEX_WAKE, FUTEX_WAKE_BITSET */
		return e->ret > 0 && ((e->mtype & 127) == 1 || (e->mtype & 127) == 10);
	case OP_FLOCK:
		return e->mtype & LOCK_UN;
	case OP_FCNTL:
		return e->mtype >> 16 == F_UNLCK;
	}
	return RAW_OBJ_KIND(e->chan) == KIND_EVENTFD && e->hdr.flags & IO_WRITE;
}

#endif
