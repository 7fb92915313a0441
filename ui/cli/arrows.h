/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arrows from who ended a sleep to the sleeper, for a timeline. The events say which thread it was, not in
 * which of its operations: that one is looked for, and must be going on when the sleep ends, or be
 * on the sleeper's channel and have begun before. Where there is none (it was no operation that is
 * traced: an exit, a page fault) there is no arrow.
 */
#ifndef IPCTAP_UI_CLI_ARROWS_H
#define IPCTAP_UI_CLI_ARROWS_H

#include <stdint.h>

#include "lib/abi/event.h"

struct arrows;

struct arrow {
	uint32_t from_pid, from_tid, to_pid, to_tid;
	uint64_t from_ns; /* within the waker's operation */
	uint64_t to_ns;   /* just before the sleep's end */
};
typedef void arrows_put(void *arg, const struct arrow *a);

struct arrows *arrows_new(void); /* NULL: no memory */
void arrows_free(struct arrows *a); /* accepts NULL */

/*
 * In the order of the events: each operation, and behind it, when it slept until end_ns, its sleep. An arrow
 * is put as soon as both its ends are known. 0 or -ENOMEM.
 */
int arrows_op(struct arrows *a, const struct ev_io *io, arrows_put *put, void *arg);
int arrows_sleep(struct arrows *a, const struct ev_io *io, uint64_t end_ns, arrows_put *put,
		 void *arg);

#endif
