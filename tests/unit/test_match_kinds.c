// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which read got which write, where neither bytes nor types decide: priorities, direct channels, wakers;
 * and where an end is out of sight: out of the scope, or declined by the filter.
 */
#include "match_story.h"

/* ---- priorities, direct channels ---- */

static struct ev_io *with_type(struct ev_io *io, int64_t mtype, uint16_t messages)
{
	io->mtype = mtype;
	io->messages = messages;
	return io;
}

static void send_prio(struct model *m, uint64_t t_ns, uint32_t pid, int64_t prio, uint64_t bytes)
{
	tell(m, with_type(make_io(t_ns, pid, OP_MQ_TIMEDSEND, IO_WRITE, 1, bytes), prio, 1));
}

static void receive_prio(struct model *m, uint64_t t_ns, uint32_t pid, int64_t prio, uint64_t bytes)
{
	tell(m, with_type(make_io(t_ns, pid, OP_MQ_TIMEDRECEIVE, IO_READ, 1, bytes), prio, 1));
}

static void a_receive_that_does_not_ask_for_the_priority_gets_the_highest(void **state)
{
	(void)state;
	struct model *m = with_chan(KIND_MQ, SHAPE_PRIORITY, 0);
	send_prio(m, 1000, A, 0, 10);
	send_prio(m, 2000, B, 7, 20);
	send_prio(m, 3000, C, 7, 0);
	receive_prio(m, 4000, D, -1, 20);
	assert_flow(m, B, D, 1, 20);
	assert_int_equal(flow(m, B, D)->latency.sum, 2000);
	receive_prio(m, 5000, D, -1, 0); /* an empty message is one, too */
	assert_flow(m, C, D, 1, 0);
	receive_prio(m, 6000, D, -1, 10);
	assert_flow(m, A, D, 1, 10);
	assert_null(flow(m, 0, D));
	assert_int_equal(model_chan(m, 1)->unread_bytes, 0);
	model_free(m);
}

static void a_told_priority_decides(void **state)
{
	(void)state;
	struct model *m = with_chan(KIND_MQ, SHAPE_PRIORITY, 0);
	send_prio(m, 1000, A, 1, 10);
	send_prio(m, 2000, B, 2, 10);
	receive_prio(m, 3000, D, 1, 10); /* took effect before B's, whatever the order told */
	assert_flow(m, A, D, 1, 10);
	assert_null(flow(m, B, D));
	model_free(m);
}

static void a_receive_before_its_send_is_paid_when_the_send_comes(void **state)
{
	(void)state;
	struct model *m = with_chan(KIND_MQ, SHAPE_PRIORITY, 0);
	receive_prio(m, 1000, D, -1, 10);
	assert_flow(m, 0, D, 1, 10);
	struct ev_io *send = with_type(make_io(1005, A, OP_MQ_TIMEDSEND, IO_WRITE, 1, 10), 3, 1);
	tell(m, send);
	assert_flow(m, A, D, 1, 10);
	assert_null(flow(m, 0, D));
	receive_prio(m, 2000, D, -1, 10);
	send_prio(m, 9000, A, 3, 10); /* too late to have been that one */
	assert_flow(m, 0, D, 1, 10);
	assert_flow(m, A, D, 1, 10);
	receive_prio(m, 9500, D, -1, 10);
	assert_flow(m, A, D, 2, 20);
	model_free(m);
}

static void messages_from_before_have_no_sender(void **state)
{
	(void)state;
	struct model *m = model_new();
	struct ev_chan *c = make_chan(1, KIND_MQ, SHAPE_PRIORITY, 0);
	c->backlog = 30;
	assert_int_equal(model_apply(m, &c->hdr), 0);
	receive_prio(m, 1000, D, 4, 30);
	assert_flow(m, 0, D, 1, 30);
	assert_int_equal(model_chan(m, 1)->unread_bytes, 0);
	model_free(m);
}

