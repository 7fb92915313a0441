/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which threads are traced, and their lives: fork, exec, rename, exit, entering a cgroup. */
#ifndef IPCTAP_BPF_SCOPE_H
#define IPCTAP_BPF_SCOPE_H

#include "emit.bpf.h"
#include "mech_map.bpf.h"

static __always_inline bool scope_has_comm(const char *comm)
{
	for (__u32 i = 0; i < SCOPE_MAX && i < scope_ncomms; i++) {
		bool same = true;
		for (int j = 0; j < EV_COMM_LEN && same; j++) {
			same = comm[j] == scope_comms[i][j];
			if (!comm[j])
				break;
		}
		if (same)
			return true;
	}
	return false;
}

static __always_inline bool scope_has_cgroup(struct cgroup *cgrp)
{
	if (!cgrp)
		return false;
	__u32 level = (__u32)BPF_CORE_READ(cgrp, level);
	for (__u32 i = 0; i < SCOPE_MAX && i < scope_ncgroups; i++) {
		struct cgroup *above = NULL;
		__u32 want = scope_cgroup_levels[i];
		if (want > level)
			continue;
		bpf_probe_read_kernel(&above, sizeof(above),
				      (void *)cgrp + bpf_core_field_offset(struct cgroup, ancestors) +
					      (__u64)want * sizeof(above));
		if (above && BPF_CORE_READ(above, kn, id) == scope_cgroup_ids[i])
			return true;
	}
	return false;
}

/* Is *t to be traced for its own sake, whoever its parent is? */
static __always_inline bool scope_wants(struct task_struct *t, const char *comm)
{
	__u32 tgid = BPF_CORE_READ(t, tgid);
	if (tgid == self_tgid || (BPF_CORE_READ(t, flags) & PF_KTHREAD))
		return false;
	if (scope_all || bpf_map_lookup_elem(&scope_pids, &tgid))
		return true;
	if (scope_ncomms && scope_has_comm(comm))
		return true;
	return scope_ncgroups && scope_has_cgroup(BPF_CORE_READ(t, cgroups, dfl_cgrp));
}

/* ---- telling of tasks ---- */

/* The pids of processes in a pid namespace below the initial one, by what their parents call them. */
struct ns_pid {
	__u32 ns, nr;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct ns_pid);
	__type(value, __u32);
} ns_pids SEC(".maps");

static __always_inline __u32 pidns_inum(struct task_struct *t)
{
	struct pid *pid = BPF_CORE_READ(t, thread_pid);
	if (!pid)
		return 0;
	struct pid_namespace *ns = NULL;
	__u32 level = BPF_CORE_READ(pid, level);
	bpf_probe_read_kernel(&ns, sizeof(ns),
			      (void *)pid + bpf_core_field_offset(struct pid, numbers) +
				      (__u64)level * bpf_core_type_size(struct upid) +
				      bpf_core_field_offset(struct upid, ns));
	return ns ? BPF_CORE_READ(ns, ns.inum) : 0;
}

/* Reserves and fills all but exe and args; NULL and counted when the ring is full. */
static __always_inline struct ev_task *task_record(struct task_struct *t, __u16 what, __u32 flags,
						   __u64 now)
{
	struct ev_task *e = ring_control(sizeof(*e), EV_TASK, flags, now);
	if (!e)
		return NULL;
	__builtin_memset((void *)e + sizeof(e->hdr), 0, sizeof(*e) - sizeof(e->hdr));
	e->start_ns = BPF_CORE_READ(t, start_time);
	e->cgroup = BPF_CORE_READ(t, cgroups, dfl_cgrp, kn, id);
	e->pid = BPF_CORE_READ(t, tgid);
	e->tid = BPF_CORE_READ(t, pid);
	e->ppid = BPF_CORE_READ(t, real_parent, tgid);
	e->pidns = pidns_inum(t);
	e->what = what;
	BPF_CORE_READ_STR_INTO(&e->comm, t, comm);
	return e;
}

static __always_inline void task_emit(struct task_struct *t, __u16 what, __u32 flags, __u64 now)
{
	struct ev_task *e = task_record(t, what, flags, now);
	if (e)
		ring_submit(e);
}

/* Takes *t into scope. Returns its state, or NULL: it already was, or there was no memory. */
static __always_inline struct thread *scope_take(struct task_struct *t)
{
	if (thread_of(t))
		return NULL;
	struct thread *s =
		bpf_task_storage_get(&threads, t, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!s) {
		/*
		 * Refused: out of memory, or this CPU was in the middle of another creation when the
		 * thread that did it lost it to us. The collector takes such processes in when it
		 * sees the count rise.
		 */
		__u32 tgid = BPF_CORE_READ(t, tgid);
		__u8 one = 1;
		bpf_map_update_elem(&scope_pids, &tgid, &one, BPF_ANY);
		count(RAW_COUNT_NO_STORAGE);
	}
	return s;
}

/* *t, a process, comes into scope while it runs. */
static __always_inline void scope_join(struct task_struct *t)
{
	if (!scope_take(t))
		return;
	__u64 now = bpf_ktime_get_ns();
	task_emit(t, TASK_SEEN, 0, now);
	fd_walk(t, ENDPOINT_SEEN, now);
}

