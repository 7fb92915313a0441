// SPDX-License-Identifier: GPL-2.0-or-later
/* Which read of a stream got which write: small stories with known answers, and brute force. */
#include "match_story.h"

#include <stdlib.h>
#include <string.h>

/* ---- streams ---- */

static void a_read_gets_the_write_before_it(void **state)
{
	(void)state;
	struct model *m = with_pipe();
	tell(m, make_write(1000, A, 1, 100));
	assert_int_equal(unread(m), 100);
	assert_int_equal(count_flows(m), 0); /* written and unread is no flow */
	tell(m, make_read(1700, B, 1, 100));
	assert_int_equal(count_flows(m), 1);
	assert_flow(m, A, B, 1, 100);
	const struct m_flow *f = flow(m, A, B);
	assert_int_equal(f->latency.count, 1);
	assert_int_equal(f->latency.sum, 700);
	assert_int_equal(f->first_ns, 1700);
	assert_int_equal(f->last_ns, 1700);
	assert_false(f->approximate);
	assert_ptr_equal(f->chan, model_chan(m, 1));
	assert_int_equal(unread(m), 0);
	assert_true(model_chan(m, 1)->unread_known);
	assert_int_equal(model_chan(m, 1)->latency.sum, 700);
	assert_int_equal(model_chan(m, 1)->sizes.sum, 100);
	model_free(m);
}

static void short_reads_share_a_write_and_its_last_byte_counts(void **state)
{
	(void)state;
	struct model *m = with_pipe();
	tell(m, make_write(1000, A, 1, 100));
	tell(m, make_read(2000, B, 1, 60));
	assert_flow(m, A, B, 0, 60);
	assert_int_equal(unread(m), 40);
	tell(m, make_read(3000, C, 1, 40));
	assert_flow(m, A, B, 0, 60);
	assert_flow(m, A, C, 1, 40);
	assert_int_equal(flow(m, A, B)->latency.count, 0);
	assert_int_equal(flow(m, A, C)->latency.sum, 2000);
	model_free(m);
}

static void one_read_may_take_many_writes(void **state)
{
	(void)state;
	struct model *m = with_pipe();
	tell(m, make_write(1000, A, 1, 10));
	tell(m, make_write(2000, C, 1, 20));
	tell(m, make_write(3000, A, 1, 30));
	tell(m, make_read(4000, B, 1, 55));
	assert_flow(m, A, B, 1, 35);
	assert_flow(m, C, B, 1, 20);
	assert_int_equal(flow(m, A, B)->latency.sum, 3000);
	assert_int_equal(flow(m, C, B)->latency.sum, 2000);
	assert_false(flow(m, A, B)->approximate); /* the writers never met */
	assert_int_equal(unread(m), 5);
	model_free(m);
}

static void the_sides_of_a_pair_do_not_mix(void **state)
{
	(void)state;
	struct model *m = with_chan(KIND_UNIX, SHAPE_STREAM, 1);
	tell(m, make_write(1000, A, 1, 10));                              /* A writes at side A */
	tell(m, make_io(1100, B, OP_SENDTO, IO_WRITE | IO_SIDE_B, 1, 7)); /* B at side B */
	tell(m, make_read(1200, A, 1, 7));                                /* A reads side B's */
	tell(m, make_io(1300, B, OP_RECVFROM, IO_READ | IO_SIDE_B, 1, 10));
	assert_int_equal(count_flows(m), 2);
	assert_flow(m, A, B, 1, 10);
	assert_flow(m, B, A, 1, 7);
	assert_int_equal(flow(m, B, A)->latency.sum, 100);
	model_free(m);
}

static void what_moves_nothing_changes_nothing(void **state)
{
	(void)state;
	struct model *m = with_pipe();
	tell(m, make_write(1000, A, 1, 10));
	struct ev_io *peek = make_io(1100, B, OP_RECVFROM, IO_READ | IO_PEEK, 1, 10);
	tell(m, peek);
	struct ev_io *bad = make_io(1200, B, OP_READ, IO_READ | IO_ERROR, 1, 10);
	bad->messages = 0;
	tell(m, bad);
	tell(m, make_read(1300, B, 1, 0)); /* end of file */
	assert_int_equal(count_flows(m), 0);
	assert_int_equal(unread(m), 10);
	const struct m_count *n = &model_proc(m, B)->count;
	assert_int_equal(n->ops, 3);
	assert_int_equal(n->errors, 1);
	assert_int_equal(n->bytes_in, 0);
	assert_int_equal(n->msgs_in, 0);
	model_free(m);
}

