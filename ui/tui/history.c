// SPDX-License-Identifier: GPL-2.0-or-later
/* What went through channels lately; see history.h. */
#include "ui/tui/history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Without this uthash ends the program when memory is short. */
#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(elt) ((elt)->refused = true)
#include <uthash.h>

#define TRAILS_MANY 10000

struct trail {
	uint64_t chan;
	uint64_t messages; /* in all */
	uint64_t refresh;  /* the latest that saw any */
	float per_slot[HISTORY_SLOTS];
	bool refused;
	UT_hash_handle hh;
};

struct history {
	struct trail *trails;
	uint64_t refresh; /* 1, 2, 3 … */
	uint64_t t_ns[HISTORY_SLOTS]; /* of refreshes, by their number */
	uint64_t before_ns; /* of the refresh before this one */
};

struct history *history_new(void)
{
	return calloc(1, sizeof(struct history));
}

static void forget(struct history *h, struct trail *t)
{
	HASH_DEL(h->trails, t);
	free(t);
}

void history_free(struct history *h)
{
	struct trail *t, *next;

	if (!h)
		return;
	HASH_ITER(hh, h->trails, t, next)
		forget(h, t);
	free(h);
}

static uint64_t messages_of(const struct m_chan *chan)
{
	return chan->count.msgs_out > chan->count.msgs_in ? chan->count.msgs_out :
							    chan->count.msgs_in;
}

void history_begin(struct history *h, uint64_t now_ns)
{
	uint64_t before_ns = h->t_ns[h->refresh % HISTORY_SLOTS];

	if (h->refresh && now_ns < before_ns) { /* back in time: all of it was of another one */
		struct trail *t, *next;

		HASH_ITER(hh, h->trails, t, next)
			forget(h, t);
		h->refresh = 0;
		before_ns = 0;
	}
	h->before_ns = h->refresh ? before_ns : 0;
	h->refresh++;
	h->t_ns[h->refresh % HISTORY_SLOTS] = now_ns;
}

/* What an event changed has its time, and it may have come late: by what a queue holds it at most. */
#define LATE_NS 2000000000ull

bool history_wants(const struct history *h, const struct m_chan *chan)
{
	return chan->last_ns + LATE_NS >= h->before_ns && messages_of(chan) > 0;
}

static struct trail *trail_new(struct history *h, const struct m_chan *chan)
{
	struct trail *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->chan = chan->id;
	/* how much of it is of this interval is known only when it began in it */
	t->messages = h->before_ns && chan->first_ns >= h->before_ns ? 0 : messages_of(chan);
	HASH_ADD(hh, h->trails, chan, sizeof(t->chan), t);
	if (t->refused) {
		free(t);
		return NULL;
	}
	return t;
}

int history_take(struct history *h, const struct m_chan *chan)
{
	uint64_t messages = messages_of(chan), since;
	struct trail *t;

	HASH_FIND(hh, h->trails, &chan->id, sizeof(chan->id), t);
	if (!t)
		t = trail_new(h, chan);
	if (!t)
		return -ENOMEM;
	if (messages <= t->messages && t->refresh)
		return 0;
	since = h->refresh - t->refresh;
	if (!t->refresh || since > HISTORY_SLOTS)
		memset(t->per_slot, 0, sizeof(t->per_slot));
	else
		for (uint64_t i = t->refresh + 1; i <= h->refresh; i++)
			t->per_slot[i % HISTORY_SLOTS] = 0;
	t->per_slot[h->refresh % HISTORY_SLOTS] = (float)(messages - t->messages);
	t->messages = messages;
	t->refresh = h->refresh;
	return 0;
}

/*
 * Where there are many, those that had nothing all the time are forgotten, once round. Should one be
 * used again, the first interval of that is not shown.
 */
void history_end(struct history *h)
{
	struct trail *t, *next;

	if (h->refresh % HISTORY_SLOTS || HASH_COUNT(h->trails) < TRAILS_MANY)
		return;
	HASH_ITER(hh, h->trails, t, next)
		if (h->refresh - t->refresh > HISTORY_SLOTS)
			forget(h, t);
}

void history_of(const struct history *h, uint64_t chan, struct activity *out)
{
	uint64_t newest = h->refresh, oldest;
	struct trail *t;

	*out = (struct activity){ 0 };
	if (newest < 2)
		return;
	oldest = newest > HISTORY_SLOTS - 1 ? newest - (HISTORY_SLOTS - 2) : 2;
	HASH_FIND(hh, h->trails, &chan, sizeof(chan), t);
	out->span_ns = h->t_ns[newest % HISTORY_SLOTS] - h->t_ns[(oldest - 1) % HISTORY_SLOTS];
	for (uint64_t i = oldest; i <= newest; i++) {
		uint64_t ns = h->t_ns[i % HISTORY_SLOTS] - h->t_ns[(i - 1) % HISTORY_SLOTS];
		bool has = t && i <= t->refresh && t->refresh - i < HISTORY_SLOTS;

		out->per_s[out->n++] = has && ns ? (double)t->per_slot[i % HISTORY_SLOTS] * 1e9 /
							   (double)ns :
						   0;
	}
}
