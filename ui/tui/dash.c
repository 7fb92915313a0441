// SPDX-License-Identifier: GPL-2.0-or-later
/* The dashboard's state and what keys do to it; see dash.h. Drawing is dash_draw.c. */
#include "ui/tui/dash.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/escape.h"
#include "ui/tui/keys.h"

#define SCROLL_COLUMNS 8

static const double intervals_s[] = { 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60 };
#define NINTERVALS (sizeof(intervals_s) / sizeof(intervals_s[0]))

const struct row *dash_cursor_row(const struct dash *d)
{
	return d->npages ? page_cursor_row(&d->pages[d->npages - 1]) :
			   table_cursor_row(&d->frame.tables[d->view]);
}

void dash_sync(struct dash *d)
{
	if (!d->frame.scan.model)
		return;
	d->frame.scan.model = d->opts->model;
	for (int i = 0; i < VIEW_MAX; i++)
		d->frame.tables[i].scan.model = d->opts->model;
}

int dash_init(struct dash *d, const struct tui_opts *opts, struct fail *fail)
{
	int err;

	*d = (struct dash){
		.opts = opts,
		.view = opts->view < VIEW_MAX ? opts->view : VIEW_PROCESSES,
		.interval_s = opts->interval_s,
		.verb = opts->verb ? opts->verb : "top",
		.theme = opts->mono ? THEME_MONO : THEME_AUTO,
		.history = history_new(),
	};
	escape_text(d->title, sizeof(d->title), opts->title ? opts->title : "", SIZE_MAX);
	err = frame_init(&d->frame);
	if (!err)
		err = d->history ? grid_init(&d->grid, DASH_MIN_ROWS, DASH_MIN_COLS) : -ENOMEM;
	if (err)
		return fail_set(fail, -err, NULL, "cannot set up the dashboard");
	d->filter.tags = &d->tags;
	for (int i = 0; i < VIEW_MAX; i++)
		d->frame.tables[i].filter = &d->filter;
	d->frame.history = d->history;
	return opts->sort ? table_sort_by(dash_table(d), opts->sort, fail) : 0;
}

static void close_page(struct dash *d)
{
	if (d->npages)
		page_release(&d->pages[--d->npages]);
}

void dash_release(struct dash *d)
{
	while (d->npages)
		close_page(d);
	rowfilter_release(&d->filter);
	history_free(d->history);
	frame_release(&d->frame);
	grid_release(&d->grid);
}

static int scan_page(struct dash *d)
{
	struct page *p = dash_page(d);

	return p ? page_scan(p, &d->frame.scan, d->history) : 0;
}

int dash_refresh(struct dash *d, const struct tui_opts *opts, uint64_t now_ns)
{
	struct frame_sources sources = { .filter = opts->filter, .tail = opts->tail };
	int err;

	d->opts = opts;
	if (d->paused)
		return 0;
	if (opts->waits)
		sources.waits = opts->waits(opts->arg);
	err = frame_refresh(&d->frame, opts->model, &sources, now_ns, d->view, opts->all_views);
	return err ? err : scan_page(d);
}

static void no_memory(struct dash *d)
{
	snprintf(d->message, sizeof(d->message), "out of memory");
}

/* Views that this frame has not taken are arranged when they are. */
void dash_arrange(struct dash *d)
{
	for (int i = 0; i < VIEW_MAX; i++)
		if (table_arrange(&d->frame.tables[i]) < 0)
			no_memory(d);
}

static void open_view(struct dash *d, enum tui_view view)
{
	while (d->npages)
		close_page(d);
	d->view = view;
	if (!d->paused && d->frame.scan.model && frame_take(&d->frame, view) < 0)
		no_memory(d);
	if (d->followed[0])
		table_move_to_followed(dash_table(d));
}

/* What is shown while the model goes on is to be taken now, all of it. */
static void pause(struct dash *d)
{
	for (int i = 0; i < VIEW_MAX && d->frame.scan.model; i++)
		if (frame_take(&d->frame, (enum tui_view)i) < 0 ||
		    table_fill_rows(&d->frame.tables[i]) < 0)
			no_memory(d);
	d->paused = true;
}

/* ---- pages ---- */

