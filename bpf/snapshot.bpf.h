/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Iterators the collector reads: at start, to take what already runs into scope and tell what it
 * holds; several times a second, to see who is still asleep inside a call.
 */
#ifndef IPCTAP_BPF_SNAPSHOT_H
#define IPCTAP_BPF_SNAPSHOT_H

#include "calls.bpf.h"
#include "scope.bpf.h"
#include "mech_child.bpf.h"
#include "mech_lock.bpf.h"
#include "mech_sysv.bpf.h"
#include "mech_futex.bpf.h"

/* What a sleeper of the other mechanisms waits for; 0: not known, or its descriptor tells it. */
static __always_inline __u64 adopt_object(struct task_struct *t, struct pt_regs *r, __u8 class)
{
	switch (class) {
	case CALL_SIGWAIT:
	case CALL_PAUSE:
		return RAW_OBJ_SIGNAL(t->tgid, 0);
	case CALL_FLOCK:
		return lock_object(t, (__s32)r->di);
	case CALL_FCNTL:
		return is_lock_cmd(r->si) ? lock_object(t, (__s32)r->di) : 0;
	case CALL_WAIT4:
		return child_object(t, (__s32)r->di);
	case CALL_WAITID:
		return child_object(t, r->di == P_PID ? (__s32)r->si : -1);
	case CALL_POLL:
	case CALL_PPOLL:
	case CALL_SELECT:
	case CALL_PSELECT:
		return RAW_OBJ_SET(t->pid, RAW_SET_NO_FD);
	case CALL_EPOLL:
	case CALL_EPOLL2:
		return RAW_OBJ_SET(t->tgid, (__s32)r->di);
	}
	return 0;
}

/* Arguments that its exit, or a look at it, will want. */
static __always_inline void adopt_args(struct thread *s, const struct pt_regs *r, __u8 class)
{
	s->arg = s->data = r->si;
	s->arg2 = r->r8;
	switch (class) {
	case CALL_MQ_SEND:
	case CALL_MQ_RECEIVE:
		s->arg = r->r10;
		s->bytes = r->dx;
		s->mtype = class == CALL_MQ_SEND ? (__s64)(__u32)r->r10 : -1;
		break;
	case CALL_WAITID:
		s->arg = r->dx;
		break;
	case CALL_POLL:
	case CALL_PPOLL:
		s->arg = r->di;
		s->arg2 = r->si;
		break;
	case CALL_SELECT:
	case CALL_PSELECT:
		s->data = r->dx;
		s->arg2 = r->di;
		break;
	case CALL_FLOCK:
		s->mtype = (__s64)r->si;
		break;
	}
}

/* The file behind a descriptor of any task; NULL: none. */
static __always_inline void *task_file(struct task_struct *t, __u32 fd)
{
	void *fp = NULL;
	struct fdtable *fdt = BPF_CORE_READ(t, files, fdt);
	if (!fdt || fd >= BPF_CORE_READ(fdt, max_fds))
		return NULL;
	bpf_probe_read_kernel(&fp, sizeof(fp), (void *)BPF_CORE_READ(fdt, fd) + (__u64)fd * sizeof(fp));
	return fp;
}

/*
 * A thread that is asleep inside a call when tracing begins: its registers still hold the
 * arguments. When it fell asleep is when it last left a CPU, not long after it last got one.
 */
static __always_inline void adopt_call(struct task_struct *t, struct thread *s)
{
	struct pt_regs *r = (struct pt_regs *)bpf_task_pt_regs(t);
	__u64 nr = r->orig_ax;
	if (t->on_cpu || !t->__state || nr >= CALL_MAX)
		return;
	struct call c = call_row(nr);
	__u64 obj = adopt_object(t, r, c.class);
	if (!obj && c.class != CALL_MQ_SEND && c.class != CALL_MQ_RECEIVE &&
	    c.class != CALL_IO && c.class != CALL_MSG && c.class != CALL_MMSG &&
	    c.class != CALL_ACCEPT && c.class != CALL_MSGSND && c.class != CALL_MSGRCV &&
	    c.class != CALL_SEMOP && c.class != CALL_FUTEX)
		return;
	s->enter_ns = s->sleep_ns = sched_ns(t->sched_info.last_arrival);
	s->flags = IO_EARLY | (c.dir <= (IO_READ | IO_WRITE) ? c.dir : 0);
	adopt_args(s, r, c.class);
	s->class = c.class;
	s->fd = -1;
	if (obj) {
		s->obj = obj;
		if (c.class == CALL_FLOCK || c.class == CALL_FCNTL || c.class == CALL_EPOLL ||
		    c.class == CALL_EPOLL2)
			s->fd = (__s32)r->di;
	} else if (c.class == CALL_FUTEX) {
		s->mtype = (__u32)r->si;
		s->obj = futex_adopt(t, s, r, c.op);
		if (!s->obj)
			return;
	} else if (c.class >= CALL_IPC_GET && c.class < CALL_EXEC) {
		s->obj = ipc_describe(t, sysv_kind(c.class, c.dir), (__s32)r->di, 0,
				      bpf_ktime_get_ns());
		s->bytes = r->dx;
	} else {
		struct look l = {};
		__u32 fd = r->di;
		void *fp = task_file(t, fd);
		if (!fp)
			return;
		look_file(fp, &l);
		if (!l.obj)
			return;
		s->fd = (__s32)fd;
		s->obj = l.obj;
		s->type = l.type;
		describe_once(NULL, &l, BPF_CORE_READ(t, tgid), s->fd, bpf_ktime_get_ns());
	}
	s->op = c.op;
}

