// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From a snapshot's records to a verdict, with hosts made by hand: above all, that whatever could not
 * be seen keeps a verdict from being `proven`. User memory is this process's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdio.h>
#include <string.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "collector/snap_world.h"
#include "lib/analysis/solve.h"
#include "lib/base/clock.h"

struct host {
	struct snap_buf buf;
	struct snap_world w;
	struct solution s;
};

#define HOST_NEW { .buf = { 0 } }

#define RECORD(h, kind, struct_name, ...)                                                          \
	do {                                                                                       \
		struct struct_name r_ = { __VA_ARGS__ };                                            \
		r_.hdr.type = kind;                                                                 \
		r_.hdr.size = sizeof(r_);                                                           \
		void *to_ = snap_buf_add(&(h)->buf, sizeof(r_));                                     \
		assert_non_null(to_);                                                               \
		memcpy(to_, &r_, sizeof(r_));                                                       \
	} while (0)

/*
 * A thread asleep in a call. Its table of descriptors and its memory are those of its process. What is
 * returned may be changed until the next record.
 */
static struct snap_task *sleeps(struct host *h, uint32_t tid, uint32_t pid, int call, uint64_t a0,
				uint64_t a1, uint64_t a2)
{
	struct snap_task *t = snap_buf_add(&h->buf, sizeof(*t));

	assert_non_null(t);
	*t = (struct snap_task){
		.hdr = { SNAP_TASK, sizeof(*t), tid }, .pid = pid, .ppid = 1, .nr = call, .state = 1,
		.files = 0xf000 + pid, .mm = 0xa000 + pid, .files_users = 1, .pidns = 1, .ns_tid = tid,
		.ns_pid = pid, .start_ns = 1, .csw = 1, .last_ns = 1, .args = { a0, a1, a2 }, .comm = "t",
	};
	return t;
}

#define HAS_FD(h, id, process, number, object, file_id, how, kind)                                 \
	RECORD(h, SNAP_FILE, snap_file, .hdr.tid = (id), .pid = (process), .fd = (number),           \
	       .obj = (object), .file = (file_id), .mode = (how), .what = (kind), .refs = 1)

#define PIPE_IS(h, object, in_it, nreaders, nwriters)                                              \
	RECORD(h, SNAP_PIPE, snap_pipe, .obj = (object), .used = (in_it), .slots = 16,               \
	       .readers = (nreaders), .writers = (nwriters))

/* The strongest verdict; 0: none. */
static int judge(struct host *h)
{
	struct solve_opts opts = { .now_ns = 10 };

	assert_int_equal(snap_world_init(&h->w, &h->buf, true), 0);
	h->w.now_ns = 10;
	snap_count_busy(&h->w);
	for (uint32_t i = 0; i < h->w.ntasks; i++) {
		struct wg_thread th;

		if (h->w.tasks[i]->flags & SNAP_ZOMBIE)
			continue;
		snap_wait(&h->w, h->w.tasks[i], &th);
		wg_thread(h->w.g, &th);
	}
	assert_false(waitgraph_failed(h->w.g));
	assert_int_equal(solve(&h->s, h->w.g, &opts), 0);
	return h->s.nfindings ? (int)h->s.findings[0].verdict : 0;
}

static void host_release(struct host *h)
{
	solution_release(&h->s);
	snap_world_release(&h->w);
	snap_buf_release(&h->buf);
}

/* Two processes, each asleep in a write to a full pipe that the other should read. */
static void two_pipes(struct host *h, uint32_t readers)
{
	sleeps(h, 10, 10, SYS_write, 4, 0, 0);
	sleeps(h, 20, 20, SYS_write, 4, 0, 0);
	HAS_FD(h, 10, 10, 3, 0x200, 0x21, 1, SNAP_IS_PIPE);
	PIPE_IS(h, 0x200, 16, 1, 1);
	HAS_FD(h, 10, 10, 4, 0x100, 0x12, 2, SNAP_IS_PIPE);
	PIPE_IS(h, 0x100, 16, readers, 1);
	HAS_FD(h, 20, 20, 3, 0x100, 0x11, 1, SNAP_IS_PIPE);
	HAS_FD(h, 20, 20, 4, 0x200, 0x22, 2, SNAP_IS_PIPE);
}

static void two_full_pipes_are_a_deadlock(void **state)
{
	struct host h = HOST_NEW;

	(void)state;
	two_pipes(&h, 1);
	assert_int_equal(judge(&h), WG_PROVEN);
	assert_int_equal(h.s.findings[0].ncore, 2);
	host_release(&h);
}

