/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A view on the screen: its rows, sorted and filtered, the cursor, and where it is scrolled to.
 *
 * The cursor sticks to an object, not to a line: after a refresh or another order it is where its
 * object is now. There is none until the user moves, so that the top of the table is what is seen.
 *
 * Of many rows only those in sight are filled (view.h); the rest are when something asks for all of
 * them: an order by a late column, a filter, a search, plain text. Where that comes between two
 * refreshes, the objects are looked up in the model anew.
 */
#ifndef IPCTAP_UI_TUI_TABLE_H
#define IPCTAP_UI_TUI_TABLE_H

#include "lib/base/fail.h"
#include "ui/tui/rowfilter.h"
#include "ui/tui/view.h"

/* How the rows are shown. A view has the list and what its `shapes` say. */
enum shape { SHAPE_AS_LIST, SHAPE_AS_TREE, SHAPE_AS_GRAPH, SHAPE_AS_MATRIX };

#define TABLE_PICTURED 400 /* rows that a graph or a matrix is made of: the first ones in order */

struct table {
	const struct view *view;
	struct rows rows;
	struct rates *rates;
	struct scan scan;         /* the last one's; its model is kept up to date by the owner */
	struct concern concern;   /* only rows that have to do with it */
	double rate_span_s;       /* what the rates are over */
	const struct row **shown; /* of rows, in order, those that match the filter */
	size_t nshown, capacity;
	uint8_t columns[COLUMNS_MAX]; /* those on the screen, in order: indexes into view->columns */
	int ncolumns;
	enum shape shape;
	int sort; /* column */
	bool inverted;
	bool no_rates;                  /* there is nothing that they could be over */
	bool fill_all;                  /* at each scan */
	const struct rowfilter *filter; /* borrowed; NULL: all rows */

	bool has_cursor;
	struct row_key cursor;
	size_t cursor_at; /* in shown; where it was, when its object is hidden or gone */
	size_t top;       /* first row on the screen */
	int left;         /* columns of characters scrolled off to the left */
	int picture_width; /* of the graph or matrix that was drawn last, all of it */
	int page;         /* rows that the last draw had room for */
	bool keep_in_sight; /* scroll with the cursor also when it moves by itself */

	uint32_t followed_pid; /* rows of this process are marked; 0: none */
	uint64_t followed_since_ns;
};

int table_init(struct table *t, const struct view *view); /* 0 or -ENOMEM */
void table_release(struct table *t);

/*
 * Takes new rows from scan->model; t->rates count from first_ns on at the first scan. On -ENOMEM it
 * shows none.
 */
int table_scan(struct table *t, const struct scan *scan, uint64_t first_ns);
/* Sorts and filters the rows it has: after a change of sort, inverted, filter or shape. */
int table_arrange(struct table *t);
/* The two orders, of t->shown; the tree is of rows that are sorted already. Private. (table_order.c) */
int table_sort_rows(struct table *t);
int table_tree_arrange(struct table *t);
/* Takes the later steps for the rows in sight, or those wanted for all of them. 0 or -ENOMEM. */
int table_fill_page(struct table *t);
int table_fill_rows(struct table *t, enum late want);

uint32_t table_on_screen(const struct table *t); /* bit i: column i is; for rowfilter.h */
/* The columns of the beginning; those of a text "PID,COMM,…"; and back. */
void table_columns_default(struct table *t);
bool table_columns_are_default(const struct table *t);
int table_columns_parse(struct table *t, const char *text); /* -EINVAL: unknown, or none at all */
void table_columns_print(const struct table *t, char *buf, size_t size);

/* -EINVAL, listing the columns, when there is none of that name (either case). */
int table_sort_by(struct table *t, const char *name, struct fail *fail);
void table_sort_step(struct table *t, int step); /* to the next or previous column shown */
/* To the next shape that the view has. */
void table_shape_step(struct table *t);
bool table_has_shape(const struct table *t, enum shape shape);

/* Moves the cursor by `rows`; the first move puts it on the first row on the screen. */
void table_move(struct table *t, long rows);
void table_move_to(struct table *t, size_t row);
/* To the next row that shows `text`, from the cursor on, around the end. False: there is none. */
bool table_search(struct table *t, const char *text, bool from_next);
/* A cursor to go back to. */
struct table_mark {
	bool has_cursor;
	struct row_key cursor;
	size_t cursor_at, top;
};
struct table_mark table_mark(const struct table *t);
void table_go_back(struct table *t, const struct table_mark *mark);

const struct row *table_cursor_row(const struct table *t); /* NULL: no cursor, or its object is gone */
/* To the first row of the followed process. */
void table_move_to_followed(struct table *t);
bool table_row_followed(const struct table *t, const struct row *row);
/* How its line is marked: STYLE_FOLLOWED, STYLE_TAGGED, or STYLE_NORMAL for not at all. */
enum style table_row_mark(const struct table *t, const struct row *row);

/* Draws the header at line y and rows below it, `height` lines in all. */
void table_draw(struct table *t, struct grid *g, int y, int height);
/* The same line by line, for plain text and pages; without cursor or scrolling. */
void table_draw_header(const struct table *t, struct grid *g, int y);
void table_draw_row(const struct table *t, struct grid *g, int y, const struct row *row);
void table_scroll_sideways(struct table *t, const struct grid *g, int columns);
/* The column whose header is at x on a screen of `cols` columns; -1: none. */
int table_column_at(const struct table *t, int cols, int x);

static inline bool row_keys_equal(const struct row_key *a, const struct row_key *b)
{
	return __builtin_memcmp(a, b, sizeof(*a)) == 0;
}

#endif
