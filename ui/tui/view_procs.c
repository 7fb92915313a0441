// SPDX-License-Identifier: GPL-2.0-or-later
/* Processes: what each one does, how much of its time it sleeps in IPC, and on what it is now. */
#include <stdlib.h>

#include "lib/abi/words.h"
#include "ui/tui/view.h"

enum {
	COL_PID,
	COL_COMM,
	COL_OPS_RATE,
	COL_IN_RATE,
	COL_OUT_RATE,
	COL_SLEPT,
	COL_ERRORS,
	COL_FOR,
	COL_ON,
	COL_PPID,
	COL_THREADS,
	COL_EXITED,
	COL_OPS,
	COL_BYTES_IN,
	COL_BYTES_OUT,
	COL_SLEPT_NS,
	COL_CALL,
	COL_KIND,
	COL_CHAN,
	COL_NAME,
	COL_EXE,
	COL_ARGS,
	NCOLS
};

static const struct column columns[NCOLS] = {
	[COL_PID] = { "PID", "pid", "process", COLUMN_ID, 7, 0, FACET_NONE },
	[COL_COMM] = { "COMM", "comm", "its name", COLUMN_TEXT, 11, 1, FACET_NONE,
		       .late = LATE_TEXT },
	[COL_OPS_RATE] = { "OPS/s", "ops_per_s", "IPC operations", COLUMN_RATE, 6, 0, FACET_NONE },
	[COL_IN_RATE] = { "IN/s", "bytes_in_per_s", "bytes taken out of channels", COLUMN_BYTE_RATE,
			  6, 0, FACET_NONE },
	[COL_OUT_RATE] = { "OUT/s", "bytes_out_per_s", "bytes put into channels", COLUMN_BYTE_RATE,
			   6, 0, FACET_NONE },
	[COL_SLEPT] = { "SLEPT%", "slept_share",
			"share of its threads' time asleep inside IPC calls", COLUMN_SHARE, 7, 0,
			FACET_NONE },
	[COL_ERRORS] = { "ERR", "errors", "operations that failed", COLUMN_COUNT, 5, 0,
			 FACET_ERROR },
	[COL_FOR] = { "FOR", "blocked_ns", "how long it has been asleep in one call", COLUMN_TIME,
		      6, 0, FACET_BLOCKED },
	[COL_ON] = { "BLOCKED ON", "blocked_on", "the call and the channel it is asleep in",
		     COLUMN_TEXT, 16, 3, FACET_NONE, .late = LATE_TEXT },
	[COL_PPID] = { "PPID", "ppid", "its parent", COLUMN_ID, 7, 0, FACET_NONE, .chosen = true },
	[COL_THREADS] = { "THR", "threads", "threads alive", COLUMN_ID, 4, 0, FACET_NONE,
			  .chosen = true },
	[COL_EXITED] = { "EXITED", "exited", "it is over", COLUMN_BOOL, 7, 0, FACET_NONE,
			 .chosen = true },
	[COL_OPS] = { "OPS", "ops", "IPC operations so far", COLUMN_COUNT, 6, 0, FACET_NONE,
		      .chosen = true },
	[COL_BYTES_IN] = { "IN", "bytes_in", "bytes taken out of channels so far", COLUMN_BYTES, 6, 0,
			   FACET_BYTES, .chosen = true },
	[COL_BYTES_OUT] = { "OUT", "bytes_out", "bytes put into channels so far", COLUMN_BYTES, 6, 0,
			    FACET_BYTES, .chosen = true },
	[COL_SLEPT_NS] = { "SLEPT", "slept_ns", "asleep inside IPC calls so far", COLUMN_TIME, 7, 0,
			   FACET_SLEPT, .chosen = true },
	[COL_CALL] = { "CALL", "call", "the call it is asleep in", COLUMN_TEXT, 9, 0, FACET_OP,
		       .late = LATE_TEXT, .chosen = true },
	[COL_KIND] = { "KIND", "kind", "of the channel it is asleep in", COLUMN_TEXT, 7, 0,
		       FACET_KIND, .late = LATE_TEXT, .chosen = true },
	[COL_CHAN] = { "CHAN", "chan", NULL, COLUMN_ID, 0, 0, FACET_CHAN, .late = LATE_TEXT },
	[COL_NAME] = { "NAME", "name", "of that channel", COLUMN_TEXT, 15, 2, FACET_CHAN,
		       .late = LATE_TEXT, .chosen = true },
	[COL_EXE] = { "EXE", "exe", "its program", COLUMN_TEXT, 15, 2, FACET_NONE, .late = LATE_TEXT,
		      .chosen = true },
	[COL_ARGS] = { "ARGS", "args", "its command line", COLUMN_TEXT, 15, 4, FACET_NONE,
		       .late = LATE_TEXT, .chosen = true },
};

