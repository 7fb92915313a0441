// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Iterators for the wait graph: what every thread sleeps on, what every descriptor leads to, what is
 * in flight, what System V objects hold. No tracing: one read of each is a picture of the host, also
 * of programs that were never traced. Records: lib/abi/snap.h.
 *
 * A semaphore set or message queue is read while the task that sleeps on it is looked at, so that
 * what belongs together is read together.
 */
#include "clock.bpf.h"
#include "waits_uring.bpf.h"

#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

/* System calls of this architecture that sleep on a System V object; the collector sets them. */
const volatile __s32 nr_semop = -1, nr_semtimedop = -1, nr_msgsnd = -1, nr_msgrcv = -1;

#define IPCMNI_MASK 0x7fff

/* ---- tasks ---- */

/* The number of a struct pid in the initial namespace, and in its own. */
static __always_inline __u32 pid_nr(struct pid___w *p)
{
	return p ? BPF_CORE_READ(p, numbers[0].nr) : 0;
}

static __always_inline void *pid_own(struct pid___w *p)
{
	__u32 level = BPF_CORE_READ(p, level);
	return (void *)p + bpf_core_field_offset(struct pid___w, numbers) +
	       (__u64)level * bpf_core_type_size(struct upid);
}

static __always_inline __u32 timer_flags(struct task_struct___w *t)
{
	struct signal_struct___w *sig = BPF_CORE_READ(t, signal);
	if (!sig)
		return 0;
	/* an empty list points to itself, an empty hlist to nothing */
	__u64 self = (__u64)sig + bpf_core_field_offset(struct signal_struct___w, posix_timers);
	__u64 first = self;
	bpf_probe_read_kernel(&first, sizeof(first), (void *)self);
	if (first && first != self)
		return SNAP_TIMER;
	return BPF_CORE_READ(sig, real_timer.state) & HRTIMER_ENQUEUED ? SNAP_TIMER : 0;
}

static __always_inline __u32 handler_flags(struct task_struct___w *t)
{
	struct sighand_struct___w *h = BPF_CORE_READ(t, sighand);
	__u64 fn = h ? (__u64)BPF_CORE_READ(h, action[SIGCHLD - 1].sa.sa_handler) : 0;
	return fn > 1 ? SNAP_CHILD_HANDLER : 0;
}

static __always_inline void task_waits(struct task_struct___w *t, struct snap_task *r)
{
	struct rt_mutex_waiter___w *w = t->pi_blocked_on;
	if (w) {
		void *owner = BPF_CORE_READ(w, lock, owner);
		struct task_struct___w *o = (void *)((__u64)owner & ~1ULL);
		r->flags |= SNAP_PI_BLOCKED;
		r->pi_owner = o ? BPF_CORE_READ(o, pid) : 0;
	}
	struct pt_regs___w *regs = (void *)bpf_task_pt_regs((void *)t);
	r->nr = (__s32)BPF_CORE_READ(regs, orig_ax);
	r->args[0] = BPF_CORE_READ(regs, di);
	r->args[1] = BPF_CORE_READ(regs, si);
	r->args[2] = BPF_CORE_READ(regs, dx);
	r->args[3] = BPF_CORE_READ(regs, r10);
	r->args[4] = BPF_CORE_READ(regs, r8);
	r->args[5] = BPF_CORE_READ(regs, r9);
	r->sp = BPF_CORE_READ(regs, sp);
	r->restart_fn = (__u64)t->restart_block.fn;
	r->vfork_done = (__u64)t->vfork_done;
	r->clear_tid = (__u64)t->clear_child_tid;
	r->undo = (__u64)t->sysvsem.undo_list;
	if (bpf_core_field_exists(struct thread_struct___w, fsbase))
		r->fsbase = BPF_CORE_READ(t, thread.fsbase);
}

