// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Expressions of the filter language: an input is two of them, the second behind the first NUL, if there
 * is one. What parses is asked about the operations and waits of a small world. A refusal must say why and
 * leave nothing; an expression joined with itself, or with another, must let through what both do.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/model/filter.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/make_event.h"

#define ASKED 64

unsigned long fuzz_told;

static void must(bool holds, const char *what)
{
	if (!holds) {
		fprintf(stderr, "%s\n", what);
		abort();
	}
}

/* Names with what globs are made of, a wait that lasts, and operations of all calls on all channels. */
struct world {
	struct model *m;
	struct ev_io io[ASKED];
};

static const char *const names[] = { "server", "work*r[1]", "\\", "a,b", "", "/run/app.sock", "\xff\xfe" };
#define NAMES (sizeof(names) / sizeof(*names))

static struct world *world(void)
{
	static struct world w;
	if (w.m)
		return &w;
	w.m = model_new();
	must(w.m != NULL, "model_new");
	for (uint32_t i = 0; i < NAMES; i++) {
		struct ev_chan *c = make_chan(1 + i, (uint16_t)(1 + i * 5 % (KIND_MAX - 1)), SHAPE_STREAM, i & 1);
		snprintf(c->name, sizeof(c->name), "%s", names[i]);
		must(model_apply(w.m, &make_task(1, 100 + i, 100 + i, TASK_SEEN, names[i])->hdr) == 0 &&
			     model_apply(w.m, &c->hdr) == 0,
		     "the world");
	}
	must(model_apply(w.m, &make_wait(10, 100, 1, WAIT_BEGIN, 5)->hdr) == 0, "the wait");
	for (uint32_t i = 0; i < ASKED; i++) {
		struct ev_io *e = make_io(1000 + i, 100 + i % 9, (uint16_t)(1 + i * 7 % (OP_MAX - 1)),
					  i % 3 ? IO_READ : IO_WRITE | IO_BLOCKED, i % 9, 1ull << (i % 64));
		e->ret = i % 5 ? (int64_t)(1ull << (i % 63)) : -EAGAIN;
		e->hdr.flags |= i % 5 ? 0 : IO_ERROR;
		e->fd = (int32_t)i - 1;
		e->dur_ns = 1ull << (i % 64);
		e->slept_ns = e->dur_ns / 2;
		w.io[i] = *e;
	}
	return &w;
}

/* One bit for each operation that it lets through. */
static uint64_t ask(const struct world *w, const struct filter *f)
{
	uint64_t yes = 0;
	for (uint32_t i = 0; i < ASKED; i++)
		yes |= (uint64_t)filter_match_io(f, w->m, &w->io[i]) << i;
	return yes;
}

static struct filter *parse(const char *expr)
{
	struct filter *f = NULL;
	struct fail fail = { 0 };
	int err = filter_new(&f, expr, &fail);
	must(err == 0 ? f != NULL : err == -EINVAL && fail.err == EINVAL && fail.what[0], "a refusal without a reason");
	return err ? NULL : f;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct world *w = world();
	char *text = calloc(1, size + 2);
	must(text != NULL, "calloc");
	memcpy(text, data, size);
	const char *one = text, *two = text + strlen(text) + 1;
	struct filter *a = parse(one), *b = strlen(one) < size ? parse(two) : NULL;
	if (a) {
		uint64_t yes = ask(w, a), both = b ? ask(w, b) : yes;
		struct fail fail = { 0 };
		fuzz_told += (unsigned int)__builtin_popcountll(yes);
		filter_match_wait(a, w->m, model_waits(w->m));
		must(filter_and(a, b ? two : one, &fail) == 0, "what parsed once does not parse again");
		must(ask(w, a) == (yes & both), "joined, they let through another set");
	}
	filter_free(a);
	filter_free(b);
	free(text);
	return 0;
}
