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
#include "collector/features_ripc.h"
#include "load.h"
#include "say.h"
#include "text.h"
#include "ui/tui/units.h"
#include "verb.h"

static const struct args_row rows[] = {
	{ 0, "load", "SEC", "record a load that nothing exceeds, SEC seconds at a time, and find the least ring",
	  args_seconds, ARGS_MEMBER(duration_s) },
	{ 0, "json", NULL, "one JSON document", args_flag, ARGS_MEMBER(json) },
	ARGS_ROW_END
};

static const struct args_spec spec = {
	.verb = "doctor",
	.usage = "[OPTION…]",
	.about = "Says what this kernel and this user can and cannot see, and the remedy.\n"
		 "Exit status 0: ipctap can trace here; 1: it cannot.",
	.takes = ARGS_NOTHING,
	.groups = { { "Output", rows }, { NULL, NULL } },
};

#define RUNS_MAX 24
struct finding {
	struct utsname host;
	struct feature feature[FEATURES_MAX];
	int n;
	bool works;
	const char *source;
	struct ripc_place libripc[RIPC_PLACES_MAX];
	int nlibripc;
	/* --load */
	double load_s;         /* 0: not asked for */
	unsigned int programs; /* one processor is left to the recorder, if there are several */
	struct load_run runs[RUNS_MAX];
	int nruns;
	uint64_t least_ring; /* that lost nothing; 0: none did */
	bool is_text;
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
	f->nlibripc = features_ripc_places(f->libripc, RIPC_PLACES_MAX);
}

static const char *state_word(const struct feature *f)
{
	return !f->err ? "ok" : f->required ? "MISSING" : "absent";
}

/* ---- --load ---- */

static void load_done(void *arg, const struct load_run *run)
{
	struct finding *f = arg;
	char ring[UNITS_SIZE], calls[UNITS_SIZE];

	if (f->nruns < RUNS_MAX)
		f->runs[f->nruns++] = *run;
	if (!f->is_text)
		return;
	printf("ring %-6s %9s calls in %4.1f s, %" PRIu64 " recorded, %" PRIu64 " lost\n",
	       units_bytes(ring, (double)run->ring_bytes), units_count(calls, (double)run->calls),
	       (double)run->dur_ns / 1e9, run->recorded, run->lost);
	fflush(stdout);
}

static int load(struct finding *f, struct fail *fail)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	char least[UNITS_SIZE];
	int err;

	f->programs = processors > 2 ? (unsigned int)processors - 1 : 1;
	if (f->is_text)
		printf("\nPrograms that do nothing but calls of one byte: %u, on %ld processors, "
		       "recorded for %g s at a time\n",
		       f->programs, processors, f->load_s);
	err = load_search(&f->least_ring, f->load_s, f->programs, load_done, f, fail);
	if (err || !f->is_text)
		return err;
	if (f->least_ring)
		printf("Least ring that lost nothing: --ring %" PRIu64 "k (%s); the default is %" PRIu64 "m\n",
		       (uint64_t)(f->least_ring >> 10), units_bytes(least, (double)f->least_ring),
		       (uint64_t)(LOAD_RING_DEFAULT >> 20));
	else
		printf("No ring holds that much here: narrow the scope, or record to a faster disk\n");
	return 0;
}

static json_t *load_json(const struct finding *f)
{
	json_t *o = json_object(), *runs = json_array();

	for (int i = 0; i < f->nruns; i++) {
		const struct load_run *r = &f->runs[i];

		json_array_append_new(runs, json_pack("{s:I,s:I,s:I,s:I,s:I}", "ring_bytes",
						      (json_int_t)r->ring_bytes, "calls", (json_int_t)r->calls,
						      "recorded", (json_int_t)r->recorded, "lost",
						      (json_int_t)r->lost, "dur_ns", (json_int_t)r->dur_ns));
	}
	json_object_set_new(o, "seconds", json_real(f->load_s));
	json_object_set_new(o, "programs", json_integer(f->programs));
	json_object_set_new(o, "runs", runs);
	json_object_set_new(o, "least_ring_bytes",
			    f->least_ring ? json_integer((json_int_t)f->least_ring) : json_null());
	return o;
}

/* ---- output ---- */

/* Where libripc lies, under the row of its probes. */
static void print_libripc(const struct finding *f)
{
	char path[ESCAPE_SIZE(PATH_MAX)];

	for (int i = 0; i < f->nlibripc; i++) {
		escape_text(path, sizeof(path), f->libripc[i].path, PATH_MAX);
		printf("%25s in %s\n", "", path);
	}
	if (!f->nlibripc)
		printf("%25s no libripc where libraries lie; one elsewhere is found as it runs\n", "");
}

static void print_text(const struct finding *f)
{
	printf("Kernel %s %s, user id %u\n\n", f->host.release, f->host.machine,
	       (unsigned)geteuid());
	for (int i = 0; i < f->n; i++) {
		const struct feature *row = &f->feature[i];

		printf("%-8s %-16s %s\n", state_word(row), row->name, row->what);
		if (!row->err && strcmp(row->name, FEATURE_RIPC) == 0)
			print_libripc(f);
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
	list = json_array();
	for (int i = 0; i < f->nlibripc; i++)
		json_array_append_new(list, json_pack("{s:o,s:I}", "path", json_text(f->libripc[i].path),
						      "probes", (json_int_t)f->libripc[i].sites));
	err |= json_object_set_new(doc, "libripc", list);
	if (f->load_s > 0)
		json_object_set_new(doc, "load", load_json(f));
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
	f.load_s = a.duration_s;
	f.is_text = !a.json;
	if (f.is_text)
		print_text(&f);
	status = f.works ? EXIT_OK : EXIT_NO;
	if (f.works && f.load_s > 0 && load(&f, &fail)) {
		say_fail(&fail);
		status = EXIT_CANNOT;
		goto out;
	}
	if (a.json)
		err = print_json(&f);
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
