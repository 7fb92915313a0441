/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A view: one way to look at the model as rows and columns. A view is a file with a column table
 * and functions that turn objects of the model into rows; sorting, filtering, drawing, plain text,
 * JSON and the help all come from the column table, so that a new view, or a new column, is only
 * that.
 *
 * Rows are copies. They stay what they were while the model goes on (a paused screen), and all
 * their texts have been through escape_text (rows.raw: have not).
 *
 * Ten thousand rows are cheap, their texts are not: a row is made in steps. `gather` sets what is a
 * number at hand, for every object at each refresh; `fill` adds texts and ends, `measure` percentiles (the
 * columns marked LATE_…), for the rows in sight and wherever a filter or an order asks for them.
 */
#ifndef IPCTAP_UI_TUI_VIEW_H
#define IPCTAP_UI_TUI_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/analysis/waittree.h"
#include "lib/model/filter.h"
#include "lib/model/model.h"
#include "ui/tui/grid.h"
#include "ui/tui/rates.h"
#include "ui/tui/tail.h"
#include "ui/tui/tui.h"

/* What a column's values are: which member of struct value holds them, how they are written. */
enum column_type {
	COLUMN_TEXT,      /* text */
	COLUMN_ID,        /* n, in full: a pid, a channel's number */
	COLUMN_INT,       /* n as an int64_t, in full */
	COLUMN_COUNT,     /* n, with k M G */
	COLUMN_BYTES,     /* n, with K M G */
	COLUMN_TIME,      /* n, nanoseconds */
	COLUMN_BOOL,      /* n */
	COLUMN_RATE,      /* x per second, with k M G */
	COLUMN_BYTE_RATE, /* x per second, with K M G */
	COLUMN_SHARE,     /* x, 1 is 100 % */
};
#define COLUMN_TYPES (COLUMN_SHARE + 1)

/* Words of the filter that a column answers to, besides pid= and comm= (struct row_end). */
enum facet {
	FACET_NONE,
	FACET_KIND,
	FACET_CHAN,
	FACET_OP,
	FACET_TID,
	FACET_BYTES,
	FACET_LATENCY,
	FACET_SLEPT,
	FACET_RET,
	FACET_FD,
	FACET_BLOCKED, /* holds when the value is known and not 0; so does: */
	FACET_ERROR,
};

/* The later steps; bits, for what is wanted of a row and what was done. */
enum late { LATE_NOT = 0, LATE_TEXT = 1, LATE_MEASURE = 2, LATE_ALL = 3 };

struct column {
	const char *name; /* in the header; tui_opts.sort */
	const char *json; /* key; NULL: not in JSON */
	const char *what; /* for the help */
	enum column_type type;
	int width; /* on the screen, at least; 0: not there, only in JSON and for filters */
	int flex;  /* its share of the columns that are left over; 0: none */
	enum facet facet;
	enum late late; /* set by that step */
	bool chosen; /* width is not 0, but it is shown only when the user wants it */
	int whole;   /* its width where there is room to spare; 0: no other */
};
#define COLUMNS_MAX 32 /* of a view */

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

/* How a row hangs in a tree: table.c works it out from `parent`. */
struct branch {
	uint32_t rails; /* bit i: the line of depth i goes on below it */
	uint8_t depth;  /* 0: a root */
	bool is_last;   /* of its parent's */
};
#define BRANCH_DEPTH_MAX 30

#define ROW_NONE UINT32_MAX
struct row {
	struct row_key key; /* of the object: what the cursor sticks to */
	size_t order;       /* of creation; decides between equals */
	enum style style;
	struct value *values; /* one for each column of the view */
	struct row_end *ends;
	int nends;
	uint8_t done;       /* enum late: those steps were there, or are not needed */
	bool is_placed;     /* in the tree, by somebody who knows */
	bool is_of_tree;    /* not shown in a list */
	bool is_context;    /* does not match the filter: stands above one that does */
	uint32_t parent;    /* index in rows; ROW_NONE: none */
	struct branch branch;
	const void *object; /* of the model, during a scan; else NULL */
};

/* The rows of one scan and the memory of their texts. A zeroed one is empty. */
struct rows {
	struct row *v;
	size_t n, capacity;
	struct rows_block *blocks, *spare; /* spare: of rows that are gone, for the next */
	bool raw;       /* texts as they are: for JSON, which has quoting of its own */
	bool no_memory; /* something is missing: the scan fails as a whole */
};

void rows_clear(struct rows *rows);
void view_rows_release(struct rows *rows);

/* Adds a row of `ncolumns` unknown values, to which no step is to come. NULL: no memory, no_memory is set. */
struct row *rows_add(struct rows *rows, const struct row_key *key, int ncolumns);
/* Never NULL: "" when there is no memory. `max` bytes of src, or up to its NUL. */
const char *rows_escape(struct rows *rows, const char *src, size_t max);
const char *rows_print(struct rows *rows, const char *fmt, ...) /* of what is escaped already */
	__attribute__((format(printf, 2, 3)));

