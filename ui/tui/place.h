/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A place in a trace as people write it, on the command line (--at) and in the dashboard:
 *
 *     12.5   12.5s   900ms   2m30s      since the trace began
 *     +2s   -500ms                      from where we are
 *     25%                               of the trace's time
 *     14:03:22   14:03:22.5             by the clock on the wall, local time
 *     #1234                             behind event number 1234
 *     start   end
 */
#ifndef IPCTAP_UI_TUI_PLACE_H
#define IPCTAP_UI_TUI_PLACE_H

#include <stdint.h>

#include "lib/base/fail.h"

struct place {
	uint64_t t_ns; /* of CLOCK_MONOTONIC */
	uint64_t seq;  /* not 0: there, and t_ns says nothing */
};

struct place_of {
	uint64_t first_ns, last_ns; /* of the trace */
	uint64_t now_ns;            /* what + and - begin at */
	uint64_t events;            /* the number of the last one */
	int64_t wall_ns;            /* realtime - monotonic; 0: not known */
};

#define PLACE_HELP "12.5s, +2s, 25%, 14:03:22, #1234, start or end"

/* A place outside the trace becomes its nearer end. 0, or -EINVAL with *fail filled. */
int place_parse(struct place *out, const char *text, const struct place_of *of, struct fail *fail);

#endif
