// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Events: the latest operations, the newest on top. Who did them and on what is looked up when they
 * are shown: names are those of now.
 */
#include <inttypes.h>
#include <string.h>

#include "lib/abi/words.h"
#include "ui/tui/tail.h"
#include "ui/tui/view.h"

enum {
	COL_AGO,
	COL_PID,
	COL_COMM,
	COL_CALL,
	COL_KIND,
	COL_NAME,
	COL_BYTES,
	COL_RESULT,
	COL_TOOK,
	COL_SLEPT,
	COL_TID,
	COL_FD,
	COL_WOKEN,
	COL_RET,
	COL_NUMBER,
	COL_ORDER,
	COL_T_NS,
	COL_CHAN,
	COL_IDENT,
	COL_ERROR,
	NCOLS
};

static const struct column columns[NCOLS] = {
	[COL_AGO] = { "AGO", NULL, "how long ago it took effect, which is their order", COLUMN_TIME, 6, 0, FACET_NONE },
	[COL_PID] = { "PID", "pid", "process", COLUMN_ID, 7, 0, FACET_NONE },
	[COL_COMM] = { "COMM", "comm", "name of its thread", COLUMN_TEXT, 10, 1, FACET_NONE,
		       .late = LATE_TEXT },
	[COL_CALL] = { "CALL", "call", "the system call", COLUMN_TEXT, 8, 0, FACET_OP,
		       .whole = 22 },
	[COL_KIND] = { "KIND", "kind", "of channel", COLUMN_TEXT, 5, 0, FACET_KIND,
		       .late = LATE_TEXT, .whole = 7 },
	[COL_NAME] = { "NAME", "name", "of the channel", COLUMN_TEXT, 14, 3, FACET_CHAN,
		       .late = LATE_TEXT },
	[COL_BYTES] = { "BYTES", "bytes", "that it moved", COLUMN_BYTES, 6, 0, FACET_BYTES },
	[COL_RESULT] = { "RESULT", NULL, "what it returned, or the error", COLUMN_TEXT, 9, 0,
			 FACET_NONE, .late = LATE_TEXT },
	[COL_TOOK] = { "TOOK", "dur_ns", "from entry to return", COLUMN_TIME, 6, 0, FACET_LATENCY },
	[COL_SLEPT] = { "SLEPT", "slept_ns", "asleep inside it; - : it was not", COLUMN_TIME, 6, 0,
			FACET_SLEPT },
	[COL_TID] = { "TID", "tid", "thread", COLUMN_ID, 7, 0, FACET_TID, .chosen = true },
	[COL_FD] = { "FD", "fd", "descriptor", COLUMN_ID, 4, 0, FACET_FD, .chosen = true },
	[COL_WOKEN] = { "WOKEN BY", "waker_tid", "the thread that ended its sleep", COLUMN_ID, 9, 0,
			FACET_NONE, .chosen = true },
	[COL_RET] = { "RET", "ret", "what it returned, as a number", COLUMN_INT, 8, 0, FACET_RET,
		      .chosen = true },
	[COL_NUMBER] = { "N", "n", "the how manieth operation", COLUMN_INT, 9, 0, FACET_NONE,
			 .chosen = true },
	[COL_ORDER] = { "ORDER", NULL, "in which they came", COLUMN_INT, 0, 0, FACET_NONE },
	[COL_T_NS] = { "T", "t_ns", NULL, COLUMN_ID, 0, 0, FACET_NONE },
	[COL_CHAN] = { "CHAN", "chan", "the channel's number in ipctap", COLUMN_ID, 6, 0, FACET_CHAN,
		       .chosen = true },
	[COL_IDENT] = { "IDENT", NULL, NULL, COLUMN_TEXT, 0, 0, FACET_CHAN, .late = LATE_TEXT },
	[COL_ERROR] = { "ERROR", NULL, NULL, COLUMN_BOOL, 0, 0, FACET_ERROR },
};

static const void *events_first(const struct scan *scan)
{
	const struct tail *t = scan->tail;
	uint64_t first = t ? tail_first(t) : 0;

	if (t && scan->tail_most && t->n - first > scan->tail_most)
		first = t->n - scan->tail_most;
	return t && t->n ? tail_get(t, first) : NULL;
}