static void attach(struct model *m, uint64_t t_ns, uint32_t pid, uint8_t dir)
{
	struct ev_endpoint *e = make_endpoint(t_ns, pid, 1, -1, ENDPOINT_ATTACH);
	e->dir = dir;
	assert_int_equal(model_apply(m, &e->hdr), 0);
}

static void a_signal_goes_to_who_is_attached(void **state)
{
	(void)state;
	struct model *m = with_chan(KIND_SIGNAL, SHAPE_DIRECT, 0);
	attach(m, 500, B, ENDPOINT_DIR_READ);
	tell(m, with_type(make_io(1000, A, OP_KILL, IO_WRITE, 1, 0), 15, 1));
	tell(m, with_type(make_io(2000, A, OP_KILL, IO_WRITE, 1, 0), 15, 1));
	tell(m, with_type(make_io(3000, A, OP_KILL, IO_WRITE, 1, 0), 15, 0)); /* it was pending */
	assert_flow(m, A, B, 2, 0);
	assert_false(flow(m, A, B)->approximate);
	tell(m, with_type(make_io(4000, B, OP_RT_SIGTIMEDWAIT, IO_READ, 1, 0), 15, 1));
	assert_null(flow(m, 0, B)); /* what it takes has been told already */
	struct ev_io *by_pidfd = with_type(make_io(3500, A, OP_PIDFD_SEND_SIGNAL, IO_WRITE, 1, 0), 15, 1);
	by_pidfd->fd = 3; /* names the process, is no end: what B reads then came from nobody new */
	tell(m, by_pidfd);
	struct ev_io *signalfd = with_type(make_io(3600, B, OP_READ, IO_READ, 1, 128), 15, 1);
	signalfd->fd = 4;
	tell(m, signalfd);
	assert_flow(m, A, B, 3, 0);
	assert_int_equal(model_chan(m, 1)->count.msgs_in, 2);
	model_free(m);
}

static void a_signal_to_a_process_outside_is_exact(void **state)
{
	(void)state;
	struct model *m = with_chan(KIND_SIGNAL, SHAPE_DIRECT, 0);
	struct ev_task *seen = make_task(1, B, B, TASK_SEEN, "b");
	seen->hdr.flags = TASK_F_OUTSIDE;
	assert_int_equal(model_apply(m, &seen->hdr), 0);
	attach(m, 500, B, ENDPOINT_DIR_READ);
	tell(m, with_type(make_io(1000, A, OP_KILL, IO_WRITE, 1, 0), 1, 1));
	assert_flow(m, A, B, 1, 0);
	assert_false(flow(m, A, B)->approximate);
	model_free(m);
}

static void the_end_of_a_child_comes_from_the_child_and_is_as_old_as_its_exit(void **state)
{
	(void)state;
	struct model *m = with_chan(KIND_CHILD, SHAPE_DIRECT, 0);
	assert_int_equal(model_apply(m, &make_task(500, B, B, TASK_FORK, "b")->hdr), 0);
	attach(m, 900, B, ENDPOINT_DIR_WRITE);
	struct ev_task *exit = make_task(1000, B, B, TASK_EXIT, "b");
	exit->hdr.flags = TASK_F_LAST;
	assert_int_equal(model_apply(m, &exit->hdr), 0);
	tell(m, with_type(make_io(1800, A, OP_WAIT4, IO_READ, 1, 0), 0, 1));
	assert_flow(m, B, A, 1, 0);
	assert_int_equal(flow(m, B, A)->latency.count, 1);
	assert_int_equal(flow(m, B, A)->latency.sum, 800);
	tell(m, with_type(make_io(1900, A, OP_WAIT4, IO_READ, 1, 0), 0, 0)); /* stopped: not its end */
	assert_flow(m, B, A, 1, 0);
	model_free(m);
}

