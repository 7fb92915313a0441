/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a thread had done for others when it ended: out of the header of its ring, which goes, into the
 * control page, where it stays for whoever asks who could end a wait (lib/abi/shimring.h).
 */
#ifndef IPCTAP_COLLECTOR_SHIM_ENDED_H
#define IPCTAP_COLLECTOR_SHIM_ENDED_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/shim_folder.h"

/*
 * The ring's thread `who` has ended, by now_ns, and will write no more; the header is hostile. of_process: the
 * process has, too, and with it what was its own.
 */
void shim_ended_note(struct shim_control *c, const struct shim_ring *header, const struct shim_person *who,
		     bool of_process, uint64_t now_ns);

/*
 * The same of all whose rings are in the folder, where nobody reads those; and those go, with what was in them.
 * For a collector that only looks on, now and then.
 */
void shim_ended_sweep(const struct shim_folder *f, uint64_t now_ns);

/* What is known of an object in a control page's list; NULL: nothing. */
const struct shim_ended *shim_ended_find(const struct shim_ended list[SHIM_ENDED_MAX], uint64_t obj);

#endif
