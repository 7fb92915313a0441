/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The live source for everybody: reads what the shim inside the traced programs tells, of a command
 * launched with it or of running programs that have it. Needs no right but to be the same user.
 */
#ifndef IPCTAP_COLLECTOR_SRC_SHIM_H
#define IPCTAP_COLLECTOR_SRC_SHIM_H

#include <sys/types.h>

#include "collector/feed.h"
#include "collector/shim_folder.h"
#include "lib/base/fail.h"
#include "lib/stream/stream.h"

struct src_shim;

/*
 * Takes over *folder, which is then empty. `held` (0: none) is a child of ours that has not yet run
 * its command. Fails with one line.
 */
int src_shim_open(struct src_shim **out, struct shim_folder *folder, const struct feed_opts *opts,
		  pid_t held, struct fail *fail);

struct source *src_shim_source(struct src_shim *s); /* borrowed; source_free frees all */

/* The shims are told to be quiet; what they have told can still be polled. */
void src_shim_detach(struct src_shim *s);

#endif
