// SPDX-License-Identifier: GPL-2.0-or-later
/* The terminal through ncursesw; see terminal.h. The only file that includes curses.h. */
#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <term.h>
/* term.h has macros for words that others need */
#undef columns
#undef lines

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "lib/base/escape.h"
#include "ui/tui/guard.h"
#include "ui/tui/keys.h"
#include "ui/tui/looks.h"
#include "ui/tui/signals.h"
#include "ui/tui/terminal.h"

#define SIZE_MAX_CELLS 1000 /* either way; what lies beyond stays empty */
#define ESCAPE_DELAY_MS 25  /* between Esc and the rest of a function key */
#define PATIENCE_MS 250     /* between looks for a key that came at a bad moment */
#define NO_SIGNAL_MS 50     /* the same when keys send no signal */
#define WHEEL_ROWS 3        /* that a turn of the wheel moves by */
#define EMPTY_READS_MAX 8   /* readable, yet no key, so often in a row: end of file */

static struct {
	bool open;
	SCREEN *screen;
	struct guard undo;    /* as it was before us; what undoes our modes is written by a crash handler */
	struct guard *guard;  /* who does the same when we are killed; NULL: nobody */
	struct cell *shown; /* what is on the screen; NULL: not known */
	int rows, cols;     /* of shown */
	attr_t attr[STYLE_MAX];
	short pair[STYLE_MAX];
	bool has_colours, has_own; /* own: it can go back to its own colours */
	int empty_reads;
	int wheel;    /* arrows still to come from a turn of the mouse's wheel */
} term;

/* Whether the terminal is as we want it, and to be given back should we be killed. */
static void ours(bool is_ours)
{
	if (term.guard)
		term.guard->is_on = is_ours;
}

/* In a handler: only what is safe there. The escape sequences were made when we began. */
static void give_back(void)
{
	ssize_t n = write(STDOUT_FILENO, term.undo.undo, term.undo.undo_len);

	(void)n; /* there is nothing else that could be done */
	tcsetattr(STDIN_FILENO, TCSANOW, &term.undo.found);
	ours(false);
}

/* ---- how styles look ---- */

static attr_t attributes(unsigned int look)
{
	return (look & LOOK_BOLD ? A_BOLD : 0) | (look & LOOK_DIM ? A_DIM : 0) |
	       (look & LOOK_REVERSE ? A_REVERSE : 0) | (look & LOOK_UNDERLINE ? A_UNDERLINE : 0);
}

static void looks_set(enum theme theme)
{
	struct palette palette = { term.has_colours ? COLORS : 0, term.has_own };

	for (int i = 0; i < STYLE_MAX; i++) {
		struct look l = look_of((enum style)i, theme, &palette);

		term.attr[i] = attributes(l.attributes);
		term.pair[i] = 0;
		if ((l.fg >= 0 || l.bg >= 0) && init_extended_pair(i + 1, l.fg, l.bg) == OK)
			term.pair[i] = (short)(i + 1);
	}
}

void terminal_theme(enum theme theme)
{
	looks_set(theme);
	terminal_forget();
}

/* ---- open and close ---- */

static int restore_put(int c)
{
	if (term.undo.undo_len < sizeof(term.undo.undo))
		term.undo.undo[term.undo.undo_len++] = (char)c;
	return c;
}

/*
 * A terminal that lays out right-to-left text would move names about within their line, and what
 * stands beside them. This one is laid out already: characters go where they are put (ECMA-48 BDSM,
 * as VTE and mintty have it; others ignore it).
 */
#define ORDER_AS_PUT "\033[8l"
#define ORDER_AS_READ "\033[8h"

static bool knows_ansi(void)
{
	return cursor_address && cursor_address[0] == '\033' && cursor_address[1] == '[';
}

static void order_set(bool as_read)
{
	if (!knows_ansi())
		return;
	putp(as_read ? ORDER_AS_READ : ORDER_AS_PUT);
	fflush(stdout);
}

static void restore_make(void)
{
	/* xterm's mouse, as ncurses turns it on */
	const char *mouse = knows_ansi() ? "\033[?1006l\033[?1000l" : NULL;
	const char *const undo[] = { exit_attribute_mode, orig_pair, cursor_normal, keypad_local, mouse,
				     knows_ansi() ? ORDER_AS_READ : NULL, exit_ca_mode };

	term.undo.undo_len = 0;
	for (size_t i = 0; i < sizeof(undo) / sizeof(undo[0]); i++)
		if (undo[i])
			tputs(undo[i], 1, restore_put);
}

