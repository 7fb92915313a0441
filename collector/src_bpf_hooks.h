/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hooks that not every kernel has, and what stands in for them: a tracepoint where there is one, else
 * the function itself where functions may be hooked (fentry), else nothing.
 */
#ifndef IPCTAP_COLLECTOR_SRC_BPF_HOOKS_H
#define IPCTAP_COLLECTOR_SRC_BPF_HOOKS_H

#include <stdbool.h>

struct btf;
struct ipctap_bpf;

enum hook { HOOK_NONE, HOOK_FENTRY, HOOK_TRACEPOINT };

/* Something has been queued in a socket: which one a datagram arrived in. */
enum hook hook_data_ready(const struct btf *btf);
/* A TCP send, while the socket is locked: where in the stream its bytes lie. */
enum hook hook_tcp_send(const struct btf *btf);

/* 0 if a program may be put at the entry of that kernel function, else a positive errno. By trying. */
int hook_fentry(const struct btf *btf, const char *function);

/* Before load: chooses the programs that fit this kernel. */
void src_bpf_hooks_choose(struct ipctap_bpf *skel, const struct btf *btf);

#endif
