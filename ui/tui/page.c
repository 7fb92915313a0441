// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pages: what they are made of; see page.h. What they say is page_lines.c, the cursor and all that keys
 * do to the rows is page_rows.c.
 */
#include "ui/tui/page.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ui/tui/tail.h"

#define EVENTS_SHOWN 30

bool page_subject(const struct row *row, struct row_key *subject)
{
	switch (row->key.v[0]) {
	case ROW_BLOCKED: /* who waits */
	case ROW_ROOT:
		if (!row->nends || !row->ends[0].pid)
			return false;
		*subject = row_key_of(row->ends[0].pid, row->ends[0].since_ns);
		return true;
	case ROW_PROC:
		*subject = row->key;
		return row->key.v[1] != 0; /* a sum has no pid */
	default:
		*subject = row->key;
		return true;
	}
}

/* Rates, columns and who is followed, of the view of the same kind: both show the same. */
static int take_over(struct table *t, const struct frame *frame)
{
	for (int i = 0; i < VIEW_MAX; i++) {
		const struct table *of = &frame->tables[i];
		struct rates *copy;

		if (of->view != t->view)
			continue;
		memcpy(t->columns, of->columns, sizeof(t->columns));
		t->ncolumns = of->ncolumns;
		t->followed_pid = of->followed_pid;
		t->followed_since_ns = of->followed_since_ns;
		copy = rates_copy(of->rates);
		if (!copy)
			return -ENOMEM;
		rates_free(t->rates);
		t->rates = copy;
	}
	return 0;
}

static const struct ev_io *find_event(const struct tail *t, const struct row_key *key)
{
	for (uint64_t i = t && t->v ? t->n : 0; i-- > (t ? tail_first(t) : 0);) {
		struct row_key k = tail_key(tail_get(t, i));

		if (row_keys_equal(&k, key))
			return tail_get(t, i);
	}
	return NULL;
}

/* It stays, while the tail goes on: of the row that was seen, or, from another page, of now. */
static void keep_event(struct page *p, const struct tail *seen, const struct tail *tail)
{
	const struct ev_io *io = find_event(seen, &p->subject);

	if (!io)
		io = find_event(tail, &p->subject);
	if (io)
		p->io = *io;
}

int page_init(struct page *p, const struct row_key *subject, const struct frame *frame, bool frozen)
{
	static const struct view *const of[PAGE_TABLES] = { &view_blocked, &view_chans, &view_talk,
							    &view_events };
	static const struct view *const of_chan[PAGE_TABLES] = { &view_blocked, &view_procs,
								 &view_talk, &view_events };
	bool is_chan = subject->v[0] == ROW_CHAN;
	const struct rowfilter *filter = frame->tables[0].filter;
	int err = 0;

	*p = (struct page){ .subject = *subject, .frozen_ns = frame->now_ns };
	p->filter.tags = filter ? filter->tags : NULL;
	if (subject->v[0] == ROW_EVENT)
		keep_event(p, &frame->seen, frame->scan.tail);
	if (subject->v[0] == ROW_FLOW || subject->v[0] == ROW_EVENT)
		p->ntables = 2; /* processes and channels that take part */
	else
		p->ntables = PAGE_TABLES;
	for (int i = 0; i < p->ntables; i++) {
		const struct view *view = is_chan ? of_chan[i] : of[i];

		if (p->ntables == 2)
			view = i ? &view_chans : &view_procs;
		if (table_init(&p->tables[i], view) < 0 || take_over(&p->tables[i], frame) < 0)
			err = -ENOMEM;
		p->tables[i].filter = &p->filter;
		p->tables[i].shape = SHAPE_AS_LIST;
		p->tables[i].no_rates = frozen;
	}
	return err;
}

void page_release(struct page *p)
{
	for (int i = 0; i < p->ntables; i++)
		table_release(&p->tables[i]);
	view_rows_release(&p->text);
	rowfilter_release(&p->filter);
	free(p->lines);
	*p = (struct page){ 0 };
}

/* ---- lines ---- */

void page_add(struct page *p, const struct page_line *line)
{
	if (p->nlines == p->capacity) {
		size_t capacity = p->capacity ? p->capacity * 2 : 64;
		struct page_line *lines = reallocarray(p->lines, capacity, sizeof(*lines));

		if (!lines) {
			p->text.no_memory = true;
			return;
		}
		p->lines = lines;
		p->capacity = capacity;
	}
	p->lines[p->nlines++] = *line;
}

