// SPDX-License-Identifier: GPL-2.0-or-later
/* Processes and threads of a keyframe, and which ends they hold. */
#include "keyframe_code.h"

KEYFRAME_REF(endpoint, endpoints, nendpoints)

static void code_count_of(struct codec *c, struct m_count *n)
{
	CODE(c, n->ops);
	CODE(c, n->errors);
	CODE(c, n->blocked);
	CODE(c, n->slept_ns);
	CODE(c, n->msgs_in);
	CODE(c, n->bytes_in);
	CODE(c, n->msgs_out);
	CODE(c, n->bytes_out);
}

/* What is over can be folded, and then nothing may point at it: an enemy's could be both. */
static void check_task(struct keyframe *k, const struct task *t, bool is_sum)
{
	const struct m_proc *p = t->pub.proc;
	if ((t->end_seq || is_sum || p->exited) && !t->pub.exited)
		codec_bad(&k->codec);
	if (is_sum && t->end_seq)
		codec_bad(&k->codec);
}

static void index_task(struct keyframe *k, struct task *t)
{
	if (task_find(k->m, t->pub.tid)) {
		codec_bad(&k->codec);
		return;
	}
	HASH_ADD(hh, k->m->by_tid, pub.tid, sizeof(t->pub.tid), t);
	if (!t->hh.tbl)
		k->codec.err = -ENOMEM;
	k->m->task_cache[t->pub.tid % TASK_CACHE] = t;
}

static void code_task(struct keyframe *k, struct proc *p, struct task *t)
{
	struct codec *c = &k->codec;
	codec_at(c, LANE_TASK);
	bool is_sum = p->folded == t, is_latest = !c->loading && task_find(k->m, t->pub.tid) == t;
	CODE(c, is_sum);
	CODE(c, is_latest);
	CODE(c, t->pub.folded);
	CODE_NEAR(c, t->pub.tid);
	CODE(c, t->pub.exited);
	CODE_NEAR(c, t->pub.start_ns);
	CODE_NEAR(c, t->pub.exit_ns);
	code_text(c, t->pub.comm, sizeof(t->pub.comm));
	CODE_NEAR(c, t->end_seq);
	CODE(c, t->announced);
	if (!c->loading)
		return;
	if (is_sum) {
		if (p->folded)
			codec_bad(c);
		p->folded = t;
	}
	check_task(k, t, is_sum);
	if (is_latest && !c->err)
		index_task(k, t);
	p->pub.nthreads += !t->pub.exited;
	k->m->kept[ENDED_TASK] += t->end_seq != 0;
}

static struct task *new_task(struct keyframe *k, struct proc *p)
{
	struct task *t = k->tasks_made < k->ntasks ? keyframe_alloc(k, sizeof(*t)) : NULL;
	if (!t) {
		codec_bad(&k->codec);
		return NULL;
	}
	t->pub.proc = &p->pub;
	*p->task_tail = &t->pub;
	p->task_tail = &t->pub.sibling;
	k->tasks[k->tasks_made++] = t;
	return t;
}

static void code_tasks(struct keyframe *k, struct proc *p)
{
	uint64_t n = 0;
	if (!k->codec.loading)
		for (const struct m_task *t = p->pub.tasks; t; t = t->sibling)
			n++;
	code_count(&k->codec, &n);
	struct m_task *next = p->pub.tasks;
	for (uint64_t i = 0; i < n && !k->codec.err; i++) {
		struct task *t = k->codec.loading ? new_task(k, p) : (struct task *)next;
		if (!t)
			return;
		code_task(k, p, t);
		next = t->pub.sibling;
	}
}

static void index_proc(struct keyframe *k, struct proc *p)
{
	if (proc_find(k->m, p->pub.pid)) {
		codec_bad(&k->codec);
		return;
	}
	HASH_ADD(hh, k->m->by_pid, pub.pid, sizeof(p->pub.pid), p);
	if (!p->hh.tbl)
		k->codec.err = -ENOMEM;
}

