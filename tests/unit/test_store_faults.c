// SPDX-License-Identifier: GPL-2.0-or-later
/* Writing traces when memory, disk or time is short: nothing is lost in silence whatever happens. */
#include "store_fixture.h"

#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>

/* ---- under pressure ---- */

/* Every table but meta, which holds times, as one text. */
static char *dump(const char *path)
{
	static const char *const queries[] = {
	    "SELECT * FROM event",
	    "SELECT seq, hex(record) FROM control",
	    "SELECT event, hex(data) FROM payload",
	    "SELECT * FROM task ORDER BY tid, start_ns",
	    "SELECT * FROM name",
	    "SELECT * FROM chan",
	    "SELECT * FROM endpoint",
	    "SELECT * FROM wait",
	    "SELECT * FROM loss",
	    "SELECT count(*) FROM spill",
	    "SELECT value FROM meta WHERE key IN ('events', 'first_ns', 'last_ns') ORDER BY key",
	};
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++)
		fprintf(f, "== %s\n%s\n", queries[i], sql(path, queries[i]));
	fclose(f);
	return text;
}

static void record_random(const char *path, const struct store_tuning *tuning,
			  struct store_stats *st)
{
	struct fail fail;
	struct store *s = create(path);
	store_tune(s, tuning);
	random_state = 42;
	for (int i = 0; i < 5000; i++)
		put(s, random_event());
	assert_int_equal(store_finish(s, NULL, &fail), 0);
	store_get_stats(s, st);
	store_free(s);
}

static void a_spilled_trace_ends_up_as_the_same_rows_and_gives_the_room_back(void **state)
{
	(void)state;
	struct store_tuning direct = store_tuning_default, spilling = store_tuning_default, later;
	direct.batch_bytes = spilling.batch_bytes = 70000;
	direct.backlog = UINT32_MAX;
	spilling.backlog = 0;
	later = spilling;
	later.keep_spilled = true;
	struct store_stats a, b, c;
	record_random(in_folder("direct.db"), &direct, &a);
	record_random(in_folder("spill.db"), &spilling, &b);
	record_random(in_folder("later.db"), &later, &c);
	assert_int_equal(a.spilled, 0);
	assert_int_equal(b.spilled, b.events);
	assert_int_equal(c.spilled, c.events);
	const char *told = "SELECT value FROM meta WHERE key = 'spilled'";
	assert_int_equal(sql_number(in_folder("spill.db"), told), b.events);
	assert_int_equal(sql_number(in_folder("direct.db"),
				    "SELECT count(*) FROM meta WHERE key = 'spilled'"),
			 0);
	assert_int_equal(a.events, c.events);
	char *one = dump(in_folder("direct.db")), *two = dump(in_folder("spill.db")),
	     *three = dump(in_folder("later.db"));
	assert_string_equal(one, two);
	assert_string_equal(one, three);
	free(one), free(two), free(three);
	assert_string_equal(sql(in_folder("later.db"), "PRAGMA freelist_count"), "0");
	assert_string_equal(sql(in_folder("later.db"), "PRAGMA integrity_check"), "ok");
	assert_true(c.file_bytes < a.file_bytes + a.file_bytes / 4);
}

static void what_no_memory_is_left_for_is_counted_never_silent(void **state)
{
	(void)state;
	const char *path = in_folder("t.db");
	struct store_tuning slow = store_tuning_default;
	slow.batch_bytes = 70000;
	slow.memory_cap = 300000;
	slow.slow_us = 20000;
	struct store *s = create(path);
	store_tune(s, &slow);
	struct ev_task t = make_task(1, TASK_SEEN, 10, "a");
	for (uint64_t n = 1; n <= 50000; n++) {
		struct ev_io io = make_io(n);
		put(s, &io);
		if (n % 1000 == 0)
			put(s, &t); /* these are few, and are always kept */
	}
	struct fail fail;
	struct store_stats st;
	assert_int_equal(store_finish(s, NULL, &fail), 0);
	store_get_stats(s, &st);
	store_free(s);
	assert_true(st.lost > 0);
	assert_int_equal(st.events + st.lost, 50000);
	assert_int_equal(sql_number(path, "SELECT count(*) FROM event"), st.events);
	assert_int_equal(
	    sql_number(path, "SELECT sum(count) FROM loss WHERE cause = 'store-queue'"), st.lost);
	assert_int_equal(sql_number(path, "SELECT count(*) FROM name"), 50);
	struct keeper k = keeper_new();
	struct trace *trace = open_trace(path);
	assert_int_equal(replay(trace, &k.sink), 0);
	assert_int_equal(k.lost[LOST_STORE_QUEUE], st.lost);
	assert_int_equal(k.nio, st.events);
	trace_close(trace);
	free(k.bytes);
}

