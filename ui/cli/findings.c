// SPDX-License-Identifier: GPL-2.0-or-later
#include "findings.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/procfs.h"
#include "collector/snap.h"
#include "collector/stacks.h"
#include "lib/base/escape.h"
#include "say.h"
#include "ui/tui/units.h"

#define ANCESTORS_MAX 64
#define INCONCLUSIVE_SHOWN 5
#define HANDLERS_SHOWN 4  /* processes of a core */
#define HANDLER_WORDS 160 /* "INT, TERM, …" */

/* ---- which of them are meant ---- */

static bool is_named(const struct scope *s, const struct wg_thread *leader, pid_t command)
{
	char path[EV_PATH_LEN];
	int n = 0;

	if (command && leader->pid == (uint32_t)command)
		return true;
	for (int i = 0; i < s->npids; i++)
		if (leader->pid == (uint32_t)s->pids[i])
			return true;
	for (int i = 0; s->comms && s->comms[i]; i++)
		if (strcmp(leader->comm, s->comms[i]) == 0)
			return true;
	if (!s->cgroups || procfs_cgroup(leader->pid, path, sizeof(path)) < 0)
		return false;
	for (; s->cgroups[n]; n++) { /* a path below the mount, or the whole of it */
		const char *want = s->cgroups[n];
		size_t longer = strlen(want), len = strlen(path);

		if (len <= longer && strcmp(want + longer - len, path) == 0 && len > 1)
			return true;
	}
	return false;
}

static bool belongs(const struct waitgraph *g, const struct scope *s, uint32_t thread, pid_t command)
{
	uint32_t pid = waitgraph_thread(g, thread)->pid;

	for (int up = 0; up < ANCESTORS_MAX && pid; up++) {
		uint32_t leader = waitgraph_find(g, pid);

		if (leader == UINT32_MAX)
			return command && pid == (uint32_t)command;
		if (is_named(s, waitgraph_thread(g, leader), command))
			return true;
		if (s->no_follow)
			return false;
		pid = waitgraph_thread(g, leader)->ppid;
	}
	return false;
}

int findings_set_scope(struct findings_view *v, const struct scope *scope, pid_t command)
{
	const struct waitgraph *g = v->solution->graph;
	uint32_t n = waitgraph_threads(g);

	v->in_scope = NULL;
	if (scope->all || (!scope->npids && !scope->comms && !scope->cgroups && !command))
		return 0;
	v->in_scope = calloc(n + 1, sizeof(*v->in_scope));
	if (!v->in_scope)
		return -ENOMEM;
	for (uint32_t t = 0; t < n; t++)
		v->in_scope[t] = belongs(g, scope, t, command);
	return 0;
}

void findings_release(struct findings_view *v)
{
	free(v->in_scope);
	v->in_scope = NULL;
}

static bool is_meant(const struct findings_view *v, uint32_t thread)
{
	return !v->in_scope || v->in_scope[thread];
}

void findings_say_source(const struct snap *snap)
{
	const struct fail *why = snap_without_bpf(snap);

	if (why)
		say("%s; what /proc alone does not tell is taken to be able to help%s%s", why->what,
		    why->remedy[0] ? ": " : "", why->remedy);
}

bool findings_has(const struct findings_view *v, const struct wg_finding *f)
{
	if (f->verdict > v->level)
		return false;
	for (uint32_t i = 0; i < f->ncore; i++)
		if (is_meant(v, f->core[i]))
			return true;
	for (uint32_t i = 0; i < f->nvictims; i++)
		if (is_meant(v, f->victims[i]))
			return true;
	return false;
}

uint32_t findings_count(const struct findings_view *v)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < v->solution->nfindings; i++)
		n += findings_has(v, &v->solution->findings[i]);
	return n;
}

/* ---- in words ---- */

static void put(FILE *out, const char *text, size_t max)
{
	char safe[ESCAPE_SIZE(WG_DETAIL_LEN)];

	escape_text(safe, sizeof(safe), text, max < WG_DETAIL_LEN ? max : WG_DETAIL_LEN);
	fputs(safe, out);
}

