/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waits for any of several descriptors. A poll of a single one that is a channel is a wait on that
 * channel; any other is one on a set, which the collector looks into when the wait lasts.
 */
#ifndef IPCTAP_BPF_MECH_SET_H
#define IPCTAP_BPF_MECH_SET_H

#include "mech_file.bpf.h"

struct user_pollfd {
	__s32 fd;
	__s16 events, revents;
};

static __always_inline void set_timeout(struct thread *s, __u64 ns)
{
	s->deadline_ns = s->enter_ns + ns;
	if (!ns)
		s->flags |= IO_NONBLOCK;
}

static __always_inline void set_deadline(struct thread *s, const struct call_args *c)
{
	__u64 arg = args_nth(c, c->arg);
	struct timespec64 ts = {};
	if (c->class == CALL_POLL || c->class == CALL_EPOLL) {
		if ((__s32)arg >= 0)
			set_timeout(s, (__u64)(__u32)arg * 1000000ULL);
		return;
	}
	if (user_timespec(arg, &ts))
		set_timeout(s, (__u64)ts.tv_sec * 1000000000ULL +
				       (__u64)ts.tv_nsec * (c->class == CALL_SELECT ? 1000 : 1));
}

/* The channel polled alone, if it is one; *t is current. */
static __always_inline bool poll_one(struct task_struct *t, struct thread *s, __u64 fds)
{
	struct user_pollfd p = { .fd = -1 };
	return !bpf_probe_read_user(&p, sizeof(p), (void *)fds) && p.fd >= 0 &&
	       take_fd(t, s, p.fd, 0);
}

/* Without a descriptor it is a sleep: none of ours. */
__noinline int set_enter(struct thread *s, struct call_args *c)
{
	if (!s || !c)
		return 0;
	struct task_struct *t = bpf_get_current_task_btf();
	switch (c->class) {
	case CALL_POLL:
	case CALL_PPOLL:
		if (!c->a[1])
			return 0;
		s->arg = c->a[0];
		s->arg2 = c->a[1];
		if (c->a[1] != 1 || !poll_one(t, s, c->a[0])) {
			s->fd = -1;
			s->obj = RAW_OBJ_SET(t->pid, RAW_SET_NO_FD);
		}
		break;
	case CALL_SELECT:
	case CALL_PSELECT:
		if ((__s32)c->a[0] <= 0 || !(c->a[1] || c->a[2] || c->a[3]))
			return 0;
		s->arg = c->a[1];
		s->data = c->a[2];
		s->arg2 = c->a[0];
		s->obj = RAW_OBJ_SET(t->pid, RAW_SET_NO_FD);
		break;
	default:
		s->fd = (__s32)c->a[0];
		s->obj = RAW_OBJ_SET(t->tgid, s->fd);
	}
	set_deadline(s, c);
	return 1;
}

#endif
