// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Blocked: who waits for whom. Waits that are open come first, the longest on top, each with those
 * who could end it; below them what has slept before, by how long in all. As a tree: blocked_tree.c.
 */
#include "lib/abi/words.h"
#include "ui/tui/blocked.h"
#include "ui/tui/ends.h"
#include "ui/tui/fill.h"

static const struct column columns[BLOCKED_COLUMNS] = {
	[BLOCKED_PID] = { "PID", "pid", "process", COLUMN_ID, 7, 0, FACET_NONE },
	[BLOCKED_COMM] = { "COMM", "comm", "name of its thread", COLUMN_TEXT, 10, 1, FACET_NONE,
		       .late = LATE_TEXT },
	[BLOCKED_CALL] = { "CALL", "call", "the system call it sleeps in", COLUMN_TEXT, 8, 0,
			   FACET_OP, .whole = 18 },
	[BLOCKED_KIND] = { "KIND", "kind", "of channel", COLUMN_TEXT, 5, 0, FACET_KIND, .whole = 7 },
	[BLOCKED_NAME] = { "NAME", "name", "of the channel", COLUMN_TEXT, 15, 2, FACET_CHAN,
		       .late = LATE_TEXT },
	[BLOCKED_SINCE] = { "SINCE", "waiting_ns", "how long it has been asleep; - : not now",
			COLUMN_TIME, 6, 0, FACET_BLOCKED },
	[BLOCKED_HOLDERS] = { "WAITS FOR", NULL, "who holds the other ends and could end it; of a root: why it does not",
			  COLUMN_TEXT, 12, 3, FACET_NONE, .late = LATE_TEXT },
	[BLOCKED_TOTAL] = { "TOTAL", "total_slept_ns", "all its sleeps in this call on this channel",
			COLUMN_TIME, 6, 0, FACET_SLEPT },
	[BLOCKED_TIMES] = { "TIMES", "times", "how many sleeps", COLUMN_COUNT, 6, 0, FACET_NONE },
	[BLOCKED_LONGEST] = { "LONGEST", "longest_ns", "the longest of them", COLUMN_TIME, 8, 0,
			  FACET_LATENCY },
	[BLOCKED_TID] = { "TID", "tid", "thread", COLUMN_ID, 7, 0, FACET_TID },
	[BLOCKED_STILL] = { "STILL", "still", NULL, COLUMN_BOOL, 0, 0, FACET_NONE },
	[BLOCKED_SINCE_NS] = { "SINCE T", "since_ns", NULL, COLUMN_ID, 0, 0, FACET_NONE },
	[BLOCKED_DEADLINE_NS] = { "DEADLINE", "deadline_ns", NULL, COLUMN_ID, 0, 0, FACET_NONE },
	[BLOCKED_FD] = { "FD", "fd", "the descriptor it waits at", COLUMN_ID, 4, 0, FACET_FD,
		     .chosen = true },
	[BLOCKED_CHAN] = { "CHAN", "chan", "the channel's number in ipctap", COLUMN_ID, 6, 0, FACET_CHAN,
		       .chosen = true },
	[BLOCKED_IDENT] = { "IDENT", "ident", "what the kernel calls the channel", COLUMN_TEXT, 15, 2,
			FACET_CHAN, .late = LATE_TEXT, .chosen = true },
	[BLOCKED_LEFT] = { "LEFT", NULL, "until its own time limit ends it; - : it has none", COLUMN_TIME,
		       6, 0, FACET_NONE, .chosen = true },
};

/* The same for an open wait and for the sleeps before it: the cursor stays when it wakes. */
static struct row_key blocked_key(const struct m_task *task, const struct m_chan *chan, uint16_t op)
{
	return (struct row_key){ { ROW_BLOCKED, task->tid, task->start_ns, task->proc->first_ns,
				   chan ? chan->id : 0, op } };
}

const struct m_wait *blocked_open_wait(const struct scan *scan, const struct m_blocked *b)
{
	const struct m_wait *w = b->still ? b->task->wait : NULL;

	if (!w || w->chan != b->chan || w->op != b->op)
		return NULL;
	return filter_match_wait(scan->filter, scan->model, w) ? w : NULL;
}

static const void *blocked_first(const struct scan *scan)
{
	return model_blocked(scan->model);
}

static const void *blocked_next(const struct scan *scan, const void *object)
{
	(void)scan;
	return ((const struct m_blocked *)object)->next;
}

/* Every open wait has such a row. One that only the filter keeps from being shown has none. */
static bool blocked_key_of(const struct scan *scan, const void *object, struct row_key *key)
{
	const struct m_blocked *b = object;

	*key = blocked_key(b->task, b->chan, b->op);
	return b->times || blocked_open_wait(scan, b);
}