static void print_chan(const struct wg_chan *c, FILE *out)
{
	fputs("  on ", out);
	put(out, c->ident, sizeof(c->ident));
	if (c->name[0]) {
		fputc(' ', out);
		put(out, c->name, sizeof(c->name));
	}
	if (c->detail[0]) {
		fputs(" (", out);
		put(out, c->detail, sizeof(c->detail));
		fputc(')', out);
	}
}

static uint64_t asleep_ns(const struct findings_view *v, const struct wg_thread *t)
{
	return t->since_ns && v->now_ns > t->since_ns ? v->now_ns - t->since_ns : 0;
}

void findings_print_wait(const struct findings_view *v, uint32_t thread, const char *indent,
			 FILE *out)
{
	const struct wg_thread *t = waitgraph_thread(v->solution->graph, thread);
	const struct wg_chan *c = waitgraph_chan(v->solution->graph, t->chan);
	char name[EXPLAIN_NAME_LEN], time_text[UNITS_SIZE];

	fprintf(out, "%s%s", indent, explain_name(t, name));
	if (t->call[0]) {
		fputs("  ", out);
		put(out, t->call, sizeof(t->call));
	}
	if (c)
		print_chan(c, out);
	if (asleep_ns(v, t))
		fprintf(out, "  for %s", units_time(time_text, asleep_ns(v, t)));
	if (t->detail[0]) {
		fprintf(out, "\n%s    ", indent);
		put(out, t->detail, sizeof(t->detail));
	}
	fputc('\n', out);
}

static const char *headline(enum wg_verdict v)
{
	switch (v) {
	case WG_PROVEN:
		return "DEADLOCK (proven): cannot move unless somebody outside kills or signals";
	case WG_CLOSED_WORLD:
		return "DEADLOCK (closed world): cannot move unless a newcomer opens what they wait for";
	case WG_ORPHAN:
		return "ORPHAN: who could end the wait is gone";
	case WG_STUCK:
		return "STUCK: only a signal, or a holder that is not visible, can help";
	case WG_QUIESCENT:
		return "QUIESCENT: idle, waiting to be spoken to";
	case WG_LEAK_SUSPECT:
		return "LEAK SUSPECT: only somebody who holds an end by accident could help";
	default:
		return "SLOW: waiting for long, for somebody who can move";
	}
}

static void print_lacking(const struct findings_view *v, uint32_t thread, const char *indent, FILE *out)
{
	uint32_t some[4], n = solution_waits_for(v->solution, thread, some, 4);
	const struct wg_thread *t = waitgraph_thread(v->solution->graph, thread);

	fprintf(out, "%s    waits for %s", indent, wg_wait_word(t->wait));
	for (uint32_t i = 0; i < n && i < 4; i++) {
		char name[EXPLAIN_NAME_LEN];

		fprintf(out, "%s%s", i ? ", " : ", from ",
			explain_name(waitgraph_thread(v->solution->graph, some[i]), name));
	}
	if (n > 4)
		fprintf(out, " and %u more", n - 4);
	fputc('\n', out);
}

static void print_stack(const struct findings_view *v, uint32_t thread, FILE *out)
{
	const struct wg_thread *t = waitgraph_thread(v->solution->graph, thread);
	const char *line;

	for (size_t i = 0; v->stacks && (line = stacks_line(v->stacks, t->pid, t->tid, i)); i++) {
		fputs("        ", out);
		put(out, line, SIZE_MAX);
		fputc('\n', out);
	}
}

static void print_victims(const struct findings_view *v, const struct wg_finding *f, FILE *out)
{
	if (f->nvictims)
		fprintf(out, "  and %u %s for them:\n", f->nvictims, f->nvictims == 1 ? "waits" : "wait");
	for (uint32_t i = 0; i < f->nvictims; i++) {
		findings_print_wait(v, f->victims[i], "    ", out);
		print_lacking(v, f->victims[i], "    ", out);
		if (solution_level(v->solution, f->victims[i]) > f->level)
			fprintf(out, "        by itself only %s\n",
				wg_verdict_word(solution_level(v->solution, f->victims[i])));
	}
}

