// SPDX-License-Identifier: GPL-2.0-or-later
/* Anonymous pipes by POSIX: pipe(), read(), write(), fork(); and what kill -9 leaves of them. */
#include "children.h"

#include <pthread.h>
#include <sys/mman.h>

#include "lib/ripc/ripc_pipe.h"

#define BUF RIPC_PIPE_BUF

static struct ripc_pipe_end *r, *w;

static void pipe_new(size_t bytes) { assert_int_equal(ripc_pipe_create(&r, &w, bytes), 0); }

static void pipe_close(void)
{
	ripc_pipe_close(r);
	ripc_pipe_close(w);
	r = w = NULL;
}

static void boundaries(void **state)
{
	static const size_t sizes[] = {0, 1, BUF - 1, BUF, BUF + 1, 65536};
	static char in[65536], out[65536];

	(void)state;
	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (char)(i * 11);
	pipe_new(0);
	assert_int_equal(ripc_pipe_read(r, out, 0), 0); /* empty, writer there: still 0 at once */
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(ripc_pipe_write(w, in, sizes[i]), sizes[i]);
		assert_int_equal(ripc_pipe_available(r), sizes[i]);
		if (!sizes[i])
			continue;
		assert_int_equal(ripc_pipe_read(r, out, sizeof(out)), sizes[i]);
		assert_memory_equal(in, out, sizes[i]);
	}
	assert_int_equal(ripc_pipe_read(w, out, 1), -EBADF);
	assert_int_equal(ripc_pipe_write(r, in, 1), -EBADF);
	pipe_close();
	assert_int_equal(ripc_pipe_create(&r, &w, RIPC_PIPE_MAX + 1), -EINVAL);
}

static void bytes_come_in_order_across_writes(void **state)
{
	char out[8];

	(void)state;
	pipe_new(1);
	assert_int_equal(ripc_pipe_write(w, "abc", 3), 3);
	assert_int_equal(ripc_pipe_write(w, "def", 3), 3);
	assert_int_equal(ripc_pipe_read(r, out, 4), 4);
	assert_memory_equal(out, "abcd", 4);
	assert_int_equal(ripc_pipe_read(r, out, 8), 2);
	assert_memory_equal(out, "ef", 2);
	pipe_close();
}

static void nonblocking(void **state)
{
	static char data[3 * BUF];

	(void)state;
	pipe_new(2 * BUF);
	ripc_pipe_set_nonblock(r, true);
	ripc_pipe_set_nonblock(w, true);
	assert_int_equal(ripc_pipe_read(r, data, 1), -EAGAIN);
	assert_int_equal(ripc_pipe_write(w, data, BUF + 1), BUF + 1);
	assert_int_equal(ripc_pipe_write(w, data, BUF), -EAGAIN); /* all or nothing */
	assert_int_equal(ripc_pipe_write(w, data, BUF - 1), BUF - 1);
	assert_int_equal(ripc_pipe_write(w, data, 1), -EAGAIN);
	assert_int_equal(ripc_pipe_write(w, data, BUF + 1), -EAGAIN);
	assert_int_equal(ripc_pipe_read(r, data, 10), 10);
	assert_int_equal(ripc_pipe_write(w, data, BUF), -EAGAIN);
	assert_int_equal(ripc_pipe_write(w, data, BUF + 1), 10); /* as many as fit */
	ripc_pipe_close(w);
	assert_int_equal(ripc_pipe_read(r, data, sizeof(data)), 2 * BUF);
	assert_int_equal(ripc_pipe_read(r, data, 1), 0); /* the end, not EAGAIN */
	ripc_pipe_close(r);
}

static void the_last_writer_makes_the_end(void **state)
{
	struct ripc_pipe_end *w2;
	char c;

	(void)state;
	pipe_new(0);
	assert_int_equal(ripc_pipe_dup(&w2, w), 0);
	assert_int_equal(ripc_pipe_write(w, "x", 1), 1);
	ripc_pipe_close(w);
	assert_int_equal(ripc_pipe_read(r, &c, 1), 1);
	ripc_pipe_set_nonblock(r, true);
	assert_int_equal(ripc_pipe_read(r, &c, 1), -EAGAIN);
	ripc_pipe_close(w2);
	assert_int_equal(ripc_pipe_read(r, &c, 1), 0);
	assert_int_equal(ripc_pipe_read(r, &c, 1), 0);
	ripc_pipe_close(r);
}

static void the_last_reader_breaks_the_pipe(void **state)
{
	struct ripc_pipe_end *r2;

	(void)state;
	pipe_new(0);
	assert_int_equal(ripc_pipe_dup(&r2, r), 0);
	ripc_pipe_close(r);
	assert_int_equal(ripc_pipe_write(w, "x", 1), 1);
	ripc_pipe_close(r2);
	assert_int_equal(ripc_pipe_write(w, "x", 1), -EPIPE);
	assert_int_equal(ripc_pipe_write(w, "", 0), 0);
	ripc_pipe_close(w);
}

/* ---- between processes ---- */

