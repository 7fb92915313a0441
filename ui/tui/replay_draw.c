// SPDX-License-Identifier: GPL-2.0-or-later
/* The screen of a replay: the dashboard, and the timeline below it; see replay.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/abi/words.h"
#include "lib/base/clock.h"
#include "lib/base/escape.h"
#include "ui/tui/replay_inner.h"
#include "ui/tui/units.h"

#define TEXT_SIZE 512

/* Seconds from the beginning, as exact as the trace is long: "12.345s". */
static void since_text(char *buf, size_t size, uint64_t ns, uint64_t span_ns)
{
	int digits = span_ns < NS_PER_S ? 6 : 3;

	snprintf(buf, size, "%.*fs", digits, (double)ns / 1e9);
}

static void wall_clock(char *buf, size_t size, uint64_t t_ns, int64_t wall_ns)
{
	int64_t ns = (int64_t)(t_ns & INT64_MAX);
	struct tm tm = { 0 };
	time_t s;

	buf[0] = '\0';
	if (!wall_ns || __builtin_add_overflow(ns, wall_ns, &ns))
		return;
	s = (time_t)(ns / NS_PER_S);
	localtime_r(&s, &tm);
	snprintf(buf, size, "%02d:%02d:%02d.%03d", tm.tm_hour, tm.tm_min, tm.tm_sec,
		 (int)(ns % NS_PER_S / 1000000));
}

/* "dd[12] write pipe:[7] = 1000": the operation that we stand behind. */
static void io_text(const struct replay *r, char *buf, size_t size)
{
	const struct model *m = r->opts->tui.model;
	const struct ev_io *io = player_io(r->player);
	char comm[ESCAPE_SIZE(EV_COMM_LEN)] = "?", name[ESCAPE_SIZE(EV_NAME_LEN)] = "";
	const struct m_task *t = io ? model_task(m, io->tid) : NULL;
	const struct m_chan *c = io && io->chan ? model_chan(m, io->chan) : NULL;

	buf[0] = '\0';
	if (!io)
		return;
	if (t && t->comm[0])
		escape_text(comm, sizeof(comm), t->comm, sizeof(t->comm));
	if (c)
		escape_text(name, sizeof(name), c->name[0] ? c->name : c->ident, EV_NAME_LEN);
	snprintf(buf, size, "%s[%" PRIu32 "] %s %s%s= %" PRId64, comm, io->tid, op_word(io->op), name,
		 name[0] ? " " : "", (int64_t)io->ret);
}

static const char *state_glyph(const struct replay *r)
{
	if (r->playing)
		return r->grid.utf8 ? "\u25b6" : ">";
	return r->t_ns >= player_last_ns(r->player) ? "END" : "||";
}

static void draw_state(struct replay *r, int y)
{
	uint64_t first_ns = player_first_ns(r->player), last_ns = player_last_ns(r->player);
	uint64_t span_ns = last_ns - first_ns, since_ns = r->t_ns - first_ns;
	char since[32], span[32], wall[32], io[TEXT_SIZE];
	struct grid *g = &r->grid;
	int x = 1;

	since_text(since, sizeof(since), since_ns, span_ns);
	since_text(span, sizeof(span), span_ns, span_ns);
	wall_clock(wall, sizeof(wall), r->t_ns, r->opts->wall_ns);
	io_text(r, io, sizeof(io));
	x += grid_text(g, y, x, g->cols - x, state_glyph(r), STYLE_TITLE) + 1;
	x += grid_print(g, y, x, g->cols - x, STYLE_KEY, "%gx", replay_speed(r)) + 2;
	x += grid_print(g, y, x, g->cols - x, STYLE_NORMAL, "%s of %s  %d%%  %s%s#%" PRIu64, since,
			span, span_ns ? (int)((double)since_ns * 100 / (double)span_ns + 0.5) : 0, wall,
			wall[0] ? "  " : "", player_seq(r->player)) + 2;
	grid_text(g, y, x, g->cols - x, io, STYLE_DIM);
}

