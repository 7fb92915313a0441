// SPDX-License-Identifier: GPL-2.0-or-later
/* What keys and clicks do, beyond what the golden screens show: pages, shapes, words, files. */
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/screens/stage.h"
#include "ui/tui/graph.h"

/* ---- pages ---- */

static void test_pages(void)
{
	struct stage s;

	stage_open(&s, 2);
	press(&s, KEY_RETURN);
	ok(screen_shows(&s, "move to a row first"), "Enter without a cursor says what to do");
	press(&s, '/');
	type(&s, "wc");
	press(&s, KEY_RETURN);
	press(&s, KEY_RETURN);
	ok(s.dash.npages == 1 && screen_shows(&s, "process wc[102]"), "Enter opens a process");
	ok(screen_shows(&s, "50   200K      0     59%") == false,
	   "whose own figures are not a table of one row");
	ok(screen_shows(&s, " Channels (1)") && screen_shows(&s, " Talks (1)"),
	   "its channels and talks are there, and only they");
	ok(screen_shows(&s, " 50   200K       0     - 40.0us"), "with the rates that the view has");
	press(&s, KEY_ARROW_DOWN); /* Waits */
	press(&s, KEY_ARROW_DOWN); /* Channels */
	press(&s, KEY_RETURN);
	ok(s.dash.npages == 2 && screen_shows(&s, "pipe pipe:[5001]"),
	   "Enter there opens a channel");
	ok(screen_shows(&s, "How long messages lay in it (70: 40.0us to 40.0us)"),
	   "with a histogram of latencies");
	ok(screen_shows(&s, "Bytes a message (70: 1000 to 4.0K)") ||
		   screen_shows(&s, "Bytes a message (70: 1.0K to 4.0K)"),
	   "and one of sizes");
	press(&s, KEY_RETURN);
	ok(s.dash.npages == 2, "Enter without a cursor stays");
	world_io(s.model, T0 + 2100 * MS,
		 &(struct world_io){ 101, 101, OP_WRITE, 1, 1, IO_WRITE, 777, 0, 0 });
	stage_refresh(&s, T0 + 3000 * MS);
	ok(screen_shows(&s, "777 bytes written and not yet read"), "a page goes on with the model");
	press(&s, KEY_ERASE);
	ok(s.dash.npages == 1 && screen_shows(&s, "process wc[102]"), "Backspace: the page before");
	press(&s, KEY_ERASE);
	ok(s.dash.npages == 0 && screen_shows(&s, "BLOCKED ON"), "and then the view");
	press(&s, KEY_ERASE);
	ok(s.dash.npages == 0, "and no further");
	press(&s, KEY_RETURN);
	press(&s, '2');
	ok(s.dash.npages == 0 && screen_shows(&s, "ENDS"), "another view leaves all pages");
	stage_close(&s);
}

static void test_page_ends(void)
{
	struct stage s;

	stage_open(&s, 2);
	press(&s, KEY_TO_HOME);
	for (int i = 0; i < 40; i++) { /* deeper and deeper, as long as it goes */
		press(&s, KEY_RETURN);
		free(screen(&s, 24, 80));
		press(&s, KEY_ARROW_DOWN);
		press(&s, KEY_ARROW_DOWN);
	}
	ok(s.dash.npages > 3 && s.dash.npages <= DASH_PAGES_MAX, "pages end somewhere");
	press(&s, KEY_TO_END);
	press(&s, KEY_PAGE_UP);
	free(screen(&s, 10, 60));
	ok(page_cursor_row(dash_page(&s.dash)) != NULL, "End and PgUp stay on a row");
	press(&s, ' ');
	press(&s, '1');
	press(&s, KEY_RETURN);
	ok(screen_shows(&s, "as of now"), "a page that is opened while paused says of when it is");
	stage_close(&s);
}

/* ---- words ---- */

static size_t rows_for(struct stage *s, enum tui_view view, const char *text)
{
	struct table *t = &s->dash.frame.tables[view];

	rowfilter_set(&s->dash.filter, text);
	table_arrange(t);
	return t->nshown;
}

