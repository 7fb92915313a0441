/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waits for a child: wait4 and waitid for its end (or a stop), vfork until it lets its parent's
 * memory go. The numbers a process in a pid namespace uses are its own: ns_pids translates them.
 */
#ifndef IPCTAP_BPF_MECH_CHILD_H
#define IPCTAP_BPF_MECH_CHILD_H

#include "calls.bpf.h"
#include "scope.bpf.h"
#include "mech_peer.bpf.h"

#define WNOHANG 1
#define WNOWAIT 0x01000000
#define P_PID 1
#define P_PIDFD 3
#define CLONE_VFORK 0x4000
#define CLD_EXITED 1
#define CLD_DUMPED 3

/* The pid in the initial namespace of what the caller calls `nr`; 0: not known. */
static __always_inline __u32 global_pid(struct task_struct *t, __s32 nr)
{
	struct ns_pid key = { .ns = pidns_inum(t), .nr = (__u32)nr };
	if (BPF_CORE_READ(t, thread_pid, level) == 0)
		return (__u32)nr;
	__u32 *pid = bpf_map_lookup_elem(&ns_pids, &key);
	return pid ? *pid : 0;
}

static __always_inline __u64 child_object(struct task_struct *t, __s32 nr)
{
	__u32 pid = nr > 0 ? global_pid(t, nr) : 0;
	return pid ? RAW_OBJ_CHILD(pid) : RAW_OBJ_ANY_CHILD(BPF_CORE_READ(t, tgid));
}

/* Whom a waitid waits for. A pidfd names one process, whatever it is called here. */
static __always_inline __u64 waitid_object(struct task_struct *t, __u64 type, __s32 id)
{
	struct pid_of p = {};
	if (type == P_PIDFD)
		pidfd_find(t, id, &p);
	return p.tgid ? RAW_OBJ_CHILD(p.tgid) : child_object(t, type == P_PID ? id : -1);
}

static __always_inline bool is_vfork(const struct call_args *c)
{
	__u64 flags = CLONE_VFORK;
	if (c->arg == 1)
		flags = c->a[0];
	else if (c->arg == 2 && bpf_probe_read_user(&flags, sizeof(flags), (void *)c->a[0]))
		flags = 0;
	return flags & CLONE_VFORK;
}

__noinline int child_enter(struct thread *s, struct call_args *c)
{
	if (!s || !c)
		return 0;
	struct task_struct *t = bpf_get_current_task_btf();
	__u64 options = 0;
	switch (c->class) {
	case CALL_VFORK:
		return is_vfork(c); /* on_fork tells whom */
	case CALL_WAIT4:
		s->obj = child_object(t, (__s32)c->a[0]);
		s->arg = c->a[1];
		options = c->a[2];
		break;
	case CALL_WAITID:
		s->obj = waitid_object(t, c->a[0], (__s32)c->a[1]);
		s->fd = c->a[0] == P_PIDFD ? (__s32)c->a[1] : -1;
		s->arg = c->a[2];
		options = c->a[3];
		break;
	}
	if (options & WNOHANG)
		s->flags |= IO_NONBLOCK;
	if (options & WNOWAIT)
		s->flags |= IO_PEEK;
	return 1;
}

static __always_inline bool is_end(__u32 status)
{
	return (status & 0xff) != 0x7f && status != 0xffff;
}

/* The child a waitid found, and its status as wait4 gives it. */
static __always_inline __s32 waitid_status(__u64 user, __u32 *status)
{
	struct {
		__s32 signo, error, code, pad, pid;
		__u32 uid;
		__s32 status;
	} info = {};
	if (!user || bpf_probe_read_user(&info, sizeof(info), (void *)user))
		return 0;
	if (info.code == CLD_EXITED)
		*status = (__u32)(info.status & 0xff) << 8;
	else if (info.code <= CLD_DUMPED)
		*status = (info.status & 0x7f) | (info.code == CLD_DUMPED ? 0x80 : 0);
	else
		*status = (__u32)(info.status & 0xff) << 8 | 0x7f;
	return info.pid;
}

__noinline int child_exit(struct thread *s, struct done *d)
{
	if (!s || !d)
		return 0;
	struct task_struct *t = bpf_get_current_task_btf();
	__u32 status = 0;
	__s32 nr = 0;
	if (s->class == CALL_WAIT4 && d->ret > 0) {
		nr = (__s32)d->ret;
		if (s->arg)
			bpf_probe_read_user(&status, sizeof(status), (void *)s->arg);
	} else if (s->class == CALL_WAITID && d->ret == 0) {
		nr = waitid_status(s->arg, &status);
	}
	if (nr > 0) {
		d->obj = child_object(t, nr);
		d->messages = is_end(status);
		s->mtype = status;
	}
	emit_io(s, d);
	return 0;
}

#endif
