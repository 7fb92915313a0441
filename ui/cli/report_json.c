// SPDX-License-Identifier: GPL-2.0-or-later
/* The report for programs: one JSON document. Its keys are documented in ipctap-report(1). */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

#include "lib/abi/words.h"
#include "report.h"
#include "report_locks.h"
#include "text.h"

/* JSON integers are signed; what does not fit is as large as they get. */
static json_int_t integer(uint64_t v) { return v > INT64_MAX ? INT64_MAX : (json_int_t)v; }

static json_t *text_or_null(const char *text) { return text ? json_text(text) : json_null(); }

static void put(json_t *o, const char *key, uint64_t value)
{
	json_object_set_new(o, key, json_integer(integer(value)));
}

static void put_chan(json_t *o, const struct m_chan *c)
{
	json_object_set_new(o, "chan", c && !c->folded ? json_integer(integer(c->id)) : json_null());
	json_object_set_new(o, "kind", c ? json_string(kind_word(c->kind)) : json_null());
	json_object_set_new(o, "name", c ? json_text(c->name) : json_null());
	json_object_set_new(o, "ident", c ? json_text(c->ident) : json_null());
}

static void put_task(json_t *o, const struct m_task *t)
{
	put(o, "pid", t->proc->pid);
	put(o, "tid", t->tid);
	json_object_set_new(o, "comm", json_text(t->comm));
}

static void put_latency(json_t *o, const struct hist *h)
{
	json_object_set_new(o, "p50_ns",
			    h->count ? json_integer(integer(hist_percentile(h, 50))) : json_null());
	json_object_set_new(o, "p90_ns",
			    h->count ? json_integer(integer(hist_percentile(h, 90))) : json_null());
	json_object_set_new(o, "p99_ns",
			    h->count ? json_integer(integer(hist_percentile(h, 99))) : json_null());
	json_object_set_new(o, "max_ns", h->count ? json_integer(integer(h->max)) : json_null());
}

static void put_count(json_t *o, const struct m_count *c)
{
	put(o, "ops", c->ops);
	put(o, "errors", c->errors);
	put(o, "blocked", c->blocked);
	put(o, "messages_in", c->msgs_in);
	put(o, "bytes_in", c->bytes_in);
	put(o, "messages_out", c->msgs_out);
	put(o, "bytes_out", c->bytes_out);
}

/* ---- one object of each list ---- */

static json_t *summary(const struct report *r)
{
	uint64_t first = model_first_ns(r->model), now = model_now_ns(r->model);
	struct m_folded folded = model_folded(r->model);
	json_t *o = json_object();

	json_object_set_new(o, "file", text_or_null(r->file));
	json_object_set_new(o, "traced", json_text(r->command));
	json_object_set_new(o, "source", json_text(r->source));
	json_object_set_new(o, "filter", text_or_null(r->filter));
	json_object_set_new(o, "unfinished", json_boolean(r->unfinished));
	json_object_set_new(o, "realtime_minus_monotonic_ns",
			    r->wall_ns ? json_integer(r->wall_ns) : json_null());
	put(o, "first_ns", first);
	put(o, "last_ns", now);
	put(o, "duration_ns", now > first ? now - first : 0);
	put(o, "operations", model_ops(r->model));
	put(o, "matching", r->matched);
	put(o, "spilled", r->spilled);
	put(o, "folded_processes", folded.procs);
	put(o, "folded_threads", folded.tasks);
	put(o, "folded_channels", folded.chans);
	put(o, "lost", report_losses(r));
	return o;
}

static json_t *flow(const struct report *r, const void *item)
{
	const struct m_flow *f = item;
	json_t *o = json_object();

	(void)r;
	json_object_set_new(o, "src_pid", json_proc_pid(f->src));
	json_object_set_new(o, "src_comm", text_or_null(f->src ? f->src->comm : NULL));
	json_object_set_new(o, "dst_pid", json_proc_pid(f->dst));
	json_object_set_new(o, "dst_comm", text_or_null(f->dst ? f->dst->comm : NULL));
	put_chan(o, f->chan);
	put(o, "messages", f->messages);
	put(o, "bytes", f->bytes);
	put(o, "first_ns", f->first_ns);
	put(o, "last_ns", f->last_ns);
	put_latency(o, &f->latency);
	json_object_set_new(o, "approximate", json_boolean(f->approximate));
	return o;
}

static json_t *proc(const struct report *r, const void *item)
{
	const struct m_proc *p = item;
	json_t *o = json_object();

	put(o, "pid", p->pid);
	put(o, "ppid", p->ppid);
	json_object_set_new(o, "comm", json_text(p->comm));
	json_object_set_new(o, "exe", json_text(p->exe));
	json_object_set_new(o, "args", json_text(p->args));
	json_object_set_new(o, "cgroup", json_text(p->cgroup));
	put(o, "folded", p->folded);
	put_count(o, &p->count);
	put(o, "slept_ns", report_slept_ns(r, p));
	put(o, "observed_ns", report_observed_ns(r, p));
	put(o, "waits", p->nwaits);
	json_object_set_new(o, "exit_code", p->exited ? json_integer(p->exit_code) : json_null());
	return o;
}

