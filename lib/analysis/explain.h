/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A verdict in words: what usually makes a hang of this shape, what to do about it, and the
 * certificate, by which the verdict can be checked by hand. Names in the texts are escaped.
 */
#ifndef IPCTAP_ANALYSIS_EXPLAIN_H
#define IPCTAP_ANALYSIS_EXPLAIN_H

#include "solve.h"

#define EXPLAIN_LEN 512

/* One sentence each. */
const char *explain_cause(const struct solution *s, const struct wg_finding *f,
			  char buf[static EXPLAIN_LEN]);
const char *explain_cure(const struct solution *s, const struct wg_finding *f,
			 char buf[static EXPLAIN_LEN]);

/*
 * One line of the certificate: what a thread of the finding needs, and of each part whether it
 * can move ("any of: cat[13] (stuck), a newcomer (ruled out: …)"). No newline. 0 or -errno.
 */
int explain_needs(const struct solution *s, const struct wg_finding *f, uint32_t thread, FILE *out);

/*
 * The chain from a thread to what keeps it: fills `out` with the thread, whom it waits for, whom
 * that waits for …; the last is a member of a core, or runs, or waits for something outside
 * (solution_step tells). Returns how many, at most `max`.
 */
uint32_t explain_chain(const struct solution *s, uint32_t thread, uint32_t *out, uint32_t max);

/* "dd[12]", or "dd[12/13]" for a thread that is not the first. */
#define EXPLAIN_NAME_LEN 96
const char *explain_name(const struct wg_thread *t, char buf[static EXPLAIN_NAME_LEN]);

#endif