/* Whom a vfork of *parent waits for. */
static __always_inline void vfork_note(struct task_struct *parent, struct task_struct *child)
{
	struct thread *p = thread_of(parent);
	if (p && p->op >= OP_VFORK && p->op <= OP_CLONE3)
		p->obj = RAW_OBJ_CHILD(child->tgid);
}

static __always_inline void ns_pid_note(struct task_struct *parent, struct task_struct *child)
{
	__u32 level = BPF_CORE_READ(parent, thread_pid, level);
	struct pid *pid = BPF_CORE_READ(child, thread_pid);
	if (!level || !pid)
		return;
	struct upid *at = (void *)pid + bpf_core_field_offset(struct pid, numbers) +
			  (__u64)level * bpf_core_type_size(struct upid);
	struct ns_pid key = { .ns = BPF_CORE_READ(at, ns, ns.inum), .nr = (__u32)BPF_CORE_READ(at, nr) };
	__u32 tgid = (__u32)child->tgid;
	bpf_map_update_elem(&ns_pids, &key, &tgid, BPF_ANY);
}

/* ---- hooks ---- */

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	bool thread = parent->tgid == child->tgid;
	if (!(thread_of(parent) && (thread || scope_follow)) &&
	    !(scope_ncgroups && (__u32)parent->tgid != self_tgid && scope_wants(child, child->comm)))
		return 0;
	if (!scope_take(child))
		return 0;
	__u64 now = bpf_ktime_get_ns();
	task_emit(child, TASK_FORK, 0, now);
	if (!thread) {
		mapper_fork(parent->tgid, child->tgid);
		vfork_note(parent, child);
		ns_pid_note(parent, child);
		fd_walk(child, ENDPOINT_INHERIT, now);
	}
	return 0;
}

static __always_inline void exec_args(struct ev_task *e, struct task_struct *t)
{
	__u64 start = BPF_CORE_READ(t, mm, arg_start), end = BPF_CORE_READ(t, mm, arg_end);
	__u64 len = end - start;
	if (len > sizeof(e->args) - 1)
		len = sizeof(e->args) - 1;
	/* argv lies there with a NUL after each; the collector makes blanks of them */
	bpf_probe_read_user(e->args, len & 255, (void *)start);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *t, int old_pid, struct linux_binprm *bprm)
{
	if (!thread_of(t)) {
		if ((scope_ncomms || scope_ncgroups) && scope_wants(t, t->comm))
			scope_join(t);
	}
	struct thread *s = thread_of(t);
	if (!s)
		return 0;
	s->in_exec = 0; /* its own rename is over */
	__u64 now = bpf_ktime_get_ns();
	mapper_drop(t->tgid);
	struct ev_task *e = task_record(t, TASK_EXEC, 0, now);
	if (e) {
		const char *path = bprm->filename;
		bpf_probe_read_kernel_str(e->exe, sizeof(e->exe), path);
		exec_args(e, t);
		ring_submit(e);
	}
	fd_walk(t, ENDPOINT_INHERIT, now);
	return 0;
}

SEC("tp_btf/task_rename")
int BPF_PROG(on_rename, struct task_struct *t, const char *comm)
{
	char name[EV_COMM_LEN] = {};
	bpf_probe_read_kernel_str(name, sizeof(name), comm);
	struct thread *s = thread_of(t);
	if (!s) {
		if (scope_ncomms && scope_wants(t, name))
			scope_join(t);
		s = thread_of(t);
	}
	if (!s || s->in_exec) /* on_exec tells that one */
		return 0;
	struct ev_task *e = task_record(t, TASK_RENAME, 0, bpf_ktime_get_ns());
	if (!e)
		return 0;
	__builtin_memcpy(e->comm, name, sizeof(name));
	ring_submit(e);
	return 0;
}

/* A thread killed inside a call never returns from it: the call ends here. */
static __always_inline void exit_in_call(struct task_struct *t, struct thread *s, __u64 now)
{
	if (!s->op || !s->obj)
		return;
	struct done d = {
		.obj = s->obj, .flags = s->flags | IO_KILLED, .fd = s->fd, .now = now,
		/* a process that kills itself has sent the signal all the same */
		.messages = s->op >= OP_KILL && s->op <= OP_PIDFD_SEND_SIGNAL ? s->bytes : 0,
	};
	emit_io(s, &d);
	s->op = OP_NONE;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *t)
{
	struct thread *s = thread_of(t);
	if (!s)
		return 0;
	__u64 now = bpf_ktime_get_ns();
	exit_in_call(t, s, now);
	bool last = BPF_CORE_READ(t, signal, live.counter) == 0;
	if (last)
		mapper_drop(t->tgid);
	struct ev_task *e = task_record(t, TASK_EXIT, last ? TASK_F_LAST : 0, now);
	if (!e)
		return 0;
	e->exit_code = BPF_CORE_READ(t, exit_code);
	ring_submit(e);
	return 0;
}

SEC("tp_btf/cgroup_attach_task")
int BPF_PROG(on_cgroup_attach, struct cgroup *to, const char *path, struct task_struct *t)
{
	if (scope_ncgroups && !thread_of(t) && scope_has_cgroup(to) && t->tgid != (int)self_tgid)
		scope_join(t);
	return 0;
}

#endif