static void test_numbers(void)
{
	static const struct {
		const char *text;
		enum tui_view view;
		size_t rows;
	} cases[] = {
		{ "bytes>4k", VIEW_EVENTS, 2 },	       { "bytes>=4k", VIEW_EVENTS, 102 },
		{ "BYTES>=4K", VIEW_EVENTS, 0 },       { "ret<0", VIEW_EVENTS, 1 },
		{ "error", VIEW_EVENTS, 1 },	       { "ret=-11", VIEW_EVENTS, 1 },
		{ "op=send", VIEW_EVENTS, 141 },       { "op=sendto", VIEW_EVENTS, 140 },
		{ "!op=send,recv", VIEW_EVENTS, 144 }, { "slept>3ms", VIEW_EVENTS, 70 },
		{ "slept>=3ms comm=wc", VIEW_EVENTS, 70 },
		{ "latency<=2us", VIEW_EVENTS, 216 },  { "fd=5", VIEW_EVENTS, 140 },
		{ "tid=201", VIEW_EVENTS, 140 },       { "blocked", VIEW_PROCESSES, 3 },
		{ "!blocked", VIEW_PROCESSES, 7 },     { "error", VIEW_PROCESSES, 1 },
		{ "latency>100us", VIEW_TALK, 1 },     { "bytes>100k", VIEW_TALK, 1 },
		{ "blocked kind=pipe", VIEW_CHANNELS, 3 },
	};
	struct stage s;

	stage_open(&s, 2);
	press(&s, '5'); /* which is not taken before it is opened */
	press(&s, '4');
	press(&s, 't');
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t n = rows_for(&s, cases[i].view, cases[i].text);

		if (!ok(n == cases[i].rows, "filter '%s' in %s", cases[i].text,
			views[cases[i].view]->name))
			printf("# shows %zu, wanted %zu\n", n, cases[i].rows);
	}
	ok(rows_for(&s, VIEW_BLOCKED, "blocked") == 3 && rows_for(&s, VIEW_BLOCKED, "!blocked") == 2,
	   "filter 'blocked' in Blocked: those that still sleep");
	stage_close(&s);
}

static void test_tree_filter(void)
{
	struct stage s;
	struct table *t;

	stage_open(&s, 2);
	press(&s, 't');
	t = &s.dash.frame.tables[VIEW_PROCESSES];
	ok(rows_for(&s, VIEW_PROCESSES, "comm=dd") == 2 && t->shown[0]->values[0].n == 90 &&
		   t->shown[0]->is_context && t->shown[1]->values[0].n == 101,
	   "in a tree those above a match are shown, too");
	rowfilter_set(&s.dash.filter, "");
	table_arrange(t);
	ok(t->nshown == 10, "and all of them without a filter");
	press(&s, '<');
	press(&s, '<');
	ok(t->shown[0]->values[0].n == 90 && t->shown[1]->branch.depth == 1 &&
		   t->shown[1]->values[0].n == 101 && t->shown[5]->values[0].n == 402 &&
		   t->shown[5]->branch.is_last,
	   "a tree is sorted within each branch");
	stage_close(&s);
}

static void test_completion(void)
{
	struct stage s;

	stage_open(&s, 2);
	press(&s, KEY_F4);
	type(&s, "ki");
	press(&s, KEY_TABULATOR);
	is_text(s.dash.input, "kind=", "Tab completes a word");
	type(&s, "ev");
	press(&s, KEY_TABULATOR);
	is_text(s.dash.input, "kind=eventfd", "and a kind");
	type(&s, " !op=mq_timed");
	press(&s, KEY_TABULATOR);
	is_text(s.dash.input, "kind=eventfd !op=mq_timed", "where several fit, as far as they agree");
	ok(screen_shows(&s, "mq_timedsend  mq_timedreceive"), "and shows them");
	press(&s, KEY_CTRL_U);
	type(&s, "comm=dd,ri");
	press(&s, KEY_TABULATOR);
	is_text(s.dash.input, "comm=dd,right", "names of processes, in a list, too");
	press(&s, KEY_CTRL_U);
	type(&s, "pid=55");
	press(&s, KEY_TABULATOR);
	is_text(s.dash.input, "pid=555", "and their numbers");
	press(&s, KEY_CTRL_U);
	type(&s, "zz");
	press(&s, KEY_TABULATOR);
	ok(screen_shows(&s, "nothing begins like that"), "Tab in vain says so");
	press(&s, KEY_ESCAPE);
	stage_close(&s);
}

