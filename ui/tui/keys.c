// SPDX-License-Identifier: GPL-2.0-or-later
/* Which key does what; see keys.h. The rows are in the order of the help screen. */
#include "ui/tui/keys.h"

#include <stddef.h>

const struct binding keys_bindings[] = {
	{ KEY_F1, ACTION_HELP, "F1 h ?", "this help", "Help", "F1" },
	{ 'h', ACTION_HELP, NULL, NULL, NULL, NULL },
	{ '?', ACTION_HELP, NULL, NULL, NULL, NULL },
	{ '1', ACTION_VIEW_1, "1", "view: processes", NULL, NULL },
	{ '2', ACTION_VIEW_2, "2", "view: channels", NULL, NULL },
	{ '3', ACTION_VIEW_3, "3", "view: who talks to whom", NULL, NULL },
	{ '4', ACTION_VIEW_4, "4", "view: who is blocked", NULL, NULL },
	{ '5', ACTION_VIEW_5, "5", "view: the latest operations", NULL, NULL },
	{ KEY_TABULATOR, ACTION_NEXT_VIEW, "Tab", "the next view", NULL, NULL },
	{ KEY_RETURN, ACTION_OPEN, "Enter", "the page of the row: all about the process or channel",
	  NULL, NULL },
	{ KEY_ERASE, ACTION_BACK, "Backspace", "back to where that page was opened", NULL, NULL },
	{ KEY_ESCAPE, ACTION_BACK, NULL, NULL, NULL, NULL },
	{ KEY_ARROW_UP, ACTION_UP, "Up k", "one row up", NULL, NULL },
	{ 'k', ACTION_UP, NULL, NULL, NULL, NULL },
	{ KEY_ARROW_DOWN, ACTION_DOWN, "Down j", "one row down", NULL, NULL },
	{ 'j', ACTION_DOWN, NULL, NULL, NULL, NULL },
	{ KEY_PAGE_UP, ACTION_PAGE_UP, "PgUp", "one page up", NULL, NULL },
	{ KEY_PAGE_DOWN, ACTION_PAGE_DOWN, "PgDn", "one page down", NULL, NULL },
	{ KEY_TO_HOME, ACTION_HOME, "Home g", "the first row", NULL, NULL },
	{ 'g', ACTION_HOME, NULL, NULL, NULL, NULL },
	{ KEY_TO_END, ACTION_END, "End G", "the last row", NULL, NULL },
	{ 'G', ACTION_END, NULL, NULL, NULL, NULL },
	{ KEY_ARROW_LEFT, ACTION_LEFT, "Left (", "scroll to the left", NULL, NULL },
	{ '(', ACTION_LEFT, NULL, NULL, NULL, NULL },
	{ KEY_ARROW_RIGHT, ACTION_RIGHT, "Right )", "scroll to the right", NULL, NULL },
	{ ')', ACTION_RIGHT, NULL, NULL, NULL, NULL },
	{ KEY_F2, ACTION_SETUP, "F2 S", "setup: columns, colours, lines; kept in a file", "Setup",
	  "F2" },
	{ 'S', ACTION_SETUP, NULL, NULL, NULL, NULL },
	{ KEY_F3, ACTION_SEARCH, "F3 /", "search: jump to a row with this text", "Search", "F3" },
	{ '/', ACTION_SEARCH, NULL, NULL, NULL, NULL },
	{ 'n', ACTION_SEARCH_NEXT, "n", "the next row with that text", NULL, NULL },
	{ KEY_F4, ACTION_FILTER, "F4 \\", "filter: show only rows that match (below)", "Filter",
	  "F4" },
	{ '\\', ACTION_FILTER, NULL, NULL, NULL, NULL },
	{ KEY_F5, ACTION_SHAPE, "F5 t", "list or tree; in Talk: list, graph or matrix", "Shape",
	  "F5" },
	{ 't', ACTION_SHAPE, NULL, NULL, NULL, NULL },
	{ KEY_F6, ACTION_SORT_NEXT, "F6 >", "sort by the next column", "Sort", "F6" },
	{ '>', ACTION_SORT_NEXT, NULL, NULL, NULL, NULL },
	{ '<', ACTION_SORT_PREV, "<", "sort by the previous column", NULL, NULL },
	{ 'I', ACTION_INVERT, "I", "invert the order", NULL, NULL },
	{ KEY_F7, ACTION_EXPORT, "F7 w", "write what this view shows to a file", "Save", "F7" },
	{ 'w', ACTION_EXPORT, NULL, NULL, NULL, NULL },
	{ 'F', ACTION_FOLLOW, "F f", "follow the row's process, in every view", NULL, NULL },
	{ 'f', ACTION_FOLLOW, NULL, NULL, NULL, NULL },
	{ 'x', ACTION_TAG, "x", "tag the row; the filter word tagged shows those", NULL, NULL },
	{ 'U', ACTION_UNTAG, "U", "untag all", NULL, NULL },
	{ KEY_F9, ACTION_END_HOW, "F9 K", "how to end the process; ipctap itself ends nothing", "End",
	  "F9" },
	{ 'K', ACTION_END_HOW, NULL, NULL, NULL, NULL },
	{ ' ', ACTION_PAUSE, "Space", "freeze the screen; nothing is missed", NULL, NULL },
	{ '+', ACTION_SLOWER, "+", "longer between refreshes", NULL, NULL },
	{ '-', ACTION_FASTER, "-", "shorter between refreshes", NULL, NULL },
	{ 'T', ACTION_THEME, "T", "the next choice of colours", NULL, NULL },
	{ KEY_CTRL_L, ACTION_REDRAW, "Ctrl-L", "draw the screen anew", NULL, NULL },
	{ 'q', ACTION_QUIT, "q F10", "quit", NULL, NULL },
	{ KEY_F10, ACTION_QUIT, NULL, NULL, "Quit", "F10" },
};

const int keys_nbindings = sizeof(keys_bindings) / sizeof(keys_bindings[0]);

enum action keys_action(int key)
{
	for (int i = 0; i < keys_nbindings; i++)
		if (keys_bindings[i].key == key)
			return keys_bindings[i].action;
	return ACTION_NONE;
}
