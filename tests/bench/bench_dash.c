// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a refresh of the dashboard costs in a large world: 10,000 processes in 5,000 pairs that talk
 * through 50,000 channels, a tenth of which had traffic since the last refresh.
 *
 *     bench_dash [PROCESSES [CHANNELS [ROUNDS [SIGHT]]]]
 *
 * One line for each view and shape, or for SIGHT alone: the median and the worst processor time of a
 * refresh with the drawing of a screen of 160x50 into the grid, and how many of its cells differ from
 * the screen before: what a terminal gets to draw.
 */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/model/model.h"
#include "ui/tui/dash.h"
#include "ui/tui/keys.h"

#define T0 1000000000000ull
#define SECOND 1000000000ull

static double cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void apply(struct model *m, const struct ev_hdr *ev)
{
	if (model_apply(m, ev) == 0)
		return;
	fprintf(stderr, "bench_dash: the model refused an event of type %u\n", ev->type);
	exit(1);
}

static void add_process(struct model *m, uint32_t pid)
{
	struct ev_task ev = {
		.hdr = { .t_ns = T0, .type = EV_TASK, .size = sizeof(ev) },
		.start_ns = T0,
		.pid = pid,
		.tid = pid,
		.ppid = pid > 110 ? 100 + (pid - 100) / 10 : 1,
		.what = TASK_SEEN,
	};

	snprintf(ev.comm, sizeof(ev.comm), "worker-%u", pid % 100);
	snprintf(ev.exe, sizeof(ev.exe), "/usr/lib/services/worker-%u", pid % 100);
	snprintf(ev.args, sizeof(ev.args), "worker --instance %u --verbose", pid);
	apply(m, &ev.hdr);
}

static void add_end(struct model *m, uint64_t chan, uint32_t pid, uint8_t dir)
{
	struct ev_endpoint ev = {
		.hdr = { .t_ns = T0, .type = EV_ENDPOINT, .size = sizeof(ev) },
		.chan = chan,
		.pid = pid,
		.fd = (int32_t)(chan % 1000),
		.what = ENDPOINT_SEEN,
		.dir = dir,
	};

	apply(m, &ev.hdr);
}

static void add_channel(struct model *m, uint64_t id)
{
	struct ev_chan ev = {
		.hdr = { .t_ns = T0, .type = EV_CHAN, .size = sizeof(ev) },
		.chan = id,
		.kind = KIND_PIPE,
		.shape = SHAPE_STREAM,
	};

	snprintf(ev.ident, sizeof(ev.ident), "pipe:[%llu]", (unsigned long long)id + 1000);
	apply(m, &ev.hdr);
}

struct world {
	struct model *model;
	struct tail tail;
	uint32_t processes;
	uint64_t channels;
	uint64_t now_ns;
};

static void transfer(struct world *w, uint64_t t, uint64_t chan, uint32_t from, uint32_t to)
{
	struct ev_io ev = {
		.hdr = { .t_ns = t, .type = EV_IO, .size = sizeof(ev), .flags = IO_WRITE },
		.enter_ns = t - 1000,
		.dur_ns = 2000,
		.chan = chan,
		.ret = 100,
		.bytes = 100,
		.pid = from,
		.tid = from,
		.fd = 4,
		.op = OP_WRITE,
		.messages = 1,
	};

	apply(w->model, &ev.hdr);
	sink_event(&w->tail.sink, &ev.hdr);
	ev.hdr.t_ns = t + 10000;
	ev.hdr.flags = IO_READ | IO_BLOCKED;
	ev.enter_ns = t - 1000;
	ev.dur_ns = 11500;
	ev.slept_ns = 10000;
	ev.pid = ev.tid = to;
	ev.op = OP_READ;
	apply(w->model, &ev.hdr);
	sink_event(&w->tail.sink, &ev.hdr);
}

/* Process pairs (0, 1), (2, 3) …; every channel goes from the first of a pair to the second. */
static uint32_t writer_of(const struct world *w, uint64_t chan)
{
	return 100 + 2 * (uint32_t)(chan % (w->processes / 2));
}

static void world_begin(struct world *w)
{
	w->now_ns = T0;
	for (uint32_t i = 0; i < w->processes; i++)
		add_process(w->model, 100 + i);
	for (uint64_t c = 1; c <= w->channels; c++) {
		add_channel(w->model, c);
		add_end(w->model, c, writer_of(w, c), ENDPOINT_DIR_WRITE);
		add_end(w->model, c, writer_of(w, c) + 1, ENDPOINT_DIR_READ);
	}
	for (uint64_t c = 1; c <= w->channels; c++)
		transfer(w, T0 + 1000 * c, c, writer_of(w, c), writer_of(w, c) + 1);
	w->now_ns += SECOND;
}

