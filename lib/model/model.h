/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The world at time t: tasks, channels, endpoints, flows, waits. A pure function of the events
 * applied so far: no clock, no I/O, no locale, so that the model of a live run and the model of
 * its replay are equal (model_dump prints a canonical text that a test compares).
 *
 * Everything returned by a query is borrowed, read-only, and valid until the next model_apply.
 * Lists are walked in order of creation through the `next` members.
 */
#ifndef IPCTAP_MODEL_MODEL_H
#define IPCTAP_MODEL_MODEL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/abi/event.h"
#include "lib/base/hist.h"

struct model;
struct m_chan;
struct m_wait;

/* Counts of one task, channel side, or whole. Errors are operations that returned -errno. */
struct m_count {
	uint64_t ops;
	uint64_t errors;
	uint64_t blocked;  /* operations that slept */
	uint64_t slept_ns;
	uint64_t msgs_in, bytes_in;   /* read: taken out of channels (peeks not counted) */
	uint64_t msgs_out, bytes_out; /* written: put into channels */
};

/* A process. A pid that is reused gives a new m_proc. */
struct m_proc {
	struct m_proc *next;
	uint64_t folded; /* 0; else this row is the sum of so many that ended, its pid is 0 */
	uint32_t pid, ppid;
	uint32_t nthreads; /* alive */
	bool exited;
	bool outside; /* not traced, known as holder of a channel's other end: its counts are no counts */
	int32_t exit_code;
	uint64_t start_ns; /* of its leader; 0 when not known */
	uint64_t first_ns, exit_ns;
	char comm[EV_COMM_LEN]; /* of the leader, the latest */
	char exe[EV_PATH_LEN];
	char args[EV_ARGS_LEN];
	char cgroup[EV_PATH_LEN];
	struct m_count count;
	struct m_task *tasks;   /* alive and dead, by m_task.sibling */
	struct m_wait *waits;   /* open waits of its threads, by m_wait.proc_next */
	uint32_t nwaits;
};

struct m_task {
	struct m_task *sibling;
	struct m_proc *proc;
	uint64_t folded; /* 0; else the sum of so many that ended, its tid is 0 */
	uint32_t tid;
	bool exited;
	uint64_t start_ns, exit_ns;
	char comm[EV_COMM_LEN];
	struct m_wait *wait; /* open, or NULL */
};

struct m_endpoint {
	struct m_endpoint *next; /* of the same channel */
	struct m_proc *proc;
	struct m_chan *chan;
	int32_t fd;     /* -1: an attachment */
	uint8_t dir;    /* ENDPOINT_DIR_* */
	uint8_t side;
	bool open;
	bool synthetic; /* found, not seen being made */
	uint32_t passed_by; /* the process that it came from over a socket; 0: none, or not known */
	uint64_t from_ns, to_ns; /* to_ns 0: still open */
};

struct m_chan {
	struct m_chan *next;
	uint64_t id;
	uint64_t folded; /* 0; else the sum of so many of its kind that are gone; see m_folded */
	uint16_t kind, shape;
	bool duplex, remote;
	int32_t key;
	char ident[EV_IDENT_LEN];
	char name[EV_NAME_LEN];
	uint64_t first_ns, last_ns;
	struct m_count count;
	uint64_t unread_bytes; /* written and not yet read, as far as seen, both directions */
	bool unread_known;     /* false: the channel was older than the trace, or one end is out of scope */
	uint64_t room_bytes; /* what it has room for, as in struct ev_room; 0: no limit, or not known */
	uint32_t room_messages;
	bool found; /* what the kernel had in it when it was last looked up; no longer once data moves: */
	uint64_t found_bytes;
	uint32_t found_messages; /* of a pipe: pages */
	struct m_endpoint *endpoints; /* open and closed */
	uint32_t nopen;
	struct hist latency;   /* time messages lay in it */
	struct hist sizes;     /* bytes per message written */
};

/* Who sent to whom through what. src or dst NULL: a process that was not seen ("?"). */
struct m_flow {
	struct m_flow *next;
	struct m_proc *src, *dst;
	struct m_chan *chan;
	uint64_t messages;   /* stream: the writes whose last byte this receiver read */
	uint64_t bytes;
	uint64_t first_ns, last_ns;
	struct hist latency; /* write taking effect to read taking effect */
	bool approximate;    /* some of it was attributed by a rule that can err */
};

/* A thread asleep in an operation for longer than two looks of the collector. */
struct m_wait {
	struct m_wait *next;      /* every open wait of the model */
	struct m_wait *proc_next;
	struct m_task *task;
	struct m_chan *chan;      /* NULL: not known */
	uint16_t op;
	int32_t fd;
	uint64_t since_ns;
	uint64_t deadline_ns;     /* 0: none */
};

