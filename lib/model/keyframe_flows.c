// SPDX-License-Identifier: GPL-2.0-or-later
/* Flows of a keyframe; sleeps, and the waits that are open. */
#include "keyframe_code.h"

KEYFRAME_REF(proc, procs, nprocs)
KEYFRAME_REF(task, tasks, ntasks)
KEYFRAME_REF(chan, chans, nchans)
KEYFRAME_REF(flow, flows, nflows)
KEYFRAME_REF(blocked, blocked, nblocked)

/* ---- flows ---- */

static void link_flow(struct keyframe *k, struct flow *f, struct flow ***tail)
{
	struct flow *same = NULL;
	f->all_pprev = *tail;
	**tail = f;
	*tail = &f->all_next;
	HASH_FIND(hh, k->m->by_flow, &f->key, sizeof(f->key), same);
	if (!f->key.chan || same) {
		codec_bad(&k->codec);
		return;
	}
	HASH_ADD(hh, k->m->by_flow, key, sizeof(f->key), f);
	if (!f->hh.tbl)
		k->codec.err = -ENOMEM;
}

static void code_flow(struct keyframe *k, struct flow *f)
{
	struct codec *c = &k->codec;
	struct proc *src = (struct proc *)f->pub.src, *dst = (struct proc *)f->pub.dst;
	struct chan *chan = (struct chan *)f->pub.chan;
	codec_at(c, LANE_FLOW);
	code_proc_ref(k, &src);
	code_proc_ref(k, &dst);
	code_chan_ref(k, &chan);
	if (c->loading) {
		f->key = (struct flow_key){src, dst, chan};
		f->pub.src = (struct m_proc *)src;
		f->pub.dst = (struct m_proc *)dst;
		f->pub.chan = (struct m_chan *)chan;
	}
	CODE(c, f->pub.messages);
	CODE(c, f->pub.bytes);
	CODE_NEAR(c, f->pub.first_ns);
	CODE_NEAR(c, f->pub.last_ns);
	CODE(c, f->pub.approximate);
	keyframe_code_hist(c, &f->pub.latency, LANE_FLOW_LATENCY);
}

static void code_flows(struct keyframe *k)
{
	struct flow **tail = &k->m->all_flows, *f = k->m->all_flows;
	for (uint64_t i = 0; i < k->nflows && !k->codec.err; i++) {
		if (k->codec.loading)
			f = k->flows[i] = keyframe_alloc(k, sizeof(*f));
		if (!f)
			return;
		code_flow(k, f);
		if (k->codec.loading)
			link_flow(k, f, &tail);
		f = f->all_next;
	}
}

/* Those that are listed, which is another order. */
static void code_flow_list(struct keyframe *k)
{
	uint64_t n = 0;
	if (!k->codec.loading)
		for (const struct m_flow *f = k->m->flows; f; f = f->next)
			n++;
	codec_at(&k->codec, LANE_LISTED);
	code_count(&k->codec, &n);
	struct m_flow *next = k->m->flows;
	for (uint64_t i = 0; i < n && !k->codec.err; i++) {
		struct flow *f = (struct flow *)next;
		codec_at(&k->codec, LANE_LISTED);
		code_flow_ref(k, &f);
		if (!k->codec.loading) {
			next = next->next;
			continue;
		}
		if (!f || f->pprev) {
			codec_bad(&k->codec);
			return;
		}
		LIST_ADD(k->m->flow_tail, f, next);
	}
}

void keyframe_code_flows(struct keyframe *k)
{
	code_flows(k);
	code_flow_list(k);
}

/* ---- sleeps ---- */

static void link_blocked(struct keyframe *k, struct blocked *b, struct blocked ***tail)
{
	struct blocked *same = NULL;
	b->all_pprev = *tail;
	**tail = b;
	*tail = &b->all_next;
	HASH_FIND(hh, k->m->by_blocked, &b->key, sizeof(b->key), same);
	if (!b->key.task || b->pub.op >= OP_MAX || same) {
		codec_bad(&k->codec);
		return;
	}
	HASH_ADD(hh, k->m->by_blocked, key, sizeof(b->key), b);
	if (!b->hh.tbl)
		k->codec.err = -ENOMEM;
}