static void a_read_seen_before_its_write_is_settled_by_it(void **state)
{
	(void)state;
	struct model *m = with_pipe();
	tell(m, make_read(1000, B, 1, 30)); /* returned at 1010 */
	assert_flow(m, 0, B, 1, 30);
	assert_false(model_chan(m, 1)->unread_known);
	tell(m, make_write(1005, A, 1, 50)); /* entered at 995 */
	assert_int_equal(count_flows(m), 1);
	assert_flow(m, A, B, 0, 30);
	assert_int_equal(unread(m), 20);
	assert_true(model_chan(m, 1)->unread_known);
	tell(m, make_read(2000, B, 1, 20));
	assert_flow(m, A, B, 1, 50);
	assert_false(flow(m, A, B)->approximate); /* nobody else ever wrote */
	assert_int_equal(flow(m, A, B)->latency.sum, 995);
	model_free(m);
}

static void a_write_wholly_read_before_it_counts_with_no_latency(void **state)
{
	(void)state;
	struct model *m = with_pipe();
	tell(m, make_read(1000, B, 1, 30));
	tell(m, make_write(1005, A, 1, 30));
	assert_flow(m, A, B, 1, 30);
	assert_int_equal(flow(m, A, B)->latency.count, 1);
	assert_int_equal(flow(m, A, B)->latency.max, 0);
	assert_int_equal(unread(m), 0);
	model_free(m);
}

static void with_a_second_writer_such_a_settlement_is_approximate(void **state)
{
	(void)state;
	struct model *m = with_pipe();
	tell(m, make_write(500, C, 1, 1));
	tell(m, make_read(600, B, 1, 1));
	tell(m, make_read(1000, B, 1, 30));
	tell(m, make_write(1005, A, 1, 30));
	assert_true(flow(m, A, B)->approximate);
	assert_false(flow(m, C, B)->approximate);
	model_free(m);
}

static void a_write_cannot_have_fed_a_read_that_had_returned(void **state)
{
	(void)state;
	struct model *m = with_pipe();
	tell(m, make_read(1000, B, 1, 30)); /* from somebody out of sight */
	tell(m, make_write(5000, A, 1, 30));
	assert_flow(m, 0, B, 1, 30);
	assert_int_equal(unread(m), 30);
	tell(m, make_read(6000, C, 1, 30));
	assert_flow(m, A, C, 1, 30);
	assert_null(flow(m, A, B));
	assert_false(model_chan(m, 1)->unread_known);
	model_free(m);
}

/* One write of a megabyte through a pipe of 64 KiB is placed behind the reads that drained it. */
static void a_long_write_is_matched_with_the_reads_it_slept_for(void **state)
{
	(void)state;
	struct model *m = with_pipe();
	for (uint64_t i = 0; i < 16; i++)
		tell(m, make_read(2000 + i * 100, B, 1, 65536));
	assert_flow(m, 0, B, 16, 16 * 65536);
	struct ev_io *w = make_write(3550, A, 1, 17 * 65536);
	w->enter_ns = 1000;
	w->dur_ns = 2560;
	w->slept_ns = 2000;
	tell(m, w);
	tell(m, make_read(4000, B, 1, 65536));
	assert_int_equal(count_flows(m), 1);
	assert_flow(m, A, B, 1, 17 * 65536);
	assert_int_equal(flow(m, A, B)->latency.sum, 450);
	assert_false(flow(m, A, B)->approximate);
	assert_true(model_chan(m, 1)->unread_known);
	model_free(m);
}

static void a_long_write_placed_behind_another_is_still_settled(void **state)
{
	(void)state;
	struct model *m = with_pipe();
	tell(m, make_read(2000, B, 1, 40));  /* half of A's write, which sleeps from 1000 to 9000 */
	tell(m, make_write(5000, C, 1, 10)); /* begun too late for that read */
	assert_flow(m, 0, B, 1, 40);
	struct ev_io *w = make_write(9000, A, 1, 100);
	w->enter_ns = 1000;
	w->dur_ns = 8010;
	w->slept_ns = 7000;
	tell(m, w);
	assert_null(flow(m, 0, B));
	assert_flow(m, A, B, 0, 40);
	assert_true(flow(m, A, B)->approximate);
	assert_int_equal(unread(m), 70);
	model_free(m);
}

