/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside libripc: the table of a named pipe, for those who come, go and connect (npipe_table.c).
 * What concerns slots is called with the table's lock held, except np_server_lives and the two that
 * take and give the lock.
 */
#ifndef RIPC_NPIPE_SLOT_H
#define RIPC_NPIPE_SLOT_H

#include "npipe.h"

/* An end without a slot yet. `want` NULL: the pipe must exist. *created may be NULL. */
DWORD np_end_new(struct np_end **result, const char *name, const struct np_shape *want,
		 bool *created);
void np_end_free(struct np_end *end);

void np_table_lock(struct np_end *end);
void np_table_unlock(struct np_end *end);

bool np_is_server_phase(uint32_t phase); /* the slot has a server's handle */
bool np_server_lives(struct np_slot *slot);
bool np_has_server(struct np_end *end); /* a living one */
unsigned int np_count_servers(struct np_end *end, bool look);

/* Wakes all who may wait for this slot; sets the phase and wakes them. */
void np_slot_wake(struct np_slot *slot);
void np_slot_set(struct np_slot *slot, uint32_t phase);
uint32_t np_slot_look(struct np_slot *slot); /* up to date with who is alive */

struct np_slot *np_slot_find_free(struct np_end *end); /* or NULL */
DWORD np_slot_take(struct np_end *end, struct np_slot *slot, uint32_t phase);
void np_slot_free(struct np_end *end, struct np_slot *slot);
DWORD np_slot_populate(struct np_end *end, struct np_slot *slot);
void np_slot_reset_rings(struct np_slot *slot);

#endif
