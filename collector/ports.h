/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which UDP socket has an address. That a datagram arrived, and where, is seen inside the sender's call;
 * but of several that are sent to one socket at once a single sender may put all into its queue (Linux
 * 6.18). What the others sent, and nobody refused, went to the socket that has the address.
 */
#ifndef IPCTAP_COLLECTOR_PORTS_H
#define IPCTAP_COLLECTOR_PORTS_H

#include "lib/abi/raw.h"

struct ports;

struct ports *ports_new(void);      /* NULL: no memory */
void ports_free(struct ports *p);   /* accepts NULL */

/* What a UDP socket now is: under its local port, if it has one. Returns 0 or -ENOMEM. */
int ports_set(struct ports *p, const struct raw_object *raw);
void ports_drop(struct ports *p, __u64 obj);

/*
 * The socket that gets what *from, one of its network namespace, sends to addr and port: one connected
 * to *from, else one bound to that address, else one bound to any. 0: not known, or several would do.
 */
__u64 ports_find(const struct ports *p, const struct raw_object *from, const __u8 *addr, __u16 port);

#endif
