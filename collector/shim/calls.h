/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is noted before and after a call, for those calls that a program may make by libc's name for them
 * or by their number (direct.c). Each pair brackets the call as shim.h says: where begin gives false,
 * there is nothing to tell, and end is not to be called. `ret` is the call's, -1 and errno for an error.
 */
#ifndef IPCTAP_SHIM_CALLS_H
#define IPCTAP_SHIM_CALLS_H

#include <poll.h>
#include <signal.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#include "collector/shim/shim.h"

/* ---- file.c: bytes ---- */

/* After shim_begin_fd: of several pieces, the first one's payload if it has all of it. */
void shim_end_iov(struct shim_op *o, int64_t ret, const struct iovec *iov, int n);

/* Bytes from one descriptor to another, either of which may be a channel. */
struct shim_two {
	struct shim_op o;
	struct shim_fd b;
	int fd_b;
	uint32_t flags_b;
	bool has_a, has_b;
};
bool shim_begin_two(struct shim_two *w, int a, int b, enum ipctap_op op, uint32_t dir_a, uint32_t dir_b);
void shim_end_two(struct shim_two *w, int64_t ret);
bool shim_begin_vmsplice(struct shim_op *o, int fd); /* ended by shim_end_bytes */

/* ---- descriptor.c: descriptors come and go ---- */

/* Only of FIFOs; the folder that the path is relative to. */
bool shim_begin_mknod(struct shim_op *o, mode_t mode, enum ipctap_op op);
void shim_end_mknod(struct shim_op *o, int ret, int dir, const char *path);

/* After shim_begin_none: two descriptors of one object, or its two ends; what was opened. */
void shim_end_pair(struct shim_op *o, int ret, const int fds[2]);
void shim_end_open(struct shim_op *o, int fd, const char *path);

/* After shim_begin_fd; where that says no, shim_fd_forget what came of it. */
void shim_end_dup(struct shim_op *o, int ret);

/* What the new number stood for is closed on the way. End it whenever begin gave true. */
struct shim_dup_to {
	struct shim_op o;
	struct shim_thread *t;
	bool is_ours;
	uint64_t replaced;
};
bool shim_begin_dup_to(struct shim_dup_to *d, int from, int to, enum ipctap_op op);
void shim_end_dup_to(struct shim_dup_to *d, int ret, int from, int to);

bool shim_begin_fcntl(struct shim_op *o, int fd, int cmd, void *arg);
void shim_end_fcntl(struct shim_op *o, int ret, int cmd);
void shim_plain_fcntl(int fd, int cmd, void *arg, int ret); /* where begin gave false */

bool shim_begin_close(struct shim_op *o, int fd);
void shim_end_close(struct shim_op *o, int ret);

/* ---- sock.c ---- */

uint32_t shim_msg_flags(int flags, uint32_t dir); /* for shim_begin_fd */
void shim_end_msg(struct shim_op *o, int64_t ret, const void *addr, unsigned int len, const void *data);
void shim_end_msghdr(struct shim_op *o, int64_t ret, const struct msghdr *m, bool arrived);
void shim_end_mmsg(struct shim_op *o, int ret, struct mmsghdr *v, bool arrived);

/* Of domains that are none of ours, false; then shim_fd_forget what came of it. */
bool shim_begin_socket(struct shim_op *o, int domain, enum ipctap_op op);
void shim_end_socket(struct shim_op *o, int fd);

/* After shim_begin_fd. */
void shim_end_named(struct shim_op *o, int ret);
void shim_end_connect(struct shim_op *o, int ret, const void *addr, socklen_t len);
void shim_end_accept(struct shim_op *o, int ret);

/* ---- queue.c: POSIX queues; what is made ---- */

/* After shim_begin_none. */
void shim_end_made(struct shim_op *o, int fd, uint32_t flags);

uint64_t shim_until(const struct timespec *until); /* a deadline of CLOCK_REALTIME, as shim_call has it; 0: none */
/* After shim_begin_fd, or shim_begin_sysv_msg: a message, its priority or type. */
void shim_end_message(struct shim_op *o, int64_t ret, uint64_t bytes, int64_t prio, const void *data);

void shim_end_mq_unlink(struct shim_op *o, int ret, const char *name); /* after shim_begin_none */

/* ---- sysv.c ---- */

void shim_end_sysv_get(struct shim_op *o, int id, uint16_t kind); /* after shim_begin_none */
bool shim_begin_sysv_ctl(struct shim_op *o, uint16_t kind, int id, int cmd, enum ipctap_op op);
void shim_end_sysv_ctl(struct shim_op *o, uint16_t kind, int id, int ret);

bool shim_begin_sysv_msg(struct shim_op *o, int id, enum ipctap_op op, int flags);
/* m: the type, then n bytes */
void shim_end_sysv_msg(struct shim_op *o, int64_t ret, const void *m, size_t n);
bool shim_begin_semop(struct shim_op *o, int id, const struct sembuf *ops, size_t n, const struct timespec *timeout,
		      enum ipctap_op op); /* ended by shim_end */

/* ---- set.c: waits for any of several; ended by shim_end ---- */

uint64_t shim_of_ms(int ms); /* as timeout_ns below; so are the others */
uint64_t shim_of_timespec(const struct timespec *t);
uint64_t shim_of_timeval(const struct timeval *t);
bool shim_begin_poll(struct shim_op *o, const struct pollfd *fds, nfds_t n, enum ipctap_op op, uint64_t timeout_ns);
bool shim_begin_select(struct shim_op *o, int n, const fd_set *r, const fd_set *w, const fd_set *x, enum ipctap_op op,
		       uint64_t timeout_ns);
bool shim_begin_epoll(struct shim_op *o, int fd, enum ipctap_op op, uint64_t timeout_ns);

/* ---- signal.c, child.c, memory.c ---- */

bool shim_begin_send(struct shim_op *o, enum ipctap_op op, pid_t pid, int sig); /* pid 0: a group, or not known */
void shim_end_sent(struct shim_op *o, int ret);

bool shim_begin_wait(struct shim_op *o, enum ipctap_op op, pid_t pid, int options);
void shim_end_wait(struct shim_op *o, pid_t pid, const int *status);
void shim_end_waitid(struct shim_op *o, int ret, const siginfo_t *info);

/* Ended by shim_end, and by shim_end_bytes. */
bool shim_begin_flock(struct shim_op *o, int fd, int what);
bool shim_begin_process_vm(struct shim_op *o, pid_t pid, enum ipctap_op op, uint32_t dir);

#endif
