/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For the demos of libripc. They print what they show, the same in every run: lines of one worker,
 * which has collected what the others did. Names and keys hold the supervisor's pid, so that runs
 * do not meet.
 */
#ifndef IPCTAP_UI_DEMO_RIPC_KIT_H
#define IPCTAP_UI_DEMO_RIPC_KIT_H

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "workloads.h"

#define tell(...) ((void)!dprintf(STDOUT_FILENO, __VA_ARGS__))

/* Ends the worker unless `what` holds; err is an errno, negative or not. */
static inline void demo_must(bool good, int err, const char *what)
{
	if (good)
		return;
	errno = err < 0 ? -err : err;
	demo_die(what);
}

/* The same for a Win32 call. */
#define demo_win32(good, what)                                                                     \
	do {                                                                                       \
		if (!(good)) {                                                                     \
			fprintf(stderr, "ipctap demo: %s: error %u\n", what, GetLastError());      \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

#endif
