// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Snapshots of a host that talks, as fast as they can be judged:
 *
 *     snapload N PID…
 *
 * Takes N snapshots and confirms each against one taken SNAP_APART_MS or more before it. Prints
 * `snapshots=N findings=F slept=S`: how many verdicts of any kind (but slow) were given on
 * descendants of the PIDs, which must be none, and how many of their threads were confirmed to have
 * slept, without which the test would prove nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "collector/snap.h"
#include "lib/analysis/solve.h"
#include "lib/base/clock.h"

#define RING 32

struct shot {
	struct waitgraph *g;
	struct solution s;
	uint64_t t_ns;
};

static int nroots;
static char **roots;

static int is_ours(const struct waitgraph *g, uint32_t index)
{
	const struct wg_thread *t = waitgraph_thread(g, index);

	for (int depth = 0; depth < 8; depth++) {
		for (int i = 0; i < nroots; i++)
			if (t->pid == strtoul(roots[i], NULL, 10))
				return 1;
		index = waitgraph_find(g, t->ppid);
		if (index == UINT32_MAX)
			return 0;
		t = waitgraph_thread(g, index);
	}
	return 0;
}

static struct waitgraph *take(struct snap *s)
{
	struct fail fail = { 0 };
	struct waitgraph *g = NULL;

	if (snap_take(s, &g, &fail)) {
		fprintf(stderr, "snapload: %s\n", fail.what);
		exit(3);
	}
	return g;
}

static void shot_take(struct snap *s, struct shot *to)
{
	struct solve_opts opts = { 0 };

	to->g = take(s);
	to->t_ns = clock_now_ns();
	opts.now_ns = to->t_ns;
	if (solve(&to->s, to->g, &opts))
		exit(3);
}

static void shot_release(struct shot *s)
{
	solution_release(&s->s);
	waitgraph_free(s->g);
}

static unsigned long judge(struct snap *snap, struct shot *before, unsigned long *slept)
{
	struct solve_opts opts = { .now_ns = clock_now_ns() };
	struct waitgraph *g = take(snap);
	struct solution s;
	unsigned long n = 0;

	if (solve_confirmed(&s, g, &before->s, &opts))
		exit(3);
	for (uint32_t i = 0; i < s.nfindings; i++) {
		const struct wg_finding *f = &s.findings[i];

		if (f->verdict >= WG_SLOW || !f->ncore || !is_ours(g, f->core[0]))
			continue;
		n++;
		for (uint32_t k = 0; k < f->ncore; k++) {
			const struct wg_thread *t = waitgraph_thread(g, f->core[k]);

			printf("%s: %s[%u] %s\n", wg_verdict_word(f->verdict), t->comm, t->tid, t->call);
		}
	}
	for (uint32_t i = 0; i < waitgraph_threads(g); i++) {
		uint32_t old = waitgraph_find(before->g, waitgraph_thread(g, i)->tid);

		*slept += old != UINT32_MAX && waitgraph_thread(g, i)->wait != WG_RUNS && is_ours(g, i) &&
			  waitgraph_thread(before->g, old)->switches == waitgraph_thread(g, i)->switches;
	}
	solution_release(&s);
	waitgraph_free(g);
	return n;
}

int main(int argc, char **argv)
{
	struct shot ring[RING] = { 0 };
	struct fail fail = { 0 };
	struct snap *snap;
	unsigned long n = argc > 1 ? strtoul(argv[1], NULL, 10) : 0, findings = 0, slept = 0;
	unsigned int first = 0, count = 0;

	nroots = argc - 2;
	roots = argv + 2;
	if (!n || nroots < 1) {
		fprintf(stderr, "usage: snapload N PID…\n");
		return 2;
	}
	if (snap_open(&snap, SNAP_BPF, &fail)) {
		fprintf(stderr, "snapload: %s\n", fail.what);
		return 3;
	}
	for (unsigned long done = 0; done < n;) {
		if (count < RING)
			shot_take(snap, &ring[(first + count++) % RING]);
		struct shot *old = &ring[first];
		uint64_t due = old->t_ns + SNAP_APART_MS * NS_PER_MS, now = clock_now_ns();

		if (count == RING && now < due) {
			struct timespec t = { 0, (long)(due - now) };

			nanosleep(&t, NULL);
		} else if (now < due) {
			struct timespec t = { 0, 5 * NS_PER_MS };

			nanosleep(&t, NULL);
			continue;
		}
		findings += judge(snap, old, &slept);
		done++;
		shot_release(old);
		first = (first + 1) % RING;
		count--;
	}
	while (count) {
		shot_release(&ring[first]);
		first = (first + 1) % RING;
		count--;
	}
	snap_free(snap);
	printf("snapshots=%lu findings=%lu slept=%lu\n", n, findings, slept);
	return findings != 0;
}
