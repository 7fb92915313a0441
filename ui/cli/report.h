/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `ipctap report` says, apart from how: the model's lists in the order in which they are
 * shown, and the numbers that are derived from them. report_text.c and report_json.c print it.
 */
#ifndef IPCTAP_UI_CLI_REPORT_H
#define IPCTAP_UI_CLI_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/model/filter.h"
#include "lib/model/model.h"

struct report_locks;

/* A list of borrowed objects of the model. */
struct report_list {
	const void **item;
	size_t n;
};

struct report {
	const struct model *model;
	const char *file;    /* the trace; NULL: live */
	const char *source;  /* "bpf" */
	const char *command; /* what was traced: the command line, or the scope */
	const char *filter;  /* of -e; NULL: none */
	uint64_t matched;    /* operations that the filter let through */
	bool unfinished;     /* the recorder of the trace was killed */
	uint64_t spilled;    /* operations that were blobs for a while: the disk was slow, none lost */
	const struct report_locks *locks; /* finished; NULL: none */
	int64_t wall_ns;     /* CLOCK_REALTIME - CLOCK_MONOTONIC; 0: not known */

	const struct filter *selects;  /* set by report_init; NULL: all */
	struct report_list flows;      /* struct m_flow: most bytes first */
	struct report_list procs;      /* struct m_proc that did anything: most operations first */
	struct report_list chans;      /* struct m_chan that were used: most bytes first */
	struct report_list blocked;    /* struct m_blocked: longest total first */
	struct report_list waits;      /* struct m_wait, open at the end: oldest first */
	struct report_list segments;   /* struct m_chan of shared memory: most attached first */
	size_t idle_procs, idle_chans; /* seen, and not in the lists above */
};

/* Fills the lists of a report whose model is set. 0 or -ENOMEM. */
int report_init(struct report *r, const struct filter *filter);
void report_release(struct report *r);

uint64_t report_losses(const struct report *r);

/* Sleeps that were not over count up to the end of the report. */
uint64_t report_slept_ns(const struct report *r, const struct m_proc *p);
/* Time the threads of *p were observed, summed. */
uint64_t report_observed_ns(const struct report *r, const struct m_proc *p);

struct report_slept {
	uint64_t total_ns, longest_ns, times;
};
struct report_slept report_slept(const struct report *r, const struct m_blocked *b);

/*
 * The living processes that hold an end which could end this wait: the other side of a duplex
 * channel, the other direction of a pipe, or, where the channel has no ends, everyone else who
 * holds it. Each once, in order of pid; the caller frees the list.
 */
struct report_list report_other_ends(const struct m_wait *w);

/* Each process that ever attached the segment, once, in order of pid; the caller frees the list. */
struct report_list report_attached(const struct m_chan *segment);
bool report_has_open(const struct m_chan *c, const struct m_proc *p);

/* 0 or -ENOMEM. Errors of the output stay with it (ferror). */
int report_print_text(const struct report *r, FILE *out);
int report_print_json(const struct report *r, FILE *out);

#endif
