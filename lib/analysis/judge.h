/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a solution remembers, and how findings get their verdict. For lib/analysis only. */
#ifndef IPCTAP_ANALYSIS_JUDGE_H
#define IPCTAP_ANALYSIS_JUDGE_H

#include "net.h"
#include "solve.h"

/* solution.inner; arrays of net.n entries, by node */
struct inner {
	struct net net;
	uint32_t *owner; /* finding, or WG_NONE */
	uint8_t *level;  /* enum wg_verdict of the fixpoint that left it false; 0: none */
	uint32_t *root;  /* of the closed world, see net_pass */
	uint32_t *by;    /* when everything may help */
	uint32_t *mark;  /* visited by judge_visit, when equal to stamp */
	uint32_t stamp;
	uint32_t *stack;
};

/* Something that the condition of a thread names. */
struct named {
	uint32_t node;   /* a thread, a process, a gate or a constant */
	uint32_t holder; /* by which end it is in there; WG_NONE */
	bool again;      /* it was named before, by another holder or in another part */
};
typedef void judge_each(void *arg, const struct named *named);

/*
 * Calls each(arg, …) for all that the condition names, down to threads, and not beyond those. What only
 * newcomers could do (all of them and of others) is left out where `level` does not let those help; 0: nothing is.
 */
void judge_visit(struct inner *in, uint32_t thread_node, enum wg_verdict level, judge_each *each, void *arg);

/* Is the thread `node` dead in the fixpoint that left `level`? */
bool judge_is_dead(const struct inner *in, uint32_t node, enum wg_verdict level);

/*
 * Gives every finding its final verdict, drops those that only say that somebody is idle, and
 * sorts, strongest first. 0 or -ENOMEM.
 */
int judge(struct solution *s);
void finding_release(struct wg_finding *f);

#endif
