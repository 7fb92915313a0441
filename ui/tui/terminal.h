/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The terminal: puts a grid on it, reads its keys, and leaves it as it was found, whatever happens.
 * Implemented by curses.c, the only file that knows ncurses. There is one terminal per process.
 *
 * While it is open SIGINT, SIGTERM, SIGQUIT, SIGHUP and SIGTSTP arrive as keys or are dealt with in
 * terminal_key; they interrupt whatever the process sleeps in. A signal that would end the process
 * with a core dump first gives the terminal back. terminal_close puts all of them back as they were.
 */
#ifndef IPCTAP_UI_TUI_TERMINAL_H
#define IPCTAP_UI_TUI_TERMINAL_H

#include <stdbool.h>

#include "lib/base/fail.h"
#include "ui/tui/grid.h"

/* How many colours: as many as the terminal has, or at most so many. */
enum theme { THEME_AUTO, THEME_MONO, THEME_8, THEME_16, THEME_256, THEME_TRUE, THEME_MAX };
extern const char *const theme_words[THEME_MAX]; /* "auto", "none", "8" … (looks.c) */

/* Needs stdin and stdout to be a terminal, and TERM to be known. 0 or a negative errno. */
int terminal_open(enum theme theme, struct fail *fail);
void terminal_close(void); /* any number of times */

void terminal_theme(enum theme theme); /* and forgets what it shows */
void terminal_size(int *rows, int *cols);

/* Draws what differs from the last grid; after terminal_forget: all of it. 0 or -ENOMEM. */
int terminal_draw(const struct grid *g);
void terminal_forget(void);

/* The next key of keys.h without waiting; KEY_NOTHING: there is none. */
int terminal_key(void);
void terminal_wait(int timeout_ms); /* for a key, or a signal */

/*
 * A key interrupts a sleep, as a signal does (SIGIO), so that whoever waits for something else
 * need not wake up just to look for keys. One that came before the sleep does not: sleep for no
 * longer than this, which is 0 when a key is there already.
 */
int terminal_patience_ms(void);

#endif
