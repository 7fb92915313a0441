/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the probes counted rather than told, as events of loss: each call tells what has come since the
 * last one. All return a sink's error.
 */
#ifndef IPCTAP_COLLECTOR_SRC_BPF_COUNTS_H
#define IPCTAP_COLLECTOR_SRC_BPF_COUNTS_H

#include "collector/join.h"
#include "lib/stream/stream.h"

struct ipctap_bpf;
struct src_bpf_counts;

struct src_bpf_counts *src_bpf_counts_new(struct ipctap_bpf *skel); /* borrows it: loaded. NULL: no memory */
void src_bpf_counts_free(struct src_bpf_counts *c);		    /* accepts NULL */

/* Records that found no room in the ring, requests of io_uring that are not decoded. What descriptors did may
 * be among the former: then the joiner is to look which are still there. */
int src_bpf_counts_tell(struct src_bpf_counts *c, struct join *join, struct sink *out);
/* Tasks that there was no room for the state of. 1: there were new ones. */
int src_bpf_counts_tell_refused(struct src_bpf_counts *c, struct sink *out);
/* Calls of 32-bit programs: a row for each number, so once, at the end. */
int src_bpf_counts_tell_compat(struct src_bpf_counts *c, struct sink *out);

#endif
