/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who waits for what, and who could give it: the picture of one instant that a snapshot fills in
 * and lib/analysis/solve.h judges. Pure data: no I/O, no clock.
 *
 * A thread that sleeps in a call has a *condition*, a monotone formula over
 *
 *     a thread or a process that may act      wg_thread_ref, wg_process_ref
 *     something outside that may happen       wg_outside
 *     somebody who is gone for good           wg_gone
 *     any of, all of, at least k of those     wg_any, wg_all, wg_at_least, and wg_add
 *
 * and cannot move unless it holds. The rule that keeps verdicts honest: what could not be found
 * out is WG_UNKNOWN, which may rescue; it is never left out. The graph helps to keep it:
 *
 *   - a gate to which nothing was added counts as WG_UNKNOWN, not as false: only wg_gone is false;
 *   - a process or thread that was referred to and never added counts as WG_UNKNOWN;
 *   - a thread that waits and was given no condition counts as WG_UNKNOWN.
 *
 * Conditions are shared: make the gate "whoever holds the write end of this pipe" once, and give
 * it to every reader. Building is linear in what is added, and so is solving.
 *
 *     g = waitgraph_new();
 *     c = wg_chan(g, &(struct wg_chan){ .kind = KIND_PIPE, .ident = "pipe:[54520]" });
 *     writers = wg_any(g);
 *     wg_add_holder(g, writers, c, 17, 4, WG_END_WRITE, 0);      for each fd of the write end
 *     if (seen < pipe_writers)
 *             wg_add(g, writers, wg_outside(g, WG_HIDDEN, "1 write end is in no fd table"), 1);
 *     wg_thread(g, &(struct wg_thread){ .pid = 16, .tid = 16, .wait = WG_READ, .chan = c,
 *                                      .condition = writers, .call = "read(3)", … });
 *     wg_thread(g, &(struct wg_thread){ .pid = 17, .tid = 17, .wait = WG_RUNS, … });
 *
 * Add *every* thread of every process that is referred to, also those that run or sleep in no
 * call of interest (WG_RUNS): a process may act when one of its threads may.
 *
 * Memory: when it runs out, waitgraph_failed is true, what was added last is missing, and the
 * graph must not be solved. Refs stay valid; nothing needs checking in between.
 */
#ifndef IPCTAP_ANALYSIS_WAITGRAPH_H
#define IPCTAP_ANALYSIS_WAITGRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/abi/event.h"

struct waitgraph;

/* A formula of a graph; 0 is none. */
typedef uint32_t wg_ref;

#define WG_CALL_LEN 96
#define WG_DETAIL_LEN 160

/* In what a thread sleeps. What it is called in words, and the usual cures, hang on it. */
enum wg_wait {
	WG_RUNS = 0,   /* not asleep, or asleep in nothing that anybody has to end: it may act */
	WG_READ,       /* pipe, FIFO or socket: nothing there */
	WG_WRITE,      /* pipe, FIFO or socket: no room */
	WG_OPEN,       /* FIFO open: no partner */
	WG_ACCEPT,     /* nobody connects; also connect to a full backlog */
	WG_POLL,       /* poll, select, epoll: nothing ready */
	WG_MSG_RECV,   /* message queue: nothing that is wanted */
	WG_MSG_SEND,   /* message queue: full */
	WG_SEM,        /* semop: too few units */
	WG_SEM_ZERO,   /* semop: wait for zero */
	WG_MUTEX,      /* normal, robust, PI */
	WG_RWLOCK,
	WG_COND,
	WG_POSIX_SEM,  /* sem_wait */
	WG_BARRIER,
	WG_STDIO,      /* the lock of a FILE */
	WG_FUTEX,      /* a futex whose use was not recognised; eventfd too */
	WG_FILE_LOCK,  /* flock, fcntl, OFD */
	WG_CHILD,      /* wait4, waitid */
	WG_VFORK,      /* vfork's and posix_spawn's parent */
	WG_JOIN,       /* pthread_join */
	WG_URING,      /* io_uring_enter, io_getevents */
	WG_SIGNAL,     /* pause, sigsuspend, sigwait */
	WG_SLEEP,      /* nanosleep: ends by itself */
	WG_STOPPED,    /* SIGSTOP, ptrace, a frozen cgroup */
	WG_TERMINAL,   /* read from a tty */
	WG_OTHER,      /* a call of which no more is known than its name */
	WG_WAIT_MAX
};

/* What outside of the threads seen may end a wait. */
enum wg_outside {
	WG_NEW = 1, /* a process that never had this object opens it by name or number */
	WG_HIDDEN,  /* a holder that is in no fd table: in flight in SCM_RIGHTS, fixed file, PID 1 */
	WG_SIG,     /* somebody sends a signal, or SIGCONT, or detaches a debugger */
	WG_TIMEOUT, /* a timer that is certain to fire */
	WG_REMOTE,  /* the other end is on another host, or is a device */
	WG_PERSON,  /* somebody types */
	WG_UNKNOWN, /* could not be found out */
	WG_OUTSIDE_MAX
};

enum wg_end { WG_END_READ = 1, WG_END_WRITE = 2, WG_END_BOTH = 3 };

/* Flags of an edge (wg_add_holder) */
#define WG_IDLE_HEIR 0x01 /* inherited this end and never used it: a leak, if it is all that rescues */
#define WG_GUESSED 0x02   /* deduced from history or sempid, not told by the kernel */

