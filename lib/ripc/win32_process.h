/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inside ripc_win32: process objects, between CreateProcess and those who wait. */
#ifndef RIPC_WIN32_PROCESS_H
#define RIPC_WIN32_PROCESS_H

#include <sys/types.h>

#include "win32_handle.h"

/* Takes the pidfd over (not when it returns NULL: no memory). */
struct w32_object *w32_process_new(pid_t pid, int pidfd);

/* Collects processes that have ended and whose handles are closed. */
void w32_process_collect(void);

#endif
