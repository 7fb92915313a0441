// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Blocked: who waits for whom. Waits that are open come first, the longest on top, each with those
 * who could end it; below them what has slept before, by how long in all.
 */
#include "lib/abi/words.h"
#include "ui/tui/ends.h"
#include "ui/tui/view.h"

enum {
	COL_PID,
	COL_COMM,
	COL_CALL,
	COL_KIND,
	COL_NAME,
	COL_SINCE,
	COL_HOLDERS,
	COL_TOTAL,
	COL_TIMES,
	COL_LONGEST,
	COL_TID,
	COL_STILL,
	COL_SINCE_NS,
	COL_DEADLINE_NS,
	COL_FD,
	COL_CHAN,
	COL_IDENT,
	NCOLS
};

static const struct column columns[NCOLS] = {
	[COL_PID] = { "PID", "pid", "process", COLUMN_ID, 7, 0, FACET_NONE },
	[COL_COMM] = { "COMM", "comm", "name of its thread", COLUMN_TEXT, 10, 1, FACET_NONE },
	[COL_CALL] = { "CALL", "call", "the system call it sleeps in", COLUMN_TEXT, 8, 0,
		       FACET_OP },
	[COL_KIND] = { "KIND", "kind", "of channel", COLUMN_TEXT, 5, 0, FACET_KIND },
	[COL_NAME] = { "NAME", "name", "of the channel", COLUMN_TEXT, 15, 2, FACET_CHAN },
	[COL_SINCE] = { "SINCE", "waiting_ns", "how long it has been asleep; - : not now",
			COLUMN_TIME, 6, 0, FACET_NONE },
	[COL_HOLDERS] = { "WAITS FOR", NULL, "who holds the other ends and could end it",
			  COLUMN_TEXT, 12, 3, FACET_NONE },
	[COL_TOTAL] = { "TOTAL", "total_slept_ns", "all its sleeps in this call on this channel",
			COLUMN_TIME, 6, 0, FACET_NONE },
	[COL_TIMES] = { "TIMES", "times", "how many sleeps", COLUMN_COUNT, 6, 0, FACET_NONE },
	[COL_LONGEST] = { "LONGEST", "longest_ns", "the longest of them", COLUMN_TIME, 8, 0,
			  FACET_NONE },
	[COL_TID] = { "TID", "tid", "thread", COLUMN_ID, 7, 0, FACET_NONE },
	[COL_STILL] = { "STILL", "still", NULL, COLUMN_BOOL, 0, 0, FACET_NONE },
	[COL_SINCE_NS] = { "SINCE T", "since_ns", NULL, COLUMN_ID, 0, 0, FACET_NONE },
	[COL_DEADLINE_NS] = { "DEADLINE", "deadline_ns", NULL, COLUMN_ID, 0, 0, FACET_NONE },
	[COL_FD] = { "FD", "fd", NULL, COLUMN_ID, 0, 0, FACET_NONE },
	[COL_CHAN] = { "CHAN", "chan", NULL, COLUMN_ID, 0, 0, FACET_CHAN },
	[COL_IDENT] = { "IDENT", "ident", NULL, COLUMN_TEXT, 0, 0, FACET_CHAN },
};

#define LONG_NS 1000000000ull /* from here on a wait is shown as an alert */

/* The same for an open wait and for the sleeps before it: the cursor stays when it wakes. */
static struct row_key blocked_key(const struct m_task *task, const struct m_chan *chan, uint16_t op)
{
	return (struct row_key){
		{ 4, task->tid, task->start_ns, task->proc->first_ns, chan ? chan->id : 0, op }
	};
}

static struct row *add_row(struct rows *rows, const struct m_task *task, const struct m_chan *chan,
			   uint16_t op)
{
	struct row_key key = blocked_key(task, chan, op);
	struct row *row = rows_add(rows, &key, NCOLS);
	struct value *v;

	if (!row)
		return NULL;
	v = row->values;
	row_add_end(rows, row, task->proc, ROLE_SUBJECT);
	if (!task->proc->folded)
		value_n(&v[COL_PID], task->proc->pid);
	if (!task->folded)
		value_n(&v[COL_TID], task->tid);
	value_text(&v[COL_COMM], rows_comm(rows, task->comm));
	value_text(&v[COL_CALL], op_word(op));
	if (chan) {
		value_text(&v[COL_KIND], kind_word(chan->kind));
		value_text(&v[COL_NAME], rows_chan_name(rows, chan));
		if (!chan->folded)
			value_n(&v[COL_CHAN], chan->id);
		value_text(&v[COL_IDENT], rows_escape(rows, chan->ident, sizeof(chan->ident)));
	}
	value_n(&v[COL_STILL], 0);
	value_n(&v[COL_TOTAL], 0);
	value_n(&v[COL_TIMES], 0);
	value_n(&v[COL_LONGEST], 0);
	return row;
}

/* `open_ns`: of a sleep that has not ended. */
static void put_sleeps(struct value *v, const struct m_blocked *b, uint64_t open_ns)
{
	value_n(&v[COL_TOTAL], (b ? b->total_slept_ns : 0) + open_ns);
	value_n(&v[COL_TIMES], (b ? b->times : 0) + (open_ns > 0));
	value_n(&v[COL_LONGEST], b && b->longest_ns > open_ns ? b->longest_ns : open_ns);
}

static const struct m_wait *find_wait(const struct m_blocked *b)
{
	const struct m_wait *w = b->task->wait;

	return w && w->chan == b->chan && w->op == b->op ? w : NULL;
}

static void scan_wait(const struct scan *scan, struct rows *rows, const struct m_wait *w,
		      const struct m_blocked *b)
{
	uint64_t open_ns = scan->now_ns > w->since_ns ? scan->now_ns - w->since_ns : 0;
	struct row *row = add_row(rows, w->task, w->chan, w->op);
	struct value *v;

	if (!row)
		return;
	v = row->values;
	value_text(&v[COL_HOLDERS], ends_add_holders(rows, row, w));
	value_n(&v[COL_SINCE], open_ns);
	value_n(&v[COL_STILL], 1);
	value_n(&v[COL_SINCE_NS], w->since_ns);
	if (w->deadline_ns)
		value_n(&v[COL_DEADLINE_NS], w->deadline_ns);
	if (w->fd >= 0)
		value_n(&v[COL_FD], (uint64_t)w->fd);
	put_sleeps(v, b, open_ns);
	v[COL_SINCE].style = open_ns >= LONG_NS ? STYLE_ALERT : STYLE_WARN;
}

static void scan_past(struct rows *rows, const struct m_blocked *b)
{
	struct row *row = add_row(rows, b->task, b->chan, b->op);

	if (!row)
		return;
	put_sleeps(row->values, b, 0);
	if (b->task->exited)
		row->style = STYLE_DIM;
}

static void scan_blocked(const struct scan *scan, struct rows *rows)
{
	/* Every open wait has such a row: it is shown with the sleeps before it. */
	for (const struct m_blocked *b = model_blocked(scan->model); b; b = b->next) {
		const struct m_wait *w = b->still ? find_wait(b) : NULL;

		if (w && filter_match_wait(scan->filter, scan->model, w))
			scan_wait(scan, rows, w, b);
		else if (b->times)
			scan_past(rows, b);
	}
}

const struct view view_blocked = {
	.name = "Blocked",
	.json = "blocked",
	.ends_json = "holders",
	.columns = columns,
	.ncolumns = NCOLS,
	.sort = COL_SINCE,
	.then_by = COL_TOTAL,
	.scan = scan_blocked,
};
