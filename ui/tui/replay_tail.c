// SPDX-License-Identifier: GPL-2.0-or-later
/* The latest operations of a replay; see replay_tail.h. */
#include "ui/tui/replay_tail.h"

#include <stddef.h>

#define LEAD_EVENTS (2 * TAIL_MAX) /* so many events back are enough for them, or nearly */

/* Anew, with event number seq, which the model has just taken. */
static void begin(struct replay_tail *t, uint64_t seq, const struct ev_hdr *ev)
{
	tail_clear(&t->tail);
	t->heard_from = seq;
	if (seq <= 1)
		return;
	t->tail.before = model_ops(t->model) - (ev->type == EV_IO);
	t->tail.is_numbered = !t->filter; /* the model counts also those that do not match */
}

/* They come without a gap: a jump begins anew. */
static int listen(struct sink *sink, const struct ev_hdr *ev)
{
	struct replay_tail *t =
		(struct replay_tail *)((char *)sink - offsetof(struct replay_tail, listener));
	uint64_t seq = player_seq(t->player);

	if (seq != t->heard_to + 1)
		begin(t, seq, ev);
	t->heard_to = seq;
	if (ev->type != EV_IO || !filter_match_io(t->filter, t->model, (const struct ev_io *)ev))
		return 0;
	return sink_event(&t->tail.sink, ev);
}

int replay_tail_init(struct replay_tail *t, struct player *player, const struct model *model,
		     const struct filter *filter)
{
	*t = (struct replay_tail){
		.listener = { .event = listen },
		.player = player,
		.model = model,
		.filter = filter,
	};
	player_set_listener(player, &t->listener);
	return tail_init(&t->tail);
}

void replay_tail_release(struct replay_tail *t)
{
	if (t->player)
		player_set_listener(t->player, NULL);
	tail_release(&t->tail);
	t->player = NULL;
}

int replay_tail_collect(struct replay_tail *t, struct fail *fail)
{
	uint64_t seq = player_seq(t->player);
	bool has = t->heard_to == seq && (t->heard_from <= 1 || seq - t->heard_from >= LEAD_EVENTS);
	int err;

	if (has)
		return 0;
	if (!seq)
		tail_clear(&t->tail);
	err = player_to_seq(t->player, seq > LEAD_EVENTS ? seq - LEAD_EVENTS : 0, fail);
	return err ? err : player_through_to_seq(t->player, seq, fail);
}
