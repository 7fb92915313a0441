// SPDX-License-Identifier: GPL-2.0-or-later
/* Which receive got which message: datagrams, types, priorities; whole or not at all. */
#include "match_story.h"

/* ---- messages ---- */

static struct ev_io *make_mmsg(uint64_t t_ns, uint32_t pid, uint32_t flags, uint16_t messages,
			       uint64_t bytes)
{
	struct ev_io *io =
	    make_io(t_ns, pid, flags & IO_WRITE ? OP_SENDMMSG : OP_RECVMMSG, flags, 1, bytes);
	io->messages = messages;
	return io;
}

static void a_datagram_is_taken_whole(void **state)
{
	(void)state;
	struct model *m = with_chan(KIND_UNIX, SHAPE_DGRAM, 0);
	tell(m, make_write(1000, A, 1, 100));
	tell(m, make_write(2000, B, 1, 50));
	tell(m, make_read(3000, C, 1, 10)); /* cut: the other 90 are gone */
	assert_flow(m, A, C, 1, 10);
	assert_int_equal(unread(m), 50);
	tell(m, make_read(4000, C, 1, 50));
	assert_flow(m, B, C, 1, 50);
	assert_int_equal(flow(m, B, C)->latency.sum, 2000);
	assert_int_equal(unread(m), 0);
	model_free(m);
}

static void an_empty_datagram_is_a_message(void **state)
{
	(void)state;
	struct model *m = with_chan(KIND_UNIX, SHAPE_DGRAM, 0);
	tell(m, make_mmsg(1000, A, IO_WRITE, 1, 0));
	tell(m, make_write(1500, B, 1, 5));
	tell(m, make_mmsg(2000, C, IO_READ, 1, 0));
	assert_flow(m, A, C, 1, 0);
	assert_null(flow(m, B, C));
	tell(m, make_mmsg(3000, C, IO_READ, 0, 0)); /* end of file: no message */
	assert_null(flow(m, B, C));
	model_free(m);
}

static void a_call_of_many_messages_is_many_messages(void **state)
{
	(void)state;
	struct model *m = with_chan(KIND_UDP, SHAPE_DGRAM, 0);
	tell(m, make_mmsg(1000, A, IO_WRITE, 3, 100)); /* 33 33 34 */
	tell(m, make_write(2000, B, 1, 7));
	assert_int_equal(unread(m), 107);
	tell(m, make_mmsg(3000, C, IO_READ, 2, 66));
	assert_flow(m, A, C, 2, 66);
	tell(m, make_mmsg(4000, C, IO_READ, 2, 41));
	assert_flow(m, A, C, 3, 100);
	assert_flow(m, B, C, 1, 7);
	assert_true(flow(m, A, C)->approximate);
	assert_false(flow(m, B, C)->approximate);
	assert_int_equal(unread(m), 0);
	model_free(m);
}

static void a_seqpacket_pair_has_two_queues(void **state)
{
	(void)state;
	struct model *m = with_chan(KIND_UNIX, SHAPE_DGRAM, 1);
	tell(m, make_write(1000, A, 1, 10));
	tell(m, make_io(1100, B, OP_SENDMSG, IO_WRITE | IO_SIDE_B, 1, 20));
	tell(m, make_read(1200, A, 1, 20));
	tell(m, make_io(1300, B, OP_RECVMSG, IO_READ | IO_SIDE_B, 1, 10));
	assert_flow(m, A, B, 1, 10);
	assert_flow(m, B, A, 1, 20);
	model_free(m);
}

static void a_message_read_before_it_was_seen_written_is_settled(void **state)
{
	(void)state;
	struct model *m = with_chan(KIND_UNIX, SHAPE_DGRAM, 0);
	tell(m, make_read(500, B, 1, 9)); /* by somebody out of sight */
	tell(m, make_read(1000, B, 1, 30));
	assert_flow(m, 0, B, 2, 39);
	tell(m, make_write(1005, A, 1, 30));
	assert_flow(m, A, B, 1, 30);
	assert_flow(m, 0, B, 1, 9);
	assert_int_equal(unread(m), 0);
	model_free(m);
}