static void an_end_that_was_not_seen_is_counted(void **state)
{
	struct host h = HOST_NEW;

	(void)state;
	two_pipes(&h, 2); /* the kernel knows of one read end more */
	assert_int_equal(judge(&h), WG_STUCK);
	host_release(&h);
}

static void a_reference_that_was_not_seen_is_counted(void **state)
{
	struct host h = HOST_NEW;

	(void)state;
	sleeps(&h, 10, 10, SYS_read, 3, 0, 0);
	HAS_FD(&h, 10, 10, 3, 0x100, 0x11, 1, SNAP_IS_PIPE);
	PIPE_IS(&h, 0x100, 0, 1, 1);
	RECORD(&h, SNAP_FILE, snap_file, .hdr.tid = 10, .pid = 10, .fd = 4, .obj = 0x100, .file = 0x12,
	       .mode = 2, .what = SNAP_IS_PIPE, .refs = 2);
	assert_int_equal(judge(&h), WG_STUCK);
	host_release(&h);
}

static void the_reader_of_a_parcel_holds_what_is_in_it(void **state)
{
	struct host h = HOST_NEW;

	(void)state;
	sleeps(&h, 10, 10, SYS_read, 3, 0, 0);
	sleeps(&h, 20, 20, SYS_getppid, 0, 0, 0)->state = 0;
	HAS_FD(&h, 10, 10, 3, 0x100, 0x11, 1, SNAP_IS_PIPE);
	PIPE_IS(&h, 0x100, 0, 1, 1);
	RECORD(&h, SNAP_PARCEL, snap_parcel, .sock = 0x300, .file = 0x12, .obj = 0x100, .mode = 2,
	       .what = SNAP_IS_PIPE);
	HAS_FD(&h, 20, 20, 5, 0x300, 0x31, 3, SNAP_IS_SOCK);
	assert_int_equal(judge(&h), 0);
	host_release(&h);
}

/* A reader, and a write end that is a fixed file of the ring of 20 and nothing else. */
static void fixed_file(struct host *h, uint32_t writers, bool twice)
{
	sleeps(h, 10, 10, SYS_read, 3, 0, 0);
	sleeps(h, 20, 20, SYS_wait4, 10, 0, 0)->ns_pid = 20;
	HAS_FD(h, 10, 10, 3, 0x100, 0x11, 1, SNAP_IS_PIPE);
	PIPE_IS(h, 0x100, 0, 1, writers);
	for (int i = 0; i <= twice; i++) { /* a ring is told with each descriptor of it */
		HAS_FD(h, 20, 20, 5 + i, 0x400, 0x41 + i, 3, SNAP_IS_ANON);
		RECORD(h, SNAP_RING, snap_ring, .obj = 0x400);
		RECORD(h, SNAP_REQ, snap_req, .ring = 0x400, .file = 0x12, .obj = 0x100, .mode = 2,
		       .what = SNAP_IS_PIPE, .fixed = SNAP_REQ_SLOT);
	}
}

static void who_has_a_ring_holds_its_fixed_files(void **state)
{
	struct host h = HOST_NEW;

	(void)state;
	fixed_file(&h, 1, false);
	assert_int_equal(judge(&h), 0); /* 20 waits for a child that it has not: unknown, and so may act */
	assert_true(waitgraph_holders(h.w.g) > 0);
	assert_int_equal(waitgraph_holder(h.w.g, 0).pid, 20);
	host_release(&h);
}

static void a_ring_told_twice_counts_once(void **state)
{
	struct host h = HOST_NEW;

	(void)state;
	fixed_file(&h, 2, true); /* there is another write end, which was not seen */
	snap_world_init(&h.w, &h.buf, true);
	assert_int_equal(h.w.nrings, 1);
	assert_int_equal(h.w.nreqs, 1);
	host_release(&h);
}

