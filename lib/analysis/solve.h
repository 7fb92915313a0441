/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The judge. A least fixpoint over the conditions of a waitgraph: whatever can run makes others
 * able to run; what is left when nothing more moves is dead. Cycles only explain.
 *
 * The same fixpoint is run with more and more of what is outside forbidden to help:
 *
 *     verdict        may help                            says
 *     proven         everything                          cannot move unless somebody kills or signals
 *     closed-world   all but newcomers                   unless a process that never had it opens it
 *     stuck          all but newcomers, signals, hidden  only a signal or an unseen holder can help
 *     leak-suspect   as proven, without idle heirs       only somebody who inherited it by accident
 *
 * Where holders were deduced, not told by the kernel (WG_GUESSED), a verdict is at most `stuck`.
 * A core that is dead because somebody is gone, not because its members wait for each other, is
 * `orphan`. A core whose members all just wait for somebody to speak is `quiescent`, at whatever
 * level it was found. A thread that can move and has been asleep for long is `slow`.
 *
 * A *core* is a strongly connected part of the dead that stays dead though everything outside of
 * it were able to move; the dead that merely wait for a core are its *victims*.
 */
#ifndef IPCTAP_ANALYSIS_SOLVE_H
#define IPCTAP_ANALYSIS_SOLVE_H

#include "waitgraph.h"

/* Strongest first: a finding is at or above a level when its verdict is not greater. */
enum wg_verdict {
	WG_PROVEN = 1,
	WG_CLOSED_WORLD,
	WG_ORPHAN,
	WG_STUCK,
	WG_QUIESCENT,
	WG_LEAK_SUSPECT,
	WG_SLOW,
	WG_VERDICT_MAX
};

struct wg_finding {
	enum wg_verdict verdict;
	enum wg_verdict level; /* of the fixpoint that left it: proven, closed-world, stuck, leak */
	uint32_t *core;    /* indices of threads, in the order of the cycle: each waits for the next */
	uint32_t ncore;
	uint32_t ncycle;   /* so many of the core are the cycle; 0: there is none (an orphan) */
	uint32_t *victims; /* those nearest to the core first */
	uint32_t nvictims;
	uint32_t *heirs;   /* leak-suspect: pids of those that rescue by accident */
	uint32_t nheirs;
	bool guessed;      /* some of its holders were deduced, not told by the kernel */
};

/* Could not be judged: would be dead but for something that could not be found out. */
struct wg_inconclusive {
	uint32_t thread;
	const char *why; /* borrowed from the graph */
};

struct solution {
	const struct waitgraph *graph; /* borrowed: must outlive the solution */
	struct wg_finding *findings;   /* strongest first */
	uint32_t nfindings;
	struct wg_inconclusive *inconclusive;
	uint32_t ninconclusive;
	void *inner;
};

struct solve_opts {
	uint64_t now_ns;
	uint64_t slow_ns; /* asleep for longer: a `slow` finding. 0: look for none */
	bool slow_quiet;  /* also those that just wait to be spoken to, as idle ones do */
};

/* -ENOMEM, or 0 with *s filled. Linear in the graph. */
int solve(struct solution *s, const struct waitgraph *g, const struct solve_opts *opts);
/*
 * For the second of two passes: first lets go of every thread of `now` that moved since `before`
 * (waitgraph_confirm) or that was not dead in the verdict on `before`, so that a finding is one
 * in both. `before` must be solved already.
 */
int solve_confirmed(struct solution *s, struct waitgraph *now, const struct solution *before,
		    const struct solve_opts *opts);
void solution_release(struct solution *s);

/* ---- asking the solution ---- */

/* The finding that the thread is core or victim of; NULL: it can move. */
const struct wg_finding *solution_of(const struct solution *s, uint32_t thread);

/*
 * The verdict by which the thread itself is dead: a victim of a proven core may be dead in a
 * closed world only. 0: it can move.
 */
enum wg_verdict solution_level(const struct solution *s, uint32_t thread);

/*
 * The threads that could help this one, each once, ascending by index: for a dead one those dead
 * that it lacks, but for those who could only help together with a newcomer. Fills at most `max`,
 * returns how many there are.
 */
uint32_t solution_waits_for(const struct solution *s, uint32_t thread, uint32_t *out, uint32_t max);

/* Why a thread can move, one step: by whom its condition first came true. */
struct wg_step {
	bool runs;                /* it does not wait, or was let go: the root */
	uint32_t by;              /* thread, or UINT32_MAX: by something outside */
	enum wg_outside outside;  /* when by is UINT32_MAX */
	const char *why;          /* of the outside */
};
struct wg_step solution_step(const struct solution *s, uint32_t thread);

/*
 * Makes the graph of a confirmed solution say the same by itself: threads that only two passes
 * together cleared may act in it from now on. For keeping it. 0 or -ENOMEM.
 */
int solution_freeze(const struct solution *s, struct waitgraph *g);

const char *wg_verdict_word(enum wg_verdict v); /* "closed-world" */
/* "DEADLOCK, closed world", "ORPHAN", "QUIESCENT": above a finding. Not all that hangs is a deadlock. */
const char *wg_verdict_title(enum wg_verdict v);
int wg_verdict_parse(const char *word);         /* -1: no such */

#endif
