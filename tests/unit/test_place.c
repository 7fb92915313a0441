// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Streams whose operations tell their position: which bytes are meant is then no matter of order.
 * Process A writes from side A, B reads at side B.
 */
#include "match_story.h"

static struct model *with_tcp(uint64_t backlog)
{
	struct model *m = model_new();
	struct ev_chan *c = make_chan(1, KIND_TCP, SHAPE_STREAM, 1);
	c->backlog = backlog;
	assert_int_equal(model_apply(m, &c->hdr), 0);
	return m;
}

static struct ev_io *placed(struct ev_io *io, uint32_t end)
{
	io->hdr.flags |= IO_POS;
	io->mtype = end;
	return io;
}

static void wrote(struct model *m, uint64_t t_ns, uint32_t pid, uint64_t bytes, uint32_t end)
{
	tell(m, placed(make_write(t_ns, pid, 1, bytes), end));
}

static void did_read(struct model *m, uint64_t t_ns, uint32_t pid, uint64_t bytes, uint32_t end)
{
	struct ev_io *io = placed(make_read(t_ns, pid, 1, bytes), end);
	io->hdr.flags |= IO_SIDE_B;
	tell(m, io);
}

static uint64_t bytes(const struct model *m, uint32_t src, uint32_t dst)
{
	const struct m_flow *f = flow(m, src, dst);
	return f ? f->bytes : 0;
}

static void in_step_it_is_as_without(void **state)
{
	(void)state;
	struct model *m = with_tcp(0);
	wrote(m, 1000, A, 100, 100);
	did_read(m, 2000, B, 60, 60);
	wrote(m, 3000, A, 50, 150);
	did_read(m, 4000, B, 90, 150);
	assert_int_equal(bytes(m, A, B), 150);
	assert_int_equal(flow(m, A, B)->messages, 2);
	assert_false(flow(m, A, B)->approximate);
	assert_null(flow(m, 0, B));
	assert_int_equal(model_chan(m, 1)->unread_bytes, 0);
	model_free(m);
}

static void positions_go_round(void **state)
{
	(void)state;
	struct model *m = with_tcp(0);
	wrote(m, 1000, A, 100, 50); /* from 2^32 - 50 */
	did_read(m, 2000, B, 60, 10);
	did_read(m, 3000, B, 40, 50);
	assert_int_equal(bytes(m, A, B), 100);
	assert_null(flow(m, 0, B));
	model_free(m);
}

static void what_lay_there_before_is_not_taken_for_the_first_write(void **state)
{
	(void)state;
	struct model *m = with_tcp(70);
	wrote(m, 1000, A, 100, 1170);
	did_read(m, 2000, B, 70, 1070);
	assert_int_equal(bytes(m, 0, B), 70);
	assert_int_equal(bytes(m, A, B), 0);
	did_read(m, 3000, B, 100, 1170);
	assert_int_equal(bytes(m, 0, B), 70);
	assert_int_equal(bytes(m, A, B), 100);
	assert_false(flow(m, A, B)->approximate);
	assert_int_equal(model_chan(m, 1)->unread_bytes, 0);
	model_free(m);
}

static void a_lost_write_leaves_a_hole_of_its_size(void **state)
{
	(void)state;
	struct model *m = with_tcp(0);
	wrote(m, 1000, A, 100, 100);
	/* 100 to 130 were written, and nobody saw it */
	wrote(m, 1500, A, 20, 150);
	assert_int_equal(model_apply(m, &make_lost(LOST_RING_OP, 0, 1)->hdr), 0);
	did_read(m, 2000, B, 110, 110);
	did_read(m, 3000, B, 40, 150);
	assert_int_equal(bytes(m, A, B), 120);
	assert_int_equal(bytes(m, 0, B), 30);
	assert_false(flow(m, A, B)->approximate); /* for all the loss */
	model_free(m);
}

static void a_lost_read_does_not_shift_the_next(void **state)
{
	(void)state;
	struct model *m = with_tcp(0);
	wrote(m, 1000, A, 100, 100);
	wrote(m, 1100, A, 50, 150);
	did_read(m, 2000, B, 20, 150); /* 0 to 130 were read by somebody out of sight */
	assert_int_equal(bytes(m, A, B), 20);
	assert_int_equal(bytes(m, A, 0), 130);
	assert_int_equal(flow(m, A, B)->messages, 1);
	assert_int_equal(flow(m, A, 0)->messages, 1);
	assert_int_equal(model_chan(m, 1)->unread_bytes, 0);
	model_free(m);
}

