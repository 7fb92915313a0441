// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/model/filter.h"
#include "make_event.h"

/* Process 100 "server" with thread 101 "worker-1"; channels 1 (pipe), 2 (unix, named), 3 (msg). */
static struct model *world(void)
{
	struct model *m = model_new();
	model_apply(m, &make_task(1, 100, 100, TASK_SEEN, "server")->hdr);
	model_apply(m, &make_task(1, 100, 101, TASK_SEEN, "worker-1")->hdr);
	model_apply(m, &make_chan(1, KIND_PIPE, SHAPE_STREAM, 0)->hdr);
	struct ev_chan *c = make_chan(2, KIND_UNIX, SHAPE_STREAM, 1);
	strcpy(c->name, "/run/app.sock");
	model_apply(m, &c->hdr);
	model_apply(m, &make_chan(3, KIND_MSG, SHAPE_TYPED, 0)->hdr);
	return m;
}

static bool matches_in(const struct model *m, const char *expr, const struct ev_io *io)
{
	struct filter *f;
	struct fail fail = {0};
	int err = filter_new(&f, expr, &fail);
	if (err)
		fail_msg("'%s': %s", expr, fail.what);
	bool yes = filter_match_io(f, m, io);
	filter_free(f);
	return yes;
}

struct row {
	const char *expr;
	bool yes;
};

static void check(const struct ev_io *io, const struct row *rows, size_t n)
{
	struct model *m = world();
	struct ev_io copy = *io;
	for (size_t i = 0; i < n; i++)
		if (matches_in(m, rows[i].expr, &copy) != rows[i].yes)
			fail_msg("'%s' should be %d", rows[i].expr, rows[i].yes);
	model_free(m);
}
#define CHECK(io, ...)                                                                             \
	check(io, (const struct row[]){__VA_ARGS__},                                               \
	      sizeof((const struct row[]){__VA_ARGS__}) / sizeof(struct row))

static void a_null_filter_matches_everything(void **state)
{
	(void)state;
	struct model *m = world();
	assert_true(filter_match_io(NULL, m, make_write(9, 1, 0, 0)));
	model_apply(m, &make_wait(10, 100, 1, WAIT_BEGIN, 5)->hdr);
	assert_true(filter_match_wait(NULL, m, model_waits(m)));
	filter_free(NULL);
	model_free(m);
}

static void kinds(void **state)
{
	(void)state;
	CHECK(make_write(9, 100, 1, 1), {"kind=pipe", true}, {"kind=unix", false},
	      {"kind=unix,pipe", true}, {"!kind=pipe", false}, {"!kind=unix,tcp", true});
	/* a channel nobody announced has no kind */
	CHECK(make_write(9, 100, 77, 1), {"kind=pipe", false}, {"!kind=pipe", true});
	CHECK(make_write(9, 100, 0, 1), {"kind=pipe", false});
}

static void ops_and_their_families(void **state)
{
	(void)state;
	CHECK(make_io(9, 100, OP_PREADV2, IO_READ, 1, 1), {"op=preadv2", true}, {"op=read", true},
	      {"op=recv", false}, {"op=write", false}, {"op=write,read", true});
	CHECK(make_io(9, 100, OP_WRITE, IO_WRITE, 1, 1), {"op=write", true}, {"op=writev", false},
	      {"op=send", false});
	CHECK(make_io(9, 100, OP_SENDMMSG, IO_WRITE, 2, 1), {"op=send", true}, {"op=sendto", false},
	      {"!op=send", false});
	CHECK(make_io(9, 100, OP_MSGRCV, IO_READ, 3, 1), {"op=recv", true});
	CHECK(make_io(9, 100, OP_OPENAT2, 0, 1, 0), {"op=open", true}, {"op=openat", false});
	CHECK(make_io(9, 100, OP_MKNODAT, 0, 1, 0), {"op=create", true});
	CHECK(make_io(9, 100, OP_PIPE2, 0, 1, 0), {"op=create", true}, {"op=pipe", false});
	CHECK(make_io(9, 100, OP_SEMCTL, 0, 1, 0), {"op=ctl", true}, {"op=create", false});
}

