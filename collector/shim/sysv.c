// SPDX-License-Identifier: LGPL-2.1-or-later
/* System V shared memory, message queues and semaphores. */
#include <stdarg.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#include "collector/shim/calls.h"
#include "collector/shim/describe.h"
#include "collector/shim/memory.h"

/* Ids that have been described in this process: a small table, the index of an id's low bits. */
#define TOLD 256
static struct {
	uint64_t obj;
	uint32_t generation;
} told[TOLD];

static uint64_t object(uint16_t kind, int id)
{
	return RAW_OBJ(kind, (uint64_t)(shim_ipc_ns() & 0xffffff) << 32 | (uint32_t)id);
}

/* Its key, and of a queue what is inside and what it has room for, where they are to be had. */
static void describe(struct raw_object *o, int id)
{
	union {
		struct msqid_ds msg;
		struct semid_ds sem;
		struct shmid_ds shm;
	} d;
	int saved = errno;
	union semun {
		struct semid_ds *ds;
	} arg = { .ds = &d.sem };
	switch (o->kind) {
	case KIND_MSG:
		if (REAL(msgctl)(id, IPC_STAT, &d.msg) == 0) {
			o->key = d.msg.msg_perm.__key;
			o->backlog = d.msg.__msg_cbytes;
			o->at = d.msg.msg_qbytes;
		}
		break;
	case KIND_SEM:
		if (REAL(semctl)(id, 0, IPC_STAT, arg) == 0)
			o->key = d.sem.sem_perm.__key;
		break;
	case KIND_SHM:
		if (REAL(shmctl)(id, IPC_STAT, &d.shm) == 0)
			o->key = d.shm.shm_perm.__key;
		break;
	}
	errno = saved;
}

static uint64_t described_anew(struct shim_thread *t, uint16_t kind, int id, bool anew)
{
	uint64_t obj = object(kind, id);
	unsigned int at = (unsigned int)(obj ^ obj >> 56 ^ obj >> 8) % TOLD;
	if (!anew && __atomic_load_n(&told[at].obj, __ATOMIC_ACQUIRE) == obj &&
	    told[at].generation == shim_control->generation)
		return obj;
	struct raw_object o = {
		.hdr = { .t_ns = shim_now(), .type = RAW_OBJECT, .size = sizeof(o) },
		.obj = obj, .ino = (uint32_t)id, .ns = shim_ipc_ns(), .fd = -1, .kind = kind,
	};
	describe(&o, id);
	shim_put(t, &o, sizeof(o), SHIM_LOST_CTL);
	told[at].generation = shim_control->generation;
	__atomic_store_n(&told[at].obj, obj, __ATOMIC_RELEASE);
	return obj;
}

static uint64_t described(struct shim_thread *t, uint16_t kind, int id)
{
	return described_anew(t, kind, id, false);
}

/* ---- get and control ---- */

void shim_end_sysv_get(struct shim_op *o, int id, uint16_t kind)
{
	shim_done(o, id);
	if (id >= 0)
		o->io.chan = described(o->t, kind, id);
	shim_tell(o);
}

bool shim_begin_sysv_ctl(struct shim_op *o, uint16_t kind, int id, int cmd, enum ipctap_op op)
{
	struct shim_thread *t = shim_ready();
	if (!t)
		return false;
	shim_begin(o, t, described(t, kind, id), -1, op, 0);
	o->io.mtype = cmd;
	return true;
}

void shim_end_sysv_ctl(struct shim_op *o, uint16_t kind, int id, int ret)
{
	if (kind == KIND_MSG && o->io.mtype == IPC_SET && ret == 0)
		described_anew(o->t, kind, id, true); /* what it has room for */
	shim_end(o, ret);
}

#define GET(name, params, args, op, kind)                                                          \
	SHIM_EXPORT int name params                                                                \
	{                                                                                          \
		struct shim_op o;                                                                  \
		if (!shim_begin_none(&o, op))                                                      \
			return REAL(name) args;                                                    \
		int id = REAL(name) args;                                                          \
		shim_end_sysv_get(&o, id, kind);                                                   \
		return id;                                                                         \
	}

GET(msgget, (key_t key, int flags), (key, flags), OP_MSGGET, KIND_MSG)
GET(semget, (key_t key, int n, int flags), (key, n, flags), OP_SEMGET, KIND_SEM)
GET(shmget, (key_t key, size_t size, int flags), (key, size, flags), OP_SHMGET, KIND_SHM)

#define CTL(name, params, args, op, kind)                                                          \
	SHIM_EXPORT int name params                                                                \
	{                                                                                          \
		struct shim_op o;                                                                  \
		if (!shim_begin_sysv_ctl(&o, kind, id, cmd, op))                                   \
			return REAL(name) args;                                                    \
		int ret = REAL(name) args;                                                         \
		shim_end_sysv_ctl(&o, kind, id, ret);                                              \
		return ret;                                                                        \
	}

CTL(msgctl, (int id, int cmd, struct msqid_ds *d), (id, cmd, d), OP_MSGCTL, KIND_MSG)
CTL(shmctl, (int id, int cmd, struct shmid_ds *d), (id, cmd, d), OP_SHMCTL, KIND_SHM)

/* Its last argument is a union of a number and addresses, or is not there. */
SHIM_EXPORT int semctl(int id, int number, int cmd, ...)
{
	union semun {
		int val;
		void *p;
	} arg;
	struct shim_op o;
	va_list ap;
	va_start(ap, cmd);
	arg = va_arg(ap, union semun);
	va_end(ap);
	if (!shim_begin_sysv_ctl(&o, KIND_SEM, id, cmd, OP_SEMCTL))
		return REAL(semctl)(id, number, cmd, arg);
	int ret = REAL(semctl)(id, number, cmd, arg);
	shim_end_sysv_ctl(&o, KIND_SEM, id, ret);
	return ret;
}

