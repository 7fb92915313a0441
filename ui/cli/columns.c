// SPDX-License-Identifier: GPL-2.0-or-later
#include "columns.h"

#include <errno.h>
#include <libsmartcols/libsmartcols.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

struct columns {
	struct libscols_table *cols;
	struct libscols_line *line; /* borrowed from cols */
	size_t next;                /* column of the line to fill */
	int err;
};

static int column_flags(enum column_align align)
{
	return align == COLUMN_NUMBER ? SCOLS_FL_RIGHT : align == COLUMN_NAME ? SCOLS_FL_TRUNC : 0;
}

/* libsmartcols looks at stdout, whatever it prints to; and $COLUMNS counts for more than the tty. */
static void set_width(struct libscols_table *cols, FILE *out)
{
	const char *columns = getenv("COLUMNS");
	int width = columns ? atoi(columns) : 0;

	if (!isatty(fileno(out))) {
		scols_table_set_termforce(cols, SCOLS_TERMFORCE_NEVER);
		return;
	}
	scols_table_set_termforce(cols, SCOLS_TERMFORCE_ALWAYS);
	if (width > 0 && width < 10000)
		scols_table_set_termwidth(cols, (size_t)width);
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
	scols_table_set_stream(t->cols, out);
	set_width(t->cols, out);
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

int columns_print(struct columns *t)
{
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