static void child_writes(void *arg)
{
	ripc_pipe_close(r);
	CHECK(ripc_pipe_write(w, arg, strlen(arg)) == (ssize_t)strlen(arg));
	ripc_pipe_close(w);
}

static void a_fork_never_looks_like_the_end(void **state)
{
	char out[16];

	(void)state;
	for (int i = 0; i < 200; i++) { /* the parent closes before the child has run */
		pid_t child;

		pipe_new(0);
		child = start_child(child_writes, (void *)(uintptr_t)"inherited");
		ripc_pipe_close(w);
		assert_int_equal(ripc_pipe_read(r, out, sizeof(out)), 9);
		assert_memory_equal(out, "inherited", 9);
		assert_int_equal(ripc_pipe_read(r, out, sizeof(out)), 0);
		ripc_pipe_close(r);
		join_child(child);
	}
}

static void child_reads_to_the_end(void *arg)
{
	char out[64];
	ssize_t n;

	(void)arg;
	ripc_pipe_close(w);
	while ((n = ripc_pipe_read(r, out, sizeof(out))) > 0)
		;
	CHECK(n == 0);
}

static void a_sleeping_reader_is_woken(void **state)
{
	pid_t child;

	(void)state;
	pipe_new(0);
	child = start_child(child_reads_to_the_end, NULL);
	assert_true(await_sleep(child));
	assert_int_equal(ripc_pipe_write(w, "data", 4), 4);
	assert_true(await_sleep(child));
	pipe_close();
	join_child(child);
}

static void child_fills(void *arg)
{
	static char data[3 * BUF];

	(void)arg;
	ripc_pipe_close(r);
	CHECK(ripc_pipe_write(w, data, sizeof(data)) == sizeof(data));
	CHECK(ripc_pipe_write(w, data, sizeof(data)) == 2 * BUF); /* then the reader goes */
	CHECK(ripc_pipe_write(w, data, 1) == -EPIPE);
}

static void a_sleeping_writer_is_woken(void **state)
{
	char out[BUF];
	pid_t child;

	(void)state;
	pipe_new(2 * BUF);
	child = start_child(child_fills, NULL);
	assert_true(await_sleep(child));
	for (int i = 0; i < 3; i++)
		assert_int_equal(ripc_pipe_read(r, out, BUF), BUF);
	assert_true(await_sleep(child));
	ripc_pipe_close(r);
	join_child(child);
	ripc_pipe_close(w);
}

static void child_waits_for_ever(void *arg)
{
	char c;

	step_done(arg);
	ripc_pipe_read(r, &c, 1);
	pause();
}

static void a_death_is_an_end(void **state)
{
	struct step ready;
	pid_t child;
	int64_t t;
	char c;

	(void)state;
	step_init(&ready);
	pipe_new(0);
	child = start_child(child_waits_for_ever, &ready); /* holds both ends */
	step_await(&ready);
	ripc_pipe_close(w);
	kill_child(child);
	t = test_now_ms();
	assert_int_equal(ripc_pipe_read(r, &c, 1), 0);
	assert_true(test_now_ms() - t < 2000);
	ripc_pipe_close(r);

	pipe_new(0);
	child = start_child(child_waits_for_ever, &ready);
	step_await(&ready);
	ripc_pipe_close(r);
	assert_int_equal(ripc_pipe_write(w, "x", 1), 1); /* the child could read */
	kill_child(child);
	t = test_now_ms();
	while (ripc_pipe_write(w, &c, 1) == 1 || ripc_pipe_write(w, &c, 1) == 1)
		assert_true(test_now_ms() - t < 2000);
	assert_int_equal(ripc_pipe_write(w, &c, 1), -EPIPE);
	ripc_pipe_close(w);
	step_release(&ready);
}

/* ---- atomicity, and kills ---- */

#define WRITERS 4
#define RECORD_MAX BUF

struct record {
	uint32_t writer, number, size;
	unsigned char data[];
};

static void child_writes_records(void *arg)
{
	static union {
		struct record record;
		char bytes[RECORD_MAX];
	} u;
	uint32_t seed = (uint32_t)(uintptr_t)arg * 7919 + 1;

	ripc_pipe_close(r);
	u.record.writer = (uint32_t)(uintptr_t)arg;
	for (u.record.number = 0;; u.record.number++) {
		seed = seed * 1103515245 + 12345;
		u.record.size = seed >> 8;
		u.record.size %= RECORD_MAX - sizeof(struct record) + 1;
		memset(u.record.data, (int)(u.record.writer + u.record.number), u.record.size);
		if (ripc_pipe_write(w, &u, sizeof(struct record) + u.record.size) < 0)
			_exit(0);
	}
}

static void read_all(void *to, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = ripc_pipe_read(r, (char *)to + done, size - done);

		assert_true(n > 0);
		done += (size_t)n;
	}
}

#define PAGE 4096

static char *closed_page;
static volatile ssize_t in_handler;

static void write_in_handler(int sig)
{
	(void)sig;
	in_handler = ripc_pipe_write(w, "x", 1);
	mprotect(closed_page, PAGE, PROT_READ);
}

