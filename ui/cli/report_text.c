// SPDX-License-Identifier: GPL-2.0-or-later
/* The report for people: one section for each question, each a table. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "lib/abi/words.h"
#include "report.h"
#include "report_locks.h"
#include "columns.h"
#include "text.h"
#include "ui/tui/units.h"
#include "lib/base/clock.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static void cell_time(struct columns *t, uint64_t ns)
{
	char buf[UNITS_SIZE];

	columns_cell(t, "%s", units_time(buf, ns));
}

/* Percentiles 50, 90, 99 and the maximum; dashes where there was nothing to measure. */
static void cells_latency(struct columns *t, const struct hist *h)
{
	if (!h->count) {
		for (int i = 0; i < 4; i++)
			columns_cell(t, "-");
		return;
	}
	cell_time(t, hist_percentile(h, 50));
	cell_time(t, hist_percentile(h, 90));
	cell_time(t, hist_percentile(h, 99));
	cell_time(t, h->max);
}

static int finish(struct columns *t)
{
	int err = columns_print(t);

	columns_free(t);
	return err;
}

/* ---- the sections ---- */

static void print_wall(const struct report *r, FILE *out)
{
	int64_t first_ns = (int64_t)(model_first_ns(r->model) & INT64_MAX);
	time_t s;
	struct tm tm;
	char date[64];

	if (!first_ns || !r->wall_ns || __builtin_add_overflow(first_ns, r->wall_ns, &first_ns))
		return;
	s = (time_t)(first_ns / NS_PER_S);
	if (!localtime_r(&s, &tm) || !strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S %z", &tm))
		return;
	fprintf(out, "From:       %s\n", date);
}

static void print_folded(const struct report *r, FILE *out)
{
	struct m_folded n = model_folded(r->model);

	if (n.procs || n.tasks || n.chans)
		fprintf(out,
			"Folded:     %" PRIu64 " processes, %" PRIu64 " threads and %" PRIu64
			" channels that were over, into totals (raise --keep)\n",
			n.procs, n.tasks, n.chans);
}

static int print_summary(const struct report *r, FILE *out)
{
	uint64_t first = model_first_ns(r->model), now = model_now_ns(r->model);
	uint64_t lost = report_losses(r);
	char time_text[UNITS_SIZE], safe[ESCAPE_SIZE(1024)];

	if (r->file) {
		escape_text(safe, sizeof(safe), r->file, 1024);
		fprintf(out, "Trace:      %s%s\n", safe,
			r->unfinished ? " (cut short: its recorder was killed, or could write no more)" : "");
	}
	escape_text(safe, sizeof(safe), r->command, 1024);
	fprintf(out, "Traced:     %s\n", safe);
	escape_text(safe, sizeof(safe), r->source, 1024);
	fprintf(out, "Source:     %s\n", safe);
	if (r->filter) {
		escape_text(safe, sizeof(safe), r->filter, 1024);
		fprintf(out, "Filter:     %s\n", safe);
	}
	print_wall(r, out);
	fprintf(out, "Duration:   %s\n", units_time(time_text, now > first ? now - first : 0));
	fprintf(out, "Operations: %" PRIu64, r->matched);
	if (r->filter)
		fprintf(out, " of %" PRIu64, model_ops(r->model));
	fprintf(out, "\nProcesses:  %zu", r->procs.n);
	if (r->idle_procs)
		fprintf(out, ", and %zu that did nothing of this", r->idle_procs);
	fprintf(out, "\nChannels:   %zu", r->chans.n);
	if (r->idle_chans)
		fprintf(out, ", and %zu that were not used", r->idle_chans);
	fputc('\n', out);
	print_folded(r, out);
	if (r->spilled)
		fprintf(out, "Spilled:    %" PRIu64 ", the disk was slower than the events\n",
			r->spilled);
	if (lost)
		fprintf(out, "Lost:       %" PRIu64 ", see below\n", lost);
	else
		fprintf(out, "Lost:       nothing\n");
	return 0;
}

static int print_talk(const struct report *r, FILE *out)
{
	static const struct column cols[] = {
		{ "FROM", COLUMN_WHO },        { "TO", COLUMN_WHO },       { "KIND", COLUMN_TEXT },
		{ "MESSAGES", COLUMN_NUMBER }, { "BYTES", COLUMN_NUMBER }, { "", COLUMN_TEXT },
		{ "P50", COLUMN_NUMBER },      { "P90", COLUMN_NUMBER },   { "P99", COLUMN_NUMBER },
		{ "MAX", COLUMN_NUMBER },      { "CHANNEL", COLUMN_NAME },
	};
	bool approximate = false;
	struct columns *t;
	int err;

	if (!r->flows.n)
		return 0;
	t = columns_new(out, cols, COUNT(cols));
	if (!t)
		return -ENOMEM;
	fprintf(out, "\nWho talked to whom\n");
	for (size_t i = 0; i < r->flows.n; i++) {
		const struct m_flow *f = r->flows.item[i];
		char src[TEXT_SIZE], dst[TEXT_SIZE], chan[TEXT_SIZE];

		columns_row(t);
		columns_cell(t, "%s", text_proc(src, f->src));
		columns_cell(t, "%s", text_proc(dst, f->dst));
		columns_cell(t, "%s", kind_word(f->chan->kind));
		columns_cell(t, "%" PRIu64, f->messages);
		columns_cell(t, "%" PRIu64, f->bytes);
		columns_cell(t, "%s", f->approximate ? "~" : "");
		cells_latency(t, &f->latency);
		columns_cell(t, "%s", text_chan(chan, f->chan));
		approximate |= f->approximate;
	}
	err = finish(t);
	if (approximate)
		fprintf(out, "~ some of it was attributed by a rule that can err\n");
	return err;
}

static int print_procs(const struct report *r, FILE *out)
{
	static const struct column cols[] = {
		{ "PID", COLUMN_NUMBER },      { "COMM", COLUMN_WHO },
		{ "OPS", COLUMN_NUMBER },      { "ERRORS", COLUMN_NUMBER },
		{ "BYTES IN", COLUMN_NUMBER }, { "BYTES OUT", COLUMN_NUMBER },
		{ "SLEPT", COLUMN_NUMBER },    { "SLEPT%", COLUMN_NUMBER },
		{ "STATE", COLUMN_TEXT },
	};
	struct columns *t;

	if (!r->procs.n)
		return 0;
	t = columns_new(out, cols, COUNT(cols));
	if (!t)
		return -ENOMEM;
	fprintf(out, "\nProcesses\n");
	for (size_t i = 0; i < r->procs.n; i++) {
		const struct m_proc *p = r->procs.item[i];
		uint64_t slept = report_slept_ns(r, p), observed = report_observed_ns(r, p);
		char comm[TEXT_SIZE];

		columns_row(t);
		columns_cell(t, p->folded ? "" : "%" PRIu32, p->pid);
		columns_cell(t, "%s", text_comm(comm, p->comm));
		columns_cell(t, "%" PRIu64, p->count.ops);
		columns_cell(t, "%" PRIu64, p->count.errors);
		columns_cell(t, "%" PRIu64, p->count.bytes_in);
		columns_cell(t, "%" PRIu64, p->count.bytes_out);
		cell_time(t, slept);
		columns_cell(t, p->folded ? "" : "%.1f", observed ? 100.0 * (double)slept / (double)observed : 0.0);
		if (p->folded)
			columns_cell(t, "folded");
		else if (!p->exited)
			columns_cell(t, "%s", p->nwaits ? "waits" : "lives");
		else if (p->exit_code & 0x7f)
			columns_cell(t, "signal %d", p->exit_code & 0x7f);
		else
			columns_cell(t, "exit %d", p->exit_code >> 8 & 0xff);
	}
	return finish(t);
}

static void cell_fill(struct columns *t, const struct model *m, const struct m_chan *c)
{
	struct m_fill f;
	char share[UNITS_SIZE];

	columns_cell(t, "%s", model_fill(m, c, &f) ?
				      units_part(share, (double)f.inside / (double)f.room) : "-");
}

static int print_chans(const struct report *r, FILE *out)
{
	static const struct column cols[] = {
		{ "ID", COLUMN_NUMBER },      { "KIND", COLUMN_TEXT },
		{ "ENDS", COLUMN_NUMBER },    { "MSGS", COLUMN_NUMBER },
		{ "WROTE", COLUMN_NUMBER },   { "READ", COLUMN_NUMBER },
		{ "UNREAD", COLUMN_NUMBER },  { "FILL", COLUMN_NUMBER },
		{ "P50", COLUMN_NUMBER },     { "P90", COLUMN_NUMBER },
		{ "P99", COLUMN_NUMBER },     { "MAX", COLUMN_NUMBER },
		{ "NAME", COLUMN_NAME },      { "IDENT", COLUMN_NAME },
	};
	struct columns *t;

	if (!r->chans.n)
		return 0;
	t = columns_new(out, cols, COUNT(cols));
	if (!t)
		return -ENOMEM;
	fprintf(out, "\nChannels\n");
	for (size_t i = 0; i < r->chans.n; i++) {
		const struct m_chan *c = r->chans.item[i];
		char name[TEXT_SIZE] = "-", ident[TEXT_SIZE];
		size_t ends = 0;

		for (const struct m_endpoint *e = c->endpoints; e; e = e->next)
			ends++;
		columns_row(t);
		columns_cell(t, "%" PRIu64, c->id);
		columns_cell(t, "%s", kind_word(c->kind));
		columns_cell(t, "%" PRIu32 "/%zu", c->nopen, ends);
		columns_cell(t, "%" PRIu64, c->count.msgs_out);
		columns_cell(t, "%" PRIu64, c->count.bytes_out);
		columns_cell(t, "%" PRIu64, c->count.bytes_in);
		if (c->unread_known)
			columns_cell(t, "%" PRIu64, c->unread_bytes);
		else
			columns_cell(t, "?");
		cell_fill(t, r->model, c);
		cells_latency(t, &c->latency);
		columns_cell(t, "%s", c->name[0] ? text_chan(name, c) : name);
		columns_cell(t, "%s", text_ident(ident, c));
	}
	return finish(t);
}

static int print_slept(const struct report *r, FILE *out)
{
	static const struct column cols[] = {
		{ "THREAD", COLUMN_WHO },     { "OP", COLUMN_TEXT },
		{ "KIND", COLUMN_TEXT },      { "TOTAL", COLUMN_NUMBER },
		{ "LONGEST", COLUMN_NUMBER }, { "TIMES", COLUMN_NUMBER },
		{ "STILL", COLUMN_TEXT },     { "CHANNEL", COLUMN_NAME },
	};
	struct columns *t;

	if (!r->blocked.n)
		return 0;
	t = columns_new(out, cols, COUNT(cols));
	if (!t)
		return -ENOMEM;
	fprintf(out, "\nWho slept where\n");
	for (size_t i = 0; i < r->blocked.n; i++) {
		const struct m_blocked *b = r->blocked.item[i];
		struct report_slept slept = report_slept(r, b);
		char task[TEXT_SIZE], chan[TEXT_SIZE];

		columns_row(t);
		columns_cell(t, "%s", text_task(task, b->task));
		columns_cell(t, "%s", op_word(b->op));
		columns_cell(t, "%s", b->chan ? kind_word(b->chan->kind) : "?");
		cell_time(t, slept.total_ns);
		cell_time(t, slept.longest_ns);
		columns_cell(t, "%" PRIu64, slept.times);
		columns_cell(t, "%s", b->still ? "yes" : "");
		columns_cell(t, "%s", text_chan(chan, b->chan));
	}
	return finish(t);
}

/* "wc[12] cat[13]", as one text that the caller frees; NULL: no memory. */
static char *join_procs(const struct report_list *procs, const struct m_chan *only_open_mark)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	for (size_t i = 0; i < procs->n; i++) {
		const struct m_proc *p = procs->item[i];
		bool gone = only_open_mark && !report_has_open(only_open_mark, p);
		char buf[TEXT_SIZE];

		fprintf(f, "%s%s%s", i ? " " : "", text_proc(buf, p), gone ? "(detached)" : "");
	}
	return fclose(f) ? NULL : text;
}

