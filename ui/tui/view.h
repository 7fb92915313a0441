/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A view: one way to look at the model as rows and columns. A view is a file with a column table
 * and a `scan` that turns the model into rows; sorting, filtering, drawing, plain text, JSON and
 * the help all come from the column table, so that a new view, or a new column, is only that.
 *
 * Rows are copies. They stay what they were while the model goes on (a paused screen), and all
 * their texts have been through escape_text (rows.raw: have not).
 */
#ifndef IPCTAP_UI_TUI_VIEW_H
#define IPCTAP_UI_TUI_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/model/filter.h"
#include "lib/model/model.h"
#include "ui/tui/grid.h"
#include "ui/tui/rates.h"
#include "ui/tui/tui.h"

/* What a column's values are: which member of struct value holds them, how they are written. */
enum column_type {
	COLUMN_TEXT,      /* text */
	COLUMN_ID,        /* n, in full: a pid, a channel's number */
	COLUMN_COUNT,     /* n, with k M G */
	COLUMN_BYTES,     /* n, with K M G */
	COLUMN_TIME,      /* n, nanoseconds */
	COLUMN_BOOL,      /* n */
	COLUMN_RATE,      /* x per second, with k M G */
	COLUMN_BYTE_RATE, /* x per second, with K M G */
	COLUMN_SHARE,     /* x, 1 is 100 % */
};

/* Words of the filter that a column answers to, besides pid= and comm= (struct row_end). */
enum facet { FACET_NONE, FACET_KIND, FACET_CHAN, FACET_OP };

struct column {
	const char *name; /* in the header; tui_opts.sort */
	const char *json; /* key; NULL: not in JSON */
	const char *what; /* for the help */
	enum column_type type;
	int width; /* on the screen, at least; 0: not there, only in JSON and for filters */
	int flex;  /* its share of the columns that are left over; 0: none */
	enum facet facet;
};

struct value {
	union {
		const char *text; /* of the struct rows */
		uint64_t n;
		double x;
	};
	bool known; /* false: "-" on the screen, null in JSON, below all others in order */
	bool approximate;
	enum style style; /* STYLE_NORMAL: that of the row */
};

/* A process a row has to do with: for pid=, comm=, F, and lists in JSON. */
enum row_role { ROLE_SUBJECT, ROLE_READER, ROLE_WRITER, ROLE_BOTH };
struct row_end {
	uint32_t pid;
	uint64_t since_ns; /* m_proc.first_ns: with pid, its identity */
	const char *comm;
	enum row_role role;
};

struct row {
	struct row_key key; /* of the object: what the cursor sticks to */
	size_t order;       /* of creation; decides between equals */
	enum style style;
	struct value *values; /* one for each column of the view */
	struct row_end *ends;
	int nends;
};

/* The rows of one scan and the memory of their texts. A zeroed one is empty. */
struct rows {
	struct row *v;
	size_t n, capacity;
	struct rows_block *blocks;
	bool raw;       /* texts as they are: for JSON, which has quoting of its own */
	bool no_memory; /* something is missing: the scan fails as a whole */
};

void rows_clear(struct rows *rows);
void view_rows_release(struct rows *rows);

/* Adds a row of `ncolumns` unknown values. NULL: no memory, no_memory is set. */
struct row *rows_add(struct rows *rows, const struct row_key *key, int ncolumns);
/* Never NULL: "" when there is no memory. `max` bytes of src, or up to its NUL. */
const char *rows_escape(struct rows *rows, const char *src, size_t max);
const char *rows_print(struct rows *rows, const char *fmt, ...) /* of texts escaped already */
	__attribute__((format(printf, 2, 3)));

/* Adds a process to the row, once; a second role joins the first. Room for ROW_ENDS_MAX. */
#define ROW_ENDS_MAX 64
void row_add_end(struct rows *rows, struct row *row, const struct m_proc *proc, enum row_role role);
const char *rows_comm(struct rows *rows, const char *comm); /* EV_COMM_LEN; "?" when empty */
const char *rows_proc(struct rows *rows, const struct m_proc *proc); /* "comm[pid]", NULL: "?" */
/* What people call it, else what the kernel does, else "#id". */
const char *rows_chan_name(struct rows *rows, const struct m_chan *chan);

struct row_key row_key_proc(const struct m_proc *proc);

static inline void value_text(struct value *v, const char *text)
{
	v->text = text;
	v->known = true;
}
static inline void value_n(struct value *v, uint64_t n)
{
	v->n = n;
	v->known = true;
}
static inline void value_x(struct value *v, double x)
{
	v->x = x;
	v->known = true;
}
/* A percentile of the values seen so far; unknown while there are none. */
void value_percentile(struct value *v, const struct hist *h, double percent);

/* What a scan reads. */
struct scan {
	const struct model *model;
	struct rates *rates;
	uint64_t now_ns; /* of the refresh: for how long a wait has lasted */
	const struct filter *filter; /* -e, for waits; NULL: all */
};

struct view {
	const char *name;
	const char *json;      /* key of its array of rows */
	const char *ends_json; /* key of a row's array of processes but the subject; NULL: none */
	const struct column *columns;
	int ncolumns;
	int sort;    /* column sorted by at first; numbers from the largest, texts from a */
	int then_by; /* column that decides between equals */
	void (*scan)(const struct scan *scan, struct rows *rows);
};

extern const struct view view_procs, view_chans, view_talk, view_blocked;
extern const struct view *const views[VIEW_MAX]; /* by enum tui_view */

static inline bool column_is_text(const struct column *c)
{
	return c->type == COLUMN_TEXT;
}

#define VALUE_SIZE 32 /* bytes that hold any value that is not text, with the NUL */
/* The value as it stands on the screen: v->text itself, or written into buf. */
const char *value_string(const struct column *c, const struct value *v, char buf[VALUE_SIZE]);

#endif
