// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The dashboard's state: views, pages, refreshes; see dash.h. Keys are dash_keys.c, clicks dash_mouse.c,
 * drawing is dash_draw.c.
 */
#include "ui/tui/dash.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "lib/base/escape.h"

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
	for (int i = 0; i < d->npages; i++)
		for (int k = 0; k < d->pages[i].ntables; k++)
			d->pages[i].tables[k].scan.model = d->opts->model;
}

void dash_say(struct dash *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(d->message, sizeof(d->message), fmt, ap);
	va_end(ap);
}

int dash_init(struct dash *d, const struct tui_opts *opts, struct fail *fail)
{
	int err;

	*d = (struct dash){
		.opts = opts,
		.view = opts->view < VIEW_MAX ? opts->view : VIEW_PROCESSES,
		.interval_s = tui_interval_s(opts),
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

void dash_close_page(struct dash *d)
{
	if (d->npages)
		page_release(&d->pages[--d->npages]);
}

void dash_release(struct dash *d)
{
	while (d->npages)
		dash_close_page(d);
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
	struct frame_sources sources = { .filter = opts->filter,
					 .tail = opts->tail,
					 .tail_most = opts->tail_most };
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
	dash_say(d, "out of memory");
}

/* Views that this frame has not taken are arranged when they are. */
void dash_arrange(struct dash *d)
{
	for (int i = 0; i < VIEW_MAX; i++)
		if (table_arrange(&d->frame.tables[i]) < 0)
			no_memory(d);
	dash_arrange_page(d);
}

void dash_arrange_page(struct dash *d)
{
	if (d->npages && page_arrange(dash_page(d)) < 0)
		no_memory(d);
}

void dash_open_view(struct dash *d, enum tui_view view)
{
	while (d->npages)
		dash_close_page(d);
	d->view = view;
	if (!d->paused && d->frame.scan.model && frame_take(&d->frame, view) < 0)
		no_memory(d);
	if (d->followed[0])
		table_move_to_followed(dash_table(d));
}

/* What is shown while the model goes on is to be taken now, all of it. */
void dash_pause(struct dash *d)
{
	for (int i = 0; i < VIEW_MAX && d->frame.scan.model; i++)
		if (frame_take(&d->frame, (enum tui_view)i) < 0 ||
		    table_fill_rows(&d->frame.tables[i], LATE_ALL) < 0)
			no_memory(d);
	d->paused = true;
}

/* ---- pages ---- */

void dash_open_page(struct dash *d)
{
	const struct row *row = dash_cursor_row(d);
	struct row_key subject;
	struct page *p;

	if (!row || !page_subject(row, &subject)) {
		dash_say(d, row ? "there is nothing more to show of that" : "move to a row first");
		return;
	}
	if (d->npages && row_keys_equal(&subject, &dash_page(d)->subject))
		return;
	if (d->npages == DASH_PAGES_MAX) {
		dash_say(d, "no deeper than that; Backspace goes back");
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

bool dash_search(struct dash *d, bool from_next)
{
	return d->npages ? page_search(dash_page(d), d->search, from_next) :
			   table_search(dash_table(d), d->search, from_next);
}