static void cell_procs(struct columns *t, struct report_list procs, const struct m_chan *segment)
{
	char *text = join_procs(&procs, segment);

	columns_cell(t, "%s", text && *text ? text : "?");
	free(text);
	free(procs.item);
}

static int print_waits(const struct report *r, FILE *out)
{
	static const struct column cols[] = {
		{ "THREAD", COLUMN_WHO },
		{ "OP", COLUMN_TEXT },
		{ "FD", COLUMN_NUMBER },
		{ "KIND", COLUMN_TEXT },
		{ "FOR", COLUMN_NUMBER },
		{ "CHANNEL", COLUMN_NAME },
		{ "OTHER END HELD BY", COLUMN_NAME },
	};
	uint64_t now = model_now_ns(r->model);
	struct columns *t;

	if (!r->waits.n)
		return 0;
	t = columns_new(out, cols, COUNT(cols));
	if (!t)
		return -ENOMEM;
	fprintf(out, "\nWho still waits for whom\n");
	for (size_t i = 0; i < r->waits.n; i++) {
		const struct m_wait *w = r->waits.item[i];
		char task[TEXT_SIZE], chan[TEXT_SIZE];

		columns_row(t);
		columns_cell(t, "%s", text_task(task, w->task));
		columns_cell(t, "%s", op_word(w->op));
		if (w->fd >= 0)
			columns_cell(t, "%d", w->fd);
		else
			columns_cell(t, "-");
		columns_cell(t, "%s", w->chan ? kind_word(w->chan->kind) : "?");
		cell_time(t, now > w->since_ns ? now - w->since_ns : 0);
		columns_cell(t, "%s", text_chan(chan, w->chan));
		cell_procs(t, report_other_ends(w), NULL);
	}
	return finish(t);
}

