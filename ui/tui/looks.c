// SPDX-License-Identifier: GPL-2.0-or-later
#include "ui/tui/looks.h"

const char *const theme_words[THEME_MAX] = {
	[THEME_AUTO] = "auto", [THEME_MONO] = "none", [THEME_8] = "8",
	[THEME_16] = "16",     [THEME_256] = "256",   [THEME_TRUE] = "true",
};

enum { BLACK, RED, GREEN, YELLOW, BLUE, MAGENTA, CYAN, WHITE };

struct choice {
	int fg, bg;         /* of eight; -1: the terminal's own */
	int fg16;           /* of sixteen; -1: as fg */
	int fg256;          /* of 256; -1: as fg16 */
	int rgb;            /* where any colour can be had; -1: as fg256 can be told in eight */
	unsigned int attr;  /* with colours */
	unsigned int mono;  /* without */
};

static const struct choice choices[STYLE_MAX] = {
	[STYLE_NORMAL] = { -1, -1, -1, -1, -1, 0, 0 },
	[STYLE_TITLE] = { CYAN, -1, 14, 51, 0x5fd7ff, LOOK_BOLD, LOOK_BOLD },
	[STYLE_HEADER] = { BLACK, GREEN, -1, -1, -1, 0, LOOK_REVERSE },
	[STYLE_SORTED] = { BLACK, CYAN, -1, -1, -1, 0, LOOK_REVERSE | LOOK_BOLD },
	[STYLE_SELECTED] = { BLACK, CYAN, -1, -1, -1, 0, LOOK_REVERSE },
	[STYLE_FOLLOWED] = { YELLOW, -1, 11, 220, 0xffd700, LOOK_BOLD, LOOK_UNDERLINE },
	[STYLE_DIM] = { -1, -1, 8, 244, 0x808080, LOOK_DIM, LOOK_DIM },
	[STYLE_GOOD] = { GREEN, -1, -1, 71, 0x5faf5f, 0, 0 },
	[STYLE_WARN] = { YELLOW, -1, 11, 214, 0xffaf00, 0, LOOK_BOLD },
	[STYLE_ALERT] = { WHITE, RED, 15, -1, -1, LOOK_BOLD, LOOK_BOLD | LOOK_REVERSE },
	[STYLE_DEAD] = { RED, -1, 9, 203, 0xff5f5f, LOOK_BOLD, LOOK_BOLD | LOOK_UNDERLINE },
	[STYLE_TAGGED] = { MAGENTA, -1, 13, 177, 0xd787ff, LOOK_BOLD, LOOK_BOLD | LOOK_UNDERLINE },
	[STYLE_KEY] = { CYAN, -1, -1, 74, 0x5fafd7, 0, LOOK_BOLD },
};

/* How many colours to use: what the theme asks for, as far as the terminal has them. */
static int colours_of(enum theme theme, const struct palette *palette)
{
	static const int most[THEME_MAX] = { [THEME_AUTO] = COLOURS_TRUE, [THEME_MONO] = 0,
					     [THEME_8] = 8,		  [THEME_16] = 16,
					     [THEME_256] = 256,		  [THEME_TRUE] = COLOURS_TRUE };

	return palette->colours < most[theme] ? palette->colours : most[theme];
}

/*
 * The foreground with so many. On a terminal of direct colours a number means red, green and blue,
 * but the first eight mean what they always did: those of 16 and 256 cannot be had there.
 */
static int foreground(const struct choice *c, int colours, const struct palette *palette)
{
	bool is_direct = palette->colours >= COLOURS_TRUE;

	if (colours >= COLOURS_TRUE && c->rgb >= 0)
		return c->rgb;
	if (!is_direct && colours >= 256 && c->fg256 >= 0)
		return c->fg256;
	if (!is_direct && colours >= 16 && c->fg16 >= 0)
		return c->fg16;
	return c->fg;
}

struct look look_of(enum style style, enum theme theme, const struct palette *palette)
{
	const struct choice *c = &choices[style];
	int colours = colours_of(theme, palette);
	struct look l = { -1, -1, c->mono };

	if (colours <= 0)
		return l;
	l.fg = foreground(c, colours, palette);
	l.bg = c->bg;
	/* a colour that is dim by itself need not be made so */
	l.attributes = l.fg != c->fg ? c->attr & ~(unsigned int)LOOK_DIM : c->attr;
	/* a terminal that cannot go back to its own colours gets white on black */
	if (!palette->has_own && (l.fg >= 0 || l.bg >= 0)) {
		l.fg = l.fg < 0 ? WHITE : l.fg;
		l.bg = l.bg < 0 ? BLACK : l.bg;
	}
	return l;
}
