// SPDX-License-Identifier: GPL-2.0-or-later
/* F2: colours, lines, and which columns the open view has, in which order; kept in a file. */
#include <stdio.h>
#include <string.h>

#include "ui/tui/dash.h"
#include "ui/tui/keys.h"

enum { ITEM_COLOURS, ITEM_LINES, ITEM_COLUMNS };

/* The columns that can be shown: those that are, in their order, then the others. */
static int list_columns(const struct table *t, uint8_t list[COLUMNS_MAX])
{
	uint32_t shown = 0;
	int n = 0;

	for (; n < t->ncolumns; n++) {
		list[n] = t->columns[n];
		shown |= 1u << list[n];
	}
	for (int i = 0; i < t->view->ncolumns && i < COLUMNS_MAX; i++)
		if (t->view->columns[i].width && !(shown >> i & 1))
			list[n++] = (uint8_t)i;
	return n;
}

static int item_count(struct dash *d)
{
	uint8_t list[COLUMNS_MAX];

	return ITEM_COLUMNS + list_columns(dash_table(d), list);
}

static void toggle_column(struct dash *d, int at)
{
	struct table *t = dash_table(d);
	uint8_t list[COLUMNS_MAX];

	list_columns(t, list);
	if (at >= t->ncolumns) {
		t->columns[t->ncolumns++] = list[at];
		d->setup_at = ITEM_COLUMNS + t->ncolumns - 1; /* with the cursor on it */
	} else if (t->ncolumns > 1) {
		memmove(&t->columns[at], &t->columns[at + 1], (size_t)(t->ncolumns - at - 1));
		t->ncolumns--;
	} else {
		dash_say(d, "one column has to stay");
	}
}

static void move_column(struct dash *d, int at, int step)
{
	struct table *t = dash_table(d);
	int to = at + step;

	if (at < 0 || at >= t->ncolumns || to < 0 || to >= t->ncolumns)
		return;
	t->columns[at] ^= t->columns[to];
	t->columns[to] ^= t->columns[at];
	t->columns[at] ^= t->columns[to];
	d->setup_at += step;
}

static unsigned int change(struct dash *d)
{
	if (d->setup_at == ITEM_COLOURS) {
		d->theme = (d->theme + 1) % THEME_MAX;
		return DASH_REDRAW;
	}
	if (d->setup_at == ITEM_LINES)
		d->ascii_lines = !d->ascii_lines;
	else
		toggle_column(d, d->setup_at - ITEM_COLUMNS);
	return DASH_NOTHING;
}

static void leave(struct dash *d)
{
	d->cover = COVER_NONE;
	dash_arrange(d);
	if (dash_keep(d))
		dash_say(d, "kept in %.140s", d->config);
}

unsigned int setup_key(struct dash *d, int key)
{
	int n = item_count(d);

	switch (key) {
	case ' ':
	case KEY_RETURN:
		return change(d);
	case '<':
	case KEY_ARROW_LEFT:
		move_column(d, d->setup_at - ITEM_COLUMNS, -1);
		return DASH_NOTHING;
	case '>':
	case KEY_ARROW_RIGHT:
		move_column(d, d->setup_at - ITEM_COLUMNS, 1);
		return DASH_NOTHING;
	case 'd':
		table_columns_default(dash_table(d));
		return DASH_NOTHING;
	default:
		break;
	}
	switch (keys_action(key)) {
	case ACTION_UP:
		d->setup_at -= d->setup_at > 0;
		break;
	case ACTION_DOWN:
		d->setup_at += d->setup_at < n - 1;
		break;
	case ACTION_HOME:
		d->setup_at = 0;
		break;
	case ACTION_END:
		d->setup_at = n - 1;
		break;
	case ACTION_REDRAW:
		return DASH_REDRAW;
	case ACTION_NONE:
		break;
	default:
		leave(d);
	}
	return DASH_NOTHING;
}

static void draw_item(struct dash *d, int y, int item, const uint8_t *list)
{
	const struct table *t = dash_table(d);
	struct grid *g = &d->grid;

	if (item == ITEM_COLOURS) {
		grid_print(g, y, 3, g->cols - 4, STYLE_NORMAL, "Colours: %s", theme_words[d->theme]);
	} else if (item == ITEM_LINES) {
		grid_print(g, y, 3, g->cols - 4, STYLE_NORMAL, "Lines:   %s",
			   d->ascii_lines ? "ASCII" : "UTF-8 where the locale has it");
	} else {
		const struct column *c = &t->view->columns[list[item - ITEM_COLUMNS]];
		bool shown = item - ITEM_COLUMNS < t->ncolumns;

		grid_print(g, y, 3, g->cols - 4, shown ? STYLE_NORMAL : STYLE_DIM, "[%c] %-12s %s",
			   shown ? 'x' : ' ', c->name, c->what);
	}
	if (item == d->setup_at)
		grid_restyle(g, y, 0, g->cols, STYLE_SELECTED);
}

void setup_draw(struct dash *d)
{
	struct grid *g = &d->grid;
	uint8_t list[COLUMNS_MAX];
	int n = ITEM_COLUMNS + list_columns(dash_table(d), list), page = g->rows - 3;
	int top = d->setup_at >= page ? d->setup_at - page + 1 : 0;

	grid_print(g, 0, 1, g->cols - 2, STYLE_TITLE, "Setup: columns of %s", dash_table(d)->view->name);
	for (int i = 0; i < page && top + i < n; i++)
		draw_item(d, 1 + i, top + i, list);
	grid_text(g, g->rows - 1, 1, g->cols - 2,
		  d->message[0] ? d->message :
				  "Space change  < > move the column  d as at first  Esc done",
		  d->message[0] ? STYLE_WARN : STYLE_DIM);
}