static int print_segments(const struct report *r, FILE *out)
{
	static const struct column cols[] = {
		{ "MEMORY", COLUMN_NAME },
		{ "ATTACHED", COLUMN_NUMBER },
		{ "BY", COLUMN_NAME },
	};
	struct columns *t;

	if (!r->segments.n)
		return 0;
	t = columns_new(out, cols, COUNT(cols));
	if (!t)
		return -ENOMEM;
	fprintf(out, "\nWho shares memory\n");
	for (size_t i = 0; i < r->segments.n; i++) {
		const struct m_chan *c = r->segments.item[i];
		char chan[TEXT_SIZE];

		columns_row(t);
		columns_cell(t, "%s", text_chan(chan, c));
		columns_cell(t, "%" PRIu32, c->nopen);
		cell_procs(t, report_attached(c), c);
	}
	return finish(t);
}

/* Which processes they were. */
static void print_not_covered(const struct report *r, FILE *out)
{
	for (const struct m_loss *l = model_losses(r->model); l; l = l->next) {
		const struct m_proc *p = l->cause == LOST_NOT_COVERED ? model_proc(r->model, l->where) : NULL;
		char safe[4 * EV_PATH_LEN];

		if (!p)
			continue;
		escape_text(safe, sizeof(safe), p->exe[0] ? p->exe : p->comm, EV_PATH_LEN);
		fprintf(out, "  not covered: %s [%" PRIu32 "]\n", safe, l->where);
	}
}

static int print_losses(const struct report *r, FILE *out)
{
	uint64_t count[LOST_MAX] = { 0 };

	if (!report_losses(r))
		return 0;
	fprintf(out, "\nLost\n");
	for (const struct m_loss *l = model_losses(r->model); l; l = l->next)
		count[l->cause < LOST_MAX ? l->cause : 0] += l->count;
	for (unsigned int cause = 0; cause < LOST_MAX; cause++)
		if (count[cause])
			fprintf(out, "%" PRIu64 " %s [%s]; %s\n", count[cause], loss_what(cause),
				loss_word(cause), loss_remedy(cause));
	print_not_covered(r, out);
	return 0;
}

int report_print_text(const struct report *r, FILE *out)
{
	static int (*const sections[])(const struct report *, FILE *) = {
		print_summary, print_talk,  print_procs,    print_chans,
		print_slept,   print_waits, print_segments, report_print_locks,
		print_losses,
	};
	int err = 0;

	for (size_t i = 0; i < COUNT(sections) && !err; i++)
		err = sections[i](r, out);
	return err;
}
