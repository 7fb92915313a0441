// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/stream/order.h"
#include "make_event.h"

/* Keeps (t_ns, arrival number) of what comes out; the number travels in ev_io.ret. */
struct catcher {
	struct sink sink;
	size_t n, cap;
	struct caught {
		uint64_t t_ns, number;
		uint16_t type;
	} * v;
	int fail_at; /* the event, from 1, that is refused; 0: none */
};

static int catch (struct sink *self, const struct ev_hdr *ev)
{
	struct catcher *c = (struct catcher *)self;
	if (c->n == c->cap) {
		c->cap = c->cap ? c->cap * 2 : 64;
		c->v = realloc(c->v, c->cap * sizeof(*c->v));
		assert_non_null(c->v);
	}
	uint64_t number = ev->type == EV_IO ? (uint64_t)((const struct ev_io *)ev)->ret : 0;
	c->v[c->n++] = (struct caught){ev->t_ns, number, ev->type};
	return c->fail_at && (size_t)c->fail_at == c->n ? -EPIPE : 0;
}

static void deliver(struct order *q, uint64_t t_ns, uint64_t number)
{
	struct ev_io *io = make_write(t_ns, 1, 1, 1);
	io->ret = (int64_t)number;
	assert_int_equal(sink_event(order_sink(q), &io->hdr), 0);
}

