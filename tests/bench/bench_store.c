// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What recording costs, without the kernel side: EV_IO events through store_sink into a finished
 * trace, everything included (copying, commits, the end), producer and writer thread on one core.
 * Beside it, in the same run and interleaved, the floor: a bare INSERT … SELECT of ten integers
 * from a virtual table. Medians.
 *
 *     bench_store [EVENTS [ROUNDS [FOLDER]]]
 *
 * `store` is what can be sustained: events come as fast as the writer takes them. `burst` is the
 * same number of events all at once, which is more than any writer can take: nearly all of them
 * go through blobs, and the time is that until the last one is a row. cpu_ns is processor time an
 * event, which other load on the machine disturbs less.
 */
#include <errno.h>
#include <sched.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/store/batch_vtab.h"
#include "lib/store/store.h"
#include "lib/store/writer.h"

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t now_ns(void) { return clock_ns(CLOCK_MONOTONIC); }
static uint64_t cpu_ns(void) { return clock_ns(CLOCK_PROCESS_CPUTIME_ID); }

static void pin(void)
{
	cpu_set_t set;
	sched_getaffinity(0, sizeof(set), &set);
	int cpu = CPU_SETSIZE - 1;
	while (cpu > 0 && !CPU_ISSET(cpu, &set))
		cpu--;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		perror("sched_setaffinity");
}

static void die(const char *what)
{
	fprintf(stderr, "bench_store: %s\n", what);
	exit(1);
}

/* One byte through a pipe, again and again: even events write, odd ones read and often sleep. */
static struct ev_io pipe_io(uint64_t i, uint64_t *t_ns)
{
	bool reads = i & 1, sleeps = reads && i % 4 == 1;
	*t_ns += 900 + i * 7919 % 500;
	uint64_t dur = 500 + i * 31 % 700 + (sleeps ? 3000 : 0);
	return (struct ev_io){
	    .hdr = {.t_ns = *t_ns + dur / 2,
		    .type = EV_IO,
		    .size = sizeof(struct ev_io),
		    .flags = (reads ? IO_READ : IO_WRITE) | (sleeps ? IO_BLOCKED : 0)},
	    .enter_ns = *t_ns,
	    .dur_ns = dur,
	    .slept_ns = sleeps ? 2500 + i % 400 : 0,
	    .chan = 1,
	    .ret = 1,
	    .bytes = 1,
	    .pid = reads ? 23457 : 23456,
	    .tid = reads ? 23457 : 23456,
	    .waker_tid = sleeps ? 23456 : 0,
	    .fd = reads ? 3 : 4,
	    .op = reads ? OP_READ : OP_WRITE,
	    .messages = 1,
	};
}

/* four days of uptime: times of eight bytes, as on a host in use */
#define FIRST_NS 345600000000000ull

struct result {
	double events_per_s, bytes_per_event, cpu_ns;
	uint64_t spilled;
};

static bool is_behind(struct store *s)
{
	pthread_mutex_lock(&s->lock);
	bool behind = s->queued > 1;
	pthread_mutex_unlock(&s->lock);
	return behind;
}

static struct result run_store(const char *path, uint64_t n, bool paced)
{
	struct store_opts opts = {.source = "bench", .command = "bench_store"};
	struct store_stats st;
	struct fail fail;
	struct store *s;
	if (store_create(&s, path, &opts, &fail))
		die(fail.what);
	struct sink *sink = store_sink(s);
	uint64_t t_ns = FIRST_NS, cpu_began = cpu_ns(), began = now_ns();
	for (uint64_t i = 0; i < n; i++) {
		struct ev_io io = pipe_io(i, &t_ns);
		if (sink_event(sink, &io.hdr))
			die("the sink failed");
		while (paced && i % 4096 == 0 && is_behind(s))
			sched_yield();
	}
	if (store_finish(s, NULL, &fail))
		die(fail.what);
	uint64_t took = now_ns() - began, cpu = cpu_ns() - cpu_began;
	store_get_stats(s, &st);
	store_free(s);
	if (st.events != n || st.lost)
		die("events were lost");
	return (struct result){.events_per_s = (double)n * 1e9 / (double)took,
			       .bytes_per_event = (double)st.file_bytes / (double)n,
			       .cpu_ns = (double)cpu / (double)n,
			       .spilled = st.spilled};
}

static void exec(sqlite3 *db, const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		die(sqlite3_errmsg(db));
}

