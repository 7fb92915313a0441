// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The core of libripc: a named, versioned, robust object in shared memory. Private to lib/ripc;
 * every mechanism is a body inside such an object, and a few rules about when to wait.
 *
 *   object   a file in the user's directory: open or create by name, close   object.c, object_head.c
 *   dir      where the files are; their names; one lock for coming and going   dir.c, dir_list.c
 *   holder   who has it open, counted in a way that survives kill -9                   holder.c
 *   lock     a mutex that the kernel marks when its owner dies               lock.c, robust.c
 *   leaf     the same for short sections, kept by who takes it again and again         leaf.h
 *   gate     sleeping until something may have changed, with a deadline                gate.c
 *   spin     looking for a while before that                                           spin.c
 *
 * Rules for a body
 *
 *   - It is hostile: any process that may write to it can put anything there, at any time. Read an
 *     index or a length once, into a local, check it against what this process knows (sizes it
 *     validated when it opened), then use the local.
 *   - A process may die between any two instructions. A critical section therefore commits by ONE
 *     store, or can be redone: whoever gets -EOWNERDEAD from ripc_lock() repairs, then goes on.
 *   - No pointers, only offsets: it is mapped anywhere.
 *
 * Functions return 0 (or what they say) or a negative errno; none writes to stderr, none exits.
 */
#ifndef RIPC_OBJECT_H
#define RIPC_OBJECT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/ripc/ripc.h"

/* "RIPC" in the file, then what may not be mixed; a newer layout is refused, not guessed at. */
#define RIPC_MAGIC 0x31435049522e2e0aull
#define RIPC_LAYOUT 2u

#define RIPC_NAME_MAX 180	    /* bytes of an object's name as the caller gives it */
#define RIPC_FILE_MAX 255	    /* bytes of its file's name */
#define RIPC_BODY_MAX (1ull << 40)  /* bytes of a body */
#define RIPC_HOLDERS_DEFAULT 496    /* head and holders in one page */
#define RIPC_HOLDERS_MAX (1u << 16) /* no more than this in any file */

/*
 * The kinds. Each has its own name space, as in the notes, where a critical section, a semaphore,
 * an event, a condition and a message buffer are all called "xxx". (In Win32 events, mutexes,
 * semaphores and mappings share one; win32 asks ripc_dir_taken() about its others.)
 * The words are the first part of the file's name and what `ripc ls` prints.
 */
enum ripc_type {
	RIPC_TYPE_CS = 1,	/* "cs" */
	RIPC_TYPE_SEMAPHORE,	/* "sem" */
	RIPC_TYPE_EVENT,	/* "event" */
	RIPC_TYPE_CONDITION,	/* "cond" */
	RIPC_TYPE_BUFFER,	/* "buffer" */
	RIPC_TYPE_SHM,		/* "shm"     row 2 */
	RIPC_TYPE_MSQ,		/* "msq"     row 6 */
	RIPC_TYPE_MAPPING,	/* "mapping" row 3 */
	RIPC_TYPE_SHARED,	/* "shared"  row 4 */
	RIPC_TYPE_PIPE,		/* "pipe"    row 7 */
	RIPC_TYPE_NPIPE,	/* "npipe"   row 8, a pipe's name */
	RIPC_TYPE_NPIPE_END,	/* "npend"   row 8, an instance */
	RIPC_TYPE_SOCKET,	/* "socket"  row 9 */
	RIPC_TYPE_COUNT
};
const char *ripc_type_word(unsigned type); /* "?" when there is none */
int ripc_type_by_word(const char *word);   /* or -EINVAL */

/* Deadlines, RIPC_FOREVER, RIPC_TRY, ripc_deadline_in() and the flags RIPC_CREATE, RIPC_EXCL and
 * RIPC_KEEP are the public ones of ripc.h. */

/* ---- objects ---- */

struct ripc_head; /* the start of the file; head.h shows it to the core */

/* An open object: private to the process, shared by its threads, inherited by fork. */
struct ripc_object {
	struct ripc_head *head; /* the mapping: writable, body_off + body_bytes long */
	void *body;
	size_t body_bytes;
	size_t map_bytes;
	unsigned holder; /* our row in the table of holders */
	unsigned type;
	unsigned nholders; /* rows in that table, validated */
	bool is_silent;
	dev_t dev;
	ino_t ino; /* of its file; nameless: a number of its own, for the probes */
	struct ripc_object *next, *prev; /* all that this process has open (for fork) */
	char name[RIPC_NAME_MAX + 1];
};

