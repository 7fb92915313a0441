// SPDX-License-Identifier: GPL-2.0-or-later
/* The probes and the shim at once: nothing twice, nothing that only one of them saw left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "collector/both.h"

#define TID 7u

/* What comes out, as text: "futex@7 " an operation and its channel, "+futex:[1]=7 " a channel. */
static char told[512];
static struct both *both;

static int note(struct sink *self, const struct ev_hdr *h)
{
	const struct ev_io *io = (const struct ev_io *)h;
	const struct ev_chan *c = (const struct ev_chan *)h;
	size_t at = strlen(told);
	(void)self;
	if (h->type == EV_IO)
		snprintf(told + at, sizeof(told) - at, "%s@%llx ",
			 io->op == OP_FUTEX ? "futex" : io->op == OP_WRITE ? "write" : "lock", (unsigned long long)io->chan);
	else if (h->type == EV_CHAN)
		snprintf(told + at, sizeof(told) - at, "+%s=%llx ", c->ident, (unsigned long long)c->chan);
	else
		snprintf(told + at, sizeof(told) - at, "type%u ", h->type);
	return 0;
}
static struct sink sink = { .event = note };

static int setup(void **state)
{
	(void)state;
	told[0] = '\0';
	both = both_new();
	assert_non_null(both);
	both_set_out(both, &sink);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	both_free(both);
	return 0;
}

static void io(struct sink *to, uint16_t op, uint32_t tid, uint64_t from, uint64_t till, uint64_t chan)
{
	struct ev_io e = {
		.hdr = { .t_ns = till, .type = EV_IO, .size = sizeof(e) },
		.enter_ns = from, .dur_ns = till - from, .chan = chan, .pid = tid, .tid = tid, .op = op, .fd = -1,
	};
	assert_int_equal(sink_event(to, &e.hdr), 0);
}

static void chan(struct sink *to, uint64_t id, const char *ident)
{
	struct ev_chan c = { .hdr = { .type = EV_CHAN, .size = sizeof(c) }, .chan = id, .kind = KIND_FUTEX };
	snprintf(c.ident, sizeof(c.ident), "%s", ident);
	assert_int_equal(sink_event(to, &c.hdr), 0);
}

static void bpf(uint16_t op, uint32_t tid, uint64_t from, uint64_t till) { io(both_from_bpf(both), op, tid, from, till, 1); }
static void shim(uint16_t op, uint32_t tid, uint64_t from, uint64_t till) { io(both_from_shim(both), op, tid, from, till, 2); }

static void calls_of_the_kernel_are_the_probes(void **state)
{
	(void)state;
	shim(OP_WRITE, TID, 100, 200);
	bpf(OP_WRITE, TID, 110, 190);
	assert_int_equal(both_release(both, 1000), 0);
	assert_string_equal(told, "write@1 ");
}

static void a_lock_that_slept_is_told_once(void **state)
{
	(void)state;
	chan(both_from_bpf(both), 1, "futex:[1]");
	chan(both_from_shim(both), 2, "futex:[1]");
	shim(OP_MUTEX_LOCK, TID, 100, 200);
	bpf(OP_FUTEX, TID, 110, 190);
	assert_int_equal(both_release(both, 1000), 0);
	assert_string_equal(told, "+futex:[1]=1 futex@1 ");
	assert_int_equal(both_doubled(both), 1);
}

static void a_lock_that_nobody_contended_for_is_told(void **state)
{
	(void)state;
	chan(both_from_bpf(both), 1, "futex:[1]");
	chan(both_from_shim(both), 2, "futex:[1]");
	bpf(OP_FUTEX, TID, 10, 90);       /* before it */
	bpf(OP_FUTEX, TID + 1, 110, 190); /* another thread */
	bpf(OP_FUTEX, TID, 210, 290);     /* behind it */
	shim(OP_MUTEX_LOCK, TID, 100, 200);
	told[0] = '\0';
	assert_int_equal(both_release(both, 1000), 0);
	assert_string_equal(told, "lock@1 "); /* on the channel as the probes number it */
	assert_int_equal(both_doubled(both), 0);
}

static void it_waits_until_the_probes_have_told_all(void **state)
{
	(void)state;
	chan(both_from_shim(both), 2, "futex:[1]");
	shim(OP_MUTEX_LOCK, TID, 100, 200);
	assert_int_equal(both_release(both, 199), 0);
	assert_string_equal(told, "");
	bpf(OP_FUTEX, TID, 110, 190);
	assert_int_equal(both_release(both, 200), 0);
	assert_string_equal(told, "futex@1 ");
}

static void a_channel_that_only_the_shim_knows_is_told(void **state)
{
	(void)state;
	chan(both_from_bpf(both), 1, "futex:[1]");
	chan(both_from_shim(both), 2, "futex:[2]");
	shim(OP_MUTEX_LOCK, TID, 100, 200);
	shim(OP_MUTEX_UNLOCK, TID, 300, 400);
	told[0] = '\0';
	assert_int_equal(both_release(both, 1000), 0);
	assert_string_equal(told, "+futex:[2]=100000002 lock@100000002 lock@100000002 ");
}

static void what_the_shim_lost_is_told(void **state)
{
	(void)state;
	struct ev_lost e = { .hdr = { .type = EV_LOST, .size = sizeof(e) }, .count = 1, .cause = LOST_SHIM_OP };
	assert_int_equal(sink_event(both_from_shim(both), &e.hdr), 0);
	assert_string_equal(told, "type6 ");
	e.cause = LOST_NOT_COVERED; /* the probes see it */
	told[0] = '\0';
	assert_int_equal(sink_event(both_from_shim(both), &e.hdr), 0);
	assert_string_equal(told, "");
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(calls_of_the_kernel_are_the_probes),
		TEST(a_lock_that_slept_is_told_once),
		TEST(a_lock_that_nobody_contended_for_is_told),
		TEST(it_waits_until_the_probes_have_told_all),
		TEST(a_channel_that_only_the_shim_knows_is_told),
		TEST(what_the_shim_lost_is_told),
	};
	return cmocka_run_group_tests_name("both", tests, NULL, NULL);
}
