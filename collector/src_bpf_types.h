/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel must have at the very least, and the words for when it has not.
 *
 * Where the types of the running kernel are. Every object of probes is opened with this named as its only
 * source of them (btf_custom_path): for a type that a kernel does not have, libbpf else goes through those
 * of all modules, which takes CAP_SYS_ADMIN, and without it gives the whole object up. What we read of is
 * never in a module. (Functions for probes are looked for there all the same: the main object, which wants
 * bpf_rdonly_cast of 6.2, is loaded before capabilities are dropped.)
 */
#ifndef IPCTAP_COLLECTOR_SRC_BPF_TYPES_H
#define IPCTAP_COLLECTOR_SRC_BPF_TYPES_H

#include <errno.h>

#include "lib/base/fail.h"

#define KERNEL_TYPES "/sys/kernel/btf/vmlinux"

/* For when they cannot be read: fills *fail. */
static inline int no_kernel_types(struct fail *fail)
{
	return fail_set(fail, ENOENT, "use a kernel built with CONFIG_DEBUG_INFO_BTF; `ipctap doctor` tells more",
			"cannot read the kernel's type information (" KERNEL_TYPES ")");
}

#define HOST_PIDS_REMEDY "run it outside of the container, or in one with the host's pids (docker run --pid=host)"

/* For when features_host_pids says no: fills *fail. */
static inline int no_host_pids(struct fail *fail)
{
	fail_set(fail, 0, HOST_PIDS_REMEDY, "the probes cannot be used inside of a pid namespace");
	return -EXDEV;
}

#endif
