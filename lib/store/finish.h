/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of a recording, private to lib/store: what can only be written when all events are. */
#ifndef IPCTAP_STORE_FINISH_H
#define IPCTAP_STORE_FINISH_H

#include <sqlite3.h>

#include "activity.h"
#include "lib/model/model.h"

/*
 * Writes the flows of *m (NULL: none) and the activity, marks the trace finished, gives back the room that spilled
 * blobs left, and makes it one plain file with no -wal beside it.
 */
int finish_trace(sqlite3 *db, const struct model *m, struct activity *activity);

#endif
