/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The objects of libripc in the BPF source: finds the files that have the library's probes, loads
 * bpf/ripc.bpf.c at the first of them, and attaches it to each. A probe is one place in a file,
 * whoever runs it and whenever: a process that starts later is seen from its first instruction.
 *
 * So is what the command and those it starts do with a library that lies where libraries do
 * (ripc_files_likely), or in a program that has run before. A file of some other place is found when
 * a process in scope runs it: what that one did before is not seen.
 */
#ifndef IPCTAP_COLLECTOR_SRC_BPF_RIPC_H
#define IPCTAP_COLLECTOR_SRC_BPF_RIPC_H

#include <stddef.h>
#include <stdint.h>

#include "collector/feed.h"
#include "lib/abi/raw.h"

struct ipctap_bpf;
struct src_bpf_ripc;

/* Borrows the skeleton, whose maps it shares: loaded. Looks at the likely places. NULL: no memory. */
struct src_bpf_ripc *src_bpf_ripc_new(struct ipctap_bpf *skel, const struct scope *scope);
void src_bpf_ripc_detach(struct src_bpf_ripc *r); /* accepts NULL */
void src_bpf_ripc_free(struct src_bpf_ripc *r);	  /* accepts NULL */

/* Every record of the ring: those of tasks say what runs. */
void src_bpf_ripc_note(struct src_bpf_ripc *r, const struct ev_hdr *h);

/* Looks into what has begun to run since. Cheap when nothing has. */
void src_bpf_ripc_look(struct src_bpf_ripc *r, uint64_t now_ns);

/*
 * The threads asleep inside a call: those in an object's wait are asleep in that, rather than in
 * the futex beneath it.
 */
void src_bpf_ripc_waiting(struct src_bpf_ripc *r, struct raw_inflight *list, size_t n);

#endif
