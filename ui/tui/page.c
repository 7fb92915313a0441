// SPDX-License-Identifier: GPL-2.0-or-later
/* Pages: what they are made of, and the cursor; see page.h. What they say is page_lines.c. */
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

/* Of the view of the same kind, so that both show the same. */
static int take_rates(struct table *t, const struct frame *frame)
{
	for (int i = 0; i < VIEW_MAX; i++) {
		struct rates *copy;

		if (views[i] != t->view)
			continue;
		copy = rates_copy(frame->tables[i].rates);
		if (!copy)
			return -ENOMEM;
		rates_free(t->rates);
		t->rates = copy;
	}
	return 0;
}

int page_init(struct page *p, const struct row_key *subject, const struct frame *frame, bool frozen)
{
	static const struct view *const of[PAGE_TABLES] = { &view_blocked, &view_chans, &view_talk,
							    &view_events };
	static const struct view *const of_chan[PAGE_TABLES] = { &view_blocked, &view_procs,
								 &view_talk, &view_events };
	bool is_chan = subject->v[0] == ROW_CHAN;
	int err = 0;

	*p = (struct page){ .subject = *subject, .frozen_ns = frame->now_ns };
	if (subject->v[0] == ROW_FLOW || subject->v[0] == ROW_EVENT)
		p->ntables = 2; /* processes and channels that take part */
	else
		p->ntables = PAGE_TABLES;
	for (int i = 0; i < p->ntables; i++) {
		const struct view *view = is_chan ? of_chan[i] : of[i];

		if (p->ntables == 2)
			view = i ? &view_chans : &view_procs;
		if (table_init(&p->tables[i], view) < 0 || take_rates(&p->tables[i], frame) < 0)
			err = -ENOMEM;
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

int page_table(struct page *p, const struct scan *scan, const struct view *view,
	       const struct concern *concern, const char *title, size_t most)
{
	struct table *t = table_of(p, view);
	size_t n;
	int err;

	t->concern = *concern;
	t->page = (int)most;
	err = table_scan(t, scan, model_first_ns(scan->model));
	t->concern = (struct concern){ 0 }; /* borrowed for the scan only */
	if (err || !t->nshown)
		return err;
	n = t->nshown < most ? t->nshown : most;
	page_text(p, STYLE_NORMAL, "%s", "");
	page_text(p, STYLE_TITLE, " %s (%zu)", title, t->nshown);
	page_add(p, &(struct page_line){ .kind = LINE_HEAD, .table = (int)(t - p->tables) });
	for (size_t i = 0; i < n; i++)
		page_add(p, &(struct page_line){
				    .kind = LINE_ROW, .table = (int)(t - p->tables), .row = i });
	if (n < t->nshown)
		page_text(p, STYLE_DIM, "   … and %zu more", t->nshown - n);
	return 0;
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

static const struct ev_io *find_event(const struct tail *t, const struct row_key *key)
{
	for (uint64_t i = t ? t->n : 0; i-- > (t ? tail_first(t) : 0);) {
		struct row_key k = tail_key(tail_get(t, i));

		if (row_keys_equal(&k, key))
			return tail_get(t, i);
	}
	return NULL;
}

static int scan_event(struct page *p, const struct scan *scan)
{
	const struct ev_io *io = find_event(scan->tail, &p->subject);
	const struct m_task *task;

	if (!io)
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
	p->text = (struct rows){ 0 };
	err = scan_subject(p, &whole, history);
	if (!err && p->text.no_memory)
		err = -ENOMEM;
	if (err == -ENOENT) {
		free(p->lines);
		view_rows_release(&p->text);
		p->lines = before.lines;
		p->nlines = before.nlines;
		p->capacity = before.capacity;
		p->text = before.text;
		p->is_gone = true;
		return 0;
	}
	free(before.lines);
	view_rows_release(&before.text);
	p->is_gone = false;
	if (p->has_cursor) /* where its row was; the next one, when that is no row any more */
		page_move(p, 0);
	return err;
}

/* ---- the cursor ---- */

static bool is_row(const struct page *p, size_t i)
{
	return i < p->nlines && p->lines[i].kind == LINE_ROW;
}

/* The nearest row from `at` on, in the direction of `step`; p->nlines: none. */
static size_t row_from(const struct page *p, size_t at, int step)
{
	for (long i = (long)at; i >= 0 && i < (long)p->nlines; i += step)
		if (is_row(p, (size_t)i))
			return (size_t)i;
	return p->nlines;
}

static void show(struct page *p)
{
	size_t height = p->height > 0 ? (size_t)p->height : 1;

	if (p->cursor < p->top + 2) /* with the header above */
		p->top = p->cursor > 2 ? p->cursor - 2 : 0;
	else if (p->cursor >= p->top + height)
		p->top = p->cursor - height + 1;
}

void page_move(struct page *p, long lines)
{
	int step = lines < 0 ? -1 : 1;
	size_t to;

	if (!p->has_cursor)
		to = row_from(p, 0, 1);
	else {
		long at = (long)p->cursor + lines;

		at = at < 0 ? 0 : at >= (long)p->nlines ? (long)p->nlines - 1 : at;
		to = p->nlines ? row_from(p, (size_t)at, step) : 0;
		if (to == p->nlines && p->nlines)
			to = row_from(p, (size_t)at, -step);
	}
	if (to >= p->nlines) { /* no row at all: scroll */
		long top = (long)p->top + lines;

		p->has_cursor = false;
		p->top = top > 0 ? (size_t)top : 0;
		return;
	}
	p->has_cursor = true;
	p->cursor = to;
	if (lines)
		show(p);
}

void page_move_to_end(struct page *p, bool last)
{
	p->has_cursor = true;
	p->cursor = last && p->nlines ? p->nlines - 1 : 0;
	page_move(p, last ? 1 : -1);
	if (!last)
		p->top = 0;
}

const struct row *page_cursor_row(const struct page *p)
{
	const struct page_line *l = p->has_cursor && is_row(p, p->cursor) ? &p->lines[p->cursor] :
									    NULL;

	return l && l->row < p->tables[l->table].nshown ? p->tables[l->table].shown[l->row] : NULL;
}

bool page_click(struct page *p, int y)
{
	size_t at = p->top + (size_t)y;

	if (y < 0 || !is_row(p, at))
		return false;
	p->has_cursor = true;
	p->cursor = at;
	return true;
}