/*
 * What to open. init() fills a zeroed body before anybody can see it. check() says whether the
 * body of an existing one is sound and of the shape wanted (0 or -errno; any lengths it approves
 * must be copied to private memory by the caller afterwards, and re-checked there, since the body
 * can change). recover() is called, alone with the object, when it is opened after every holder
 * has gone or died: locks of the dead are reset there. Each may be NULL. Without init, a body of
 * zeroes is ready.
 */
struct ripc_spec {
	enum ripc_type type;
	const char *name;  /* 1..RIPC_NAME_MAX bytes, any but NUL; NULL with RIPC_CREATE: nameless */
	size_t body_bytes; /* to create with; an existing one keeps its own, see check() */
	mode_t mode;	   /* 0 means 0600; set exactly, the umask does not apply */
	unsigned holders;  /* rows for holders; 0: RIPC_HOLDERS_DEFAULT */
	bool sparse;	   /* do not allocate the body's memory now */
	bool is_silent;	   /* a name that nobody knows it by: not told by the probes */
	int (*init)(void *body, size_t body_bytes, void *arg);
	int (*check)(const void *body, size_t body_bytes, void *arg);
	void (*recover)(void *body, size_t body_bytes, void *arg);
	void *arg;
};

/*
 * Opens or creates; 1 when it was created, 0 when it was there, or
 *
 *	-ENOENT      there is none, and no RIPC_CREATE
 *	-EEXIST      RIPC_CREATE|RIPC_EXCL and there is one
 *	-EINVAL      name empty or too long, sizes out of bounds, or what check() says
 *	-EACCES      the file's mode does not let us read and write it; a directory not ours alone
 *	-EBADMSG     garbage, truncated, or not of this type: the file is left as it is
 *	-EPROTONOSUPPORT   another layout version: left as it is
 *	-EUSERS      every row for holders is taken by a live one
 *	-ENOSPC -ENOMEM -EMFILE -ENFILE   as ever
 *
 * An object without RIPC_KEEP goes when its last holder closes it or dies: its name at the next
 * look of anybody (open, sweep, ls), its memory with the last mapping. So an open never finds the
 * remains of the dead: they are removed, and it creates afresh.
 *
 * A nameless object (name NULL) has no file: its holders are this process, and children of fork.
 */
int ripc_object_open(struct ripc_object **out, const struct ripc_spec *spec, unsigned flags);

/* Unmaps and forgets; the last holder's close removes the file. NULL is fine. */
void ripc_object_close(struct ripc_object *o);

/* Takes the name away now; holders go on, a later open creates another. -ENOENT, -EACCES. */
int ripc_object_unlink(enum ripc_type type, const char *name);

/* A second name for an open object of its type (hard link). -EEXIST, or when o has no name -ENOENT. */
int ripc_object_alias(struct ripc_object *o, const char *name);

/* Live holders, one for each open by a live process (and one for each child that inherited it). */
unsigned ripc_object_count(struct ripc_object *o);

/* Whether its name has been taken away (ripc_object_unlink, ripc rm). */
bool ripc_object_is_unlinked(const struct ripc_object *o);

/*
 * Whether it stays without holders, as if created with RIPC_KEEP, or goes with the last one. One
 * store, so that it can be what commits a creation or a removal of several steps.
 */
void ripc_object_keep(struct ripc_object *o);
void ripc_object_unkeep(struct ripc_object *o);
bool ripc_object_is_kept(const struct ripc_object *o);

/*
 * An object may have a companion: a plain file beside it, named like it with "+data" behind, for
 * memory whose mode is not the object's (a segment that some may only read). It is unlinked with
 * the object, and swept when the object is not there. Make it before the object. fd or -errno.
 */
int ripc_companion_create(enum ripc_type type, const char *name, size_t bytes, mode_t mode);
int ripc_companion_open(enum ripc_type type, const char *name, int open_flags);

/* ---- processes, as shared memory knows them ---- */

/*
 * pid in the low 22 bits (PID_MAX_LIMIT), then 21 bits of its start time (clock ticks since boot)
 * and 21 bits made of where its stack starts: a pid used again is another id, and so is the same
 * process after exec, which has dropped its mappings. 0 is nobody. One word, so that it is taken
 * and given back by one atomic store. The caller's own is cached, and renewed in a child of fork.
 */
