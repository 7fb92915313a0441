/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one process takes from another directly: its memory (process_vm_readv, process_vm_writev),
 * a descriptor of its (pidfd_getfd), or descriptors sent over a unix socket (SCM_RIGHTS).
 */
#ifndef IPCTAP_BPF_MECH_PEER_H
#define IPCTAP_BPF_MECH_PEER_H

#include "scope.bpf.h"
#include "mech_map.bpf.h"

/* ---- a process by its number ---- */

struct pid_of {
	struct task_struct *leader; /* NULL: there is none */
	__u32 tgid;                 /* as the collector numbers it */
};

static __always_inline void pid_task(struct pid *pid, struct pid_of *p)
{
	struct hlist_node *first = BPF_CORE_READ(pid, tasks[0].first);
	if (!first)
		return;
	struct task_struct *t = (void *)first - bpf_core_field_offset(struct task_struct, pid_links);
	if (BPF_CORE_READ(t, thread_pid) != pid)
		return; /* was none: the descriptor is of something else */
	p->leader = BPF_CORE_READ(t, group_leader);
	p->tgid = BPF_CORE_READ(t, tgid);
}

/* As the calling thread's pid namespace numbers it: a walk down that namespace's table. */
static __always_inline void pid_find(struct task_struct *t, __u32 nr, struct pid_of *p)
{
	struct pid *own = BPF_CORE_READ(t, thread_pid);
	__u32 level = BPF_CORE_READ(own, level);
	struct pid_namespace *ns = NULL;
	bpf_probe_read_kernel(&ns, sizeof(ns),
			      (void *)own + bpf_core_field_offset(struct pid, numbers) +
				      (__u64)level * bpf_core_type_size(struct upid) +
				      bpf_core_field_offset(struct upid, ns));
	struct pid *pid = ns ? (void *)radix_find((__u64)BPF_CORE_READ(ns, idr.idr_rt.xa_head), nr)
			     : NULL;
	if (pid)
		pid_task(pid, p);
}

/* ---- memory of another process ---- */

/* Its holder may be outside the scope; the collector tells of it if so. */
static __always_inline void memory_describe(struct pid_of *p, __u64 obj, __u64 now)
{
	if (bpf_map_lookup_elem(&described, &obj))
		return;
	struct raw_object *o = ring_control(sizeof(*o), RAW_OBJECT, 0, now);
	if (!o)
		return;
	__builtin_memset((void *)o + sizeof(o->hdr), 0, sizeof(*o) - sizeof(o->hdr));
	o->obj = obj;
	o->ino = p->tgid;
	o->pid = p->tgid;
	o->fd = -1;
	o->kind = KIND_MEM;
	struct task_struct *leader = p->leader;
	BPF_CORE_READ_STR_INTO(&o->name, leader, comm);
	__u32 state = DESCRIBED;
	ring_submit(o);
	bpf_map_update_elem(&described, &obj, &state, BPF_ANY);
	task_emit(leader, TASK_SEEN, EV_SYNTHETIC | TASK_F_OUTSIDE, now);
	endpoint_emit(obj, p->tgid, -1, ENDPOINT_ATTACH, ENDPOINT_DIR_READ | ENDPOINT_DIR_WRITE,
		      EV_SYNTHETIC | RAW_IF_KNOWN, now);
}

__noinline int memory_enter(struct thread *s, __u32 nr)
{
	if (!s)
		return 0;
	struct task_struct *t = bpf_get_current_task_btf();
	struct pid_of p = {};
	pid_find(t, nr, &p);
	struct task_struct *leader = p.leader;
	if (!leader)
		return 0;
	s->mtype = p.tgid;
	s->obj = RAW_OBJ_MEM(p.tgid, BPF_CORE_READ(leader, start_time));
	memory_describe(&p, s->obj, s->enter_ns);
	return 1;
}

static __always_inline void memory_exit(struct thread *s, struct done *d)
{
	d->fd = -1;
	if (d->ret > 0) {
		d->bytes = (__u64)d->ret;
		d->messages = 1;
	}
	emit_io(s, d);
}

/* ---- descriptors that come from elsewhere ---- */

