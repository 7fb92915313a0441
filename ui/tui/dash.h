/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The dashboard without a terminal: keys go in, a grid comes out. Everything that can be seen is
 * drawn here, so that a test can press keys and read screens.
 *
 *     ops/s, losses        two or three lines; losses have one of their own, with the remedy
 *     1 Processes  2 …     the views, and what filter and follow hide or mark
 *     DEADLOCK …           in Blocked: what the search for deadlocks has found
 *     PID COMM …           the table; or the graph, the matrix, or the page of one row
 *     F1 Help  F3 …        the keys, or the line that is being typed
 */
#ifndef IPCTAP_UI_TUI_DASH_H
#define IPCTAP_UI_TUI_DASH_H

#include "ui/tui/frame.h"
#include "ui/tui/page.h"
#include "ui/tui/terminal.h"
#include "ui/tui/tui.h"

#define DASH_MIN_ROWS 10
#define DASH_MIN_COLS 60
#define DASH_INPUT_SIZE ROWFILTER_SIZE
#define DASH_PAGES_MAX 16

enum dash_prompt { PROMPT_NONE, PROMPT_SEARCH, PROMPT_FILTER, PROMPT_EXPORT };
/* What covers the view; any key that it does not know leaves it. */
enum dash_cover { COVER_NONE, COVER_HELP, COVER_SETUP, COVER_END_HOW };

/* What a click there is: a key. */
struct dash_hit {
	int y, x, width;
	int key;
};
#define DASH_HITS_MAX 32

/*
 * What keys chose, now or at an earlier time, for the file. What the command line asks for is for this once,
 * and not in it.
 */
struct dash_kept {
	double interval_s; /* 0: never changed */
	struct {
		const struct column *by; /* NULL: never changed */
		bool inverted;
	} order[VIEW_MAX];
	bool shape[VIEW_MAX]; /* the table has it */
};

struct dash {
	const struct tui_opts *opts; /* borrowed */
	struct frame frame;
	struct history *history;
	enum tui_view view;
	const char *verb;
	struct page pages[DASH_PAGES_MAX]; /* opened one from the other; the last one is shown */
	int npages;
	char title[512]; /* escaped */
	double interval_s;
	bool paused, ended;
	enum dash_cover cover;
	int help_top, setup_at;
	enum dash_prompt prompt;
	char input[DASH_INPUT_SIZE]; /* what is being typed */
	struct rowfilter filter;
	struct tags tags;
	char search[DASH_INPUT_SIZE];
	char before[DASH_INPUT_SIZE]; /* the filter when F4 was pressed: Esc goes back to it */
	struct table_mark mark;       /* the cursor when F3 was pressed: likewise */
	struct page_mark page_mark;   /* … on a page */
	char followed[96];            /* "comm[pid]", empty: nobody */
	char message[160];            /* until the next key */
	enum theme theme;
	bool ascii_lines;
	const char *config; /* where setup is kept; borrowed; NULL: nowhere */
	struct dash_kept kept;
	struct grid grid;
	struct dash_hit hits[DASH_HITS_MAX]; /* of the last drawing */
	int nhits, table_y;
};

/* What a key asks of the loop around the dashboard. */
enum dash_wish {
	DASH_NOTHING = 0,
	DASH_QUIT = 1,
	DASH_REDRAW = 2,  /* the terminal may show something else: draw all of it */
	DASH_REFRESH = 4, /* take a new frame now */
};

/* Borrows *opts. 0, -ENOMEM, or -EINVAL for a sort column that is not there. */
int dash_init(struct dash *d, const struct tui_opts *opts, struct fail *fail);
void dash_release(struct dash *d);

/* A new frame, unless paused. 0 or -ENOMEM. Call it at once when opts->model has become another. */
int dash_refresh(struct dash *d, const struct tui_opts *opts, uint64_t now_ns);
unsigned int dash_key(struct dash *d, int key); /* enum dash_wish, or-ed; also clicks (keys.h) */
/* Draws into d->grid, in that size. 0 or -ENOMEM. */
int dash_draw(struct dash *d, int rows, int cols);

