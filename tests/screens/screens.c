// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The dashboard's screens as text, without a terminal: keys in, grids out.
 *
 *     screens [--update] DIR     compares with the golden files in DIR; --update writes them
 *
 * In a locale that is not UTF-8 only what does not depend on golden files is tested.
 */
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <math.h>

#include <jansson.h>

#include "tests/screens/stage.h"
#include "ui/tui/rowfilter.h"
#include "ui/tui/units.h"

/* First line of the screen that has the style somewhere; -1: none. */
static int line_with(const struct grid *g, enum style style)
{
	for (int y = 0; y < g->rows; y++)
		for (int x = 0; x < g->cols; x++)
			if (grid_cell(g, y, x)->style == style)
				return y;
	return -1;
}

static const char *line_text(const struct grid *g, int y)
{
	static char line[4096];

	line[0] = '\0';
	if (y >= 0)
		grid_line(g, y, line, sizeof(line));
	return line;
}

/* ---- golden files ---- */

static void golden(struct stage *s, const char *dir, bool update, const char *name, int rows,
		   int cols)
{
	char full[128], *text = screen(s, rows, cols);

	snprintf(full, sizeof(full), "%s-%dx%d", name, cols, rows);
	is_golden(dir, full, text, update);
	free(text);
}

static void golden_shapes(struct stage *s, const char *dir, bool update)
{
	press(s, '1');
	press(s, KEY_F5);
	golden(s, dir, update, "processes-tree", 24, 80);
	press(s, KEY_F5);
	press(s, '3');
	press(s, KEY_F5);
	golden(s, dir, update, "talk-graph", 24, 80);
	golden(s, dir, update, "talk-graph", 50, 160);
	press(s, KEY_F5);
	golden(s, dir, update, "talk-matrix", 24, 80);
	golden(s, dir, update, "talk-matrix", 50, 160);
	press(s, KEY_F5);
}

static void golden_pages(struct stage *s, const char *dir, bool update)
{
	press(s, '1');
	press(s, '/');
	type(s, "srv");
	press(s, KEY_RETURN);
	press(s, KEY_F9);
	golden(s, dir, update, "end-how", 24, 80);
	press(s, KEY_ESCAPE);
	press(s, KEY_RETURN);
	golden(s, dir, update, "page-process", 24, 80);
	golden(s, dir, update, "page-process", 50, 160);
	press(s, '2');
	press(s, KEY_TO_HOME);
	press(s, KEY_RETURN);
	golden(s, dir, update, "page-channel", 24, 80);
	golden(s, dir, update, "page-channel", 50, 160);
	press(s, '3');
	press(s, KEY_TO_HOME);
	press(s, KEY_RETURN);
	golden(s, dir, update, "page-flow", 24, 80);
	golden(s, dir, update, "page-flow", 50, 160);
	press(s, '5');
	press(s, KEY_TO_HOME);
	press(s, KEY_RETURN);
	golden(s, dir, update, "page-event", 24, 80);
	golden(s, dir, update, "page-event", 50, 160);
	press(s, '3');
	press(s, KEY_F2);
	golden(s, dir, update, "setup", 24, 80);
	press(s, KEY_ESCAPE);
}

static void golden_views(const char *dir, bool update)
{
	static const char *const names[] = { "processes", "channels", "talk", "blocked", "events" };
	struct stage s;

	stage_open(&s, 2);
	for (int i = 0; i < VIEW_MAX; i++) {
		press(&s, '1' + i);
		golden(&s, dir, update, names[i], 24, 80);
		golden(&s, dir, update, names[i], 50, 160);
	}
	golden_shapes(&s, dir, update);
	golden_pages(&s, dir, update);
	press(&s, '1');
	press(&s, KEY_F1);
	golden(&s, dir, update, "help", 50, 80);
	press(&s, KEY_PAGE_DOWN);
	golden(&s, dir, update, "help-below", 24, 80);
	press(&s, KEY_ESCAPE);
	press(&s, '\\');
	type(&s, "pid=101,90 !dd");
	golden(&s, dir, update, "filter", 12, 80);
	golden(&s, dir, update, "too-small", 3, 30);
	stage_close(&s);
	stage_open(&s, 1);
	golden(&s, dir, update, "first-refresh", 24, 80);
	s.opts.waits = world_waits;
	world_go_on(s.model);
	stage_refresh(&s, T0 + 2000 * MS);
	press(&s, '4');
	golden(&s, dir, update, "deadlock", 24, 80);
	golden(&s, dir, update, "deadlock", 50, 160);
	stage_close(&s);
}

