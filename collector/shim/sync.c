// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Mutexes, read-write locks, conditions, barriers, spin locks, semaphores and joins: seen also when
 * nobody contends for them and no system call is made.
 *
 * What lies in shared memory is told of at every use, as the object that the kernel's probes name it.
 * Of one in a process's own memory only a call that lasted is told; the rest concerns nobody else. Either
 * way the locks that a thread holds stand in the header of its ring, with the time since when.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <sys/prctl.h>

#include "collector/shim/memory.h"
#include "collector/shim/shim.h"

#define LASTED_NS 20000
#define TICK_NS 10000000 /* of the slowest clock that kernels are built with: HZ 100 */

/* ---- which object ---- */

/* Addresses looked up: by the low bits. What was mapped anew since is looked up again. */
#define SLOTS 1024
static struct {
	uint64_t address, obj;
	uint32_t mappings, generation;
} slots[SLOTS];

uint32_t shim_mappings; /* raised whenever shared memory comes or goes */

static uint64_t private_object(const void *p)
{
	return RAW_OBJ_FUTEX((uint64_t)shim_pid << 32 | *shim_epoch, (uint64_t)p, 1);
}

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
		obj = private_object(p);
		describe(t, obj, p, NULL, &memory);
	}
	return obj;
}

/* The object at p, described. */
static uint64_t object(struct shim_thread *t, const void *p)
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

void shim_sync_forked(void) { memset(slots, 0, sizeof(slots)); }

/* ---- held ---- */

static void hold(struct shim_thread *t, uint64_t obj, uint64_t since_ns)
{
	struct shim_held *h = t->ring->held;
	uint32_t n = t->nheld++;
	if (n >= SHIM_HELD_MAX)
		return; /* counted, so that the places below are right when it is let go */
	h[n].since_ns = since_ns;
	__atomic_store_n(&h[n].obj, obj, __ATOMIC_RELEASE);
}

/* Usually the last one got. Returns since when; 0: not held, or got by another thread. */
static uint64_t let_go(struct shim_thread *t, uint64_t obj)
{
	struct shim_held *h = t->ring->held;
	uint32_t n = t->nheld < SHIM_HELD_MAX ? t->nheld : SHIM_HELD_MAX;
	for (uint32_t i = n; i-- > 0;) {
		if (h[i].obj != obj)
			continue;
		uint64_t since = h[i].since_ns;
		for (; i + 1 < n; i++)
			h[i] = h[i + 1];
		__atomic_store_n(&h[n - 1].obj, 0, __ATOMIC_RELEASE);
		t->nheld--;
		return since;
	}
	if (t->nheld > SHIM_HELD_MAX)
		t->nheld--;
	return 0;
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
	shim_begin(&s->o, t, shared ? object(t, p) : private_object(p), -1, op, 0);
}

static bool begin(struct sync *s, const void *p, bool shared, enum ipctap_op op)
{
	struct shim_thread *t = shim_ready();
	if (t)
		begin_at(s, t, p, shared, op);
	return t != NULL;
}

/* Tells the call if it is of interest to others, or lasted. errno is as the call left it. */
static void end(struct sync *s, int err, bool takes)
{
	struct shim_op *o = &s->o;
	shim_drop(o);
	uint64_t now = shim_now();
	if (takes && (err == 0 || err == EOWNERDEAD))
		hold(o->t, o->io.chan, now);
	if (!s->shared && now - o->io.enter_ns < LASTED_NS)
		return;
	if (!s->shared && !(o->io.chan = object(o->t, s->p)))
		return;
	o->io.hdr.t_ns = now;
	o->io.ret = -err;
	if (err)
		o->io.hdr.flags |= IO_ERROR;
	shim_tell(o);
}

static bool shared_mutex(const pthread_mutex_t *m) { return m->__data.__kind & 128; }
static bool shared_rwlock(const pthread_rwlock_t *l) { return l->__data.__shared != 0; }
static bool shared_cond(const pthread_cond_t *c) { return c->__data.__wrefs & 1; }

/* glibc's struct new_sem and struct pthread_barrier: what is private says so behind the value. */
static bool shared_sem(const sem_t *s) { return ((const int *)s)[2] != 0; }
static bool shared_barrier(const pthread_barrier_t *b) { return ((const int *)b)[3] != 0; }

#define SYNC(name, params, args, p, shared, op, err, takes)                                        \
	SHIM_EXPORT int name params                                                                \
	{                                                                                          \
		struct sync s;                                                                     \
		if (!begin(&s, p, shared(p), op))                                                  \
			return REAL(name) args;                                                    \
		int ret = REAL(name) args;                                                         \
		end(&s, err, takes);                                                               \
		return ret;                                                                        \
	}
