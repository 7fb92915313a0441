// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Processes and threads. A pid or tid names its latest bearer; the earlier ones stay in the lists.
 * What was never announced gets a placeholder, with an empty comm and start_ns 0, which a later
 * announcement fills in.
 */
#include "world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct proc *proc_of(const struct task *t) { return (struct proc *)t->pub.proc; }

static struct proc *proc_new(struct model *m, uint32_t pid, uint64_t t_ns)
{
	struct proc *p = calloc(1, sizeof(*p)), *replaced = NULL;
	if (!p)
		return NULL;
	p->pub.pid = pid;
	p->pub.first_ns = t_ns;
	p->task_tail = &p->pub.tasks;
	HASH_FIND(hh, m->by_pid, &pid, sizeof(pid), replaced);
	if (replaced)
		HASH_DELETE(hh, m->by_pid, replaced);
	HASH_ADD(hh, m->by_pid, pub.pid, sizeof(pid), p);
	if (!p->hh.tbl) {
		free(p);
		return NULL;
	}
	*m->proc_tail = &p->pub;
	m->proc_tail = &p->pub.next;
	return p;
}

static struct task *task_new(struct model *m, struct proc *p, uint32_t tid)
{
	struct task *t = calloc(1, sizeof(*t)), *replaced = NULL;
	if (!t)
		return NULL;
	t->pub.tid = tid;
	t->pub.proc = &p->pub;
	HASH_FIND(hh, m->by_tid, &tid, sizeof(tid), replaced);
	if (replaced)
		HASH_DELETE(hh, m->by_tid, replaced);
	HASH_ADD(hh, m->by_tid, pub.tid, sizeof(tid), t);
	if (!t->hh.tbl) {
		free(t);
		return NULL;
	}
	*p->task_tail = &t->pub;
	p->task_tail = &t->pub.sibling;
	if (p->pub.exited) { /* a last word of a process known to be gone */
		t->pub.exited = true;
		t->pub.exit_ns = p->pub.exit_ns;
		ended_note(m, ENDED_TASK, &t->end_seq);
	} else {
		p->pub.nthreads++;
	}
	m->task_cache[tid % TASK_CACHE] = t;
	return t;
}

static void task_end(struct model *m, struct task *t, uint64_t t_ns)
{
	if (t->pub.exited)
		return;
	wait_end(m, t);
	t->pub.exited = true;
	t->pub.exit_ns = t_ns;
	t->pub.proc->nthreads--;
	ended_note(m, ENDED_TASK, &t->end_seq);
}

static void proc_end(struct model *m, struct proc *p, uint64_t t_ns)
{
	if (p->pub.exited)
		return;
	for (struct m_task *t = p->pub.tasks; t; t = t->sibling)
		task_end(m, (struct task *)t, t_ns);
	endpoints_close_all(m, p, t_ns);
	p->pub.exited = true;
	p->pub.exit_ns = t_ns;
	ended_note(m, ENDED_PROC, &p->end_seq);
}

struct proc *proc_find(const struct model *m, uint32_t pid)
{
	struct proc *p = NULL;
	HASH_FIND(hh, m->by_pid, &pid, sizeof(pid), p);
	return p;
}

struct task *task_find(const struct model *m, uint32_t tid)
{
	struct task *t = m->task_cache[tid % TASK_CACHE];
	if (t && t->pub.tid == tid)
		return t;
	HASH_FIND(hh, m->by_tid, &tid, sizeof(tid), t);
	return t;
}

/* A bearer that had exited before t_ns is not the one meant: its number was given out again. */
struct proc *proc_get(struct model *m, uint32_t pid, uint64_t t_ns)
{
	struct proc *p = proc_find(m, pid);
	return p && !(p->pub.exited && p->pub.exit_ns < t_ns) ? p : proc_new(m, pid, t_ns);
}

