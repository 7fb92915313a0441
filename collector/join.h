/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From what a probe sees, one end at a time, to channels. A sink for the raw records of
 * lib/abi/raw.h; hands on the events of lib/abi/event.h, channel ids in place of object ids, both
 * sockets of a connection joined into one channel, kernel pointers gone.
 *
 * What joins: unix sockets by the kernel's peer pointers, TCP sockets by their reversed addresses in
 * the same network namespace. A datagram socket is a channel of its own: the queue it receives
 * from. A datagram from or to another host belongs to the pair of the socket and that address.
 */
#ifndef IPCTAP_COLLECTOR_JOIN_H
#define IPCTAP_COLLECTOR_JOIN_H

#include <stddef.h>
#include <stdint.h>

#include "lib/abi/raw.h"
#include "lib/stream/stream.h"

struct join;

/*
 * What is not held by a process in scope, and was not used the longest, is forgotten: the events
 * then say that its channel is gone (EV_GONE), and should the object turn up again it is a new one.
 * So memory is bounded by what is open, and `max` objects (and as many far addresses) more.
 */
#define JOIN_IDLE_MAX 4096
struct join_idle {
	size_t max;
	void (*forget)(void *arg, uint64_t obj); /* the probes are to describe it anew; may be NULL */
	void *arg;
};

struct join *join_new(struct sink *next); /* borrows next; NULL: no memory */
void join_free(struct join *j);           /* accepts NULL */
struct sink *join_sink(struct join *j);   /* borrowed; raw records go in here */

/*
 * Channels one end of which nobody in scope is known to hold: how many were seen since they were
 * last forgotten. Their holders are found by a look at every process of the host.
 */
size_t join_lonely(const struct join *j);
int join_forget_lonely(struct join *j);

void join_set_idle(struct join *j, const struct join_idle *idle);
int join_trim(struct join *j); /* after each drain of the ring; 0 or the next sink's error */
void join_sweep(struct join *j); /* after control records were lost: processes that are gone have exited */

/* The object of the FIFO `path` as process `pid` would find it, described; 0: it is no FIFO, or gone. */
uint64_t join_fifo(struct join *j, uint32_t pid, int dirfd, const char *path, uint64_t t_ns);

/* The channel of an object, announced if it is new; 0 for object 0 or when there is no memory. */
uint64_t join_chan(struct join *j, uint64_t obj, uint64_t t_ns);

/* Gives the channel of an object another name. Returns 0 or the next sink's error. */
int join_name(struct join *j, uint64_t obj, const char *name, uint64_t t_ns);

/* What people call the channel of an object, else what the kernel does. NULL: not known. Borrowed. */
const char *join_text(struct join *j, uint64_t obj);

#endif
