// SPDX-License-Identifier: GPL-2.0-or-later
/* Who holds which end of what, who sleeps where, and who waits. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "model_story.h"

static int count_endpoints(const struct model *m, uint64_t chan)
{
	int n = 0;
	for (const struct m_endpoint *e = model_chan(m, chan)->endpoints; e; e = e->next)
		n++;
	return n;
}

/* ---- endpoints ---- */

static void endpoints_open_and_close(void **state)
{
	(void)state;
	struct model *m = model_new();
	tell(m, make_chan(1, KIND_PIPE, SHAPE_STREAM, 0));
	tell(m, make_endpoint(10, 5, 1, 3, ENDPOINT_OPEN));
	tell(m, make_endpoint(10, 5, 1, 4, ENDPOINT_OPEN));
	struct ev_endpoint *found = make_endpoint(10, 5, 1, 2000, ENDPOINT_SEEN); /* a large fd */
	found->hdr.flags = EV_SYNTHETIC;
	tell(m, found);
	assert_int_equal(model_chan(m, 1)->nopen, 3);
	tell(m, make_endpoint(20, 5, 1, 3, ENDPOINT_CLOSE));
	tell(m, make_endpoint(21, 5, 1, 2000, ENDPOINT_CLOSE));
	tell(m, make_endpoint(22, 5, 1, 3, ENDPOINT_CLOSE));  /* was closed already */
	tell(m, make_endpoint(22, 99, 1, 3, ENDPOINT_CLOSE)); /* nobody knows that process */
	assert_int_equal(model_chan(m, 1)->nopen, 1);
	assert_int_equal(count_endpoints(m, 1), 3);
	const struct m_endpoint *e = model_chan(m, 1)->endpoints;
	assert_int_equal(e->fd, 3);
	assert_int_equal(e->from_ns, 10);
	assert_int_equal(e->to_ns, 20);
	assert_false(e->open);
	assert_false(e->synthetic);
	assert_true(e->next->next->synthetic);
	assert_int_equal(e->proc->pid, 5);
	assert_null(model_proc(m, 99));
	model_free(m);
}

static void a_missed_close_is_made_up_for(void **state)
{
	(void)state;
	struct model *m = model_new();
	tell(m, make_chan(1, KIND_PIPE, SHAPE_STREAM, 0));
	tell(m, make_chan(2, KIND_PIPE, SHAPE_STREAM, 0));
	tell(m, make_endpoint(10, 5, 1, 3, ENDPOINT_OPEN));
	tell(m, make_endpoint(20, 5, 2, 3, ENDPOINT_SEEN));
	assert_int_equal(model_chan(m, 1)->nopen, 0);
	assert_int_equal(model_chan(m, 1)->endpoints->to_ns, 20);
	assert_int_equal(model_chan(m, 2)->nopen, 1);
	tell(m, make_endpoint(25, 5, 1, 3, ENDPOINT_CLOSE)); /* of the one no longer there */
	assert_int_equal(model_chan(m, 2)->nopen, 1);
	tell(m, make_endpoint(30, 5, 2, 3, ENDPOINT_SEEN)); /* again: the same */
	assert_int_equal(count_endpoints(m, 2), 1);
	model_free(m);
}

static void exit_closes_all_that_a_process_holds(void **state)
{
	(void)state;
	struct model *m = model_new();
	tell(m, make_chan(1, KIND_PIPE, SHAPE_STREAM, 0));
	tell(m, make_chan(2, KIND_SHM, SHAPE_MEMORY, 0));
	tell(m, make_endpoint(10, 5, 1, 3, ENDPOINT_OPEN));
	tell(m, make_endpoint(10, 5, 1, 5000, ENDPOINT_OPEN));
	tell(m, make_endpoint(10, 5, 2, -1, ENDPOINT_ATTACH));
	tell(m, make_endpoint(10, 6, 1, 3, ENDPOINT_OPEN));
	struct ev_task *t = make_task(30, 5, 5, TASK_EXIT, "x");
	tell(m, t);
	assert_int_equal(model_chan(m, 1)->nopen, 3); /* of one thread only */
	t = make_task(40, 5, 5, TASK_EXIT, "x");
	t->hdr.flags = TASK_F_LAST;
	tell(m, t);
	assert_int_equal(model_chan(m, 1)->nopen, 1);
	assert_int_equal(model_chan(m, 2)->nopen, 0);
	assert_int_equal(model_chan(m, 2)->endpoints->to_ns, 40);
	model_free(m);
}

