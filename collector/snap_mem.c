// SPDX-License-Identifier: GPL-2.0-or-later
#include "snap_mem.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/base/slurp.h"

bool snap_mem_read(uint32_t pid, uint64_t address, void *to, size_t size)
{
	struct iovec here = { to, size }, there = { (void *)(uintptr_t)address, size };
	memset(to, 0, size);
	return process_vm_readv((pid_t)pid, &here, 1, &there, 1, 0) == (ssize_t)size;
}

void snap_fd_link(uint32_t pid, int fd, char *buf, size_t size)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%u/fd/%d", pid, fd);
	ssize_t n = readlink(path, buf, size - 1);
	buf[n > 0 ? n : 0] = '\0';
}

char *snap_fdinfo(uint32_t pid, int fd)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%u/fdinfo/%d", pid, fd);
	return slurp(path);
}

bool snap_never_wrote(uint32_t pid)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%u/io", pid);
	char *text = slurp(path);
	const char *at = text ? strstr(text, "syscw: ") : NULL;
	bool never = at && strtoull(at + 7, NULL, 10) == 0;
	free(text);
	return never;
}

/* ---- mappings ---- */

struct mapping {
	uint64_t start, end, offset, ino;
	uint32_t dev;
	bool shared;
	const char *name;
};

/* One line of maps; it is cut up. False: it is none. */
static bool parse_mapping(char *line, struct mapping *m)
{
	char perms[5];
	unsigned int major, minor;
	int at = 0;
	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n", &m->start,
		   &m->end, perms, &m->offset, &major, &minor, &m->ino, &at) < 7)
		return false;
	m->dev = major << 20 | minor;
	m->shared = perms[3] == 's';
	m->name = at ? line + at : "";
	return true;
}

static char *maps_of(uint32_t pid)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%u/maps", pid);
	return slurp(path);
}

/* Shared memory that has no name left, and never had a key, can be come to by inheritance alone. */
static bool is_named(const char *name)
{
	size_t len = strlen(name);
	bool gone = len > 10 && strcmp(name + len - 10, " (deleted)") == 0;
	return name[0] && (!gone || strncmp(name, "/SYSV", 5) == 0);
}

bool snap_place_of(uint32_t pid, uint64_t address, struct snap_place *p)
{
	char *text = maps_of(pid), *save = NULL;
	bool found = false;
	memset(p, 0, sizeof(*p));
	for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line && !found;
	     line = strtok_r(NULL, "\n", &save)) {
		struct mapping m;
		if (!parse_mapping(line, &m) || address < m.start || address >= m.end)
			continue;
		found = true;
		p->shared = m.shared;
		p->named = is_named(m.name);
		p->dev = m.dev;
		p->ino = m.ino;
		p->offset = m.offset + (address - m.start);
		snprintf(p->name, sizeof(p->name), "%s", m.name);
	}
	free(text);
	return found;
}

bool snap_mappings(uint32_t pid, void (*each)(void *arg, uint64_t start, uint64_t end, const char *name), void *arg)
{
	char *text = maps_of(pid), *save = NULL;
	for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save)) {
		struct mapping m;
		if (parse_mapping(line, &m) && m.shared)
			each(arg, m.start, m.end, m.name);
	}
	bool read = text != NULL;
	free(text);
	return read;
}

struct shared_map {
	uint64_t ino;
	uint32_t dev, pid;
};

struct snap_maps {
	struct shared_map *rows;
	size_t n, room;
	bool unread;
};

struct snap_maps *snap_maps_new(void) { return calloc(1, sizeof(struct snap_maps)); }

void snap_maps_free(struct snap_maps *m)
{
	if (m)
		free(m->rows);
	free(m);
}

static void maps_put(struct snap_maps *m, uint32_t pid, const struct mapping *at)
{
	if (m->n && m->rows[m->n - 1].pid == pid && m->rows[m->n - 1].ino == at->ino &&
	    m->rows[m->n - 1].dev == at->dev)
		return;
	if (m->n == m->room) {
		size_t room = m->room ? m->room * 2 : 256;
		struct shared_map *grown = realloc(m->rows, room * sizeof(*grown));
		if (!grown) {
			m->unread = true;
			return;
		}
		m->rows = grown;
		m->room = room;
	}
	m->rows[m->n++] = (struct shared_map){ .ino = at->ino, .dev = at->dev, .pid = pid };
}

bool snap_maps_add(struct snap_maps *m, uint32_t pid)
{
	char *text = maps_of(pid), *save = NULL;
	if (!text) { /* one that has just gone maps nothing any more */
		m->unread = m->unread || (errno != ENOENT && errno != ESRCH);
		return false;
	}
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct mapping at;
		if (parse_mapping(line, &at) && at.shared)
			maps_put(m, pid, &at);
	}
	free(text);
	return true;
}

void snap_maps_who(const struct snap_maps *m, uint32_t dev, uint64_t ino,
		   void (*each)(void *arg, uint32_t pid), void *arg)
{
	uint32_t last = 0;
	for (size_t i = 0; i < m->n; i++) {
		if (m->rows[i].dev != dev || m->rows[i].ino != ino || m->rows[i].pid == last)
			continue;
		last = m->rows[i].pid;
		each(arg, last);
	}
}

bool snap_maps_unread(const struct snap_maps *m) { return m->unread; }