/* What its waits amount to: the longest one, and the time asleep in all of them so far. */
struct asleep {
	const struct m_wait *longest;
	uint32_t n;
	uint64_t total_ns;
};

static struct asleep proc_asleep(const struct scan *scan, const struct m_proc *proc)
{
	struct asleep a = { 0 };

	for (const struct m_wait *w = proc->waits; w; w = w->proc_next) {
		if (!filter_match_wait(scan->filter, scan->model, w))
			continue;
		a.n++;
		if (scan->now_ns > w->since_ns)
			a.total_ns += scan->now_ns - w->since_ns;
		if (!a.longest || w->since_ns < a.longest->since_ns)
			a.longest = w;
	}
	return a;
}

static void put_wait(struct rows *rows, struct value *v, const struct asleep *a)
{
	const struct m_wait *w = a->longest;
	const char *what = op_word(w->op);

	value_text(&v[COL_CALL], what);
	if (w->chan) {
		const char *name = rows_chan_name(rows, w->chan);

		value_text(&v[COL_KIND], kind_word(w->chan->kind));
		value_n(&v[COL_CHAN], w->chan->id);
		value_text(&v[COL_NAME], name);
		what = rows_print(rows, "%s %s", what, name);
	}
	if (a->n > 1)
		what = rows_print(rows, "%s (+%u)", what, a->n - 1);
	value_text(&v[COL_ON], what);
}

static const void *procs_first(const struct scan *scan)
{
	return model_procs(scan->model);
}

static const void *procs_next(const struct scan *scan, const void *object)
{
	(void)scan;
	return ((const struct m_proc *)object)->next;
}

static bool procs_key(const struct scan *scan, const void *object, struct row_key *key)
{
	(void)scan;
	*key = row_key_proc(object);
	return true;
}

/* Who holds, or held, an end of a channel; or is asleep in it. */
static bool procs_concerns(const void *object, const struct concern *concern)
{
	const struct m_proc *proc = object;

	if (concern->proc)
		return proc == concern->proc;
	for (const struct m_endpoint *e = concern->chan->endpoints; e; e = e->next)
		if (e->proc == proc)
			return true;
	for (const struct m_wait *w = proc->waits; w; w = w->proc_next)
		if (w->chan == concern->chan)
			return true;
	return false;
}