/* That it has no such ioctl, as the errno says, would help nobody. */
static int refuse(struct fail *fail, const char *what, const char *type)
{
	char text[160], shown[ESCAPE_SIZE(64)];

	escape_text(shown, sizeof(shown), type ? type : "", 64);
	snprintf(text, sizeof(text), what, shown);
	fail_set(fail, 0, "set TERM to what it is, as TERM=xterm, or use -b for text", "%s", text);
	return -ENOTTY;
}

int terminal_open(enum theme theme, struct fail *fail)
{
	static bool at_exit;
	const char *type = getenv("TERM");

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &term.undo.found))
		return refuse(fail, "this is not a terminal", NULL);
	if (!at_exit)
		at_exit = atexit(terminal_close) == 0;
	signals_catch(give_back); /* before ncurses would catch them */
	term.screen = newterm(NULL, stdout, stdin);
	if (!term.screen) {
		signals_release();
		return type && *type ? refuse(fail, "the terminal type '%.64s' is not known", type) :
				       refuse(fail, "TERM is not set", NULL);
	}
	if (!cursor_address || !clear_screen) {
		endwin();
		delscreen(term.screen);
		signals_release();
		return refuse(fail, "a terminal of type '%.64s' cannot move its cursor", type);
	}
	term.open = true;
	term.empty_reads = 0;
	restore_make();
	set_escdelay(ESCAPE_DELAY_MS);
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	curs_set(0);
	term.has_colours = has_colors() && start_color() == OK;
	term.has_own = term.has_colours && use_default_colors() == OK;
	looks_set(theme);
	mousemask(BUTTON1_PRESSED | BUTTON1_CLICKED | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL);
	mouseinterval(0); /* a press is a click: nothing is to wait for */
	order_set(false);
	term.undo.is_on = true;
	if (tcgetattr(STDIN_FILENO, &term.undo.ours) == 0)
		term.guard = guard_start(&term.undo);
	return 0;
}

void terminal_close(void)
{
	if (!term.open)
		return;
	term.open = false;
	mousemask(0, NULL);
	order_set(true);
	endwin();
	delscreen(term.screen);
	tcsetattr(STDIN_FILENO, TCSANOW, &term.undo.found);
	guard_stop(term.guard);
	term.guard = NULL;
	signals_release();
	terminal_forget();
}

void terminal_size(int *rows, int *cols)
{
	int y = getmaxy(stdscr), x = getmaxx(stdscr);

	*rows = y < SIZE_MAX_CELLS ? y : SIZE_MAX_CELLS;
	*cols = x < SIZE_MAX_CELLS ? x : SIZE_MAX_CELLS;
}

/* ---- drawing ---- */

void terminal_forget(void)
{
	free(term.shown);
	term.shown = NULL;
}

static void put_cell(int y, int x, const struct cell *c)
{
	wchar_t text[1 + GRID_COMBINING + 1] = { c->ch };
	cchar_t cc;

	memcpy(text + 1, c->combining, sizeof(c->combining));
	if (setcchar(&cc, text, term.attr[c->style], term.pair[c->style], NULL) != ERR)
		mvadd_wch(y, x, &cc); /* the last corner says ERR, and is drawn */
}

/* The right half of a wide character is drawn with its left half. */
static void draw_line(const struct grid *g, int y, const struct cell *before)
{
	const struct cell *now = grid_cell(g, y, 0);
	int width;

	for (int x = 0; x < g->cols; x += width) {
		width = grid_cell_width(g, y, x);
		if (!before || memcmp(&before[x], &now[x], (size_t)width * sizeof(*now)) != 0)
			put_cell(y, x, &now[x]);
	}
}

int terminal_draw(const struct grid *g)
{
	size_t cells = (size_t)g->rows * (size_t)g->cols;

	if (term.shown && (term.rows != g->rows || term.cols != g->cols))
		terminal_forget();
	if (!term.shown) {
		clearok(curscr, TRUE);
		erase();
	}
	for (int y = 0; y < g->rows; y++)
		draw_line(g, y, term.shown ? term.shown + (size_t)y * (size_t)g->cols : NULL);
	refresh();
	if (!term.shown)
		term.shown = calloc(cells, sizeof(*term.shown));
	if (!term.shown)
		return -ENOMEM;
	memcpy(term.shown, g->cells, cells * sizeof(*term.shown));
	term.rows = g->rows;
	term.cols = g->cols;
	return 0;
}