/* Whether it lasts still is the waits' to say. */
static void code_blocked_row(struct keyframe *k, struct blocked *b)
{
	struct codec *c = &k->codec;
	struct task *task = (struct task *)b->pub.task;
	struct chan *chan = (struct chan *)b->pub.chan;
	codec_at(c, LANE_BLOCKED);
	code_task_ref(k, &task);
	code_chan_ref(k, &chan);
	CODE(c, b->pub.op);
	if (c->loading) {
		b->key = (struct blocked_key){task, chan, b->pub.op};
		b->pub.task = (struct m_task *)task;
		b->pub.chan = (struct m_chan *)chan;
	}
	CODE(c, b->pub.total_slept_ns);
	CODE(c, b->pub.longest_ns);
	CODE(c, b->pub.times);
}

static void code_blocked(struct keyframe *k)
{
	struct blocked **tail = &k->m->all_blocked, *b = k->m->all_blocked;
	for (uint64_t i = 0; i < k->nblocked && !k->codec.err; i++) {
		if (k->codec.loading)
			b = k->blocked[i] = keyframe_alloc(k, sizeof(*b));
		if (!b)
			return;
		code_blocked_row(k, b);
		if (k->codec.loading)
			link_blocked(k, b, &tail);
		b = b->all_next;
	}
}

static void code_blocked_list(struct keyframe *k)
{
	uint64_t n = 0;
	if (!k->codec.loading)
		for (const struct m_blocked *b = k->m->blocked; b; b = b->next)
			n++;
	codec_at(&k->codec, LANE_LISTED + 1);
	code_count(&k->codec, &n);
	struct m_blocked *next = k->m->blocked;
	for (uint64_t i = 0; i < n && !k->codec.err; i++) {
		struct blocked *b = (struct blocked *)next;
		codec_at(&k->codec, LANE_LISTED + 1);
		code_blocked_ref(k, &b);
		if (!k->codec.loading) {
			next = next->next;
			continue;
		}
		if (!b || b->pprev) {
			codec_bad(&k->codec);
			return;
		}
		LIST_ADD(k->m->blocked_tail, b, next);
	}
}

/* ---- waits ---- */

/* A thread has one at most, it lives, and its row is there. */
static void link_wait(struct keyframe *k, struct wait *w, struct task *t, struct chan *c)
{
	struct blocked_key key = {t, c, w->pub.op};
	struct blocked *b = NULL;
	HASH_FIND(hh, k->m->by_blocked, &key, sizeof(key), b);
	w->pub.task = (struct m_task *)t;
	w->pub.chan = (struct m_chan *)c;
	w->blocked = b;
	LIST_ADD(k->m->wait_tail, w, next);
	if (!t || !b || !b->pprev || t->pub.exited || t->pub.wait) {
		codec_bad(&k->codec);
		return;
	}
	struct m_wait **link = &t->pub.proc->waits;
	while (*link)
		link = &(*link)->proc_next;
	*link = &w->pub;
	t->pub.proc->nwaits++;
	t->pub.wait = &w->pub;
	b->pub.still = true;
	b->pub.still_since_ns = w->pub.since_ns;
}

static void code_wait(struct keyframe *k, struct wait *w)
{
	struct codec *c = &k->codec;
	struct task *task = (struct task *)w->pub.task;
	struct chan *chan = (struct chan *)w->pub.chan;
	codec_at(c, LANE_WAIT);
	code_task_ref(k, &task);
	code_chan_ref(k, &chan);
	CODE(c, w->pub.op);
	CODE_SIGNED(c, w->pub.fd);
	CODE_NEAR(c, w->pub.since_ns);
	CODE_NEAR(c, w->pub.deadline_ns);
	if (c->loading)
		link_wait(k, w, task, chan);
}

static void code_waits(struct keyframe *k)
{
	uint64_t n = 0;
	if (!k->codec.loading)
		for (const struct m_wait *w = k->m->waits; w; w = w->next)
			n++;
	codec_at(&k->codec, LANE_LISTED + 2);
	code_count(&k->codec, &n);
	struct wait *w = (struct wait *)k->m->waits;
	for (uint64_t i = 0; i < n && !k->codec.err; i++) {
		if (k->codec.loading)
			w = keyframe_alloc(k, sizeof(*w));
		if (!w)
			return;
		code_wait(k, w);
		w = (struct wait *)w->pub.next;
	}
}

void keyframe_code_sleeps(struct keyframe *k)
{
	code_blocked(k);
	code_blocked_list(k);
	code_waits(k);
}
