// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Blocked: who waits for whom. Waits that are open come first, the longest on top, each with those
 * who could end it; below them what has slept before, by how long in all.
 *
 * As a tree: under the root, which waits for nobody or belongs to a deadlock, those that wait for it.
 * Who hangs where is what the search for deadlocks has found (lib/analysis/waittree.h); it sees locks
 * and programs that are not traced, too. Where it has nothing to say, or has not looked, it is told
 * from the ends that the model knows of; then nobody is called dead.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/abi/words.h"
#include "lib/analysis/waittree.h"
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
	COL_LEFT,
	NCOLS
};

static const struct column columns[NCOLS] = {
	[COL_PID] = { "PID", "pid", "process", COLUMN_ID, 7, 0, FACET_NONE },
	[COL_COMM] = { "COMM", "comm", "name of its thread", COLUMN_TEXT, 10, 1, FACET_NONE,
		       .late = LATE_TEXT },
	[COL_CALL] = { "CALL", "call", "the system call it sleeps in", COLUMN_TEXT, 8, 0,
		       FACET_OP },
	[COL_KIND] = { "KIND", "kind", "of channel", COLUMN_TEXT, 5, 0, FACET_KIND },
	[COL_NAME] = { "NAME", "name", "of the channel", COLUMN_TEXT, 15, 2, FACET_CHAN,
		       .late = LATE_TEXT },
	[COL_SINCE] = { "SINCE", "waiting_ns", "how long it has been asleep; - : not now",
			COLUMN_TIME, 6, 0, FACET_BLOCKED },
	[COL_HOLDERS] = { "WAITS FOR", NULL, "who holds the other ends and could end it; of a root: why it does not",
			  COLUMN_TEXT, 12, 3, FACET_NONE, .late = LATE_TEXT },
	[COL_TOTAL] = { "TOTAL", "total_slept_ns", "all its sleeps in this call on this channel",
			COLUMN_TIME, 6, 0, FACET_SLEPT },
	[COL_TIMES] = { "TIMES", "times", "how many sleeps", COLUMN_COUNT, 6, 0, FACET_NONE },
	[COL_LONGEST] = { "LONGEST", "longest_ns", "the longest of them", COLUMN_TIME, 8, 0,
			  FACET_LATENCY },
	[COL_TID] = { "TID", "tid", "thread", COLUMN_ID, 7, 0, FACET_TID },
	[COL_STILL] = { "STILL", "still", NULL, COLUMN_BOOL, 0, 0, FACET_NONE },
	[COL_SINCE_NS] = { "SINCE T", "since_ns", NULL, COLUMN_ID, 0, 0, FACET_NONE },
	[COL_DEADLINE_NS] = { "DEADLINE", "deadline_ns", NULL, COLUMN_ID, 0, 0, FACET_NONE },
	[COL_FD] = { "FD", "fd", "the descriptor it waits at", COLUMN_ID, 4, 0, FACET_FD,
		     .chosen = true },
	[COL_CHAN] = { "CHAN", "chan", "the channel's number in ipctap", COLUMN_ID, 6, 0, FACET_CHAN,
		       .chosen = true },
	[COL_IDENT] = { "IDENT", "ident", "what the kernel calls the channel", COLUMN_TEXT, 15, 2,
			FACET_CHAN, .late = LATE_TEXT, .chosen = true },
	[COL_LEFT] = { "LEFT", NULL, "until its own time limit ends it; - : it has none", COLUMN_TIME,
		       6, 0, FACET_NONE, .chosen = true },
};

#define LONG_NS 1000000000ull /* from here on a wait is shown as an alert */

/* The same for an open wait and for the sleeps before it: the cursor stays when it wakes. */
static struct row_key blocked_key(const struct m_task *task, const struct m_chan *chan, uint16_t op)
{
	return (struct row_key){ { ROW_BLOCKED, task->tid, task->start_ns, task->proc->first_ns,
				   chan ? chan->id : 0, op } };
}

/* The open wait that is shown with the sleeps of *b; NULL: there is none. */
static const struct m_wait *open_wait(const struct scan *scan, const struct m_blocked *b)
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
	return b->times || open_wait(scan, b);
}

static bool blocked_concerns(const void *object, const struct concern *concern)
{
	const struct m_blocked *b = object;

	return concern->proc ? b->task->proc == concern->proc : b->chan == concern->chan;
}

/* `open_ns`: of a sleep that has not ended. */
static void put_sleeps(struct value *v, const struct m_blocked *b, uint64_t open_ns)
{
	value_n(&v[COL_TOTAL], b->total_slept_ns + open_ns);
	value_n(&v[COL_TIMES], b->times + (open_ns > 0));
	value_n(&v[COL_LONGEST], b->longest_ns > open_ns ? b->longest_ns : open_ns);
}

