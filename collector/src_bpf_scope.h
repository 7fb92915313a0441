/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The scope as the probes want it: constants before load, pids after. */
#ifndef IPCTAP_COLLECTOR_SRC_BPF_SCOPE_H
#define IPCTAP_COLLECTOR_SRC_BPF_SCOPE_H

#include <stdint.h>
#include <sys/types.h>

#include "collector/feed.h"
#include "lib/base/fail.h"

struct ipctap_bpf;

/* Before load: -a, --comm, --cgroup. Fails on too many, or on a cgroup that is not there. */
int src_bpf_scope_consts(struct ipctap_bpf *skel, const struct scope *scope, struct fail *fail);

/* After load: -p and the held command. */
int src_bpf_scope_pids(struct ipctap_bpf *skel, const struct scope *scope, pid_t held);


#endif
