// SPDX-License-Identifier: GPL-2.0-or-later
/* How full a channel is: of what it has room for, by what was counted or found in it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model_story.h"

#define A 1u
#define B 2u

static const struct ev_room *make_room(uint64_t t_ns, uint64_t chan, uint64_t bytes, uint32_t messages)
{
	static struct ev_room e;
	e = (struct ev_room){.hdr = {.t_ns = t_ns, .type = EV_ROOM, .size = sizeof(e)},
			     .chan = chan, .bytes = bytes, .messages = messages};
	return &e;
}

static const struct ev_room *make_found(uint64_t t_ns, uint64_t chan, uint64_t inside, uint32_t pages)
{
	static struct ev_room e;
	e = *make_room(t_ns, chan, 65536, 16);
	e.hdr.flags = ROOM_INSIDE;
	e.inside = inside;
	e.messages_inside = pages;
	return &e;
}

static struct model *with_chan(uint16_t kind, uint16_t shape, uint64_t bytes, uint32_t messages)
{
	struct model *m = model_new();
	assert_non_null(m);
	tell(m, make_chan(1, kind, shape, 0));
	tell(m, make_room(10, 1, bytes, messages));
	return m;
}

static void assert_fill(const struct model *m, enum m_fill_unit unit, uint64_t inside, uint64_t room)
{
	struct m_fill f;
	assert_true(model_fill(m, model_chan(m, 1), &f));
	assert_int_equal(f.unit, unit);
	assert_int_equal(f.inside, inside);
	assert_int_equal(f.room, room);
}

static void assert_no_fill(const struct model *m)
{
	struct m_fill f;
	assert_false(model_fill(m, model_chan(m, 1), &f));
}

static struct ev_io *packet(uint64_t t_ns, uint64_t bytes)
{
	struct ev_io *io = make_write(t_ns, A, 1, bytes);
	io->hdr.flags |= IO_PACKET;
	return io;
}

/* ---- what is counted ---- */

static void a_pipe_is_full_of_bytes(void **state)
{
	(void)state;
	struct model *m = with_chan(KIND_PIPE, SHAPE_STREAM, 65536, 16);
	assert_fill(m, FILL_BYTES, 0, 65536);
	tell(m, make_write(100, A, 1, 65536));
	assert_fill(m, FILL_BYTES, 65536, 65536);
	tell(m, make_read(200, B, 1, 5536));
	assert_fill(m, FILL_BYTES, 60000, 65536);
	tell(m, make_room(300, 1, 131072, 32)); /* F_SETPIPE_SZ */
	assert_fill(m, FILL_BYTES, 60000, 131072);
	model_free(m);
}

static void packets_take_whole_pages(void **state)
{
	(void)state;
	struct model *m = with_chan(KIND_PIPE, SHAPE_STREAM, 65536, 16);
	tell(m, packet(100, 1));
	tell(m, packet(110, 4097));
	assert_fill(m, FILL_PAGES, 3, 16);
	tell(m, make_read(200, B, 1, 1));
	assert_fill(m, FILL_PAGES, 2, 16);
	tell(m, make_read(210, B, 1, 100)); /* the rest of its page is thrown away */
	assert_fill(m, FILL_PAGES, 1, 16);
	tell(m, make_write(300, A, 1, 10)); /* no packet: it may share a page with the next, or not */
	assert_no_fill(m);
	model_free(m);
}

static void queues_count_by_what_limits_them(void **state)
{
	(void)state;
	struct model *m = with_chan(KIND_MSG, SHAPE_TYPED, 16384, 0);
	struct ev_io *io = make_io(100, A, OP_MSGSND, IO_WRITE, 1, 4096);
	io->mtype = 7;
	tell(m, io);
	assert_fill(m, FILL_BYTES, 4096, 16384);
	model_free(m);

	m = with_chan(KIND_MQ, SHAPE_PRIORITY, 0, 10);
	for (uint64_t i = 0; i < 3; i++) {
		io = make_io(100 + i, A, OP_MQ_TIMEDSEND, IO_WRITE, 1, 8192);
		io->mtype = (int64_t)i;
		tell(m, io);
	}
	assert_fill(m, FILL_MESSAGES, 3, 10);
	io = make_io(200, B, OP_MQ_TIMEDRECEIVE, IO_READ, 1, 8192);
	io->mtype = 2;
	tell(m, io);
	assert_fill(m, FILL_MESSAGES, 2, 10);
	model_free(m);
}

/* ---- what is not known ---- */