static void a_read_seen_first_is_settled_by_the_write_of_its_bytes(void **state)
{
	(void)state;
	struct model *m = with_tcp(0);
	did_read(m, 1000, B, 30, 1030); /* older than what A is seen writing */
	did_read(m, 1001, B, 30, 1060);
	wrote(m, 1005, A, 20, 1060); /* 1040 to 1060: only the end of the second one */
	assert_int_equal(bytes(m, A, B), 20);
	assert_int_equal(bytes(m, 0, B), 40);
	assert_false(flow(m, A, B)->approximate);
	wrote(m, 1006, A, 20, 1080);
	assert_int_equal(model_chan(m, 1)->unread_bytes, 20);
	did_read(m, 1020, B, 20, 1080);
	assert_int_equal(bytes(m, A, B), 40);
	model_free(m);
}

static void a_write_that_was_partly_read_out_of_sight_pays_for_the_rest(void **state)
{
	(void)state;
	struct model *m = with_tcp(0);
	did_read(m, 1000, B, 10, 1060);
	wrote(m, 1005, A, 60, 1060); /* 1000 to 1050 went elsewhere */
	assert_int_equal(bytes(m, A, B), 10);
	assert_int_equal(bytes(m, A, 0), 50);
	assert_int_equal(bytes(m, 0, B), 0);
	model_free(m);
}

/* Two threads return from their writes at once: both see the position behind both. */
static void a_second_thread_ends_belief_in_positions(void **state)
{
	(void)state;
	struct model *m = with_tcp(0);
	wrote(m, 1000, A, 10, 20);
	did_read(m, 1001, B, 10, 10);
	assert_int_equal(bytes(m, 0, B), 10); /* so it seems */
	struct ev_io *other = placed(make_write(1002, A, 1, 10), 20);
	other->tid = A + 1;
	tell(m, other);
	did_read(m, 1003, B, 10, 20);
	assert_int_equal(bytes(m, A, B), 10);
	assert_int_equal(model_chan(m, 1)->unread_bytes, 0); /* in step again */
	for (uint32_t i = 1; i <= 3; i++) {
		other = placed(make_write(2000 + 100 * i, A, 1, 10), 777 * i);
		other->tid = A + 1;
		tell(m, other);
		did_read(m, 2050 + 100 * i, B, 10, 20 + 10 * i);
	}
	assert_int_equal(bytes(m, A, B), 40);
	model_free(m);
}

/* ---- several threads whose positions are sure ---- */

static void wrote_for_sure(struct model *m, uint64_t t_ns, uint32_t pid, uint64_t n, uint32_t end)
{
	struct ev_io *io = placed(make_write(t_ns, pid, 1, n), end);
	io->hdr.flags |= IO_POS_SURE;
	tell(m, io);
}

static void read_for_sure(struct model *m, uint64_t t_ns, uint32_t pid, uint64_t n, uint32_t end)
{
	struct ev_io *io = placed(make_read(t_ns, pid, 1, n), end);
	io->hdr.flags |= IO_SIDE_B | IO_POS_SURE;
	tell(m, io);
}

static void sure_positions_hold_however_many_write_and_read(void **state)
{
	(void)state;
	struct model *m = with_tcp(0);
	wrote_for_sure(m, 1000, A, 10, 10);
	wrote_for_sure(m, 1001, C, 5, 15); /* while A is in its write */
	wrote_for_sure(m, 1002, A, 10, 25);
	read_for_sure(m, 1003, B, 12, 12);
	read_for_sure(m, 1004, B + 1, 13, 25);
	assert_int_equal(bytes(m, A, B), 10);
	assert_int_equal(bytes(m, C, B), 2);
	assert_int_equal(bytes(m, C, B + 1), 3);
	assert_int_equal(bytes(m, A, B + 1), 10);
	for (const struct m_flow *f = model_flows(m); f; f = f->next)
		assert_false(f->approximate);
	assert_int_equal(model_chan(m, 1)->unread_bytes, 0);
	model_free(m);
}

