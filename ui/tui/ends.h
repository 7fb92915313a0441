/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who holds the ends of a channel, for the views that show it. */
#ifndef IPCTAP_UI_TUI_ENDS_H
#define IPCTAP_UI_TUI_ENDS_H

#include "ui/tui/view.h"

/*
 * Adds everybody who holds an end of it, the last holders when nobody does any more, and returns
 * them as text: "dd[1] -> wc[2]", "srv[1] <> cli[2]" for one with two sides, "a[1], b[2]" when all
 * may do the
 */
const char *ends_add_all(struct rows *rows, struct row *row, const struct m_chan *chan);

/*
 * Adds those who could end the wait: the holders of the opposite direction, or of the other side.
 * Returns them as text; "?" when nobody is known.
 */
const char *ends_add_holders(struct rows *rows, struct row *row, const struct m_wait *wait);

/* Does it sleep because there is no room for what it would write? */
bool ends_awaits_room(const struct m_wait *wait);

/*
 * Under whom the wait hangs in a tree: somebody who could end it and does not wait himself, else the
 * one that has waited longest. NULL: nobody is known, or it is the waiter's own process.
 */
const struct m_proc *ends_cause(const struct m_wait *wait);

#endif
