/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * io_uring rings for the wait graph: the files in their fixed tables, which are open though they are in
 * nobody's table of descriptors, and the requests that wait for a file to be ready.
 */
#ifndef IPCTAP_BPF_WAITS_URING_H
#define IPCTAP_BPF_WAITS_URING_H

#include "waits_walk.bpf.h"

#define URING_NAME 0x6e6972755f6f695bull /* "[io_urin", as its dentry is called */

static __always_inline bool is_ring(struct file___w *f)
{
	const void *name = BPF_CORE_READ(f, f_path.dentry, d_name.name);
	__u64 head = 0;
	bpf_probe_read_kernel(&head, sizeof(head), name);
	return head == URING_NAME;
}

static __always_inline void req_record(struct seq_file *seq, __u64 ring, struct file___w *f,
				       __u8 opcode, __u8 fixed)
{
	struct snap_req r = {
		.hdr = { .type = SNAP_REQ, .size = sizeof(r) },
		.ring = ring,
		.file = (__u64)f,
		.opcode = opcode,
		.fixed = fixed,
	};
	if (f) {
		r.what = file_what(&r.obj, f, BPF_CORE_READ(f, f_inode));
		r.mode = BPF_CORE_READ(f, f_mode) & (FMODE_READ | FMODE_WRITE);
	}
	bpf_seq_write(seq, &r, sizeof(r));
}

/* w->at: the array of slots */
static long slot_one(__u32 i, struct walk *w)
{
	__u64 ptr = 0;
	if (bpf_core_field_exists(struct io_file_table___w, data)) {
		struct io_rsrc_node___w *node = NULL;
		bpf_probe_read_kernel(&node, sizeof(node), (void *)w->at + (__u64)i * sizeof(void *));
		if (node)
			ptr = BPF_CORE_READ(node, file_ptr);
	} else {
		bpf_probe_read_kernel(&ptr, sizeof(ptr), (void *)w->at + (__u64)i * sizeof(ptr));
	}
	ptr &= ~7ULL; /* flags */
	if (ptr)
		req_record(w->seq, w->obj, (void *)ptr, 0, SNAP_REQ_SLOT);
	return 0;
}

static __always_inline void slot_records(struct seq_file *seq, struct io_ring_ctx___w *ctx)
{
	struct walk w = { .seq = seq, .obj = (__u64)ctx };
	if (bpf_core_field_exists(struct io_file_table___w, data)) { /* v6.13: b54a14041ee6 */
		w.at = (__u64)BPF_CORE_READ(ctx, file_table.data.nodes);
		w.n = BPF_CORE_READ(ctx, file_table.data.nr);
	} else if (bpf_core_field_exists(struct io_ring_ctx___old, nr_user_files)) {
		w.at = (__u64)BPF_CORE_READ((struct io_ring_ctx___old *)ctx, file_table.files);
		w.n = BPF_CORE_READ((struct io_ring_ctx___old *)ctx, nr_user_files);
	}
	if (!w.at)
		return;
	if (w.n > SNAP_SLOTS_MAX)
		cut(seq, 0);
	bpf_loop(w.n < SNAP_SLOTS_MAX ? w.n : SNAP_SLOTS_MAX, slot_one, &w, 0);
}

static long request_one(__u32 i, struct walk *w)
{
	if (!w->at)
		return 1;
	struct list_head___w *l = (void *)w->at;
	struct io_kiocb___w *req = (void *)l - bpf_core_field_offset(struct io_kiocb___w, hash_node);
	bool fixed = BPF_CORE_READ(req, flags) & REQ_F_FIXED_FILE;
	req_record(w->seq, w->obj, BPF_CORE_READ(req, file), BPF_CORE_READ(req, opcode),
		   fixed ? SNAP_REQ_FIXED : 0);
	w->at = (__u64)BPF_CORE_READ(l, next);
	return 0;
}

/* w->at: the array of buckets */
static long bucket_one(__u32 i, struct walk *w)
{
	void *bucket = (void *)w->at + (__u64)i * bpf_core_type_size(struct io_hash_bucket___w) +
		       bpf_core_field_offset(struct io_hash_bucket___w, list);
	struct walk chain = { .seq = w->seq, .obj = w->obj };
	bpf_probe_read_kernel(&chain.at, sizeof(chain.at), bucket);
	if (chain.at && bpf_loop(SNAP_REQS_MAX, request_one, &chain, 0) == SNAP_REQS_MAX)
		cut(w->seq, 0);
	return 0;
}

static __always_inline void request_records(struct seq_file *seq, struct io_ring_ctx___w *ctx,
					    struct io_hash_table___w *table)
{
	struct walk w = { .seq = seq, .obj = (__u64)ctx };
	__u32 bits = BPF_CORE_READ(table, hash_bits);
	w.at = (__u64)BPF_CORE_READ(table, hbs);
	w.n = 1u << (bits & 31);
	if (!w.at)
		return;
	if (w.n > SNAP_BUCKETS_MAX)
		cut(seq, 0);
	bpf_loop(w.n < SNAP_BUCKETS_MAX ? w.n : SNAP_BUCKETS_MAX, bucket_one, &w, 0);
}

static __always_inline void ring_records(struct seq_file *seq, struct snap_file *f)
{
	struct io_ring_ctx___w *ctx = (void *)f->obj;
	__u64 timeouts = (__u64)ctx + bpf_core_field_offset(struct io_ring_ctx___w, timeout_list);
	struct snap_ring r = {
		.hdr = { .type = SNAP_RING, .size = sizeof(r), .tid = f->hdr.tid },
		.obj = f->obj,
		.pending = BPF_CORE_READ(ctx, cached_sq_head) - BPF_CORE_READ(ctx, cached_cq_tail),
		.unreaped = BPF_CORE_READ(ctx, cached_cq_tail) - BPF_CORE_READ(ctx, rings, cq.head),
		.timers = (__u64)BPF_CORE_READ(ctx, timeout_list.next) != timeouts,
	};
	bpf_seq_write(seq, &r, sizeof(r));
	slot_records(seq, ctx);
	if (bpf_core_field_exists(struct io_ring_ctx___w, cancel_table))
		request_records(seq, ctx, &ctx->cancel_table);
	/* a second one for requests under the ring's lock, until v6.12: 0113d9e45fbc */
	if (bpf_core_field_exists(struct io_ring_ctx___old, cancel_table_locked))
		request_records(seq, ctx, &((struct io_ring_ctx___old *)ctx)->cancel_table_locked);
}

#endif
