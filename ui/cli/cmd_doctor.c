// SPDX-License-Identifier: GPL-2.0-or-later
/* ipctap doctor: what this kernel and this user can and cannot see, and the remedy. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "args.h"
#include "collector/features.h"
#include "say.h"
#include "text.h"
#include "verb.h"

static const struct args_row rows[] = {
	{ 0, "json", NULL, "one JSON document", args_flag, ARGS_MEMBER(json) }, ARGS_ROW_END
};

static const struct args_spec spec = {
	.verb = "doctor",
	.usage = "[OPTION…]",
	.about = "Says what this kernel and this user can and cannot see, and the remedy.\n"
		 "Exit status 0: ipctap can trace here; 1: it cannot.",
	.takes = ARGS_NOTHING,
	.groups = { { "Output", rows }, { NULL, NULL } },
};

struct finding {
	struct utsname host;
	struct feature feature[FEATURES_MAX];
	int n;
	bool works;
	const char *source;
};

static void examine(struct finding *f)
{
	uname(&f->host);
	f->n = features_probe(f->feature, FEATURES_MAX);
	f->works = f->n > 0;
	for (int i = 0; i < f->n; i++)
		if (f->feature[i].required && f->feature[i].err)
			f->works = false;
	f->source = features_source();
}

static const char *state_word(const struct feature *f)
{
	return !f->err ? "ok" : f->required ? "MISSING" : "absent";
}

static void print_text(const struct finding *f)
{
	printf("Kernel %s %s, user id %u\n\n", f->host.release, f->host.machine,
	       (unsigned)geteuid());
	for (int i = 0; i < f->n; i++) {
		const struct feature *row = &f->feature[i];

		printf("%-8s %-16s %s\n", state_word(row), row->name, row->what);
		if (!row->err)
			continue;
		printf("%25s %s\n", "", strerror(row->err));
		if (row->remedy[0])
			printf("%25s %s\n", row->required ? "remedy:" : "", row->remedy);
	}
	printf("\n%s\n", f->works ? "ipctap can trace here."
				  : "The probes cannot be used here. Commands that ipctap starts can be traced with the shim.");
	printf("--source auto takes: %s\n", f->source);
}

static int print_json(const struct finding *f)
{
	json_t *doc = json_object(), *list = json_array();
	int err;

	json_object_set_new(doc, "kernel", json_text(f->host.release));
	json_object_set_new(doc, "machine", json_text(f->host.machine));
	json_object_set_new(doc, "uid", json_integer((json_int_t)geteuid()));
	json_object_set_new(doc, "works", json_boolean(f->works));
	json_object_set_new(doc, "source", json_text(f->source));
	for (int i = 0; i < f->n; i++) {
		const struct feature *row = &f->feature[i];
		json_t *o = json_object();
		char name[32];

		json_object_set_new(o, "name", json_text(row->name));
		json_object_set_new(o, "what", json_text(row->what));
		json_object_set_new(o, "works", json_boolean(!row->err));
		json_object_set_new(o, "required", json_boolean(row->required));
		json_object_set_new(
		    o, "errno", row->err ? json_string(text_errno(name, row->err)) : json_null());
		json_object_set_new(o, "remedy", row->err ? json_text(row->remedy) : json_null());
		json_array_append_new(list, o);
	}
	err = json_object_set_new(doc, "features", list);
	if (!err)
		err = json_dumpf(doc, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	putchar('\n');
	json_decref(doc);
	return err;
}

int cmd_doctor(int argc, char **argv)
{
	struct args a = { 0 };
	struct finding f = { 0 };
	struct fail fail = { 0 };
	int status = args_parse(&a, &spec, argc, argv), err = 0;

	if (status != ARGS_GO)
		goto out;
	examine(&f);
	if (a.json)
		err = print_json(&f);
	else
		print_text(&f);
	status = f.works ? EXIT_OK : EXIT_NO;
	if (out_close(stdout, NULL, &fail)) {
		say_fail(&fail);
		status = EXIT_CANNOT;
	} else if (err) {
		status = EXIT_CANNOT;
	}
out:
	args_release(&a);
	return status;
}
