// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The start of every object's file, and what the parts of the core share. Only object.c, dir.c,
 * holder.c and the fork handlers look into it; all of it is hostile input (object.h).
 */
#ifndef RIPC_HEAD_PRIVATE_H
#define RIPC_HEAD_PRIVATE_H

#include <sched.h>
#if defined(__has_include) && defined(__has_builtin)
#if __has_include(<sys/rseq.h>) && __has_builtin(__builtin_thread_pointer)
#include <sys/rseq.h> /* glibc 2.35: the C library has told the kernel where to keep it */
#define RIPC_HAS_RSEQ 1
#endif
#endif

#include "object.h"

enum ripc_head_flags {
	RIPC_HEAD_KEEP = 1 << 0,
	RIPC_HEAD_UNLINKED = 1 << 1,
};

/* Native byte order: the objects of one machine. The body starts on a page of its own. */
struct ripc_head {
	uint64_t magic;
	uint32_t layout;
	uint32_t type;
	uint64_t body_off;
	uint64_t body_bytes;
	uint32_t nholders;
	_Atomic uint32_t flags;
	ripc_id creator;
	uint64_t pad[10];
	_Atomic ripc_id holders[]; /* nholders of them */
};
_Static_assert(sizeof(struct ripc_head) == 128, "layout 2");
_Static_assert(sizeof(struct ripc_head) + RIPC_HOLDERS_DEFAULT * 8 == 4096, "one page");

#define RIPC_NO_HOLDER UINT32_MAX
#define RIPC_COMPANION "+data" /* behind the name of the file that it belongs to */

/* 0, -EBADMSG or -EPROTONOSUPPORT: what the first bytes of a file of file_bytes say. */
int ripc_head_check(const struct ripc_head *h, uint64_t file_bytes, unsigned type);

/* The row taken for id, or -EUSERS; gives the rows of the dead to the living. */
int ripc_holder_claim(_Atomic ripc_id *rows, unsigned n, ripc_id id);
/* Those alive; the rows of the dead are emptied when sweep is set. */
unsigned ripc_holder_count(_Atomic ripc_id *rows, unsigned n, bool sweep);

/* Under ripc_dir_lock(): removes the file and its companion, if it is still (dev, ino). */
int ripc_file_unlink(int dirfd, const char *file, dev_t dev, ino_t ino);
/* Under ripc_dir_lock(): an existing file's head and holders, at most cap rows; or -errno. */
int ripc_file_read_head(int fd, unsigned type, struct ripc_head *h, size_t bytes);

/* What a child of fork forgets, or does again; robust.h has one more. */
void ripc_leaf_forked(void);
void ripc_id_forget(void);
bool ripc_tid_is_alive(uint32_t tid);

/* dir.c's mutex around fork */
void ripc_dir_fork_prepare(void);
void ripc_dir_fork_done(void);

/* The CPU that we are on, or RIPC_CPU_UNKNOWN. */
static inline int ripc_cpu(void)
{
#ifdef RIPC_HAS_RSEQ
	const struct rseq *r =
		(const void *)((const char *)__builtin_thread_pointer() + __rseq_offset);
	int cpu = (int)*(const volatile uint32_t *)&r->cpu_id; /* < 0: not registered */
#else
	int cpu = sched_getcpu();
#endif
	return cpu < 0 ? RIPC_CPU_UNKNOWN : cpu;
}

static inline void ripc_cpu_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

long ripc_futex_wait(_Atomic uint32_t *word, uint32_t value, int64_t deadline_ns);
long ripc_futex_wake(_Atomic uint32_t *word, int how_many);

#endif
