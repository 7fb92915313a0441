// SPDX-License-Identifier: GPL-2.0-or-later
/* Channels of a keyframe: their ends, and what lies in them. */
#include "keyframe_code.h"

#include <stdlib.h>

#define ARRAY_SPARSE 32u /* no array of channels is emptier than one in so many, ever */
#define ARRAY_LEAST 1024u

KEYFRAME_REF(proc, procs, nprocs)

static void code_piece(struct keyframe *k, struct piece *p)
{
	struct codec *c = &k->codec;
	codec_at(c, LANE_PIECE);
	code_proc_ref(k, &p->who);
	CODE_NEAR(c, p->t_ns);
	CODE(c, p->left);
	CODE(c, p->messages);
	CODE(c, p->flags);
	CODE(c, p->end);
}

/* Its room is part of the model's budget, so it comes back as large as it was, where it may. */
static void make_room(struct keyframe *k, struct ring *r)
{
	bool is_power = r->cap && !(r->cap & (r->cap - 1));
	if ((r->cap && !is_power) || r->cap > RING_MAX || r->n > r->cap) {
		codec_bad(&k->codec);
		*r = (struct ring){0};
		return;
	}
	while (k->m->pieces + r->cap > RING_BUDGET && r->cap / 2 >= r->n && r->cap > 8)
		r->cap /= 2;
	r->v = r->cap ? keyframe_alloc(k, r->cap * sizeof(*r->v)) : NULL;
	if (!r->v)
		*r = (struct ring){0};
	k->m->pieces += r->cap;
}

static void code_ring(struct keyframe *k, struct ring *r)
{
	uint64_t n = r->n;
	codec_at(&k->codec, LANE_RING);
	CODE(&k->codec, r->cap);
	code_count(&k->codec, &n);
	if (k->codec.loading) {
		r->n = n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
		make_room(k, r);
	}
	for (uint32_t i = 0; i < r->n && !k->codec.err; i++)
		code_piece(k, ring_at(r, i));
}

static void code_stale(struct keyframe *k, struct queue *q)
{
	bool has = q->stale;
	codec_at(&k->codec, LANE_RING + 2);
	CODE(&k->codec, has);
	if (!has)
		return;
	if (k->codec.loading)
		q->stale = keyframe_alloc(k, STALE_MAX * sizeof(*q->stale));
	for (int i = 0; i < STALE_MAX && !k->codec.err; i++)
		code_piece(k, &q->stale[i]);
}

static void code_placing(struct codec *c, struct placing *p)
{
	CODE(c, p->tid);
	CODE(c, p->is_shared);
	CODE(c, p->has_sure);
	CODE(c, p->was_sure);
	CODE(c, p->skipped);
}

static void code_overlap(struct keyframe *k, struct overlap *o)
{
	struct proc *first = (struct proc *)o->first;
	code_proc_ref(k, &first);
	o->first = first;
	CODE_NEAR(&k->codec, o->first_end);
	CODE_NEAR(&k->codec, o->other_end);
}

/* Not its flows: they are a cache of the last answer. */
static void code_queue(struct keyframe *k, struct queue *q)
{
	struct proc *writer = (struct proc *)q->writer;
	code_ring(k, &q->written);
	code_ring(k, &q->loose);
	code_ring(k, &q->debts);
	code_stale(k, q);
	codec_at(&k->codec, LANE_QUEUE);
	CODE_NEAR(&k->codec, q->stale_end);
	code_proc_ref(k, &writer);
	q->writer = writer;
	CODE(&k->codec, q->many_writers);
	code_placing(&k->codec, &q->writing);
	code_placing(&k->codec, &q->reading);
	code_overlap(k, &q->writes);
	code_overlap(k, &q->reads);
}

static struct type_queue *new_type(struct keyframe *k, struct chan *c, int64_t mtype)
{
	struct type_queue *t = NULL;
	HASH_FIND(hh, c->types, &mtype, sizeof(mtype), t);
	if (t) {
		codec_bad(&k->codec);
		return NULL;
	}
	t = keyframe_alloc(k, sizeof(*t));
	if (!t)
		return NULL;
	t->mtype = mtype;
	HASH_ADD(hh, c->types, mtype, sizeof(mtype), t);
	if (t->hh.tbl)
		return t;
	free(t);
	k->codec.err = -ENOMEM;
	return NULL;
}

