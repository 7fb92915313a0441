/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many descriptors and attachments of processes in scope an object has: the joiner forgets an
 * object only when there are none. Fed with what the probes tell of endpoints and processes, in the
 * order of their records; an end whose closing was lost is noticed when its descriptor is used for
 * something else, or at the exit of its process.
 */
#ifndef IPCTAP_COLLECTOR_HOLDERS_H
#define IPCTAP_COLLECTOR_HOLDERS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/abi/event.h"

struct holders;

/* `change` is told that an object is held by one more (+1) or one less (-1). NULL: no memory. */
struct holders *holders_new(void (*change)(void *arg, uint64_t obj, int by), void *arg);
void holders_free(struct holders *h); /* accepts NULL; tells nothing */

/* chan: an object id; of an attachment, whatever id `change` is to be told. */
void holders_endpoint(struct holders *h, const struct ev_endpoint *e);
void holders_task(struct holders *h, const struct ev_task *t);

/*
 * After records were lost: processes that are gone, though nobody said so, hold nothing. Calls
 * `gone` for each; at most 16384 of them.
 */
void holders_sweep(struct holders *h, void (*gone)(void *arg, uint32_t pid), void *arg);

#endif
