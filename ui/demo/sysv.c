// SPDX-License-Identifier: GPL-2.0-or-later
/* Workloads over System V message queues, semaphores and shared memory. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#include "workloads.h"

/*
 * ---- msgq: mq-maker-1, mq-maker-2 → one queue → mq-urgent (types 1 and 2), mq-bulk (type 3) ----
 */

#define MAKERS 2
#define ORDER_BYTES 80u
enum { TYPE_ALARM = 1, TYPE_ORDER, TYPE_BULK };

struct mq_msg {
	long type;
	char text[ORDER_BYTES];
};

static void mq_send(struct demo_run *run, int id, long type, size_t bytes, uint64_t n)
{
	struct mq_msg msg = {.type = type};

	demo_fill(msg.text, bytes, "order", n);
	if (msgsnd(id, &msg, bytes, 0) < 0)
		demo_die("msgsnd");
	demo_sent(run, KIND_MSG, bytes);
}

static void mq_maker(struct demo_run *run, const int *ids)
{
	struct demo_pace pace = {0};

	while (demo_turn(run, &pace))
		mq_send(run, ids[0], 1 + (long)(pace.sent % 3), ORDER_BYTES, pace.sent);
	/* The last word to each consumer is an empty message, of the type it takes last. */
	mq_send(run, ids[0], TYPE_ORDER, 0, 0);
	mq_send(run, ids[0], TYPE_BULK, 0, 0);
}

/* Takes messages by `want`, as msgrcv(2) understands it, until every maker has said its last. */
static void mq_take(struct demo_run *run, int id, long want)
{
	int ends = 0;

	while (ends < MAKERS) {
		struct mq_msg msg;
		ssize_t n = msgrcv(id, &msg, sizeof(msg.text), want, 0);

		if (n < 0)
			demo_die("msgrcv");
		demo_got(run, KIND_MSG, (size_t)n);
		ends += n == 0;
	}
}

static void mq_urgent(struct demo_run *run, const int *ids)
{
	mq_take(run, ids[0], -TYPE_ORDER); /* alarms first, then orders */
}

static void mq_bulk(struct demo_run *run, const int *ids) { mq_take(run, ids[0], TYPE_BULK); }

int demo_msgq(struct demo_run *run)
{
	int id = demo_owns(run, KIND_MSG, msgget(IPC_PRIVATE, IPC_CREAT | 0600)), err;

	if (id < 0)
		return id;
	err = demo_spawn(run, "mq-urgent", mq_urgent, (int[]){id, -1});
	if (!err)
		err = demo_spawn(run, "mq-bulk", mq_bulk, (int[]){id, -1});
	for (int i = 1; i <= MAKERS && !err; i++) {
		char name[24];

		snprintf(name, sizeof(name), "mq-maker-%d", i);
		err = demo_spawn(run, name, mq_maker, (int[]){id, -1});
	}
	return err;
}

/* ---- shm-ring: sr-producer → shared memory → sr-consumer, guarded by two semaphores ---- */

#define SLOTS 8
#define SLOT_BYTES 512u
enum { SEM_FREE, SEM_FILLED };

struct ring {
	struct {
		uint32_t bytes; /* 0: the producer has finished */
		char data[SLOT_BYTES];
	} slot[SLOTS];
};

static void sr_semop(struct demo_run *run, int id, unsigned short sem, short by)
{
	struct sembuf op = {.sem_num = sem, .sem_op = by};

	if (semop(id, &op, 1) < 0)
		demo_die("semop");
	demo_op(run, KIND_SEM);
}

static struct ring *sr_attach(int id)
{
	struct ring *ring = shmat(id, NULL, 0);

	if (ring == (void *)-1)
		demo_die("shmat");
	return ring;
}

static void sr_put(struct demo_run *run, const int *ids, struct ring *ring, uint64_t n,
		   uint32_t bytes)
{
	unsigned int i = (unsigned int)(n % SLOTS);

	sr_semop(run, ids[1], SEM_FREE, -1);
	ring->slot[i].bytes = bytes;
	demo_fill(ring->slot[i].data, bytes, "slot", n);
	if (bytes)
		demo_sent(run, KIND_SHM, bytes);
	sr_semop(run, ids[1], SEM_FILLED, 1);
}

static void sr_producer(struct demo_run *run, const int *ids)
{
	struct ring *ring = sr_attach(ids[0]);
	struct demo_pace pace = {0};
	uint64_t n = 0;

	while (demo_turn(run, &pace))
		sr_put(run, ids, ring, n++, SLOT_BYTES);
	sr_put(run, ids, ring, n, 0);
	shmdt(ring);
}

static void sr_consumer(struct demo_run *run, const int *ids)
{
	struct ring *ring = sr_attach(ids[0]);
	char data[SLOT_BYTES];

	for (uint64_t n = 0;; n++) {
		uint32_t bytes;

		sr_semop(run, ids[1], SEM_FILLED, -1);
		bytes = ring->slot[n % SLOTS].bytes;
		if (bytes == 0 || bytes > sizeof(data))
			break;
		memcpy(data, ring->slot[n % SLOTS].data, bytes);
		demo_got(run, KIND_SHM, bytes);
		sr_semop(run, ids[1], SEM_FREE, 1);
	}
	shmdt(ring);
}

int demo_shm_ring(struct demo_run *run)
{
	unsigned short start[] = {[SEM_FREE] = SLOTS, [SEM_FILLED] = 0};
	union {
		unsigned short *array;
	} arg = {.array = start};
	int shm, sem, err;

	shm = demo_owns(run, KIND_SHM, shmget(IPC_PRIVATE, sizeof(struct ring), IPC_CREAT | 0600));
	if (shm < 0)
		return shm;
	sem = demo_owns(run, KIND_SEM, semget(IPC_PRIVATE, 2, IPC_CREAT | 0600));
	if (sem < 0)
		return sem;
	if (semctl(sem, 0, SETALL, arg) < 0)
		return -errno;
	err = demo_spawn(run, "sr-producer", sr_producer, (int[]){shm, sem, -1});
	if (!err)
		err = demo_spawn(run, "sr-consumer", sr_consumer, (int[]){shm, sem, -1});
	return err;
}
