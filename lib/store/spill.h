/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Batches kept as raw blobs in table `spill`, several times cheaper to write than rows: what the
 * writer does when the disk is slower than the events. Private to lib/store.
 *
 * While there are blobs, everything newer goes there too: tables and blobs stay in the order of
 * the stream, all blobs after all rows.
 */
#ifndef IPCTAP_STORE_SPILL_H
#define IPCTAP_STORE_SPILL_H

#include "rows.h"

/* Inside a transaction of the caller. */
int spill_put(sqlite3 *db, const struct batch *b);

/* Reads the oldest blob with seq >= from. 1: *out is a batch to free(); 0: there is none. */
int spill_next(sqlite3 *db, uint64_t from, struct batch **out);

/* Turns the oldest blob into rows, in a transaction of its own. 1: done; 0: there was none. */
int spill_expand(struct rows *r);

#endif
