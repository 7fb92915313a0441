/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The dashboard without a terminal: keys go in, a grid comes out. Everything that can be seen is
 * drawn here, so that a test can press keys and read screens.
 *
 *     ops/s, losses        two or three lines; losses have one of their own, with the remedy
 *     1 Processes  2 …     the views, and what filter and follow hide or mark
 *     PID COMM …           the table
 *     F1 Help  F3 …        the keys, or the line that is being typed
 */
#ifndef IPCTAP_UI_TUI_DASH_H
#define IPCTAP_UI_TUI_DASH_H

#include "ui/tui/frame.h"
#include "ui/tui/tui.h"

#define DASH_MIN_ROWS 10
#define DASH_MIN_COLS 60
#define DASH_INPUT_SIZE 128

enum dash_prompt { PROMPT_NONE, PROMPT_SEARCH, PROMPT_FILTER };

struct dash {
	struct frame frame;
	enum tui_view view;
	const char *verb;
	char title[512]; /* escaped */
	double interval_s;
	bool paused, ended, help;
	int help_top;
	enum dash_prompt prompt;
	char input[DASH_INPUT_SIZE]; /* what is being typed */
	char filter[DASH_INPUT_SIZE], search[DASH_INPUT_SIZE];
	char before[DASH_INPUT_SIZE]; /* the filter when F4 was pressed: Esc goes back to it */
	struct table_mark mark;       /* the cursor when F3 was pressed: likewise */
	char followed[96];            /* "comm[pid]", empty: nobody */
	char message[128];            /* until the next key */
	struct grid grid;
};

/* What a key asks of the loop around the dashboard. */
enum dash_wish {
	DASH_NOTHING = 0,
	DASH_QUIT = 1,
	DASH_REDRAW = 2,  /* the terminal may show something else: draw all of it */
	DASH_REFRESH = 4, /* take a new frame now */
};

/* Borrows *opts' texts. 0, -ENOMEM, or -EINVAL for a sort column that is not there. */
int dash_init(struct dash *d, const struct tui_opts *opts, struct fail *fail);
void dash_release(struct dash *d);

/* A new frame, unless paused. 0 or -ENOMEM. */
int dash_refresh(struct dash *d, const struct tui_opts *opts, uint64_t now_ns);
unsigned int dash_key(struct dash *d, int key); /* enum dash_wish, or-ed */
/* Draws into d->grid, in that size. 0 or -ENOMEM. */
int dash_draw(struct dash *d, int rows, int cols);

/* The help screen's lines from help_top on; returns how many lines there are in all. (help.c) */
int help_draw(struct grid *g, const struct view *view, int top, int y, int height);

#endif