/*
 * Adds a process to the row, once; a second role joins the first. Room for ROW_ENDS_MAX. Returns its
 * name as rows_comm gives it.
 */
#define ROW_ENDS_MAX 64
const char *row_add_end(struct rows *rows, struct row *row, const struct m_proc *proc, enum row_role role);
const char *rows_comm(struct rows *rows, const char *comm); /* EV_COMM_LEN; "?" when empty */
const char *rows_proc(struct rows *rows, const struct m_proc *proc); /* "comm[pid]", NULL: "?" */
/* The same appended to a line in the making, which is cut where it is full; comm is as rows_comm gives it. */
struct row_line {
	char buf[512];
	size_t len;
};
void row_line_text(struct row_line *l, const char *text);
void row_line_number(struct row_line *l, uint32_t n);
void row_line_proc(struct row_line *l, const struct m_proc *proc, const char *comm);
const char *row_line_take(struct rows *rows, const struct row_line *l);
/* What people call it, else what the kernel does, else "#id". */
const char *rows_chan_name(struct rows *rows, const struct m_chan *chan);
/* What the kernel does; `name` is what rows_chan_name gave. */
const char *rows_chan_ident(struct rows *rows, const struct m_chan *chan, const char *name);

/* Keys begin with what the object is. */
enum row_kind { ROW_PROC = 1, ROW_CHAN, ROW_FLOW, ROW_BLOCKED, ROW_EVENT, ROW_ROOT };
static inline struct row_key row_key_of(uint32_t pid, uint64_t first_ns)
{
	return (struct row_key){ { ROW_PROC, pid, first_ns } };
}
static inline struct row_key row_key_proc(const struct m_proc *proc)
{
	return row_key_of(proc->pid, proc->first_ns);
}

/* An operation has no number that stays the same when a recording is replayed; this does. */
static inline struct row_key tail_key(const struct ev_io *io)
{
	return (struct row_key){ { ROW_EVENT, io->enter_ns, io->tid, io->chan, io->op,
				   io->hdr.flags } };
}

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
	struct rates *rates; /* NULL: there are none, rates are not known */
	uint64_t now_ns; /* of the refresh: for how long a wait has lasted */
	const struct filter *filter; /* -e, for waits; NULL: all */
	const struct tail *tail; /* the latest operations; NULL: nobody keeps them */
	size_t tail_most;        /* no more of them than so many; 0: all that are kept */
	const struct waittree *waits; /* what the search for deadlocks found last; NULL: nothing */
};

/* What rates_get gives. False: there are no rates. No memory is noted in *rows. */
bool scan_rates(const struct scan *scan, struct rows *rows, const struct row *row,
		const uint64_t counters[RATES_COUNTERS], double per_s[RATES_COUNTERS]);

/* What a page (page.h) is about: objects that have to do with it. Both NULL: all of them. */
struct concern {
	const struct m_proc *proc;
	const struct m_chan *chan;
};

/* Ways to show the rows of a view besides the list, which all have. */
#define SHAPE_OF_TREE 1u
#define SHAPE_OF_GRAPH 2u
#define SHAPE_OF_MATRIX 4u

struct view {
	const char *name;
	const char *json;      /* key of its array of rows */
	const char *ends_json; /* key of a row's array of processes but the subject; NULL: none */
	const struct column *columns;
	int ncolumns;
	int sort;    /* column sorted by at first; numbers from the largest, texts from a */
	int then_by; /* column that decides between equals */
	unsigned int shapes; /* SHAPE_OF_* */
	bool tree_first;     /* begins as a tree, not as a list */
	int branch_column;   /* where the tree's lines are drawn; a text */

	/* The objects, in order of creation. NULL: none, or no more. */
	const void *(*first)(const struct scan *scan);
	const void *(*next)(const struct scan *scan, const void *object);
	/* False: there is no row for it. */
	bool (*key)(const struct scan *scan, const void *object, struct row_key *key);
	bool (*concerns)(const void *object, const struct concern *concern);
	void (*gather)(const struct scan *scan, struct rows *rows, struct row *row,
		       const void *object);
	void (*fill)(const struct scan *scan, struct rows *rows, struct row *row,
		     const void *object);
	void (*measure)(struct row *row, const void *object); /* NULL: it has no such columns */
	/* After all have been gathered: sets parents, adds rows that are no object. May be NULL. */
	void (*finish)(const struct scan *scan, struct rows *rows);
};

extern const struct view view_procs, view_chans, view_talk, view_blocked, view_events;
extern const struct view *const views[VIEW_MAX]; /* by enum tui_view */

static inline bool column_is_text(const struct column *c)
{
	return c->type == COLUMN_TEXT;
}

#define VALUE_SIZE 32 /* bytes that hold any value that is not text, with the NUL */
/* The value as it stands on the screen: v->text itself, or written into buf. */
const char *value_string(const struct column *c, const struct value *v, char buf[VALUE_SIZE]);

#endif