static void overlapping_writers_are_approximate(void **state)
{
	(void)state;
	struct model *m = with_pipe();
	tell(m, make_write(1000, A, 1, 10)); /* 990 to 1010 */
	tell(m, make_write(1015, B, 1, 10)); /* 1005 to 1025 */
	tell(m, make_write(2000, D, 1, 10));
	tell(m, make_read(3000, C, 1, 30));
	assert_true(flow(m, A, C)->approximate);
	assert_true(flow(m, B, C)->approximate);
	assert_false(flow(m, D, C)->approximate);
	model_free(m);
}

static void an_overlap_is_seen_past_a_writers_own_writes(void **state)
{
	(void)state;
	struct model *m = with_pipe();
	struct ev_io *w = make_write(1000, A, 1, 10);
	w->dur_ns = 5000; /* until 5990 */
	tell(m, w);
	tell(m, make_write(2000, B, 1, 10));
	tell(m, make_write(3000, B, 1, 10)); /* overlaps A's, though B's own is the last */
	tell(m, make_read(7000, C, 1, 20));  /* A's and B's first */
	tell(m, make_read(8000, D, 1, 10));  /* B's second alone */
	assert_true(flow(m, B, D)->approximate);
	model_free(m);
}

static void an_overlap_is_seen_behind_a_longer_write_of_ones_own(void **state)
{
	(void)state;
	struct model *m = with_pipe();
	struct ev_io *w = make_write(1000, A, 1, 10);
	w->dur_ns = 1000; /* until 1990 */
	tell(m, w);
	w = make_write(1500, B, 1, 10);
	w->dur_ns = 5000; /* until 6490: the latest end of all */
	tell(m, w);
	w = make_write(1800, B, 1, 10);
	w->tid = B + 1;
	tell(m, w);
	tell(m, make_read(7000, C, 1, 20));
	tell(m, make_read(8000, D, 1, 10));
	assert_true(flow(m, B, D)->approximate);
	model_free(m);
}

static void threads_of_one_writer_do_not_make_it_approximate(void **state)
{
	(void)state;
	struct model *m = with_pipe();
	for (uint32_t i = 0; i < 3; i++) {
		struct ev_io *w = make_write(1000 + i, A, 1, 10);
		w->tid = A + i;
		tell(m, w);
	}
	tell(m, make_read(3000, C, 1, 30));
	assert_flow(m, A, C, 3, 30);
	assert_false(flow(m, A, C)->approximate); /* the flow is the process's */
	model_free(m);
}

static void competing_readers_of_several_writers_are_approximate(void **state)
{
	(void)state;
	struct model *m = with_pipe();
	tell(m, make_write(1000, A, 1, 10));
	tell(m, make_write(2000, B, 1, 10));
	tell(m, make_read(3000, C, 1, 10));
	tell(m, make_read(3005, D, 1, 10));
	assert_false(flow(m, A, C)->approximate); /* settled when D came */
	assert_true(flow(m, B, D)->approximate);
	model_free(m);
}

static void the_backlog_of_a_pipe_came_from_nobody_known(void **state)
{
	(void)state;
	struct model *m = model_new();
	struct ev_chan *c = make_chan(1, KIND_PIPE, SHAPE_STREAM, 0);
	c->backlog = 50;
	model_apply(m, &c->hdr);
	model_apply(m, &c->hdr); /* told again: not counted again */
	assert_int_equal(unread(m), 50);
	assert_false(model_chan(m, 1)->unread_known);
	tell(m, make_write(1000, A, 1, 10));
	tell(m, make_read(2000, B, 1, 55));
	assert_flow(m, 0, B, 1, 50);
	assert_flow(m, A, B, 0, 5);
	assert_int_equal(flow(m, 0, B)->latency.count, 0);
	assert_int_equal(unread(m), 5);
	model_free(m);
}

