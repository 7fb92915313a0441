/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Time: bpf_ktime_get_ns, which is CLOCK_MONOTONIC, and what has to be brought in line with it. */
#ifndef IPCTAP_BPF_CLOCK_H
#define IPCTAP_BPF_CLOCK_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

/* Never negative: the clock as probes read it can step back a little while it is being adjusted. */
static __always_inline __u64 since(__u64 from, __u64 now) { return now > from ? now - from : 0; }

/* A time by the scheduler's clock, which nobody sets right: it may be ahead. */
static __always_inline __u64 sched_ns(__u64 t)
{
	__u64 now = bpf_ktime_get_ns();
	return t < now ? t : now;
}

#endif
