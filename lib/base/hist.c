// SPDX-License-Identifier: GPL-2.0-or-later
#include "hist.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/*
 * Octave 0 holds 0..15 exactly; octave k >= 1 holds [2^(k+3), 2^(k+4)) in steps of 2^(k-1).
 */
static unsigned int octave_of(uint64_t value)
{
	return value < HIST_STEPS ? 0 : 60 - (unsigned int)__builtin_clzll(value);
}

static unsigned int step_of(uint64_t value, unsigned int octave)
{
	return octave == 0 ? (unsigned int)value : (unsigned int)(value >> (octave - 1)) & 15;
}

static uint64_t width_of(unsigned int octave) { return octave == 0 ? 1 : 1ull << (octave - 1); }

static uint64_t lower_bound(unsigned int octave, unsigned int step)
{
	return octave == 0 ? step : (16ull + step) << (octave - 1);
}

static uint64_t middle(unsigned int octave, unsigned int step)
{
	return lower_bound(octave, step) + (width_of(octave) - 1) / 2;
}

uint32_t *hist_make_counters(struct hist *h, unsigned int octave)
{
	if (!h->octave)
		h->octave = calloc(HIST_OCTAVES, sizeof(*h->octave));
	if (h->octave && !h->octave[octave])
		h->octave[octave] = calloc(HIST_STEPS, sizeof(uint32_t));
	return h->octave ? h->octave[octave] : NULL;
}

static void saturating_add(uint32_t *counter, uint64_t times)
{
	*counter = times > UINT32_MAX - *counter ? UINT32_MAX : *counter + (uint32_t)times;
}

int hist_add(struct hist *h, uint64_t value_ns, uint64_t times)
{
	if (times == 0)
		return 0;
	unsigned int octave = octave_of(value_ns);
	uint32_t *counters = hist_make_counters(h, octave);
	if (!counters)
		return -ENOMEM;
	saturating_add(&counters[step_of(value_ns, octave)], times);
	if (h->count == 0 || value_ns < h->min)
		h->min = value_ns;
	if (value_ns > h->max)
		h->max = value_ns;
	h->count += times;
	h->sum += value_ns * times;
	return 0;
}

int hist_merge(struct hist *into, const struct hist *from)
{
	if (from->count == 0)
		return 0;
	for (unsigned int k = 0; k < HIST_OCTAVES; k++)
		if (hist_counters(from, k) && !hist_make_counters(into, k))
			return -ENOMEM; /* empty octaves do not change what *into says */
	for (unsigned int k = 0; k < HIST_OCTAVES; k++)
		for (unsigned int i = 0; hist_counters(from, k) && i < HIST_STEPS; i++)
			saturating_add(&into->octave[k][i], from->octave[k][i]);
	if (into->count == 0 || from->min < into->min)
		into->min = from->min;
	if (from->max > into->max)
		into->max = from->max;
	into->count += from->count;
	into->sum += from->sum;
	return 0;
}

void hist_release(struct hist *h)
{
	for (unsigned int k = 0; h->octave && k < HIST_OCTAVES; k++)
		free(h->octave[k]);
	free(h->octave);
	*h = (struct hist){0};
}

/* What the counters add up to: they saturate, h->count does not. */
static uint64_t counted(const struct hist *h)
{
	uint64_t total = 0;
	if (h->count <= UINT32_MAX)
		return h->count;
	for (unsigned int k = 0; k < HIST_OCTAVES; k++)
		for (unsigned int i = 0; hist_counters(h, k) && i < HIST_STEPS; i++)
			total += h->octave[k][i];
	return total;
}

/* Looks at no more memory than it must: a screen of 50,000 channels asks for 100,000 of these. */
uint64_t hist_percentile(const struct hist *h, double percent)
{
	uint64_t total = counted(h);
	if (total == 0 || h->min == h->max)
		return total ? h->min : 0;
	/* The rank, from 1, of the value wanted; !(>=) so that a NaN counts as 0. */
	uint64_t rank = !(percent > 0) ? 1 : total;
	if (percent > 0 && percent < 100) {
		double exact = percent / 100 * (double)total;
		rank = (uint64_t)exact;
		if ((double)rank < exact || rank == 0)
			rank++;
		if (rank > total)
			rank = total;
	}
	uint64_t seen = 0, value = h->max;
	for (unsigned int k = octave_of(h->min), last = octave_of(h->max); k <= last && seen < rank; k++)
		for (unsigned int i = 0; hist_counters(h, k) && i < HIST_STEPS && seen < rank; i++) {
			seen += h->octave[k][i];
			value = middle(k, i);
		}
	return value < h->min ? h->min : value > h->max ? h->max : value;
}

uint64_t hist_octave(const struct hist *h, unsigned int k, uint64_t *from, uint64_t *to)
{
	uint64_t n = 0;

	*from = lower_bound(k, 0);
	*to = lower_bound(k, HIST_STEPS - 1) + (width_of(k) - 1);
	for (unsigned int i = 0; hist_counters(h, k) && i < HIST_STEPS; i++)
		n += h->octave[k][i];
	return n;
}

int hist_print(const struct hist *h, FILE *out)
{
	const char *blank = "";
	for (unsigned int k = 0; k < HIST_OCTAVES; k++)
		for (unsigned int i = 0; hist_counters(h, k) && i < HIST_STEPS; i++) {
			if (h->octave[k][i] == 0)
				continue;
			if (fprintf(out, "%s%llu:%u", blank, (unsigned long long)lower_bound(k, i),
				    h->octave[k][i]) < 0)
				return -EIO;
			blank = " ";
		}
	return 0;
}

/* Decimal digits only: no sign, no blanks, no overflow. Advances *text past them. */
static bool parse_u64(const char **text, uint64_t *value)
{
	const char *s = *text;
	*value = 0;
	if (*s < '0' || *s > '9')
		return false;
	for (; *s >= '0' && *s <= '9'; s++)
		if (__builtin_mul_overflow(*value, 10, value) ||
		    __builtin_add_overflow(*value, (uint64_t)(*s - '0'), value))
			return false;
	*text = s;
	return true;
}

/* One "v:count", v being the lower bound of a bucket above all those before it. */
static int parse_bucket(struct hist *h, const char **text)
{
	uint64_t value, times;
	if (!parse_u64(text, &value) || *(*text)++ != ':' || !parse_u64(text, &times))
		return -EINVAL;
	unsigned int k = octave_of(value), i = step_of(value, k);
	if (value != lower_bound(k, i) || times == 0 || times > UINT32_MAX)
		return -EINVAL;
	if (h->count > 0 && value <= h->max)
		return -EINVAL;
	uint32_t *counters = hist_make_counters(h, k);
	if (!counters)
		return -ENOMEM;
	counters[i] = (uint32_t)times;
	if (h->count == 0)
		h->min = value;
	h->max = value + (width_of(k) - 1); /* exact extremes are not in the text: the bucket's */
	h->count += times;
	h->sum += middle(k, i) * times;
	return 0;
}

int hist_parse(struct hist *h, const char *text)
{
	int err = 0;
	while (!err && *text) {
		err = parse_bucket(h, &text);
		if (!err && *text == ' ' && text[1])
			text++;
		else if (!err && *text)
			err = -EINVAL;
	}
	if (err)
		hist_release(h);
	return err;
}