static void a_malformed_event_is_counted_and_the_rest_is_kept(void **state)
{
	(void)state;
	const char *path = in_folder("t.db");
	struct store *s = create(path);
	put_ios(s, 1, 3);
	struct ev_io bad = make_io(4);
	bad.hdr.size = 90;
	put(s, &bad);
	put_ios(s, 5, 6);
	finish(s, NULL);
	assert_string_equal(sql(path, "SELECT group_concat(bytes) FROM event"), "1,2,3,5,6");
	assert_string_equal(sql(path, "SELECT cause, count FROM loss"), "bad-record|1");
}

/* Sleeps so long; returns by how much longer it took: others had the processors meanwhile. */
static uint64_t nap(useconds_t us)
{
	uint64_t from = now_ns();
	usleep(us);
	return now_ns() - from - us * 1000ull;
}
#define STARVED_NS 10000000u /* on a machine that keeps one waiting so long, 200 ms say nothing */

static void an_event_is_on_disk_before_200_ms_with_nothing_behind_it(void **state)
{
	(void)state;
	const char *path = in_folder("t.db");
	struct store *s = create(path);
	uint64_t worst = 0;
	for (int64_t n = 1; n <= 5; n++) {
		put_ios(s, (uint64_t)n, (uint64_t)n);
		uint64_t put_at = now_ns(), starved = 0;
		while (sql_number(path, "SELECT count(*) FROM event") < n) {
			if (now_ns() - put_at > 5000000000u)
				fail_msg("event %lld was not committed", (long long)n);
			uint64_t over = nap(5000);
			starved = over > starved ? over : starved;
		}
		if (starved < STARVED_NS && now_ns() - put_at > worst)
			worst = now_ns() - put_at;
	}
	store_free(s);
	assert_true(worst < 200000000u);
}

/* ---- faults ---- */

/* Until the sink says so, and on after it: it says it once. Returns how many operations it was
 * given. */
static uint64_t write_until_error(struct store *s, int *err)
{
	uint64_t n = 0;
	*err = 0;
	for (uint64_t began = now_ns(); *err == 0;) {
		struct ev_io io = make_io(++n);
		*err = sink_event(store_sink(s), &io.hdr);
		if (n % 1000 == 0)
			usleep(100);
		if (now_ns() - began > 20000000000u)
			fail_msg("no error after %llu events", (unsigned long long)n);
	}
	struct ev_io io = make_io(++n);
	assert_int_equal(sink_event(store_sink(s), &io.hdr), 0);
	return n;
}

/* Whatever was said to be kept is there, from the first on. */
static void holds_prefix(const char *path, uint64_t kept)
{
	struct trace *t = open_trace(path);
	assert_true(trace_was_unfinished(t));
	assert_int_equal(trace_events(t), kept);
	struct keeper k = keeper_new();
	assert_int_equal(replay(t, &k.sink), 0);
	trace_close(t);
	assert_int_equal(k.nio, kept);
	assert_int_equal(k.n, kept);
	for (uint64_t n = 1; n <= kept; n++) {
		struct ev_io io = make_io(n);
		assert_memory_equal(k.bytes + (n - 1) * sizeof(io), &io, sizeof(io));
	}
	free(k.bytes);
}

static void fill_up(const char *path, int expected)
{
	struct store *s = create(path);
	struct store_stats st;
	struct fail fail = {0};
	int err;
	uint64_t n = write_until_error(s, &err);
	assert_int_equal(err, -expected);
	store_error(s, &fail);
	assert_int_equal(fail.err, expected);
	assert_non_null(strstr(fail.what, strerror(expected)));
	assert_true(fail.remedy[0]);
	assert_int_equal(store_finish(s, NULL, &fail), -expected);
	store_get_stats(s, &st);
	store_free(s);
	assert_int_equal(st.events + st.lost, n);
	char kept[64];
	snprintf(kept, sizeof(kept), "%llu operations kept, %llu not",
		 (unsigned long long)st.events, (unsigned long long)st.lost);
	assert_non_null(strstr(fail.what, kept));
	assert_true(st.events > 0);
	holds_prefix(path, st.events);
}

static void a_full_disk_is_said_once_and_what_was_written_stays(void **state)
{
	(void)state;
	const char *disk = in_folder("disk");
	assert_int_equal(mkdir(disk, 0755), 0);
	if (geteuid() || mount("ipctap-test", disk, "tmpfs", 0, "size=4m"))
		skip();
	fill_up(in_folder("disk/t.db"), ENOSPC);
	/* and once there is room it is completed like any other */
	assert_int_equal(mount("ipctap-test", disk, "tmpfs", MS_REMOUNT, "size=64m"), 0);
	trace_close(open_trace(in_folder("disk/t.db")));
	assert_string_equal(
	    sql(in_folder("disk/t.db"), "SELECT value FROM meta WHERE key = 'finished'"), "1");
	assert_string_equal(sql(in_folder("disk/t.db"), "PRAGMA integrity_check"), "ok");
}

static int unmount(void **state)
{
	umount(in_folder("disk"));
	return folder_remove(state);
}

static void a_file_size_limit_is_said_once_and_what_was_written_stays(void **state)
{
	(void)state;
	struct rlimit before, tight;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	tight = before;
	tight.rlim_cur = 2u << 20;
	void (*old)(int) = signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	fill_up(in_folder("t.db"), EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, old);
}