static void what_survives_an_exec_is_the_same_endpoint(void **state)
{
	(void)state;
	struct model *m = model_new();
	for (uint64_t id = 1; id <= 3; id++)
		tell(m, make_chan(id, KIND_PIPE, SHAPE_STREAM, 0));
	tell(m, make_endpoint(10, 5, 1, 3, ENDPOINT_OPEN));
	tell(m, make_endpoint(11, 5, 2, 4, ENDPOINT_OPEN)); /* close-on-exec */
	tell(m, make_endpoint(12, 5, 3, 6, ENDPOINT_OPEN)); /* not announced, but used again */
	tell(m, make_task(50, 5, 5, TASK_EXEC, "new"));
	assert_int_equal(model_chan(m, 1)->nopen, 0);
	tell(m, make_endpoint(51, 5, 1, 3, ENDPOINT_INHERIT));
	struct ev_io *io = make_read(100, 5, 3, 0);
	io->fd = 6;
	tell(m, io);
	assert_int_equal(count_endpoints(m, 1), 1);
	assert_int_equal(count_endpoints(m, 3), 1);
	const struct m_endpoint *e = model_chan(m, 1)->endpoints;
	assert_true(e->open);
	assert_int_equal(e->from_ns, 10);
	assert_int_equal(e->to_ns, 0);
	assert_true(model_chan(m, 3)->endpoints->open);
	assert_false(model_chan(m, 3)->endpoints->synthetic);
	assert_int_equal(model_chan(m, 2)->endpoints->to_ns, 50);
	/* closed by itself and passed on again is another story */
	tell(m, make_endpoint(60, 5, 1, 3, ENDPOINT_CLOSE));
	tell(m, make_endpoint(70, 5, 1, 3, ENDPOINT_INHERIT));
	assert_int_equal(count_endpoints(m, 1), 2);
	model_free(m);
}

static void an_operation_proves_that_its_fd_is_open(void **state)
{
	(void)state;
	struct model *m = model_new();
	tell(m, make_chan(1, KIND_UNIX, SHAPE_STREAM, 1));
	struct ev_io *io = make_io(100, 5, OP_WRITE, IO_WRITE | IO_SIDE_B, 1, 8);
	io->fd = 4;
	tell(m, io);
	const struct m_endpoint *e = model_chan(m, 1)->endpoints;
	assert_int_equal(e->fd, 4);
	assert_int_equal(e->dir, ENDPOINT_DIR_WRITE);
	assert_int_equal(e->side, 1);
	assert_true(e->synthetic);
	assert_int_equal(e->from_ns, 90);
	io = make_io(200, 5, OP_READ, IO_READ | IO_SIDE_B, 1, 0);
	io->fd = 4;
	tell(m, io);
	assert_int_equal(e->dir, ENDPOINT_DIR_READ | ENDPOINT_DIR_WRITE);
	assert_int_equal(count_endpoints(m, 1), 1);
	/* the end of a call that was under way when its fd was closed opens nothing */
	tell(m, make_endpoint(300, 5, 1, 4, ENDPOINT_CLOSE));
	io = make_read(305, 5, 1, 0);
	io->fd = 4;
	tell(m, io);
	assert_int_equal(model_chan(m, 1)->nopen, 0);
	io = make_io(310, 5, OP_CLOSE, 0, 1, 0); /* nor does a call that moves no data */
	io->fd = 4;
	tell(m, io);
	assert_int_equal(count_endpoints(m, 1), 1);
	io = make_read(400, 5, 1, 0);
	io->fd = 4;
	tell(m, io);
	assert_int_equal(count_endpoints(m, 1), 2);
	model_free(m);
}

