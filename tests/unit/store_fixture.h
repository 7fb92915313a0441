/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of the store share: a folder of their own, events, sinks that keep, SQL answers.
 */
#ifndef IPCTAP_TESTS_STORE_FIXTURE_H
#define IPCTAP_TESTS_STORE_FIXTURE_H

#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/store/schema.h"
#include "lib/store/store.h"
#include "lib/store/writer.h"

#define UNUSED __attribute__((unused))

/* ---- a folder ---- */

static char folder[64];

UNUSED static int folder_make(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/ipctap-test-XXXXXX");
	return mkdtemp(folder) ? chmod(folder, 0755) : -1;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

UNUSED static int folder_remove(void **state)
{
	(void)state;
	chmod(folder, 0755);
	return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A test in a folder of its own */
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)

/* "folder/name"; the last four stay valid */
UNUSED static const char *in_folder(const char *name)
{
	static char paths[4][256];
	static int turn;
	char *path = paths[turn++ % 4];
	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

UNUSED static void write_file(const char *path, const void *data, size_t size)
{
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
}

UNUSED static bool exists(const char *path) { return access(path, F_OK) == 0; }

UNUSED static uint64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/*
 * Runs fn in a child that may not override permissions, and returns its exit status. Assertions in
 * there only end the child: fn returns 0 when all is well, else a number that says where not.
 */
UNUSED static int run_unprivileged(int (*fn)(void))
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (geteuid() == 0 && (setgid(65534) || setuid(65534)))
			_exit(99);
		_exit(fn());
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* ---- SQL ---- */

static sqlite3 *sql_open(const char *path)
{
	sqlite3 *db;
	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	sqlite3_busy_timeout(db, 2000);
	return db;
}

UNUSED static void sql_do(const char *path, const char *sql)
{
	char *err = NULL;
	sqlite3 *db = sql_open(path);
	if (sqlite3_exec(db, sql, NULL, NULL, &err) != SQLITE_OK)
		fail_msg("%s: %s", sql, err);
	sqlite3_close(db);
}

/* All rows as text: columns joined by "|", rows by "\n"; NULL is "-". Valid until the next call. */
UNUSED static const char *sql(const char *path, const char *query)
{
	static char *text;
	size_t size;
	sqlite3 *db = sql_open(path);
	sqlite3_stmt *st;
	if (sqlite3_prepare_v2(db, query, -1, &st, NULL) != SQLITE_OK)
		fail_msg("%s: %s", query, sqlite3_errmsg(db));
	free(text);
	FILE *f = open_memstream(&text, &size);
	int rc;
	for (int row = 0; (rc = sqlite3_step(st)) == SQLITE_ROW; row++) {
		if (row)
			fputc('\n', f);
		for (int i = 0; i < sqlite3_column_count(st); i++) {
			const unsigned char *value = sqlite3_column_text(st, i);
			fprintf(f, "%s%s", i ? "|" : "", value ? (const char *)value : "-");
		}
	}
	fclose(f);
	if (rc != SQLITE_DONE)
		fail_msg("%s: %s", query, sqlite3_errmsg(db));
	sqlite3_finalize(st);
	sqlite3_close(db);
	return text;
}

UNUSED static int64_t sql_number(const char *path, const char *query)
{
	return strtoll(sql(path, query), NULL, 10);
}

/* ---- events ---- */

#define HDR(kind, record, at)                                                                      \
	{                                                                                          \
		.t_ns = at, .type = kind, .size = sizeof(struct record)                            \
	}

/* writes (odd n) and reads (even n) of n bytes, at times that grow with n */
UNUSED static struct ev_io make_io(uint64_t n)
{
	bool reads = n % 2 == 0;
	return (struct ev_io){
	    .hdr = {.t_ns = n * 1000 + 50,
		    .type = EV_IO,
		    .size = sizeof(struct ev_io),
		    .flags = reads ? IO_READ : IO_WRITE},
	    .enter_ns = n * 1000,
	    .dur_ns = 100,
	    .chan = 1,
	    .ret = (int64_t)n,
	    .bytes = n,
	    .pid = reads ? 20 : 10,
	    .tid = reads ? 20 : 10,
	    .fd = reads ? 3 : 4,
	    .op = reads ? OP_READ : OP_WRITE,
	    .messages = 1,
	};
}

UNUSED static struct ev_chan make_chan(uint64_t id, uint16_t kind, const char *ident,
				       const char *name)
{
	struct ev_chan c = {
	    .hdr = HDR(EV_CHAN, ev_chan, 1), .chan = id, .kind = kind, .shape = SHAPE_STREAM};
	strcpy(c.ident, ident);
	strcpy(c.name, name);
	return c;
}

UNUSED static struct ev_task make_task(uint64_t t_ns, uint16_t what, uint32_t pid, const char *comm)
{
	struct ev_task t = {.hdr = HDR(EV_TASK, ev_task, t_ns),
			    .start_ns = pid,
			    .pid = pid,
			    .tid = pid,
			    .ppid = 1,
			    .what = what};
	strcpy(t.comm, comm);
	return t;
}

UNUSED static void put(struct store *s, const void *ev)
{
	assert_int_equal(sink_event(store_sink(s), ev), 0);
}

UNUSED static void put_ios(struct store *s, uint64_t from, uint64_t to)
{
	for (uint64_t n = from; n <= to; n++) {
		struct ev_io io = make_io(n);
		put(s, &io);
	}
}

UNUSED static struct store *create(const char *path)
{
	struct store_opts opts = {.source = "test", .command = "a b", .options = "-n 1"};
	struct fail fail = {0};
	struct store *s;
	if (store_create(&s, path, &opts, &fail))
		fail_msg("%s (%s)", fail.what, fail.remedy);
	return s;
}

UNUSED static void finish(struct store *s, const struct model *m)
{
	struct fail fail = {0};
	if (store_finish(s, m, &fail))
		fail_msg("%s (%s)", fail.what, fail.remedy);
	store_free(s);
}

/* ---- random streams ---- */

static uint64_t random_state;

static uint64_t rnd(void) /* xorshift64* */
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * 2685821657736338717u;
}

static void fill(void *to, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((unsigned char *)to)[i] = (unsigned char)rnd();
}

#define TERMINATE(text) (text)[rnd() % sizeof(text)] = 0, (text)[sizeof(text) - 1] = 0

/* Any event that event_is_valid lets through: every field random, but padding is 0. */
UNUSED static const struct ev_hdr *random_event(void)
{
	static union {
		struct ev_hdr hdr;
		struct ev_io io;
		struct ev_chan chan;
		struct ev_task task;
		unsigned char bytes[UINT16_MAX + 1];
	} u;
	uint16_t type = (uint16_t)(rnd() % 4 ? EV_IO : 1 + rnd() % (EV_TYPE_MAX - 1));
	size_t size = event_size(type);
	if (type == EV_IO && rnd() % 3 == 0) /* a payload tail; now and then the longest there is */
		size = rnd() % 64 == 0 ? 65528 : size + rnd() % 40 * 8;
	fill(u.bytes, size);
	u.hdr.type = type;
	u.hdr.size = (uint16_t)size;
	if (type == EV_IO)
		u.io.pad = 0;
	if (type == EV_CHAN)
		TERMINATE(u.chan.ident), TERMINATE(u.chan.name);
	if (type == EV_TASK)
		TERMINATE(u.task.comm), TERMINATE(u.task.exe), TERMINATE(u.task.args),
		    TERMINATE(u.task.cgroup_path);
	return &u.hdr;
}

/* ---- a sink that keeps what it gets, as bytes ---- */

struct keeper {
	struct sink sink;
	unsigned char *bytes;
	size_t size, room;
	uint64_t n, nio, lost[LOST_MAX];
};

static int keep(struct sink *self, const struct ev_hdr *ev)
{
	struct keeper *k = (struct keeper *)self;
	if (k->room - k->size < ev->size) {
		k->room = 2 * k->room + ev->size;
		k->bytes = realloc(k->bytes, k->room);
		assert_non_null(k->bytes);
	}
	memcpy(k->bytes + k->size, ev, ev->size);
	k->size += ev->size;
	k->n++;
	k->nio += ev->type == EV_IO;
	if (ev->type == EV_LOST && ((const struct ev_lost *)ev)->cause < LOST_MAX)
		k->lost[((const struct ev_lost *)ev)->cause] += ((const struct ev_lost *)ev)->count;
	return 0;
}

UNUSED static struct keeper keeper_new(void) { return (struct keeper){.sink.event = keep}; }

/* Everything a trace delivers, into *k. 0 or what the source failed with. */
UNUSED static int replay(struct trace *t, struct sink *into)
{
	struct fail fail = {0};
	struct source *source;
	uint64_t complete_ns;
	int rc = trace_source(t, &source, &fail);
	if (rc)
		return rc;
	while ((rc = source_poll(source, into, 0, &complete_ns)) > 0)
		;
	source_free(source);
	return rc;
}

UNUSED static struct trace *open_trace(const char *path)
{
	struct fail fail = {0};
	struct trace *t;
	if (trace_open(&t, path, &fail))
		fail_msg("%s (%s)", fail.what, fail.remedy);
	return t;
}

#endif