static void put_wait(const struct scan *scan, struct value *v, const struct m_wait *w,
		     uint64_t open_ns)
{
	value_n(&v[COL_SINCE], open_ns);
	value_n(&v[COL_STILL], 1);
	value_n(&v[COL_SINCE_NS], w->since_ns);
	if (w->deadline_ns)
		value_n(&v[COL_DEADLINE_NS], w->deadline_ns);
	if (w->deadline_ns > scan->now_ns)
		value_n(&v[COL_LEFT], w->deadline_ns - scan->now_ns);
	if (w->fd >= 0)
		value_n(&v[COL_FD], (uint64_t)w->fd);
	v[COL_SINCE].style = open_ns >= LONG_NS ? STYLE_ALERT : STYLE_WARN;
}

static void blocked_gather(const struct scan *scan, struct rows *rows, struct row *row,
			   const void *object)
{
	const struct m_blocked *b = object;
	const struct m_wait *w = open_wait(scan, b);
	uint64_t open_ns = w && scan->now_ns > w->since_ns ? scan->now_ns - w->since_ns : 0;
	struct value *v = row->values;

	(void)rows;
	if (!b->task->proc->folded)
		value_n(&v[COL_PID], b->task->proc->pid);
	if (!b->task->folded)
		value_n(&v[COL_TID], b->task->tid);
	value_text(&v[COL_CALL], op_word(b->op));
	if (b->chan) {
		value_text(&v[COL_KIND], kind_word(b->chan->kind));
		if (!b->chan->folded)
			value_n(&v[COL_CHAN], b->chan->id);
	}
	value_n(&v[COL_STILL], 0);
	put_sleeps(v, b, open_ns);
	if (w)
		put_wait(scan, v, w, open_ns);
	else if (b->task->exited)
		row->style = STYLE_DIM;
}

static void blocked_fill(const struct scan *scan, struct rows *rows, struct row *row,
			 const void *object)
{
	const struct m_blocked *b = object;
	const struct m_wait *w = open_wait(scan, b);
	struct value *v = row->values;

	row_add_end(rows, row, b->task->proc, ROLE_SUBJECT);
	value_text(&v[COL_COMM], rows_comm(rows, b->task->comm));
	if (b->chan) {
		value_text(&v[COL_NAME], rows_chan_name(rows, b->chan));
		value_text(&v[COL_IDENT],
			   rows_escape(rows, b->chan->ident, sizeof(b->chan->ident)));
	}
	if (w)
		value_text(&v[COL_HOLDERS], ends_add_holders(rows, row, w));
}

/* ---- the tree ---- */

/* Where a thread that waits, or a process that does not, has its row. */
struct seat {
	uint64_t id; /* a tid; a process that is no waiter's: with bit 32 */
	uint32_t row;
};

struct seats {
	struct seat *v;
	size_t n, capacity;
	bool no_memory;
};

#define PROCESS_SEAT (1ull << 32)

