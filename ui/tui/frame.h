/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A frame: what one refresh took from the model: the rows of every view and the figures above
 * them. The screen, plain text and JSON are three ways to show it.
 */
#ifndef IPCTAP_UI_TUI_FRAME_H
#define IPCTAP_UI_TUI_FRAME_H

#include "ui/tui/table.h"

struct frame {
	struct table tables[VIEW_MAX];
	struct rates *rates;

	uint64_t now_ns;
	uint64_t span_ns; /* since the first event */
	double interval_s; /* that the rates are of */
	double ops_per_s;
	uint64_t ops;
	uint32_t processes, tasks; /* alive */
	uint32_t channels;         /* with an open end */
	uint32_t waits;
	uint64_t folded; /* processes and channels, into totals */
	uint64_t lost;
	uint64_t lost_by[LOST_MAX];
};

int frame_init(struct frame *f); /* 0 or -ENOMEM */
void frame_release(struct frame *f);

/* Takes everything anew, as of now_ns. `filter`: -e, or NULL. 0 or -ENOMEM. */
int frame_refresh(struct frame *f, const struct model *model, const struct filter *filter,
		  uint64_t now_ns);

/* "ops/s 1.2k  span 12.3s  processes 3  tasks 4  channels 2  waiting 1" */
#define FRAME_TEXT_SIZE 256
const char *frame_figures(const struct frame *f, char buf[FRAME_TEXT_SIZE]);
/* "lost 12: ring-op 10, compat32 2; raise --ring SIZE …", "lost 0" */
const char *frame_losses(const struct frame *f, char buf[FRAME_TEXT_SIZE]);

/*
 * Which time it is for the model. Its own clock stands still while nothing happens, which is just
 * when a wait gets long; so time goes on from its latest event by the caller's monotonic clock,
 * until the stream has ended. Never goes back.
 */
struct timeline {
	uint64_t model_ns;     /* latest event */
	uint64_t monotonic_ns; /* when that was first seen */
	uint64_t now_ns;
};
uint64_t timeline_now(struct timeline *t, uint64_t model_ns, uint64_t monotonic_ns, bool ended);

#endif
