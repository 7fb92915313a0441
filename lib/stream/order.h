/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ordering queue: events in, almost in order, from one or several rings; the same events out,
 * sorted by t_ns, ties in order of arrival. EV_CHAN and EV_LOST pass through at once: they
 * describe, they do not happen.
 *
 * An event that arrives after its time has been released goes out at once and is counted late;
 * nothing is ever dropped here.
 */
#ifndef IPCTAP_STREAM_ORDER_H
#define IPCTAP_STREAM_ORDER_H

#include <stdint.h>

#include "stream.h"

struct order;

struct order *order_new(struct sink *next); /* borrows next; NULL: no memory */
void order_free(struct order *q);           /* accepts NULL; discards what was not released */

struct sink *order_sink(struct order *q);   /* borrowed; where the source delivers */

/* Releases everything with t_ns <= until_ns. Returns 0 or the next sink's error. */
int order_release(struct order *q, uint64_t until_ns);

uint64_t order_late(const struct order *q);    /* events that came after their time */
uint64_t order_pending(const struct order *q); /* events held now */

#endif
