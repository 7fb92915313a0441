// SPDX-License-Identifier: GPL-2.0-or-later
/* Channels: what each kernel object is, who holds its ends, and what goes through it. */
#include "lib/abi/words.h"
#include "ui/tui/ends.h"
#include "ui/tui/fill.h"
#include "ui/tui/view.h"

enum {
	COL_KIND,
	COL_NAME,
	COL_ENDS,
	COL_MSG_RATE,
	COL_BYTE_RATE,
	COL_UNREAD,
	COL_FILL,
	COL_P50,
	COL_P99,
	COL_ID,
	COL_IDENT,
	COL_MESSAGES,
	COL_BYTES,
	COL_ROOM_BYTES,
	COL_ROOM_MESSAGES,
	COL_OPEN,
	COL_SLEPT,
	COL_ERRORS,
	COL_WAITING,
	NCOLS
};

static const struct column columns[NCOLS] = {
	[COL_KIND] = { "KIND", "kind", "of channel", COLUMN_TEXT, 5, 0, FACET_KIND, .whole = 7 },
	[COL_NAME] = { "NAME", "name", "a path, an address, a key, or the kernel's own name",
		       COLUMN_TEXT, 14, 2, FACET_CHAN, .late = LATE_TEXT },
	[COL_ENDS] = { "ENDS", "who", "who holds its ends: writers -> readers, side <> side",
		       COLUMN_TEXT, 17, 3, FACET_NONE, .late = LATE_TEXT },
	[COL_MSG_RATE] = { "MSG/s", "messages_per_s", "messages", COLUMN_RATE, 6, 0, FACET_NONE },
	[COL_BYTE_RATE] = { "B/s", "bytes_per_s", "bytes", COLUMN_BYTE_RATE, 6, 0, FACET_NONE },
	[COL_UNREAD] = { "UNREAD", "unread_bytes", "bytes written and not yet read", COLUMN_BYTES,
			 7, 0, FACET_NONE },
	[COL_FILL] = { "FILL", "fill", "how full it is, of what it has room for; - : not known, or no limit",
		       COLUMN_SHARE, 5, 0, FACET_NONE, .late = LATE_TEXT },
	[COL_P50] = { "P50", "p50_ns", "half of the messages lay in it no longer than this",
		      COLUMN_TIME, 6, 0, FACET_NONE, .late = LATE_MEASURE },
	[COL_P99] = { "P99", "p99_ns", "99 of 100 lay in it no longer than this", COLUMN_TIME, 6, 0,
		      FACET_LATENCY, .late = LATE_MEASURE },
	[COL_ID] = { "ID", "chan", "its number in ipctap", COLUMN_ID, 6, 0, FACET_CHAN,
		     .chosen = true },
	[COL_IDENT] = { "IDENT", "ident", "what the kernel calls it", COLUMN_TEXT, 15, 2, FACET_CHAN,
			.late = LATE_TEXT, .chosen = true },
	[COL_MESSAGES] = { "MSGS", "messages", "messages so far", COLUMN_COUNT, 6, 0, FACET_NONE,
			   .chosen = true },
	[COL_BYTES] = { "BYTES", "bytes", "bytes so far", COLUMN_BYTES, 6, 0, FACET_BYTES,
			.chosen = true },
	[COL_ROOM_BYTES] = { "ROOM", "room_bytes", "bytes it has room for", COLUMN_BYTES, 6, 0,
			     FACET_NONE, .chosen = true },
	[COL_ROOM_MESSAGES] = { "ROOMS", "room_messages",
				"messages it has room for; of a pipe, its pages: a packet each", COLUMN_COUNT,
				6, 0, FACET_NONE, .chosen = true },
	[COL_OPEN] = { "OPEN", "open_ends", "ends that are open", COLUMN_COUNT, 5, 0, FACET_NONE,
		       .chosen = true },
	[COL_SLEPT] = { "SLEPT", NULL, "all sleeps in it so far", COLUMN_TIME, 7, 0, FACET_SLEPT,
			.chosen = true },
	[COL_ERRORS] = { "ERR", NULL, "operations on it that failed", COLUMN_COUNT, 5, 0,
			 FACET_ERROR, .chosen = true },
	[COL_WAITING] = { "WAITING", NULL, "it has an open end that somebody waits at", COLUMN_BOOL,
			  0, 0, FACET_BLOCKED, .late = LATE_TEXT },
};

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static const void *chans_first(const struct scan *scan)
{
	return model_chans(scan->model);
}

