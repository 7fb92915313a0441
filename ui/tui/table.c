// SPDX-License-Identifier: GPL-2.0-or-later
/* Order, filter and cursor of a view's rows; see table.h. Drawing is table_draw.c, rows come from table_scan.c. */
#include "ui/tui/table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- order ---- */

/*
 * What rows are sorted by: made once for each row, so that a comparison looks at nothing else. Larger
 * comes first. A text's key is its place in memory: rank is 1 for those, and compare_values decides.
 */
struct sort_key {
	uint64_t by, then;
	const struct row *row;
};

static int compare_texts(const struct value *a, const struct value *b)
{
	return strcoll(b->text, a->text); /* a before z is "larger first" for texts */
}

/* A number whose order is that of x: negative ones do not occur, and bits of doubles sort as they do. */
static uint64_t bits_of(double x)
{
	uint64_t bits;

	memcpy(&bits, &x, sizeof(bits));
	return bits;
}

/*
 * The natural order: numbers from the largest, pids and texts from the smallest. Inverting turns
 * only the chosen column; what is not known stays at the end: it has 0, and nothing else does.
 */
static uint64_t sort_value(const struct column *c, const struct value *v, bool inverted)
{
	uint64_t n;

	if (!v->known)
		return 0;
	switch (c->type) {
	case COLUMN_TEXT:
		return 1;
	case COLUMN_RATE:
	case COLUMN_BYTE_RATE:
	case COLUMN_SHARE:
		n = bits_of(v->x);
		break;
	case COLUMN_INT:
		n = v->n ^ (1ull << 63);
		break;
	default:
		n = v->n;
	}
	n = n < UINT64_MAX - 1 ? n : UINT64_MAX - 1;
	return inverted != (c->type == COLUMN_ID) ? UINT64_MAX - n : n + 1;
}

static int compare_keys(const void *pa, const void *pb, void *arg)
{
	const struct sort_key *a = pa, *b = pb;
	const struct table *t = arg;

	if (a->by != b->by)
		return a->by > b->by ? -1 : 1;
	if (a->by == 1 && t->view->columns[t->sort].type == COLUMN_TEXT) {
		int order = compare_texts(&a->row->values[t->sort], &b->row->values[t->sort]);

		if (order)
			return t->inverted ? order : -order;
	}
	if (a->then != b->then)
		return a->then > b->then ? -1 : 1;
	return (a->row->order > b->row->order) - (a->row->order < b->row->order);
}

/* Sorts t->shown. */
static int sort_rows(struct table *t)
{
	const struct column *by = &t->view->columns[t->sort];
	const struct column *then = &t->view->columns[t->view->then_by];
	struct sort_key *keys = malloc((t->nshown + 1) * sizeof(*keys));

	if (!keys)
		return -ENOMEM;
	for (size_t i = 0; i < t->nshown; i++) {
		const struct row *row = t->shown[i];

		keys[i] = (struct sort_key){
			.by = sort_value(by, &row->values[t->sort], t->inverted),
			.then = sort_value(then, &row->values[t->view->then_by], false),
			.row = row,
		};
	}
	qsort_r(keys, t->nshown, sizeof(*keys), compare_keys, t);
	for (size_t i = 0; i < t->nshown; i++)
		t->shown[i] = keys[i].row;
	free(keys);
	return 0;
}

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

/* ---- the tree ---- */

enum { TREE_ABSENT, TREE_SHOWN, TREE_HUNG };

/* Below which row each one hangs: lists by index in rows, ended by ROW_NONE. [n] is above the roots. */
struct tree {
	uint32_t *first, *last, *next;
	uint8_t *state;
	const struct row **out;
	size_t n;
};

static int tree_alloc(struct tree *tree, const struct table *t)
{
	size_t n = t->rows.n;

	*tree = (struct tree){
		.first = malloc((n + 1) * sizeof(uint32_t)),
		.last = malloc((n + 1) * sizeof(uint32_t)),
		.next = malloc((n + 1) * sizeof(uint32_t)),
		.state = calloc(n + 1, 1),
		.out = malloc((t->nshown + 1) * sizeof(*tree->out)),
	};
	if (!tree->first || !tree->last || !tree->next || !tree->state || !tree->out)
		return -ENOMEM;
	for (size_t i = 0; i <= n; i++)
		tree->first[i] = tree->last[i] = tree->next[i] = ROW_NONE;
	for (size_t i = 0; i < t->nshown; i++)
		tree->state[t->shown[i] - t->rows.v] = TREE_SHOWN;
	return 0;
}

static void tree_release(struct tree *tree)
{
	free(tree->first);
	free(tree->last);
	free(tree->next);
	free(tree->state);
	free(tree->out);
}

/*
 * Hangs the row, and those above it that do not hang yet, behind what hangs there already: so in the
 * order in which the best row of each branch comes.
 */
static void tree_hang(struct tree *tree, const struct table *t, uint32_t at)
{
	uint32_t top = (uint32_t)t->rows.n;

	while (at != top && tree->state[at] == TREE_SHOWN) {
		uint32_t up = t->rows.v[at].parent;

		if (up == ROW_NONE || tree->state[up] == TREE_ABSENT)
			up = top;
		tree->state[at] = TREE_HUNG;
		if (tree->last[up] == ROW_NONE)
			tree->first[up] = at;
		else
			tree->next[tree->last[up]] = at;
		tree->last[up] = at;
		at = up;
	}
}

