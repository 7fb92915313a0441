// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Semaphores carry no payload. Who let whom go on is what the scheduler saw: the task that woke
 * the sleeper. What never slept was given by nobody in particular.
 */
#include "match.h"

static int counter_wake(struct model *m, const struct transfer *x)
{
	struct task *waker = task_find(m, x->io->waker_tid);
	if (!waker || !x->counts)
		return 0;
	struct attribution a = {.src = (struct proc *)waker->pub.proc,
				.dst = x->proc,
				.messages = 1,
				.no_latency = true};
	return match_attribute(m, x, &x->chan->q[0], &a);
}

const struct matcher match_counter = {.wake = counter_wake};
