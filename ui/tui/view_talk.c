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
		       12, 2, FACET_NONE, .late = LATE_TEXT },
	[COL_TO] = { "TO", NULL, "the process that receives", COLUMN_TEXT, 12, 2, FACET_NONE,
		     .late = LATE_TEXT },
	[COL_KIND] = { "KIND", "kind", "of channel", COLUMN_TEXT, 5, 0, FACET_KIND, .whole = 7 },
	[COL_NAME] = { "NAME", "name", "of the channel", COLUMN_TEXT, 10, 3, FACET_CHAN,
		       .late = LATE_TEXT },
	[COL_MSG_RATE] = { "MSG/s", "messages_per_s", "messages received", COLUMN_RATE, 6, 0,
			   FACET_NONE },
	[COL_BYTE_RATE] = { "B/s", "bytes_per_s", "bytes received", COLUMN_BYTE_RATE, 6, 0,
			    FACET_NONE },
	[COL_BYTES] = { "TOTAL", "bytes", "bytes received so far; ~ where the sender is inferred",
			COLUMN_BYTES, 7, 0, FACET_BYTES },
	[COL_P50] = { "P50", "p50_ns", "half took no longer from sent to received", COLUMN_TIME, 7,
		      0, FACET_NONE, .late = LATE_MEASURE },
	[COL_P99] = { "P99", "p99_ns", "99 of 100 took no longer", COLUMN_TIME, 7, 0, FACET_LATENCY,
		      .late = LATE_MEASURE },
	[COL_SRC_PID] = { "FROM PID", "src_pid", "who sends", COLUMN_ID, 9, 0, FACET_NONE,
			  .chosen = true },
	[COL_SRC_COMM] = { "FROM COMM", "src_comm", NULL, COLUMN_TEXT, 0, 0, FACET_NONE,
			   .late = LATE_TEXT },
	[COL_DST_PID] = { "TO PID", "dst_pid", "who receives", COLUMN_ID, 7, 0, FACET_NONE,
			  .chosen = true },
	[COL_DST_COMM] = { "TO COMM", "dst_comm", NULL, COLUMN_TEXT, 0, 0, FACET_NONE,
			   .late = LATE_TEXT },
	[COL_CHAN] = { "CHAN", "chan", "the channel's number in ipctap", COLUMN_ID, 6, 0, FACET_CHAN,
		       .chosen = true },
	[COL_IDENT] = { "IDENT", "ident", "what the kernel calls the channel", COLUMN_TEXT, 15, 2,
			FACET_CHAN, .late = LATE_TEXT, .chosen = true },
	[COL_MESSAGES] = { "MSGS", "messages", "messages received so far", COLUMN_COUNT, 6, 0,
			   FACET_NONE, .chosen = true },
	[COL_APPROXIMATE] = { "APPROX", "approximate", "some of it was attributed by a rule that can err",
			      COLUMN_BOOL, 7, 0, FACET_NONE, .chosen = true },
};

static struct row_key flow_key(const struct m_flow *flow)
{
	const struct m_proc *s = flow->src, *d = flow->dst;

	return (struct row_key){ { ROW_FLOW, flow->chan->id, s ? s->pid : 0, s ? s->first_ns : 0,
				   d ? d->pid : 0, d ? d->first_ns : 0 } };
}

static const void *talk_first(const struct scan *scan)
{
	return model_flows(scan->model);
}

static const void *talk_next(const struct scan *scan, const void *object)
{
	(void)scan;
	return ((const struct m_flow *)object)->next;
}

static bool talk_key(const struct scan *scan, const void *object, struct row_key *key)
{
	(void)scan;
	*key = flow_key(object);
	return true;
}

static bool talk_concerns(const void *object, const struct concern *concern)
{
	const struct m_flow *flow = object;

	if (concern->proc)
		return flow->src == concern->proc || flow->dst == concern->proc;
	return flow->chan == concern->chan;
}

static void talk_gather(const struct scan *scan, struct rows *rows, struct row *row,
			const void *object)
{
	const struct m_flow *flow = object;
	uint64_t counters[RATES_COUNTERS] = { flow->messages, flow->bytes };
	double per_s[RATES_COUNTERS];
	struct value *v = row->values;

	if (scan_rates(scan, rows, row, counters, per_s)) {
		value_x(&v[COL_MSG_RATE], per_s[0]);
		value_x(&v[COL_BYTE_RATE], per_s[1]);
	}
	if (flow->src && !flow->src->folded)
		value_n(&v[COL_SRC_PID], flow->src->pid);
	if (flow->dst && !flow->dst->folded)
		value_n(&v[COL_DST_PID], flow->dst->pid);
	value_text(&v[COL_KIND], kind_word(flow->chan->kind));
	value_n(&v[COL_BYTES], flow->bytes);
	if (!flow->chan->folded)
		value_n(&v[COL_CHAN], flow->chan->id);
	value_n(&v[COL_MESSAGES], flow->messages);
	value_n(&v[COL_APPROXIMATE], flow->approximate);
	v[COL_BYTES].approximate = flow->approximate;
	v[COL_P50].approximate = flow->approximate;
	v[COL_P99].approximate = flow->approximate;
}

static void put_proc(struct rows *rows, struct row *row, const struct m_proc *proc, int col,
		     int comm_col, enum row_role role)
{
	struct row_line l;
	const char *comm;

	value_text(&row->values[col], "?");
	if (!proc)
		return;
	comm = row_add_end(rows, row, proc, role);
	value_text(&row->values[comm_col], comm);
	l.len = 0;
	row_line_proc(&l, proc, comm);
	value_text(&row->values[col], row_line_take(rows, &l));
}

static void talk_fill(const struct scan *scan, struct rows *rows, struct row *row,
		      const void *object)
{
	const struct m_flow *flow = object;
	const struct m_chan *chan = flow->chan;
	const char *name = rows_chan_name(rows, chan);
	struct value *v = row->values;

	(void)scan;
	put_proc(rows, row, flow->src, COL_FROM, COL_SRC_COMM, ROLE_WRITER);
	put_proc(rows, row, flow->dst, COL_TO, COL_DST_COMM, ROLE_READER);
	value_text(&v[COL_NAME], name);
	value_text(&v[COL_IDENT], rows_chan_ident(rows, chan, name));
}

static void talk_measure(struct row *row, const void *object)
{
	const struct m_flow *flow = object;

	value_percentile(&row->values[COL_P50], &flow->latency, 50);
	value_percentile(&row->values[COL_P99], &flow->latency, 99);
}

const struct view view_talk = {
	.name = "Talk",
	.json = "talk",
	.columns = columns,
	.ncolumns = NCOLS,
	.sort = COL_BYTE_RATE,
	.then_by = COL_BYTES,
	.shapes = SHAPE_OF_GRAPH | SHAPE_OF_MATRIX,
	.first = talk_first,
	.next = talk_next,
	.key = talk_key,
	.concerns = talk_concerns,
	.gather = talk_gather,
	.fill = talk_fill,
	.measure = talk_measure,
};
