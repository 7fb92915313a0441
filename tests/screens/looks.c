// SPDX-License-Identifier: GPL-2.0-or-later
/* Which colours and attributes a style gets, by theme and by what the terminal has. */
#include "tests/screens/tap.h"
#include "ui/tui/looks.h"

static bool is_look(struct look l, int fg, int bg, unsigned int attributes)
{
	return l.fg == fg && l.bg == bg && l.attributes == attributes;
}

/* A theme asks for no more than it says, and gets no more than there is. */
static void test_number_of_colours(void)
{
	static const struct {
		enum theme theme;
		int colours, fg;
		unsigned int attributes;
	} cases[] = {
		{ THEME_AUTO, 8, 3, LOOK_BOLD },	 { THEME_AUTO, 16, 11, LOOK_BOLD },
		{ THEME_AUTO, 256, 220, LOOK_BOLD },	 { THEME_AUTO, COLOURS_TRUE, 0xffd700, LOOK_BOLD },
		{ THEME_8, 256, 3, LOOK_BOLD },		 { THEME_16, 256, 11, LOOK_BOLD },
		{ THEME_256, 16, 11, LOOK_BOLD },	 { THEME_TRUE, 256, 220, LOOK_BOLD },
		{ THEME_8, COLOURS_TRUE, 3, LOOK_BOLD }, { THEME_256, COLOURS_TRUE, 3, LOOK_BOLD },
		{ THEME_MONO, 256, -1, LOOK_UNDERLINE }, { THEME_AUTO, 0, -1, LOOK_UNDERLINE },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct palette p = { cases[i].colours, true };

		ok(is_look(look_of(STYLE_FOLLOWED, cases[i].theme, &p), cases[i].fg, -1,
			   cases[i].attributes),
		   "theme %s with %d colours: %d", theme_words[cases[i].theme], cases[i].colours,
		   cases[i].fg);
	}
}

static void test_dim(void)
{
	struct palette few = { 8, true }, many = { 256, true };

	ok(is_look(look_of(STYLE_DIM, THEME_AUTO, &few), -1, -1, LOOK_DIM), "dim where there is no grey");
	ok(is_look(look_of(STYLE_DIM, THEME_AUTO, &many), 244, -1, 0), "a grey is not made dim as well");
}

static void test_no_own_colours(void)
{
	struct palette p = { 8, false };

	ok(is_look(look_of(STYLE_DEAD, THEME_AUTO, &p), 1, 0, LOOK_BOLD),
	   "a terminal that cannot go back to its own colours gets black below red");
	ok(is_look(look_of(STYLE_NORMAL, THEME_AUTO, &p), -1, -1, 0), "and plain text is left alone");
}

/* Without colours every style that means something can still be told from plain text. */
static void test_without_colours(void)
{
	static const struct palette none = { 0, false };

	for (int i = STYLE_NORMAL + 1; i < STYLE_MAX; i++)
		ok(i == STYLE_GOOD || look_of((enum style)i, THEME_AUTO, &none).attributes,
		   "style %d shows without colours", i);
}

int main(void)
{
	test_number_of_colours();
	test_dim();
	test_no_own_colours();
	test_without_colours();
	return done_testing();
}