void page_text(struct page *p, enum style style, const char *fmt, ...)
{
	struct page_line line = { .kind = LINE_TEXT, .style = style };
	char buf[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	line.text = rows_print(&p->text, "%s", buf);
	page_add(p, &line);
}

static struct table *table_of(struct page *p, const struct view *view)
{
	for (int i = 0; i < p->ntables; i++)
		if (p->tables[i].view == view)
			return &p->tables[i];
	return NULL;
}

/* The rows of a view that have to do with it, below a title. */
static int page_table(struct page *p, const struct scan *scan, const struct view *view,
		      const struct concern *concern, const char *title, size_t most)
{
	struct table *t = table_of(p, view);
	int err;

	t->concern = *concern;
	t->page = (int)most;
	err = table_scan(t, scan, model_first_ns(scan->model));
	t->concern = (struct concern){ 0 }; /* borrowed for the scan only */
	if (!err)
		p->sections[p->nsections++] =
			(struct page_section){ (int)(t - p->tables), title, most };
	return err;
}

/* ---- taking it from the model ---- */

static const struct m_proc *find_proc(const struct model *m, uint64_t pid, uint64_t first_ns)
{
	for (const struct m_proc *p = model_procs(m); p; p = p->next)
		if (p->pid == pid && p->first_ns == first_ns)
			return p;
	return NULL;
}

static int scan_proc(struct page *p, const struct scan *scan, const struct m_proc *proc)
{
	struct concern concern = { .proc = proc };
	int err;

	page_head_proc(p, scan, proc);
	err = page_table(p, scan, &view_blocked, &concern, "Waits and sleeps", PAGE_ROWS_MAX);
	if (!err)
		err = page_table(p, scan, &view_chans, &concern, "Channels", PAGE_ROWS_MAX);
	if (!err)
		err = page_table(p, scan, &view_talk, &concern, "Talks", PAGE_ROWS_MAX);
	return err ? err :
		     page_table(p, scan, &view_events, &concern, "Latest operations", EVENTS_SHOWN);
}

static int scan_chan(struct page *p, const struct scan *scan, const struct m_chan *chan,
		     const struct history *history)
{
	struct concern concern = { .chan = chan };
	int err;

	page_head_chan(p, scan, chan, history);
	err = page_table(p, scan, &view_procs, &concern, "Who holds, or held, its ends",
			 PAGE_ROWS_MAX);
	if (!err)
		err = page_table(p, scan, &view_talk, &concern, "Flows", PAGE_ROWS_MAX);
	if (!err)
		err = page_table(p, scan, &view_blocked, &concern, "Waits and sleeps",
				 PAGE_ROWS_MAX);
	return err ? err :
		     page_table(p, scan, &view_events, &concern, "Latest operations", EVENTS_SHOWN);
}

static const struct m_flow *find_flow(const struct scan *scan, const struct row_key *key)
{
	struct row_key k;

	for (const struct m_flow *f = model_flows(scan->model); f; f = f->next)
		if (view_talk.key(scan, f, &k) && row_keys_equal(&k, key))
			return f;
	return NULL;
}

/* The rows of those that take part in a flow or an operation. */
static int scan_parts(struct page *p, const struct scan *scan, const struct m_proc *src,
		      const struct m_proc *dst, const struct m_chan *chan)
{
	struct concern concern = { .chan = chan, .proc = NULL };
	struct concern one = { .proc = src ? src : dst };
	int err = 0;

	if (src && dst && src != dst) /* both, with whoever else has an end */
		err = page_table(p, scan, &view_procs, &concern, "Processes at this channel",
				 PAGE_ROWS_MAX);
	else if (one.proc)
		err = page_table(p, scan, &view_procs, &one, "Process", PAGE_ROWS_MAX);
	if (!err && chan)
		err = page_table(p, scan, &view_chans, &concern, "Channel", 1);
	return err;
}

static int scan_event(struct page *p, const struct scan *scan)
{
	const struct ev_io *io = &p->io;
	const struct m_task *task;

	if (!io->op)
		return -ENOENT;
	task = model_task(scan->model, io->tid);
	page_head_event(p, scan, io);
	return scan_parts(p, scan, task ? task->proc : NULL, NULL,
			  io->chan ? model_chan(scan->model, io->chan) : NULL);
}

/* -ENOENT: the model does not know it. Looked up before anything of the old page is dropped. */
static int scan_subject(struct page *p, const struct scan *scan, const struct history *history)
{
	const struct m_proc *proc;
	const struct m_chan *chan;
	const struct m_flow *flow;

	switch (p->subject.v[0]) {
	case ROW_PROC:
		proc = find_proc(scan->model, p->subject.v[1], p->subject.v[2]);
		return proc ? scan_proc(p, scan, proc) : -ENOENT;
	case ROW_CHAN:
		chan = model_chan(scan->model, p->subject.v[1]);
		return chan ? scan_chan(p, scan, chan, history) : -ENOENT;
	case ROW_FLOW:
		flow = find_flow(scan, &p->subject);
		if (!flow)
			return -ENOENT;
		page_head_flow(p, flow);
		return scan_parts(p, scan, flow->src, flow->dst, flow->chan);
	default:
		return scan_event(p, scan);
	}
}

int page_scan(struct page *p, const struct scan *scan, const struct history *history)
{
	struct scan whole = *scan;
	struct page before = *p;
	int err;

	for (int i = 0; i < p->ntables; i++)
		p->tables[i].no_rates = p->tables[i].no_rates && p->frozen_ns == scan->now_ns;
	whole.waits = NULL; /* of the model alone: the search has no channels of ours */
	p->lines = NULL;
	p->nlines = p->capacity = 0;
	p->nsections = 0;
	p->text = (struct rows){ 0 };
	err = scan_subject(p, &whole, history);
	if (err == -ENOENT) { /* what was known of it stays */
		free(p->lines);
		view_rows_release(&p->text);
		p->lines = before.lines;
		p->nlines = before.nlines;
		p->capacity = before.capacity;
		p->nsections = before.nsections;
		p->text = before.text;
		p->is_gone = true;
		return 0;
	}
	free(before.lines);
	view_rows_release(&before.text);
	p->is_gone = false;
	p->nhead = p->nlines;
	page_layout(p);
	return !err && p->text.no_memory ? -ENOMEM : err;
}
