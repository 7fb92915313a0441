/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the wait graph's iterators share: walks over the kernel's lists, kinds of files. */
#ifndef IPCTAP_BPF_WAITS_WALK_H
#define IPCTAP_BPF_WAITS_WALK_H

#include "waits_kernel.h"
#include "lib/abi/snap.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* What a walk over a list carries from one step to the next. */
struct walk {
	struct seq_file *seq;
	__u64 at, head; /* struct list_head___w * */
	__u64 obj;
	__u64 aux;
	__u32 tid;
	__u32 n;
};

static __always_inline void cut(struct seq_file *seq, __u32 tid)
{
	struct snap_hdr h = { .type = SNAP_CUT, .size = sizeof(h), .tid = tid };
	bpf_seq_write(seq, &h, sizeof(h));
}

static __always_inline __u16 file_what(__u64 *obj, struct file___w *f, struct inode___w *inode)
{
	__u16 fmt = BPF_CORE_READ(inode, i_mode) & S_IFMT;
	__u64 magic = BPF_CORE_READ(inode, i_sb, s_magic);
	*obj = (__u64)inode;
	if (fmt == S_IFIFO) {
		*obj = (__u64)BPF_CORE_READ(f, private_data);
		return magic == PIPEFS_MAGIC ? SNAP_IS_PIPE : SNAP_IS_FIFO;
	}
	if (fmt == S_IFSOCK) {
		struct socket *so = BPF_CORE_READ(f, private_data);
		*obj = (__u64)BPF_CORE_READ(so, sk);
		return SNAP_IS_SOCK;
	}
	if (magic == MQUEUE_MAGIC)
		return SNAP_IS_MQ;
	if (fmt == S_IFREG || fmt == S_IFDIR)
		return SNAP_IS_REG;
	if (fmt == S_IFCHR)
		return SNAP_IS_CHAR;
	if (!fmt) { /* anonymous inodes have no type */
		*obj = (__u64)BPF_CORE_READ(f, private_data);
		return SNAP_IS_ANON;
	}
	return SNAP_IS_OTHER;
}

#endif
