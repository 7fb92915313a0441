// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What replay costs: a generated trace is recorded as `ipctap record` does it, with keyframes; then
 * opened, and sought at random times all over it.
 *
 *     bench_replay [EVENTS [PROCESSES [FOLDER [keep]]]]
 *     bench_replay FILE                                    one that is there, as kept
 *
 * Each process has a pipe to the next one, and writes into it or reads from its own; every hundredth
 * operation begins a short life: a process that is born, talks and ends. A row has the median and the
 * worst of its times, and of its processor times, which other load on the machine disturbs less. `keep` leaves the trace there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/store/player.h"
#include "lib/store/writer.h"

#define FIRST_NS 345600000000000ull
#define SEEKS 101
#define OPENS 11
#define FIRST_PID 1000u
#define LIFE_EVERY 100u

static struct model *live;
static struct store *store;
static uint64_t t_ns = FIRST_NS, told;

static void die(const char *what)
{
	fprintf(stderr, "bench_replay: %s\n", what);
	exit(1);
}

static bool is_behind(void)
{
	pthread_mutex_lock(&store->lock);
	bool behind = store->queued > 4;
	pthread_mutex_unlock(&store->lock);
	return behind;
}

/* No faster than the disk: how fast that is, bench_store tells. */
static void tell(const struct ev_hdr *ev)
{
	if (model_apply(live, ev) || sink_event(store_sink(store), ev))
		die("an event was refused");
	told += ev->type == EV_IO;
	while (told % 4096 == 0 && is_behind())
		usleep(1000);
}

static void tell_task(uint32_t pid, uint16_t what, uint32_t flags)
{
	struct ev_task e = {
	    .hdr = {.t_ns = t_ns, .type = EV_TASK, .size = sizeof(e), .flags = flags},
	    .start_ns = t_ns, .pid = pid, .tid = pid, .ppid = 1, .what = what, .comm = "worker"};
	snprintf(e.exe, sizeof(e.exe), "/usr/lib/service/worker-%u", pid % 17);
	snprintf(e.args, sizeof(e.args), "worker --number=%u --socket=/run/service/%u", pid, pid % 31);
	tell(&e.hdr);
}

static void tell_chan(uint64_t id)
{
	struct ev_chan c = {.hdr = {.t_ns = t_ns, .type = EV_CHAN, .size = sizeof(c)},
			    .chan = id, .kind = KIND_PIPE, .shape = SHAPE_STREAM};
	snprintf(c.ident, sizeof(c.ident), "pipe:[%u]", 70000 + (unsigned int)id);
	tell(&c.hdr);
}

static void tell_end(uint32_t pid, uint64_t chan, int32_t fd, uint8_t dir)
{
	struct ev_endpoint e = {.hdr = {.t_ns = t_ns, .type = EV_ENDPOINT, .size = sizeof(e)},
				.chan = chan, .pid = pid, .fd = fd, .what = ENDPOINT_OPEN,
				.dir = dir};
	tell(&e.hdr);
}

static void tell_io(uint32_t pid, uint64_t chan, bool reads, uint64_t bytes)
{
	uint64_t slept = reads && told % 3 == 0 ? 2000 + told % 5000 : 0;
	struct ev_io io = {
	    .hdr = {.t_ns = t_ns, .type = EV_IO, .size = sizeof(io),
		    .flags = (reads ? IO_READ : IO_WRITE) | (slept ? IO_BLOCKED : 0)},
	    .enter_ns = t_ns - 400 - slept, .dur_ns = 800 + slept, .slept_ns = slept,
	    .chan = chan, .ret = (int64_t)bytes, .bytes = bytes, .pid = pid, .tid = pid,
	    .fd = reads ? 3 : 4, .op = reads ? OP_READ : OP_WRITE, .messages = 1};
	t_ns += 700 + told * 7919 % 600;
	tell(&io.hdr);
}

static void generate(uint64_t events, uint32_t processes)
{
	uint32_t next_pid = FIRST_PID + processes;
	uint64_t next_chan = processes + 1;
	for (uint32_t i = 0; i < processes; i++) {
		tell_task(FIRST_PID + i, TASK_SEEN, 0);
		tell_chan(i + 1);
	}
	for (uint32_t i = 0; i < processes; i++) {
		tell_end(FIRST_PID + i, i + 1, 3, ENDPOINT_DIR_READ);
		tell_end(FIRST_PID + i, (i + 1) % processes + 1, 4, ENDPOINT_DIR_WRITE);
	}
	while (told < events) {
		uint32_t i = (uint32_t)(told / 2 * 31 % processes), to = (i + 1) % processes;
		uint64_t bytes = 1 + told * 61 % 4000;
		tell_io(FIRST_PID + i, to + 1, false, bytes);
		tell_io(FIRST_PID + to, to + 1, true, bytes);
		if (told / 2 % (LIFE_EVERY * 10) == 0) {
			tell_task(next_pid, TASK_FORK, 0);
			tell_chan(next_chan);
			tell_end(next_pid, next_chan, 4, ENDPOINT_DIR_WRITE);
			tell_io(next_pid, next_chan, false, 8);
			tell_task(next_pid++, TASK_EXIT, TASK_F_LAST);
			struct ev_gone gone = {
			    .hdr = {.t_ns = t_ns, .type = EV_GONE, .size = sizeof(gone)},
			    .chan = next_chan++};
			tell(&gone.hdr);
		}
	}
}