static void a_sure_write_told_late_goes_where_it_lies(void **state)
{
	(void)state;
	struct model *m = with_tcp(0);
	wrote_for_sure(m, 1000, A, 10, 10);
	wrote_for_sure(m, 1002, A, 10, 25);
	wrote_for_sure(m, 1001, C, 5, 15);
	read_for_sure(m, 1003, B, 25, 25);
	assert_int_equal(bytes(m, A, B), 20);
	assert_int_equal(bytes(m, C, B), 5);
	assert_null(flow(m, 0, B));
	model_free(m);
}

/* C's long write slept for room, and A came in between: where C's bytes lie is not known. */
static void what_lies_loose_fills_the_gaps_and_is_marked(void **state)
{
	(void)state;
	struct model *m = with_tcp(0);
	wrote_for_sure(m, 1000, A, 10, 10);
	wrote_for_sure(m, 1001, A, 10, 50); /* 10 to 40 are C's */
	struct ev_io *io = placed(make_write(1002, C, 1, 60), 80);
	tell(m, io); /* and 50 to 80 */
	read_for_sure(m, 1003, B, 80, 80);
	assert_int_equal(bytes(m, A, B), 20);
	assert_false(flow(m, A, B)->approximate);
	assert_int_equal(bytes(m, C, B), 60);
	assert_true(flow(m, C, B)->approximate);
	assert_null(flow(m, 0, B));
	assert_int_equal(model_chan(m, 1)->unread_bytes, 0);
	model_free(m);
}

/* The same with reads that return before the long write does. */
static void what_lies_loose_may_be_read_before_it_is_told(void **state)
{
	(void)state;
	struct model *m = with_tcp(0);
	wrote_for_sure(m, 1000, A, 10, 10);
	wrote_for_sure(m, 1001, C + 1, 1, 11);
	read_for_sure(m, 1002, B, 11, 11);
	read_for_sure(m, 1003, B, 39, 50); /* 11 to 40 are C's, then A's, which is told after it */
	wrote_for_sure(m, 1004, A, 10, 50);
	read_for_sure(m, 1005, B, 30, 80);
	assert_int_equal(bytes(m, A, B), 20);
	assert_false(flow(m, A, B)->approximate);
	assert_int_equal(bytes(m, 0, B), 59);
	struct ev_io *io = placed(make_write(1006, C, 1, 59), 80);
	io->enter_ns = 990;
	tell(m, io);
	assert_int_equal(bytes(m, C, B), 59);
	assert_true(flow(m, C, B)->approximate);
	assert_int_equal(bytes(m, 0, B), 0);
	assert_int_equal(model_chan(m, 1)->unread_bytes, 0);
	assert_true(model_chan(m, 1)->unread_known);
	model_free(m);
}

/* More gaps than can be kept: nothing breaks, and what is known stays right. */
static void gaps_without_end_stay_with_nobody(void **state)
{
	(void)state;
	struct model *m = with_tcp(0);
	wrote_for_sure(m, 1000, A, 10, 10);
	wrote_for_sure(m, 1001, C, 10, 20);
	read_for_sure(m, 1002, B, 20, 20);
	uint32_t at = 20;
	for (uint32_t i = 0; i < 5000; i++, at += 20) {
		read_for_sure(m, 2000 + 2 * i, B, 20, at + 20);
		wrote_for_sure(m, 2001 + 2 * i, i % 2 ? A : C, 10, at + 20); /* the second half of it */
	}
	assert_int_equal(bytes(m, A, B), 10 + 2500 * 10);
	assert_int_equal(bytes(m, C, B), 10 + 2500 * 10);
	assert_int_equal(bytes(m, 0, B), 5000 * 10);
	assert_false(flow(m, A, B)->approximate);
	model_free(m);
}

/* No thread's positions but the first one's are believed where they are not sure: as before. */
static void a_first_thread_that_was_sure_was_right(void **state)
{
	(void)state;
	struct model *m = with_tcp(0);
	wrote_for_sure(m, 1000, A, 10, 20); /* 0 to 10 was written out of sight */
	read_for_sure(m, 1001, B, 10, 10);
	wrote_for_sure(m, 1002, C, 10, 30);
	read_for_sure(m, 1003, B, 20, 30);
	assert_int_equal(bytes(m, 0, B), 10);
	assert_int_equal(bytes(m, A, B), 10);
	assert_int_equal(bytes(m, C, B), 10);
	model_free(m);
}