static void open_page(struct dash *d)
{
	const struct row *row = dash_cursor_row(d);
	struct row_key subject;
	struct page *p;

	if (!row || !page_subject(row, &subject)) {
		snprintf(d->message, sizeof(d->message), "%s",
			 row ? "there is nothing more to show of that" : "move to a row first");
		return;
	}
	if (d->npages && row_keys_equal(&subject, &dash_page(d)->subject))
		return;
	if (d->npages == DASH_PAGES_MAX) {
		snprintf(d->message, sizeof(d->message), "no deeper than that; Backspace goes back");
		return;
	}
	p = &d->pages[d->npages];
	for (int i = 0; i < VIEW_MAX && !d->paused; i++)
		frame_take(&d->frame, (enum tui_view)i); /* for their rates */
	if (page_init(p, &subject, &d->frame, d->paused) < 0 || page_scan(p, &d->frame.scan, d->history) < 0) {
		page_release(p);
		no_memory(d);
		return;
	}
	d->npages++;
}

/* Marks the rows of the process under the cursor in every view; again: of nobody. */
static void follow(struct dash *d)
{
	const struct row *row = dash_cursor_row(d);
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

static void tag(struct dash *d)
{
	const struct row *row = dash_cursor_row(d);

	if (!row) {
		snprintf(d->message, sizeof(d->message), "move to a row first");
		return;
	}
	tags_toggle(&d->tags, &row->key);
	dash_arrange(d);
	if (!d->npages)
		table_move(dash_table(d), 1);
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
		d->cover = COVER_NONE;
	}
	return DASH_NOTHING;
}

static bool page_action(struct dash *d, struct page *p, enum action action)
{
	long half = p->height > 2 ? p->height - 2 : 1;

	switch (action) {
	case ACTION_UP:
		page_move(p, -1);
		return true;
	case ACTION_DOWN:
		page_move(p, 1);
		return true;
	case ACTION_PAGE_UP:
		page_move(p, -half);
		return true;
	case ACTION_PAGE_DOWN:
		page_move(p, half);
		return true;
	case ACTION_HOME:
		page_move_to_end(p, false);
		return true;
	case ACTION_END:
		page_move_to_end(p, true);
		return true;
	case ACTION_LEFT:
		p->left = p->left > SCROLL_COLUMNS ? p->left - SCROLL_COLUMNS : 0;
		return true;
	case ACTION_RIGHT:
		p->left += p->left < 10 * d->grid.cols ? SCROLL_COLUMNS : 0;
		return true;
	default:
		return false;
	}
}

/* Actions that move the cursor or what is in sight; false: another one. */
static bool move_action(struct dash *d, enum action action)
{
	struct table *t = dash_table(d);

	if (d->npages)
		return page_action(d, dash_page(d), action);
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
	struct table *t = dash_table(d);

	if (action == ACTION_INVERT)
		t->inverted = !t->inverted;
	else
		table_sort_step(t, action == ACTION_SORT_NEXT ? 1 : -1);
	dash_arrange(d);
}

static void change_shape(struct dash *d)
{
	struct table *t = dash_table(d);

	if (!t->view->shapes) {
		snprintf(d->message, sizeof(d->message), "%s is a list, and nothing else",
			 t->view->name);
		return;
	}
	table_shape_step(t);
	t->left = 0;
	if (table_arrange(t) < 0)
		no_memory(d);
}

static void search_next(struct dash *d)
{
	if (!d->search[0] || !table_search(dash_table(d), d->search, true))
		snprintf(d->message, sizeof(d->message), "%s",
			 d->search[0] ? "no row shows that" : "nothing to search for: F3 first");
}

static void ask_how_to_end(struct dash *d)
{
	const struct row *row = dash_cursor_row(d);

	if (row && row->nends)
		d->cover = COVER_END_HOW;
	else
		snprintf(d->message, sizeof(d->message), "move to the row of a process first");
}

/* Keys that make no sense on a page. */
static bool is_of_view(enum action action)
{
	return action == ACTION_SEARCH || action == ACTION_SEARCH_NEXT || action == ACTION_FILTER ||
	       action == ACTION_SHAPE || action == ACTION_SORT_NEXT || action == ACTION_SORT_PREV ||
	       action == ACTION_INVERT || action == ACTION_EXPORT;
}

static unsigned int view_action(struct dash *d, enum action action)
{
	if (d->npages) {
		snprintf(d->message, sizeof(d->message), "not on a page; Backspace goes back");
		return DASH_NOTHING;
	}
	switch (action) {
	case ACTION_SEARCH:
		prompt_open(d, PROMPT_SEARCH);
		break;
	case ACTION_SEARCH_NEXT:
		search_next(d);
		break;
	case ACTION_FILTER:
		prompt_open(d, PROMPT_FILTER);
		break;
	case ACTION_EXPORT:
		prompt_open(d, PROMPT_EXPORT);
		break;
	case ACTION_SHAPE:
		change_shape(d);
		break;
	default:
		sort_action(d, action);
	}
	return DASH_NOTHING;
}

