/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One stream, many sinks. A source produces events; an ordering queue (order.h) merges them by
 * time; sinks consume them. Live kernels, recorded traces and snapshots are sources; the model,
 * the trace writer and a printer are sinks. Nobody in between knows which.
 */
#ifndef IPCTAP_STREAM_STREAM_H
#define IPCTAP_STREAM_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/abi/event.h"

/*
 * Consumes events. `event` borrows *ev for the call only. Returns 0, or a negative errno after
 * which the stream stops with that error; a sink that can go on counts the loss and returns 0.
 */
struct sink {
	int (*event)(struct sink *self, const struct ev_hdr *ev);
};

static inline int sink_event(struct sink *s, const struct ev_hdr *ev)
{
	return s->event(s, ev);
}

/*
 * Produces events. `poll` waits up to timeout_ms for some, delivers all that are ready to `out`,
 * and returns 1 when more may come, 0 when the stream has ended, or a negative errno.
 * *complete_ns: every event up to that time has now been delivered (the ordering queue may
 * release them); EV descriptors (EV_CHAN) may be delivered at any time before their first use.
 */
struct source {
	const char *name; /* "bpf", "trace", … */
	int (*poll)(struct source *self, struct sink *out, int timeout_ms, uint64_t *complete_ns);
	void (*free)(struct source *self);
};

static inline int source_poll(struct source *s, struct sink *out, int timeout_ms,
			      uint64_t *complete_ns)
{
	return s->poll(s, out, timeout_ms, complete_ns);
}

static inline void source_free(struct source *s)
{
	if (s)
		s->free(s);
}

/* A sink that hands each event to every one of `n` sinks in turn; stops at the first error. */
#define FANOUT_MAX 8
struct fanout {
	struct sink sink;
	struct sink *to[FANOUT_MAX]; /* borrowed */
	int n;
};
void fanout_init(struct fanout *f);
void fanout_add(struct fanout *f, struct sink *to);

/*
 * True when *ev is well-formed and at most `avail` bytes long: a known type, a size that fits the
 * type, strings terminated. Everything that comes from a file or another process is checked with
 * it before anything else looks inside.
 */
bool event_is_valid(const struct ev_hdr *ev, uint64_t avail);

/* Descriptions come before their first use and losses when they are told: not in order of time. */
static inline bool event_tells_time(const struct ev_hdr *ev)
{
	return ev->type != EV_CHAN && ev->type != EV_LOST;
}

#endif
