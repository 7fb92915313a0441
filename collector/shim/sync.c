// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Mutexes, read-write locks, conditions, barriers, spin locks, semaphores and joins: seen also when
 * nobody contends for them and no system call is made.
 *
 * What lies in shared memory is told of at every use, as the object that the kernel's probes name it.
 * Of one in a process's own memory only a call that lasted is told, and the unlock that ends a long hold; the
 * rest concerns nobody else. Either way the locks that a thread holds stand in the header of its ring, with the
 * time since when.
 */
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <threads.h>

#include "collector/shim/history.h"
#include "collector/shim/memory.h"
#include "collector/shim/sync.h"

int __pthread_mutex_lock(pthread_mutex_t *m);
int __pthread_mutex_trylock(pthread_mutex_t *m);
int __pthread_mutex_unlock(pthread_mutex_t *m);
int __pthread_rwlock_rdlock(pthread_rwlock_t *l);
int __pthread_rwlock_wrlock(pthread_rwlock_t *l);
int __pthread_rwlock_tryrdlock(pthread_rwlock_t *l);
int __pthread_rwlock_trywrlock(pthread_rwlock_t *l);
int __pthread_rwlock_unlock(pthread_rwlock_t *l);

#define LASTED_NS 20000
#define HELD_NS 100000 /* a long hold of one's own lock; where somebody waits for it, it is LASTED_NS */

/* ---- which object ---- */

/* Addresses looked up: by the low bits. What was mapped anew since is looked up again. */
#define SLOTS 1024
static struct {
	uint64_t address, obj;
	uint32_t mappings, generation;
} slots[SLOTS];

uint32_t shim_mappings; /* raised whenever shared memory comes or goes */

static void describe(struct shim_thread *t, uint64_t obj, const void *p, const struct shim_mapping *m,
		     const struct raw_object *memory)
{
	struct raw_object o = *memory;
	o.hdr = (struct ev_hdr){ .t_ns = shim_now(), .type = RAW_OBJECT, .size = sizeof(o),
				 .flags = m ? memory->hdr.flags : RAW_PRIVATE };
	o.obj = obj;
	o.kind = KIND_FUTEX;
	o.fd = -1;
	o.at = m ? m->offset + (uint64_t)p - m->start : (uint64_t)p;
	o.peer_sk = m ? memory->obj : 0;
	if (!m)
		o.ino = shim_pid;
	shim_put(t, &o, sizeof(o), SHIM_LOST_CTL);
}

static uint64_t look_up(struct shim_thread *t, const void *p)
{
	struct raw_object memory = { 0 };
	struct shim_mapping m;
	uint64_t obj;
	if (shim_mapping_find((uint64_t)p, &m) && shim_describe_mapping((uint64_t)p, &memory)) {
		uint64_t file = memory.kind == KIND_SHM ? memory.obj : RAW_MIX(memory.ino, memory.dev);
		obj = RAW_OBJ_FUTEX(file, m.offset + (uint64_t)p - m.start, 0);
		describe(t, obj, p, &m, &memory);
	} else {
		obj = shim_private_object(p);
		describe(t, obj, p, NULL, &memory);
	}
	return obj;
}

/* The object at p, described. */
uint64_t shim_sync_object(struct shim_thread *t, const void *p)
{
	unsigned int i = (unsigned int)((uint64_t)p >> 3) % SLOTS;
	uint32_t mappings = __atomic_load_n(&shim_mappings, __ATOMIC_RELAXED);
	uint64_t obj = __atomic_load_n(&slots[i].obj, __ATOMIC_ACQUIRE);
	if (slots[i].address == (uint64_t)p && slots[i].mappings == mappings &&
	    slots[i].generation == shim_control->generation && obj == slots[i].obj && obj)
		return obj;
	int saved = errno;
	obj = look_up(t, p);
	errno = saved;
	__atomic_store_n(&slots[i].obj, 0, __ATOMIC_RELEASE);
	slots[i].address = (uint64_t)p;
	slots[i].mappings = mappings;
	slots[i].generation = shim_control->generation;
	__atomic_store_n(&slots[i].obj, obj, __ATOMIC_RELEASE);
	return obj;
}

