// SPDX-License-Identifier: GPL-2.0-or-later
/* The rows of a view and the memory of their texts; see view.h. */
#include "ui/tui/view.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/abi/words.h"
#include "lib/base/escape.h"
#include "ui/tui/units.h"

const struct view *const views[VIEW_MAX] = {
	[VIEW_PROCESSES] = &view_procs,
	[VIEW_CHANNELS] = &view_chans,
	[VIEW_TALK] = &view_talk,
	[VIEW_BLOCKED] = &view_blocked,
	[VIEW_EVENTS] = &view_events,
};

/* Texts and values live in blocks that are freed together: a refresh makes thousands of them. */
#define BLOCK_BYTES ((size_t)64 * 1024)
struct rows_block {
	struct rows_block *next;
	size_t used, size;
	max_align_t data[];
};

/* One that was used before, or a new one. */
static struct rows_block *block_get(struct rows *rows, size_t bytes)
{
	size_t size = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;
	struct rows_block *b = rows->spare;

	if (b && b->size >= bytes) {
		rows->spare = b->next;
		b->used = 0;
		return b;
	}
	b = malloc(sizeof(*b) + size);
	if (b)
		*b = (struct rows_block){ .size = size };
	return b;
}

static void blocks_free(struct rows_block *b)
{
	while (b) {
		struct rows_block *next = b->next;

		free(b);
		b = next;
	}
}

