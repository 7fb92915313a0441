// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the headers of a program's rings say narrows who could end a wait, and never proves anything; what
 * is stale, torn off or made up is not believed. The program is this process: its memory, its mappings,
 * and threads that are made by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "collector/shim_ended.h"
#include "collector/snap_shim.h"
#include "lib/abi/shimring.h"
#include "lib/analysis/solve.h"
#include "lib/base/clock.h"

#define LEFT 2000000001u /* no threads, so nothing else is known of them */
#define RIGHT 2000000002u
#define THIRD 2000000003u
#define OBJ(n) RAW_OBJ_FUTEX(77, n, 1)

static struct {
	struct snap_buf buf;
	struct snap_world w;
	struct solution s;
	char folder[64];
	struct shim_control *control;
	struct shim_ring *ring[3];
} h;

/* sem_t as glibc has it on 64 bits: value, waiters, private. One in each of two lines of cache. */
static uint32_t sem[2][16] __attribute__((aligned(64))) = { { 0, 1, 0 }, { 0, 1, 0 } };

static void *file(const char *name)
{
	char path[160];
	snprintf(path, sizeof(path), "%s/%s", h.folder, name);
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0 && ftruncate(fd, SHIM_PAGE) == 0);
	void *p = mmap(NULL, SHIM_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(p != MAP_FAILED);
	close(fd);
	unlink(path);
	return p;
}

