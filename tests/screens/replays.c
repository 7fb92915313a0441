// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Replay, without a terminal. The small world is recorded while a dashboard looks at it live, every
 * 100 ms; then the recording is shown at those times, in any order and by any way, and has to look
 * the same to the last character. The timeline below is compared with golden files.
 *
 *     replays [--update] DIR
 */
#include <errno.h>
#include <locale.h>
#include <unistd.h>

#include "lib/store/store.h"
#include "tests/screens/tap.h"
#include "tests/screens/world.h"
#include "tests/unit/story.h"
#include "ui/tui/keys.h"
#include "ui/tui/replay.h"

#define EVENTS_MAX 2000
#define LOOKS 21
#define LOOK_NS (100 * MS)
#define SIZES 2

static const struct {
	int rows, cols;
} sizes[SIZES] = { { 24, 80 }, { 50, 160 } };

static void die(const char *what)
{
	printf("Bail out! %s\n", what);
	exit(1);
}

/* ---- the world, kept to be told again ---- */

static struct ev_hdr *events[EVENTS_MAX];
static int nevents;

static void keep_event(const struct ev_hdr *ev)
{
	if (nevents == EVENTS_MAX)
		die("the world has become too large");
	events[nevents] = malloc(ev->size);
	if (!events[nevents])
		die("no memory");
	memcpy(events[nevents++], ev, ev->size);
}

/* It ends a little after its last event, as worlds do. */
static void keep_world(void)
{
	struct ev_hdr end = { .t_ns = T0 + 2200 * MS, .type = EV_TIME, .size = sizeof(end) };

	world_listener = keep_event;
	world_begin(NULL);
	world_go_on(NULL);
	world_listener = NULL;
	keep_event(&end);
}

/* ---- live ---- */

static char *looks[LOOKS][VIEW_MAX][SIZES];

/* The first rows of a grid as text. */
static char *text_of(const struct grid *g, int from, int to)
{
	char *text, *line = malloc(grid_line_size(g));
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f || !line)
		die("no memory");
	for (int y = from; y < to; y++) {
		grid_line(g, y, line, grid_line_size(g));
		fprintf(f, "%s\n", line);
	}
	fclose(f);
	free(line);
	return text;
}

static uint64_t look_ns(int look) { return T0 + (uint64_t)(look + 1) * LOOK_NS; }

static void look_live(struct dash *d, const struct tui_opts *opts, int look)
{
	if (dash_refresh(d, opts, look_ns(look)) < 0)
		die("cannot refresh");
	for (int v = 0; v < VIEW_MAX; v++)
		for (int i = 0; i < SIZES; i++) {
			dash_key(d, '1' + v);
			if (dash_draw(d, sizes[i].rows - REPLAY_ROWS, sizes[i].cols) < 0)
				die("cannot draw");
			looks[look][v][i] = text_of(&d->grid, 0, d->grid.rows);
		}
}

/* Records, and looks at it whenever it is time. */
static void live(const char *path)
{
	struct tail tail;
	struct tui_opts opts = { .model = model_new(), .title = "world", .interval_s = 0.1,
				 .verb = "replay", .tail = &tail };
	struct store_opts store_opts = { .source = "test", .command = "", .options = "" };
	struct store *store;
	struct fail fail;
	struct dash dash;
	int look = 0;

	if (!opts.model || tail_init(&tail) < 0 || dash_init(&dash, &opts, NULL) < 0 ||
	    store_create(&store, path, &store_opts, &fail))
		die("cannot begin");
	store_follow(store, opts.model);
	for (int i = 0; i < nevents; i++) {
		for (; look < LOOKS && event_tells_time(events[i]) &&
		       events[i]->t_ns > look_ns(look); look++)
			look_live(&dash, &opts, look);
		if (model_apply(opts.model, events[i]) || sink_event(&tail.sink, events[i]) ||
		    sink_event(store_sink(store), events[i]))
			die("an event was refused");
	}
	if (look != LOOKS || store_finish(store, opts.model, &fail))
		die("it did not end well");
	store_free(store);
	dash_release(&dash);
	tail_release(&tail);
	model_free(opts.model);
}

/* ---- replay ---- */

struct stage {
	struct trace *trace;
	struct model *model;
	struct player *player;
	struct replay_opts opts;
	struct replay replay;
};

static const struct timebar_finding findings[] = {
	{ T0 + 311 * MS, "closed-world: left[401] write, right[402] write" },
	{ T0 + 1700 * MS, "slow: wc[102] read" },
};

