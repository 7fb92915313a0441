/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows that the user has marked. A tagged process is marked wherever it takes part. */
#ifndef IPCTAP_UI_TUI_TAGS_H
#define IPCTAP_UI_TUI_TAGS_H

#include "ui/tui/view.h"

#define TAGS_MAX 64 /* the next one pushes out the oldest */

struct tags {
	struct row_key v[TAGS_MAX];
	int n;
};

bool tags_have(const struct tags *tags, const struct row_key *key); /* tags may be NULL */
/* The row itself, or a process that it has to do with. */
bool tags_have_row(const struct tags *tags, const struct row *row);
void tags_toggle(struct tags *tags, const struct row_key *key);

#endif
