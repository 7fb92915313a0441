// SPDX-License-Identifier: GPL-2.0-or-later
/* What keys do in a replay; those that are not here are the dashboard's. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "ui/tui/keys.h"
#include "ui/tui/replay_inner.h"

const char *const replay_help[][2] = {
	{ "Space", "play, pause" },
	{ "Left Right", "1 % back, on" },
	{ "{ }", "10 % back, on" },
	{ "0 $", "the start, the end" },
	{ ", .", "an operation back, on" },
	{ "[ ]", "slower, faster: 0.1x to 1000x" },
	{ ":", "go to " PLACE_HELP },
	{ "m M", "the next match of a filter, the one before" },
	{ "e", "the filter that m looks for" },
	{ "l L", "the next loss, the one before" },
	{ "d D", "the next deadlock or other finding, the one before" },
	{ "a b", "set mark A, B here, or take it away" },
	{ "A B", "go to the mark" },
	{ "=", "rates of all between A and B; again: as live" },
	{ "( )", "scroll to the left, to the right" },
	{ NULL, NULL },
};

/* Gone on from: the reason is shown. */
static int forgive(struct replay *r, int err, const struct fail *why)
{
	if (err != -ECANCELED && err != -EINVAL)
		return err;
	snprintf(r->message, sizeof(r->message), "%.100s%s%.50s",
		 err == -ECANCELED ? "given up" : why->what, err == -ECANCELED ? "" : "; ",
		 err == -ECANCELED ? "" : why->remedy);
	return 0;
}

/* ---- moving ---- */

static int move_share(struct replay *r, double share, struct fail *fail)
{
	uint64_t first_ns = player_first_ns(r->player), last_ns = player_last_ns(r->player);
	double to = (double)(r->t_ns - first_ns) + share * (double)(last_ns - first_ns);

	return replay_show(r, to > 0 ? first_ns + (uint64_t)to : first_ns, fail);
}

static int step(struct replay *r, bool back, player_match *match, struct fail *fail)
{
	int found = player_find(r->player, back, match, r->match, fail);

	if (found < 0)
		return found;
	if (!found)
		snprintf(r->message, sizeof(r->message), "there is no %s %s",
			 match ? "match" : "operation", back ? "before" : "after that");
	return found ? replay_follow_player(r, fail) : 0;
}

static int find_loss(struct replay *r, bool back, struct fail *fail)
{
	int found = player_find_loss(r->player, back, fail);

	if (found < 0)
		return found;
	if (!found)
		snprintf(r->message, sizeof(r->message), "nothing was lost %s",
			 back ? "before" : "after that");
	return found ? replay_follow_player(r, fail) : 0;
}

static int find_finding(struct replay *r, bool back, struct fail *fail)
{
	const struct timebar_finding *to = NULL;

	for (size_t i = 0; i < r->bar.nfindings; i++) {
		const struct timebar_finding *f = &r->bar.findings[i];

		if (back ? f->t_ns < r->t_ns : f->t_ns > r->t_ns && !to)
			to = f;
	}
	if (!to) {
		snprintf(r->message, sizeof(r->message), "no deadlock was found %s",
			 back ? "before" : "after that");
		return 0;
	}
	snprintf(r->message, sizeof(r->message), "%s", to->text);
	return replay_show(r, to->t_ns, fail);
}

/* ---- marks ---- */

static int toggle_mark(struct replay *r, uint64_t *mark, char name, struct fail *fail)
{
	bool is_here = *mark == r->t_ns;

	*mark = is_here ? 0 : r->t_ns;
	snprintf(r->message, sizeof(r->message), "mark %c is %s", name, is_here ? "gone" : "here");
	if (!r->between)
		return 0;
	r->between = false;
	return replay_take(r, fail);
}

static int go_to_mark(struct replay *r, uint64_t mark, char name, struct fail *fail)
{
	if (mark)
		return replay_show(r, mark, fail);
	snprintf(r->message, sizeof(r->message), "mark %c is not set: %c sets it", name,
		 name == 'A' ? 'a' : 'b');
	return 0;
}

static int toggle_between(struct replay *r, struct fail *fail)
{
	if (!r->between && (!r->a_ns || !r->b_ns || r->a_ns == r->b_ns)) {
		snprintf(r->message, sizeof(r->message), "set two marks first: a and b");
		return 0;
	}
	r->between = !r->between;
	return replay_show(r, !r->between ? r->t_ns : r->a_ns > r->b_ns ? r->a_ns : r->b_ns, fail);
}

/* ---- the line that is typed ---- */

static int find_match(struct replay *r, bool back, struct fail *fail)
{
	if (r->match) {
		r->between = false;
		return step(r, back, filter_match_io, fail);
	}
	r->prompt = REPLAY_PROMPT_MATCH;
	r->input[0] = '\0';
	return 0;
}

static int enter_match(struct replay *r, struct fail *fail)
{
	struct filter *match = NULL;
	int err = filter_new(&match, r->input, fail);

	if (err)
		return err;
	filter_free(r->match);
	r->match = match;
	memcpy(r->match_text, r->input, sizeof(r->match_text));
	return find_match(r, false, fail);
}

static int enter(struct replay *r, struct fail *fail)
{
	struct place_of of = replay_place_of(r);
	enum replay_prompt prompt = r->prompt;
	struct place place;
	int err;

	r->prompt = REPLAY_PROMPT_NONE;
	if (!r->input[0])
		return 0;
	if (prompt == REPLAY_PROMPT_MATCH)
		return enter_match(r, fail);
	err = place_parse(&place, r->input, &of, fail);
	if (err)
		return err;
	r->between = false;
	return replay_go(r, &place, fail);
}