static void stage_open(struct stage *s, const char *path, const char *at)
{
	static const struct player_opts player_opts;
	struct fail fail = { 0 };

	*s = (struct stage){ .model = model_new() };
	if (!s->model || trace_open(&s->trace, path, &fail) ||
	    player_open(&s->player, s->trace, s->model, &player_opts, &fail))
		die("cannot open");
	s->opts = (struct replay_opts){
		.tui = { .model = s->model, .title = "world", .interval_s = 0.1, .verb = "replay" },
		.player = s->player,
		.wall_ns = 1700000000000000000 - (int64_t)T0,
		.at = at,
		.findings = findings,
		.nfindings = 2,
	};
	if (replay_init(&s->replay, &s->opts, &fail))
		die("cannot begin to replay");
}

static void stage_close(struct stage *s)
{
	replay_release(&s->replay);
	player_close(s->player);
	model_free(s->model);
	trace_close(s->trace);
}

static unsigned int press(struct stage *s, int key)
{
	unsigned int wish;

	if (replay_key(&s->replay, key, &wish, NULL))
		die("a key failed");
	return wish;
}

static void type(struct stage *s, const char *text)
{
	for (; *text; text++)
		press(s, (unsigned char)*text);
	press(s, KEY_RETURN);
}

static void go(struct stage *s, const char *place)
{
	press(s, ':');
	type(s, place);
}

static void draw(struct stage *s, int rows, int cols)
{
	if (replay_draw(&s->replay, rows, cols) < 0)
		die("cannot draw");
}

/* Is everything above the timeline what it was? */
static bool is_as_live(struct stage *s, int look)
{
	bool same = true;

	for (int v = 0; v < VIEW_MAX; v++)
		for (int i = 0; i < SIZES; i++) {
			char *text;

			press(s, '1' + v);
			draw(s, sizes[i].rows, sizes[i].cols);
			text = text_of(&s->replay.grid, 0, sizes[i].rows - REPLAY_ROWS);
			if (same && strcmp(text, looks[look][v][i]) != 0) {
				printf("# look %d, view %d, %d columns\n", look, v, sizes[i].cols);
				show_difference(text, looks[look][v][i]);
			}
			same &= strcmp(text, looks[look][v][i]) == 0;
			free(text);
		}
	return same;
}

static void test_every_look(const char *path)
{
	struct stage s;
	int same = 0;

	ok(strcmp(looks[0][0][0], looks[9][0][0]) && strcmp(looks[9][0][0], looks[20][0][0]),
	   "what was live is not always the same");
	stage_open(&s, path, "start");
	for (int i = 0; i < LOOKS; i++) {
		struct fail fail;

		if (replay_show(&s.replay, look_ns(i), &fail))
			die("cannot go there");
		same += is_as_live(&s, i);
	}
	if (!ok(same == LOOKS, "from start to end, every screen is what was live"))
		printf("# %d of %d\n", same, LOOKS);
	for (int i = same = 0; i < 100; i++) { /* 8 and 21 have no common divisor */
		struct fail fail;
		int look = i * 8 % LOOKS;

		if (replay_show(&s.replay, look_ns(look), &fail))
			die("cannot go there");
		same += is_as_live(&s, look);
	}
	if (!ok(same == 100, "and so it is when jumping about"))
		printf("# %d of 100\n", same);
	stage_close(&s);
}