/* One has appeared in the table, from process `from` (0: not known). Returns its object. */
static __always_inline __u64 fd_passed(struct task_struct *t, __s32 fd, __u32 from, __u64 now)
{
	struct look l;
	void *file = fd_file(t, fd);
	if (!file)
		return 0;
	look_file(file, &l);
	if (!l.obj && is_memory_file(file))
		look_mapped(t, file, &l);
	if (!l.obj)
		return 0;
	if (l.kind == KIND_MAP)
		describe_mapped(t, &l, fd, now);
	else
		describe_once(NULL, &l, t->tgid, fd, now);
	struct ev_endpoint *e = ring_control(sizeof(*e), EV_ENDPOINT, 0, now);
	if (!e)
		return l.obj;
	e->chan = l.obj;
	e->pid = t->tgid;
	e->fd = fd;
	e->what = ENDPOINT_PASSED;
	e->dir = look_dir(&l);
	e->side = 0;
	e->pad = 0;
	e->from = from;
	ring_submit(e);
	return l.obj;
}

/* A pidfd leads to its struct pid: in the file until v6.9 (cb12fd8e0dab), then in the inode. */
static __always_inline void pidfd_find(struct task_struct *t, __s32 fd, struct pid_of *p)
{
	struct file *f = fd_file(t, fd);
	struct pid *pid = f ? BPF_CORE_READ(f, private_data) : NULL;
	if (f && !pid)
		pid = BPF_CORE_READ(f, f_inode, i_private);
	if (pid)
		pid_task(pid, p);
}

__noinline int getfd_exit(struct thread *s, struct done *d)
{
	if (!s || !d || d->ret < 0)
		return 0;
	struct task_struct *t = bpf_get_current_task_btf();
	struct pid_of p = {};
	pidfd_find(t, (__s32)s->arg, &p);
	s->mtype = p.tgid;
	d->fd = (__s32)d->ret;
	d->obj = fd_passed(t, d->fd, p.tgid, d->now);
	if (d->obj)
		emit_io(s, d);
	return 0;
}

/* ---- SCM_RIGHTS ---- */

#define SOL_SOCKET 1
#define SCM_RIGHTS 1
#define SCM_MAX_FD 253 /* the kernel passes no more in one message */
#define CMSG_MAX 8
#define CMSG_HEAD 16
#define MSGHDR_CONTROL 32
#define MSGHDR_SIZE 64 /* in a vector of them: struct mmsghdr */

/* Who sent an open file to a socket last: (file, receiving socket or 0) → process. */
struct sent_key {
	__u64 file, to;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct sent_key);
	__type(value, __u32);
} sent_files SEC(".maps");

struct cmsg_walk {
	__u64 at, end;  /* user addresses */
	__u64 fds;      /* of the SCM_RIGHTS message under way */
	__u64 sk;       /* the socket they go to or came from */
	__u64 now;
	__u32 nfds;     /* in all messages */
	__u32 pad;
};

static long sent_one(__u32 i, struct cmsg_walk *w)
{
	struct task_struct *t = bpf_get_current_task_btf();
	__s32 fd = -1;
	if (bpf_probe_read_user(&fd, sizeof(fd), (void *)w->fds + (__u64)i * sizeof(fd)))
		return 1;
	struct sent_key key = { .file = (__u64)fd_file(t, fd), .to = w->sk };
	__u32 tgid = t->tgid;
	if (key.file)
		bpf_map_update_elem(&sent_files, &key, &tgid, BPF_ANY);
	return 0;
}

/* Not inlined: its key is not to add to the stack of what passed_one calls, see below. */
APART __u32 sent_by(__u64 file, __u64 sk)
{
	struct sent_key key = { .file = file, .to = sk };
	__u32 *from = bpf_map_lookup_elem(&sent_files, &key);
	if (!from) { /* a datagram sent to an address: to a socket not known then */
		key.to = 0;
		from = bpf_map_lookup_elem(&sent_files, &key);
	}
	return from ? *from : 0;
}

static long passed_one(__u32 i, struct cmsg_walk *w)
{
	struct task_struct *t = bpf_get_current_task_btf();
	__s32 fd = -1;
	if (bpf_probe_read_user(&fd, sizeof(fd), (void *)w->fds + (__u64)i * sizeof(fd)))
		return 1;
	fd_passed(t, fd, sent_by((__u64)fd_file(t, fd), w->sk), w->now);
	return 0;
}

