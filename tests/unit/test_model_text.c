// SPDX-License-Identifier: GPL-2.0-or-later
/* The canonical text of a model; and sums that agree whatever it was told. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "model_story.h"
#include "story.h"

/* ---- the canonical text ---- */

static void the_text_is_what_was_told(void **state)
{
	(void)state;
	struct model *m = model_new();
	struct ev_task *task = make_task(100, 5, 5, TASK_FORK, "a\033[m");
	task->start_ns = 100;
	tell(m, make_chan(1, KIND_PIPE, SHAPE_STREAM, 0));
	tell(m, task);
	tell(m, make_write(200, 5, 1, 64));
	tell(m, make_read(300, 10, 1, 64));
	char *text = dump(m);
	assert_string_equal(
	    text,
	    "model first=1 now=310 ops=2\n"
	    "proc pid=5/100 first=100 ppid=0 threads=1 waits=0 exited=0 outside=0 exit=0 code=0 "
	    "comm=\"a\\x1B[m\" exe=\"\" args=\"\" cgroup=\"\" "
	    "ops=1 errors=0 blocked=0 slept=0 in=0:0 out=1:64\n"
	    "proc pid=10/0 first=290 ppid=0 threads=1 waits=0 exited=0 outside=0 exit=0 code=0 "
	    "comm=\"\" exe=\"\" args=\"\" cgroup=\"\" "
	    "ops=1 errors=0 blocked=0 slept=0 in=1:64 out=0:0\n"
	    "task proc=5/100 tid=5/100 exited=0 exit=0 comm=\"a\\x1B[m\"\n"
	    "task proc=10/0 tid=10/0 exited=0 exit=0 comm=\"\"\n"
	    "chan id=1 kind=pipe shape=stream duplex=0 remote=0 key=0 ident=\"ident:[1]\" "
	    "name=\"\" "
	    "first=1 last=300 open=0 unread=0 known=1 "
	    "ops=2 errors=0 blocked=0 slept=0 in=1:64 out=1:64 "
	    "latency=1:100:100:100[100:1] sizes=1:64:64:64[64:1]\n"
	    "flow chan=1 src=5/100 dst=10/0 messages=1 bytes=64 first=300 last=300 approximate=0 "
	    "latency=1:100:100:100[100:1]\n");
	free(text);
	model_free(m);
}

/* The first events of a story in which everything happens. */
static void tell_story(struct model *m, unsigned int seed, int until)
{
	for (int i = 0; i < until; i++)
		model_apply(m, story_event(seed, i));
}

static void the_same_events_make_the_same_text(void **state)
{
	(void)state;
	for (unsigned int seed = 1; seed < 20; seed++) {
		struct model *a = model_new(), *b = model_new();
		tell_story(a, seed, 3000);
		void *shift = malloc(12345); /* other addresses for the second */
		tell_story(b, seed, 3000);
		char *x = dump(a), *y = dump(b), *again = dump(a);
		assert_string_equal(x, y);
		assert_string_equal(x, again); /* asking changes nothing */
		assert_true(strlen(x) > 1000);
		tell_story(b, seed + 100, 5);
		char *other = dump(b);
		assert_string_not_equal(x, other);
		free(x);
		free(y);
		free(again);
		free(other);
		free(shift);
		model_free(a);
		model_free(b);
	}
}

/* Sums that must agree whatever is told, hostile or not. */
static void the_books_balance(void **state)
{
	(void)state;
	for (unsigned int seed = 40; seed < 60; seed++) {
		struct model *m = model_new();
		tell_story(m, seed, 5000);
		uint64_t ops = 0, chan_in = 0, chan_out = 0, in = 0, out = 0;
		uint32_t waits = 0, open = 0;
		for (const struct m_proc *p = model_procs(m); p; p = p->next) {
			uint32_t alive = 0, waiting = 0;
			for (const struct m_task *t = p->tasks; t; t = t->sibling) {
				alive += !t->exited;
				waiting += t->wait != NULL;
				assert_false(t->exited && t->wait);
			}
			assert_int_equal(alive, p->nthreads);
			assert_int_equal(waiting, p->nwaits);
			assert_false(p->exited && p->nthreads);
			waits += p->nwaits;
			ops += p->count.ops;
			in += p->count.bytes_in;
			out += p->count.bytes_out;
		}
		for (const struct m_wait *w = model_waits(m); w; w = w->next)
			waits--;
		assert_int_equal(waits, 0);
		for (const struct m_chan *c = model_chans(m); c; c = c->next) {
			chan_in += c->count.bytes_in;
			chan_out += c->count.bytes_out;
			open = 0;
			for (const struct m_endpoint *e = c->endpoints; e; e = e->next) {
				open += e->open;
				assert_false(e->open && (e->proc->exited || e->to_ns));
			}
			assert_int_equal(open, c->nopen);
			assert_true(c->unread_bytes < 1ull << 40); /* never below 0 */
		}
		assert_int_equal(in, chan_in);
		assert_int_equal(out, chan_out);
		assert_true(ops <= model_ops(m));
		for (const struct m_flow *f = model_flows(m); f; f = f->next)
			assert_true(f->messages + f->bytes > 0 && f->first_ns <= f->last_ns);
		model_free(m);
	}
}

/* ---- nonsense ---- */

static void nonsense_is_refused_and_changes_nothing(void **state)
{
	(void)state;
	struct model *m = model_new();
	tell(m, make_write(10, 5, 0, 0));
	char *before = dump(m);
	struct ev_io *io = make_write(20, 6, 1, 1);
	io->op = OP_MAX;
	assert_int_equal(model_apply(m, &io->hdr), -EINVAL);
	io = make_write(20, 6, 1, 1);
	io->hdr.size -= 8;
	assert_int_equal(model_apply(m, &io->hdr), -EINVAL);
	io->hdr.type = EV_TYPE_MAX;
	assert_int_equal(model_apply(m, &io->hdr), -EINVAL);
	assert_int_equal(model_apply(m, &make_chan(0, KIND_PIPE, SHAPE_STREAM, 0)->hdr), -EINVAL);
	assert_int_equal(model_apply(m, &make_chan(9, KIND_MAX, SHAPE_STREAM, 0)->hdr), -EINVAL);
	assert_int_equal(model_apply(m, &make_chan(9, KIND_PIPE, SHAPE_MAX, 0)->hdr), -EINVAL);
	assert_int_equal(model_apply(m, &make_task(9, 7, 7, 0, "x")->hdr), -EINVAL);
	assert_int_equal(model_apply(m, &make_task(9, 7, 7, TASK_EXIT + 1, "x")->hdr), -EINVAL);
	assert_int_equal(model_apply(m, &make_endpoint(9, 7, 0, 3, ENDPOINT_OPEN)->hdr), -EINVAL);
	assert_int_equal(model_apply(m, &make_endpoint(9, 7, 1, -1, ENDPOINT_OPEN)->hdr), -EINVAL);
	assert_int_equal(model_apply(m, &make_endpoint(9, 7, 1, 3, 0)->hdr), -EINVAL);
	assert_int_equal(model_apply(m, &make_wait(9, 7, 1, 0, 1)->hdr), -EINVAL);
	assert_int_equal(model_apply(m, &make_lost(LOST_MAX, 0, 1)->hdr), -EINVAL);
	char *after = dump(m);
	assert_string_equal(before, after);
	free(before);
	free(after);
	model_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nonsense_is_refused_and_changes_nothing),
	    cmocka_unit_test(the_text_is_what_was_told),
	    cmocka_unit_test(the_same_events_make_the_same_text),
	    cmocka_unit_test(the_books_balance),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
