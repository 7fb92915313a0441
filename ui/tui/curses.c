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
	int empty_reads;
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
	short fg, bg;    /* -1: the terminal's own */
	short fg256;     /* with 256 colours; -1: as fg */
	attr_t attr;     /* with colours */
	attr_t mono;     /* without */
};

static const struct look looks[STYLE_MAX] = {
	[STYLE_NORMAL] = { -1, -1, -1, A_NORMAL, A_NORMAL },
	[STYLE_TITLE] = { COLOR_CYAN, -1, -1, A_BOLD, A_BOLD },
	[STYLE_HEADER] = { COLOR_BLACK, COLOR_GREEN, -1, A_NORMAL, A_REVERSE },
	[STYLE_SORTED] = { COLOR_BLACK, COLOR_CYAN, -1, A_NORMAL, A_REVERSE | A_BOLD },
	[STYLE_SELECTED] = { COLOR_BLACK, COLOR_CYAN, -1, A_NORMAL, A_REVERSE },
	[STYLE_FOLLOWED] = { COLOR_YELLOW, -1, -1, A_BOLD, A_UNDERLINE },
	[STYLE_DIM] = { -1, -1, 244, A_DIM, A_DIM },
	[STYLE_GOOD] = { COLOR_GREEN, -1, -1, A_NORMAL, A_NORMAL },
	[STYLE_WARN] = { COLOR_YELLOW, -1, -1, A_NORMAL, A_BOLD },
	[STYLE_ALERT] = { COLOR_WHITE, COLOR_RED, -1, A_BOLD, A_BOLD | A_REVERSE },
	[STYLE_KEY] = { COLOR_CYAN, -1, -1, A_NORMAL, A_BOLD },
};

static void looks_set(bool mono)
{
	bool colours = !mono && has_colors() && start_color() == OK;
	/* A terminal that cannot go back to its own colours gets white on black. */
	bool own = colours && use_default_colors() == OK;

	for (int i = 0; i < STYLE_MAX; i++) {
		const struct look *l = &looks[i];
		bool rich = colours && COLORS >= 256 && l->fg256 >= 0;
		short fg = rich ? l->fg256 : l->fg, bg = l->bg;

		term.attr[i] = !colours ? l->mono : rich ? A_NORMAL : l->attr;
		term.pair[i] = 0;
		if (!colours || (fg < 0 && bg < 0))
			continue;
		if (!own && fg < 0)
			fg = COLOR_WHITE;
		if (!own && bg < 0)
			bg = COLOR_BLACK;
		if (init_pair((short)(i + 1), fg, bg) == OK)
			term.pair[i] = (short)(i + 1);
	}
}

/* ---- open and close ---- */

static int restore_put(int c)
{
	if (term.restore_len < sizeof(term.restore))
		term.restore[term.restore_len++] = (char)c;
	return c;
}

static void restore_make(void)
{
	const char *const undo[] = { exit_attribute_mode, orig_pair, cursor_normal, keypad_local,
				     exit_ca_mode };

	term.restore_len = 0;
	for (size_t i = 0; i < sizeof(undo) / sizeof(undo[0]); i++)
		if (undo[i])
			tputs(undo[i], 1, restore_put);
}

int terminal_open(bool mono, struct fail *fail)
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
	term.open = true;
	term.empty_reads = 0;
	restore_make();
	set_escdelay(ESCAPE_DELAY_MS);
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	curs_set(0);
	looks_set(mono);
	async_open();
	return 0;
}

void terminal_close(void)
{
	if (!term.open)
		return;
	term.open = false;
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

static int key_of_code(int code)
{
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

	endwin();
	sigaction(SIGTSTP, &by_default, &ours);
	raise(SIGTSTP);
	sigaction(SIGTSTP, &ours, NULL);
	reset_prog_mode();
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
