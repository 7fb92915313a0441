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
#include "lib/base/escape.h"
#include "ui/tui/dash.h"

#define COLUMNS_DEFAULT 100
#define COLUMNS_LEAST 40
#define COLUMNS_MOST 1000
#define PUMP_MS 1000

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
	return n < COLUMNS_LEAST ? COLUMNS_LEAST : n > COLUMNS_MOST ? COLUMNS_MOST : (int)n;
}

static void print_line(const struct grid *g, FILE *out)
{
	char line[COLUMNS_MOST * GRID_CELL_BYTES + 1];

	grid_line(g, 0, line, sizeof(line));
	fprintf(out, "%s\n", line);
}

static void print_table(const struct table *t, struct grid *g, FILE *out)
{
	fprintf(out, "\n%s\n", t->view->name);
	grid_clear(g);
	table_draw_header(t, g, 0);
	print_line(g, out);
	for (size_t i = 0; i < t->nshown; i++) {
		grid_clear(g);
		table_draw_row(t, g, 0, t->shown[i]);
		print_line(g, out);
	}
}

static int print_text(struct batch *b)
{
	const struct frame *f = &b->dash.frame;
	char buf[FRAME_TEXT_SIZE];

	fprintf(b->out, "ipctap %s - %s\n%s\n", b->opts->verb ? b->opts->verb : "top",
		b->dash.title, frame_losses(f, buf));
	fprintf(b->out, "%s\n", frame_figures(f, buf));
	for (int i = 0; i < VIEW_MAX; i++)
		print_table(&f->tables[i], &b->dash.grid, b->out);
	fputc('\n', b->out);
	return 0;
}

/* ---- JSON ---- */

static json_t *json_of_n(uint64_t n)
{
	return json_integer(n > INT64_MAX ? INT64_MAX : (json_int_t)n);
}

/* As it is when it is UTF-8, else escaped. */
static json_t *json_of_text(const char *text)
{
	char buf[4096];
	json_t *s = json_string(text);

	if (s)
		return s;
	escape_text(buf, sizeof(buf), text, SIZE_MAX);
	return json_string(buf);
}

static json_t *json_of_value(const struct column *c, const struct value *v)
{
	if (!v->known)
		return json_null();
	switch (c->type) {
	case COLUMN_TEXT:
		return json_of_text(v->text);
	case COLUMN_RATE:
	case COLUMN_BYTE_RATE:
	case COLUMN_SHARE:
		return json_real(v->x);
	case COLUMN_BOOL:
		return json_boolean(v->n);
	default:
		return json_of_n(v->n);
	}
}

/* The processes of a row, but for the one the row is about. */
static json_t *json_of_ends(const struct row *row)
{
	static const char *const dirs[] = {
		[ROLE_READER] = "read", [ROLE_WRITER] = "write", [ROLE_BOTH] = "both"
	};
	json_t *array = json_array();
	int err = 0;

	for (int i = 0; i < row->nends; i++) {
		const struct row_end *e = &row->ends[i];
		json_t *object;

		if (e->role == ROLE_SUBJECT)
			continue;
		object = json_pack("{s:I,s:o,s:s}", "pid", (json_int_t)e->pid, "comm",
				   json_of_text(e->comm), "dir", dirs[e->role]);
		err |= json_array_append_new(array, object);
	}
	if (!err)
		return array;
	json_decref(array);
	return NULL;
}

static json_t *json_of_row(const struct view *view, const struct row *row)
{
	json_t *object = json_object();
	int err = 0;

	for (int i = 0; i < view->ncolumns; i++)
		if (view->columns[i].json)
			err |= json_object_set_new(object, view->columns[i].json,
						   json_of_value(&view->columns[i],
								 &row->values[i]));
	if (view->ends_json)
		err |= json_object_set_new(object, view->ends_json, json_of_ends(row));
	if (!err)
		return object;
	json_decref(object);
	return NULL;
}

static json_t *json_of_table(const struct table *t)
{
	json_t *array = json_array();
	int err = 0;

	for (size_t i = 0; i < t->nshown; i++)
		err |= json_array_append_new(array, json_of_row(t->view, t->shown[i]));
	if (!err)
		return array;
	json_decref(array);
	return NULL;
}

static json_t *json_of_losses(const struct frame *f)
{
	json_t *object = json_object();
	int err = 0;

	for (uint32_t i = 0; i < LOST_MAX; i++)
		if (f->lost_by[i])
			err |= json_object_set_new(object, loss_word(i), json_of_n(f->lost_by[i]));
	if (!err)
		return object;
	json_decref(object);
	return NULL;
}

static json_t *json_of_frame(const struct frame *f, const char *title)
{
	json_t *o = json_object();
	int err = json_object_set_new(o, "t_ns", json_of_n(f->now_ns));

	err |= json_object_set_new(o, "interval_s", json_real(f->interval_s));
	err |= json_object_set_new(o, "title", json_of_text(title));
	err |= json_object_set_new(o, "span_ns", json_of_n(f->span_ns));
	err |= json_object_set_new(o, "ops", json_of_n(f->ops));
	err |= json_object_set_new(o, "ops_per_s", json_real(f->ops_per_s));
	err |= json_object_set_new(o, "folded", json_of_n(f->folded));
	err |= json_object_set_new(o, "lost", json_of_n(f->lost));
	err |= json_object_set_new(o, "lost_by_cause", json_of_losses(f));
	for (int i = 0; i < VIEW_MAX; i++)
		err |= json_object_set_new(o, views[i]->json, json_of_table(&f->tables[i]));
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
	uint64_t due_ns = clock_now_ns() + (uint64_t)(b->opts->interval_s * 1e9);
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
	struct batch b = { .opts = opts, .out = out, .fail = fail };
	int err, more = 1;

	setlocale(LC_CTYPE, ""); /* which characters the reader can show */
	err = dash_init(&b.dash, opts, fail);
	if (!err && grid_resize(&b.dash.grid, 1, batch_columns()) < 0)
		err = fail_set(fail, ENOMEM, NULL, "cannot set up the tables");
	for (int i = 0; i < VIEW_MAX; i++)
		b.dash.frame.tables[i].rows.raw = print == print_json;
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
