// SPDX-License-Identifier: GPL-2.0-or-later
/* `top -b` and `top --json`: every refresh as text, or as one JSON object a line; see tui.h. */
#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "lib/abi/words.h"
#include "lib/base/clock.h"
#include "ui/tui/dash.h"
#include "ui/tui/rows_out.h"

#define COLUMNS_DEFAULT 100
#define COLUMNS_LEAST 40
#define PUMP_MS 1000
/* Of the latest operations; all of them are what `ipctap events` is for. */
#define EVENTS_IN_TEXT 20
#define EVENTS_IN_JSON 100

struct batch {
	const struct tui_opts *opts;
	struct dash dash; /* its frame, order and title; nothing is drawn but rows */
	struct timeline timeline;
	FILE *out;
	struct fail *fail;
};

/* ---- text ---- */

static int batch_columns(void)
{
	const char *env = getenv("COLUMNS");
	long n = env ? strtol(env, NULL, 10) : 0;

	if (n <= 0)
		return COLUMNS_DEFAULT;
	return n < COLUMNS_LEAST ? COLUMNS_LEAST : n > ROWS_OUT_COLUMNS ? ROWS_OUT_COLUMNS : (int)n;
}

static int print_text(struct batch *b)
{
	struct frame *f = &b->dash.frame;
	char buf[FRAME_TEXT_SIZE];
	int err = 0;

	fprintf(b->out, "ipctap %s - %s\n%s\n", b->opts->verb ? b->opts->verb : "top",
		b->dash.title, frame_losses(f, buf));
	fprintf(b->out, "%s\n", frame_figures(f, buf));
	for (int i = 0; i < VIEW_MAX && !err; i++) {
		if (!b->dash.opts->tail && i == VIEW_EVENTS)
			continue;
		if (i == VIEW_BLOCKED)
			rows_out_findings(f->scan.waits, b->out);
		err = rows_out_text(&f->tables[i], b->out, b->dash.grid.cols);
	}
	fputc('\n', b->out);
	return err;
}

/* ---- JSON ---- */

static json_t *json_of_losses(const struct frame *f)
{
	json_t *object = json_object();
	int err = 0;

	for (uint32_t i = 0; i < LOST_MAX; i++)
		if (f->lost_by[i])
			err |= json_object_set_new(object, loss_word(i), rows_out_n(f->lost_by[i]));
	if (!err)
		return object;
	json_decref(object);
	return NULL;
}

static json_t *json_of_frame(const struct frame *f, const char *title)
{
	json_t *o = json_object();
	int err = json_object_set_new(o, "t_ns", rows_out_n(f->now_ns));

	err |= json_object_set_new(o, "interval_s", json_real(f->interval_s));
	err |= json_object_set_new(o, "title", rows_out_string(title));
	err |= json_object_set_new(o, "span_ns", rows_out_n(f->span_ns));
	err |= json_object_set_new(o, "ops", rows_out_n(f->ops));
	err |= json_object_set_new(o, "ops_per_s", json_real(f->ops_per_s));
	err |= json_object_set_new(o, "folded", rows_out_n(f->folded));
	err |= json_object_set_new(o, "lost", rows_out_n(f->lost));
	err |= json_object_set_new(o, "lost_by_cause", json_of_losses(f));
	for (int i = 0; i < VIEW_MAX; i++)
		if (i != VIEW_EVENTS || f->scan.tail)
			err |= json_object_set_new(o, views[i]->json,
						   rows_out_json(&f->tables[i]));
	err |= json_object_set_new(o, "findings", rows_out_json_findings(f->scan.waits));
	if (!err)
		return o;
	json_decref(o);
	return NULL;
}

static int print_json(struct batch *b)
{
	const char *title = b->opts->title ? b->opts->title : "";
	json_t *o = json_of_frame(&b->dash.frame, title);

	if (!o)
		return fail_set(b->fail, ENOMEM, NULL, "cannot make the JSON object");
	json_dumpf(o, b->out, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(12)); /* its error is b->out's */
	json_decref(o);
	fputc('\n', b->out);
	return 0;
}

/* ---- the loop ---- */

/* Feeds the model for one interval. 1: more may come, 0: ended, or a negative errno. */
static int pump_interval(struct batch *b)
{
	uint64_t due_ns = clock_now_ns() + (uint64_t)(tui_interval_s(b->opts) * 1e9);
	uint64_t now_ns = clock_now_ns();
	int more;

	if (b->opts->now_ns)
		return b->opts->pump(b->opts->arg, 0, b->fail);
	do {
		uint64_t ms = due_ns > now_ns ? (due_ns - now_ns + 999999) / 1000000 : 0;

		more = b->opts->pump(b->opts->arg, ms < PUMP_MS ? (int)ms : PUMP_MS, b->fail);
		now_ns = clock_now_ns();
	} while (more > 0 && now_ns < due_ns);
	return more;
}

static int take_frame(struct batch *b, bool ended)
{
	uint64_t now_ns = b->opts->now_ns ? b->opts->now_ns(b->opts->arg) :
					    timeline_now(&b->timeline, model_now_ns(b->opts->model),
							 clock_now_ns(), ended);
	int err = dash_refresh(&b->dash, b->opts, now_ns);

	return err ? fail_set(b->fail, -err, NULL, "cannot take a frame") : 0;
}

static int batch_refresh(struct batch *b, bool ended, int (*print)(struct batch *b))
{
	int err = take_frame(b, ended);

	if (err)
		return err;
	err = print(b);
	if (err)
		return err;
	errno = 0;
	if (fflush(b->out) != 0 || ferror(b->out))
		return fail_set(b->fail, errno ? errno : EIO, NULL, "cannot write");
	return 0;
}

static int batch_run(const struct tui_opts *opts, FILE *out, int (*print)(struct batch *b),
		     struct fail *fail)
{
	struct tui_opts all = *opts;
	struct batch b = { .opts = &all, .out = out, .fail = fail };
	int err, more = 1;

	setlocale(LC_CTYPE, ""); /* which characters the reader can show */
	all.all_views = true;
	all.tail_most = print == print_json ? EVENTS_IN_JSON : EVENTS_IN_TEXT;
	err = dash_init(&b.dash, b.opts, fail);
	if (!err && grid_resize(&b.dash.grid, 1, batch_columns()) < 0)
		err = fail_set(fail, ENOMEM, NULL, "cannot set up the tables");
	for (int i = 0; i < VIEW_MAX && !err; i++) {
		struct table *t = &b.dash.frame.tables[i];

		t->rows.raw = print == print_json;
		t->fill_all = true;
		t->shape = SHAPE_AS_LIST;
	}
	if (!err && opts->warm_up)
		err = take_frame(&b, false);
	for (long n = 0; !err && more > 0 && (!opts->refreshes || n < opts->refreshes); n++) {
		more = pump_interval(&b);
		err = more < 0 ? more : batch_refresh(&b, more == 0, print);
	}
	dash_release(&b.dash);
	return err;
}

int tui_batch(const struct tui_opts *opts, FILE *out, struct fail *fail)
{
	return batch_run(opts, out, print_text, fail);
}

int tui_json(const struct tui_opts *opts, FILE *out, struct fail *fail)
{
	return batch_run(opts, out, print_json, fail);
}