struct task *task_get(struct model *m, uint32_t pid, uint32_t tid, uint64_t t_ns)
{
	struct task *t = task_find(m, tid);
	if (t && t->pub.proc->pid == pid && !(t->pub.exited && t->pub.exit_ns < t_ns)) {
		m->task_cache[tid % TASK_CACHE] = t;
		return t;
	}
	if (t && t->pub.proc->pid != pid)
		task_end(m, t, t_ns); /* its end was not seen */
	struct proc *p = proc_get(m, pid, t_ns);
	return p ? task_new(m, p, tid) : NULL;
}

/*
 * Whether *ev speaks of *t, a bearer of its tid, or of a later bearer. Start times decide where
 * both are known; else a fork makes a new task, unless a placeholder stands there that waits for
 * just this announcement, and to be seen is to be alive.
 */
static bool is_same(const struct task *t, const struct ev_task *ev)
{
	if (t->pub.proc->pid != ev->pid)
		return false;
	if (t->pub.start_ns && ev->start_ns)
		return t->pub.start_ns == ev->start_ns;
	if (ev->what == TASK_FORK)
		return !t->announced && !t->pub.exited;
	return ev->what != TASK_SEEN || !t->pub.exited;
}

/* The thread that *ev announces; an earlier bearer of its number is retired. */
static struct task *announced(struct model *m, const struct ev_task *ev)
{
	struct task *t = task_find(m, ev->tid);
	if (t && is_same(t, ev))
		return t;
	if (t)
		task_end(m, t, ev->hdr.t_ns);
	struct proc *p = proc_find(m, ev->pid);
	if (p && ev->pid == ev->tid && t && t->pub.proc == &p->pub) {
		proc_end(m, p, ev->hdr.t_ns);
		p = NULL;
	}
	if (!p || p->pub.exited)
		p = proc_new(m, ev->pid, ev->hdr.t_ns);
	return p ? task_new(m, p, ev->tid) : NULL;
}

static void copy_text(char *to, size_t size, const char *from)
{
	if (from[0]) {
		memcpy(to, from, size);
		to[size - 1] = '\0';
	}
}

/* A forked process runs its parent's program until it says otherwise. */
static void inherit(struct model *m, struct proc *p)
{
	const struct proc *parent = proc_find(m, p->pub.ppid);
	if (!parent || parent == p)
		return;
	if (!p->pub.exe[0]) {
		memcpy(p->pub.exe, parent->pub.exe, sizeof(p->pub.exe));
		memcpy(p->pub.args, parent->pub.args, sizeof(p->pub.args));
	}
	if (!p->pub.cgroup[0])
		memcpy(p->pub.cgroup, parent->pub.cgroup, sizeof(p->pub.cgroup));
}

static void describe(struct model *m, struct task *t, const struct ev_task *ev)
{
	struct proc *p = proc_of(t);
	bool leader = ev->pid == ev->tid;
	t->announced |= ev->what == TASK_SEEN || ev->what == TASK_FORK;
	copy_text(t->pub.comm, sizeof(t->pub.comm), ev->comm);
	if (ev->start_ns)
		t->pub.start_ns = ev->start_ns;
	if (leader && ev->start_ns)
		p->pub.start_ns = ev->start_ns;
	bool outside = ev->hdr.flags & TASK_F_OUTSIDE;
	if (ev->what == TASK_SEEN && p->pub.outside != outside) {
		p->pub.outside = outside;
		endpoints_resurvey(p);
	}
	if (leader || !p->pub.comm[0])
		copy_text(p->pub.comm, sizeof(p->pub.comm), ev->comm);
	if (ev->what == TASK_SEEN || (ev->what == TASK_FORK && leader)) {
		if (ev->ppid)
			p->pub.ppid = ev->ppid;
	}
	if (ev->what == TASK_SEEN || ev->what == TASK_EXEC) {
		copy_text(p->pub.exe, sizeof(p->pub.exe), ev->exe);
		copy_text(p->pub.args, sizeof(p->pub.args), ev->args);
	}
	copy_text(p->pub.cgroup, sizeof(p->pub.cgroup), ev->cgroup_path);
	if (ev->what == TASK_FORK && leader)
		inherit(m, p);
}

