// SPDX-License-Identifier: GPL-2.0-or-later
#include "db.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int db_open(sqlite3 **out, const char *path, int flags, const char *vfs)
{
	sqlite3 *db = NULL;
	int rc = sqlite3_open_v2(path, &db, flags | SQLITE_OPEN_NOMUTEX, vfs);
	if (rc != SQLITE_OK) {
		int err = db ? db_errno(db) : -ENOMEM;
		sqlite3_close(db);
		return err;
	}
	sqlite3_extended_result_codes(db, 1);
	sqlite3_busy_timeout(db, 2000);
	/* a trace may come from anybody: nothing that its schema says may run */
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	*out = db;
	return 0;
}

/*
 * SQLite notes the errno of a failed open, but of a write inside a transaction only that it
 * failed; errno itself still tells then, if it is one that only a write can have left there.
 */
static int io_errno(sqlite3 *db, int otherwise)
{
	int last = errno, err = sqlite3_system_errno(db);
	if (!err && (last == EFBIG || last == EDQUOT || last == ENOSPC))
		err = last;
	return -(err ? err : otherwise);
}

int db_errno(sqlite3 *db)
{
	int rc = sqlite3_extended_errcode(db);
	if (rc == SQLITE_IOERR_NOMEM)
		return -ENOMEM;
	if (rc == SQLITE_IOERR_SHORT_READ)
		return -EBADMSG;
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL:
		return -EBUSY;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return -EACCES;
	case SQLITE_CANTOPEN:
		return io_errno(db, EACCES);
	case SQLITE_IOERR:
		return io_errno(db, EIO);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_ERROR: /* a table or column that is not there */
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
	case SQLITE_TOOBIG:
	case SQLITE_FORMAT:
		return -EBADMSG;
	default:
		return -EIO;
	}
}

const char *db_remedy(int err)
{
	switch (err) {
	case ENOSPC:
	case EDQUOT:
		return "free some space, or record to another disk with -o FILE";
	case EFBIG:
		return "raise the file size limit (ulimit -f), or record less with -e, -n or -d";
	case EACCES:
	case EPERM:
	case EROFS:
		return "choose a place you may write to with -o FILE";
	case ENOENT:
		return "do not move or delete a trace while it is being recorded";
	case EIO:
		return "the disk reports errors: record to another one with -o FILE";
	default:
		return "";
	}
}

int db_exec(sqlite3 *db, const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : db_errno(db);
}

int db_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **out)
{
	int rc = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
	return rc == SQLITE_OK ? 0 : db_errno(db);
}

void db_bind_ints(sqlite3_stmt *st, int first, int n, const int64_t *v)
{
	for (int i = 0; i < n; i++)
		sqlite3_bind_int64(st, first + i, v[i]);
}

void db_bind_text(sqlite3_stmt *st, int at, const char *text, size_t size)
{
	sqlite3_bind_text(st, at, text, (int)strnlen(text, size), SQLITE_STATIC);
}

int db_run(sqlite3_stmt *st)
{
	int rc;
	while ((rc = sqlite3_step(st)) == SQLITE_ROW)
		;
	int err = rc == SQLITE_DONE ? 0 : db_errno(sqlite3_db_handle(st));
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return err;
}

void db_rollback(sqlite3 *db)
{
	if (!sqlite3_get_autocommit(db))
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
}

int db_number(sqlite3 *db, const char *sql, int64_t *out)
{
	sqlite3_stmt *st;
	int err = db_prepare(db, sql, &st);
	if (err)
		return err;
	int rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		*out = sqlite3_column_int64(st, 0);
	else
		err = rc == SQLITE_DONE ? -ENOENT : db_errno(db);
	sqlite3_finalize(st);
	return err;
}

int meta_set(sqlite3 *db, const char *key, const char *value)
{
	sqlite3_stmt *st;
	int err = db_prepare(db, "INSERT OR REPLACE INTO meta(key, value) VALUES(?1, ?2)", &st);
	if (err)
		return err;
	sqlite3_bind_text(st, 1, key, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 2, value ? value : "", -1, SQLITE_STATIC);
	err = db_run(st);
	sqlite3_finalize(st);
	return err;
}

int meta_set_number(sqlite3 *db, const char *key, int64_t value)
{
	char text[24];
	snprintf(text, sizeof(text), "%lld", (long long)value);
	return meta_set(db, key, text);
}

char *meta_get(sqlite3 *db, const char *key)
{
	sqlite3_stmt *st;
	if (db_prepare(db, "SELECT value FROM meta WHERE key = ?1", &st))
		return NULL;
	sqlite3_bind_text(st, 1, key, -1, SQLITE_STATIC);
	char *copy = NULL;
	if (sqlite3_step(st) == SQLITE_ROW) {
		const char *text = (const char *)sqlite3_column_text(st, 0);
		copy = text ? strdup(text) : NULL;
	}
	sqlite3_finalize(st);
	return copy;
}

int64_t meta_number(sqlite3 *db, const char *key)
{
	char *text = meta_get(db, key);
	int64_t n = text ? strtoll(text, NULL, 10) : 0;
	free(text);
	return n;
}

char *db_path(const char *path)
{
	char *copy;
	return asprintf(&copy, "%s%s", path[0] == '/' ? "" : "./", path) < 0 ? NULL : copy;
}