/* Writes out what hangs below the top, depth first. */
static void tree_walk(struct tree *tree, struct table *t)
{
	uint32_t stack[BRANCH_DEPTH_MAX + 1], rails[BRANCH_DEPTH_MAX + 1] = { 0 };
	int depth = 0;

	stack[0] = tree->first[t->rows.n];
	while (depth >= 0) {
		uint32_t at = stack[depth];
		struct branch *b;

		if (at == ROW_NONE) {
			depth--;
			continue;
		}
		stack[depth] = tree->next[at];
		b = &t->rows.v[at].branch;
		b->depth = (uint8_t)depth;
		b->is_last = stack[depth] == ROW_NONE;
		b->rails = depth ? rails[depth - 1] : 0;
		if (depth && !b->is_last)
			b->rails |= 1u << depth;
		rails[depth] = b->rails;
		tree->out[tree->n++] = &t->rows.v[at];
		if (depth < BRANCH_DEPTH_MAX)
			stack[++depth] = tree->first[at];
	}
}

/*
 * Puts t->shown into the order of a tree. What hangs deeper than BRANCH_DEPTH_MAX, or in a circle,
 * comes last, as roots: no row gets lost.
 */
static int tree_arrange(struct table *t)
{
	struct tree tree;
	int err = tree_alloc(&tree, t);

	if (!err) {
		for (size_t i = 0; i < t->rows.n; i++)
			t->rows.v[i].branch = (struct branch){ .depth = UINT8_MAX };
		for (size_t i = 0; i < t->nshown; i++)
			tree_hang(&tree, t, (uint32_t)(t->shown[i] - t->rows.v));
		tree_walk(&tree, t);
		for (size_t i = 0; tree.n < t->nshown && i < t->nshown; i++) {
			struct row *row = &t->rows.v[t->shown[i] - t->rows.v];

			if (row->branch.depth != UINT8_MAX)
				continue;
			row->branch = (struct branch){ 0 };
			tree.out[tree.n++] = row;
		}
		if (t->nshown)
			memcpy(t->shown, tree.out, t->nshown * sizeof(*t->shown));
	}
	tree_release(&tree);
	return err;
}

/* ---- what is shown ---- */

static uint32_t on_screen(const struct table *t)
{
	uint32_t bits = 0;

	for (int i = 0; i < t->ncolumns; i++)
		bits |= 1u << t->columns[i];
	return bits;
}

/* Rows that match, with `is_context` those that stand above one. */
static void pick_rows(struct table *t)
{
	t->nshown = 0;
	for (size_t i = 0; i < t->rows.n; i++) {
		struct row *row = &t->rows.v[i];

		row->is_context = (row->is_of_tree && t->shape != SHAPE_AS_TREE) ||
				  (t->filter && !rowfilter_match(t->filter, t->view, on_screen(t), row));
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

/* Whether rows are compared, or held against the filter, by what only filled ones have. */
static bool needs_all(const struct table *t)
{
	return t->fill_all || (t->filter && t->filter->n) || t->view->columns[t->sort].late ||
	       t->view->columns[t->view->then_by].late;
}

int table_arrange(struct table *t)
{
	int err = needs_all(t) ? table_fill_rows(t) : 0;

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
	err = sort_rows(t);
	if (!err && t->shape == SHAPE_AS_TREE)
		err = tree_arrange(t);
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
	int n = t->ncolumns, at = 0;

	while (at < n && t->columns[at] != t->sort)
		at++;
	if (at == n) /* by one that is not shown */
		at = step > 0 ? n - 1 : 0;
	t->sort = t->columns[(at + step + n) % n];
	t->inverted = false;
}

void table_shape_step(struct table *t)
{
	static const unsigned int bits[] = { [SHAPE_AS_TREE] = SHAPE_OF_TREE,
					     [SHAPE_AS_GRAPH] = SHAPE_OF_GRAPH,
					     [SHAPE_AS_MATRIX] = SHAPE_OF_MATRIX };

	do
		t->shape = (t->shape + 1) % (SHAPE_AS_MATRIX + 1);
	while (t->shape != SHAPE_AS_LIST && !(t->view->shapes & bits[t->shape]));
}

/* ---- which columns ---- */

void table_columns_default(struct table *t)
{
	t->ncolumns = 0;
	for (int i = 0; i < t->view->ncolumns && i < COLUMNS_MAX; i++)
		if (t->view->columns[i].width && !t->view->columns[i].chosen)
			t->columns[t->ncolumns++] = (uint8_t)i;
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

	if (table_fill_rows(t) < 0)
		return false;
	for (size_t i = 0; *text && i < t->nshown; i++) {
		size_t at = (start + i) % t->nshown;

		if (!row_shows(t->view, on_screen(t), t->shown[at], text))
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

	if ((row && table_row_followed(t, row)) || table_fill_rows(t) < 0)
		return;
	for (size_t i = 0; i < t->nshown; i++) {
		if (!table_row_followed(t, t->shown[i]))
			continue;
		table_move_to(t, i);
		return;
	}
}
