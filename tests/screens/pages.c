// SPDX-License-Identifier: GPL-2.0-or-later
/* Keys of the views on the page of a row: search, filter, order, tags, files. */
#include <locale.h>
#include <unistd.h>

#include "tests/screens/stage.h"
#include "ui/tui/page.h"

/* The page of the process or channel that a search for `text` finds. */
static void open_on(struct stage *s, int view, const char *text)
{
	stage_open(s, 2);
	press(s, view);
	press(s, '/');
	type(s, text);
	press(s, KEY_RETURN);
	press(s, KEY_RETURN);
	free(screen(s, 24, 80));
}

/* The table of a view on the page. */
static struct table *table_on(struct stage *s, const struct view *view)
{
	struct page *p = dash_page(&s->dash);

	for (int i = 0; i < p->ntables; i++)
		if (p->tables[i].view == view)
			return &p->tables[i];
	return NULL;
}

static const char *name_here(struct stage *s, const struct view *view)
{
	static char buf[VALUE_SIZE];
	const struct row *row = page_cursor_row(dash_page(&s->dash));

	if (!row || page_table_here(dash_page(&s->dash))->view != view)
		return "";
	for (int i = 0; i < view->ncolumns; i++)
		if (strcmp(view->columns[i].name, "NAME") == 0)
			return value_string(&view->columns[i], &row->values[i], buf);
	return "";
}

static void test_search(void)
{
	struct stage s;

	open_on(&s, '1', "srv");
	press(&s, '/');
	type(&s, "tmp");
	is_text(name_here(&s, &view_chans), "/tmp/日\\x1B]0;x\\x07",
		"F3 goes to the row that shows it, in any table of the page");
	press(&s, KEY_ESCAPE);
	ok(page_cursor_row(dash_page(&s.dash)) == NULL, "Esc: back to where the cursor was");
	press(&s, '/');
	type(&s, "srv.sock");
	press(&s, KEY_RETURN);
	is_text(name_here(&s, &view_blocked), "/run/srv.sock", "Enter keeps it");
	press(&s, 'n');
	is_text(name_here(&s, &view_chans), "/run/srv.sock", "n: the next one, in the next table");
	for (int i = 0; i < 40 && !*name_here(&s, &view_blocked); i++)
		press(&s, 'n');
	is_text(name_here(&s, &view_blocked), "/run/srv.sock", "and around the end");
	press(&s, '/');
	type(&s, "nowhere");
	ok(screen_shows(&s, "no row shows that"), "what no row shows is told");
	press(&s, KEY_ESCAPE);
	stage_close(&s);
}

static void test_filter(void)
{
	struct stage s;

	open_on(&s, '1', "srv");
	press(&s, KEY_F4);
	type(&s, "chan=/tmp*");
	press(&s, KEY_RETURN);
	ok(screen_shows(&s, " Channels (1 of 2)") && screen_shows(&s, "filter 'chan=/tmp*'"),
	   "F4 hides rows of the page, and says so");
	ok(screen_shows(&s, " Waits and sleeps (0 of 1)") && !screen_shows(&s, "recvfrom unix"),
	   "a table of which none is left keeps its title");
	stage_refresh(&s, T0 + 3000 * MS);
	ok(screen_shows(&s, " Channels (1 of 2)"), "also after a refresh");
	press(&s, KEY_F4);
	press(&s, KEY_CTRL_U);
	ok(screen_shows(&s, " Channels (2)"), "and follows what is typed");
	press(&s, KEY_ESCAPE);
	ok(screen_shows(&s, " Channels (1 of 2)"), "Esc: as it was");
	press(&s, KEY_TO_END);
	press(&s, KEY_RETURN);
	ok(s.dash.npages == 2 && !screen_shows(&s, "filter '"), "the next page has none yet");
	press(&s, KEY_ERASE);
	ok(screen_shows(&s, "filter 'chan=/tmp*'"), "and this one keeps its own");
	press(&s, KEY_ERASE);
	ok(!screen_shows(&s, "filter '") && !s.dash.filter.text[0], "the view has none");
	stage_close(&s);
}

static void test_order(void)
{
	struct stage s;
	struct table *t;
	struct row_key key;
	char line[1024];
	int y;

	open_on(&s, '1', "srv");
	press(&s, KEY_ARROW_DOWN);
	press(&s, KEY_ARROW_DOWN); /* Channels */
	t = table_on(&s, &view_chans);
	key = page_cursor_row(dash_page(&s.dash))->key;
	ok(page_table_here(dash_page(&s.dash)) == t, "the cursor is in Channels");
	press(&s, '<');
	press(&s, '<');
	ok(screen_shows(&s, "Channels by NAME") && t->shown[0]->key.v[1] == key.v[1],
	   "< sorts the table of the cursor by another column, and says which");
	press(&s, 'I');
	ok(t->shown[1]->key.v[1] == key.v[1] && table_on(&s, &view_talk)->inverted == false,
	   "I turns its order, and only its");
	ok(row_keys_equal(&page_cursor_row(dash_page(&s.dash))->key, &key),
	   "the cursor stays on its row");
	free(screen(&s, 24, 80));
	for (y = 0; y < 24; y++) {
		grid_line(&s.dash.grid, y, line, sizeof(line));
		if (strncmp(line, "KIND  NAME", 10) == 0)
			break;
	}
	press(&s, key_click(y, 1));
	ok(strcmp(t->view->columns[t->sort].name, "KIND") == 0, "a click on a header sorts, too");
	press(&s, KEY_F5);
	ok(screen_shows(&s, "a page is a list"), "a page has no other shape");
	stage_close(&s);
}

