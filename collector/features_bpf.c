// SPDX-License-Identifier: GPL-2.0-or-later
#include "features.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <unistd.h>

#include "collector/features_ripc.h"
#include "collector/src_bpf_hooks.h"
#include "collector/src_bpf_types.h"
#include "collector/src_bpf_uring.h"

/* The smallest program: return 0. */
static const struct bpf_insn return_0[] = {
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
	{ .code = BPF_JMP | BPF_EXIT },
};

static int done(int fd)
{
	if (fd >= 0)
		close(fd);
	return fd < 0 ? -fd : 0;
}

static int load(enum bpf_prog_type type, enum bpf_attach_type attach, int btf_id)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = attach,
		    .attach_btf_id = (uint32_t)btf_id);
	return done(bpf_prog_load(type, "probe", "GPL", return_0, 2, &opts));
}

static int load_btf(const struct btf *btf, enum bpf_attach_type attach, const char *name,
		    uint32_t kind)
{
	int id = btf ? btf__find_by_name_kind(btf, name, kind) : -ENOENT;
	return id < 0 ? ENOENT : load(BPF_PROG_TYPE_TRACING, attach, id);
}

static int probe_btf(const struct btf *btf) { return btf ? 0 : ENOENT; }

static int probe_pids(const struct btf *btf)
{
	(void)btf;
	return features_host_pids() ? 0 : EXDEV;
}

static int probe_tp_btf(const struct btf *btf)
{
	return load_btf(btf, BPF_TRACE_RAW_TP, "btf_trace_sys_enter", BTF_KIND_TYPEDEF);
}

static int probe_fentry(const struct btf *btf) { return hook_fentry(btf, "vfs_read"); }

static int probe_tracepoint(const struct btf *btf)
{
	(void)btf;
	return load(BPF_PROG_TYPE_TRACEPOINT, 0, 0);
}

static int probe_iter(const struct btf *btf)
{
	return load_btf(btf, BPF_TRACE_ITER, "bpf_iter_task_file", BTF_KIND_FUNC);
}

static int probe_ringbuf(const struct btf *btf)
{
	(void)btf;
	return done(bpf_map_create(BPF_MAP_TYPE_RINGBUF, "probe", 0, 0, 4096, NULL));
}

/* This one needs BTF of its own for key and value, so libbpf's probe, which makes it, is asked. */
static int probe_task_storage(const struct btf *btf)
{
	(void)btf;
	int has = libbpf_probe_bpf_map_type(BPF_MAP_TYPE_TASK_STORAGE, NULL);
	return has > 0 ? 0 : has < 0 ? -has : EOPNOTSUPP;
}

/* Helpers are known by name in the enum of them all. */
static int has_helper(const struct btf *btf, const char *name)
{
	int id = btf ? btf__find_by_name_kind(btf, "bpf_func_id", BTF_KIND_ENUM) : -ENOENT;
	if (id < 0)
		return ENOENT;
	const struct btf_type *t = btf__type_by_id(btf, (uint32_t)id);
	const struct btf_enum *e = btf_enum(t);
	for (int i = 0; i < btf_vlen(t); i++)
		if (strcmp(btf__name_by_offset(btf, e[i].name_off), name) == 0)
			return 0;
	return ENOENT;
}

static int probe_loop(const struct btf *btf) { return has_helper(btf, "BPF_FUNC_loop"); }
static int probe_find_vma(const struct btf *btf) { return has_helper(btf, "BPF_FUNC_find_vma"); }

static int probe_rdonly_cast(const struct btf *btf)
{
	return btf && btf__find_by_name_kind(btf, "bpf_rdonly_cast", BTF_KIND_FUNC) > 0 ? 0 : ENOENT;
}

/* For a function that the kernel lacks libbpf looks through all modules. */
static int probe_modules(const struct btf *btf)
{
	uint32_t id;
	if (probe_rdonly_cast(btf) == 0)
		return 0;
	int err = bpf_btf_get_next_id(0, &id);
	return err < 0 && err != -ENOENT ? -err : 0;
}

static int probe_data_ready(const struct btf *btf)
{
	return hook_data_ready(btf) != HOOK_NONE ? 0 : ENOENT;
}

