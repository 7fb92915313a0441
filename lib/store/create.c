// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Creating a trace. The schema is made in a file of its own, which then takes the name: whoever
 * looks finds the old trace or a whole new one, however early we are killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "db.h"
#include "header.h"
#include "schema.h"
#include "writer.h"
#include "lib/base/clock.h"

static int cannot(const char *name, int err, struct fail *fail)
{
	const char *remedy = db_remedy(err);
	if (err == ENOENT)
		remedy = "make the folder first, or choose another place with -o FILE";
	return fail_set(fail, err, remedy, "cannot create trace '%s'", name);
}

static int refuse(const char *name, int err, const char *why, struct fail *fail)
{
	fail_set(fail, 0, "choose another name with -o FILE, or move that file away",
		 "will not replace '%s': %s", name, why);
	if (fail)
		fail->err = err;
	return -err;
}

/* May what is at `path` be replaced? Nothing there, an empty file, a trace that nobody writes. */
static int check_target(const char *path, const char *name, struct fail *fail)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return errno == ENOENT ? 0 : cannot(name, errno, fail);
	struct stat st;
	struct header h;
	int rc = fstat(fd, &st) ? -errno : 0;
	if (rc == 0 && S_ISREG(st.st_mode))
		rc = header_read(fd, &h);
	if (rc)
		rc = cannot(name, -rc, fail);
	else if (S_ISDIR(st.st_mode))
		rc = refuse(name, EISDIR, "it is a directory", fail);
	else if (!S_ISREG(st.st_mode) || (h.is != HEADER_OURS && h.is != HEADER_EMPTY))
		rc = refuse(name, EEXIST, "it is not an ipctap trace", fail);
	else if (flock(fd, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK)
		rc = refuse(name, EBUSY, "it is being recorded by another ipctap", fail);
	close(fd);
	return rc;
}

static void read_line(const char *path, char *line, size_t size)
{
	line[0] = 0;
	FILE *f = fopen(path, "re");
	if (!f)
		return;
	if (fgets(line, (int)size, f))
		line[strcspn(line, "\n")] = 0;
	fclose(f);
}

static int write_meta(sqlite3 *db, const struct store_opts *opts)
{
	struct utsname u;
	char boot[64], kernel[sizeof(u.sysname) + sizeof(u.release) + sizeof(u.version) + 3];
	read_line("/proc/sys/kernel/random/boot_id", boot, sizeof(boot));
	uname(&u);
	snprintf(kernel, sizeof(kernel), "%s %s %s", u.sysname, u.release, u.version);
	const struct {
		const char *key, *value;
	} texts[] = {
	    {"boot_id", boot},          {"host", u.nodename},     {"kernel", kernel},
	    {"command", opts->command}, {"source", opts->source}, {"options", opts->options},
	};
	const struct {
		const char *key;
		int64_t value;
	} numbers[] = {
	    {"version", TRACE_USER_VERSION},
	    {"abi", IPCTAP_ABI_VERSION},
	    {"clock_base_ns", clock_base_ns()},
	    {"pid", getpid()},
	    {"keep", opts->keep ? (int64_t)opts->keep : MODEL_KEEP},
	    {"finished", 0},
	    {"events", 0},
	    {"first_ns", 0},
	    {"last_ns", 0},
	};
	int rc = db_exec(db, "BEGIN");
	for (size_t i = 0; rc == 0 && i < sizeof(texts) / sizeof(texts[0]); i++)
		rc = meta_set(db, texts[i].key, texts[i].value);
	for (size_t i = 0; rc == 0 && i < sizeof(numbers) / sizeof(numbers[0]); i++)
		rc = meta_set_number(db, numbers[i].key, numbers[i].value);
	return rc ? rc : db_exec(db, "COMMIT");
}

/* The whole, empty trace under the name `temp`. The file exists, mode 0600, and is ours to lock. */
static int build(const char *temp, const struct store_opts *opts)
{
	sqlite3 *db;
	int rc = db_open(&db, temp, SQLITE_OPEN_READWRITE, NULL);
	if (rc)
		return rc;
	rc = schema_pragmas(db);
	if (rc == 0) /* nobody looks at this file yet: no journal beside it */
		rc = db_exec(db, "PRAGMA journal_mode=MEMORY");
	if (rc == 0)
		rc = schema_create(db);
	if (rc == 0)
		rc = write_meta(db, opts);
	sqlite3_close(db);
	return rc;
}

