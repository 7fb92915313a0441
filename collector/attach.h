/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is attached to which shared memory segment. Attachments have no descriptor that a walk of a
 * child's table would find, but a child has its parent's: this remembers them and tells the child's.
 */
#ifndef IPCTAP_COLLECTOR_ATTACH_H
#define IPCTAP_COLLECTOR_ATTACH_H

#include "lib/abi/event.h"
#include "lib/stream/stream.h"

struct attachments;

struct attachments *attachments_new(void);
void attachments_free(struct attachments *a); /* accepts NULL */

/* Remembers ENDPOINT_ATTACH, forgets on ENDPOINT_DETACH; ignores the rest. */
void attachments_note(struct attachments *a, const struct ev_endpoint *e);

/* A new process inherits its parent's, told to `out`; exec and the last exit drop a process's own. */
int attachments_follow(struct attachments *a, const struct ev_task *t, struct sink *out);

#endif
