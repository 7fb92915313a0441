// SPDX-License-Identifier: GPL-2.0-or-later
/* The help screen: the keys and the open view's columns from their tables, and the filter. */
#include <stddef.h>

#include "ui/tui/dash.h"
#include "ui/tui/keys.h"

#define KEY_COLUMN 12

/* Draws one line where it is in sight; counts all. */
struct help {
	struct grid *g;
	int top, y, height;
	int n;
};

static void help_line(struct help *h, const char *key, const char *what, enum style style)
{
	int line = h->n++ - h->top;

	if (line < 0 || line >= h->height)
		return;
	if (!key) {
		grid_text(h->g, h->y + line, 1, h->g->cols - 2, what, style);
		return;
	}
	grid_text(h->g, h->y + line, 3, KEY_COLUMN - 1, key, style);
	grid_text(h->g, h->y + line, 3 + KEY_COLUMN, h->g->cols - KEY_COLUMN - 4, what,
		  STYLE_NORMAL);
}

static void help_title(struct help *h, const char *text)
{
	if (h->n)
		help_line(h, NULL, "", STYLE_NORMAL);
	help_line(h, NULL, text, STYLE_TITLE);
}

static const struct {
	const char *word, *what;
} filter_words[] = {
	{ "text", "rows that show it; upper and lower case are the same" },
	{ "!text", "rows that do not" },
	{ "two words", "rows that match both" },
	{ "pid=12,34", "rows that have to do with one of these processes" },
	{ "comm=dd*", "the same by name; * ? [ ] as in a shell" },
	{ "kind=pipe", "by kind of channel; op= by call; chan= by number, name or ident" },
	{ "latency>1ms", "by number: latency, slept, bytes, ret, fd; = != < <= > >=" },
	{ "blocked", "that sleep; error: that failed; tagged: that you tagged (x)" },
};

int help_draw(struct dash *d, int y, int height)
{
	struct help h = { .g = &d->grid, .top = d->help_top, .y = y, .height = height };
	const struct view *view = views[d->view];

	help_title(&h, "Keys");
	for (int i = 0; i < keys_nbindings; i++)
		if (keys_bindings[i].what &&
		    !(d->opts->takes_key && d->opts->takes_key(keys_bindings[i].key)))
			help_line(&h, keys_bindings[i].keys, keys_bindings[i].what, STYLE_KEY);
	help_title(&h, "Filter (F4): words between blanks, in every view");
	for (size_t i = 0; i < sizeof(filter_words) / sizeof(filter_words[0]); i++)
		help_line(&h, filter_words[i].word, filter_words[i].what, STYLE_KEY);
	help_title(&h, "Columns of this view (- not known, ~ approximate)");
	for (int i = 0; i < view->ncolumns; i++)
		if (view->columns[i].width)
			help_line(&h, view->columns[i].name, view->columns[i].what, STYLE_KEY);
	return h.n;
}
