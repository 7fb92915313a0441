/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside libripc: a thread's robust list (set_robust_list(2), Documentation/robust-futexes.rst), in
 * which its locks are while it has them, so that the kernel marks them when it ends.
 *
 * The C library registers one such list for each thread, for its own robust mutexes, and there can
 * be no second. Ours join it, always behind the library's: it puts its own in front, and when it
 * takes one out it reads that one's links and writes those of its neighbours. So the list is
 *
 *	head -> the library's mutexes, the latest first -> our locks, the latest first -> head
 *
 * The links of our locks lie in shared memory, where others may write anything. They are there for
 * the kernel, whose walk at the thread's end bears with what it finds. We only ever write them: which
 * locks the thread has, and in what order, is kept in its own memory. (The library's mutexes are
 * followed, as the library itself does when it takes one out. A second libripc in the process, say
 * a preloaded one, takes the locks of this one for the library's; and has its own only within a call.)
 */
#ifndef RIPC_ROBUST_H
#define RIPC_ROBUST_H

#include <linux/futex.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/ripc/object.h"

/* The kernel finds the futex so far in front of a link; a pending link is not followed. */
#define RIPC_LINK_OFFSET 32
static inline struct robust_list *ripc_link_of(_Atomic uint32_t *futex)
{
	return (struct robust_list *)(void *)((char *)futex + RIPC_LINK_OFFSET);
}

/* The kernel reads the list when we die, between any two instructions: keep stores in order. */
#define ripc_barrier() __asm__ volatile("" ::: "memory")

/*
 * Locks that a thread may have at once. The kernel looks at ROBUST_LIST_LIMIT (2048) of a list, the
 * library's mutexes among them: what comes behind would not be marked.
 */
#define RIPC_HELD_MOST 1024u
#define RIPC_HELD_FEW 12u  /* in the thread's own memory; for more, some is allocated */
#define RIPC_HELD_SPARE 4u /* that libripc itself takes inside of those of its users */

/* The calling thread's locks, in the order in which it took them. */
struct ripc_held {
	unsigned n;
	struct ripc_lock *few[RIPC_HELD_FEW];
	struct ripc_lock **more; /* from number RIPC_HELD_FEW on; lost if the thread ends with them */
};

/* The calling thread's. All 0 until it has used a lock, and in a child of fork. */
#define RIPC_TLS __thread __attribute__((tls_model("initial-exec"), visibility("hidden")))
extern RIPC_TLS struct robust_list_head *ripc_robust;
extern RIPC_TLS uint32_t ripc_my_tid;
extern RIPC_TLS struct ripc_held ripc_held;

uint32_t ripc_tid(void);
void ripc_thread_forget(void);
/* 0, or -ENOSYS when the C library's robust list is not laid out as ours must be. */
int ripc_lock_is_possible(void);

/*
 * Room for one more, and RIPC_HELD_SPARE others: 0, -ENOLCK when there would be too many, -ENOMEM.
 * Whoever takes a lock for a user asks first; libripc's own, inside of that, have their room.
 */
int ripc_held_make_room(void);
static inline int ripc_held_ask(void)
{
	return __builtin_expect(ripc_held.n + RIPC_HELD_SPARE >= RIPC_HELD_FEW, 0)
		       ? ripc_held_make_room()
		       : 0;
}

bool ripc_held_has(const struct ripc_lock *l);

/* The lock is the caller's: its word says so. To be called under list_op_pending. */
void ripc_held_add_slow(struct ripc_lock *l);
/* false when it is not the caller's, whatever its word says. */
bool ripc_held_remove_slow(struct ripc_lock *l);

/* The only one, and no mutex of the library: nearly always. */
static inline void ripc_held_add(struct ripc_lock *l)
{
	struct robust_list *head = &ripc_robust->list;
	if (__builtin_expect(ripc_held.n || head->next != head, 0)) {
		ripc_held_add_slow(l);
		return;
	}
	l->next = (uint64_t)(uintptr_t)head;
	ripc_barrier();
	head->next = ripc_link_of(&l->word);
	ripc_held.few[0] = l;
	ripc_barrier(); /* for signal handlers */
	ripc_held.n = 1;
}

static inline bool ripc_held_remove(struct ripc_lock *l)
{
	struct robust_list *head = &ripc_robust->list;
	if (__builtin_expect(ripc_held.n != 1 || ripc_held.few[0] != l ||
				     head->next != ripc_link_of(&l->word),
			     0))
		return ripc_held_remove_slow(l);
	ripc_held.n = 0;
	ripc_barrier();
	head->next = head;
	return true;
}

#endif
