/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * User stacks of threads that are asleep in a system call, with names where symbols are to be had.
 *
 * The thread is not stopped: ptrace would wake it, and a semop or epoll_wait would then return
 * EINTR to a program that may not expect that. /proc tells where a sleeping thread left user space
 * (its program counter and stack pointer), and its memory is read from outside. Frames whose
 * caller can only be found through another register end the stack early.
 */
#ifndef IPCTAP_COLLECTOR_STACKS_H
#define IPCTAP_COLLECTOR_STACKS_H

#include <stddef.h>
#include <stdint.h>

struct stacks;

struct stacks *stacks_new(void); /* NULL: no memory */
void stacks_free(struct stacks *s); /* accepts NULL */

/*
 * The i-th frame, innermost first, as text ("write+0x1d  libc.so.6"); NULL behind the last, and
 * at once when the stack cannot be read. Borrowed; taken when the thread is first asked for.
 */
const char *stacks_line(struct stacks *s, uint32_t pid, uint32_t tid, size_t i);

#endif
