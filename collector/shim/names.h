/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Paths put together without stdio, which may allocate and is not safe in a signal handler. */
#ifndef IPCTAP_SHIM_NAMES_H
#define IPCTAP_SHIM_NAMES_H

#include <stdint.h>
#include <string.h>

#define PATH_ROOM 256

struct path {
	char text[PATH_ROOM];
	size_t len;
};

static inline void path_append(struct path *p, const char *text)
{
	size_t n = strnlen(text, PATH_ROOM - 1 - p->len);
	memcpy(p->text + p->len, text, n);
	p->len += n;
	p->text[p->len] = '\0';
}

static inline void path_number(struct path *p, uint64_t number)
{
	char digits[24];
	size_t at = sizeof(digits);
	digits[--at] = '\0';
	do
		digits[--at] = (char)('0' + number % 10);
	while (number /= 10);
	path_append(p, digits + at);
}

static inline void path_begin(struct path *p, const char *folder)
{
	p->len = 0;
	path_append(p, folder);
}

/* One more component. */
static inline void path_add(struct path *p, const char *name)
{
	path_append(p, "/");
	path_append(p, name);
}

/* FOLDER/PREFIXtid.pid.n */
static inline void path_ring(struct path *p, const char *folder, const char *prefix, uint32_t tid,
			     uint32_t pid, uint64_t n)
{
	path_begin(p, folder);
	path_add(p, prefix);
	path_number(p, tid);
	path_append(p, ".");
	path_number(p, pid);
	path_append(p, ".");
	path_number(p, n);
}

#endif
