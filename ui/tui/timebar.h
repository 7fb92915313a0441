/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The timeline of a replay: the whole of a trace from left to right, and where in it we are.
 *
 *     ops/s    ▁▃█▂    ▁▁▂▃          how many operations, the tallest column being the most
 *     asleep   ▁▁▁▁████████          how many threads were asleep in IPC, on average
 *     marks    ───L──A──▲───D        losses, marks A and B, deadlocks and other findings; ▲ is now
 */
#ifndef IPCTAP_UI_TUI_TIMEBAR_H
#define IPCTAP_UI_TUI_TIMEBAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/store/store.h"
#include "ui/tui/grid.h"

#define TIMEBAR_ROWS 3

/* A finding of the search for deadlocks, at the time when the last of its threads fell asleep. */
struct timebar_finding {
	uint64_t t_ns;
	const char *text; /* one line, escaped */
};

struct timebar {
	uint64_t first_ns, last_ns; /* of the trace */
	const struct trace_slot *slots;
	size_t nslots;
	const struct timebar_finding *findings; /* in order of time */
	size_t nfindings;
};

/* Where it is, and the two marks; 0: not set. */
struct timebar_place {
	uint64_t now_ns, a_ns, b_ns;
};

/* Draws TIMEBAR_ROWS rows from y on, across the grid. */
void timebar_draw(const struct timebar *t, const struct timebar_place *at, struct grid *g, int y);

/* The time under column x of a grid so wide; a column left of the bar: the first. */
uint64_t timebar_time(const struct timebar *t, int cols, int x);

#endif
