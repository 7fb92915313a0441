// SPDX-License-Identifier: GPL-2.0-or-later
/* What the report says of locks: who waited, who held, and who nests them in what order. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "columns.h"
#include "lib/abi/words.h"
#include "report_locks.h"
#include "text.h"
#include "ui/tui/units.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* ---- gathering ---- */

static int take(struct sink *self, const struct ev_hdr *h)
{
	struct report_locks *l = (struct report_locks *)self;

	return h->type == EV_IO ? locks_io(l->locks, (const struct ev_io *)h) : 0;
}

int report_locks_init(struct report_locks *l)
{
	*l = (struct report_locks){ .sink.event = take, .locks = locks_new() };
	return l->locks ? 0 : -ENOMEM;
}

int report_locks_finish(struct report_locks *l)
{
	int err = locks_sort(l->locks);

	if (!err)
		l->cycle = locks_find_cycles(l->locks, &l->ncycles);
	return err || (l->ncycles && !l->cycle) ? -ENOMEM : 0;
}

void report_locks_release(struct report_locks *l)
{
	locks_free(l->locks);
	free(l->cycle);
	*l = (struct report_locks){ 0 };
}

/* ---- for people ---- */

static const char *who_text(char buf[static TEXT_SIZE], const struct report *r, uint32_t tid)
{
	const struct m_task *t = model_task(r->model, tid);

	if (t)
		return text_task(buf, t);
	snprintf(buf, TEXT_SIZE, "?[%" PRIu32 "]", tid);
	return buf;
}

static void cells_longest(struct columns *t, const struct report *r, const struct lock_longest *l)
{
	char time_text[UNITS_SIZE], who[TEXT_SIZE];

	if (!l->ns) {
		columns_cell(t, "-");
		columns_cell(t, "-");
		return;
	}
	columns_cell(t, "%s", units_time(time_text, l->ns));
	columns_cell(t, "%s", who_text(who, r, l->tid));
}

static int print_stats(const struct report *r, FILE *out)
{
	static const struct column cols[] = {
		{ "WAITS", COLUMN_NUMBER }, { "WAITED", COLUMN_NUMBER }, { "LONGEST", COLUMN_NUMBER },
		{ "BY", COLUMN_WHO },       { "HELD", COLUMN_NUMBER },   { "LONGEST", COLUMN_NUMBER },
		{ "BY", COLUMN_WHO },       { "LOCK", COLUMN_NAME },
	};
	const struct locks *l = r->locks->locks;
	struct columns *t;
	int err;

	if (!locks_count(l))
		return 0;
	t = columns_new(out, cols, COUNT(cols));
	if (!t)
		return -ENOMEM;
	fprintf(out, "\nLocks: who waited, who held\n");
	for (size_t i = 0; i < locks_count(l); i++) {
		const struct lock_stat *s = locks_stat(l, i);
		char waited[UNITS_SIZE], name[TEXT_SIZE];

		columns_row(t);
		columns_cell(t, "%" PRIu64, s->waits);
		columns_cell(t, "%s", units_time(waited, s->wait_total_ns));
		cells_longest(t, r, &s->wait);
		if (s->holds)
			columns_cell(t, "%" PRIu64, s->holds);
		else
			columns_cell(t, "-");
		cells_longest(t, r, &s->hold);
		columns_cell(t, "%s", text_chan(name, model_chan(r->model, s->chan)));
	}
	err = columns_print(t);
	columns_free(t);
	return err;
}

static void print_cycle(const struct report *r, const struct lock_cycle *c, FILE *out)
{
	char held[TEXT_SIZE], got[TEXT_SIZE], who[TEXT_SIZE], when[UNITS_SIZE];
	uint64_t first = model_first_ns(r->model);

	for (uint32_t i = 0; i < c->n; i++) {
		const struct lock_nesting *s = &c->step[i];

		fprintf(out, "%s%s then %s, by %s at %s\n", i ? "    " : "  ",
			text_chan(held, model_chan(r->model, s->held)), text_chan(got, model_chan(r->model, s->got)),
			who_text(who, r, s->tid), units_time(when, s->t_ns > first ? s->t_ns - first : 0));
	}
}

