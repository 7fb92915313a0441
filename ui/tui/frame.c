// SPDX-License-Identifier: GPL-2.0-or-later
/* What one refresh takes from the model; see frame.h. */
#include "ui/tui/frame.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/abi/words.h"
#include "ui/tui/units.h"

int frame_init(struct frame *f)
{
	int err = 0;

	*f = (struct frame){ .rates = rates_new() };
	for (int i = 0; i < VIEW_MAX; i++)
		if (table_init(&f->tables[i], views[i]) < 0)
			err = -ENOMEM;
	return f->rates ? err : -ENOMEM;
}

void frame_release(struct frame *f)
{
	for (int i = 0; i < VIEW_MAX; i++)
		table_release(&f->tables[i]);
	rates_free(f->rates);
	tail_release(&f->seen);
	*f = (struct frame){ 0 };
}

/* Without memory there is none, and a page finds its operation in the tail, or not. */
static void keep_seen(struct frame *f)
{
	const struct tail *t = f->scan.tail;

	if (!t || (!f->seen.v && tail_init(&f->seen) < 0))
		return;
	memcpy(f->seen.v, t->v, (t->n < TAIL_MAX ? t->n : TAIL_MAX) * sizeof(*t->v));
	f->seen.n = t->n;
}

static int count_objects(struct frame *f, const struct scan *scan)
{
	int err = 0;

	if (f->history)
		history_begin(f->history, scan->now_ns);
	f->processes = f->tasks = f->channels = f->waits = 0;
	f->objects = 0;
	for (const struct m_proc *p = model_procs(scan->model); p; p = p->next) {
		f->objects++;
		if (p->exited)
			continue;
		f->processes++;
		f->tasks += p->nthreads;
	}
	for (const struct m_chan *c = model_chans(scan->model); c; c = c->next) {
		f->objects++;
		f->channels += c->nopen > 0;
		if (f->history && history_wants(f->history, c) && history_take(f->history, c) < 0)
			err = -ENOMEM;
	}
	if (f->history)
		history_end(f->history);
	for (const struct m_wait *w = model_waits(scan->model); w; w = w->next)
		f->waits += filter_match_wait(scan->filter, scan->model, w);
	return err;
}

static void count_losses(struct frame *f, const struct model *model)
{
	f->lost = 0;
	memset(f->lost_by, 0, sizeof(f->lost_by));
	for (const struct m_loss *l = model_losses(model); l; l = l->next) {
		f->lost += l->count;
		if (l->cause < LOST_MAX)
			f->lost_by[l->cause] += l->count;
	}
}

static int count_ops(struct frame *f, const struct model *model)
{
	static const struct row_key key = { { 0 } }; /* no object's */
	uint64_t counters[RATES_COUNTERS] = { model_ops(model) };
	double per_s[RATES_COUNTERS];
	int err = rates_get(f->rates, &key, counters, per_s);

	f->ops = counters[0];
	f->ops_per_s = per_s[0];
	return err;
}

int frame_take(struct frame *f, enum tui_view view)
{
	int err;

	if (f->taken_ns[view] == f->now_ns && f->now_ns)
		return 0;
	if (view == VIEW_EVENTS)
		keep_seen(f);
	err = table_scan(&f->tables[view], &f->scan, model_first_ns(f->scan.model));
	f->taken_ns[view] = f->now_ns;
	return err;
}

int frame_refresh(struct frame *f, const struct model *model, const struct frame_sources *sources,
		  uint64_t now_ns, enum tui_view open, bool all)
{
	uint64_t first_ns = model_first_ns(model);
	int err;

	f->scan = (struct scan){
		.model = model,
		.now_ns = now_ns,
		.filter = sources->filter,
		.tail = sources->tail,
		.tail_most = sources->tail_most,
		.waits = sources->waits,
	};
	keep_seen(f); /* also for pages, which are scanned next */
	rates_begin(f->rates, now_ns, first_ns);
	f->now_ns = now_ns;
	f->span_ns = now_ns > first_ns ? now_ns - first_ns : 0;
	f->interval_s = rates_span_s(f->rates);
	err = count_objects(f, &f->scan);
	count_losses(f, model);
	f->folded = model_folded(model).procs + model_folded(model).chans;
	if (count_ops(f, model) < 0)
		err = -ENOMEM;
	rates_end(f->rates);
	memset(f->taken_ns, 0, sizeof(f->taken_ns));
	for (int i = 0; i < VIEW_MAX; i++) {
		/* the latest operations are always many, and have no rates to be kept up */
		bool is_small = f->objects <= FRAME_SMALL && i != VIEW_EVENTS;
		int e = 0;

		if (all || i == (int)open || is_small)
			e = frame_take(f, (enum tui_view)i);
		err = e < 0 ? e : err;
	}
	return err;
}

static const char *figures(const struct frame *f, char buf[FRAME_TEXT_SIZE],
			   const char *const words[4])
{
	char ops[UNITS_SIZE], span[UNITS_SIZE];

	snprintf(buf, FRAME_TEXT_SIZE,
		 "ops/s %s  span %s  %s %" PRIu32 "  %s %" PRIu32 "  %s %" PRIu32 "  %s %" PRIu32,
		 units_count(ops, f->ops_per_s), units_time(span, f->span_ns), words[0],
		 f->processes, words[1], f->tasks, words[2], f->channels, words[3], f->waits);
	if (f->folded)
		snprintf(buf + strlen(buf), FRAME_TEXT_SIZE - strlen(buf), "  folded %s",
			 units_count(ops, (double)f->folded));
	return buf;
}

const char *frame_figures(const struct frame *f, char buf[FRAME_TEXT_SIZE])
{
	return figures(f, buf,
		       (const char *const[]){ "processes", "tasks", "channels", "waiting" });
}

const char *frame_figures_brief(const struct frame *f, char buf[FRAME_TEXT_SIZE])
{
	return figures(f, buf, (const char *const[]){ "procs", "tasks", "chans", "wait" });
}

const char *frame_losses(const struct frame *f, char buf[FRAME_TEXT_SIZE])
{
	size_t len = (size_t)snprintf(buf, FRAME_TEXT_SIZE, "lost %" PRIu64, f->lost);
	uint32_t worst = LOST_NONE;
	const char *sep = ": ";

	if (!f->lost)
		return buf;
	for (uint32_t i = 0; i < LOST_MAX && len < FRAME_TEXT_SIZE; i++) {
		if (!f->lost_by[i])
			continue;
		if (f->lost_by[i] > f->lost_by[worst])
			worst = i;
		len += (size_t)snprintf(buf + len, FRAME_TEXT_SIZE - len, "%s%s %" PRIu64, sep,
					loss_word(i), f->lost_by[i]);
		sep = ", ";
	}
	if (worst != LOST_NONE && len < FRAME_TEXT_SIZE)
		snprintf(buf + len, FRAME_TEXT_SIZE - len, " (%s)", loss_remedy(worst));
	return buf;
}

uint64_t timeline_now(struct timeline *t, uint64_t model_ns, uint64_t monotonic_ns, bool ended)
{
	uint64_t now_ns = model_ns;

	if (t->model_ns != model_ns || !t->monotonic_ns) {
		t->model_ns = model_ns;
		t->monotonic_ns = monotonic_ns;
	}
	if (!ended && model_ns && monotonic_ns > t->monotonic_ns)
		now_ns += monotonic_ns - t->monotonic_ns;
	if (now_ns > t->now_ns)
		t->now_ns = now_ns;
	return t->now_ns;
}