static int probe_tcp_send(const struct btf *btf)
{
	return hook_tcp_send(btf) != HOOK_NONE ? 0 : ENOENT;
}

static int probe_uring(const struct btf *btf)
{
	return btf && src_bpf_uring_works(btf) ? 0 : ENOENT;
}

static int probe_ripc(const struct btf *btf)
{
	(void)btf;
	int fd = bpf_prog_load(BPF_PROG_TYPE_KPROBE, "probe", "GPL", return_0, 2, NULL);
	if (fd < 0)
		return -fd;
	int err = features_ripc_attach(fd);
	close(fd);
	return err;
}

static const struct {
	struct feature row;
	int (*probe)(const struct btf *btf);
} probes[] = {
	{ { "btf", "the kernel's own types, which the probes are fitted to", 0,
	    "use a kernel built with CONFIG_DEBUG_INFO_BTF", true }, probe_btf },
	{ { "host pids", "processes by the numbers that the kernel knows them by", 0, HOST_PIDS_REMEDY, true },
	  probe_pids },
	{ { "tp_btf", "seeing system calls, the scheduler and process lives", 0,
	    "run as root, or with CAP_BPF and CAP_PERFMON; Linux 5.5 or newer", true }, probe_tp_btf },
	{ { "ring buffer", "events to the collector", 0, "Linux 5.8 or newer", true }, probe_ringbuf },
	{ { "task storage", "what each thread is in", 0, "Linux 5.11 or newer", true }, probe_task_storage },
	{ { "iterators", "what already runs, what is open, who is blocked", 0,
	    "Linux 5.8 or newer", true }, probe_iter },
	{ { "bpf_loop", "walking descriptor tables", 0, "Linux 5.17 or newer", true }, probe_loop },
	{ { "bpf_find_vma", "which segment shmdt detaches", 0, "Linux 5.17 or newer", true }, probe_find_vma },
	{ { "bpf_rdonly_cast", "cheaper loads (about a third off each call)", 0,
	    "nothing is lost without it; Linux 6.2 or newer", false }, probe_rdonly_cast },
	{ { "module types", "loading the probes where bpf_rdonly_cast is missing", 0,
	    "run as root, or with CAP_SYS_ADMIN as well", true }, probe_modules },
	{ { "sk_data_ready", "which socket a datagram arrived in", 0,
	    "without it datagrams are attributed by address; Linux 6.3 or newer, or one that allows fentry",
	    false }, probe_data_ready },
	{ { "tcp_sendmsg_locked", "which bytes of a connection are whose, with several writers", 0,
	    "without it such flows are marked approximate; Linux 6.16 or newer, or one that allows fentry",
	    false }, probe_tcp_send },
	{ { "io_uring", "requests of a ring, told like plain calls", 0,
	    "without it what goes through a ring is not seen; Linux 6.0 or newer", false }, probe_uring },
	{ { "fentry", "sk_data_ready and tcp_sendmsg_locked, where the kernel has no tracepoints for them", 0,
	    "nothing is lost without it where those are ok", false }, probe_fentry },
	{ { FEATURE_RIPC, "libripc's objects by name: who has them, sends, receives, takes, waits", 0,
	    "without them one sees the futexes and the shared memory beneath; CONFIG_UPROBE_EVENTS, CAP_PERFMON",
	    false }, probe_ripc },
	{ { "tracepoints", "not used: tp_btf is better", 0, "nothing is lost without them", false },
	  probe_tracepoint },
};

static int silent(enum libbpf_print_level level, const char *fmt, va_list args)
{
	(void)level, (void)fmt, (void)args;
	return 0;
}

int features_probe(struct feature *out, int max)
{
	libbpf_set_print(silent);
	struct btf *btf = btf__load_vmlinux_btf();
	int n = (int)(sizeof(probes) / sizeof(probes[0]));
	if (n > max)
		n = max;
	for (int i = 0; i < n; i++) {
		out[i] = probes[i].row;
		out[i].err = probes[i].probe(btf);
	}
	btf__free(btf);
	return n;
}
