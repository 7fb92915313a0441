// SPDX-License-Identifier: GPL-2.0-or-later
#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db.h"
#include "header.h"
#include "schema.h"
#include "spill.h"

/* A message in its own words, with no errno text behind it. */
__attribute__((format(printf, 4, 5))) static int say(struct fail *fail, int err, const char *remedy,
						     const char *fmt, ...)
{
	char what[sizeof(fail->what)];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	fail_set(fail, 0, remedy, "%s", what);
	if (fail)
		fail->err = err;
	return -err;
}

int trace_damaged(const char *name, const char *how, struct fail *fail)
{
	return say(fail, EBADMSG, "copy it again from where it was recorded, or record anew",
		   "trace '%.150s' is damaged: %s", name, how);
}

static int cannot(const char *name, int err, struct fail *fail)
{
	const char *remedy = NULL;
	if (err == EBADMSG)
		return trace_damaged(name, "its tables do not make sense", fail);
	if (err == ENOENT)
		remedy = "record one with: ipctap record -o FILE -- COMMAND";
	else if (err == EACCES || err == EPERM)
		remedy = "run as the user who recorded it, or as root";
	else if (err == EBUSY)
		remedy = "close the other program that has it open, and try again";
	return fail_set(fail, err, remedy, "cannot open trace '%s'", name);
}

/* ---- before SQLite is asked ---- */

static bool has_wal(const struct trace *t)
{
	char *wal;
	struct stat st;
	if (asprintf(&wal, "%s-wal", t->path) < 0)
		return false;
	bool has = stat(wal, &st) == 0 && st.st_size > 0;
	free(wal);
	return has;
}

static int check_header(const struct trace *t, const struct stat *st, struct fail *fail)
{
	static const char what_is[] = "give a file that ipctap record wrote";
	struct header h;
	int rc = header_read(t->fd, &h);
	if (rc)
		return cannot(t->name, -rc, fail);
	if (h.is == HEADER_EMPTY)
		return say(fail, EINVAL, what_is, "'%.150s' is empty, not an ipctap trace",
			   t->name);
	if (h.is == HEADER_NOT_SQLITE)
		return say(fail, EINVAL, what_is, "'%.150s' is not an ipctap trace", t->name);
	if (h.is == HEADER_NOT_OURS)
		return say(fail, EINVAL, what_is,
			   "'%.150s' is a SQLite database, but not an ipctap trace", t->name);
	if (h.user_version > TRACE_USER_VERSION)
		return say(fail, ENOTSUP,
			   "read it with the ipctap that recorded it, or a newer one",
			   "trace '%.150s' is of version %u; this ipctap knows up to %d", t->name,
			   h.user_version, TRACE_USER_VERSION);
	/* a journal beside it may still hold the pages that the file lacks */
	if (!has_wal(t) && (uint64_t)st->st_size < h.expected_bytes) {
		char how[80];
		snprintf(how, sizeof(how), "truncated, %" PRIu64 " of %" PRIu64 " bytes are there",
			 (uint64_t)st->st_size, h.expected_bytes);
		return trace_damaged(t->name, how, fail);
	}
	return 0;
}

