// SPDX-License-Identifier: GPL-2.0-or-later
/* Trees of who waits for whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/analysis/waittree.h"
#include "lib/base/clock.h"

static const struct solve_opts opts = { .now_ns = 100 * NS_PER_S };

static wg_ref pid_of(struct waitgraph *g, uint32_t pid) { return wg_process_ref(g, pid); }

static void waits(struct waitgraph *g, uint32_t pid, enum wg_wait wait, wg_ref condition)
{
	struct wg_thread t = { .pid = pid, .tid = pid, .wait = wait, .fd = -1, .condition = condition,
			       .start_ns = 7, .switches = 5, .since_ns = 99 * NS_PER_S };

	snprintf(t.comm, sizeof(t.comm), "p%u", pid);
	wg_thread(g, &t);
}

/* The tree as text, a row a line, indented: pid, root, finding. Those of `scope` (0-ended) count. */
static void assert_tree(struct waitgraph *g, const uint32_t *scope, bool idle, const char *expected)
{
	static const char *const roots[] = { "", " core", " runs", " outside" };
	struct solution s;
	bool in[16] = { false };
	struct waittree_opts how = { .now_ns = opts.now_ns, .in_scope = scope ? in : NULL, .idle = idle };
	struct waittree *t;
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	for (int i = 0; scope && scope[i]; i++)
		in[waitgraph_find(g, scope[i])] = true;
	assert_int_equal(solve(&s, g, &opts), 0);
	t = waittree_new(&s, &how);
	assert_non_null(t);
	for (uint32_t i = 0; i < t->nrows; i++) {
		const struct wt_row *r = &t->rows[i];

		fprintf(f, "%*s%u%s", (int)(2 * r->depth), "", r->pid, roots[r->root]);
		if (r->finding != WT_NONE)
			fprintf(f, " #%u", r->finding);
		if (r->root == WT_OUTSIDE)
			fprintf(f, " %s", r->why);
		fputc('\n', f);
		for (uint32_t k = 0; k < i; k++) /* each thread has one row */
			assert_int_not_equal(t->rows[k].tid, r->tid);
		if (r->parent != WT_NONE)
			assert_int_equal(t->rows[r->parent].depth + 1, r->depth);
	}
	for (uint32_t i = 0; i < t->nfindings; i++) {
		fprintf(f, "%s:", wg_verdict_word(t->findings[i].verdict));
		for (uint32_t k = 0; k < t->findings[i].ncore; k++)
			fprintf(f, " %u", t->rows[t->findings[i].core[k]].pid);
		for (uint32_t k = 0; k < t->findings[i].nvictims; k++)
			fprintf(f, "%s%u", k ? " " : " / ", t->rows[t->findings[i].victims[k]].pid);
		fputc('\n', f);
		assert_true(t->findings[i].cause[0] && t->findings[i].cure[0]);
	}
	fclose(f);
	assert_string_equal(text, expected);
	free(text);
	waittree_free(t);
	solution_release(&s);
	waitgraph_free(g);
}

/* 1 and 2 are a circle, 3 waits for 2, 4 for 3; 5 waits for 6, which runs; 7 sleeps. */
static struct waitgraph *town(void)
{
	struct waitgraph *g = waitgraph_new();

	waits(g, 4, WG_CHILD, pid_of(g, 3));
	waits(g, 3, WG_MUTEX, pid_of(g, 2));
	waits(g, 1, WG_MUTEX, pid_of(g, 2));
	waits(g, 2, WG_MUTEX, pid_of(g, 1));
	waits(g, 5, WG_READ, pid_of(g, 6));
	waits(g, 6, WG_RUNS, 0);
	waits(g, 7, WG_SLEEP, wg_outside(g, WG_TIMEOUT, "timeout of 3 s"));
	return g;
}

static void the_root_cause_is_on_top(void **state)
{
	(void)state;
	assert_tree(town(), NULL, false,
		    "1 core #0\n2 core #0\n  3 #0\n    4 #0\n6 runs\n  5\nproven: 1 2 / 3 4\n");
}

static void those_who_only_rest_are_there_when_asked_for(void **state)
{
	(void)state;
	assert_tree(town(), NULL, true,
		    "1 core #0\n2 core #0\n  3 #0\n    4 #0\n6 runs\n  5\n7 outside timeout of 3 s\n"
		    "proven: 1 2 / 3 4\n");
}

static void a_scope_takes_in_whom_it_waits_for(void **state)
{
	const uint32_t reader[] = { 5, 0 }, victim[] = { 4, 0 }, nobody[] = { 7, 0 };

	(void)state;
	assert_tree(town(), reader, false, "6 runs\n  5\n");
	assert_tree(town(), victim, false,
		    "1 core #0\n2 core #0\n  3 #0\n    4 #0\nproven: 1 2 / 3 4\n");
	assert_tree(town(), nobody, false, "");
}

static void a_chain_of_thousands_is_drawn(void **state)
{
	struct waitgraph *g = waitgraph_new();
	struct solution s;
	struct waittree *t;

	(void)state;
	for (uint32_t i = 1; i < 20000; i++)
		waits(g, i, WG_MUTEX, pid_of(g, i + 1));
	waits(g, 20000, WG_RUNS, 0);
	assert_int_equal(solve(&s, g, &opts), 0);
	t = waittree_new(&s, &(struct waittree_opts){ 0 });
	assert_non_null(t);
	assert_int_equal(t->nrows, 20000);
	assert_int_equal(t->rows[0].pid, 20000);
	assert_int_equal(t->rows[19999].depth, 19999);
	waittree_free(t);
	solution_release(&s);
	waitgraph_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_root_cause_is_on_top),
		cmocka_unit_test(those_who_only_rest_are_there_when_asked_for),
		cmocka_unit_test(a_scope_takes_in_whom_it_waits_for),
		cmocka_unit_test(a_chain_of_thousands_is_drawn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