/* ---- messages ---- */

bool shim_begin_sysv_msg(struct shim_op *o, int id, enum ipctap_op op, int flags)
{
	struct shim_thread *t = shim_ready();
	bool reads = op == OP_MSGRCV;
	if (t)
		shim_begin(o, t, described(t, KIND_MSG, id), -1, op,
			   (reads ? IO_READ : IO_WRITE) | (flags & IPC_NOWAIT ? IO_NONBLOCK : 0) |
				   (reads && flags & MSG_COPY ? IO_PEEK : 0) | (reads && flags & MSG_NOERROR ? IO_TRUNC : 0));
	return t != NULL;
}

void shim_end_sysv_msg(struct shim_op *o, int64_t ret, const void *m, size_t n)
{
	long type = 0;
	if (ret >= 0)
		memcpy(&type, m, sizeof(type));
	shim_end_message(o, ret, n, type, (const char *)m + sizeof(type));
}

SHIM_EXPORT int msgsnd(int id, const void *m, size_t n, int flags)
{
	struct shim_op o;
	if (!shim_begin_sysv_msg(&o, id, OP_MSGSND, flags))
		return REAL(msgsnd)(id, m, n, flags);
	int ret = REAL(msgsnd)(id, m, n, flags);
	shim_end_sysv_msg(&o, ret, m, n);
	return ret;
}

SHIM_EXPORT ssize_t msgrcv(int id, void *m, size_t n, long type, int flags)
{
	struct shim_op o;
	if (!shim_begin_sysv_msg(&o, id, OP_MSGRCV, flags))
		return REAL(msgrcv)(id, m, n, type, flags);
	ssize_t ret = REAL(msgrcv)(id, m, n, type, flags);
	shim_end_sysv_msg(&o, ret, m, (size_t)ret);
	return ret;
}

/* ---- semaphores ---- */

static uint64_t deadline(const struct timespec *timeout, uint64_t now)
{
	return shim_is_address(timeout) ? now + (uint64_t)timeout->tv_sec * 1000000000ULL + (uint64_t)timeout->tv_nsec : 0;
}

bool shim_begin_semop(struct shim_op *o, int id, const struct sembuf *ops, size_t n,
		      const struct timespec *timeout, enum ipctap_op op)
{
	struct shim_thread *t = n && shim_is_address(ops) ? shim_ready() : NULL;
	if (!t)
		return false;
	shim_begin(o, t, described(t, KIND_SEM, id), -1, op, ops[0].sem_flg & IPC_NOWAIT ? IO_NONBLOCK : 0);
	o->io.mtype = ops[0].sem_op;
	shim_call(o)->deadline_ns = deadline(timeout, o->io.enter_ns);
	return true;
}

SHIM_EXPORT int semop(int id, struct sembuf *ops, size_t n)
{
	struct shim_op o;
	if (!shim_begin_semop(&o, id, ops, n, NULL, OP_SEMTIMEDOP)) /* libc makes a semtimedop of it */
		return REAL(semop)(id, ops, n);
	int ret = REAL(semop)(id, ops, n);
	shim_end(&o, ret);
	return ret;
}

SHIM_EXPORT int semtimedop(int id, struct sembuf *ops, size_t n, const struct timespec *timeout)
{
	struct shim_op o;
	if (!shim_begin_semop(&o, id, ops, n, timeout, OP_SEMTIMEDOP))
		return REAL(semtimedop)(id, ops, n, timeout);
	int ret = REAL(semtimedop)(id, ops, n, timeout);
	shim_end(&o, ret);
	return ret;
}

/* ---- memory ---- */

SHIM_EXPORT void *shmat(int id, const void *at, int flags)
{
	struct shim_op o;
	struct shim_mapping m;
	struct shim_thread *t = shim_ready();
	if (!t)
		return REAL(shmat)(id, at, flags);
	shim_begin(&o, t, described(t, KIND_SHM, id), -1, OP_SHMAT, 0);
	void *got = REAL(shmat)(id, at, flags);
	shim_done(&o, got == (void *)-1 ? -1 : 0);
	if (got == (void *)-1) {
		shim_tell(&o);
		return got;
	}
	uint64_t start = (uint64_t)got, end = start + 1;
	if (shim_mapping_find(start, &m))
		end = m.end;
	o.io.ret = (int64_t)(intptr_t)got;
	shim_tell_map(&o, &(struct raw_map){
				  .old_start = start, .old_end = end, .start = start, .end = end,
				  .dir = flags & SHM_RDONLY ? ENDPOINT_DIR_READ
							    : ENDPOINT_DIR_READ | ENDPOINT_DIR_WRITE,
			  });
	return got;
}

SHIM_EXPORT int shmdt(const void *at)
{
	struct shim_op o;
	struct shim_mapping m;
	struct shim_thread *t = shim_ready();
	if (!t)
		return REAL(shmdt)(at);
	uint64_t obj = 0;
	if (shim_mapping_find((uint64_t)at, &m) && m.is_shared && strncmp(m.path, "/SYSV", 5) == 0)
		obj = described(t, KIND_SHM, (int)m.ino);
	shim_begin(&o, t, obj, -1, OP_SHMDT, 0);
	int ret = REAL(shmdt)(at);
	shim_done(&o, ret);
	if (ret == 0)
		shim_tell_map(&o, &(struct raw_map){ .old_start = (uint64_t)at, .old_end = (uint64_t)at + 1, .whole = 1 });
	else
		shim_tell(&o);
	return ret;
}
