/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes outside the scope that hold the other end of a channel inside it. The look that finds
 * them offers every candidate; one is told of only when an end of its turns out to matter, once.
 */
#ifndef IPCTAP_COLLECTOR_BYSTANDERS_H
#define IPCTAP_COLLECTOR_BYSTANDERS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/abi/event.h"
#include "lib/stream/stream.h"

struct bystanders;

struct bystanders *bystanders_new(void);
void bystanders_free(struct bystanders *b); /* accepts NULL */

/* Keeps a candidate back (true), or notes that a process is in scope, or gone (false: pass it on). */
bool bystanders_note(struct bystanders *b, const struct ev_task *t);

/*
 * Before another look for candidates: those that the last two did not find are forgotten, and those
 * that were told of and are gone have exited, at t_ns.
 */
int bystanders_age(struct bystanders *b, uint64_t t_ns, struct sink *out);

/* Tells `out` of the candidate `pid`, unless it already was, or is in scope. */
int bystanders_tell(struct bystanders *b, uint32_t pid, struct sink *out);

#endif
