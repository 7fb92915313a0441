/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The cores of what a fixpoint left false. For the files of lib/analysis only. */
#ifndef IPCTAP_ANALYSIS_CORES_H
#define IPCTAP_ANALYSIS_CORES_H

#include "net.h"

/*
 * Fills core[0..n) of the nodes: the number of the core it belongs to, or WG_NONE. `may` and
 * `truth` as given to and got from net_pass. A core stays false though everything outside of it
 * that anybody can give were given. Returns how many numbers were used (some may have no thread),
 * or WG_NONE when there is no memory.
 */
uint32_t cores_find(struct net *net, uint32_t may, const bool *truth, uint32_t *core);

/*
 * The shortest way from `start` over nodes of its core back to itself. Puts the nodes of threads
 * on it into `out` (room for all threads of the core), start first. Returns how many, 0 when there
 * is no such way, WG_NONE when there is no memory. `from` is scratch of net->n entries, all
 * WG_NONE, and is left so.
 */
uint32_t cores_cycle(struct net *net, const uint32_t *core, uint32_t start, uint32_t *from,
		     uint32_t *out);

#endif