static int pump_whole_world(void *arg, int timeout_ms, struct fail *fail)
{
	(void)timeout_ms;
	(void)fail;
	world_begin(arg);
	world_go_on(arg);
	return 0;
}

static char *batch(int (*run)(const struct tui_opts *, FILE *, struct fail *))
{
	struct model *m = model_new();
	struct tui_opts opts = { .model = m, .pump = pump_whole_world, .arg = m, .title = "a\tworld",
				 .interval_s = 1 };
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	struct fail fail = { 0 };
	int err = run(&opts, f, &fail);

	fclose(f);
	ok(err == 0, "batch ends well when its stream ends");
	model_free(m);
	return text;
}

static void golden_batch(const char *dir, bool update)
{
	char *text = batch(tui_batch);

	is_golden(dir, "batch", text, update);
	free(text);
	text = batch(tui_json);
	is_golden(dir, "batch-json", text, update);
	free(text);
}

/* ---- what the screens promise ---- */

static void test_losses(void)
{
	struct stage s;
	int y;

	stage_open(&s, 1);
	free(screen(&s, 24, 80));
	ok(line_with(&s.dash.grid, STYLE_ALERT) != 1 && screen_shows(&s, "lost 0"),
	   "no loss is said, and is no alert");
	world_go_on(s.model);
	stage_refresh(&s, T0 + 2000 * MS);
	free(screen(&s, 24, 80));
	y = line_with(&s.dash.grid, STYLE_ALERT);
	is_text(line_text(&s.dash.grid, y),
		" lost 9: ring-op 7, compat32 2 (raise --ring SIZE, or narrow the scope)",
		"losses stand on top as an alert, by cause, with the remedy");
	stage_close(&s);
}

static void test_rates(void)
{
	const struct row *row;
	struct stage s;

	stage_open(&s, 1);
	row = s.dash.frame.tables[VIEW_PROCESSES].shown[0];
	ok(row->values[0].n == 200, "the busiest process is on top");
	/* srv: 2 calls a round, 20 rounds, one msgsnd, in the first second since T0 */
	ok(fabs(row->values[2].x - 41) < 1e-9, "the first refresh gives rates since the first event");
	world_go_on(s.model);
	stage_refresh(&s, T0 + 2000 * MS);
	row = s.dash.frame.tables[VIEW_PROCESSES].shown[0];
	ok(row->values[0].n == 200 && fabs(row->values[2].x - 100) < 1e-9,
	   "the second one gives rates since the first");
	stage_refresh(&s, T0 + 4000 * MS);
	ok(s.dash.frame.ops_per_s <= 0, "nothing happens: rates are 0");
	row = s.dash.frame.tables[VIEW_BLOCKED].shown[0];
	ok(row->values[0].n == 401 && row->values[5].n == 3690 * MS,
	   "a wait gets longer although nothing happens");
	stage_close(&s);
}

static uint64_t cursor_pid(const struct stage *s)
{
	const struct row *row = table_cursor_row(&s->dash.frame.tables[s->dash.view]);

	return row ? row->values[0].n : 0;
}

