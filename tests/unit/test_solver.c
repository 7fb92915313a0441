// SPDX-License-Identifier: GPL-2.0-or-later
/* Known answers: small graphs, each a situation with a name, and the verdict it must get. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/analysis/solve.h"
#include "lib/base/clock.h"

static const struct solve_opts opts = { .now_ns = 100 * NS_PER_S, .slow_ns = 10 * NS_PER_S };

/* A thread of process `pid` (tid 100 * pid + nth) that waits in `wait` for `condition`. */
static struct wg_thread thread(uint32_t pid, uint32_t nth, enum wg_wait wait, wg_ref condition)
{
	struct wg_thread t = { .pid = pid, .tid = 100 * pid + nth, .wait = wait, .fd = -1,
			       .condition = condition, .start_ns = 7, .switches = 5,
			       .since_ns = 99 * NS_PER_S };

	snprintf(t.comm, sizeof(t.comm), "p%u", pid);
	snprintf(t.call, sizeof(t.call), "%s", wg_wait_word(wait));
	return t;
}

static uint32_t waits(struct waitgraph *g, uint32_t pid, uint32_t nth, enum wg_wait wait,
		      wg_ref condition)
{
	struct wg_thread t = thread(pid, nth, wait, condition);

	return wg_thread(g, &t);
}

static uint32_t runs(struct waitgraph *g, uint32_t pid, uint32_t nth)
{
	return waits(g, pid, nth, WG_RUNS, 0);
}

static uint32_t waits_quietly(struct waitgraph *g, uint32_t pid, enum wg_wait wait, wg_ref condition)
{
	struct wg_thread t = thread(pid, 0, wait, condition);

	t.quiet = true;
	return wg_thread(g, &t);
}

static wg_ref pid_of(struct waitgraph *g, uint32_t pid) { return wg_process_ref(g, pid); }

static wg_ref any_of(struct waitgraph *g, wg_ref a, wg_ref b)
{
	wg_ref gate = wg_any(g);

	wg_add(g, gate, a, 1);
	if (b)
		wg_add(g, gate, b, 1);
	return gate;
}

static wg_ref all_of(struct waitgraph *g, wg_ref a, wg_ref b)
{
	wg_ref gate = wg_all(g);

	wg_add(g, gate, a, 1);
	wg_add(g, gate, b, 1);
	return gate;
}

/* The findings, one a line: verdict, the pids of core (cycle in brackets), of victims. Frees g. */
static void assert_findings(struct waitgraph *g, const char *expected)
{
	struct solution s;
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	assert_false(waitgraph_failed(g));
	assert_int_equal(solve(&s, g, &opts), 0);
	for (uint32_t i = 0; i < s.nfindings; i++) {
		const struct wg_finding *x = &s.findings[i];

		fprintf(f, "%s:", wg_verdict_word(x->verdict));
		for (uint32_t k = 0; k < x->ncore; k++)
			fprintf(f, "%s%u%s", k == 0 && x->ncycle ? " [" : " ",
				waitgraph_thread(g, x->core[k])->pid,
				k + 1 == x->ncycle ? "]" : "");
		for (uint32_t k = 0; k < x->nvictims; k++)
			fprintf(f, "%s%u", k ? " " : " / ", waitgraph_thread(g, x->victims[k])->pid);
		for (uint32_t k = 0; k < x->nheirs; k++)
			fprintf(f, "%s%u", k ? " " : " heir ", x->heirs[k]);
		fprintf(f, "\n");
	}
	for (uint32_t i = 0; i < s.ninconclusive; i++)
		fprintf(f, "? %u: %s\n", waitgraph_thread(g, s.inconclusive[i].thread)->pid,
			s.inconclusive[i].why);
	fclose(f);
	assert_string_equal(text, expected);
	free(text);
	solution_release(&s);
	waitgraph_free(g);
}

/* ---- cycles and what hangs on them ---- */