static void code_types(struct keyframe *k, struct chan *c)
{
	uint64_t n = HASH_COUNT(c->types);
	codec_at(&k->codec, LANE_TYPE);
	CODE(&k->codec, c->types_max);
	code_count(&k->codec, &n);
	struct type_queue *t = c->types;
	for (uint64_t i = 0; i < n && !k->codec.err; i++) {
		int64_t mtype = k->codec.loading ? 0 : t->mtype;
		codec_at(&k->codec, LANE_TYPE + 2);
		CODE_SIGNED(&k->codec, mtype);
		if (k->codec.loading)
			t = new_type(k, c, mtype);
		if (!t)
			return;
		code_queue(k, &t->q);
		t = k->codec.loading ? NULL : t->hh.next;
	}
}

/* ---- ends ---- */

/* One that is open keeps its process from being folded; see check_task. */
static void check_endpoint(struct keyframe *k, const struct endpoint *e, bool in_slot)
{
	if (!e->pub.proc || (e->pub.open && e->pub.proc->exited) ||
	    e->pub.open == (e->end_seq != 0) || (in_slot && (e->pub.fd < 0 || e->pub.fd >= FDS_DENSE)))
		codec_bad(&k->codec);
}

static void code_endpoint(struct keyframe *k, struct chan *c, struct endpoint *e)
{
	struct codec *codec = &k->codec;
	struct proc *p = (struct proc *)e->pub.proc;
	codec_at(codec, LANE_ENDPOINT);
	code_proc_ref(k, &p);
	e->pub.proc = p ? &p->pub : NULL;
	CODE_SIGNED(codec, e->pub.fd);
	bool in_slot = !codec->loading && e->pub.fd >= 0 && e->pub.fd < FDS_DENSE &&
		       endpoint_slot(p, e->pub.fd) == e;
	CODE(codec, in_slot); /* of the table by number; the others: keyframe_code_held */
	CODE(codec, e->pub.dir);
	CODE(codec, e->pub.side);
	CODE(codec, e->pub.open);
	CODE(codec, e->pub.synthetic);
	CODE(codec, e->pub.passed_by);
	CODE_NEAR(codec, e->pub.from_ns);
	CODE_NEAR(codec, e->pub.to_ns);
	CODE_NEAR(codec, e->end_seq);
	if (!codec->loading)
		return;
	check_endpoint(k, e, in_slot);
	if (codec->err)
		return;
	c->pub.nopen += e->pub.open;
	k->m->kept[ENDED_ENDPOINT] += e->end_seq != 0;
	if (in_slot && endpoint_slot(p, e->pub.fd))
		codec_bad(codec);
	else if (in_slot && endpoint_set_slot(p, e->pub.fd, e) < 0)
		codec->err = -ENOMEM;
}

static struct endpoint *new_endpoint(struct keyframe *k, struct chan *c)
{
	struct endpoint *e = NULL;
	if (k->endpoints_made < k->nendpoints)
		e = keyframe_alloc(k, sizeof(*e));
	if (!e) {
		codec_bad(&k->codec);
		return NULL;
	}
	e->pub.chan = &c->pub;
	*c->endpoint_tail = &e->pub;
	c->endpoint_tail = &e->pub.next;
	k->endpoints[k->endpoints_made++] = e;
	return e;
}

static void code_endpoints(struct keyframe *k, struct chan *c)
{
	uint64_t n = 0;
	if (!k->codec.loading)
		for (const struct m_endpoint *e = c->pub.endpoints; e; e = e->next)
			n++;
	codec_at(&k->codec, LANE_CHAN_INNER + 7);
	code_count(&k->codec, &n);
	struct m_endpoint *next = c->pub.endpoints;
	for (uint64_t i = 0; i < n && !k->codec.err; i++) {
		struct endpoint *e = k->codec.loading ? new_endpoint(k, c) : (struct endpoint *)next;
		if (!e)
			return;
		code_endpoint(k, c, e);
		next = e->pub.next;
	}
}

/* Who holds the far ends is worked out anew before it is used, where it has to be. */
static void code_far_ends(struct keyframe *k, struct chan *c)
{
	codec_at(&k->codec, LANE_FAR_ENDS);
	CODE(&k->codec, c->has_outside);
	CODE(&k->codec, c->resurvey);
	for (int i = 0; i < 2 && !c->resurvey; i++) {
		CODE(&k->codec, c->readers[i].is_outside);
		code_proc_ref(k, &c->readers[i].one);
		CODE(&k->codec, c->writers[i].is_outside);
		code_proc_ref(k, &c->writers[i].one);
	}
}

/* ---- channels ---- */