/* Which span the rates are over, when it is not the refresh interval; and how much happened in it. */
static void draw_between(struct replay *r, int y)
{
	uint64_t from_ns = r->a_ns < r->b_ns ? r->a_ns : r->b_ns;
	uint64_t to_ns = r->a_ns < r->b_ns ? r->b_ns : r->a_ns;
	uint64_t first_ns = player_first_ns(r->player), span_ns = to_ns - from_ns;
	char from[32], to[32], took[UNITS_SIZE], ops[UNITS_SIZE], rate[UNITS_SIZE];
	double n = r->dash.frame.ops_per_s * r->dash.frame.interval_s;

	since_text(from, sizeof(from), from_ns - first_ns, player_last_ns(r->player) - first_ns);
	since_text(to, sizeof(to), to_ns - first_ns, player_last_ns(r->player) - first_ns);
	grid_print(&r->grid, y, 1, r->grid.cols - 2, STYLE_WARN,
		   "between A and B: %s to %s, %s: %s operations, %s/s; all rates above are over it",
		   from, to, units_time(took, span_ns), units_count(ops, n),
		   units_count(rate, r->dash.frame.ops_per_s));
}

static void draw_prompt(struct replay *r, int y)
{
	bool is_match = r->prompt == REPLAY_PROMPT_MATCH;
	struct grid *g = &r->grid;
	int x = 1;

	x += grid_text(g, y, x, g->cols - x, is_match ? "Next operation with: " : "Go to: ",
		       STYLE_KEY);
	x += grid_text(g, y, x, g->cols - x - 2, r->input, STYLE_NORMAL);
	grid_restyle(g, y, x, 1, STYLE_SELECTED);
	if (!r->input[0])
		grid_text(g, y, x + 2, g->cols - x - 3,
			  is_match ? "kind=pipe op=read comm=dd bytes>4096 blocked error" : PLACE_HELP,
			  STYLE_DIM);
}

/*
 * The keys of the replay in the place of the timeline, while the dashboard shows its own. Returns how
 * many rows that takes; below the grid nothing is drawn.
 */
static int draw_help(struct grid *g, int y)
{
	int x = 1, first = y;

	for (int i = 0; replay_help[i][0]; i++) {
		int width = grid_text_width(g, replay_help[i][0]) +
			    grid_text_width(g, replay_help[i][1]) + 1;

		if (x > 1 && x + width > g->cols - 1) {
			y++;
			x = 1;
		}
		x += grid_text(g, y, x, g->cols - x, replay_help[i][0], STYLE_KEY) + 1;
		x += grid_text(g, y, x, g->cols - x, replay_help[i][1], STYLE_NORMAL) + 2;
	}
	return y + 1 - first;
}

static void draw_below(struct replay *r, int y)
{
	const struct timebar_place at = { .now_ns = r->t_ns, .a_ns = r->a_ns, .b_ns = r->b_ns };

	if (r->prompt != REPLAY_PROMPT_NONE)
		draw_prompt(r, y);
	else if (r->message[0])
		grid_text(&r->grid, y, 1, r->grid.cols - 2, r->message, STYLE_WARN);
	else if (r->between)
		draw_between(r, y);
	else
		draw_state(r, y);
	timebar_draw(&r->bar, &at, &r->grid, y + 1);
}

/* The dashboard as it is drawn by itself, in fewer rows. */
static void copy_dash(struct replay *r, int rows)
{
	for (int y = 0; y < rows; y++)
		memcpy(&r->grid.cells[y * r->grid.cols], &r->dash.grid.cells[y * r->grid.cols],
		       (size_t)r->grid.cols * sizeof(struct cell));
}

int replay_draw(struct replay *r, int rows, int cols)
{
	bool fits = rows >= REPLAY_MIN_ROWS && cols >= DASH_MIN_COLS;
	bool helps = replay_is_helping(r);
	int err = grid_resize(&r->grid, rows, cols), below = fits ? REPLAY_ROWS : 0;

	if (err)
		return err;
	if (helps && fits)
		below = draw_help(&r->grid, rows);
	if (rows - below < DASH_MIN_ROWS)
		below = rows - DASH_MIN_ROWS > 0 ? rows - DASH_MIN_ROWS : 0;
	err = dash_draw(&r->dash, rows - below, cols);
	if (err)
		return err;
	copy_dash(r, rows - below);
	if (helps && fits)
		draw_help(&r->grid, rows - below);
	else if (fits)
		draw_below(r, rows - below);
	return 0;
}

void replay_draw_progress(struct replay *r, double done)
{
	struct grid *g = &r->grid;
	int y = g->rows >= REPLAY_MIN_ROWS ? g->rows - REPLAY_ROWS : g->rows - 1;

	grid_fill(g, y, 0, g->cols, STYLE_NORMAL);
	grid_print(g, y, 1, g->cols - 2, STYLE_WARN, "going there: %d %%   Esc gives up",
		   (int)(done * 100));
}
