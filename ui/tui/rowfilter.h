/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What F4 takes: which rows of a view are shown. (What -e takes, the language of operations, is
 * lib/model/filter.h; it decides what is counted at all.)
 *
 *     TEXT   := WORD { WORD }      blanks between words mean "and"
 *     WORD   := ["!"] PLAIN        some column of the row shows PLAIN; ! : none does
 *             | ["!"] KEY=GLOB{,GLOB}
 *     KEY    := pid | comm         of any process the row has to do with
 *             | kind | op          of the channel, the call
 *             | chan               the channel's number, name or ident
 *
 * Upper and lower case are the same. The keys mean what they mean in -e, with fnmatch(3) patterns;
 * a row that has no such thing (op= in Talk) does not match. Any other text, also one with '=' in
 * it, is a PLAIN word, so no text is an error.
 */
#ifndef IPCTAP_UI_TUI_ROWFILTER_H
#define IPCTAP_UI_TUI_ROWFILTER_H

#include "ui/tui/view.h"

bool rowfilter_match(const char *text, const struct view *view, const struct row *row);

/* Some column on the screen, in either case of letters, contains `plain`. What F3 looks for. */
bool row_shows(const struct view *view, const struct row *row, const char *plain);

#endif