static void test_cursor(void)
{
	struct stage s;
	size_t before;

	stage_open(&s, 1);
	free(screen(&s, 24, 80));
	ok(line_with(&s.dash.grid, STYLE_SELECTED) < 0, "no cursor until a key moves it");
	press(&s, KEY_ARROW_DOWN);
	press(&s, KEY_ARROW_DOWN);
	ok(cursor_pid(&s) == 301, "down, down: the second row");
	before = s.dash.frame.tables[0].cursor_at;
	press(&s, '<'); /* COMM */
	press(&s, '<'); /* PID */
	ok(cursor_pid(&s) == 301 && s.dash.frame.tables[0].cursor_at != before,
	   "in another order the cursor is still on its process");
	world_go_on(s.model);
	stage_refresh(&s, T0 + 2000 * MS);
	ok(cursor_pid(&s) == 301, "after a refresh too");
	press(&s, 'I');
	ok(cursor_pid(&s) == 301 && s.dash.frame.tables[0].shown[0]->values[0].n == 555,
	   "inverted: the largest pid is on top, the cursor where it was");
	press(&s, KEY_TO_END);
	ok(cursor_pid(&s) == 90, "End: the last row");
	press(&s, KEY_PAGE_UP);
	press(&s, KEY_PAGE_UP);
	ok(cursor_pid(&s) == 555, "page up stops at the first row");
	press(&s, '4');
	press(&s, 't'); /* as a list: in a tree the root is on top */
	press(&s, 'I');
	press(&s, KEY_TO_HOME);
	ok(cursor_pid(&s) == 102, "blocked, inverted: the shortest wait is on top");
	press(&s, KEY_TO_END);
	ok(!table_cursor_row(&s.dash.frame.tables[VIEW_BLOCKED])->values[5].known,
	   "and what waits no more is at the end, as before");
	stage_close(&s);
}

static void test_filter_and_search(void)
{
	struct stage s;

	stage_open(&s, 2);
	press(&s, KEY_F4);
	type(&s, "comm=dd");
	ok(s.dash.frame.tables[VIEW_PROCESSES].nshown == 1, "a filter works while it is typed");
	press(&s, KEY_RETURN);
	press(&s, '2');
	ok(s.dash.frame.tables[VIEW_CHANNELS].nshown == 1 && screen_shows(&s, "filter 'comm=dd'"),
	   "it holds in every view, and says so");
	press(&s, KEY_F4);
	type(&s, "zzz");
	ok(screen_shows(&s, "no row matches the filter"), "a filter that hides all says so");
	press(&s, KEY_ESCAPE);
	is_text(s.dash.filter.text, "comm=dd", "Esc goes back to the filter before");
	press(&s, KEY_F4);
	press(&s, KEY_CTRL_U);
	press(&s, KEY_RETURN);
	ok(s.dash.frame.tables[VIEW_CHANNELS].nshown == 7, "an empty filter shows all");
	press(&s, '1');
	press(&s, '/');
	type(&s, "RIGHT");
	press(&s, KEY_RETURN);
	ok(cursor_pid(&s) == 402, "search goes to the row, whatever the case of letters");
	press(&s, '/');
	type(&s, "nobody");
	ok(screen_shows(&s, "no row shows that"), "a search in vain says so");
	press(&s, KEY_ESCAPE);
	ok(cursor_pid(&s) == 402, "and leaves the cursor where it is");
	stage_close(&s);
}

static void test_filter_words(void)
{
	static const struct {
		const char *text;
		enum tui_view view;
		size_t rows;
	} cases[] = {
		{ "", VIEW_PROCESSES, 10 },	     { "  ", VIEW_PROCESSES, 10 },
		{ "pid=101,102", VIEW_PROCESSES, 2 }, { "pid=4*", VIEW_PROCESSES, 2 },
		{ "!pid=4*", VIEW_PROCESSES, 8 },     { "!", VIEW_PROCESSES, 10 },
		{ "pid=", VIEW_PROCESSES, 10 },	      { "op=write", VIEW_PROCESSES, 2 },
		{ "kind=unix", VIEW_CHANNELS, 2 },    { "kind=unix,fifo", VIEW_CHANNELS, 3 },
		{ "chan=4", VIEW_CHANNELS, 1 },	      { "chan=pipe:*", VIEW_CHANNELS, 3 },
		{ "chan=*500?*", VIEW_CHANNELS, 3 },  { "comm=srv kind=msg", VIEW_TALK, 1 },
		{ "op=read", VIEW_TALK, 0 },	      { "!op=read", VIEW_TALK, 4 },
		{ "op=write", VIEW_BLOCKED, 2 },      { "pid=402", VIEW_BLOCKED, 2 },
		{ "Dd", VIEW_PROCESSES, 1 },	      { "chan=pipe:[5002]", VIEW_CHANNELS, 1 },
		{ "a=b", VIEW_PROCESSES, 0 },	      { "100us", VIEW_CHANNELS, 1 },
		{ "64.0k", VIEW_CHANNELS, 2 },	      { "!64.0k", VIEW_CHANNELS, 5 },
	};
	struct stage s;

	stage_open(&s, 2);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct table *t = &s.dash.frame.tables[cases[i].view];
		size_t n;

		rowfilter_set(&s.dash.filter, cases[i].text);
		table_arrange(t);
		n = t->nshown;
		ok(n == cases[i].rows, "filter '%s' shows %zu of %s%s", cases[i].text,
		   cases[i].rows, t->view->name, n == cases[i].rows ? "" : ": it does not");
		if (n != cases[i].rows)
			printf("# it shows %zu\n", n);
	}
	stage_close(&s);
}

