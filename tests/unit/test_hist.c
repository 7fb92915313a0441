// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base/hist.h"

static char *text_of(const struct hist *h)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	assert_non_null(f);
	assert_int_equal(hist_print(h, f), 0);
	fclose(f);
	return text;
}

static void assert_text(const struct hist *h, const char *expected)
{
	char *text = text_of(h);
	assert_string_equal(text, expected);
	free(text);
}

static void an_empty_one_says_nothing(void **state)
{
	(void)state;
	struct hist h = {0};
	assert_int_equal(hist_percentile(&h, 50), 0);
	assert_text(&h, "");
	assert_int_equal(hist_add(&h, 5, 0), 0);
	assert_int_equal(h.count, 0);
	hist_release(&h);
}

static void small_values_are_exact(void **state)
{
	(void)state;
	struct hist h = {0};
	for (uint64_t v = 0; v < 32; v++)
		assert_int_equal(hist_add(&h, v, 1), 0);
	assert_int_equal(h.count, 32);
	assert_int_equal(h.sum, 31 * 32 / 2);
	assert_int_equal(h.min, 0);
	assert_int_equal(h.max, 31);
	for (uint64_t v = 0; v < 32; v++)
		assert_int_equal(hist_percentile(&h, 100.0 * (double)(v + 1) / 32), v);
	hist_release(&h);
}

