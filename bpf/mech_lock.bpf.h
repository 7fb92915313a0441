/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Locks on files: flock, and fcntl's POSIX and OFD ones. The channel is the file, whatever part of
 * it is locked: locks of different ranges meet when the ranges do.
 */
#ifndef IPCTAP_BPF_MECH_LOCK_H
#define IPCTAP_BPF_MECH_LOCK_H

#include "mech_map.bpf.h"

#define LOCK_NB 4
#define F_GETLK 5
#define F_SETLK 6
#define F_SETLKW 7
#define F_OFD_GETLK 36
#define F_OFD_SETLK 37
#define F_OFD_SETLKW 38

static __always_inline bool is_lock_cmd(__u64 cmd)
{
	return (cmd >= F_GETLK && cmd <= F_SETLKW) || (cmd >= F_OFD_GETLK && cmd <= F_OFD_SETLKW);
}

/* The file of a descriptor as a thing to lock, described if it is new; 0: no such descriptor. */
static __always_inline __u64 lock_object(struct task_struct *t, __s32 fd)
{
	struct look l = {};
	void *fp = NULL;
	struct fdtable *fdt = BPF_CORE_READ(t, files, fdt);
	if (!fdt || (__u32)fd >= BPF_CORE_READ(fdt, max_fds))
		return 0;
	bpf_probe_read_kernel(&fp, sizeof(fp),
			      (void *)BPF_CORE_READ(fdt, fd) + (__u64)(__u32)fd * sizeof(fp));
	if (!fp)
		return 0;
	struct inode *i = BPF_CORE_READ((struct file *)fp, f_inode);
	l.file = fp;
	l.ino = BPF_CORE_READ(i, i_ino);
	l.dev = BPF_CORE_READ(i, i_sb, s_dev);
	l.kind = KIND_LOCK;
	l.obj = RAW_OBJ_FILE(KIND_LOCK, l.dev, l.ino);
	__u64 obj = l.obj;
	if (!bpf_map_lookup_elem(&described, &obj))
		describe_memory(&l, 0, BPF_CORE_READ(t, tgid), fd, 0);
	return obj;
}

__noinline int flock_enter(struct thread *s, struct call_args *c)
{
	if (!s || !c)
		return 0;
	s->fd = (__s32)c->a[0];
	s->obj = lock_object(bpf_get_current_task_btf(), s->fd);
	s->mtype = (__s64)c->a[1];
	if (c->a[1] & LOCK_NB)
		s->flags |= IO_NONBLOCK;
	return s->obj != 0;
}

/* fcntl(fd, cmd, struct flock *) */
__noinline int fcntl_lock_enter(struct thread *s, struct call_args *c)
{
	if (!s || !c || !is_lock_cmd(c->a[1]))
		return 0;
	__s16 type = 0; /* struct flock begins with l_type */
	bpf_probe_read_user(&type, sizeof(type), (void *)c->a[2]);
	s->fd = (__s32)c->a[0];
	s->obj = lock_object(bpf_get_current_task_btf(), s->fd);
	s->mtype = (__s64)c->a[1] | (__s64)type << 16;
	if (c->a[1] != F_SETLKW && c->a[1] != F_OFD_SETLKW)
		s->flags |= IO_NONBLOCK;
	return s->obj != 0;
}

#endif