static void pids_and_tids(void **state)
{
	(void)state;
	struct ev_io *io = make_write(9, 100, 1, 1);
	io->tid = 101;
	CHECK(io, {"pid=100", true}, {"pid=101", false}, {"tid=101", true}, {"tid=100", false},
	      {"pid=7,100,8", true}, {"!pid=7,8", true}, {"pid=100,tid=100", false});
}

static void comm_is_the_threads_or_its_processs(void **state)
{
	(void)state;
	struct ev_io *io = make_write(9, 100, 1, 1);
	io->tid = 101;
	CHECK(io, {"comm=worker-1", true}, {"comm=server", true}, {"comm=worker-*", true},
	      {"comm=worker", false}, {"comm=x,ser*", true}, {"comm=[a-c]*", false},
	      {"!comm=s*", false}, {"comm=worker?1", true});
	CHECK(make_write(9, 999, 1, 1), {"comm=*", false}); /* a thread not known has no name */
}

static void chan_is_id_name_or_ident(void **state)
{
	(void)state;
	CHECK(make_write(9, 100, 2, 1), {"chan=2", true}, {"chan=3", false},
	      {"chan=/run/app.sock", true}, {"chan=/run/*", true}, {"chan=ident:\\[2\\]", true},
	      {"chan=ident:*", true}, {"chan=1,2", true}, {"chan=[23]", true},
	      {"!chan=*.sock", false}, {"chan=app.sock", false});
	CHECK(make_write(9, 100, 0, 1), {"chan=*", false});
	CHECK(make_write(9, 100, 1, 1), {"chan=?", true});
}

static void numbers_compare_with_units(void **state)
{
	(void)state;
	struct ev_io *io = make_write(9, 100, 1, 4096);
	io->dur_ns = 1500;
	io->slept_ns = 1000;
	io->fd = 3;
	CHECK(io, {"bytes=4096", true}, {"bytes=4k", true}, {"bytes>4k", false},
	      {"bytes>=4k", true}, {"bytes<1m", true}, {"bytes<=4095", false}, {"bytes!=0", true},
	      {"bytes!=4k", false}, {"bytes<1g", true});
	CHECK(io, {"latency>1us", true}, {"latency=1.5us", true}, {"latency<1500ns", false},
	      {"latency<=1500", true}, {"latency>0.001ms", true}, {"latency<1s", true},
	      {"slept=1us", true}, {"slept>1us", false}, {"!slept>1us", true});
	CHECK(io, {"fd=3", true}, {"fd>3", false}, {"fd=-1", false}, {"fd!=-1", true});
	CHECK(io, {"ret=4096", true}, {"ret>0", true}, {"ret<0", false});
	io->ret = -EPIPE;
	CHECK(io, {"ret=-32", true}, {"ret<0", true}, {"ret>=-31", false});
}

static void blocked_and_error(void **state)
{
	(void)state;
	struct ev_io *io = make_write(9, 100, 1, 1);
	CHECK(io, {"blocked", false}, {"error", false}, {"!blocked", true}, {"!error", true});
	io->slept_ns = 5;
	io->hdr.flags |= IO_BLOCKED;
	CHECK(io, {"blocked", true}, {"blocked error", false}, {"blocked,!error", true});
	io->hdr.flags |= IO_ERROR;
	CHECK(io, {"error", true}, {"blocked error", true});
	io->hdr.flags |= IO_KILLED; /* never returned: no value to compare with */
	CHECK(io, {"ret=1", false}, {"ret!=1", false}, {"!ret=1", true});
}

static void terms_are_joined_with_and(void **state)
{
	(void)state;
	CHECK(make_write(9, 100, 1, 10), {"kind=pipe op=write", true}, {"kind=pipe,op=write", true},
	      {"kind=pipe, op=write", true}, {" \t kind=pipe ,, op=write, ", true},
	      {"kind=pipe op=read", false}, {"kind=pipe kind=unix", false},
	      {"kind=unix,pipe,op=read,write,bytes>5", true}, {"kind=pipe,!blocked", true},
	      {"comm=server,blocked", false});
}

