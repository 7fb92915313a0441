// SPDX-License-Identifier: GPL-2.0-or-later
/* The dashboard's state and what keys do to it; see dash.h. Drawing is dash_draw.c. */
#include "ui/tui/dash.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <wctype.h>

#include "lib/base/escape.h"
#include "ui/tui/keys.h"

#define SCROLL_COLUMNS 8

static const double intervals_s[] = { 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60 };
#define NINTERVALS (sizeof(intervals_s) / sizeof(intervals_s[0]))

static struct table *open_table(struct dash *d)
{
	return &d->frame.tables[d->view];
}

int dash_init(struct dash *d, const struct tui_opts *opts, struct fail *fail)
{
	int err;

	*d = (struct dash){
		.view = opts->view < VIEW_MAX ? opts->view : VIEW_PROCESSES,
		.interval_s = opts->interval_s,
		.verb = opts->verb ? opts->verb : "top",
	};
	escape_text(d->title, sizeof(d->title), opts->title ? opts->title : "", SIZE_MAX);
	err = frame_init(&d->frame);
	if (!err)
		err = grid_init(&d->grid, DASH_MIN_ROWS, DASH_MIN_COLS);
	if (err)
		return fail_set(fail, -err, NULL, "cannot set up the dashboard");
	for (int i = 0; i < VIEW_MAX; i++)
		d->frame.tables[i].filter = d->filter;
	return opts->sort ? table_sort_by(open_table(d), opts->sort, fail) : 0;
}

void dash_release(struct dash *d)
{
	frame_release(&d->frame);
	grid_release(&d->grid);
}

int dash_refresh(struct dash *d, const struct tui_opts *opts, uint64_t now_ns)
{
	return d->paused ? 0 : frame_refresh(&d->frame, opts->model, opts->filter, now_ns);
}

static void arrange_all(struct dash *d)
{
	for (int i = 0; i < VIEW_MAX; i++)
		if (table_arrange(&d->frame.tables[i]) < 0)
			snprintf(d->message, sizeof(d->message), "out of memory");
}

static void open_view(struct dash *d, enum tui_view view)
{
	d->view = view;
	if (d->followed[0])
		table_move_to_followed(open_table(d));
}

/* Marks the rows of the process under the cursor in every view; again: of nobody. */
static void follow(struct dash *d)
{
	const struct row *row = table_cursor_row(open_table(d));
	const struct row_end *end = row && row->nends ? &row->ends[0] : NULL;
	bool off = d->followed[0];

	if (!off && !end) {
		snprintf(d->message, sizeof(d->message), "move to the row of a process first");
		return;
	}
	d->followed[0] = '\0';
	if (!off)
		snprintf(d->followed, sizeof(d->followed), "%.64s[%u]", end->comm, end->pid);
	for (int i = 0; i < VIEW_MAX; i++) {
		struct table *t = &d->frame.tables[i];

		t->followed_pid = off ? 0 : end->pid;
		t->followed_since_ns = off ? 0 : end->since_ns;
		t->keep_in_sight = !off;
	}
}

static unsigned int change_interval(struct dash *d, int step)
{
	size_t i = 0;

	if (step > 0) {
		while (i < NINTERVALS - 1 && intervals_s[i] <= d->interval_s)
			i++;
	} else {
		i = NINTERVALS - 1;
		while (i > 0 && intervals_s[i] >= d->interval_s)
			i--;
	}
	d->interval_s = intervals_s[i];
	return DASH_NOTHING;
}

/* ---- the line that is typed ---- */

static void prompt_open(struct dash *d, enum dash_prompt prompt)
{
	d->prompt = prompt;
	snprintf(d->input, sizeof(d->input), "%s", prompt == PROMPT_FILTER ? d->filter : "");
	memcpy(d->before, d->filter, sizeof(d->before));
	d->mark = table_mark(open_table(d));
}

/* Rows follow what is typed, letter by letter. */
static void prompt_apply(struct dash *d)
{
	if (d->prompt == PROMPT_FILTER) {
		memcpy(d->filter, d->input, sizeof(d->filter));
		arrange_all(d);
		return;
	}
	memcpy(d->search, d->input, sizeof(d->search));
	table_go_back(open_table(d), &d->mark); /* each letter searches from where it began */
	if (d->search[0] && !table_search(open_table(d), d->search, false))
		snprintf(d->message, sizeof(d->message), "no row shows that");
}

static void input_append(struct dash *d, int key)
{
	size_t len = strlen(d->input), n;
	mbstate_t state = { 0 };
	char buf[MB_LEN_MAX];

	if (key < ' ' || key >= KEY_SPECIAL || !iswprint((wint_t)key))
		return;
	n = wcrtomb(buf, (wchar_t)key, &state);
	if (n == (size_t)-1 || len + n >= sizeof(d->input))
		return;
	memcpy(d->input + len, buf, n);
	d->input[len + n] = '\0';
}

static void input_erase(struct dash *d)
{
	size_t len = strlen(d->input);

	while (len > 0 && ((unsigned char)d->input[--len] & 0xc0) == 0x80)
		;
	d->input[len] = '\0';
}

