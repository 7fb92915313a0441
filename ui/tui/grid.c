// SPDX-License-Identifier: GPL-2.0-or-later
/* An off-screen grid of character cells; see grid.h. */
#include "ui/tui/grid.h"

#include <errno.h>
#include <langinfo.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As ASCII, and as UTF-8. Each is one column wide. */
static const char *const glyphs[GLYPH_MAX][2] = {
	[GLYPH_MORE] = { "+", "\u2026" },
	[GLYPH_SORT_DOWN] = { "v", "\u25bc" },
	[GLYPH_SORT_UP] = { "^", "\u25b2" },
	[GLYPH_RIGHT] = { ">", "\u25b6" },
	[GLYPH_LEFT] = { "<", "\u25c0" },
	[GLYPH_LINE] = { " ", " " },
	[GLYPH_LINE + LINE_UP] = { "|", "\u2502" },
	[GLYPH_LINE + LINE_DOWN] = { "|", "\u2502" },
	[GLYPH_LINE + (LINE_UP | LINE_DOWN)] = { "|", "\u2502" },
	[GLYPH_LINE + LINE_LEFT] = { "-", "\u2500" },
	[GLYPH_LINE + (LINE_LEFT | LINE_UP)] = { "+", "\u2518" },
	[GLYPH_LINE + (LINE_LEFT | LINE_DOWN)] = { "+", "\u2510" },
	[GLYPH_LINE + (LINE_LEFT | LINE_UP | LINE_DOWN)] = { "+", "\u2524" },
	[GLYPH_LINE + LINE_RIGHT] = { "-", "\u2500" },
	[GLYPH_LINE + (LINE_RIGHT | LINE_UP)] = { "+", "\u2514" },
	[GLYPH_LINE + (LINE_RIGHT | LINE_DOWN)] = { "+", "\u250c" },
	[GLYPH_LINE + (LINE_RIGHT | LINE_UP | LINE_DOWN)] = { "+", "\u251c" },
	[GLYPH_LINE + (LINE_RIGHT | LINE_LEFT)] = { "-", "\u2500" },
	[GLYPH_LINE + (LINE_RIGHT | LINE_LEFT | LINE_UP)] = { "+", "\u2534" },
	[GLYPH_LINE + (LINE_RIGHT | LINE_LEFT | LINE_DOWN)] = { "+", "\u252c" },
	[GLYPH_LINE + 15] = { "+", "\u253c" },
	[GLYPH_BAR + 0] = { ".", "\u2581" },
	[GLYPH_BAR + 1] = { ".", "\u2582" },
	[GLYPH_BAR + 2] = { ":", "\u2583" },
	[GLYPH_BAR + 3] = { ":", "\u2584" },
	[GLYPH_BAR + 4] = { "+", "\u2585" },
	[GLYPH_BAR + 5] = { "*", "\u2586" },
	[GLYPH_BAR + 6] = { "#", "\u2587" },
	[GLYPH_BAR + 7] = { "#", "\u2588" },
	[GLYPH_BLOCK + 0] = { "-", "\u258f" },
	[GLYPH_BLOCK + 1] = { "-", "\u258e" },
	[GLYPH_BLOCK + 2] = { "-", "\u258d" },
	[GLYPH_BLOCK + 3] = { "=", "\u258c" },
	[GLYPH_BLOCK + 4] = { "=", "\u258b" },
	[GLYPH_BLOCK + 5] = { "=", "\u258a" },
	[GLYPH_BLOCK + 6] = { "#", "\u2589" },
	[GLYPH_BLOCK + 7] = { "#", "\u2588" },
};

/* One character read from text. width 0: a combining character. */
struct glyph_read {
	wchar_t ch;
	int width;
	size_t bytes;
};

static int grid_alloc(struct grid *g, int rows, int cols)
{
	struct cell *cells;

	if (rows < 1 || cols < 1)
		return -EINVAL;
	cells = calloc((size_t)rows * (size_t)cols, sizeof(*cells));
	if (!cells)
		return -ENOMEM;
	free(g->cells);
	g->cells = cells;
	g->rows = rows;
	g->cols = cols;
	grid_clear(g);
	return 0;
}

