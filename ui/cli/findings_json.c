// SPDX-License-Identifier: GPL-2.0-or-later
/* Verdicts for programs. The keys are documented in ipctap-deadlock(1). */
#include <errno.h>
#include <stdlib.h>

#include "collector/stacks.h"
#include "findings.h"
#include "lib/abi/words.h"
#include "text.h"

static void set(json_t *o, const char *key, json_t *value) { json_object_set_new(o, key, value); }

static json_t *number(uint64_t v) { return json_integer(v > INT64_MAX ? INT64_MAX : (json_int_t)v); }

static json_t *number_or_null(uint64_t v) { return v ? number(v) : json_null(); }

/* Distinct pids of those that the thread waits for. */
static json_t *waits_for(const struct findings_view *v, uint32_t thread)
{
	uint32_t n = waitgraph_threads(v->solution->graph), last = 0;
	uint32_t *some = calloc(n + 1, sizeof(*some));
	json_t *list = json_array();

	if (!some) {
		json_decref(list);
		return json_null();
	}
	n = solution_waits_for(v->solution, thread, some, n);
	for (uint32_t i = 0; i < n; i++)
		some[i] = waitgraph_thread(v->solution->graph, some[i])->pid;
	for (uint32_t i = 0; i < n; i++) {
		bool again = some[i] == last;

		for (size_t k = 0; k < json_array_size(list) && !again && k < 256; k++)
			again = json_integer_value(json_array_get(list, k)) == (json_int_t)some[i];
		last = some[i];
		if (!again)
			json_array_append_new(list, json_integer(some[i]));
	}
	free(some);
	return list;
}

static json_t *stack(const struct findings_view *v, const struct wg_thread *t)
{
	json_t *list = json_array();
	const char *line;

	for (size_t i = 0; v->stacks && (line = stacks_line(v->stacks, t->pid, t->tid, i)); i++)
		json_array_append_new(list, json_text(line));
	return list;
}

json_t *findings_json_wait(const struct findings_view *v, uint32_t thread)
{
	const struct wg_thread *t = waitgraph_thread(v->solution->graph, thread);
	const struct wg_chan *c = waitgraph_chan(v->solution->graph, t->chan);
	enum wg_verdict level = solution_level(v->solution, thread);
	json_t *o = json_object();

	set(o, "pid", number(t->pid));
	set(o, "tid", number(t->tid));
	set(o, "comm", json_text(t->comm));
	set(o, "call", json_text(t->call));
	set(o, "waits", t->wait == WG_RUNS ? json_null() : json_string(wg_wait_word(t->wait)));
	set(o, "channel", c ? json_text(c->ident) : json_null());
	set(o, "name", c && c->name[0] ? json_text(c->name) : json_null());
	set(o, "state", c && c->detail[0] ? json_text(c->detail) : json_null());
	set(o, "detail", t->detail[0] ? json_text(t->detail) : json_null());
	set(o, "fd", t->fd >= 0 ? json_integer(t->fd) : json_null());
	set(o, "since_ns", number_or_null(t->since_ns));
	set(o, "deadline_ns", number_or_null(t->deadline_ns));
	set(o, "level", level ? json_string(wg_verdict_word(level)) : json_null());
	set(o, "waits_for", waits_for(v, thread));
	return o;
}

static json_t *waits(const struct findings_view *v, const uint32_t *threads, uint32_t n, bool stacks)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < n; i++) {
		json_t *o = findings_json_wait(v, threads[i]);

		if (stacks)
			set(o, "stack",
			    stack(v, waitgraph_thread(v->solution->graph, threads[i])));
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *certificate(const struct findings_view *v, const struct wg_finding *f)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < f->ncore; i++) {
		char *text = NULL, name[EXPLAIN_NAME_LEN];
		size_t size = 0;
		FILE *out = open_memstream(&text, &size);

		if (!out)
			break;
		fprintf(out, "%s needs ",
			explain_name(waitgraph_thread(v->solution->graph, f->core[i]), name));
		explain_needs(v->solution, f, f->core[i], out);
		if (fclose(out) == 0)
			json_array_append_new(list, json_text(text));
		free(text);
	}
	return list;
}

json_t *findings_json_one(const struct findings_view *v, const struct wg_finding *f)
{
	char buf[EXPLAIN_LEN];
	json_t *o = json_object(), *heirs = json_array();

	set(o, "verdict", json_string(wg_verdict_word(f->verdict)));
	set(o, "core", waits(v, f->core, f->ncore, true));
	set(o, "cycle", number(f->ncycle));
	set(o, "victims", waits(v, f->victims, f->nvictims, false));
	set(o, "cause", json_text(explain_cause(v->solution, f, buf)));
	set(o, "cure", json_text(explain_cure(v->solution, f, buf)));
	set(o, "certificate", certificate(v, f));
	set(o, "guessed", json_boolean(f->guessed));
	for (uint32_t i = 0; i < f->nheirs; i++)
		json_array_append_new(heirs, json_integer(f->heirs[i]));
	set(o, "heirs", heirs);
	return o;
}

static json_t *inconclusive(const struct findings_view *v)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < v->solution->ninconclusive; i++) {
		const struct wg_inconclusive *x = &v->solution->inconclusive[i];
		json_t *o;

		if (v->in_scope && !v->in_scope[x->thread])
			continue;
		o = findings_json_wait(v, x->thread);
		set(o, "why", json_text(x->why));
		json_array_append_new(list, o);
	}
	return list;
}

json_t *findings_json(const struct findings_view *v)
{
	const struct solution *s = v->solution;
	json_t *o = json_object(), *list = json_array(), *unseen = json_array();
	const char *what;
	uint64_t count;

	for (uint32_t i = 0; i < s->nfindings; i++)
		if (findings_has(v, &s->findings[i]))
			json_array_append_new(list, findings_json_one(v, &s->findings[i]));
	for (uint32_t i = 0; (what = waitgraph_lost_what(s->graph, i, &count)); i++)
		json_array_append_new(unseen, json_text(what));
	set(o, "findings", list);
	set(o, "inconclusive", inconclusive(v));
	set(o, "lost", number(waitgraph_lost(s->graph)));
	set(o, "unseen", unseen);
	set(o, "now_ns", number(v->now_ns));
	return o;
}