void shim_sync_forked(void)
{
	memset(slots, 0, sizeof(slots));
	shim_order_forget();
}

/* ---- calls ---- */

struct sync {
	struct shim_op o;
	const void *p;
	bool shared;
};

static void begin_at(struct sync *s, struct shim_thread *t, const void *p, bool shared, enum ipctap_op op)
{
	s->p = p;
	s->shared = shared;
	s->o.state = 0;
	shim_begin(&s->o, t, shared ? shim_sync_object(t, p) : shim_private_object(p), -1, op, 0);
}

static bool begin(struct sync *s, const void *p, bool shared, enum ipctap_op op)
{
	struct shim_thread *t = shim_ready();
	if (t)
		begin_at(s, t, p, shared, op);
	return t != NULL;
}

/* What a call that succeeded means to those who ask later: who has it, who gives it. */
enum what { NOTHING, LOCKS, LOCKS_TO_READ, LOCKS_AT_ONCE, READS_AT_ONCE, TAKES_UNIT, GIVES, GIVES_UNIT };

static void note(struct sync *s, enum what what, uint64_t now)
{
	struct shim_thread *t = s->o.t;
	uint64_t obj = s->o.io.chan;
	switch (what) {
	case NOTHING: break;
	case LOCKS: shim_hold(t, obj, s->p, now, true); break;
	case LOCKS_TO_READ: shim_hold_to_read(t, obj, s->p, now, true); break;
	case LOCKS_AT_ONCE: shim_hold(t, obj, s->p, now, false); break;
	case READS_AT_ONCE: shim_hold_to_read(t, obj, s->p, now, false); break;
	case TAKES_UNIT: shim_deed_take(t, obj); break;
	case GIVES: shim_deed_give(t, obj, now); break;
	case GIVES_UNIT: shim_deed_post(t, obj, now); break;
	}
}

/* Tells the call if it is of interest to others, or lasted. errno is as the call left it. */
static void end(struct sync *s, int err, enum what what)
{
	struct shim_op *o = &s->o;
	shim_drop(o);
	uint64_t now = shim_now();
	if (err == 0 || err == EOWNERDEAD)
		note(s, what, now);
	if (!s->shared && now - o->io.enter_ns < LASTED_NS)
		return;
	if (!s->shared && !(o->io.chan = shim_sync_object(o->t, s->p)))
		return;
	o->io.hdr.t_ns = now;
	o->io.ret = -err;
	if (err)
		o->io.hdr.flags |= IO_ERROR;
	shim_tell(o);
}

/* In the kind of a mutex: glibc's PTHREAD_MUTEX_ROBUST_NORMAL_NP, …_PRIO_INHERIT_NP, and what it shares with others by. */
#define ROBUST 16
#define PI 32
#define PSHARED 128
static bool shared_mutex(const pthread_mutex_t *m) { return m->__data.__kind & PSHARED; }
static bool shared_rwlock(const pthread_rwlock_t *l) { return l->__data.__shared != 0; }
static bool shared_cond(const pthread_cond_t *c) { return c->__data.__wrefs & 1; }

/* glibc's struct new_sem and struct pthread_barrier: what is private says so behind the value. */
static bool shared_sem(const sem_t *s) { return ((const int *)s)[2] != 0; }
static bool shared_barrier(const pthread_barrier_t *b) { return ((const int *)b)[3] != 0; }

static bool not_known(const void *p)
{
	(void)p;
	return false;
}

#define SYNC(name, params, args, p, shared, op, err, what)                                         \
	SHIM_EXPORT int name params                                                                \
	{                                                                                          \
		struct sync s;                                                                     \
		if (!begin(&s, p, shared(p), op))                                                  \
			return REAL(name) args;                                                    \
		int ret = REAL(name) args;                                                         \
		end(&s, err, what);                                                                \
		return ret;                                                                        \
	}
