// SPDX-License-Identifier: GPL-2.0-or-later
#include "keyframes.h"

#include <errno.h>
#include <stdlib.h>
#include <zstd.h>

#include "db.h"
#include "lib/model/keyframe.h"

#define BYTES_AN_EVENT 64u /* of a state as it is; compressed, a tenth of that or less */
#define STATE_MAX (512u << 20)
#define RATIO_MAX 4096 /* no state is as dull as that: a few bytes are not to ask for STATE_MAX */
#define LEVEL 1

uint64_t keyframe_distance(size_t bytes)
{
	uint64_t events = bytes / BYTES_AN_EVENT;
	return events > KEYFRAME_EVENTS ? events : KEYFRAME_EVENTS;
}

struct keyframe_blob *keyframe_blob_new(const struct model *m, uint64_t t_ns)
{
	struct keyframe_blob *k = calloc(1, sizeof(*k));
	if (!k)
		return NULL;
	k->t_ns = t_ns;
	if (keyframe_save(m, &k->bytes, &k->size) == 0)
		return k;
	free(k);
	return NULL;
}

static int put_row(sqlite3 *db, uint64_t seq, const struct keyframe_blob *k, const void *packed,
		   size_t size)
{
	sqlite3_stmt *st;
	int rc = db_prepare(
	    db, "INSERT OR REPLACE INTO keyframe(seq, t_ns, size, state) VALUES(?1, ?2, ?3, ?4)", &st);
	if (rc)
		return rc;
	db_bind_ints(st, 1, 3, (int64_t[]){(int64_t)seq, (int64_t)k->t_ns, (int64_t)k->size});
	sqlite3_bind_blob64(st, 4, packed, size, SQLITE_STATIC);
	rc = db_run(st);
	sqlite3_finalize(st);
	return rc;
}

int keyframes_put(sqlite3 *db, uint64_t seq, const struct keyframe_blob *k)
{
	if (k->size > STATE_MAX)
		return 0;
	size_t room = ZSTD_compressBound(k->size);
	void *packed = malloc(room);
	if (!packed)
		return -ENOMEM;
	size_t n = ZSTD_compress(packed, room, k->bytes, k->size, LEVEL);
	int rc = ZSTD_isError(n) ? -ENOMEM : put_row(db, seq, k, packed, n);
	free(packed);
	return rc;
}

int keyframes_list(sqlite3 *db, struct keyframe_at **v, size_t *n)
{
	sqlite3_stmt *st;
	size_t room = 0;
	int rc = 0;
	*v = NULL;
	*n = 0;
	if (db_prepare(db, "SELECT seq, t_ns FROM keyframe ORDER BY seq", &st))
		return 0; /* older than keyframes */
	while (rc == 0 && sqlite3_step(st) == SQLITE_ROW) {
		if (*n && (*v)[*n - 1].seq >= (uint64_t)sqlite3_column_int64(st, 0))
			break; /* damaged: its tree may have a page in many places */
		if (*n == room) {
			struct keyframe_at *grown = reallocarray(*v, 2 * room + 64, sizeof(**v));
			if (!grown) {
				rc = -ENOMEM;
				break;
			}
			room = 2 * room + 64;
			*v = grown;
		}
		(*v)[(*n)++] = (struct keyframe_at){(uint64_t)sqlite3_column_int64(st, 0),
						    (uint64_t)sqlite3_column_int64(st, 1)};
	}
	sqlite3_finalize(st);
	return rc;
}

static int unpack(const void *packed, size_t n, int64_t size, void **bytes)
{
	if (size <= 0 || size > STATE_MAX || (size_t)size / RATIO_MAX > n ||
	    ZSTD_getFrameContentSize(packed, n) != (uint64_t)size)
		return -EBADMSG;
	*bytes = malloc((size_t)size);
	if (!*bytes)
		return -ENOMEM;
	if (ZSTD_decompress(*bytes, (size_t)size, packed, n) == (size_t)size)
		return 0;
	free(*bytes);
	*bytes = NULL;
	return -EBADMSG;
}

int keyframes_get(sqlite3 *db, uint64_t seq, void **bytes, size_t *size)
{
	sqlite3_stmt *st;
	int rc = db_prepare(db, "SELECT size, state FROM keyframe WHERE seq = ?1", &st);
	if (rc)
		return rc;
	sqlite3_bind_int64(st, 1, (sqlite3_int64)seq);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		int64_t n = sqlite3_column_int64(st, 0);
		const void *packed = sqlite3_column_blob(st, 1);
		rc = unpack(packed, (size_t)sqlite3_column_bytes(st, 1), n, bytes);
		*size = (size_t)n;
	} else {
		rc = rc == SQLITE_DONE ? -ENOENT : db_errno(db);
	}
	sqlite3_finalize(st);
	return rc;
}
