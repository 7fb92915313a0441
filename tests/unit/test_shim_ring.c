// SPDX-License-Identifier: GPL-2.0-or-later
/* The reader of a ring, which belongs to a program that may write what it likes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "collector/shim_ring.h"
#include "ring_fixture.h"

#define NOW 1000000000000ull

static struct written w;
static struct shim_reader r;

static int setup(void **state)
{
	*state = aligned_alloc(SHIM_PAGE, RING_BYTES);
	if (!*state)
		return -1;
	memset(*state, 0, RING_BYTES);
	w = ring_of(*state, RING_BYTES, RING_PID);
	return !shim_reader_init(&r, *state, RING_BYTES);
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static void put_write(uint64_t t_ns, uint64_t bytes)
{
	struct ev_io e = ring_write(t_ns, bytes);
	ring_put(&w, &e, sizeof(e));
}

/* Of how many bytes the next record tells; 0: there is none. */
static uint64_t next(void)
{
	const union shim_record *rec = shim_reader_peek(&r, NOW);
	uint64_t bytes = rec ? rec->io.bytes : 0;
	shim_reader_next(&r);
	return bytes;
}

/* ---- what a ring is ---- */

static void what_is_none_is_refused(void **state)
{
	struct shim_ring whole = *w.ring;
	struct shim_reader other;
#define REFUSED(field, value)                                                                      \
	do {                                                                                       \
		*w.ring = whole;                                                                   \
		w.ring->field = (value);                                                           \
		assert_false(shim_reader_init(&other, *state, RING_BYTES));                        \
	} while (0)
	REFUSED(magic, 0);
	REFUSED(magic, SHIM_MAGIC + 1);
	REFUSED(version, SHIM_VERSION + 1);
	REFUSED(version, 0);
	REFUSED(header_bytes, 0);
	REFUSED(header_bytes, SHIM_PAGE * 2);
	REFUSED(data_bytes, 0);
	REFUSED(data_bytes, SHIM_DATA_MIN / 2);
	REFUSED(data_bytes, SHIM_DATA_MIN - 8);
	REFUSED(data_bytes, SHIM_DATA_MIN * 2); /* beyond the file's end */
	REFUSED(data_bytes, SHIM_DATA_MAX * 2ull);
	REFUSED(data_bytes, UINT64_MAX);
	REFUSED(data_bytes, 1ull << 63);
	REFUSED(tail, 4);
	REFUSED(pid, 0);
	REFUSED(tid, 0);
	*w.ring = whole;
	for (size_t bytes = 0; bytes < RING_BYTES; bytes += 1000)
		assert_false(shim_reader_init(&other, *state, bytes));
	assert_true(shim_reader_init(&other, *state, RING_BYTES));
}

/* ---- in step ---- */

static void records_come_in_order_and_make_room(void **state)
{
	(void)state;
	uint64_t told = 0;
	for (uint64_t i = 1; i <= 10000; i++) { /* fifteen times round */
		put_write(NOW - 20000 + i, i);
		shim_reader_update(&r);
		assert_int_equal(next(), i);
		assert_int_equal(next(), 0);
		assert_int_equal(w.ring->tail, w.ring->head);
		told++;
	}
	assert_int_equal(told, 10000);
	assert_int_equal(r.bad, 0);
}

static void a_full_ring_is_read_whole(void **state)
{
	(void)state;
	unsigned int n = 0;
	while (w.ring->head + sizeof(struct ev_io) <= w.data_bytes) {
		n++;
		put_write(2000 + n, n);
	}
	shim_reader_update(&r);
	for (unsigned int i = 1; i <= n; i++)
		assert_int_equal(next(), i);
	assert_int_equal(next(), 0);
	assert_int_equal(r.bad, 0);
}

static void what_is_not_published_is_not_seen(void **state)
{
	(void)state;
	struct ev_io e = ring_write(2000, 5);
	memcpy(w.data, &e, sizeof(e));
	shim_reader_update(&r);
	assert_int_equal(next(), 0);
	w.ring->head = sizeof(e);
	assert_int_equal(next(), 0); /* nor before the next update */
	shim_reader_update(&r);
	assert_int_equal(next(), 5);
}

/* A pad as short as half a header, and one that is as long as can be. */
static void ends_of_any_length_are_passed(void **state)
{
	(void)state;
	for (uint64_t left = 8; left < SHIM_RECORD_MAX; left += 8) {
		w.ring->head = w.ring->tail = (left % 3 + 1) * w.data_bytes - left;
		assert_true(shim_reader_init(&r, w.ring, RING_BYTES));
		struct ev_task t = {
			.hdr = { .t_ns = 3000, .type = EV_TASK, .size = sizeof(t) }, .what = TASK_EXEC, .comm = "x",
		};
		ring_put(&w, &t, sizeof(t));
		put_write(3001, left);
		shim_reader_update(&r);
		const union shim_record *rec = shim_reader_peek(&r, NOW);
		assert_non_null(rec);
		assert_int_equal(rec->hdr.type, EV_TASK);
		shim_reader_next(&r);
		assert_int_equal(next(), left);
		assert_int_equal(r.bad, 0);
	}
}