static void test_marks(void)
{
	struct stage s;
	struct page *p;
	size_t lines;

	open_on(&s, '1', "srv");
	p = dash_page(&s.dash);
	lines = p->nlines;
	press(&s, KEY_ARROW_DOWN);
	press(&s, KEY_ARROW_DOWN);
	press(&s, 'x');
	press(&s, KEY_F4);
	type(&s, "tagged");
	press(&s, KEY_RETURN);
	ok(table_on(&s, &view_chans)->nshown == 1 && p->nlines < lines,
	   "a row that was tagged here is shown by the word tagged");
	press(&s, KEY_F4);
	press(&s, KEY_CTRL_U);
	press(&s, KEY_RETURN);
	for (int i = 0; i < 50; i++)
		press(&s, KEY_ARROW_RIGHT);
	ok(p->left < 200, "sideways there is an end");
	for (int i = 0; i < 50; i++)
		press(&s, KEY_ARROW_LEFT);
	ok(p->left == 0 && p->nlines == lines, "and a beginning");
	stage_close(&s);
}

static void test_export(void)
{
	char folder[100], *text;
	struct stage s;

	snprintf(folder, sizeof(folder), "%s/pages-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	if (!ok(mkdtemp(folder) != NULL, "a folder for exports"))
		return;
	open_on(&s, '1', "srv");
	press(&s, KEY_F7);
	ok(screen_shows(&s, "Write to: ipctap-process-1.txt"), "F7 proposes a name");
	press(&s, KEY_ESCAPE);
	text = exported(&s, folder, "a.txt");
	ok(strstr(text, "\nprocess srv[200]\n   state     alive\n") && strstr(text, "\nKIND    NAME ") &&
		   strstr(text, "\n Latest operations (141)\n") && strstr(text, "… and 111 more"),
	   "text: the whole page");
	free(text);
	text = exported(&s, folder, "a.json");
	ok(text[0] == '{' && strstr(text, "\"page\": \"process srv[200]\"") &&
		   strstr(text, "\"channels\": [") && strstr(text, "\"ident\": \"unix:[6001]-[6002]\""),
	   "JSON: an object of the tables");
	free(text);
	press(&s, '/');
	type(&s, "tmp");
	press(&s, KEY_RETURN);
	text = exported(&s, folder, "a.csv");
	ok(strncmp(text, "kind,name,who,", 14) == 0 && strstr(text, "\r\nunix,/run/srv.sock,"),
	   "CSV: the table of the cursor");
	free(text);
	rmdir(folder);
	stage_close(&s);
}

/* The operation that was seen is the one that is opened, however many came since, and stays. */
static void test_event(void)
{
	static const struct world_io io = { 101, 101, OP_WRITE, 1, 1, IO_WRITE, 7, 0, 0 };
	struct stage s;
	struct table *t;

	stage_open(&s, 2);
	press(&s, '5');
	stage_refresh(&s, T0 + 2000 * MS);
	press(&s, KEY_TO_HOME);
	free(screen(&s, 24, 80));
	for (uint64_t i = 0; i < 2 * TAIL_MAX; i++)
		world_io(s.model, T0 + 2100 * MS + i * US, &io);
	press(&s, KEY_RETURN);
	ok(screen_shows(&s, " operation ") && !screen_shows(&s, "no longer known"),
	   "the page of an operation that the tail has forgotten since");
	stage_refresh(&s, T0 + 3000 * MS);
	ok(!screen_shows(&s, "no longer known"), "and it stays");
	press(&s, '1');
	stage_refresh(&s, T0 + 3050 * MS);
	for (uint64_t i = 0; i < 100; i++)
		world_io(s.model, T0 + 3100 * MS + i * US, &io);
	press(&s, '5');
	t = dash_table(&s.dash);
	ok(t->nshown && t->shown[0]->values[0].n > 0 && t->shown[0]->values[0].n < MS,
	   "how long ago is told as of when the view is opened");
	stage_close(&s);
}

int main(void)
{
	setlocale(LC_CTYPE, "");
	test_search();
	test_filter();
	test_order();
	test_marks();
	test_export();
	test_event();
	return done_testing();
}