/* A journal that the replaced trace left behind must not be taken for the new one's. */
static void remove_leftovers(const char *path)
{
	static const char *const suffixes[] = {"-wal", "-shm", "-journal"};
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		char *beside;
		if (asprintf(&beside, "%s%s", path, suffixes[i]) < 0)
			return;
		unlink(beside);
		free(beside);
	}
}

static int make_file(struct store *s, const struct store_opts *opts)
{
	char *temp;
	if (asprintf(&temp, "%s.%d.new", s->path, (int)getpid()) < 0)
		return -ENOMEM;
	int rc = 0;
	s->fd = open(temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->fd < 0) {
		rc = -errno;
		free(temp);
		return rc;
	}
	if (fchmod(s->fd, 0600) || flock(s->fd, LOCK_EX | LOCK_NB)) /* whatever the umask */
		rc = -errno;
	if (rc == 0)
		rc = build(temp, opts);
	if (rc == 0) {
		remove_leftovers(s->path);
		if (rename(temp, s->path))
			rc = -errno;
	}
	if (rc)
		unlink(temp);
	free(temp);
	return rc;
}

static int open_for_writing(struct store *s)
{
	int rc = db_open(&s->db, s->path, SQLITE_OPEN_READWRITE, NULL);
	if (rc == 0)
		rc = schema_pragmas(s->db);
	if (rc ==
	    0) /* some filesystems cannot: then it stays a rollback journal, as safe, slower */
		rc = db_exec(s->db, "PRAGMA journal_mode=WAL");
	return rc ? rc : rows_open(&s->rows, s->db);
}

int store_create(struct store **out, const char *path, const struct store_opts *opts,
		 struct fail *fail)
{
	struct store *s = calloc(1, sizeof(*s));
	if (!s)
		return cannot(path, ENOMEM, fail);
	s->fd = -1;
	s->path = db_path(path);
	s->name = strdup(path);
	int rc = s->path && s->name ? 0 : -ENOMEM;
	if (rc == 0) {
		rc = path[0] ? check_target(s->path, path, fail) : cannot(path, ENOENT, fail);
		if (rc) {
			store_free(s);
			return rc;
		}
		rc = make_file(s, opts);
	}
	if (rc == 0)
		rc = open_for_writing(s);
	if (rc == 0)
		rc = writer_start(s);
	if (rc) {
		store_free(s);
		return cannot(path, -rc, fail);
	}
	*out = s;
	return 0;
}

struct sink *store_sink(struct store *s) { return &s->sink; }

void store_error(struct store *s, struct fail *fail)
{
	struct store_stats st;
	store_get_stats(s, &st);
	int err = -s->err;
	if (err == 0) {
		fail_set(fail, 0, NULL, "trace '%s' has no error", s->name);
		return;
	}
	fail_set(fail, err, db_remedy(err), "trace '%.100s': %llu operations kept, %llu not%s",
		 s->name, (unsigned long long)st.events, (unsigned long long)st.lost,
		 err == ENOENT ? ": the file was deleted or replaced" : "");
}

int store_finish(struct store *s, const struct model *m, struct fail *fail)
{
	return store_finish_telling(s, m, NULL, NULL, fail);
}

int store_finish_telling(struct store *s, const struct model *m, void (*tell)(void *arg, double done),
			 void *arg, struct fail *fail)
{
	s->tell = tell;
	s->tell_arg = arg;
	int rc = writer_stop(s, true, m);
	if (rc) {
		store_error(s, fail);
		return rc;
	}
	struct stat st;
	s->stats.file_bytes = fstat(s->fd, &st) ? 0 : (uint64_t)st.st_size;
	return 0;
}

void store_get_stats(const struct store *s, struct store_stats *out)
{
	/* once stopped there is nobody to lock out, and no lock */
	pthread_mutex_t *lock = s->running ? (pthread_mutex_t *)&s->lock : NULL;
	if (lock)
		pthread_mutex_lock(lock);
	*out = s->stats;
	if (lock)
		pthread_mutex_unlock(lock);
}

void store_free(struct store *s)
{
	if (!s)
		return;
	writer_stop(s, false, NULL);
	rows_release(&s->rows); /* nothing, unless the thread never ran */
	sqlite3_close(s->db);
	if (s->fd >= 0)
		close(s->fd);
	free(s->path);
	free(s->name);
	free(s);
}