typedef uint64_t ripc_id;
ripc_id ripc_self_id(void);
bool ripc_id_is_alive(ripc_id id); /* a zombie is dead; one that we may not look at is alive */
static inline pid_t ripc_id_pid(ripc_id id) { return (pid_t)(id & 0x3fffff); }

/* ---- the lock ---- */

/*
 * A robust mutex between processes, in shared memory, ready when zeroed, 64-byte aligned. While a
 * thread has it, it is in that thread's robust list (set_robust_list(2)): the kernel marks it when
 * the thread ends, at whatever instruction, and wakes one waiter. Not recursive.
 *
 * ripc_lock() returns 0, or -EOWNERDEAD: the lock is ours, and its owner died in the middle: repair
 * what it protects; there is nothing else to acknowledge. -EDEADLK: the caller has it already.
 * ripc_lock_until(), which is for those that a user holds: with a deadline -ETIMEDOUT or -EAGAIN, not
 * ours; -ENOLCK when the thread has some 1,000 already, -ENOMEM. ripc_unlock() by another than the
 * owner returns -EPERM and does nothing.
 */
struct ripc_lock {
	_Alignas(64) _Atomic uint32_t word; /* owner's tid, FUTEX_WAITERS, FUTEX_OWNER_DIED */
	uint32_t pad[5];
	uint64_t prev, next; /* the robust list's links, in the owner's addresses: robust.h */
	uint64_t pad2[3];
};
_Static_assert(sizeof(struct ripc_lock) == 64, "one cache line");

int ripc_lock(struct ripc_lock *l);
int ripc_lock_until(struct ripc_lock *l, int64_t deadline_ns);
int ripc_unlock(struct ripc_lock *l);
bool ripc_lock_is_mine(const struct ripc_lock *l);
/* Whether a thread of this process has it. */
bool ripc_lock_owner_is_here(const struct ripc_lock *l);
/* For recover(): nobody has it; or, when somebody had, the next to lock it is told so. */
void ripc_lock_reset(struct ripc_lock *l);
void ripc_lock_expire(struct ripc_lock *l);

/* ---- the gate ---- */

/*
 * Where threads sleep until a condition over shared words may have become true. Ready when zeroed.
 *
 *	for (;;) {
 *		struct ripc_ticket t = ripc_gate_enter(&body->gate);
 *		if (condition)			// looked at after entering
 *			err = 0, done = true;
 *		else
 *			err = ripc_gate_sleep(&body->gate, t, deadline_ns);
 *		ripc_gate_leave(&body->gate, t);
 *		if (done || err) break;
 *	}
 *
 * and who makes the condition true calls ripc_gate_wake() after the store. No wakeup is lost, and
 * with nobody at the gate wake is one fence and one load. ripc_gate_sleep() returns
 *
 *	0            look again: woken, or something changed, or RIPC_HEARTBEAT_NS have passed
 *	-ETIMEDOUT   the deadline is over        -EAGAIN   it was RIPC_TRY
 *	-EINTR       a signal handler ran (only from ripc_gate_sleep_intr(); sleep goes on)
 *
 * The heartbeat is not how waiting works. It bounds the one thing that the kernel tells nobody:
 * that a process died between its store and its wake, or was woken and died before it used it. (A
 * robust lock's death wakes one waiter at the lock's own word. Sleepers at a gate are not there; to
 * wait at both words, futex_waitv(2), would have every unlock wake them, and not help with the
 * second case.) A look costs a sleeper some 20 microseconds: 0.01 % of a processor. At a lock, where
 * the kernel does tell, it is only after that long, twice that, and so on that one looks (lock.c).
 *
 * ripc_gate_wait() is the loop above for a condition given as a function. Spin first, briefly, when
 * the other side is likely to be running: ripc_spin().
 */
#define RIPC_HEARTBEAT_NS (200 * 1000000ll)

struct ripc_gate {
	_Atomic uint64_t state; /* sequence (low half: the futex), epoch, sleepers */
};
struct ripc_ticket {
	uint32_t seq, epoch;
};

struct ripc_ticket ripc_gate_enter(struct ripc_gate *g);
int ripc_gate_sleep(struct ripc_gate *g, struct ripc_ticket t, int64_t deadline_ns);
int ripc_gate_sleep_intr(struct ripc_gate *g, struct ripc_ticket t, int64_t deadline_ns);
void ripc_gate_leave(struct ripc_gate *g, struct ripc_ticket t);
void ripc_gate_wake_slow(struct ripc_gate *g, int how_many);