/* By keys: typed times, shares, single steps, and played. */
static void test_ways(const char *path)
{
	uint64_t clock_ns = 1000 * MS;
	struct stage s;

	stage_open(&s, path, "1.0s");
	ok(!s.replay.playing && is_as_live(&s, 9), "--at 1.0s");
	go(&s, "300ms");
	ok(is_as_live(&s, 2), ": 300ms");
	go(&s, "+1.2s");
	ok(is_as_live(&s, 14), ": +1.2s");
	go(&s, "50%");
	ok(is_as_live(&s, 10), ": 50%%");
	go(&s, "22:13:20.500");
	ok(is_as_live(&s, 4), ": by the clock on the wall");
	press(&s, '.');
	press(&s, '.');
	press(&s, ',');
	press(&s, ',');
	ok(s.replay.t_ns < T0 + 500 * MS, "steps on and back");
	go(&s, "0.5");
	ok(is_as_live(&s, 4), ": 0.5");
	for (int i = 0; i < 10; i++)
		press(&s, KEY_ARROW_RIGHT);
	ok(s.replay.t_ns == T0 + 720 * MS, "ten times Right: a tenth of it");
	press(&s, '{');
	ok(s.replay.t_ns == T0 + 500 * MS && is_as_live(&s, 4), "{: back by a tenth");

	go(&s, "start");
	press(&s, ' ');
	ok(s.replay.playing, "Space plays");
	s.replay.wall_ns = clock_ns;
	s.replay.due_ns = clock_ns + 100 * MS;
	for (int i = 1; i <= 10; i++)
		replay_tick(&s.replay, clock_ns += 10 * MS, NULL);
	ok(is_as_live(&s, 0), "after 100 ms it is what it was then");
	press(&s, ']');
	for (int i = 1; i <= 10; i++)
		replay_tick(&s.replay, clock_ns += 10 * MS, NULL);
	ok(s.replay.t_ns == T0 + 300 * MS, "at twice the speed: 200 ms in 100");
	press(&s, ' ');
	ok(!s.replay.playing && is_as_live(&s, 2), "pausing shows it with its own rates");
	for (int i = 0; i < 20; i++)
		press(&s, ']');
	ok(replay_speed(&s.replay) == 1000, "no faster than 1000x");
	for (int i = 0; i < 20; i++)
		press(&s, '[');
	ok(replay_speed(&s.replay) == 0.1, "no slower than 0.1x");
	go(&s, "end");
	ok(s.replay.t_ns == T0 + 2200 * MS, ": end");
	draw(&s, 24, 80);
	press(&s, key_click(22, 0));
	ok(s.replay.t_ns == T0, "a click at the left of the timeline: the start");
	press(&s, key_click(23, 79));
	ok(s.replay.t_ns == T0 + 2200 * MS, "at its right: the end");
	press(&s, key_click(21, 47));
	draw(&s, 24, 80);
	ok(grid_cell(&s.replay.grid, 23, 47)->style == STYLE_TITLE, "between: there");
	stage_close(&s);
}

static bool message_has(const struct stage *s, const char *what)
{
	if (strstr(s->replay.message, what))
		return true;
	printf("# message: %s\n", s->replay.message);
	return false;
}

static void test_finds(const char *path)
{
	struct stage s;

	stage_open(&s, path, "start");
	press(&s, 'd');
	ok(s.replay.t_ns == T0 + 311 * MS && message_has(&s, "left[401]"), "d: the first finding");
	press(&s, 'd');
	ok(s.replay.t_ns == T0 + 1700 * MS, "d: the second");
	press(&s, 'd');
	ok(message_has(&s, "no deadlock"), "d: there is no third");
	press(&s, 'D');
	ok(s.replay.t_ns == T0 + 311 * MS, "D: back");
	go(&s, "start");
	press(&s, 'l');
	draw(&s, 24, 80);
	ok(s.replay.dash.frame.lost == 7, "l: the first loss, and no more");
	press(&s, 'l');
	ok(s.replay.dash.frame.lost == 9, "l: the second");
	press(&s, 'l');
	ok(message_has(&s, "nothing was lost after"), "l: no more");
	press(&s, 'L');
	ok(s.replay.dash.frame.lost == 7, "L: back");
	go(&s, "start");
	press(&s, 'm');
	ok(s.replay.prompt == REPLAY_PROMPT_MATCH, "m asks for a filter");
	type(&s, "op=msgsnd,msgrcv");
	ok(s.replay.t_ns == T0 + 400 * MS && player_io(s.player)->op == OP_MSGSND, "and finds it");
	press(&s, 'm');
	ok(s.replay.t_ns == T0 + 401 * MS && player_io(s.player)->op == OP_MSGRCV, "m: the next");
	press(&s, 'm');
	ok(message_has(&s, "no match after"), "m: no more");
	press(&s, 'M');
	ok(s.replay.t_ns == T0 + 400 * MS, "M: back");
	press(&s, 'e');
	type(&s, " nonsense=1");
	ok(message_has(&s, "nonsense"), "a filter that makes no sense is refused, with the word");
	press(&s, KEY_F4);
	press(&s, '(');
	ok(strcmp(s.replay.dash.input, "(") == 0, "a bracket can be typed into the filter of a view");
	press(&s, KEY_ESCAPE);
	go(&s, "yesterday");
	ok(message_has(&s, "no place"), "so is a place");
	ok(s.replay.t_ns == T0 + 400 * MS, "and it stays where it is");
	stage_close(&s);
}

