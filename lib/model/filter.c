// SPDX-License-Identifier: GPL-2.0-or-later
/* Matching. Terms were reduced to bits and numbers when parsed; only names cost a look-up. */
#include "filter.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "filter_terms.h"

/* What a term can ask about, of a finished operation or of one still asleep. */
struct subject {
	uint32_t pid, tid;
	uint16_t op;
	int32_t fd;
	bool blocked, error, returned;
	int64_t ret;
	uint64_t bytes, latency_ns, slept_ns;
	const struct m_task *task; /* looked up on demand unless known */
	const struct m_chan *chan;
	uint64_t chan_id;
};

static bool set_has(const uint64_t set[4], unsigned int n)
{
	return n < 256 && set[n / 64] >> (n % 64) & 1;
}

static bool ids_have(const struct term *t, uint32_t id)
{
	for (size_t i = 0; i < t->nids; i++)
		if (t->ids[i] == id)
			return true;
	return false;
}

static bool glob_match(const struct term_glob *g, const char *text)
{
	return g->is_literal ? strcmp(g->pattern, text) == 0 : fnmatch(g->pattern, text, 0) == 0;
}

/* A thread's own name, or its process's. */
static bool comm_match(const struct term *t, const struct m_task *task)
{
	for (size_t i = 0; task && i < t->nglobs; i++)
		if (glob_match(&t->globs[i], task->comm) ||
		    glob_match(&t->globs[i], task->proc->comm))
			return true;
	return false;
}

static bool chan_match(const struct term *t, const struct m_chan *c)
{
	if (!c)
		return false;
	char id[24] = "";
	for (size_t i = 0; i < t->nglobs; i++) {
		const struct term_glob *g = &t->globs[i];
		if (g->id && g->id == c->id)
			return true;
		if (!g->is_literal && !id[0])
			snprintf(id, sizeof(id), "%" PRIu64, c->id);
		if (!g->is_literal && glob_match(g, id))
			return true;
		if ((c->name[0] && glob_match(g, c->name)) || glob_match(g, c->ident))
			return true;
	}
	return false;
}

static bool compare(enum term_cmp cmp, int order)
{
	switch (cmp) {
	case CMP_EQ:
		return order == 0;
	case CMP_NE:
		return order != 0;
	case CMP_LT:
		return order < 0;
	case CMP_LE:
		return order <= 0;
	case CMP_GT:
		return order > 0;
	default:
		return order >= 0;
	}
}

bool term_holds_unsigned(const struct term *t, uint64_t n)
{
	uint64_t with = (uint64_t)t->value;
	return compare(t->cmp, (n > with) - (n < with));
}

bool term_holds_signed(const struct term *t, int64_t n)
{
	return compare(t->cmp, (n > t->value) - (n < t->value));
}

static const struct m_chan *chan_of(const struct subject *s, const struct model *m)
{
	return s->chan || !s->chan_id ? s->chan : model_chan(m, s->chan_id);
}

static bool term_holds(const struct term *t, const struct model *m, const struct subject *s)
{
	const struct m_chan *c;
	switch (t->what) {
	case TERM_KIND:
		c = chan_of(s, m);
		return c && set_has(t->set, c->kind);
	case TERM_OP:
		return set_has(t->set, s->op);
	case TERM_PID:
		return ids_have(t, s->pid);
	case TERM_TID:
		return ids_have(t, s->tid);
	case TERM_COMM:
		return comm_match(t, s->task ? s->task : model_task(m, s->tid));
	case TERM_CHAN:
		return chan_match(t, chan_of(s, m));
	case TERM_BYTES:
		return term_holds_unsigned(t, s->bytes);
	case TERM_LATENCY:
		return term_holds_unsigned(t, s->latency_ns);
	case TERM_SLEPT:
		return term_holds_unsigned(t, s->slept_ns);
	case TERM_RET:
		return s->returned && term_holds_signed(t, s->ret);
	case TERM_FD:
		return term_holds_signed(t, s->fd);
	case TERM_BLOCKED:
		return s->blocked;
	default:
		return s->error;
	}
}

static bool all_hold(const struct filter *f, const struct model *m, const struct subject *s)
{
	for (size_t i = 0; i < f->n; i++)
		if (term_holds(&f->terms[i], m, s) == f->terms[i].negate)
			return false;
	return true;
}

bool filter_match_io(const void *filter, const struct model *m, const struct ev_io *io)
{
	const struct filter *f = filter;
	if (!f)
		return true;
	struct subject s = {
	    .pid = io->pid,
	    .tid = io->tid,
	    .op = io->op,
	    .fd = io->fd,
	    .blocked = io->slept_ns > 0 || io->hdr.flags & IO_BLOCKED,
	    .error = io->hdr.flags & IO_ERROR,
	    .returned = !(io->hdr.flags & IO_KILLED),
	    .ret = io->ret,
	    .bytes = io->bytes,
	    .latency_ns = io->dur_ns,
	    .slept_ns = io->slept_ns,
	    .chan_id = io->chan,
	};
	return all_hold(f, m, &s);
}

bool filter_match_wait(const struct filter *f, const struct model *m, const struct m_wait *wait)
{
	if (!f)
		return true;
	uint64_t now_ns = model_now_ns(m);
	uint64_t slept_ns = now_ns > wait->since_ns ? now_ns - wait->since_ns : 0;
	struct subject s = {
	    .pid = wait->task->proc->pid,
	    .tid = wait->task->tid,
	    .op = wait->op,
	    .fd = wait->fd,
	    .blocked = true,
	    .latency_ns = slept_ns,
	    .slept_ns = slept_ns,
	    .task = wait->task,
	    .chan = wait->chan,
	};
	return all_hold(f, m, &s);
}

void term_release(struct term *t)
{
	for (size_t i = 0; i < t->nglobs; i++)
		free(t->globs[i].pattern);
	free(t->globs);
	free(t->ids);
}

void filter_free(struct filter *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->n; i++)
		term_release(&f->terms[i]);
	free(f->terms);
	free(f);
}
