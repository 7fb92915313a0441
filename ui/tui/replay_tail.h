/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The latest operations at the moment a player stands at, as a live dashboard would have them (tail.h):
 * those that -e lets through, without a gap.
 */
#ifndef IPCTAP_UI_TUI_REPLAY_TAIL_H
#define IPCTAP_UI_TUI_REPLAY_TAIL_H

#include "lib/model/filter.h"
#include "lib/store/player.h"
#include "ui/tui/tail.h"

struct replay_tail {
	struct tail tail;
	struct sink listener; /* of the player */
	struct player *player;
	const struct model *model;   /* of the player */
	const struct filter *filter; /* NULL: all operations */
	uint64_t heard_from, heard_to; /* the events that it was told of, without a gap */
};

/* Listens to the player from now on. 0 or -ENOMEM. Borrows all of it. */
int replay_tail_init(struct replay_tail *t, struct player *player, const struct model *model,
		     const struct filter *filter);
void replay_tail_release(struct replay_tail *t); /* of a zeroed one, too */

/*
 * Comes to where the player stands once more, when it jumped there: from so far back that the
 * operations on the way are those that were the latest live, or nearly. 0 or a negative errno.
 */
int replay_tail_collect(struct replay_tail *t, struct fail *fail);

#endif
