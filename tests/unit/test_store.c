// SPDX-License-Identifier: GPL-2.0-or-later
/* Writing traces: how they come about, and what the tables say. */
#include "store_fixture.h"

#include "lib/abi/words.h"

/* ---- creating ---- */

static void refused(const char *path, int err, const char *word)
{
	struct store_opts opts = {0};
	struct fail fail = {0};
	struct store *s;
	assert_int_equal(store_create(&s, path, &opts, &fail), -err);
	assert_int_equal(fail.err, err);
	if (!strstr(fail.what, word) || !strstr(fail.what, path) || strchr(fail.what, '\n'))
		fail_msg("'%s' does not say '%s' about '%s'", fail.what, word, path);
	assert_true(fail.remedy[0]);
}

static void a_trace_is_mode_0600_whatever_the_umask(void **state)
{
	(void)state;
	static const mode_t masks[] = {0, 022, 0777};
	for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
		mode_t before = umask(masks[i]);
		struct store *s = create(in_folder("t.db"));
		put_ios(s, 1, 10);
		struct stat st;
		assert_int_equal(stat(in_folder("t.db"), &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
		finish(s, NULL);
		umask(before);
		assert_int_equal(stat(in_folder("t.db"), &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
	}
}

static void what_is_not_a_trace_is_never_replaced(void **state)
{
	(void)state;
	write_file(in_folder("letter"), "dear sir", 8);
	refused(in_folder("letter"), EEXIST, "not an ipctap trace");
	FILE *f = fopen(in_folder("letter"), "re");
	char text[16] = "";
	assert_non_null(fgets(text, sizeof(text), f));
	fclose(f);
	assert_string_equal(text, "dear sir");

	sqlite3 *db;
	assert_int_equal(sqlite3_open(in_folder("other.db"), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "CREATE TABLE mine(x)", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	refused(in_folder("other.db"), EEXIST, "not an ipctap trace");
	assert_string_equal(sql(in_folder("other.db"), "SELECT name FROM sqlite_schema"), "mine");

	assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
	refused(in_folder("fifo"), EEXIST, "not an ipctap trace");
	refused(folder, EISDIR, "directory");
	refused(in_folder("none/t.db"), ENOENT, "No such file");
	refused("", ENOENT, "No such file");
}

static int create_in_readonly_folder(void)
{
	struct store_opts opts = {0};
	struct fail fail = {0};
	struct store *s;
	if (store_create(&s, in_folder("t.db"), &opts, &fail) != -EACCES)
		return 1;
	return strstr(fail.what, "Permission denied") && fail.remedy[0] ? 0 : 2;
}

static void a_folder_that_cannot_be_written_is_said_at_once(void **state)
{
	(void)state;
	assert_int_equal(chmod(folder, 0555), 0);
	assert_int_equal(run_unprivileged(create_in_readonly_folder), 0);
}

static void a_trace_being_recorded_is_not_replaced_a_finished_one_is(void **state)
{
	(void)state;
	struct store *s = create(in_folder("t.db"));
	put_ios(s, 1, 5);
	refused(in_folder("t.db"), EBUSY, "being recorded");
	finish(s, NULL);
	write_file(in_folder("t.db-wal"), "stale", 5); /* of a recorder that was killed */
	s = create(in_folder("t.db"));
	put_ios(s, 1, 3);
	finish(s, NULL);
	assert_string_equal(sql(in_folder("t.db"), "SELECT count(*) FROM event"), "3");
	write_file(in_folder("empty"), "", 0);
	finish(create(in_folder("empty")), NULL);
	assert_string_equal(sql(in_folder("empty"), "SELECT count(*) FROM event"), "0");
}

/* ---- what the tables say ---- */

static void a_finished_trace_is_one_sound_file_that_says_what_it_is(void **state)
{
	(void)state;
	const char *path = in_folder("t.db");
	struct store *s = create(path);
	put_ios(s, 1, 1000);
	struct fail fail;
	struct store_stats st;
	assert_int_equal(store_finish(s, NULL, &fail), 0);
	store_get_stats(s, &st);
	store_free(s);
	struct stat file;
	assert_int_equal(stat(path, &file), 0);
	assert_int_equal(st.file_bytes, file.st_size);
	assert_int_equal(st.events, 1000);
	assert_int_equal(st.lost, 0);
	assert_false(exists(in_folder("t.db-wal")));
	assert_false(exists(in_folder("t.db-shm")));
	assert_string_equal(sql(path, "PRAGMA integrity_check"), "ok");
	assert_int_equal(sql_number(path, "PRAGMA application_id"), TRACE_APPLICATION_ID);
	assert_int_equal(sql_number(path, "PRAGMA user_version"), TRACE_USER_VERSION);
	assert_string_equal(sql(path, "PRAGMA journal_mode"), "delete");
	assert_string_equal(
	    sql(path, "SELECT key, value FROM meta WHERE key NOT IN"
		      " ('boot_id', 'clock_base_ns', 'host', 'kernel', 'pid') ORDER BY key"),
	    "abi|2\ncommand|a b\nevents|1000\nfinished|1\nfirst_ns|1000\nkeep|10000\n"
	    "last_ns|1000100\n"
	    "options|-n 1\nsource|test\nversion|2");
	assert_int_equal(sql_number(path, "SELECT value FROM meta WHERE key = 'pid'"), getpid());
	assert_int_equal(
	    sql_number(path, "SELECT count(*) FROM meta WHERE key IN"
			     " ('boot_id', 'clock_base_ns', 'host', 'kernel') AND value <> ''"),
	    4);
	int64_t base = sql_number(path, "SELECT value FROM meta WHERE key = 'clock_base_ns'");
	assert_true(llabs(base + (int64_t)now_ns() - (int64_t)time(NULL) * 1000000000) <
		    3000000000);
	assert_string_equal(sql(path, "SELECT name FROM op WHERE id = 49"), "semop");
	int nops = 0; /* the numbers have gaps */
	for (unsigned int op = 1; op < OP_MAX; op++)
		nops += strcmp(op_word(op), "?") != 0;
	assert_int_equal(sql_number(path, "SELECT count(*) FROM op"), nops);
	assert_int_equal(sql_number(path, "SELECT count(*) FROM op WHERE name = '?'"), 0);
}

static void v_event_speaks_in_words_and_keeps_errors_and_unknown_channels(void **state)
{
	(void)state;
	const char *path = in_folder("t.db");
	struct store *s = create(path);
	struct ev_chan named = make_chan(1, KIND_FIFO, "fifo:[7]", "/tmp/f"),
		       bare = make_chan(2, KIND_PIPE, "pipe:[8]", "");
	put(s, &named);
	put(s, &bare);
	struct ev_task t = make_task(1, TASK_SEEN, 10, "writer");
	put(s, &t);
	struct ev_io io = make_io(5);
	put(s, &io);
	io.enter_ns = 6000, io.chan = 2, io.ret = -EPIPE, io.bytes = 0, io.slept_ns = 7;
	io.hdr.flags = IO_WRITE | IO_ERROR | IO_BLOCKED;
	put(s, &io);
	io = (struct ev_io){.hdr = HDR(EV_IO, ev_io, 7010),
			    .enter_ns = 7000,
			    .ret = -EBADF,
			    .pid = 99,
			    .tid = 99,
			    .fd = -1,
			    .op = OP_CLOSE};
	put(s, &io);
	finish(s, NULL);
	assert_string_equal(
	    sql(path,
		"SELECT t_ns, pid, tid, comm, op, kind, name, fd, ret, bytes, dur_ns, slept_ns"
		" FROM v_event"),
	    "5000|10|10|writer|write|fifo|/tmp/f|4|5|5|100|0\n"
	    "6000|10|10|writer|write|pipe|pipe:[8]|4|-32|0|100|7\n"
	    "7000|99|99|?|close|||-1|-9|0|0|0");
	assert_string_equal(
	    sql(path,
		"SELECT id, at_ns, messages, flags, mtype, waker_tid FROM event WHERE id = 4"),
	    "4|50|1|2|0|0");
}

static void an_event_has_the_name_its_thread_had_at_the_time(void **state)
{
	(void)state;
	const char *path = in_folder("t.db");
	struct store *s = create(path);
	struct ev_io io = make_io(1); /* at 1000, before anything is known of its thread */
	put(s, &io);
	struct ev_task t = make_task(2500, TASK_FORK, 10, "sh");
	put(s, &t);
	put_ios(s, 3, 3);
	t = make_task(4000, TASK_EXEC, 10, "dd");
	strcpy(t.exe, "/bin/dd");
	strcpy(t.args, "dd if=x");
	put(s, &t);
	put_ios(s, 5, 5);
	t = make_task(6000, TASK_RENAME, 10, "late");
	put(s, &t);
	put_ios(s, 7, 7);
	io = make_io(9);
	io.tid = 11; /* a thread that was never announced: its process speaks for it */
	put(s, &io);
	t = make_task(20000, TASK_EXIT, 10, "late");
	t.exit_code = 256;
	put(s, &t);
	finish(s, NULL);
	assert_string_equal(sql(path, "SELECT t_ns, comm FROM v_event"),
			    "1000|sh\n3000|sh\n5000|dd\n7000|late\n9000|late");
	assert_string_equal(sql(path, "SELECT t_ns, pid, tid, comm, exe, cmdline FROM name"),
			    "2500|10|10|sh||\n4000|10|10|dd|/bin/dd|dd if=x\n6000|10|10|late||");
	assert_string_equal(sql(path, "SELECT pid, tid, ppid, start_ns, exit_ns, exit_code, comm, "
				      "exe, cmdline FROM task"),
			    "10|10|1|10|20000|256|late|/bin/dd|dd if=x");
}

static void a_task_is_outside_until_it_is_traced(void **state)
{
	(void)state;
	const char *path = in_folder("t.db");
	struct store *s = create(path);
	struct ev_task t = make_task(100, TASK_SEEN, 10, "server");
	t.hdr.flags = TASK_F_OUTSIDE;
	put(s, &t);
	t.pid = t.tid = 20;
	put(s, &t);
	t.hdr.flags = 0;
	put(s, &t);
	finish(s, NULL);
	assert_string_equal(sql(path, "SELECT pid, comm, outside FROM task ORDER BY pid"),
			    "10|server|1\n20|server|0");
}

static void a_reused_tid_is_another_task_and_fork_passes_on_what_the_parent_was(void **state)
{
	(void)state;
	const char *path = in_folder("t.db");
	struct store *s = create(path);
	struct ev_task parent = make_task(100, TASK_SEEN, 10, "sh");
	strcpy(parent.exe, "/bin/sh");
	strcpy(parent.cgroup_path, "/user");
	put(s, &parent);
	struct ev_task child = make_task(200, TASK_FORK, 30, "sh");
	child.ppid = 10;
	put(s, &child);
	child.what = TASK_EXIT;
	child.hdr.t_ns = 300;
	put(s, &child);
	child.start_ns = 400, child.hdr.t_ns = 400, child.what = TASK_FORK;
	strcpy(child.comm, "again");
	put(s, &child);
	finish(s, NULL);
	assert_string_equal(
	    sql(path, "SELECT tid, start_ns, exit_ns, comm, exe, cgroup FROM task ORDER BY tid, "
		      "start_ns"),
	    "10|10|-|sh|/bin/sh|/user\n30|30|300|sh|/bin/sh|/user\n30|400|-|again|/bin/sh|/user");
}

static void put_endpoint(struct store *s, uint64_t t_ns, uint8_t what, uint64_t chan, uint32_t pid,
			 int32_t fd)
{
	struct ev_endpoint e = {.hdr = HDR(EV_ENDPOINT, ev_endpoint, t_ns),
				.chan = chan,
				.pid = pid,
				.fd = fd,
				.what = what,
				.dir = ENDPOINT_DIR_READ};
	put(s, &e);
}

static void endpoints_end_by_close_reuse_exec_and_exit(void **state)
{
	(void)state;
	const char *path = in_folder("t.db");
	struct store *s = create(path);
	put_endpoint(s, 100, ENDPOINT_OPEN, 1, 10, 3);
	put_endpoint(s, 110, ENDPOINT_SEEN, 1, 10, 3); /* again: the same one */
	put_endpoint(s, 120, ENDPOINT_CLOSE, 1, 10, 3);
	put_endpoint(s, 200, ENDPOINT_OPEN, 2, 10, 3);
	put_endpoint(s, 210, ENDPOINT_OPEN, 3, 10, 3); /* its close was lost */
	put_endpoint(s, 300, ENDPOINT_ATTACH, 4, 10, -1);
	put_endpoint(s, 310, ENDPOINT_ATTACH, 4, 10, -1);
	put_endpoint(s, 320, ENDPOINT_DETACH, 4, 10, -1);
	put_endpoint(s, 330, ENDPOINT_OPEN, 1, 20, 5);
	struct ev_task t = make_task(400, TASK_EXEC, 10, "x");
	put(s, &t);
	put_endpoint(s, 400, ENDPOINT_INHERIT, 3, 10, 3);
	t = make_task(500, TASK_EXIT, 20, "y");
	put(s, &t); /* one thread, not the last */
	t.hdr.flags = TASK_F_LAST, t.hdr.t_ns = 600;
	put(s, &t);
	finish(s, NULL);
	assert_string_equal(
	    sql(path,
		"SELECT chan, pid, fd, dir, from_ns, to_ns FROM endpoint ORDER BY from_ns, chan"),
	    "1|10|3|1|100|120\n2|10|3|1|200|210\n3|10|3|1|210|400\n4|10|-1|1|300|320\n"
	    "4|10|-1|1|310|400\n1|20|5|1|330|600\n3|10|3|1|400|-");
}

static void who_calls_exec_survives_as_the_leader(void **state)
{
	(void)state;
	const char *path = in_folder("t.db");
	struct store *s = create(path);
	struct ev_task t = make_task(100, TASK_FORK, 10, "leader"), other = make_task(110, TASK_FORK, 10, "thread");
	put(s, &t);
	for (other.tid = 11; other.tid <= 12; other.tid++) {
		other.start_ns = other.tid;
		put(s, &other);
	}
	t = make_task(200, TASK_EXIT, 10, "leader"); /* by the exec of thread 12, which now has its number */
	put(s, &t);
	other = make_task(210, TASK_EXIT, 10, "thread");
	other.tid = 11, other.start_ns = 11;
	put(s, &other);
	t = make_task(220, TASK_EXEC, 10, "new");
	put(s, &t);
	finish(s, NULL);
	assert_string_equal(sql(path, "SELECT tid, exit_ns, exit_code, comm FROM task ORDER BY tid"),
			    "10|-|-|new\n11|210|0|thread\n12|220|0|thread");
}

static void put_wait(struct store *s, uint16_t what, uint32_t tid, uint64_t since, uint64_t until)
{
	struct ev_wait w = {.hdr = HDR(EV_WAIT, ev_wait, until ? until : since + 400),
			    .since_ns = since,
			    .until_ns = until,
			    .chan = 1,
			    .pid = tid,
			    .tid = tid,
			    .fd = 3,
			    .op = OP_READ,
			    .what = what};
	put(s, &w);
}

static void v_blocked_adds_up_sleeps_and_shows_who_still_waits(void **state)
{
	(void)state;
	const char *path = in_folder("t.db");
	struct store *s = create(path);
	struct ev_chan c = make_chan(1, KIND_PIPE, "pipe:[1]", "");
	put(s, &c);
	struct ev_task a = make_task(1, TASK_SEEN, 10, "a"), b = make_task(1, TASK_SEEN, 20, "b");
	put(s, &a), put(s, &b);
	for (uint64_t n = 1; n <= 4; n++) {
		struct ev_io io = make_io(n * 1000);
		io.slept_ns = n * 100, io.tid = io.pid = 10, io.op = n < 4 ? OP_READ : OP_WRITE;
		put(s, &io);
	}
	put_wait(s, WAIT_BEGIN, 10, 5000000, 0);
	put_wait(s, WAIT_END, 10, 5000000, 5500000); /* its end known: the EV_IO tells of it */
	put_wait(s, WAIT_BEGIN, 20, 6000000, 0);
	put_wait(s, WAIT_END, 30, 100, 200); /* its beginning lost */
	put_ios(s, 9000, 9000);              /* the trace goes on to 9000100 */
	finish(s, NULL);
	assert_string_equal(
	    sql(path,
		"SELECT pid, tid, comm, op, kind, name, total_slept_ns, longest_ns, times, still"
		" FROM v_blocked ORDER BY pid, op"),
	    "10|10|a|read|pipe|pipe:[1]|600|300|3|0\n10|10|a|write|pipe|pipe:[1]|400|400|1|0\n"
	    "20|20|b|read|pipe|pipe:[1]|3000100|3000100|1|1");
	assert_string_equal(
	    sql(path, "SELECT tid, op, chan, since_ns, until_ns FROM wait ORDER BY tid"),
	    "10|1|1|5000000|5500000\n20|1|1|6000000|-\n30|1|1|100|200");
}

static void flows_come_from_the_model_and_v_talk_names_both_ends(void **state)
{
	(void)state;
	const char *path = in_folder("t.db");
	struct store *s = create(path);
	struct model *m = model_new();
	assert_non_null(m);
	struct ev_chan c = make_chan(1, KIND_PIPE, "pipe:[1]", "");
	struct ev_task a = make_task(1, TASK_SEEN, 10, "dd"), b = make_task(1, TASK_SEEN, 20, "wc");
	const void *before[] = {&c, &a, &b};
	for (int i = 0; i < 3; i++) {
		put(s, before[i]);
		assert_int_equal(model_apply(m, before[i]), 0);
	}
	for (uint64_t n = 1; n <= 20; n++) {
		struct ev_io io = make_io(n);
		io.bytes = 100, io.ret = 100;
		put(s, &io);
		assert_int_equal(model_apply(m, &io.hdr), 0);
	}
	finish(s, m);
	assert_string_equal(sql(path,
				"SELECT src_pid, src_comm, dst_pid, dst_comm, kind, name, "
				"messages, bytes, p50_ns, p99_ns"
				" FROM v_talk WHERE src_pid IS NOT NULL AND dst_pid IS NOT NULL"),
			    "10|dd|20|wc|pipe|pipe:[1]|10|1000|1000|1000");
	assert_string_equal(
	    sql(path, "SELECT p90_ns, max_ns, first_ns <= last_ns FROM flow WHERE dst_pid = 20"),
	    "1000|1000|1");
	struct hist h = {0};
	assert_int_equal(hist_parse(&h, sql(path, "SELECT latency FROM flow WHERE dst_pid = 20")),
			 0);
	assert_int_equal(h.count, 10);
	hist_release(&h);
	model_free(m);
}

static void hostile_names_are_harmless_in_the_tables(void **state)
{
	(void)state;
	const char *path = in_folder("t.db");
	struct store *s = create(path);
	struct ev_task t = make_task(1, TASK_SEEN, 10, "\33[2J\n\xff");
	put(s, &t);
	struct ev_chan c = make_chan(1, KIND_UNIX, "unix:[1]", "@x'); DROP TABLE event; --");
	put(s, &c);
	finish(s, NULL);
	assert_string_equal(sql(path, "SELECT comm FROM task"), "\\x1B[2J\\x0A\\xFF");
	assert_string_equal(sql(path, "SELECT name FROM chan"), "@x'); DROP TABLE event; --");
	assert_string_equal(sql(path, "SELECT count(*) FROM event"), "0");
}

static void a_reader_that_looks_on_hinders_neither_recording_nor_the_end(void **state)
{
	(void)state;
	const char *path = in_folder("t.db");
	struct store *s = create(path);
	put_ios(s, 1, 1);
	while (sql_number(path, "SELECT count(*) FROM event") < 1)
		usleep(1000);
	sqlite3 *reader = sql_open(path);
	assert_int_equal(
	    sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM event", NULL, NULL, NULL), SQLITE_OK);
	put_ios(s, 2, 1000);
	finish(s, NULL);
	struct trace *t = open_trace(path);
	assert_false(trace_was_unfinished(t));
	assert_int_equal(trace_events(t), 1000);
	struct keeper k = keeper_new();
	assert_int_equal(replay(t, &k.sink), 0);
	assert_int_equal(k.nio, 1000);
	trace_close(t);
	free(k.bytes);
	sqlite3_close(reader);
	assert_string_equal(sql(path, "PRAGMA integrity_check"), "ok");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_FOLDER(a_trace_is_mode_0600_whatever_the_umask),
	    IN_FOLDER(what_is_not_a_trace_is_never_replaced),
	    IN_FOLDER(a_folder_that_cannot_be_written_is_said_at_once),
	    IN_FOLDER(a_trace_being_recorded_is_not_replaced_a_finished_one_is),
	    IN_FOLDER(a_finished_trace_is_one_sound_file_that_says_what_it_is),
	    IN_FOLDER(v_event_speaks_in_words_and_keeps_errors_and_unknown_channels),
	    IN_FOLDER(an_event_has_the_name_its_thread_had_at_the_time),
	    IN_FOLDER(a_task_is_outside_until_it_is_traced),
	    IN_FOLDER(a_reused_tid_is_another_task_and_fork_passes_on_what_the_parent_was),
	    IN_FOLDER(endpoints_end_by_close_reuse_exec_and_exit),
	    IN_FOLDER(who_calls_exec_survives_as_the_leader),
	    IN_FOLDER(v_blocked_adds_up_sleeps_and_shows_who_still_waits),
	    IN_FOLDER(flows_come_from_the_model_and_v_talk_names_both_ends),
	    IN_FOLDER(hostile_names_are_harmless_in_the_tables),
	    IN_FOLDER(a_reader_that_looks_on_hinders_neither_recording_nor_the_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