/*
 * What one of the core would do on a signal, only the program knows. A handler does not make a verdict
 * weaker (a signal is what it already excepts), but whoever is to help will want to know.
 */
static void print_handlers(const struct findings_view *v, const struct wg_finding *f, FILE *out)
{
	uint32_t last = 0, told = 0;

	for (uint32_t i = 0; v->live && i < f->ncore && told < HANDLERS_SHOWN; i++) {
		const struct wg_thread *t = waitgraph_thread(v->solution->graph, f->core[i]);
		char name[EXPLAIN_NAME_LEN], words[HANDLER_WORDS];

		if (t->pid == last || !procfs_handlers(t->pid, words, sizeof(words)))
			continue;
		last = t->pid;
		told++;
		fprintf(out, "  A signal may reach it: %s has handlers for %s.\n", explain_name(t, name), words);
	}
}

void findings_print_one(const struct findings_view *v, const struct wg_finding *f, FILE *out)
{
	char buf[EXPLAIN_LEN];

	fprintf(out, "%s\n", headline(f->verdict));
	for (uint32_t i = 0; i < f->ncore; i++) {
		if (i == f->ncycle && f->ncycle)
			fprintf(out, "  tied to them:\n");
		findings_print_wait(v, f->core[i], "  ", out);
		print_lacking(v, f->core[i], "  ", out);
		print_stack(v, f->core[i], out);
	}
	print_victims(v, f, out);
	fprintf(out, "  Cause: %s\n", explain_cause(v->solution, f, buf));
	fprintf(out, "  Cure:  %s\n", explain_cure(v->solution, f, buf));
	print_handlers(v, f, out);
	if (f->guessed)
		fprintf(out, "  Who holds what was partly deduced from who used it last.\n");
	if (!v->verbose)
		return;
	fprintf(out, "  Certificate: if all else could move, these still could not:\n");
	for (uint32_t i = 0; i < f->ncore; i++) {
		fprintf(out, "    %s needs ",
			explain_name(waitgraph_thread(v->solution->graph, f->core[i]), buf));
		explain_needs(v->solution, f, f->core[i], out);
		fputc('\n', out);
	}
}

static void print_inconclusive(const struct findings_view *v, FILE *out)
{
	uint32_t shown = 0, all = 0;

	for (uint32_t i = 0; i < v->solution->ninconclusive; i++) {
		const struct wg_inconclusive *x = &v->solution->inconclusive[i];

		if (!is_meant(v, x->thread))
			continue;
		if (!all++)
			fputs("Could not be judged:\n", out);
		if (shown == INCONCLUSIVE_SHOWN && !v->verbose)
			continue;
		shown++;
		findings_print_wait(v, x->thread, "  ", out);
		fputs("      ", out);
		put(out, x->why, SIZE_MAX);
		fputc('\n', out);
	}
	if (all > shown)
		fprintf(out, "  and %u more (-v shows them)\n", all - shown);
}

/* What only a signal or an unseen holder can help is worth a line, also where it does not count. */
static void hint_at_weaker(const struct findings_view *v, FILE *out)
{
	struct findings_view weaker = *v;
	uint32_t n;

	weaker.level = WG_STUCK;
	n = findings_count(&weaker) - findings_count(v);
	if (v->level < WG_STUCK && n)
		fprintf(out, "Stuck, as far as could be seen: %u (--level stuck shows %s)\n", n,
			n == 1 ? "it" : "them");
}

void findings_print(const struct findings_view *v, FILE *out)
{
	const struct solution *s = v->solution;
	uint32_t n = 0;
	uint64_t count;
	const char *what;

	for (uint32_t i = 0; i < s->nfindings; i++) {
		if (!findings_has(v, &s->findings[i]))
			continue;
		if (n++)
			fputc('\n', out);
		findings_print_one(v, &s->findings[i], out);
	}
	if (!n)
		fputs("No deadlock found.\n", out);
	hint_at_weaker(v, out);
	print_inconclusive(v, out);
	for (uint32_t i = 0; (what = waitgraph_lost_what(s->graph, i, &count)); i++)
		fprintf(out, "Not seen: %" PRIu64 " (%s)\n", count, what);
}
