/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The report's part about locks (lib/analysis/locks.h), which the model does not keep: a sink behind it
 * gathers it from the operations.
 *
 *     struct report_locks l;
 *     report_locks_init(&l);  session.out = &l.sink;  … run …
 *     report_locks_finish(&l);  report.locks = &l;  … print …
 *     report_locks_release(&l);
 */
#ifndef IPCTAP_UI_CLI_REPORT_LOCKS_H
#define IPCTAP_UI_CLI_REPORT_LOCKS_H

#include <jansson.h>

#include "lib/analysis/locks.h"
#include "lib/stream/stream.h"
#include "report.h"

struct report_locks {
	struct sink sink; /* first: it is cast back */
	struct locks *locks;
	struct lock_cycle *cycle;
	size_t ncycles;
};

int report_locks_init(struct report_locks *l);   /* 0 or -ENOMEM */
int report_locks_finish(struct report_locks *l); /* once all was gathered; 0 or -ENOMEM */
void report_locks_release(struct report_locks *l);

/* The sections; nothing when report.locks is NULL. 0 or -ENOMEM. */
int report_print_locks(const struct report *r, FILE *out);
json_t *report_json_locks(const struct report *r);
json_t *report_json_inversions(const struct report *r);

#endif