static void test_marks(const char *path)
{
	struct stage s;
	double per_s;
	uint64_t ops;

	stage_open(&s, path, "start");
	press(&s, '=');
	ok(message_has(&s, "two marks"), "=: not without marks");
	go(&s, "200ms");
	press(&s, 'a');
	ops = model_ops(s.model);
	go(&s, "1.2s");
	press(&s, 'b');
	ops = model_ops(s.model) - ops;
	press(&s, '=');
	per_s = s.replay.dash.frame.ops_per_s;
	ok(s.replay.between && per_s == (double)ops, "=: rates are over the second between A and B");
	press(&s, '=');
	ok(!s.replay.between && is_as_live(&s, 11), "=: and again as they were live");
	press(&s, 'A');
	ok(is_as_live(&s, 1), "A: at the mark");
	press(&s, 'a');
	ok(!s.replay.a_ns, "a: takes the mark away");
	stage_close(&s);
}

/* ---- a trace so long that places are jumped to ---- */

#define STORY_EVENTS 60000

static void record_story(const char *path)
{
	struct store_opts opts = { .source = "test", .command = "", .options = "" };
	struct model *m = model_new();
	struct store *store;
	struct fail fail;

	if (!m || store_create(&store, path, &opts, &fail))
		die("cannot begin");
	store_follow(store, m);
	for (int i = 0; i < STORY_EVENTS; i++)
		if (model_apply(m, story_event(3, i)) == 0 &&
		    sink_event(store_sink(store), story_event(3, i)))
			die("an event was refused");
	if (store_finish(store, m, &fail))
		die("it did not end well");
	store_free(store);
	model_free(m);
}

/* The operations that are the latest after a jump are those that are when all is played. */
static void test_tail(const char *path)
{
	struct stage jumps, plays;
	struct fail fail;
	int same = 0, places = 0;

	record_story(path);
	stage_open(&jumps, path, "start");
	stage_open(&plays, path, "start");
	for (uint64_t share = 20; share <= 100; share += 16, places++) {
		uint64_t first_ns = player_first_ns(jumps.player);
		uint64_t to_ns = first_ns + (player_last_ns(jumps.player) - first_ns) * share / 100;
		const struct tail *a = &jumps.replay.latest.tail, *b = &plays.replay.latest.tail;
		uint64_t n = 0;

		if (replay_show(&jumps.replay, first_ns, &fail) ||
		    replay_show(&jumps.replay, to_ns, &fail) ||
		    player_through_to_seq(plays.player, player_seq(jumps.player), &fail))
			die("cannot go there");
		while (n < TAIL_MAX && n < a->n && n < b->n &&
		       memcmp(tail_get(a, a->n - 1 - n), tail_get(b, b->n - 1 - n),
			      sizeof(struct ev_io)) == 0)
			n++;
		same += n == (b->n < TAIL_MAX ? b->n : TAIL_MAX);
		if (n < TAIL_MAX && n < b->n)
			printf("# at %d%%: %d the same\n", (int)share, (int)n);
	}
	ok(same == places, "the latest %u operations, wherever it jumps to", TAIL_MAX);
	stage_close(&jumps);
	stage_close(&plays);
}

/* ---- golden files ---- */

static void golden(struct stage *s, const char *dir, bool update, const char *name)
{
	for (int i = 0; i < SIZES; i++) {
		char full[128], *text;

		draw(s, sizes[i].rows, sizes[i].cols);
		text = text_of(&s->replay.grid, sizes[i].rows - REPLAY_ROWS, sizes[i].rows);
		snprintf(full, sizeof(full), "replay-%s-%dx%d", name, sizes[i].cols, sizes[i].rows);
		is_golden(dir, full, text, update);
		free(text);
	}
}

static void golden_all(const char *path, const char *dir, bool update)
{
	struct stage s;

	stage_open(&s, path, "402ms");
	golden(&s, dir, update, "paused");
	press(&s, 'a');
	go(&s, "1.5s");
	press(&s, 'b');
	press(&s, '=');
	golden(&s, dir, update, "between");
	press(&s, ':');
	golden(&s, dir, update, "go");
	press(&s, KEY_ESCAPE);
	go(&s, "end");
	golden(&s, dir, update, "end");
	press(&s, KEY_F1);
	golden(&s, dir, update, "help");
	press(&s, KEY_ESCAPE);
	replay_draw_progress(&s.replay, 0.42);
	stage_close(&s);
}

