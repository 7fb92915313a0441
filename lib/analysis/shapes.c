// SPDX-License-Identifier: GPL-2.0-or-later
/* The usual causes: a table of shapes, the first that fits speaks. */
#include <stdio.h>
#include <string.h>

#include "explain.h"
#include "judge.h"
#include "lib/base/escape.h"

#define BIT(wait) (1u << (wait))
#define LOCKS                                                                                      \
	(BIT(WG_MUTEX) | BIT(WG_RWLOCK) | BIT(WG_STDIO) | BIT(WG_POSIX_SEM) | BIT(WG_FILE_LOCK) |  \
	 BIT(WG_SEM))
#define SPEAK (BIT(WG_READ) | BIT(WG_POLL) | BIT(WG_ACCEPT) | BIT(WG_MSG_RECV))
#define STREAM (BIT(WG_READ) | BIT(WG_WRITE) | BIT(WG_POLL))
#define CHILD (BIT(WG_CHILD) | BIT(WG_VFORK))
#define BESIDE (LOCKS | CHILD | BIT(WG_JOIN) | BIT(WG_SIGNAL)) /* who is drawn in by waiting for those */
#define OWNED (LOCKS & ~BIT(WG_POSIX_SEM)) /* it is known who has it */
#define INSIDE (BIT(WG_POSIX_SEM) | BIT(WG_COND) | BIT(WG_FUTEX) | BIT(WG_JOIN)) /* threads for each other */
#define ANYTHING (~0u)

/* PROVEN: of a semaphore in memory that is so only of all who have the memory; who posts is not known then. */
enum { SELF = 1, ORPHANED = 2, CYCLE = 4, SAME_CHAN = 8, PROVEN = 16 };

struct shape {
	unsigned int only; /* the core waits in nothing but these … */
	unsigned int all;  /* … and in each of these at least once */
	unsigned int form; /* and has these forms */
	const char *cause, *cure;
};

