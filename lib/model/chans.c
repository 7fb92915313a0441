// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Channels, by id. Ids count up from 1, so an array holds them; one far beyond those seen (a
 * damaged trace) goes to a hash, so that it costs its own size and not the array's.
 */
#include "match.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ARRAY_SLACK 1024u

bool chan_is_in_array(const struct model *m, const struct chan *c)
{
	uint64_t at = c->pub.id - m->chan_base; /* below the base: far beyond the end */
	return at < m->chan_cap && m->chan_array[at] == c;
}

struct chan *chan_find(const struct model *m, uint64_t id)
{
	uint64_t at = id - m->chan_base;
	if (at < m->chan_cap && m->chan_array[at])
		return m->chan_array[at];
	struct chan *c = NULL;
	if (m->by_id)
		HASH_FIND(hh, m->by_id, &id, sizeof(id), c);
	return c;
}

/* Makes chan_find find it. */
static int chan_index(struct model *m, struct chan *c)
{
	uint64_t id = c->pub.id, at = id - m->chan_base, cap = m->chan_cap;
	if (at >= cap && at < 2 * m->nchans + ARRAY_SLACK) {
		cap = 2 * at + ARRAY_SLACK;
		struct chan **array = reallocarray(m->chan_array, cap, sizeof(struct chan *));
		if (!array)
			return -ENOMEM;
		memset(&array[m->chan_cap], 0, (cap - m->chan_cap) * sizeof(struct chan *));
		m->chan_array = array;
		m->chan_cap = cap;
	}
	if (at < cap) {
		m->chan_array[at] = c;
		return 0;
	}
	HASH_ADD(hh, m->by_id, pub.id, sizeof(id), c);
	return c->hh.tbl ? 0 : -ENOMEM;
}

static void chan_list(struct model *m, struct chan *c)
{
	*m->chan_tail = &c->pub;
	m->chan_tail = &c->pub.next;
}

struct chan *chan_get(struct model *m, uint64_t id, uint64_t t_ns)
{
	struct chan *c = chan_find(m, id);
	if (c)
		return c;
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->pub.id = id;
	c->pub.first_ns = c->pub.last_ns = t_ns;
	c->older = true; /* until it is announced */
	c->loss_epoch = m->loss_epoch;
	c->endpoint_tail = &c->pub.endpoints;
	if (chan_index(m, c) < 0) {
		free(c);
		return NULL;
	}
	m->nchans++;
	chan_list(m, c);
	return c;
}

struct chan *chan_add(struct model *m, uint16_t kind)
{
	struct chan *c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->pub.id = MODEL_FOLDED_ID(kind);
	c->pub.kind = kind;
	c->endpoint_tail = &c->pub.endpoints;
	chan_list(m, c);
	return c;
}

void chan_update_known(struct chan *c) { c->pub.unread_known = !c->older && c->debts == 0; }

static void copy_text(char *to, size_t size, const char *from)
{
	if (from[0]) {
		memcpy(to, from, size);
		to[size - 1] = '\0';
	}
}

int chans_apply(struct model *m, const struct ev_chan *ev)
{
	if (ev->chan == 0 || ev->kind >= KIND_MAX || ev->shape >= SHAPE_MAX)
		return -EINVAL;
	bool existed = chan_find(m, ev->chan);
	struct chan *c = chan_get(m, ev->chan, ev->hdr.t_ns);
	if (!c)
		return -ENOMEM;
	bool first = c->pub.kind == KIND_NONE;
	bool duplex = ev->duplex != 0;
	if (!first && (c->pub.shape != ev->shape || c->pub.duplex != duplex))
		match_release(m, c); /* a socket was connected: its queues are others now */
	if (ev->kind)
		c->pub.kind = ev->kind;
	c->pub.shape = ev->shape;
	c->pub.duplex = duplex;
	c->pub.remote = ev->remote != 0;
	if (ev->key)
		c->pub.key = ev->key;
	copy_text(c->pub.ident, sizeof(c->pub.ident), ev->ident);
	copy_text(c->pub.name, sizeof(c->pub.name), ev->name);
	int err = 0;
	if (first) {
		c->older = existed || ev->backlog > 0 || (ev->hdr.flags & EV_SYNTHETIC);
		c->backlog_known = ev->backlog_known;
		if (!ev->backlog_known)
			err = ev->remote ? 0 : match_backlog(m, c, ev->backlog);
		else if (!(err = match_inside(m, c, false, ev->backlog)))
			err = match_inside(m, c, true, ev->backlog_b);
	}
	c->older |= c->pub.remote;
	chan_update_known(c);
	return err;
}

static void chan_free(struct model *m, struct chan *c)
{
	match_release(m, c);
	hist_release(&c->pub.latency);
	hist_release(&c->pub.sizes);
	for (struct m_endpoint *e = c->pub.endpoints, *next; e; e = next) {
		next = e->next;
		free(e);
	}
	free(c);
}

int chans_gone(struct model *m, const struct ev_gone *ev)
{
	struct chan *c = chan_find(m, ev->chan);
	if (!c || c->end_seq)
		return 0;
	endpoints_close_chan(m, c, ev->hdr.t_ns);
	ended_note(m, ENDED_CHAN, &c->end_seq);
	return 0;
}

void chan_drop(struct model *m, struct chan *c)
{
	if (chan_is_in_array(m, c))
		m->chan_array[c->pub.id - m->chan_base] = NULL;
	else
		HASH_DELETE(hh, m->by_id, c);
	m->nchans--;
	chan_free(m, c);
}

/*
 * Ids only grow, so an array over all of them would as well. Once most of it stands for channels
 * that are over, it begins anew at the upper half of those that are not; older ones go to the hash.
 */
void chans_rebase(struct model *m)
{
	uint64_t end = m->chan_base, ids = 0;
	for (const struct m_chan *c = m->chans; c; c = c->next)
		if (chan_is_in_array(m, (const struct chan *)c)) {
			ids++;
			if (c->id >= end)
				end = c->id + 1;
		}
	uint64_t window = 2 * ids + ARRAY_SLACK;
	if (end - m->chan_base < 2 * window)
		return;
	uint64_t base = end - window;
	struct chan **array = calloc(2 * window, sizeof(struct chan *));
	if (!array)
		return; /* later, then */
	for (struct m_chan *c = m->chans; c; c = c->next) {
		if (!chan_is_in_array(m, (const struct chan *)c))
			continue;
		struct chan *in = (struct chan *)c;
		if (c->id >= base) {
			array[c->id - base] = in;
			continue;
		}
		HASH_ADD(hh, m->by_id, pub.id, sizeof(c->id), in);
		if (in->hh.tbl)
			continue;
		for (struct m_chan *done = m->chans; done != c; done = done->next)
			if (chan_is_in_array(m, (const struct chan *)done) && done->id < base)
				HASH_DELETE(hh, m->by_id, (struct chan *)done);
		free(array); /* no memory: it stays as it was */
		return;
	}
	free(m->chan_array);
	m->chan_array = array;
	m->chan_base = base;
	m->chan_cap = 2 * window;
}

void chans_free(struct model *m)
{
	HASH_CLEAR(hh, m->by_id);
	for (struct m_chan *c = m->chans, *next; c; c = next) {
		next = c->next;
		chan_free(m, (struct chan *)c);
	}
	free(m->chan_array);
}

const struct m_chan *model_chan(const struct model *m, uint64_t id)
{
	return (const struct m_chan *)chan_find(m, id);
}