/* ---- help ---- */

static bool help_says(struct stage *s, const char *words)
{
	char *text = text_of(&s->replay.grid, 0, s->replay.grid.rows);
	bool found = strstr(text, words) != NULL;

	free(text);
	return found;
}

static void test_help(const char *path)
{
	struct stage s;

	stage_open(&s, path, "402ms");
	press(&s, KEY_F1);
	draw(&s, 100, 160);
	ok(help_says(&s, "PgUp        one page up") && help_says(&s, "Left Right 1 % back, on"),
	   "the help has the dashboard's keys, and those of the replay");
	ok(!help_says(&s, "Left (") && !help_says(&s, "freeze the screen"),
	   "of a key that both have it says what it does here");
	ok(help_says(&s, "( ) scroll to the left, to the right"), "and which keys are left for the other");
	press(&s, KEY_ESCAPE);
	stage_close(&s);
}

/* ---- anything goes ---- */

static void test_any_keys(const char *path)
{
	static const int keys[] = { KEY_ARROW_LEFT, KEY_ARROW_RIGHT, KEY_RETURN, KEY_ESCAPE, KEY_F1,
				    KEY_F4, KEY_ERASE, KEY_TABULATOR, ' ', ':', 'e', 'm', 'M', '=',
				    'a', 'b', 'A', 'B', '{', '}', '0', '$', ',', '.', 'd', 'D', 'l',
				    'L', '[', ']', '1', '4', '5', '%', '#', '+', '-' };
	uint64_t clock_ns = 1000 * MS;
	unsigned int r = 1;
	struct stage s;

	stage_open(&s, path, NULL);
	ok(s.replay.playing, "without --at it plays from the start");
	s.replay.wall_ns = clock_ns;
	for (int i = 0; i < 1500; i++) {
		int key = keys[(size_t)rand_r(&r) % (sizeof(keys) / sizeof(*keys))];
		unsigned int wish;

		if (replay_key(&s.replay, key, &wish, NULL) < 0 ||
		    replay_tick(&s.replay, clock_ns += 7 * MS, NULL) < 0)
			die("it cannot go on");
		draw(&s, 1 + rand_r(&r) % 60, 1 + rand_r(&r) % 200);
		if (s.replay.t_ns < T0 || s.replay.t_ns > T0 + 2200 * MS)
			die("it has left the trace");
	}
	ok(true, "1500 keys at any size");
	stage_close(&s);
}

static void test_empty(const char *path)
{
	struct store_opts opts = { .source = "test", .command = "", .options = "" };
	struct store *store;
	struct fail fail;
	struct stage s;

	if (store_create(&store, path, &opts, &fail) || store_finish(store, NULL, &fail))
		die("cannot make an empty trace");
	store_free(store);
	stage_open(&s, path, NULL);
	draw(&s, 24, 80);
	for (const char *key = " .,:0{}$lLdDab=AB"; *key; key++)
		press(&s, *key);
	press(&s, KEY_ESCAPE);
	draw(&s, 24, 80);
	ok(replay_tick(&s.replay, 1, NULL) >= 0, "an empty trace has nothing to show, and shows it");
	stage_close(&s);
}

int main(int argc, char **argv)
{
	bool update = argc == 3 && strcmp(argv[1], "--update") == 0;
	char folder[] = "/tmp/ipctap-replays-XXXXXX", path[64], empty[64];

	if (argc < 2 || argc > 3 || (argc == 3 && !update)) {
		fprintf(stderr, "usage: replays [--update] DIR\n");
		return 2;
	}
	setlocale(LC_CTYPE, "");
	if (!mkdtemp(folder))
		die("cannot make a folder");
	snprintf(path, sizeof(path), "%s/world.db", folder);
	snprintf(empty, sizeof(empty), "%s/empty.db", folder);
	keep_world();
	live(path);
	test_every_look(path);
	test_ways(path);
	test_finds(path);
	test_marks(path);
	golden_all(path, argv[argc - 1], update);
	test_help(path);
	test_any_keys(path);
	test_empty(empty);
	test_tail(empty);
	unlink(path);
	unlink(empty);
	rmdir(folder);
	for (int i = 0; i < nevents; i++)
		free(events[i]);
	for (int i = 0; i < LOOKS * VIEW_MAX * SIZES; i++)
		free(looks[i / (VIEW_MAX * SIZES)][i / SIZES % VIEW_MAX][i % SIZES]);
	return done_testing();
}
