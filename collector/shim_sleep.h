/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which calls wait for somebody else. The shim sees how long a call took, not whether it slept. */
#ifndef IPCTAP_COLLECTOR_SHIM_SLEEP_H
#define IPCTAP_COLLECTOR_SHIM_SLEEP_H

#include <stdbool.h>

#include "lib/abi/event.h"

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
		return true;
	}
	return false;
}

#endif
