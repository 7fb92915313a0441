/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the view Blocked and its tree have in common; private to view_blocked.c and blocked_tree.c.
 *
 * As a tree: under the root, which waits for nobody or belongs to a deadlock, those that wait for it.
 * Who hangs where is what the search for deadlocks has found (lib/analysis/waittree.h); it sees locks
 * and programs that are not traced, too. Where it has nothing to say, or has not looked, it is told
 * from the ends that the model knows of; then nobody is called dead.
 */
#ifndef IPCTAP_UI_TUI_BLOCKED_H
#define IPCTAP_UI_TUI_BLOCKED_H

#include "ui/tui/view.h"

enum blocked_column {
	BLOCKED_PID,
	BLOCKED_COMM,
	BLOCKED_CALL,
	BLOCKED_KIND,
	BLOCKED_NAME,
	BLOCKED_SINCE,
	BLOCKED_HOLDERS,
	BLOCKED_TOTAL,
	BLOCKED_TIMES,
	BLOCKED_LONGEST,
	BLOCKED_TID,
	BLOCKED_STILL,
	BLOCKED_SINCE_NS,
	BLOCKED_DEADLINE_NS,
	BLOCKED_FD,
	BLOCKED_CHAN,
	BLOCKED_IDENT,
	BLOCKED_LEFT,
	BLOCKED_COLUMNS
};

#define BLOCKED_LONG_NS 1000000000ull /* from here on a wait is shown as an alert */

/* The open wait that is shown with the sleeps of *b; NULL: there is none. */
const struct m_wait *blocked_open_wait(const struct scan *scan, const struct m_blocked *b);

/* view.h's finish: sets parents, and adds the rows that only the tree shows. */
void blocked_tree_finish(const struct scan *scan, struct rows *rows);

#endif
