/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A diagnosis out of a trace: the wait graph that record left in it, judged again. */
#ifndef IPCTAP_UI_CLI_RECORDED_H
#define IPCTAP_UI_CLI_RECORDED_H

#include "collector/diagnose.h"
#include "findings.h"
#include "lib/store/store.h"

/*
 * Fills *d (release it either way) and, of *v, solution, now_ns and in_scope: those that were
 * traced and waited (findings_release frees). A trace in which no wait became long has an empty
 * graph. Says what the recorder lost, on standard error. 0 or a negative errno with *fail filled.
 */
int recorded_load(const char *path, uint64_t slow_ns, struct diagnosis *d, struct findings_view *v,
		  struct fail *fail);

/*
 * Calls `take` for each time, in order, that the recorder found other deadlocks than before, and for the
 * last time that it looked; v->level is WG_ORPHAN. Nothing found: an empty solution. Stops when
 * that returns a negative errno, and returns it with *fail filled.
 */
int recorded_each(struct trace *trace, const char *path,
		  int (*take)(void *arg, const struct findings_view *v), void *arg,
		  struct fail *fail);

#endif