static unsigned int other_action(struct dash *d, enum action action)
{
	switch (action) {
	case ACTION_VIEW_1:
	case ACTION_VIEW_2:
	case ACTION_VIEW_3:
	case ACTION_VIEW_4:
	case ACTION_VIEW_5:
		open_view(d, (enum tui_view)(action - ACTION_VIEW_1));
		break;
	case ACTION_NEXT_VIEW:
		open_view(d, (d->view + 1) % VIEW_MAX);
		break;
	case ACTION_OPEN:
		open_page(d);
		break;
	case ACTION_BACK:
		close_page(d);
		break;
	case ACTION_FOLLOW:
		follow(d);
		break;
	case ACTION_TAG:
		tag(d);
		break;
	case ACTION_UNTAG:
		d->tags.n = 0;
		dash_arrange(d);
		break;
	case ACTION_END_HOW:
		ask_how_to_end(d);
		break;
	case ACTION_THEME:
		d->theme = (d->theme + 1) % THEME_MAX;
		snprintf(d->message, sizeof(d->message), "colours: %s", theme_words[d->theme]);
		return DASH_REDRAW;
	case ACTION_PAUSE:
		if (!d->paused) {
			pause(d);
			break;
		}
		d->paused = false;
		return DASH_REFRESH;
	case ACTION_SLOWER:
		return change_interval(d, 1);
	case ACTION_FASTER:
		return change_interval(d, -1);
	case ACTION_HELP:
		d->cover = COVER_HELP;
		d->help_top = 0;
		break;
	case ACTION_SETUP:
		d->cover = COVER_SETUP;
		d->setup_at = 0;
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

/* ---- the mouse ---- */

/* The header sorts, again the other way round; a row takes the cursor, again opens its page. */
static unsigned int table_click(struct dash *d, int y, int x)
{
	struct table *t = dash_table(d);
	size_t at = t->top + (size_t)(y - d->table_y - 1);

	if (t->shape == SHAPE_AS_GRAPH || t->shape == SHAPE_AS_MATRIX)
		return DASH_NOTHING;
	if (y == d->table_y) {
		int column = table_column_at(t, d->grid.cols, x);

		if (column < 0)
			return DASH_NOTHING;
		t->inverted = column == t->sort && !t->inverted;
		t->sort = column;
		dash_arrange(d);
		return DASH_NOTHING;
	}
	if (y < d->table_y || at >= t->nshown || y >= d->grid.rows - 1)
		return DASH_NOTHING;
	if (table_cursor_row(t) == t->shown[at])
		open_page(d);
	else
		table_move_to(t, at);
	return DASH_NOTHING;
}

static unsigned int click(struct dash *d, int y, int x)
{
	for (int i = 0; i < d->nhits; i++) {
		const struct dash_hit *h = &d->hits[i];

		if (y == h->y && x >= h->x && x < h->x + h->width)
			return dash_key(d, h->key);
	}
	if (d->cover != COVER_NONE || d->prompt != PROMPT_NONE)
		return DASH_NOTHING;
	if (!d->npages)
		return table_click(d, y, x);
	if (y < d->grid.rows - 1) {
		const struct row *before = page_cursor_row(dash_page(d));

		if (page_click(dash_page(d), y - d->table_y) && before == page_cursor_row(dash_page(d)))
			open_page(d);
	}
	return DASH_NOTHING;
}

unsigned int dash_key(struct dash *d, int key)
{
	enum action action = keys_action(key);

	d->message[0] = '\0';
	dash_sync(d);
	if (key == KEY_TERMINAL_RESIZED)
		return DASH_REDRAW;
	if (key_is_click(key))
		return click(d, (key - KEY_CLICK) / 1024, (key - KEY_CLICK) % 1024);
	if (d->prompt != PROMPT_NONE) {
		prompt_key(d, key);
		return DASH_NOTHING;
	}
	if (d->cover != COVER_NONE && key == KEY_F10)
		return DASH_QUIT;
	switch (d->cover) {
	case COVER_HELP:
		return help_key(d, action);
	case COVER_SETUP:
		return setup_key(d, key);
	case COVER_END_HOW:
		d->cover = COVER_NONE;
		return DASH_NOTHING;
	default:
		break;
	}
	if (move_action(d, action))
		return DASH_NOTHING;
	return is_of_view(action) ? view_action(d, action) : other_action(d, action);
}