volatile bool adopt_calls; /* false while a held command is taken: its wait is ours, not its own */

SEC("iter/task")
int adopt_tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;
	if (!t)
		return 0;
	if (!scope_wants(t, t->group_leader->comm))
		return 0;
	struct thread *s = scope_take(t);
	if (!s)
		return 0;
	task_emit(t, TASK_SEEN, EV_SYNTHETIC, bpf_ktime_get_ns());
	if (adopt_calls)
		adopt_call(t, s);
	return 0;
}

SEC("iter/task_file")
int adopt_files(struct bpf_iter__task_file *ctx)
{
	struct task_struct *t = ctx->task;
	struct file *f = ctx->file;
	__u32 fd = ctx->fd;
	if (!t || !f || !thread_of(t))
		return 0;
	struct look l;
	look_file(f, &l);
	if (!l.obj)
		return 0;
	__u64 now = bpf_ktime_get_ns();
	describe_once(NULL, &l, t->tgid, (__s32)fd, now);
	endpoint_emit(l.obj, t->tgid, (__s32)fd, ENDPOINT_SEEN, look_dir(&l), EV_SYNTHETIC, now);
	return 0;
}

/* What is mapped shared already: told like the calls that did it, but of no call. */
SEC("iter/task_vma")
int adopt_maps(struct bpf_iter__task_vma *ctx)
{
	struct task_struct *t = ctx->task;
	struct vm_area_struct *vma = ctx->vma;
	if (!t || !vma || t->pid != t->tgid || !(vma->vm_flags & VM_MAYSHARE) || !thread_of(t))
		return 0;
	struct file *file = vma->vm_file;
	if (!file)
		return 0;
	struct look l;
	look_mapped(t, file, &l);
	if (!l.obj)
		return 0;
	__u64 now = bpf_ktime_get_ns();
	describe_mapped(t, &l, -1, now);
	mapper_add(t->tgid);
	struct raw_map *e = ring_control(sizeof(*e), RAW_MAP, EV_SYNTHETIC, now);
	if (!e)
		return 0;
	__builtin_memset((void *)e + sizeof(e->io.hdr), 0, sizeof(*e) - sizeof(e->io.hdr));
	e->io.chan = l.obj;
	e->io.pid = t->tgid;
	e->io.tid = t->pid;
	e->start = vma->vm_start;
	e->end = vma->vm_end;
	e->dir = mapped_dir(vma->vm_flags);
	ring_submit(e);
	return 0;
}

/* ---- who outside the scope holds the other ends ---- */

static __always_inline bool is_described(__u64 obj)
{
	return bpf_map_lookup_elem(&described, &obj) != NULL;
}

static __always_inline bool peer_is_described(struct sock *sk)
{
	struct sock *peer = BPF_CORE_READ((struct unix_sock *)sk, peer);
	__u64 ino = peer ? BPF_CORE_READ(peer, sk_socket, file, f_inode, i_ino) : 0;
	return ino && is_described(RAW_OBJ(KIND_UNIX, ino));
}

static __always_inline bool tty_peer_is_described(struct tty_struct *tty)
{
	return is_described(RAW_OBJ(KIND_PTY, (__u64)BPF_CORE_READ(tty, link)));
}

/* A TCP connection that does not leave this host has a local address at both ends; the joiner
 * tells whether it knows the other one. */
static __always_inline bool may_be_local(struct sock *sk)
{
	__u8 l6[16] = {}, r6[16] = {};
	if (!BPF_CORE_READ(sk, __sk_common.skc_dport))
		return false;
	if (BPF_CORE_READ(sk, __sk_common.skc_family) == AF_INET) {
		__u32 l = BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr);
		__u32 r = BPF_CORE_READ(sk, __sk_common.skc_daddr);
		return l == r || ((l & 0xff) == 127 && (r & 0xff) == 127);
	}
	BPF_CORE_READ_INTO(&l6, sk, __sk_common.skc_v6_rcv_saddr);
	BPF_CORE_READ_INTO(&r6, sk, __sk_common.skc_v6_daddr);
	for (int i = 0; i < 12; i++)
		if (l6[i] != r6[i])
			return false;
	return true; /* the same, or both mapped IPv4 or on one link: near enough for a candidate */
}

