/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page of one object, which Enter opens: a process (who it is, its waits, channels, talks, last
 * operations), a channel (its ends, flows, waits, last operations, how long messages lay in it, how
 * large they are, how much went through it lately), a flow, or an operation.
 *
 * A page is a column of lines, scrolled together: texts, bars, and the rows of tables that are the
 * views' own, restricted to what the object has to do with. The cursor goes from row to row of those,
 * and Enter opens theirs.
 */
#ifndef IPCTAP_UI_TUI_PAGE_H
#define IPCTAP_UI_TUI_PAGE_H

#include "ui/tui/frame.h"
#include "ui/tui/history.h"

#define PAGE_TABLES 4
#define PAGE_ROWS_MAX 500 /* of a table; the rest is counted */

enum page_line_kind { LINE_TEXT, LINE_BAR, LINE_ACTIVITY, LINE_HEAD, LINE_ROW };

struct page_line {
	enum page_line_kind kind;
	enum style style;
	const char *text;
	double bar;    /* LINE_BAR: 0 to 1 */
	int table;     /* LINE_HEAD, LINE_ROW */
	size_t row;    /* LINE_ROW: of its shown */
};

struct page {
	struct row_key subject;
	char title[192]; /* escaped */
	uint64_t frozen_ns; /* the time that has no rates, when it was opened frozen */
	bool is_gone;    /* the model knows it no more: what is shown is the last that was known */
	struct rows text; /* the memory of the lines' texts */
	struct page_line *lines;
	size_t nlines, capacity;
	struct table tables[PAGE_TABLES];
	int ntables;
	struct activity activity; /* of a channel */

	bool has_cursor;
	size_t cursor, top; /* lines */
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

void page_move(struct page *p, long lines); /* the cursor, from row to row */
void page_move_to_end(struct page *p, bool last);
const struct row *page_cursor_row(const struct page *p); /* NULL: none */
/* Puts the cursor on the row drawn at line y of the page; false: there is none. */
bool page_click(struct page *p, int y);
void page_draw(struct page *p, struct grid *g, int y, int height);

/* Private to page.c, page_lines.c and page_draw.c: adds lines. */
void page_add(struct page *p, const struct page_line *line);
void page_text(struct page *p, enum style style, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The rows of a view that have to do with it, below a title; nothing when there are none. */
int page_table(struct page *p, const struct scan *scan, const struct view *view,
	       const struct concern *concern, const char *title, size_t most);
/* What stands above the tables. */
void page_head_proc(struct page *p, const struct scan *scan, const struct m_proc *proc);
void page_head_chan(struct page *p, const struct scan *scan, const struct m_chan *chan,
		    const struct history *history);
void page_head_flow(struct page *p, const struct m_flow *flow);
void page_head_event(struct page *p, const struct scan *scan, const struct ev_io *io);

#endif
