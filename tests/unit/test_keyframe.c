// SPDX-License-Identifier: GPL-2.0-or-later
/* A model that was saved and loaded goes on as if nothing had been; damaged bytes do no harm. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/model/keyframe.h"
#include "model_story.h"
#include "story.h"

#define KEEP 20 /* so few that folding is all the time */
#define STORY 6000

static struct model *new_model(void)
{
	struct model *m = model_new();
	assert_non_null(m);
	model_set_keep(m, KEEP);
	return m;
}

struct bytes {
	unsigned char *v;
	size_t n;
};

static struct bytes save(const struct model *m)
{
	void *v;
	struct bytes b;
	assert_int_equal(keyframe_save(m, &v, &b.n), 0);
	b.v = v;
	return b;
}

static void assert_same(const struct model *a, const struct model *b)
{
	struct bytes x = save(a), y = save(b);
	assert_int_equal(x.n, y.n);
	assert_memory_equal(x.v, y.v, x.n);
	free(x.v);
	free(y.v);
}

/* Events [from, to) of a story. */
static void tell_events(struct model *m, unsigned int seed, int from, int to)
{
	for (int i = from; i < to; i++)
		model_apply(m, story_event(seed, i));
}

static void what_was_loaded_goes_on_as_what_was_saved(void **state)
{
	(void)state;
	struct m_folded folded = {0};
	for (unsigned int seed = 1; seed <= 40; seed++) {
		struct model *a = new_model(), *b = new_model();
		unsigned int state_ = seed, *r = &state_;
		int at = (int)PICK(STORY);
		tell_events(a, seed, 0, at);
		struct bytes k = save(a);
		tell_events(b, seed + 1, 0, 100); /* what was in it is gone */
		assert_int_equal(keyframe_load(b, k.v, k.n), 0);
		char *x = dump(a), *y = dump(b);
		assert_string_equal(x, y);
		free(x);
		free(y);
		assert_same(a, b);
		for (int i = at; i < STORY; i += 500) {
			tell_events(a, seed, i, i + 500);
			tell_events(b, seed, i, i + 500);
			assert_same(a, b);
		}
		x = dump(a), y = dump(b);
		assert_string_equal(x, y);
		assert_true(strlen(x) > 1000);
		folded = model_folded(a);
		assert_true(folded.procs > 0 && folded.chans > 0 && folded.endpoints > 0);
		free(x);
		free(y);
		free(k.v);
		model_free(a);
		model_free(b);
	}
}

static void an_empty_model_is_a_keyframe_too(void **state)
{
	(void)state;
	struct model *a = new_model(), *b = new_model();
	struct bytes k = save(a);
	tell_events(b, 3, 0, 1000);
	assert_int_equal(keyframe_load(b, k.v, k.n), 0);
	assert_null(model_procs(b));
	assert_same(a, b);
	tell_events(a, 5, 0, 1000);
	tell_events(b, 5, 0, 1000);
	assert_same(a, b);
	free(k.v);
	model_free(a);
	model_free(b);
}

static void one_that_keeps_another_number_is_refused(void **state)
{
	(void)state;
	struct model *a = new_model(), *b = model_new();
	tell_events(a, 1, 0, 500);
	struct bytes k = save(a);
	assert_int_equal(keyframe_load(b, k.v, k.n), -EBADMSG);
	model_set_keep(b, KEEP);
	assert_int_equal(keyframe_load(b, k.v, k.n), 0);
	assert_int_equal(keyframe_load(b, k.v, k.n - 1), -EBADMSG);
	assert_null(model_procs(b)); /* empty, and of use */
	assert_int_equal(keyframe_load(b, k.v, 0), -EBADMSG);
	tell_events(b, 1, 0, 500);
	assert_same(a, b);
	free(k.v);
	model_free(a);
	model_free(b);
}

/* The sanitizers say what `no harm` means. Some damage cannot be noticed: then the story goes on. */
static void damaged_bytes_do_no_harm(void **state)
{
	(void)state;
	int refused = 0, taken = 0;
	for (unsigned int seed = 1; seed <= 12; seed++) {
		struct model *a = new_model();
		tell_events(a, seed, 0, 2500);
		struct bytes k = save(a);
		unsigned int state_ = seed, *r = &state_;
		for (int i = 0; i < 150; i++) {
			struct model *b = new_model();
			unsigned char *damaged = malloc(k.n);
			size_t n = PICK(8) ? k.n : PICK((unsigned int)k.n);
			assert_non_null(damaged);
			memcpy(damaged, k.v, k.n);
			for (unsigned int flips = 1 + PICK(3); flips; flips--)
				damaged[PICK((unsigned int)k.n)] ^= (unsigned char)(1u << PICK(8));
			int err = keyframe_load(b, damaged, n);
			assert_true(err == 0 || err == -EBADMSG);
			refused += err != 0;
			taken += err == 0;
			tell_events(b, seed, 2500, 4000); /* ends, folds and frees all there is */
			model_free(b);
			free(damaged);
		}
		free(k.v);
		model_free(a);
	}
	assert_true(refused > 100 && taken > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_was_loaded_goes_on_as_what_was_saved),
	    cmocka_unit_test(an_empty_model_is_a_keyframe_too),
	    cmocka_unit_test(one_that_keeps_another_number_is_refused),
	    cmocka_unit_test(damaged_bytes_do_no_harm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
