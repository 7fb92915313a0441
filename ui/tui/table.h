/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A view on the screen: its rows, sorted and filtered, the cursor, and where it is scrolled to.
 *
 * The cursor sticks to an object, not to a line: after a refresh or another order it is where its
 * object is now. There is none until the user moves, so that the top of the table is what is seen.
 */
#ifndef IPCTAP_UI_TUI_TABLE_H
#define IPCTAP_UI_TUI_TABLE_H

#include "lib/base/fail.h"
#include "ui/tui/view.h"

struct table {
	const struct view *view;
	struct rows rows;
	const struct row **shown; /* of rows, in order, those that match the filter */
	size_t nshown, capacity;
	int sort; /* column */
	bool inverted;
	const char *filter; /* text of rowfilter.h, borrowed; NULL: all rows */

	bool has_cursor;
	struct row_key cursor;
	size_t cursor_at; /* in shown; where it was, when its object is hidden or gone */
	size_t top;       /* first row on the screen */
	int left;         /* columns of characters scrolled off to the left */
	int page;         /* rows that the last draw had room for */
	bool keep_in_sight; /* scroll with the cursor also when it moves by itself */

	uint32_t followed_pid; /* rows of this process are marked; 0: none */
	uint64_t followed_since_ns;
};

void table_init(struct table *t, const struct view *view);
void table_release(struct table *t);

/* Takes new rows from the model. On -ENOMEM it shows none. */
int table_scan(struct table *t, const struct scan *scan);
/* Sorts and filters the rows it has: after a change of sort, inverted or filter. */
int table_arrange(struct table *t);

/* -EINVAL, listing the columns, when there is none of that name (either case). */
int table_sort_by(struct table *t, const char *name, struct fail *fail);
void table_sort_step(struct table *t, int step); /* to the next or previous column shown */

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

/* Draws the header at line y and rows below it, `height` lines in all. */
void table_draw(struct table *t, struct grid *g, int y, int height);
/* The same line by line, for plain text; without cursor or scrolling. */
void table_draw_header(const struct table *t, struct grid *g, int y);
void table_draw_row(const struct table *t, struct grid *g, int y, const struct row *row);
void table_scroll_sideways(struct table *t, const struct grid *g, int columns);

#endif