static const struct shape shapes[] = {
	/* alone */
	{ BIT(WG_READ), 0, SELF | CYCLE,
	  "It waits for the end of file of a channel whose other end it holds itself; nobody else has it.",
	  "Close the write end in the process that reads, right after fork." },
	{ BIT(WG_WRITE), 0, SELF | CYCLE,
	  "It writes into a full channel that only it itself could read.",
	  "Close the read end in the process that writes, or read before writing on." },
	{ BIT(WG_MUTEX), 0, SELF | CYCLE, "It locks a mutex that it has locked already.",
	  "Unlock before locking again, or make the mutex recursive." },
	{ BIT(WG_JOIN), 0, SELF | CYCLE, "It waits for its own end.",
	  "Do not join the thread itself." },
	{ BIT(WG_MSG_SEND), 0, SELF | CYCLE,
	  "It sends to a full queue that only it itself receives from.",
	  "Receive before sending on, or let another thread receive." },
	/* nobody left */
	{ BIT(WG_MUTEX), 0, ORPHANED, "The owner of the mutex is gone and never unlocked it.",
	  "Make the mutex robust and handle EOWNERDEAD; in a forked child use no lock that another "
	  "thread may hold at the fork (pthread_atfork)." },
	{ BIT(WG_COND), 0, ORPHANED,
	  "Nobody is left who could signal the condition: that was done before it waited, or who should is gone.",
	  "Test the predicate under the mutex before waiting, and signal after changing it." },
	{ LOCKS, 0, ORPHANED, "Who held the lock is gone and never gave it back.",
	  "Release it on every way out; SEM_UNDO or a robust lock does so when a process dies." },
	{ BIT(WG_MSG_RECV), 0, ORPHANED, "It waits for a message that nobody sends.",
	  "Send that type, ask for type 0, or give the call a time limit." },
	{ BIT(WG_MSG_SEND), 0, ORPHANED, "The queue is full and nobody receives from it.",
	  "Start the receiver, empty the queue, or use IPC_NOWAIT." },
	{ BIT(WG_OPEN), 0, ORPHANED, "It opens a FIFO that nobody opens from the other side.",
	  "Start the other side, or open with O_RDWR or O_NONBLOCK." },
	{ BIT(WG_SIGNAL), 0, ORPHANED,
	  "Everything else waits for this one, and it waits for a signal.",
	  "Send the signal, or let it close the ends it does not use." },
	/* cycles */
	{ BIT(WG_WRITE), 0, CYCLE, "Each fills a channel that the next should read, and nobody reads.",
	  "Read while writing: poll both directions, or let a thread of its own do one of them." },
	{ BIT(WG_MSG_SEND), 0, CYCLE, "Each sends to a full queue that the next should receive from.",
	  "Receive before sending on, or use IPC_NOWAIT and back off." },
	{ BIT(WG_OPEN), 0, CYCLE, "FIFOs are opened in opposite order: each waits for the partner of another.",
	  "Open them in the same order on both sides, or with O_RDWR." },
	{ BIT(WG_FILE_LOCK), 0, CYCLE | SAME_CHAN,
	  "Several hold the same lock shared and each wants it exclusive.",
	  "Take it exclusive from the start, or release it before asking for more." },
	{ BESIDE | INSIDE, BIT(WG_POSIX_SEM), CYCLE | PROVEN,
	  "Each waits for a semaphore or for another's end, and all who could post or end wait themselves.",
	  "Where it serves as a lock: take locks in one order, and join nobody while holding one. Else one "
	  "of them owes a post before it waits." },
	{ LOCKS, 0, CYCLE, "Locks are taken in different orders: each holds what the next wants.",
	  "Take them in one order everywhere, or all at once, or try and back off." },
	{ BIT(WG_JOIN), 0, CYCLE, "Threads wait for each other's end.",
	  "Let one thread join the others." },
	{ LOCKS | BIT(WG_JOIN), BIT(WG_JOIN), CYCLE,
	  "A thread is waited for by whoever holds the lock that it needs to end.",
	  "Release the lock before joining." },
	{ BESIDE | BIT(WG_COND), BIT(WG_COND), CYCLE,
	  "A condition variable is waited on by all who could signal it, or who hold a lock that those need.",
	  "Test the predicate under the mutex before waiting, signal after changing it, and hold no "
	  "second lock while waiting." },
	{ CHILD | STREAM, BIT(WG_VFORK), CYCLE,
	  "A vfork parent is suspended until the child execs or exits, and the child waits for the parent.",
	  "Do nothing in a vfork child but exec or _exit; use fork otherwise." },
	{ OWNED | CHILD, BIT(WG_CHILD), CYCLE,
	  "Whoever holds a lock waits for a child to exit that needs it, itself or through others.",
	  "Release the lock before waiting for the child; where locks nest, take them in one order everywhere." },
	{ CHILD | STREAM | INSIDE, BIT(WG_READ) | BIT(WG_WRITE), CYCLE,
	  "One waits to read what the other will not write while its own output lies unread.",
	  "Read all its outputs at once (poll, or communicate()), and read while writing." },
	{ CHILD | STREAM | INSIDE, BIT(WG_CHILD) | BIT(WG_WRITE), CYCLE,
	  "It waits for a child to exit that waits for somebody to read its output.",
	  "Read until end of file first, then wait." },
	{ CHILD | STREAM, BIT(WG_CHILD), CYCLE,
	  "It waits for a child to exit that waits for it to write or to close.",
	  "Close the pipe to the child before waiting for it." },
	{ STREAM | BIT(WG_ACCEPT), BIT(WG_ACCEPT), CYCLE,
	  "One waits for a place in the backlog of another that does not accept, as it waits for the first.",
	  "Accept before waiting for anything else, or connect with a time limit." },
	{ STREAM | BIT(WG_URING), BIT(WG_URING), CYCLE,
	  "Requests of an io_uring wait for what only the next one's reading or writing would bring.",
	  "Keep reads under way while writing, or give the wait a time limit." },
	{ SPEAK, 0, CYCLE, "Each waits for the other to speak.",
	  "Nothing is amiss if they are idle; else one owes a message: flush it, or end the "
	  "connection with a time limit." },
	{ BESIDE | BIT(WG_RWLOCK), BIT(WG_RWLOCK), CYCLE,
	  "A read-write lock is wanted by one who has it already, or for whom its holders wait.",
	  "Do not take it for reading twice where writers come first, and hold it for no wait." },
	{ BESIDE | BIT(WG_BARRIER), BIT(WG_BARRIER), 0, "Fewer arrive at the barrier than it was made for.",
	  "Make it for as many threads as come, and let none leave before." },
	/* whatever it is */
	{ ANYTHING, 0, ORPHANED, "Nobody is left who could end the wait.",
	  "Let whoever leaves release what it holds, or give the call a time limit." },
	{ ANYTHING, 0, CYCLE, "Each holds or owes what the next one waits for.",
	  "Break the circle at one place: another order, a time limit, or a thread of its own." },
	{ ANYTHING, 0, 0, "It waits for what nobody gives.", "Give the call a time limit." },
};