static void code_public(struct codec *codec, struct m_chan *c)
{
	struct m_count *n = &c->count;
	CODE_NEAR(codec, c->id);
	CODE(codec, c->folded);
	CODE(codec, c->kind);
	CODE(codec, c->shape);
	CODE(codec, c->duplex);
	CODE(codec, c->remote);
	CODE_SIGNED(codec, c->key);
	code_text(codec, c->ident, sizeof(c->ident));
	code_text(codec, c->name, sizeof(c->name));
	CODE_NEAR(codec, c->first_ns);
	CODE_NEAR(codec, c->last_ns);
	CODE(codec, n->ops);
	CODE(codec, n->errors);
	CODE(codec, n->blocked);
	CODE(codec, n->slept_ns);
	CODE(codec, n->msgs_in);
	CODE(codec, n->bytes_in);
	CODE(codec, n->msgs_out);
	CODE(codec, n->bytes_out);
	CODE(codec, c->unread_bytes);
	CODE(codec, c->unread_known);
	CODE(codec, c->room_bytes);
	CODE(codec, c->room_messages);
	CODE(codec, c->found);
	CODE(codec, c->found_bytes);
	CODE(codec, c->found_messages);
	keyframe_code_hist(codec, &c->latency, LANE_CHAN_LATENCY);
	keyframe_code_hist(codec, &c->sizes, LANE_CHAN_SIZES);
}

/* A sum is found by its kind, any other by its id: in the array, or in the hash. */
static void index_chan(struct keyframe *k, struct chan *c, bool is_sum, bool in_array)
{
	struct model *m = k->m;
	uint64_t at = c->pub.id - m->chan_base;
	if (is_sum ? m->folded_chans[c->pub.kind] || c->end_seq : chan_find(m, c->pub.id) != NULL) {
		codec_bad(&k->codec);
		return;
	}
	if (is_sum) {
		m->folded_chans[c->pub.kind] = c;
		return;
	}
	m->nchans++;
	if (in_array && at < m->chan_cap) {
		m->chan_array[at] = c;
		return;
	}
	HASH_ADD(hh, m->by_id, pub.id, sizeof(c->pub.id), c);
	if (!c->hh.tbl)
		k->codec.err = -ENOMEM;
}

static void code_chan(struct keyframe *k, struct chan *c)
{
	struct codec *codec = &k->codec;
	bool is_sum = !codec->loading && k->m->folded_chans[c->pub.kind] == c;
	bool in_array = !codec->loading && chan_is_in_array(k->m, c);
	codec_at(codec, LANE_CHAN);
	CODE(codec, is_sum);
	CODE(codec, in_array);
	code_public(codec, &c->pub);
	codec_at(codec, LANE_CHAN_INNER);
	CODE_NEAR(codec, c->end_seq);
	if (codec->loading) {
		if (c->pub.kind >= KIND_MAX || c->pub.shape >= SHAPE_MAX)
			codec_bad(codec);
		if (!codec->err)
			index_chan(k, c, is_sum, in_array);
		k->m->kept[ENDED_CHAN] += c->end_seq != 0;
	}
	CODE(codec, c->backlog);
	CODE(codec, c->loss_epoch);
	CODE(codec, c->debts);
	CODE(codec, c->older);
	CODE(codec, c->backlog_known);
	code_endpoints(k, c);
	code_far_ends(k, c);
	code_queue(k, &c->q[0]);
	code_queue(k, &c->q[1]);
	code_types(k, c);
}

static void code_array(struct keyframe *k)
{
	struct model *m = k->m;
	codec_at(&k->codec, LANE_TOTALS + 30);
	CODE(&k->codec, m->chan_base);
	CODE(&k->codec, m->chan_cap);
	if (!k->codec.loading)
		return;
	if (m->chan_cap > ARRAY_SPARSE * (k->nchans + ARRAY_LEAST)) {
		codec_bad(&k->codec);
		m->chan_cap = 0;
	}
	if (m->chan_cap)
		m->chan_array = keyframe_alloc(k, m->chan_cap * sizeof(struct chan *));
	if (!m->chan_array)
		m->chan_cap = 0;
}

void keyframe_code_chans(struct keyframe *k)
{
	code_array(k);
	struct m_chan *next = k->m->chans;
	for (uint64_t i = 0; i < k->nchans && !k->codec.err; i++) {
		struct chan *c = (struct chan *)next;
		if (k->codec.loading) {
			c = keyframe_alloc(k, sizeof(*c));
			if (!c)
				return;
			c->endpoint_tail = &c->pub.endpoints;
			*k->m->chan_tail = &c->pub;
			k->m->chan_tail = &c->pub.next;
			k->chans[i] = c;
		}
		code_chan(k, c);
		next = c->pub.next;
	}
}
