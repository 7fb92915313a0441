/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether the static probes of libripc can be used here, and where the library lies. No libbpf: the
 * second is told by a build without it, too.
 */
#ifndef IPCTAP_COLLECTOR_FEATURES_RIPC_H
#define IPCTAP_COLLECTOR_FEATURES_RIPC_H

#include <limits.h>
#include <stddef.h>

/*
 * Puts a loaded program (a descriptor of BPF_PROG_TYPE_KPROBE) at a probe of libripc's that this
 * program has in it itself, and takes it away again. 0, or a positive errno; ENOENT also when this
 * program was built without static probes.
 */
int features_ripc_attach(int prog_fd);

#define RIPC_PLACES_MAX 8

struct ripc_place {
	char path[PATH_MAX];
	size_t sites; /* of probes */
};

/* The files that tracing looks into first (ripc_files_likely) and that have probes; how many. */
int features_ripc_places(struct ripc_place *out, int max);

#endif