/* The number of an operation from its place in the ring. */
static uint64_t number_of(const struct tail *t, const struct ev_io *io)
{
	uint64_t first = tail_first(t), at = (uint64_t)(io - t->v);

	return first + ((at - first) & (TAIL_MAX - 1));
}

static const void *events_next(const struct scan *scan, const void *object)
{
	uint64_t next = number_of(scan->tail, object) + 1;

	return next < scan->tail->n ? tail_get(scan->tail, next) : NULL;
}

static bool events_key(const struct scan *scan, const void *object, struct row_key *key)
{
	(void)scan;
	*key = tail_key(object);
	return true;
}

static bool events_concerns(const void *object, const struct concern *concern)
{
	const struct ev_io *io = object;

	return concern->proc ? io->pid == concern->proc->pid : io->chan == concern->chan->id;
}

static void events_gather(const struct scan *scan, struct rows *rows, struct row *row,
			  const void *object)
{
	const struct ev_io *io = object;
	struct value *v = row->values;
	uint64_t now_ns = scan->now_ns;

	(void)rows;
	/* the view may be taken between two refreshes, when there is more to show than at the last one */
	if (model_now_ns(scan->model) > now_ns)
		now_ns = model_now_ns(scan->model);
	value_n(&v[COL_AGO], now_ns > io->hdr.t_ns ? now_ns - io->hdr.t_ns : 0);
	value_n(&v[COL_PID], io->pid);
	value_text(&v[COL_CALL], op_word(io->op));
	if (io->hdr.flags & (IO_READ | IO_WRITE))
		value_n(&v[COL_BYTES], io->bytes);
	value_n(&v[COL_TOOK], io->dur_ns);
	if (io->slept_ns)
		value_n(&v[COL_SLEPT], io->slept_ns);
	value_n(&v[COL_TID], io->tid);
	if (io->fd >= 0)
		value_n(&v[COL_FD], (uint64_t)io->fd);
	if (io->waker_tid)
		value_n(&v[COL_WOKEN], io->waker_tid);
	if (!(io->hdr.flags & IO_KILLED))
		value_n(&v[COL_RET], (uint64_t)io->ret);
	value_n(&v[COL_ORDER], number_of(scan->tail, io));
	if (scan->tail->is_numbered)
		value_n(&v[COL_NUMBER], scan->tail->before + number_of(scan->tail, io) + 1);
	value_n(&v[COL_T_NS], io->enter_ns);
	value_n(&v[COL_CHAN], io->chan);
	value_n(&v[COL_ERROR], (io->hdr.flags & IO_ERROR) != 0);
	if (io->hdr.flags & IO_ERROR)
		row->style = STYLE_WARN;
}

static const char *result_text(struct rows *rows, const struct ev_io *io)
{
	const char *name = io->ret < 0 && io->ret > -4096 ? strerrorname_np((int)-io->ret) : NULL;

	if (io->hdr.flags & IO_KILLED)
		return "killed";
	if (name)
		return name;
	return rows_print(rows, "%" PRId64, (int64_t)io->ret);
}

static void events_fill(const struct scan *scan, struct rows *rows, struct row *row,
			const void *object)
{
	const struct ev_io *io = object;
	const struct m_task *task = model_task(scan->model, io->tid);
	const struct m_chan *chan = io->chan ? model_chan(scan->model, io->chan) : NULL;
	struct value *v = row->values;

	if (task && task->proc->pid == io->pid) {
		row_add_end(rows, row, task->proc, ROLE_SUBJECT);
		value_text(&v[COL_COMM], rows_comm(rows, task->comm));
	}
	if (chan) {
		value_text(&v[COL_KIND], kind_word(chan->kind));
		value_text(&v[COL_NAME], rows_chan_name(rows, chan));
		value_text(&v[COL_IDENT], rows_escape(rows, chan->ident, sizeof(chan->ident)));
	}
	value_text(&v[COL_RESULT], result_text(rows, io));
}

const struct view view_events = {
	.name = "Events",
	.json = "events",
	.columns = columns,
	.ncolumns = NCOLS,
	.sort = COL_ORDER,
	.then_by = COL_T_NS,
	.first = events_first,
	.next = events_next,
	.key = events_key,
	.concerns = events_concerns,
	.gather = events_gather,
	.fill = events_fill,
};