/* Somebody waits for it, or did when it was got. In the words of priority-inheriting and robust ones stands a bit. */
static bool wanted_mutex(const pthread_mutex_t *m)
{
	unsigned int word = (unsigned int)__atomic_load_n(&m->__data.__lock, __ATOMIC_RELAXED);
	return m->__data.__kind & (PI | ROBUST) ? word & FUTEX_WAITERS : word > 1;
}

static bool is_long(uint64_t since, uint64_t now, bool wanted)
{
	return since && now - since >= (wanted ? LASTED_NS : HELD_NS);
}

/* A hold that has ended, at `now`: by that call, or, OP_LOCK_HELD, inside of another. Only p's address is used. */
static void tell_hold(struct shim_thread *t, const void *p, enum ipctap_op op, uint64_t since, uint64_t now)
{
	struct ev_io e = {
		.hdr = { .type = EV_IO, .size = sizeof(e) },
		.enter_ns = now, .chan = shim_sync_object(t, p), .mtype = (int64_t)(now - since), .fd = -1, .op = (uint16_t)op,
	};
	e.hdr.t_ns = shim_now();
	shim_put(t, &e, sizeof(e), SHIM_LOST_OP);
}

#define RELEASE(name, params, args, p, shared, wanted, op)                                         \
	SHIM_EXPORT int name params                                                                \
	{                                                                                          \
		struct shim_thread *t = shim_ready();                                              \
		struct shim_op o;                                                                  \
		if (!t)                                                                            \
			return REAL(name) args;                                                    \
		bool is_shared = shared(p);                                                        \
		uint64_t obj = is_shared ? shim_sync_object(t, p) : shim_private_object(p);        \
		uint64_t since = shim_let_go(t, obj);                                              \
		if (!is_shared) {                                                                  \
			uint64_t now = since ? shim_now() : 0;                                     \
			bool tells = is_long(since, now, wanted(p));                               \
			int done = REAL(name) args;                                                \
			if (SHIM_RARE(tells && !done))                                             \
				tell_hold(t, p, op, since, now);                                   \
			return done;                                                               \
		}                                                                                  \
		shim_begin(&o, t, obj, -1, op, 0);                                                 \
		int ret = REAL(name) args;                                                         \
		shim_done(&o, 0);                                                                  \
		o.io.ret = -ret;                                                                   \
		o.io.hdr.flags |= ret ? IO_ERROR : 0;                                              \
		o.io.mtype = since ? (int64_t)(o.io.enter_ns - since) : 0;                         \
		shim_tell(&o);                                                                     \
		return ret;                                                                        \
	}

/*
 * One's own mutex, found free, is got at once, but for somebody who gets it just before: the word says so,
 * and only then the time of getting it is another than that of asking for it.
 */
static int lock_free(struct shim_thread *t, pthread_mutex_t *m)
{
	struct sync s = { .o = { .t = t }, .p = m };
	uint64_t obj = shim_private_object(m), since = shim_now();
	struct shim_call *c = &t->ring->call;
	c->enter_ns = since;
	c->obj = obj;
	c->fd = -1;
	c->deadline_ns = 0;
	__atomic_store_n(&c->op, OP_MUTEX_LOCK, __ATOMIC_RELEASE);
	int err = REAL(pthread_mutex_lock)(m);
	if (SHIM_RARE(err || __atomic_load_n(&m->__data.__lock, __ATOMIC_RELAXED) != 1)) {
		s.o.io = (struct ev_io){ .hdr = { .type = EV_IO, .size = sizeof(s.o.io) }, .enter_ns = since,
					 .chan = obj, .fd = -1, .op = OP_MUTEX_LOCK };
		end(&s, err, LOCKS);
		return err;
	}
	__atomic_store_n(&c->op, 0, __ATOMIC_RELAXED);
	shim_hold(t, obj, m, since, true);
	return 0;
}

