/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The filter language of -e, the same in every verb:
 *
 *     EXPR  := TERM { [","] TERM }              blanks or commas between terms mean "and"
 *     TERM  := ["!"] WORD
 *     WORD  := "kind=" KIND{,KIND} | "op=" OP{,OP} | "pid=" N{,N} | "tid=" N{,N}
 *            | "comm=" GLOB{,GLOB} | "chan=" GLOB{,GLOB}
 *            | "bytes" CMP SIZE | "latency" CMP TIME | "slept" CMP TIME | "ret" CMP INT | "fd" CMP INT
 *            | "blocked" | "error"
 *     CMP   := "=" "!=" "<" "<=" ">" ">="
 *     SIZE  := INT with suffix k m g (1024);  TIME := number with suffix ns us ms s (default ns)
 *
 * A comma inside a list continues the list when what follows it is not itself the start of a
 * term. OP is a call's name, or a family: send recv read write (every form that does it) open
 * create ctl. chan= matches the channel's id, name or ident; globs are fnmatch(3) patterns.
 * latency is the call's duration. Several -e are joined with "and".
 */
#ifndef IPCTAP_MODEL_FILTER_H
#define IPCTAP_MODEL_FILTER_H

#include <stdbool.h>

#include "lib/abi/event.h"
#include "lib/base/fail.h"
#include "model.h"

struct filter;

/* Parses. On -EINVAL fail says which word is unknown and lists the ones that are known. */
int filter_new(struct filter **out, const char *expr, struct fail *fail);
void filter_free(struct filter *f); /* accepts NULL */

/* Adds the terms of `expr` to *f, as for a second -e. */
int filter_and(struct filter *f, const char *expr, struct fail *fail);

/* Names (comm=, chan=) are looked up in *m. A NULL filter matches everything. The signature suits model_set_filter. */
bool filter_match_io(const void *filter, const struct model *m, const struct ev_io *io);
/* An open wait matches as the operation it is asleep in: blocked holds, error does not, slept is now - since. */
bool filter_match_wait(const struct filter *f, const struct model *m, const struct m_wait *wait);

#endif
