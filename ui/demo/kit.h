/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the workloads are made of. A workload's start() makes its channels, spawns its workers
 * and closes its own ends; the supervisor in demo.c waits for the workers. Workers exit by
 * themselves when their senders have sent enough and the end has come through the channels.
 *
 * Everything a worker reports goes through memory shared with the supervisor, never through a
 * channel, so that a workload's channels carry its messages and nothing else.
 */
#ifndef IPCTAP_UI_DEMO_KIT_H
#define IPCTAP_UI_DEMO_KIT_H

#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/un.h>

#include "lib/abi/event.h"

#define DEMO_WORKERS_MAX 64
#define DEMO_SYSV_MAX 8
#define DEMO_NAMES_MAX 8
#define DEMO_POSIX_MAX 4
#define DEMO_NAME_MAX 32 /* of a file in the run's folder */

/* What went through all channels of one kind; in shared memory, changed atomically. */
struct demo_tally {
	uint64_t sent, bytes;         /* by the senders */
	uint64_t received, got_bytes; /* by the receivers */
	uint64_t ops;                 /* semaphores, locks: operations finished */
};

struct demo_run {
	/* how much; set before the first start() */
	uint64_t count;       /* messages from each sender; 0: until deadline_ns */
	uint64_t gap_ns;      /* from one message of a sender to its next; 0: none */
	uint64_t deadline_ns; /* senders stop (CLOCK_MONOTONIC) */

	/* what must be cleaned up; grows during start() */
	char dir[64]; /* the folder of sockets and FIFOs; "" until demo_path() makes it */
	char names[DEMO_NAMES_MAX][DEMO_NAME_MAX];
	int nnames;
	struct {
		int kind; /* KIND_MSG, KIND_SEM or KIND_SHM */
		int id;
	} sysv[DEMO_SYSV_MAX];
	int nsysv;
	void (*at_end)(void); /* NULL, or what else there is to clean up */
	char posix[DEMO_POSIX_MAX][DEMO_NAME_MAX]; /* of shared memory and semaphores */
	int nposix;

	pid_t workers[DEMO_WORKERS_MAX]; /* 0: gone */
	int nworkers;
	sigset_t worker_mask; /* the signal mask we were started with */

	struct demo_tally *tally; /* [KIND_MAX], shared */
};

typedef void (*demo_worker)(struct demo_run *run, const int *fds);

/*
 * Forks a worker with the name `name`: it calls fn(run, fds) and exits with 0. It dies with us.
 * `fds` are numbers for fn, ended by -1 where it closes them all. Returns 0 or a negative errno.
 */
int demo_spawn(struct demo_run *run, const char *name, demo_worker fn, const int *fds);
void demo_close(const int *fds); /* every one up to -1 */
/* Two pipes, ended by -1: fds[0] and [2] to read, [1] and [3] to write. Returns 0 or a negative errno. */
int demo_two_pipes(int fds[5]);

/* A path in the run's folder, removed at the end. NULL, with errno: no such folder can be made. */
const char *demo_path(struct demo_run *run, const char *name, char buf[PATH_MAX]);
/* The same as a socket address. Returns 0 or a negative errno. */
int demo_address(struct demo_run *run, const char *name, struct sockaddr_un *addr);

/* A name for shm_open or sem_open, removed at the end. NULL: there are too many, or it is too long. */
const char *demo_posix(struct demo_run *run, const char *name, char buf[DEMO_NAME_MAX]);

/* Has the object removed at the end; passes `id` through, -errno when it is -1. */
int demo_owns(struct demo_run *run, int kind, int id);
void demo_cleanup(struct demo_run *run);

/* ---- in workers ---- */

/* True while this sender should send another; waits for its turn. Starts zeroed. */
struct demo_pace {
	uint64_t sent, next_ns;
};
bool demo_turn(const struct demo_run *run, struct demo_pace *pace);

void demo_sent(struct demo_run *run, int kind, size_t bytes);
void demo_got(struct demo_run *run, int kind, size_t bytes);
void demo_op(struct demo_run *run, int kind);

/* Ends the worker, and with it the run: "ipctap demo: pl-sink: read: …". */
void demo_die(const char *what) __attribute__((noreturn));

/* First in a child of `parent`: it does not outlive it, and is called `name`. */
void demo_child(pid_t parent, const char *name);

/*
 * A socket of `type` connected to where `server` is bound: a client knows a server by its address
 * alone, so our copy of the server's socket, which has it, is closed.
 */
int demo_connect_to(int server, int type);

/* One whole message in one call; dies of anything else. */
void demo_write(struct demo_run *run, int kind, int fd, const void *buf, size_t size);
/* The same from a stream or a pipe whose messages have one size. False: end of file. */
bool demo_read(struct demo_run *run, int kind, int fd, void *buf, size_t size);

/* Readable payload of `size` bytes: "NAME 000017 ....". */
void demo_fill(char *buf, size_t size, const char *name, uint64_t n);

#endif
