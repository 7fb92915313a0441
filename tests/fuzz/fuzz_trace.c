// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Traces that no recorder wrote: an input is the file. It is opened, which completes one that says it is
 * unfinished; read from the first event to the last; played back and forth; asked for what it says of
 * itself; and the wait graphs in it are judged. Whatever is in it, what comes out must be well-formed, a
 * refusal must say why, and replaying what was read must come to the same model as playing it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/analysis/explain.h"
#include "lib/store/player.h"
#include "tests/fuzz/fuzz.h"

static char folder[40], path[sizeof(folder) + 8];

unsigned long fuzz_told;

static void must(bool holds, const char *what)
{
	if (!holds) {
		perror(what);
		abort();
	}
}

/* ---- the file ---- */

/* One folder for each input: a fuzzer ends without a word. */
static void remove_folder(void)
{
	static const char *const ends[] = { "", "-wal", "-shm", "-journal" };
	char name[sizeof(path) + 16];
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		unlink(name);
	}
	must(rmdir(folder) == 0, folder);
}

static void write_file(const uint8_t *data, size_t size)
{
	strcpy(folder, "/dev/shm/ipctap-fuzz-trace-XXXXXX");
	must(mkdtemp(folder) != NULL, folder);
	snprintf(path, sizeof(path), "%s/t.db", folder);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	must(fd >= 0 && write(fd, data, size) == (ssize_t)size, path);
	close(fd);
}

/* ---- what comes out ---- */

static void must_say_why(int err, const struct fail *fail)
{
	must(err < 0 && fail->err == -err && fail->what[0] && strlen(fail->what) < sizeof(fail->what), "a refusal without a reason");
}

/* Every event into *m. 0, or why reading ended early. */
static int read_all(struct trace *t, struct model *m)
{
	struct source *source;
	struct fail fail = { 0 };
	const struct ev_hdr *ev;
	uint64_t seq, last = 0;
	int more, err = trace_source(t, &source, &fail);
	if (err) {
		must_say_why(err, &fail);
		return err;
	}
	while ((more = trace_source_next(source, &ev, &seq)) > 0) {
		must(event_is_valid(ev, ev->size), "an event that is none");
		must(seq > last, "events out of order");
		last = seq;
		fuzz_told++;
		must(model_apply_or_count(m, ev) == 0, "the model gave up");
	}
	source_free(source);
	return more;
}

static char *dump(const struct model *m)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	must(out && model_dump(m, out) == 0 && fclose(out) == 0, "model_dump");
	return text;
}

static bool move(int err, const struct fail *fail)
{
	if (err < 0)
		must_say_why(err, fail);
	return err >= 0;
}

/*
 * There and back again; with the keyframes that are in the file, and without: then the model must be
 * in the end what reading made of it, `read`. NULL: not compared.
 */
static void play(struct trace *t, bool keyframes, const struct model *read)
{
	struct model *m = model_new();
	struct player *p = NULL;
	struct fail fail = { 0 };
	model_set_keep(m, trace_keep(t));
	int err = player_open(&p, t, m, &(struct player_opts){ .is_filtered = !keyframes }, &fail);
	if (err) {
		must_say_why(err, &fail);
		model_free(m);
		return;
	}
	uint64_t from = player_first_ns(p), to = player_last_ns(p), events = player_events(p);
	size_t slots;
	player_activity(p, &slots);
	bool well = move(player_to_time(p, from + (to - from) / 2, &fail), &fail) &&
		    move(player_find(p, false, NULL, NULL, &fail), &fail) &&
		    move(player_find(p, true, NULL, NULL, &fail), &fail) &&
		    move(player_find_loss(p, false, &fail), &fail) && move(player_to_time(p, from, &fail), &fail) &&
		    move(player_advance(p, to, 3, &fail), &fail) && move(player_to_seq(p, events, &fail), &fail);
	if (well && read) {
		char *a = dump(read), *b = dump(m);
		must(strcmp(a, b) == 0, "played, it is another world than read");
		free(a);
		free(b);
	}
	player_close(p);
	model_free(m);
}

static int judge_found(void *arg, const struct trace_waitgraph *w)
{
	struct waitgraph *g = waitgraph_load(w->text, strlen(w->text));
	struct solution s;
	char buf[EXPLAIN_LEN], *text = NULL;
	size_t size;
	(void)arg;
	if (!g)
		return 0;
	FILE *out = open_memstream(&text, &size);
	must(out && solve(&s, g, &(struct solve_opts){ .now_ns = w->t_ns, .slow_ns = 1 }) == 0, "solve");
	for (uint32_t i = 0; i < s.nfindings; i++) {
		const struct wg_finding *f = &s.findings[i];
		must(explain_cause(&s, f, buf)[0] && explain_cure(&s, f, buf)[0], "a finding without words");
		for (uint32_t k = 0; k < f->ncore; k++)
			must(explain_needs(&s, f, f->core[k], out) == 0, "explain_needs");
	}
	fclose(out);
	free(text);
	solution_release(&s);
	waitgraph_free(g);
	return 0;
}

static void ask(struct trace *t)
{
	static struct trace_slot slots[ACTIVITY_SLOTS];
	static const char *const keys[] = { "version", "clock", "host", "command", "options", "source", "boot_id" };
	size_t n = ACTIVITY_SLOTS;
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		trace_meta(t, keys[i]);
	trace_events(t);
	trace_was_unfinished(t);
	must(trace_activity(t, slots, &n) < 0 || n <= ACTIVITY_SLOTS, "activity");
	const char *graph = trace_meta(t, "waitgraph");
	if (graph)
		judge_found(NULL, &(struct trace_waitgraph){ .text = graph });
	trace_each_found(t, judge_found, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct trace *t = NULL;
	struct fail fail = { 0 };
	write_file(data, size);
	int err = trace_open(&t, path, &fail);
	if (err) {
		must_say_why(err, &fail);
		remove_folder();
		return 0;
	}
	struct model *m = model_new();
	model_set_keep(m, trace_keep(t));
	err = read_all(t, m);
	ask(t);
	play(t, true, NULL);
	play(t, false, err ? NULL : m);
	model_free(m);
	trace_close(t);
	remove_folder();
	return 0;
}
