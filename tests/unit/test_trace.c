// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading traces: exact replay, every way a file can be wrong, and what is left after a crash. */
#include "store_fixture.h"

#include "lib/store/db.h"
#include "lib/store/spill.h"

/* ---- exact replay ---- */

enum how { FINISHED, SPILLED, ABANDONED, ABANDONED_SPILLED };

static const struct store_tuning tunings[] = {
    [FINISHED] = {.batch_bytes = 70000, .memory_cap = 256u << 20, .backlog = UINT32_MAX},
    [SPILLED] = {.batch_bytes = 70000, .memory_cap = 256u << 20, .backlog = 0},
    [ABANDONED] = {.batch_bytes = 70000, .memory_cap = 256u << 20, .backlog = UINT32_MAX},
    [ABANDONED_SPILLED] = {.batch_bytes = 70000,
			   .memory_cap = 256u << 20,
			   .backlog = 0,
			   .keep_spilled = true},
};

static void record(const char *path, enum how how, int n, struct keeper *sent)
{
	struct store *s = create(path);
	store_tune(s, &tunings[how]);
	for (int i = 0; i < n; i++) {
		const struct ev_hdr *ev = random_event();
		put(s, ev);
		keep(&sent->sink, ev);
	}
	if (how == FINISHED || how == SPILLED)
		finish(s, NULL);
	else
		store_free(s);
}

static void same(const struct keeper *a, const struct keeper *b)
{
	assert_int_equal(a->n, b->n);
	assert_int_equal(a->size, b->size);
	assert_memory_equal(a->bytes, b->bytes, a->size);
}

static void what_comes_out_is_byte_for_byte_what_went_in(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 12; seed++) {
		const char *path = in_folder("t.db");
		enum how how = (enum how)(seed % 4);
		struct keeper sent = keeper_new(), got = keeper_new();
		random_state = seed;
		record(path, how, 1500, &sent);
		struct trace *t = open_trace(path);
		assert_int_equal(trace_was_unfinished(t), how >= ABANDONED);
		assert_int_equal(trace_events(t), sent.nio);
		assert_int_equal(replay(t, &got.sink), 0);
		same(&sent, &got);
		trace_close(t);
		free(sent.bytes), free(got.bytes);
	}
}

/* Once something lies in blobs, what comes later must not overtake it as rows. */
static void order_is_kept_when_a_burst_is_followed_by_calm(void **state)
{
	(void)state;
	const char *path = in_folder("t.db");
	struct store_tuning tuning = tunings[ABANDONED_SPILLED];
	struct keeper sent = keeper_new(), got = keeper_new();
	struct store_stats st;
	tuning.backlog = 1;
	tuning.slow_us = 20000;
	struct store *s = create(path);
	store_tune(s, &tuning);
	random_state = 99;
	for (int i = 0; i < 3000; i++) {
		const struct ev_hdr *ev = random_event();
		put(s, ev);
		keep(&sent.sink, ev);
	}
	for (bool held = true; held; usleep(1000)) {
		pthread_mutex_lock(&s->lock);
		held = s->held_bytes > 0;
		pthread_mutex_unlock(&s->lock);
	}
	for (int i = 0; i < 5; i++) { /* one batch alone */
		const struct ev_hdr *ev = random_event();
		put(s, ev);
		keep(&sent.sink, ev);
	}
	store_get_stats(s, &st);
	assert_true(st.spilled > 0);
	store_free(s);
	assert_string_equal(sql(path, "SELECT coalesce(max(id), 0) < (SELECT min(seq) FROM spill),"
				      " (SELECT coalesce(max(seq), 0) FROM control) <"
				      " (SELECT min(seq) FROM spill) FROM event"),
			    "1|1");
	struct trace *t = open_trace(path);
	assert_int_equal(replay(t, &got.sink), 0);
	same(&sent, &got);
	trace_close(t);
	free(sent.bytes), free(got.bytes);
}

static void an_empty_trace_is_a_trace(void **state)
{
	(void)state;
	finish(create(in_folder("t.db")), NULL);
	struct trace *t = open_trace(in_folder("t.db"));
	struct keeper got = keeper_new();
	assert_int_equal(replay(t, &got.sink), 0);
	assert_int_equal(got.n, 0);
	assert_int_equal(trace_events(t), 0);
	assert_false(trace_was_unfinished(t));
	trace_close(t);
}

