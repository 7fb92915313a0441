/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the programs under the shim have described: remembered, so that the joiner, which forgets what
 * is idle, can be told again; and the look-ups that the kernel's probes need not make: which socket
 * is at the other end, which one a datagram's address leads to.
 */
#ifndef IPCTAP_COLLECTOR_SHIM_OBJECTS_H
#define IPCTAP_COLLECTOR_SHIM_OBJECTS_H

#include <stdint.h>

#include "collector/shim_ring.h"
#include "lib/stream/stream.h"

struct shim_objects;

struct shim_objects *shim_objects_new(struct sink *join); /* borrows it; NULL: no memory */
void shim_objects_free(struct shim_objects *s);           /* accepts NULL */

/* A description, its stamp and pid set. Hands it to the joiner, unless that has been told the same. */
int shim_objects_add(struct shim_objects *s, const struct raw_object *o);

/* Before an event that names obj goes to the joiner. */
int shim_objects_need(struct shim_objects *s, uint64_t obj, uint64_t t_ns);

/* The joiner has forgotten it. */
void shim_objects_forget(struct shim_objects *s, uint64_t obj);

/*
 * The socket that a datagram arrives in: sent to an address, or over a unix socket to a path. 0: to
 * none that is known. Fills in *r's address when the socket's own peer was meant.
 */
uint64_t shim_objects_inet(struct shim_objects *s, struct raw_io_addr *r);
uint64_t shim_objects_unix(struct shim_objects *s, const struct shim_io_unix *r);

/*
 * Who ended the sleep of operation *e, which is over: the thread that gave to its object last, if it
 * did so while *e slept; 0: not known. Notes *e when it gives. Operations come in the order of their
 * returns, so one that gives and returns later than whom it woke is missed.
 */
uint32_t shim_objects_waker(struct shim_objects *s, const struct ev_io *e);

#endif
