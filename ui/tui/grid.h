/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A screen as a rectangle of character cells in memory. Everything the dashboard shows is drawn
 * here first; terminal.h puts a grid on a terminal, grid_line gives it back as text, so that screens
 * are tested without one.
 *
 * Text is what escape_text made: one line of UTF-8 without control characters. Whether it can be
 * shown is the locale's business: in one that is not UTF-8 every character beyond ASCII becomes
 * '?', and the few glyphs the dashboard itself draws have ASCII stand-ins (grid_glyph). A wide
 * character takes two cells and is drawn whole or, where only half of it fits, as a blank; a
 * combining character joins the cell of its base. Drawing clips silently at every edge.
 */
#ifndef IPCTAP_UI_TUI_GRID_H
#define IPCTAP_UI_TUI_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wchar.h>

/* What a cell means; how that looks is decided by the terminal (colours, bold, reverse). */
enum style {
	STYLE_NORMAL,
	STYLE_TITLE,    /* the program's name, the open view's tab */
	STYLE_HEADER,   /* the line of column names */
	STYLE_SORTED,   /* the name of the column sorted by */
	STYLE_SELECTED, /* the row under the cursor */
	STYLE_FOLLOWED, /* rows of the process that is followed */
	STYLE_DIM,      /* what is over, idle or not known */
	STYLE_GOOD,
	STYLE_WARN,
	STYLE_ALERT, /* losses, waits that have become long */
	STYLE_DEAD,  /* can never move again */
	STYLE_TAGGED,
	STYLE_KEY,   /* the name of a key, in the footer and the help */
	STYLE_MAX
};

#define GRID_COMBINING 2 /* combining characters kept per cell; more are dropped */
#define GRID_CELL_BYTES (4 * (1 + GRID_COMBINING))

struct cell {
	wchar_t ch; /* 0: the right half of the wide character to the left */
	wchar_t combining[GRID_COMBINING];
	uint8_t style; /* enum style */
};

struct grid {
	int rows, cols;
	bool utf8; /* the locale can show more than ASCII */
	bool ascii_lines; /* glyphs of our own in ASCII all the same */
	struct cell *cells;
};

/* The glyphs the dashboard draws of its own accord. */
enum glyph {
	GLYPH_MORE,
	GLYPH_SORT_DOWN,
	GLYPH_SORT_UP,
	GLYPH_RIGHT, /* heads of arrows */
	GLYPH_LEFT,
	GLYPH_LINE,     /* of lines that go where the bits say: | up, down, left, right below */
	GLYPH_LINE_END = GLYPH_LINE + 15,
	GLYPH_BAR,      /* an eighth of a cell from the bottom … */
	GLYPH_BAR_FULL = GLYPH_BAR + 7,
	GLYPH_BLOCK,    /* an eighth of a cell from the left … */
	GLYPH_BLOCK_FULL = GLYPH_BLOCK + 7,
	GLYPH_MAX
};
#define LINE_UP 1
#define LINE_DOWN 2
#define LINE_LEFT 4
#define LINE_RIGHT 8

/* Asks the locale (LC_CTYPE) for utf8. 0, -EINVAL for a size below 1x1, or -ENOMEM. */
int grid_init(struct grid *g, int rows, int cols);
int grid_resize(struct grid *g, int rows, int cols); /* and clears; on error *g is as it was */
void grid_release(struct grid *g);

void grid_clear(struct grid *g);
void grid_fill(struct grid *g, int y, int x, int width, enum style style); /* blanks */

/*
 * Draws `text` from column x (which may be negative) into at most `width` columns, cut, with the
 * glyph for "more" in the last one, when it is wider. Returns the columns used.
 */
int grid_text(struct grid *g, int y, int x, int width, const char *text, enum style style);
/* The same at the right end of the `width` columns. */
int grid_text_right(struct grid *g, int y, int x, int width, const char *text, enum style style);
/* The same with printf; at most 511 bytes. */
int grid_print(struct grid *g, int y, int x, int width, enum style style, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));

/* Copies a part of another grid: from (from_y, from_x) on, height x width, to (y, x). */
void grid_copy(struct grid *g, int y, int x, const struct grid *from, int from_y, int from_x,
	       int height, int width);

/* Changes the style of what is there already. */
void grid_restyle(struct grid *g, int y, int x, int width, enum style style);

const char *grid_glyph(const struct grid *g, enum glyph glyph);

/* Columns that `text` takes when nothing clips it. */
int grid_text_width(const struct grid *g, const char *text);

const struct cell *grid_cell(const struct grid *g, int y, int x); /* NULL: outside */
static inline int grid_cell_width(const struct grid *g, int y, int x)
{
	const struct cell *right = grid_cell(g, y, x + 1);

	return right && right->ch == 0 ? 2 : 1;
}

/*
 * Row y as multibyte text of the locale without trailing blanks, into dst; grid_line_size(g) bytes
 * always suffice. Returns the length.
 */
size_t grid_line(const struct grid *g, int y, char *dst, size_t dst_size);
static inline size_t grid_line_size(const struct grid *g)
{
	return (size_t)g->cols * GRID_CELL_BYTES + 1;
}

#endif