/* ---- lies ---- */

static void a_head_that_is_too_far_skips_all(void **state)
{
	(void)state;
	put_write(2000, 1);
	w.ring->head = w.data_bytes + 8;
	shim_reader_update(&r);
	assert_int_equal(next(), 0);
	assert_int_equal(r.bad, 1);
	assert_int_equal(w.ring->tail, w.data_bytes + 8); /* and from there it goes on */
	put_write(2001, 2);
	shim_reader_update(&r);
	assert_int_equal(next(), 2);
	w.ring->head = UINT64_MAX - 7;
	shim_reader_update(&r);
	assert_int_equal(next(), 0);
	assert_int_equal(r.bad, 2);
}

static void a_head_that_is_none_is_not_followed(void **state)
{
	(void)state;
	put_write(2000, 1);
	put_write(2001, 2);
	shim_reader_update(&r);
	assert_int_equal(next(), 1);
	static const uint64_t heads[] = { 1, sizeof(struct ev_io) + 3, 2 * sizeof(struct ev_io) + 4, UINT64_MAX };
	for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++) {
		w.ring->head = heads[i];
		shim_reader_update(&r);
		assert_int_equal(r.head, 2 * sizeof(struct ev_io));
	}
	assert_int_equal(next(), 2); /* had been published before */
	assert_int_equal(next(), 0);
}

static void a_head_that_runs_backwards_is_begun_with_anew(void **state)
{
	(void)state;
	put_write(2000, 1);
	put_write(2001, 2);
	shim_reader_update(&r);
	assert_int_equal(next(), 1);
	w.ring->head = sizeof(struct ev_io) - 8;
	shim_reader_update(&r);
	assert_int_equal(next(), 0);
	assert_int_equal(r.bad, 1);
	put_write(2002, 3);
	shim_reader_update(&r);
	assert_int_equal(next(), 3);
	assert_int_equal(r.bad, 1);
}

/* The collector's tail is the collector's: what the program makes of it is for its own use. */
static void a_tail_that_is_overwritten_changes_nothing(void **state)
{
	(void)state;
	put_write(2000, 1);
	put_write(2001, 2);
	shim_reader_update(&r);
	w.ring->tail = 12345;
	assert_int_equal(next(), 1);
	assert_int_equal(next(), 2);
	assert_int_equal(w.ring->tail, w.ring->head);
}

static void a_size_that_leads_nowhere_skips_what_is_there(void **state)
{
	(void)state;
	static const uint16_t sizes[] = { 0, 4, 8, 15, 17, sizeof(struct ev_io) + 8, 0xfff8, 0xffff };
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct ev_io e = ring_write(2000 + i, 9);
		e.hdr.size = sizes[i];
		ring_put(&w, &e, sizeof(e));
		shim_reader_update(&r);
		assert_int_equal(next(), 0);
		assert_int_equal(r.bad, i + 1);
		assert_int_equal(w.ring->tail, w.ring->head);
	}
	put_write(3000, 3);
	shim_reader_update(&r);
	assert_int_equal(next(), 3);
}

static void a_record_that_makes_no_sense_is_skipped_alone(void **state)
{
	(void)state;
	static const uint8_t junk[SHIM_RECORD_MAX + 64];
	struct ev_hdr h = { .t_ns = 2000, .type = EV_IO, .size = sizeof(junk) };
	put_write(2000, 1);
	ring_put(&w, junk, sizeof(junk)); /* longer than any */
	memcpy(w.data + w.ring->head - sizeof(junk), &h, sizeof(h));
	put_write(2001, 2);
	shim_reader_update(&r);
	assert_int_equal(next(), 1);
	assert_int_equal(next(), 2);
	assert_int_equal(r.bad, 1);
}

/* Looks once: what the program changes afterwards is of no effect. */
static void a_record_that_changes_under_the_look_stays_what_it_was(void **state)
{
	(void)state;
	put_write(2000, 1);
	put_write(2001, 2);
	shim_reader_update(&r);
	const union shim_record *rec = shim_reader_peek(&r, NOW);
	assert_non_null(rec);
	memset(w.data, 0xff, sizeof(struct ev_io));
	assert_int_equal(rec->io.op, OP_WRITE);
	assert_int_equal(rec->io.bytes, 1);
	shim_reader_next(&r);
	assert_int_equal(next(), 2);
}

