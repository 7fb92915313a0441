// SPDX-License-Identifier: GPL-2.0-or-later
/* What is mapped where: parts, holes, several at once, on top of another, moved, copied by fork. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "collector/maps.h"

#define PID 100u
#define PAGE 4096u

/* Everything told, as text: "+7" process PID attaches channel 7, "-7" detaches, "101+7" another. */
static char told[512];
static uint64_t now_ns;

static int note(struct sink *self, const struct ev_hdr *h)
{
	const struct ev_endpoint *e = (const struct ev_endpoint *)h;
	size_t at = strlen(told);
	(void)self;
	assert_int_equal(h->type, EV_ENDPOINT);
	assert_int_equal(e->fd, -1);
	if (e->pid != PID)
		at += (size_t)snprintf(told + at, sizeof(told) - at, "%u", e->pid);
	snprintf(told + at, sizeof(told) - at, "%c%u ", e->what == ENDPOINT_ATTACH ? '+' : '-',
		 (unsigned int)e->chan);
	return 0;
}
static struct sink sink = {.event = note};

/* The text since the last call. */
static const char *since(void)
{
	static char text[sizeof(told)];
	strcpy(text, told);
	told[0] = '\0';
	return text;
}

static struct raw_map record(uint32_t pid, uint16_t op)
{
	now_ns += 100;
	return (struct raw_map){
	    .io = {.hdr = {.t_ns = now_ns + 5, .type = RAW_MAP, .size = sizeof(struct raw_map)},
		   .enter_ns = now_ns, .dur_ns = 10, .pid = pid, .tid = pid, .op = op},
	};
}

static uint64_t change(struct maps *m, const struct raw_map *r, uint64_t chan)
{
	assert_int_equal(maps_change(m, r, &chan, &sink), 0);
	return chan;
}

static struct raw_map mapping(uint32_t from, uint32_t pages)
{
	struct raw_map r = record(PID, OP_MMAP);
	r.start = r.old_start = from * PAGE;
	r.end = r.old_end = r.start + pages * PAGE;
	r.dir = ENDPOINT_DIR_READ;
	return r;
}

static void map(struct maps *m, uint64_t chan, uint32_t from, uint32_t pages)
{
	struct raw_map r = mapping(from, pages);
	assert_int_equal(change(m, &r, chan), chan);
}

static uint64_t unmap(struct maps *m, uint32_t from, uint32_t pages)
{
	struct raw_map r = mapping(from, pages);
	r.start = r.end = 0;
	return change(m, &r, 0);
}

static int setup(void **state)
{
	*state = maps_new();
	told[0] = '\0';
	now_ns = 0;
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	maps_free(*state);
	return 0;
}

static void a_mapping_ends_with_its_last_part(void **state)
{
	struct maps *m = *state;
	map(m, 7, 10, 8);
	assert_string_equal(since(), "+7 ");
	assert_int_equal(unmap(m, 12, 2), 7); /* a hole */
	assert_int_equal(unmap(m, 8, 3), 7);  /* the head, and something in front of it */
	assert_int_equal(unmap(m, 17, 9), 7); /* the tail */
	assert_string_equal(since(), "");
	assert_int_equal(unmap(m, 11, 1), 7);
	assert_string_equal(since(), "");
	assert_int_equal(unmap(m, 14, 3), 7);
	assert_string_equal(since(), "-7 ");
	assert_int_equal(unmap(m, 0, 100), 0); /* nothing is left */
	assert_string_equal(since(), "");
}

static void one_call_unmaps_several(void **state)
{
	struct maps *m = *state;
	map(m, 1, 10, 2);
	map(m, 2, 20, 2);
	map(m, 1, 30, 2);
	since();
	assert_int_equal(unmap(m, 9, 15), 1);
	assert_string_equal(since(), "-1 -2 ");
	assert_int_equal(unmap(m, 30, 2), 1);
	assert_string_equal(since(), "-1 ");
}

static void a_mapping_on_top_replaces(void **state)
{
	struct maps *m = *state;
	map(m, 1, 10, 4);
	map(m, 2, 10, 4);
	assert_string_equal(since(), "+1 -1 +2 ");
	struct raw_map private = mapping(11, 1);
	private.start = private.end = 0;
	private.io.op = OP_NONE;
	assert_int_equal(change(m, &private, 0), 2);
	assert_string_equal(since(), "");
	unmap(m, 10, 1);
	unmap(m, 12, 2);
	assert_string_equal(since(), "-2 ");
}

/* Thread A's munmap frees the addresses; B is given them and returns; then A's call returns. */
static void what_came_during_a_munmap_stays(void **state)
{
	struct maps *m = *state;
	map(m, 1, 10, 2);
	struct raw_map gone = mapping(10, 2);
	gone.start = gone.end = 0;
	gone.io.op = OP_MUNMAP;
	gone.io.dur_ns = 1000;
	unmap(m, 10, 2);
	map(m, 2, 10, 2);
	since();
	assert_int_equal(change(m, &gone, 0), 0);
	assert_string_equal(since(), "");
	assert_int_equal(unmap(m, 10, 2), 2);
}

static struct raw_map moving(uint32_t from, uint32_t pages, uint32_t to, uint32_t to_pages)
{
	struct raw_map r = record(PID, OP_MREMAP);
	r.old_start = from * PAGE;
	r.old_end = r.old_start + pages * PAGE;
	r.start = to * PAGE;
	r.end = r.start + to_pages * PAGE;
	r.moves = 1;
	return r;
}

