/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How full a channel is, in words. */
#ifndef IPCTAP_UI_TUI_FILL_H
#define IPCTAP_UI_TUI_FILL_H

#include "lib/model/model.h"
#include "ui/tui/view.h"

static inline double fill_share(const struct m_fill *f)
{
	return (double)f->inside / (double)f->room;
}

/* "65,536 of 65,536 bytes", of a pipe that is full with less "48,000 of 65,536 bytes in 16 of 16 pages". */
const char *fill_words(struct rows *rows, const struct m_chan *chan, const struct m_fill *f);

#endif
