/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The workloads, by family. Each start function makes the channels and the workers of one
 * workload and returns 0 or a negative errno; the supervisor cleans up either way.
 */
#ifndef IPCTAP_UI_DEMO_WORKLOADS_H
#define IPCTAP_UI_DEMO_WORKLOADS_H

#include "kit.h"

/* pipes.c */
int demo_pipeline(struct demo_run *run);
int demo_fifo(struct demo_run *run);
int demo_two_pipes_full(struct demo_run *run);

/* unix.c */
int demo_unix_server(struct demo_run *run);
int demo_unix_dgram(struct demo_run *run);
int demo_seqpacket(struct demo_run *run);

/* inet.c */
int demo_tcp(struct demo_run *run);
int demo_udp(struct demo_run *run);

/* sysv.c */
int demo_msgq(struct demo_run *run);
int demo_shm_ring(struct demo_run *run);

/* ripc_memory.c, ripc_pipes.c, ripc_sockets.c, ripc_objects.c: the programs of libripc's notes */
int demo_ripc_shm_letter(struct demo_run *run);
int demo_ripc_shm_letter_win32(struct demo_run *run);
int demo_ripc_msg_queue(struct demo_run *run);
int demo_ripc_create_pipe(struct demo_run *run);
int demo_ripc_named_pipe(struct demo_run *run);
int demo_ripc_named_pipe_tcp(struct demo_run *run);
int demo_ripc_sockets(struct demo_run *run);
int demo_ripc_objects(struct demo_run *run);
/* memory.c */
int demo_posix_shm(struct demo_run *run);
int demo_posix_sem(struct demo_run *run);
int demo_futex(struct demo_run *run);
int demo_process_vm(struct demo_run *run);

/* passing.c */
int demo_fd_passing(struct demo_run *run);

/* uring.c */
int demo_io_uring(struct demo_run *run);

/* posixmq.c, notify.c, pty.c */
int demo_posix_mq(struct demo_run *run);
int demo_eventfd(struct demo_run *run);
int demo_signals(struct demo_run *run);
int demo_locks(struct demo_run *run);
int demo_pty(struct demo_run *run);

#endif