static void two_that_wait_for_each_other(void **state)
{
	struct waitgraph *g = waitgraph_new();

	(void)state;
	waits(g, 1, 0, WG_WRITE, pid_of(g, 2));
	waits(g, 2, 0, WG_WRITE, pid_of(g, 1));
	assert_findings(g, "proven: [1 2]\n");
}

static void the_cycle_is_in_its_order_and_the_rest_are_victims(void **state)
{
	struct waitgraph *g = waitgraph_new();

	(void)state;
	waits(g, 5, 0, WG_CHILD, pid_of(g, 4)); /* waits for a victim */
	waits(g, 1, 0, WG_MUTEX, pid_of(g, 3));
	waits(g, 3, 0, WG_MUTEX, pid_of(g, 2));
	waits(g, 2, 0, WG_MUTEX, pid_of(g, 1));
	waits(g, 4, 0, WG_MUTEX, pid_of(g, 2));
	runs(g, 6, 0);
	assert_findings(g, "proven: [1 3 2] / 4 5\n");
}

static void whoever_waits_for_itself(void **state)
{
	struct waitgraph *g = waitgraph_new();
	struct wg_chan pipe = { .kind = KIND_PIPE, .ident = "pipe:[1]" };
	wg_ref writers = wg_any(g);

	(void)state;
	wg_add_holder(g, writers, wg_chan(g, &pipe), 1, 4, WG_END_WRITE, 0);
	waits(g, 1, 0, WG_READ, writers);
	assert_findings(g, "proven: [1]\n");
}

static void one_live_thread_of_a_holder_saves_all(void **state)
{
	struct waitgraph *g = waitgraph_new();

	(void)state;
	waits(g, 1, 0, WG_READ, pid_of(g, 2));
	waits(g, 2, 0, WG_READ, pid_of(g, 1));
	runs(g, 2, 1);
	assert_findings(g, "");
}

static void one_live_holder_of_three_saves_all(void **state)
{
	struct waitgraph *g = waitgraph_new();

	(void)state;
	waits(g, 1, 0, WG_READ, any_of(g, pid_of(g, 2), pid_of(g, 3)));
	waits(g, 2, 0, WG_READ, any_of(g, pid_of(g, 1), pid_of(g, 3)));
	runs(g, 3, 0);
	assert_findings(g, "");
}

static void all_of_needs_every_one(void **state)
{
	struct waitgraph *g = waitgraph_new();

	(void)state;
	waits(g, 1, 0, WG_FILE_LOCK, all_of(g, pid_of(g, 2), pid_of(g, 3)));
	waits(g, 2, 0, WG_FILE_LOCK, pid_of(g, 1));
	runs(g, 3, 0);
	assert_findings(g, "proven: [1 2]\n");
}

static void a_cycle_with_an_edge_to_another_cycle_is_still_one(void **state)
{
	struct waitgraph *g = waitgraph_new();

	(void)state;
	waits(g, 1, 0, WG_FILE_LOCK, all_of(g, pid_of(g, 2), pid_of(g, 3)));
	waits(g, 2, 0, WG_FILE_LOCK, pid_of(g, 1));
	waits(g, 3, 0, WG_MUTEX, pid_of(g, 4));
	waits(g, 4, 0, WG_MUTEX, pid_of(g, 3));
	assert_findings(g, "proven: [1 2]\nproven: [3 4]\n");
}

static void k_of_n_counts_weights(void **state)
{
	(void)state;
	for (uint32_t free_units = 0; free_units < 3; free_units++) {
		struct waitgraph *g = waitgraph_new();
		wg_ref three = wg_at_least(g, 3);

		wg_add(g, three, pid_of(g, 2), 1);
		wg_add(g, three, pid_of(g, 3), 1);
		wg_add(g, three, pid_of(g, 4), free_units);
		waits(g, 1, 0, WG_SEM, three);
		waits(g, 2, 0, WG_SEM, pid_of(g, 1));
		runs(g, 3, 0);
		runs(g, 4, 0);
		assert_findings(g, free_units < 2 ? "proven: [1 2]\n" : "");
	}
}