static const struct shape *shape_of(const struct solution *s, const struct wg_finding *f)
{
	const struct wg_thread *first = waitgraph_thread(s->graph, f->core[0]);
	unsigned int waits = 0, form = f->ncycle ? CYCLE : ORPHANED;
	bool self = true, same_chan = first->chan != 0;

	for (uint32_t i = 0; i < f->ncore; i++) {
		const struct wg_thread *t = waitgraph_thread(s->graph, f->core[i]);

		waits |= BIT(t->wait);
		self = self && t->tid == first->tid;
		same_chan = same_chan && t->chan == first->chan;
	}
	/* two threads of one process that share a lock are not one that locks twice */
	form |= (self ? SELF : 0) | (same_chan && f->ncore > 1 ? SAME_CHAN : 0) |
		(f->verdict == WG_PROVEN ? PROVEN : 0);
	for (const struct shape *x = shapes;; x++)
		if (!(waits & ~x->only) && (waits & x->all) == x->all && !(x->form & ~form))
			return x;
}

/* "tail[12], cat[13]": those who have the end by accident. */
static void name_heirs(const struct solution *s, const struct wg_finding *f, char *buf, size_t size)
{
	size_t n = 0;

	buf[0] = 0;
	for (uint32_t i = 0; i < f->nheirs && n < size; i++) {
		uint32_t t = waitgraph_find(s->graph, f->heirs[i]);
		char comm[ESCAPE_SIZE(EV_COMM_LEN)] = "?";

		if (t != WG_NONE)
			escape_text(comm, sizeof(comm), waitgraph_thread(s->graph, t)->comm,
				    EV_COMM_LEN);
		n += (size_t)snprintf(buf + n, size - n, "%s%s[%u]", i ? ", " : "", comm, f->heirs[i]);
	}
}

static const char *root_words(const struct solution *s, const struct wg_finding *f,
			      char buf[static EXPLAIN_LEN])
{
	uint32_t chain[64], n = explain_chain(s, f->core[0], chain, 64);
	char name[EXPLAIN_NAME_LEN];
	const struct wg_thread *t;
	struct wg_step step;

	if (!n)
		return "It waits for somebody who can move.";
	t = waitgraph_thread(s->graph, chain[n - 1]);
	step = solution_step(s, chain[n - 1]);
	explain_name(t, name);
	if (step.runs)
		snprintf(buf, EXPLAIN_LEN, "It waits for %s, which is not waiting itself.", name);
	else
		snprintf(buf, EXPLAIN_LEN, "It waits for %s, which waits for %s.", name,
			 wg_wait_word(t->wait));
	return buf;
}

const char *explain_cause(const struct solution *s, const struct wg_finding *f,
			  char buf[static EXPLAIN_LEN])
{
	char names[EXPLAIN_LEN - 160];

	if (f->level == WG_SLOW)
		return root_words(s, f, buf);
	if (f->verdict == WG_QUIESCENT && !f->ncycle)
		return "It waits to be spoken to, as an idle server does, and the others wait for it.";
	if (f->level != WG_LEAK_SUSPECT || !f->nheirs)
		return shape_of(s, f)->cause;
	name_heirs(s, f, names, sizeof(names));
	snprintf(buf, EXPLAIN_LEN,
		 "The other end is held only by %s, which inherited it and never used it.", names);
	return buf;
}

const char *explain_cure(const struct solution *s, const struct wg_finding *f,
			 char buf[static EXPLAIN_LEN])
{
	buf[0] = 0;
	if (f->level == WG_SLOW)
		return "Look at the end of the chain: this is a wait, not a deadlock.";
	if (f->verdict == WG_QUIESCENT && !f->ncycle)
		return "Nothing is amiss if nobody has asked it for anything.";
	if (f->level == WG_LEAK_SUSPECT && f->nheirs)
		return "Open it close-on-exec (O_CLOEXEC), or close it in that process.";
	return shape_of(s, f)->cure;
}
