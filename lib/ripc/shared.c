// SPDX-License-Identifier: LGPL-2.1-or-later
/* Shared variables of libraries: an object of the core, moved over the library's section. */
#include "ripc_shared.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "object.h"

#define SHARED_MAX (16u << 20)

struct wanted {
	const void *start;
	size_t bytes;
	uint64_t print;
};

/* The body: one page that tells libraries apart, then the variables. */
struct shared_body {
	uint64_t bytes, print;
};

/* FNV-1a over the initial values: which must be compared before anybody changes them. */
static uint64_t fingerprint(const void *start, size_t bytes)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < bytes; i++)
		hash = (hash ^ ((const unsigned char *)start)[i]) * 0x100000001b3u;
	return hash;
}

static size_t page_bytes(void) { return (size_t)sysconf(_SC_PAGESIZE); }

static int init_body(void *body, size_t bytes, void *arg)
{
	const struct wanted *w = arg;
	struct shared_body *b = body;

	(void)bytes;
	b->bytes = w->bytes;
	b->print = w->print;
	memcpy((char *)body + page_bytes(), w->start, w->bytes);
	return 0;
}

static int check_body(const void *body, size_t bytes, void *arg)
{
	const struct wanted *w = arg;
	const struct shared_body *b = body;

	if (bytes < sizeof(*b))
		return -EBADMSG;
	if (b->bytes != w->bytes || b->print != w->print)
		return -EPROTO;
	return bytes == page_bytes() + w->bytes ? 0 : -EBADMSG;
}

int ripc_shared_attach(void **object, const char *name, void *start, size_t bytes)
{
	struct wanted w = {.start = start, .bytes = bytes};
	struct ripc_spec spec = {
	    .type = RIPC_TYPE_SHARED,
	    .name = name,
	    .body_bytes = page_bytes() + bytes,
	    .init = init_body,
	    .check = check_body,
	    .arg = &w,
	};
	struct ripc_object *o;
	int err;

	*object = NULL;
	if (!bytes || bytes > SHARED_MAX || bytes % page_bytes() ||
	    (uintptr_t)start % page_bytes())
		return -EINVAL;
	w.print = fingerprint(start, bytes);
	err = ripc_object_open(&o, &spec, RIPC_CREATE);
	if (err < 0)
		return err;
	/* an old size of 0 makes a second mapping of shared pages, and leaves the first */
	if (mremap((char *)o->body + page_bytes(), 0, bytes, MREMAP_MAYMOVE | MREMAP_FIXED,
		   start) == MAP_FAILED) {
		err = -errno;
		ripc_object_close(o);
		return err;
	}
	*object = o;
	return 0;
}

void ripc_shared_detach(void *object) { ripc_object_close(object); }
