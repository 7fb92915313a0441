/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What this kernel allows this user, found by trying, never by version: each feature is probed by
 * loading the smallest program or map that needs it. `doctor` prints the table.
 */
#ifndef IPCTAP_COLLECTOR_FEATURES_H
#define IPCTAP_COLLECTOR_FEATURES_H

#include <stdbool.h>

struct feature {
	const char *name;   /* "tp_btf" */
	const char *what;   /* what ipctap uses it for */
	int err;            /* 0: works; else a positive errno */
	const char *remedy; /* when it does not; never NULL */
	bool required;      /* the bpf source cannot work without it */
};

/*
 * Have we every right, and the kernel what is needed at the very least? Cheap; a yes is no promise. A no
 * is none either: CAP_BPF and CAP_PERFMON are enough for most kernels, which features_source finds out.
 */
bool features_has_rights(void);

/*
 * Are the numbers of processes the kernel's own, as in the first pid namespace? In another, as a container's, what
 * the probes tell cannot be matched with what /proc and getpid say, so they are not used there.
 */
bool features_host_pids(void);

#define FEATURES_MAX 24
#define FEATURE_RIPC "ripc probes" /* the row of libripc's objects; features_ripc.h says where */

/* Probes all; returns how many rows were filled (at most max). */
int features_probe(struct feature *out, int max);

/* Which source `--source auto` takes: "bpf", or "shim" when something that it requires is missing. */
const char *features_source(void);

#endif
