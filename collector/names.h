/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How objects are called: the ident and the name of a channel, one function a family. */
#ifndef IPCTAP_COLLECTOR_NAMES_H
#define IPCTAP_COLLECTOR_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/abi/raw.h"

#define NAMES_ADDR_LEN 56 /* "[ipv6]:port" and its NUL */

/* 127.0.0.1:80, [::1]:80, *:80; "" when there is neither address nor port. */
void names_addr(char *buf, size_t size, const uint8_t addr[16], uint16_t port);

/* The same and, where the port has a name, that: "127.0.0.1:5432 (postgresql)". kind: TCP or UDP. */
void names_service(char *buf, size_t size, const uint8_t addr[16], uint16_t port, uint16_t kind);

/* Is this address one of this host's (loopback, or an interface's)? Asked of the kernel once a second at most. */
bool names_is_local(const uint8_t addr[16]);
bool names_is_any(const uint8_t addr[16]);

/* What the kernel calls the object, and what people call it, into the EV_CHAN's fields. */
void names_object(struct ev_chan *c, const struct raw_object *o);

/* A channel that belongs to a process, which is called `comm` ("": not known). */
void names_own(struct ev_chan *c, uint64_t obj, const char *comm);

/* A connection, once both its sockets are known (b may be NULL) and which of them serves. */
void names_pair(struct ev_chan *c, const struct raw_object *a, const struct raw_object *b);

#endif
