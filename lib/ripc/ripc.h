// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libripc: synchronisation and messages between processes, by name, in user space.
 *
 * A handle is private to the process (its threads may share it; a child of fork inherits it); a
 * name is global to the user: any process of the user that gives the same name to the same init_
 * call gets the same object. Each kind has its own names: a semaphore "x" and an event "x" have
 * nothing to do with each other. A name is 1 to 180 bytes, any but NUL.
 *
 * Lifetime. An object is made by the first that opens it and goes with the last that closes it or
 * dies, as in Win32. With RIPC_KEEP it stays, as in POSIX (sem_open), until its name is unlinked.
 * Unlinking takes the name away at once; those who have it open go on with it.
 *
 * Waiting. Every wait has a deadline: RIPC_FOREVER, a time on CLOCK_MONOTONIC in nanoseconds
 * (ripc_deadline_in() makes one), or RIPC_TRY. A wait that is not satisfied returns -ETIMEDOUT, or
 * -EAGAIN for RIPC_TRY; a deadline that is over does not prevent what needs no waiting. Signals do
 * not end a wait. Without sleepers no call makes a syscall.
 *
 * Death. A process killed at any instruction leaves every object usable. Who gets a critical section
 * whose owner died has it, and is told by -EOWNERDEAD (POSIX: EOWNERDEAD; Win32: WAIT_ABANDONED):
 * what it protects may be half changed. The other kinds have no owner: what a dead process took
 * from a semaphore, an event or a buffer is gone, what it had not finished giving never was.
 *
 * Errors are negative errno values; init_ functions return NULL and set errno. Common to all opens:
 *
 *	-ENOENT   no such object and no RIPC_CREATE      -EEXIST   RIPC_EXCL and there is one
 *	-EINVAL   a name, shape or count out of bounds   -EACCES   its mode, or whose directory it is
 *	-EBADMSG  not an object, truncated, damaged      -EPROTONOSUPPORT   of another layout version
 *	-EUSERS   too many holders (496)                 -ENOSYS   a libc or kernel without robust lists
 *	-ENOSPC -ENOMEM -EMFILE -ENFILE
 *
 * What is damaged or of another version, older or newer, is left as it is, for the library that knows
 * it; `ripc rm TYPE NAME` takes it away.
 *
 * Where objects are: $RIPC_DIR, or $XDG_RUNTIME_DIR/ripc, or /dev/shm/ripc-UID; mode 0600 in 0700.
 * `ripc ls` shows them, `ripc rm` takes them away.
 *
 * The notes that these calls come from leave open what happens at a second init_ with other
 * numbers: the object keeps its own (POSIX sem_open), but a message buffer of another shape is
 * -EINVAL; and what becomes of an object without users: see Lifetime.
 */
#ifndef RIPC_H
#define RIPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RIPC_FOREVER INT64_MAX
#define RIPC_TRY 0

int64_t ripc_now_ns(void);
int64_t ripc_deadline_in(int64_t ns); /* from now; ns < 0: already over; saturates at RIPC_FOREVER */

enum ripc_open_flags {
	RIPC_CREATE = 1 << 0, /* create it if there is none */
	RIPC_EXCL = 1 << 1,   /* with RIPC_CREATE: -EEXIST if there is one */
	RIPC_KEEP = 1 << 2,   /* (creation) lives on without holders, until unlinked */
};

/*
 * The calls of the notes: create or open, mode 0600, going with the last user. NULL and errno.
 * init_event() is reset automatically and starts unsignalled (Win32 CreateEvent(…, FALSE, FALSE)).
 * init_message_buffer() holds count messages of up to RIPC_MESSAGE_BYTES each.
 */
struct ripc_cs *init_CS(const char *name);
struct ripc_semaphore *init_semaphore(unsigned count, const char *name);
struct ripc_event *init_event(const char *name);
struct ripc_condition *init_condition(const char *name);
struct ripc_buffer *init_message_buffer(unsigned count, const char *name);