static void test_tags(void)
{
	struct stage s;

	stage_open(&s, 2);
	press(&s, '/');
	type(&s, "wc");
	press(&s, KEY_RETURN);
	press(&s, 'x');
	ok(screen_shows(&s, "1 tagged"), "x tags the row");
	ok(rows_for(&s, VIEW_PROCESSES, "tagged") == 1 && rows_for(&s, VIEW_TALK, "tagged") == 1 &&
		   rows_for(&s, VIEW_CHANNELS, "tagged") == 1,
	   "'tagged' shows it, and where it takes part");
	for (int i = 0; i < 3 * TAGS_MAX; i++) {
		struct row_key key = row_key_of(10000 + (uint32_t)i, 1);

		tags_toggle(&s.dash.tags, &key);
	}
	ok(s.dash.tags.n == TAGS_MAX, "so many tags, and no more");
	press(&s, 'U');
	ok(s.dash.tags.n == 0 && rows_for(&s, VIEW_PROCESSES, "tagged") == 0, "U forgets them");
	stage_close(&s);
}

/* ---- the mouse ---- */

static int line_of(struct stage *s, const char *what)
{
	char line[1024];

	for (int y = 0; y < s->dash.grid.rows; y++) {
		grid_line(&s->dash.grid, y, line, sizeof(line));
		if (strstr(line, what))
			return y;
	}
	return -1;
}

static void test_mouse(void)
{
	struct stage s;
	struct table *t;
	int y;

	stage_open(&s, 2);
	free(screen(&s, 24, 80));
	t = &s.dash.frame.tables[VIEW_PROCESSES];
	y = line_of(&s, "PID COMM");
	press(&s, key_click(y, 5));
	ok(strcmp(t->view->columns[t->sort].name, "PID") == 0 && t->shown[0]->values[0].n == 90,
	   "a click on a header sorts by its column");
	press(&s, key_click(y, 5));
	ok(t->shown[0]->values[0].n == 555, "again: the other way round");
	free(screen(&s, 24, 80));
	y = line_of(&s, "left");
	press(&s, key_click(y, 20));
	ok(table_cursor_row(t) && table_cursor_row(t)->values[0].n == 401,
	   "a click on a row puts the cursor there");
	press(&s, key_click(y, 20));
	ok(s.dash.npages == 1 && screen_shows(&s, "process left[401]"), "again: opens its page");
	free(screen(&s, 24, 80));
	press(&s, key_click(line_of(&s, "1 Processes"), 15));
	ok(s.dash.view == VIEW_CHANNELS && !s.dash.npages, "a click on a tab opens the view");
	free(screen(&s, 24, 80));
	press(&s, key_click(23, 2));
	ok(s.dash.cover == COVER_HELP, "a click on the footer is that key");
	press(&s, KEY_ESCAPE);
	for (int x = 0; x < 90; x += 7)
		for (y = 0; y < 30; y++) {
			press(&s, key_click(y, x));
			free(screen(&s, 24, 80));
		}
	press(&s, KEY_ESCAPE);
	ok(true, "clicks anywhere do no harm");
	stage_close(&s);
}

/* ---- files ---- */

