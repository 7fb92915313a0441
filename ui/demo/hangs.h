/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The corpus of waits: small programs that hang in known ways, and small programs that look as if they
 * hung and do not. Beside each stands what `ipctap deadlock` must say of it; the suite holds it to
 * that (tests/live/deadlock.t).
 */
#ifndef IPCTAP_UI_DEMO_HANGS_H
#define IPCTAP_UI_DEMO_HANGS_H

#include "kit.h"

struct hang {
	const char *name;
	const char *what;
	const char *verdict; /* of lib/analysis/solve.h, "none" when nothing must be found */
	const char *core;    /* the names of its members, sorted, a comma between; NULL: does not matter */
	const char *cause;   /* what is wrong, in a few words */
	void (*run)(void);   /* in the worker that the supervisor starts; never returns. NULL: pipes.c has it */
	int needs;           /* KIND_SEM, KIND_MSG, KIND_FIFO: made before it and removed after it; or below */
};
#define NEEDS_TWO_QUEUES (KIND_MAX + 1)
#define NEEDS_URING (KIND_MAX + 2)

extern const struct hang hangs[]; /* ended by a NULL name */

/* Starts the worker of the case; the supervisor of demo.c ends it and its children. */
int hang_start(struct demo_run *run, const struct hang *h);

#endif
