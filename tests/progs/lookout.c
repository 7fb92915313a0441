// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Looks out as a dashboard does:
 *
 *     lookout SECONDS PID…
 *
 * Asks for news fifty times a second, until it has seen a finding on one of the processes or the time
 * is up. Prints `findings=N rows=R verdict=V core=PID,PID… slowest_us=T`: of the last picture, and the
 * longest that asking for one took.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "collector/lookout.h"
#include "lib/base/clock.h"

static uint64_t slowest_ns;

static struct waittree *ask(struct lookout *l)
{
	uint64_t before = clock_now_ns();
	struct waittree *t = lookout_take(l);
	uint64_t took = clock_now_ns() - before;

	if (took > slowest_ns)
		slowest_ns = took;
	return t;
}

static void print(const struct waittree *t)
{
	printf("findings=%u rows=%u verdict=%s core=", t ? t->nfindings : 0, t ? t->nrows : 0,
	       t && t->nfindings ? wg_verdict_word(t->findings[0].verdict) : "none");
	for (uint32_t i = 0; t && t->nfindings && i < t->findings[0].ncore; i++)
		printf("%s%u", i ? "," : "", t->rows[t->findings[0].core[i]].pid);
	printf(" slowest_us=%llu\n", (unsigned long long)slowest_ns / 1000);
}

int main(int argc, char **argv)
{
	struct lookout *l = NULL;
	struct waittree *shown = NULL;
	struct fail fail = { 0 };
	size_t n = argc > 2 ? (size_t)argc - 2 : 0;
	uint32_t *pids = calloc(n + 1, sizeof(*pids));
	uint64_t until;

	if (argc < 3 || !pids)
		return 2;
	for (size_t i = 0; i < n; i++)
		pids[i] = (uint32_t)strtoul(argv[i + 2], NULL, 10);
	if (lookout_start(&l, &fail)) {
		fprintf(stderr, "lookout: %s\n", fail.what);
		return 3;
	}
	lookout_scope(l, pids, n);
	until = clock_now_ns() + strtoul(argv[1], NULL, 10) * NS_PER_S;
	while (!(shown && shown->nfindings) && clock_now_ns() < until) {
		struct timespec redraw = { .tv_nsec = 20 * NS_PER_MS };
		struct waittree *t = ask(l);

		if (t) {
			waittree_free(shown);
			shown = t;
		}
		nanosleep(&redraw, NULL);
	}
	print(shown);
	waittree_free(shown);
	lookout_stop(l);
	free(pids);
	return 0;
}
