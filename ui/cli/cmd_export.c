// SPDX-License-Identifier: GPL-2.0-or-later
/* ipctap export: a trace in the formats of other programs. */
#include <errno.h>
#include <string.h>

#include "arrows.h"
#include "export.h"
#include "say.h"
#include "session.h"
#include "text.h"
#include "verb.h"

static const struct export_format *const formats[] = { &export_json,     &export_csv,  &export_dot,
						       &export_perfetto, &export_html, NULL };

static const struct export_format *format_find(const char *name)
{
	for (int i = 0; formats[i]; i++)
		if (strcmp(formats[i]->name, name) == 0)
			return formats[i];
	return NULL;
}

static int set_format(struct args *a, const struct args_row *row, const char *value,
		      struct fail *fail)
{
	(void)row;
	if (!format_find(value)) {
		fail_set(fail, 0, "write json, csv, dot, perfetto or html", "-f: '%s' is not a format",
			 value);
		return -EINVAL;
	}
	a->format = value;
	return 0;
}

static const struct args_row rows[] = {
	{ 'f', "format", "FORMAT", "json, csv, dot (Graphviz), perfetto (ui.perfetto.dev) or html",
	  set_format, 0 },
	{ 'o', "output", "FILE", "write there instead of to standard output", args_text,
	  ARGS_MEMBER(output) },
	{ 'd', "duration", "SEC", "only its first seconds", args_seconds, ARGS_MEMBER(duration_s) },
	{ 'n', "count", "N", "stop after N operations that match", args_count, ARGS_MEMBER(limit) },
	{ 0, "keep", "N", ARGS_KEEP_HELP, args_keep, ARGS_MEMBER(keep) },
	ARGS_ROW_END
};

static const struct args_spec spec = {
	.verb = "export",
	.usage = "-f FORMAT [OPTION…] FILE",
	.about = "Writes a trace in a format that other programs read.",
	.takes = ARGS_FILE,
	.groups = { { "Output", rows }, { "Filter", args_filter_rows }, { NULL, NULL } },
};

void export_quoted(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

struct exporter {
	struct sink sink;
	struct export x;
	const struct export_format *format;
};

static int output_error(const struct exporter *e)
{
	return ferror(e->x.out) ? -(errno ? errno : EIO) : 0;
}

static int export_event(struct sink *self, const struct ev_hdr *ev)
{
	struct exporter *e = (struct exporter *)self;
	int err = e->format->event(&e->x, ev);

	return err ? err : output_error(e);
}

static int finish(struct exporter *e, const struct session *s)
{
	struct report r;
	int err;

	session_describe(s, &r);
	err = report_init(&r, s->args->filter);
	if (!err && e->format->end)
		err = e->format->end(&e->x, &r);
	report_release(&r);
	return err;
}

static int write_all(struct exporter *e, struct session *s, struct fail *fail)
{
	int err = e->format->begin ? e->format->begin(&e->x) : 0;

	s->out = e->format->event ? &e->sink : NULL;
	err = err ? err : session_run(s, fail);
	s->out = NULL;
	if (s->out_err)
		return s->out_err;
	if (!err)
		err = session_stop(s, true, fail);
	if (!err && finish(e, s))
		err = fail_set(fail, ENOMEM, NULL, "the export");
	return err;
}

static int run(struct session *s, struct fail *fail)
{
	const struct args *a = s->args;
	struct exporter e = { .sink.event = export_event, .format = format_find(a->format) };
	int err = session_open(s, fail), closed;

	if (err)
		return err;
	e.x.out = out_open(a->output, fail);
	if (!e.x.out)
		return -fail->err;
	e.x.model = s->model;
	e.x.trace = s->trace;
	err = write_all(&e, s, fail);
	arrows_free(e.x.arrows);
	if (s->out_err) /* the output is what failed; it says with what, or that its reader has left */
		return out_close(e.x.out, a->output, fail);
	closed = out_close(e.x.out, a->output, err ? NULL : fail);
	return err ? err : closed;
}

static bool has_format(const struct args *a, struct fail *fail)
{
	if (!a->format)
		fail_set(fail, 0, "write -f json, csv, dot, perfetto or html",
			 "export: in which format?");
	return a->format;
}

int cmd_export(int argc, char **argv)
{
	static const struct session_verb verb = { .spec = &spec, .is_usable = has_format, .run = run };

	return session_verb_main(&verb, argc, argv);
}
