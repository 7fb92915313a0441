// SPDX-License-Identifier: GPL-2.0-or-later
/* What keys do to the dashboard; see dash.h. */
#include <limits.h>
#include <stdio.h>

#include "ui/tui/dash.h"
#include "ui/tui/keys.h"

#define SCROLL_COLUMNS 8

static const double intervals_s[] = { 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60 };
#define NINTERVALS (sizeof(intervals_s) / sizeof(intervals_s[0]))

static void follow_in(struct table *t, const struct row_end *end)
{
	t->followed_pid = end ? end->pid : 0;
	t->followed_since_ns = end ? end->since_ns : 0;
}

/* Marks the rows of the process under the cursor in every view; again: of nobody. */
static void follow(struct dash *d)
{
	const struct row *row = dash_cursor_row(d);
	const struct row_end *end = row && row->nends ? &row->ends[0] : NULL;
	bool off = d->followed[0];

	if (!off && !end) {
		dash_say(d, "move to the row of a process first");
		return;
	}
	d->followed[0] = '\0';
	if (!off)
		snprintf(d->followed, sizeof(d->followed), "%.64s[%u]", end->comm, end->pid);
	for (int i = 0; i < VIEW_MAX; i++) {
		follow_in(&d->frame.tables[i], off ? NULL : end);
		d->frame.tables[i].keep_in_sight = !off;
	}
	for (int i = 0; i < d->npages; i++)
		for (int k = 0; k < d->pages[i].ntables; k++)
			follow_in(&d->pages[i].tables[k], off ? NULL : end);
}

static void tag(struct dash *d)
{
	const struct row *row = dash_cursor_row(d);

	if (!row) {
		dash_say(d, "move to a row first");
		return;
	}
	tags_toggle(&d->tags, &row->key);
	dash_arrange(d);
	if (d->npages)
		page_move(dash_page(d), 1);
	else
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
	d->interval_s = d->kept.interval_s = intervals_s[i];
	dash_keep(d);
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
		page_scroll_sideways(p, &d->grid, -SCROLL_COLUMNS);
		return true;
	case ACTION_RIGHT:
		page_scroll_sideways(p, &d->grid, SCROLL_COLUMNS);
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

void dash_sorted_anew(struct dash *d)
{
	const struct table *t = dash_table(d);

	dash_arrange(d);
	d->kept.order[d->view].by = &t->view->columns[t->sort];
	d->kept.order[d->view].inverted = t->inverted;
	dash_keep(d);
}

static void sort_action(struct dash *d, enum action action)
{
	struct table *t = d->npages ? page_table_here(dash_page(d)) : dash_table(d);

	if (!t) {
		dash_say(d, "there are no rows here");
		return;
	}
	if (action == ACTION_INVERT)
		t->inverted = !t->inverted;
	else
		table_sort_step(t, action == ACTION_SORT_NEXT ? 1 : -1);
	if (!d->npages) {
		dash_sorted_anew(d);
		return;
	}
	dash_arrange_page(d);
	dash_say(d, "%s by %s%s", t->view->name, t->view->columns[t->sort].name,
		 t->inverted ? ", the other way round" : ""); /* its header may be out of sight */
}

static void change_shape(struct dash *d)
{
	struct table *t = dash_table(d);

	if (d->npages || !t->view->shapes) {
		dash_say(d, "%s is a list, and nothing else", d->npages ? "a page" : t->view->name);
		return;
	}
	table_shape_step(t);
	t->left = 0;
	dash_arrange(d);
	d->kept.shape[d->view] = true;
	dash_keep(d);
}

static void search_next(struct dash *d)
{
	if (!d->search[0])
		dash_say(d, "nothing to search for: F3 first");
	else if (!dash_search(d, true))
		dash_say(d, "no row shows that");
}

static void ask_how_to_end(struct dash *d)
{
	const struct row *row = dash_cursor_row(d);

	if (row && row->nends)
		d->cover = COVER_END_HOW;
	else
		dash_say(d, "move to the row of a process first");
}

/* False: none that is about which rows there are, and how. */
static bool rows_action(struct dash *d, enum action action)
{
	switch (action) {
	case ACTION_SEARCH:
		prompt_open(d, PROMPT_SEARCH);
		return true;
	case ACTION_SEARCH_NEXT:
		search_next(d);
		return true;
	case ACTION_FILTER:
		prompt_open(d, PROMPT_FILTER);
		return true;
	case ACTION_EXPORT:
		prompt_open(d, PROMPT_EXPORT);
		return true;
	case ACTION_SHAPE:
		change_shape(d);
		return true;
	case ACTION_SORT_NEXT:
	case ACTION_SORT_PREV:
	case ACTION_INVERT:
		sort_action(d, action);
		return true;
	default:
		return false;
	}
}

static unsigned int other_action(struct dash *d, enum action action)
{
	switch (action) {
	case ACTION_VIEW_1:
	case ACTION_VIEW_2:
	case ACTION_VIEW_3:
	case ACTION_VIEW_4:
	case ACTION_VIEW_5:
		dash_open_view(d, (enum tui_view)(action - ACTION_VIEW_1));
		break;
	case ACTION_NEXT_VIEW:
		dash_open_view(d, (d->view + 1) % VIEW_MAX);
		break;
	case ACTION_OPEN:
		dash_open_page(d);
		break;
	case ACTION_BACK:
		dash_close_page(d);
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
		dash_keep(d);
		dash_say(d, "colours: %s", theme_words[d->theme]);
		return DASH_REDRAW;
	case ACTION_PAUSE:
		if (!d->paused) {
			dash_pause(d);
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

unsigned int dash_key(struct dash *d, int key)
{
	enum action action = keys_action(key);

	d->message[0] = '\0';
	dash_sync(d);
	if (key == KEY_TERMINAL_RESIZED)
		return DASH_REDRAW;
	if (key_is_click(key))
		return dash_click(d, (key - KEY_CLICK) / 1024, (key - KEY_CLICK) % 1024);
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
	if (move_action(d, action) || rows_action(d, action))
		return DASH_NOTHING;
	return other_action(d, action);
}
