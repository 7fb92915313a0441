// SPDX-License-Identifier: GPL-2.0-or-later
/* The dashboard on a terminal: pump, keys, refresh, draw; see tui.h. */
#include "ui/tui/tui.h"

#include <errno.h>
#include <locale.h>
#include <time.h>

#include "ui/tui/dash.h"
#include "ui/tui/keys.h"
#include "ui/tui/terminal.h"
#include "lib/base/clock.h"

#define FIRST_REFRESH_NS 300000000ull

struct run {
	const struct tui_opts *opts;
	struct dash dash;
	struct timeline timeline;
	uint64_t due_ns; /* the next refresh */
	long refreshes;
	enum theme theme; /* of the terminal */
	bool quit;
};

/* How long to sleep: until the next refresh, and not much longer than a key should wait. */
static int ms_until(uint64_t due_ns)
{
	uint64_t now_ns = clock_now_ns();
	uint64_t ms = due_ns > now_ns ? (due_ns - now_ns + 999999) / 1000000 : 0;
	int patience_ms = terminal_patience_ms();

	return ms < (uint64_t)patience_ms ? (int)ms : patience_ms;
}

/* Lets the model catch up, or, when no more will come, waits for a key. */
static int run_pump(struct run *r, struct fail *fail)
{
	int err;

	if (r->dash.ended) {
		terminal_wait(ms_until(r->due_ns));
		return 0;
	}
	err = r->opts->pump(r->opts->arg, ms_until(r->due_ns), fail);
	if (err == 0) {
		r->dash.ended = true;
		r->due_ns = 0; /* show the end at once */
	}
	return err < 0 ? err : 0;
}

/* Returns 1 when a key was pressed that may have changed the screen. */
static int run_keys(struct run *r, struct fail *fail)
{
	int key, any = 0;

	while (!r->quit && (key = terminal_key()) != KEY_NOTHING) {
		double interval_s = r->dash.interval_s;
		unsigned int wish;

		if (key == KEY_TERMINAL_GONE)
			return fail_set(fail, EIO, NULL, "the terminal is gone");
		wish = key == KEY_ASKED_TO_END ? DASH_QUIT : dash_key(&r->dash, key);
		if (r->dash.theme != r->theme)
			terminal_theme(r->theme = r->dash.theme);
		if (wish & DASH_REDRAW)
			terminal_forget();
		if (wish & DASH_REFRESH || r->dash.interval_s < interval_s)
			r->due_ns = 0;
		r->quit = wish & DASH_QUIT;
		any = 1;
	}
	return any;
}

/* Returns 1 when it was time. */
static int run_refresh(struct run *r, struct fail *fail)
{
	uint64_t clock = clock_now_ns(), now_ns;

	if (clock < r->due_ns)
		return 0;
	now_ns = timeline_now(&r->timeline, model_now_ns(r->opts->model), clock, r->dash.ended);
	if (dash_refresh(&r->dash, r->opts, now_ns) < 0)
		return fail_set(fail, ENOMEM, NULL, "cannot take a frame");
	r->due_ns = clock + (uint64_t)(r->dash.interval_s * 1e9);
	if (r->opts->refreshes && ++r->refreshes >= r->opts->refreshes)
		r->quit = true;
	return 1;
}

static int run_draw(struct run *r, struct fail *fail)
{
	int rows, cols;

	terminal_size(&rows, &cols);
	if (dash_draw(&r->dash, rows, cols) < 0 || terminal_draw(&r->dash.grid) < 0)
		return fail_set(fail, ENOMEM, NULL, "cannot draw");
	return 0;
}

static int run_loop(struct run *r, struct fail *fail)
{
	int err = run_draw(r, fail);

	while (!err && !r->quit) {
		int keys, frames;

		err = run_pump(r, fail);
		if (err < 0)
			break;
		keys = run_keys(r, fail);
		frames = keys < 0 ? keys : run_refresh(r, fail);
		if (frames < 0)
			return frames;
		if (keys || frames)
			err = run_draw(r, fail);
	}
	return err;
}

int tui_run(const struct tui_opts *opts, struct fail *fail)
{
	struct run r = { .opts = opts };
	double interval_ns;
	int err;

	setlocale(LC_CTYPE, ""); /* which characters the terminal can show */
	err = dash_init(&r.dash, opts, fail);
	if (!err)
		dash_configure(&r.dash);
	r.theme = r.dash.theme;
	if (!err)
		err = terminal_open(r.theme, fail);
	if (!err) {
		interval_ns = r.dash.interval_s * 1e9;
		r.due_ns = clock_now_ns() + (interval_ns < FIRST_REFRESH_NS ? (uint64_t)interval_ns :
									  FIRST_REFRESH_NS);
		err = run_loop(&r, fail);
		terminal_close();
	}
	dash_release(&r.dash);
	return err;
}
