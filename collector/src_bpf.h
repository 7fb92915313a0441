/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The live source: loads the probes, takes the scope in, drains the ring. */
#ifndef IPCTAP_COLLECTOR_SRC_BPF_H
#define IPCTAP_COLLECTOR_SRC_BPF_H

#include <stdint.h>
#include <sys/types.h>

#include "collector/feed.h"
#include "lib/base/fail.h"
#include "lib/stream/stream.h"

struct src_bpf;

/*
 * Loads and attaches; `held` (0: none) is a child of ours that has not yet run its command. Whatever
 * of the scope already runs is announced, marked synthetic, by the first poll. Fails with the remedy
 * when the kernel or our rights do not suffice.
 */
int src_bpf_open(struct src_bpf **out, const struct feed_opts *opts, pid_t held, struct fail *fail);

struct source *src_bpf_source(struct src_bpf *b); /* borrowed; source_free frees all */

/* Detaches the probes; what is in the ring can still be polled. */
void src_bpf_detach(struct src_bpf *b);

#endif