static void test_follow_pause_sort(void)
{
	struct stage s;
	struct table *t;
	uint64_t ops;

	stage_open(&s, 1);
	press(&s, 'F');
	ok(screen_shows(&s, "move to the row"), "F without a row says what to do");
	press(&s, '/');
	type(&s, "wc");
	press(&s, KEY_RETURN);
	press(&s, 'f');
	press(&s, '3');
	ok(screen_shows(&s, "following wc[102]"), "F follows the process under the cursor");
	t = &s.dash.frame.tables[VIEW_TALK];
	ok(table_cursor_row(t) && table_row_followed(t, table_cursor_row(t)),
	   "in another view the cursor goes to its row");
	press(&s, 'f');
	ok(!s.dash.followed[0], "F again follows nobody");

	press(&s, ' ');
	ops = s.dash.frame.ops;
	world_go_on(s.model);
	stage_refresh(&s, T0 + 2000 * MS);
	ok(s.dash.frame.ops == ops && screen_shows(&s, "PAUSED"),
	   "paused: the screen stays though the model goes on");
	press(&s, '1');
	press(&s, 'I');
	ok(s.dash.frame.ops == ops && s.dash.frame.tables[0].nshown == 10,
	   "paused: views and order can be changed");
	ok(press(&s, ' ') == DASH_REFRESH, "Space again asks for a refresh");

	ok(press(&s, '+') == DASH_NOTHING && fabs(s.dash.interval_s - 2) < 1e-9,
	   "+: longer between refreshes");
	press(&s, '-');
	press(&s, '-');
	ok(fabs(s.dash.interval_s - 0.5) < 1e-9, "-: shorter");
	ok(press(&s, 'q') == DASH_QUIT && press(&s, KEY_F10) == DASH_QUIT, "q and F10 quit");
	stage_close(&s);
}

static void test_sort_names(void)
{
	struct model *m = model_new();
	struct tui_opts opts = { .model = m, .view = VIEW_TALK, .sort = "p99" };
	struct fail fail = { 0 };
	struct dash d;

	ok(dash_init(&d, &opts, &fail) == 0 &&
		   strcmp(views[VIEW_TALK]->columns[d.frame.tables[VIEW_TALK].sort].name, "P99") == 0,
	   "a column is found by its name in either case");
	dash_release(&d);
	opts.sort = "nope";
	ok(dash_init(&d, &opts, &fail) == -EINVAL, "one that is not there is an error");
	ok(strstr(fail.what, "'nope'") && strstr(fail.remedy, "FROM, TO, KIND"),
	   "which lists those that are");
	dash_release(&d);
	model_free(m);
	for (int v = 0; v < VIEW_MAX; v++)
		for (int i = 0; i < views[v]->ncolumns; i++) {
			const struct column *c = &views[v]->columns[i];

			if (c->width)
				ok(c->width > (int)strlen(c->name) && c->what,
				   "%s %s: room for the name and the sort marker, and a help text",
				   views[v]->name, c->name);
		}
}

/* ---- parts ---- */

/* Written without printf, and the same. */
static void test_units_random(void)
{
	char b[UNITS_SIZE], wanted[64];
	uint64_t x = 1;
	int differ = 0;

	for (int i = 0; i < 100000; i++) {
		double v;

		x = x * 6364136223846793005u + 1442695040888963407u;
		v = (double)(x >> 11) * 0x1p-53 * (i % 2 ? 1000 : 10);
		if (v < 1 || v >= 999.5)
			continue;
		snprintf(wanted, sizeof(wanted), "%.0f", v);
		differ += strcmp(units_count(b, v), wanted) != 0;
		snprintf(wanted, sizeof(wanted), "%.*fk", v < 99.95, v);
		differ += strcmp(units_count(b, v * 1000), wanted) != 0;
	}
	ok(differ == 0, "numbers are as printf rounds them (%d are not)", differ);
}

