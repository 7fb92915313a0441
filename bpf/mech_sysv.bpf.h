/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System V shared memory, message queues and semaphores. */
#ifndef IPCTAP_BPF_MECH_SYSV_H
#define IPCTAP_BPF_MECH_SYSV_H

#include "calls.bpf.h"
#include "emit.bpf.h"

#define IPC_NOWAIT 04000
#define IPC_SET 1
#define MSG_NOERROR 010000
#define MSG_COPY 040000
#define SHM_RDONLY 010000
#define IPC_IDS_SEM 0
#define IPC_IDS_MSG 1
#define IPC_IDS_SHM 2
#define IPCMNI_MASK 0x7fff /* an id is a sequence number above an index (ipc/util.h) */

struct sembuf {
	__u16 sem_num;
	__s16 sem_op;
	__s16 sem_flg;
};

static __always_inline __u32 ipc_ns_inum(struct task_struct *t)
{
	return BPF_CORE_READ(t, nsproxy, ipc_ns, ns.inum);
}

static __always_inline __u64 ipc_obj(struct task_struct *t, __u16 kind, __s32 id)
{
	return RAW_OBJ(kind, (__u64)(ipc_ns_inum(t) & 0xffffff) << 32 | (__u32)id);
}

/* The entry of a radix tree (an idr) at an index; 0: none. Four levels of 64 hold 16 million. */
static __always_inline __u64 radix_find(__u64 entry, __u32 index)
{
	for (int depth = 0; depth < 4 && (entry & 3) == 2; depth++) {
		struct xa_node *node = (void *)(entry - 2);
		__u32 shift = BPF_CORE_READ(node, shift);
		void *slot = (void *)node + bpf_core_field_offset(struct xa_node, slots) +
			     (__u64)((index >> (shift & 31)) & 63) * sizeof(void *);
		if (bpf_probe_read_kernel(&entry, sizeof(entry), slot))
			return 0;
	}
	return entry & 3 ? 0 : entry;
}

/* The object of an id, from the table of its namespace. NULL: none. */
static __always_inline struct kern_ipc_perm *ipc_find(struct task_struct *t, __u32 which, __u32 id)
{
	struct ipc_namespace *ns = BPF_CORE_READ(t, nsproxy, ipc_ns);
	struct ipc_ids *ids = (void *)ns + bpf_core_field_offset(struct ipc_namespace, ids) +
			      (__u64)which * bpf_core_type_size(struct ipc_ids);
	struct kern_ipc_perm *perm = (void *)radix_find(
		(__u64)BPF_CORE_READ(ids, ipcs_idr.idr_rt.xa_head), id & IPCMNI_MASK);
	return perm && BPF_CORE_READ(perm, id) == (int)id ? perm : NULL;
}

/* The object id of a System V id, described if it is new, or anew (RAW_ROOM); 0: there is no such id. */
static __always_inline __u64 ipc_describe(struct task_struct *t, __u16 kind, __s32 id, __u32 flags,
					  __u64 now)
{
	__u64 obj = ipc_obj(t, kind, id);
	if (!flags && bpf_map_lookup_elem(&described, &obj))
		return obj;
	__u32 which = kind == KIND_SEM ? IPC_IDS_SEM : kind == KIND_MSG ? IPC_IDS_MSG : IPC_IDS_SHM;
	struct kern_ipc_perm *perm = ipc_find(t, which, (__u32)id);
	if (!perm)
		return 0;
	struct raw_object *o = ring_control(sizeof(*o), RAW_OBJECT, flags, now);
	if (!o)
		return obj;
	__builtin_memset((void *)o + sizeof(o->hdr), 0, sizeof(*o) - sizeof(o->hdr));
	o->obj = obj;
	o->ino = (__u32)id;
	o->ns = ipc_ns_inum(t);
	o->pid = t->tgid;
	o->fd = -1;
	o->kind = kind;
	o->key = BPF_CORE_READ(perm, key);
	if (kind == KIND_MSG) {
		o->backlog = BPF_CORE_READ((struct msg_queue *)perm, q_cbytes);
		o->at = BPF_CORE_READ((struct msg_queue *)perm, q_qbytes);
	}
	__u32 state = DESCRIBED;
	ring_submit(o);
	bpf_map_update_elem(&described, &obj, &state, BPF_ANY);
	return obj;
}

