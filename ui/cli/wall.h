/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From CLOCK_MONOTONIC, which events carry, to the clock on the wall. */
#ifndef IPCTAP_UI_CLI_WALL_H
#define IPCTAP_UI_CLI_WALL_H

#include <stdint.h>

#include "lib/store/store.h"

/* CLOCK_REALTIME - CLOCK_MONOTONIC where the events were made: of the trace's meta.clock_base_ns,
 * or, when `trace` is NULL, of this host now. 0: not known. */
int64_t wall_offset_ns(struct trace *trace);

#define WALL_SIZE 32
/* "08:09:28.123456789", local time. */
const char *wall_text(char buf[static WALL_SIZE], uint64_t t_ns, int64_t offset_ns);

#endif