/* Another second: a tenth of the channels has traffic, more or less of it. */
static void world_go_on(struct world *w, int round)
{
	for (uint64_t c = 1 + (uint64_t)round % 10; c <= w->channels; c += 10)
		for (uint64_t n = 0; n < 1 + c % 3; n++)
			transfer(w, w->now_ns + 1000 * c + n * 200, c, writer_of(w, c),
				 writer_of(w, c) + 1);
	w->now_ns += SECOND;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static long cells_changed(const struct grid *g, struct cell *before)
{
	size_t n = (size_t)g->rows * (size_t)g->cols;
	long changed = 0;

	for (size_t i = 0; i < n; i++)
		changed += memcmp(&before[i], &g->cells[i], sizeof(before[i])) != 0;
	memcpy(before, g->cells, n * sizeof(*before));
	return changed;
}

/* What is measured: a view, in a shape, with a filter or a page open. */
struct sight {
	const char *name;
	enum tui_view view;
	enum shape shape;
	const char *filter;
	bool page;
};

static const struct sight sights[] = {
	{ "processes", VIEW_PROCESSES, SHAPE_AS_LIST, "", false },
	{ "processes_tree", VIEW_PROCESSES, SHAPE_AS_TREE, "", false },
	{ "channels", VIEW_CHANNELS, SHAPE_AS_LIST, "", false },
	{ "talk", VIEW_TALK, SHAPE_AS_LIST, "", false },
	{ "talk_graph", VIEW_TALK, SHAPE_AS_GRAPH, "", false },
	{ "talk_matrix", VIEW_TALK, SHAPE_AS_MATRIX, "", false },
	{ "blocked", VIEW_BLOCKED, SHAPE_AS_TREE, "", false },
	{ "events", VIEW_EVENTS, SHAPE_AS_LIST, "", false },
	{ "page_of_process", VIEW_PROCESSES, SHAPE_AS_LIST, "", true },
	{ "channels_filtered", VIEW_CHANNELS, SHAPE_AS_LIST, "comm=worker-7*", false },
	{ "channels_text", VIEW_CHANNELS, SHAPE_AS_LIST, "worker-7", false },
	{ "channels_number", VIEW_CHANNELS, SHAPE_AS_LIST, "77", false },
	{ "talk_text", VIEW_TALK, SHAPE_AS_LIST, "worker-7", false },
};

static void measure(struct world *w, const struct sight *sight, int rounds)
{
	static struct cell before[160 * 50];
	struct tui_opts opts = {
		.model = w->model, .interval_s = 1, .view = sight->view, .tail = &w->tail
	};
	double *ms = calloc((size_t)rounds, sizeof(*ms));
	struct dash d;
	long cells = 0;

	if (!ms || dash_init(&d, &opts, NULL) < 0)
		exit(1);
	d.frame.tables[sight->view].shape = sight->shape;
	rowfilter_set(&d.filter, sight->filter);
	for (int i = -2; i < rounds; i++) {
		double from;

		world_go_on(w, i + 2);
		if (i == 0 && sight->page) {
			dash_key(&d, KEY_TO_HOME);
			dash_key(&d, KEY_RETURN);
		}
		from = cpu_ms();
		if (dash_refresh(&d, &opts, w->now_ns) < 0 || dash_draw(&d, 50, 160) < 0)
			exit(1);
		if (i >= 0)
			ms[i] = cpu_ms() - from;
		from = (double)cells_changed(&d.grid, before);
		if (i >= 0)
			cells += (long)from;
	}
	qsort(ms, (size_t)rounds, sizeof(*ms), compare);
	printf("dash_%s median_ms=%.2f worst_ms=%.2f cells=%ld\n", sight->name, ms[rounds / 2], ms[rounds - 1],
	       cells / rounds);
	free(ms);
	dash_release(&d);
}

int main(int argc, char **argv)
{
	struct world w = {
		.model = model_new(),
		.processes = argc > 1 ? (uint32_t)atol(argv[1]) : 10000,
		.channels = argc > 2 ? (uint64_t)atol(argv[2]) : 50000,
	};
	int rounds = argc > 3 ? atoi(argv[3]) : 11;

	setlocale(LC_CTYPE, "");
	if (!w.model || tail_init(&w.tail) < 0 || w.processes < 2 || rounds < 1)
		return 2;
	world_begin(&w);
	for (size_t i = 0; i < sizeof(sights) / sizeof(sights[0]); i++)
		if (argc <= 4 || strcmp(argv[4], sights[i].name) == 0)
			measure(&w, &sights[i], rounds);
	tail_release(&w.tail);
	model_free(w.model);
	return 0;
}
