/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Column tables for people, by libsmartcols: as wide as the terminal on a terminal, where names
 * are cut to make it fit, and never cut in a pipe or a file.
 *
 *     struct columns *t = columns_new(out, cols, n);
 *     columns_row(t); columns_cell(t, "%s", name); columns_cell(t, "%d", 12);
 *     columns_row(t); …
 *     columns_print(t); columns_free(t);
 *
 * An error of memory is remembered and comes out of columns_print.
 */
#ifndef IPCTAP_UI_CLI_COLUMNS_H
#define IPCTAP_UI_CLI_COLUMNS_H

#include <stdio.h>

enum column_align {
	COLUMN_TEXT,
	COLUMN_NUMBER, /* to the right */
	COLUMN_WHO,    /* text that may be cut on a terminal */
	COLUMN_NAME,   /* text that is cut first */
};

struct column {
	const char *name;
	enum column_align align;
};

struct columns;

/* Borrows cols until it is freed. NULL: no memory. */
struct columns *columns_new(FILE *out, const struct column *cols, size_t n);
void columns_row(struct columns *t);
/* The next column of the row. The text has to be escaped already. */
void columns_cell(struct columns *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int columns_print(struct columns *t); /* 0 or -ENOMEM */
void columns_free(struct columns *t); /* accepts NULL */

#endif