static void test_units(void)
{
	char b[UNITS_SIZE];

	test_units_random();
	is_text(units_count(b, 0), "0", "count 0");
	is_text(units_count(b, 0.05), "0.05", "count 0.05");
	is_text(units_count(b, 0.0001), "0.01", "count above 0 is not shown as 0");
	is_text(units_count(b, 999.4), "999", "count 999.4");
	is_text(units_count(b, 999.7), "1.0k", "count 999.7 does not become 1000");
	is_text(units_count(b, 99960), "100k", "count 99960");
	is_text(units_count(b, 18446744073709551615.0), "18.4E", "the largest count");
	is_text(units_bytes(b, 1024), "1.0K", "bytes 1024");
	is_text(units_bytes(b, 65536), "64.0K", "bytes 65536");
	is_text(units_time(b, 999), "999ns", "time 999 ns");
	is_text(units_time(b, 12345), "12.3us", "time 12345 ns");
	is_text(units_time(b, 999700), "1.00ms", "time 999.7 us does not become 1000us");
	is_text(units_time(b, 99960000000), "1m39s", "time 99.96 s");
	is_text(units_time(b, 3600000000000), "1h00m", "time 1 h");
	is_text(units_time(b, 360000000000000), "4d04h", "time 100 h");
	is_text(units_time(b, UINT64_MAX), "213503d", "the longest time");
	is_text(units_share(b, 0.996), "100%", "share");
}

static void test_timeline(void)
{
	struct timeline t = { 0 };

	ok(timeline_now(&t, 0, 50, false) == 0, "timeline: no event yet, no time");
	ok(timeline_now(&t, 1000, 60, false) == 1000, "timeline: begins at the first event");
	ok(timeline_now(&t, 1000, 75, false) == 1015, "timeline: goes on while nothing happens");
	ok(timeline_now(&t, 1010, 80, false) == 1015, "timeline: never goes back");
	ok(timeline_now(&t, 1010, 95, false) == 1025, "timeline: and goes on from the last event");
	ok(timeline_now(&t, 1010, 990, true) == 1025, "timeline: stands when the stream has ended");
	ok(timeline_now(&t, 9000, 991, true) == 9000, "timeline: at its last event");
}

static void test_grid(bool utf8)
{
	const char *wide = "a\u65e5\u672cb"; /* a, two wide ones, b */
	struct grid g;
	char line[64];

	if (grid_init(&g, 3, 6) < 0) {
		ok(false, "a grid is made");
		return;
	}
	ok(grid_init(&(struct grid){ 0 }, 0, 5) == -EINVAL, "a grid of no rows is refused");
	grid_text(&g, 0, 0, 6, wide, STYLE_NORMAL);
	grid_line(&g, 0, line, sizeof(line));
	is_text(line, utf8 ? wide : "a??b", "wide characters, whole");
	ok(grid_text_width(&g, wide) == (utf8 ? 6 : 4), "their width");
	grid_text(&g, 1, 0, 3, wide, STYLE_NORMAL);
	grid_line(&g, 1, line, sizeof(line));
	is_text(line, utf8 ? "a\u2026" : "a?+", "half of one is not drawn: cut before it");
	grid_text(&g, 0, 2, 1, "x", STYLE_NORMAL);
	grid_line(&g, 0, line, sizeof(line));
	is_text(line, utf8 ? "a x\u672cb" : "a?xb", "writing over half of one blanks the other half");
	grid_text(&g, 2, -2, 6, wide, STYLE_NORMAL);
	grid_line(&g, 2, line, sizeof(line));
	is_text(line, utf8 ? " \u672cb" : "?b", "half of one at the left edge is a blank");
	grid_clear(&g);
	grid_text(&g, 0, 0, 6, "e\xcc\x81!", STYLE_NORMAL);
	grid_line(&g, 0, line, sizeof(line));
	is_text(line, utf8 ? "e\xcc\x81!" : "e?!", "a combining character joins its base");
	grid_text(&g, 5, 0, 6, "outside", STYLE_NORMAL);
	grid_text(&g, 1, 0, 6, "\x1b[31m\x07", STYLE_NORMAL);
	grid_line(&g, 1, line, sizeof(line));
	is_text(line, "?[31m?", "a control character never gets into a cell");
	grid_release(&g);
}

