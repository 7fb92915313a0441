// SPDX-License-Identifier: GPL-2.0-or-later
/* What stands on a page above its tables; see page.h. */
#include "ui/tui/page.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "lib/abi/words.h"
#include "ui/tui/fill.h"
#include "ui/tui/units.h"

#define BARS_MAX 16

static const char *time_text(char buf[UNITS_SIZE], uint64_t ns)
{
	return units_time(buf, ns);
}

static void set_title(struct page *p, const char *what, const char *name)
{
	snprintf(p->title, sizeof(p->title), "%s %s", what, name);
}

static const char *proc_state(struct page *p, const struct scan *scan, const struct m_proc *proc)
{
	char buf[UNITS_SIZE];
	uint64_t ago_ns = scan->now_ns > proc->exit_ns ? scan->now_ns - proc->exit_ns : 0;

	if (proc->outside)
		return "not traced: known as holder of a channel's other end";
	if (!proc->exited)
		return proc->nwaits ? "alive, waits" : "alive";
	if (WIFSIGNALED(proc->exit_code))
		return rows_print(&p->text, "killed by signal %d, %s ago", WTERMSIG(proc->exit_code),
				  time_text(buf, ago_ns));
	return rows_print(&p->text, "exited with status %d, %s ago", WEXITSTATUS(proc->exit_code),
			  time_text(buf, ago_ns));
}

void page_head_proc(struct page *p, const struct scan *scan, const struct m_proc *proc)
{
	const struct m_count *c = &proc->count;
	char in[UNITS_SIZE], out[UNITS_SIZE], slept[UNITS_SIZE];

	set_title(p, "process", rows_proc(&p->text, proc));
	page_text(p, STYLE_NORMAL, "   state     %s", proc_state(p, scan, proc));
	page_text(p, STYLE_NORMAL, "   parent    %" PRIu32 "     threads %" PRIu32, proc->ppid,
		  proc->nthreads);
	if (proc->exe[0])
		page_text(p, STYLE_NORMAL, "   program   %s",
			  rows_escape(&p->text, proc->exe, sizeof(proc->exe)));
	if (proc->args[0])
		page_text(p, STYLE_NORMAL, "   command   %s",
			  rows_escape(&p->text, proc->args, sizeof(proc->args)));
	if (proc->cgroup[0])
		page_text(p, STYLE_NORMAL, "   cgroup    %s",
			  rows_escape(&p->text, proc->cgroup, sizeof(proc->cgroup)));
	page_text(p, STYLE_NORMAL,
		  "   so far    %" PRIu64 " operations, %" PRIu64 " failed; %s bytes in, %s out; asleep "
		  "%s in %" PRIu64,
		  c->ops, c->errors, units_bytes(in, (double)c->bytes_in),
		  units_bytes(out, (double)c->bytes_out), time_text(slept, c->slept_ns), c->blocked);
}

/* ---- histograms ---- */

/*
 * A bar for each power of two that has any, and for those between them; where that would be too
 * many, several to a bar.
 */
static void add_hist(struct page *p, const char *title, const struct hist *h, bool is_time)
{
	unsigned int first = HIST_OCTAVES, last = 0, step;
	uint64_t from, to, most = 0, n[BARS_MAX] = { 0 };
	char a[UNITS_SIZE], b[UNITS_SIZE];

	if (!h->count)
		return;
	for (unsigned int k = 0; k < HIST_OCTAVES; k++) {
		if (!hist_octave(h, k, &from, &to))
			continue;
		first = first < HIST_OCTAVES ? first : k;
		last = k;
	}
	step = (last - first) / BARS_MAX + 1;
	for (unsigned int k = first; k <= last; k++) {
		n[(k - first) / step] += hist_octave(h, k, &from, &to);
		most = n[(k - first) / step] > most ? n[(k - first) / step] : most;
	}
	page_text(p, STYLE_NORMAL, "%s", "");
	page_text(p, STYLE_TITLE, " %s (%" PRIu64 ": %s to %s)", title, h->count,
		  is_time ? units_time(a, h->min) : units_bytes(a, (double)h->min),
		  is_time ? units_time(b, h->max) : units_bytes(b, (double)h->max));
	for (unsigned int k = first; k <= last; k += step) {
		uint64_t count = n[(k - first) / step], unused;
		unsigned int end = k + step - 1 < last ? k + step - 1 : last;
		struct page_line line = { .kind = LINE_BAR, .bar = (double)count / (double)most };

		hist_octave(h, k, &from, &unused);
		hist_octave(h, end, &unused, &to);
		if (to < UINT64_MAX) /* up to, not with */
			to++;
		line.text = rows_print(&p->text, "   %6s to %6s  %9" PRIu64 " %4.0f%%",
				       is_time ? units_time(a, from) : units_bytes(a, (double)from),
				       is_time ? units_time(b, to) : units_bytes(b, (double)to), count,
				       100.0 * (double)count / (double)h->count);
		page_add(p, &line);
	}
}

/* How full it is, with a bar; of a channel whose fill is not known, what it has room for. */
static void add_fill(struct page *p, const struct model *m, const struct m_chan *chan)
{
	struct page_line line = { .kind = LINE_BAR };
	struct m_fill f;
	char share[UNITS_SIZE], bytes[UNITS_SIZE];

	if (model_fill(m, chan, &f)) {
		line.bar = fill_share(&f) < 1 ? fill_share(&f) : 1;
		line.text = rows_print(&p->text, "   full      %s (%s) ", units_part(share, fill_share(&f)),
				       fill_words(&p->text, chan, &f));
		page_add(p, &line);
	} else if (chan->room_bytes) {
		page_text(p, STYLE_NORMAL, "   room      for %s bytes", units_bytes(bytes, (double)chan->room_bytes));
	} else if (chan->room_messages) {
		page_text(p, STYLE_NORMAL, "   room      for %" PRIu32 " messages", chan->room_messages);
	}
}

