// SPDX-License-Identifier: GPL-2.0-or-later
/* Blocked as a tree: who hangs where, with rows for those whom the model knows no wait of. */
#include <stdlib.h>
#include <string.h>

#include "lib/abi/words.h"
#include "ui/tui/blocked.h"
#include "ui/tui/ends.h"

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
		n += rows->v[i].values[BLOCKED_SINCE].known;
	s->v = malloc((n + 64) * sizeof(*s->v));
	s->capacity = s->v ? n + 64 : 0;
	s->no_memory = !s->v;
	for (size_t i = 0; s->v && i < rows->n; i++)
		if (rows->v[i].values[BLOCKED_SINCE].known && rows->v[i].values[BLOCKED_TID].known)
			s->v[s->n++] = (struct seat){ rows->v[i].values[BLOCKED_TID].n, (uint32_t)i };
	if (s->v)
		qsort(s->v, s->n, sizeof(*s->v), compare_seats);
}

/* A row of somebody who does not wait in a call of the model. Returns its index. */
static uint32_t add_root(struct rows *rows, uint32_t pid, uint32_t tid, const char *comm)
{
	struct row_key key = { { ROW_ROOT, pid, tid } };
	struct row *row = rows_add(rows, &key, BLOCKED_COLUMNS);
	struct value *v;

	if (!row)
		return ROW_NONE;
	row->is_of_tree = true;
	v = row->values;
	value_n(&v[BLOCKED_PID], pid);
	if (tid)
		value_n(&v[BLOCKED_TID], tid);
	value_text(&v[BLOCKED_COMM], rows_comm(rows, comm));
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
	v->style = for_ns >= BLOCKED_LONG_NS ? STYLE_ALERT : STYLE_WARN;
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
		value_text(&row->values[BLOCKED_HOLDERS], "runs");
		return at;
	}
	value_text(&row->values[BLOCKED_CALL], rows_escape(rows, w->call, sizeof(w->call)));
	if (w->kind)
		value_text(&row->values[BLOCKED_KIND], kind_word(w->kind));
	if (w->chan[0])
		value_text(&row->values[BLOCKED_NAME], rows_escape(rows, w->chan, sizeof(w->chan)));
	if (w->deadline_ns > scan->now_ns)
		value_n(&row->values[BLOCKED_LEFT], w->deadline_ns - scan->now_ns);
	put_found_since(scan, &row->values[BLOCKED_SINCE], w);
	value_text(&row->values[BLOCKED_HOLDERS], found_waits_for(scan, rows, w));
	return at;
}

#define SAME_SLEEP_NS 50000000ull /* the two that tell when it began do not agree to the nanosecond */

/* The picture is of the sleep that the row is about, and not of one before. */
static bool is_same_sleep(const struct row *row, const struct wt_row *w)
{
	uint64_t since_ns = row->values[BLOCKED_SINCE_NS].n;

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
		else if (w->since_ns && t->t_ns > w->since_ns && t->t_ns - w->since_ns >= BLOCKED_LONG_NS)
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
		if (w->finding != WT_NONE) /* who just waits to be spoken to is not dead */
			rows->v[at].style = t->findings[w->finding].verdict == WG_QUIESCENT ? STYLE_WARN : STYLE_DEAD;
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
	value_text(&rows->v[at].values[BLOCKED_HOLDERS],
		   cause->outside ? "not traced" : "not asleep in IPC");
	seat_add(seats, PROCESS_SEAT | cause->pid, at);
	return at;
}

static void hang_by_model(const struct scan *scan, struct rows *rows, struct seats *seats)
{
	size_t n = rows->n;

	for (size_t i = 0; i < n && !rows->no_memory; i++) {
		const struct m_blocked *b = rows->v[i].object;
		const struct m_wait *w = b && !rows->v[i].is_placed ? blocked_open_wait(scan, b) : NULL;
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

void blocked_tree_finish(const struct scan *scan, struct rows *rows)
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
