// SPDX-License-Identifier: GPL-2.0-or-later
/* The latest operations; see tail.h. */
#include "ui/tui/tail.h"

#include <errno.h>
#include <stdlib.h>

static int tail_event(struct sink *sink, const struct ev_hdr *ev)
{
	struct tail *t = (struct tail *)sink; /* its first member */

	if (ev->type == EV_IO)
		t->v[t->n++ % TAIL_MAX] = *(const struct ev_io *)ev; /* without its payload */
	return 0;
}

int tail_init(struct tail *t)
{
	*t = (struct tail){ .sink = { .event = tail_event }, .is_numbered = true };
	t->v = malloc(TAIL_MAX * sizeof(*t->v));
	return t->v ? 0 : -ENOMEM;
}

void tail_release(struct tail *t)
{
	free(t->v);
	*t = (struct tail){ 0 };
}

void tail_clear(struct tail *t)
{
	t->n = t->before = 0;
	t->is_numbered = true;
}
