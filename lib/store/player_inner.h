/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the player have in common; private to lib/store. player.c opens it and moves it
 * through time, player_marks.c keeps the keyframes that make that quick, player_find.c looks for
 * operations and losses.
 */
#ifndef IPCTAP_STORE_PLAYER_INNER_H
#define IPCTAP_STORE_PLAYER_INNER_H

#include "activity.h"
#include "batch.h"
#include "player.h"

/* A keyframe that is known: in the trace, or (blob) in memory. */
struct mark {
	uint64_t seq, t_ns;
	struct keyframe_blob *blob;
};

struct player {
	struct trace *trace;
	struct model *model;
	struct player_opts opts;
	struct sink *listener;
	struct source *source;
	const struct ev_hdr *ahead; /* read and not applied; NULL: none */
	uint64_t ahead_seq;
	bool at_end;
	uint64_t seq, t_ns;
	struct ev_io io;
	bool has_io;

	struct mark *marks; /* by seq */
	size_t nmarks, room;
	size_t memory_bytes;
	uint64_t mark_due; /* one is wanted when seq has come so far */

	uint64_t first_ns, last_ns, events;
	struct activity *counting; /* while there is no table */
	struct trace_slot slots[ACTIVITY_SLOTS];
	size_t nslots;
	uint64_t progress_ns, began_seq, goal_seq; /* of what is going on */
};

/* ---- keyframes (player_marks.c) ---- */

/* The last one that is before both; NULL: there is none. */
struct mark *player_mark_before(struct player *p, uint64_t seq, uint64_t t_ns);
void player_mark_remove(struct player *p, size_t at);
/* Makes one of here, unless one is near; without memory there is one less. */
void player_mark_here(struct player *p);
int player_marks_load(struct player *p); /* those of the trace */

/* ---- moving (player.c) ---- */

/* To the last keyframe before there that is of any use, or else before the first event. */
int player_go_back(struct player *p, uint64_t seq, uint64_t t_ns);
/* 1: p->ahead is the next event. 0: there is none. */
int player_look_ahead(struct player *p);
int player_apply_ahead(struct player *p);

/* Something that may take long begins: from here to about there. */
void player_progress_begin(struct player *p, uint64_t goal_seq);
/* After each event. False: nobody wants it any more. */
bool player_progress_tell(struct player *p);
/* Fills *fail with why, and returns err. */
int player_cannot(struct player *p, int err, struct fail *fail);

#endif
