// SPDX-License-Identifier: GPL-2.0-or-later
/* A replay on a terminal: keys, the passing of time, drawing; see replay.h. */
#include <errno.h>
#include <locale.h>

#include "lib/base/clock.h"
#include "ui/tui/keys.h"
#include "ui/tui/replay_inner.h"
#include "ui/tui/terminal.h"

#define PLAY_MS 40   /* between two looks at the clock while it plays */
#define IDLE_MS 1000 /* a key or a signal ends that */

struct run {
	struct replay replay;
	enum theme theme; /* of the terminal */
	bool quit, gone, open;
};

/* The player works: says how far it is, and looks whether somebody has had enough of it. */
static bool show_progress(void *arg, double done)
{
	struct run *r = arg;
	int key;

	replay_draw_progress(&r->replay, done);
	terminal_draw(&r->replay.grid);
	while ((key = terminal_key()) != KEY_NOTHING) {
		r->gone |= key == KEY_TERMINAL_GONE;
		r->quit |= key == KEY_ASKED_TO_END;
		if (r->gone || r->quit || key == KEY_ESCAPE)
			return false;
	}
	return true;
}

static int draw(struct run *r, struct fail *fail)
{
	int rows, cols;

	terminal_size(&rows, &cols);
	if (replay_draw(&r->replay, rows, cols) < 0 || terminal_draw(&r->replay.grid) < 0)
		return fail_set(fail, ENOMEM, NULL, "cannot draw");
	return 0;
}

/* 1: a key was pressed. */
static int take_keys(struct run *r, struct fail *fail)
{
	int key, any = 0;

	while (!r->quit && (key = terminal_key()) != KEY_NOTHING) {
		unsigned int wish = DASH_NOTHING;
		int err = 0;

		r->gone |= key == KEY_TERMINAL_GONE;
		r->quit |= key == KEY_ASKED_TO_END;
		if (r->gone || r->quit)
			break;
		err = replay_key(&r->replay, key, &wish, fail);
		if (err)
			return err;
		if (r->replay.dash.theme != r->theme)
			terminal_theme(r->theme = r->replay.dash.theme);
		if (wish & DASH_REDRAW)
			terminal_forget();
		r->quit |= (wish & DASH_QUIT) != 0;
		any = 1;
	}
	if (r->gone)
		return fail_set(fail, EIO, NULL, "the terminal is gone");
	return any;
}

static int loop(struct run *r, struct fail *fail)
{
	int err = draw(r, fail);

	r->replay.wall_ns = clock_now_ns();
	while (!err && !r->quit) {
		int ms = r->replay.playing ? PLAY_MS : IDLE_MS, patience_ms = terminal_patience_ms();
		int keys, moved;

		terminal_wait(ms < patience_ms ? ms : patience_ms);
		keys = take_keys(r, fail);
		moved = keys < 0 ? keys : replay_tick(&r->replay, clock_now_ns(), fail);
		if (moved == -ECANCELED) /* Esc, while it played */
			moved = 1;
		if (moved < 0)
			return moved;
		if (keys || moved)
			err = draw(r, fail);
	}
	return err;
}

int replay_run(const struct replay_opts *opts, struct fail *fail)
{
	struct run r = { .quit = false };
	int err;

	setlocale(LC_CTYPE, ""); /* which characters the terminal can show */
	err = replay_init(&r.replay, opts, fail);
	r.theme = r.replay.dash.theme;
	if (!err)
		err = terminal_open(r.theme, fail);
	if (!err) {
		player_set_progress(opts->player, show_progress, &r);
		err = loop(&r, fail);
		player_set_progress(opts->player, NULL, NULL);
		terminal_close();
	}
	replay_release(&r.replay);
	return err;
}