static void *rows_alloc(struct rows *rows, size_t bytes)
{
	struct rows_block *b = rows->blocks;
	void *p;

	bytes = (bytes + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
	if (!b || b->size - b->used < bytes) {
		b = block_get(rows, bytes);
		if (!b) {
			rows->no_memory = true;
			return NULL;
		}
		b->next = rows->blocks;
		rows->blocks = b;
	}
	p = (char *)b->data + b->used;
	b->used += bytes;
	return memset(p, 0, bytes);
}

/* What was used is kept for the next scan, and what that one did not need is not. */
void rows_clear(struct rows *rows)
{
	blocks_free(rows->spare);
	rows->spare = rows->blocks;
	rows->blocks = NULL;
	rows->n = 0;
	rows->no_memory = false;
}

void view_rows_release(struct rows *rows)
{
	blocks_free(rows->spare);
	blocks_free(rows->blocks);
	free(rows->v);
	*rows = (struct rows){ 0 };
}

struct row *rows_add(struct rows *rows, const struct row_key *key, int ncolumns)
{
	struct value *values;

	if (rows->n == rows->capacity) {
		size_t capacity = rows->capacity ? rows->capacity * 2 : 64;
		struct row *v = reallocarray(rows->v, capacity, sizeof(*v));

		if (!v) {
			rows->no_memory = true;
			return NULL;
		}
		rows->v = v;
		rows->capacity = capacity;
	}
	values = rows_alloc(rows, (size_t)ncolumns * sizeof(*values));
	if (!values)
		return NULL;
	rows->v[rows->n] = (struct row){
		.key = *key, .order = rows->n, .values = values, .done = LATE_ALL, .parent = ROW_NONE
	};
	return &rows->v[rows->n++];
}

static const char *copy(struct rows *rows, const char *text, size_t len)
{
	char *copy = rows_alloc(rows, len + 1);

	return copy ? memcpy(copy, text, len) : ""; /* the NUL is there */
}

const char *rows_escape(struct rows *rows, const char *src, size_t max)
{
	char buf[1024];

	if (rows->raw)
		return rows_print(rows, "%.*s", (int)max, src);
	return copy(rows, buf, escape_text(buf, sizeof(buf), src, max));
}

const char *rows_print(struct rows *rows, const char *fmt, ...)
{
	char buf[1024];
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	return copy(rows, buf, len < (int)sizeof(buf) ? (size_t)len : sizeof(buf) - 1);
}

const char *rows_comm(struct rows *rows, const char *comm)
{
	return comm[0] ? rows_escape(rows, comm, EV_COMM_LEN) : "?";
}

/* Room for one more: doubled at 2, 4 … since most rows have one or two. */
static bool row_grow_ends(struct rows *rows, struct row *row)
{
	size_t n = (size_t)row->nends;
	struct row_end *ends;

	if (n & (n - 1) || n == 1)
		return true;
	ends = rows_alloc(rows, (n ? 2 * n : 2) * sizeof(*ends));
	if (!ends)
		return false;
	if (n)
		memcpy(ends, row->ends, n * sizeof(*ends));
	row->ends = ends;
	return true;
}

const char *row_add_end(struct rows *rows, struct row *row, const struct m_proc *proc,
			enum row_role role)
{
	const char *comm;

	for (int i = 0; i < row->nends; i++) {
		struct row_end *e = &row->ends[i];

		if (e->pid != proc->pid || e->since_ns != proc->first_ns || e->role == ROLE_SUBJECT)
			continue;
		if (e->role != role)
			e->role = ROLE_BOTH;
		return e->comm;
	}
	comm = rows_comm(rows, proc->comm);
	if (row->nends == ROW_ENDS_MAX || !row_grow_ends(rows, row))
		return comm;
	row->ends[row->nends++] = (struct row_end){
		.pid = proc->pid,
		.since_ns = proc->first_ns,
		.comm = comm,
		.role = role,
	};
	return comm;
}

/* Fifty thousand rows may have theirs written at once: without printf. */
void row_line_text(struct row_line *l, const char *text)
{
	size_t len = strlen(text), room = sizeof(l->buf) - l->len;

	len = len < room ? len : room;
	memcpy(l->buf + l->len, text, len);
	l->len += len;
}

void row_line_number(struct row_line *l, uint32_t n)
{
	char digits[12], *at = digits + sizeof(digits);

	*--at = '\0';
	do
		*--at = (char)('0' + n % 10);
	while (n /= 10);
	row_line_text(l, at);
}

void row_line_proc(struct row_line *l, const struct m_proc *proc, const char *comm)
{
	row_line_text(l, comm);
	if (proc->folded)
		return;
	row_line_text(l, "[");
	row_line_number(l, proc->pid);
	row_line_text(l, "]");
}

const char *row_line_take(struct rows *rows, const struct row_line *l)
{
	return copy(rows, l->buf, l->len);
}

const char *rows_proc(struct rows *rows, const struct m_proc *proc)
{
	struct row_line l;

	if (!proc)
		return "?";
	l.len = 0;
	row_line_proc(&l, proc, rows_comm(rows, proc->comm));
	return row_line_take(rows, &l);
}

const char *rows_chan_name(struct rows *rows, const struct m_chan *chan)
{
	if (chan->name[0])
		return rows_escape(rows, chan->name, sizeof(chan->name));
	if (chan->ident[0])
		return rows_escape(rows, chan->ident, sizeof(chan->ident));
	return rows_print(rows, "#%" PRIu64, chan->id);
}

const char *rows_chan_ident(struct rows *rows, const struct m_chan *chan, const char *name)
{
	return chan->name[0] || !chan->ident[0] ?
		       rows_escape(rows, chan->ident, sizeof(chan->ident)) :
		       name;
}

bool scan_rates(const struct scan *scan, struct rows *rows, const struct row *row,
		const uint64_t counters[RATES_COUNTERS], double per_s[RATES_COUNTERS])
{
	if (!scan->rates)
		return false;
	if (rates_get(scan->rates, &row->key, counters, per_s) < 0)
		rows->no_memory = true;
	return true;
}

void value_percentile(struct value *v, const struct hist *h, double percent)
{
	if (h->count)
		value_n(v, hist_percentile(h, percent));
}

const char *value_string(const struct column *c, const struct value *v, char buf[VALUE_SIZE])
{
	char number[UNITS_SIZE];

	if (!v->known)
		return "-";
	switch (c->type) {
	case COLUMN_TEXT:
		return v->text;
	case COLUMN_ID:
		snprintf(buf, VALUE_SIZE, "%" PRIu64, v->n);
		return buf;
	case COLUMN_INT:
		snprintf(buf, VALUE_SIZE, "%" PRId64, (int64_t)v->n);
		return buf;
	case COLUMN_BOOL:
		return v->n ? "yes" : "no";
	case COLUMN_COUNT:
		units_count(number, (double)v->n);
		break;
	case COLUMN_BYTES:
		units_bytes(number, (double)v->n);
		break;
	case COLUMN_TIME:
		units_time(number, v->n);
		break;
	case COLUMN_RATE:
		units_count(number, v->x);
		break;
	case COLUMN_BYTE_RATE:
		units_bytes(number, v->x);
		break;
	case COLUMN_SHARE:
		units_part(number, v->x);
		break;
	}
	buf[0] = '~';
	memcpy(buf + v->approximate, number, strlen(number) + 1);
	return buf;
}
