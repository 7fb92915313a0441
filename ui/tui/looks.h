/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How styles look: which colours and attributes each has with a theme on a terminal of so many
 * colours. Knows no terminal; curses.c shows them.
 */
#ifndef IPCTAP_UI_TUI_LOOKS_H
#define IPCTAP_UI_TUI_LOOKS_H

#include <stdbool.h>

#include "ui/tui/grid.h"
#include "ui/tui/terminal.h"

#define COLOURS_TRUE (1 << 24) /* what a terminal with direct colours says it has */

/* What the terminal can do. */
struct palette {
	int colours;  /* 0: none */
	bool has_own; /* it can go back to its own foreground and background */
};

enum { LOOK_BOLD = 1, LOOK_DIM = 2, LOOK_REVERSE = 4, LOOK_UNDERLINE = 8 };

struct look {
	/* 0 to 7: black, red, green, yellow, blue, magenta, cyan, white (ECMA-48, SGR 30 to 37); beyond:
	 * a number of the terminal's 16 or 256, or 0xrrggbb where it has COLOURS_TRUE; -1: its own */
	int fg, bg;
	unsigned int attributes; /* LOOK_… */
};

struct look look_of(enum style style, enum theme theme, const struct palette *palette);

#endif