static void buckets_begin_where_the_text_says(void **state)
{
	(void)state;
	struct hist h = {0};
	hist_add(&h, 0, 2);
	hist_add(&h, 33, 1);   /* [32, 34) */
	hist_add(&h, 1000, 3); /* [992, 1024) */
	hist_add(&h, 1ull << 63, 1);
	hist_add(&h, UINT64_MAX, 1); /* [2^64 - 2^59, 2^64) */
	assert_text(&h, "0:2 32:1 992:3 9223372036854775808:1 17870283321406128128:1");
	assert_int_equal(h.max, UINT64_MAX);
	assert_int_equal(hist_percentile(&h, 100), UINT64_MAX - (1ull << 58));
	hist_release(&h);
	assert_int_equal(h.count, 0);
	assert_null(hist_counters(&h, 0));
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static void percentiles_are_within_a_sixteenth(void **state)
{
	(void)state;
	enum { N = 20000 };
	static uint64_t v[N];
	srandom(7);
	for (int round = 0; round < 8; round++) {
		struct hist h = {0};
		for (int i = 0; i < N; i++) {
			v[i] = ((uint64_t)random() << 32 | (uint64_t)random()) >>
			       (round == 0 ? 0 : random() % 60);
			assert_int_equal(hist_add(&h, v[i], 1), 0);
		}
		qsort(v, N, sizeof(v[0]), by_value);
		for (int percent = 0; percent <= 100; percent++) {
			size_t rank = (size_t)ceil(percent / 100.0 * N);
			double truth = (double)v[rank ? rank - 1 : 0];
			double got = (double)hist_percentile(&h, percent);
			assert_true(fabs(got - truth) <= truth / 16);
		}
		assert_int_equal(h.min, v[0]);
		assert_int_equal(h.max, v[N - 1]);
		hist_release(&h);
	}
}

static void percentiles_never_leave_the_extremes(void **state)
{
	(void)state;
	struct hist h = {0};
	hist_add(&h, 1023, 1); /* the middle of its bucket would be 1007 */
	assert_int_equal(hist_percentile(&h, 0), 1023);
	assert_int_equal(hist_percentile(&h, 50), 1023);
	assert_int_equal(hist_percentile(&h, 100), 1023);
	assert_int_equal(hist_percentile(&h, -5), 1023);
	assert_int_equal(hist_percentile(&h, 500), 1023);
	assert_int_equal(hist_percentile(&h, NAN), 1023);
	hist_release(&h);
}

static void merging_is_adding(void **state)
{
	(void)state;
	struct hist a = {0}, b = {0}, both = {0};
	srandom(3);
	for (int i = 0; i < 1000; i++) {
		uint64_t v = (uint64_t)random() >> (random() % 31);
		hist_add(i % 2 ? &a : &b, v, 1);
		hist_add(&both, v, 1);
	}
	assert_int_equal(hist_merge(&a, &b), 0);
	assert_int_equal(a.count, both.count);
	assert_int_equal(a.sum, both.sum);
	assert_int_equal(a.min, both.min);
	assert_int_equal(a.max, both.max);
	char *expected = text_of(&both);
	assert_text(&a, expected);
	free(expected);
	struct hist none = {0};
	assert_int_equal(hist_merge(&a, &none), 0);
	assert_int_equal(a.min, both.min);
	assert_int_equal(hist_merge(&none, &both), 0);
	assert_int_equal(none.min, both.min);
	hist_release(&a);
	hist_release(&b);
	hist_release(&both);
	hist_release(&none);
}

static void counters_saturate(void **state)
{
	(void)state;
	struct hist h = {0};
	hist_add(&h, 3, UINT32_MAX);
	hist_add(&h, 3, 10);
	hist_add(&h, 4, 1ull << 40);
	assert_int_equal(h.count, UINT32_MAX + 10ull + (1ull << 40));
	assert_text(&h, "3:4294967295 4:4294967295");
	assert_int_equal(hist_percentile(&h, 50), 3);
	assert_int_equal(hist_percentile(&h, 51), 4);
	hist_release(&h);
}

static void text_comes_back_as_it_went(void **state)
{
	(void)state;
	srandom(11);
	for (int round = 0; round < 50; round++) {
		struct hist h = {0}, back = {0};
		for (int i = 0; i < 200; i++)
			hist_add(&h, (uint64_t)random() << 32 >> (random() % 63),
				 (uint64_t)random() % 5);
		char *text = text_of(&h);
		assert_int_equal(hist_parse(&back, text), 0);
		assert_int_equal(back.count, h.count);
		assert_true(back.min <= h.min && back.max >= h.max);
		assert_text(&back, text);
		for (int percent = 5; percent < 100; percent += 10) {
			double a = (double)hist_percentile(&h, percent);
			double b = (double)hist_percentile(&back, percent);
			assert_true(fabs(a - b) <= a / 16);
		}
		free(text);
		hist_release(&h);
		hist_release(&back);
	}
}

static void what_is_not_such_a_text_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
	    "x",
	    "1",
	    "1:",
	    ":1",
	    "1:0",
	    " 1:1",
	    "1:1 ",
	    "1:1  2:1",
	    "1:1,2:1",
	    "-1:1",
	    "+1:1",
	    "1:-1",
	    "33:1",
	    "2:1 1:1",
	    "1:1 1:1",
	    "1:4294967296",
	    "18446744073709551616:1",
	    "1:1\n",
	    "0x10:1",
	    "1:99999999999999999999",
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct hist h = {0};
		assert_int_equal(hist_parse(&h, bad[i]), -EINVAL);
		assert_int_equal(h.count, 0);
		for (int k = 0; k < HIST_OCTAVES; k++)
			assert_null(hist_counters(&h, k));
	}
	struct hist h = {0};
	assert_int_equal(hist_parse(&h, ""), 0);
	assert_int_equal(h.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_empty_one_says_nothing),
	    cmocka_unit_test(small_values_are_exact),
	    cmocka_unit_test(buckets_begin_where_the_text_says),
	    cmocka_unit_test(percentiles_are_within_a_sixteenth),
	    cmocka_unit_test(percentiles_never_leave_the_extremes),
	    cmocka_unit_test(merging_is_adding),
	    cmocka_unit_test(counters_saturate),
	    cmocka_unit_test(text_comes_back_as_it_went),
	    cmocka_unit_test(what_is_not_such_a_text_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
