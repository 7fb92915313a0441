// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Filter, columns and cursor of a view's rows; see table.h. Their order is table_order.c, drawing is
 * table_draw.c, rows come from table_scan.c.
 */
#include "ui/tui/table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Finds the cursor's object; where it is gone the cursor keeps its line, and waits for it. */
static void cursor_find(struct table *t)
{
	if (!t->has_cursor)
		return;
	for (size_t i = 0; i < t->nshown; i++) {
		if (!row_keys_equal(&t->shown[i]->key, &t->cursor))
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

/* ---- what is shown ---- */

uint32_t table_on_screen(const struct table *t)
{
	uint32_t bits = 0;

	for (int i = 0; i < t->ncolumns; i++)
		bits |= 1u << t->columns[i];
	return bits;
}

/* Rows that match, with `is_context` those that stand above one. */
static void pick_rows(struct table *t)
{
	uint32_t on_screen = table_on_screen(t);

	t->nshown = 0;
	for (size_t i = 0; i < t->rows.n; i++) {
		struct row *row = &t->rows.v[i];

		row->is_context = (row->is_of_tree && t->shape != SHAPE_AS_TREE) ||
				  (t->filter && !rowfilter_match(t->filter, t->view, on_screen, row));
		row->branch = (struct branch){ 0 };
	}
	for (size_t i = 0; t->filter && t->shape == SHAPE_AS_TREE && i < t->rows.n; i++) {
		struct row *row = &t->rows.v[i];
		uint32_t up = row->is_context ? ROW_NONE : row->parent;

		for (int n = 0; up != ROW_NONE && n < BRANCH_DEPTH_MAX; n++) {
			t->rows.v[up].branch.depth = 1; /* for now: it is to be shown */
			up = t->rows.v[up].parent;
		}
	}
	for (size_t i = 0; i < t->rows.n; i++) {
		struct row *row = &t->rows.v[i];

		if (!row->is_context || row->branch.depth)
			t->shown[t->nshown++] = row;
	}
}

/* What all rows have to have, because they are compared or held against the filter by it. */
static enum late needs(const struct table *t)
{
	unsigned int late = t->view->columns[t->sort].late | t->view->columns[t->view->then_by].late;

	if (t->filter)
		late |= rowfilter_needs(t->filter, t->view, table_on_screen(t));
	return t->fill_all ? LATE_ALL : (enum late)late;
}

int table_arrange(struct table *t)
{
	int err = table_fill_rows(t, needs(t));

	t->nshown = 0;
	if (!err && t->rows.n > t->capacity) {
		const struct row **shown = reallocarray(t->shown, t->rows.n, sizeof(*shown));

		if (!shown)
			return -ENOMEM;
		t->shown = shown;
		t->capacity = t->rows.n;
	}
	if (err)
		return err;
	pick_rows(t);
	err = table_sort_rows(t);
	if (!err && t->shape == SHAPE_AS_TREE)
		err = table_tree_arrange(t);
	cursor_find(t);
	if (t->has_cursor && t->keep_in_sight)
		scroll_to_cursor(t);
	return err;
}

int table_sort_by(struct table *t, const char *name, struct fail *fail)
{
	char known[256] = "";
	size_t len = 0;

	for (int i = 0; i < t->view->ncolumns; i++) {
		const struct column *c = &t->view->columns[i];

		if (!c->width && i != t->view->sort)
			continue;
		if (strcasecmp(c->name, name) == 0) {
			t->sort = i;
			return 0;
		}
		if (len < sizeof(known))
			len += (size_t)snprintf(known + len, sizeof(known) - len, "%s%s",
						len ? ", " : "its columns are ", c->name);
	}
	fail_set(fail, 0, known, "no column '%s' in the view %s", name, t->view->name);
	return -EINVAL;
}

void table_sort_step(struct table *t, int step)
{
	int n = t->ncolumns, at = 0;

	while (at < n && t->columns[at] != t->sort)
		at++;
	if (at == n) /* by one that is not shown */
		at = step > 0 ? n - 1 : 0;
	t->sort = t->columns[(at + step + n) % n];
	t->inverted = false;
}

bool table_has_shape(const struct table *t, enum shape shape)
{
	static const unsigned int bits[] = { [SHAPE_AS_TREE] = SHAPE_OF_TREE,
					     [SHAPE_AS_GRAPH] = SHAPE_OF_GRAPH,
					     [SHAPE_AS_MATRIX] = SHAPE_OF_MATRIX };

	return shape == SHAPE_AS_LIST || t->view->shapes & bits[shape];
}

void table_shape_step(struct table *t)
{
	do
		t->shape = (t->shape + 1) % (SHAPE_AS_MATRIX + 1);
	while (!table_has_shape(t, t->shape));
}

/* ---- which columns ---- */

void table_columns_default(struct table *t)
{
	t->ncolumns = 0;
	for (int i = 0; i < t->view->ncolumns && i < COLUMNS_MAX; i++)
		if (t->view->columns[i].width && !t->view->columns[i].chosen)
			t->columns[t->ncolumns++] = (uint8_t)i;
}

bool table_columns_are_default(const struct table *t)
{
	struct table usual = { .view = t->view };

	table_columns_default(&usual);
	return usual.ncolumns == t->ncolumns &&
	       memcmp(usual.columns, t->columns, (size_t)t->ncolumns * sizeof(*t->columns)) == 0;
}

static int column_find(const struct view *view, const char *name, size_t len)
{
	for (int i = 0; i < view->ncolumns; i++)
		if (view->columns[i].width && strlen(view->columns[i].name) == len &&
		    strncasecmp(view->columns[i].name, name, len) == 0)
			return i;
	return -1;
}

int table_columns_parse(struct table *t, const char *text)
{
	uint8_t columns[COLUMNS_MAX];
	int n = 0;

	while (*text) {
		size_t len = strcspn(text, ",");
		int c = column_find(t->view, text, len);

		for (int i = 0; i < n; i++)
			c = columns[i] == c ? -1 : c;
		if (c < 0 || n == COLUMNS_MAX)
			return -EINVAL;
		columns[n++] = (uint8_t)c;
		text += len + (text[len] == ',');
	}
	if (!n)
		return -EINVAL;
	memcpy(t->columns, columns, sizeof(columns));
	t->ncolumns = n;
	return 0;
}

void table_columns_print(const struct table *t, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = '\0';
	for (int i = 0; i < t->ncolumns && len < size; i++)
		len += (size_t)snprintf(buf + len, size - len, "%s%s", i ? "," : "",
					t->view->columns[t->columns[i]].name);
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
	    !row_keys_equal(&t->shown[t->cursor_at]->key, &t->cursor))
		return NULL;
	return t->shown[t->cursor_at];
}

bool table_search(struct table *t, const char *text, bool from_next)
{
	size_t start = t->has_cursor ? t->cursor_at + from_next : 0;
	const struct plain plain = plain_of(text);

	if (table_fill_rows(t, row_shows_needs(t->view, table_on_screen(t), &plain)) < 0)
		return false;
	for (size_t i = 0; *text && i < t->nshown; i++) {
		size_t at = (start + i) % t->nshown;

		if (!row_shows(t->view, table_on_screen(t), t->shown[at], &plain))
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

enum style table_row_mark(const struct table *t, const struct row *row)
{
	if (table_row_followed(t, row))
		return STYLE_FOLLOWED;
	return t->filter && tags_have_row(t->filter->tags, row) ? STYLE_TAGGED : STYLE_NORMAL;
}

void table_move_to_followed(struct table *t)
{
	const struct row *row = table_cursor_row(t);

	if ((row && table_row_followed(t, row)) || table_fill_rows(t, LATE_TEXT) < 0)
		return;
	for (size_t i = 0; i < t->nshown; i++) {
		if (!table_row_followed(t, t->shown[i]))
			continue;
		table_move_to(t, i);
		return;
	}
}
