// SPDX-License-Identifier: GPL-2.0-or-later
#include "model.h"

#include <errno.h>
#include <stdlib.h>

#include "match.h"

static void set_tails(struct model *m)
{
	m->proc_tail = &m->procs;
	m->chan_tail = &m->chans;
	m->flow_tail = &m->flows;
	m->wait_tail = &m->waits;
	m->blocked_tail = &m->blocked;
	m->loss_tail = &m->losses;
}

struct model *model_new(void)
{
	struct model *m = calloc(1, sizeof(*m));
	if (!m)
		return NULL;
	set_tails(m);
	fold_set_keep(m, MODEL_KEEP);
	return m;
}

static void release(struct model *m)
{
	waits_free(m);
	flows_free(m);
	tasks_free(m); /* before the channels: the tables in it run through their endpoints */
	chans_free(m);
	losses_free(m);
}

void model_reset(struct model *m)
{
	struct model kept = {.match = m->match,
			     .match_arg = m->match_arg,
			     .witness = m->witness,
			     .witness_arg = m->witness_arg};
	uint64_t keep = m->keep;
	release(m);
	*m = kept;
	set_tails(m);
	fold_set_keep(m, keep);
}

void model_free(struct model *m)
{
	if (!m)
		return;
	release(m);
	free(m);
}

void model_set_witness(struct model *m,
		       void (*witness)(void *arg, const struct m_flow *flow, uint64_t read_end_ns,
				       uint64_t bytes),
		       void *arg)
{
	m->witness = witness;
	m->witness_arg = arg;
}

void model_set_filter(struct model *m,
		      bool (*match)(const void *arg, const struct model *m, const struct ev_io *io),
		      const void *arg)
{
	m->match = match;
	m->match_arg = arg;
}

void model_set_keep(struct model *m, uint64_t keep) { fold_set_keep(m, keep); }

static int apply(struct model *m, const struct ev_hdr *ev)
{
	switch (ev->type) {
	case EV_IO:
		return io_apply(m, (const struct ev_io *)ev);
	case EV_CHAN:
		return chans_apply(m, (const struct ev_chan *)ev);
	case EV_ENDPOINT:
		return endpoints_apply(m, (const struct ev_endpoint *)ev);
	case EV_TASK:
		return tasks_apply(m, (const struct ev_task *)ev);
	case EV_WAIT:
		return waits_apply(m, (const struct ev_wait *)ev);
	case EV_GONE:
		return chans_gone(m, (const struct ev_gone *)ev);
	case EV_ROOM:
		return room_apply(m, (const struct ev_room *)ev);
	case EV_LOST:
		return losses_apply(m, (const struct ev_lost *)ev);
	default:
		return 0; /* EV_TIME: note_time has what it says */
	}
}

/* The span of the story. A sleep that began before anybody looked does not stretch it. */
static void note_time(struct model *m, const struct ev_hdr *ev)
{
	uint64_t first_ns = ev->t_ns, last_ns = ev->t_ns;
	if (ev->type == EV_IO) {
		const struct ev_io *io = (const struct ev_io *)ev;
		if (ev_io_from_ns(io) < first_ns)
			first_ns = ev_io_from_ns(io);
		if (io_end_ns(io) > last_ns)
			last_ns = io_end_ns(io);
	}
	if (last_ns > m->now_ns)
		m->now_ns = last_ns;
	if (first_ns && (!m->first_ns || first_ns < m->first_ns))
		m->first_ns = first_ns;
}

int model_apply(struct model *m, const struct ev_hdr *ev)
{
	uint16_t size = event_size(ev->type);
	if (!size || ev->size < size)
		return -EINVAL;
	int err = apply(m, ev);
	if (err)
		return err;
	note_time(m, ev);
	return fold_if_due(m);
}

int model_apply_or_count(struct model *m, const struct ev_hdr *ev)
{
	int err = model_apply(m, ev);
	if (err != -EINVAL)
		return err;
	struct ev_lost lost = {
	    .hdr = {.t_ns = ev->t_ns, .type = EV_LOST, .size = sizeof(lost)},
	    .count = 1,
	    .cause = LOST_BAD_RECORD,
	};
	return model_apply(m, &lost.hdr);
}

const struct m_proc *model_procs(const struct model *m) { return m->procs; }
const struct m_chan *model_chans(const struct model *m) { return m->chans; }
const struct m_flow *model_flows(const struct model *m) { return m->flows; }
const struct m_wait *model_waits(const struct model *m) { return m->waits; }
const struct m_blocked *model_blocked(const struct model *m) { return m->blocked; }
const struct m_loss *model_losses(const struct model *m) { return m->losses; }

uint64_t model_now_ns(const struct model *m) { return m->now_ns; }
uint64_t model_first_ns(const struct model *m) { return m->first_ns; }
uint64_t model_ops(const struct model *m) { return m->ops; }