/* Only the caller survives execve(2), as the leader; what it holds is announced anew. */
static void exec(struct model *m, struct task *t, const struct ev_task *ev)
{
	struct proc *p = proc_of(t);
	for (struct m_task *other = p->pub.tasks; other; other = other->sibling)
		if (other != &t->pub)
			task_end(m, (struct task *)other, ev->hdr.t_ns);
	if (t->pub.exited &&
	    !p->pub.exited) { /* another thread called it and took the leader's place */
		t->pub.exited = false;
		t->pub.exit_ns = 0;
		p->pub.nthreads++;
		ended_undo(m, ENDED_TASK, &t->end_seq);
	}
	endpoints_close_all(m, p, ev->hdr.t_ns);
	p->exec_ns = ev->hdr.t_ns;
}

static void task_exit(struct model *m, struct task *t, const struct ev_task *ev)
{
	struct proc *p = proc_of(t);
	task_end(m, t, ev->hdr.t_ns);
	if (ev->hdr.flags & TASK_F_LAST) {
		proc_end(m, p, ev->hdr.t_ns);
		p->pub.exit_code = ev->exit_code;
	}
}

int tasks_apply(struct model *m, const struct ev_task *ev)
{
	if (ev->what < TASK_SEEN || ev->what > TASK_EXIT)
		return -EINVAL;
	struct task *t = announced(m, ev);
	if (!t)
		return -ENOMEM;
	describe(m, t, ev);
	if (ev->what == TASK_EXEC)
		exec(m, t, ev);
	else if (ev->what == TASK_EXIT)
		task_exit(m, t, ev);
	return 0;
}

/* ---- sums, and what went into them ---- */

struct task *task_add(struct proc *p)
{
	struct task *t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	t->pub.proc = &p->pub;
	t->pub.exited = true;
	*p->task_tail = &t->pub;
	p->task_tail = &t->pub.sibling;
	return t;
}

struct proc *proc_add(struct model *m)
{
	struct proc *p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->pub.exited = true;
	p->task_tail = &p->pub.tasks;
	*m->proc_tail = &p->pub;
	m->proc_tail = &p->pub.next;
	return p;
}

void task_drop(struct model *m, struct task *t)
{
	if (m->task_cache[t->pub.tid % TASK_CACHE] == t)
		m->task_cache[t->pub.tid % TASK_CACHE] = NULL;
	if (t == task_find(m, t->pub.tid)) /* else its number has another bearer, or it is a sum */
		HASH_DELETE(hh, m->by_tid, t);
	free(t);
}

void proc_drop(struct model *m, struct proc *p)
{
	for (struct m_task *t = p->pub.tasks, *next; t; t = next) {
		next = t->sibling;
		task_drop(m, (struct task *)t);
	}
	if (p == proc_find(m, p->pub.pid))
		HASH_DELETE(hh, m->by_pid, p);
	endpoints_free(p);
	free(p);
}

void tasks_free(struct model *m)
{
	HASH_CLEAR(hh, m->by_tid);
	HASH_CLEAR(hh, m->by_pid);
	for (struct m_proc *p = m->procs, *next; p; p = next) {
		next = p->next;
		for (struct m_task *t = p->tasks, *sibling; t; t = sibling) {
			sibling = t->sibling;
			free(t);
		}
		endpoints_free((struct proc *)p);
		free(p);
	}
}

const struct m_proc *model_proc(const struct model *m, uint32_t pid)
{
	return (const struct m_proc *)proc_find(m, pid);
}

const struct m_task *model_task(const struct model *m, uint32_t tid)
{
	return (const struct m_task *)task_find(m, tid);
}