static __always_inline void task_spaces(struct task_struct___w *t, struct snap_task *r)
{
	/* read by value: arithmetic on a typed pointer, as pid_own does, is refused before v6.4 or so */
	struct pid___w *p = BPF_CORE_READ(t, thread_pid);
	if (p) {
		struct upid___w *own = pid_own(p);
		r->ns_tid = BPF_CORE_READ(own, nr);
		r->pidns = BPF_CORE_READ(own, ns, ns.inum);
	}
	struct pid___w *leader = BPF_CORE_READ(t, group_leader, thread_pid);
	if (leader) {
		struct upid___w *own = pid_own(leader);
		r->ns_pid = BPF_CORE_READ(own, nr);
	}
	r->pgrp = pid_nr(BPF_CORE_READ(t, signal, pids[PIDTYPE_PGID]));
	r->ipcns = BPF_CORE_READ(t, nsproxy, ipc_ns, ns.inum);
	struct files_struct___w *files = t->files;
	if (files) {
		r->files = (__u64)files;
		r->files_users = BPF_CORE_READ(files, count.counter);
	}
}

static __always_inline void task_record(struct task_struct___w *t, struct snap_task *r)
{
	r->hdr.type = SNAP_TASK;
	r->hdr.size = sizeof(*r);
	r->hdr.tid = t->pid;
	r->pid = t->tgid;
	r->start_ns = t->start_time;
	r->csw = t->nvcsw + t->nivcsw;
	r->last_ns = sched_ns(t->sched_info.last_arrival);
	r->state = t->__state;
	r->mm = (__u64)t->mm;
	r->ppid = BPF_CORE_READ(t, real_parent, tgid);
	if (t->on_cpu)
		r->flags |= SNAP_ON_CPU;
	if (t->thread_info.status & TS_COMPAT)
		r->flags |= SNAP_COMPAT;
	if (t->flags & PF_EXITING)
		r->flags |= SNAP_EXITING;
	if (t->exit_state)
		r->flags |= SNAP_ZOMBIE;
	if (t->flags & PF_IO_WORKER)
		r->flags |= SNAP_WORKER;
	if (t->seccomp.mode == SECCOMP_MODE_FILTER)
		r->flags |= SNAP_FILTERED;
	if (t->ptrace) {
		r->flags |= SNAP_TRACED;
		r->tracer = BPF_CORE_READ(t, parent, tgid);
	}
	r->flags |= timer_flags(t) | handler_flags(t);
	BPF_CORE_READ_INTO(&r->comm, t, comm);
	task_spaces(t, r);
	task_waits(t, r);
}

/* ---- System V: read with the task that sleeps there ---- */

static __always_inline void *ipc_entry(struct task_struct___w *t, __u32 which, __u32 id)
{
	struct ipc_namespace *ns = BPF_CORE_READ(t, nsproxy, ipc_ns);
	if (!ns)
		return NULL;
	struct ipc_ids *ids = (void *)ns + bpf_core_field_offset(struct ipc_namespace, ids) +
			      (__u64)which * bpf_core_type_size(struct ipc_ids);
	__u64 entry = (__u64)BPF_CORE_READ(ids, ipcs_idr.idr_rt.xa_head);
	for (int depth = 0; depth < 4 && (entry & 3) == 2; depth++) {
		struct xa_node *node = (void *)(entry - 2);
		__u32 shift = BPF_CORE_READ(node, shift);
		void *slot = (void *)node + bpf_core_field_offset(struct xa_node, slots) +
			     (__u64)(((id & IPCMNI_MASK) >> (shift & 31)) & 63) * sizeof(void *);
		if (bpf_probe_read_kernel(&entry, sizeof(entry), slot))
			return NULL;
	}
	if (!entry || (entry & 3))
		return NULL;
	struct kern_ipc_perm___w *perm = (void *)entry;
	return BPF_CORE_READ(perm, id) == (int)id ? perm : NULL;
}

