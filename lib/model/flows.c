// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Flows, by (sender, receiver, channel). What a reader got from nobody known is put at once on
 * the flow from "?" and taken back when the write turns up; a flow that has become empty leaves
 * the list until it is used again.
 */
#include "world.h"

#include <errno.h>
#include <stdlib.h>

struct flow *flow_get(struct model *m, struct proc *src, struct proc *dst, struct chan *c,
		      struct flow **cache)
{
	struct flow *f = *cache;
	if (f && f->key.src == src && f->key.dst == dst && f->key.chan == c)
		return f;
	struct flow_key key = {src, dst, c};
	HASH_FIND(hh, m->by_flow, &key, sizeof(key), f);
	if (!f) {
		f = calloc(1, sizeof(*f));
		if (!f)
			return NULL;
		f->key = key;
		f->pub.src = (struct m_proc *)src;
		f->pub.dst = (struct m_proc *)dst;
		f->pub.chan = &c->pub;
		HASH_ADD(hh, m->by_flow, key, sizeof(key), f);
		if (!f->hh.tbl) {
			free(f);
			return NULL;
		}
		f->all_next = m->all_flows;
		f->all_pprev = &m->all_flows;
		if (f->all_next)
			f->all_next->all_pprev = &f->all_next;
		m->all_flows = f;
	}
	*cache = f;
	return f;
}

void flow_add(struct model *m, struct flow *f, uint64_t messages, uint64_t bytes, uint64_t t_ns)
{
	if (!f->pprev) {
		LIST_ADD(m->flow_tail, f, next);
		f->pub.first_ns = f->pub.last_ns = t_ns;
	}
	f->pub.messages += messages;
	f->pub.bytes += bytes;
	if (t_ns < f->pub.first_ns)
		f->pub.first_ns = t_ns;
	if (t_ns > f->pub.last_ns)
		f->pub.last_ns = t_ns;
}

void flow_take_back(struct model *m, struct flow *f, uint64_t messages, uint64_t bytes)
{
	f->pub.messages -= min_u64(messages, f->pub.messages);
	f->pub.bytes -= min_u64(bytes, f->pub.bytes);
	if (f->pprev && f->pub.messages == 0 && f->pub.bytes == 0)
		LIST_DEL(m->flow_tail, f, next);
}

static int flow_merge(struct model *m, struct flow *into, struct flow *f)
{
	if (f->pprev && !into->pprev) {
		LIST_ADD(m->flow_tail, into, next);
		into->pub.first_ns = f->pub.first_ns;
		into->pub.last_ns = f->pub.last_ns;
	}
	into->pub.messages += f->pub.messages;
	into->pub.bytes += f->pub.bytes;
	into->pub.approximate |= f->pub.approximate;
	if (f->pprev && f->pub.first_ns < into->pub.first_ns)
		into->pub.first_ns = f->pub.first_ns;
	if (f->pprev && f->pub.last_ns > into->pub.last_ns)
		into->pub.last_ns = f->pub.last_ns;
	return hist_merge(&into->pub.latency, &f->pub.latency);
}

static void flow_drop(struct model *m, struct flow *f)
{
	if (f->pprev)
		LIST_DEL(m->flow_tail, f, next);
	*f->all_pprev = f->all_next;
	if (f->all_next)
		f->all_next->all_pprev = f->all_pprev;
	hist_release(&f->pub.latency);
	free(f);
}

int flow_rekey(struct model *m, struct flow *f, struct proc *src, struct proc *dst, struct chan *c)
{
	struct flow_key key = {src, dst, c};
	struct flow *into = NULL;
	int err = 0;
	HASH_DELETE(hh, m->by_flow, f);
	HASH_FIND(hh, m->by_flow, &key, sizeof(key), into);
	if (!into && f->pprev) {
		f->key = key;
		f->pub.src = (struct m_proc *)src;
		f->pub.dst = (struct m_proc *)dst;
		f->pub.chan = &c->pub;
		HASH_ADD(hh, m->by_flow, key, sizeof(key), f);
		if (f->hh.tbl)
			return 0;
		err = -ENOMEM;
	} else if (into) {
		err = flow_merge(m, into, f);
	}
	flow_drop(m, f);
	return err;
}

void flows_free(struct model *m)
{
	HASH_CLEAR(hh, m->by_flow);
	for (struct flow *f = m->all_flows, *next; f; f = next) {
		next = f->all_next;
		hist_release(&f->pub.latency);
		free(f);
	}
}
