// SPDX-License-Identifier: GPL-2.0-or-later
/* The terminal through ncursesw; see terminal.h. The only file that includes curses.h. */
#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <term.h>
/* term.h has macros for words that others need */
#undef columns
#undef lines

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "ui/tui/keys.h"
#include "ui/tui/terminal.h"

#define SIZE_MAX_CELLS 1000 /* either way; what lies beyond stays empty */
#define ESCAPE_DELAY_MS 25  /* between Esc and the rest of a function key */
#define PATIENCE_MS 250     /* between looks for a key that came at a bad moment */
#define NO_SIGNAL_MS 50     /* the same when keys send no signal */
#define EMPTY_READS_MAX 8   /* readable, yet no key, so often in a row: end of file */

static struct {
	bool open;
	SCREEN *screen;
	struct termios found; /* as it was before us */
	char restore[256];    /* what undoes our modes; written by a crash handler */
	size_t restore_len;
	struct cell *shown; /* what is on the screen; NULL: not known */
	int rows, cols;     /* of shown */
	attr_t attr[STYLE_MAX];
	short pair[STYLE_MAX];
	bool has_colours, has_own; /* own: it can go back to its own colours */
	int empty_reads;
	int wheel;    /* arrows still to come from a turn of the mouse's wheel */
	int async_fd; /* the terminal once more: it sends SIGIO when there is a key; -1: it does not */
} term;

/* ---- signals ---- */

static volatile sig_atomic_t asked_to_end, hung_up, asked_to_stop, continued;

static void note_signal(int sig)
{
	switch (sig) {
	case SIGHUP:
		hung_up = 1;
		break;
	case SIGTSTP:
		asked_to_stop = 1;
		break;
	case SIGCONT:
		continued = 1;
		break;
	case SIGIO: /* to interrupt a sleep is all it is for */
		break;
	default:
		asked_to_end = 1;
	}
}

static void crash(int sig);

static struct caught {
	int sig;
	void (*handler)(int);
	struct sigaction before;
} caught[] = {
	{ .sig = SIGINT, .handler = note_signal },  { .sig = SIGTERM, .handler = note_signal },
	{ .sig = SIGQUIT, .handler = note_signal }, { .sig = SIGHUP, .handler = note_signal },
	{ .sig = SIGTSTP, .handler = note_signal }, { .sig = SIGCONT, .handler = note_signal },
	{ .sig = SIGIO, .handler = note_signal },
	{ .sig = SIGSEGV, .handler = crash },	    { .sig = SIGABRT, .handler = crash },
	{ .sig = SIGBUS, .handler = crash },	    { .sig = SIGFPE, .handler = crash },
	{ .sig = SIGILL, .handler = crash },	    { .sig = SIGSYS, .handler = crash },
	{ .sig = SIGTRAP, .handler = crash },
};
#define NCAUGHT (sizeof(caught) / sizeof(caught[0]))

/* Only what is safe in a signal handler: the escape sequences were made when we began. */
static void crash(int sig)
{
	ssize_t n = write(STDOUT_FILENO, term.restore, term.restore_len);

	(void)n; /* there is nothing else that could be done */
	tcsetattr(STDIN_FILENO, TCSANOW, &term.found);
	for (size_t i = 0; i < NCAUGHT; i++)
		if (caught[i].sig == sig)
			sigaction(sig, &caught[i].before, NULL);
	raise(sig);
}

/* A stack that overflowed cannot run a handler: they have their own. */
static char signal_stack[64 * 1024];

static void signals_catch(void)
{
	stack_t stack = { .ss_sp = signal_stack, .ss_size = sizeof(signal_stack) };

	asked_to_end = hung_up = asked_to_stop = continued = 0;
	sigaltstack(&stack, NULL);
	for (size_t i = 0; i < NCAUGHT; i++) {
		struct sigaction sa = { .sa_handler = caught[i].handler };

		/* no SA_RESTART: a sleep in the pump ends at once */
		if (caught[i].handler == crash)
			sa.sa_flags = SA_ONSTACK | SA_NODEFER;
		if (caught[i].sig == SIGIO) /* still ends epoll_wait and poll, and spares the others */
			sa.sa_flags = SA_RESTART;
		sigaction(caught[i].sig, &sa, &caught[i].before);
	}
}