static void attachments_are_counted_one_by_one(void **state)
{
	(void)state;
	struct model *m = model_new();
	tell(m, make_chan(1, KIND_SHM, SHAPE_MEMORY, 0));
	tell(m, make_endpoint(10, 5, 1, -1, ENDPOINT_ATTACH));
	tell(m, make_endpoint(20, 5, 1, -1, ENDPOINT_ATTACH));
	tell(m, make_endpoint(30, 6, 1, -1, ENDPOINT_ATTACH));
	assert_int_equal(model_chan(m, 1)->nopen, 3);
	tell(m, make_endpoint(40, 5, 1, -1, ENDPOINT_DETACH));
	assert_int_equal(model_chan(m, 1)->nopen, 2);
	tell(m, make_endpoint(50, 5, 1, -1, ENDPOINT_DETACH));
	tell(m, make_endpoint(60, 5, 1, -1, ENDPOINT_DETACH)); /* one too many */
	assert_int_equal(model_chan(m, 1)->nopen, 1);
	model_free(m);
}

static void a_channel_found_in_use_holds_what_nobody_knows(void **state)
{
	(void)state;
	struct model *m = model_new();
	tell(m, make_chan(1, KIND_PIPE, SHAPE_STREAM, 0));
	tell(m, make_chan(2, KIND_PIPE, SHAPE_STREAM, 0));
	struct ev_chan *c = make_chan(3, KIND_PIPE, SHAPE_STREAM, 0);
	c->hdr.flags = EV_SYNTHETIC;
	tell(m, c);
	tell(m, make_endpoint(10, 5, 1, 3, ENDPOINT_OPEN));
	tell(m, make_endpoint(10, 6, 1, 3, ENDPOINT_SEEN)); /* passed on: it was seen being made */
	tell(m, make_endpoint(10, 5, 2, 4, ENDPOINT_SEEN));
	assert_true(model_chan(m, 1)->unread_known);
	assert_false(model_chan(m, 2)->unread_known);
	assert_false(model_chan(m, 3)->unread_known);
	model_free(m);
}

static void a_descriptor_that_was_passed_is_an_end_and_keeps_its_sender(void **state)
{
	(void)state;
	struct model *m = model_new();
	struct ev_endpoint *e = make_endpoint(10, 5, 1, 7, ENDPOINT_PASSED);
	e->from = 4;
	tell(m, e);
	const struct m_endpoint *end = model_chan(m, 1)->endpoints;
	assert_int_equal(end->proc->pid, 5);
	assert_int_equal(end->fd, 7);
	assert_true(end->open);
	assert_int_equal(end->passed_by, 4);
	tell(m, make_endpoint(20, 5, 1, 7, ENDPOINT_CLOSE));
	assert_false(end->open);
	struct ev_endpoint *wrong = make_endpoint(30, 5, 1, 7, ENDPOINT_PASSED + 1);
	assert_int_equal(model_apply(m, &wrong->hdr), -EINVAL);
	model_free(m);
}

/* ---- waits and sleeps ---- */

static void sleeps_add_up_by_thread_operation_and_channel(void **state)
{
	(void)state;
	struct model *m = model_new();
	tell(m, make_chan(1, KIND_PIPE, SHAPE_STREAM, 0));
	for (uint64_t i = 1; i <= 3; i++) {
		struct ev_io *io = make_read(1000 * i, 5, 1, 0);
		io->slept_ns = 100 * i;
		tell(m, io);
	}
	struct ev_io *io = make_write(9000, 5, 1, 0);
	io->slept_ns = 7;
	tell(m, io);
	io = make_read(9500, 5, 1, 0);
	io->slept_ns = 50;
	io->hdr.flags |= IO_HALF; /* the same sleep, told again */
	tell(m, io);
	const struct m_blocked *b = model_blocked(m);
	assert_int_equal(b->op, OP_READ);
	assert_int_equal(b->total_slept_ns, 600);
	assert_int_equal(b->longest_ns, 300);
	assert_int_equal(b->times, 3);
	assert_int_equal(b->task->tid, 5);
	assert_int_equal(b->chan->id, 1);
	assert_false(b->still);
	assert_int_equal(b->next->op, OP_WRITE);
	assert_int_equal(b->next->total_slept_ns, 7);
	assert_null(b->next->next);
	model_free(m);
}

