// SPDX-License-Identifier: LGPL-2.1-or-later
/* The thread's robust list, and which of our locks are in it (robust.h). */
#include "lib/ripc/robust.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(offsetof(struct ripc_lock, next) == RIPC_LINK_OFFSET, "where libc has its links");

RIPC_TLS struct robust_list_head *ripc_robust;
RIPC_TLS uint32_t ripc_my_tid;
RIPC_TLS struct ripc_held ripc_held;

/* ---- the thread ---- */

static void thread_learn(void)
{
	struct robust_list_head *head = NULL;
	size_t bytes = 0;
	if (syscall(SYS_get_robust_list, 0, &head, &bytes) == 0 && head &&
	    bytes == sizeof(*head) && head->futex_offset == -RIPC_LINK_OFFSET)
		ripc_robust = head;
	ripc_my_tid = (uint32_t)syscall(SYS_gettid);
}

uint32_t ripc_tid(void)
{
	if (!ripc_my_tid)
		thread_learn();
	return ripc_my_tid;
}

/* In a child of fork, whose list the library has emptied: what its parent has is not the child's. */
void ripc_thread_forget(void)
{
	ripc_my_tid = 0;
	ripc_robust = NULL;
	ripc_held.n = 0;
}

int ripc_lock_is_possible(void)
{
	ripc_tid();
	return ripc_robust ? 0 : -ENOSYS;
}

/* ---- its locks ---- */

int ripc_held_make_room(void)
{
	unsigned wanted = ripc_held.n + 1 + RIPC_HELD_SPARE;
	if (wanted <= RIPC_HELD_FEW)
		return 0;
	if (wanted > RIPC_HELD_MOST)
		return -ENOLCK;
	if (!ripc_held.more)
		ripc_held.more = calloc(RIPC_HELD_MOST - RIPC_HELD_FEW, sizeof(*ripc_held.more));
	return ripc_held.more ? 0 : -ENOMEM;
}

static struct ripc_lock **number(unsigned i)
{
	return i < RIPC_HELD_FEW ? &ripc_held.few[i] : &ripc_held.more[i - RIPC_HELD_FEW];
}

/* Its number, or n: looked for from the latest on. */
static unsigned find(const struct ripc_lock *l)
{
	for (unsigned i = ripc_held.n; i > 0; i--) {
		if (*number(i - 1) == l)
			return i - 1;
	}
	return ripc_held.n;
}

bool ripc_held_has(const struct ripc_lock *l) { return find(l) < ripc_held.n; }

/* ---- the list ---- */

static struct robust_list *link_of_number(unsigned i) { return ripc_link_of(&(*number(i))->word); }

/* Bit 0 says that what a link leads to is a PI mutex of the library. */
static struct robust_list *without_mark(struct robust_list *link)
{
	return (struct robust_list *)((uintptr_t)link & ~(uintptr_t)1);
}

/*
 * Where the link to the latest of ours is kept: by the last of the library's mutexes, or by the head.
 * latest: what it leads to, the head when there is none. NULL: there is no such link.
 */
static struct robust_list **link_to_ours(struct robust_list *latest)
{
	struct robust_list **link = &ripc_robust->list.next;
	for (int steps = 0; steps < ROBUST_LIST_LIMIT; steps++) {
		struct robust_list *to = without_mark(*link);
		if (to == latest)
			return link;
		if (!to || to == &ripc_robust->list)
			break;
		link = &to->next;
	}
	return NULL;
}

/* A signal handler that comes in between may use locks: the list is made first, and unmade last. */
void ripc_held_add_slow(struct ripc_lock *l)
{
	unsigned n = ripc_held.n;
	struct robust_list *latest = n ? link_of_number(n - 1) : &ripc_robust->list;
	struct robust_list **link = link_to_ours(latest);
	l->next = (uint64_t)(uintptr_t)latest;
	ripc_barrier();
	if (link)
		*link = ripc_link_of(&l->word);
	*number(n) = l;
	ripc_barrier();
	ripc_held.n = n + 1;
}

bool ripc_held_remove_slow(struct ripc_lock *l)
{
	unsigned i = find(l), n = ripc_held.n;
	if (i == n)
		return false;
	struct robust_list *before = i ? link_of_number(i - 1) : &ripc_robust->list;
	struct ripc_lock *after = i + 1 < n ? *number(i + 1) : NULL;
	for (unsigned k = i; k + 1 < n; k++)
		*number(k) = *number(k + 1);
	ripc_held.n = n - 1;
	ripc_barrier();
	if (after) {
		after->next = (uint64_t)(uintptr_t)before;
	} else {
		struct robust_list **link = link_to_ours(ripc_link_of(&l->word));
		if (link)
			*link = before;
	}
	if (ripc_held.more && ripc_held.n + RIPC_HELD_SPARE < RIPC_HELD_FEW) {
		free(ripc_held.more);
		ripc_held.more = NULL;
	}
	return true;
}
