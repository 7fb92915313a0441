/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the cases of hangs.h are made of. A case is one function of hangs_cases.h: it runs in a worker
 * of its own, forks its members by hang_member(), and then waits for them as any parent would, which
 * makes it a victim. A member that gets past the call it should hang in exits, and the case is seen
 * to have failed. What cannot be made ends the worker by demo_die().
 */
#ifndef IPCTAP_UI_DEMO_HANGS_KIT_H
#define IPCTAP_UI_DEMO_HANGS_KIT_H

#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* ---- members ---- */

/* True in the new process, which is called `name` and dies with its parent. */
bool hang_member(const char *name);
extern pid_t hang_latest; /* the member forked last */

/* Where nobody should come. */
void hang_got_past(void) __attribute__((noreturn));
/* The end of a case whose worker is not itself a member. */
void hang_wait_for_all(void) __attribute__((noreturn));

pthread_t hang_thread(void *(*fn)(void *), void *arg);
void hang_rest_ms(long ms); /* signals do not cut it short */
void hang_must(bool good, const char *what); /* else demo_die(what), which tells errno */

/* Memory that members share, zeroed. */
void *hang_shared(size_t size);

/* Parties that must all have come so far before any goes on; starts zeroed, in memory they share. */
struct hang_meeting {
	int here;
};
void hang_meet(struct hang_meeting *m, int parties);

/* ---- channels ---- */

#define HANG_BIG (1u << 20) /* more than any pipe or socket here holds */
extern char hang_block[HANG_BIG];

void hang_pipe(int fds[2]);
void hang_fill(int fd);  /* writes HANG_BIG bytes */
void hang_drain(int fd); /* reads to the end of file */
void hang_unix_pair(int s[2], int type);
int hang_tcp_listener(void); /* on a port of its own of 127.0.0.1 */
void hang_epoll_one(int fd); /* epoll_wait for it to be readable, without end */

/* ---- what hang_start() makes before the case, as its row says, and removes however it ends ---- */

#define HANG_SEMS 3 /* in the set, all 1 */
extern int hang_sysv[2]; /* ids of the semaphores, or of one or two queues; -1: none */
extern char hang_fifo[2][PATH_MAX];

#endif
