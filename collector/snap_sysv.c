// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * System V semaphores and message queues. Anyone may operate on them by number, so a newcomer can
 * always help; who else could is known exactly only where SEM_UNDO was used. Without it the kernel
 * keeps no account of who uses them: the last process that operated, and the relatives of the one
 * that waits, are a guess to explain with, and that there may be others keeps it from proving.
 */
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/syscall.h>

#include "snap_world.h"

#define SOPS_MAX 500 /* the kernel's own limit, SEMOPM */

/* ---- semaphores ---- */

static const struct snap_sem *sem_of(const struct snap_call *c, uint32_t num)
{
	uint64_t key = snap_mix(c->t->hdr.tid, num);
	for (uint32_t i = snap_first(&c->w->sem_obj, key); i != SNAP_NONE; i = snap_next(&c->w->sem_obj, i))
		if (c->w->sems[i]->hdr.tid == c->t->hdr.tid && c->w->sems[i]->num == num)
			return c->w->sems[i];
	return NULL;
}

static void add_process(struct snap_call *c, wg_ref gate, uint32_t pid, uint32_t weight)
{
	const struct snap_task *t = snap_task_of(c->w, pid);
	if (t && !(t->flags & SNAP_ZOMBIE))
		wg_add(c->w->g, gate, wg_process_ref(c->w->g, pid), weight);
}

/* One undo list: the tasks that share it, any of which may give its units back. */
static wg_ref undo_owners(struct snap_world *w, uint64_t undo)
{
	wg_ref gate = wg_any(w->g);
	uint32_t seen = 0;
	for (uint32_t k = snap_first(&w->task_undo, undo); k != SNAP_NONE;
	     k = snap_next(&w->task_undo, k)) {
		if (w->tasks[k]->pid != seen)
			wg_add(w->g, gate, wg_process_ref(w->g, w->tasks[k]->pid), 1);
		seen = w->tasks[k]->pid;
	}
	if (!seen)
		wg_add(w->g, gate, wg_outside(w->g, WG_HIDDEN, "units held by somebody who was not seen"), 1);
	return gate;
}

/*
 * Those whose exit, or whose own semop, would give units of semaphore `num` back (or, sign < 0, take
 * them), each with as many as it has. Returns how many they have together.
 */
static uint64_t add_undo_holders(struct snap_call *c, wg_ref gate, uint32_t num, int sign)
{
	struct snap_world *w = c->w;
	uint64_t units = 0;
	for (uint32_t i = snap_first(&w->undo_obj, c->t->hdr.tid); i != SNAP_NONE;
	     i = snap_next(&w->undo_obj, i)) {
		const struct snap_undo *u = w->undos[i];
		int adj = num < SNAP_UNDO_SEMS ? u->adj[num] * sign : 0;
		if (adj <= 0 || !u->undo)
			continue;
		units += (uint64_t)adj;
		wg_add(w->g, gate, undo_owners(w, u->undo), (uint32_t)adj);
	}
	return units;
}

/* Without an undo list to tell: who operated last, and relatives; and whoever else did before. */
static void add_guesses(struct snap_call *c, wg_ref gate, uint32_t last_pid, uint32_t weight,
			const char *what)
{
	wg_ref kin = snap_relatives(c->w, c->t);
	if (last_pid && last_pid != c->t->pid)
		add_process(c, gate, last_pid, weight);
	if (kin)
		wg_add(c->w->g, gate, kin, weight);
	wg_add(c->w->g, gate, wg_outside(c->w->g, WG_HIDDEN, what), weight);
}

/* Has this process units of the semaphore that an undo list would give back? */
static bool is_undo_holder(const struct snap_call *c, uint32_t num, uint32_t pid)
{
	struct snap_world *w = c->w;
	for (uint32_t i = snap_first(&w->undo_obj, c->t->hdr.tid); i != SNAP_NONE;
	     i = snap_next(&w->undo_obj, i)) {
		const struct snap_undo *u = w->undos[i];
		if (num >= SNAP_UNDO_SEMS || u->adj[num] <= 0 || !u->undo)
			continue;
		for (uint32_t k = snap_first(&w->task_undo, u->undo); k != SNAP_NONE;
		     k = snap_next(&w->task_undo, k))
			if (w->tasks[k]->pid == pid)
				return true;
	}
	return false;
}

/* One operation that cannot proceed: `need` more units, or, need 0, down to zero. */
static wg_ref sem_condition(struct snap_call *c, const struct snap_sem *s, uint32_t need)
{
	struct snap_world *w = c->w;
	uint32_t all = need ? need : 1;
	wg_ref gate = wg_at_least(w->g, all);
	uint64_t units = add_undo_holders(c, gate, s->num, need ? 1 : -1);
	if (s->num >= SNAP_UNDO_SEMS)
		wg_add(w->g, gate, snap_unknown(w, "who holds a semaphore of so high a number"), all);
	if (units < all || !need)
		add_guesses(c, gate, s->last_pid, all,
			    "the kernel does not know who uses a set without SEM_UNDO");
	else if (s->last_pid && s->last_pid != c->t->pid && !is_undo_holder(c, s->num, s->last_pid))
		add_process(c, gate, s->last_pid, all); /* no newcomer: it gave units without having any */
	if (snap_first(&w->cut_tid, c->t->hdr.tid) != SNAP_NONE)
		wg_add(w->g, gate, snap_unknown(w, "more undo lists than are looked at"), all);
	wg_add(w->g, gate, wg_outside(w->g, WG_NEW, "any process may operate on the set by its number"), all);
	return gate;
}