static int open_file(struct trace *t, struct fail *fail)
{
	struct stat st;
	t->fd = open(t->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (t->fd < 0 || fstat(t->fd, &st))
		return cannot(t->name, errno, fail);
	if (S_ISDIR(st.st_mode))
		return cannot(t->name, EISDIR, fail);
	if (!S_ISREG(st.st_mode))
		return say(fail, EINVAL, NULL, "'%.150s' is not a file", t->name);
	return check_header(t, &st, fail);
}

/* ---- connections ---- */

static void disconnect(struct trace *t)
{
	sqlite3_close(t->db);
	t->db = NULL;
}

/*
 * Where no file may be made beside the trace, a trace in WAL mode cannot be opened as usual. With
 * no locks (ours, the flock, is enough) SQLite keeps the WAL's index in its own memory.
 */
static int connect_reader(struct trace *t, bool alone)
{
	int64_t n;
	int rc = db_open(&t->db, t->path, SQLITE_OPEN_READONLY, alone ? "unix-none" : NULL);
	if (rc == 0 && alone)
		rc = db_exec(t->db, "PRAGMA locking_mode=EXCLUSIVE");
	if (rc == 0)
		rc = db_exec(t->db, "PRAGMA query_only=ON; PRAGMA cell_size_check=ON;"
				    "PRAGMA cache_size=-8192; PRAGMA temp_store=MEMORY");
	if (rc == 0) { /* a view in the place of a table could run for ever */
		sqlite3_db_config(t->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
		rc = db_number(t->db, "SELECT count(*) FROM meta", &n);
	}
	if (rc)
		disconnect(t);
	return rc;
}

static int connect_somehow(struct trace *t)
{
	int rc = connect_reader(t, false);
	if (rc == -EROFS || rc == -EACCES || rc == -ENOENT || rc == -EPERM || rc == -ENOSPC ||
	    rc == -EIO || rc == -EFBIG)
		rc = connect_reader(t, true);
	return rc;
}

static int refuse_live(struct trace *t, struct fail *fail)
{
	int64_t pid = connect_reader(t, false) == 0 ? meta_number(t->db, "pid") : 0;
	if (pid > 0 && kill((pid_t)pid, 0) && errno == ESRCH)
		return say(fail, EBUSY, "try again in a moment",
			   "trace '%.150s' is being completed by another ipctap", t->name);
	return say(fail, EBUSY, "wait until it ends, or end it with: kill -INT PID",
		   "trace '%.150s' is still being recorded by pid %" PRId64, t->name, pid);
}

static bool is_finished(struct trace *t) { return meta_number(t->db, "finished") != 0; }

/* As complete as it can be made here; a trace that cannot be written is read as it is. */
static int complete(struct trace *t)
{
	t->unfinished = true;
	if (flock(t->fd, LOCK_EX | LOCK_NB))
		return 0; /* another reader has it open */
	disconnect(t);
	trace_complete(t);
	flock(t->fd, LOCK_SH | LOCK_NB);
	return connect_somehow(t);
}

static int check_version(struct trace *t, struct fail *fail)
{
	int64_t version = 0;
	int rc = db_number(t->db, "PRAGMA user_version", &version);
	if (rc || version < 1)
		return cannot(t->name, EBADMSG, fail);
	int64_t abi = meta_number(t->db, "abi");
	if (version > TRACE_USER_VERSION || abi > IPCTAP_ABI_VERSION)
		return say(fail, ENOTSUP,
			   "read it with the ipctap that recorded it, or a newer one",
			   "trace '%.150s' is of version %" PRId64 ".%" PRId64
			   "; this ipctap knows up to %d.%d",
			   t->name, version, abi, TRACE_USER_VERSION, IPCTAP_ABI_VERSION);
	return abi >= IPCTAP_ABI_OLDEST ? 0 : cannot(t->name, EBADMSG, fail);
}

static int open_trace(struct trace *t, struct fail *fail)
{
	int rc = open_file(t, fail);
	if (rc)
		return rc;
	if (flock(t->fd, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK)
		return refuse_live(t, fail);
	rc = connect_somehow(t);
	if (rc)
		return cannot(t->name, -rc, fail);
	rc = check_version(t, fail);
	if (rc)
		return rc;
	if (!is_finished(t)) {
		rc = complete(t);
		if (rc)
			return cannot(t->name, -rc, fail);
	}
	return 0;
}

int trace_open(struct trace **out, const char *path, struct fail *fail)
{
	return trace_open_telling(out, path, NULL, NULL, fail);
}

int trace_open_telling(struct trace **out, const char *path, void (*tell)(void *arg, double done),
		       void *arg, struct fail *fail)
{
	if (!path[0])
		return cannot(path, ENOENT, fail);
	struct trace *t = calloc(1, sizeof(*t));
	if (!t)
		return cannot(path, ENOMEM, fail);
	t->fd = -1;
	t->tell = tell;
	t->tell_arg = arg;
	t->path = db_path(path);
	t->name = strdup(path);
	int rc = t->path && t->name ? open_trace(t, fail) : cannot(path, ENOMEM, fail);
	if (rc) {
		trace_close(t);
		return rc;
	}
	*out = t;
	return 0;
}

void trace_close(struct trace *t)
{
	if (!t)
		return;
	disconnect(t);
	if (t->fd >= 0)
		close(t->fd);
	for (struct trace_key *k = t->keys, *next; k; k = next) {
		next = k->next;
		free(k->key);
		free(k->value);
		free(k);
	}
	free(t->path);
	free(t->name);
	free(t);
}

/* ---- questions ---- */

const char *trace_meta(struct trace *t, const char *key)
{
	for (const struct trace_key *k = t->keys; k; k = k->next)
		if (strcmp(k->key, key) == 0)
			return k->value;
	struct trace_key *k = calloc(1, sizeof(*k));
	if (!k)
		return NULL;
	k->key = strdup(key);
	if (!k->key) {
		free(k);
		return NULL;
	}
	k->value = meta_get(t->db, key);
	k->next = t->keys;
	t->keys = k;
	return k->value;
}

bool trace_was_unfinished(const struct trace *t)
{
	return t->unfinished || meta_number(t->db, "torn") != 0;
}

static uint64_t spilled_events(struct trace *t)
{
	uint64_t n = 0;
	struct batch *b;
	for (uint64_t from = 0; spill_next(t->db, from, &b) > 0; free(b)) {
		n += b->nio;
		from = b->seq + 1;
	}
	return n;
}

uint64_t trace_events(struct trace *t)
{
	if (is_finished(t))
		return (uint64_t)meta_number(t->db, "events");
	int64_t rows = 0;
	db_number(t->db, "SELECT count(*) FROM event", &rows);
	return (uint64_t)rows + spilled_events(t);
}

void trace_error(const struct trace *t, struct fail *fail)
{
	if (fail)
		*fail = t->fail;
}

int trace_last_seq(struct trace *t, uint64_t *seq)
{
	int64_t event = 0, control = 0, spilled = 0;
	int rc = db_number(t->db, "SELECT coalesce(max(id), 0) FROM event", &event);
	if (rc == 0)
		rc = db_number(t->db, "SELECT coalesce(max(seq), 0) FROM control", &control);
	if (rc == 0)
		rc = db_number(t->db, "SELECT coalesce(max(seq + n), 1) - 1 FROM spill", &spilled);
	int64_t last = event > control ? event : control;
	last = spilled > last ? spilled : last;
	*seq = last > 0 ? (uint64_t)last : 0;
	return rc;
}