/* 1, or what went wrong. */
static int prompt_key_of(struct replay *r, int key, struct fail *fail)
{
	int err = 0;

	switch (key) {
	case KEY_RETURN:
	case '\r':
		err = enter(r, fail);
		break;
	case KEY_ESCAPE:
		r->prompt = REPLAY_PROMPT_NONE;
		break;
	case KEY_ERASE:
		line_erase(r->input);
		break;
	case KEY_CTRL_U:
		r->input[0] = '\0';
		break;
	default:
		line_append(r->input, sizeof(r->input), key);
	}
	return err ? err : 1;
}

/* ---- keys ---- */

static void change_speed(struct replay *r, int by)
{
	int speed = r->speed + by;

	if (speed >= 0 && speed < replay_nspeeds)
		r->speed = speed;
}

static int toggle_play(struct replay *r, struct fail *fail)
{
	r->playing = !r->playing;
	r->wall_ns = clock_now_ns();
	r->due_ns = 0;
	if (r->playing && r->between)
		r->between = false;
	if (r->playing && r->t_ns >= player_last_ns(r->player)) /* once more */
		return replay_show(r, player_first_ns(r->player), fail);
	return r->playing ? 0 : replay_take(r, fail);
}

/* False: a key of the dashboard. Keys that go somewhere stop there. */
static bool is_move(int key)
{
	return key == KEY_ARROW_LEFT || key == KEY_ARROW_RIGHT || (key > 0 && key < 128 &&
		strchr("{}0$,.mMlLdDAB=", key));
}

static int move_key(struct replay *r, int key, struct fail *fail)
{
	switch (key) {
	case KEY_ARROW_LEFT:
		return move_share(r, -0.01, fail);
	case KEY_ARROW_RIGHT:
		return move_share(r, 0.01, fail);
	case '{':
		return move_share(r, -0.1, fail);
	case '}':
		return move_share(r, 0.1, fail);
	case '0':
		return replay_show(r, 0, fail);
	case '$':
		return replay_show(r, UINT64_MAX, fail);
	case ',':
	case '.':
		return step(r, key == ',', NULL, fail);
	case 'm':
	case 'M':
		return find_match(r, key == 'M', fail);
	case 'l':
	case 'L':
		return find_loss(r, key == 'L', fail);
	case 'd':
	case 'D':
		return find_finding(r, key == 'D', fail);
	case 'A':
		return go_to_mark(r, r->a_ns, 'A', fail);
	case 'B':
		return go_to_mark(r, r->b_ns, 'B', fail);
	default:
		return toggle_between(r, fail);
	}
}

/* On the timeline: goes there. Above it is the dashboard's. */
static int click(struct replay *r, int y, int x, struct fail *fail)
{
	int err;

	if (r->grid.rows < REPLAY_MIN_ROWS || y < r->grid.rows - TIMEBAR_ROWS)
		return 0;
	r->playing = r->between = false;
	err = replay_show(r, timebar_time(&r->bar, r->grid.cols, x), fail);
	return err ? err : 1;
}

bool replay_takes_key(int key)
{
	return is_move(key) || (key > 0 && key < 128 && strchr(" []:eab", key));
}

/* 1: it was a key of the replay. */
static int own_key(struct replay *r, int key, struct fail *fail)
{
	int err = 0;

	if (key_is_click(key))
		return click(r, (key - KEY_CLICK) / 1024, (key - KEY_CLICK) % 1024, fail);
	if (!replay_takes_key(key))
		return 0;
	if (is_move(key)) {
		if (key != '=' && key != 'm' && key != 'M')
			r->between = false;
		r->playing = false;
		err = move_key(r, key, fail);
		return err ? err : 1;
	}
	switch (key) {
	case ' ':
		err = toggle_play(r, fail);
		break;
	case '[':
		change_speed(r, -1);
		break;
	case ']':
		change_speed(r, 1);
		break;
	case ':':
	case 'e':
		r->playing = false;
		r->prompt = key == ':' ? REPLAY_PROMPT_GO : REPLAY_PROMPT_MATCH;
		snprintf(r->input, sizeof(r->input), "%s", key == ':' ? "" : r->match_text);
		break;
	case 'a':
		err = toggle_mark(r, &r->a_ns, 'A', fail);
		break;
	default:
		err = toggle_mark(r, &r->b_ns, 'B', fail);
	}
	return err ? err : 1;
}

/* It is asking something, or covered by something. */
static bool wants_all_keys(const struct dash *d)
{
	return d->prompt != PROMPT_NONE || d->cover != COVER_NONE;
}

bool replay_is_helping(const struct replay *r) { return r->dash.cover == COVER_HELP; }

int replay_key(struct replay *r, int key, unsigned int *wish, struct fail *fail)
{
	struct fail why = { 0 };
	double interval_s = r->dash.interval_s;
	int own, err;

	*wish = DASH_NOTHING;
	r->message[0] = '\0';
	if (key == KEY_TERMINAL_RESIZED || wants_all_keys(&r->dash))
		own = 0;
	else if (r->prompt != REPLAY_PROMPT_NONE)
		own = prompt_key_of(r, key, &why);
	else
		own = own_key(r, key, &why);
	if (own == 0)
		*wish = dash_key(&r->dash, key);
	err = own < 0 ? forgive(r, own, &why) : 0;
	/* another interval is another rate */
	if (!err && r->dash.interval_s != interval_s && !r->playing)
		err = replay_take(r, &why);
	if (err && fail)
		*fail = why;
	return err;
}
