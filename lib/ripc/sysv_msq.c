// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * System V message queues: the calls, and waiting. A queue that a process has used stays open in it
 * (System V has no close), until it is found removed.
 */
#include "lib/ripc/sysv_msq.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/ripc/probes.h"

static int msq_init(void *body, int id, const void *arg)
{
	struct msq_body *q = body;
	(void)id, (void)arg;
	atomic_store(&q->qbytes, RIPC_MSGMNB);
	q->first = q->last = q->free_slot = q->free_block = MSQ_NONE;
	return 0;
}

static void msq_recover(void *body)
{
	struct msq_body *q = body;
	ripc_lock_reset(&q->lock);
	atomic_store(&q->dirty, 1);
}

static const struct sysv_kind msq_kind = {
	.type = RIPC_TYPE_MSQ,
	.body_bytes = sizeof(struct msq_body),
	.limit = RIPC_MSGMNI,
	.init = msq_init,
	.recover = msq_recover,
};

/* ---- the queues that this process has open ---- */

struct queue {
	struct queue *next;
	struct ripc_object *o;
	struct msq_body *q;
	unsigned users;
	int id;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct queue *queues;

static void fork_prepare(void) { pthread_mutex_lock(&mutex); }
static void fork_parent(void) { pthread_mutex_unlock(&mutex); }

static void fork_child(void)
{
	for (struct queue *h = queues; h; h = h->next)
		h->users = 0; /* the parent's other threads are not here */
	pthread_mutex_unlock(&mutex);
}

__attribute__((constructor)) static void at_load(void)
{
	pthread_atfork(fork_prepare, fork_parent, fork_child);
}

/* Closes what has been removed and nobody here is using. */
static void forget_removed(void)
{
	for (struct queue **p = &queues; *p;) {
		struct queue *h = *p;
		if (!h->users && ripc_sysv_is_removed(h->o)) {
			*p = h->next;
			ripc_object_close(h->o);
			free(h);
		} else {
			p = &h->next;
		}
	}
}

static int queue_open(struct queue **out, int id)
{
	struct queue *h = calloc(1, sizeof(*h));
	int err = h ? ripc_sysv_open(&h->o, &msq_kind, id) : -ENOMEM;
	if (err < 0) {
		free(h);
		return err;
	}
	h->q = h->o->body;
	h->id = id;
	h->next = queues;
	queues = *out = h;
	return 0;
}

/* -EINVAL when there is no such queue. Held until queue_put(). */
static int queue_get(struct queue **out, int id)
{
	int err = 0;
	pthread_mutex_lock(&mutex);
	struct queue *h = queues;
	while (h && h->id != id)
		h = h->next;
	if (!h) {
		forget_removed();
		err = queue_open(&h, id);
	}
	if (!err && ripc_sysv_is_removed(h->o))
		err = -EINVAL;
	if (!err)
		h->users++;
	pthread_mutex_unlock(&mutex);
	*out = h;
	return err;
}

static void queue_put(struct queue *h)
{
	pthread_mutex_lock(&mutex);
	h->users--;
	if (ripc_sysv_is_removed(h->o))
		forget_removed();
	pthread_mutex_unlock(&mutex);
}

static int queue_lock(struct msq_body *q)
{
	int err = ripc_lock(&q->lock);
	if (err == -EOWNERDEAD)
		atomic_store(&q->dirty, 1);
	else if (err)
		return err;
	if (atomic_load_explicit(&q->dirty, memory_order_relaxed)) {
		err = msq_rebuild(q);
		if (err) {
			ripc_unlock(&q->lock);
			return err;
		}
		atomic_store(&q->dirty, 0);
	}
	return 0;
}

/* ---- waiting ---- */

struct transfer {
	struct queue *h;
	const void *out;
	void *in;
	size_t bytes;
	long type;
	int flags;
	int none; /* what it is when it would have to wait */
};

static ssize_t repeat(struct transfer *t, struct ripc_gate *g, ssize_t (*try)(struct transfer *))
{
	for (;;) {
		struct ripc_ticket ticket = ripc_gate_enter(g);
		ssize_t r = try(t);
		int err = r == t->none ? ripc_gate_sleep_intr(g, ticket, RIPC_FOREVER) : 0;
		ripc_gate_leave(g, ticket);
		if (r != t->none)
			return r == -EINVAL && ripc_sysv_is_removed(t->h->o) ? -EIDRM : r;
		if (err && ripc_sysv_is_removed(t->h->o))
			return -EIDRM;
		if (err)
			return err;
	}
}

static ssize_t transfer(struct transfer *t, struct ripc_gate *g, ssize_t (*try)(struct transfer *))
{
	ssize_t r = try(t);
	if (r != t->none || (t->flags & IPC_NOWAIT))
		return r;
	RIPC_PROBE_WAIT_BEGIN(RIPC_KIND("msq"), t->h->o->name, t->h->o->ino);
	r = repeat(t, g, try);
	RIPC_PROBE_WAIT_END(RIPC_KIND("msq"), t->h->o->name, t->h->o->ino, r < 0 ? -r : 0);
	return r;
}

/* Permission is asked at each try: IPC_SET may have changed it (Linux: waiters look again). */
static int begin(struct transfer *t, unsigned want)
{
	struct msq_body *q = t->h->q;
	int err = queue_lock(q);
	if (err)
		return err;
	err = ripc_sysv_is_removed(t->h->o) ? -EINVAL : ripc_sysv_may(&q->h, want);
	if (err)
		ripc_unlock(&q->lock);
	return err;
}

/* ---- msgsnd ---- */

static ssize_t try_send(struct transfer *t)
{
	struct msq_body *q = t->h->q;
	int err = begin(t, 2);
	if (err)
		return err;
	err = msq_put(q, t->type, t->out, t->bytes);
	if (!err) {
		q->lspid = getpid();
		q->stime_s = time(NULL);
	}
	ripc_unlock(&q->lock);
	if (!err) /* each may wait for another type */
		ripc_gate_wake_fenced(&q->not_empty, INT_MAX);
	return err;
}

int ripc_msgsnd(int id, const void *message, size_t bytes, int flags)
{
	struct transfer t = {.bytes = bytes, .flags = flags, .none = -EAGAIN};
	if (bytes > RIPC_MSGMAX)
		return (int)ripc_sysv_result(-EINVAL);
	memcpy(&t.type, message, sizeof(t.type));
	t.out = (const char *)message + sizeof(long);
	if (t.type < 1)
		return (int)ripc_sysv_result(-EINVAL);
	int err = queue_get(&t.h, id);
	if (err)
		return (int)ripc_sysv_result(err);
	RIPC_PROBE_BEGIN();
	err = (int)transfer(&t, &t.h->q->not_full, try_send);
	if (!err)
		RIPC_PROBE_SEND(RIPC_KIND("msq"), t.h->o->name, t.h->o->ino, bytes, t.type);
	queue_put(t.h);
	return (int)ripc_sysv_result(err);
}

/* ---- msgrcv ---- */

/* MSG_COPY (msgrcv(2), Linux 3.8): nothing but the copy; one that is cut is refused. */
static ssize_t copy_slot(struct transfer *t, uint32_t slot)
{
	struct msq_body *q = t->h->q;
	size_t bytes = msq_bytes(q, slot);
	long type = msq_type(q, slot);
	if (bytes > t->bytes)
		return t->flags & MSG_NOERROR ? -EINVAL : -E2BIG;
	memcpy(t->in, &type, sizeof(type));
	msq_copy_out(q, slot, (char *)t->in + sizeof(long), bytes);
	return (ssize_t)bytes;
}

static ssize_t receive_slot(struct transfer *t, uint32_t slot, uint32_t before)
{
	struct msq_body *q = t->h->q;
	size_t bytes = msq_bytes(q, slot);
	long type = msq_type(q, slot);
	if (bytes > t->bytes) {
		if (!(t->flags & MSG_NOERROR))
			return -E2BIG;
		bytes = t->bytes;
	}
	memcpy(t->in, &type, sizeof(type));
	msq_copy_out(q, slot, (char *)t->in + sizeof(long), bytes);
	msq_drop(q, slot, before);
	q->lrpid = getpid();
	q->rtime_s = time(NULL);
	return (ssize_t)bytes;
}

static ssize_t try_receive(struct transfer *t)
{
	struct msq_body *q = t->h->q;
	uint32_t before = MSQ_NONE;
	ssize_t r = begin(t, 4);
	if (r)
		return r;
	bool copies = t->flags & MSG_COPY;
	uint32_t slot = copies ? msq_nth(q, t->type) : msq_find(q, t->type, t->flags, &before);
	r = slot == MSQ_NONE ? -ENOMSG : copies ? copy_slot(t, slot) : receive_slot(t, slot, before);
	ripc_unlock(&q->lock);
	if (r >= 0 && !copies) /* the room may do for several, or for a smaller one than the first in line has */
		ripc_gate_wake_fenced(&q->not_full, INT_MAX);
	return r;
}

ssize_t ripc_msgrcv(int id, void *message, size_t bytes, long type, int flags)
{
	struct transfer t = {
		.in = message, .bytes = bytes, .type = type, .flags = flags, .none = -ENOMSG};
	if (bytes > SSIZE_MAX ||
	    ((flags & MSG_COPY) && ((flags & MSG_EXCEPT) || !(flags & IPC_NOWAIT))))
		return ripc_sysv_result(-EINVAL);
	int err = queue_get(&t.h, id);
	if (err)
		return ripc_sysv_result(err);
	RIPC_PROBE_BEGIN();
	ssize_t r = transfer(&t, &t.h->q->not_empty, try_receive);
	if (r >= 0 && !(flags & MSG_COPY))
		RIPC_PROBE_RECEIVE(RIPC_KIND("msq"), t.h->o->name, t.h->o->ino, r, *(long *)message);
	queue_put(t.h);
	return ripc_sysv_result(r);
}

/* ---- msgget, msgctl ---- */

int ripc_msgget(key_t key, int flags)
{
	return (int)ripc_sysv_result(ripc_sysv_get(&msq_kind, key, flags, NULL));
}

static int msq_stat(struct msq_body *q, struct msqid_ds *buf, bool any)
{
	int err = any ? 0 : ripc_sysv_may(&q->h, 4);
	if (!err)
		err = queue_lock(q);
	if (err)
		return err;
	memset(buf, 0, sizeof(*buf));
	ripc_sysv_fill_perm(&q->h, &buf->msg_perm);
	buf->msg_stime = q->stime_s;
	buf->msg_rtime = q->rtime_s;
	buf->msg_ctime = q->h.ctime_s;
	buf->__msg_cbytes = q->bytes;
	buf->msg_qnum = q->count;
	buf->msg_qbytes = atomic_load(&q->qbytes);
	buf->msg_lspid = q->lspid;
	buf->msg_lrpid = q->lrpid;
	ripc_unlock(&q->lock);
	return 0;
}

static int msq_set(struct ripc_object *o, const struct msqid_ds *buf)
{
	struct msq_body *q = o->body;
	int err = ripc_sysv_owns(&q->h);
	if (err)
		return err;
	if (buf->msg_qbytes > RIPC_MSGMNB && geteuid() != 0)
		return -EPERM;
	if (buf->msg_qbytes > RIPC_MSGMNB_MAX)
		return -EINVAL;
	err = queue_lock(q);
	if (err)
		return err;
	err = ripc_sysv_set_perm(&msq_kind, o, &buf->msg_perm);
	if (!err)
		atomic_store(&q->qbytes, buf->msg_qbytes);
	ripc_unlock(&q->lock);
	ripc_gate_wake(&q->not_full, INT_MAX);
	ripc_gate_wake(&q->not_empty, INT_MAX);
	return err;
}

static int msq_remove(struct ripc_object *o)
{
	struct msq_body *q = o->body;
	int err = ripc_sysv_owns(&q->h);
	if (err)
		return err;
	ripc_sysv_remove(&msq_kind, o, false);
	ripc_gate_wake(&q->not_full, INT_MAX);
	ripc_gate_wake(&q->not_empty, INT_MAX);
	return 0;
}

int ripc_msgctl(int id, int cmd, struct msqid_ds *buf)
{
	struct queue *h;
	bool by_index = cmd == MSG_STAT || cmd == MSG_STAT_ANY;
	if (id < 0)
		return (int)ripc_sysv_result(-EINVAL);
	if (cmd == IPC_INFO || cmd == MSG_INFO)
		return (int)ripc_sysv_result(ripc_msq_info(cmd, buf));
	if (by_index)
		id = ripc_sysv_by_index(RIPC_TYPE_MSQ, id);
	int err = id < 0 ? id : queue_get(&h, id);
	if (err < 0)
		return (int)ripc_sysv_result(err);
	switch (cmd) {
	case IPC_STAT:
	case MSG_STAT:
	case MSG_STAT_ANY:
		err = msq_stat(h->q, buf, cmd == MSG_STAT_ANY);
		break;
	case IPC_SET:
		err = msq_set(h->o, buf);
		break;
	case IPC_RMID:
		err = msq_remove(h->o);
		break;
	default:
		err = -EINVAL;
	}
	queue_put(h);
	return (int)ripc_sysv_result(err || !by_index ? err : id);
}