static void a_second_expression_narrows_the_first(void **state)
{
	(void)state;
	struct model *m = world();
	struct filter *f;
	struct fail fail = {0};
	assert_int_equal(filter_new(&f, "kind=pipe", &fail), 0);
	struct ev_io small = *make_write(9, 100, 1, 1), large = *make_write(9, 100, 1, 100);
	assert_true(filter_match_io(f, m, &small));
	assert_int_equal(filter_and(f, "bytes>10", &fail), 0);
	assert_false(filter_match_io(f, m, &small));
	assert_true(filter_match_io(f, m, &large));
	/* one that is refused leaves the filter as it was */
	assert_int_equal(filter_and(f, "!bytes>10 pid=4 nonsense", &fail), -EINVAL);
	assert_true(filter_match_io(f, m, &large));
	filter_free(f);
	model_free(m);
}

static bool wait_matches(const struct model *m, const char *expr)
{
	struct filter *f;
	assert_int_equal(filter_new(&f, expr, NULL), 0);
	bool yes = filter_match_wait(f, m, model_waits(m));
	filter_free(f);
	return yes;
}

static void an_open_wait_matches_as_its_operation(void **state)
{
	(void)state;
	struct model *m = world();
	model_apply(m, &make_wait(2000, 100, 2, WAIT_BEGIN, 1000)->hdr);
	assert_true(wait_matches(m, "blocked"));
	assert_false(wait_matches(m, "error"));
	assert_true(wait_matches(m, "op=read kind=unix pid=100 tid=100 comm=server chan=2 fd=3"));
	assert_false(wait_matches(m, "kind=pipe"));
	assert_true(wait_matches(m, "slept=1us"));
	assert_false(wait_matches(m, "slept>1us"));
	assert_true(wait_matches(m, "bytes=0"));
	assert_false(wait_matches(m, "ret=0")); /* it has not returned */
	assert_false(wait_matches(m, "ret!=0"));
	model_apply(m, &make_write(5000, 7, 1, 1)->hdr); /* time goes on */
	assert_true(wait_matches(m, "slept>4us"));
	model_free(m);
}

static void a_filter_decides_what_the_model_counts(void **state)
{
	(void)state;
	struct model *m = world();
	struct filter *f;
	assert_int_equal(filter_new(&f, "pid=100", NULL), 0);
	model_set_filter(m, filter_match_io, f);
	model_apply(m, &make_write(10, 100, 1, 5)->hdr);
	model_apply(m, &make_write(20, 200, 1, 5)->hdr);
	assert_int_equal(model_ops(m), 2);
	assert_int_equal(model_chan(m, 1)->count.ops, 1);
	model_free(m);
	filter_free(f);
}

struct refusal {
	const char *expr, *what, *remedy; /* parts of them */
};