static void code_proc(struct keyframe *k, struct proc *p)
{
	struct codec *c = &k->codec;
	codec_at(c, LANE_PROC);
	bool is_sum = !c->loading && k->m->folded_proc == p;
	bool is_latest = !c->loading && proc_find(k->m, p->pub.pid) == p;
	CODE(c, is_sum);
	CODE(c, is_latest);
	CODE(c, p->pub.folded);
	CODE_NEAR(c, p->pub.pid);
	CODE_NEAR(c, p->pub.ppid);
	CODE(c, p->pub.exited);
	CODE(c, p->pub.outside);
	CODE_SIGNED(c, p->pub.exit_code);
	CODE_NEAR(c, p->pub.start_ns);
	CODE_NEAR(c, p->pub.first_ns);
	CODE_NEAR(c, p->pub.exit_ns);
	code_text(c, p->pub.comm, sizeof(p->pub.comm));
	code_text(c, p->pub.exe, sizeof(p->pub.exe));
	code_text(c, p->pub.args, sizeof(p->pub.args));
	code_text(c, p->pub.cgroup, sizeof(p->pub.cgroup));
	code_count_of(c, &p->pub.count);
	CODE_NEAR(c, p->end_seq);
	CODE_NEAR(c, p->exec_ns);
	if (c->loading) {
		if ((is_sum && (k->m->folded_proc || p->end_seq)) ||
		    ((is_sum || p->end_seq) && !p->pub.exited))
			codec_bad(c);
		if (is_sum)
			k->m->folded_proc = p;
		if (is_latest && !c->err)
			index_proc(k, p);
		k->m->kept[ENDED_PROC] += p->end_seq != 0;
	}
	code_tasks(k, p);
}

void keyframe_code_procs(struct keyframe *k)
{
	struct m_proc *next = k->m->procs;
	for (uint64_t i = 0; i < k->nprocs && !k->codec.err; i++) {
		struct proc *p = (struct proc *)next;
		if (k->codec.loading) {
			p = keyframe_alloc(k, sizeof(*p));
			if (!p)
				return;
			p->task_tail = &p->pub.tasks;
			*k->m->proc_tail = &p->pub;
			k->m->proc_tail = &p->pub.next;
			k->procs[i] = p;
		}
		code_proc(k, p);
		next = p->pub.next;
	}
}

/* ---- what a process holds ---- */

/* The high descriptors are closed in the order of their table when a process ends. */
static void code_high_fds(struct keyframe *k, struct proc *p)
{
	uint64_t n = HASH_COUNT(p->high_fds);
	codec_at(&k->codec, LANE_HELD);
	code_count(&k->codec, &n);
	struct endpoint *e = p->high_fds;
	for (uint64_t i = 0; i < n && !k->codec.err; i++) {
		codec_at(&k->codec, LANE_HELD + 1);
		code_endpoint_ref(k, &e);
		if (!k->codec.loading) {
			e = e->hh.next;
			continue;
		}
		if (!e || e->pub.proc != &p->pub || e->pub.fd < FDS_DENSE ||
		    endpoint_slot(p, e->pub.fd)) {
			codec_bad(&k->codec);
			return;
		}
		if (endpoint_set_slot(p, e->pub.fd, e) < 0)
			k->codec.err = -ENOMEM;
	}
}

/* Open ones alone, each once: what is closed may go, and a list that bites its tail has no end. */
static bool can_attach(const struct proc *p, const struct endpoint *e)
{
	if (!e || e->pub.proc != &p->pub || e->pub.fd >= 0 || !e->pub.open)
		return false;
	return !e->attached_next && e->number == 0;
}

static void code_attached(struct keyframe *k, struct proc *p)
{
	uint64_t n = 0;
	if (!k->codec.loading)
		for (const struct endpoint *e = p->attached; e; e = e->attached_next)
			n++;
	codec_at(&k->codec, LANE_HELD);
	code_count(&k->codec, &n);
	struct endpoint **link = &p->attached;
	for (uint64_t i = 0; i < n && !k->codec.err; i++) {
		struct endpoint *e = k->codec.loading ? NULL : *link;
		codec_at(&k->codec, LANE_HELD + 1);
		code_endpoint_ref(k, &e);
		if (k->codec.loading && !can_attach(p, e)) {
			codec_bad(&k->codec);
			return;
		}
		if (k->codec.loading) {
			e->number = 1; /* taken */
			*link = e;
		}
		link = &e->attached_next;
	}
}

/* What is open is closed when its process ends, so the process must know of it. */
static void check_held(struct keyframe *k)
{
	for (uint64_t i = 0; i < k->endpoints_made; i++) {
		const struct endpoint *e = k->endpoints[i];
		bool is_known = e->pub.fd < 0
				    ? e->number != 0
				    : endpoint_slot((struct proc *)e->pub.proc, e->pub.fd) == e;
		if (e->pub.open && !is_known)
			codec_bad(&k->codec);
	}
}

void keyframe_code_held(struct keyframe *k)
{
	for (struct m_proc *p = k->m->procs; p && !k->codec.err; p = p->next) {
		code_high_fds(k, (struct proc *)p);
		code_attached(k, (struct proc *)p);
	}
	if (!k->codec.err)
		check_held(k);
}