void page_head_chan(struct page *p, const struct scan *scan, const struct m_chan *chan,
		    const struct history *history)
{
	const struct m_count *c = &chan->count;
	char in[UNITS_SIZE], out[UNITS_SIZE], ago[UNITS_SIZE], unread[UNITS_SIZE];
	uint64_t ago_ns = scan->now_ns > chan->last_ns ? scan->now_ns - chan->last_ns : 0;
	double most = 0;

	set_title(p, kind_word(chan->kind), rows_chan_name(&p->text, chan));
	page_text(p, STYLE_NORMAL, "   kernel    %s, %s%s%s", rows_escape(&p->text, chan->ident, sizeof(chan->ident)),
		  shape_word(chan->shape), chan->duplex ? ", both ways" : "",
		  chan->remote ? ", the other end is elsewhere" : "");
	page_text(p, STYLE_NORMAL, "   ends      %" PRIu32 " open; last used %s ago", chan->nopen,
		  time_text(ago, ago_ns));
	page_text(p, STYLE_NORMAL,
		  "   so far    %" PRIu64 " messages and %s bytes written, %" PRIu64 " and %s read; %" PRIu64
		  " failed",
		  c->msgs_out, units_bytes(out, (double)c->bytes_out), c->msgs_in,
		  units_bytes(in, (double)c->bytes_in), c->errors);
	page_text(p, STYLE_NORMAL, "   inside    %s",
		  chan->unread_known ? rows_print(&p->text, "%s bytes written and not yet read",
						  units_bytes(unread, (double)chan->unread_bytes)) :
				       "not known: it is older than the trace, or an end is out of scope");
	add_fill(p, scan->model, chan);
	history_of(history, chan->id, &p->activity);
	for (int i = 0; i < p->activity.n; i++)
		most = p->activity.per_s[i] > most ? p->activity.per_s[i] : most;
	if (p->activity.n) {
		page_text(p, STYLE_NORMAL, "%s", "");
		page_text(p, STYLE_TITLE, " Messages a second, the last %s (at most %s)",
			  time_text(ago, p->activity.span_ns), units_count(out, most));
		page_add(p, &(struct page_line){ .kind = LINE_ACTIVITY });
	}
	add_hist(p, "How long messages lay in it", &chan->latency, true);
	add_hist(p, "Bytes a message", &chan->sizes, false);
}

void page_head_flow(struct page *p, const struct m_flow *flow)
{
	char bytes[UNITS_SIZE], span[UNITS_SIZE];
	const char *src = rows_proc(&p->text, flow->src), *dst = rows_proc(&p->text, flow->dst);

	set_title(p, "flow", rows_print(&p->text, "%s -> %s", src, dst));
	page_text(p, STYLE_NORMAL, "   from      %s", src);
	page_text(p, STYLE_NORMAL, "   to        %s", dst);
	page_text(p, STYLE_NORMAL, "   through   %s %s", kind_word(flow->chan->kind),
		  rows_chan_name(&p->text, flow->chan));
	page_text(p, STYLE_NORMAL, "   so far    %s%" PRIu64 " messages, %s bytes, within %s",
		  flow->approximate ? "~" : "", flow->messages,
		  units_bytes(bytes, (double)flow->bytes),
		  time_text(span, flow->last_ns - flow->first_ns));
	if (flow->approximate)
		page_text(p, STYLE_WARN, "   approximate: some of it was attributed by a rule that can err");
	add_hist(p, "From sent to received", &flow->latency, true);
}

void page_head_event(struct page *p, const struct scan *scan, const struct ev_io *io)
{
	const struct m_task *task = model_task(scan->model, io->tid);
	const struct m_task *waker = io->waker_tid ? model_task(scan->model, io->waker_tid) : NULL;
	const char *error = io->ret < 0 && io->ret > -4096 ? strerrordesc_np((int)-io->ret) : NULL;
	char took[UNITS_SIZE], slept[UNITS_SIZE], ago[UNITS_SIZE];

	set_title(p, "operation", op_word(io->op));
	page_text(p, STYLE_NORMAL, "   thread    %s, %" PRIu32 " of process %" PRIu32,
		  task ? rows_comm(&p->text, task->comm) : "?", io->tid, io->pid);
	page_text(p, STYLE_NORMAL, "   began     %s ago, at %" PRIu64 ".%09" PRIu64 " s since boot",
		  time_text(ago, scan->now_ns > io->enter_ns ? scan->now_ns - io->enter_ns : 0),
		  (uint64_t)io->enter_ns / 1000000000, (uint64_t)io->enter_ns % 1000000000);
	page_text(p, STYLE_NORMAL, "   took      %s, of which asleep %s", time_text(took, io->dur_ns),
		  time_text(slept, io->slept_ns));
	if (io->waker_tid)
		page_text(p, STYLE_NORMAL, "   woken by  %s, thread %" PRIu32,
			  waker ? rows_comm(&p->text, waker->comm) : "?", io->waker_tid);
	page_text(p, STYLE_NORMAL, "   returned  %" PRId64 "%s%s", (int64_t)io->ret,
		  error ? ": " : io->hdr.flags & IO_KILLED ? ": it never did, its thread died" : "",
		  error ? error : "");
	page_text(p, STYLE_NORMAL, "   moved     %" PRIu64 " bytes, descriptor %" PRId32,
		  (uint64_t)io->bytes, io->fd);
}