static void the_backlog_of_a_pair_is_taken_where_nothing_else_explains_a_read(void **state)
{
	(void)state;
	struct model *m = model_new();
	struct ev_chan *c = make_chan(1, KIND_UNIX, SHAPE_STREAM, 1);
	c->backlog = 20;
	model_apply(m, &c->hdr);
	tell(m, make_write(1000, A, 1, 10));
	tell(m, make_io(2000, B, OP_READ, IO_READ | IO_SIDE_B, 1, 10));
	assert_flow(m, A, B, 1, 10);
	assert_true(flow(m, A, B)->approximate); /* it might have been the backlog */
	tell(m, make_read(3000, A, 1, 20));
	assert_flow(m, 0, A, 1, 20);
	assert_int_equal(unread(m), 0);
	model_free(m);
}

static void a_backlog_that_is_known_goes_first_each_way_and_leaves_the_rest_exact(void **state)
{
	(void)state;
	struct model *m = model_new();
	struct ev_chan *c = make_chan(1, KIND_UNIX, SHAPE_STREAM, 1);
	c->hdr.flags = EV_SYNTHETIC;
	c->backlog = 20;
	c->backlog_b = 30;
	c->backlog_known = 1;
	model_apply(m, &c->hdr);
	model_apply(m, &c->hdr); /* told again: not counted again */
	assert_int_equal(unread(m), 50);
	tell(m, make_write(1000, A, 1, 10));
	tell(m, make_io(2000, B, OP_READ, IO_READ | IO_SIDE_B, 1, 35));
	assert_flow(m, 0, B, 1, 30);
	assert_flow(m, A, B, 0, 5);
	assert_false(flow(m, A, B)->approximate);
	tell(m, make_io(3000, B, OP_WRITE, IO_WRITE | IO_SIDE_B, 1, 7));
	tell(m, make_read(4000, A, 1, 27));
	assert_flow(m, 0, A, 1, 20);
	assert_flow(m, B, A, 1, 7);
	assert_false(flow(m, B, A)->approximate);
	assert_int_equal(unread(m), 5);
	model_free(m);
}

static void after_a_write_that_was_under_way_nothing_is_exact(void **state)
{
	(void)state;
	struct model *m = model_new();
	struct ev_chan *c = make_chan(1, KIND_PIPE, SHAPE_STREAM, 0);
	c->backlog = 60;
	model_apply(m, &c->hdr);
	struct ev_io *early = make_write(1000, A, 1, 100); /* 60 of these, perhaps */
	early->hdr.flags |= IO_EARLY;
	tell(m, early);
	tell(m, make_write(1500, B, 1, 10));
	tell(m, make_read(2000, C, 1, 110));
	assert_true(flow(m, A, C)->approximate);
	tell(m, make_read(3000, C, 1, 60));
	assert_true(flow(m, B, C)->approximate);
	model_free(m);
}

static struct ev_io *make_packets(uint64_t t_ns, uint32_t pid, uint64_t bytes)
{
	struct ev_io *io = make_write(t_ns, pid, 1, bytes);
	io->hdr.flags |= IO_PACKET;
	return io;
}

static void what_a_short_read_leaves_of_a_packet_is_gone(void **state)
{
	(void)state;
	struct model *m = with_pipe();
	tell(m, make_packets(1000, A, 10));
	tell(m, make_packets(1100, B, 10));
	tell(m, make_packets(1200, A, 5000)); /* a page, and the rest of it */
	assert_int_equal(unread(m), 5020);
	tell(m, make_read(2000, C, 1, 4));
	assert_int_equal(unread(m), 5010);
	tell(m, make_read(2100, C, 1, 4));
	assert_flow(m, A, C, 1, 4);
	assert_flow(m, B, C, 1, 4);
	tell(m, make_read(2200, C, 1, 96));
	assert_int_equal(unread(m), 5000 - 4096);
	tell(m, make_read(2300, C, 1, 904));
	assert_flow(m, A, C, 2, 1004);
	assert_int_equal(unread(m), 0);
	assert_false(flow(m, B, C)->approximate);
	model_free(m);
}

static void nor_does_a_packet_that_was_read_early_keep_its_rest(void **state)
{
	(void)state;
	struct model *m = with_pipe();
	tell(m, make_read(2000, C, 1, 4));
	tell(m, make_packets(2000, A, 10));
	assert_flow(m, A, C, 1, 4);
	assert_int_equal(unread(m), 0);
	tell(m, make_packets(3000, B, 10));
	tell(m, make_read(4000, C, 1, 10));
	assert_flow(m, B, C, 1, 10);
	model_free(m);
}

