// SPDX-License-Identifier: GPL-2.0-or-later
/* The state of a replay, and how it moves through time; see replay.h. Keys are replay_keys.c. */
#include "ui/tui/replay.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "ui/tui/replay_inner.h"

#define EVENTS_A_TICK 100000u /* so that keys are answered while a busy trace is played */

const double replay_speeds[] = { 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000 };
const int replay_nspeeds = sizeof(replay_speeds) / sizeof(replay_speeds[0]);
#define SPEED_NORMAL 3

double replay_speed(const struct replay *r) { return replay_speeds[r->speed]; }

static uint64_t interval_ns(const struct replay *r)
{
	return (uint64_t)(r->dash.interval_s * 1e9);
}

static int refresh(struct replay *r, uint64_t now_ns, struct fail *fail)
{
	int err = dash_refresh(&r->dash, &r->tui, now_ns);

	return err ? fail_set(fail, -err, NULL, "cannot take a frame") : 0;
}

/* ---- frames ---- */

/* The frame before, which rates begin at. In front of the first event nothing has happened yet. */
static int refresh_before(struct replay *r, uint64_t from_ns, struct fail *fail)
{
	uint64_t first_ns = player_first_ns(r->player);
	int err;

	if (from_ns <= first_ns) {
		from_ns = first_ns;
		err = player_to_seq(r->player, 0, fail);
	} else {
		err = player_to_time(r->player, from_ns, fail);
	}
	return err ? err : refresh(r, from_ns, fail);
}

int replay_take(struct replay *r, struct fail *fail)
{
	uint64_t seq = player_seq(r->player), every = interval_ns(r), from_ns;
	int err;

	from_ns = r->t_ns > every ? r->t_ns - every : 0;
	if (r->between)
		from_ns = r->a_ns < r->b_ns ? r->a_ns : r->b_ns;
	err = refresh_before(r, from_ns, fail);
	if (!err)
		err = player_to_seq(r->player, seq, fail);
	if (!err)
		err = replay_tail_collect(&r->latest, fail);
	return err ? err : refresh(r, r->t_ns, fail);
}

int replay_show(struct replay *r, uint64_t t_ns, struct fail *fail)
{
	uint64_t first_ns = player_first_ns(r->player), last_ns = player_last_ns(r->player);
	int err;

	r->t_ns = t_ns < first_ns ? first_ns : t_ns > last_ns ? last_ns : t_ns;
	err = player_to_time(r->player, r->t_ns, fail);
	return err ? err : replay_take(r, fail);
}

/* ---- playing ---- */

static bool is_at_end(const struct replay *r) { return r->t_ns >= player_last_ns(r->player); }

/* As far as the clock says, or, where more happens than can be replayed in time, as far as it got. */
static int play_on(struct replay *r, uint64_t elapsed_ns, struct fail *fail)
{
	uint64_t last_ns = player_last_ns(r->player);
	double ahead = (double)elapsed_ns * replay_speed(r);
	uint64_t to_ns = ahead < (double)(last_ns - r->t_ns) ? r->t_ns + (uint64_t)ahead : last_ns;
	int more = player_advance(r->player, to_ns, EVENTS_A_TICK, fail);

	if (more < 0)
		return more;
	r->t_ns = !more ? to_ns : player_ns(r->player) > r->t_ns ? player_ns(r->player) : r->t_ns;
	if (is_at_end(r))
		r->playing = false;
	return 0;
}

int replay_tick(struct replay *r, uint64_t clock_ns, struct fail *fail)
{
	uint64_t elapsed_ns = clock_ns > r->wall_ns ? clock_ns - r->wall_ns : 0;
	int err;

	r->wall_ns = clock_ns;
	if (!r->playing)
		return 0;
	err = play_on(r, elapsed_ns, fail);
	if (!err && (clock_ns >= r->due_ns || !r->playing)) {
		r->due_ns = clock_ns + interval_ns(r);
		/* the end is shown as it was, and not with rates over what was left */
		err = r->playing ? refresh(r, r->t_ns, fail) : replay_take(r, fail);
	}
	return err ? err : 1;
}

/* ---- beginning and end ---- */

static int go_to_beginning(struct replay *r, struct fail *fail)
{
	struct place_of of = replay_place_of(r);
	struct place place;
	int err;

	if (!r->opts->at) {
		r->playing = true;
		return replay_show(r, player_first_ns(r->player), fail);
	}
	err = place_parse(&place, r->opts->at, &of, fail);
	return err ? err : replay_go(r, &place, fail);
}

int replay_init(struct replay *r, const struct replay_opts *opts, struct fail *fail)
{
	int err;

	*r = (struct replay){
		.opts = opts,
		.player = opts->player,
		.speed = SPEED_NORMAL,
		.t_ns = player_first_ns(opts->player),
		.bar = {
			.first_ns = player_first_ns(opts->player),
			.last_ns = player_last_ns(opts->player),
			.findings = opts->findings,
			.nfindings = opts->nfindings,
		},
	};
	r->bar.slots = player_activity(opts->player, &r->bar.nslots);
	if (opts->tell)
		*opts->tell = r;
	r->tui = opts->tui;
	r->tui.tail = &r->latest.tail;
	r->tui.takes_key = replay_takes_key;
	err = replay_tail_init(&r->latest, r->player, r->tui.model, r->tui.filter);
	if (err)
		return fail_set(fail, -err, NULL, "cannot set up the dashboard");
	err = dash_init(&r->dash, &r->tui, fail);
	if (!err && grid_init(&r->grid, REPLAY_MIN_ROWS, DASH_MIN_COLS) < 0)
		err = fail_set(fail, ENOMEM, NULL, "cannot set up the dashboard");
	if (err)
		return err;
	dash_configure(&r->dash); /* the interval is what rates are over */
	return go_to_beginning(r, fail);
}

void replay_release(struct replay *r)
{
	if (r->opts->tell)
		*r->opts->tell = NULL;
	replay_tail_release(&r->latest);
	filter_free(r->match);
	dash_release(&r->dash);
	grid_release(&r->grid);
}

struct place_of replay_place_of(const struct replay *r)
{
	return (struct place_of){
		.first_ns = player_first_ns(r->player),
		.last_ns = player_last_ns(r->player),
		.now_ns = r->t_ns,
		.events = player_events(r->player),
		.wall_ns = r->opts->wall_ns,
	};
}

/* Where the player stands is where we are: at the event it applied last. */
int replay_follow_player(struct replay *r, struct fail *fail)
{
	const struct ev_io *io = player_io(r->player);

	r->t_ns = player_ns(r->player);
	if (io && io->hdr.t_ns > r->t_ns)
		r->t_ns = io->hdr.t_ns;
	if (r->t_ns < player_first_ns(r->player))
		r->t_ns = player_first_ns(r->player);
	return replay_take(r, fail);
}

int replay_go(struct replay *r, const struct place *place, struct fail *fail)
{
	int err;

	if (!place->seq)
		return replay_show(r, place->t_ns, fail);
	err = player_to_seq(r->player, place->seq, fail);
	return err ? err : replay_follow_player(r, fail);
}