static void without_a_limit_or_a_sure_count_there_is_no_fill(void **state)
{
	(void)state;
	struct model *m = model_new();
	tell(m, make_chan(1, KIND_PIPE, SHAPE_STREAM, 0));
	tell(m, make_write(100, A, 1, 100));
	assert_no_fill(m); /* nobody said what it has room for */
	model_free(m);

	m = with_chan(KIND_UNIX, SHAPE_STREAM, 65536, 16);
	assert_no_fill(m); /* a socket has none */
	model_free(m);

	m = model_new();
	struct ev_chan *older = make_chan(1, KIND_PIPE, SHAPE_STREAM, 0);
	older->backlog = 10;
	tell(m, older);
	tell(m, make_room(10, 1, 65536, 16));
	assert_no_fill(m);
	model_free(m);

	m = with_chan(KIND_PIPE, SHAPE_STREAM, 65536, 16);
	tell(m, make_write(100, A, 1, 100));
	tell(m, make_lost(LOST_RING_OP, 0, 1));
	assert_no_fill(m); /* what was lost may have been written, or read */
	model_free(m);
}

/* A write sleeps: what it has put in so far is told when it returns; unless the kernel is asked. */
static void of_a_pipe_that_is_being_written_only_the_kernel_knows(void **state)
{
	(void)state;
	struct model *m = with_chan(KIND_PIPE, SHAPE_STREAM, 65536, 16);
	struct ev_endpoint *end = make_endpoint(20, A, 1, 3, ENDPOINT_OPEN);
	end->dir = ENDPOINT_DIR_WRITE;
	tell(m, end);
	struct ev_wait *w = make_wait(200, A, 1, WAIT_BEGIN, 150);
	w->op = OP_WRITE;
	tell(m, w);
	assert_no_fill(m);
	tell(m, make_found(210, 1, 48000, 16));
	assert_fill(m, FILL_PAGES, 16, 16);
	assert_int_equal(model_chan(m, 1)->found_bytes, 48000);
	struct ev_io *again = make_write(220, B, 1, 0);
	again->ret = -11;
	again->hdr.flags |= IO_ERROR;
	tell(m, again); /* moved nothing */
	assert_fill(m, FILL_PAGES, 16, 16);
	tell(m, make_read(230, B, 1, 4096)); /* what was found is over; the write still sleeps, as far as is known */
	assert_no_fill(m);
	struct ev_io *whole = make_write(300, A, 1, 52096);
	whole->enter_ns = 140;
	whole->dur_ns = 170;
	tell(m, whole);
	assert_fill(m, FILL_BYTES, 48000, 65536);
	model_free(m);
}

/* One who waits to read has put nothing in. */
static void a_reader_asleep_leaves_the_count_as_it_is(void **state)
{
	(void)state;
	struct model *m = with_chan(KIND_PIPE, SHAPE_STREAM, 65536, 16);
	struct ev_endpoint *end = make_endpoint(20, B, 1, 3, ENDPOINT_OPEN);
	end->dir = ENDPOINT_DIR_READ | ENDPOINT_DIR_WRITE; /* a FIFO opened for both */
	tell(m, end);
	struct ev_wait *w = make_wait(200, B, 1, WAIT_BEGIN, 150);
	w->op = OP_READ;
	tell(m, w);
	assert_fill(m, FILL_BYTES, 0, 65536);
	model_free(m);
}

static void the_text_tells_of_room_and_what_was_found(void **state)
{
	(void)state;
	struct model *m = with_chan(KIND_PIPE, SHAPE_STREAM, 65536, 16);
	char *text = dump(m);
	assert_non_null(strstr(text, " room=65536:16 "));
	assert_null(strstr(text, " found="));
	free(text);
	tell(m, make_found(210, 1, 48000, 16));
	text = dump(m);
	assert_non_null(strstr(text, " found=48000:16 "));
	free(text);
	assert_int_equal(model_apply(m, &make_room(300, 0, 1, 1)->hdr), -EINVAL);
	model_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_pipe_is_full_of_bytes),
	    cmocka_unit_test(packets_take_whole_pages),
	    cmocka_unit_test(queues_count_by_what_limits_them),
	    cmocka_unit_test(without_a_limit_or_a_sure_count_there_is_no_fill),
	    cmocka_unit_test(of_a_pipe_that_is_being_written_only_the_kernel_knows),
	    cmocka_unit_test(a_reader_asleep_leaves_the_count_as_it_is),
	    cmocka_unit_test(the_text_tells_of_room_and_what_was_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