static void prompt_key(struct dash *d, int key)
{
	switch (key) {
	case KEY_RETURN:
	case '\r':
		d->prompt = PROMPT_NONE;
		return;
	case KEY_ESCAPE:
		if (d->prompt == PROMPT_FILTER) {
			memcpy(d->input, d->before, sizeof(d->input));
			prompt_apply(d);
		} else {
			table_go_back(open_table(d), &d->mark);
		}
		d->prompt = PROMPT_NONE;
		d->message[0] = '\0';
		return;
	case KEY_ERASE:
		input_erase(d);
		break;
	case KEY_CTRL_U:
		d->input[0] = '\0';
		break;
	default:
		input_append(d, key);
	}
	prompt_apply(d);
}

/* ---- keys ---- */

/* Any key that does not scroll leaves the help. */
static unsigned int help_key(struct dash *d, enum action action)
{
	switch (action) {
	case ACTION_UP:
		d->help_top--;
		break;
	case ACTION_DOWN:
		d->help_top++;
		break;
	case ACTION_PAGE_UP:
		d->help_top -= d->grid.rows / 2;
		break;
	case ACTION_PAGE_DOWN:
		d->help_top += d->grid.rows / 2;
		break;
	case ACTION_HOME:
		d->help_top = 0;
		break;
	case ACTION_END:
		d->help_top = INT_MAX / 2; /* dash_draw knows where it ends */
		break;
	case ACTION_REDRAW:
		return DASH_REDRAW;
	default:
		d->help = false;
	}
	return DASH_NOTHING;
}

/* Actions that move the cursor or what is in sight; false: another one. */
static bool move_action(struct dash *d, enum action action)
{
	struct table *t = open_table(d);

	switch (action) {
	case ACTION_UP:
		table_move(t, -1);
		return true;
	case ACTION_DOWN:
		table_move(t, 1);
		return true;
	case ACTION_PAGE_UP:
		table_move(t, -(long)t->page);
		return true;
	case ACTION_PAGE_DOWN:
		table_move(t, t->page);
		return true;
	case ACTION_HOME:
		table_move_to(t, 0);
		return true;
	case ACTION_END:
		table_move_to(t, t->nshown ? t->nshown - 1 : 0);
		return true;
	case ACTION_LEFT:
		table_scroll_sideways(t, &d->grid, -SCROLL_COLUMNS);
		return true;
	case ACTION_RIGHT:
		table_scroll_sideways(t, &d->grid, SCROLL_COLUMNS);
		return true;
	default:
		return false;
	}
}

static void sort_action(struct dash *d, enum action action)
{
	struct table *t = open_table(d);

	if (action == ACTION_INVERT)
		t->inverted = !t->inverted;
	else
		table_sort_step(t, action == ACTION_SORT_NEXT ? 1 : -1);
	arrange_all(d);
}

static void search_next(struct dash *d)
{
	if (!d->search[0] || !table_search(open_table(d), d->search, true))
		snprintf(d->message, sizeof(d->message), "%s",
			 d->search[0] ? "no row shows that" : "nothing to search for: F3 first");
}

static unsigned int other_action(struct dash *d, enum action action)
{
	switch (action) {
	case ACTION_VIEW_1:
	case ACTION_VIEW_2:
	case ACTION_VIEW_3:
	case ACTION_VIEW_4:
		open_view(d, (enum tui_view)(action - ACTION_VIEW_1));
		break;
	case ACTION_NEXT_VIEW:
		open_view(d, (d->view + 1) % VIEW_MAX);
		break;
	case ACTION_SEARCH:
		prompt_open(d, PROMPT_SEARCH);
		break;
	case ACTION_SEARCH_NEXT:
		search_next(d);
		break;
	case ACTION_FILTER:
		prompt_open(d, PROMPT_FILTER);
		break;
	case ACTION_SORT_NEXT:
	case ACTION_SORT_PREV:
	case ACTION_INVERT:
		sort_action(d, action);
		break;
	case ACTION_FOLLOW:
		follow(d);
		break;
	case ACTION_PAUSE:
		d->paused = !d->paused;
		return d->paused ? DASH_NOTHING : DASH_REFRESH;
	case ACTION_SLOWER:
		return change_interval(d, 1);
	case ACTION_FASTER:
		return change_interval(d, -1);
	case ACTION_HELP:
		d->help = true;
		d->help_top = 0;
		break;
	case ACTION_REDRAW:
		return DASH_REDRAW;
	case ACTION_QUIT:
		return DASH_QUIT;
	default:
		break;
	}
	return DASH_NOTHING;
}

unsigned int dash_key(struct dash *d, int key)
{
	enum action action = keys_action(key);

	d->message[0] = '\0';
	if (key == KEY_TERMINAL_RESIZED)
		return DASH_REDRAW;
	if (d->prompt != PROMPT_NONE) {
		prompt_key(d, key);
		return DASH_NOTHING;
	}
	if (d->help)
		return action == ACTION_QUIT && key == KEY_F10 ? DASH_QUIT : help_key(d, action);
	if (move_action(d, action))
		return DASH_NOTHING;
	return other_action(d, action);
}