#define RELEASE(name, params, args, p, shared, op)                                                 \
	SHIM_EXPORT int name params                                                                \
	{                                                                                          \
		struct shim_thread *t = shim_ready();                                              \
		struct shim_op o;                                                                  \
		if (!t)                                                                            \
			return REAL(name) args;                                                    \
		bool is_shared = shared(p);                                                        \
		uint64_t obj = is_shared ? object(t, p) : private_object(p);                       \
		uint64_t since = let_go(t, obj);                                                   \
		if (!is_shared)                                                                    \
			return REAL(name) args;                                                    \
		shim_begin(&o, t, obj, -1, op, 0);                                                 \
		int ret = REAL(name) args;                                                         \
		shim_done(&o, 0);                                                                  \
		o.io.ret = -ret;                                                                   \
		o.io.hdr.flags |= ret ? IO_ERROR : 0;                                              \
		o.io.mtype = since ? (int64_t)(o.io.enter_ns - since) : 0;                         \
		shim_tell(&o);                                                                     \
		return ret;                                                                        \
	}

/* A few milliseconds old, and a tenth of the price: the last tick of the kernel's timer. */
static uint64_t now_about(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

/*
 * One's own mutex, found free, is got at once: for that the time need not be exact. Should somebody get
 * it just before, the wait is told if a tick of the clock has passed.
 */
static int lock_free(struct shim_thread *t, pthread_mutex_t *m)
{
	struct sync s = { .o = { .t = t }, .p = m };
	uint64_t obj = private_object(m), since = now_about();
	struct shim_call *c = &t->ring->call;
	c->enter_ns = since;
	c->obj = obj;
	c->fd = -1;
	c->deadline_ns = 0;
	__atomic_store_n(&c->op, OP_MUTEX_LOCK, __ATOMIC_RELEASE);
	int err = REAL(pthread_mutex_lock)(m);
	uint64_t got = now_about();
	if (SHIM_RARE(got - since > TICK_NS)) { /* one tick may come at any time */
		s.o.io = (struct ev_io){ .hdr = { .type = EV_IO, .size = sizeof(s.o.io) }, .enter_ns = since,
					 .chan = obj, .fd = -1, .op = OP_MUTEX_LOCK };
		end(&s, err, false);
	}
	__atomic_store_n(&c->op, 0, __ATOMIC_RELAXED);
	if (err == 0 || err == EOWNERDEAD)
		hold(t, obj, got);
	return err;
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
	end(&s, err, true);
	return err;
}
SYNC(pthread_mutex_trylock, (pthread_mutex_t *m), (m), m, shared_mutex, OP_MUTEX_TRYLOCK, ret, true)
SYNC(pthread_mutex_timedlock, (pthread_mutex_t *m, const struct timespec *t), (m, t), m, shared_mutex, OP_MUTEX_LOCK, ret, true)
SYNC(pthread_mutex_clocklock, (pthread_mutex_t *m, clockid_t c, const struct timespec *t), (m, c, t), m, shared_mutex,
     OP_MUTEX_LOCK, ret, true)
RELEASE(pthread_mutex_unlock, (pthread_mutex_t *m), (m), m, shared_mutex, OP_MUTEX_UNLOCK)

SYNC(pthread_rwlock_rdlock, (pthread_rwlock_t *l), (l), l, shared_rwlock, OP_RWLOCK_RDLOCK, ret, true)
SYNC(pthread_rwlock_tryrdlock, (pthread_rwlock_t *l), (l), l, shared_rwlock, OP_RWLOCK_RDLOCK, ret, true)
SYNC(pthread_rwlock_timedrdlock, (pthread_rwlock_t *l, const struct timespec *t), (l, t), l, shared_rwlock, OP_RWLOCK_RDLOCK,
     ret, true)
SYNC(pthread_rwlock_clockrdlock, (pthread_rwlock_t *l, clockid_t c, const struct timespec *t), (l, c, t), l, shared_rwlock,
     OP_RWLOCK_RDLOCK, ret, true)
SYNC(pthread_rwlock_wrlock, (pthread_rwlock_t *l), (l), l, shared_rwlock, OP_RWLOCK_WRLOCK, ret, true)
SYNC(pthread_rwlock_trywrlock, (pthread_rwlock_t *l), (l), l, shared_rwlock, OP_RWLOCK_WRLOCK, ret, true)
SYNC(pthread_rwlock_timedwrlock, (pthread_rwlock_t *l, const struct timespec *t), (l, t), l, shared_rwlock, OP_RWLOCK_WRLOCK,
     ret, true)
SYNC(pthread_rwlock_clockwrlock, (pthread_rwlock_t *l, clockid_t c, const struct timespec *t), (l, c, t), l, shared_rwlock,
     OP_RWLOCK_WRLOCK, ret, true)
RELEASE(pthread_rwlock_unlock, (pthread_rwlock_t *l), (l), l, shared_rwlock, OP_RWLOCK_UNLOCK)

/* The mutex is let go of while its condition is waited for, and got again. */
#define COND_WAIT(name, params, args)                                                              \
	SHIM_EXPORT int name params                                                                \
	{                                                                                          \
		struct sync s;                                                                     \
		if (!begin(&s, c, shared_cond(c), OP_COND_WAIT))                                   \
			return REAL(name) args;                                                    \
		struct shim_thread *self = s.o.t;                                                  \
		uint64_t mutex = shared_mutex(m) ? object(self, m) : private_object(m);            \
		let_go(self, mutex);                                                               \
		int ret = REAL(name) args;                                                         \
		hold(self, mutex, shim_now());                                                     \
		end(&s, ret, false);                                                               \
		return ret;                                                                        \
	}
COND_WAIT(pthread_cond_wait, (pthread_cond_t *c, pthread_mutex_t *m), (c, m))
COND_WAIT(pthread_cond_timedwait, (pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *t), (c, m, t))
COND_WAIT(pthread_cond_clockwait, (pthread_cond_t *c, pthread_mutex_t *m, clockid_t k, const struct timespec *t),
	  (c, m, k, t))
SYNC(pthread_cond_signal, (pthread_cond_t *c), (c), c, shared_cond, OP_COND_SIGNAL, ret, false)
SYNC(pthread_cond_broadcast, (pthread_cond_t *c), (c), c, shared_cond, OP_COND_BROADCAST, ret, false)
SYNC(pthread_barrier_wait, (pthread_barrier_t *b), (b), b, shared_barrier, OP_BARRIER_WAIT,
     ret == PTHREAD_BARRIER_SERIAL_THREAD ? 0 : ret, false)

/* Whether others share it a spin lock does not say: it is taken to be one's own. */
static bool shared_spin(const void *l)
{
	(void)l;
	return false;
}
#define SPIN_ADDRESS(l) ((const void *)(uintptr_t)(l))
SYNC(pthread_spin_lock, (pthread_spinlock_t *l), (l), SPIN_ADDRESS(l), shared_spin, OP_SPIN_LOCK, ret, true)
SYNC(pthread_spin_trylock, (pthread_spinlock_t *l), (l), SPIN_ADDRESS(l), shared_spin, OP_SPIN_LOCK, ret, true)
RELEASE(pthread_spin_unlock, (pthread_spinlock_t *l), (l), SPIN_ADDRESS(l), shared_spin, OP_SPIN_UNLOCK)

#define BY_ERRNO (ret ? errno : 0)
SYNC(sem_wait, (sem_t *s_), (s_), s_, shared_sem, OP_SEM_WAIT, BY_ERRNO, false)
SYNC(sem_trywait, (sem_t *s_), (s_), s_, shared_sem, OP_SEM_TRYWAIT, BY_ERRNO, false)
SYNC(sem_timedwait, (sem_t *s_, const struct timespec *t), (s_, t), s_, shared_sem, OP_SEM_WAIT, BY_ERRNO, false)
SYNC(sem_clockwait, (sem_t *s_, clockid_t c, const struct timespec *t), (s_, c, t), s_, shared_sem, OP_SEM_WAIT,
     BY_ERRNO, false)
SYNC(sem_post, (sem_t *s_), (s_), s_, shared_sem, OP_SEM_POST, BY_ERRNO, false)

/* ---- names ---- */

static void renamed(void)
{
	struct shim_thread *t = shim_ready();
	struct ev_task e = { .hdr = { .type = EV_TASK, .size = sizeof(e) }, .what = TASK_RENAME };
	int saved = errno;
	if (t && REAL(prctl)(PR_GET_NAME, e.comm, 0, 0, 0) == 0) {
		e.hdr.t_ns = shim_now();
		e.start_ns = t->ring->start_ns;
		shim_put(t, &e, sizeof(e), SHIM_LOST_CTL);
	}
	errno = saved;
}

SHIM_EXPORT int prctl(int what, ...)
{
	va_list ap;
	unsigned long a[4];
	va_start(ap, what);
	for (int i = 0; i < 4; i++)
		a[i] = va_arg(ap, unsigned long);
	va_end(ap);
	int ret = REAL(prctl)(what, a[0], a[1], a[2], a[3]);
	if (what == PR_SET_NAME && ret == 0)
		renamed();
	return ret;
}

SHIM_EXPORT int pthread_setname_np(pthread_t thread, const char *name)
{
	int ret = REAL(pthread_setname_np)(thread, name);
	if (ret == 0 && pthread_equal(thread, pthread_self()))
		renamed();
	return ret;
}