/* 10 waits for so many completions of requests that write a full pipe, which only 10 itself could read. */
static int judge_ring(uint32_t min, uint32_t pending, uint32_t unreaped)
{
	struct host h = HOST_NEW;
	int verdict;

	sleeps(&h, 10, 10, SYS_io_uring_enter, 5, 0, min)->args[3] = 1;
	HAS_FD(&h, 10, 10, 5, 0x400, 0x41, 3, SNAP_IS_ANON);
	RECORD(&h, SNAP_RING, snap_ring, .obj = 0x400, .pending = pending, .unreaped = unreaped);
	RECORD(&h, SNAP_REQ, snap_req, .ring = 0x400, .file = 0x12, .obj = 0x100, .mode = 2,
	       .what = SNAP_IS_PIPE, .opcode = 23, .fixed = SNAP_REQ_FIXED);
	HAS_FD(&h, 10, 10, 3, 0x100, 0x11, 1, SNAP_IS_PIPE);
	PIPE_IS(&h, 0x100, 16, 1, 1);
	HAS_FD(&h, 10, 10, 4, 0x100, 0x12, 2, SNAP_IS_PIPE);
	sleeps(&h, 20, 20, SYS_wait4, 10, 0, 0);
	verdict = judge(&h);
	host_release(&h);
	return verdict;
}

static void a_ring_may_have_more_under_way(void **state)
{
	(void)state;
	assert_int_equal(judge_ring(1, 1, 0), WG_STUCK); /* all are seen; that there is no other, is not sure */
	assert_int_equal(judge_ring(1, 2, 0), 0);        /* one is not seen */
	assert_int_equal(judge_ring(1, 1, 1), 0);        /* one has ended */
}

static void a_pipe_that_holds_something_will_be_read(void **state)
{
	struct host h = HOST_NEW;

	(void)state;
	sleeps(&h, 10, 10, SYS_read, 3, 0, 0);
	HAS_FD(&h, 10, 10, 3, 0x100, 0x11, 1, SNAP_IS_PIPE);
	PIPE_IS(&h, 0x100, 1, 1, 1);
	HAS_FD(&h, 10, 10, 4, 0x100, 0x12, 2, SNAP_IS_PIPE);
	assert_int_equal(judge(&h), 0);
	host_release(&h);
}

static void a_descriptor_that_is_not_there_is_unknown(void **state)
{
	struct host h = HOST_NEW;

	(void)state;
	sleeps(&h, 10, 10, SYS_read, 99, 0, 0);
	sleeps(&h, 20, 20, SYS_msgrcv, 5, 0, 0);
	sleeps(&h, 30, 30, SYS_semop, 5, 0, 1);
	sleeps(&h, 40, 40, SYS_futex, 8, FUTEX_WAIT, 2);
	sleeps(&h, 50, 50, SYS_wait4, 0xffffffff, 0, 0);
	sleeps(&h, 60, 60, SYS_epoll_pwait, 7, 0, 0);
	sleeps(&h, 70, 70, SYS_flock, 7, 2, 0);
	sleeps(&h, 80, 80, SYS_restart_syscall, 7, 2, 0);
	sleeps(&h, 90, 90, -1, 0, 0, 0);
	assert_int_equal(judge(&h), 0);
	host_release(&h);
}

/* fcntl: the lock is there, whose descriptor table it is nobody can say. */
static void lock_case(struct host *h, struct flock *want, uint64_t owner)
{
	uint32_t me = (uint32_t)getpid();

	sleeps(h, me, me, SYS_fcntl, 3, F_SETLKW, (uintptr_t)want);
	sleeps(h, 20, 20, SYS_fcntl, 3, F_SETLKW, 8);
	HAS_FD(h, me, me, 3, 0x500, 0x51, 3, SNAP_IS_REG);
	RECORD(h, SNAP_LOCK, snap_lock, .hdr.tid = me, .obj = 0x500, .lock = 0x600, .owner = owner,
	       .kind = SNAP_POSIX, .exclusive = 1, .end = 100);
}

static void a_lock_whose_holder_was_not_seen_is_unknown(void **state)
{
	struct host h = HOST_NEW, own = HOST_NEW;
	struct flock want = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	(void)state;
	lock_case(&h, &want, 0xdead);
	assert_int_equal(judge(&h), 0);
	assert_int_equal(h.s.ninconclusive > 0, 1);
	host_release(&h);
	/* its own lock is in nobody's way: then what is, is not known */
	lock_case(&own, &want, 0xf000 + (uint32_t)getpid());
	assert_int_equal(judge(&own), 0);
	host_release(&own);
}

/* ---- futexes: the words are ours ---- */

static int judge_word(void *word, uint32_t val, uint32_t op, uint64_t fsbase, bool second)
{
	struct host h = HOST_NEW;
	uint32_t me = (uint32_t)getpid();
	int verdict;

	sleeps(&h, me, me, SYS_futex, (uintptr_t)word, op, val);
	if (second) {
		struct snap_task *t = sleeps(&h, me + 1, me, SYS_getppid, 0, 0, 0);

		t->state = 0;
		t->fsbase = fsbase;
	}
	verdict = judge(&h);
	host_release(&h);
	return verdict;
}