/* ---- critical section ---- */

/*
 * A recursive lock that a thread owns (Win32 EnterCriticalSection, and across processes a mutex).
 * enter: 0, or -EOWNERDEAD: entered, its owner died inside. leave: -EPERM when the caller does not
 * own it. close: -EBUSY while a thread of this process owns it through this handle.
 * -EAGAIN beyond 2^31 recursions; -ENOLCK when the thread is in 1,020 others (the kernel looks at no
 * more than 2,048 when it dies), -ENOMEM. The order among waiters is not defined.
 */
int ripc_cs_open(struct ripc_cs **out, const char *name, unsigned flags, mode_t mode);
int ripc_cs_enter(struct ripc_cs *cs);
int ripc_cs_enter_until(struct ripc_cs *cs, int64_t deadline_ns);
int ripc_cs_try_enter(struct ripc_cs *cs);
int ripc_cs_leave(struct ripc_cs *cs);
int ripc_cs_close(struct ripc_cs *cs);
int ripc_cs_unlink(const char *name);

/* ---- counting semaphore ---- */

/*
 * sem_wait(3), sem_post(3); Win32 CreateSemaphore, ReleaseSemaphore. Created with count of at most
 * max (0: RIPC_SEMAPHORE_MAX). post adds n ≥ 1; -EOVERFLOW, and nothing is added, when that would
 * be more than max; 0 otherwise.
 */
#define RIPC_SEMAPHORE_MAX 0x7fffffffu
int ripc_semaphore_open(struct ripc_semaphore **out, const char *name, unsigned count, unsigned max,
			unsigned flags, mode_t mode);
int ripc_semaphore_wait(struct ripc_semaphore *s);
int ripc_semaphore_wait_until(struct ripc_semaphore *s, int64_t deadline_ns);
int ripc_semaphore_try(struct ripc_semaphore *s);
int ripc_semaphore_post(struct ripc_semaphore *s, unsigned n);
unsigned ripc_semaphore_value(const struct ripc_semaphore *s);
void ripc_semaphore_close(struct ripc_semaphore *s);
int ripc_semaphore_unlink(const char *name);

/* ---- event ---- */

/*
 * Win32 CreateEvent, SetEvent, ResetEvent. An automatic one lets one waiter through for each set,
 * and sets do not add up; a manual one lets all through until it is reset.
 */
enum ripc_event_kind { RIPC_EVENT_AUTO, RIPC_EVENT_MANUAL };
int ripc_event_open(struct ripc_event **out, const char *name, enum ripc_event_kind kind,
		    bool is_set, unsigned flags, mode_t mode);
int ripc_event_set(struct ripc_event *e);
int ripc_event_reset(struct ripc_event *e);
int ripc_event_wait(struct ripc_event *e);
int ripc_event_wait_until(struct ripc_event *e, int64_t deadline_ns);
int ripc_event_try(struct ripc_event *e);
bool ripc_event_is_manual(const struct ripc_event *e);
void ripc_event_close(struct ripc_event *e);
int ripc_event_unlink(const char *name);

/* ---- condition ---- */

/*
 * pthread_cond_wait(3p): wait leaves cs, which the caller must have entered once (-EPERM
 * otherwise), sleeps until a signal or the deadline, and enters cs again, whatever it returns:
 * 0, -ETIMEDOUT, or -EOWNERDEAD (entered, and its owner died meanwhile). It may return 0 without a
 * signal, so wait in a loop around what you wait for. signal wakes at least one, broadcast all.
 * RIPC_TRY is -EAGAIN, cs never left.
 */
int ripc_condition_open(struct ripc_condition **out, const char *name, unsigned flags, mode_t mode);
int ripc_condition_wait(struct ripc_condition *c, struct ripc_cs *cs);
int ripc_condition_wait_until(struct ripc_condition *c, struct ripc_cs *cs, int64_t deadline_ns);
int ripc_condition_signal(struct ripc_condition *c);
int ripc_condition_broadcast(struct ripc_condition *c);
void ripc_condition_close(struct ripc_condition *c);
int ripc_condition_unlink(const char *name);