static void join_of_a_thread_is_of_that_thread(void **state)
{
	struct waitgraph *g = waitgraph_new();

	(void)state;
	waits(g, 1, 0, WG_JOIN, wg_thread_ref(g, 101));
	waits(g, 1, 1, WG_JOIN, wg_thread_ref(g, 100));
	runs(g, 1, 2); /* a live thread of the process is no help to those */
	assert_findings(g, "proven: [1 1]\n");
}

/* ---- what is outside ---- */

static void outside_rescues_as_far_as_its_level(void **state)
{
	static const struct {
		enum wg_outside outside;
		const char *expected;
	} rows[] = {
		{ WG_NEW, "closed-world: [1 2]\n" },
		{ WG_HIDDEN, "stuck: [1 2]\n" },
		{ WG_SIG, "stuck: [1 2]\n" },
		{ WG_TIMEOUT, "" },
		{ WG_REMOTE, "" },
		{ WG_PERSON, "" },
		{ WG_UNKNOWN, "? 1: why not\n? 2: why not\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct waitgraph *g = waitgraph_new();

		waits(g, 1, 0, WG_WRITE,
		      any_of(g, pid_of(g, 2), wg_outside(g, rows[i].outside, "why not")));
		waits(g, 2, 0, WG_WRITE, pid_of(g, 1));
		assert_findings(g, rows[i].expected);
	}
}

static void what_is_missing_is_unknown_and_proves_nothing(void **state)
{
	struct waitgraph *g = waitgraph_new();

	(void)state;
	waits(g, 1, 0, WG_MUTEX, pid_of(g, 99)); /* a process that was never added */
	waits(g, 2, 0, WG_MUTEX, wg_thread_ref(g, 9999));
	waits(g, 3, 0, WG_READ, wg_any(g)); /* nobody was found */
	waits(g, 4, 0, WG_SEM, wg_all(g));
	waits(g, 5, 0, WG_FUTEX, 0); /* no condition */
	waits(g, 6, 0, WG_FUTEX, 12345);
	waits(g, 7, 0, WG_READ, any_of(g, 12345, 0)); /* a part that is none */
	waits(g, 8, 0, WG_SEM, wg_at_least(g, 3));
	assert_findings(g, "? 1: a process whose threads were not seen\n"
			   "? 2: a thread that was not seen\n"
			   "? 3: nobody was found who could\n"
			   "? 4: nobody was found who could\n"
			   "? 5: what it waits for was not found out\n"
			   "? 6: what it waits for was not found out\n"
			   "? 7: a part of the condition is missing\n"
			   "? 8: nobody was found who could\n");
}

static void only_who_is_known_to_be_gone_orphans(void **state)
{
	struct waitgraph *g = waitgraph_new();
	struct wg_chan mutex = { .ident = "futex 7f00" };
	struct wg_thread a = thread(1, 0, WG_MUTEX, wg_gone(g, "owner 55 is dead"));
	struct wg_thread b = thread(2, 0, WG_MUTEX, wg_gone(g, "owner 55 is dead"));

	(void)state;
	a.chan = b.chan = wg_chan(g, &mutex);
	wg_thread(g, &a);
	wg_thread(g, &b);
	waits(g, 3, 0, WG_CHILD, pid_of(g, 2));
	waits(g, 4, 0, WG_MUTEX, wg_gone(g, "owner 56 is dead"));
	assert_findings(g, "orphan: 1 2 / 3\norphan: 4\n");
}

static void a_guess_proves_nothing(void **state)
{
	struct waitgraph *g = waitgraph_new();
	wg_ref holders = wg_any(g);

	(void)state;
	wg_add_holder(g, holders, 0, 2, -1, WG_END_BOTH, WG_GUESSED);
	waits(g, 1, 0, WG_SEM, holders);
	waits(g, 2, 0, WG_SEM, pid_of(g, 1));
	assert_findings(g, "stuck: [1 2]\n");
}

/* ---- idle or stuck ---- */

static void each_waiting_for_the_other_to_speak_is_quiescent(void **state)
{
	struct waitgraph *g = waitgraph_new();

	(void)state;
	waits_quietly(g, 1, WG_READ, pid_of(g, 2));
	waits_quietly(g, 2, WG_POLL, pid_of(g, 1));
	assert_findings(g, "quiescent: [1 2]\n");
}

static void one_that_does_not_just_listen_makes_it_a_deadlock(void **state)
{
	struct waitgraph *g = waitgraph_new();

	(void)state;
	waits_quietly(g, 1, WG_READ, pid_of(g, 2));
	waits(g, 2, 0, WG_CHILD, pid_of(g, 1));
	assert_findings(g, "proven: [1 2]\n");
}

static void an_idle_daemon_is_no_finding(void **state)
{
	struct waitgraph *g = waitgraph_new();

	(void)state;
	waits_quietly(g, 1, WG_ACCEPT, wg_outside(g, WG_NEW, "clients"));
	waits(g, 2, 0, WG_SIGNAL, wg_outside(g, WG_SIG, "pause"));
	waits(g, 3, 0, WG_SLEEP, wg_outside(g, WG_TIMEOUT, "1 s"));
	assert_findings(g, "");
}

static void a_queue_that_nobody_fills_is_closed_world(void **state)
{
	struct waitgraph *g = waitgraph_new();

	(void)state;
	waits(g, 1, 0, WG_MSG_RECV, wg_outside(g, WG_NEW, "any sender"));
	assert_findings(g, "closed-world: 1\n");
}

static void the_pauser_at_the_bottom_is_named(void **state)
{
	struct waitgraph *g = waitgraph_new();

	(void)state;
	waits(g, 1, 0, WG_MSG_SEND, any_of(g, pid_of(g, 2), pid_of(g, 3)));
	waits(g, 2, 0, WG_MSG_SEND, any_of(g, pid_of(g, 1), pid_of(g, 3)));
	waits(g, 3, 0, WG_SIGNAL, wg_outside(g, WG_SIG, "pause"));
	assert_findings(g, "stuck: 3 / 1 2\n");
}

static void a_leak_is_named_when_it_alone_rescues(void **state)
{
	(void)state;
	for (int other = 0; other < 2; other++) {
		struct waitgraph *g = waitgraph_new();
		wg_ref writers = wg_any(g);

		wg_add_holder(g, writers, 0, 2, 4, WG_END_WRITE, WG_IDLE_HEIR);
		if (other)
			wg_add_holder(g, writers, 0, 3, 4, WG_END_WRITE, 0);
		waits(g, 1, 0, WG_READ, writers);
		waits(g, 2, 0, WG_SLEEP, wg_outside(g, WG_TIMEOUT, "3600 s"));
		runs(g, 3, 0);
		assert_findings(g, other ? "" : "leak-suspect: 1 heir 2\n");
	}
}

static void long_waits_for_a_live_one_are_slow(void **state)
{
	struct waitgraph *g = waitgraph_new();
	struct wg_thread t = thread(1, 0, WG_MUTEX, pid_of(g, 2));
	struct solution s;
	struct wg_step step;

	(void)state;
	t.since_ns = 20 * NS_PER_S;
	wg_thread(g, &t);
	waits(g, 2, 0, WG_MUTEX, pid_of(g, 3)); /* for a second only */
	runs(g, 3, 0);
	assert_int_equal(solve(&s, g, &opts), 0);
	step = solution_step(&s, 0);
	assert_false(step.runs);
	assert_int_equal(step.by, 1);
	assert_int_equal(solution_step(&s, 1).by, 2);
	assert_true(solution_step(&s, 2).runs);
	solution_release(&s);
	assert_findings(g, "slow: 1\n");
}

/* ---- victims that are weaker than their finding; questions ---- */

static void a_victim_that_a_newcomer_could_free_says_so(void **state)
{
	struct waitgraph *g = waitgraph_new();
	struct solution s;
	uint32_t out[4];

	(void)state;
	waits(g, 1, 0, WG_WRITE, pid_of(g, 2));
	waits(g, 2, 0, WG_WRITE, pid_of(g, 1));
	waits(g, 3, 0, WG_MSG_RECV, any_of(g, pid_of(g, 1), wg_outside(g, WG_NEW, "any")));
	waits(g, 3, 1, WG_CHILD, pid_of(g, 2));
	assert_int_equal(solve(&s, g, &opts), 0);
	assert_int_equal(s.nfindings, 1);
	assert_int_equal(solution_level(&s, 0), WG_PROVEN);
	assert_int_equal(solution_level(&s, 2), WG_CLOSED_WORLD);
	assert_int_equal(solution_level(&s, 3), WG_PROVEN);
	assert_ptr_equal(solution_of(&s, 2), &s.findings[0]);
	assert_int_equal(solution_waits_for(&s, 0, out, 4), 1);
	assert_int_equal(out[0], 1);
	solution_release(&s);
	assert_findings(g, "proven: [1 2] / 3 3\n");
}

static void a_dead_thread_lacks_only_the_dead(void **state)
{
	struct waitgraph *g = waitgraph_new();
	struct solution s;
	uint32_t out[4];

	(void)state;
	waits(g, 1, 0, WG_SEM, all_of(g, pid_of(g, 2), pid_of(g, 3)));
	waits(g, 2, 0, WG_SEM, pid_of(g, 1));
	runs(g, 3, 0);
	assert_int_equal(solve(&s, g, &opts), 0);
	assert_int_equal(solution_waits_for(&s, 0, out, 4), 1);
	assert_int_equal(out[0], 1);
	assert_int_equal(solution_waits_for(&s, 2, out, 4), 0);
	solution_release(&s);
	waitgraph_free(g);
}

/* ---- two passes ---- */

static struct waitgraph *picture(uint64_t switches, uint64_t start, bool second_runs)
{
	struct waitgraph *g = waitgraph_new();
	struct wg_thread a = thread(1, 0, WG_READ, pid_of(g, 2));
	struct wg_thread b = thread(2, 0, second_runs ? WG_RUNS : WG_READ, pid_of(g, 1));

	a.switches = switches;
	b.start_ns = start;
	wg_thread(g, &a);
	wg_thread(g, &b);
	return g;
}

static void what_moved_between_two_passes_is_not_dead(void **state)
{
	static const struct {
		uint64_t switches, start;
		bool ran;
		uint32_t findings;
	} rows[] = { { 5, 7, false, 1 }, { 6, 7, false, 0 }, { 5, 8, false, 0 }, { 5, 7, true, 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct waitgraph *before = picture(rows[i].switches, rows[i].start, rows[i].ran);
		struct waitgraph *now = picture(5, 7, false);
		struct solution first, s;

		assert_int_equal(solve(&first, before, &opts), 0);
		assert_int_equal(solve_confirmed(&s, now, &first, &opts), 0);
		assert_int_equal(s.nfindings, rows[i].findings);
		solution_release(&s);
		solution_release(&first);
		waitgraph_free(before);
		waitgraph_free(now);
	}
}

/* Asleep in both, but in the first there was somebody who could help: not yet. */
static void a_finding_is_one_in_both_passes_and_as_weak_as_the_weaker(void **state)
{
	static const struct {
		enum wg_outside helps;
		const char *verdict;
	} rows[] = { { WG_TIMEOUT, NULL }, { WG_NEW, "closed-world" }, { WG_SIG, "stuck" } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct waitgraph *before = waitgraph_new(), *now = picture(5, 7, false);
		struct solution first, s;

		waits(before, 1, 0, WG_READ,
		      any_of(before, pid_of(before, 2), wg_outside(before, rows[i].helps, "")));
		waits(before, 2, 0, WG_READ, pid_of(before, 1));
		assert_int_equal(solve(&first, before, &opts), 0);
		assert_int_equal(solve_confirmed(&s, now, &first, &opts), 0);
		assert_int_equal(s.nfindings, rows[i].verdict ? 1 : 0);
		if (rows[i].verdict)
			assert_string_equal(wg_verdict_word(s.findings[0].verdict), rows[i].verdict);
		solution_release(&s);
		solution_release(&first);
		waitgraph_free(before);
		waitgraph_free(now);
	}
}

static void a_tid_in_two_processes_is_let_go(void **state)
{
	struct waitgraph *g = waitgraph_new();
	struct wg_thread t = thread(1, 0, WG_READ, pid_of(g, 2));

	(void)state;
	wg_thread(g, &t);
	t.pid = 3;
	wg_thread(g, &t);
	waits(g, 2, 0, WG_READ, pid_of(g, 1));
	assert_findings(g, "");
}

static void words_go_both_ways(void **state)
{
	(void)state;
	for (int v = WG_PROVEN; v < WG_VERDICT_MAX; v++)
		assert_int_equal(wg_verdict_parse(wg_verdict_word((enum wg_verdict)v)), v);
	assert_int_equal(wg_verdict_parse("dead"), -1);
	for (int w = 0; w < WG_WAIT_MAX; w++)
		assert_non_null(wg_wait_word((enum wg_wait)w));
	for (int o = 0; o < WG_OUTSIDE_MAX; o++)
		assert_non_null(wg_outside_word((enum wg_outside)o));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_that_wait_for_each_other),
		cmocka_unit_test(the_cycle_is_in_its_order_and_the_rest_are_victims),
		cmocka_unit_test(whoever_waits_for_itself),
		cmocka_unit_test(one_live_thread_of_a_holder_saves_all),
		cmocka_unit_test(one_live_holder_of_three_saves_all),
		cmocka_unit_test(all_of_needs_every_one),
		cmocka_unit_test(a_cycle_with_an_edge_to_another_cycle_is_still_one),
		cmocka_unit_test(k_of_n_counts_weights),
		cmocka_unit_test(join_of_a_thread_is_of_that_thread),
		cmocka_unit_test(outside_rescues_as_far_as_its_level),
		cmocka_unit_test(what_is_missing_is_unknown_and_proves_nothing),
		cmocka_unit_test(only_who_is_known_to_be_gone_orphans),
		cmocka_unit_test(a_guess_proves_nothing),
		cmocka_unit_test(each_waiting_for_the_other_to_speak_is_quiescent),
		cmocka_unit_test(one_that_does_not_just_listen_makes_it_a_deadlock),
		cmocka_unit_test(an_idle_daemon_is_no_finding),
		cmocka_unit_test(a_queue_that_nobody_fills_is_closed_world),
		cmocka_unit_test(the_pauser_at_the_bottom_is_named),
		cmocka_unit_test(a_leak_is_named_when_it_alone_rescues),
		cmocka_unit_test(long_waits_for_a_live_one_are_slow),
		cmocka_unit_test(a_victim_that_a_newcomer_could_free_says_so),
		cmocka_unit_test(a_dead_thread_lacks_only_the_dead),
		cmocka_unit_test(what_moved_between_two_passes_is_not_dead),
		cmocka_unit_test(a_finding_is_one_in_both_passes_and_as_weak_as_the_weaker),
		cmocka_unit_test(a_tid_in_two_processes_is_let_go),
		cmocka_unit_test(words_go_both_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
