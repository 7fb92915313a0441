// SPDX-License-Identifier: GPL-2.0-or-later
/* Rows as text, JSON and CSV; see rows_out.h. */
#include "ui/tui/rows_out.h"

#include <errno.h>
#include <inttypes.h>

#include "lib/base/csv.h"
#include "lib/base/escape.h"

/* ---- text ---- */

static void print_line(const struct grid *g, FILE *out)
{
	char line[ROWS_OUT_COLUMNS * GRID_CELL_BYTES + 1];

	grid_line(g, 0, line, sizeof(line));
	fprintf(out, "%s\n", line);
}

int rows_out_text(struct table *t, FILE *out, int columns)
{
	struct grid g;
	int err = grid_init(&g, 1, columns);

	if (!err)
		err = table_fill_rows(t, LATE_ALL);
	if (err) {
		grid_release(&g);
		return err;
	}
	fprintf(out, "\n%s\n", t->view->name);
	table_draw_header(t, &g, 0);
	print_line(&g, out);
	for (size_t i = 0; i < t->nshown; i++) {
		grid_clear(&g);
		table_draw_row(t, &g, 0, t->shown[i]);
		print_line(&g, out);
	}
	grid_release(&g);
	return 0;
}

void rows_out_findings(const struct waittree *waits, FILE *out)
{
	for (uint32_t i = 0; waits && i < waits->nfindings; i++) {
		const struct wt_finding *f = &waits->findings[i];

		fprintf(out, "\n%s:", wg_verdict_title(f->verdict));
		for (uint32_t k = 0; k < f->ncore; k++) {
			const struct wt_row *w = &waits->rows[f->core[k]];
			char comm[ESCAPE_SIZE(EV_COMM_LEN)];

			escape_text(comm, sizeof(comm), w->comm, sizeof(w->comm));
			fprintf(out, " %s[%" PRIu32 "]", comm, w->pid);
		}
		fprintf(out, "\n  Cause: %s\n  Cure:  %s\n", f->cause, f->cure);
	}
}

/* ---- CSV ---- */

static void csv_value(FILE *out, const struct column *c, const struct value *v)
{
	if (!v->known)
		return;
	switch (c->type) {
	case COLUMN_TEXT:
		csv_put(out, v->text);
		break;
	case COLUMN_RATE:
	case COLUMN_BYTE_RATE:
	case COLUMN_SHARE:
		fprintf(out, "%.12g", v->x);
		break;
	case COLUMN_INT:
		fprintf(out, "%" PRId64, (int64_t)v->n);
		break;
	default:
		fprintf(out, "%" PRIu64, v->n);
	}
}

void rows_out_csv(const struct table *t, FILE *out)
{
	const char *sep = "";

	for (int i = 0; i < t->view->ncolumns; i++)
		if (t->view->columns[i].json) {
			fprintf(out, "%s%s", sep, t->view->columns[i].json);
			sep = ",";
		}
	fputs("\r\n", out);
	for (size_t r = 0; r < t->nshown; r++) {
		sep = "";
		for (int i = 0; i < t->view->ncolumns; i++) {
			if (!t->view->columns[i].json)
				continue;
			fputs(sep, out);
			csv_value(out, &t->view->columns[i], &t->shown[r]->values[i]);
			sep = ",";
		}
		fputs("\r\n", out);
	}
}

/* ---- JSON ---- */

json_t *rows_out_n(uint64_t n)
{
	return json_integer(n > INT64_MAX ? INT64_MAX : (json_int_t)n);
}

/* As it is when it is UTF-8, else escaped. */
json_t *rows_out_string(const char *text)
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
		return rows_out_string(v->text);
	case COLUMN_RATE:
	case COLUMN_BYTE_RATE:
	case COLUMN_SHARE:
		return json_real(v->x);
	case COLUMN_INT:
		return json_integer((json_int_t)v->n);
	case COLUMN_BOOL:
		return json_boolean(v->n);
	default:
		return rows_out_n(v->n);
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
				   rows_out_string(e->comm), "dir", dirs[e->role]);
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

json_t *rows_out_json(const struct table *t)
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


static json_t *json_of_rows(const struct waittree *waits, const uint32_t *rows, uint32_t n)
{
	json_t *array = json_array();
	int err = 0;

	for (uint32_t i = 0; i < n; i++) {
		const struct wt_row *w = &waits->rows[rows[i]];

		err |= json_array_append_new(
			array, json_pack("{s:I,s:I,s:o,s:o,s:o,s:o}", "pid", (json_int_t)w->pid, "tid",
					 (json_int_t)w->tid, "comm", rows_out_string(w->comm), "call",
					 rows_out_string(w->call), "channel", rows_out_string(w->chan),
					 "since_ns",
					 w->since_ns ? rows_out_n(w->since_ns) : json_null()));
	}
	if (!err)
		return array;
	json_decref(array);
	return NULL;
}

json_t *rows_out_json_findings(const struct waittree *waits)
{
	json_t *array = json_array();
	int err = 0;

	for (uint32_t i = 0; waits && i < waits->nfindings; i++) {
		const struct wt_finding *f = &waits->findings[i];

		err |= json_array_append_new(
			array, json_pack("{s:s,s:o,s:o,s:s,s:s}", "verdict",
					 wg_verdict_word(f->verdict), "core",
					 json_of_rows(waits, f->core, f->ncore), "victims",
					 json_of_rows(waits, f->victims, f->nvictims), "cause", f->cause,
					 "cure", f->cure));
	}
	if (!err)
		return array;
	json_decref(array);
	return NULL;
}