/* Every byte of it may go to a terminal. */
static bool is_clean(const char *text, bool utf8)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if ((c < 0x20 && c != '\n') || c == 0x7f || (c >= 0x80 && !utf8))
			return false;
	}
	return true;
}

/* Any keys at any size: nothing breaks, no line is wider than the screen, no control byte. */
static void test_any_keys(bool utf8)
{
	static const int sizes[][2] = { { 24, 80 }, { 1, 1 }, { 120, 400 },
					{ 10, 60 }, { 9, 61 }, { 50, 132 } };
	static const int special[] = { KEY_ARROW_UP, KEY_ARROW_DOWN, KEY_ARROW_LEFT, KEY_ARROW_RIGHT,
				       KEY_PAGE_UP, KEY_PAGE_DOWN, KEY_TO_HOME, KEY_TO_END, KEY_ERASE,
				       KEY_F1, KEY_F3, KEY_F4, KEY_F6, KEY_ESCAPE, KEY_RETURN,
				       KEY_CTRL_L, KEY_OTHER, KEY_TERMINAL_RESIZED, 0x65e5, 0x9b };
	uint32_t seed = 12345;
	uint64_t now = T0 + 2000 * MS;
	bool clean = true, narrow = true;
	struct stage s;

	stage_open(&s, 2);
	for (int i = 0; i < 3000; i++) {
		const int *size = sizes[i / 100 % (int)(sizeof(sizes) / sizeof(sizes[0]))];
		char *text;

		seed = seed * 1103515245 + 12345;
		int key = seed >> 16 & 1 ? (int)(' ' + (seed >> 20) % 95) :
					   special[(seed >> 20) % (sizeof(special) / sizeof(*special))];

		if (key != 'w') /* writes files */
			press(&s, key);
		if (i % 10 == 0)
			stage_refresh(&s, now += 100 * MS);
		text = screen(&s, size[0], size[1]);
		clean = clean && is_clean(text, utf8);
		for (char *p = strtok(text, "\n"); p; p = strtok(NULL, "\n"))
			narrow = narrow && grid_text_width(&s.dash.grid, p) <= size[1];
		free(text);
	}
	ok(clean, "3000 keys at any size: never a byte that a terminal would act on");
	ok(narrow, "and never a line wider than the screen");
	stage_close(&s);
}

static void test_json(void)
{
	static const char *const arrays[] = { "processes", "channels", "talk", "blocked" };
	static const size_t sizes[] = { 10, 7, 4, 5 };
	char *text = batch(tui_json);
	json_t *o = json_loads(text, 0, NULL), *row;

	ok(o && text[0] == '{' && strchr(text, '\n') == text + strlen(text) - 1,
	   "one JSON object on one line");
	for (int i = 0; i < 4; i++)
		if (!ok(json_array_size(json_object_get(o, arrays[i])) == sizes[i], "json: %s", arrays[i]))
			printf("# has %zu\n", json_array_size(json_object_get(o, arrays[i])));
	ok(json_integer_value(json_object_get(o, "lost")) == 9, "json: lost");
	row = json_array_get(json_object_get(o, "blocked"), 0);
	ok(json_integer_value(json_object_get(row, "pid")) == 401 &&
		   json_is_true(json_object_get(row, "still")),
	   "json: the longest wait is first");
	row = json_array_get(json_object_get(row, "holders"), 0);
	ok(json_integer_value(json_object_get(row, "pid")) == 402, "json: and who holds the other end");
	row = json_array_get(json_object_get(o, "channels"), 6);
	is_text(json_string_value(json_object_get(row, "name")), "/tmp/\u65e5\x1b]0;x\x07",
		"json: a name is given as it is, in JSON's own quoting");
	row = json_array_get(json_object_get(row, "ends"), 1);
	is_text(json_string_value(json_object_get(row, "comm")), "e\u0301\\x1B[31m\\xFF",
		"json: one that is not UTF-8 is escaped");
	ok(is_clean(text, false), "json: ASCII only");
	json_decref(o);
	free(text);
}

static const struct row *row_of(const struct table *t, uint64_t pid)
{
	for (size_t i = 0; i < t->nshown; i++)
		if (t->shown[i]->values[0].known && t->shown[i]->values[0].n == pid)
			return t->shown[i];
	return NULL;
}

