// SPDX-License-Identifier: GPL-2.0-or-later
/* Processes: what each one does, how much of its time it sleeps in IPC, and on what it is now. */
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
	[COL_COMM] = { "COMM", "comm", "its name", COLUMN_TEXT, 11, 1, FACET_NONE },
	[COL_OPS_RATE] = { "OPS/s", "ops_per_s", "IPC operations", COLUMN_RATE, 6, 0, FACET_NONE },
	[COL_IN_RATE] = { "IN/s", "bytes_in_per_s", "bytes taken out of channels", COLUMN_BYTE_RATE,
			  6, 0, FACET_NONE },
	[COL_OUT_RATE] = { "OUT/s", "bytes_out_per_s", "bytes put into channels", COLUMN_BYTE_RATE,
			   6, 0, FACET_NONE },
	[COL_SLEPT] = { "SLEPT%", "slept_share",
			"share of its threads' time asleep inside IPC calls", COLUMN_SHARE, 7, 0,
			FACET_NONE },
	[COL_ERRORS] = { "ERR", "errors", "operations that failed", COLUMN_COUNT, 5, 0, FACET_NONE },
	[COL_FOR] = { "FOR", "blocked_ns", "how long it has been asleep in one call", COLUMN_TIME,
		      6, 0, FACET_NONE },
	[COL_ON] = { "BLOCKED ON", "blocked_on", "the call and the channel it is asleep in",
		     COLUMN_TEXT, 16, 3, FACET_NONE },
	[COL_PPID] = { "PPID", "ppid", NULL, COLUMN_ID, 0, 0, FACET_NONE },
	[COL_THREADS] = { "THREADS", "threads", NULL, COLUMN_ID, 0, 0, FACET_NONE },
	[COL_EXITED] = { "EXITED", "exited", NULL, COLUMN_BOOL, 0, 0, FACET_NONE },
	[COL_OPS] = { "OPS", "ops", NULL, COLUMN_COUNT, 0, 0, FACET_NONE },
	[COL_BYTES_IN] = { "IN", "bytes_in", NULL, COLUMN_BYTES, 0, 0, FACET_NONE },
	[COL_BYTES_OUT] = { "OUT", "bytes_out", NULL, COLUMN_BYTES, 0, 0, FACET_NONE },
	[COL_SLEPT_NS] = { "SLEPT", "slept_ns", NULL, COLUMN_TIME, 0, 0, FACET_NONE },
	[COL_CALL] = { "CALL", "call", NULL, COLUMN_TEXT, 0, 0, FACET_OP },
	[COL_KIND] = { "KIND", "kind", NULL, COLUMN_TEXT, 0, 0, FACET_KIND },
	[COL_CHAN] = { "CHAN", "chan", NULL, COLUMN_ID, 0, 0, FACET_CHAN },
	[COL_NAME] = { "NAME", "name", NULL, COLUMN_TEXT, 0, 0, FACET_CHAN },
	[COL_EXE] = { "EXE", "exe", NULL, COLUMN_TEXT, 0, 0, FACET_NONE },
	[COL_ARGS] = { "ARGS", "args", NULL, COLUMN_TEXT, 0, 0, FACET_NONE },
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

static void put_wait(struct rows *rows, struct value *v, const struct scan *scan,
		     const struct asleep *a)
{
	const struct m_wait *w = a->longest;
	const char *what = op_word(w->op);

	value_n(&v[COL_FOR], scan->now_ns > w->since_ns ? scan->now_ns - w->since_ns : 0);
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

static void scan_proc(const struct scan *scan, struct rows *rows, const struct m_proc *proc)
{
	struct row_key key = row_key_proc(proc);
	struct asleep asleep = proc_asleep(scan, proc);
	const struct m_count *c = &proc->count;
	uint64_t slept_ns = c->slept_ns + asleep.total_ns;
	uint64_t counters[RATES_COUNTERS] = { c->ops, c->bytes_in, c->bytes_out, slept_ns };
	double per_s[RATES_COUNTERS], share;
	struct row *row = rows_add(rows, &key, NCOLS);
	struct value *v;

	if (rates_get(scan->rates, &key, counters, per_s) < 0)
		rows->no_memory = true;
	if (!row)
		return;
	v = row->values;
	row_add_end(rows, row, proc, ROLE_SUBJECT);
	/* A sleep is seen whole, late: when it ends or has lasted two looks. So this can pass 1. */
	share = per_s[3] / 1e9 / (proc->nthreads ? proc->nthreads : 1);

	if (!proc->folded)
		value_n(&v[COL_PID], proc->pid);
	value_text(&v[COL_COMM], rows_comm(rows, proc->comm));
	value_x(&v[COL_OPS_RATE], per_s[0]);
	value_x(&v[COL_IN_RATE], per_s[1]);
	value_x(&v[COL_OUT_RATE], per_s[2]);
	value_x(&v[COL_SLEPT], share > 1 ? 1 : share);
	value_n(&v[COL_ERRORS], c->errors);
	value_n(&v[COL_PPID], proc->ppid);
	value_n(&v[COL_THREADS], proc->nthreads);
	value_n(&v[COL_EXITED], proc->exited);
	value_n(&v[COL_OPS], c->ops);
	value_n(&v[COL_BYTES_IN], c->bytes_in);
	value_n(&v[COL_BYTES_OUT], c->bytes_out);
	value_n(&v[COL_SLEPT_NS], slept_ns);
	value_text(&v[COL_EXE], rows_escape(rows, proc->exe, sizeof(proc->exe)));
	value_text(&v[COL_ARGS], rows_escape(rows, proc->args, sizeof(proc->args)));
	if (asleep.longest)
		put_wait(rows, v, scan, &asleep);
	if (proc->exited)
		row->style = STYLE_DIM;
}

static void scan_procs(const struct scan *scan, struct rows *rows)
{
	for (const struct m_proc *p = model_procs(scan->model); p; p = p->next)
		scan_proc(scan, rows, p);
}

const struct view view_procs = {
	.name = "Processes",
	.json = "processes",
	.columns = columns,
	.ncolumns = NCOLS,
	.sort = COL_OPS_RATE,
	.then_by = COL_OPS,
	.scan = scan_procs,
};
