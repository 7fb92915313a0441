/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A sink that prints: one line for each operation, as text or as a JSON object. It stands behind
 * the model, which has applied the event already and knows the names.
 */
#ifndef IPCTAP_UI_CLI_PRINTER_H
#define IPCTAP_UI_CLI_PRINTER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/model/model.h"
#include "lib/stream/stream.h"

struct printer {
	struct sink sink;
	FILE *out;
	FILE *notes; /* text: losses; operations alone go to `out` */
	const struct model *model;
	bool json;
	bool verbose;    /* tasks, endpoints, channels and waits as well */
	bool monotonic;  /* print t_ns as it is */
	int64_t wall_ns; /* CLOCK_REALTIME - CLOCK_MONOTONIC; 0 prints as `monotonic` does */
};

/* Sets sink; the rest is the caller's. Its event() returns 0 or what the output said (-EPIPE …). */
void printer_init(struct printer *p);

/* The flags of an operation; `in_text`: a line of text says it, as nothing else in it does. */
struct printer_flag {
	uint32_t bit;
	const char *word; /* NULL ends the table */
	bool in_text;
};
extern const struct printer_flag printer_flags[];

/* Which part of its file an operation on locks was about; NULL: not that of a lock, or not known. */
const struct ev_range *printer_range(const struct ev_io *io);

/* One event as JSON; a new reference, NULL: no memory or an event that is not printed. */
struct json_t;
struct json_t *printer_json(const struct model *m, const struct ev_hdr *ev);

#endif
