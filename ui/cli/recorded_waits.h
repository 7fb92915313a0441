/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the recorder of a trace found of deadlocks, by time: for the dashboard over a recording. */
#ifndef IPCTAP_UI_CLI_RECORDED_WAITS_H
#define IPCTAP_UI_CLI_RECORDED_WAITS_H

#include "lib/analysis/waittree.h"
#include "lib/base/fail.h"
#include "lib/store/store.h"
#include "ui/tui/timebar.h"

/* A picture, as top shows one that it made itself; of `waits` all core rows were asleep from from_ns on. */
struct recorded_picture {
	uint64_t from_ns;
	struct waittree *waits; /* NULL: from here on there was nothing */
};

struct recorded_waits {
	struct timebar_finding *findings; /* each once, in order of time */
	size_t nfindings;
	struct recorded_picture *pictures; /* likewise */
	size_t npictures;
};

/* A trace in which no wait became long has none. 0 or a negative errno; release *w either way. */
int recorded_waits_load(struct recorded_waits *w, struct trace *trace, const char *path,
			struct fail *fail);
void recorded_waits_release(struct recorded_waits *w);

/* What was to be seen then; NULL: nothing. Borrowed. */
const struct waittree *recorded_waits_at(const struct recorded_waits *w, uint64_t t_ns);

#endif