/* shmdt names an address: the mapping there tells the segment, whose inode number is its id. */
static long shmdt_vma(struct task_struct *t, struct vm_area_struct *vma, __u64 *ino)
{
	struct file *f = vma->vm_file;
	if (f)
		*ino = BPF_CORE_READ(f, f_inode, i_ino);
	return 0;
}

static __always_inline __u16 sysv_kind(__u8 class, __u16 dir)
{
	switch (class) {
	case CALL_IPC_CTL: return dir;
	case CALL_SHMAT: return KIND_SHM;
	case CALL_SEMOP: return KIND_SEM;
	default: return KIND_MSG;
	}
}

static __always_inline void semop_enter(struct thread *s, __u64 sops, __u64 timeout)
{
	struct sembuf op = {};
	bpf_probe_read_user(&op, sizeof(op), (void *)sops);
	s->mtype = op.sem_op;
	if (op.sem_flg & IPC_NOWAIT)
		s->flags |= IO_NONBLOCK;
	struct timespec64 ts = {};
	if (timeout && !bpf_probe_read_user(&ts, sizeof(ts), (void *)timeout))
		s->deadline_ns = s->enter_ns + (__u64)ts.tv_sec * 1000000000ULL + (__u64)ts.tv_nsec;
}

static __always_inline void msg_enter(struct thread *s, const struct pt_regs *r, __u8 class)
{
	__u64 flags = class == CALL_MSGSND ? r->r10 : r->r8;
	s->arg = r->si;
	if (flags & IPC_NOWAIT)
		s->flags |= IO_NONBLOCK;
	if (class == CALL_MSGRCV) {
		if (flags & MSG_COPY)
			s->flags |= IO_PEEK;
		if (flags & MSG_NOERROR)
			s->flags |= IO_TRUNC;
		return;
	}
	s->bytes = r->dx;
	bpf_probe_read_user(&s->mtype, sizeof(s->mtype), (void *)r->si);
}

/* The get calls name no object yet: theirs is described at exit. */
APART void sysv_enter(struct task_struct *t, struct thread *s,
				       const struct pt_regs *r, const struct call *c)
{
	__s32 id = (__s32)r->di;
	s->fd = -1;
	if (c->class == CALL_IPC_GET)
		return;
	if (c->class == CALL_SHMDT) {
		__u64 ino = ~0ULL;
		s->arg = r->di;
		if (!bpf_find_vma(t, r->di, shmdt_vma, &ino, 0) && ino != ~0ULL)
			s->obj = ipc_describe(t, KIND_SHM, (__s32)ino, 0, s->enter_ns);
		return;
	}
	s->obj = ipc_describe(t, sysv_kind(c->class, c->dir), id, 0, s->enter_ns);
	if (c->class == CALL_IPC_CTL)
		s->mtype = (__s32)call_arg(r, c->arg);
	else if (c->class == CALL_SHMAT)
		s->arg = r->dx;
	else if (c->class == CALL_SEMOP)
		semop_enter(s, r->si, c->arg ? r->r10 : 0);
	else
		msg_enter(s, r, c->class);
}

static __always_inline bool ipc_ok(__s64 ret) { return !(ret < 0 && ret >= -4095); }

APART void sysv_exit(struct task_struct *t, struct thread *s,
				      const struct call *c, struct done *d)
{
	bool ok = ipc_ok(d->ret);
	d->fd = -1;
	if (c->class == CALL_IPC_GET && ok) {
		d->obj = ipc_describe(t, c->dir, (__s32)d->ret, 0, d->now);
	} else if (c->class == CALL_IPC_CTL && c->dir == KIND_MSG && s->mtype == IPC_SET && ok) {
		ipc_describe(t, KIND_MSG, (__s32)d->obj, RAW_ROOM, d->now);
	} else if (c->class == CALL_MSGSND && ok) {
		d->bytes = s->bytes;
		d->messages = 1;
	} else if (c->class == CALL_MSGRCV && ok) {
		d->bytes = (__u64)d->ret;
		d->messages = 1;
		bpf_probe_read_user(&s->mtype, sizeof(s->mtype), (void *)s->arg);
	}
	emit_io(s, d);
}

#endif
