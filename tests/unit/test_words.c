// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/abi/event.h"
#include "lib/abi/words.h"

static void kinds_go_both_ways(void **state)
{
	(void)state;
	int words = 0;
	for (int n = 1; n < KIND_MAX; n++) {
		if (strcmp(kind_word((unsigned int)n), "?") == 0)
			continue;
		assert_int_equal(kind_parse(kind_word((unsigned int)n)), n);
		words++;
	}
#define ONE_KIND(n, id, word, what) +1
	assert_int_equal(words, 0 IPCTAP_KINDS(ONE_KIND));
	assert_string_equal(kind_word(KIND_PIPE), "pipe");
	assert_string_equal(kind_word(KIND_SHM), "shm");
}

static void ops_go_both_ways(void **state)
{
	(void)state;
	int words = 0;
	for (int n = 1; n < OP_MAX; n++) {
		if (strcmp(op_word((unsigned int)n), "?") == 0)
			continue; /* families of calls have ranges of their own */
		assert_int_equal(op_parse(op_word((unsigned int)n)), n);
		words++;
	}
#define ONE(n, id, word) +1
	assert_int_equal(words, 0 IPCTAP_OPS(ONE)); /* every row, and no number twice */
	assert_string_equal(op_word(OP_PREAD64), "pread64");
	assert_string_equal(op_word(OP_CREAT), "creat");
}

static void numbers_out_of_range_give_a_question_mark(void **state)
{
	(void)state;
	assert_string_equal(kind_word(0), "?");
	assert_string_equal(kind_word(KIND_MAX), "?");
	assert_string_equal(op_word(0), "?");
	assert_string_equal(op_word(UINT32_MAX), "?");
	assert_string_equal(shape_word(SHAPE_MAX), "?");
	assert_string_equal(loss_word(LOST_MAX), "?");
	assert_string_equal(loss_what(0), "?");
	assert_string_equal(loss_remedy(UINT32_MAX), "?");
}

static void unknown_words_are_refused(void **state)
{
	(void)state;
	assert_int_equal(kind_parse("pipes"), -1);
	assert_int_equal(kind_parse(""), -1);
	assert_int_equal(kind_parse("?"), -1);
	assert_int_equal(op_parse("Read"), -1);
	assert_int_equal(op_parse("read "), -1);
}

static void every_loss_says_what_and_what_to_do(void **state)
{
	(void)state;
	for (unsigned int n = 1; n < LOST_MAX; n++) {
		assert_string_not_equal(loss_word(n), "?");
		assert_true(strlen(loss_what(n)) > 3);
		assert_true(strlen(loss_remedy(n)) > 3);
	}
	assert_string_equal(loss_word(LOST_RING_OP), "ring-op");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(kinds_go_both_ways),
	    cmocka_unit_test(ops_go_both_ways),
	    cmocka_unit_test(numbers_out_of_range_give_a_question_mark),
	    cmocka_unit_test(unknown_words_are_refused),
	    cmocka_unit_test(every_loss_says_what_and_what_to_do),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