static void what_a_terminal_edits_is_approximate(void **state)
{
	(void)state;
	for (int end = 0; end < 2; end++) { /* either end may say it */
		struct model *m = with_chan(KIND_PTY, SHAPE_STREAM, 1);
		tell(m, make_io(1000, A, OP_WRITE, IO_WRITE | (end ? 0 : IO_COOKED), 1, 5));
		tell(m, make_io(2000, B, OP_READ, IO_READ | IO_SIDE_B | (end ? IO_COOKED : 0), 1, 5));
		assert_flow(m, A, B, 1, 5);
		assert_true(flow(m, A, B)->approximate);
		model_free(m);
	}
	struct model *m = with_chan(KIND_PTY, SHAPE_STREAM, 1);
	tell(m, make_io(1000, A, OP_WRITE, IO_WRITE, 1, 5));
	tell(m, make_io(2000, B, OP_READ, IO_READ | IO_SIDE_B, 1, 5));
	assert_false(flow(m, A, B)->approximate);
	model_free(m);
}

/* ---- no payload ---- */

static struct ev_io *make_semop(uint64_t t_ns, uint32_t pid, uint64_t slept_ns, uint32_t waker)
{
	struct ev_io *io = make_io(t_ns, pid, OP_SEMOP, slept_ns ? IO_BLOCKED : 0, 1, 0);
	io->slept_ns = slept_ns;
	io->waker_tid = waker;
	return io;
}

static void a_semaphore_flows_from_the_waker_to_the_sleeper(void **state)
{
	(void)state;
	struct model *m = with_chan(KIND_SEM, SHAPE_COUNTER, 0);
	tell(m, make_semop(1000, A, 0, 0));
	tell(m, make_semop(2000, B, 900, A));
	assert_int_equal(count_flows(m), 1);
	assert_flow(m, A, B, 1, 0);
	assert_int_equal(flow(m, A, B)->latency.count, 0);
	tell(m, make_semop(3000, B, 900, 999));             /* a waker nobody knows */
	tell(m, make_semop(4000, B, 900, 0));               /* a timer */
	struct ev_io *failed = make_semop(5000, B, 900, A); /* EINTR, by a signal of A's */
	failed->hdr.flags |= IO_ERROR;
	failed->ret = -4;
	tell(m, failed);
	assert_int_equal(count_flows(m), 1);
	assert_flow(m, A, B, 1, 0);
	model_free(m);
}

static void shared_memory_has_no_flows(void **state)
{
	(void)state;
	struct model *m = with_chan(KIND_SHM, SHAPE_MEMORY, 0);
	tell(m, make_io(1000, A, OP_SHMAT, 0, 1, 0));
	tell(m, make_io(2000, B, OP_SHMAT, 0, 1, 0));
	assert_int_equal(count_flows(m), 0);
	assert_int_equal(model_chan(m, 1)->count.ops, 2);
	model_free(m);
}

/* ---- processes outside the scope: held to be the other end, never seen acting ---- */

static void tell_outside(struct model *m, uint32_t pid, uint8_t dir, uint8_t side)
{
	struct ev_task *t = make_task(100, pid, pid, TASK_SEEN, "outside");
	t->hdr.flags = TASK_F_OUTSIDE;
	assert_int_equal(model_apply(m, &t->hdr), 0);
	struct ev_endpoint *e = make_endpoint(100, pid, 1, 9, ENDPOINT_SEEN);
	e->dir = dir;
	e->side = side;
	assert_int_equal(model_apply(m, &e->hdr), 0);
}

static void what_goes_to_the_only_holder_outside_is_its(void **state)
{
	(void)state;
	struct model *m = with_pipe();
	tell(m, make_write(50, A, 1, 5)); /* before anybody looked */
	tell_outside(m, D, ENDPOINT_DIR_READ, 0);
	tell(m, make_write(1000, A, 1, 10));
	assert_flow(m, A, D, 2, 15);
	assert_true(flow(m, A, D)->approximate);
	assert_int_equal(flow(m, A, D)->latency.count, 0);
	assert_int_equal(unread(m), 0);
	tell_outside(m, C, ENDPOINT_DIR_READ, 0); /* two may have read it */
	tell(m, make_write(2000, A, 1, 7));
	assert_flow(m, A, 0, 1, 7);
	model_free(m);
}