static long sem_one(__u32 i, struct walk *w)
{
	struct sem_array___w *a = (void *)w->obj;
	struct sem___w *s = (void *)a + bpf_core_field_offset(struct sem_array___w, sems) +
			(__u64)i * bpf_core_type_size(struct sem___w);
	struct snap_sem r = {
		.hdr = { .type = SNAP_SEM, .size = sizeof(r), .tid = w->tid },
		.obj = w->obj,
		.id = BPF_CORE_READ(a, sem_perm.id),
		.key = BPF_CORE_READ(a, sem_perm.key),
		.num = i,
		.nsems = w->n,
		.val = BPF_CORE_READ(s, semval),
		.last_pid = pid_nr(BPF_CORE_READ(s, sempid)),
	};
	bpf_seq_write(w->seq, &r, sizeof(r));
	return 0;
}

static long undo_one(__u32 i, struct walk *w)
{
	if (!w->at || w->at == w->head)
		return 1;
	struct list_head___w *l = (void *)w->at;
	struct sem_undo___w *u = (void *)l - bpf_core_field_offset(struct sem_undo___w, list_id);
	struct snap_undo r = {
		.hdr = { .type = SNAP_UNDO, .size = sizeof(r), .tid = w->tid },
		.obj = w->obj,
		.undo = (__u64)BPF_CORE_READ(u, ulp),
	};
	void *adj;
	if (bpf_core_field_exists(struct sem_undo___w, semadj))
		adj = (void *)u + bpf_core_field_offset(struct sem_undo___w, semadj);
	else
		adj = BPF_CORE_READ((struct sem_undo___old *)u, semadj);
	/* what lies behind the set's last semaphore means nothing, and the reader knows where that is */
	if (bpf_probe_read_kernel(r.adj, sizeof(r.adj), adj))
		cut(w->seq, w->tid);
	else
		bpf_seq_write(w->seq, &r, sizeof(r));
	w->at = (__u64)BPF_CORE_READ(l, next);
	return 0;
}

static __always_inline void sem_records(struct seq_file *seq, struct task_struct___w *t, __u32 id)
{
	struct sem_array___w *a = ipc_entry(t, 0, id);
	if (!a)
		return;
	struct walk w = { .seq = seq, .obj = (__u64)a, .tid = t->pid };
	w.n = BPF_CORE_READ(a, sem_nsems);
	if (w.n > SNAP_SEMS_MAX)
		cut(seq, t->pid);
	bpf_loop(w.n < SNAP_SEMS_MAX ? w.n : SNAP_SEMS_MAX, sem_one, &w, 0);
	w.head = w.obj + bpf_core_field_offset(struct sem_array___w, list_id);
	w.at = (__u64)BPF_CORE_READ(a, list_id.next);
	if (bpf_loop(SNAP_UNDOS_MAX, undo_one, &w, 0) == SNAP_UNDOS_MAX)
		cut(seq, t->pid);
}

static __always_inline void msg_record(struct seq_file *seq, struct task_struct___w *t, __u32 id)
{
	struct msg_queue___w *q = ipc_entry(t, 1, id);
	if (!q)
		return;
	struct snap_msg r = {
		.hdr = { .type = SNAP_MSG, .size = sizeof(r), .tid = t->pid },
		.obj = (__u64)q,
		.bytes = BPF_CORE_READ(q, q_cbytes),
		.messages = BPF_CORE_READ(q, q_qnum),
		.max_bytes = BPF_CORE_READ(q, q_qbytes),
		.id = BPF_CORE_READ(q, q_perm.id),
		.key = BPF_CORE_READ(q, q_perm.key),
		.last_snd = pid_nr(BPF_CORE_READ(q, q_lspid)),
		.last_rcv = pid_nr(BPF_CORE_READ(q, q_lrpid)),
	};
	bpf_seq_write(seq, &r, sizeof(r));
}

/*
 * A worker of an io_uring that is asleep with nothing to do: it gets something to do from a thread of its
 * own process only, and so ends no wait by itself. (One that polls for submissions has no worker_private.)
 */
