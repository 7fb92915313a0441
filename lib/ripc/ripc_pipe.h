/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Anonymous pipes in shared memory, by the rules of POSIX (pipe(), read(), write(), fork()): bounded,
 * first in first out, two ends, inherited by children of fork(2). No syscall while nobody has to
 * sleep.
 *
 *   write   up to RIPC_PIPE_BUF bytes are never mixed with another writer's. With nobody left who
 *           could read: -EPIPE (and no SIGPIPE: libraries do not raise signals).
 *   read    waits for at least one byte; with nobody left who could write, and nothing in the pipe: 0.
 *   left    an end is held by every process that made or inherited it until it closes it, ends,
 *           is killed or execs; an end that a process has open twice counts until both are closed.
 *           A death is noticed by whoever waits, within RIPC_HEARTBEAT_NS (200 ms); a writer that
 *           always finds room learns of it when the pipe is full.
 *
 * Otherwise than POSIX: an end does not survive exec (as with O_CLOEXEC), non-blocking is a property
 * of each process's handle and not shared with children, signals do not interrupt a wait. CreatePipe
 * of ripc_win32.h makes kernel pipes, for programs that know nothing of libripc.
 *
 * Functions return 0 or more, or a negative errno. An end may be used by several threads; but in a
 * signal handler that interrupted the same call on it: -EDEADLK.
 */
#ifndef RIPC_PIPE_H
#define RIPC_PIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RIPC_PIPE_BUF 4096         /* POSIX PIPE_BUF, Linux's value */
#define RIPC_PIPE_DEFAULT 65536    /* bytes, as pipe(7) */
#define RIPC_PIPE_MAX (64u << 20)
#define RIPC_PIPE_PROCESSES 128    /* that can hold one end at once */

struct ripc_pipe_end;

/*
 * A pipe of `bytes` (0: RIPC_PIPE_DEFAULT; rounded up to RIPC_PIPE_BUF) and its two ends. -EINVAL:
 * more than RIPC_PIPE_MAX; -ENOMEM.
 */
int ripc_pipe_create(struct ripc_pipe_end **reader, struct ripc_pipe_end **writer, size_t bytes);

/* Once for each process that has the end, a forked child included. NULL is accepted. */
void ripc_pipe_close(struct ripc_pipe_end *end);

/* A second handle for the same end, as dup(2). -EUSERS: RIPC_PIPE_PROCESSES. */
int ripc_pipe_dup(struct ripc_pipe_end **copy, struct ripc_pipe_end *end);

/*
 * POSIX O_NONBLOCK. Reading: -EAGAIN when there is nothing but could be. Writing: up to
 * RIPC_PIPE_BUF bytes all or -EAGAIN; more, as many as fit, or -EAGAIN if none.
 */
void ripc_pipe_set_nonblock(struct ripc_pipe_end *end, bool nonblock);

/* -EBADF: the other kind of end. 0 bytes: 0, at once. */
ssize_t ripc_pipe_read(struct ripc_pipe_end *end, void *buf, size_t bytes);
ssize_t ripc_pipe_write(struct ripc_pipe_end *end, const void *buf, size_t bytes);

/* Bytes that could be read now (FIONREAD). */
ssize_t ripc_pipe_available(struct ripc_pipe_end *end);

#ifdef __cplusplus
}
#endif

#endif
