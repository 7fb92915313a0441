// SPDX-License-Identifier: GPL-2.0-or-later
/* Eventfds: whose of the numbers added up each read got, with one reader and several, and semaphores. */
#include "match_story.h"

static struct model *with_eventfd(void) { return with_chan(KIND_EVENTFD, SHAPE_SUM, 0); }

static struct ev_io *moved(struct ev_io *io, uint64_t value)
{
	io->mtype = (int64_t)value;
	return io;
}

static void add(struct model *m, uint64_t t_ns, uint32_t pid, uint64_t value)
{
	tell(m, moved(make_io(t_ns, pid, OP_WRITE, IO_WRITE, 1, 8), value));
}

static void get(struct model *m, uint64_t t_ns, uint32_t pid, uint64_t value)
{
	tell(m, moved(make_io(t_ns, pid, OP_READ, IO_READ, 1, 8), value));
}

static void a_read_gets_all_that_was_added(void **state)
{
	(void)state;
	struct model *m = with_eventfd();
	add(m, 1000, A, 3);
	add(m, 2000, B, 4);
	add(m, 3000, A, 1);
	add(m, 3500, C, 0); /* adds nothing, tells nobody */
	get(m, 4000, D, 8);
	assert_flow(m, A, D, 2, 0); /* a number is no bytes */
	assert_flow(m, B, D, 1, 0);
	assert_int_equal(count_flows(m), 2);
	assert_false(flow(m, A, D)->approximate);
	assert_false(flow(m, B, D)->approximate);
	assert_int_equal(flow(m, A, D)->latency.sum, 3000 + 1000);
	assert_int_equal(unread(m), 0);
	model_free(m);
}

static void a_read_that_slept_needs_no_waker(void **state)
{
	(void)state;
	struct model *m = with_eventfd();
	add(m, 1000, A, 1);
	struct ev_io *io = moved(make_io(1020, B, OP_READ, IO_READ | IO_BLOCKED, 1, 8), 1);
	io->enter_ns = 500;
	io->dur_ns = 600;
	io->slept_ns = 500;
	io->waker_tid = C; /* whoever ran then */
	tell(m, io);
	assert_flow(m, A, B, 1, 0);
	assert_int_equal(count_flows(m), 1);
	model_free(m);
}

static void what_it_begins_with_is_its_makers(void **state)
{
	(void)state;
	struct model *m = with_eventfd();
	struct ev_io *made = moved(make_io(500, A, OP_EVENTFD2, IO_WRITE, 1, 0), 2);
	made->messages = 1;
	tell(m, made);
	get(m, 1000, B, 2);
	assert_flow(m, A, B, 1, 0);
	assert_false(flow(m, A, B)->approximate);
	model_free(m);
}

static void a_semaphore_gives_one_at_a_time(void **state)
{
	(void)state;
	struct model *m = with_eventfd();
	add(m, 1000, A, 3);
	get(m, 2000, B, 1);
	get(m, 3000, C, 1);
	get(m, 4000, B, 1);
	assert_flow(m, A, B, 2, 0);
	assert_flow(m, A, C, 1, 0);
	assert_false(flow(m, A, B)->approximate); /* there is nobody else it could be from */
	add(m, 5000, A, 1);
	add(m, 6000, D, 1);
	get(m, 7000, B, 1); /* of either */
	assert_flow(m, A, B, 3, 0);
	assert_true(flow(m, A, B)->approximate);
	get(m, 8000, C, 1); /* the one that is left */
	assert_flow(m, D, C, 1, 0);
	model_free(m);
}

static void a_read_before_its_write_is_paid_when_the_write_comes(void **state)
{
	(void)state;
	struct model *m = with_eventfd();
	add(m, 900, B, 2);
	get(m, 1000, D, 5);
	assert_flow(m, B, D, 1, 0);
	assert_flow(m, 0, D, 1, 0);
	add(m, 1005, A, 3); /* went on at the same time */
	assert_flow(m, A, D, 1, 0);
	assert_null(flow(m, 0, D));
	assert_false(flow(m, A, D)->approximate);
	get(m, 2000, D, 4);
	add(m, 9000, A, 4); /* too late to have been that */
	assert_flow(m, 0, D, 1, 0);
	assert_flow(m, A, D, 1, 0);
	model_free(m);
}

