/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys, and what each one does: one table that the dispatcher, the help screen and the footer all
 * read, so that they cannot disagree. Actions only name what is wanted; dash.c does it.
 */
#ifndef IPCTAP_UI_TUI_KEYS_H
#define IPCTAP_UI_TUI_KEYS_H

/* A key: a Unicode character, or one of these, which lie beyond all of them. */
enum key {
	KEY_NOTHING = 0, /* nothing was pressed */
	KEY_CTRL_L = 0x0c,
	KEY_CTRL_U = 0x15,
	KEY_ESCAPE = 0x1b,
	KEY_TABULATOR = '\t',
	KEY_RETURN = '\n',
	KEY_SPECIAL = 0x110000,
	KEY_ARROW_UP,
	KEY_ARROW_DOWN,
	KEY_ARROW_LEFT,
	KEY_ARROW_RIGHT,
	KEY_PAGE_UP,
	KEY_PAGE_DOWN,
	KEY_TO_HOME,
	KEY_TO_END,
	KEY_ERASE, /* Backspace, however the terminal says it */
	KEY_F1,
	KEY_F2,
	KEY_F3,
	KEY_F4,
	KEY_F5,
	KEY_F6,
	KEY_F7,
	KEY_F8,
	KEY_F9,
	KEY_F10,
	KEY_TERMINAL_RESIZED, /* or taken up again after a stop: all of it is to be drawn */
	KEY_TERMINAL_GONE,    /* hung up: nobody is there any more */
	KEY_ASKED_TO_END,     /* SIGINT, SIGTERM, SIGQUIT */
	KEY_OTHER, /* one that nothing is bound to */
	KEY_CLICK = 0x400000, /* + y * 1024 + x: where the mouse was clicked; see key_click */
};

static inline int key_click(int y, int x)
{
	return KEY_CLICK + y * 1024 + x;
}
static inline int key_is_click(int key)
{
	return key >= KEY_CLICK && key < KEY_CLICK + 1024 * 1024;
}

enum action {
	ACTION_NONE,
	ACTION_VIEW_1, /* …_5: enum tui_view from 0 on */
	ACTION_VIEW_2,
	ACTION_VIEW_3,
	ACTION_VIEW_4,
	ACTION_VIEW_5,
	ACTION_NEXT_VIEW,
	ACTION_UP,
	ACTION_DOWN,
	ACTION_PAGE_UP,
	ACTION_PAGE_DOWN,
	ACTION_HOME,
	ACTION_END,
	ACTION_LEFT,
	ACTION_RIGHT,
	ACTION_OPEN,
	ACTION_BACK,
	ACTION_SETUP,
	ACTION_SHAPE,
	ACTION_TAG,
	ACTION_UNTAG,
	ACTION_EXPORT,
	ACTION_END_HOW,
	ACTION_THEME,
	ACTION_SEARCH,
	ACTION_SEARCH_NEXT,
	ACTION_FILTER,
	ACTION_SORT_NEXT,
	ACTION_SORT_PREV,
	ACTION_INVERT,
	ACTION_FOLLOW,
	ACTION_PAUSE,
	ACTION_FASTER,
	ACTION_SLOWER,
	ACTION_HELP,
	ACTION_REDRAW,
	ACTION_QUIT,
};

/* Several keys may have one action; the first that has it carries its texts. */
struct binding {
	int key;
	enum action action;
	const char *keys;   /* for the help: all keys of the action; NULL: an earlier row has it */
	const char *what;   /* for the help: what it does */
	const char *footer; /* one word for the footer, or NULL */
	const char *footer_key;
};

extern const struct binding keys_bindings[];
extern const int keys_nbindings;

enum action keys_action(int key);

#endif
