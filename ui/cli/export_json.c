// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One JSON document: {"events": [every event, as `events -v --json` prints it], "report": what
 * `report --json` prints}.
 */
#include <errno.h>
#include <jansson.h>

#include "export.h"
#include "printer.h"

static int begin(struct export *x)
{
	fputs("{\"events\": [", x->out);
	return 0;
}

static int event(struct export *x, const struct ev_hdr *ev)
{
	json_t *o;

	if (ev->type == EV_TIME || ev->type == EV_GONE)
		return 0;
	o = printer_json(x->model, ev);
	if (!o)
		return -ENOMEM;
	fputs(x->n++ ? ",\n" : "\n", x->out);
	json_dumpf(o, x->out, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(o);
	return 0;
}

static int end(struct export *x, const struct report *r)
{
	int err;

	fputs("\n],\n\"report\": ", x->out);
	err = report_print_json(r, x->out);
	fputs("}\n", x->out);
	return err;
}

const struct export_format export_json = {
	.name = "json",
	.what = "one document: every event, and the report",
	.begin = begin,
	.event = event,
	.end = end,
};
