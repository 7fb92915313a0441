/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private to lib/model: what stands behind the structures of model.h.
 *
 * Each public structure is the first member of a private one that adds indexes and caches, so a
 * pointer to one is a pointer to the other. Lists are kept through a pointer to their last link.
 * The steady state of one EV_IO allocates nothing and takes no more than three look-ups, each
 * behind a cache of the last answer: thread, channel, flow.
 */
#ifndef IPCTAP_MODEL_WORLD_H
#define IPCTAP_MODEL_WORLD_H

#include "queue.h"

struct blocked;
struct endpoint;
struct flow;
struct proc;
struct task;

/* ---- lists whose members leave: each knows the link that points to it ---- */

#define LIST_ADD(tail, node, link)                                                                 \
	do {                                                                                       \
		(node)->pprev = (tail);                                                            \
		*(tail) = &(node)->pub;                                                            \
		(tail) = &(node)->pub.link;                                                        \
	} while (0)
#define LIST_DEL(tail, node, link)                                                                 \
	do {                                                                                       \
		__typeof__(node) del_next_ = (__typeof__(node))(node)->pub.link;                   \
		*(node)->pprev = (node)->pub.link;                                                 \
		if (del_next_)                                                                     \
			del_next_->pprev = (node)->pprev;                                          \
		else                                                                               \
			(tail) = (node)->pprev;                                                    \
		(node)->pub.link = NULL;                                                           \
		(node)->pprev = NULL;                                                              \
	} while (0)

/* ---- the objects ---- */

struct task {
	struct m_task pub;
	uint64_t end_seq;  /* the how manieth to end; 0: alive */
	struct task *into; /* fold.c: it is to become part of that one */
	struct blocked *blocked; /* the last one used */
	bool announced;          /* false: a placeholder */
	uint32_t number;         /* keyframe.c: its place among all of them */
	UT_hash_handle hh; /* by tid: the latest bearer */
};

struct proc {
	struct m_proc pub;
	uint64_t end_seq;
	struct proc *into;
	struct task *folded; /* the sum of its threads that were folded */
	struct endpoint **fds; /* by fd, below FDS_DENSE; the latest one, open or closed */
	uint32_t nfds;
	struct endpoint *high_fds; /* the others, by hh */
	struct endpoint *attached; /* open attachments, by attached_next */
	struct m_task **task_tail;
	uint64_t exec_ns;
	uint32_t number; /* keyframe.c, here and below */
	UT_hash_handle hh; /* by pid: the latest bearer */
};
#define FDS_DENSE 1024

struct endpoint {
	struct m_endpoint pub;
	uint64_t end_seq;
	uint32_t number;
	struct endpoint *attached_next;
	UT_hash_handle hh;
};

/* Who holds one end of one direction, when nobody in scope does. */
struct far_end {
	bool is_outside;  /* only processes outside the scope */
	struct proc *one; /* the only one; NULL: several */
};

struct chan {
	struct m_chan pub;
	uint64_t end_seq;
	struct chan *into;
	bool is_waited; /* fold.c: somebody sleeps in it */
	struct far_end readers[2], writers[2]; /* of q[] */
	bool has_outside; /* a process outside the scope ever held an end */
	bool resurvey;    /* readers and writers are to be worked out anew */
	struct m_endpoint **endpoint_tail;
	struct queue q[2];        /* by the writer's side; [0] alone when not duplex */
	struct type_queue *types; /* SHAPE_TYPED, SHAPE_PRIORITY */
	uint32_t types_max;       /* from this many on, the empty ones are dropped */
	uint64_t backlog;         /* bytes of unknown origin not yet read, not in a queue */
	uint64_t loss_epoch;      /* model.loss_epoch when it was first seen */
	uint64_t debts;           /* outstanding in all directions */
	bool older;               /* than the trace, or overflowed: what it holds is not known … */
	bool backlog_known;       /* … but for what lay in its queues, which is in them */
	uint32_t number;
	UT_hash_handle hh;        /* only ids too large for the array */
};

struct flow_key {
	const void *src, *dst, *chan;
};

struct flow {
	struct m_flow pub;
	struct m_flow **pprev; /* NULL: not listed, for it is empty */
	struct flow_key key;
	uint32_t number;
	UT_hash_handle hh;
	struct flow *all_next, **all_pprev;
};

struct wait {
	struct m_wait pub;
	struct m_wait **pprev;
	struct blocked *blocked; /* the row that it is part of */
};

struct blocked_key {
	const void *task, *chan;
	uint64_t op;
};

struct blocked {
	struct m_blocked pub;
	struct m_blocked **pprev; /* NULL: not listed */
	struct blocked_key key;
	uint32_t number;
	UT_hash_handle hh;
	struct blocked *all_next, **all_pprev;
};

#define TASK_CACHE 8192 /* 64 KiB: of 5,000 threads that take turns, a look at the table is two misses each */

/* What can be over, and then be folded. */
enum ended { ENDED_PROC, ENDED_TASK, ENDED_CHAN, ENDED_ENDPOINT, ENDED_MAX };

struct model {
	struct m_proc *procs, **proc_tail;
	struct m_chan *chans, **chan_tail;
	struct m_flow *flows, **flow_tail;
	struct m_wait *waits, **wait_tail;
	struct m_blocked *blocked, **blocked_tail;
	struct m_loss *losses, **loss_tail;

	struct task *task_cache[TASK_CACHE]; /* by the low bits of the tid */
	struct task *by_tid;
	struct proc *by_pid;
	struct chan **chan_array; /* of the ids from chan_base on */
	uint64_t chan_base, chan_cap, nchans;
	struct chan *by_id;
	struct flow *by_flow, *all_flows;
	struct blocked *by_blocked, *all_blocked;