/* What a process slept, by thread, operation and channel; `still`: an open wait is part of it. */
struct m_blocked {
	struct m_blocked *next;
	struct m_task *task;
	struct m_chan *chan; /* NULL: not known */
	uint16_t op;
	uint64_t total_slept_ns; /* finished sleeps */
	uint64_t longest_ns;
	uint64_t times;
	bool still;
	uint64_t still_since_ns;
};

struct m_loss {
	struct m_loss *next;
	uint32_t cause, where;
	uint64_t count;
};

/*
 * What was folded into totals, so that memory stays bounded. Of what is over (processes and threads
 * that ended, channels that are gone) the latest `keep` of each are kept whole, and four times as
 * many ends that were closed. Older ones are summed up: processes in one m_proc, channels in one
 * m_chan for each kind, threads of a process that lives in one m_task of it, each named
 * "(N folded)"; their flows and sleeps are added up likewise. Closed ends are only counted.
 *
 * It is done every so many events, never by time: equal streams fold alike.
 */
struct m_folded {
	uint64_t procs, tasks, chans, endpoints;
};
#define MODEL_KEEP 10000
#define MODEL_FOLDED_ID(kind) (UINT64_MAX - (kind)) /* m_chan.id of a sum */

struct model *model_new(void); /* NULL: no memory */
void model_free(struct model *m);
void model_reset(struct model *m); /* as if no event had been; keep, filter and witness stay */
void model_set_keep(struct model *m, uint64_t keep); /* MODEL_KEEP when not set; before the first event */

/*
 * Applies one event. Returns 0, -ENOMEM, or -EINVAL for one that does not make sense (the model
 * is then unchanged). Events whose channel or task was never announced are accepted: a
 * placeholder stands in.
 */
int model_apply(struct model *m, const struct ev_hdr *ev);

/*
 * The same, but what makes no sense becomes one more loss of cause bad-record: it is missing from
 * what is shown, so it is counted like any other. 0 or -ENOMEM.
 */
int model_apply_or_count(struct model *m, const struct ev_hdr *ev);

/*
 * Which operations count: `match` is asked for every EV_IO; those it declines still move data
 * between the matcher's queues, so that attribution stays right, but add nothing to any count,
 * flow (unless the other end of the transfer counts) or blocked row. NULL: all.
 */
void model_set_filter(struct model *m,
		      bool (*match)(const void *arg, const struct model *m, const struct ev_io *io),
		      const void *arg);

/*
 * Who is told of every attribution as it is made: of what *flow counts, `bytes` came with the read,
 * by its receiver, that returned at read_end_ns (reads that had to wait for their write to be seen
 * may have been merged with later ones). NULL: nobody.
 */
void model_set_witness(struct model *m,
		       void (*witness)(void *arg, const struct m_flow *flow, uint64_t read_end_ns,
				       uint64_t bytes),
		       void *arg);

const struct m_proc *model_procs(const struct model *m);
const struct m_chan *model_chans(const struct model *m);
const struct m_flow *model_flows(const struct model *m);   /* includes those from and to "?" */
const struct m_wait *model_waits(const struct model *m);
const struct m_blocked *model_blocked(const struct model *m);
const struct m_loss *model_losses(const struct model *m);
struct m_folded model_folded(const struct model *m);

const struct m_proc *model_proc(const struct model *m, uint32_t pid); /* the living, else the last; or NULL */
const struct m_task *model_task(const struct model *m, uint32_t tid);
const struct m_chan *model_chan(const struct model *m, uint64_t id);

uint64_t model_now_ns(const struct model *m);   /* the latest time any event spoke of */
uint64_t model_first_ns(const struct model *m); /* the earliest */
uint64_t model_ops(const struct model *m);      /* EV_IO applied, filtered or not */

/*
 * How full a channel is: so much of so much. False: not known, or it is of a kind that has no limit of
 * its own that a share could be of. (A socket's buffers count the kernel's memory, headers and all, and
 * not what was written.)
 */
enum m_fill_unit {
	FILL_BYTES,    /* pipe, FIFO, System V queue. A pipe is made of pages, which may be left in part: it
			  may be full with fewer */
	FILL_MESSAGES, /* POSIX queue */
	FILL_PAGES,    /* pipe, FIFO that packets lie in, or in which the kernel was found to have so many */
};
struct m_fill {
	enum m_fill_unit unit;
	uint64_t inside, room; /* room is never 0; more than that may be inside when it was made smaller */
};
bool model_fill(const struct model *m, const struct m_chan *c, struct m_fill *f);

/* Everything above as canonical text, one object a line, sorted; for tests and bug reports. */
int model_dump(const struct model *m, FILE *out);

#endif
