/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The formats of `ipctap export`. Each is one file and one row of the table in cmd_export.c. Events
 * come one by one, behind the model, which has applied them; at the end there is the report.
 *
 * Errors of the output stay with it (ferror): cmd_export.c looks after each event.
 */
#ifndef IPCTAP_UI_CLI_EXPORT_H
#define IPCTAP_UI_CLI_EXPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/store/store.h"
#include "lib/stream/stream.h"
#include "report.h"

struct arrows;

struct export {
	FILE *out;
	const struct model *model;
	struct trace *trace;
	uint64_t n;      /* what the format has written so far */
	struct arrows *arrows; /* of perfetto; freed by cmd_export.c */
};

struct export_format {
	const char *name;
	const char *what; /* for the help */
	/* Any of them may be NULL. 0 or -ENOMEM. */
	int (*begin)(struct export *x);
	int (*event)(struct export *x, const struct ev_hdr *ev);
	int (*end)(struct export *x, const struct report *r);
};

extern const struct export_format export_json, export_csv, export_dot, export_perfetto, export_html;

/* A string of JSON, or of DOT, with its quotes. The text has been escaped (lib/base/escape.h). */
void export_quoted(FILE *out, const char *text);

#endif
