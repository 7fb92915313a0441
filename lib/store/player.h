/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A player: a trace, and the model as it was at any moment of it.
 *
 *     player_open(&p, trace, model, &opts, &fail);   model: empty; now before the first event
 *     player_to_time(p, t_ns, &fail);
 *     … read the model …
 *     player_close(p);
 *
 * The model at time t has applied every event up to the first one that tells of a later time:
 * what a live model had applied when it came to t. It is the same however it was reached. Keyframes
 * make it quick to reach: those in the trace, and others that the player makes on its way, where
 * there are none, and keeps in memory.
 */
#ifndef IPCTAP_STORE_PLAYER_H
#define IPCTAP_STORE_PLAYER_H

#include <stdbool.h>
#include <stdint.h>

#include "store.h"

struct player;

struct player_opts {
	/* The model has a filter: the trace's keyframes, which were made without, are not used. */
	bool is_filtered;
	/*
	 * Called now and then while something takes long, with how much of it is done (0 to 1). False:
	 * give up; the call then fails with -ECANCELED. NULL: nobody.
	 */
	bool (*progress)(void *arg, double done);
	void *arg;
	uint64_t progress_ns; /* how often; 0: every 100 ms */
};

/* How many ended objects a model has to keep (model_set_keep) so that it is the recorder's. */
uint64_t trace_keep(struct trace *t);

/* Borrows the trace and the model. Plays through once when the trace has no table of activity. */
int player_open(struct player **out, struct trace *t, struct model *m,
		const struct player_opts *opts, struct fail *fail);
void player_close(struct player *p); /* accepts NULL */

/* From here on: see player_opts. */
void player_set_progress(struct player *p, bool (*progress)(void *arg, double done), void *arg);
/* Who is told of each event once the model has it; those before a keyframe are not told. NULL: nobody. */
void player_set_listener(struct player *p, struct sink *listener);

uint64_t player_first_ns(const struct player *p); /* of the trace */
uint64_t player_last_ns(const struct player *p);
uint64_t player_events(const struct player *p); /* the number of the last event */

/* Where it stands: the number of the last event applied, 0 before the first; and its time. */
uint64_t player_seq(const struct player *p);
uint64_t player_ns(const struct player *p);
/* The last operation applied, or NULL: none, or none since a keyframe. Until the next move. */
const struct ev_io *player_io(const struct player *p);

/*
 * Each leaves the player there and returns 0, or a negative errno with *fail filled; after
 * -ECANCELED it stands wherever it had come to.
 */
int player_to_time(struct player *p, uint64_t t_ns, struct fail *fail);
int player_to_seq(struct player *p, uint64_t seq, struct fail *fail);

/* The same, but every event between here and there is applied, and told to the listener. */
int player_through_to_seq(struct player *p, uint64_t seq, struct fail *fail);

/* As player_to_time, but no more than so many events on. 1: it is not there yet. */
int player_advance(struct player *p, uint64_t t_ns, uint64_t events, struct fail *fail);

/*
 * To the next operation (or the one before, back) for which `match` holds, asked before the model
 * applies it; NULL: any. 1: stands right behind it. 0: there is none, and it stands where it stood.
 */
typedef bool player_match(const void *arg, const struct model *m, const struct ev_io *io);
int player_find(struct player *p, bool back, player_match *match, const void *arg,
		struct fail *fail);
/* The same to a loss. */
int player_find_loss(struct player *p, bool back, struct fail *fail);

/* Borrowed: the activity of the whole trace. */
const struct trace_slot *player_activity(const struct player *p, size_t *n);

#endif