static void geometry_that_changes_later_is_not_looked_at(void **state)
{
	(void)state;
	put_write(2000, 1);
	w.ring->data_bytes = SHIM_DATA_MAX;
	w.ring->header_bytes = 0;
	w.ring->magic = 0;
	w.ring->pid = 1;
	shim_reader_update(&r);
	assert_int_equal(next(), 1);
	assert_int_equal(r.data_bytes, SHIM_DATA_MIN);
	assert_int_equal(r.pid, RING_PID);
}

/* ---- records of each type ---- */

static bool is_taken(const void *record, size_t size)
{
	uint64_t bad = r.bad;
	ring_put(&w, record, size);
	shim_reader_update(&r);
	bool taken = shim_reader_peek(&r, NOW);
	shim_reader_next(&r);
	assert_int_equal(r.bad, bad + !taken);
	assert_int_equal(w.ring->tail, w.ring->head);
	return taken;
}

#define TAKEN(e) is_taken(&(e), sizeof(e))
#define REFUSES(e, field, value)                                                                   \
	do {                                                                                       \
		__typeof__(e) changed_ = (e);                                                      \
		changed_.field = (value);                                                          \
		assert_false(TAKEN(changed_));                                                     \
	} while (0)

static void operations_are_checked(void **state)
{
	(void)state;
	struct ev_io e = ring_write(2000, 5);
	assert_true(TAKEN(e));
	REFUSES(e, op, OP_NONE);
	REFUSES(e, op, OP_MAX);
	REFUSES(e, op, 0xffff);
	REFUSES(e, fd, -2);
	REFUSES(e, chan, 1); /* an object of no kind */
	REFUSES(e, chan, RAW_OBJ(KIND_MAX, 1));
	REFUSES(e, hdr.type, EV_CHAN); /* the collector's own, not to be told from outside */
	REFUSES(e, hdr.type, EV_WAIT);
	REFUSES(e, hdr.type, EV_LOST);
	REFUSES(e, hdr.type, EV_GONE);
	REFUSES(e, hdr.type, 0);
	REFUSES(e, hdr.type, 0xffff);
	REFUSES(e, hdr.size, sizeof(e) - 8); /* and what is left of it is another */
}

static void datagrams_are_checked(void **state)
{
	(void)state;
	struct raw_io_addr a = { .io = ring_write(2000, 5), .port = 53 };
	a.io.hdr.type = RAW_IO_ADDR;
	a.io.hdr.size = sizeof(a);
	a.io.chan = RAW_OBJ(KIND_UDP, 5);
	assert_true(TAKEN(a));
	REFUSES(a, io.chan, RING_PIPE);
	REFUSES(a, io.op, OP_NONE);
	struct shim_io_unix u = { .io = ring_write(2000, 5), .len = 5, .path = "/path" };
	u.io.hdr.type = SHIM_IO_UNIX;
	u.io.hdr.size = sizeof(u);
	u.io.chan = RAW_OBJ(KIND_UNIX, 5);
	assert_true(TAKEN(u));
	REFUSES(u, io.chan, RING_PIPE);
	REFUSES(u, len, sizeof(u.path) + 1);
}

static void objects_are_checked(void **state)
{
	(void)state;
	struct raw_object o = ring_pipe(2000);
	assert_true(TAKEN(o));
	REFUSES(o, kind, KIND_NONE);
	REFUSES(o, kind, KIND_MAX);
	REFUSES(o, kind, KIND_FIFO); /* not what its id says */
	REFUSES(o, obj, RAW_OBJ(KIND_MAX, 1));
	REFUSES(o, name_len, sizeof(o.name) + 1);
}

static void endpoints_are_checked(void **state)
{
	(void)state;
	struct ev_endpoint e = {
		.hdr = { .t_ns = 2000, .type = EV_ENDPOINT, .size = sizeof(e) }, .chan = RING_PIPE, .fd = 3,
		.what = ENDPOINT_OPEN,
	};
	assert_true(TAKEN(e));
	REFUSES(e, what, 0);
	REFUSES(e, what, ENDPOINT_PASSED + 1);
	REFUSES(e, fd, -1);
	REFUSES(e, chan, 0);
	REFUSES(e, chan, RAW_OBJ(KIND_MAX, 0));
	e.what = ENDPOINT_ATTACH;
	e.fd = -1;
	assert_true(TAKEN(e));
	REFUSES(e, fd, -2);
}