static void several_readers_make_what_overlaps_approximate(void **state)
{
	(void)state;
	struct model *m = with_eventfd();
	add(m, 100, A, 1);
	get(m, 200, C, 1);
	add(m, 300, A, 1);
	get(m, 400, D, 1);
	assert_false(flow(m, A, C)->approximate);
	add(m, 1000, A, 1);
	get(m, 1004, D, 1);
	add(m, 1008, B, 1); /* may have been what D got */
	get(m, 2000, C, 1);
	assert_flow(m, A, D, 2, 0);
	assert_flow(m, B, C, 1, 0);
	assert_true(flow(m, A, D)->approximate);
	assert_true(flow(m, B, C)->approximate);
	model_free(m);
}

static void one_reader_gets_all_in_whatever_order(void **state)
{
	(void)state;
	struct model *m = with_eventfd();
	for (uint64_t t = 1000; t < 100000; t += 1000) {
		add(m, t, A, 2);
		get(m, t + 4, D, 2);
		add(m, t + 8, B, 2);
		get(m, t + 500, D, 2);
	}
	assert_flow(m, A, D, 99, 0);
	assert_flow(m, B, D, 99, 0);
	assert_false(flow(m, A, D)->approximate || flow(m, B, D)->approximate);
	model_free(m);
}

static void what_was_inside_before_is_nobodys(void **state)
{
	(void)state;
	struct model *m = model_new();
	struct ev_chan *c = make_chan(1, KIND_EVENTFD, SHAPE_SUM, 0);
	c->backlog = 5;
	c->backlog_known = 1;
	assert_int_equal(model_apply(m, &c->hdr), 0);
	assert_int_equal(unread(m), 0);
	add(m, 1000, A, 2);
	get(m, 2000, B, 7);
	assert_flow(m, 0, B, 1, 0);
	assert_flow(m, A, B, 1, 0);
	assert_false(flow(m, A, B)->approximate);
	model_free(m);
}

static void an_unknown_number_makes_the_rest_approximate(void **state)
{
	(void)state;
	struct model *m = with_eventfd();
	struct ev_io *io = make_io(1000, A, OP_WRITE, IO_WRITE | IO_URING, 1, 8);
	tell(m, io);
	get(m, 2000, B, 1);
	assert_flow(m, A, B, 1, 0);
	assert_true(flow(m, A, B)->approximate);
	tell(m, make_io(3000, B, OP_READ, IO_READ | IO_URING, 1, 8)); /* of somebody */
	assert_flow(m, 0, B, 1, 0);
	model_free(m);
}

/* An eventfd that the kernel takes from (KVM, io_uring) is never read: memory stays small, nothing is lost. */
static void what_nobody_reads_has_an_end(void **state)
{
	(void)state;
	struct model *m = with_eventfd();
	for (uint64_t i = 1; i <= 200000; i++)
		add(m, i * 100, A, 1);
	assert_null(model_losses(m));
	get(m, 30000000, B, 200000);
	assert_flow(m, A, B, 200000, 0);
	model_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_read_gets_all_that_was_added),
	    cmocka_unit_test(a_read_that_slept_needs_no_waker),
	    cmocka_unit_test(what_it_begins_with_is_its_makers),
	    cmocka_unit_test(a_semaphore_gives_one_at_a_time),
	    cmocka_unit_test(a_read_before_its_write_is_paid_when_the_write_comes),
	    cmocka_unit_test(several_readers_make_what_overlaps_approximate),
	    cmocka_unit_test(one_reader_gets_all_in_whatever_order),
	    cmocka_unit_test(what_was_inside_before_is_nobodys),
	    cmocka_unit_test(an_unknown_number_makes_the_rest_approximate),
	    cmocka_unit_test(what_nobody_reads_has_an_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