static void signals_release(void)
{
	stack_t none = { .ss_flags = SS_DISABLE };

	for (size_t i = 0; i < NCAUGHT; i++)
		sigaction(caught[i].sig, &caught[i].before, NULL);
	sigaltstack(&none, NULL);
}

/* An open file of its own: the flag must not stay on the one that the shell shares with us. */
static void async_open(void)
{
	int flags;

	term.async_fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);
	if (term.async_fd < 0)
		return;
	flags = fcntl(term.async_fd, F_GETFL);
	if (fcntl(term.async_fd, F_SETOWN, getpid()) == 0 &&
	    fcntl(term.async_fd, F_SETFL, flags | O_ASYNC) == 0)
		return;
	close(term.async_fd);
	term.async_fd = -1;
}

static void async_close(void)
{
	if (term.async_fd >= 0)
		close(term.async_fd);
	term.async_fd = -1;
}

/* ---- how styles look ---- */

struct look {
	int fg, bg;      /* of eight; -1: the terminal's own */
	int fg16;        /* of sixteen; -1: as fg */
	int fg256;       /* of 256; -1: as fg16 */
	int rgb;         /* where any colour can be had; -1: as fg256 can be told in eight */
	attr_t attr;     /* with colours */
	attr_t mono;     /* without */
};

static const struct look looks[STYLE_MAX] = {
	[STYLE_NORMAL] = { -1, -1, -1, -1, -1, A_NORMAL, A_NORMAL },
	[STYLE_TITLE] = { COLOR_CYAN, -1, 14, 51, 0x5fd7ff, A_BOLD, A_BOLD },
	[STYLE_HEADER] = { COLOR_BLACK, COLOR_GREEN, -1, -1, -1, A_NORMAL, A_REVERSE },
	[STYLE_SORTED] = { COLOR_BLACK, COLOR_CYAN, -1, -1, -1, A_NORMAL, A_REVERSE | A_BOLD },
	[STYLE_SELECTED] = { COLOR_BLACK, COLOR_CYAN, -1, -1, -1, A_NORMAL, A_REVERSE },
	[STYLE_FOLLOWED] = { COLOR_YELLOW, -1, 11, 220, 0xffd700, A_BOLD, A_UNDERLINE },
	[STYLE_DIM] = { -1, -1, 8, 244, 0x808080, A_DIM, A_DIM },
	[STYLE_GOOD] = { COLOR_GREEN, -1, -1, 71, 0x5faf5f, A_NORMAL, A_NORMAL },
	[STYLE_WARN] = { COLOR_YELLOW, -1, 11, 214, 0xffaf00, A_NORMAL, A_BOLD },
	[STYLE_ALERT] = { COLOR_WHITE, COLOR_RED, 15, -1, -1, A_BOLD, A_BOLD | A_REVERSE },
	[STYLE_DEAD] = { COLOR_RED, -1, 9, 203, 0xff5f5f, A_BOLD, A_BOLD | A_UNDERLINE },
	[STYLE_TAGGED] = { COLOR_MAGENTA, -1, 13, 177, 0xd787ff, A_BOLD, A_BOLD | A_UNDERLINE },
	[STYLE_KEY] = { COLOR_CYAN, -1, -1, 74, 0x5fafd7, A_NORMAL, A_BOLD },
};

#define COLOURS_TRUE (1 << 24) /* what a terminal with direct colours says it has */

/* How many colours to use: what the theme asks for, as far as the terminal has them. */
static int colours_of(enum theme theme)
{
	static const int most[THEME_MAX] = { [THEME_AUTO] = COLOURS_TRUE, [THEME_8] = 8,
					     [THEME_16] = 16,	 [THEME_256] = 256,
					     [THEME_TRUE] = COLOURS_TRUE };

	return COLORS < most[theme] ? COLORS : most[theme];
}

/*
 * The foreground with so many. On a terminal of direct colours a number means red, green and blue,
 * but the first eight mean what they always did: those of 16 and 256 cannot be had there.
 */
static int foreground(const struct look *l, int colours, bool *is_rich)
{
	int fg = l->fg;

	if (colours >= COLOURS_TRUE && l->rgb >= 0)
		fg = l->rgb;
	else if (COLORS < COLOURS_TRUE && colours >= 256 && l->fg256 >= 0)
		fg = l->fg256;
	else if (COLORS < COLOURS_TRUE && colours >= 16 && l->fg16 >= 0)
		fg = l->fg16;
	*is_rich = fg != l->fg;
	return fg;
}

