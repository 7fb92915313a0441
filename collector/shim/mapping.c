// SPDX-License-Identifier: LGPL-2.1-or-later
/* /proc/self/maps without stdio: a line at a time through a small buffer. */
#include "collector/shim/memory.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "collector/shim/describe.h"

struct lines {
	int fd;
	size_t at, have;
	char buf[4096];
	char line[512];
};

static bool next_line(struct lines *l)
{
	size_t n = 0;
	for (;;) {
		if (l->at == l->have) {
			long got = syscall(SYS_read, l->fd, l->buf, sizeof(l->buf));
			if (got <= 0)
				return false;
			l->have = (size_t)got;
			l->at = 0;
		}
		char c = l->buf[l->at++];
		if (c == '\n')
			break;
		if (n < sizeof(l->line) - 1)
			l->line[n++] = c;
	}
	l->line[n] = '\0';
	return true;
}

static uint64_t number(const char **p, unsigned int base)
{
	uint64_t n = 0;
	for (;; (*p)++) {
		unsigned int c = (unsigned char)**p;
		unsigned int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
		if (digit >= base)
			return n;
		n = n * base + digit;
	}
}

/* START-END rwxs OFFSET MAJOR:MINOR INODE   PATH */
static void parse(const char *p, struct shim_mapping *m)
{
	m->start = number(&p, 16);
	p += *p == '-';
	m->end = number(&p, 16);
	p += *p == ' ';
	m->is_shared = strnlen(p, 4) == 4 && p[3] == 's';
	p += strnlen(p, 5);
	m->offset = number(&p, 16);
	p += *p == ' ';
	uint32_t dev_major = (uint32_t)number(&p, 16);
	p += *p == ':';
	m->dev = dev_major << 20 | (uint32_t)number(&p, 16);
	p += *p == ' ';
	m->ino = number(&p, 10);
	while (*p == ' ')
		p++;
	size_t n = strnlen(p, sizeof(m->path) - 1);
	memcpy(m->path, p, n);
	m->path[n] = '\0';
}

bool shim_mapping_find(uint64_t address, struct shim_mapping *m)
{
	struct lines l = { .at = 0 };
	bool found = false;
	int saved = errno;
	l.fd = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC, 0);
	while (l.fd >= 0 && !found && next_line(&l)) {
		parse(l.line, m);
		found = address >= m->start && address < m->end;
	}
	if (l.fd >= 0)
		syscall(SYS_close, l.fd);
	errno = saved;
	return found;
}

bool shim_describe_mapping(uint64_t address, struct raw_object *o)
{
	struct shim_mapping m;
	if (!shim_mapping_find(address, &m) || !m.is_shared || !m.ino)
		return false;
	o->ino = m.ino;
	o->dev = m.dev;
	if (strncmp(m.path, "/SYSV", 5) == 0) { /* its number is its id */
		o->kind = KIND_SHM;
		o->ns = shim_ipc_ns();
		o->obj = RAW_OBJ(KIND_SHM, (uint64_t)(o->ns & 0xffffff) << 32 | (uint32_t)o->ino);
		return true;
	}
	o->kind = KIND_MAP;
	o->obj = RAW_OBJ_MAP(o->dev, o->ino);
	shim_name_path(o, m.path, strlen(m.path));
	return true;
}
