/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The processes in scope, as the joiner needs them: a name for whom a channel is named after, and
 * the channels that belong to one process and end with it: the signals sent to it, its end as a
 * child, the sets it waits for. A pid that is given out again is another process with other channels.
 */
#ifndef IPCTAP_COLLECTOR_PROCESSES_H
#define IPCTAP_COLLECTOR_PROCESSES_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/abi/event.h"

struct processes;

/* `drop` is given what was kept for an object when its process is forgotten. NULL: no memory. */
struct processes *processes_new(void (*drop)(void *arg, void *chan), void *arg);
void processes_free(struct processes *p); /* accepts NULL */

void processes_note(struct processes *p, const struct ev_task *t);

/* "": not known. Borrowed until the next note. */
const char *processes_comm(const struct processes *p, uint32_t pid);

/* The channel kept for an object of `pid`; NULL: none. */
void *processes_has(const struct processes *p, uint32_t pid, uint64_t obj);

/* In scope, living or lately gone; *exit_ns is 0 while it lives. */
bool processes_find(const struct processes *p, uint32_t pid, uint64_t *exit_ns);

/*
 * Where the channel of an object of `pid` is kept, NULL when it has none yet. NULL: no memory.
 * Valid until the next note or call of this.
 */
void **processes_chan(struct processes *p, uint32_t pid, uint64_t obj);

#endif
