/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A command that is held before its first instruction until the probes are live. */
#ifndef IPCTAP_COLLECTOR_LAUNCH_H
#define IPCTAP_COLLECTOR_LAUNCH_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/base/fail.h"

struct launch {
	pid_t pid;     /* 0: none */
	int go_fd;     /* write end: closing it without a byte makes the child exit */
	int err_fd;    /* read end: the errno of a failed exec */
	bool exited;
	int status;    /* as a shell gives it: 128 + N for a signal */
};

/* What the child does before it runs its command; may be NULL. */
struct launch_prepare {
	void (*fn)(const void *arg);
	const void *arg;
};

/* Forks a child that waits. `quiet`: its output goes to /dev/null. */
int launch_start(struct launch *l, char *const *argv, bool quiet, const struct launch_prepare *prepare,
		 struct fail *fail);

/* Lets it run; fails when the command cannot be executed (status is then 127, or 126). */
int launch_release(struct launch *l, char *const *argv, struct fail *fail);

/* Has it exited? Does not wait. */
bool launch_poll(struct launch *l);

/* Ends it and its descendants: SIGTERM, after two seconds SIGKILL; waits for it. Nothing to do when it has exited. */
void launch_end(struct launch *l);

/* Gives up a child that was never released, or closes what is open. */
void launch_close(struct launch *l);

#endif
