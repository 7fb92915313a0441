/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The dashboard over a recording, without a terminal: keys and the passing of time go in, a grid
 * comes out. Above is the dashboard as it was live at that time; below, the timeline:
 *
 *     > 10x  12.345s of 60.0s  20%  14:03:22.345  #123456  dd[12] write pipe:[7] = 1000
 *     ops/s   <=12k   ▁▃█▂ …                                              (timebar.h)
 *
 * What the screen shows of a moment does not depend on how it was reached. Rates are over the
 * refresh interval that ends there, as they were live, or, between the two marks, from A to B.
 */
#ifndef IPCTAP_UI_TUI_REPLAY_H
#define IPCTAP_UI_TUI_REPLAY_H

#include "lib/store/player.h"
#include "ui/tui/dash.h"
#include "ui/tui/place.h"
#include "ui/tui/replay_tail.h"
#include "ui/tui/timebar.h"

#define REPLAY_ROWS (TIMEBAR_ROWS + 1) /* below the dashboard */
#define REPLAY_MIN_ROWS (DASH_MIN_ROWS + REPLAY_ROWS)

struct replay_opts {
	struct tui_opts tui;   /* pump and refreshes are not used */
	struct player *player; /* of tui.model; borrowed, as all that follows */
	int64_t wall_ns;       /* realtime - monotonic of the trace; 0: not known */
	const struct replay **tell; /* is the replay while there is one, for tui.waits; or NULL */
	const char *at;        /* where to begin; NULL: at the start, playing */
	const struct timebar_finding *findings; /* in order of time */
	size_t nfindings;
};

enum replay_prompt { REPLAY_PROMPT_NONE, REPLAY_PROMPT_GO, REPLAY_PROMPT_MATCH };

struct replay {
	const struct replay_opts *opts;
	struct player *player;
	struct replay_tail latest;
	struct tui_opts tui;  /* opts->tui with that */
	struct dash dash;
	struct timebar bar;
	struct grid grid; /* all of the screen */

	uint64_t t_ns;   /* now */
	bool playing;
	int speed;       /* index of replay_speeds */
	uint64_t wall_ns, due_ns; /* clock: time has been counted up to there; the next refresh */
	uint64_t a_ns, b_ns;      /* the marks; 0: not set */
	bool between;             /* shows what is between them */

	enum replay_prompt prompt;
	char input[DASH_INPUT_SIZE];
	char match_text[DASH_INPUT_SIZE];
	struct filter *match; /* NULL: none yet */
	char message[160];    /* until the next key */
};

/* Borrows *opts. 0 or a negative errno. */
int replay_init(struct replay *r, const struct replay_opts *opts, struct fail *fail);
void replay_release(struct replay *r);

/* Goes to the time, and shows it as it was. */
int replay_show(struct replay *r, uint64_t t_ns, struct fail *fail);

/*
 * A key; wishes as of dash_key in *wish. What went wrong but can be gone on from is r->message; a
 * negative errno is for what cannot.
 */
int replay_key(struct replay *r, int key, unsigned int *wish, struct fail *fail);

/* It is clock_ns now (CLOCK_MONOTONIC): plays on. 1: there is something new to see. */
int replay_tick(struct replay *r, uint64_t clock_ns, struct fail *fail);

/* Draws into r->grid, in that size. 0 or -ENOMEM. */
int replay_draw(struct replay *r, int rows, int cols);
/* Only the last row but so many: how far something has come that takes long. */
void replay_draw_progress(struct replay *r, double done);

double replay_speed(const struct replay *r);

/* On a terminal, until the user quits. 0 or a negative errno. (replay_run.c) */
int replay_run(const struct replay_opts *opts, struct fail *fail);

/* The keys of a replay, for the help: pairs of key and what it does, up to NULL. (replay_keys.c) */
extern const char *const replay_help[][2];

#endif
