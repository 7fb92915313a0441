// SPDX-License-Identifier: GPL-2.0-or-later
/* Locks by the operations told: who waited and held longest, and which orders of nesting may clash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "lib/analysis/locks.h"

enum { A = 1, B, C, D };
static struct locks *l;
static uint64_t now;

static int setup(void **state)
{
	(void)state;
	now = 1000;
	l = locks_new();
	return l ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	locks_free(l);
	return 0;
}

static void put(uint32_t tid, uint16_t op, uint64_t chan, int64_t mtype, uint64_t slept_ns, uint32_t flags)
{
	struct ev_io e = {
		.hdr = { .t_ns = now, .type = EV_IO, .size = sizeof(e), .flags = flags },
		.enter_ns = now, .chan = chan, .mtype = mtype, .slept_ns = slept_ns, .pid = tid, .tid = tid, .op = op,
	};
	assert_int_equal(locks_io(l, &e), 0);
}

static void nests(uint32_t tid, uint64_t held, uint64_t got)
{
	now += 10;
	put(tid, OP_LOCK_ORDER, held, 0, 0, 0);
	put(tid, OP_LOCK_ORDER, got, 0, 0, IO_HALF);
}

static void reads(uint32_t tid, uint64_t held, int held_reading, uint64_t got, int got_reading)
{
	now += 10;
	put(tid, OP_LOCK_ORDER, held, held_reading, 0, 0);
	put(tid, OP_LOCK_ORDER, got, got_reading, 0, IO_HALF);
}

static size_t cycles(struct lock_cycle *first)
{
	size_t n;
	struct lock_cycle *found = locks_find_cycles(l, &n);
	if (n && first)
		*first = found[0];
	free(found);
	return n;
}

static void the_longest_is_kept_with_its_owner(void **state)
{
	(void)state;
	now = 100000;
	put(1, OP_MUTEX_LOCK, A, 0, 0, 0);
	put(2, OP_MUTEX_LOCK, A, 0, 300, 0);
	put(3, OP_MUTEX_LOCK, A, 0, 700, 0);
	put(2, OP_MUTEX_LOCK, A, 0, 500, 0);
	put(1, OP_MUTEX_UNLOCK, A, 900, 0, 0);
	put(2, OP_MUTEX_UNLOCK, A, 100, 0, 0);
	put(2, OP_MUTEX_UNLOCK, A, 0, 0, 0); /* got by another */
	put(1, OP_RWLOCK_RDLOCK, B, 0, 2000, 0);
	put(1, OP_FUTEX, C, 0, 9000, 0); /* a futex, not known to be a lock */
	put(1, OP_SEM_WAIT, D, 0, 9000, 0);
	assert_int_equal(locks_sort(l), 0);
	assert_int_equal(locks_count(l), 2);
	assert_int_equal(locks_stat(l, 0)->chan, B);
	const struct lock_stat *s = locks_stat(l, 1);
	assert_int_equal(s->waits, 3);
	assert_int_equal(s->wait_total_ns, 1500);
	assert_int_equal(s->wait.ns, 700);
	assert_int_equal(s->wait.tid, 3);
	assert_int_equal(s->holds, 2);
	assert_int_equal(s->hold_total_ns, 1000);
	assert_int_equal(s->hold.tid, 1);
	assert_int_equal(s->hold.t_ns, 100000 - 900);
}

static void opposite_orders_of_two_threads_are_an_inversion(void **state)
{
	struct lock_cycle c;
	(void)state;
	nests(1, A, B);
	nests(2, B, A);
	assert_int_equal(cycles(&c), 1);
	assert_int_equal(c.n, 2);
	assert_int_equal(c.step[0].tid, 1);
	assert_int_equal(c.step[0].held, A);
	assert_int_equal(c.step[0].got, B);
	assert_int_equal(c.step[0].t_ns, 1010);
	assert_int_equal(c.step[1].tid, 2);
	assert_int_equal(c.step[1].held, B);
	assert_int_equal(c.step[1].got, A);
}

static void one_order_is_none(void **state)
{
	(void)state;
	for (uint32_t tid = 1; tid < 5; tid++) {
		nests(tid, A, B);
		nests(tid, B, C);
		nests(tid, A, C);
		nests(tid, C, D);
	}
	assert_int_equal(cycles(NULL), 0);
}

static void a_thread_does_not_meet_itself(void **state)
{
	(void)state;
	nests(1, A, B);
	nests(1, B, A);
	assert_int_equal(cycles(NULL), 0);
	nests(2, A, B); /* but it may meet another that does the same */
	assert_int_equal(cycles(NULL), 1);
}

static void a_circle_of_three_is_one(void **state)
{
	struct lock_cycle c;
	(void)state;
	nests(1, A, B);
	nests(2, B, C);
	assert_int_equal(cycles(NULL), 0);
	nests(3, C, A);
	assert_int_equal(cycles(&c), 1);
	assert_int_equal(c.n, 3);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(c.step[i].got, c.step[(i + 1) % 3].held);
}

static void readers_do_not_get_into_each_others_way(void **state)
{
	(void)state;
	reads(1, A, 1, B, 0);
	reads(2, B, 0, A, 1); /* A is read by both */
	assert_int_equal(cycles(NULL), 0);
	reads(3, B, 0, A, 0); /* one that would write it */
	assert_int_equal(cycles(NULL), 1);
}

static void half_a_pair_is_passed_over(void **state)
{
	(void)state;
	put(1, OP_LOCK_ORDER, B, 0, 0, IO_HALF); /* the first row was lost */
	put(2, OP_LOCK_ORDER, B, 0, 0, 0);
	now += 5;
	put(2, OP_LOCK_ORDER, A, 0, 0, IO_HALF); /* of another instant */
	nests(3, A, B);
	assert_int_equal(cycles(NULL), 0);
}

static void many_orders_are_bounded(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 70000; i++)
		nests(1, 10 + i, 11 + i);
	assert_int_equal(locks_dropped(l), 70000 - 65536);
	assert_int_equal(cycles(NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
		TEST(the_longest_is_kept_with_its_owner),
		TEST(opposite_orders_of_two_threads_are_an_inversion),
		TEST(one_order_is_none),
		TEST(a_thread_does_not_meet_itself),
		TEST(a_circle_of_three_is_one),
		TEST(readers_do_not_get_into_each_others_way),
		TEST(half_a_pair_is_passed_over),
		TEST(many_orders_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
