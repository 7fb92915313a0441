/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A histogram of durations in nanoseconds: log-linear, 16 buckets to a power of two, so that a
 * percentile is within 1/16 (6.25 %) of the truth at any size. Sparse on disk, small in memory:
 * buckets are allocated by octave on first use, and most histograms of a host have none.
 */
#ifndef IPCTAP_BASE_HIST_H
#define IPCTAP_BASE_HIST_H

#include <stdint.h>
#include <stdio.h>

#define HIST_OCTAVES 61 /* values 0..15 share the first; then one for each power of two up to 2^63 */
#define HIST_STEPS 16

struct hist {
	uint64_t count;
	uint64_t sum; /* of the exact values; wraps after 584 years */
	uint64_t min, max; /* exact; 0 when count is 0 */
	uint32_t **octave; /* HIST_OCTAVES of them; NULL: none was used yet */
};

/* HIST_STEPS counters, saturating; NULL: all 0. */
static inline const uint32_t *hist_counters(const struct hist *h, unsigned int octave)
{
	return h->octave ? h->octave[octave] : 0;
}
/* The same to write to, made when there are none; NULL: no memory. */
uint32_t *hist_make_counters(struct hist *h, unsigned int octave);

/* A zeroed struct hist is a valid empty histogram. */
int hist_add(struct hist *h, uint64_t value_ns, uint64_t times); /* 0, or -ENOMEM with *h unchanged */
int hist_merge(struct hist *into, const struct hist *from);
void hist_release(struct hist *h);                               /* frees, and zeroes *h */

/*
 * The value below or at which `percent` (0 to 100) of the values lie: the middle of its bucket,
 * clamped to [min, max]. 0 when empty.
 */
uint64_t hist_percentile(const struct hist *h, double percent);

/* How many values lie in octave k, and which values belong to it: from *from up to *to. */
uint64_t hist_octave(const struct hist *h, unsigned int k, uint64_t *from, uint64_t *to);

/* Text form "v:count v:count …" by bucket's lower bound, ascending; the trace's flow.latency. */
int hist_print(const struct hist *h, FILE *out);
int hist_parse(struct hist *h, const char *text); /* into an empty *h; -EINVAL when it is not such a text */

#endif