int grid_init(struct grid *g, int rows, int cols)
{
	*g = (struct grid){ .utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0 };
	return grid_alloc(g, rows, cols);
}

int grid_resize(struct grid *g, int rows, int cols)
{
	if (rows == g->rows && cols == g->cols) {
		grid_clear(g);
		return 0;
	}
	return grid_alloc(g, rows, cols);
}

void grid_release(struct grid *g)
{
	free(g->cells);
	*g = (struct grid){ 0 };
}

static struct cell *cell_at(const struct grid *g, int y, int x)
{
	if (y < 0 || y >= g->rows || x < 0 || x >= g->cols)
		return NULL;
	return &g->cells[(size_t)y * (size_t)g->cols + (size_t)x];
}

const struct cell *grid_cell(const struct grid *g, int y, int x)
{
	return cell_at(g, y, x);
}

static void cell_set(struct cell *c, wchar_t ch, enum style style)
{
	*c = (struct cell){ .ch = ch, .style = (uint8_t)style };
}

/* Writing over one half of a wide character leaves a blank where its other half was. */
static void cell_break_wide(struct grid *g, int y, int x)
{
	struct cell *c = cell_at(g, y, x), *left = cell_at(g, y, x - 1), *right = cell_at(g, y, x + 1);

	if (c && c->ch == 0 && left)
		cell_set(left, L' ', left->style);
	if (right && right->ch == 0)
		cell_set(right, L' ', right->style);
}

void grid_clear(struct grid *g)
{
	size_t n = (size_t)g->rows * (size_t)g->cols;

	for (size_t i = 0; i < n; i++)
		cell_set(&g->cells[i], L' ', STYLE_NORMAL);
}

void grid_fill(struct grid *g, int y, int x, int width, enum style style)
{
	for (int i = 0; i < width; i++) {
		struct cell *c = cell_at(g, y, x + i);

		if (!c)
			continue;
		cell_break_wide(g, y, x + i);
		cell_set(c, L' ', style);
	}
}

/* Reads one character; never reads past the NUL; always advances. */
static struct glyph_read glyph_next(const struct grid *g, const char *text)
{
	struct glyph_read r = { .ch = L'?', .width = 1, .bytes = 1 };
	unsigned char first = (unsigned char)*text;
	mbstate_t state = { 0 };
	size_t n;

	if (first < 0x80) {
		if (first >= 0x20 && first != 0x7f)
			r.ch = (wchar_t)first;
		return r;
	}
	if (!g->utf8) { /* one '?' for a whole sequence */
		while (((unsigned char)text[r.bytes] & 0xc0) == 0x80)
			r.bytes++;
		return r;
	}
	n = mbrtowc(&r.ch, text, MB_LEN_MAX, &state);
	if (n == (size_t)-1 || n == (size_t)-2 || n == 0) {
		r.ch = L'?';
		return r;
	}
	r.bytes = n;
	r.width = wcwidth(r.ch);
	if (r.width < 0) { /* not in this C library's tables: no telling how wide it would be */
		r.ch = L'?';
		r.width = 1;
	}
	return r;
}

int grid_text_width(const struct grid *g, const char *text)
{
	int width = 0;

	while (*text) {
		struct glyph_read r = glyph_next(g, text);

		width += r.width;
		text += r.bytes;
	}
	return width;
}

static void cell_combine(struct cell *c, wchar_t ch)
{
	for (int i = 0; c && i < GRID_COMBINING; i++) {
		if (c->combining[i])
			continue;
		c->combining[i] = ch;
		return;
	}
}