static int setup(void **state)
{
	static const char *const names[] = { "ring.1.1.1", "ring.2.1.1", "ring.3.1.1" };
	(void)state;
	memset(&h, 0, sizeof(h));
	snprintf(h.folder, sizeof(h.folder), "/tmp/ipctap-unit-XXXXXX");
	if (!mkdtemp(h.folder))
		return -1;
	h.control = file(SHIM_CONTROL);
	*h.control = (struct shim_control){ .magic = SHIM_MAGIC, .version = SHIM_VERSION, .on = 1, .offs = 4 };
	for (uint32_t i = 0; i < 3; i++) {
		h.ring[i] = file(names[i]);
		*h.ring[i] = (struct shim_ring){ .magic = SHIM_MAGIC, .version = SHIM_VERSION, .offs = 4, .start_ns = 1,
						 .pid = (uint32_t)getpid(), .tid = LEFT + i };
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	solution_release(&h.s);
	snap_world_release(&h.w);
	snap_buf_release(&h.buf);
	for (int i = 0; i < 3; i++)
		munmap(h.ring[i], SHIM_PAGE);
	munmap(h.control, SHIM_PAGE);
	return rmdir(h.folder);
}

static struct snap_task *task(uint32_t tid, int call)
{
	struct snap_task *t = snap_buf_add(&h.buf, sizeof(*t));
	assert_non_null(t);
	*t = (struct snap_task){
		.hdr = { SNAP_TASK, sizeof(*t), tid }, .pid = (uint32_t)getpid(), .ppid = 1, .nr = call, .state = 1,
		.files = 1, .mm = 2, .files_users = 1, .pidns = 1, .ns_tid = tid, .ns_pid = (uint32_t)getpid(),
		.start_ns = 1, .csw = 1, .last_ns = 1, .comm = "t",
	};
	return t;
}

/* Thread i sleeps in sem_wait on semaphore n, and its ring says so. */
static void waits(uint32_t i, int n)
{
	struct snap_task *t = task(LEFT + i, SYS_futex);
	t->args[0] = (uintptr_t)sem[n];
	t->args[1] = FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME;
	h.ring[i]->call = (struct shim_call){ .enter_ns = 5, .obj = OBJ((uint64_t)n), .op = OP_SEM_WAIT };
}

static struct shim_deed *deed(uint32_t i, int n)
{
	uint64_t obj = OBJ((uint64_t)n);
	struct shim_deed *d;
	unsigned int probe = 0;
	do {
		assert_true(probe < SHIM_DEED_PROBES);
		d = &h.ring[i]->deeds[shim_deed_place(obj, probe++)];
	} while (d->obj && d->obj != obj);
	d->obj = obj;
	return d;
}

/* Both have one unit and wait for the other's; the third thread does `call`. */
static void pair(int call)
{
	waits(0, 1);
	waits(1, 0);
	task(THIRD, call);
	deed(0, 0)->units = 1;
	deed(1, 1)->units = 1;
}

static int judge(void)
{
	struct solve_opts opts = { .now_ns = 10 };
	assert_int_equal(snap_world_init(&h.w, &h.buf, true), 0);
	h.w.now_ns = 10;
	for (uint32_t i = 0; i < h.w.ntasks; i++) {
		struct wg_thread th;
		snap_wait(&h.w, h.w.tasks[i], &th);
		wg_thread(h.w.g, &th);
	}
	assert_false(waitgraph_failed(h.w.g));
	assert_int_equal(solve(&h.s, h.w.g, &opts), 0);
	return h.s.nfindings ? (int)h.s.findings[0].verdict : 0;
}

static void who_has_the_units_is_waited_for(void **state)
{
	(void)state;
	pair(SYS_pause);
	assert_int_equal(judge(), WG_CLOSED_WORLD); /* and never proven */
	assert_int_equal(h.s.findings[0].ncore, 2);
	assert_int_equal(h.s.findings[0].ncycle, 2);
	uint32_t left = waitgraph_find(h.w.g, LEFT);
	assert_non_null(strstr(waitgraph_thread(h.w.g, left)->detail, "t[2000000002]"));
}

static void one_who_never_posted_may_begin_to(void **state)
{
	(void)state;
	pair(SYS_nanosleep); /* its time will come, and then it may post */
	assert_int_equal(judge(), 0);
}

static void of_a_lock_it_is_not_expected(void **state)
{
	(void)state;
	pair(SYS_nanosleep);
	deed(0, 1)->gives = 3; /* whoever posted had a unit, always */
	deed(1, 0)->gives = 3;
	assert_int_equal(judge(), WG_CLOSED_WORLD);
	assert_int_equal(h.s.findings[0].ncore, 2);
}

static void who_only_signals_keeps_the_others_alive(void **state)
{
	(void)state;
	pair(SYS_nanosleep);
	deed(0, 1)->gives = 3;
	deed(1, 0)->gives = 3;
	deed(2, 0)->gives = deed(2, 0)->strange = 1;
	assert_int_equal(judge(), 0);
}

static void what_was_done_to_an_earlier_object_does_not_count(void **state)
{
	(void)state;
	pair(SYS_pause);
	deed(0, 0)->units = deed(1, 1)->units = 0;
	deed(0, 1)->gives = deed(1, 0)->gives = 3;
	deed(0, 1)->last_ns = deed(1, 0)->last_ns = 6;
	deed(2, 0)->born_ns = deed(2, 1)->born_ns = 7; /* all that was posted was so before */
	assert_int_equal(judge(), WG_STUCK);
	assert_int_not_equal(h.s.findings[0].ncycle, 2);
}

static void one_with_too_many_objects_may_have_done_anything(void **state)
{
	(void)state;
	pair(SYS_nanosleep);
	deed(0, 1)->gives = deed(1, 0)->gives = 3;
	h.ring[2]->deeds_lost = 1;
	assert_int_equal(judge(), 0);
}

static void one_of_whom_nothing_is_known_may_help(void **state)
{
	(void)state;
	pair(SYS_pause);
	h.ring[2]->magic = 0; /* its ring is none */
	assert_int_equal(judge(), WG_STUCK); /* a signal would have to come, as without any history */
}

static void a_history_with_a_gap_is_not_believed(void **state)
{
	(void)state;
	pair(SYS_pause);
	h.ring[0]->offs = h.ring[1]->offs = 3; /* made before nobody listened for a while */
	assert_int_equal(judge(), WG_STUCK);
	assert_int_not_equal(h.s.findings[0].ncycle, 2);
}

static void nobody_listens_nothing_is_believed(void **state)
{
	(void)state;
	pair(SYS_pause);
	h.control->on = 0;
	assert_int_equal(judge(), WG_STUCK);
	assert_int_not_equal(h.s.findings[0].ncycle, 2);
}

static void a_call_on_something_else_says_nothing(void **state)
{
	(void)state;
	pair(SYS_pause);
	h.ring[0]->call.op = OP_MUTEX_LOCK; /* a handler came in between, or it is made up */
	h.ring[1]->call.op = UINT16_MAX;
	assert_int_equal(judge(), WG_STUCK);
	assert_int_not_equal(h.s.findings[0].ncycle, 2);
}

/* ---- those who have ended: what the collector keeps of their rings ---- */

static const struct shim_person *gone(uint32_t i)
{
	static struct shim_person who;
	who = (struct shim_person){ .pid = (uint32_t)getpid(), .tid = LEFT + i, .comm = "leaver" };
	return &who;
}

/* Of one thread alone, that waits for semaphore 0: its detail. */
static const char *detail(void)
{
	return waitgraph_thread(h.w.g, waitgraph_find(h.w.g, LEFT))->detail;
}

static void who_ended_with_the_unit_is_gone_for_good(void **state)
{
	(void)state;
	waits(0, 0);
	deed(1, 0)->units = 1;
	shim_ended_note(h.control, h.ring[1], gone(1), false, 8);
	h.ring[1]->magic = 0;
	assert_int_equal(judge(), WG_CLOSED_WORLD);
	assert_int_equal(h.s.findings[0].ncycle, 0);
	char wanted[64];
	snprintf(wanted, sizeof(wanted), "held by leaver[%d/%u], which has ended", getpid(), RIGHT);
	assert_string_equal(detail(), wanted);
}

static void that_who_signalled_has_ended_is_said_and_proves_nothing(void **state)
{
	(void)state;
	waits(0, 0);
	*deed(1, 0) = (struct shim_deed){ .obj = OBJ(0), .last_ns = 7, .gives = 2, .strange = 2 };
	shim_ended_note(h.control, h.ring[1], gone(1), false, 8);
	h.ring[1]->magic = 0;
	assert_int_equal(judge(), 0);
	assert_non_null(strstr(detail(), "last posted by leaver["));
	assert_non_null(strstr(detail(), "], which has ended"));
}

static void those_who_ended_before_it_was_made_did_nothing(void **state)
{
	(void)state;
	waits(0, 0);
	deed(1, 0)->units = 1;
	shim_ended_note(h.control, h.ring[1], gone(1), false, 4);
	h.ring[1]->magic = 0;
	deed(0, 0)->born_ns = 6;
	assert_int_equal(judge(), 0);
	assert_null(strstr(detail(), "leaver"));
}

static void what_the_ended_did_is_summed_up(void **state)
{
	(void)state;
	uint64_t shared = RAW_OBJ_FUTEX(77, 9, 0);
	*deed(0, 0) = (struct shim_deed){ .obj = OBJ(0), .last_ns = 7, .gives = 2, .strange = 1 };
	h.ring[0]->held[3] = (struct shim_held){ .obj = shared, .since_ns = 2 };
	shim_ended_note(h.control, h.ring[0], gone(0), false, 10);
	*deed(1, 0) = (struct shim_deed){ .obj = OBJ(0), .last_ns = 5, .gives = 3, .units = 1 };
	h.ring[1]->held[0] = (struct shim_held){ .obj = shared, .since_ns = 2 };
	shim_ended_note(h.control, h.ring[1], gone(1), false, 11);
	const struct shim_ended *e = shim_ended_find(h.control->ended, OBJ(0));
	assert_non_null(e);
	assert_true(e->gives == 5 && e->strange == 1 && e->units == 1 && e->last_ns == 7 && e->ended_ns == 11);
	assert_true(e->giver.tid == LEFT && e->holder.tid == RIGHT);
	/* with their process goes what was its own, and nothing else */
	*deed(2, 1) = (struct shim_deed){ .obj = OBJ(1), .gives = 1, .last_ns = 1 };
	h.ring[2]->held[0] = (struct shim_held){ .obj = shared, .since_ns = 2 };
	shim_ended_note(h.control, h.ring[2], gone(2), true, 12);
	assert_null(shim_ended_find(h.control->ended, OBJ(1)));
	e = shim_ended_find(h.control->ended, shared);
	assert_true(e && e->held == 3 && e->holder.tid == THIRD);
	/* a new one at the place of an old one */
	memset(h.ring[2], 0, sizeof(*h.ring[2]));
	*deed(2, 0) = (struct shim_deed){ .obj = OBJ(0), .born_ns = 13, .gives = 1, .last_ns = 14 };
	shim_ended_note(h.control, h.ring[2], gone(2), false, 15);
	e = shim_ended_find(h.control->ended, OBJ(0));
	assert_true(e && e->gives == 1 && !e->units && e->giver.tid == THIRD);
}

static void of_too_many_objects_those_stay_whose_users_ended_last(void **state)
{
	(void)state;
	for (uint64_t n = 0; n < 1000; n++) {
		memset(h.ring[0], 0, sizeof(*h.ring[0]));
		h.ring[0]->held[0] = (struct shim_held){ .obj = RAW_OBJ_FUTEX(5, n, 0), .since_ns = 1 };
		shim_ended_note(h.control, h.ring[0], gone(0), true, 100 + n);
		const struct shim_ended *e = shim_ended_find(h.control->ended, RAW_OBJ_FUTEX(5, n, 0));
		assert_true(e && e->held == 1 && e->ended_ns == 100 + n);
	}
	memset(h.ring[0], 0xff, sizeof(*h.ring[0])); /* nonsense */
	shim_ended_note(h.control, h.ring[0], gone(0), false, 5000);
}

static void nonsense_is_survived(void **state)
{
	(void)state;
	pair(SYS_pause);
	for (int i = 0; i < 3; i++) {
		memset(h.ring[i]->held, 0xff, sizeof(h.ring[i]->held));
		memset(h.ring[i]->deeds, 0xff, sizeof(h.ring[i]->deeds));
	}
	memset(h.control->ended, 0xff, sizeof(h.control->ended));
	assert_int_not_equal(judge(), WG_PROVEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
		TEST(who_has_the_units_is_waited_for),
		TEST(one_who_never_posted_may_begin_to),
		TEST(of_a_lock_it_is_not_expected),
		TEST(who_only_signals_keeps_the_others_alive),
		TEST(what_was_done_to_an_earlier_object_does_not_count),
		TEST(one_with_too_many_objects_may_have_done_anything),
		TEST(one_of_whom_nothing_is_known_may_help),
		TEST(a_history_with_a_gap_is_not_believed),
		TEST(nobody_listens_nothing_is_believed),
		TEST(a_call_on_something_else_says_nothing),
		TEST(nonsense_is_survived),
		TEST(who_ended_with_the_unit_is_gone_for_good),
		TEST(that_who_signalled_has_ended_is_said_and_proves_nothing),
		TEST(those_who_ended_before_it_was_made_did_nothing),
		TEST(what_the_ended_did_is_summed_up),
		TEST(of_too_many_objects_those_stay_whose_users_ended_last),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
