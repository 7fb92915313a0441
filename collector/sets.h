/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is in a set that is waited for. Who calls poll or epoll_wait names no channel, and to note
 * every member of every set at every call would cost more than the calls; so it is looked up, in
 * /proc and in the process's memory, when a wait has become long. The set's channel is named after it.
 */
#ifndef IPCTAP_COLLECTOR_SETS_H
#define IPCTAP_COLLECTOR_SETS_H

#include <stdint.h>

#include "collector/join.h"
#include "lib/abi/raw.h"

/* Names the channel of the set in *r, a wait under way. Returns 0 or the sink's error. */
int sets_tell(struct join *j, const struct raw_inflight *r, uint64_t now_ns);

#endif