/* ---- message buffer ---- */

/*
 * A bounded queue of messages, first in first out, for any number of senders and receivers. A send
 * waits while it is full, a receive while it is empty. Messages of one sender keep their order; a
 * message is delivered once, to one receiver.
 *
 * Fixed: room for exactly `messages` messages of up to `message_bytes` (mq_open's mq_maxmsg and
 * mq_msgsize). Variable: `room_bytes` > 0 shared by messages of any size up to message_bytes, each
 * with 32 bytes for its header, rounded up to 32; the room is made at least twice the largest
 * message, and a power of two. messages is then 0.
 *
 * send: -EMSGSIZE when longer than message_bytes. receive: the length; -EMSGSIZE when longer than
 * the caller's buffer, and the message stays (mq_receive(3) refuses likewise; never cut short).
 * A message may be empty.
 *
 * Without copying: reserve gives room in the buffer itself, commit sends what was written there (of
 * bytes at most those reserved; their place in the queue is that of the reservation, and later ones
 * overtake it until then), abandon gives it back. view gives the next message where it lies,
 * release gives its room back; until then it takes room, but does not keep others from receiving.
 * A process that dies between: what it reserved is given back, what it viewed counts as received.
 * Reservations and views belong to the process, not to a thread. commit, abandon and release of
 * what is not ours: -EINVAL.
 *
 * A call that has to wait looks for some 50 microseconds first, or lets the other side have the CPU
 * when it is on the same one; where that is in vain it soon sleeps at once.
 *
 * -EBADMSG from any call: somebody wrote where he should not have; close it. -ENOSYS from an open, or
 * from a call that has to wait: the buffer was made where there is membarrier(2), and is used where
 * there is none (a sandbox); made there, it works, and is slower.
 */
#define RIPC_MESSAGE_BYTES 512
#define RIPC_MESSAGE_MAX (1u << 30)
#define RIPC_ROOM_MAX (1ull << 34)
struct ripc_buffer_shape {
	uint32_t messages;
	uint32_t message_bytes;
	uint64_t room_bytes;
};
struct ripc_span {
	void *data; /* 16-byte aligned */
	size_t bytes;
	uint64_t at; /* the library's */
};

int ripc_buffer_open(struct ripc_buffer **out, const char *name,
		     const struct ripc_buffer_shape *shape, unsigned flags, mode_t mode);
/* shape NULL in ripc_buffer_open() takes whatever there is (no RIPC_CREATE then); this tells what. */
void ripc_buffer_get_shape(const struct ripc_buffer *b, struct ripc_buffer_shape *shape);

int ripc_buffer_send(struct ripc_buffer *b, const void *message, size_t bytes);
int ripc_buffer_send_until(struct ripc_buffer *b, const void *message, size_t bytes,
			   int64_t deadline_ns);
ssize_t ripc_buffer_receive(struct ripc_buffer *b, void *message, size_t room);
ssize_t ripc_buffer_receive_until(struct ripc_buffer *b, void *message, size_t room,
				  int64_t deadline_ns);

int ripc_buffer_reserve(struct ripc_buffer *b, size_t bytes, struct ripc_span *span,
			int64_t deadline_ns);
int ripc_buffer_commit(struct ripc_buffer *b, struct ripc_span *span, size_t bytes);
int ripc_buffer_abandon(struct ripc_buffer *b, struct ripc_span *span);
int ripc_buffer_view(struct ripc_buffer *b, struct ripc_span *span, int64_t deadline_ns);
int ripc_buffer_release(struct ripc_buffer *b, struct ripc_span *span);

/* Messages that a receive would find now; a moment later it may be otherwise. */
size_t ripc_buffer_count(struct ripc_buffer *b);
void ripc_buffer_close(struct ripc_buffer *b);
int ripc_buffer_unlink(const char *name);

#ifdef __cplusplus
}
#endif
#endif
