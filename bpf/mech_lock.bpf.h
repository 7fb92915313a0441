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

struct user_flock {
	__s16 type;
	__s16 whence;
	__s32 pad;
	__s64 start, len;
};
#define SEEK_CUR 1
#define SEEK_END 2

/* From the beginning of the file, whatever it was given from, and forwards. */
static __always_inline void lock_range(struct thread *s, const struct user_flock *l)
{
	struct file *f = fd_file(bpf_get_current_task_btf(), s->fd);
	__s64 start = l->start, len = l->len;
	if (l->whence == SEEK_CUR)
		start += BPF_CORE_READ(f, f_pos);
	else if (l->whence == SEEK_END)
		start += BPF_CORE_READ(f, f_inode, i_size);
	if (len < 0) {
		start += len;
		len = -len;
	}
	s->arg = (__u64)start;
	s->arg2 = (__u64)len;
	s->bytes = start >= 0; /* the range is known */
}

/* fcntl(fd, cmd, struct flock *) */
__noinline int fcntl_lock_enter(struct thread *s, struct call_args *c)
{
	if (!s || !c || !is_lock_cmd(c->a[1]))
		return 0;
	struct user_flock l = {};
	s->fd = (__s32)c->a[0];
	s->bytes = 0;
	if (!bpf_probe_read_user(&l, sizeof(l), (void *)c->a[2]))
		lock_range(s, &l);
	s->obj = lock_object(bpf_get_current_task_btf(), s->fd);
	s->mtype = (__s64)c->a[1] | (__s64)l.type << 16;
	if (c->a[1] != F_SETLKW && c->a[1] != F_OFD_SETLKW)
		s->flags |= IO_NONBLOCK;
	return s->obj != 0;
}

__noinline int fcntl_lock_exit(struct thread *s, struct done *d)
{
	struct {
		struct ev_io io;
		struct ev_range range;
	} *e;
	if (!s || !d)
		return 0;
	if (!s->bytes) /* entered before it was looked at, or no such memory */
		return emit_io(s, d);
	e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);
	if (!e) {
		count(RAW_COUNT_LOST_OP);
		return 0;
	}
	fill_io(&e->io, bpf_get_current_task_btf(), s, d, EV_IO, sizeof(*e));
	e->range.start = s->arg;
	e->range.length = s->arg2;
	ring_submit_io(e, s);
	return 0;
}

#endif
