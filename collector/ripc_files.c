// SPDX-License-Identifier: GPL-2.0-or-later
#include "ripc_files.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uthash.h>

#define FILES_MAX 65536 /* known at once: then those without are forgotten, and looked into again */

struct key {
	uint64_t dev, ino;
};

/* One that has them stays what it is: whoever was told of it keeps its inode from being used again. */
struct known {
	struct key key;
	uint64_t mtime_ns; /* when it was looked into, and had none */
	bool has_probes;
	UT_hash_handle hh;
};

struct ripc_files {
	struct known *known;
	ripc_found *found;
	void *arg;
};

/* ---- files ---- */

static void forget(struct ripc_files *f, bool all)
{
	struct known *k, *next;
	HASH_ITER(hh, f->known, k, next) {
		if (k->has_probes && !all)
			continue;
		HASH_DEL(f->known, k);
		free(k);
	}
}

/* NULL: it was looked into, as it is now. */
static struct known *fresh(struct ripc_files *f, const struct stat *st)
{
	struct key key = { st->st_dev, st->st_ino };
	uint64_t mtime_ns =
		(uint64_t)st->st_mtim.tv_sec * 1000000000ull + (uint64_t)st->st_mtim.tv_nsec;
	struct known *k;
	HASH_FIND(hh, f->known, &key, sizeof(key), k);
	if (k && (k->has_probes || k->mtime_ns == mtime_ns))
		return NULL;
	if (!k) {
		if (HASH_COUNT(f->known) >= FILES_MAX)
			forget(f, false);
		k = calloc(1, sizeof(*k));
		if (!k)
			return NULL;
		k->key = key;
		HASH_ADD(hh, f->known, key, sizeof(k->key), k);
	}
	k->mtime_ns = mtime_ns;
	return k;
}

void ripc_files_look(struct ripc_files *f, const char *path)
{
	struct stat st;
	/* not even opened when it is known: that may be a lot of work on some file systems */
	struct known *k = stat(path, &st) == 0 && S_ISREG(st.st_mode) ? fresh(f, &st) : NULL;
	if (!k)
		return;
	struct usdt_site *sites;
	int n = usdt_sites(path, "ripc", &sites, NULL);
	k->has_probes = n > 0;
	if (n > 0)
		f->found(f->arg, path, sites, (size_t)n);
	free(sites);
}

/* ---- where they may be ---- */

static void look_in(struct ripc_files *f, const char *dir, size_t len)
{
	static const char *const names[] = {"libripc.so.0", "libripc-sysv.so"};
	char path[PATH_MAX];
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int n = snprintf(path, sizeof(path), "%.*s/%s", (int)len, len ? dir : ".", names[i]);
		if (n > 0 && (size_t)n < sizeof(path))
			ripc_files_look(f, path);
	}
}

static void look_beside(struct ripc_files *f, const char *path)
{
	const char *slash = strrchr(path, '/');
	if (slash)
		look_in(f, path, slash == path ? 1 : (size_t)(slash - path));
}

/* each(f, word, length) for every part of a list, which separators cut; none: NULL */
static void each_part(struct ripc_files *f, const char *list, const char *separators,
		      void (*each)(struct ripc_files *f, const char *part, size_t len))
{
	for (const char *p = list; p && *p; p += strspn(p, separators)) {
		size_t n = strcspn(p, separators);
		each(f, p, n);
		p += n;
	}
}

static void look_part(struct ripc_files *f, const char *path, size_t len)
{
	char copy[PATH_MAX];
	if (len >= sizeof(copy))
		return;
	memcpy(copy, path, len);
	copy[len] = 0;
	ripc_files_look(f, copy);
}

/* As execvp finds it. */
static void look_at_command(struct ripc_files *f, const char *name)
{
	char path[PATH_MAX];
	const char *dirs = getenv("PATH");
	if (strchr(name, '/')) {
		ripc_files_look(f, name);
		look_beside(f, name);
		return;
	}
	for (const char *p = dirs ? dirs : "/bin:/usr/bin"; *p; p += *p == ':') {
		size_t n = strcspn(p, ":");
		int len = snprintf(path, sizeof(path), "%.*s/%s", (int)n, n ? p : ".", name);
		p += n;
		if (len < 0 || (size_t)len >= sizeof(path) || access(path, X_OK))
			continue;
		ripc_files_look(f, path);
		look_beside(f, path);
		return;
	}
}

void ripc_files_likely(struct ripc_files *f, char *const *argv)
{
	static const char *const dirs[] = {"/usr/local/lib", "/usr/lib", "/lib",
					   "/usr/lib/x86_64-linux-gnu"};
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (argv && argv[0])
		look_at_command(f, argv[0]);
	each_part(f, getenv("LD_PRELOAD"), ": ", look_part);
	each_part(f, getenv("LD_LIBRARY_PATH"), ":;", look_in);
	if (n > 0) {
		self[n] = 0;
		look_beside(f, self);
	}
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		look_in(f, dirs[i], strlen(dirs[i]));
}

/* proc_pid_maps(5): start-end perms offset dev inode path; the path as the process sees it. */
static void look_at_line(struct ripc_files *f, pid_t pid, char *line)
{
	unsigned long start, end;
	char perms[5], path[PATH_MAX + 64];
	int at = 0;
	line[strcspn(line, "\n")] = 0;
	if (sscanf(line, "%lx-%lx %4s %*s %*s %*s %n", &start, &end, perms, &at) != 3 || !at ||
	    perms[2] != 'x' || line[at] != '/')
		return;
	snprintf(path, sizeof(path), "/proc/%d/root%s", (int)pid, line + at);
	ripc_files_look(f, path);
}

void ripc_files_process(struct ripc_files *f, pid_t pid, bool mapped)
{
	char path[64], line[PATH_MAX + 128];
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, mapped ? "maps" : "exe");
	if (!mapped) {
		ripc_files_look(f, path);
		return;
	}
	FILE *maps = fopen(path, "re");
	while (maps && fgets(line, sizeof(line), maps))
		look_at_line(f, pid, line);
	if (maps)
		fclose(maps);
}

struct ripc_files *ripc_files_new(ripc_found *found, void *arg)
{
	struct ripc_files *f = calloc(1, sizeof(*f));
	if (f) {
		f->found = found;
		f->arg = arg;
	}
	return f;
}

void ripc_files_free(struct ripc_files *f)
{
	if (f)
		forget(f, true);
	free(f);
}