static void meta_is_lent_until_close(void **state)
{
	(void)state;
	finish(create(in_folder("t.db")), NULL);
	struct trace *t = open_trace(in_folder("t.db"));
	const char *source = trace_meta(t, "source");
	assert_null(trace_meta(t, "no such key"));
	assert_string_equal(trace_meta(t, "command"), "a b");
	assert_ptr_equal(trace_meta(t, "source"), source);
	assert_string_equal(source, "test");
	trace_close(t);
}

/* Whoever orders by *complete_ns must never see an event come after its time. */
struct checker {
	struct sink sink;
	uint64_t complete_ns, n;
};

static int check_order(struct sink *self, const struct ev_hdr *ev)
{
	struct checker *c = (struct checker *)self;
	assert_true(ev->t_ns > c->complete_ns);
	c->n++;
	return 0;
}

static void a_poll_ends_now_and_then_and_tells_how_far_it_came(void **state)
{
	(void)state;
	struct store *s = create(in_folder("t.db"));
	for (uint64_t n = 1; n <= 20000; n++) {
		struct ev_io io = make_io(1 + n / 3000); /* many at the very same time */
		put(s, &io);
	}
	finish(s, NULL);
	struct trace *t = open_trace(in_folder("t.db"));
	struct checker c = {.sink.event = check_order};
	struct source *source;
	struct fail fail;
	assert_int_equal(trace_source(t, &source, &fail), 0);
	int polls = 1, rc;
	for (; (rc = source_poll(source, &c.sink, 0, &c.complete_ns)) > 0; polls++)
		assert_true(c.complete_ns < 8000);
	assert_int_equal(rc, 0);
	assert_true(c.complete_ns == UINT64_MAX);
	assert_true(polls > 3);
	assert_int_equal(c.n, 20000);
	source_free(source);
	trace_close(t);
}

static int refuse_third(struct sink *self, const struct ev_hdr *ev)
{
	(void)ev;
	return ++((struct checker *)self)->n == 3 ? -ENOSPC : 0;
}

static void the_error_of_a_sink_ends_the_poll_and_is_not_the_traces(void **state)
{
	(void)state;
	struct store *s = create(in_folder("t.db"));
	put_ios(s, 1, 10);
	finish(s, NULL);
	struct trace *t = open_trace(in_folder("t.db"));
	struct checker c = {.sink.event = refuse_third};
	assert_int_equal(replay(t, &c.sink), -ENOSPC);
	assert_int_equal(c.n, 3);
	struct fail fail;
	trace_error(t, &fail);
	assert_int_equal(fail.err, 0);
	trace_close(t);
}

/* ---- what cannot be opened ---- */

static void refused(const char *path, int err, const char *word)
{
	struct fail fail = {0};
	struct trace *t;
	int rc = trace_open(&t, path, &fail);
	if (rc == 0)
		fail_msg("'%s' was opened", path);
	if (rc != -err || fail.err != err)
		fail_msg("'%s': error %d, not %d (%s)", path, fail.err, err, fail.what);
	if (!strstr(fail.what, word) || !strstr(fail.what, path) || strchr(fail.what, '\n'))
		fail_msg("'%s' does not say '%s' about '%s'", fail.what, word, path);
}

static void finished_trace(const char *path, uint64_t n)
{
	struct store *s = create(path);
	put_ios(s, 1, n);
	finish(s, NULL);
}

