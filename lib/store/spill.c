// SPDX-License-Identifier: GPL-2.0-or-later
#include "spill.h"

#include <errno.h>
#include <stdlib.h>

#include "db.h"

int spill_put(sqlite3 *db, const struct batch *b)
{
	sqlite3_stmt *st;
	int rc = db_prepare(db, "INSERT INTO spill(seq, n, records) VALUES(?1, ?2, ?3)", &st);
	if (rc)
		return rc;
	sqlite3_bind_int64(st, 1, (sqlite3_int64)b->seq);
	sqlite3_bind_int64(st, 2, b->n);
	sqlite3_bind_blob64(st, 3, b->data, b->bytes, SQLITE_STATIC);
	rc = db_run(st);
	sqlite3_finalize(st);
	if (rc == 0) /* expanding them takes the blobs away; that there were some is told for ever */
		rc = meta_set_number(db, "spilled", meta_number(db, "spilled") + b->nio);
	return rc;
}

int spill_next(sqlite3 *db, uint64_t from, struct batch **out)
{
	if (from > INT64_MAX) /* behind the last number there can be */
		return 0;
	sqlite3_stmt *st;
	int rc = db_prepare(
	    db, "SELECT seq, n, records FROM spill WHERE seq >= ?1 ORDER BY seq LIMIT 1", &st);
	if (rc)
		return rc;
	sqlite3_bind_int64(st, 1, (sqlite3_int64)from);
	int step = sqlite3_step(st);
	if (step == SQLITE_ROW) {
		int64_t n = sqlite3_column_int64(st, 1);
		const void *blob = sqlite3_column_blob(st, 2);
		size_t size = (size_t)sqlite3_column_bytes(st, 2);
		*out = batch_from_blob(blob, size, n < 0 || n > UINT32_MAX ? 0 : (uint32_t)n,
				       (uint64_t)sqlite3_column_int64(st, 0));
		rc = *out ? 1 : -ENOMEM;
	} else if (step != SQLITE_DONE) {
		rc = db_errno(db);
	}
	sqlite3_finalize(st);
	return rc;
}

static int spill_delete(sqlite3 *db, uint64_t seq)
{
	sqlite3_stmt *st;
	int rc = db_prepare(db, "DELETE FROM spill WHERE seq = ?1", &st);
	if (rc)
		return rc;
	sqlite3_bind_int64(st, 1, (sqlite3_int64)seq);
	rc = db_run(st);
	sqlite3_finalize(st);
	return rc;
}

int spill_expand(struct rows *r)
{
	struct batch *b = NULL;
	int rc = db_exec(r->db, "BEGIN IMMEDIATE");
	if (rc)
		return rc;
	int found = spill_next(r->db, 0, &b);
	rc = found < 0 ? found : 0;
	if (found > 0) {
		rc = rows_write(r, b);
		if (rc == 0)
			rc = spill_delete(r->db, b->seq);
		if (rc == 0)
			rc = rows_save_totals(r);
	}
	if (rc == 0)
		rc = db_exec(r->db, "COMMIT");
	if (rc)
		db_rollback(r->db);
	free(b);
	return rc ? rc : found;
}