static void a_moved_mapping_is_the_same(void **state)
{
	struct maps *m = *state;
	map(m, 7, 10, 2);
	since();
	struct raw_map r = moving(10, 2, 50, 6);
	assert_int_equal(change(m, &r, 0), 7);
	assert_string_equal(since(), "");
	assert_int_equal(unmap(m, 10, 2), 0);
	assert_int_equal(unmap(m, 55, 1), 7);
	assert_int_equal(unmap(m, 50, 5), 7);
	assert_string_equal(since(), "-7 ");
	struct raw_map other = moving(10, 2, 50, 6); /* private memory */
	assert_int_equal(change(m, &other, 0), 0);
	assert_string_equal(since(), "");
}

static void a_mapping_that_stays_where_it_was_is_two(void **state)
{
	struct maps *m = *state;
	map(m, 7, 10, 2);
	struct raw_map r = moving(10, 0, 50, 2);
	r.keeps = 1;
	assert_int_equal(change(m, &r, 0), 7);
	assert_string_equal(since(), "+7 +7 ");
	unmap(m, 10, 2);
	unmap(m, 50, 2);
	assert_string_equal(since(), "-7 -7 ");
}

static void shmdt_takes_all_of_its_segment(void **state)
{
	struct maps *m = *state;
	map(m, 7, 10, 8);
	map(m, 7, 30, 8);
	unmap(m, 12, 1);
	since();
	struct raw_map r = record(PID, OP_SHMDT);
	r.old_start = 10 * PAGE;
	r.old_end = r.old_start + 1;
	r.whole = 1;
	assert_int_equal(change(m, &r, 0), 7);
	assert_string_equal(since(), "-7 ");
	assert_int_equal(unmap(m, 10, 8), 0);
	assert_int_equal(unmap(m, 30, 8), 7);
}

static void a_look_adds_what_no_call_told(void **state)
{
	struct maps *m = *state;
	map(m, 1, 10, 2);
	since();
	struct raw_map r = mapping(10, 2);
	r.io.hdr.flags = EV_SYNTHETIC;
	r.io.enter_ns = r.io.dur_ns = r.old_start = r.old_end = 0;
	change(m, &r, 1);
	assert_string_equal(since(), "");
	r.start = 20 * PAGE;
	r.end = 22 * PAGE;
	change(m, &r, 2);
	assert_string_equal(since(), "+2 ");
	assert_int_equal(unmap(m, 20, 2), 2);
}

static struct ev_task task(uint16_t what, uint32_t pid, uint32_t ppid)
{
	return (struct ev_task){
	    .hdr = {.t_ns = now_ns += 100, .type = EV_TASK, .size = sizeof(struct ev_task),
		    .flags = what == TASK_EXIT ? TASK_F_LAST : 0},
	    .pid = pid, .tid = pid, .ppid = ppid, .what = what,
	};
}

static void a_child_has_its_own(void **state)
{
	struct maps *m = *state;
	map(m, 1, 10, 8);
	unmap(m, 12, 2);
	map(m, 2, 30, 1);
	maps_futex(m, PID, 9, 2, now_ns, &sink);
	since();
	struct ev_task fork = task(TASK_FORK, 101, PID);
	assert_int_equal(maps_follow(m, &fork, &sink), 0);
	assert_string_equal(since(), "101+1 101+2 101+9 ");
	unmap(m, 10, 100); /* the parent's */
	assert_string_equal(since(), "-1 -2 -9 ");
	struct raw_map r = mapping(10, 2);
	r.start = r.end = 0;
	r.io.pid = 101;
	assert_int_equal(change(m, &r, 0), 1);
	assert_string_equal(since(), "");
	r.old_end = r.old_start + 8 * PAGE;
	assert_int_equal(change(m, &r, 0), 1);
	assert_string_equal(since(), "101-1 ");
	struct ev_task exec = task(TASK_EXEC, 101, PID);
	maps_follow(m, &exec, &sink);
	r.old_end = r.old_start + 100 * PAGE;
	assert_int_equal(change(m, &r, 0), 0);
	assert_string_equal(since(), ""); /* exec and exit are implied */
}

static void a_futex_is_held_from_its_first_use_to_the_end_of_its_memory(void **state)
{
	struct maps *m = *state;
	map(m, 1, 10, 2);
	map(m, 1, 20, 2);
	since();
	for (int i = 0; i < 3; i++) {
		maps_futex(m, PID, 8, 1, now_ns, &sink);
		maps_futex(m, PID, 9, 1, now_ns, &sink);
	}
	assert_string_equal(since(), "+8 +9 ");
	unmap(m, 10, 2);
	assert_string_equal(since(), "-1 "); /* it is still mapped elsewhere */
	unmap(m, 20, 2);
	assert_string_equal(since(), "-1 -9 -8 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	    T(a_mapping_ends_with_its_last_part),
	    T(one_call_unmaps_several),
	    T(a_mapping_on_top_replaces),
	    T(what_came_during_a_munmap_stays),
	    T(a_moved_mapping_is_the_same),
	    T(a_mapping_that_stays_where_it_was_is_two),
	    T(shmdt_takes_all_of_its_segment),
	    T(a_look_adds_what_no_call_told),
	    T(a_child_has_its_own),
	    T(a_futex_is_held_from_its_first_use_to_the_end_of_its_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