int report_print_locks(const struct report *r, FILE *out)
{
	int err = r->locks ? print_stats(r, out) : 0;

	if (err || !r->locks)
		return err;
	if (r->locks->ncycles)
		fprintf(out, "\nPossible inversions of lock order (no deadlock, but one may come of it)\n");
	for (size_t i = 0; i < r->locks->ncycles; i++)
		print_cycle(r, &r->locks->cycle[i], out);
	if (locks_dropped(r->locks->locks))
		fprintf(out, "%" PRIu64 " nestings of locks were too many to compare\n", locks_dropped(r->locks->locks));
	return 0;
}

/* ---- for programs ---- */

static json_t *integer(uint64_t v) { return json_integer(v > INT64_MAX ? INT64_MAX : (json_int_t)v); }

static json_t *chan_json(const struct report *r, uint64_t chan)
{
	const struct m_chan *c = model_chan(r->model, chan);
	json_t *o = json_object();

	json_object_set_new(o, "chan", c && !c->folded ? integer(c->id) : json_null());
	json_object_set_new(o, "kind", c ? json_string(kind_word(c->kind)) : json_null());
	json_object_set_new(o, "name", c ? json_text(c->name) : json_null());
	json_object_set_new(o, "ident", c ? json_text(c->ident) : json_null());
	return o;
}

static void put_who(json_t *o, const struct report *r, uint32_t pid, uint32_t tid)
{
	const struct m_task *t = model_task(r->model, tid);

	json_object_set_new(o, "pid", json_integer(pid));
	json_object_set_new(o, "tid", json_integer(tid));
	json_object_set_new(o, "comm", t ? json_text(t->comm) : json_null());
}

static json_t *longest_json(const struct report *r, const struct lock_longest *l)
{
	json_t *o = json_object();

	if (!l->ns) {
		json_decref(o);
		return json_null();
	}
	put_who(o, r, l->pid, l->tid);
	json_object_set_new(o, "ns", integer(l->ns));
	json_object_set_new(o, "t_ns", integer(l->t_ns));
	return o;
}

json_t *report_json_locks(const struct report *r)
{
	json_t *list = json_array();

	for (size_t i = 0; r->locks && i < locks_count(r->locks->locks); i++) {
		const struct lock_stat *s = locks_stat(r->locks->locks, i);
		json_t *o = chan_json(r, s->chan);

		json_object_set_new(o, "waits", integer(s->waits));
		json_object_set_new(o, "wait_total_ns", integer(s->wait_total_ns));
		json_object_set_new(o, "longest_wait", longest_json(r, &s->wait));
		json_object_set_new(o, "holds", integer(s->holds));
		json_object_set_new(o, "hold_total_ns", integer(s->hold_total_ns));
		json_object_set_new(o, "longest_hold", longest_json(r, &s->hold));
		json_array_append_new(list, o);
	}
	return list;
}

json_t *report_json_inversions(const struct report *r)
{
	json_t *list = json_array();

	for (size_t i = 0; r->locks && i < r->locks->ncycles; i++) {
		const struct lock_cycle *c = &r->locks->cycle[i];
		json_t *steps = json_array();

		for (uint32_t k = 0; k < c->n; k++) {
			const struct lock_nesting *s = &c->step[k];
			json_t *o = json_object();

			put_who(o, r, s->pid, s->tid);
			json_object_set_new(o, "t_ns", integer(s->t_ns));
			json_object_set_new(o, "held", chan_json(r, s->held));
			json_object_set_new(o, "got", chan_json(r, s->got));
			json_array_append_new(steps, o);
		}
		json_array_append_new(list, steps);
	}
	return list;
}
