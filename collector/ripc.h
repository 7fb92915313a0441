/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Objects of libripc as channels: what their kinds' words (lib/ripc/probes.h) mean here. */
#ifndef IPCTAP_COLLECTOR_RIPC_H
#define IPCTAP_COLLECTOR_RIPC_H

#include "lib/abi/raw.h"

/* How data move through it, and whether it has two sides. */
void ripc_shape(struct ev_chan *c, const struct raw_object *o);

/*
 * sem:NAME, msq:ID, buffer:NAME …; a named pipe's is as Win32 writes it, \\.\pipe\NAME, for the pipe
 * and for each of its instances. What has no name has an identity only.
 */
void ripc_name(struct ev_chan *c, const struct raw_object *o);

#endif
