/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events in a line each, for tests that tell the model small stories. Every maker returns a
 * pointer to one of a few static slots, good until as many more have been made.
 */
#ifndef IPCTAP_TESTS_MAKE_EVENT_H
#define IPCTAP_TESTS_MAKE_EVENT_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "lib/abi/event.h"

#define MAKE_SLOTS 8

/* An operation that took effect at t_ns, entered 10 ns before, returned 10 ns after. */
static inline struct ev_io *make_io(uint64_t t_ns, uint32_t pid, uint16_t op, uint32_t flags,
				    uint64_t chan, uint64_t bytes)
{
	static struct ev_io slots[MAKE_SLOTS];
	static int next;
	struct ev_io *io = &slots[next++ % MAKE_SLOTS];
	*io = (struct ev_io){
	    .hdr = {.t_ns = t_ns, .type = EV_IO, .size = sizeof(*io), .flags = flags},
	    .enter_ns = t_ns - 10,
	    .dur_ns = 20,
	    .chan = chan,
	    .ret = (int64_t)bytes,
	    .bytes = bytes,
	    .pid = pid,
	    .tid = pid,
	    .fd = -1,
	    .op = op,
	    .messages = bytes > 0,
	};
	return io;
}

static inline struct ev_io *make_write(uint64_t t_ns, uint32_t pid, uint64_t chan, uint64_t bytes)
{
	return make_io(t_ns, pid, OP_WRITE, IO_WRITE, chan, bytes);
}

static inline struct ev_io *make_read(uint64_t t_ns, uint32_t pid, uint64_t chan, uint64_t bytes)
{
	return make_io(t_ns, pid, OP_READ, IO_READ, chan, bytes);
}

static inline struct ev_chan *make_chan(uint64_t id, uint16_t kind, uint16_t shape, uint8_t duplex)
{
	static struct ev_chan slots[MAKE_SLOTS];
	static int next;
	struct ev_chan *c = &slots[next++ % MAKE_SLOTS];
	*c = (struct ev_chan){
	    .hdr = {.t_ns = 1, .type = EV_CHAN, .size = sizeof(*c)},
	    .chan = id,
	    .kind = kind,
	    .shape = shape,
	    .duplex = duplex,
	};
	snprintf(c->ident, sizeof(c->ident), "ident:[%llu]", (unsigned long long)id);
	return c;
}

static inline struct ev_endpoint *make_endpoint(uint64_t t_ns, uint32_t pid, uint64_t chan,
						int32_t fd, uint8_t what)
{
	static struct ev_endpoint slots[MAKE_SLOTS];
	static int next;
	struct ev_endpoint *e = &slots[next++ % MAKE_SLOTS];
	*e = (struct ev_endpoint){
	    .hdr = {.t_ns = t_ns, .type = EV_ENDPOINT, .size = sizeof(*e)},
	    .chan = chan,
	    .pid = pid,
	    .fd = fd,
	    .what = what,
	    .dir = ENDPOINT_DIR_READ,
	};
	return e;
}

static inline struct ev_task *make_task(uint64_t t_ns, uint32_t pid, uint32_t tid, uint16_t what,
					const char *comm)
{
	static struct ev_task slots[MAKE_SLOTS];
	static int next;
	struct ev_task *t = &slots[next++ % MAKE_SLOTS];
	*t = (struct ev_task){
	    .hdr = {.t_ns = t_ns, .type = EV_TASK, .size = sizeof(*t)},
	    .pid = pid,
	    .tid = tid,
	    .what = what,
	};
	snprintf(t->comm, sizeof(t->comm), "%s", comm);
	return t;
}

static inline struct ev_wait *make_wait(uint64_t t_ns, uint32_t tid, uint64_t chan, uint16_t what,
					uint64_t since_ns)
{
	static struct ev_wait slots[MAKE_SLOTS];
	static int next;
	struct ev_wait *w = &slots[next++ % MAKE_SLOTS];
	*w = (struct ev_wait){
	    .hdr = {.t_ns = t_ns, .type = EV_WAIT, .size = sizeof(*w)},
	    .since_ns = since_ns,
	    .until_ns = what == WAIT_END ? t_ns : 0,
	    .chan = chan,
	    .pid = tid,
	    .tid = tid,
	    .fd = 3,
	    .op = OP_READ,
	    .what = what,
	};
	return w;
}

static inline struct ev_lost *make_lost(uint32_t cause, uint32_t where, uint64_t count)
{
	static struct ev_lost slots[MAKE_SLOTS];
	static int next;
	struct ev_lost *l = &slots[next++ % MAKE_SLOTS];
	*l = (struct ev_lost){
	    .hdr = {.t_ns = 1, .type = EV_LOST, .size = sizeof(*l)},
	    .count = count,
	    .cause = cause,
	    .where = where,
	};
	return l;
}

#endif