static void messages_that_lay_there_are_counted_whatever_their_length(void **state)
{
	(void)state;
	struct model *m = model_new();
	struct ev_chan *c = make_chan(1, KIND_UDP, SHAPE_DGRAM, 0);
	c->hdr.flags = EV_SYNTHETIC;
	c->backlog = 2;
	c->backlog_known = 1;
	model_apply(m, &c->hdr);
	tell(m, make_write(1000, A, 1, 25));
	tell(m, make_read(2000, B, 1, 300));
	tell(m, make_read(2500, B, 1, 25)); /* as long as A's, but older */
	assert_flow(m, 0, B, 2, 325);
	assert_int_equal(flow(m, 0, B)->latency.count, 0);
	tell(m, make_read(3000, B, 1, 25));
	assert_flow(m, A, B, 1, 25);
	assert_false(flow(m, A, B)->approximate);
	assert_int_equal(unread(m), 0);
	model_free(m);
}

static void of_a_socket_whose_backlog_is_not_known_no_message_is_exact(void **state)
{
	(void)state;
	struct model *m = model_new();
	struct ev_chan *c = make_chan(1, KIND_UNIX, SHAPE_DGRAM, 0);
	c->hdr.flags = EV_SYNTHETIC;
	model_apply(m, &c->hdr);
	tell(m, make_write(1000, A, 1, 25));
	tell(m, make_read(2000, B, 1, 25));
	assert_flow(m, A, B, 1, 25);
	assert_true(flow(m, A, B)->approximate);
	model_free(m);
}

static void what_nobody_reads_falls_out_of_a_full_queue_as_a_loss(void **state)
{
	(void)state;
	struct model *m = with_pipe();
	for (uint64_t i = 0; i < 65536 + 10; i++)
		tell(m, make_write(1000 + i * 100, A, 1, 2));
	assert_flow(m, A, 0, 10, 20);
	assert_int_equal(flow(m, A, 0)->latency.count, 0);
	const struct m_loss *l = model_losses(m);
	assert_non_null(l);
	assert_int_equal(l->cause, LOST_MATCH_QUEUE);
	assert_int_equal(l->count, 10);
	assert_null(l->next);
	assert_int_equal(unread(m), 65536 * 2);
	assert_false(model_chan(m, 1)->unread_known);
	model_free(m);
}

static void reads_from_a_hidden_writer_stay_bounded_and_exact(void **state)
{
	(void)state;
	struct model *m = with_pipe();
	for (uint64_t i = 0; i < 50000; i++)
		tell(m, make_read(1000 + i * 100, B, 1, 3));
	assert_flow(m, 0, B, 50000, 150000);
	for (uint64_t i = 0; i < 5000;
	     i++) /* too far apart to be merged: the oldest are given up */
		tell(m, make_read(100000000 + i * 2000000, C, 1, 3));
	assert_flow(m, 0, C, 5000, 15000);
	model_free(m);
}

static void after_lost_operations_matches_are_approximate(void **state)
{
	(void)state;
	struct model *m = with_pipe();
	tell(m, make_write(1000, A, 1, 10));
	tell(m, make_read(2000, B, 1, 10));
	assert_false(flow(m, A, B)->approximate);
	model_apply(m, &make_lost(LOST_COMPAT32, 4, 1)->hdr); /* not an operation of these */
	tell(m, make_write(3000, A, 1, 10));
	tell(m, make_read(4000, B, 1, 10));
	assert_false(flow(m, A, B)->approximate);
	model_apply(m, &make_lost(LOST_RING_OP, 0, 1)->hdr);
	tell(m, make_write(5000, A, 1, 10));
	tell(m, make_read(6000, B, 1, 10));
	assert_true(flow(m, A, B)->approximate);
	model_apply(m, &make_chan(2, KIND_PIPE, SHAPE_STREAM, 0)->hdr); /* younger than the loss */
	tell(m, make_write(7000, C, 2, 10));
	tell(m, make_read(8000, D, 2, 10));
	assert_false(flow(m, C, D)->approximate);
	model_free(m);
}

