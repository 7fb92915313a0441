/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Getting the probes into the kernel: which of them, set up how, and what is said when it refuses them. */
#ifndef IPCTAP_COLLECTOR_SRC_BPF_LOAD_H
#define IPCTAP_COLLECTOR_SRC_BPF_LOAD_H

#include <sys/types.h>

#include "collector/feed.h"
#include "lib/base/fail.h"

struct ipctap_bpf;

/* Live when this returns, but for the iterators, which run when they are asked. The caller destroys it. */
int src_bpf_load(struct ipctap_bpf **out, const struct feed_opts *opts, pid_t held, struct fail *fail);
/* What a refusal (a positive errno) means, and what to do about it. Returns -err. */
int src_bpf_load_failed(int err, struct fail *fail);
/* The rest of root's power is of no use once all is attached. */
void src_bpf_drop_capabilities(void);

#endif