	uint64_t keep;
	uint64_t ended[ENDED_MAX];  /* ever */
	uint64_t kept[ENDED_MAX];   /* of those, not folded yet */
	uint64_t gather[ENDED_MAX]; /* fold when more are kept */
	uint64_t folded[ENDED_MAX];
	struct proc *folded_proc;
	struct chan *folded_chans[KIND_MAX];

	uint64_t pieces;     /* capacity of all rings together */
	uint64_t loss_epoch; /* raised when operations were lost: matching can no longer be sure */
	uint64_t now_ns, first_ns, ops;
	bool (*match)(const void *arg, const struct model *m, const struct ev_io *io);
	const void *match_arg;
	void (*witness)(void *arg, const struct m_flow *flow, uint64_t read_end_ns, uint64_t bytes);
	void *witness_arg;
};

/* ---- tasks.c ---- */
int tasks_apply(struct model *m, const struct ev_task *ev);
/* The thread, made when it was never announced. t_ns: when it was alive. NULL: no memory. */
struct task *task_get(struct model *m, uint32_t pid, uint32_t tid, uint64_t t_ns);
struct proc *proc_get(struct model *m, uint32_t pid, uint64_t t_ns);
struct proc *proc_find(const struct model *m, uint32_t pid);
struct task *task_find(const struct model *m, uint32_t tid);
struct task *task_add(struct proc *p); /* one without a number, for a sum; NULL: no memory */
struct proc *proc_add(struct model *m);
void task_drop(struct model *m, struct task *t); /* out of the index, freed; the list is the caller's */
void proc_drop(struct model *m, struct proc *p); /* with its threads; the list is the caller's */
void tasks_free(struct model *m);

/* ---- chans.c ---- */
int chans_apply(struct model *m, const struct ev_chan *ev);
struct chan *chan_find(const struct model *m, uint64_t id);
bool chan_is_in_array(const struct model *m, const struct chan *c);
struct chan *chan_get(struct model *m, uint64_t id, uint64_t t_ns);
void chan_update_known(struct chan *c); /* after a change of older or debts */
int chans_gone(struct model *m, const struct ev_gone *ev);
struct chan *chan_add(struct model *m, uint16_t kind); /* one for a sum, in no index; NULL: no memory */
void chan_drop(struct model *m, struct chan *c); /* out of the index, freed; the list is the caller's */
void chans_rebase(struct model *m); /* the array no longer holds the ids that are over */
void chans_free(struct model *m);

/* ---- room.c ---- */
int room_apply(struct model *m, const struct ev_room *ev);

/* ---- endpoints.c ---- */
/* The latest end at that fd, open or closed; NULL: there was none. */
struct endpoint *endpoint_slot(const struct proc *p, int32_t fd);
int endpoint_set_slot(struct proc *p, int32_t fd, struct endpoint *e);
int endpoints_apply(struct model *m, const struct ev_endpoint *ev);
int endpoint_used(struct model *m, struct proc *p, struct chan *c, const struct ev_io *io);
void endpoints_close_all(struct model *m, struct proc *p, uint64_t t_ns);
void endpoints_close_chan(struct model *m, struct chan *c, uint64_t t_ns);
void endpoint_drop(struct endpoint *e); /* a closed one: out of its process's index, freed */
void endpoints_resurvey(const struct proc *p); /* it came into scope, or left it */
void endpoints_free(struct proc *p); /* the indexes; the endpoints belong to their channels */

/* ---- flows.c ---- */
/* *cache, which may hold NULL, is tried first and updated. Either end may be NULL. */
struct flow *flow_get(struct model *m, struct proc *src, struct proc *dst, struct chan *c,
		      struct flow **cache);
void flow_add(struct model *m, struct flow *f, uint64_t messages, uint64_t bytes, uint64_t t_ns);
void flow_take_back(struct model *m, struct flow *f, uint64_t messages, uint64_t bytes);
/* fold.c: gives *f the ends it now has; it may become part of another flow and is then freed. */
int flow_rekey(struct model *m, struct flow *f, struct proc *src, struct proc *dst, struct chan *c);
void flows_free(struct model *m);

/* ---- waits.c ---- */
int waits_apply(struct model *m, const struct ev_wait *ev);
int blocked_add(struct model *m, struct task *t, struct chan *c, const struct ev_io *io);
void wait_end(struct model *m, struct task *t); /* accepts a task that does not wait */
/* fold.c: the same for a row; not for one that an open wait is part of. */
int blocked_rekey(struct model *m, struct blocked *b, struct task *t, struct chan *c);
void waits_free(struct model *m);

/* ---- fold.c ---- */
/* Something is over, or (ended_again, an exec) turns out not to be. */
static inline void ended_note(struct model *m, enum ended what, uint64_t *end_seq)
{
	*end_seq = ++m->ended[what];
	m->kept[what]++;
}
static inline void ended_undo(struct model *m, enum ended what, uint64_t *end_seq)
{
	*end_seq = 0;
	m->kept[what]--;
}
void fold_set_keep(struct model *m, uint64_t keep);
int fold_if_due(struct model *m);

/* ---- io.c ---- */
int io_apply(struct model *m, const struct ev_io *io);

/* ---- losses.c ---- */
int losses_apply(struct model *m, const struct ev_lost *ev);
int loss_add(struct model *m, uint32_t cause, uint32_t where, uint64_t count);
void losses_free(struct model *m);

static inline uint64_t io_end_ns(const struct ev_io *io)
{
	uint64_t end;
	return __builtin_add_overflow(io->enter_ns, io->dur_ns, &end) ? UINT64_MAX : end;
}

static inline uint64_t min_u64(uint64_t a, uint64_t b) { return a < b ? a : b; }

#endif