static void a_wait_is_open_until_it_ends(void **state)
{
	(void)state;
	struct model *m = model_new();
	tell(m, make_chan(1, KIND_PIPE, SHAPE_STREAM, 0));
	struct ev_wait *w = make_wait(1000, 5, 1, WAIT_BEGIN, 600);
	w->deadline_ns = 5000;
	tell(m, w);
	tell(m, make_wait(1000, 6, 0, WAIT_BEGIN, 700)); /* the channel is not known */
	const struct m_wait *open = model_waits(m);
	assert_int_equal(open->task->tid, 5);
	assert_int_equal(open->chan->id, 1);
	assert_int_equal(open->op, OP_READ);
	assert_int_equal(open->fd, 3);
	assert_int_equal(open->since_ns, 600);
	assert_int_equal(open->deadline_ns, 5000);
	assert_null(open->next->chan);
	assert_ptr_equal(model_proc(m, 5)->waits, open);
	assert_int_equal(model_proc(m, 5)->nwaits, 1);
	assert_ptr_equal(model_task(m, 5)->wait, open);
	const struct m_blocked *b = model_blocked(m);
	assert_true(b->still);
	assert_int_equal(b->still_since_ns, 600);
	assert_int_equal(b->times, 0);

	tell(m, make_wait(2000, 5, 1, WAIT_END, 600));
	assert_int_equal(model_waits(m)->task->tid, 6);
	assert_null(model_waits(m)->next);
	assert_int_equal(model_proc(m, 5)->nwaits, 0);
	assert_null(model_proc(m, 5)->waits);
	assert_int_equal(model_blocked(m)->task->tid,
			 6); /* 5's row is empty until its EV_IO comes */
	struct ev_io *io = make_read(2000, 5, 1, 0);
	io->slept_ns = 1400;
	tell(m, io);
	b = model_blocked(m)->next;
	assert_int_equal(b->task->tid, 5);
	assert_int_equal(b->total_slept_ns, 1400);
	assert_false(b->still);
	tell(m, make_wait(3000, 5, 1, WAIT_END, 600)); /* not open: nothing */
	tell(m, make_wait(3000, 77, 1, WAIT_END, 600));
	assert_null(model_proc(m, 77));
	model_free(m);
}

static void a_wait_ends_with_its_operation_or_its_thread(void **state)
{
	(void)state;
	struct model *m = model_new();
	tell(m, make_wait(1000, 5, 0, WAIT_BEGIN, 600));
	tell(m, make_write(550, 5, 0, 0)); /* of before */
	assert_non_null(model_waits(m));
	tell(m, make_write(1500, 5, 0, 0)); /* it works again: the end was missed */
	assert_null(model_waits(m));
	tell(m, make_wait(2000, 5, 0, WAIT_BEGIN, 1600));
	tell(m,
	     make_wait(2100, 5, 0, WAIT_BEGIN, 1700)); /* a thread sleeps in one call at a time */
	assert_null(model_waits(m)->next);
	assert_int_equal(model_waits(m)->since_ns, 1700);
	tell(m, make_task(3000, 5, 5, TASK_EXIT, "x"));
	assert_null(model_waits(m));
	assert_null(model_blocked(m));
	model_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(endpoints_open_and_close),
	    cmocka_unit_test(a_missed_close_is_made_up_for),
	    cmocka_unit_test(exit_closes_all_that_a_process_holds),
	    cmocka_unit_test(what_survives_an_exec_is_the_same_endpoint),
	    cmocka_unit_test(an_operation_proves_that_its_fd_is_open),
	    cmocka_unit_test(attachments_are_counted_one_by_one),
	    cmocka_unit_test(a_descriptor_that_was_passed_is_an_end_and_keeps_its_sender),
	    cmocka_unit_test(a_channel_found_in_use_holds_what_nobody_knows),
	    cmocka_unit_test(sleeps_add_up_by_thread_operation_and_channel),
	    cmocka_unit_test(a_wait_is_open_until_it_ends),
	    cmocka_unit_test(a_wait_ends_with_its_operation_or_its_thread),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