static bool blocked_concerns(const void *object, const struct concern *concern)
{
	const struct m_blocked *b = object;

	return concern->proc ? b->task->proc == concern->proc : b->chan == concern->chan;
}

/* `open_ns`: of a sleep that has not ended. */
static void put_sleeps(struct value *v, const struct m_blocked *b, uint64_t open_ns)
{
	value_n(&v[BLOCKED_TOTAL], b->total_slept_ns + open_ns);
	value_n(&v[BLOCKED_TIMES], b->times + (open_ns > 0));
	value_n(&v[BLOCKED_LONGEST], b->longest_ns > open_ns ? b->longest_ns : open_ns);
}

static void put_wait(const struct scan *scan, struct value *v, const struct m_wait *w,
		     uint64_t open_ns)
{
	value_n(&v[BLOCKED_SINCE], open_ns);
	value_n(&v[BLOCKED_STILL], 1);
	value_n(&v[BLOCKED_SINCE_NS], w->since_ns);
	if (w->deadline_ns)
		value_n(&v[BLOCKED_DEADLINE_NS], w->deadline_ns);
	if (w->deadline_ns > scan->now_ns)
		value_n(&v[BLOCKED_LEFT], w->deadline_ns - scan->now_ns);
	if (w->fd >= 0)
		value_n(&v[BLOCKED_FD], (uint64_t)w->fd);
	v[BLOCKED_SINCE].style = open_ns >= BLOCKED_LONG_NS ? STYLE_ALERT : STYLE_WARN;
}

static void blocked_gather(const struct scan *scan, struct rows *rows, struct row *row,
			   const void *object)
{
	const struct m_blocked *b = object;
	const struct m_wait *w = blocked_open_wait(scan, b);
	uint64_t open_ns = w && scan->now_ns > w->since_ns ? scan->now_ns - w->since_ns : 0;
	struct value *v = row->values;

	(void)rows;
	if (!b->task->proc->folded)
		value_n(&v[BLOCKED_PID], b->task->proc->pid);
	if (!b->task->folded)
		value_n(&v[BLOCKED_TID], b->task->tid);
	value_text(&v[BLOCKED_CALL], op_word(b->op));
	if (b->chan) {
		value_text(&v[BLOCKED_KIND], kind_word(b->chan->kind));
		if (!b->chan->folded)
			value_n(&v[BLOCKED_CHAN], b->chan->id);
	}
	value_n(&v[BLOCKED_STILL], 0);
	put_sleeps(v, b, open_ns);
	if (w)
		put_wait(scan, v, w, open_ns);
	else if (b->task->exited)
		row->style = STYLE_DIM;
}

/* Who could end it, and, where it sleeps for room, how full the channel is. */
static const char *waits_for(const struct scan *scan, struct rows *rows, struct row *row,
			     const struct m_wait *w)
{
	const char *who = ends_add_holders(rows, row, w);
	struct m_fill f;

	if (!w->chan || !ends_awaits_room(w) || !model_fill(scan->model, w->chan, &f))
		return who;
	return rows_print(rows, "%s: %s (%s)", who, f.inside >= f.room ? "full" : "no room",
			  fill_words(rows, w->chan, &f));
}

static void blocked_fill(const struct scan *scan, struct rows *rows, struct row *row,
			 const void *object)
{
	const struct m_blocked *b = object;
	const struct m_wait *w = blocked_open_wait(scan, b);
	struct value *v = row->values;

	row_add_end(rows, row, b->task->proc, ROLE_SUBJECT);
	value_text(&v[BLOCKED_COMM], rows_comm(rows, b->task->comm));
	if (b->chan) {
		value_text(&v[BLOCKED_NAME], rows_chan_name(rows, b->chan));
		value_text(&v[BLOCKED_IDENT],
			   rows_escape(rows, b->chan->ident, sizeof(b->chan->ident)));
	}
	if (w)
		value_text(&v[BLOCKED_HOLDERS], waits_for(scan, rows, row, w));
}

const struct view view_blocked = {
	.name = "Blocked",
	.json = "blocked",
	.ends_json = "holders",
	.columns = columns,
	.ncolumns = BLOCKED_COLUMNS,
	.sort = BLOCKED_SINCE,
	.then_by = BLOCKED_TOTAL,
	.shapes = SHAPE_OF_TREE,
	.tree_first = true,
	.branch_column = BLOCKED_COMM,
	.first = blocked_first,
	.next = blocked_next,
	.key = blocked_key_of,
	.concerns = blocked_concerns,
	.gather = blocked_gather,
	.fill = blocked_fill,
	.finish = blocked_tree_finish,
};