static void readers_that_share_are_matched_in_order(void **state)
{
	(void)state;
	struct model *m = with_tcp(0);
	for (uint32_t i = 0; i < 10; i++) {
		wrote(m, 1000 + 100 * i, A, 10, 10 + 10 * i);
		did_read(m, 1050 + 100 * i, i % 2 ? B : C, 10, 10 * i + (i % 3 ? 10 : 20));
	}
	assert_int_equal(bytes(m, A, C), 50);
	assert_int_equal(bytes(m, A, B), 40); /* 10 of its own were told of as nobody's before */
	assert_int_equal(bytes(m, A, 0), 10);
	assert_int_equal(model_chan(m, 1)->unread_bytes, 0);
	model_free(m);
}

static void of_a_socket_older_than_the_trace_nothing_is_exact_without(void **state)
{
	(void)state;
	struct model *m = model_new();
	struct ev_chan *c = make_chan(1, KIND_UNIX, SHAPE_STREAM, 1);
	assert_int_equal(model_apply(m, &c->hdr), 0);
	struct ev_endpoint *e = make_endpoint(1, B, 1, 3, ENDPOINT_SEEN);
	e->hdr.flags |= EV_SYNTHETIC;
	assert_int_equal(model_apply(m, &e->hdr), 0);
	tell(m, make_write(1000, A, 1, 10));
	struct ev_io *io = make_read(2000, B, 1, 10);
	io->hdr.flags |= IO_SIDE_B;
	tell(m, io);
	assert_int_equal(bytes(m, A, B), 10);
	assert_true(flow(m, A, B)->approximate);
	model_free(m);
}

struct told {
	uint64_t times, bytes, end_ns;
};

static void witness(void *arg, const struct m_flow *f, uint64_t read_end_ns, uint64_t n)
{
	struct told *t = arg;
	assert_int_equal(f->dst->pid, B);
	t->times++;
	t->bytes += n;
	t->end_ns = read_end_ns;
}

static void a_witness_is_told_which_read_it_was(void **state)
{
	(void)state;
	struct told t = {0};
	struct model *m = with_tcp(0);
	model_set_witness(m, witness, &t);
	wrote(m, 1000, A, 100, 100);
	did_read(m, 2000, B, 60, 60);
	assert_int_equal(t.times, 1);
	assert_int_equal(t.bytes, 60);
	assert_int_equal(t.end_ns, 2010);
	did_read(m, 3000, B, 60, 120); /* 20 of it are not seen written yet */
	assert_int_equal(t.bytes, 100);
	assert_int_equal(t.end_ns, 3010);
	t.end_ns = 0;
	wrote(m, 3005, A, 20, 120);
	assert_int_equal(t.bytes, 120);
	assert_int_equal(t.end_ns, 3010);
	model_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(in_step_it_is_as_without),
	    cmocka_unit_test(positions_go_round),
	    cmocka_unit_test(what_lay_there_before_is_not_taken_for_the_first_write),
	    cmocka_unit_test(a_lost_write_leaves_a_hole_of_its_size),
	    cmocka_unit_test(a_lost_read_does_not_shift_the_next),
	    cmocka_unit_test(a_read_seen_first_is_settled_by_the_write_of_its_bytes),
	    cmocka_unit_test(a_write_that_was_partly_read_out_of_sight_pays_for_the_rest),
	    cmocka_unit_test(a_second_thread_ends_belief_in_positions),
	    cmocka_unit_test(sure_positions_hold_however_many_write_and_read),
	    cmocka_unit_test(a_sure_write_told_late_goes_where_it_lies),
	    cmocka_unit_test(what_lies_loose_fills_the_gaps_and_is_marked),
	    cmocka_unit_test(what_lies_loose_may_be_read_before_it_is_told),
	    cmocka_unit_test(gaps_without_end_stay_with_nobody),
	    cmocka_unit_test(a_first_thread_that_was_sure_was_right),
	    cmocka_unit_test(readers_that_share_are_matched_in_order),
	    cmocka_unit_test(of_a_socket_older_than_the_trace_nothing_is_exact_without),
	    cmocka_unit_test(a_witness_is_told_which_read_it_was),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
