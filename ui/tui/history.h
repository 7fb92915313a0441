/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much went through each channel between the latest refreshes: what the sparkline of its page
 * shows. Only channels that were used are remembered; the others had nothing.
 */
#ifndef IPCTAP_UI_TUI_HISTORY_H
#define IPCTAP_UI_TUI_HISTORY_H

#include "lib/model/model.h"

#define HISTORY_SLOTS 60

/* The oldest first. */
struct activity {
	double per_s[HISTORY_SLOTS]; /* messages a second */
	int n;                       /* slots that there are: as many as there were refreshes */
	uint64_t span_ns;            /* what they are over */
};

struct history;

struct history *history_new(void); /* NULL: no memory */
void history_free(struct history *h);

/* A refresh: call history_take for channels that are not known to have been idle, then history_end. */
void history_begin(struct history *h, uint64_t now_ns);
/* Whether something may have happened since the last refresh. */
bool history_wants(const struct history *h, const struct m_chan *chan);
int history_take(struct history *h, const struct m_chan *chan); /* 0 or -ENOMEM */
void history_end(struct history *h);

void history_of(const struct history *h, uint64_t chan, struct activity *out);

#endif