static void a_mutex_is_its_owners(void **state)
{
	uint32_t me = (uint32_t)getpid();
	uint32_t own[10] = { 2, 0, me, 1, 0 }, live[10] = { 2, 0, me + 1, 1, 0 };
	uint32_t dead[10] = { 2, 0, 4194303, 1, 0 };

	(void)state;
	assert_int_equal(judge_word(own, 2, FUTEX_WAIT_PRIVATE, 0, true), WG_PROVEN);
	assert_int_equal(judge_word(live, 2, FUTEX_WAIT_PRIVATE, 0, true), 0);
	assert_int_equal(judge_word(dead, 2, FUTEX_WAIT_PRIVATE, 0, true), WG_ORPHAN);
}

static void what_is_no_mutex_has_no_owner(void **state)
{
	uint64_t owner = 0x7f0000001234;
	uint32_t stdio[10] = { 2, 1 }, wild[10] = { 2, 0, 2340255424u, 1, 0 };
	uint32_t kinds[10] = { 2, 0, 4194303, 1, 0xffff }, users[10] = { 2, 0, 4194303, 0x7f12, 0 };
	uint32_t other[10] = { 2, 0, 4194303, 1, 0x80 };

	(void)state;
	memcpy(&stdio[2], &owner, sizeof(owner));
	/* a stdio lock names a struct pthread: that thread is alive */
	assert_int_equal(judge_word(stdio, 2, FUTEX_WAIT_PRIVATE, owner, true), 0);
	/* with no such thread it is a futex like any other, and another thread could wake it */
	assert_int_equal(judge_word(stdio, 2, FUTEX_WAIT_PRIVATE, 0, true), 0);
	assert_int_equal(judge_word(wild, 2, FUTEX_WAIT_PRIVATE, 0, true), 0);
	assert_int_equal(judge_word(kinds, 2, FUTEX_WAIT_PRIVATE, 0, true), 0);
	assert_int_equal(judge_word(users, 2, FUTEX_WAIT_PRIVATE, 0, true), 0);
	assert_int_equal(judge_word(other, 2, FUTEX_WAIT_PRIVATE, 0, true), 0);
}

/* A word in the middle of what looks like a read-write lock with a writer, which may be anything. */
static int judge_rwlock(uint32_t writer)
{
	static uint32_t words[64];
	uint32_t *lock = &words[24]; /* clear of the ends of a page, whatever that is here */

	memset(words, 0, sizeof(words));
	lock[0] = 2 | 1;  /* a writer has it, and it is its turn */
	lock[2] = 3;      /* the phase, on which readers wait */
	lock[6] = writer;
	struct host h = HOST_NEW;
	uint32_t me = (uint32_t)getpid();
	int verdict;

	sleeps(&h, me, me, SYS_futex, (uintptr_t)&lock[2], FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, 3);
	sleeps(&h, me + 1, me, SYS_getppid, 0, 0, 0)->state = 0;
	verdict = judge(&h);
	host_release(&h);
	return verdict;
}

static void a_rwlock_is_its_writers(void **state)
{
	uint32_t me = (uint32_t)getpid();

	(void)state;
	assert_int_equal(judge_rwlock(me), WG_PROVEN);  /* has it itself: the other is no help */
	assert_int_equal(judge_rwlock(me + 1), 0);
	assert_int_equal(judge_rwlock(4194303), 0);     /* nobody's: then anybody might wake it */
}

static void a_robust_owner_that_was_not_seen_is_unknown(void **state)
{
	uint32_t val = FUTEX_WAITERS | 4194303;
	uint32_t word[10] = { val, 0, 4194303, 1, 0x10 };

	(void)state;
	assert_int_equal(judge_word(word, val, FUTEX_WAIT_PRIVATE, 0, false), 0);
}

/* ---- semaphores ---- */