static void a_trace_that_vanishes_is_noticed_and_its_heir_is_left_alone(void **state)
{
	(void)state;
	const char *path = in_folder("t.db");
	struct store *s = create(path);
	put_ios(s, 1, 10);
	assert_int_equal(unlink(path), 0);
	struct store *heir = create(path);
	put_ios(heir, 1, 7);
	int err;
	write_until_error(s, &err);
	assert_int_equal(err, -ENOENT);
	struct fail fail = {0};
	assert_int_equal(store_finish(s, NULL, &fail), -ENOENT);
	assert_non_null(strstr(fail.what, "deleted or replaced"));
	store_free(s);
	assert_true(exists(in_folder("t.db-wal"))); /* the heir's */
	put_ios(heir, 8, 9);
	finish(heir, NULL);
	assert_string_equal(sql(path, "SELECT group_concat(bytes) FROM event"),
			    "1,2,3,4,5,6,7,8,9");
	assert_string_equal(sql(path, "PRAGMA integrity_check"), "ok");
}

/* ---- kill -9 ---- */

#define MARKS 65536
struct marks { /* shared with the child: how much it had delivered by when */
	volatile uint32_t n;
	struct {
		uint64_t t_ns, delivered;
	} at[MARKS];
};

static void child_records(const char *path, bool spills, useconds_t pace, struct marks *marks)
{
	struct store_opts opts = {0};
	struct store *s;
	if (store_create(&s, path, &opts, NULL))
		_exit(1);
	struct store_tuning tuning = store_tuning_default;
	tuning.backlog = spills ? 0 : tuning.backlog;
	tuning.keep_spilled = spills;
	store_tune(s, &tuning);
	for (uint64_t n = 1; marks->n < MARKS;) {
		for (int i = 0; i < 200; i++) {
			struct ev_io io = make_io(n++);
			if (sink_event(store_sink(s), &io.hdr))
				_exit(2);
		}
		marks->at[marks->n].t_ns = now_ns();
		marks->at[marks->n].delivered = n - 1;
		__atomic_store_n(&marks->n, marks->n + 1, __ATOMIC_RELEASE);
		usleep(pace);
	}
	_exit(3);
}

static uint64_t delivered_before(const struct marks *marks, uint64_t t_ns)
{
	uint64_t delivered = 0;
	for (uint32_t i = 0; i < marks->n && marks->at[i].t_ns < t_ns; i++)
		delivered = marks->at[i].delivered;
	return delivered;
}

static void kill_9_at_any_moment_loses_no_more_than_200_ms(void **state)
{
	(void)state;
	struct marks *marks =
	    mmap(NULL, sizeof(*marks), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(marks, MAP_FAILED);
	random_state = now_ns() | 1;
	print_message("seed %llu\n", (unsigned long long)random_state);
	for (int round = 0; round < 20; round++) {
		const char *path = in_folder("t.db");
		marks->n = 0;
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			child_records(path, round % 2, round % 4 < 2 ? 500 : 20000, marks);
		while (__atomic_load_n(&marks->n, __ATOMIC_ACQUIRE) == 0)
			usleep(1000);
		uint64_t starved = 0, until = now_ns() + rnd() % 400000000;
		do {
			uint64_t over = nap(1000);
			starved = over > starved ? over : starved;
		} while (now_ns() < until);
		uint64_t killed = now_ns();
		kill(pid, SIGKILL);
		int status;
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);

		struct trace *t = open_trace(path);
		assert_true(trace_was_unfinished(t));
		uint64_t kept = trace_events(t),
			 least = delivered_before(marks, killed - 200000000);
		trace_close(t);
		if (kept < least && starved < STARVED_NS)
			fail_msg("round %d: %llu kept of %llu", round, (unsigned long long)kept,
				 (unsigned long long)least);
		holds_prefix(path, kept);
		assert_string_equal(sql(path, "PRAGMA integrity_check"), "ok");
		assert_string_equal(sql(path, "SELECT value FROM meta WHERE key = 'finished'"),
				    "1");
		assert_string_equal(sql(path, "SELECT count(*) FROM spill"), "0");
		unlink(path);
	}
	munmap(marks, sizeof(*marks));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_FOLDER(a_spilled_trace_ends_up_as_the_same_rows_and_gives_the_room_back),
	    IN_FOLDER(what_no_memory_is_left_for_is_counted_never_silent),
	    IN_FOLDER(a_malformed_event_is_counted_and_the_rest_is_kept),
	    IN_FOLDER(an_event_is_on_disk_before_200_ms_with_nothing_behind_it),
	    cmocka_unit_test_setup_teardown(a_full_disk_is_said_once_and_what_was_written_stays,
					    folder_make, unmount),
	    IN_FOLDER(a_file_size_limit_is_said_once_and_what_was_written_stays),
	    IN_FOLDER(a_trace_that_vanishes_is_noticed_and_its_heir_is_left_alone),
	    IN_FOLDER(kill_9_at_any_moment_loses_no_more_than_200_ms),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