/* What is waited on. Text is hostile; kernel pointers do not go in here. */
struct wg_chan {
	uint16_t kind; /* enum ipctap_kind; KIND_NONE: none that the tables name */
	char ident[EV_IDENT_LEN]; /* "pipe:[54520]", "futex 7f00dc001000", "sem 3" */
	char name[EV_NAME_LEN];   /* what people call it; may be empty */
	char detail[WG_DETAIL_LEN]; /* its state: "65536 bytes, full", "semval 0 of #2"; may be empty */
};

struct wg_thread {
	uint32_t pid, tid; /* of the initial pid namespace */
	uint32_t ppid;
	char comm[EV_COMM_LEN];
	uint64_t start_ns;    /* with tid its identity */
	uint64_t switches;    /* nvcsw + nivcsw: equal in two passes means that it slept all the while */
	enum wg_wait wait;
	bool quiet;           /* waits for somebody to speak, nothing is buffered, and that is how an
	                         idle program looks: recv, accept, poll, epoll, an idle server's msgrcv */
	wg_ref condition;     /* unless WG_RUNS */
	uint32_t chan;        /* from wg_chan; 0: none */
	int32_t fd;           /* -1: the call has none */
	uint64_t since_ns;    /* asleep since; 0: not known */
	uint64_t deadline_ns; /* 0: none. The condition must have WG_TIMEOUT as well */
	char call[WG_CALL_LEN];     /* "read(3)", "pthread_mutex_lock" */
	char detail[WG_DETAIL_LEN]; /* "owner 16551 is dead", "SIGTERM has a handler"; may be empty */
};

/* An end of a channel that a process holds; comes out of wg_add_holder. */
struct wg_holder {
	uint32_t chan;
	uint32_t pid;
	int32_t fd; /* -1: a mapping, or a lock */
	uint8_t end; /* enum wg_end */
	uint8_t flags;
};

struct waitgraph *waitgraph_new(void);
void waitgraph_free(struct waitgraph *g);
bool waitgraph_failed(const struct waitgraph *g);

/* ---- building ---- */

/* Copies *c. Returns its number, from 1 up. */
uint32_t wg_chan(struct waitgraph *g, const struct wg_chan *c);

/* Copies *t. Returns its index (threads count from 0). A tid that is there already is replaced. */
uint32_t wg_thread(struct waitgraph *g, const struct wg_thread *t);

/* True when the thread, or some thread of the process, may act. It may be added later. */
wg_ref wg_thread_ref(struct waitgraph *g, uint32_t tid);
wg_ref wg_process_ref(struct waitgraph *g, uint32_t pid);

/* `why` is copied: "timeout 30 s", "peer 10.0.0.7:5432", "mutex owner 993 is in no table". */
wg_ref wg_outside(struct waitgraph *g, enum wg_outside what, const char *why);

/* Never. `why` is copied: "owner 1234 is dead". Only for what is known for certain. */
wg_ref wg_gone(struct waitgraph *g, const char *why);

wg_ref wg_any(struct waitgraph *g);
/* An empty one counts as WG_UNKNOWN too: leave out the gate when there is nothing to wait for. */
wg_ref wg_all(struct waitgraph *g);
/* True when the weights of what holds in it come to `k` or more. */
wg_ref wg_at_least(struct waitgraph *g, uint64_t k);

/* Puts `part` into `gate`. Weights count in wg_at_least only, where one of 0 never helps. */
void wg_add(struct waitgraph *g, wg_ref gate, wg_ref part, uint32_t weight);
/* The same with wg_process_ref(pid), remembering by what it holds the channel. */
void wg_add_holder(struct waitgraph *g, wg_ref gate, uint32_t chan, uint32_t pid, int32_t fd,
		   enum wg_end end, uint8_t flags);

/*
 * Counts of what the snapshot could not read (threads, tables); shown with every verdict. The sum
 * is "lost" in the JSON.
 */
void wg_lost(struct waitgraph *g, uint64_t count, const char *what);

/* ---- reading ---- */

uint32_t waitgraph_threads(const struct waitgraph *g);
const struct wg_thread *waitgraph_thread(const struct waitgraph *g, uint32_t index);
/* UINT32_MAX when it is not there. */
uint32_t waitgraph_find(const struct waitgraph *g, uint32_t tid);
const struct wg_chan *waitgraph_chan(const struct waitgraph *g, uint32_t chan); /* 0: NULL */
uint32_t waitgraph_holders(const struct waitgraph *g);
struct wg_holder waitgraph_holder(const struct waitgraph *g, uint32_t index);
uint64_t waitgraph_lost(const struct waitgraph *g);
/* The i-th of wg_lost, NULL behind the last. */
const char *waitgraph_lost_what(const struct waitgraph *g, uint32_t i, uint64_t *count);

/*
 * Lets every thread of `now` move that is not proven to have slept since `before`: other
 * start_ns, other switches, not asleep then. Returns how many it let go. Take the passes at least
 * 100 ms apart and confirm before solving `now`; solve_confirmed in solve.h does more.
 */
uint32_t waitgraph_confirm(struct waitgraph *now, const struct waitgraph *before);

/* Names for people: "a pipe read", "a mutex"; "timeout", "newcomer". Never NULL. */
const char *wg_wait_word(enum wg_wait w);
const char *wg_outside_word(enum wg_outside o);

/*
 * As text and back, so that a trace can carry the graph and give the verdict it gave live. Load
 * takes anything: what is malformed or of another version gives NULL. Returns 0 or -errno.
 */
int waitgraph_save(const struct waitgraph *g, FILE *out);
struct waitgraph *waitgraph_load(const char *text, size_t size);

#endif
