/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows that a table shows, for files and scripts: text, JSON, CSV. */
#ifndef IPCTAP_UI_TUI_ROWS_OUT_H
#define IPCTAP_UI_TUI_ROWS_OUT_H

#include <stdio.h>

#include <jansson.h>

#include "ui/tui/table.h"

#define ROWS_OUT_COLUMNS 1000 /* the widest text */

/* An empty line, the view's name, its header, and a line for each row, cut at `columns`. 0 or -ENOMEM. */
int rows_out_text(struct table *t, FILE *out, int columns);
/* A line of names and one for each row: the columns of the JSON, numbers in full. As RFC 4180 has it. */
void rows_out_csv(const struct table *t, FILE *out);
/* NULL: no memory. Give it rows that were made with rows.raw: JSON has quoting of its own. */
json_t *rows_out_json(const struct table *t);

/* What the search for deadlocks found: verdict, core, victims, cause, cure. */
void rows_out_findings(const struct waittree *waits, FILE *out);
json_t *rows_out_json_findings(const struct waittree *waits);

json_t *rows_out_n(uint64_t n);
json_t *rows_out_string(const char *text); /* escaped when it is not UTF-8 */

#endif