static __always_inline bool is_idle_worker(struct task_struct___w *t)
{
	if (!(t->flags & PF_IO_WORKER) || !t->__state ||
	    !bpf_core_field_exists(struct task_struct___w, worker_private) ||
	    !bpf_core_field_exists(struct io_worker___w, cur_work))
		return false;
	struct io_worker___w *worker = t->worker_private;
	return worker && !BPF_CORE_READ(worker, cur_work);
}

SEC("iter/task")
int snap_tasks(struct bpf_iter__task *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct___w *t = (void *)ctx->task;
	if (!t || !t->mm || (t->flags & PF_KTHREAD)) {
		/* a zombie has no memory, but its parent may wait for it */
		if (!t || !t->exit_state || (t->flags & PF_KTHREAD))
			return 0;
	}
	if (is_idle_worker(t))
		return 0;
	struct snap_task r = {};
	task_record(t, &r);
	bpf_seq_write(seq, &r, sizeof(r));
	if (!r.state || (r.flags & SNAP_COMPAT))
		return 0;
	if (r.nr == nr_semop || r.nr == nr_semtimedop)
		sem_records(seq, t, (__u32)r.args[0]);
	else if (r.nr == nr_msgsnd || r.nr == nr_msgrcv)
		msg_record(seq, t, (__u32)r.args[0]);
	return 0;
}

/* ---- files ---- */

static __always_inline void pipe_record(struct seq_file *seq, struct snap_file *f)
{
	struct pipe_inode_info___w *p = (void *)f->obj;
	__u32 head = BPF_CORE_READ(p, head), tail = BPF_CORE_READ(p, tail);
	struct snap_pipe r = {
		.hdr = { .type = SNAP_PIPE, .size = sizeof(r), .tid = f->hdr.tid },
		.obj = f->obj,
		.used = head - tail,
		.slots = BPF_CORE_READ(p, max_usage),
		.readers = BPF_CORE_READ(p, readers),
		.writers = BPF_CORE_READ(p, writers),
	};
	/* the indices are of 16 bits where long has 32, else of 32: v6.14, d810d4c27bf3 */
	bpf_seq_write(seq, &r, sizeof(r));
}

static __always_inline void mapped(__u8 *to, __u32 addr)
{
	to[10] = to[11] = 0xff;
	__builtin_memcpy(to + 12, &addr, 4);
}

static __always_inline void sock_addresses(struct sock___w *sk, struct snap_sock *r)
{
	r->lport = BPF_CORE_READ(sk, __sk_common.skc_num);
	r->rport = __builtin_bswap16(BPF_CORE_READ(sk, __sk_common.skc_dport));
	if (r->family == AF_INET) {
		mapped(r->laddr, BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr));
		mapped(r->raddr, BPF_CORE_READ(sk, __sk_common.skc_daddr));
	} else {
		BPF_CORE_READ_INTO(&r->laddr, sk, __sk_common.skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO(&r->raddr, sk, __sk_common.skc_v6_daddr);
	}
	if (r->type != SOCK_STREAM || r->state == SNAP_TCP_LISTEN)
		return;
	if (BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP) { /* MPTCP's, which is no tcp_sock, has a queue of packets */
		r->unread = r->rcvq;
	} else {
		struct tcp_sock *tp = (void *)sk;
		r->unread = BPF_CORE_READ(tp, rcv_nxt) - BPF_CORE_READ(tp, copied_seq);
		r->patience = BPF_CORE_READ((struct inet_connection_sock *)sk, icsk_user_timeout);
	}
}