static void put_room(json_t *o, const struct model *m, const struct m_chan *c)
{
	struct m_fill f;

	json_object_set_new(o, "room_bytes",
			    c->room_bytes ? json_integer(integer(c->room_bytes)) : json_null());
	json_object_set_new(o, "room_messages",
			    c->room_messages ? json_integer(c->room_messages) : json_null());
	json_object_set_new(o, "fill",
			    model_fill(m, c, &f) ? json_real((double)f.inside / (double)f.room) : json_null());
}

static json_t *chan(const struct report *r, const void *item)
{
	const struct m_chan *c = item;
	json_t *o = json_object();
	uint64_t ends = 0;

	for (const struct m_endpoint *e = c->endpoints; e; e = e->next)
		ends++;
	put_chan(o, c);
	json_object_set_new(o, "shape", json_string(shape_word(c->shape)));
	json_object_set_new(o, "key", json_integer(c->key));
	json_object_set_new(o, "remote", json_boolean(c->remote));
	put(o, "ends_open", c->nopen);
	put(o, "ends", ends);
	put_count(o, &c->count);
	json_object_set_new(o, "unread_bytes",
			    c->unread_known ? json_integer(integer(c->unread_bytes)) : json_null());
	put_room(o, r->model, c);
	put_latency(o, &c->latency);
	return o;
}

static json_t *slept(const struct report *r, const void *item)
{
	const struct m_blocked *b = item;
	struct report_slept s = report_slept(r, b);
	json_t *o = json_object();

	put_task(o, b->task);
	json_object_set_new(o, "op", json_string(op_word(b->op)));
	put_chan(o, b->chan);
	put(o, "total_slept_ns", s.total_ns);
	put(o, "longest_ns", s.longest_ns);
	put(o, "times", s.times);
	json_object_set_new(o, "still", json_boolean(b->still));
	return o;
}

/* pids of a list, which is freed */
static json_t *pids(struct report_list procs)
{
	json_t *list = json_array();

	for (size_t i = 0; i < procs.n; i++)
		json_array_append_new(list, json_proc_pid(procs.item[i]));
	free(procs.item);
	return list;
}

static json_t *wait_open(const struct report *r, const void *item)
{
	const struct m_wait *w = item;
	uint64_t now = model_now_ns(r->model);
	json_t *o = json_object();

	put_task(o, w->task);
	json_object_set_new(o, "op", json_string(op_word(w->op)));
	put_chan(o, w->chan);
	json_object_set_new(o, "fd", w->fd >= 0 ? json_integer(w->fd) : json_null());
	put(o, "since_ns", w->since_ns);
	put(o, "for_ns", now > w->since_ns ? now - w->since_ns : 0);
	json_object_set_new(o, "deadline_ns",
			    w->deadline_ns ? json_integer(integer(w->deadline_ns)) : json_null());
	json_object_set_new(o, "other_ends", pids(report_other_ends(w)));
	return o;
}

static json_t *segment(const struct report *r, const void *item)
{
	const struct m_chan *c = item;
	struct report_list procs = report_attached(c);
	json_t *o = json_object(), *list = json_array();

	(void)r;
	put_chan(o, c);
	json_object_set_new(o, "key", json_integer(c->key));
	for (size_t i = 0; i < procs.n; i++) {
		const struct m_proc *p = procs.item[i];
		json_t *by = json_object();

		put(by, "pid", p->pid);
		json_object_set_new(by, "comm", json_text(p->comm));
		json_object_set_new(by, "still", json_boolean(report_has_open(c, p)));
		json_array_append_new(list, by);
	}
	free(procs.item);
	json_object_set_new(o, "attached", list);
	return o;
}

static json_t *losses(const struct report *r)
{
	json_t *list = json_array();

	for (const struct m_loss *l = model_losses(r->model); l; l = l->next) {
		json_t *o = json_object();

		json_object_set_new(o, "cause", json_string(loss_word(l->cause)));
		json_object_set_new(o, "what", json_string(loss_what(l->cause)));
		put(o, "where", l->where);
		put(o, "count", l->count);
		json_object_set_new(o, "remedy", json_string(loss_remedy(l->cause)));
		json_array_append_new(list, o);
	}
	return list;
}

int report_print_json(const struct report *r, FILE *out)
{
	const struct {
		const char *key;
		const struct report_list *list;
		json_t *(*object)(const struct report *r, const void *item);
	} sections[] = {
		{ "talk", &r->flows, flow },         { "processes", &r->procs, proc },
		{ "channels", &r->chans, chan },     { "slept", &r->blocked, slept },
		{ "waiting", &r->waits, wait_open }, { "shared_memory", &r->segments, segment },
	};
	json_t *doc = json_object();
	int err = 0;

	json_object_set_new(doc, "summary", summary(r));
	for (size_t i = 0; i < sizeof(sections) / sizeof(*sections); i++) {
		json_t *list = json_array();

		for (size_t k = 0; k < sections[i].list->n; k++)
			json_array_append_new(list,
					      sections[i].object(r, sections[i].list->item[k]));
		err |= json_object_set_new(doc, sections[i].key, list);
	}
	err |= json_object_set_new(doc, "locks", report_json_locks(r));
	err |= json_object_set_new(doc, "lock_inversions", report_json_inversions(r));
	err |= json_object_set_new(doc, "lost", losses(r));
	if (err)
		err = -ENOMEM;
	else if (json_dumpf(doc, out, JSON_INDENT(2) | JSON_ENSURE_ASCII) == 0)
		fputc('\n', out);
	else if (!ferror(out))
		err = -ENOMEM;
	json_decref(doc);
	return err;
}
