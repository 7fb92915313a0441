/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The records of one pass, indexed, and the graph that is being made of them. Private to
 * collector/snap*; see snap.h.
 *
 *     snap_read.h   the records                 snap_fd.c     pipes, queues, devices
 *     snap_world.c  tables, holders             snap_sock.c   sockets
 *     snap_wait.c   one thread's call           snap_poll.c   poll, select, epoll
 *     snap_mem.c    memory, fdinfo, maps        snap_sysv.c   semop, msgsnd, msgrcv
 *                                               snap_futex.c  everything on a futex
 *                                               snap_lock.c   flock, fcntl
 *                                               snap_addr.c   unix addresses
 *                                               snap_uring.c  io_uring
 *                                               snap_glibc.c  rwlocks, conditions, sem_t by their layout
 *                                               snap_shim.c, snap_history.c  the same by what the shim keeps
 *                                               snap_task.c   children, vfork, signals, sleep
 *                                               snap_restart.c  calls that go on after a stop
 */
#ifndef IPCTAP_COLLECTOR_SNAP_WORLD_H
#define IPCTAP_COLLECTOR_SNAP_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/snap_index.h"
#include "collector/snap_mem.h"
#include "collector/snap_read.h"
#include "lib/abi/snap.h"
#include "lib/analysis/waitgraph.h"

#define SNAP_TABLE(type, name)                                                                     \
	const struct type **name;                                                                  \
	uint32_t n##name, room##name

/* A gate or channel that was made for an object, to be used again. */
struct snap_memo {
	uint64_t key;
	uint32_t value;
};

struct snap_world {
	struct waitgraph *g;
	struct snap_buf buf; /* the records, to which the tables point */
	bool whole;          /* of snap_reader */
	bool fetches;        /* a userfaultfd is among the files: threads may sleep for pages in any call */
	bool many_pidns;     /* tasks of more than one pid namespace are among them */
	bool ring_again;     /* while records are split: the ring was told before */
	bool failed;         /* out of memory */
	uint64_t now_ns;

	SNAP_TABLE(snap_task, tasks);
	SNAP_TABLE(snap_file, files);
	SNAP_TABLE(snap_pipe, pipes);
	SNAP_TABLE(snap_sock, socks);
	SNAP_TABLE(snap_mq, mqs);
	SNAP_TABLE(snap_lock, locks);
	SNAP_TABLE(snap_parcel, parcels);
	SNAP_TABLE(snap_sem, sems);
	SNAP_TABLE(snap_undo, undos);
	SNAP_TABLE(snap_msg, msgs);
	SNAP_TABLE(snap_ring, rings);
	SNAP_TABLE(snap_req, reqs);
	SNAP_TABLE(snap_hdr, cuts); /* tasks whose lists were longer than the iterators go */

	struct snap_index task_tid, task_pid, task_ppid, task_mm, task_files, task_undo, task_ns, task_tracer;
	struct snap_index file_fd;   /* by table of descriptors and number: snap_fd_key */
	struct snap_index file_obj, file_file;
	struct snap_index pipe_obj, sock_obj, sock_tuple, sock_peer, mq_obj, lock_obj;
	struct snap_index parcel_file, parcel_obj, sem_obj, undo_obj, msg_obj, cut_tid;
	struct snap_index ring_obj, req_ring, req_file, req_obj;
	uint8_t *busy;               /* of each file row: references that blocked calls account for */

	struct snap_memo *memo; /* open addressing; memo_room is a power of two */
	uint32_t nmemo, memo_room;
	struct snap_maps *maps;      /* shared mappings of the host; NULL: not read yet */
	struct snap_shim *shim;      /* what programs under the shim tell of themselves, as far as asked for */
};

/* Takes the buffer over. 0 or -ENOMEM; release it either way. */
int snap_world_init(struct snap_world *w, struct snap_buf *buf, bool whole);
void snap_world_release(struct snap_world *w);

/* ---- looking things up; NULL: not there ---- */

const struct snap_task *snap_task_of(const struct snap_world *w, uint32_t tid);
/* The row of descriptor `fd` as thread t has it; SNAP_NONE: there is none, or it cannot be waited for. */
uint32_t snap_fd_row(const struct snap_world *w, const struct snap_task *t, int fd);
const struct snap_pipe *snap_pipe_of(const struct snap_world *w, uint64_t obj);
const struct snap_sock *snap_sock_of(const struct snap_world *w, uint64_t obj);
/* The other end of a TCP or connected UDP socket, when it is a socket of this host. */
const struct snap_sock *snap_tuple_peer(const struct snap_world *w, const struct snap_sock *s);
/* The thread that pid namespace `pidns` knows as `tid`. */
const struct snap_task *snap_task_in(const struct snap_world *w, uint32_t pidns, uint32_t tid);