static __always_inline void sock_record(struct seq_file *seq, struct snap_file *f)
{
	struct sock___w *sk = (void *)f->obj;
	struct snap_sock r = {
		.hdr = { .type = SNAP_SOCK, .size = sizeof(r), .tid = f->hdr.tid },
		.obj = f->obj,
		.rcvtimeo = BPF_CORE_READ(sk, sk_rcvtimeo),
		.sndtimeo = BPF_CORE_READ(sk, sk_sndtimeo),
		.netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum),
		.rcvq = BPF_CORE_READ(sk, sk_receive_queue.qlen),
		.wmem = BPF_CORE_READ(sk, sk_wmem_alloc.refs.counter),
		.sndbuf = BPF_CORE_READ(sk, sk_sndbuf),
		.backlog = BPF_CORE_READ(sk, sk_ack_backlog),
		.max_backlog = BPF_CORE_READ(sk, sk_max_ack_backlog),
		.family = BPF_CORE_READ(sk, __sk_common.skc_family),
		.type = BPF_CORE_READ(sk, sk_type),
		.state = BPF_CORE_READ(sk, __sk_common.skc_state),
		.shut = BPF_CORE_READ(sk, sk_shutdown),
	};
	if (r.family == AF_UNIX)
		r.peer = (__u64)BPF_CORE_READ((struct unix_sock___w *)sk, peer);
	else if (r.family == AF_INET || r.family == AF_INET6)
		sock_addresses(sk, &r);
	bpf_seq_write(seq, &r, sizeof(r));
}

static __always_inline void mq_record(struct seq_file *seq, struct snap_file *f)
{
	struct mqueue_inode_info___w *q =
		(void *)f->obj - bpf_core_field_offset(struct mqueue_inode_info___w, vfs_inode);
	struct snap_mq r = {
		.hdr = { .type = SNAP_MQ, .size = sizeof(r), .tid = f->hdr.tid },
		.obj = f->obj,
		.cur = BPF_CORE_READ(q, attr.mq_curmsgs),
		.max = BPF_CORE_READ(q, attr.mq_maxmsg),
	};
	bpf_seq_write(seq, &r, sizeof(r));
}

static __always_inline void lock_new(struct snap_lock *r, struct file_lock___w *l)
{
	__u32 flags = BPF_CORE_READ(l, c.flc_flags);
	r->kind = r->kind == SNAP_FLOCK ? SNAP_FLOCK : flags & FL_OFDLCK ? SNAP_OFD : SNAP_POSIX;
	r->file = (__u64)BPF_CORE_READ(l, c.flc_file);
	r->owner = (__u64)BPF_CORE_READ(l, c.flc_owner);
	r->pid = BPF_CORE_READ(l, c.flc_pid);
	r->exclusive = BPF_CORE_READ(l, c.flc_type) == F_WRLCK;
	r->start = BPF_CORE_READ(l, fl_start);
	r->end = BPF_CORE_READ(l, fl_end);
}

static __always_inline void lock_old(struct snap_lock *r, struct file_lock___old *l)
{
	__u32 flags = BPF_CORE_READ(l, fl_flags);
	r->kind = r->kind == SNAP_FLOCK ? SNAP_FLOCK : flags & FL_OFDLCK ? SNAP_OFD : SNAP_POSIX;
	r->file = (__u64)BPF_CORE_READ(l, fl_file);
	r->owner = (__u64)BPF_CORE_READ(l, fl_owner);
	r->pid = BPF_CORE_READ(l, fl_pid);
	r->exclusive = BPF_CORE_READ(l, fl_type) == F_WRLCK;
	r->start = BPF_CORE_READ(l, fl_start);
	r->end = BPF_CORE_READ(l, fl_end);
}

static __always_inline void lock_record(struct walk *w, __u64 lock, __u8 waits)
{
	struct snap_lock r = {
		.hdr = { .type = SNAP_LOCK, .size = sizeof(r), .tid = w->tid },
		.obj = w->obj,
		.lock = lock,
		.kind = (__u8)w->aux,
		.waits = waits,
	};
	if (bpf_core_field_exists(struct file_lock___w, c))
		lock_new(&r, (void *)lock);
	else
		lock_old(&r, (void *)lock);
	bpf_seq_write(w->seq, &r, sizeof(r));
}

