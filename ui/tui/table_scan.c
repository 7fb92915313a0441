// SPDX-License-Identifier: GPL-2.0-or-later
/* How a table gets its rows from the model, and when they are filled; see table.h. */
#include "ui/tui/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FILL_ALWAYS 1000 /* so few rows are filled at once: it is no matter, and simpler to use */
#define PAGE_GUESS 64    /* rows in sight before anything was drawn */

int table_init(struct table *t, const struct view *view)
{
	*t = (struct table){
		.view = view,
		.rates = rates_new(),
		.sort = view->sort,
		.shape = view->tree_first ? SHAPE_AS_TREE : SHAPE_AS_LIST,
	};
	table_columns_default(t);
	return t->rates ? 0 : -ENOMEM;
}

void table_release(struct table *t)
{
	view_rows_release(&t->rows);
	rates_free(t->rates);
	free(t->shown);
	*t = (struct table){ 0 };
}

static bool is_concerned(const struct table *t, const void *object)
{
	return (!t->concern.proc && !t->concern.chan) || t->view->concerns(object, &t->concern);
}

static void gather_all(struct table *t)
{
	const struct view *view = t->view;
	struct row_key key;

	for (const void *o = view->first(&t->scan); o; o = view->next(&t->scan, o)) {
		struct row *row;

		if (!is_concerned(t, o) || !view->key(&t->scan, o, &key))
			continue;
		row = rows_add(&t->rows, &key, view->ncolumns);
		if (!row)
			return;
		row->done = view->measure ? LATE_NOT : LATE_MEASURE;
		row->object = o;
		view->gather(&t->scan, &t->rows, row, o);
	}
}

static void fill_row(struct table *t, struct row *row, enum late want)
{
	unsigned int todo = want & ~row->done;

	if (!todo || !row->object)
		return;
	row->done |= todo;
	if (todo & LATE_TEXT)
		t->view->fill(&t->scan, &t->rows, row, row->object);
	if (todo & LATE_MEASURE)
		t->view->measure(row, row->object);
}

static bool lacks(const struct row *row, enum late want)
{
	return (want & ~row->done) != 0;
}

static void forget_objects(struct table *t)
{
	for (size_t i = 0; i < t->rows.n; i++)
		t->rows.v[i].object = NULL;
}

int table_scan(struct table *t, const struct scan *scan, uint64_t first_ns)
{
	int err;

	t->scan = *scan;
	t->scan.rates = t->no_rates ? NULL : t->rates;
	rows_clear(&t->rows);
	t->nshown = 0; /* they point into the rows that are gone */
	rates_begin(t->rates, scan->now_ns, first_ns);
	t->rate_span_s = rates_span_s(t->rates);
	gather_all(t);
	if (t->view->finish)
		t->view->finish(&t->scan, &t->rows);
	if (t->rows.n <= FILL_ALWAYS)
		for (size_t i = 0; i < t->rows.n; i++)
			fill_row(t, &t->rows.v[i], LATE_ALL);
	err = t->rows.no_memory ? -ENOMEM : table_arrange(t);
	if (!err)
		err = table_fill_page(t);
	rates_end(t->rates);
	forget_objects(t);
	if (err) {
		rows_clear(&t->rows);
		t->nshown = 0;
	}
	return err;
}

/* ---- filling ---- */

static int compare_by_key(const void *pa, const void *pb)
{
	const struct row *a = *(struct row *const *)pa, *b = *(struct row *const *)pb;

	return memcmp(&a->key, &b->key, sizeof(a->key));
}

static struct row *find_wanted(struct row **wanted, size_t n, const struct row_key *key)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = memcmp(&wanted[middle]->key, key, sizeof(*key));

		if (order == 0)
			return wanted[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* Fills `wanted` from the model as it is now: it may have gone on since they were gathered. */
static void fill_wanted(struct table *t, struct row **wanted, size_t n, enum late want)
{
	const struct view *view = t->view;
	size_t left = n;
	struct row_key key;

	qsort(wanted, n, sizeof(*wanted), compare_by_key);
	for (const void *o = view->first(&t->scan); o && left; o = view->next(&t->scan, o)) {
		struct row *row;

		if (!is_concerned(t, o) || !view->key(&t->scan, o, &key))
			continue;
		row = find_wanted(wanted, n, &key);
		if (!row || !lacks(row, want))
			continue;
		row->object = o;
		fill_row(t, row, want);
		row->object = NULL;
		left--;
	}
	for (size_t i = 0; i < n; i++)
		wanted[i]->done |= want; /* its object is gone: that is all there is to know */
}

static bool is_live(const struct row *row)
{
	return row->object != NULL;
}

static int fill_range(struct table *t, const struct row *const *rows, size_t n, enum late want)
{
	struct row **wanted;
	size_t nwanted = 0;

	for (size_t i = 0; i < n; i++) {
		if (is_live(rows[i]))
			fill_row(t, &t->rows.v[rows[i] - t->rows.v], want);
		nwanted += lacks(rows[i], want);
	}
	if (!nwanted)
		return t->rows.no_memory ? -ENOMEM : 0;
	wanted = malloc(nwanted * sizeof(struct row *));
	if (!wanted)
		return -ENOMEM;
	nwanted = 0;
	for (size_t i = 0; i < n; i++)
		if (lacks(rows[i], want))
			wanted[nwanted++] = &t->rows.v[rows[i] - t->rows.v];
	fill_wanted(t, wanted, nwanted, want);
	free(wanted);
	return t->rows.no_memory ? -ENOMEM : 0;
}

int table_fill_page(struct table *t)
{
	bool is_picture = t->shape == SHAPE_AS_GRAPH || t->shape == SHAPE_AS_MATRIX;
	size_t page = is_picture ? TABLE_PICTURED : t->page > 0 ? (size_t)t->page : PAGE_GUESS;
	size_t from = is_picture ? 0 : t->top, n = 0;

	if (from < t->nshown)
		n = t->nshown - from < page ? t->nshown - from : page;
	return fill_range(t, t->shown + from, n, LATE_ALL);
}

int table_fill_rows(struct table *t, enum late want)
{
	const struct row **all;
	int err;

	for (size_t i = 0;; i++) {
		if (i == t->rows.n)
			return 0;
		if (lacks(&t->rows.v[i], want))
			break;
	}
	all = malloc(t->rows.n * sizeof(*all));
	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < t->rows.n; i++)
		all[i] = &t->rows.v[i];
	err = fill_range(t, all, t->rows.n, want);
	free(all);
	return err;
}
