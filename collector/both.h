/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The probes and the shim at once, as one source. What the kernel saw it saw exactly, so every call of
 * the kernel is the probes'. From the shim comes what no probe sees: the locks and semaphores of the C
 * library, when they came to no system call. Where a thread slept in one, both tell of it, the probes as
 * a futex call of the same thread at the same time: that one is kept, for it knows how long and who woke.
 *
 * Each source has its channels numbered by a joiner of its own; those of the shim are found among the
 * probes' by kind and ident, or told anew under numbers from BOTH_CHAN up.
 */
#ifndef IPCTAP_COLLECTOR_BOTH_H
#define IPCTAP_COLLECTOR_BOTH_H

#include <stdint.h>

#include "lib/stream/stream.h"

#define BOTH_CHAN (1ull << 32)

struct both;

struct both *both_new(void);    /* NULL: no memory */
void both_free(struct both *b); /* accepts NULL */

/* Where the two deliver to; what remains goes to `out`, which is borrowed and set before each delivery. */
void both_set_out(struct both *b, struct sink *out);
struct sink *both_from_bpf(struct both *b);
struct sink *both_from_shim(struct both *b);

/*
 * Everything that the probes saw up to until_ns has been delivered: what the shim told of calls that
 * were over by then is judged, and handed on or dropped. Returns 0 or the error of out.
 */
int both_release(struct both *b, uint64_t until_ns);

uint64_t both_doubled(const struct both *b); /* operations of the shim dropped because the probes had them */

/* One source of the two, which it frees with itself. NULL: no memory. */
struct source *both_source(struct source *bpf, struct source *shim);

#endif
