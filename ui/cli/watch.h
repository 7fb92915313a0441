/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The live side of deadlock: one diagnosis, or one whenever something looks stuck (--watch, or
 * beside a command), each finding told once.
 */
#ifndef IPCTAP_UI_CLI_WATCH_H
#define IPCTAP_UI_CLI_WATCH_H

#include "args.h"

/*
 * Looks as the arguments say and prints to stdout. *found: how many findings were printed.
 * 0, or a negative errno with *fail filled.
 */
int watch_run(const struct args *a, uint32_t *found, struct fail *fail);

#endif