SHIM_EXPORT int pthread_mutex_lock(pthread_mutex_t *m)
{
	struct shim_thread *t = shim_ready();
	if (!t)
		return REAL(pthread_mutex_lock)(m);
	if (!shared_mutex(m) && !__atomic_load_n(&m->__data.__lock, __ATOMIC_RELAXED))
		return lock_free(t, m);
	struct sync s;
	begin_at(&s, t, m, shared_mutex(m), OP_MUTEX_LOCK);
	int err = REAL(pthread_mutex_lock)(m);
	end(&s, err, LOCKS);
	return err;
}
/* By the names under which libstdc++ and old programs know them. */
SHIM_EXPORT int __pthread_mutex_lock(pthread_mutex_t *m) { return pthread_mutex_lock(m); }
SHIM_EXPORT int __pthread_mutex_trylock(pthread_mutex_t *m) { return pthread_mutex_trylock(m); }
SHIM_EXPORT int __pthread_mutex_unlock(pthread_mutex_t *m) { return pthread_mutex_unlock(m); }
SHIM_EXPORT int __pthread_rwlock_rdlock(pthread_rwlock_t *l) { return pthread_rwlock_rdlock(l); }
SHIM_EXPORT int __pthread_rwlock_wrlock(pthread_rwlock_t *l) { return pthread_rwlock_wrlock(l); }
SHIM_EXPORT int __pthread_rwlock_tryrdlock(pthread_rwlock_t *l) { return pthread_rwlock_tryrdlock(l); }
SHIM_EXPORT int __pthread_rwlock_trywrlock(pthread_rwlock_t *l) { return pthread_rwlock_trywrlock(l); }
SHIM_EXPORT int __pthread_rwlock_unlock(pthread_rwlock_t *l) { return pthread_rwlock_unlock(l); }

SYNC(pthread_mutex_trylock, (pthread_mutex_t *m), (m), m, shared_mutex, OP_MUTEX_TRYLOCK, ret, LOCKS_AT_ONCE)
SYNC(pthread_mutex_timedlock, (pthread_mutex_t *m, const struct timespec *t), (m, t), m, shared_mutex, OP_MUTEX_LOCK, ret, LOCKS)
SYNC(pthread_mutex_clocklock, (pthread_mutex_t *m, clockid_t c, const struct timespec *t), (m, c, t), m, shared_mutex,
     OP_MUTEX_LOCK, ret, LOCKS)
RELEASE(pthread_mutex_unlock, (pthread_mutex_t *m), (m), m, shared_mutex, wanted_mutex, OP_MUTEX_UNLOCK)

SYNC(pthread_rwlock_rdlock, (pthread_rwlock_t *l), (l), l, shared_rwlock, OP_RWLOCK_RDLOCK, ret, LOCKS_TO_READ)
SYNC(pthread_rwlock_tryrdlock, (pthread_rwlock_t *l), (l), l, shared_rwlock, OP_RWLOCK_RDLOCK, ret, READS_AT_ONCE)
SYNC(pthread_rwlock_timedrdlock, (pthread_rwlock_t *l, const struct timespec *t), (l, t), l, shared_rwlock, OP_RWLOCK_RDLOCK,
     ret, LOCKS_TO_READ)
SYNC(pthread_rwlock_clockrdlock, (pthread_rwlock_t *l, clockid_t c, const struct timespec *t), (l, c, t), l, shared_rwlock,
     OP_RWLOCK_RDLOCK, ret, LOCKS_TO_READ)
SYNC(pthread_rwlock_wrlock, (pthread_rwlock_t *l), (l), l, shared_rwlock, OP_RWLOCK_WRLOCK, ret, LOCKS)
SYNC(pthread_rwlock_trywrlock, (pthread_rwlock_t *l), (l), l, shared_rwlock, OP_RWLOCK_WRLOCK, ret, LOCKS_AT_ONCE)
SYNC(pthread_rwlock_timedwrlock, (pthread_rwlock_t *l, const struct timespec *t), (l, t), l, shared_rwlock, OP_RWLOCK_WRLOCK,
     ret, LOCKS)