/* Where in a lock each of its lists is. */
#define LOCK_FIELD(name)                                                                           \
	(bpf_core_field_exists(struct file_lock___w, c)                                            \
		 ? bpf_core_field_offset(struct file_lock_core___w, flc_##name)                    \
		 : bpf_core_field_offset(struct file_lock___old, fl_##name))

/* One that waits for the lock before; those that wait for it in turn are not told. */
static long waiter_one(__u32 i, struct walk *w)
{
	if (!w->at || w->at == w->head)
		return 1;
	struct list_head___w *l = (void *)w->at;
	lock_record(w, w->at - LOCK_FIELD(blocked_member), 1);
	w->at = (__u64)BPF_CORE_READ(l, next);
	return 0;
}

static long lock_one(__u32 i, struct walk *w)
{
	if (!w->at || w->at == w->head)
		return 1;
	struct list_head___w *l = (void *)w->at;
	__u64 lock = w->at - LOCK_FIELD(list);
	struct walk waiters = *w;
	lock_record(w, lock, 0);
	waiters.head = lock + LOCK_FIELD(blocked_requests);
	bpf_probe_read_kernel(&waiters.at, sizeof(waiters.at), (void *)waiters.head);
	if (waiters.at != waiters.head)
		bpf_loop(SNAP_WAITERS_MAX, waiter_one, &waiters, 0);
	w->at = (__u64)BPF_CORE_READ(l, next);
	return 0;
}

static __always_inline void lock_records(struct seq_file *seq, struct snap_file *f,
					 struct inode___w *inode)
{
	struct file_lock_context___w *c = BPF_CORE_READ(inode, i_flctx);
	if (!c)
		return;
	struct walk w = { .seq = seq, .obj = (__u64)inode, .aux = SNAP_FLOCK, .tid = f->hdr.tid };
	w.head = (__u64)c + bpf_core_field_offset(struct file_lock_context___w, flc_flock);
	w.at = (__u64)BPF_CORE_READ(c, flc_flock.next);
	if (bpf_loop(SNAP_LOCKS_MAX, lock_one, &w, 0) == SNAP_LOCKS_MAX)
		cut(seq, f->hdr.tid);
	w.aux = SNAP_POSIX;
	w.head = (__u64)c + bpf_core_field_offset(struct file_lock_context___w, flc_posix);
	w.at = (__u64)BPF_CORE_READ(c, flc_posix.next);
	if (bpf_loop(SNAP_LOCKS_MAX, lock_one, &w, 0) == SNAP_LOCKS_MAX)
		cut(seq, f->hdr.tid);
}

static __always_inline __u64 file_refs(struct file___w *f)
{
	if (bpf_core_field_exists(struct file___w, f_ref))
		return (__u64)BPF_CORE_READ(f, f_ref.refcnt.counter);
	return (__u64)BPF_CORE_READ((struct file___old *)f, f_count.counter) - 1;
}

SEC("iter/task_file")
int snap_files(struct bpf_iter__task_file *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *t = ctx->task;
	struct file___w *f = (void *)ctx->file;
	if (!t || !f)
		return 0;
	struct inode___w *inode = BPF_CORE_READ(f, f_inode);
	struct snap_file r = {
		.hdr = { .type = SNAP_FILE, .size = sizeof(r), .tid = t->pid },
		.file = (__u64)f,
		.pid = t->tgid,
		.fd = (__s32)ctx->fd,
	};
	r.what = file_what(&r.obj, f, inode);
	bool has_locks = BPF_CORE_READ(inode, i_flctx) != NULL;
	if (r.what == SNAP_IS_REG && !has_locks && BPF_CORE_READ(inode, i_nlink))
		return 0; /* never waited for, and its name tells that anybody may map it */
	r.ino = BPF_CORE_READ(inode, i_ino);
	r.dev = BPF_CORE_READ(inode, i_sb, s_dev);
	r.mode = BPF_CORE_READ(f, f_mode) & (FMODE_READ | FMODE_WRITE);
	r.flags = BPF_CORE_READ(f, f_flags);
	r.refs = file_refs(f);
	if (r.what == SNAP_IS_ANON) /* struct kref is the first member of an eventfd's */
		bpf_probe_read_kernel(&r.users, sizeof(r.users), (void *)r.obj);
	bpf_seq_write(seq, &r, sizeof(r));
	if (r.what == SNAP_IS_PIPE || r.what == SNAP_IS_FIFO)
		pipe_record(seq, &r);
	else if (r.what == SNAP_IS_SOCK)
		sock_record(seq, &r);
	else if (r.what == SNAP_IS_MQ)
		mq_record(seq, &r);
	else if (r.what == SNAP_IS_ANON && is_ring(f))
		ring_records(seq, &r);
	if (has_locks)
		lock_records(seq, &r, inode);
	return 0;
}

/* ---- descriptors in flight ---- */

static long parcel_fd(__u32 i, struct walk *w)
{
	struct snap_parcel r = {
		.hdr = { .type = SNAP_PARCEL, .size = sizeof(r) },
		.sock = w->obj,
	};
	void *fp = (void *)w->aux + bpf_core_field_offset(struct scm_fp_list___w, fp) +
		   (__u64)i * sizeof(void *);
	bpf_probe_read_kernel(&r.file, sizeof(r.file), fp);
	struct file___w *f = (void *)r.file;
	r.what = file_what(&r.obj, f, BPF_CORE_READ(f, f_inode));
	r.mode = BPF_CORE_READ(f, f_mode) & (FMODE_READ | FMODE_WRITE);
	bpf_seq_write(w->seq, &r, sizeof(r));
	return 0;
}

static long parcel_one(__u32 i, struct walk *w)
{
	if (!w->at || w->at == w->head)
		return 1;
	struct sk_buff___w *skb = (void *)w->at;
	struct unix_skb_parms___w *cb = (void *)skb + bpf_core_field_offset(struct sk_buff___w, cb);
	struct scm_fp_list___w *list = BPF_CORE_READ(cb, fp);
	if (list) {
		__u32 n = (__u32)BPF_CORE_READ(list, count);
		struct walk fds = { .seq = w->seq, .obj = w->obj, .aux = (__u64)list };
		bpf_loop(n < 253 ? n : 253, parcel_fd, &fds, 0);
	}
	w->at = (__u64)BPF_CORE_READ(skb, next);
	return 0;
}

/* Unix sockets nobody has a descriptor of yet (they wait to be accepted), and what lies in queues. */
SEC("iter/unix")
int snap_unix(struct bpf_iter__unix *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct unix_sock___w *u = ctx->unix_sk;
	if (!u)
		return 0;
	if (bpf_core_field_exists(struct unix_sock___w, listener) && BPF_CORE_READ(u, listener)) {
		struct snap_sock r = {
			.hdr = { .type = SNAP_SOCK, .size = sizeof(r) },
			.obj = (__u64)u,
			.peer = (__u64)BPF_CORE_READ(u, peer),
			.listener = (__u64)BPF_CORE_READ(u, listener),
			.rcvtimeo = SNAP_FOREVER,
			.sndtimeo = SNAP_FOREVER,
			.family = AF_UNIX,
			.type = BPF_CORE_READ(u, sk.sk_type),
			.state = BPF_CORE_READ(u, sk.__sk_common.skc_state),
		};
		bpf_seq_write(seq, &r, sizeof(r));
	}
	if (!BPF_CORE_READ(u, sk.sk_receive_queue.qlen))
		return 0;
	struct walk w = { .seq = seq, .obj = (__u64)u };
	w.head = w.obj + bpf_core_field_offset(struct unix_sock___w, sk.sk_receive_queue);
	w.at = (__u64)BPF_CORE_READ(u, sk.sk_receive_queue.next);
	if (bpf_loop(SNAP_PARCELS_MAX, parcel_one, &w, 0) == SNAP_PARCELS_MAX)
		cut(seq, 0);
	return 0;
}
