/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside libripc: named pipes of other machines, over TCP. The client's handle is one end of a pipe
 * of its own process, which a bridge carries to the other machine; there a bridge is the client of
 * the real pipe. So modes, boundaries and peeking are those of local pipes on both sides.
 */
#ifndef RIPC_NPIPE_REMOTE_H
#define RIPC_NPIPE_REMOTE_H

#include "npipe.h"

#define NP_MACHINE_MAX 64

/* As np_open and np_wait. ERROR_BAD_NETPATH: the machine was not named, or does not answer. */
DWORD np_remote_open(struct np_end **end, const char *machine, const char *name, DWORD access);
DWORD np_remote_wait(const char *machine, const char *name, DWORD timeout_ms);

/* Once the end has left: the bridge delivers what it has and goes. NULL is accepted. */
void np_bridge_release(void *bridge);

#endif