SYNC(pthread_rwlock_clockwrlock, (pthread_rwlock_t *l, clockid_t c, const struct timespec *t), (l, c, t), l, shared_rwlock,
     OP_RWLOCK_WRLOCK, ret, LOCKS)
RELEASE(pthread_rwlock_unlock, (pthread_rwlock_t *l), (l), l, shared_rwlock, not_known, OP_RWLOCK_UNLOCK)

/* The mutex is let go of while its condition is waited for, and got again. */
#define COND_WAIT(name, params, args)                                                              \
	SHIM_EXPORT int name params                                                                \
	{                                                                                          \
		struct sync s;                                                                     \
		if (!begin(&s, c, shared_cond(c), OP_COND_WAIT))                                   \
			return REAL(name) args;                                                    \
		struct shim_thread *self = s.o.t;                                                  \
		uint64_t mutex = shared_mutex(m) ? shim_sync_object(self, m)                       \
						 : shim_private_object(m);                         \
		uint64_t since = shim_let_go(self, mutex), now = s.o.io.enter_ns;                  \
		if (since && (shared_mutex(m) || is_long(since, now, wanted_mutex(m))))            \
			tell_hold(self, m, OP_LOCK_HELD, since, now);                              \
		int ret = REAL(name) args;                                                         \
		shim_hold(self, mutex, m, shim_now(), true);                                       \
		end(&s, ret, NOTHING);                                                             \
		return ret;                                                                        \
	}
COND_WAIT(pthread_cond_wait, (pthread_cond_t *c, pthread_mutex_t *m), (c, m))
COND_WAIT(pthread_cond_timedwait, (pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *t), (c, m, t))
COND_WAIT(pthread_cond_clockwait, (pthread_cond_t *c, pthread_mutex_t *m, clockid_t k, const struct timespec *t),
	  (c, m, k, t))
SYNC(pthread_cond_signal, (pthread_cond_t *c), (c), c, shared_cond, OP_COND_SIGNAL, ret, GIVES)
SYNC(pthread_cond_broadcast, (pthread_cond_t *c), (c), c, shared_cond, OP_COND_BROADCAST, ret, GIVES)
SYNC(pthread_barrier_wait, (pthread_barrier_t *b), (b), b, shared_barrier, OP_BARRIER_WAIT,
     ret == PTHREAD_BARRIER_SERIAL_THREAD ? 0 : ret, GIVES)

/* Whether others share it a spin lock does not say: it is taken to be one's own. */
#define SPIN_ADDRESS(l) ((const void *)(uintptr_t)(l))
SYNC(pthread_spin_lock, (pthread_spinlock_t *l), (l), SPIN_ADDRESS(l), not_known, OP_SPIN_LOCK, ret, LOCKS)
SYNC(pthread_spin_trylock, (pthread_spinlock_t *l), (l), SPIN_ADDRESS(l), not_known, OP_SPIN_LOCK, ret, LOCKS_AT_ONCE)
RELEASE(pthread_spin_unlock, (pthread_spinlock_t *l), (l), SPIN_ADDRESS(l), not_known, not_known, OP_SPIN_UNLOCK)

#define BY_ERRNO (ret ? errno : 0)
SYNC(sem_wait, (sem_t *s_), (s_), s_, shared_sem, OP_SEM_WAIT, BY_ERRNO, TAKES_UNIT)
SYNC(sem_trywait, (sem_t *s_), (s_), s_, shared_sem, OP_SEM_TRYWAIT, BY_ERRNO, TAKES_UNIT)
SYNC(sem_timedwait, (sem_t *s_, const struct timespec *t), (s_, t), s_, shared_sem, OP_SEM_WAIT, BY_ERRNO, TAKES_UNIT)
SYNC(sem_clockwait, (sem_t *s_, clockid_t c, const struct timespec *t), (s_, c, t), s_, shared_sem, OP_SEM_WAIT,
     BY_ERRNO, TAKES_UNIT)