/* Draws one character of width 1 or 2 at x; half of one at an edge becomes a blank. */
static void grid_put(struct grid *g, int y, int x, const struct glyph_read *r, enum style style)
{
	struct cell *c = cell_at(g, y, x), *right = r->width == 2 ? cell_at(g, y, x + 1) : NULL;

	if (c)
		cell_break_wide(g, y, x);
	if (right)
		cell_break_wide(g, y, x + 1);
	if (r->width == 2 && (!c || !right)) {
		if (c)
			cell_set(c, L' ', style);
		if (right)
			cell_set(right, L' ', style);
		return;
	}
	if (c)
		cell_set(c, r->ch, style);
	if (right)
		cell_set(right, 0, style);
}

/* Draws what fits whole into `width` columns; returns the columns used. */
static int grid_run(struct grid *g, int y, int x, int width, const char *text, enum style style)
{
	int used = 0, base = -1;

	while (*text) {
		struct glyph_read r = glyph_next(g, text);

		text += r.bytes;
		if (r.width == 0) {
			if (base >= 0)
				cell_combine(cell_at(g, y, x + base), r.ch);
			continue;
		}
		if (used + r.width > width)
			break;
		grid_put(g, y, x + used, &r, style);
		base = used;
		used += r.width;
	}
	return used;
}

int grid_text(struct grid *g, int y, int x, int width, const char *text, enum style style)
{
	int used;

	if (width <= 0)
		return 0;
	if (grid_text_width(g, text) <= width)
		return grid_run(g, y, x, width, text, style);
	used = grid_run(g, y, x, width - 1, text, style);
	return used + grid_run(g, y, x + used, 1, grid_glyph(g, GLYPH_MORE), style);
}

int grid_text_right(struct grid *g, int y, int x, int width, const char *text, enum style style)
{
	int w = grid_text_width(g, text);

	return grid_text(g, y, w < width ? x + width - w : x, width, text, style);
}

int grid_print(struct grid *g, int y, int x, int width, enum style style, const char *fmt, ...)
{
	char buf[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	return grid_text(g, y, x, width, buf, style);
}

void grid_copy(struct grid *g, int y, int x, const struct grid *from, int from_y, int from_x,
	       int height, int width)
{
	for (int i = 0; i < height; i++)
		for (int k = 0; k < width; k++) {
			const struct cell *c = grid_cell(from, from_y + i, from_x + k);
			struct cell *to = cell_at(g, y + i, x + k);

			if (!c || !to)
				continue;
			*to = *c;
			/* half of a wide character at an edge is a blank */
			if ((c->ch == 0 && k == 0) ||
			    (k == width - 1 && grid_cell_width(from, from_y + i, from_x + k) == 2))
				cell_set(to, L' ', c->style);
		}
}

void grid_restyle(struct grid *g, int y, int x, int width, enum style style)
{
	for (int i = 0; i < width; i++) {
		struct cell *c = cell_at(g, y, x + i);

		if (c)
			c->style = (uint8_t)style;
	}
}

const char *grid_glyph(const struct grid *g, enum glyph glyph)
{
	return glyphs[glyph][g->utf8 && !g->ascii_lines];
}

static size_t put_wide(char *dst, size_t room, wchar_t ch)
{
	char buf[MB_LEN_MAX];
	mbstate_t state = { 0 };
	size_t n = wcrtomb(buf, ch, &state);

	if (n == (size_t)-1 || n > room)
		return 0;
	memcpy(dst, buf, n);
	return n;
}

size_t grid_line(const struct grid *g, int y, char *dst, size_t dst_size)
{
	size_t len = 0, end = 0;

	for (int x = 0; x < g->cols && dst_size; x++) {
		const struct cell *c = grid_cell(g, y, x);

		if (!c || c->ch == 0)
			continue;
		len += put_wide(dst + len, dst_size - 1 - len, c->ch);
		for (int i = 0; i < GRID_COMBINING && c->combining[i]; i++)
			len += put_wide(dst + len, dst_size - 1 - len, c->combining[i]);
		if (c->ch != L' ' || c->combining[0])
			end = len;
	}
	if (dst_size)
		dst[end] = '\0';
	return end;
}