static void procs_gather(const struct scan *scan, struct rows *rows, struct row *row,
			 const void *object)
{
	const struct m_proc *proc = object;
	struct asleep asleep = proc_asleep(scan, proc);
	const struct m_count *c = &proc->count;
	uint64_t slept_ns = c->slept_ns + asleep.total_ns;
	uint64_t counters[RATES_COUNTERS] = { c->ops, c->bytes_in, c->bytes_out, slept_ns };
	double per_s[RATES_COUNTERS], share;
	struct value *v = row->values;

	if (scan_rates(scan, rows, row, counters, per_s)) {
		/* A sleep is seen whole, late: when it ends or has lasted two looks. So this can pass 1. */
		share = per_s[3] / 1e9 / (proc->nthreads ? proc->nthreads : 1);
		value_x(&v[COL_OPS_RATE], per_s[0]);
		value_x(&v[COL_IN_RATE], per_s[1]);
		value_x(&v[COL_OUT_RATE], per_s[2]);
		value_x(&v[COL_SLEPT], share > 1 ? 1 : share);
	}
	if (!proc->folded)
		value_n(&v[COL_PID], proc->pid);
	value_n(&v[COL_ERRORS], c->errors);
	value_n(&v[COL_PPID], proc->ppid);
	value_n(&v[COL_THREADS], proc->nthreads);
	value_n(&v[COL_EXITED], proc->exited);
	value_n(&v[COL_OPS], c->ops);
	value_n(&v[COL_BYTES_IN], c->bytes_in);
	value_n(&v[COL_BYTES_OUT], c->bytes_out);
	value_n(&v[COL_SLEPT_NS], slept_ns);
	if (asleep.longest)
		value_n(&v[COL_FOR], scan->now_ns > asleep.longest->since_ns ?
					     scan->now_ns - asleep.longest->since_ns :
					     0);
	if (proc->exited)
		row->style = STYLE_DIM;
}

static void procs_fill(const struct scan *scan, struct rows *rows, struct row *row,
		       const void *object)
{
	const struct m_proc *proc = object;
	struct asleep asleep = proc_asleep(scan, proc);
	struct value *v = row->values;

	row_add_end(rows, row, proc, ROLE_SUBJECT);
	value_text(&v[COL_COMM], rows_comm(rows, proc->comm));
	value_text(&v[COL_EXE], rows_escape(rows, proc->exe, sizeof(proc->exe)));
	value_text(&v[COL_ARGS], rows_escape(rows, proc->args, sizeof(proc->args)));
	if (asleep.longest)
		put_wait(rows, v, &asleep);
}

struct place {
	uint64_t pid;
	uint32_t row;
};

static int compare_places(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid > y->pid ? 1 : -1;
	return (x->row > y->row) - (x->row < y->row);
}

/* Under its parent: the latest bearer of that pid that is older than it. */
static void procs_finish(const struct scan *scan, struct rows *rows)
{
	struct place *places = malloc((rows->n + 1) * sizeof(*places));
	size_t n = 0;

	(void)scan;
	for (size_t i = 0; places && i < rows->n; i++)
		if (rows->v[i].values[COL_PID].known)
			places[n++] = (struct place){ rows->v[i].values[COL_PID].n, (uint32_t)i };
	if (places)
		qsort(places, n, sizeof(*places), compare_places);
	for (size_t i = 0; places && i < rows->n; i++) {
		uint64_t ppid = rows->v[i].values[COL_PPID].n;
		size_t low = 0, high = n;

		while (low < high) { /* the first that is behind it */
			size_t middle = low + (high - low) / 2;

			if (places[middle].pid > ppid || (places[middle].pid == ppid &&
							  places[middle].row >= i))
				high = middle;
			else
				low = middle + 1;
		}
		if (low && places[low - 1].pid == ppid && ppid)
			rows->v[i].parent = places[low - 1].row;
		else if (low < n && places[low].pid == ppid && ppid && places[low].row != i)
			rows->v[i].parent = places[low].row; /* was seen after its child */
	}
	if (!places)
		rows->no_memory = true;
	free(places);
}

const struct view view_procs = {
	.name = "Processes",
	.json = "processes",
	.columns = columns,
	.ncolumns = NCOLS,
	.sort = COL_OPS_RATE,
	.then_by = COL_OPS,
	.shapes = SHAPE_OF_TREE,
	.branch_column = COL_COMM,
	.first = procs_first,
	.next = procs_next,
	.key = procs_key,
	.concerns = procs_concerns,
	.gather = procs_gather,
	.fill = procs_fill,
	.finish = procs_finish,
};