SYNC(sem_post, (sem_t *s_), (s_), s_, shared_sem, OP_SEM_POST, BY_ERRNO, GIVES_UNIT)

/* ---- the same by C11's names, which libc forwards inside itself: always one's own ---- */

static int thrd_error_of(int ret)
{
	return ret == thrd_success ? 0 : ret == thrd_busy ? EBUSY : ret == thrd_timedout ? ETIMEDOUT : EINVAL;
}

SYNC(mtx_lock, (mtx_t *m), (m), m, not_known, OP_MUTEX_LOCK, thrd_error_of(ret), LOCKS)
SYNC(mtx_trylock, (mtx_t *m), (m), m, not_known, OP_MUTEX_TRYLOCK, thrd_error_of(ret), LOCKS_AT_ONCE)
SYNC(mtx_timedlock, (mtx_t *m, const struct timespec *t), (m, t), m, not_known, OP_MUTEX_LOCK, thrd_error_of(ret), LOCKS)
/* glibc's mtx_t is a mutex by another name. */
static bool wanted_mtx(const mtx_t *m) { return wanted_mutex((const pthread_mutex_t *)m); }
RELEASE(mtx_unlock, (mtx_t *m), (m), m, not_known, wanted_mtx, OP_MUTEX_UNLOCK)
SYNC(cnd_signal, (cnd_t *c), (c), c, not_known, OP_COND_SIGNAL, thrd_error_of(ret), GIVES)
SYNC(cnd_broadcast, (cnd_t *c), (c), c, not_known, OP_COND_BROADCAST, thrd_error_of(ret), GIVES)

#define CND_WAIT(name, params, args)                                                               \
	SHIM_EXPORT int name params                                                                \
	{                                                                                          \
		struct sync s;                                                                     \
		if (!begin(&s, c, false, OP_COND_WAIT))                                            \
			return REAL(name) args;                                                    \
		struct shim_thread *self = s.o.t;                                                  \
		uint64_t since = shim_let_go(self, shim_private_object(m)), now = s.o.io.enter_ns; \
		if (is_long(since, now, wanted_mtx(m)))                                            \
			tell_hold(self, m, OP_LOCK_HELD, since, now);                              \
		int ret = REAL(name) args;                                                         \
		shim_hold(self, shim_private_object(m), m, shim_now(), true);                      \
		end(&s, thrd_error_of(ret), NOTHING);                                              \
		return ret;                                                                        \
	}
CND_WAIT(cnd_wait, (cnd_t *c, mtx_t *m), (c, m))
CND_WAIT(cnd_timedwait, (cnd_t *c, mtx_t *m, const struct timespec *t), (c, m, t))

/*
 * What is initialised begins anew, wherever it lies: whatever was done before to what lay there was done to
 * something else.
 */
#define BORN(name, params, args, p, shared)                                                        \
	SHIM_EXPORT int name params                                                                \
	{                                                                                          \
		struct shim_thread *t = shim_ready();                                              \
		int ret = REAL(name) args;                                                         \
		if (t && ret == 0)                                                                 \
			shim_deed_born(t, shared(p) ? shim_sync_object(t, p) : shim_private_object(p), shim_now()); \
		return ret;                                                                        \
	}
BORN(sem_init, (sem_t *s, int shared, unsigned int value), (s, shared, value), s, shared_sem)
BORN(pthread_cond_init, (pthread_cond_t *c, const pthread_condattr_t *a), (c, a), c, shared_cond)
BORN(pthread_barrier_init, (pthread_barrier_t *b, const pthread_barrierattr_t *a, unsigned int n), (b, a, n), b,
     shared_barrier)
