/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names from /proc, where the probes have none. Everything here may fail because the process is
 * gone: the buffer is then "" and the result a negative errno.
 */
#ifndef IPCTAP_COLLECTOR_PROCFS_H
#define IPCTAP_COLLECTOR_PROCFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int procfs_exe(uint32_t pid, char *buf, size_t size);
int procfs_args(uint32_t pid, char *buf, size_t size);      /* argv, one blank between */
int procfs_cgroup(uint32_t pid, char *buf, size_t size);    /* path in the v2 hierarchy, else of the first */
int procfs_fd_path(uint32_t pid, int fd, char *buf, size_t size);

/* argv as the kernel lays it out, a NUL after each, to one blank between, in place. */
void procfs_join_args(char *args, size_t size);

/*
 * The FIFO at `path` as process `pid` would find it, relative paths from its descriptor `dirfd` or
 * its working directory (AT_FDCWD). On success its device as the kernel writes it (major << 20 |
 * minor), inode and whole path; -ENOTSUP when it is no FIFO.
 */
int procfs_fifo(uint32_t pid, int dirfd, const char *path, uint32_t *dev, uint64_t *ino,
		char *whole, size_t size);

/* `size` bytes at `address` in the memory of `pid`, all or nothing. */
int procfs_read_memory(uint32_t pid, uint64_t address, void *buf, size_t size);

/* Calls each(arg, fd) for every descriptor that the epoll descriptor `epfd` of `pid` looks at. */
int procfs_epoll(uint32_t pid, int epfd, void (*each)(void *arg, int fd), void *arg);

/* The kernel's id of the eventfd at `fd`; -ENOTSUP: it is none. */
int procfs_eventfd(uint32_t pid, int fd, int32_t *id);

/* The string at `address` in the memory of `pid`, cut at size - 1. */
int procfs_read_string(uint32_t pid, uint64_t address, char *buf, size_t size);

/* The classic signals for which `pid` has handlers, "INT, TERM"; how many, 0 also when it cannot be told. */
int procfs_handlers(uint32_t pid, char *buf, size_t size);
/* Has it a handler for any signal at all? True also when it cannot be told. */
bool procfs_has_handlers(uint32_t pid);

/* The letter of a thread's state, as in its stat: 'R', 'S', 'Z' …; 0: there is no such thread. */
char procfs_state(uint32_t pid, uint32_t tid);

/* The kernel function in which a thread sleeps; "" when that is not told, or it runs. */
int procfs_wchan(uint32_t pid, uint32_t tid, char *buf, size_t size);

/*
 * Does it sleep for a page that somebody has to bring (userfaultfd)? What its call points to may be on
 * that page, and whoever reads it then sleeps too, deaf to every signal that does not kill.
 */
bool procfs_is_fetching(uint32_t pid, uint32_t tid);

/* The process of a thread: of its first one, its own id. 0: gone. */
uint32_t procfs_process(uint32_t tid);
/* The process that it comes from; 0: gone, or from none. */
uint32_t procfs_parent(uint32_t pid);

/* Calls each(arg, pid) for every child of `pid`. */
int procfs_children(uint32_t pid, void (*each)(void *arg, uint32_t pid), void *arg);

#endif