static void test_findings(void)
{
	const struct table *t;
	struct stage s;

	stage_open(&s, 2);
	press(&s, '4');
	ok(!screen_shows(&s, "DEADLOCK") && row_of(dash_table(&s.dash), 401)->style != STYLE_DEAD,
	   "nobody is called dead when nobody has looked");
	s.opts.waits = world_waits;
	stage_refresh(&s, T0 + 2100 * MS);
	free(screen(&s, 24, 80));
	ok(line_with(&s.dash.grid, STYLE_DEAD) == 4 && screen_shows(&s, "DEADLOCK, proven") &&
		   screen_shows(&s, " Cause Each fills") && screen_shows(&s, " Cure  Read while"),
	   "what was found stands on top in red, with cause and cure");
	t = dash_table(&s.dash);
	ok(t->shown[0]->values[0].n == 401 && t->shown[0]->style == STYLE_DEAD &&
		   t->shown[0]->branch.depth == 0,
	   "the core is the root");
	ok(row_of(t, 102)->parent == (uint32_t)(row_of(t, 402) - t->rows.v) &&
		   row_of(t, 102)->style == STYLE_DEAD,
	   "its victims hang below, in red");
	ok(row_of(t, 302) && row_of(t, 302)->branch.depth == 1,
	   "also one that waits for what the model does not know: a mutex");
	ok(row_of(t, 90)->branch.depth == 0 && row_of(t, 200)->style != STYLE_DEAD,
	   "who can move is not red");
	ok(!row_of(t, 555), "and who slept for a moment only when the picture was made is not shown");
	world_waits(NULL)->findings[0].verdict = WG_QUIESCENT;
	stage_refresh(&s, T0 + 2200 * MS);
	free(screen(&s, 24, 80));
	ok(line_with(&s.dash.grid, STYLE_DEAD) < 0 && screen_shows(&s, "QUIESCENT  left[401]") &&
		   !screen_shows(&s, "DEADLOCK") && row_of(dash_table(&s.dash), 401)->style == STYLE_WARN,
	   "who just waits to be spoken to is not called deadlocked");
	world_waits(NULL)->findings[0].verdict = WG_PROVEN;
	press(&s, 't');
	ok(!row_of(dash_table(&s.dash), 302) && !row_of(dash_table(&s.dash), 90),
	   "the list has what the model knows, and no more");
	stage_close(&s);
}

static void test_json_findings(void)
{
	struct model *m = model_new();
	struct tui_opts opts = { .model = m, .pump = pump_whole_world, .arg = m, .interval_s = 1,
				 .waits = world_waits };
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	json_t *o, *finding;

	tui_json(&opts, f, NULL);
	fclose(f);
	o = json_loads(text, 0, NULL);
	finding = json_array_get(json_object_get(o, "findings"), 0);
	is_text(json_string_value(json_object_get(finding, "verdict")), "proven", "json: a finding");
	ok(json_array_size(json_object_get(finding, "core")) == 2 &&
		   json_array_size(json_object_get(finding, "victims")) == 2 &&
		   json_string_value(json_object_get(finding, "cause")) &&
		   json_string_value(json_object_get(finding, "cure")),
	   "json: with its core, its victims, cause and cure");
	json_decref(o);
	free(text);
	model_free(m);
}

int main(int argc, char **argv)
{
	bool update = argc == 3 && strcmp(argv[1], "--update") == 0, utf8;

	if (argc < 2 || argc > 3 || (argc == 3 && !update)) {
		fprintf(stderr, "usage: screens [--update] DIR\n");
		return 2;
	}
	setlocale(LC_CTYPE, "");
	utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	printf("# locale's characters: %s\n", nl_langinfo(CODESET));
	if (utf8) {
		golden_views(argv[argc - 1], update);
		golden_batch(argv[argc - 1], update);
	}
	test_losses();
	test_rates();
	test_cursor();
	test_filter_and_search();
	test_filter_words();
	test_follow_pause_sort();
	test_sort_names();
	test_units();
	test_timeline();
	test_grid(utf8);
	test_any_keys(utf8);
	test_json();
	test_findings();
	test_json_findings();
	return done_testing();
}
