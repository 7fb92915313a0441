/* SPDX-License-Identifier: GPL-2.0-or-later */
/* POSIX message queues, eventfd, and what is particular to terminals. */
#ifndef IPCTAP_BPF_MECH_QUEUE_H
#define IPCTAP_BPF_MECH_QUEUE_H

#include "mech_file.bpf.h"

/* The deadline of mq_timed* is a time of day. */
static __always_inline void mq_deadline(struct thread *s, __u64 user)
{
	struct timespec64 ts = {};
	if (user_timespec(user, &ts))
		s->deadline_ns = (__u64)ts.tv_sec * 1000000000ULL + (__u64)ts.tv_nsec - realtime_ahead_ns;
}

/* Returns 0 when the call is none of ours after all. */
__noinline int queue_enter(struct thread *s, struct call_args *c)
{
	if (!s || !c)
		return 0;
	struct task_struct *t = bpf_get_current_task_btf();
	bool receives = c->class == CALL_MQ_RECEIVE;
	switch (c->class) {
	case CALL_EVENTFD:
		s->mtype = (__u32)c->a[0]; /* what it begins with */
		return 1;
	case CALL_MQ_OPEN:
		return 1;
	case CALL_MQ_UNLINK:
		s->arg = c->a[0];
		return 1;
	case CALL_MQ_SEND:
	case CALL_MQ_RECEIVE:
		if (!take_fd(t, s, (__s32)c->a[0], receives ? IO_READ : IO_WRITE))
			return 0;
		s->bytes = c->a[2];
		s->mtype = receives ? -1 : (__s64)(__u32)c->a[3];
		s->arg = c->a[3];
		mq_deadline(s, c->a[4]);
		return 1;
	case CALL_MQ_CTL:
		return take_fd(t, s, (__s32)c->a[0], 0);
	}
	return 0;
}

/* The queue had a name only: the collector knows which one had it. */
APART void mq_unlink_exit(struct task_struct *t, struct thread *s, struct done *d)
{
	struct raw_mknod *e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);
	if (!e) {
		count(RAW_COUNT_LOST_OP);
		return;
	}
	fill_io(&e->io, t, s, d, RAW_MQ_UNLINK, sizeof(*e));
	e->dirfd = 0;
	e->pad = 0;
	__builtin_memset(e->path, 0, sizeof(e->path));
	e->path[0] = '/';
	bpf_probe_read_user_str(e->path + 1, sizeof(e->path) - 1, (void *)s->arg);
	ring_submit(e);
}

__noinline int queue_exit(struct thread *s, struct done *d)
{
	if (!s || !d)
		return 0;
	struct task_struct *t = bpf_get_current_task_btf();
	bool ok = ret_ok(d->ret);
	__u32 prio = 0;
	switch (s->class) {
	case CALL_MQ_UNLINK:
		d->fd = -1;
		mq_unlink_exit(t, s, d);
		return 0;
	case CALL_MQ_OPEN:
	case CALL_EVENTFD:
		d->fd = ok ? (__s32)d->ret : -1;
		if (ok)
			d->obj = new_fd(t, d->fd, s->class == CALL_EVENTFD ? RAW_NEW : 0,
					ENDPOINT_OPEN, d->now);
		if (ok && s->class == CALL_EVENTFD && s->mtype) { /* that is put in, like a write's */
			d->flags |= IO_WRITE;
			d->messages = 1;
		}
		break;
	case CALL_MQ_SEND:
		d->bytes = ok ? s->bytes : 0;
		d->messages = ok;
		break;
	case CALL_MQ_RECEIVE:
		if (!ok)
			break;
		d->bytes = (__u64)d->ret;
		d->messages = 1;
		if (s->arg && !bpf_probe_read_user(&prio, sizeof(prio), (void *)s->arg))
			s->mtype = prio;
		break;
	}
	emit_io(s, d);
	return 0;
}

#endif
