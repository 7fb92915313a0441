// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Saving and loading a model. The order: totals, processes with their threads, channels with their
 * ends, who holds what, flows, sleeps, waits, losses. What can be counted is counted, not believed.
 */
#include "keyframe.h"

#include <stdlib.h>
#include <string.h>

#include "keyframe_code.h"

/* A member more: save it, raise KEYFRAME_VERSION, and say here that it was thought of. */
#ifdef __x86_64__
_Static_assert(sizeof(struct m_flow) == 112 && sizeof(struct m_wait) == 56 &&
		   sizeof(struct m_blocked) == 72 && sizeof(struct m_loss) == 24 &&
		   sizeof(struct placing) == 16 && sizeof(struct queue) == 200 && sizeof(struct piece) == 40 &&
		   sizeof(struct proc) == 720 && sizeof(struct task) == 160 &&
		   sizeof(struct chan) == 1128 && sizeof(struct endpoint) == 136 &&
		   sizeof(struct model) ==
			   400 + TASK_CACHE * sizeof(struct task *) + KIND_MAX * sizeof(struct chan *),
	       "keyframes hold every member of these");
#endif

#define MAGIC 0x6b657966u /* "keyf" */

void *keyframe_alloc(struct keyframe *k, size_t size)
{
	void *p = k->codec.err ? NULL : calloc(1, size);
	if (!p && !k->codec.err)
		k->codec.err = -ENOMEM;
	return p;
}

/* Only octaves and counters that are not 0. */
static void code_octave(struct codec *c, struct hist *h, unsigned int octave, unsigned int lane)
{
	const uint32_t *saved = hist_counters(h, octave);
	uint32_t used = 0, *counters = NULL;
	codec_at(c, lane);
	for (unsigned int i = 0; saved && i < HIST_STEPS; i++)
		used |= (uint32_t)(saved[i] != 0) << i;
	CODE(c, used);
	if (used >> HIST_STEPS)
		codec_bad(c);
	if (c->loading && used && !c->err && !(counters = hist_make_counters(h, octave)))
		c->err = -ENOMEM;
	for (unsigned int i = 0; i < HIST_STEPS && !c->err; i++) {
		uint64_t n = saved ? saved[i] : 0;
		if (!(used >> i & 1))
			continue;
		codec_at(c, lane + 1);
		code_number(c, &n);
		if (n > UINT32_MAX)
			codec_bad(c);
		if (counters)
			counters[i] = (uint32_t)n;
	}
}

static bool is_used(const uint32_t *counters)
{
	for (unsigned int i = 0; counters && i < HIST_STEPS; i++)
		if (counters[i])
			return true;
	return false;
}

void keyframe_code_hist(struct codec *c, struct hist *h, enum keyframe_lane lane)
{
	uint64_t used = 0;
	codec_at(c, lane);
	CODE(c, h->count);
	CODE(c, h->sum);
	CODE(c, h->min);
	CODE(c, h->max);
	for (unsigned int i = 0; i < HIST_OCTAVES; i++)
		used |= (uint64_t)is_used(hist_counters(h, i)) << i;
	CODE(c, used);
	if (used >> HIST_OCTAVES)
		codec_bad(c);
	for (unsigned int i = 0; i < HIST_OCTAVES && !c->err; i++)
		if (used >> i & 1)
			code_octave(c, h, i, lane + 5);
}

static void code_losses(struct keyframe *k)
{
	uint64_t n = 0;
	if (!k->codec.loading)
		for (const struct m_loss *l = k->m->losses; l; l = l->next)
			n++;
	codec_at(&k->codec, LANE_LISTED + 2);
	code_count(&k->codec, &n);
	struct m_loss *l = k->m->losses;
	for (uint64_t i = 0; i < n && !k->codec.err; i++) {
		if (k->codec.loading) {
			l = keyframe_alloc(k, sizeof(*l));
			if (!l)
				return;
			*k->m->loss_tail = l;
			k->m->loss_tail = &l->next;
		}
		codec_at(&k->codec, LANE_LOSS);
		CODE(&k->codec, l->cause);
		CODE(&k->codec, l->where);
		CODE(&k->codec, l->count);
		if (l->cause == LOST_NONE || l->cause >= LOST_MAX)
			codec_bad(&k->codec);
		l = l->next;
	}
}