static void name_object(struct snap_call *c, uint64_t obj, const struct wg_chan *name)
{
	uint32_t chan = *snap_memo(c->w, MEMO_SEM_CHAN, obj);
	if (!chan) {
		chan = wg_chan(c->w->g, name);
		*snap_memo(c->w, MEMO_SEM_CHAN, obj) = chan;
	}
	c->th->chan = chan;
}

static void name_sem(struct snap_call *c, const struct snap_sem *s)
{
	struct wg_chan name = { .kind = KIND_SEM };
	snprintf(name.ident, sizeof(name.ident), "sem %d", s->id);
	if (s->key)
		snprintf(name.name, sizeof(name.name), "key 0x%08x", (unsigned int)s->key);
	name_object(c, s->obj, &name);
}

struct blocked_op {
	const struct snap_sem *sem;
	uint32_t need; /* units; 0: zero is waited for */
};

/* Which operations cannot proceed now, as the kernel would try them: in order. Returns how many. */
static unsigned int try_ops(struct snap_call *c, const struct sembuf *ops, uint64_t n,
			    struct blocked_op *blocked, bool *unknown)
{
	unsigned int count = 0;
	for (uint64_t i = 0; i < n; i++) {
		const struct snap_sem *s = sem_of(c, ops[i].sem_num);
		if (!s) {
			*unknown = true;
			continue;
		}
		int64_t val = s->val;
		for (uint64_t k = 0; k < i; k++) /* what the operations before it would have done */
			if (ops[k].sem_num == ops[i].sem_num)
				val += ops[k].sem_op;
		if (ops[i].sem_op < 0 && val + ops[i].sem_op < 0)
			blocked[count++] = (struct blocked_op){ s, (uint32_t)-(val + ops[i].sem_op) };
		else if (!ops[i].sem_op && val)
			blocked[count++] = (struct blocked_op){ s, 0 };
	}
	return count;
}

static void wait_semop(struct snap_call *c)
{
	struct sembuf ops[SOPS_MAX];
	struct blocked_op blocked[SOPS_MAX];
	uint64_t n = c->t->args[2];
	bool unknown = false;
	c->th->wait = WG_SEM;
	snprintf(c->th->call, sizeof(c->th->call), "semop(%d)", (int)c->t->args[0]);
	if (!n || n > SOPS_MAX || !snap_mem_read(c->t->pid, c->t->args[1], ops, n * sizeof(ops[0]))) {
		c->th->condition = snap_unknown(c->w, "the operations of the call");
		return;
	}
	unsigned int count = try_ops(c, ops, n, blocked, &unknown);
	if (!count) {
		c->th->condition = snap_unknown(c->w, unknown ? "the state of the semaphores"
							      : "its operations could all proceed");
		return;
	}
	name_sem(c, blocked[0].sem);
	snprintf(c->th->detail, sizeof(c->th->detail),
		 blocked[0].need ? "#%u is %d" : "#%u is %d, and zero is waited for", blocked[0].sem->num,
		 blocked[0].sem->val);
	if (!blocked[0].need)
		c->th->wait = WG_SEM_ZERO;
	wg_ref all = wg_all(c->w->g);
	for (unsigned int i = 0; i < count; i++)
		wg_add(c->w->g, all, sem_condition(c, blocked[i].sem, blocked[i].need), 1);
	c->th->condition = all;
	if (unknown)
		c->th->condition = snap_or(c->w, all, snap_unknown(c->w, "the state of some semaphores"));
}

/* ---- message queues ---- */

static void name_msg(struct snap_call *c, const struct snap_msg *m)
{
	struct wg_chan name = { .kind = KIND_MSG };
	snprintf(name.ident, sizeof(name.ident), "msg %d", m->id);
	if (m->key)
		snprintf(name.name, sizeof(name.name), "key 0x%08x", (unsigned int)m->key);
	snprintf(name.detail, sizeof(name.detail), "%llu messages, %llu of %llu bytes",
		 (unsigned long long)m->messages, (unsigned long long)m->bytes,
		 (unsigned long long)m->max_bytes);
	name_object(c, m->obj, &name);
}

static void wait_msg(struct snap_call *c, bool sends)
{
	struct snap_world *w = c->w;
	uint32_t i = snap_first(&w->msg_obj, c->t->hdr.tid);
	c->th->wait = sends ? WG_MSG_SEND : WG_MSG_RECV;
	snprintf(c->th->call, sizeof(c->th->call), "%s(%d)", sends ? "msgsnd" : "msgrcv",
		 (int)c->t->args[0]);
	if (i == SNAP_NONE) {
		c->th->condition = snap_unknown(w, "the state of the queue");
		return;
	}
	const struct snap_msg *m = w->msgs[i];
	name_msg(c, m);
	c->th->quiet = !sends && !m->messages;
	if (!sends)
		snprintf(c->th->detail, sizeof(c->th->detail), "type %lld", (long long)c->t->args[3]);
	wg_ref gate = wg_any(w->g);
	add_guesses(c, gate, m->last_snd, 1, "the kernel does not know who uses a queue");
	if (m->last_rcv != m->last_snd && m->last_rcv != c->t->pid)
		add_process(c, gate, m->last_rcv, 1);
	wg_add(w->g, gate, wg_outside(w->g, WG_NEW, "any process may use the queue by its number"), 1);
	c->th->condition = gate;
}

bool snap_wait_sysv(struct snap_call *c)
{
	switch (c->t->nr) {
	case SYS_semop: wait_semop(c); return true;
	case SYS_semtimedop:
		wait_semop(c);
		snap_timeout(c, c->t->args[3], SNAP_TIMESPEC);
		return true;
	case SYS_msgsnd: wait_msg(c, true); return true;
	case SYS_msgrcv: wait_msg(c, false); return true;
	default: return false;
	}
}