/* ---- keys ---- */

static const struct {
	int curses, key;
} keys[] = {
	{ KEY_UP, KEY_ARROW_UP },	  { KEY_DOWN, KEY_ARROW_DOWN },
	{ KEY_LEFT, KEY_ARROW_LEFT },	  { KEY_RIGHT, KEY_ARROW_RIGHT },
	{ KEY_PPAGE, KEY_PAGE_UP },	  { KEY_NPAGE, KEY_PAGE_DOWN },
	{ KEY_HOME, KEY_TO_HOME },	  { KEY_FIND, KEY_TO_HOME },
	{ KEY_END, KEY_TO_END },	  { KEY_SELECT, KEY_TO_END },
	{ KEY_BACKSPACE, KEY_ERASE },	  { KEY_ENTER, KEY_RETURN },
	{ KEY_RESIZE, KEY_TERMINAL_RESIZED },
};

/* A click is a key of its own; the wheel is so many arrows. */
static int key_of_mouse(void)
{
	MEVENT ev;

	if (getmouse(&ev) != OK || ev.y < 0 || ev.x < 0 || ev.y > 1023 || ev.x > 1023)
		return KEY_OTHER;
	if (ev.bstate & (BUTTON4_PRESSED | BUTTON5_PRESSED)) {
		term.wheel = ev.bstate & BUTTON4_PRESSED ? -(WHEEL_ROWS - 1) : WHEEL_ROWS - 1;
		return ev.bstate & BUTTON4_PRESSED ? KEY_ARROW_UP : KEY_ARROW_DOWN;
	}
	return ev.bstate & (BUTTON1_PRESSED | BUTTON1_CLICKED) ? key_click(ev.y, ev.x) : KEY_OTHER;
}

static int key_of_wheel(void)
{
	bool is_up = term.wheel < 0;

	term.wheel += is_up ? 1 : -1;
	return is_up ? KEY_ARROW_UP : KEY_ARROW_DOWN;
}

static int key_of_code(int code)
{
	if (code == KEY_MOUSE)
		return key_of_mouse();
	if (code >= KEY_F(1) && code <= KEY_F(10))
		return KEY_F1 + (code - KEY_F(1));
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].curses == code)
			return keys[i].key;
	return KEY_OTHER;
}

/* Ctrl-Z: the shell gets its terminal back as it was, and we stop until it lets us go on. */
static void stop_here(void)
{
	order_set(true);
	endwin();
	ours(false);
	signals_stop();
	reset_prog_mode();
	ours(true);
	order_set(false);
}

static int key_of_signals(void)
{
	switch (signals_take()) {
	case SIGNAL_HUNG_UP:
		return KEY_TERMINAL_GONE;
	case SIGNAL_END:
		return KEY_ASKED_TO_END;
	case SIGNAL_STOP:
		stop_here();
		break;
	case SIGNAL_CONTINUED:
		break;
	default:
		return KEY_NOTHING;
	}
	reset_prog_mode();
	terminal_forget();
	return KEY_TERMINAL_RESIZED;
}

/* What stdin is ready for, after so long at the most; 0: nothing. */
static short ready(int timeout_ms)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };

	return poll(&p, 1, timeout_ms) > 0 ? p.revents : 0;
}

/* stdin is readable at its end, and for ever. */
static bool is_gone(void)
{
	short now = ready(0);

	if (!now) {
		term.empty_reads = 0;
		return false;
	}
	if (now & (POLLHUP | POLLERR | POLLNVAL))
		return true;
	return ++term.empty_reads >= EMPTY_READS_MAX;
}

int terminal_key(void)
{
	int key = key_of_signals(), got;
	wint_t c;

	if (key != KEY_NOTHING)
		return key;
	if (term.wheel)
		return key_of_wheel();
	got = get_wch(&c);
	if (got == ERR)
		return is_gone() ? KEY_TERMINAL_GONE : KEY_NOTHING;
	term.empty_reads = 0;
	if (got == KEY_CODE_YES)
		return key_of_code((int)c);
	if (c == 0x7f || c == '\b')
		return KEY_ERASE;
	if (c == '\r')
		return KEY_RETURN;
	return c > 0 && c < KEY_SPECIAL ? (int)c : KEY_OTHER;
}

void terminal_wait(int timeout_ms)
{
	ready(timeout_ms);
}

int terminal_patience_ms(void)
{
	if (ready(0))
		return 0;
	return signals_tell_keys() ? PATIENCE_MS : NO_SIGNAL_MS;
}
