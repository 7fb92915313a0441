// SPDX-License-Identifier: GPL-2.0-or-later
#include "src_bpf_uring.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>

#include "bpf/ipctap.skel.h"

/* The arguments of a tracepoint; the first is the tracer's own. NULL: no such tracepoint. */
static const struct btf_type *arguments(const struct btf *btf, const char *tracepoint)
{
	char name[64];
	snprintf(name, sizeof(name), "btf_trace_%s", tracepoint);
	int id = btf__find_by_name_kind(btf, name, BTF_KIND_TYPEDEF);
	const struct btf_type *t = id > 0 ? btf__type_by_id(btf, (uint32_t)id) : NULL;
	t = t ? btf__type_by_id(btf, t->type) : NULL;
	t = t && btf_is_ptr(t) ? btf__type_by_id(btf, t->type) : NULL;
	return t && btf_is_func_proto(t) ? t : NULL;
}

/* Is argument n of it a pointer to that structure? */
static bool takes(const struct btf *btf, const struct btf_type *proto, int n, const char *name)
{
	if (!proto || btf_vlen(proto) <= n)
		return false;
	const struct btf_type *t = btf__type_by_id(btf, btf_params(proto)[n].type);
	t = t && btf_is_ptr(t) ? btf__type_by_id(btf, t->type) : NULL;
	return t && btf_is_struct(t) && strcmp(btf__name_by_offset(btf, t->name_off), name) == 0;
}

static bool takes_request(const struct btf *btf, const char *tracepoint)
{
	return takes(btf, arguments(btf, tracepoint), 1, "io_kiocb");
}

/* ctx, req, user_data, res, cflags …; or ctx, req, cqe */
static bool completes_by_words(const struct btf *btf)
{
	const struct btf_type *proto = arguments(btf, "io_uring_complete");
	return proto && btf_vlen(proto) >= 6;
}

static bool completes_by_cqe(const struct btf *btf)
{
	return takes(btf, arguments(btf, "io_uring_complete"), 3, "io_uring_cqe");
}

bool src_bpf_uring_works(const struct btf *btf)
{
	return (takes_request(btf, "io_uring_submit_req") ||
		takes_request(btf, "io_uring_submit_sqe")) &&
	       (completes_by_cqe(btf) || completes_by_words(btf));
}

void src_bpf_uring_choose(struct ipctap_bpf *skel, const struct btf *btf)
{
	bool works = src_bpf_uring_works(btf);
	bool by_req = works && takes_request(btf, "io_uring_submit_req");
	bool by_cqe = works && completes_by_cqe(btf);
	bpf_program__set_autoload(skel->progs.on_uring_submit, by_req);
	bpf_program__set_autoload(skel->progs.on_uring_submit_sqe, works && !by_req);
	bpf_program__set_autoload(skel->progs.on_uring_complete, by_cqe);
	bpf_program__set_autoload(skel->progs.on_uring_complete_args, works && !by_cqe);
	bpf_program__set_autoload(skel->progs.on_uring_poll,
				  works && takes_request(btf, "io_uring_poll_arm"));
	bpf_program__set_autoload(skel->progs.on_uring_async,
				  works && takes_request(btf, "io_uring_queue_async_work"));
	/* before v6.4 a completion was traced before it was found to have no room */
	bpf_program__set_autoload(skel->progs.on_uring_overflow,
				  by_req && arguments(btf, "io_uring_cqe_overflow"));
}