/* A loss is counted some time after it happened. */
static void what_was_matched_shortly_before_a_loss_is_doubted(void **state)
{
	(void)state;
	const uint64_t s = 1000000000;
	struct model *m = with_pipe();
	model_apply(m, &make_chan(2, KIND_PIPE, SHAPE_STREAM, 0)->hdr);
	tell(m, make_write(1 * s, A, 1, 10));
	tell(m, make_read(1 * s + 100, B, 1, 10));
	tell(m, make_write(3 * s, C, 2, 10));
	tell(m, make_read(3 * s + 100, D, 2, 10));
	struct ev_lost *lost = make_lost(LOST_URING, 51, 1);
	lost->hdr.t_ns = 3 * s + 200;
	model_apply(m, &lost->hdr); /* a futex: it moved nothing */
	assert_false(flow(m, C, D)->approximate);
	lost = make_lost(LOST_URING, 23, 1);
	lost->hdr.t_ns = 3 * s + 300;
	model_apply(m, &lost->hdr); /* a write */
	assert_true(flow(m, C, D)->approximate);
	assert_false(flow(m, A, B)->approximate); /* that was long ago */
	tell(m, make_write(4 * s, A, 1, 10));
	tell(m, make_read(4 * s + 100, B, 1, 10));
	assert_true(flow(m, A, B)->approximate);
	model_free(m);
}

static void the_far_end_of_a_remote_channel_is_nobody(void **state)
{
	(void)state;
	struct model *m = model_new();
	struct ev_chan *c = make_chan(1, KIND_TCP, SHAPE_STREAM, 1);
	c->remote = 1;
	model_apply(m, &c->hdr);
	tell(m, make_write(1000, A, 1, 10));
	tell(m, make_read(2000, A, 1, 99));
	tell(m, make_read(2100, A, 1, 0));
	assert_flow(m, A, 0, 1, 10);
	assert_flow(m, 0, A, 1, 99);
	assert_int_equal(unread(m), 0);
	assert_false(model_chan(m, 1)->unread_known);
	model_free(m);
}

/* ---- against brute force: a stream byte by byte ---- */

enum { PROCS = 4, STEPS = 3000 };

struct byte {
	uint32_t who;
	uint64_t t_ns; /* of the write; of a read: its return */
	uint64_t op;   /* which one */
	bool last;     /* of its write */
};

struct expected {
	uint64_t messages, bytes, latency_count, latency_sum;
};

struct brute {
	struct byte *queue, *debts; /* bytes not yet read, bytes not yet written */
	size_t head, n, ndebts;
	struct expected flow[PROCS + 1][PROCS + 1]; /* [0] is "?" */
};

static void brute_write(struct brute *b, uint32_t who, uint64_t t_ns, uint64_t bytes, uint64_t op)
{
	for (uint64_t i = 0; i < bytes; i++) {
		size_t d = 0;
		while (d < b->ndebts && b->debts[d].t_ns < t_ns - 10)
			d++; /* that read had returned before this write began */
		bool last = i + 1 == bytes;
		if (d == b->ndebts) {
			b->queue[b->n++] = (struct byte){who, t_ns, op, last};
			continue;
		}
		struct expected *e = &b->flow[who][b->debts[d].who];
		e->bytes++;
		e->messages += last;
		e->latency_count += last;
		memmove(&b->debts[d], &b->debts[d + 1], (b->ndebts - d - 1) * sizeof(*b->debts));
		b->ndebts--;
	}
}

static void brute_read(struct brute *b, uint32_t who, uint64_t t_ns, uint64_t bytes, uint64_t op)
{
	for (uint64_t i = 0; i < bytes; i++) {
		if (b->head == b->n) {
			b->debts[b->ndebts++] = (struct byte){who, t_ns + 10, op, false};
			continue;
		}
		struct byte *w = &b->queue[b->head++];
		struct expected *e = &b->flow[w->who][who];
		e->bytes++;
		if (w->last) {
			e->messages++;
			e->latency_count++;
			e->latency_sum += t_ns - w->t_ns;
		}
	}
}

static void brute_check(struct brute *b, const struct model *m)
{
	for (size_t d = 0; d < b->ndebts; d++) {
		struct expected *e = &b->flow[0][b->debts[d].who];
		e->bytes++;
		e->messages += d == 0 || b->debts[d - 1].op != b->debts[d].op;
	}
	for (uint32_t src = 0; src <= PROCS; src++)
		for (uint32_t dst = 1; dst <= PROCS; dst++) {
			const struct expected *e = &b->flow[src][dst];
			const struct m_flow *f = flow(m, src, dst);
			assert_int_equal(f != NULL, e->bytes > 0);
			if (!f)
				continue;
			assert_int_equal(f->bytes, e->bytes);
			assert_int_equal(f->messages, e->messages);
			assert_int_equal(f->latency.count, src ? e->latency_count : 0);
			assert_int_equal(f->latency.sum, src ? e->latency_sum : 0);
		}
	assert_int_equal(unread(m), b->n - b->head);
}