static void looks_set(enum theme theme)
{
	bool colours = theme != THEME_MONO && term.has_colours;

	for (int i = 0; i < STYLE_MAX; i++) {
		const struct look *l = &looks[i];
		bool rich = false;
		int fg = colours ? foreground(l, colours_of(theme), &rich) : -1, bg = l->bg;

		/* a colour that is dim by itself need not be made so */
		term.attr[i] = !colours ? l->mono : rich ? l->attr & ~A_DIM : l->attr;
		term.pair[i] = 0;
		if (!colours || (fg < 0 && bg < 0))
			continue;
		/* A terminal that cannot go back to its own colours gets white on black. */
		if (!term.has_own && fg < 0)
			fg = COLOR_WHITE;
		if (!term.has_own && bg < 0)
			bg = COLOR_BLACK;
		if (init_extended_pair(i + 1, fg, bg) == OK)
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
	if (term.restore_len < sizeof(term.restore))
		term.restore[term.restore_len++] = (char)c;
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

	term.restore_len = 0;
	for (size_t i = 0; i < sizeof(undo) / sizeof(undo[0]); i++)
		if (undo[i])
			tputs(undo[i], 1, restore_put);
}

int terminal_open(enum theme theme, struct fail *fail)
{
	static bool at_exit;
	const char *type = getenv("TERM");

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) ||
	    tcgetattr(STDIN_FILENO, &term.found) < 0)
		return fail_set(fail, ENOTTY, "use top -b for text, or top --json",
				"the dashboard needs a terminal");
	if (!at_exit)
		at_exit = atexit(terminal_close) == 0;
	signals_catch(); /* before ncurses would catch them */
	term.screen = newterm(NULL, stdout, stdin);
	if (!term.screen) {
		signals_release();
		return fail_set(fail, ENOTTY, "set TERM, or use top -b for text",
				"the terminal type '%.64s' is not known", type ? type : "");
	}
	if (!cursor_address || !clear_screen) {
		endwin();
		delscreen(term.screen);
		signals_release();
		return fail_set(fail, ENOTTY, "set TERM to what it really is, or use top -b for text",
				"a terminal of type '%.64s' cannot move its cursor",
				type ? type : "");
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
	async_open();
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
	tcsetattr(STDIN_FILENO, TCSANOW, &term.found);
	async_close(); /* or a late SIGIO would end the process */
	signals_release();
	terminal_forget();
}

void terminal_size(int *rows, int *cols)
{
	getmaxyx(stdscr, *rows, *cols);
	if (*rows > SIZE_MAX_CELLS)
		*rows = SIZE_MAX_CELLS;
	if (*cols > SIZE_MAX_CELLS)
		*cols = SIZE_MAX_CELLS;
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
	if (setcchar(&cc, text, term.attr[c->style], term.pair[c->style], NULL) == ERR)
		return;
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

#define WHEEL_ROWS 3

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
	int key = term.wheel < 0 ? KEY_ARROW_UP : KEY_ARROW_DOWN;

	term.wheel += term.wheel < 0 ? 1 : -1;
	return key;
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
	struct sigaction by_default = { .sa_handler = SIG_DFL }, ours;

	order_set(true);
	endwin();
	sigaction(SIGTSTP, &by_default, &ours);
	raise(SIGTSTP);
	sigaction(SIGTSTP, &ours, NULL);
	reset_prog_mode();
	order_set(false);
}

static int key_of_signals(void)
{
	if (hung_up)
		return KEY_TERMINAL_GONE;
	if (asked_to_end) {
		asked_to_end = 0;
		return KEY_ASKED_TO_END;
	}
	if (asked_to_stop) {
		asked_to_stop = 0;
		stop_here();
		continued = 1;
	}
	if (!continued)
		return KEY_NOTHING;
	continued = 0;
	reset_prog_mode();
	terminal_forget();
	return KEY_TERMINAL_RESIZED;
}

/* stdin is readable at its end, and for ever. */
static bool is_gone(void)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };

	if (poll(&p, 1, 0) <= 0) {
		term.empty_reads = 0;
		return false;
	}
	if (p.revents & (POLLHUP | POLLERR | POLLNVAL))
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
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };

	poll(&p, 1, timeout_ms);
}

int terminal_patience_ms(void)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };

	if (poll(&p, 1, 0) > 0)
		return 0;
	return term.async_fd >= 0 ? PATIENCE_MS : NO_SIGNAL_MS;
}