static void every_mistake_is_named_with_its_remedy(void **state)
{
	(void)state;
	static const struct refusal refusals[] = {
	    {"foo", "unknown filter word 'foo'", "kind= op= pid="},
	    {"foo=1", "unknown filter word 'foo'", "blocked, error"},
	    {"kind=pipe foo>3", "unknown filter word 'foo'", "known:"},
	    {"kind=pipe,foo=1", "unknown filter word 'foo'", "known:"},
	    {"Kind=pipe", "unknown filter word 'Kind=pipe'", "known:"},
	    {"bytes4096", "unknown filter word 'bytes4096'", "known:"},
	    {"!!blocked", "unknown filter word '!blocked'", "known:"},
	    {"\033[31m", "unknown filter word", "known:"},
	    {"!", "unknown filter word ''", "known:"},
	    {"", "the filter is empty", "known:"},
	    {" , ", "the filter is empty", "known:"},
	    {"kind=foo", "unknown kind 'foo'", "known kinds: pipe fifo unix tcp udp msg sem shm"},
	    {"kind=pipe,foo", "unknown kind 'foo'", "known kinds:"},
	    {"kind=pipes", "unknown kind 'pipes'", "known kinds:"},
	    {"kind=?", "unknown kind '?'", "known kinds:"},
	    {"op=reed", "unknown op 'reed'", "send recv read write open create ctl"},
	    {"op=a_name_that_is_longer_than_any_call_has", "unknown op 'a_name", "families"},
	    {"pid=abc", "'abc' is not a pid", "pid=123,456"},
	    {"pid=-1", "'-1' is not a pid", "pid=123"},
	    {"pid=0", "'0' is not a pid", "pid=123"},
	    {"tid=99999999999", "'99999999999' is not a tid", "pid=123"},
	    {"pid=4294967295", "is not a pid", "pid=123"},
	    {"kind=", "'kind' has an empty list", "kind=pipe,unix"},
	    {"kind=,pipe", "'kind' has an empty list", "kind=pipe,unix"},
	    {"comm=", "'comm' has an empty list", "comm=python*"},
	    {"kind", "'kind' needs a list", "kind=pipe,unix"},
	    {"kind!=pipe", "takes only =", "kind=pipe,unix"},
	    {"pid>5", "takes only =", "pid=123"},
	    {"bytes", "'bytes' needs a comparison", "bytes>4k"},
	    {"bytes > 4096", "'bytes' needs a comparison", "bytes>4k"},
	    {"bytes!4", "'bytes' needs a comparison", "bytes>4k"},
	    {"bytes>", "needs a size (suffixes k m g), not ''", "bytes>4k"},
	    {"bytes>x", "needs a size (suffixes k m g), not 'x'", "bytes>4k"},
	    {"bytes>4kb", "needs a size", "bytes>4k"},
	    {"bytes>1.5k", "needs a size", "bytes>4k"},
	    {"bytes>-1", "needs a size", "bytes>4k"},
	    {"bytes>99999999999999999999", "needs a size", "bytes>4k"},
	    {"bytes>9999999999g", "needs a size", "bytes>4k"},
	    {"latency>10min", "needs a time (suffixes ns us ms s)", "latency>10us"},
	    {"latency>.5s", "needs a time", "latency>10us"},
	    {"latency>5.", "needs a time", "latency>10us"},
	    {"slept==1", "needs a time", "slept>=1ms"},
	    {"ret<EPIPE", "needs a number, not 'EPIPE'", "ret<0"},
	    {"fd=3k", "needs a number", "fd=3"},
	    {"fd=-", "needs a number", "fd=3"},
	    {"blocked=1", "'blocked' takes no value", "blocked"},
	    {"error!", "'error' takes no value", "error"},
	};
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		const struct refusal *r = &refusals[i];
		struct filter *f = (struct filter *)&f;
		struct fail fail = {0};
		if (filter_new(&f, r->expr, &fail) != -EINVAL || f || fail.err != EINVAL ||
		    !strstr(fail.what, r->what) || !strstr(fail.remedy, r->remedy))
			fail_msg("'%s' gave '%s', '%s'", r->expr, fail.what, fail.remedy);
		assert_int_equal(filter_new(&f, r->expr, NULL), -EINVAL);
	}
}

/* Whatever is typed, the parser answers: no crash, no leak (the sanitizers look on). */
static void random_text_is_parsed_or_refused(void **state)
{
	(void)state;
	static const char *const bits[] = {"kind", "op",  "pid", "comm", "chan", "bytes", "latency",
					   "ret",  "!",   "=",   "<",    ">",    ",",     " ",
					   "pipe", "4k",  "1.5", "us",   "*",    "[",     "blocked",
					   "-",    "999", "\\",  "read", "\377"};
	srandom(29);
	for (int round = 0; round < 20000; round++) {
		char expr[256] = "";
		for (long n = random() % 12; n > 0; n--)
			strcat(expr, bits[(size_t)random() % (sizeof(bits) / sizeof(bits[0]))]);
		struct filter *f;
		struct fail fail = {0};
		int err = filter_new(&f, expr, &fail);
		assert_true(err == 0 || (err == -EINVAL && fail.what[0] && !f));
		filter_free(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_null_filter_matches_everything),
	    cmocka_unit_test(kinds),
	    cmocka_unit_test(ops_and_their_families),
	    cmocka_unit_test(pids_and_tids),
	    cmocka_unit_test(comm_is_the_threads_or_its_processs),
	    cmocka_unit_test(chan_is_id_name_or_ident),
	    cmocka_unit_test(numbers_compare_with_units),
	    cmocka_unit_test(blocked_and_error),
	    cmocka_unit_test(terms_are_joined_with_and),
	    cmocka_unit_test(a_second_expression_narrows_the_first),
	    cmocka_unit_test(an_open_wait_matches_as_its_operation),
	    cmocka_unit_test(a_filter_decides_what_the_model_counts),
	    cmocka_unit_test(every_mistake_is_named_with_its_remedy),
	    cmocka_unit_test(random_text_is_parsed_or_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