static void what_is_no_trace_is_refused_with_the_reason(void **state)
{
	(void)state;
	refused(in_folder("missing"), ENOENT, "No such file");
	refused("", ENOENT, "No such file");
	refused(folder, EISDIR, "Is a directory");
	write_file(in_folder("empty"), "", 0);
	refused(in_folder("empty"), EINVAL, "empty");
	write_file(in_folder("text"), "hello", 5);
	refused(in_folder("text"), EINVAL, "not an ipctap trace");
	assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
	refused(in_folder("fifo"), EINVAL, "not a file");
	sqlite3 *db;
	assert_int_equal(sqlite3_open(in_folder("other.db"), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "CREATE TABLE mine(x)", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	refused(in_folder("other.db"), EINVAL, "SQLite database, but not an ipctap trace");
}

static int open_as_nobody(void)
{
	struct fail fail = {0};
	struct trace *t;
	if (trace_open(&t, in_folder("t.db"), &fail) != -EACCES)
		return 1;
	return strstr(fail.what, "Permission denied") && fail.remedy[0] ? 0 : 2;
}

static void a_trace_of_somebody_else_is_refused_with_the_remedy(void **state)
{
	(void)state;
	finished_trace(in_folder("t.db"), 10);
	assert_int_equal(chmod(in_folder("t.db"), 0), 0);
	assert_int_equal(run_unprivileged(open_as_nobody), 0);
}

static void a_newer_trace_is_refused_with_the_remedy(void **state)
{
	(void)state;
	finished_trace(in_folder("t.db"), 10);
	sql_do(in_folder("t.db"), "PRAGMA user_version = 3");
	refused(in_folder("t.db"), ENOTSUP, "version 3");
	sql_do(in_folder("t.db"),
	       "PRAGMA user_version = 2; UPDATE meta SET value = '9' WHERE key = 'abi'");
	refused(in_folder("t.db"), ENOTSUP, "version 2.9");
	sql_do(in_folder("t.db"), "UPDATE meta SET value = '0' WHERE key = 'abi'");
	refused(in_folder("t.db"), EBADMSG, "damaged");
	sql_do(in_folder("t.db"), "UPDATE meta SET value = '2' WHERE key = 'abi'");
	trace_close(open_trace(in_folder("t.db")));
}

static void a_truncated_trace_is_refused(void **state)
{
	(void)state;
	finished_trace(in_folder("t.db"), 10000);
	struct stat st;
	assert_int_equal(stat(in_folder("t.db"), &st), 0);
	for (off_t size = st.st_size - 1; size > 5000; size = size * 2 / 3) {
		assert_int_equal(truncate(in_folder("t.db"), size), 0);
		refused(in_folder("t.db"), EBADMSG, "truncated");
	}
	assert_int_equal(truncate(in_folder("t.db"), 60), 0);
	refused(in_folder("t.db"), EINVAL, "not an ipctap trace");
}

/* Whatever is overwritten: an error or events, never a crash, never silence. */
static void damage_is_noticed_at_the_latest_while_reading(void **state)
{
	(void)state;
	const char *path = in_folder("t.db");
	finished_trace(path, 20000);
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	int noticed = 0;
	random_state = 7;
	for (off_t at = 4096; at + 4096 <= st.st_size; at += 4096 * 5) {
		finished_trace(path, 20000);
		unsigned char garbage[4096];
		fill(garbage, sizeof(garbage));
		FILE *f = fopen(path, "r+e");
		fseek(f, at, SEEK_SET);
		fwrite(garbage, 1, sizeof(garbage), f);
		fclose(f);
		struct fail fail = {0};
		struct trace *t;
		if (trace_open(&t, path, &fail)) {
			assert_true(fail.what[0] && fail.err == EBADMSG);
			noticed++;
			continue;
		}
		struct keeper got = keeper_new();
		if (replay(t, &got.sink) < 0) {
			trace_error(t, &fail);
			assert_int_equal(fail.err, EBADMSG);
			assert_non_null(strstr(fail.what, "damaged"));
			noticed++;
		}
		trace_close(t);
		free(got.bytes);
	}
	assert_true(noticed > 20);
}

static void a_trace_without_its_tables_is_damaged_and_views_do_not_stand_in(void **state)
{
	(void)state;
	static const char *const wounds[] = {
	    "DROP TABLE event",
	    "ALTER TABLE control DROP COLUMN record",
	    "DROP TABLE meta",
	    "DROP TABLE event; CREATE VIEW event AS WITH RECURSIVE n(x) AS"
	    " (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x AS id, 1 AS t_ns, 1 AS dur_ns, 1 "
	    "AS "
	    "slept_ns, 1 AS pid, 1 AS tid, 1 AS op, 1 AS chan, 1 AS fd, 1 AS ret, 1 AS bytes, 1 AS "
	    "mtype, 1 AS flags, 1 AS waker_tid, 1 AS at_ns, 1 AS messages FROM n",
	};
	for (size_t i = 0; i < sizeof(wounds) / sizeof(wounds[0]); i++) {
		finished_trace(in_folder("t.db"), 10);
		sql_do(in_folder("t.db"), wounds[i]);
		struct fail fail = {0};
		struct trace *t;
		struct keeper got = keeper_new();
		int rc = trace_open(&t, in_folder("t.db"), &fail);
		if (rc == 0) {
			struct source *source;
			rc = trace_source(t, &source, &fail);
			trace_close(t);
		}
		assert_int_equal(rc, -EBADMSG);
		assert_non_null(strstr(fail.what, "damaged"));
		free(got.bytes);
	}
}

static void a_trace_being_recorded_is_refused_and_names_the_recorder(void **state)
{
	(void)state;
	struct store *s = create(in_folder("t.db"));
	put_ios(s, 1, 10);
	char pid[32];
	snprintf(pid, sizeof(pid), "pid %d", (int)getpid());
	refused(in_folder("t.db"), EBUSY, "still being recorded");
	refused(in_folder("t.db"), EBUSY, pid);
	finish(s, NULL);
	trace_close(open_trace(in_folder("t.db")));
}

/* ---- hostile content ---- */

static void put_blob(const char *path, const char *insert, int64_t seq, const void *blob, int size)
{
	sqlite3 *db = sql_open(path);
	sqlite3_stmt *st;
	assert_int_equal(sqlite3_prepare_v2(db, insert, -1, &st, NULL), SQLITE_OK);
	sqlite3_bind_int64(st, 1, seq);
	sqlite3_bind_blob(st, 2, blob, size, SQLITE_STATIC);
	assert_int_equal(sqlite3_step(st), SQLITE_DONE);
	sqlite3_finalize(st);
	sqlite3_close(db);
}

/* The order of what came: 'e' an operation, 'c' another event, 'L' a bad record. */
static void shape(const struct keeper *k, char *text)
{
	for (size_t at = 0; at < k->size;) {
		const struct ev_hdr *ev = (const struct ev_hdr *)(k->bytes + at);
		const struct ev_lost *lost = (const struct ev_lost *)ev;
		bool bad = ev->type == EV_LOST && lost->cause == LOST_BAD_RECORD;
		*text++ = ev->type == EV_IO ? 'e' : bad ? 'L' : 'c';
		at += ev->size;
	}
	*text = 0;
}

static void replays_as(const char *path, const char *expected)
{
	char text[64];
	struct keeper got = keeper_new();
	struct trace *t = open_trace(path);
	assert_int_equal(replay(t, &got.sink), 0);
	trace_close(t);
	shape(&got, text);
	assert_string_equal(text, expected);
	free(got.bytes);
}

static void a_bad_record_becomes_a_loss_in_its_place(void **state)
{
	(void)state;
	const char *path = in_folder("t.db");
	static const char control[] = "INSERT OR REPLACE INTO control(seq, record) VALUES(?1, ?2)";
	static const char payload[] = "INSERT OR REPLACE INTO payload(event, data) VALUES(?1, ?2)";
	struct ev_task t = make_task(1, TASK_SEEN, 10, "a"), bad = t;
	struct ev_io io = make_io(7);
	struct store *s = create(path);
	put_ios(s, 1, 2);
	put(s, &t); /* 3 */
	put_ios(s, 4, 6);
	finish(s, NULL);
	replays_as(path, "eeceee");

	put_blob(path, control, 3, "short", 5);
	replays_as(path, "eeLeee");
	put_blob(path, control, 3, &bad, sizeof(bad) - 8); /* says it is longer than it is */
	replays_as(path, "eeLeee");
	memset(bad.comm, 'x', sizeof(bad.comm)); /* not terminated */
	put_blob(path, control, 3, &bad, sizeof(bad));
	replays_as(path, "eeLeee");
	bad = t;
	bad.hdr.type = 77;
	put_blob(path, control, 3, &bad, sizeof(bad));
	replays_as(path, "eeLeee");
	put_blob(path, control, 3, &io, sizeof(io)); /* an operation has no business there */
	replays_as(path, "eeLeee");
	put_blob(path, control, 3, &t, sizeof(t));
	replays_as(path, "eeceee");

	put_blob(path, payload, 5, "odd", 3);
	replays_as(path, "eeceLe");
	static char big[UINT16_MAX + 1];
	put_blob(path, payload, 5, big, sizeof(big));
	replays_as(path, "eeceLe");
	put_blob(path, payload, 5, big, 8);
	put_blob(path, payload, 100, big, 8); /* of an event that is not there */
	put_blob(path, payload, -1, big, 8);
	replays_as(path, "eeceee");
}

static void bad_blobs_of_an_unfinished_trace_are_counted_and_the_rest_is_read(void **state)
{
	(void)state;
	const char *path = in_folder("t.db");
	static const char spill[] = "INSERT INTO spill(seq, n, records) VALUES(?1, 3, ?2)";
	struct {
		struct ev_io a, bad, c;
	} three = {make_io(11), make_io(12), make_io(13)};
	three.bad.hdr.size = 8;
	struct store *s = create(path);
	put_ios(s, 1, 2);
	store_free(s);
	put_blob(path, spill, 10, &three, sizeof(three)); /* 10 good, then 2 that are not */
	three.bad = make_io(12);
	put_blob(path, spill, 20, &three, sizeof(three) - 40); /* cut in the third */
	put_blob(path, spill, INT64_MAX, &three, 0);           /* the last number there is */
	sqlite3 *db = sql_open(path);
	struct batch *none;
	assert_int_equal(spill_next(db, (uint64_t)INT64_MAX + 1, &none),
			 0); /* not from the start again */
	sqlite3_close(db);
	replays_as(path, "eeeLeeLL");
	assert_string_equal(sql(path, "SELECT group_concat(count) FROM loss"), "2,1,3");
	assert_string_equal(sql(path, "SELECT group_concat(id) FROM event"), "1,2,10,20,21");
	assert_string_equal(sql(path, "SELECT count(*) FROM spill"), "0");
	assert_string_equal(sql(path, "SELECT value FROM meta WHERE key = 'finished'"), "1");
}

/* ---- after a crash ---- */

/* A recorder that is killed, leaving its -wal and -shm; what it had put is committed. */
static void killed_recorder(const char *path, bool spills)
{
	int ready[2];
	assert_int_equal(pipe(ready), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct store *s;
		if (store_create(&s, path, &(struct store_opts){.source = "test"}, NULL))
			_exit(1);
		store_tune(s, &tunings[spills ? ABANDONED_SPILLED : ABANDONED]);
		struct ev_chan c = make_chan(1, KIND_PIPE, "pipe:[1]", "");
		struct ev_task a = make_task(1, TASK_SEEN, 10, "dd"),
			       b = make_task(1, TASK_SEEN, 20, "wc");
		sink_event(store_sink(s), &c.hdr);
		sink_event(store_sink(s), &a.hdr);
		sink_event(store_sink(s), &b.hdr);
		for (uint64_t n = 1; n <= 2000; n++) {
			struct ev_io io = make_io(n);
			io.bytes = 100, io.ret = 100;
			sink_event(store_sink(s), &io.hdr);
		}
		/* all of it is written when nothing is held any more */
		for (bool held = true; held; usleep(1000)) {
			pthread_mutex_lock(&s->lock);
			held = s->held_bytes > 0;
			pthread_mutex_unlock(&s->lock);
		}
		if (write(ready[1], "x", 1) == 1)
			pause();
		_exit(2);
	}
	char x;
	close(ready[1]);
	assert_int_equal(read(ready[0], &x, 1), 1);
	close(ready[0]);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void an_unfinished_trace_is_completed_once_and_says_so_for_ever(void **state)
{
	(void)state;
	for (int spills = 0; spills < 2; spills++) {
		const char *path = in_folder(spills ? "spilled.db" : "plain.db");
		killed_recorder(path, spills);
		for (int times = 0; times < 2; times++) {
			struct trace *t = open_trace(path);
			assert_true(trace_was_unfinished(t));
			assert_int_equal(trace_events(t), 2000);
			assert_string_equal(trace_meta(t, "finished"), "1");
			trace_close(t);
		}
		assert_string_equal(sql(path, "SELECT src_comm, dst_comm, kind, messages, bytes"
					      " FROM v_talk WHERE src_pid AND dst_pid"),
				    "dd|wc|pipe|1000|100000");
		assert_string_equal(sql(path, "PRAGMA integrity_check"), "ok");
		assert_string_equal(sql(path, "PRAGMA journal_mode"), "delete");
		assert_string_equal(sql(path, "SELECT count(*) FROM spill"), "0");
		assert_string_equal(sql(path, "SELECT count(*) FROM v_event WHERE comm = 'dd'"),
				    "1000");
	}
}

/* Makes it what the version before would have left. */
static void age(const char *path)
{
	sql_do(path, "ALTER TABLE chan DROP COLUMN room_bytes; ALTER TABLE chan DROP COLUMN room_messages;"
		     "UPDATE meta SET value = '1' WHERE key IN ('abi', 'version'); PRAGMA user_version = 1");
}

static void a_trace_of_the_version_before_is_read_and_completed(void **state)
{
	(void)state;
	const char *path = in_folder("old.db"), *killed = in_folder("killed.db");
	finished_trace(path, 10);
	age(path);
	struct trace *t = open_trace(path);
	assert_int_equal(trace_events(t), 10);
	trace_close(t);
	assert_string_equal(sql(path, "PRAGMA user_version"), "1"); /* what is finished is left alone */

	killed_recorder(killed, true);
	age(killed);
	t = open_trace(killed);
	assert_true(trace_was_unfinished(t));
	assert_int_equal(trace_events(t), 2000);
	trace_close(t);
	assert_string_equal(sql(killed, "PRAGMA user_version"), "2");
	assert_string_equal(sql(killed, "SELECT kind, room_bytes, room_messages FROM chan"), "pipe|-|-");
	assert_string_equal(sql(killed, "SELECT value FROM meta WHERE key IN ('abi', 'version') ORDER BY key"),
			    "1\n2");
}

static void a_killed_trace_is_replaced_with_all_that_lay_beside_it(void **state)
{
	(void)state;
	const char *path = in_folder("t.db");
	killed_recorder(path, false);
	assert_true(exists(in_folder("t.db-wal")));
	finished_trace(path, 5);
	assert_false(exists(in_folder("t.db-wal")));
	assert_string_equal(sql(path, "SELECT group_concat(bytes) FROM event"), "1,2,3,4,5");
	assert_string_equal(sql(path, "PRAGMA integrity_check"), "ok");
}

/* 0: the trace in the folder was read, unfinished and whole, and is as it was */
static int read_unwritable(void)
{
	struct fail fail = {0};
	struct keeper got = keeper_new();
	struct trace *t;
	if (trace_open(&t, in_folder("t.db"), &fail)) {
		fprintf(stderr, "%s\n", fail.what);
		return 1;
	}
	if (!trace_was_unfinished(t) || trace_events(t) != 2000)
		return 2;
	if (replay(t, &got.sink) || got.nio != 2000 || got.n != 2003)
		return 3;
	for (uint64_t n = 1; n <= 2000; n++) {
		const struct ev_io *io =
		    (const struct ev_io *)(got.bytes + got.size - (2001 - n) * sizeof(*io));
		if (io->enter_ns != n * 1000)
			return 4;
	}
	if (strcmp(trace_meta(t, "finished"), "0") != 0)
		return 5;
	trace_close(t);
	free(got.bytes);
	return 0;
}

static void chmod_trace(mode_t mode)
{
	static const char *const names[] = {"t.db", "t.db-wal", "t.db-shm"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		chmod(in_folder(names[i]), mode);
}

static void an_unfinished_trace_that_cannot_be_written_is_read_as_it_is(void **state)
{
	(void)state;
	for (int spills = 0; spills < 2; spills++) {
		killed_recorder(in_folder("t.db"), spills);
		chmod_trace(0444);
		chmod(folder, 0555);
		assert_int_equal(run_unprivileged(read_unwritable), 0);
		chmod(folder, 0755);
		assert_int_equal(unlink(in_folder("t.db-shm")), 0); /* copied without it */
		chmod(folder, 0555);
		assert_int_equal(run_unprivileged(read_unwritable), 0);
		chmod(folder, 0755);
		chmod_trace(0600);
		trace_close(open_trace(in_folder("t.db"))); /* and whoever may completes it */
		assert_string_equal(
		    sql(in_folder("t.db"), "SELECT value FROM meta WHERE key = 'finished'"), "1");
		unlink(in_folder("t.db"));
	}
}

static int read_finished(void)
{
	struct fail fail = {0};
	struct keeper got = keeper_new();
	struct trace *t;
	if (trace_open(&t, in_folder("t.db"), &fail))
		return 1;
	if (trace_was_unfinished(t) || replay(t, &got.sink) || got.nio != 50)
		return 2;
	trace_close(t);
	free(got.bytes);
	return 0;
}

static void a_finished_trace_needs_no_right_to_write(void **state)
{
	(void)state;
	finished_trace(in_folder("t.db"), 50);
	chmod_trace(0444);
	chmod(folder, 0555);
	assert_int_equal(run_unprivileged(read_finished), 0);
}

/* ---- versions ---- */

static void a_new_trace_is_of_the_latest_version_and_needs_no_migration(void **state)
{
	(void)state;
	finished_trace(in_folder("t.db"), 1);
	assert_int_equal(sql_number(in_folder("t.db"), "PRAGMA user_version"), TRACE_USER_VERSION);
	sqlite3 *db;
	assert_int_equal(db_open(&db, in_folder("t.db"), SQLITE_OPEN_READWRITE, NULL), 0);
	int before = sqlite3_total_changes(db);
	assert_int_equal(schema_migrate(db), 0);
	assert_int_equal(sqlite3_total_changes(db), before);
	assert_int_equal(db_exec(db, "PRAGMA user_version = 0"), 0); /* never was */
	assert_int_equal(schema_migrate(db), -EBADMSG);
	sqlite3_close(db);
	refused(in_folder("t.db"), EBADMSG, "damaged");
}

static void odd_paths_are_files_not_uris(void **state)
{
	(void)state;
	char before[256];
	assert_non_null(getcwd(before, sizeof(before)));
	assert_int_equal(chdir(folder), 0);
	static const char *const names[] = {":memory:", "file:x?mode=memory", "a b#%41.db", "-x"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		finished_trace(names[i], 3);
		assert_true(exists(in_folder(names[i])));
		struct trace *t = open_trace(names[i]);
		assert_int_equal(trace_events(t), 3);
		trace_close(t);
	}
	assert_int_equal(chdir(before), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_FOLDER(what_comes_out_is_byte_for_byte_what_went_in),
	    IN_FOLDER(order_is_kept_when_a_burst_is_followed_by_calm),
	    IN_FOLDER(an_empty_trace_is_a_trace),
	    IN_FOLDER(meta_is_lent_until_close),
	    IN_FOLDER(a_poll_ends_now_and_then_and_tells_how_far_it_came),
	    IN_FOLDER(the_error_of_a_sink_ends_the_poll_and_is_not_the_traces),
	    IN_FOLDER(what_is_no_trace_is_refused_with_the_reason),
	    IN_FOLDER(a_trace_of_somebody_else_is_refused_with_the_remedy),
	    IN_FOLDER(a_newer_trace_is_refused_with_the_remedy),
	    IN_FOLDER(a_truncated_trace_is_refused),
	    IN_FOLDER(damage_is_noticed_at_the_latest_while_reading),
	    IN_FOLDER(a_trace_without_its_tables_is_damaged_and_views_do_not_stand_in),
	    IN_FOLDER(a_trace_being_recorded_is_refused_and_names_the_recorder),
	    IN_FOLDER(a_bad_record_becomes_a_loss_in_its_place),
	    IN_FOLDER(bad_blobs_of_an_unfinished_trace_are_counted_and_the_rest_is_read),
	    IN_FOLDER(an_unfinished_trace_is_completed_once_and_says_so_for_ever),
	    IN_FOLDER(a_trace_of_the_version_before_is_read_and_completed),
	    IN_FOLDER(a_killed_trace_is_replaced_with_all_that_lay_beside_it),
	    IN_FOLDER(an_unfinished_trace_that_cannot_be_written_is_read_as_it_is),
	    IN_FOLDER(a_finished_trace_needs_no_right_to_write),
	    IN_FOLDER(a_new_trace_is_of_the_latest_version_and_needs_no_migration),
	    IN_FOLDER(odd_paths_are_files_not_uris),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
