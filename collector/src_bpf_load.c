// SPDX-License-Identifier: GPL-2.0-or-later
#include "collector/src_bpf_load.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/capability.h>
#include <unistd.h>

#include "bpf/ipctap.skel.h"
#include "collector/src_bpf_hooks.h"
#include "collector/src_bpf_scope.h"
#include "collector/src_bpf_types.h"
#include "collector/src_bpf_uring.h"
#include "lib/base/clock.h"

#define DEFAULT_RING_BYTES (16ull << 20) /* mapped twice: 32 MiB of our resident size */

/* What libbpf and the verifier have to say is for whoever repairs the probes: IPCTAP_LIBBPF=1. */
static int print_if_asked(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return level != LIBBPF_DEBUG && getenv("IPCTAP_LIBBPF") ? vfprintf(stderr, fmt, args) : 0;
}

/* A power of two, whole pages, as the kernel demands. */
static uint64_t ring_size(uint64_t wanted)
{
	uint64_t size = 4096;
	while (size < wanted && size < 1ull << 31)
		size *= 2;
	return size;
}

static bool btf_has(const struct btf *btf, const char *name, uint32_t kind)
{
	return btf__find_by_name_kind(btf, name, kind) > 0;
}

static int configure(struct ipctap_bpf *s, const struct feed_opts *opts, struct fail *fail)
{
	struct btf *btf = btf__load_vmlinux_btf();
	if (!btf)
		return no_kernel_types(fail);
	s->rodata->has_rdonly_cast = btf_has(btf, "bpf_rdonly_cast", BTF_KIND_FUNC);
	src_bpf_uring_choose(s, btf);
	src_bpf_hooks_choose(s, btf);
	btf__free(btf);
	s->rodata->self_tgid = (uint32_t)getpid();
	s->rodata->realtime_ahead_ns = (uint64_t)clock_base_ns();
	s->rodata->scope_follow = !opts->scope.no_follow;
	s->rodata->snap_bytes = opts->snap_bytes;
	uint64_t ring = ring_size(opts->ring_bytes ? opts->ring_bytes : DEFAULT_RING_BYTES);
	s->rodata->ring_wake_bytes = ring / 8;
	bpf_map__set_max_entries(s->maps.ring, (uint32_t)ring);
	bpf_program__set_autoload(s->progs.on_cgroup_attach, opts->scope.cgroups != NULL);
	return src_bpf_scope_consts(s, &opts->scope, fail);
}

int src_bpf_load_failed(int err, struct fail *fail)
{
	if (err == EPERM || err == EACCES)
		return fail_set(fail, err, "run as root (sudo), or give CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE",
				"not allowed to trace with BPF");
	return fail_set(fail, err, err == EMFILE ? "raise the limit of open files (ulimit -n)" :
			"`ipctap doctor` tells what is missing", "the kernel refused the probes");
}

/* What is kept reads maps, tasks and /proc, of which CAP_SYSLOG the addresses of the kernel's functions
 * (collector/snap_restart.c). */
void src_bpf_drop_capabilities(void)
{
	static const cap_value_t keep[] = { CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH,
					    CAP_DAC_OVERRIDE, CAP_KILL, CAP_SYSLOG };
	cap_t have = cap_get_proc(), want = cap_init();
	for (size_t i = 0; have && want && i < sizeof(keep) / sizeof(keep[0]); i++) {
		cap_flag_value_t permitted = CAP_CLEAR;
		if (cap_get_flag(have, keep[i], CAP_PERMITTED, &permitted) || permitted != CAP_SET)
			continue;
		cap_set_flag(want, CAP_PERMITTED, 1, &keep[i], CAP_SET);
		cap_set_flag(want, CAP_EFFECTIVE, 1, &keep[i], CAP_SET);
	}
	if (want)
		cap_set_proc(want);
	cap_free(have);
	cap_free(want);
}

static int load_and_attach(struct ipctap_bpf *s, const struct feed_opts *opts, pid_t held, struct fail *fail)
{
	int err = configure(s, opts, fail);
	if (err)
		return err;
	err = ipctap_bpf__load(s);
	if (err)
		return src_bpf_load_failed(-err, fail);
	/* iterators are attached when they are run */
	bpf_program__set_autoattach(s->progs.adopt_tasks, false);
	bpf_program__set_autoattach(s->progs.adopt_files, false);
	bpf_program__set_autoattach(s->progs.adopt_maps, false);
	bpf_program__set_autoattach(s->progs.peer_files, false);
	bpf_program__set_autoattach(s->progs.inflight, false);
	err = src_bpf_scope_pids(s, &opts->scope, held);
	if (!err)
		err = ipctap_bpf__attach(s);
	return err ? src_bpf_load_failed(-err, fail) : 0;
}

int src_bpf_load(struct ipctap_bpf **out, const struct feed_opts *opts, pid_t held, struct fail *fail)
{
	LIBBPF_OPTS(bpf_object_open_opts, open_opts, .btf_custom_path = KERNEL_TYPES);
	libbpf_set_print(print_if_asked);
	struct ipctap_bpf *s = ipctap_bpf__open_opts(&open_opts);
	if (!s)
		return fail_set(fail, ENOMEM, NULL, "cannot start tracing");
	int err = load_and_attach(s, opts, held, fail);
	if (err)
		ipctap_bpf__destroy(s);
	else
		*out = s;
	return err;
}
