// SPDX-License-Identifier: GPL-2.0-or-later
/* Talk: who sends to whom through what, how much, and how late it arrives. */
#include "lib/abi/words.h"
#include "ui/tui/view.h"

enum {
	COL_FROM,
	COL_TO,
	COL_KIND,
	COL_NAME,
	COL_MSG_RATE,
	COL_BYTE_RATE,
	COL_BYTES,
	COL_P50,
	COL_P99,
	COL_SRC_PID,
	COL_SRC_COMM,
	COL_DST_PID,
	COL_DST_COMM,
	COL_CHAN,
	COL_IDENT,
	COL_MESSAGES,
	COL_APPROXIMATE,
	NCOLS
};

static const struct column columns[NCOLS] = {
	[COL_FROM] = { "FROM", NULL, "the process that sends; ? one that was not seen", COLUMN_TEXT,
		       12, 2, FACET_NONE },
	[COL_TO] = { "TO", NULL, "the process that receives", COLUMN_TEXT, 12, 2, FACET_NONE },
	[COL_KIND] = { "KIND", "kind", "of channel", COLUMN_TEXT, 5, 0, FACET_KIND },
	[COL_NAME] = { "NAME", "name", "of the channel", COLUMN_TEXT, 10, 3, FACET_CHAN },
	[COL_MSG_RATE] = { "MSG/s", "messages_per_s", "messages received", COLUMN_RATE, 6, 0,
			   FACET_NONE },
	[COL_BYTE_RATE] = { "B/s", "bytes_per_s", "bytes received", COLUMN_BYTE_RATE, 6, 0,
			    FACET_NONE },
	[COL_BYTES] = { "TOTAL", "bytes", "bytes received so far; ~ where the sender is inferred",
			COLUMN_BYTES, 7, 0, FACET_NONE },
	[COL_P50] = { "P50", "p50_ns", "half took no longer from sent to received", COLUMN_TIME, 7,
		      0, FACET_NONE },
	[COL_P99] = { "P99", "p99_ns", "99 of 100 took no longer", COLUMN_TIME, 7, 0, FACET_NONE },
	[COL_SRC_PID] = { "FROM PID", "src_pid", NULL, COLUMN_ID, 0, 0, FACET_NONE },
	[COL_SRC_COMM] = { "FROM COMM", "src_comm", NULL, COLUMN_TEXT, 0, 0, FACET_NONE },
	[COL_DST_PID] = { "TO PID", "dst_pid", NULL, COLUMN_ID, 0, 0, FACET_NONE },
	[COL_DST_COMM] = { "TO COMM", "dst_comm", NULL, COLUMN_TEXT, 0, 0, FACET_NONE },
	[COL_CHAN] = { "CHAN", "chan", NULL, COLUMN_ID, 0, 0, FACET_CHAN },
	[COL_IDENT] = { "IDENT", "ident", NULL, COLUMN_TEXT, 0, 0, FACET_CHAN },
	[COL_MESSAGES] = { "MSGS", "messages", NULL, COLUMN_COUNT, 0, 0, FACET_NONE },
	[COL_APPROXIMATE] = { "APPROX", "approximate", NULL, COLUMN_BOOL, 0, 0, FACET_NONE },
};

static struct row_key flow_key(const struct m_flow *flow)
{
	const struct m_proc *s = flow->src, *d = flow->dst;

	return (struct row_key){ { 3, flow->chan->id, s ? s->pid : 0, s ? s->first_ns : 0,
				   d ? d->pid : 0, d ? d->first_ns : 0 } };
}

static void put_proc(struct rows *rows, struct row *row, const struct m_proc *proc, int pid_col,
		     enum row_role role)
{
	if (!proc)
		return;
	row_add_end(rows, row, proc, role);
	if (!proc->folded)
		value_n(&row->values[pid_col], proc->pid);
	value_text(&row->values[pid_col + 1], rows_comm(rows, proc->comm));
}

static void scan_flow(const struct scan *scan, struct rows *rows, const struct m_flow *flow)
{
	struct row_key key = flow_key(flow);
	uint64_t counters[RATES_COUNTERS] = { flow->messages, flow->bytes };
	double per_s[RATES_COUNTERS];
	struct row *row = rows_add(rows, &key, NCOLS);
	struct value *v;

	if (rates_get(scan->rates, &key, counters, per_s) < 0)
		rows->no_memory = true;
	if (!row)
		return;
	v = row->values;
	put_proc(rows, row, flow->src, COL_SRC_PID, ROLE_WRITER);
	put_proc(rows, row, flow->dst, COL_DST_PID, ROLE_READER);
	value_text(&v[COL_FROM], rows_proc(rows, flow->src));
	value_text(&v[COL_TO], rows_proc(rows, flow->dst));
	value_text(&v[COL_KIND], kind_word(flow->chan->kind));
	value_text(&v[COL_NAME], rows_chan_name(rows, flow->chan));
	value_x(&v[COL_MSG_RATE], per_s[0]);
	value_x(&v[COL_BYTE_RATE], per_s[1]);
	value_n(&v[COL_BYTES], flow->bytes);
	value_percentile(&v[COL_P50], &flow->latency, 50);
	value_percentile(&v[COL_P99], &flow->latency, 99);
	if (!flow->chan->folded)
		value_n(&v[COL_CHAN], flow->chan->id);
	value_text(&v[COL_IDENT], rows_escape(rows, flow->chan->ident, sizeof(flow->chan->ident)));
	value_n(&v[COL_MESSAGES], flow->messages);
	value_n(&v[COL_APPROXIMATE], flow->approximate);
	v[COL_BYTES].approximate = flow->approximate;
	v[COL_P50].approximate = flow->approximate;
	v[COL_P99].approximate = flow->approximate;
}

static void scan_talk(const struct scan *scan, struct rows *rows)
{
	for (const struct m_flow *f = model_flows(scan->model); f; f = f->next)
		scan_flow(scan, rows, f);
}

const struct view view_talk = {
	.name = "Talk",
	.json = "talk",
	.columns = columns,
	.ncolumns = NCOLS,
	.sort = COL_BYTE_RATE,
	.then_by = COL_BYTES,
	.scan = scan_talk,
};
