// SPDX-License-Identifier: GPL-2.0-or-later
/* The names of the choices of colours; what they look like is the terminal's business (curses.c). */
#include "ui/tui/terminal.h"

const char *const theme_words[THEME_MAX] = {
	[THEME_AUTO] = "auto", [THEME_MONO] = "none", [THEME_8] = "8",
	[THEME_16] = "16",     [THEME_256] = "256",   [THEME_TRUE] = "true",
};
