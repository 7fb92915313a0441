// SPDX-License-Identifier: GPL-2.0-or-later
/* Order, filter and cursor of a view's rows; see table.h. Drawing is table_draw.c. */
#include "ui/tui/table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ui/tui/rowfilter.h"

void table_init(struct table *t, const struct view *view)
{
	*t = (struct table){ .view = view, .sort = view->sort };
}

void table_release(struct table *t)
{
	view_rows_release(&t->rows);
	free(t->shown);
	*t = (struct table){ 0 };
}

int table_scan(struct table *t, const struct scan *scan)
{
	rows_clear(&t->rows);
	t->nshown = 0; /* they point into the rows that are gone */
	t->view->scan(scan, &t->rows);
	if (t->rows.no_memory) {
		rows_clear(&t->rows);
		return -ENOMEM;
	}
	return table_arrange(t);
}

/* ---- order ---- */

static int compare_values(const struct column *c, const struct value *a, const struct value *b)
{
	if (!a->known || !b->known)
		return a->known - b->known;
	switch (c->type) {
	case COLUMN_TEXT:
		return strcoll(b->text, a->text); /* a before z is "larger first" for texts */
	case COLUMN_RATE:
	case COLUMN_BYTE_RATE:
	case COLUMN_SHARE:
		return (a->x > b->x) - (a->x < b->x);
	default:
		return (a->n > b->n) - (a->n < b->n);
	}
}

/*
 * The natural order: numbers from the largest, pids and texts from the smallest. Inverting turns
 * only the chosen column; what is not known stays at the end.
 */
static int compare_by(const struct table *t, int column, bool inverted, const struct row *a,
		      const struct row *b)
{
	const struct column *c = &t->view->columns[column];
	const struct value *va = &a->values[column], *vb = &b->values[column];
	int order = compare_values(c, va, vb);

	if (!va->known || !vb->known)
		return -order;
	return inverted != (c->type == COLUMN_ID) ? order : -order;
}

static int compare_rows(const void *pa, const void *pb, void *arg)
{
	const struct row *a = *(const struct row *const *)pa;
	const struct row *b = *(const struct row *const *)pb;
	const struct table *t = arg;
	int order = compare_by(t, t->sort, t->inverted, a, b);

	if (!order)
		order = compare_by(t, t->view->then_by, false, a, b);
	return order ? order : (a->order > b->order) - (a->order < b->order);
}

static bool key_equal(const struct row_key *a, const struct row_key *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* Finds the cursor's object; where it is gone the cursor keeps its line, and waits for it. */
static void cursor_find(struct table *t)
{
	if (!t->has_cursor)
		return;
	for (size_t i = 0; i < t->nshown; i++) {
		if (!key_equal(&t->shown[i]->key, &t->cursor))
			continue;
		t->cursor_at = i;
		return;
	}
	if (t->cursor_at >= t->nshown)
		t->cursor_at = t->nshown ? t->nshown - 1 : 0;
}

static void scroll_to_cursor(struct table *t)
{
	size_t page = t->page > 0 ? (size_t)t->page : 1;

	if (t->cursor_at < t->top)
		t->top = t->cursor_at;
	else if (t->cursor_at >= t->top + page)
		t->top = t->cursor_at - page + 1;
}

int table_arrange(struct table *t)
{
	t->nshown = 0;
	if (t->rows.n > t->capacity) {
		const struct row **shown = reallocarray(t->shown, t->rows.n, sizeof(*shown));

		if (!shown)
			return -ENOMEM;
		t->shown = shown;
		t->capacity = t->rows.n;
	}
	for (size_t i = 0; i < t->rows.n; i++)
		if (!t->filter || rowfilter_match(t->filter, t->view, &t->rows.v[i]))
			t->shown[t->nshown++] = &t->rows.v[i];
	if (t->nshown)
		qsort_r(t->shown, t->nshown, sizeof(*t->shown), compare_rows, t);
	cursor_find(t);
	if (t->has_cursor && t->keep_in_sight)
		scroll_to_cursor(t);
	return 0;
}

int table_sort_by(struct table *t, const char *name, struct fail *fail)
{
	char known[256] = "";
	size_t len = 0;

	for (int i = 0; i < t->view->ncolumns; i++) {
		const struct column *c = &t->view->columns[i];

		if (!c->width)
			continue;
		if (strcasecmp(c->name, name) == 0) {
			t->sort = i;
			return 0;
		}
		if (len < sizeof(known))
			len += (size_t)snprintf(known + len, sizeof(known) - len, "%s%s",
						len ? ", " : "its columns are ", c->name);
	}
	return fail_set(fail, EINVAL, known, "no column '%s' in the view %s", name, t->view->name);
}

void table_sort_step(struct table *t, int step)
{
	int n = t->view->ncolumns;

	do
		t->sort = (t->sort + step + n) % n;
	while (!t->view->columns[t->sort].width);
	t->inverted = false;
}

/* ---- cursor ---- */

void table_move_to(struct table *t, size_t row)
{
	if (!t->nshown)
		return;
	t->cursor_at = row < t->nshown ? row : t->nshown - 1;
	t->cursor = t->shown[t->cursor_at]->key;
	t->has_cursor = true;
	scroll_to_cursor(t);
}

void table_move(struct table *t, long rows)
{
	long to = (long)t->cursor_at + rows;

	if (!t->has_cursor) /* the first key only shows where it is */
		to = (long)t->top + (rows < -1 || rows > 1 ? rows : 0);
	table_move_to(t, to > 0 ? (size_t)to : 0);
}

struct table_mark table_mark(const struct table *t)
{
	return (struct table_mark){ t->has_cursor, t->cursor, t->cursor_at, t->top };
}

void table_go_back(struct table *t, const struct table_mark *mark)
{
	t->has_cursor = mark->has_cursor;
	t->cursor = mark->cursor;
	t->cursor_at = mark->cursor_at;
	t->top = mark->top;
	cursor_find(t);
}

const struct row *table_cursor_row(const struct table *t)
{
	if (!t->has_cursor || t->cursor_at >= t->nshown ||
	    !key_equal(&t->shown[t->cursor_at]->key, &t->cursor))
		return NULL;
	return t->shown[t->cursor_at];
}

bool table_search(struct table *t, const char *text, bool from_next)
{
	size_t start = t->has_cursor ? t->cursor_at + from_next : 0;

	for (size_t i = 0; *text && i < t->nshown; i++) {
		size_t at = (start + i) % t->nshown;

		if (!row_shows(t->view, t->shown[at], text))
			continue;
		table_move_to(t, at);
		return true;
	}
	return false;
}

bool table_row_followed(const struct table *t, const struct row *row)
{
	for (int i = 0; t->followed_pid && i < row->nends; i++)
		if (row->ends[i].pid == t->followed_pid &&
		    row->ends[i].since_ns == t->followed_since_ns)
			return true;
	return false;
}

void table_move_to_followed(struct table *t)
{
	const struct row *row = table_cursor_row(t);

	if (row && table_row_followed(t, row))
		return;
	for (size_t i = 0; i < t->nshown; i++) {
		if (!table_row_followed(t, t->shown[i]))
			continue;
		table_move_to(t, i);
		return;
	}
}
