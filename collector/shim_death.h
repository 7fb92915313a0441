/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a process that we have a pidfd of has ended, asked of the kernel, since nobody but its parent may
 * wait for it: of one that still is a zombie /proc says it, of one that was waited for the pidfd itself
 * does (Linux 6.15, 7477d7dce48a).
 */
#ifndef IPCTAP_COLLECTOR_SHIM_DEATH_H
#define IPCTAP_COLLECTOR_SHIM_DEATH_H

#include <stdint.h>

/* As from waitpid(2), status << 8 | signal; -1: it was waited for, and this kernel does not tell. */
int shim_death_status(uint32_t pid, int pidfd);

#endif
