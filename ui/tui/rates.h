/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rates per second: the model only counts up, a rate is the difference between two refreshes over
 * the time between them. Counters are remembered by the identity of their object, not by its
 * address, so a pid that was reused starts anew and an object that is gone is forgotten.
 *
 *     rates_begin(r, now_ns, first_ns);
 *     rates_get(r, &key, counters, per_s);    once for every object there is
 *     rates_end(r);
 *
 * The first refresh, and an object seen for the first time, count from zero. The time is the
 * caller's: equal calls give equal rates.
 */
#ifndef IPCTAP_UI_TUI_RATES_H
#define IPCTAP_UI_TUI_RATES_H

#include <stdint.h>

/* What an object is for as long as the dashboard runs; all of it is compared. */
struct row_key {
	uint64_t v[6];
};

#define RATES_COUNTERS 4

struct rates;

struct rates *rates_new(void); /* NULL: no memory */
/* Another one that knows what *r knows; so equal calls give equal rates. NULL: no memory. */
struct rates *rates_copy(const struct rates *r);
void rates_free(struct rates *r);

/*
 * Starts a refresh at now_ns; first_ns: when counting began, for the first one. A second one at the
 * same time takes the place of the first: its rates are over the same interval.
 */
void rates_begin(struct rates *r, uint64_t now_ns, uint64_t first_ns);

/* Seconds between this refresh and the one before; 0: no time has passed and every rate is 0. */
double rates_span_s(const struct rates *r);

/*
 * Sets per_s[i] to how much counters[i] grew per second; 0 where it shrank. On -ENOMEM the rates are
 * right, but the next refresh will take the object for a new one.
 */
int rates_get(struct rates *r, const struct row_key *key, const uint64_t counters[RATES_COUNTERS],
	      double per_s[RATES_COUNTERS]);

void rates_end(struct rates *r);

#endif
