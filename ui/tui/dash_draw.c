// SPDX-License-Identifier: GPL-2.0-or-later
/* The dashboard's screen, from top to bottom; see dash.h. */
#include "ui/tui/dash.h"

#include <stdio.h>

#include "ui/tui/keys.h"

static const char *state_word(const struct dash *d)
{
	if (d->paused)
		return "PAUSED";
	return d->ended ? "ended" : "";
}

/* The program, what it looks at, and how often. */
static void draw_title(struct dash *d, int y)
{
	struct grid *g = &d->grid;
	const char *state = state_word(d);
	char every[48];
	int width, x;

	snprintf(every, sizeof(every), "%s%severy %gs", state, *state ? ", " : "", d->interval_s);
	width = grid_text_width(g, every);
	x = 1 + grid_print(g, y, 1, 20, STYLE_TITLE, "ipctap %s", d->verb) + 2;
	grid_text(g, y, x, g->cols - x - 2 - width, d->title, STYLE_NORMAL);
	grid_text(g, y, g->cols - width - 1, width, every,
		  d->paused ? STYLE_WARN : d->ended ? STYLE_DIM : STYLE_NORMAL);
}

/* The figures; losses get a line of their own, for they put all the others in doubt. */
static int draw_figures(struct dash *d, int y)
{
	struct grid *g = &d->grid;
	char buf[FRAME_TEXT_SIZE];
	int x = 1;

	if (d->frame.lost) {
		grid_text(g, y, 1, g->cols - 2, frame_losses(&d->frame, buf), STYLE_ALERT);
		y++;
	} else {
		x += grid_text(g, y, x, g->cols - 2, "lost 0", STYLE_GOOD) + 2;
	}
	grid_text(g, y, x, g->cols - 1 - x, frame_figures(&d->frame, buf), STYLE_NORMAL);
	return y + 1;
}

static void draw_tabs(struct dash *d, int y)
{
	const struct table *t = &d->frame.tables[d->view];
	struct grid *g = &d->grid;
	char state[384];
	int x = 1, width;

	for (int i = 0; i < VIEW_MAX; i++) {
		bool open = i == (int)d->view;

		x += grid_print(g, y, x, g->cols - x, open ? STYLE_TITLE : STYLE_KEY, "%d", i + 1);
		x += 1 + grid_text(g, y, x + 1, g->cols - x, views[i]->name,
				   open ? STYLE_TITLE : STYLE_NORMAL) + 2;
	}
	snprintf(state, sizeof(state), "%s%s%s%s%s%s", d->followed[0] ? "following " : "",
		 d->followed, d->followed[0] && d->filter[0] ? ", " : "",
		 d->filter[0] ? "filter '" : "", d->filter, d->filter[0] ? "'" : "");
	width = g->cols - x - 1;
	if (state[0])
		grid_text_right(g, y, x, width, state, STYLE_WARN);
	else
		grid_print(g, y, g->cols - 15, 14, STYLE_DIM, "%8zu row%s", t->nshown,
			   t->nshown == 1 ? " " : "s");
}

static void draw_keys(struct grid *g, int y)
{
	int x = 1;

	for (int i = 0; i < keys_nbindings; i++) {
		const struct binding *b = &keys_bindings[i];

		if (!b->footer)
			continue;
		x += grid_text(g, y, x, g->cols - x, b->footer_key, STYLE_KEY) + 1;
		x += grid_text(g, y, x, g->cols - x, b->footer, STYLE_NORMAL) + 1;
	}
}

/* The end of the input is what is being typed: a long one loses its beginning. */
static void draw_prompt(struct dash *d, int y)
{
	struct grid *g = &d->grid;
	const char *label = d->prompt == PROMPT_SEARCH ? "Search: " : "Filter: ";
	const char *hint = "Enter keep  Esc leave", *input = d->input;
	int x, room;

	x = 1 + grid_text(g, y, 1, g->cols - 1, label, STYLE_KEY);
	room = g->cols - x - 2 - grid_text_width(g, hint) - 2;
	while (*input && grid_text_width(g, input) > room) {
		do
			input++;
		while (((unsigned char)*input & 0xc0) == 0x80);
	}
	x += grid_text(g, y, x, room, input, STYLE_NORMAL);
	grid_restyle(g, y, x, 1, STYLE_SELECTED); /* the text cursor */
	grid_text_right(g, y, x + 1, g->cols - x - 2, d->message[0] ? d->message : hint,
			d->message[0] ? STYLE_WARN : STYLE_DIM);
}

static void draw_footer(struct dash *d, int y)
{
	if (d->prompt != PROMPT_NONE)
		draw_prompt(d, y);
	else if (d->message[0])
		grid_text(&d->grid, y, 1, d->grid.cols - 2, d->message, STYLE_WARN);
	else
		draw_keys(&d->grid, y);
}

static void draw_help(struct dash *d)
{
	struct grid *g = &d->grid;
	int page = g->rows - 1;
	/* Drawn from where it was asked for; where that is past the end, once more from the last page. */
	int lines = help_draw(g, views[d->view], d->help_top, 0, page);
	int last = lines > page ? lines - page : 0, top = d->help_top;

	top = top > last ? last : top < 0 ? 0 : top;
	if (top != d->help_top) {
		d->help_top = top;
		grid_clear(g);
		help_draw(g, views[d->view], top, 0, page);
	}
	grid_print(g, g->rows - 1, 1, g->cols - 2, STYLE_DIM,
		   "Up, Down, PgUp, PgDn: lines %d to %d of %d.  Any other key: back", top + 1,
		   top + page < lines ? top + page : lines, lines);
}

int dash_draw(struct dash *d, int rows, int cols)
{
	struct table *t = &d->frame.tables[d->view];
	struct grid *g = &d->grid;
	int y = 0, err = grid_resize(g, rows, cols);

	if (err)
		return err;
	if (rows < DASH_MIN_ROWS || cols < DASH_MIN_COLS) {
		grid_print(g, 0, 0, cols, STYLE_ALERT, "too small: %dx%d, needs %dx%d", cols, rows,
			   DASH_MIN_COLS, DASH_MIN_ROWS);
		return 0;
	}
	if (d->help) {
		draw_help(d);
		return 0;
	}
	draw_title(d, y++);
	y = draw_figures(d, y);
	draw_tabs(d, y++);
	table_draw(t, g, y, rows - 1 - y);
	if (!t->nshown)
		grid_text(g, y + 2, 3, cols - 4,
			  t->rows.n ? "no row matches the filter (F4)" : "nothing yet", STYLE_DIM);
	draw_footer(d, rows - 1);
	return 0;
}