static uint32_t seat_find(const struct seats *s, uint64_t id)
{
	for (size_t low = 0, high = s->n; low < high;) {
		size_t middle = low + (high - low) / 2;

		if (s->v[middle].id == id)
			return s->v[middle].row;
		if (s->v[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return ROW_NONE;
}

/* Keeps them in order; nearly always there is room at the right place, for ids mostly ascend. */
static void seat_add(struct seats *s, uint64_t id, uint32_t row)
{
	size_t at = s->n;

	if (s->n == s->capacity) {
		size_t capacity = s->capacity ? s->capacity * 2 : 64;
		struct seat *v = reallocarray(s->v, capacity, sizeof(*v));

		if (!v) {
			s->no_memory = true;
			return;
		}
		s->v = v;
		s->capacity = capacity;
	}
	while (at > 0 && s->v[at - 1].id > id)
		at--;
	memmove(&s->v[at + 1], &s->v[at], (s->n - at) * sizeof(*s->v));
	s->v[at] = (struct seat){ id, row };
	s->n++;
}

static int compare_seats(const void *a, const void *b)
{
	const struct seat *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static void seats_take(struct seats *s, const struct rows *rows)
{
	size_t n = 0;

	for (size_t i = 0; i < rows->n; i++)
		n += rows->v[i].values[COL_SINCE].known;
	s->v = malloc((n + 64) * sizeof(*s->v));
	s->capacity = s->v ? n + 64 : 0;
	s->no_memory = !s->v;
	for (size_t i = 0; s->v && i < rows->n; i++)
		if (rows->v[i].values[COL_SINCE].known && rows->v[i].values[COL_TID].known)
			s->v[s->n++] = (struct seat){ rows->v[i].values[COL_TID].n, (uint32_t)i };
	if (s->v)
		qsort(s->v, s->n, sizeof(*s->v), compare_seats);
}

/* A row of somebody who does not wait in a call of the model. Returns its index. */
static uint32_t add_root(struct rows *rows, uint32_t pid, uint32_t tid, const char *comm)
{
	struct row_key key = { { ROW_ROOT, pid, tid } };
	struct row *row = rows_add(rows, &key, NCOLS);
	struct value *v;

	if (!row)
		return ROW_NONE;
	row->is_of_tree = true;
	v = row->values;
	value_n(&v[COL_PID], pid);
	if (tid)
		value_n(&v[COL_TID], tid);
	value_text(&v[COL_COMM], rows_comm(rows, comm));
	return (uint32_t)(row - rows->v);
}

/*
 * For how long. Those of a finding cannot have moved since; others were asleep when the picture was
 * made, and whether they still are is not known: that is how long it was then, about.
 */
static void put_found_since(const struct scan *scan, struct value *v, const struct wt_row *w)
{
	uint64_t now_ns = w->finding != WT_NONE ? scan->now_ns : scan->waits->t_ns;
	uint64_t for_ns = now_ns > w->since_ns ? now_ns - w->since_ns : 0;

	if (!w->since_ns)
		return;
	value_n(v, for_ns);
	v->approximate = w->finding == WT_NONE;
	v->style = for_ns >= LONG_NS ? STYLE_ALERT : STYLE_WARN;
}

/* What would end it, or, of a root, why it does not go on. */
static const char *found_waits_for(const struct scan *scan, struct rows *rows,
				   const struct wt_row *w)
{
	if (w->root == WT_OUTSIDE)
		return rows_print(rows, "%s%s%s", wg_outside_word(w->outside), w->why[0] ? ": " : "",
				  rows_escape(rows, w->why, sizeof(w->why)));
	if (w->detail[0] || w->parent == WT_NONE)
		return rows_escape(rows, w->detail, sizeof(w->detail));
	return rows_print(rows, "%s[%u]", rows_comm(rows, scan->waits->rows[w->parent].comm),
			  scan->waits->rows[w->parent].pid);
}

/* The search's own row for a thread that the model has no wait of. */
static uint32_t add_found(const struct scan *scan, struct rows *rows, const struct wt_row *w)
{
	const struct m_proc *proc = model_proc(scan->model, w->pid);
	uint32_t at = add_root(rows, w->pid, w->tid, w->comm);
	struct row *row = at == ROW_NONE ? NULL : &rows->v[at];

	if (!row)
		return ROW_NONE;
	if (proc)
		row_add_end(rows, row, proc, ROLE_SUBJECT);
	if (w->wait == WG_RUNS) {
		value_text(&row->values[COL_HOLDERS], "runs");
		return at;
	}
	value_text(&row->values[COL_CALL], rows_escape(rows, w->call, sizeof(w->call)));
	if (w->kind)
		value_text(&row->values[COL_KIND], kind_word(w->kind));
	if (w->chan[0])
		value_text(&row->values[COL_NAME], rows_escape(rows, w->chan, sizeof(w->chan)));
	if (w->deadline_ns > scan->now_ns)
		value_n(&row->values[COL_LEFT], w->deadline_ns - scan->now_ns);
	put_found_since(scan, &row->values[COL_SINCE], w);
	value_text(&row->values[COL_HOLDERS], found_waits_for(scan, rows, w));
	return at;
}

#define SAME_SLEEP_NS 50000000ull /* the two that tell when it began do not agree to the nanosecond */

/* The picture is of the sleep that the row is about, and not of one before. */
static bool is_same_sleep(const struct row *row, const struct wt_row *w)
{
	uint64_t since_ns = row->values[COL_SINCE_NS].n;

	return w->since_ns &&
	       (since_ns > w->since_ns ? since_ns - w->since_ns : w->since_ns - since_ns) <
		       SAME_SLEEP_NS;
}

/*
 * Which rows of the picture still say something: it is of an instant, in which threads that are busy
 * slept, too. Those of findings; those whose sleep the model tells of as well; those that were asleep
 * for long then, and are not known to have ended; and whoever stands above one of these.
 */
static bool *found_to_keep(const struct scan *scan, const struct rows *rows,
			   const struct seats *seats)
{
	const struct waittree *t = scan->waits;
	bool *keep = calloc((size_t)t->nrows + 1, sizeof(*keep));

	for (uint32_t i = t->nrows; keep && i-- > 0;) { /* parents come first */
		const struct wt_row *w = &t->rows[i];
		const struct m_task *task = model_task(scan->model, w->tid);
		uint32_t at = seat_find(seats, w->tid);

		if (w->since_ns > scan->now_ns) /* a replay is at a time before that */
			continue;
		if (w->finding != WT_NONE)
			keep[i] = true;
		else if (at != ROW_NONE)
			keep[i] |= is_same_sleep(&rows->v[at], w);
		else if (w->since_ns && t->t_ns > w->since_ns && t->t_ns - w->since_ns >= LONG_NS)
			keep[i] |= !task || !task->exited;
		if (keep[i] && w->parent != WT_NONE)
			keep[w->parent] = true;
	}
	return keep;
}

/* Rows and parents as the search has them. They come parents first. */
static void hang_found(const struct scan *scan, struct rows *rows, struct seats *seats)
{
	const struct waittree *t = scan->waits;
	bool *keep = t ? found_to_keep(scan, rows, seats) : NULL;

	if (t && !keep)
		rows->no_memory = true;
	for (uint32_t i = 0; keep && i < t->nrows && !rows->no_memory; i++) {
		const struct wt_row *w = &t->rows[i];
		uint32_t at = seat_find(seats, w->tid);

		if (!keep[i])
			continue;
		if (at == ROW_NONE) {
			at = add_found(scan, rows, w);
			if (at == ROW_NONE)
				break;
			seat_add(seats, w->tid, at);
		}
		if (w->parent != WT_NONE)
			rows->v[at].parent = seat_find(seats, t->rows[w->parent].tid);
		if (w->finding != WT_NONE)
			rows->v[at].style = STYLE_DEAD;
		rows->v[at].is_placed = true;
	}
	free(keep);
}

/* The row of the process that is the cause: that of a thread which waits, else one of its own. */
static uint32_t seat_of_cause(struct rows *rows, struct seats *seats, const struct m_proc *cause)
{
	const struct m_wait *longest = NULL;
	uint32_t at = seat_find(seats, PROCESS_SEAT | cause->pid);

	if (at != ROW_NONE)
		return at;
	for (const struct m_wait *w = cause->waits; w; w = w->proc_next)
		if (!longest || w->since_ns < longest->since_ns)
			longest = w;
	if (longest && cause->nwaits >= cause->nthreads)
		return seat_find(seats, longest->task->tid);
	at = add_root(rows, cause->pid, 0, cause->comm);
	if (at == ROW_NONE)
		return ROW_NONE;
	row_add_end(rows, &rows->v[at], cause, ROLE_SUBJECT);
	value_text(&rows->v[at].values[COL_HOLDERS],
		   cause->outside ? "not traced" : "not asleep in IPC");
	seat_add(seats, PROCESS_SEAT | cause->pid, at);
	return at;
}

static void hang_by_model(const struct scan *scan, struct rows *rows, struct seats *seats)
{
	size_t n = rows->n;

	for (size_t i = 0; i < n && !rows->no_memory; i++) {
		const struct m_blocked *b = rows->v[i].object;
		const struct m_wait *w = b && !rows->v[i].is_placed ? open_wait(scan, b) : NULL;
		const struct m_proc *cause = w ? ends_cause(w) : NULL;
		uint32_t up = cause ? seat_of_cause(rows, seats, cause) : ROW_NONE;

		if (cause && up != i)
			rows->v[i].parent = up;
	}
}

/* In a circle nobody is the root: its members stand side by side, with their followers below. */
static void open_circles(struct rows *rows)
{
	for (size_t i = 0; i < rows->n; i++) {
		uint32_t slow = (uint32_t)i, fast = (uint32_t)i;

		do {
			slow = rows->v[slow].parent;
			fast = rows->v[fast].parent;
			fast = fast != ROW_NONE ? rows->v[fast].parent : ROW_NONE;
		} while (fast != ROW_NONE && slow != fast);
		if (fast == ROW_NONE)
			continue;
		do { /* cut it apart */
			uint32_t up = rows->v[slow].parent;

			rows->v[slow].parent = ROW_NONE;
			slow = up;
		} while (slow != ROW_NONE);
	}
}

static void blocked_finish(const struct scan *scan, struct rows *rows)
{
	struct seats seats = { 0 };

	seats_take(&seats, rows);
	if (!seats.no_memory) {
		hang_found(scan, rows, &seats);
		hang_by_model(scan, rows, &seats);
		open_circles(rows);
	}
	if (seats.no_memory)
		rows->no_memory = true;
	free(seats.v);
}

const struct view view_blocked = {
	.name = "Blocked",
	.json = "blocked",
	.ends_json = "holders",
	.columns = columns,
	.ncolumns = NCOLS,
	.sort = COL_SINCE,
	.then_by = COL_TOTAL,
	.shapes = SHAPE_OF_TREE,
	.tree_first = true,
	.branch_column = COL_COMM,
	.first = blocked_first,
	.next = blocked_next,
	.key = blocked_key_of,
	.concerns = blocked_concerns,
	.gather = blocked_gather,
	.fill = blocked_fill,
	.finish = blocked_finish,
};