static void the_backlog_of_a_socket_goes_first(void **state)
{
	(void)state;
	struct model *m = model_new();
	struct ev_chan *c = make_chan(1, KIND_UDP, SHAPE_DGRAM, 0);
	c->backlog = 30;
	model_apply(m, &c->hdr);
	tell(m, make_write(1000, A, 1, 25));
	tell(m, make_read(2000, B, 1, 20));
	assert_flow(m, 0, B, 1, 20);
	tell(m, make_read(3000, B, 1, 25)); /* more than is left of it: A's */
	assert_flow(m, A, B, 1, 25);
	assert_int_equal(unread(m), 0);
	model_free(m);
}

static struct ev_io *make_msg(uint64_t t_ns, uint32_t pid, bool send, int64_t mtype, uint64_t bytes)
{
	struct ev_io *io =
	    make_io(t_ns, pid, send ? OP_MSGSND : OP_MSGRCV, send ? IO_WRITE : IO_READ, 1, bytes);
	io->mtype = mtype;
	return io;
}

static void message_types_are_queues_of_their_own(void **state)
{
	(void)state;
	struct model *m = with_chan(KIND_MSG, SHAPE_TYPED, 0);
	tell(m, make_msg(1000, A, true, 1, 10));
	tell(m, make_msg(1100, B, true, 2, 20));
	tell(m, make_msg(1200, B, true, 1, 30));
	tell(m, make_msg(2000, C, false, 2, 20)); /* asked for type 2: overtakes */
	assert_flow(m, B, C, 1, 20);
	tell(m, make_msg(3000, C, false, 1, 10));
	assert_flow(m, A, C, 1, 10);
	tell(m, make_msg(4000, D, false, 1, 30));
	assert_flow(m, B, D, 1, 30);
	assert_int_equal(flow(m, B, D)->latency.sum, 2800);
	assert_int_equal(unread(m), 0);
	model_free(m);
}

static void ever_new_message_types_do_not_pile_up(void **state)
{
	(void)state;
	struct model *m = with_chan(KIND_MSG, SHAPE_TYPED, 0);
	tell(m, make_msg(500, D, true, 7, 77)); /* survives all the sweeping */
	for (int64_t i = 0; i < 5000; i++) {
		tell(m, make_msg(1000 + (uint64_t)i * 100, A, true, 1000 + i, 4));
		tell(m, make_msg(1050 + (uint64_t)i * 100, B, false, 1000 + i, 4));
	}
	assert_flow(m, A, B, 5000, 20000);
	tell(m, make_msg(2000000, C, false, 7, 77));
	assert_flow(m, D, C, 1, 77);
	model_free(m);
}

static void the_types_of_a_backlog_are_not_known(void **state)
{
	(void)state;
	struct model *m = model_new();
	struct ev_chan *c = make_chan(1, KIND_MSG, SHAPE_TYPED, 0);
	c->backlog = 30;
	model_apply(m, &c->hdr);
	tell(m, make_msg(1000, A, true, 1, 10));
	tell(m, make_msg(2000, B, false, 1, 10)); /* of the size of A's: A's, perhaps */
	assert_flow(m, A, B, 1, 10);
	assert_true(flow(m, A, B)->approximate);
	tell(m, make_msg(3000, B, false, 1, 30));
	assert_flow(m, 0, B, 1, 30);
	assert_int_equal(unread(m), 0);
	model_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_datagram_is_taken_whole),
	    cmocka_unit_test(an_empty_datagram_is_a_message),
	    cmocka_unit_test(a_call_of_many_messages_is_many_messages),
	    cmocka_unit_test(a_seqpacket_pair_has_two_queues),
	    cmocka_unit_test(a_message_read_before_it_was_seen_written_is_settled),
	    cmocka_unit_test(the_backlog_of_a_socket_goes_first),
	    cmocka_unit_test(message_types_are_queues_of_their_own),
	    cmocka_unit_test(ever_new_message_types_do_not_pile_up),
	    cmocka_unit_test(the_types_of_a_backlog_are_not_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
