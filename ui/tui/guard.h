/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process beside the dashboard that gives the terminal back when the dashboard cannot: after
 * kill -9. It is one of its own process group, has none of our files but the terminal, sleeps until
 * the kernel tells it that its parent is gone (PR_SET_PDEATHSIG, prctl(2)), and takes no other
 * signal. The probes leave it out, as they leave out ipctap.
 *
 * The terminal's modes are put back only when they are still ours: a shell that was quicker has
 * set its own.
 */
#ifndef IPCTAP_UI_TUI_GUARD_H
#define IPCTAP_UI_TUI_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

#define GUARD_UNDO_SIZE 256

/* What it needs, in memory that both processes have. */
struct guard {
	struct termios found, ours; /* the terminal's modes before us, and now */
	char undo[GUARD_UNDO_SIZE]; /* bytes that undo what was written to it */
	size_t undo_len;
	volatile bool is_on; /* the terminal is ours: to be given back */
};

/*
 * Starts it, for the terminal that is stdin and stdout; *how is copied. NULL: it could not be, and
 * nobody will watch. One at a time. What is returned is the guard's own: set is_on to false while the
 * terminal is given back, also in a handler of a signal.
 */
struct guard *guard_start(const struct guard *how);
void guard_stop(struct guard *g); /* ends the process; accepts NULL */

#endif
