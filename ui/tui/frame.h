/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A frame: what one refresh took from the model: the rows of the views and the figures above
 * them. The screen, plain text and JSON are three ways to show it.
 *
 * In a small world every refresh takes all views but Events. In a large one it takes the open view; another
 * one is taken when it is opened, and its rates are then over the time since it was taken last.
 */
#ifndef IPCTAP_UI_TUI_FRAME_H
#define IPCTAP_UI_TUI_FRAME_H

#include "ui/tui/history.h"
#include "ui/tui/table.h"

struct frame {
	struct table tables[VIEW_MAX];
	struct rates *rates; /* of all operations together */
	struct history *history; /* borrowed; NULL: none */
	struct tail seen;    /* the operations that were shown: a busy host has others by the next key */
	struct scan scan;    /* what the last refresh read; the model may have gone on since */
	uint64_t taken_ns[VIEW_MAX]; /* now_ns of the refresh that took it; 0: none yet */

	uint64_t now_ns;
	uint64_t span_ns; /* since the first event */
	double interval_s; /* that the rates are of */
	double ops_per_s;
	uint64_t ops;
	size_t objects; /* processes and channels, all that are known */
#define FRAME_SMALL 3000
	uint32_t processes, tasks; /* alive */
	uint32_t channels;         /* with an open end */
	uint32_t waits;
	uint64_t folded; /* processes and channels, into totals */
	uint64_t lost;
	uint64_t lost_by[LOST_MAX];
};

int frame_init(struct frame *f); /* 0 or -ENOMEM */
void frame_release(struct frame *f);

/* What a refresh reads besides the model and the time. */
struct frame_sources {
	const struct filter *filter;   /* -e, or NULL */
	const struct tail *tail;       /* NULL: no events */
	size_t tail_most;              /* see struct scan */
	const struct waittree *waits;  /* NULL: nobody looks for deadlocks. Borrowed until the next refresh */
};

/*
 * Takes everything anew, as of now_ns: the view `open`, and the others when the world is small or
 * `all` is set. 0 or -ENOMEM.
 */
int frame_refresh(struct frame *f, const struct model *model, const struct frame_sources *sources,
		  uint64_t now_ns, enum tui_view open, bool all);
/* Takes a view that this frame has not taken yet, from the model as it is now. 0 or -ENOMEM. */
int frame_take(struct frame *f, enum tui_view view);

/* "ops/s 1.2k  span 12.3s  processes 3  tasks 4  channels 2  waiting 1"; brief: in shorter words */
#define FRAME_TEXT_SIZE 256
const char *frame_figures(const struct frame *f, char buf[FRAME_TEXT_SIZE]);
const char *frame_figures_brief(const struct frame *f, char buf[FRAME_TEXT_SIZE]);
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