/* ---- all of it ---- */

static void code_totals(struct keyframe *k)
{
	struct model *m = k->m;
	struct codec *c = &k->codec;
	for (int i = 0; i < ENDED_MAX; i++) {
		CODE(c, m->ended[i]);
		CODE(c, m->gather[i]);
		CODE(c, m->folded[i]);
	}
	CODE(c, m->loss_epoch);
	CODE(c, m->now_ns);
	CODE(c, m->first_ns);
	CODE(c, m->ops);
	code_count(c, &k->nprocs);
	code_count(c, &k->ntasks);
	code_count(c, &k->nchans);
	code_count(c, &k->nendpoints);
	code_count(c, &k->nflows);
	code_count(c, &k->nblocked);
}

static void code_heading(struct keyframe *k)
{
	uint64_t magic = MAGIC, version = KEYFRAME_VERSION, keep = k->m->keep;
	codec_at(&k->codec, LANE_TOTALS);
	CODE(&k->codec, magic);
	CODE(&k->codec, version);
	CODE(&k->codec, keep);
	if (magic != MAGIC || version != KEYFRAME_VERSION || keep != k->m->keep)
		codec_bad(&k->codec);
}

static void code_objects(struct keyframe *k)
{
	keyframe_code_procs(k);
	keyframe_code_chans(k);
	keyframe_code_held(k);
	keyframe_code_flows(k);
	keyframe_code_sleeps(k);
	code_losses(k);
}

/* Gives every object its number. */
static void number(struct keyframe *k)
{
	for (struct m_proc *p = k->m->procs; p; p = p->next) {
		((struct proc *)p)->number = (uint32_t)k->nprocs++;
		for (struct m_task *t = p->tasks; t; t = t->sibling)
			((struct task *)t)->number = (uint32_t)k->ntasks++;
	}
	for (struct m_chan *c = k->m->chans; c; c = c->next) {
		((struct chan *)c)->number = (uint32_t)k->nchans++;
		for (struct m_endpoint *e = c->endpoints; e; e = e->next)
			((struct endpoint *)e)->number = (uint32_t)k->nendpoints++;
	}
	for (struct flow *f = k->m->all_flows; f; f = f->all_next)
		f->number = (uint32_t)k->nflows++;
	for (struct blocked *b = k->m->all_blocked; b; b = b->all_next)
		b->number = (uint32_t)k->nblocked++;
}

int keyframe_save(const struct model *m, void **bytes, size_t *size)
{
	struct keyframe k = {.m = (struct model *)m};
	number(&k);
	code_heading(&k);
	code_totals(&k);
	code_objects(&k);
	int rc = codec_take(&k.codec, bytes, size);
	codec_release(&k.codec);
	return rc;
}

static void make_tables(struct keyframe *k)
{
	k->procs = keyframe_alloc(k, (k->nprocs + 1) * sizeof(*k->procs));
	k->tasks = keyframe_alloc(k, (k->ntasks + 1) * sizeof(*k->tasks));
	k->chans = keyframe_alloc(k, (k->nchans + 1) * sizeof(*k->chans));
	k->endpoints = keyframe_alloc(k, (k->nendpoints + 1) * sizeof(*k->endpoints));
	k->flows = keyframe_alloc(k, (k->nflows + 1) * sizeof(*k->flows));
	k->blocked = keyframe_alloc(k, (k->nblocked + 1) * sizeof(*k->blocked));
}

int keyframe_load(struct model *m, const void *bytes, size_t size)
{
	struct keyframe k = {.m = m};
	codec_load(&k.codec, bytes, size);
	model_reset(m);
	code_heading(&k);
	code_totals(&k);
	make_tables(&k);
	if (!k.codec.err)
		code_objects(&k);
	if (!codec_is_at_end(&k.codec))
		codec_bad(&k.codec);
	free(k.procs);
	free(k.tasks);
	free(k.chans);
	free(k.endpoints);
	free(k.flows);
	free(k.blocked);
	if (k.codec.err)
		model_reset(m);
	return k.codec.err;
}