/* ---- for the other files of the dashboard ---- */

static inline struct table *dash_table(struct dash *d)
{
	return &d->frame.tables[d->view];
}
static inline struct page *dash_page(struct dash *d)
{
	return d->npages ? &d->pages[d->npages - 1] : NULL;
}
/* The row under the cursor, of the page or of the view; NULL: none. */
const struct row *dash_cursor_row(const struct dash *d);
/* opts->model may have become another one: rows that are not filled yet are looked up in it. */
void dash_sync(struct dash *d);
/* Sorts and filters what is shown anew; the page alone. */
void dash_arrange(struct dash *d);
void dash_arrange_page(struct dash *d);
/* The view's rows in the order that was asked for, now and the next time. */
void dash_sorted_anew(struct dash *d);
/* What F4 is about: each page has a filter of its own, and all views have one. */
static inline struct rowfilter *dash_filter(struct dash *d)
{
	return d->npages ? &dash_page(d)->filter : &d->filter;
}
/* Puts the cursor on the next row that shows d->search, in the page or the view. False: none does. */
bool dash_search(struct dash *d, bool from_next);
/* What the last line says until the next key. */
void dash_say(struct dash *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void dash_open_view(struct dash *d, enum tui_view view);
void dash_open_page(struct dash *d); /* of the row under the cursor */
void dash_close_page(struct dash *d);
void dash_pause(struct dash *d);

/* A press of the first button on a cell of the screen; returns what dash_key does. (dash_mouse.c) */
unsigned int dash_click(struct dash *d, int y, int x);

/* The line that is typed. (prompt.c) */
void prompt_open(struct dash *d, enum dash_prompt prompt);
void prompt_key(struct dash *d, int key);
/* A character more in a line of `size` bytes, if the key is one; the last one less. */
void line_append(char *line, size_t size, int key);
void line_erase(char *line);
/* The words that could stand at the end of a filter; completes d->input by what they share. (complete.c) */
void complete_filter(struct dash *d);

/* F2. (setup.c) */
unsigned int setup_key(struct dash *d, int key);
void setup_draw(struct dash *d);

/* Writes what the open view or page shows: as CSV to a name in .csv (of a page: the table of the
 * cursor), as JSON to one in .json, else as text. Never over a file that is there. 0, or a negative
 * errno with *fail filled. (export.c) */
int export_view(struct dash *d, const char *path, struct fail *fail);
/* A name that is not taken: "ipctap-talk-2.txt", "ipctap-process-1.txt" of a page. */
void export_name(const struct dash *d, char *buf, size_t size);

/*
 * Columns, colours, lines, order, shapes and interval in a file (tui_config_path): lines of "word = value", "#"
 * begins a comment. (config.c) Loading takes what it understands and returns -EINVAL, naming the
 * first line that it does not; no file is no error. Saving replaces the file as a whole.
 */
int config_load(struct dash *d, const char *path, struct fail *fail);
/* Loads opts->config, if there is one, and keeps it for F2; what went wrong is d->message. */
void dash_configure(struct dash *d);
int config_save(const struct dash *d, const char *path, struct fail *fail);
/* Saves, where there is a file; only what goes wrong is said. False: nothing was saved. */
bool dash_keep(struct dash *d);

/* Lines about deadlocks from y on, at most `height`; returns how many. (findings_draw.c) */
int findings_draw(const struct waittree *waits, uint64_t now_ns, struct grid *g, int y, int height);

/* Talk as boxes and arrows, and as a matrix of who to whom. (graph_draw.c, matrix.c) */
void graph_draw(struct table *t, struct grid *g, int y, int height);
void matrix_draw(struct table *t, struct grid *g, int y, int height);

/* The help screen's lines from help_top on; returns how many lines there are in all. (help.c) */
int help_draw(struct dash *d, int y, int height);

#endif
