// SPDX-License-Identifier: LGPL-2.1-or-later
/* What a condition must know of a critical section. Private to lib/ripc. */
#ifndef RIPC_CS_H
#define RIPC_CS_H

#include <stdbool.h>

struct ripc_cs;

/* By the calling thread, and not again inside. */
bool ripc_cs_is_entered_once(const struct ripc_cs *cs);

#endif
