/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of a replay have in common; see replay.h. */
#ifndef IPCTAP_UI_TUI_REPLAY_INNER_H
#define IPCTAP_UI_TUI_REPLAY_INNER_H

#include "ui/tui/replay.h"

extern const double replay_speeds[];
extern const int replay_nspeeds;

struct place_of replay_place_of(const struct replay *r);
int replay_go(struct replay *r, const struct place *place, struct fail *fail);
/* Shows the moment behind the player's last event. */
int replay_follow_player(struct replay *r, struct fail *fail);
/* It is one of the keys that replay_help lists for other than what the dashboard does. */
bool replay_takes_key(int key);
bool replay_is_helping(const struct replay *r); /* the dashboard shows its keys */
/* The frame of now, with rates as they were; the player stays where it stands. */
int replay_take(struct replay *r, struct fail *fail);

#endif