SEC("iter/task_file")
int peer_files(struct bpf_iter__task_file *ctx)
{
	struct task_struct *t = ctx->task;
	struct file *f = ctx->file;
	__u32 fd = ctx->fd;
	if (!t || !f || t->tgid == (int)self_tgid || thread_of(t))
		return 0;
	if (BPF_CORE_READ(t, real_parent, tgid) == (int)self_tgid)
		return 0; /* what we started for ourselves: it holds our terminal */
	struct look l;
	look_file(f, &l);
	if (!l.obj)
		return 0;
	__u64 now = bpf_ktime_get_ns();
	if (!is_described(l.obj)) {
		bool peer = l.kind == KIND_UNIX	 ? peer_is_described(l.sk)
			    : l.kind == KIND_PTY ? tty_peer_is_described(l.sk)
			    : l.kind == KIND_TCP ? may_be_local(l.sk)
						 : false;
		if (!peer)
			return 0;
		describe(&l, t->tgid, (__s32)fd, RAW_IF_PEER, now);
	}
	task_emit(t, TASK_SEEN, EV_SYNTHETIC | TASK_F_OUTSIDE, now);
	endpoint_emit(l.obj, t->tgid, (__s32)fd, ENDPOINT_SEEN, look_dir(&l),
		      EV_SYNTHETIC | RAW_IF_KNOWN, now);
	return 0;
}

/* Who sleeps for room: what it has to do with is asked, for a write that is half done tells of nothing. */
static __always_inline void inflight_room(struct task_struct *t, const struct thread *s,
					  struct raw_inflight *r)
{
	__u32 kind = RAW_OBJ_KIND(s->obj);
	if (s->class == CALL_MSGSND) {
		struct msg_queue *q = (void *)ipc_find(t, IPC_IDS_MSG, (__u32)s->obj);
		if (!q)
			return;
		r->room_bytes = BPF_CORE_READ(q, q_qbytes);
		r->inside = BPF_CORE_READ(q, q_cbytes);
		r->messages_inside = BPF_CORE_READ(q, q_qnum);
		r->has_room = 1;
		return;
	}
	if (!(s->flags & IO_WRITE) || (kind != KIND_PIPE && kind != KIND_FIFO && kind != KIND_MQ))
		return;
	struct look l = {};
	struct file *f = task_file(t, (__u32)s->fd);
	if (f)
		look_file(f, &l);
	if (!f || l.obj != s->obj)
		return;
	if (kind != KIND_MQ) {
		struct pipe_inode_info *p = BPF_CORE_READ(f, private_data);
		r->room_messages = BPF_CORE_READ(p, max_usage);
		r->room_bytes = (__u64)r->room_messages * PAGE_BYTES;
		r->messages_inside = BPF_CORE_READ(p, head) - BPF_CORE_READ(p, tail);
		r->inside = pipe_backlog(f);
		r->has_room = 1;
		return;
	}
	struct mqueue_inode_info *q = mq_of(f);
	if (q) {
		r->room_messages = BPF_CORE_READ(q, attr.mq_maxmsg);
		r->messages_inside = BPF_CORE_READ(q, attr.mq_curmsgs);
		r->inside = BPF_CORE_READ(q, qsize);
		r->has_room = 1;
	}
}

SEC("iter/task")
int inflight(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;
	if (!t)
		return 0;
	struct thread *s = thread_of(t);
	if (!s || !s->op || !s->sleep_ns)
		return 0;
	__u8 class = s->class;
	bool is_poll = class == CALL_POLL || class == CALL_PPOLL;
	bool is_select = class == CALL_SELECT || class == CALL_PSELECT;
	bool is_waitv = class == CALL_FUTEX && RAW_OBJ_KIND(s->obj) == KIND_SET;
	struct raw_inflight r = {
		.enter_ns = s->enter_ns,
		.sleep_ns = s->sleep_ns,
		.deadline_ns = s->deadline_ns,
		.obj = s->obj,
		.path = class == CALL_OPEN ? s->arg : 0,
		.set = { is_poll || is_select || is_waitv ? s->arg : 0, is_select ? s->data : 0,
			 is_poll || is_select || is_waitv ? s->arg2 : 0 },
		.pid = t->tgid,
		.tid = t->pid,
		.fd = s->fd,
		.op = s->op,
	};
	inflight_room(t, s, &r);
	bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
	return 0;
}

#endif
