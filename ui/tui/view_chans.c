// SPDX-License-Identifier: GPL-2.0-or-later
/* Channels: what each kernel object is, who holds its ends, and what goes through it. */
#include "lib/abi/words.h"
#include "ui/tui/ends.h"
#include "ui/tui/view.h"

enum {
	COL_KIND,
	COL_NAME,
	COL_ENDS,
	COL_MSG_RATE,
	COL_BYTE_RATE,
	COL_UNREAD,
	COL_P50,
	COL_P99,
	COL_ID,
	COL_IDENT,
	COL_MESSAGES,
	COL_BYTES,
	COL_OPEN,
	NCOLS
};

static const struct column columns[NCOLS] = {
	[COL_KIND] = { "KIND", "kind", "of channel", COLUMN_TEXT, 5, 0, FACET_KIND },
	[COL_NAME] = { "NAME", "name", "a path, an address, a key, or the kernel's own name",
		       COLUMN_TEXT, 15, 2, FACET_CHAN },
	[COL_ENDS] = { "ENDS", "who", "who holds its ends: writers -> readers, side <> side",
		       COLUMN_TEXT, 18, 3, FACET_NONE },
	[COL_MSG_RATE] = { "MSG/s", "messages_per_s", "messages", COLUMN_RATE, 6, 0, FACET_NONE },
	[COL_BYTE_RATE] = { "B/s", "bytes_per_s", "bytes", COLUMN_BYTE_RATE, 6, 0, FACET_NONE },
	[COL_UNREAD] = { "UNREAD", "unread_bytes", "bytes written and not yet read", COLUMN_BYTES,
			 7, 0, FACET_NONE },
	[COL_P50] = { "P50", "p50_ns", "half of the messages lay in it no longer than this",
		      COLUMN_TIME, 6, 0, FACET_NONE },
	[COL_P99] = { "P99", "p99_ns", "99 of 100 lay in it no longer than this", COLUMN_TIME, 6, 0,
		      FACET_NONE },
	[COL_ID] = { "ID", "chan", NULL, COLUMN_ID, 0, 0, FACET_CHAN },
	[COL_IDENT] = { "IDENT", "ident", NULL, COLUMN_TEXT, 0, 0, FACET_CHAN },
	[COL_MESSAGES] = { "MSGS", "messages", NULL, COLUMN_COUNT, 0, 0, FACET_NONE },
	[COL_BYTES] = { "BYTES", "bytes", NULL, COLUMN_BYTES, 0, 0, FACET_NONE },
	[COL_OPEN] = { "OPEN", "open_ends", NULL, COLUMN_COUNT, 0, 0, FACET_NONE },
};

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void scan_chan(const struct scan *scan, struct rows *rows, const struct m_chan *chan)
{
	struct row_key key = { { 2, chan->id } };
	/* The side that was seen more of: one end may be out of scope. */
	uint64_t messages = larger(chan->count.msgs_out, chan->count.msgs_in);
	uint64_t bytes = larger(chan->count.bytes_out, chan->count.bytes_in);
	uint64_t counters[RATES_COUNTERS] = { messages, bytes };
	double per_s[RATES_COUNTERS];
	struct row *row = rows_add(rows, &key, NCOLS);
	struct value *v;

	if (rates_get(scan->rates, &key, counters, per_s) < 0)
		rows->no_memory = true;
	if (!row)
		return;
	v = row->values;
	value_text(&v[COL_KIND], kind_word(chan->kind));
	value_text(&v[COL_NAME], rows_chan_name(rows, chan));
	value_text(&v[COL_ENDS], ends_add_all(rows, row, chan));
	value_x(&v[COL_MSG_RATE], per_s[0]);
	value_x(&v[COL_BYTE_RATE], per_s[1]);
	if (chan->unread_known)
		value_n(&v[COL_UNREAD], chan->unread_bytes);
	value_percentile(&v[COL_P50], &chan->latency, 50);
	value_percentile(&v[COL_P99], &chan->latency, 99);
	if (!chan->folded)
		value_n(&v[COL_ID], chan->id);
	value_text(&v[COL_IDENT], rows_escape(rows, chan->ident, sizeof(chan->ident)));
	value_n(&v[COL_MESSAGES], messages);
	value_n(&v[COL_BYTES], bytes);
	value_n(&v[COL_OPEN], chan->nopen);
	if (!chan->nopen)
		row->style = STYLE_DIM;
}

static void scan_chans(const struct scan *scan, struct rows *rows)
{
	for (const struct m_chan *c = model_chans(scan->model); c; c = c->next)
		scan_chan(scan, rows, c);
}

const struct view view_chans = {
	.name = "Channels",
	.json = "channels",
	.ends_json = "ends",
	.columns = columns,
	.ncolumns = NCOLS,
	.sort = COL_MSG_RATE,
	.then_by = COL_MESSAGES,
	.scan = scan_chans,
};
