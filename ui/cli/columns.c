// SPDX-License-Identifier: GPL-2.0-or-later
#include "columns.h"

#include <errno.h>
#include <libsmartcols/libsmartcols.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

struct columns {
	struct libscols_table *cols;
	struct libscols_line *line; /* borrowed from cols */
	const struct column *col;   /* borrowed from the caller */
	size_t n;
	size_t terminal; /* how wide it is; 0: no terminal */
	size_t next;     /* column of the line to fill */
	int err;
};

static int column_flags(enum column_align align)
{
	if (align == COLUMN_NUMBER)
		return SCOLS_FL_RIGHT;
	return align == COLUMN_WHO || align == COLUMN_NAME ? SCOLS_FL_TRUNC : 0;
}

/* libsmartcols looks at stdout, whatever it prints to; and $COLUMNS counts for more than the tty.
 */
static void set_width(struct columns *t, FILE *out)
{
	const char *columns = getenv("COLUMNS");
	int width = columns ? atoi(columns) : 0;
	struct winsize size;

	if (!isatty(fileno(out))) {
		scols_table_set_termforce(t->cols, SCOLS_TERMFORCE_NEVER);
		return;
	}
	if (width <= 0 || width > 10000)
		width =
		    ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
	t->terminal = (size_t)width;
	scols_table_set_termforce(t->cols, SCOLS_TERMFORCE_ALWAYS);
	scols_table_set_termwidth(t->cols, t->terminal);
}

struct columns *columns_new(FILE *out, const struct column *cols, size_t n)
{
	struct columns *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->cols = scols_new_table();
	for (size_t i = 0; t->cols && i < n; i++)
		if (!scols_table_new_column(t->cols, cols[i].name, 0, column_flags(cols[i].align)))
			t->err = -ENOMEM;
	if (!t->cols || t->err) {
		columns_free(t);
		return NULL;
	}
	t->col = cols;
	t->n = n;
	scols_table_set_stream(t->cols, out);
	set_width(t, out);
	scols_table_enable_noencoding(t->cols, 1); /* cells are escaped already */
	return t;
}

void columns_row(struct columns *t)
{
	t->line = scols_table_new_line(t->cols, NULL);
	t->next = 0;
	if (!t->line)
		t->err = -ENOMEM;
}

void columns_cell(struct columns *t, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	if (!t->line)
		return;
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	if (!text || scols_line_refer_data(t->line, t->next, text)) {
		t->err = -ENOMEM;
		free(text);
	}
	t->next++;
}

/* ---- fitting ---- */

/* Bytes of text that fit into `width` columns of a terminal; *used: how many columns they take. */
static size_t text_fit(const char *text, size_t width, size_t *used)
{
	mbstate_t state = { 0 };
	size_t at = 0, end = strlen(text);

	*used = 0;
	while (at < end) {
		wchar_t c;
		size_t n = mbrtowc(&c, text + at, end - at, &state);
		int w = n > 0 && n < (size_t)-2 ? wcwidth(c) : 1;

		if (n == 0 || n >= (size_t)-2)
			n = 1;
		if (*used + (size_t)(w > 0 ? w : 0) > width)
			break;
		*used += (size_t)(w > 0 ? w : 0);
		at += n;
	}
	return at;
}

static const char *cell_text(struct columns *t, size_t row, size_t col)
{
	struct libscols_cell *cell = scols_line_get_cell(scols_table_get_line(t->cols, row), col);
	const char *text = cell ? scols_cell_get_data(cell) : NULL;

	return text ? text : "";
}

static size_t column_width(struct columns *t, size_t col)
{
	size_t widest = strlen(t->col[col].name), used;

	for (size_t row = 0; row < scols_table_get_nlines(t->cols); row++) {
		text_fit(cell_text(t, row, col), SIZE_MAX, &used);
		widest = used > widest ? used : widest;
	}
	return widest;
}

static int cut_column(struct columns *t, size_t col, size_t width)
{
	int err = 0;

	for (size_t row = 0; row < scols_table_get_nlines(t->cols) && !err; row++) {
		struct libscols_line *line = scols_table_get_line(t->cols, row);
		const char *text = cell_text(t, row, col);
		size_t used, n = text_fit(text, width, &used);
		char *cut = text[n] ? strndup(text, n) : NULL;

		if (cut)
			err = scols_line_refer_data(line, col, cut);
		else if (text[n])
			err = -ENOMEM;
	}
	return err;
}

/* Takes one column after the other off the widest of this alignment, down to `least`. */
static size_t shrink(const struct columns *t, size_t *width, size_t excess, enum column_align align,
		     size_t least)
{
	while (excess) {
		size_t widest = t->n;

		for (size_t i = 0; i < t->n; i++)
			if (t->col[i].align == align && width[i] > least &&
			    (widest == t->n || width[i] > width[widest]))
				widest = i;
		if (widest == t->n)
			break;
		width[widest]--;
		excess--;
	}
	return excess;
}

/*
 * Cuts names, then whoever they belong to, until the table is as wide as the terminal. (Left to
 * itself libsmartcols takes from all of them alike, and leaves two letters of a process.) What is
 * too wide even so it may cut as it likes.
 */
static int fit(struct columns *t, size_t terminal)
{
	size_t width[t->n], total = t->n - 1;
	int err = 0;

	for (size_t i = 0; i < t->n; i++)
		total += width[i] = column_width(t, i);
	if (total <= terminal)
		return 0;
	total = shrink(t, width, total - terminal, COLUMN_NAME, 14);
	total = shrink(t, width, total, COLUMN_WHO, 14);
	total = shrink(t, width, total, COLUMN_NAME, 8);
	shrink(t, width, total, COLUMN_WHO, 8);
	for (size_t i = 0; i < t->n && !err; i++)
		err = cut_column(t, i, width[i]);
	return err;
}

int columns_print(struct columns *t)
{
	if (!t->err && t->terminal)
		t->err = fit(t, t->terminal);
	if (!t->err && scols_print_table(t->cols))
		t->err = -ENOMEM;
	return t->err;
}

void columns_free(struct columns *t)
{
	if (!t)
		return;
	scols_unref_table(t->cols);
	free(t);
}
