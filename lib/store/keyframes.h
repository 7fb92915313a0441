/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Table `keyframe`: the model's state (lib/model/keyframe.h), compressed, behind the event numbered
 * `seq`. Private to lib/store.
 *
 * How far apart: KEYFRAME_EVENTS, which replay in a few milliseconds; and so far that they take no
 * more than about one byte of the trace in ten, however large the model is, and that saving them stays
 * a small part of recording. With 5,000 processes that talk that is 40,000 events, which replay in some
 * 35 ms; a state of that size is loaded in 25.
 */
#ifndef IPCTAP_STORE_KEYFRAMES_H
#define IPCTAP_STORE_KEYFRAMES_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#include "batch.h"
#include "lib/model/model.h"

#define KEYFRAME_EVENTS 16384u

/* How many events later the next one is due, after one of so many bytes (as keyframe_save gives). */
uint64_t keyframe_distance(size_t bytes);

/* Of *m, now. NULL: no memory; then there is one keyframe less. */
struct keyframe_blob *keyframe_blob_new(const struct model *m, uint64_t t_ns);

int keyframes_put(sqlite3 *db, uint64_t seq, const struct keyframe_blob *k);

struct keyframe_at {
	uint64_t seq, t_ns;
};
/* All of them in order; *v is the caller's to free(). A trace without the table has none. */
int keyframes_list(sqlite3 *db, struct keyframe_at **v, size_t *n);

/* The state behind event `seq`, to free(); NULL with -ENOENT, -EBADMSG, -ENOMEM … */
int keyframes_get(sqlite3 *db, uint64_t seq, void **bytes, size_t *size);

#endif