static inline uint64_t snap_fd_key(uint64_t files, int fd)
{
	return snap_mix(files, (uint32_t)fd);
}

/* ---- what was made for an object before ---- */

/* Where the value for (what, obj) is kept, 0 until it is set. Valid until the next call. */
uint32_t *snap_memo(struct snap_world *w, unsigned int what, uint64_t obj);
enum snap_memo_what {
	MEMO_HOLDERS = 1, /* gates: whoever holds the object; the mode above the lowest byte */
	MEMO_FILE,        /* whoever has the struct file */
	MEMO_MM,
	MEMO_MAPPERS,
	MEMO_RELATIVES,
	MEMO_CHAN,        /* channels */
	MEMO_FUTEX_CHAN,
	MEMO_SEM_CHAN,
	MEMO_LOCK,        /* (lock, tid): is in the condition */
	MEMO_ANON,        /* inode of anonymous files: was looked at */
	MEMO_RESTART,     /* function: 1 more than the number of the call; UINT32_MAX: not known */
};

/* ---- who holds what: gates ---- */

/* mode: FMODE bits of which a descriptor must have one; 0: any. Hidden ones are in it. */
wg_ref snap_holders(struct snap_world *w, uint64_t obj, uint32_t chan, unsigned int mode);
/* Of one struct file. */
wg_ref snap_file_holders(struct snap_world *w, uint64_t file, uint32_t chan);
/* Who has the descriptor of this row, or may take its struct file out of a socket or ring; mappings count as nobody. */
wg_ref snap_file_takers(struct snap_world *w, uint32_t row);
/* The threads of an address space. */
wg_ref snap_mm_tasks(struct snap_world *w, uint64_t mm);
/*
 * Its brothers and sisters and their children: who may well have used a System V object or FIFO that
 * this thread uses, as far as one can tell without history. 0: there is nobody.
 */
wg_ref snap_relatives(struct snap_world *w, const struct snap_task *t);

/* Those of its children that are not over, or the one that it knows as `pid` (0: any). 0: there is none. */
wg_ref snap_children(struct snap_world *w, const struct snap_task *t, uint32_t pid);

static inline wg_ref snap_unknown(struct snap_world *w, const char *why)
{
	return wg_outside(w->g, WG_UNKNOWN, why);
}

/* any(a, b), either of which may be 0 */
wg_ref snap_or(struct snap_world *w, wg_ref a, wg_ref b);

/* ---- one thread's call: fills `th` from wait down ---- */

struct snap_call {
	struct snap_world *w;
	const struct snap_task *t;
	struct wg_thread *th;
	bool told; /* who can end it the shim has told, or it is plain: nothing that only root sees bears on it */
};

/* True when the call was theirs. */
bool snap_wait_fd(struct snap_call *c);
bool snap_wait_poll(struct snap_call *c);
bool snap_wait_sysv(struct snap_call *c);
bool snap_wait_futex(struct snap_call *c);
bool snap_wait_lock(struct snap_call *c);
bool snap_wait_uring(struct snap_call *c);
bool snap_wait_task(struct snap_call *c);

/* In restart_syscall: the number of the call that goes on, whose arguments t has. -1: not known. */
int snap_restarted(struct snap_world *w, const struct snap_task *t);

/* The thread's record of the graph. */
void snap_wait(struct snap_world *w, const struct snap_task *t, struct wg_thread *th);

/* Conditions of a descriptor becoming readable or writable; sets *quiet when idle looks like that. */
wg_ref snap_readable(struct snap_world *w, const struct snap_task *t, uint32_t row, bool *quiet);
wg_ref snap_writable(struct snap_world *w, uint32_t row);
uint32_t snap_file_chan(struct snap_world *w, uint32_t row);

/* The same of a socket; what its connection is called, `ino` being the inode of this end. */
wg_ref snap_sock_readable(struct snap_world *w, const struct snap_sock *s, uint32_t chan, bool *quiet);
wg_ref snap_sock_writable(struct snap_world *w, const struct snap_sock *s, uint32_t chan);
void snap_sock_name(struct snap_world *w, const struct snap_sock *s, uint64_t ino, struct wg_chan *c);

/* Of connect, sendto and sendmsg: who may take what they bring to the address they name. 0: they name none. */
wg_ref snap_addressee(struct snap_call *c, const struct snap_sock *s);

/* A timeout that the call was given at a user address (0: none): adds it and the deadline. */
enum snap_time { SNAP_TIMESPEC, SNAP_TIMEVAL, SNAP_TIMESPEC_REALTIME, SNAP_TIMESPEC_MONOTONIC };
void snap_timeout(struct snap_call *c, uint64_t address, enum snap_time how);
void snap_timeout_ns(struct snap_call *c, uint64_t relative_ns);

/* How many references blocked calls hold on files: fills w->busy. */
void snap_count_busy(struct snap_world *w);

#endif