/* `hunger`: how many percent of the steps read; above 50 the readers are mostly early. */
static void against_brute_force(unsigned int seed, int hunger, uint64_t size)
{
	struct brute b = {.queue = calloc(STEPS * size, sizeof(struct byte)),
			  .debts = calloc(STEPS * size, sizeof(struct byte))};
	struct model *m = with_pipe();
	uint64_t t_ns = 1000;
	srandom(seed);
	for (uint64_t op = 0; op < STEPS; op++) {
		uint32_t who = 1 + (uint32_t)random() % PROCS;
		uint64_t bytes = 1 + (uint64_t)random() % size;
		t_ns += (uint64_t)random() % 12;
		if (random() % 100 < hunger) {
			tell(m, make_read(t_ns, who, 1, bytes));
			brute_read(&b, who, t_ns, bytes, op);
		} else {
			tell(m, make_write(t_ns, who, 1, bytes));
			brute_write(&b, who, t_ns, bytes, op);
		}
	}
	brute_check(&b, m);
	free(b.queue);
	free(b.debts);
	model_free(m);
}

static void random_streams_agree_with_brute_force(void **state)
{
	(void)state;
	static const int hungers[] = {30, 48, 50, 52, 70};
	for (unsigned int seed = 1; seed <= 8; seed++)
		for (size_t i = 0; i < sizeof(hungers) / sizeof(hungers[0]); i++)
			against_brute_force(seed, hungers[i], 1 + seed * seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_read_gets_the_write_before_it),
	    cmocka_unit_test(short_reads_share_a_write_and_its_last_byte_counts),
	    cmocka_unit_test(one_read_may_take_many_writes),
	    cmocka_unit_test(the_sides_of_a_pair_do_not_mix),
	    cmocka_unit_test(what_moves_nothing_changes_nothing),
	    cmocka_unit_test(a_read_seen_before_its_write_is_settled_by_it),
	    cmocka_unit_test(a_write_wholly_read_before_it_counts_with_no_latency),
	    cmocka_unit_test(with_a_second_writer_such_a_settlement_is_approximate),
	    cmocka_unit_test(a_write_cannot_have_fed_a_read_that_had_returned),
	    cmocka_unit_test(a_long_write_is_matched_with_the_reads_it_slept_for),
	    cmocka_unit_test(a_long_write_placed_behind_another_is_still_settled),
	    cmocka_unit_test(overlapping_writers_are_approximate),
	    cmocka_unit_test(an_overlap_is_seen_past_a_writers_own_writes),
	    cmocka_unit_test(an_overlap_is_seen_behind_a_longer_write_of_ones_own),
	    cmocka_unit_test(threads_of_one_writer_do_not_make_it_approximate),
	    cmocka_unit_test(competing_readers_of_several_writers_are_approximate),
	    cmocka_unit_test(the_backlog_of_a_pipe_came_from_nobody_known),
	    cmocka_unit_test(the_backlog_of_a_pair_is_taken_where_nothing_else_explains_a_read),
	    cmocka_unit_test(a_backlog_that_is_known_goes_first_each_way_and_leaves_the_rest_exact),
	    cmocka_unit_test(after_a_write_that_was_under_way_nothing_is_exact),
	    cmocka_unit_test(what_a_short_read_leaves_of_a_packet_is_gone),
	    cmocka_unit_test(nor_does_a_packet_that_was_read_early_keep_its_rest),
	    cmocka_unit_test(messages_that_lay_there_are_counted_whatever_their_length),
	    cmocka_unit_test(of_a_socket_whose_backlog_is_not_known_no_message_is_exact),
	    cmocka_unit_test(what_nobody_reads_falls_out_of_a_full_queue_as_a_loss),
	    cmocka_unit_test(reads_from_a_hidden_writer_stay_bounded_and_exact),
	    cmocka_unit_test(after_lost_operations_matches_are_approximate),
	    cmocka_unit_test(what_was_matched_shortly_before_a_loss_is_doubted),
	    cmocka_unit_test(the_far_end_of_a_remote_channel_is_nobody),
	    cmocka_unit_test(random_streams_agree_with_brute_force),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
