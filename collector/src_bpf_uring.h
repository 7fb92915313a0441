/* SPDX-License-Identifier: GPL-2.0-or-later */
/* io_uring's tracepoints, whose names and arguments differ from kernel to kernel. */
#ifndef IPCTAP_COLLECTOR_SRC_BPF_URING_H
#define IPCTAP_COLLECTOR_SRC_BPF_URING_H

#include <stdbool.h>

struct btf;
struct ipctap_bpf;

/* Can requests be followed on the kernel whose types these are? */
bool src_bpf_uring_works(const struct btf *btf);

/* Before load: chooses the programs that fit this kernel, all or none. */
void src_bpf_uring_choose(struct ipctap_bpf *skel, const struct btf *btf);

#endif