static void tasks_are_checked(void **state)
{
	(void)state;
	struct ev_task t = {
		.hdr = { .t_ns = 2000, .type = EV_TASK, .size = sizeof(t) }, .what = TASK_EXEC, .comm = "x", .exe = "/x",
	};
	assert_true(TAKEN(t));
	REFUSES(t, what, TASK_SEEN);
	REFUSES(t, what, TASK_EXIT);
	struct ev_task endless = t;
	memset(endless.comm, 'x', sizeof(endless.comm));
	assert_false(TAKEN(endless));
	endless = t;
	memset(endless.exe, 'x', sizeof(endless.exe));
	assert_false(TAKEN(endless));
}

static void mappings_are_checked(void **state)
{
	(void)state;
	struct raw_map m = { .io = ring_write(2000, 0), .start = 4096, .end = 8192, .dir = 3 };
	m.io.hdr.type = RAW_MAP;
	m.io.hdr.size = sizeof(m);
	m.io.op = OP_NONE; /* done in passing */
	assert_true(TAKEN(m));
	REFUSES(m, start, 8193);
	REFUSES(m, old_start, 1);
	REFUSES(m, dir, 4);
	struct raw_mknod n = { .io = ring_write(2000, 0), .dirfd = -100, .path = "/tmp/f" };
	n.io.hdr.type = RAW_MKNOD;
	n.io.hdr.size = sizeof(n);
	assert_true(TAKEN(n));
	memset(n.path, 'x', sizeof(n.path));
	assert_false(TAKEN(n));
}

/* ---- times, counts, the call under way ---- */

static void time_does_not_run_backwards_nor_ahead(void **state)
{
	(void)state;
	put_write(5000, 1);
	put_write(4000, 2); /* a signal handler came between */
	put_write(NOW + 5000000000, 3);
	put_write(UINT64_MAX, 4);
	put_write(6000, 5);
	shim_reader_update(&r);
	static const uint64_t told[] = { 5000, 5000, NOW, NOW, NOW };
	for (size_t i = 0; i < sizeof(told) / sizeof(*told); i++) {
		const union shim_record *rec = shim_reader_peek(&r, NOW);
		assert_non_null(rec);
		assert_int_equal(rec->io.bytes, i + 1);
		assert_int_equal(rec->hdr.t_ns, told[i]);
		shim_reader_next(&r);
	}
}

static void losses_are_told_once_and_never_taken_back(void **state)
{
	(void)state;
	w.ring->lost[SHIM_LOST_OP] = 5;
	assert_int_equal(shim_reader_lost(&r, SHIM_LOST_OP), 5);
	assert_int_equal(shim_reader_lost(&r, SHIM_LOST_OP), 0);
	w.ring->lost[SHIM_LOST_OP] = 7;
	assert_int_equal(shim_reader_lost(&r, SHIM_LOST_OP), 2);
	assert_int_equal(shim_reader_lost(&r, SHIM_LOST_CTL), 0);
	w.ring->lost[SHIM_LOST_OP] = 3; /* no shim does that */
	assert_int_equal(shim_reader_lost(&r, SHIM_LOST_OP), 0);
	w.ring->lost[SHIM_LOST_OP] = 4;
	assert_int_equal(shim_reader_lost(&r, SHIM_LOST_OP), 1);
}

static void the_call_under_way_is_told_whole_or_not(void **state)
{
	(void)state;
	struct shim_call c;
	assert_false(shim_reader_call(&r, &c));
	w.ring->call = (struct shim_call){ .enter_ns = 7, .obj = RING_PIPE, .fd = 3, .op = OP_READ };
	assert_true(shim_reader_call(&r, &c));
	assert_int_equal(c.enter_ns, 7);
	assert_int_equal(c.op, OP_READ);
	w.ring->call.op = OP_MAX;
	assert_false(shim_reader_call(&r, &c));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(what_is_none_is_refused),
		T(records_come_in_order_and_make_room),
		T(a_full_ring_is_read_whole),
		T(what_is_not_published_is_not_seen),
		T(ends_of_any_length_are_passed),
		T(a_head_that_is_too_far_skips_all),
		T(a_head_that_is_none_is_not_followed),
		T(a_head_that_runs_backwards_is_begun_with_anew),
		T(a_tail_that_is_overwritten_changes_nothing),
		T(a_size_that_leads_nowhere_skips_what_is_there),
		T(a_record_that_makes_no_sense_is_skipped_alone),
		T(a_record_that_changes_under_the_look_stays_what_it_was),
		T(geometry_that_changes_later_is_not_looked_at),
		T(operations_are_checked),
		T(datagrams_are_checked),
		T(objects_are_checked),
		T(endpoints_are_checked),
		T(tasks_are_checked),
		T(mappings_are_checked),
		T(time_does_not_run_backwards_nor_ahead),
		T(losses_are_told_once_and_never_taken_back),
		T(the_call_under_way_is_told_whole_or_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