static char *folder_make(char *buf, size_t size)
{
	snprintf(buf, size, "%s/habits-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	return mkdtemp(buf);
}

/* Order and interval, which keys choose, are kept without F2. */
static void test_kept(const char *path)
{
	struct fail fail = { 0 };
	struct stage s;
	struct table *t;
	char *text;

	unlink(path);
	stage_open(&s, 2);
	s.dash.config = path;
	ok(!slurp(path), "nothing was chosen: there is no file");
	press(&s, '3');
	press(&s, '>');
	press(&s, 'I');
	press(&s, '+');
	press(&s, KEY_F5);
	text = slurp(path);
	ok(text && strstr(text, "\nsort.talk = TOTAL inverted\n") && strstr(text, "\ninterval = 2\n") &&
		   strstr(text, "\nshape.talk = graph\n") && !strstr(text, "sort.processes") &&
		   !strstr(text, "shape.processes"),
	   "order and shape of a view and the interval are kept when they change, and no other");
	free(text);
	stage_close(&s);

	stage_open(&s, 1);
	s.opts.interval_s = 0;
	t = &s.dash.frame.tables[VIEW_TALK];
	ok(config_load(&s.dash, path, &fail) == 0 && fabs(s.dash.interval_s - 2) < 1e-9 &&
		   strcmp(t->view->columns[t->sort].name, "TOTAL") == 0 && t->inverted &&
		   t->shape == SHAPE_AS_GRAPH,
	   "and are there the next time");
	stage_close(&s);

	stage_open(&s, 1);
	s.opts.sort = "FROM";
	s.opts.view = VIEW_TALK;
	t = &s.dash.frame.tables[VIEW_TALK];
	ok(config_load(&s.dash, path, &fail) == 0 && fabs(s.dash.interval_s - 1) < 1e-9 &&
		   t->sort == t->view->sort && !t->inverted,
	   "-i and --sort are stronger");
	s.dash.config = path;
	press(&s, 'T');
	text = slurp(path);
	ok(text && strstr(text, "\nsort.talk = TOTAL inverted\n") && strstr(text, "\ninterval = 2\n"),
	   "for once: the file stays as it was");
	free(text);
	stage_close(&s);

	stage_open(&s, 1);
	s.dash.config = "/proc/nowhere/top.conf";
	press(&s, '>');
	ok(screen_shows(&s, "cannot write '/proc/nowhere/top.conf'"), "what cannot be kept is told");
	s.dash.config = NULL;
	for (size_t i = 0; i < 5; i++) {
		static const char *const bad[] = { "interval = 0\n", "interval = 1x\n",
						   "sort.talk = WHAT\n", "sort.nothing = PID\n",
						   "shape.processes = graph\n" };
		FILE *f = fopen(path, "w");

		if (f) {
			fputs(bad[i], f);
			fclose(f);
		}
		ok(config_load(&s.dash, path, &fail) == -EINVAL, "refused: %.20s", bad[i]);
	}
	stage_close(&s);
}

static void test_setup(void)
{
	char folder[128], path[256], columns[256], *text;
	struct fail fail = { 0 };
	struct stage s;

	if (!ok(folder_make(folder, sizeof(folder)) != NULL, "a folder for the settings"))
		return;
	snprintf(path, sizeof(path), "%s/new/ipctap/top.conf", folder);
	stage_open(&s, 2);
	s.dash.config = path;
	ok(config_load(&s.dash, path, &fail) == 0, "no settings are no error");
	press(&s, '3');
	press(&s, KEY_F2);
	ok(press(&s, ' ') == DASH_REDRAW && s.dash.theme == THEME_MONO, "setup: other colours");
	press(&s, KEY_ARROW_DOWN);
	press(&s, ' ');
	ok(s.dash.ascii_lines, "setup: lines in ASCII");
	press(&s, KEY_ARROW_DOWN);
	press(&s, '>'); /* FROM behind TO */
	press(&s, KEY_TO_END);
	press(&s, ' '); /* APPROX, which becomes the last of those shown */
	press(&s, KEY_TO_HOME);
	for (int i = 0; i < 4; i++)
		press(&s, KEY_ARROW_DOWN);
	press(&s, ' '); /* without KIND */
	press(&s, KEY_ESCAPE);
	table_columns_print(&s.dash.frame.tables[VIEW_TALK], columns, sizeof(columns));
	is_text(columns, "TO,FROM,NAME,MSG/s,B/s,TOTAL,P50,P99,APPROX",
		"setup: columns moved, left out and taken in");
	ok(screen_shows(&s, "\nTO ") && screen_shows(&s, " FROM ") && !screen_shows(&s, "KIND") &&
		   screen_shows(&s, "kept in"),
	   "the table is like that, and the file is written");
	stage_close(&s);

	text = slurp(path);
	ok(text && strstr(text, "columns.talk = TO,FROM,NAME,") && strstr(text, "colours = none\n") &&
		   strstr(text, "lines = ascii\n"),
	   "the file says it in words");
	ok(text && !strstr(text, "columns.processes"), "and nothing of columns that nobody chose");
	free(text);
	stage_open(&s, 2);
	ok(config_load(&s.dash, path, &fail) == 0 && s.dash.theme == THEME_MONO &&
		   s.dash.ascii_lines && s.dash.frame.tables[VIEW_TALK].ncolumns == 9,
	   "another dashboard begins with it");
	stage_close(&s);

	s = (struct stage){ 0 };
	stage_open(&s, 1);
	FILE *f = fopen(path, "w");
	if (f) {
		fputs("\n# mine\n  columns.talk = FROM,NOPE\ncolours=16\nwhat = ever\n", f);
		fclose(f);
	}
	ok(config_load(&s.dash, path, &fail) == -EINVAL && strstr(fail.what, "top.conf:3"),
	   "what it does not understand is told, by line");
	ok(s.dash.theme == THEME_16 && s.dash.frame.tables[VIEW_TALK].ncolumns == 9,
	   "the rest is taken");
	stage_close(&s);
	test_kept(path);
	unlink(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
	rmdir(folder);
}

static void test_config_path(void)
{
	char path[TUI_PATH_SIZE];

	setenv("XDG_CONFIG_HOME", "/x/conf", 1);
	ok(tui_config_path(path) == 0, "a path for settings");
	is_text(path, "/x/conf/ipctap/top.conf", "in XDG_CONFIG_HOME");
	setenv("XDG_CONFIG_HOME", "relative", 1);
	setenv("HOME", "/home/me", 1);
	ok(tui_config_path(path) == 0, "another");
	is_text(path, "/home/me/.config/ipctap/top.conf", "else in ~/.config");
	unsetenv("HOME");
	ok(tui_config_path(path) == -ENOENT, "else nowhere");
}

static void test_export(void)
{
	char folder[100], path[256], *text;
	struct stage s;
	struct stat st;

	if (!ok(folder_make(folder, sizeof(folder)) != NULL, "a folder for exports"))
		return;
	stage_open(&s, 2);
	press(&s, '3');
	text = exported(&s, folder, "a.csv");
	ok(strncmp(text, "kind,name,messages_per_s,", 25) == 0 &&
		   strstr(text, "\r\npipe,pipe:[5001],50,204800,224800,40000,40000,101,dd,102,wc,"),
	   "CSV: names of JSON, numbers in full");
	free(text);
	text = exported(&s, folder, "a.json");
	ok(text[0] == '[' && strstr(text, "\"src_comm\": \"dd\""), "JSON: an array of rows");
	free(text);
	text = exported(&s, folder, "a.txt");
	ok(strstr(text, "\nTalk\nFROM ") && strstr(text, "\ndd[101] ") && strstr(text, "lost 9: "),
	   "text: with what was lost");
	free(text);
	press(&s, 't');
	free(screen(&s, 24, 80));
	text = exported(&s, folder, "graph.txt");
	ok(strstr(text, " dd[101] ") && strstr(text, "200K/s"), "a graph: as it is on the screen");
	free(text);
	snprintf(path, sizeof(path), "%s/there", folder);
	fclose(fopen(path, "w"));
	press(&s, 'w');
	press(&s, KEY_CTRL_U);
	type(&s, path);
	press(&s, KEY_RETURN);
	ok(stat(path, &st) == 0 && st.st_size == 0 && screen_shows(&s, "File exists"),
	   "a file that is there stays as it is");
	unlink(path);
	rmdir(folder);
	stage_close(&s);
}

/* ---- graphs ---- */

static bool lines_are_apart(const struct graph *g)
{
	for (int i = 0; i < g->nsegs; i++)
		for (int k = 0; k < i; k++) {
			const struct graph_seg *a = &g->segs[i], *b = &g->segs[k];

			if (g->items[a->from].layer != g->items[b->from].layer)
				continue;
			if (a->from_y == b->from_y || a->to_y == b->to_y)
				return false;
			if (a->track >= 0 && a->track == b->track)
				return false;
		}
	return true;
}

/* A pipeline behind wc: as a picture too wide for 80 columns. */
static void test_wide_graph(void)
{
	struct stage s;
	bool goes_on = true;

	stage_open(&s, 2);
	for (uint32_t i = 0; i < 3; i++) {
		uint32_t from = i ? 700 + i : 102, to = 701 + i;
		char ident[32];

		snprintf(ident, sizeof(ident), "pipe:[%u]", 9000 + i);
		world_task(s.model, T0 + 2000 * MS, TASK_FORK, to, to, 90, "behind");
		world_chan(s.model, 90 + i, KIND_PIPE, SHAPE_STREAM, ident, "");
		world_end(s.model, 90 + i, from, 8, 2, 0);
		world_end(s.model, 90 + i, to, 9, 1, 0);
		world_io(s.model, T0 + 2010 * MS,
			 &(struct world_io){ from, from, OP_WRITE, 90 + i, 8, IO_WRITE, 100, 0, 0 });
		world_io(s.model, T0 + 2011 * MS,
			 &(struct world_io){ to, to, OP_READ, 90 + i, 9, IO_READ, 100, 0, 0 });
	}
	stage_refresh(&s, T0 + 3000 * MS);
	press(&s, '3');
	press(&s, 't');
	ok(screen_shows(&s, "more to the right: ) scrolls"), "a picture that is cut off says so");
	for (int i = 0; i < 20 && goes_on; i++) {
		char *text;

		press(&s, ')');
		text = screen(&s, 24, 80);
		goes_on = strstr(text, "more to the right");
		free(text);
	}
	ok(!goes_on && screen_shows(&s, "behind[703] "), "and has an end, with ) as with Right");
	stage_close(&s);
}

static void test_graph(void)
{
	struct graph *g = calloc(1, sizeof(*g));
	bool forward = true;

	g->nnodes = 4;
	for (int i = 0; i < 4; i++)
		g->width[i] = 5;
	graph_connect(g, 0, 1, 0);
	graph_connect(g, 1, 2, 1);
	graph_connect(g, 2, 0, 2); /* a circle */
	graph_connect(g, 0, 3, 3);
	graph_connect(g, 3, 0, 4); /* both ways: one line */
	graph_connect(g, 1, 3, 5);
	ok(g->nedges == 5 && graph_layout(g, 8, 3, 8), "a graph with a circle is laid out");
	for (int i = 0; i < g->nedges; i++)
		forward = forward && g->items[g->edges[i].a].layer < g->items[g->edges[i].b].layer;
	ok(forward, "every arrow goes from left to right");
	ok(g->edges[2].to_a && !g->edges[2].to_b && g->edges[2].a == 0,
	   "the one that closes the circle has its head on the left");
	ok(g->edges[3].to_a && g->edges[3].to_b, "two ways: two heads");
	ok(lines_are_apart(g), "no line begins, ends or turns on another");
	free(g);

	for (uint32_t seed = 1; seed <= 200; seed++) {
		uint32_t x = seed * 2654435761u;

		g = calloc(1, sizeof(*g));
		g->nnodes = 2 + (int)(x % (GRAPH_NODES_MAX - 1));
		for (int i = 0; i < g->nnodes; i++)
			g->width[i] = 3 + i % 20;
		for (int i = 0; i < 150; i++) {
			int a, b;

			x = x * 1103515245 + 12345;
			a = (int)(x >> 16) % g->nnodes;
			x = x * 1103515245 + 12345;
			b = (int)(x >> 16) % g->nnodes;
			if (a != b)
				graph_connect(g, a, b, i);
		}
		if (graph_layout(g, 8, 3, 8) && !lines_are_apart(g))
			forward = false;
		free(g);
	}
	ok(forward, "nor in 200 graphs of any shape");
}

/* ---- rates, history ---- */

static void test_rates_copy(void)
{
	struct rates *r = rates_new(), *copy;
	double a[RATES_COUNTERS], b[RATES_COUNTERS];
	struct row_key key = { { 7, 8 } };

	rates_begin(r, 1000 * MS, 0);
	rates_get(r, &key, (uint64_t[]){ 10, 0, 0, 0 }, a);
	rates_end(r);
	rates_begin(r, 2000 * MS, 0);
	rates_get(r, &key, (uint64_t[]){ 40, 0, 0, 0 }, a);
	rates_end(r);
	copy = rates_copy(r);
	rates_begin(copy, 2000 * MS, 0);
	rates_get(copy, &key, (uint64_t[]){ 40, 0, 0, 0 }, b);
	rates_end(copy);
	ok(fabs(a[0] - 30) < 1e-9 && fabs(b[0] - 30) < 1e-9,
	   "a second refresh at the same time is over the same interval, of a copy, too");
	rates_begin(copy, 4000 * MS, 0);
	rates_get(copy, &key, (uint64_t[]){ 50, 0, 0, 0 }, b);
	rates_end(copy);
	ok(fabs(b[0] - 5) < 1e-9, "and goes on from there");
	rates_free(r);
	rates_free(copy);
}

static void test_rates_changes(void)
{
	struct rates *r = rates_new();
	double per_s[RATES_COUNTERS];
	bool right = true;

	/* objects come and go in any order; each has counted to its age times its number */
	for (uint64_t round = 0; round < 50; round++) {
		rates_begin(r, (round + 1) * 1000 * MS, 0);
		for (uint64_t i = 0; i < 300; i++) {
			uint64_t id = round % 3 ? i : 299 - i;
			struct row_key key = { { 1, id } };

			if ((round / 10 + id) % 5 == 0)
				continue;
			rates_get(r, &key, (uint64_t[]){ (round + 1) * id, 0, 0, 0 }, per_s);
			if (round % 10 && fabs(per_s[0] - (double)id) > 1e-9)
				right = false;
		}
		rates_end(r);
	}
	ok(right, "rates are right whoever comes and goes, in whatever order");
	rates_free(r);
}

static void test_history(void)
{
	struct history *h = history_new();
	struct m_chan chan = { .id = 5, .last_ns = 1, .first_ns = T0 };
	struct activity a;

	for (uint64_t i = 1; i <= 100; i++) {
		chan.count.msgs_out += i % 2 ? 0 : i;
		chan.last_ns = T0 + i * 1000 * MS;
		history_begin(h, T0 + i * 1000 * MS);
		if (history_wants(h, &chan))
			history_take(h, &chan);
		history_end(h);
	}
	history_of(h, 5, &a);
	ok(a.n == HISTORY_SLOTS - 1 && a.span_ns == (uint64_t)a.n * 1000 * MS,
	   "history: as many intervals as it holds");
	ok(fabs(a.per_s[a.n - 1] - 100) < 1e-3 && a.per_s[a.n - 2] <= 0 &&
		   fabs(a.per_s[a.n - 3] - 98) < 1e-3,
	   "history: what went through in each");
	history_of(h, 6, &a);
	ok(a.n && a.per_s[a.n - 1] <= 0, "history: nothing through one that was not used");
	history_begin(h, T0);
	history_end(h);
	history_of(h, 5, &a);
	ok(a.n == 0, "history: back in time it begins anew");
	history_free(h);
}

static void test_pause_keeps(void)
{
	struct stage s;

	stage_open(&s, 2);
	press(&s, ' ');
	for (int i = 0; i < 20; i++)
		world_io(s.model, T0 + (2100 + (uint64_t)i) * MS,
			 &(struct world_io){ 101, 101, OP_WRITE, 1, 1, IO_WRITE, 777, 0, 0 });
	for (int v = 0; v < VIEW_MAX; v++) {
		press(&s, '1' + v);
		ok(!screen_shows(&s, "777"), "paused: %s stays as it was", views[v]->name);
		press(&s, KEY_F5);
		free(screen(&s, 24, 80));
	}
	stage_close(&s);
}

int main(void)
{
	setlocale(LC_CTYPE, "");
	printf("# locale's characters: %s\n", nl_langinfo(CODESET));
	test_pages();
	test_page_ends();
	test_numbers();
	test_tree_filter();
	test_completion();
	test_tags();
	test_mouse();
	test_setup();
	test_config_path();
	test_export();
	test_graph();
	test_wide_graph();
	test_rates_copy();
	test_rates_changes();
	test_history();
	test_pause_keeps();
	return done_testing();
}
