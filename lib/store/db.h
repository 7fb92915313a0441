/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Thin helpers over SQLite, private to lib/store: results as negative errno, statements run and
 * reset in one call, the meta table. No SQL is ever built from data; values are always bound.
 */
#ifndef IPCTAP_STORE_DB_H
#define IPCTAP_STORE_DB_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

/* A private connection, for one thread at a time. `vfs` NULL: the default one. */
int db_open(sqlite3 **out, const char *path, int flags, const char *vfs);

/* What the last call on db failed with, as a negative errno (-EIO when it cannot be told). */
int db_errno(sqlite3 *db);

/* The remedy for a positive errno met while writing a trace; "" when there is none. */
const char *db_remedy(int err);

int db_exec(sqlite3 *db, const char *sql);
int db_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **out);

/* Binds v[0..n) to the parameters from `first` on. */
void db_bind_ints(sqlite3_stmt *st, int first, int n, const int64_t *v);
/* Binds the string in text[0..size), which is borrowed until the statement is reset. */
void db_bind_text(sqlite3_stmt *st, int at, const char *text, size_t size);
int db_run(sqlite3_stmt *st); /* to its end; then reset, bindings cleared */
/* Rolls back when a transaction is open; what failed before it is not forgotten by the caller. */
void db_rollback(sqlite3 *db);

/* The first column of the first row as a number; -errno in the result, 0 rows is -ENOENT. */
int db_number(sqlite3 *db, const char *sql, int64_t *out);

int meta_set(sqlite3 *db, const char *key, const char *value); /* NULL: stored as '' */
int meta_set_number(sqlite3 *db, const char *key, int64_t value);
/* A copy, which the caller frees; NULL when there is no such key or it cannot be read. */
char *meta_get(sqlite3 *db, const char *key);
int64_t meta_number(sqlite3 *db, const char *key); /* 0 when absent */

/* SQLite reads some relative paths as URIs or as ":memory:"; "./path" is always a file. Owned. */
char *db_path(const char *path);

#endif
