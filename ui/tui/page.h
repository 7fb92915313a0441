/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page of one object, which Enter opens: a process (who it is, its waits, channels, talks, last
 * operations), a channel (its ends, flows, waits, last operations, how long messages lay in it, how
 * large they are, how much went through it lately), a flow, or an operation.
 *
 * A page is a column of lines, scrolled together: texts, bars, and the rows of tables that are the
 * views' own, restricted to what the object has to do with. The cursor goes from row to row of those,
 * and Enter opens theirs. As in a table it sticks to an object.
 *
 * Filter and search are over all rows of the page; the order is changed of one table, that of the
 * cursor.
 */
#ifndef IPCTAP_UI_TUI_PAGE_H
#define IPCTAP_UI_TUI_PAGE_H

#include "ui/tui/frame.h"
#include "ui/tui/history.h"

#define PAGE_TABLES 4
#define PAGE_ROWS_MAX 500 /* of a table; the rest is counted */

enum page_line_kind { LINE_TEXT, LINE_BAR, LINE_ACTIVITY, LINE_TITLE, LINE_HEAD, LINE_ROW, LINE_MORE };

struct page_line {
	enum page_line_kind kind;
	enum style style;
	const char *text;
	double bar;    /* LINE_BAR: 0 to 1 */
	int table;     /* those of a table */
	size_t row;    /* LINE_ROW: of its shown; LINE_MORE: so many are not on the page */
};

/* A table and its title, in the order of the page. */
struct page_section {
	int table;
	const char *title;
	size_t most; /* rows */
};

/* A cursor to go back to. */
struct page_mark {
	bool has_cursor;
	size_t at, top;     /* lines */
	int table;          /* that it is in */
	struct row_key key; /* of its row */
};

struct page {
	struct row_key subject;
	char title[192]; /* escaped */
	struct ev_io io;    /* of an operation: what it is about */
	uint64_t frozen_ns; /* the time that has no rates, when it was opened frozen */
	bool is_gone;    /* the model knows it no more: what is shown is the last that was known */
	struct rows text; /* the memory of the lines' texts */
	struct page_line *lines;
	size_t nlines, capacity;
	size_t nhead; /* lines above the tables */
	struct table tables[PAGE_TABLES];
	int ntables;
	struct page_section sections[PAGE_TABLES];
	int nsections;
	struct rowfilter filter;  /* of all tables */
	struct activity activity; /* of a channel */

	struct page_mark cursor;
	int left;
	int height;
};

/* The page that Enter opens on a row; false: it has none (a folded sum). */
bool page_subject(const struct row *row, struct row_key *subject);

/*
 * With the rates of the frame's views, which are to be of its time; `frozen`: the model has gone on
 * since, and rates are not known. 0 or -ENOMEM.
 */
int page_init(struct page *p, const struct row_key *subject, const struct frame *frame, bool frozen);
void page_release(struct page *p);

/* Takes all of it anew. 0 or -ENOMEM. */
int page_scan(struct page *p, const struct scan *scan, const struct history *history);

/* ---- the cursor, and what is shown (page_rows.c) ---- */

void page_move(struct page *p, long lines); /* the cursor, from row to row */
void page_move_to_end(struct page *p, bool last);
const struct row *page_cursor_row(const struct page *p); /* NULL: none */
void page_go_back(struct page *p, const struct page_mark *mark);
/* To the next row that shows `text`, from the cursor on, around the end. False: there is none. */
bool page_search(struct page *p, const char *text, bool from_next);
/* Sorts and filters anew, after a change of the filter or of a table's order. 0 or -ENOMEM. */
int page_arrange(struct page *p);
/* The table of the cursor; without one, the first that has rows in sight or below. NULL: none. */
struct table *page_table_here(struct page *p);

/* The line of the page drawn at line y; NULL: there is none. */
const struct page_line *page_line_at(const struct page *p, int y);
/* Puts the cursor on the row drawn at line y of the page; false: there is none. */
bool page_click(struct page *p, int y);

/* Scrolls the tables sideways. */
void page_scroll_sideways(struct page *p, const struct grid *g, int columns);
void page_draw(struct page *p, struct grid *g, int y, int height);
/* One of its lines, without the cursor. */
void page_draw_line(struct page *p, struct grid *g, int y, size_t at);

/* Private to page.c, page_rows.c, page_lines.c and page_draw.c: adds lines. */
void page_add(struct page *p, const struct page_line *line);
void page_text(struct page *p, enum style style, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The rows of the sections behind the head, and the cursor where its row is now. */
void page_layout(struct page *p);
/* Rows of a section's table, whether or not the filter lets them through. */
size_t page_section_rows(const struct page *p, const struct page_section *section);
/* What stands above the tables. */
void page_head_proc(struct page *p, const struct scan *scan, const struct m_proc *proc);
void page_head_chan(struct page *p, const struct scan *scan, const struct m_chan *chan,
		    const struct history *history);
void page_head_flow(struct page *p, const struct m_flow *flow);
void page_head_event(struct page *p, const struct scan *scan, const struct ev_io *io);

#endif
