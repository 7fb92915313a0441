/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A batch seen from SQL: the table-valued, eponymous virtual table `batch`, whose rows are the
 * EV_IO records of a struct batch in the columns of `event`. Private to lib/store.
 *
 * `INSERT INTO event SELECT … FROM batch` is one statement for a whole batch: several times
 * cheaper than binding sixteen values to a statement for every row.
 */
#ifndef IPCTAP_STORE_BATCH_VTAB_H
#define IPCTAP_STORE_BATCH_VTAB_H

#include <sqlite3.h>

#include "batch.h"

/* *current is read when a query starts; it must outlive the connection, the batch the query. */
int batch_vtab_register(sqlite3 *db, const struct batch *const *current);

#endif