static const void *chans_next(const struct scan *scan, const void *object)
{
	(void)scan;
	return ((const struct m_chan *)object)->next;
}

static bool chans_key(const struct scan *scan, const void *object, struct row_key *key)
{
	(void)scan;
	*key = (struct row_key){ { ROW_CHAN, ((const struct m_chan *)object)->id } };
	return true;
}

/* It holds, or held, an end of it; or sleeps in it. */
static bool chans_concerns(const void *object, const struct concern *concern)
{
	const struct m_chan *chan = object;

	if (!concern->proc)
		return chan == concern->chan;
	for (const struct m_endpoint *e = chan->endpoints; e; e = e->next)
		if (e->proc == concern->proc)
			return true;
	for (const struct m_wait *w = concern->proc->waits; w; w = w->proc_next)
		if (w->chan == chan)
			return true;
	return false;
}

static void chans_gather(const struct scan *scan, struct rows *rows, struct row *row,
			 const void *object)
{
	const struct m_chan *chan = object;
	/* The side that was seen more of: one end may be out of scope. */
	uint64_t messages = larger(chan->count.msgs_out, chan->count.msgs_in);
	uint64_t bytes = larger(chan->count.bytes_out, chan->count.bytes_in);
	uint64_t counters[RATES_COUNTERS] = { messages, bytes };
	double per_s[RATES_COUNTERS];
	struct value *v = row->values;

	if (scan_rates(scan, rows, row, counters, per_s)) {
		value_x(&v[COL_MSG_RATE], per_s[0]);
		value_x(&v[COL_BYTE_RATE], per_s[1]);
	}
	value_text(&v[COL_KIND], kind_word(chan->kind));
	if (chan->unread_known)
		value_n(&v[COL_UNREAD], chan->unread_bytes);
	if (!chan->folded)
		value_n(&v[COL_ID], chan->id);
	if (chan->room_bytes)
		value_n(&v[COL_ROOM_BYTES], chan->room_bytes);
	if (chan->room_messages)
		value_n(&v[COL_ROOM_MESSAGES], chan->room_messages);
	value_n(&v[COL_MESSAGES], messages);
	value_n(&v[COL_BYTES], bytes);
	value_n(&v[COL_OPEN], chan->nopen);
	value_n(&v[COL_SLEPT], chan->count.slept_ns);
	value_n(&v[COL_ERRORS], chan->count.errors);
	if (!chan->nopen)
		row->style = STYLE_DIM;
}

static bool is_waited_at(const struct m_chan *chan)
{
	for (const struct m_endpoint *e = chan->endpoints; e; e = e->next)
		for (const struct m_wait *w = e->proc->waits; w; w = w->proc_next)
			if (w->chan == chan)
				return true;
	return false;
}

static void chans_fill(const struct scan *scan, struct rows *rows, struct row *row,
		       const void *object)
{
	const struct m_chan *chan = object;
	struct value *v = row->values;
	const char *name = rows_chan_name(rows, chan);
	struct m_fill fill;

	if (model_fill(scan->model, chan, &fill)) {
		value_x(&v[COL_FILL], fill_share(&fill));
		if (fill.inside >= fill.room)
			v[COL_FILL].style = STYLE_WARN;
	}
	value_text(&v[COL_NAME], name);
	value_text(&v[COL_ENDS], ends_add_all(rows, row, chan));
	value_text(&v[COL_IDENT], rows_chan_ident(rows, chan, name));
	value_n(&v[COL_WAITING], is_waited_at(chan));
}

static void chans_measure(struct row *row, const void *object)
{
	const struct m_chan *chan = object;

	value_percentile(&row->values[COL_P50], &chan->latency, 50);
	value_percentile(&row->values[COL_P99], &chan->latency, 99);
}

const struct view view_chans = {
	.name = "Channels",
	.json = "channels",
	.ends_json = "ends",
	.columns = columns,
	.ncolumns = NCOLS,
	.sort = COL_MSG_RATE,
	.then_by = COL_MESSAGES,
	.first = chans_first,
	.next = chans_next,
	.key = chans_key,
	.concerns = chans_concerns,
	.gather = chans_gather,
	.fill = chans_fill,
	.measure = chans_measure,
};
