// SPDX-License-Identifier: GPL-2.0-or-later
#include "src_bpf_hooks.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/ipctap.skel.h"

static bool has_tracepoint(const struct btf *btf, const char *name)
{
	char type[64];
	snprintf(type, sizeof(type), "btf_trace_%s", name);
	return btf && btf__find_by_name_kind(btf, type, BTF_KIND_TYPEDEF) > 0;
}

/* To load is not enough: a kernel that lets it be loaded may still refuse to patch the function. */
int hook_fentry(const struct btf *btf, const char *function)
{
	static const struct bpf_insn return_0[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int id = btf ? btf__find_by_name_kind(btf, function, BTF_KIND_FUNC) : -ENOENT;
	if (id < 0)
		return ENOENT;
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_FENTRY,
		    .attach_btf_id = (uint32_t)id);
	int prog = bpf_prog_load(BPF_PROG_TYPE_TRACING, "probe", "GPL", return_0, 2, &opts);
	if (prog < 0)
		return -prog;
	int link = bpf_raw_tracepoint_open(NULL, prog);
	close(prog);
	if (link < 0)
		return -link;
	close(link);
	return 0;
}

/* IPCTAP_HOOKS=none and =fentry: as if the better ones did not exist, to test what is then done. */
static bool may(enum hook hook)
{
	const char *most = getenv("IPCTAP_HOOKS");
	if (!most)
		return true;
	return hook == HOOK_FENTRY && strcmp(most, "fentry") == 0;
}

static enum hook choose(const struct btf *btf, const char *tracepoint, const char *function)
{
	if (may(HOOK_TRACEPOINT) && has_tracepoint(btf, tracepoint))
		return HOOK_TRACEPOINT;
	return may(HOOK_FENTRY) && hook_fentry(btf, function) == 0 ? HOOK_FENTRY : HOOK_NONE;
}

enum hook hook_data_ready(const struct btf *btf)
{
	return choose(btf, "sk_data_ready", "sock_def_readable");
}

enum hook hook_tcp_send(const struct btf *btf)
{
	return choose(btf, "tcp_sendmsg_locked", "tcp_sendmsg_locked");
}

void src_bpf_hooks_choose(struct ipctap_bpf *skel, const struct btf *btf)
{
	enum hook ready = hook_data_ready(btf), send = hook_tcp_send(btf);
	bpf_program__set_autoload(skel->progs.on_data_ready, ready == HOOK_TRACEPOINT);
	bpf_program__set_autoload(skel->progs.on_readable, ready == HOOK_FENTRY);
	bpf_program__set_autoload(skel->progs.on_tcp_piece, send == HOOK_TRACEPOINT);
	bpf_program__set_autoload(skel->progs.on_tcp_send, send == HOOK_FENTRY);
	bpf_program__set_autoload(skel->progs.on_tcp_sent, send == HOOK_FENTRY);
	bpf_program__set_autoload(skel->progs.on_udp_refused, has_tracepoint(btf, "udp_fail_queue_rcv_skb"));
	bpf_program__set_autoload(skel->progs.on_tcp_copied, has_tracepoint(btf, "tcp_rcv_space_adjust"));
}