static struct result run_floor(const char *path, uint64_t n)
{
	sqlite3 *db;
	unlink(path);
	if (sqlite3_open_v2(path, &db,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL))
		die("cannot create the floor's file");
	exec(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA cache_size=-16384;"
		 "PRAGMA wal_autocheckpoint=4000; CREATE TABLE t(a, b, c, d, e, f, g, h, i, j)");
	struct batch *b = batch_new(store_tuning_default.batch_bytes);
	const struct batch *current = b;
	if (!b || batch_vtab_register(db, &current))
		die("no memory");
	uint64_t t_ns = FIRST_NS, cpu_began = cpu_ns(), began = now_ns();
	for (uint64_t i = 0; i < n;) {
		batch_clear(b);
		for (struct ev_io io; i < n; i++) {
			io = pipe_io(i, &t_ns);
			if (!batch_add(b, &io.hdr, NULL))
				break;
		}
		exec(db, "INSERT INTO t SELECT t_ns, dur_ns, slept_ns, pid, tid, op, chan, fd, "
			 "ret, bytes FROM batch");
	}
	sqlite3_close(db);
	uint64_t took = now_ns() - began, cpu = cpu_ns() - cpu_began;
	struct stat st;
	stat(path, &st);
	free(b);
	unlink(path);
	return (struct result){.events_per_s = (double)n * 1e9 / (double)took,
			       .bytes_per_event = (double)st.st_size / (double)n,
			       .cpu_ns = (double)cpu / (double)n};
}

struct counter {
	struct sink sink;
	uint64_t n;
};

static int count_event(struct sink *self, const struct ev_hdr *ev)
{
	((struct counter *)self)->n += ev->type == EV_IO;
	return 0;
}

static double run_read(const char *path, uint64_t n)
{
	struct counter c = {.sink.event = count_event};
	struct fail fail;
	struct trace *t;
	struct source *source;
	uint64_t complete, began = now_ns();
	if (trace_open(&t, path, &fail) || trace_source(t, &source, &fail))
		die(fail.what);
	while (source_poll(source, &c.sink, 0, &complete) > 0)
		;
	source_free(source);
	trace_close(t);
	if (c.n != n)
		die("not every event came back");
	return (double)n * 1e9 / (double)(now_ns() - began);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static double median(double *v, int n)
{
	qsort(v, (size_t)n, sizeof(*v), compare);
	return v[n / 2];
}

#define ROUNDS_MAX 25

/* Each number the median of its own. */
static struct result middle(const struct result *r, int n)
{
	double speed[ROUNDS_MAX], cpu[ROUNDS_MAX];
	for (int i = 0; i < n; i++) {
		speed[i] = r[i].events_per_s;
		cpu[i] = r[i].cpu_ns;
	}
	struct result m = r[n - 1];
	m.events_per_s = median(speed, n);
	m.cpu_ns = median(cpu, n);
	return m;
}

static void print_row(const char *name, const struct result *r, const struct result *f)
{
	printf("%s events_per_s=%.0f bytes_per_event=%.1f ratio=%.2f cpu_ns=%.0f spilled=%llu\n",
	       name, r->events_per_s, r->bytes_per_event, r->events_per_s / f->events_per_s,
	       r->cpu_ns, (unsigned long long)r->spilled);
}

int main(int argc, char **argv)
{
	uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
	int rounds = argc > 2 ? atoi(argv[2]) : 5;
	const char *folder = argc > 3 ? argv[3] : ".";
	char path[4096], floor_path[4096];
	snprintf(path, sizeof(path), "%s/bench_store.%d.db", folder, (int)getpid());
	snprintf(floor_path, sizeof(floor_path), "%s/bench_store.%d.floor", folder, (int)getpid());
	if (n == 0 || rounds < 1 || rounds > ROUNDS_MAX)
		die("usage: bench_store [EVENTS [ROUNDS [FOLDER]]]");
	pin();

	struct result floor[ROUNDS_MAX], burst[ROUNDS_MAX], paced[ROUNDS_MAX];
	double reading[ROUNDS_MAX];
	for (int i = 0; i < rounds; i++) {
		floor[i] = run_floor(floor_path, n);
		burst[i] = run_store(path, n, false);
		paced[i] = run_store(path, n, true);
		reading[i] = run_read(path, n);
	}
	unlink(path);
	struct result f = middle(floor, rounds), b = middle(burst, rounds),
		      p = middle(paced, rounds);
	print_row("floor", &f, &f);
	print_row("store", &p, &f);
	print_row("burst", &b, &f);
	printf("read events_per_s=%.0f\n", median(reading, rounds));
	return 0;
}