/* One that runs while its own thread copies, and so holds the pipe's lock: that is not taken from it. */
static void a_handler_is_refused_inside(void **state)
{
	char *data = mmap(NULL, 2 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char out[2 * PAGE];

	(void)state;
	assert_ptr_not_equal(data, MAP_FAILED);
	pipe_new(0);
	closed_page = data + PAGE;
	assert_int_equal(mprotect(closed_page, PAGE, PROT_NONE), 0);
	signal(SIGSEGV, write_in_handler);
	assert_int_equal(ripc_pipe_write(w, data, 2 * PAGE), 2 * PAGE);
	signal(SIGSEGV, SIG_DFL);
	assert_int_equal(in_handler, -EDEADLK);
	assert_int_equal(ripc_pipe_available(r), 2 * PAGE);
	assert_int_equal(ripc_pipe_read(r, out, sizeof(out)), 2 * PAGE);
	assert_int_equal(ripc_pipe_write(w, "x", 1), 1);
	pipe_close();
	munmap(data, 2 * PAGE);
}

/*
 * Writers of records up to PIPE_BUF, killed and replaced at random: every record that is read is
 * whole, in its writer's order, and the pipe goes on.
 */
static void kills_never_tear_a_record(void **state)
{
	const int kills = getenv("RIPC_KILLS") ? atoi(getenv("RIPC_KILLS")) : 1000;
	uint32_t next[WRITERS] = {0}, seed = 99, records = 0;
	static unsigned char data[RECORD_MAX];
	pid_t child[WRITERS];
	int64_t act = 0;

	(void)state;
	pipe_new(4 * BUF);
	for (uintptr_t i = 0; i < WRITERS; i++)
		child[i] = start_child(child_writes_records, (void *)i);
	for (int done = 0; done < kills;) {
		struct record head;

		read_all(&head, sizeof(head));
		assert_in_range(head.writer, 0, WRITERS - 1);
		assert_in_range(head.size, 0, RECORD_MAX - sizeof(head));
		read_all(data, head.size);
		for (uint32_t i = 0; i < head.size; i++)
			assert_int_equal(data[i], (unsigned char)(head.writer + head.number));
		/* in order; or the first of a new process after a kill */
		assert_true(head.number == next[head.writer] || head.number == 0);
		next[head.writer] = head.number + 1;
		records++;
		if (ripc_now_ns() < act)
			continue;
		seed = seed * 1103515245 + 12345;
		kill_child(child[seed >> 16 & (WRITERS - 1)]);
		child[seed >> 16 & (WRITERS - 1)] = start_child(
			child_writes_records, (void *)(uintptr_t)(seed >> 16 & (WRITERS - 1)));
		act = ripc_now_ns() + (seed >> 8) % 1000000;
		done++;
	}
	assert_true(records > (uint32_t)kills);
	ripc_pipe_close(r);
	for (int i = 0; i < WRITERS; i++)
		join_child(child[i]); /* -EPIPE */
	ripc_pipe_close(w);
}

static void child_scribbles(void *arg)
{
	uint32_t seed = 5;

	(void)arg;
	/* the shared body: a handle's second word; not its locks, whose links are addresses */
	for (;;) {
		uint64_t *words = *(uint64_t **)(void *)((char *)w + sizeof(void *));
		uint32_t at;

		seed = seed * 1103515245 + 12345;
		at = (seed >> 8) % 600;
		if (at % 144 < 8)
			continue;
		words[at] = (uint64_t)seed << (seed % 31);
	}
}

static void child_uses_a_scribbled_pipe(void *arg)
{
	static char data[BUF];

	(void)arg;
	alarm(0);
	ualarm(100000, 0);
	ripc_pipe_set_nonblock(r, true);
	ripc_pipe_set_nonblock(w, true);
	for (;;) {
		ripc_pipe_write(w, data, 100);
		CHECK(ripc_pipe_read(r, data, sizeof(data)) <= (ssize_t)sizeof(data));
	}
}

static void a_scribbled_pipe_crashes_nobody(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++) {
		pid_t user, scribbler;

		pipe_new(BUF);
		user = start_child(child_uses_a_scribbled_pipe, NULL);
		scribbler = start_child(child_scribbles, NULL);
		assert_int_equal(end_of_child(user), 128 + SIGALRM);
		kill_child(scribbler);
		pipe_close();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(boundaries),
	    cmocka_unit_test(bytes_come_in_order_across_writes),
	    cmocka_unit_test(nonblocking),
	    cmocka_unit_test(the_last_writer_makes_the_end),
	    cmocka_unit_test(the_last_reader_breaks_the_pipe),
	    cmocka_unit_test(a_fork_never_looks_like_the_end),
	    cmocka_unit_test(a_sleeping_reader_is_woken),
	    cmocka_unit_test(a_sleeping_writer_is_woken),
	    cmocka_unit_test(a_death_is_an_end),
	    cmocka_unit_test(a_handler_is_refused_inside),
	    cmocka_unit_test(kills_never_tear_a_record),
	    cmocka_unit_test(a_scribbled_pipe_crashes_nobody),
	};

	return cmocka_run_group_tests(tests, objects_setup, objects_teardown);
}