static double record(const char *path, uint64_t events, uint32_t processes)
{
	struct store_opts opts = {.source = "bench", .command = "bench_replay"};
	struct store_stats stats;
	struct fail fail;
	uint64_t began = clock_now_ns();
	live = model_new();
	if (!live || store_create(&store, path, &opts, &fail))
		die("cannot record");
	store_follow(store, live);
	generate(events, processes);
	if (store_finish(store, live, &fail))
		die(fail.what);
	store_get_stats(store, &stats);
	if (stats.lost)
		die("events were lost");
	store_free(store);
	model_free(live);
	return (double)(clock_now_ns() - began) / 1e9;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

/* Of each: how long it took, and how much of that was processor time of ours. */
struct times {
	double ms[SEEKS], cpu_ms[SEEKS];
	int n;
	uint64_t began_ns, cpu_began_ns;
};

static uint64_t cpu_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static void times_begin(struct times *t)
{
	t->began_ns = clock_now_ns();
	t->cpu_began_ns = cpu_ns();
}

static void times_end(struct times *t)
{
	t->cpu_ms[t->n] = (double)(cpu_ns() - t->cpu_began_ns) / 1e6;
	t->ms[t->n++] = (double)(clock_now_ns() - t->began_ns) / 1e6;
}

static void times_print(const char *name, struct times *t)
{
	qsort(t->ms, (size_t)t->n, sizeof(*t->ms), compare);
	qsort(t->cpu_ms, (size_t)t->n, sizeof(*t->cpu_ms), compare);
	printf("%s ms=%.2f worst_ms=%.2f cpu_ms=%.2f worst_cpu_ms=%.2f\n", name, t->ms[t->n / 2],
	       t->ms[t->n - 1], t->cpu_ms[t->n / 2], t->cpu_ms[t->n - 1]);
	t->n = 0;
}

struct session {
	struct trace *trace;
	struct model *model;
	struct player *player;
};

static void open_session(struct session *s, const char *path)
{
	static const struct player_opts opts;
	struct fail fail = {0};
	s->model = model_new();
	if (!s->model || trace_open(&s->trace, path, &fail))
		die(fail.what);
	model_set_keep(s->model, trace_keep(s->trace));
	if (player_open(&s->player, s->trace, s->model, &opts, &fail))
		die(fail.what);
}

static void close_session(struct session *s)
{
	player_close(s->player);
	model_free(s->model);
	trace_close(s->trace);
}

static void measure(const char *path)
{
	struct session s;
	struct fail fail = {0};
	struct times t = {.n = 0};
	unsigned int r = 1;
	for (int i = 0; i < OPENS; i++) {
		times_begin(&t);
		open_session(&s, path);
		times_end(&t);
		close_session(&s);
	}
	times_print("open", &t);
	open_session(&s, path);
	uint64_t first = player_first_ns(s.player), last = player_last_ns(s.player);
	for (int i = 0; i < SEEKS; i++) {
		uint64_t to = first + (uint64_t)((double)rand_r(&r) / RAND_MAX * (double)(last - first));
		times_begin(&t);
		if (player_to_time(s.player, to, &fail))
			die(fail.what);
		times_end(&t);
	}
	times_print("seek", &t);
	for (int i = 0; i < SEEKS; i++) {
		times_begin(&t);
		if (player_find(s.player, i % 3 != 0, NULL, NULL, &fail) < 0)
			die(fail.what);
		times_end(&t);
	}
	times_print("step", &t);
	close_session(&s);
}

int main(int argc, char **argv)
{
	if (argc == 2 && strchr(argv[1], '/')) {
		measure(argv[1]);
		return 0;
	}
	uint64_t events = argc > 1 ? strtoull(argv[1], NULL, 10) : 10000000;
	uint32_t processes = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 200;
	const char *folder = argc > 3 ? argv[3] : ".";
	char path[4096];
	struct stat st;
	if (events == 0 || processes < 2)
		die("usage: bench_replay [EVENTS [PROCESSES [FOLDER [keep]]]]");
	snprintf(path, sizeof(path), "%s/bench_replay.%d.db", folder, (int)getpid());
	double s = record(path, events, processes);
	stat(path, &st);
	printf("record events=%llu s=%.1f bytes_per_event=%.1f\n", (unsigned long long)told, s,
	       (double)st.st_size / (double)told);
	fflush(stdout);
	measure(path);
	if (argc > 4)
		printf("kept path=%s\n", path);
	else
		unlink(path);
	return 0;
}
