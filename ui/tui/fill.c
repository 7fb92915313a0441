// SPDX-License-Identifier: GPL-2.0-or-later
#include "ui/tui/fill.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define GROUPED_SIZE 28 /* 18,446,744,073,709,551,615 */

/* In full, for it is the last byte that makes a channel full. */
static const char *grouped(char buf[GROUPED_SIZE], uint64_t n)
{
	char digits[21], *to = buf;
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, n);

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			*to++ = ',';
		*to++ = digits[i];
	}
	*to = '\0';
	return buf;
}

const char *fill_words(struct rows *rows, const struct m_chan *chan, const struct m_fill *f)
{
	static const char *const units[] = {
		[FILL_BYTES] = "bytes", [FILL_MESSAGES] = "messages", [FILL_PAGES] = "pages",
	};
	char inside[GROUPED_SIZE], room[GROUPED_SIZE];

	if (f->unit != FILL_PAGES || !chan->found)
		return rows_print(rows, "%s of %s %s", grouped(inside, f->inside), grouped(room, f->room),
				  units[f->unit]);
	grouped(inside, chan->found_bytes);
	grouped(room, chan->room_bytes);
	if (chan->found_bytes >= chan->room_bytes)
		return rows_print(rows, "%s of %s bytes", inside, room);
	return rows_print(rows, "%s of %s bytes in %" PRIu64 " of %" PRIu64 " pages", inside, room, f->inside,
			  f->room);
}
