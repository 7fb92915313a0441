// SPDX-License-Identifier: GPL-2.0-or-later
#include "diagnose.h"

#include <errno.h>
#include <time.h>

#include "lib/base/clock.h"

static void sleep_until(uint64_t t_ns)
{
	struct timespec t = { .tv_sec = (time_t)(t_ns / NS_PER_S),
			      .tv_nsec = (long)(t_ns % NS_PER_S) };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

static bool is_empty(const struct solution *s) { return !s->nfindings && !s->ninconclusive; }

int diagnose(struct diagnosis *d, struct snap *snap, uint64_t slow_ns, bool slow_quiet, struct fail *fail)
{
	struct solve_opts opts = { .slow_ns = slow_ns, .slow_quiet = slow_quiet };
	int err;

	*d = (struct diagnosis){ 0 };
	err = snap_take(snap, &d->first, fail);
	if (err)
		return err;
	d->now_ns = opts.now_ns = clock_now_ns();
	err = solve(&d->before, d->first, &opts);
	if (err)
		return fail_set(fail, -err, NULL, "cannot judge what was seen");
	if (is_empty(&d->before)) {
		d->graph = d->first;
		d->solution = d->before;
		d->first = NULL;
		d->before = (struct solution){ 0 };
		return 0;
	}
	sleep_until(d->now_ns + SNAP_APART_MS * NS_PER_MS);
	err = snap_take(snap, &d->graph, fail);
	if (err)
		return err;
	d->now_ns = opts.now_ns = clock_now_ns();
	err = solve_confirmed(&d->solution, d->graph, &d->before, &opts);
	return err ? fail_set(fail, -err, NULL, "cannot judge what was seen") : 0;
}

void diagnosis_release(struct diagnosis *d)
{
	solution_release(&d->solution);
	solution_release(&d->before);
	waitgraph_free(d->graph);
	waitgraph_free(d->first);
	*d = (struct diagnosis){ 0 };
}