static void a_pair_may_have_one_end_outside(void **state)
{
	(void)state;
	struct model *m = with_chan(KIND_UNIX, SHAPE_STREAM, 1);
	tell_outside(m, D, ENDPOINT_DIR_READ | ENDPOINT_DIR_WRITE, 1);
	tell(m, make_write(1000, A, 1, 10));
	tell(m, make_read(2000, A, 1, 30));
	assert_flow(m, A, D, 1, 10);
	assert_flow(m, D, A, 1, 30);
	assert_int_equal(count_flows(m), 2);
	model_free(m);
}

static void a_holder_that_comes_into_scope_is_matched_from_then_on(void **state)
{
	(void)state;
	struct model *m = with_pipe();
	tell_outside(m, D, ENDPOINT_DIR_READ, 0);
	tell(m, make_write(1000, A, 1, 10));
	assert_int_equal(model_apply(m, &make_task(1500, D, D, TASK_SEEN, "inside")->hdr), 0);
	tell(m, make_write(2000, A, 1, 10));
	assert_flow(m, A, D, 1, 10);
	assert_int_equal(unread(m), 10);
	tell(m, make_read(3000, D, 1, 10));
	assert_flow(m, A, D, 2, 20);
	assert_int_equal(flow(m, A, D)->latency.sum, 1000);
	model_free(m);
}

/* ---- the filter ---- */

static bool is_pid(const void *arg, const struct model *m, const struct ev_io *io)
{
	(void)m;
	return io->pid == *(const uint32_t *)arg;
}

static void a_declined_half_still_feeds_the_other(void **state)
{
	(void)state;
	uint32_t only = B;
	struct model *m = with_pipe();
	model_set_filter(m, is_pid, &only);
	tell(m, make_write(1000, A, 1, 10)); /* declined */
	tell(m, make_read(2000, B, 1, 10));  /* counts: so does the flow */
	assert_flow(m, A, B, 1, 10);
	assert_int_equal(model_proc(m, A)->count.ops, 0);
	tell(m, make_write(3000, A, 1, 10));
	tell(m, make_read(4000, C, 1, 10)); /* neither end counts */
	assert_null(flow(m, A, C));
	tell(m, make_write(5000, B, 1, 10));
	tell(m, make_read(6000, C, 1, 10));
	assert_flow(m, B, C, 1, 10);
	tell(m, make_read(7000, C, 1, 10)); /* a declined debt is not shown, but paid */
	assert_null(flow(m, 0, C));
	tell(m, make_write(7005, A, 1, 10));
	assert_int_equal(unread(m), 0);
	assert_int_equal(count_flows(m), 2);
	assert_int_equal(model_ops(m), 8);
	model_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_receive_that_does_not_ask_for_the_priority_gets_the_highest),
	    cmocka_unit_test(a_told_priority_decides),
	    cmocka_unit_test(a_receive_before_its_send_is_paid_when_the_send_comes),
	    cmocka_unit_test(messages_from_before_have_no_sender),
	    cmocka_unit_test(a_signal_goes_to_who_is_attached),
	    cmocka_unit_test(a_signal_to_a_process_outside_is_exact),
	    cmocka_unit_test(the_end_of_a_child_comes_from_the_child_and_is_as_old_as_its_exit),
	    cmocka_unit_test(what_a_terminal_edits_is_approximate),
	    cmocka_unit_test(what_goes_to_the_only_holder_outside_is_its),
	    cmocka_unit_test(a_pair_may_have_one_end_outside),
	    cmocka_unit_test(a_holder_that_comes_into_scope_is_matched_from_then_on),
	    cmocka_unit_test(a_semaphore_flows_from_the_waker_to_the_sleeper),
	    cmocka_unit_test(shared_memory_has_no_flows),
	    cmocka_unit_test(a_declined_half_still_feeds_the_other),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