/*
 * For a condition that a death makes true, which nobody tells: whether to look for one now, as often
 * as the heart beats while is_true() is asked. The first time nobody has waited yet: not even the
 * clock is read.
 */
struct ripc_looks {
	unsigned asked;
	int64_t last_ns;
};
bool ripc_is_time_to_look(struct ripc_looks *l);

/* is_true() is asked until it returns non-zero, which is then the result; or the sleep's error. */
int ripc_gate_wait(struct ripc_gate *g, int (*is_true)(void *arg), void *arg, int64_t deadline_ns);

/*
 * Lets up to how_many (INT_MAX: all) sleepers look again. The first form is for callers whose store
 * was, or was followed by, an atomic read-modify-write on x86 (a full fence there).
 */
static inline bool ripc_gate_is_used(const struct ripc_gate *g)
{
	return atomic_load_explicit(&g->state, memory_order_relaxed) >> 44;
}
static inline void ripc_gate_wake_fenced(struct ripc_gate *g, int how_many)
{
#if !defined(__x86_64__) && !defined(__i386__)
	atomic_thread_fence(memory_order_seq_cst);
#endif
	if (ripc_gate_is_used(g))
		ripc_gate_wake_slow(g, how_many);
}
static inline void ripc_gate_wake(struct ripc_gate *g, int how_many)
{
	atomic_thread_fence(memory_order_seq_cst);
	ripc_gate_wake_fenced(g, how_many);
}

/* Whether a wake has come since the ticket was taken. */
bool ripc_gate_has_moved(const struct ripc_gate *g, struct ripc_ticket t);

/*
 * Asks is_true() for a while before the caller sleeps, as far as that has been worth it lately; its
 * answer. peer_cpu is where whoever makes it true was last seen (head.h: ripc_cpu()). On another CPU:
 * pauses, for at most some 50 microseconds, which is what sleeping and being woken across CPUs can
 * cost. On this one: gives its turn away a few times, which costs less than to sleep and be woken,
 * as long as nobody else takes long turns. Not known: some 5 microseconds, and nothing where this
 * process has but one CPU. After it was in vain a few times, hardly ever.
 * *budget is private to a handle, and starts with 0.
 */
#define RIPC_CPU_UNKNOWN (-1)
int ripc_spin(unsigned *budget, int peer_cpu, int (*is_true)(void *arg), void *arg);

/* ---- the directory ---- */

/*
 * $RIPC_DIR when set (it must exist; its mode is its owner's business, and objects in it may be
 * shared between users), else $XDG_RUNTIME_DIR/ripc when that is a directory of ours, else
 * /dev/shm/ripc-UID: made with mode 0700, and refused (-EACCES) unless it is ours and nobody else
 * can write to it.
 */
int ripc_dir_path(char *buf, size_t bytes);

/* The file's name: TYPE.NAME, bytes other than letters, digits, - _ . as %XX. -EINVAL. */
int ripc_dir_file_name(char *buf, size_t bytes, enum ripc_type type, const char *name);
/* And back: the type, or -EINVAL. name has room for RIPC_NAME_MAX + 1. */
int ripc_dir_parse_name(const char *file, char *name);

/*
 * Comes and goes are serialised in a directory by one record lock (fcntl F_SETLKW: gone with its
 * process, not inherited by fork) and a mutex in the process. Returns the directory's descriptor;
 * the caller has it until ripc_dir_unlock(). Recursive in a thread.
 */
int ripc_dir_lock(void);
void ripc_dir_unlock(int dirfd);

/* Whether there is a live object of this type and name; for name spaces shared by several types. */
bool ripc_dir_taken(enum ripc_type type, const char *name);

/* Removes what nobody holds any more; the number removed. Done at a process's first open, too. */
int ripc_dir_sweep(void);

/* What `ripc ls` shows. error is 0 or why it cannot be opened (then only file, uid, mode, bytes). */
struct ripc_listing {
	const char *file, *name; /* valid during the call */
	unsigned type, holders;
	uid_t uid;
	mode_t mode;
	uint64_t bytes;
	ripc_id creator;
	bool keep;
	int error;
	const void *body; /* read-only, NULL on error */
	size_t body_bytes;
};
int ripc_dir_list(int (*each)(const struct ripc_listing *l, void *arg), void *arg);

#endif
