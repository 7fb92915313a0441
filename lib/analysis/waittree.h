/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A solution as a picture can show it: plain data, independent of the graph it was made of. A tree
 * of who waits for whom, the root cause on top, and the findings.
 *
 * Rows come in the order in which a tree is drawn: a row, then the rows that wait for it, each one
 * deeper. A thread that waits for several is shown under one of them: under the one that helps it
 * soonest if it can move, under a member of the core if it cannot. The members of a core are all
 * rows of depth 0, one behind the other in the order of the cycle.
 */
#ifndef IPCTAP_ANALYSIS_WAITTREE_H
#define IPCTAP_ANALYSIS_WAITTREE_H

#include "explain.h"

#define WT_NONE UINT32_MAX

/* Why the row on top does not go on. */
enum wt_root {
	WT_NOT_ROOT = 0,
	WT_CORE,     /* of a finding: it never will */
	WT_RUNS,     /* it does: computes, or has just moved */
	WT_OUTSIDE,  /* waits for what is outside: `outside` and `why` tell */
};

struct wt_row {
	uint32_t pid, tid, ppid;
	char comm[EV_COMM_LEN];      /* hostile, as is all other text but what explain_* made */
	enum wg_wait wait;           /* WG_RUNS: it waits for nobody */
	int32_t fd;                  /* -1: none */
	uint16_t kind;               /* of the channel; KIND_NONE: none */
	char call[WG_CALL_LEN];      /* "read(3)" */
	char chan[EV_IDENT_LEN];     /* "pipe:[54520]"; may be empty */
	char detail[WG_DETAIL_LEN];  /* of the thread, else of the channel; may be empty */
	uint64_t since_ns;           /* 0: not known */
	uint64_t deadline_ns;        /* 0: none */
	uint32_t parent;             /* row; WT_NONE: it is a root */
	uint32_t depth;
	uint32_t finding;            /* WT_NONE: it can move */
	enum wt_root root;
	enum wg_outside outside;     /* WT_OUTSIDE */
	char why[WG_DETAIL_LEN];     /* WT_OUTSIDE: "peer 10.0.0.7:5432"; may be empty */
};

struct wt_finding {
	enum wg_verdict verdict;
	uint64_t key;      /* equal as long as the same threads have not moved */
	uint32_t *core;    /* rows, in the order of the cycle */
	uint32_t ncore;
	uint32_t *victims; /* rows, those nearest to the core first */
	uint32_t nvictims;
	char cause[EXPLAIN_LEN], cure[EXPLAIN_LEN]; /* a sentence each */
};

struct waittree {
	uint64_t t_ns; /* of the picture */
	struct wt_row *rows;
	uint32_t nrows;
	struct wt_finding *findings; /* strongest first */
	uint32_t nfindings;
	uint32_t ninconclusive; /* threads that could not be judged */
	uint64_t lost;          /* what the snapshot could not read */
};

struct waittree_opts {
	uint64_t now_ns;
	const bool *in_scope; /* by thread of the graph; NULL: all are */
	bool idle;            /* also those who wait for nobody that was seen: timers, newcomers, signals */
};

/*
 * Threads of the scope that wait for a thread, whoever those wait for down to the root, and the
 * findings that have somebody of the scope in their core or among their victims, whole. `slow`
 * findings are not in it: a slow thread has its place in the tree. NULL: no memory.
 */
struct waittree *waittree_new(const struct solution *s, const struct waittree_opts *opts);
void waittree_free(struct waittree *t); /* accepts NULL */

/* A number for a finding that stays the same as long as those in its core have not moved. */
uint64_t finding_key(const struct solution *s, const struct wg_finding *f);

#endif