/*
 * Written twice, once for each direction: the verifier adds up the stacks of all that may call each
 * other, 512 bytes in all, and does not see that a send never comes to passed_one.
 */
static __always_inline long cmsg_next(struct cmsg_walk *w, bool sends)
{
	struct {
		__u64 len;
		__u32 level, type;
	} c = {};
	if (w->at + CMSG_HEAD > w->end || bpf_probe_read_user(&c, sizeof(c), (void *)w->at) ||
	    c.len < CMSG_HEAD || c.len > w->end - w->at)
		return 1;
	if (c.level == SOL_SOCKET && c.type == SCM_RIGHTS) {
		__u32 n = (__u32)(c.len - CMSG_HEAD) / sizeof(__s32);
		w->fds = w->at + CMSG_HEAD;
		n = n < SCM_MAX_FD ? n : SCM_MAX_FD;
		w->nfds += n;
		if (sends)
			bpf_loop(n, sent_one, w, 0);
		else
			bpf_loop(n, passed_one, w, 0);
	}
	w->at += (c.len + 7) & ~7ULL;
	return 0;
}

static long cmsg_sent(__u32 i, struct cmsg_walk *w)
{
	(void)i;
	return cmsg_next(w, true);
}

static long cmsg_received(__u32 i, struct cmsg_walk *w)
{
	(void)i;
	return cmsg_next(w, false);
}

/* The control messages of the msghdr at a user address. */
static __always_inline void cmsg_walk(__u64 msghdr, struct cmsg_walk *w, bool sends)
{
	struct {
		__u64 control, len;
	} h = {};
	bpf_probe_read_user(&h, sizeof(h), (void *)msghdr + MSGHDR_CONTROL);
	if (!h.control || h.len < CMSG_HEAD || h.len > 65536)
		return;
	w->at = h.control;
	w->end = h.control + h.len;
	if (sends)
		bpf_loop(CMSG_MAX, cmsg_sent, w, 0);
	else
		bpf_loop(CMSG_MAX, cmsg_received, w, 0);
}

struct vector_walk {
	struct cmsg_walk w;
	__u64 vec;
};

static long vector_sent(__u32 i, struct vector_walk *v)
{
	cmsg_walk(v->vec + (__u64)i * MSGHDR_SIZE, &v->w, true);
	return 0;
}

static long vector_received(__u32 i, struct vector_walk *v)
{
	cmsg_walk(v->vec + (__u64)i * MSGHDR_SIZE, &v->w, false);
	return 0;
}

/* The unix socket behind a descriptor; 0: it is none. Apart, for what is looked at needs room. */
APART __u64 unix_behind(struct task_struct *t, __s32 fd)
{
	struct look l = {};
	look_fd(t, (__u32)fd, &l);
	return l.kind == KIND_UNIX ? (__u64)l.sk : 0;
}

/* At entry of sendmsg and sendmmsg: who sends which files where. How many: into s->mtype. */
__noinline int rights_sent(struct thread *s, __u32 n)
{
	if (!s)
		return 0;
	struct unix_sock *sk = (void *)unix_behind(bpf_get_current_task_btf(), s->fd);
	if (!sk)
		return 0;
	struct vector_walk v = {
		.vec = s->arg, .w = { .sk = (__u64)BPF_CORE_READ(sk, peer) },
	};
	bpf_loop(n < 1024 ? n : 1024, vector_sent, &v, 0);
	s->mtype = v.w.nfds;
	return 0;
}

/* At exit of recvmsg and recvmmsg: what has arrived. */
__noinline int rights_received(struct thread *s, struct done *d)
{
	if (!s || !d)
		return 0;
	__u64 sk = unix_behind(bpf_get_current_task_btf(), s->fd);
	if (!sk)
		return 0;
	struct vector_walk v = { .vec = s->arg, .w = { .sk = sk, .now = d->now } };
	__u32 n = s->op == OP_RECVMMSG ? (__u32)d->ret : 1;
	bpf_loop(n < 1024 ? n : 1024, vector_received, &v, 0);
	s->mtype = v.w.nfds;
	return 0;
}

#endif