static void assert_times(const struct catcher *c, const uint64_t *times, size_t n)
{
	assert_int_equal(c->n, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(c->v[i].t_ns, times[i]);
}

static void events_wait_for_their_release(void **state)
{
	(void)state;
	struct catcher c = {.sink.event = catch};
	struct order *q = order_new(&c.sink);
	deliver(q, 30, 1);
	deliver(q, 10, 2);
	deliver(q, 20, 3);
	assert_int_equal(c.n, 0);
	assert_int_equal(order_pending(q), 3);
	assert_int_equal(order_release(q, 20), 0); /* inclusive */
	assert_times(&c, (uint64_t[]){10, 20}, 2);
	assert_int_equal(order_pending(q), 1);
	deliver(q, 25, 4);
	assert_int_equal(order_release(q, UINT64_MAX), 0);
	assert_times(&c, (uint64_t[]){10, 20, 25, 30}, 4);
	assert_int_equal(order_late(q), 0);
	order_free(q);
	free(c.v);
}

static void ties_keep_their_order_of_arrival(void **state)
{
	(void)state;
	struct catcher c = {.sink.event = catch};
	struct order *q = order_new(&c.sink);
	for (uint64_t i = 0; i < 500; i++)
		deliver(q, 1000 - i % 5 * 100, i);
	order_release(q, UINT64_MAX);
	assert_int_equal(c.n, 500);
	for (size_t i = 1; i < c.n; i++) {
		assert_true(c.v[i - 1].t_ns <= c.v[i].t_ns);
		if (c.v[i - 1].t_ns == c.v[i].t_ns)
			assert_true(c.v[i - 1].number < c.v[i].number);
	}
	order_free(q);
	free(c.v);
}

static void descriptions_pass_at_once(void **state)
{
	(void)state;
	struct catcher c = {.sink.event = catch};
	struct order *q = order_new(&c.sink);
	deliver(q, 5, 1);
	sink_event(order_sink(q), &make_chan(1, KIND_PIPE, SHAPE_STREAM, 0)->hdr);
	sink_event(order_sink(q), &make_lost(LOST_RING_OP, 0, 3)->hdr);
	assert_int_equal(c.n, 2);
	assert_int_equal(c.v[0].type, EV_CHAN);
	assert_int_equal(c.v[1].type, EV_LOST);
	order_release(q, 10);
	assert_int_equal(c.n, 3);
	sink_event(order_sink(q), &make_chan(2, KIND_PIPE, SHAPE_STREAM, 0)->hdr);
	assert_int_equal(order_late(q), 0); /* however old they are */
	order_free(q);
	free(c.v);
}

static void a_late_event_goes_out_at_once_and_is_counted(void **state)
{
	(void)state;
	struct catcher c = {.sink.event = catch};
	struct order *q = order_new(&c.sink);
	deliver(q, 0, 1); /* before the first release nothing is late */
	assert_int_equal(order_late(q), 0);
	order_release(q, 100);
	deliver(q, 100, 2);
	deliver(q, 50, 3);
	deliver(q, 101, 4);
	assert_times(&c, (uint64_t[]){0, 100, 50}, 3);
	assert_int_equal(order_late(q), 2);
	assert_int_equal(order_pending(q), 1);
	order_release(q, 60); /* going back releases nothing and makes nothing less late */
	assert_int_equal(order_pending(q), 1);
	deliver(q, 99, 5);
	assert_int_equal(order_late(q), 3);
	order_free(q); /* with one pending */
	free(c.v);
}

static void an_error_of_the_sink_comes_back(void **state)
{
	(void)state;
	struct catcher c = {.sink.event = catch, .fail_at = 2};
	struct order *q = order_new(&c.sink);
	for (uint64_t i = 1; i <= 4; i++)
		deliver(q, i, i);
	assert_int_equal(order_release(q, 10), -EPIPE);
	assert_int_equal(c.n, 2);
	assert_int_equal(order_pending(q), 2);
	assert_int_equal(order_release(q, 10), 0);
	assert_times(&c, (uint64_t[]){1, 2, 3, 4}, 4);
	struct ev_hdr cut = {.t_ns = 99, .type = EV_IO, .size = 8};
	assert_int_equal(sink_event(order_sink(q), &cut), -EINVAL);
	order_free(q);
	free(c.v);
}

/* One stable sort of everything, by the textbook. */
static int by_time_then_arrival(const void *a, const void *b)
{
	const struct caught *x = a, *y = b;
	if (x->t_ns != y->t_ns)
		return x->t_ns < y->t_ns ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

static void random_streams_come_out_as_qsort_has_them(void **state)
{
	(void)state;
	enum { N = 20000 };
	static struct caught all[N];
	static const uint64_t jitters[] = {1, 4, 100, 3000, 100000, 10000000};
	srandom(17);
	for (size_t round = 0; round < sizeof(jitters) / sizeof(jitters[0]); round++) {
		struct catcher c = {.sink.event = catch};
		struct order *q = order_new(&c.sink);
		uint64_t now = 20000000, complete = 0;
		for (uint64_t i = 0; i < N; i++) {
			now += (uint64_t)random() % 3;
			uint64_t t = now - (uint64_t)random() % jitters[round];
			all[i] = (struct caught){t, i, EV_IO};
			deliver(q, t, i);
			if (random() % 512 == 0) {
				complete = now - jitters[round];
				assert_int_equal(order_release(q, complete), 0);
			}
		}
		assert_int_equal(order_release(q, UINT64_MAX), 0);
		assert_int_equal(order_late(q), 0);
		qsort(all, N, sizeof(all[0]), by_time_then_arrival);
		assert_int_equal(c.n, N);
		for (size_t i = 0; i < N; i++)
			assert_true(c.v[i].t_ns == all[i].t_ns && c.v[i].number == all[i].number);
		order_free(q);
		free(c.v);
	}
}

static int check_payload(struct sink *self, const struct ev_hdr *ev)
{
	struct catcher *c = (struct catcher *)self;
	const unsigned char *data = (const unsigned char *)ev + sizeof(struct ev_io);
	for (size_t i = 0; i < ev->size - sizeof(struct ev_io); i++)
		assert_int_equal(data[i], (unsigned char)ev->t_ns);
	c->n++;
	return 0;
}

static void records_of_every_size_are_kept_whole(void **state)
{
	(void)state;
	struct catcher c = {.sink.event = check_payload};
	struct order *q = order_new(&c.sink);
	union {
		struct ev_io io;
		unsigned char bytes[UINT16_MAX];
	} *ev = calloc(1, sizeof(*ev));
	srandom(23);
	size_t sent = 0;
	for (int i = 0; i < 2000; i++, sent++) {
		uint64_t t = 1000 + (uint64_t)i * 10 - (uint64_t)random() % 500;
		size_t size =
		    i % 50 ? sizeof(ev->io) + (size_t)(random() % 64) * 8 : UINT16_MAX / 8 * 8;
		memset(ev->bytes, (int)(t & 0xff), size);
		ev->io.hdr = (struct ev_hdr){.t_ns = t, .type = EV_IO, .size = (uint16_t)size};
		assert_int_equal(sink_event(order_sink(q), &ev->io.hdr), 0);
		if (i % 100 == 99)
			assert_int_equal(order_release(q, (uint64_t)i * 10), 0);
	}
	order_release(q, UINT64_MAX);
	assert_int_equal(c.n, sent);
	free(ev);
	order_free(q);
	order_free(NULL);
}

/* ---- stream.h: the fan-out, and what is well-formed ---- */

static void a_fanout_serves_all_until_one_fails(void **state)
{
	(void)state;
	struct catcher a = {.sink.event = catch}, b = {.sink.event = catch, .fail_at = 2},
		       c = {.sink.event = catch};
	struct fanout f;
	fanout_init(&f);
	fanout_add(&f, &a.sink);
	fanout_add(&f, &b.sink);
	fanout_add(&f, &c.sink);
	assert_int_equal(sink_event(&f.sink, &make_write(1, 1, 1, 1)->hdr), 0);
	assert_int_equal(sink_event(&f.sink, &make_write(2, 1, 1, 1)->hdr), -EPIPE);
	assert_int_equal(a.n, 2);
	assert_int_equal(b.n, 2);
	assert_int_equal(c.n, 1);
	free(a.v);
	free(b.v);
	free(c.v);
}

static void only_well_formed_events_are_valid(void **state)
{
	(void)state;
	struct ev_io *io = make_write(1, 1, 1, 1);
	assert_true(event_is_valid(&io->hdr, sizeof(*io)));
	assert_false(event_is_valid(&io->hdr, sizeof(*io) - 1));
	assert_false(event_is_valid(&io->hdr, 15));
	io->hdr.size = sizeof(*io) + 8; /* with payload */
	assert_true(event_is_valid(&io->hdr, sizeof(*io) + 8));
	io->hdr.size = sizeof(*io) + 4;
	assert_false(event_is_valid(&io->hdr, 4096));
	io->hdr.size = sizeof(*io) - 8;
	assert_false(event_is_valid(&io->hdr, 4096));
	io->hdr.size = sizeof(*io);
	io->hdr.type = 0;
	assert_false(event_is_valid(&io->hdr, 4096));
	io->hdr.type = EV_TYPE_MAX;
	assert_false(event_is_valid(&io->hdr, 4096));

	struct ev_chan *c = make_chan(1, KIND_PIPE, SHAPE_STREAM, 0);
	assert_true(event_is_valid(&c->hdr, sizeof(*c)));
	c->hdr.size = sizeof(*c) + 8; /* only operations carry payload */
	assert_false(event_is_valid(&c->hdr, 4096));
	c->hdr.size = sizeof(*c);
	memset(c->name, 'x', sizeof(c->name));
	assert_false(event_is_valid(&c->hdr, sizeof(*c)));

	struct ev_task *t = make_task(1, 1, 1, TASK_SEEN, "comm");
	assert_true(event_is_valid(&t->hdr, sizeof(*t)));
	memset(t->args, 'x', sizeof(t->args));
	assert_false(event_is_valid(&t->hdr, sizeof(*t)));
	assert_true(event_is_valid(&make_endpoint(1, 1, 1, 1, ENDPOINT_OPEN)->hdr, 40));
	assert_true(event_is_valid(&make_wait(1, 1, 1, WAIT_BEGIN, 1)->hdr, 64));
	assert_true(event_is_valid(&make_lost(1, 1, 1)->hdr, 32));
	assert_false(event_is_valid(&make_lost(1, 1, 1)->hdr, 31));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(events_wait_for_their_release),
	    cmocka_unit_test(ties_keep_their_order_of_arrival),
	    cmocka_unit_test(descriptions_pass_at_once),
	    cmocka_unit_test(a_late_event_goes_out_at_once_and_is_counted),
	    cmocka_unit_test(an_error_of_the_sink_comes_back),
	    cmocka_unit_test(random_streams_come_out_as_qsort_has_them),
	    cmocka_unit_test(records_of_every_size_are_kept_whole),
	    cmocka_unit_test(a_fanout_serves_all_until_one_fails),
	    cmocka_unit_test(only_well_formed_events_are_valid),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
