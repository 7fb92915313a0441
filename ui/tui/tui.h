/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The dashboard. It draws a model that somebody else feeds: between two frames it calls
 * opts->pump, which applies what has come, and it reads the model. Live and replay are the same to it.
 */
#ifndef IPCTAP_UI_TUI_TUI_H
#define IPCTAP_UI_TUI_TUI_H

#include <stdbool.h>
#include <stdio.h>

#include "lib/base/fail.h"
#include "lib/model/filter.h"
#include "lib/model/model.h"

enum tui_view { VIEW_PROCESSES, VIEW_CHANNELS, VIEW_TALK, VIEW_BLOCKED, VIEW_EVENTS, VIEW_MAX };

struct tail;
struct waittree;

struct tui_opts {
	struct model *model;
	/* Waits up to timeout_ms, applies events. 1 more may come, 0 ended, <0 error (fail filled). */
	int (*pump)(void *arg, int timeout_ms, struct fail *fail);
	void *arg;
	const char *verb;       /* NULL: "top" */
	const char *title;      /* "-- dd if=…", "pid 1234", a trace's path */
	double interval_s;      /* between refreshes; 0: as kept, else TUI_INTERVAL_S */
	long refreshes;         /* stop after so many; 0: until the user quits or, in batch, the stream ends */
	enum tui_view view;     /* the first one shown; batch text prints all */
	const char *sort;       /* a column of that view by its name; NULL: its default */
	bool mono;              /* no colours (NO_COLOR) */
	/* In batch: which time it is for the model after a pump; NULL: as long as the pump took. */
	uint64_t (*now_ns)(void *arg);
	bool warm_up;           /* in batch: one refresh first that is not shown, which rates begin at */
	bool all_views;         /* take every view at every refresh, however large the world is */
	const struct tail *tail; /* the latest operations; NULL: the view Events stays empty */
	size_t tail_most;        /* no more of them than so many; 0: all that are kept */
	/*
	 * What the search for deadlocks has found last; NULL: nothing, or nobody looks. Asked for at each
	 * refresh, valid until it is asked for again. May be NULL itself.
	 */
	const struct waittree *(*waits)(void *arg);
	const char *config;     /* file that keeps columns, colours, order; NULL: none */
	const struct filter *filter; /* -e: waits that do not match are not shown; NULL: all are */
	bool (*takes_key)(int key);  /* of whoever has the dashboard: the help leaves those out; NULL: none */
};

#define TUI_INTERVAL_S 1.0
static inline double tui_interval_s(const struct tui_opts *opts)
{
	return opts->interval_s > 0 ? opts->interval_s : TUI_INTERVAL_S;
}

/* $XDG_CONFIG_HOME/ipctap/top.conf, or ~/.config/…. 0, or -ENOENT: neither variable says where. */
#define TUI_PATH_SIZE 4096
int tui_config_path(char buf[TUI_PATH_SIZE]);

/* The ncurses screen on the terminal. Returns 0 when the user quits, else a negative errno. */
int tui_run(const struct tui_opts *opts, struct fail *fail);

/* `top -b`: every refresh as plain text, 100 columns or $COLUMNS wide, all views, to `out`. */
int tui_batch(const struct tui_opts *opts, FILE *out, struct fail *fail);

/* `top --json`: one JSON object a line for every refresh. Keys are documented in ipctap-top(1). */
int tui_json(const struct tui_opts *opts, FILE *out, struct fail *fail);

#endif