static int judge_sems(struct sembuf *ops, int nops, int val0, int val1, bool holder_live)
{
	struct host h = HOST_NEW;
	uint32_t me = (uint32_t)getpid();
	struct snap_task *t;
	int verdict;

	sleeps(&h, me, me, SYS_semop, 7, (uintptr_t)ops, (uint64_t)nops);
	/* it holds one unit of #0, which it would give back */
	t = sleeps(&h, 20, 20, holder_live ? SYS_getppid : SYS_semop, 7, 8, 1);
	t->state = !holder_live;
	t->undo = 0x77;
	for (uint32_t i = 0; i < 2; i++)
		RECORD(&h, SNAP_SEM, snap_sem, .hdr.tid = me, .obj = 0x700, .id = 7, .num = i, .nsems = 2,
		       .val = i ? val1 : val0);
	RECORD(&h, SNAP_UNDO, snap_undo, .hdr.tid = me, .obj = 0x700, .undo = 0x77, .adj = { 1, 0 });
	verdict = judge(&h);
	host_release(&h);
	return verdict;
}

static void operations_that_can_proceed_are_no_waits(void **state)
{
	struct sembuf both[2] = { { 0, -1, 0 }, { 1, -1, 0 } };

	(void)state;
	/* #1 has a unit: only #0 is waited for, and its holder lives */
	assert_int_equal(judge_sems(both, 2, 0, 1, true), 0);
	/* all could proceed: it is on its way */
	assert_int_equal(judge_sems(both, 2, 1, 1, true), 0);
}

/* ---- tables ---- */

static void a_thread_may_have_a_table_of_its_own(void **state)
{
	struct host h = HOST_NEW;

	(void)state;
	/* fd 3 of the thread is another pipe than fd 3 of its process */
	sleeps(&h, 10, 10, SYS_read, 3, 0, 0);
	sleeps(&h, 11, 10, SYS_read, 3, 0, 0)->files = 0xbeef;
	HAS_FD(&h, 10, 10, 3, 0x100, 0x11, 1, SNAP_IS_PIPE);
	PIPE_IS(&h, 0x100, 0, 1, 1);
	HAS_FD(&h, 10, 10, 4, 0x200, 0x22, 2, SNAP_IS_PIPE);
	HAS_FD(&h, 11, 10, 3, 0x200, 0x21, 1, SNAP_IS_PIPE);
	PIPE_IS(&h, 0x200, 0, 1, 1);
	HAS_FD(&h, 11, 10, 4, 0x100, 0x12, 2, SNAP_IS_PIPE);
	assert_int_equal(judge(&h), WG_PROVEN);
	assert_int_not_equal(waitgraph_thread(h.w.g, waitgraph_find(h.w.g, 10))->chan,
			     waitgraph_thread(h.w.g, waitgraph_find(h.w.g, 11))->chan);
	host_release(&h);
}

static void records_that_make_no_sense_are_counted(void **state)
{
	struct host h = HOST_NEW;
	struct snap_hdr *bad;

	(void)state;
	two_pipes(&h, 1);
	bad = snap_buf_add(&h.buf, 16);
	*bad = (struct snap_hdr){ .type = SNAP_TASK, .size = 16 }; /* too short for its type */
	bad = snap_buf_add(&h.buf, sizeof(*bad));
	*bad = (struct snap_hdr){ .type = SNAP_TASK, .size = 4096 }; /* beyond the end */
	assert_int_equal(judge(&h), WG_PROVEN);
	assert_int_equal(waitgraph_lost(h.w.g), 2);
	host_release(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_full_pipes_are_a_deadlock),
		cmocka_unit_test(an_end_that_was_not_seen_is_counted),
		cmocka_unit_test(a_reference_that_was_not_seen_is_counted),
		cmocka_unit_test(the_reader_of_a_parcel_holds_what_is_in_it),
		cmocka_unit_test(who_has_a_ring_holds_its_fixed_files),
		cmocka_unit_test(a_ring_told_twice_counts_once),
		cmocka_unit_test(a_ring_may_have_more_under_way),
		cmocka_unit_test(a_pipe_that_holds_something_will_be_read),
		cmocka_unit_test(a_descriptor_that_is_not_there_is_unknown),
		cmocka_unit_test(a_lock_whose_holder_was_not_seen_is_unknown),
		cmocka_unit_test(a_mutex_is_its_owners),
		cmocka_unit_test(what_is_no_mutex_has_no_owner),
		cmocka_unit_test(a_rwlock_is_its_writers),
		cmocka_unit_test(a_robust_owner_that_was_not_seen_is_unknown),
		cmocka_unit_test(operations_that_can_proceed_are_no_waits),
		cmocka_unit_test(a_thread_may_have_a_table_of_its_own),
		cmocka_unit_test(records_that_make_no_sense_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
