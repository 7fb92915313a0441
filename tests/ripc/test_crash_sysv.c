// SPDX-License-Identifier: GPL-2.0-or-later
/* Kills without end (crash.h): System V queues and segments, and the coming and going of objects. */
#include "lib/ripc/ripc.h"
#include "lib/ripc/ripc_sysv.h"
#include "tests/ripc/crash.h"

/* ---- System V ---- */

static int queue;

static void queue_work(void)
{
	struct letter l;
	for (;;) {
		if (roll(2)) {
			letter_fill(&l);
			ripc_msgsnd(queue, &l, LETTER_BYTES(l.bytes), IPC_NOWAIT);
		} else {
			ssize_t n = ripc_msgrcv(queue, &l, sizeof(l), (long)roll(6) - 3, IPC_NOWAIT);
			if (n >= 0)
				letter_check(&l, n);
			else if (errno != ENOMSG)
				page->torn++;
		}
	}
}

/* What it says it holds is what comes out; then it is empty, and takes all that it should. */
static bool queue_is_sound(int killed)
{
	struct msqid_ds ds;
	struct letter l = {.type = 1};
	size_t count = 0, bytes = 0;
	ssize_t n;
	(void)killed;
	if (ripc_msgctl(queue, IPC_STAT, &ds))
		return false;
	while ((n = ripc_msgrcv(queue, &l, sizeof(l), 0, IPC_NOWAIT)) >= 0) {
		letter_check(&l, n);
		count++;
		bytes += (size_t)n;
	}
	bool right = errno == ENOMSG && count == ds.msg_qnum && bytes == ds.__msg_cbytes;
	l.type = 1;
	for (count = 0; !ripc_msgsnd(queue, &l, 256, IPC_NOWAIT); count++)
		;
	right &= count == RIPC_MSGMNB / 256;
	while (ripc_msgrcv(queue, &l, sizeof(l), 0, IPC_NOWAIT) == 256)
		count--;
	return right && !count && !ripc_msgctl(queue, IPC_STAT, &ds) && !ds.msg_qnum &&
	       !ds.__msg_cbytes && !page->torn && !page->duplicates;
}

static void segment_work(void)
{
	for (;;) {
		int id = ripc_shmget((key_t)(0x100 + roll(3)), 5000, 0600 | IPC_CREAT);
		if (id < 0)
			continue;
		volatile char *p = ripc_shmat(id, NULL, 0);
		if (p == (void *)-1)
			continue;
		p[roll(5000)] = 1;
		if (roll(2))
			ripc_shmdt((void *)p);
		if (roll(3) == 0)
			ripc_shmctl(id, IPC_RMID, NULL);
		if (roll(2))
			ripc_shmdt((void *)p);
	}
}

/* The dead have detached; what is removed is gone, with nothing left of it. */
static bool segment_is_sound(int killed)
{
	(void)killed;
	bool right = true;
	for (key_t key = 0x100; key < 0x103; key++) {
		struct shmid_ds ds;
		int id = ripc_shmget(key, 1, 0);
		if (id < 0) {
			right &= errno == ENOENT;
			continue;
		}
		char *p = ripc_shmat(id, NULL, 0);
		right &= p != (void *)-1 && !ripc_shmctl(id, IPC_STAT, &ds) && ds.shm_nattch == 1;
		right &= !ripc_shmdt(p) && !ripc_shmctl(id, IPC_RMID, NULL);
		right &= ripc_shmget(key, 1, 0) < 0;
	}
	return right;
}

/* ---- removal ---- */

static void removal_work(void)
{
	for (;;) {
		key_t key = (key_t)(0x300 + roll(2));
		int q = ripc_msgget(key, 0600 | IPC_CREAT), s = ripc_shmget(key, 99, 0600 | IPC_CREAT);
		char *p = s < 0 ? (char *)-1 : ripc_shmat(s, NULL, 0);
		if ((q < 0 || s < 0) && errno != ENOENT && errno != EEXIST)
			page->torn++;
		ripc_msgctl(q, IPC_RMID, NULL);
		ripc_shmctl(s, IPC_RMID, NULL);
		if (p != (char *)-1)
			ripc_shmdt(p);
	}
}

static int count_sysv(const struct ripc_listing *l, void *arg)
{
	*(int *)arg += l->type == RIPC_TYPE_MSQ || l->type == RIPC_TYPE_SHM;
	return 0;
}

/*
 * Whatever was made or removed half way is swept with its last user: by the key there is either a
 * whole one, which works and can be removed, or none; and no file that no key leads to.
 */
static bool removal_is_sound(int killed)
{
	bool right = true;
	int left = 0;
	(void)killed;
	for (key_t key = 0x300; key < 0x302; key++) {
		struct letter l = {.type = 1};
		int q = ripc_msgget(key, 0600), s = ripc_shmget(key, 99, 0600);
		if (q >= 0)
			right &= !ripc_msgsnd(q, &l, 1, IPC_NOWAIT) && !ripc_msgctl(q, IPC_RMID, NULL);
		char *p = s < 0 ? NULL : ripc_shmat(s, NULL, 0);
		if (p)
			right &= p != (char *)-1 && !ripc_shmdt(p) && !ripc_shmctl(s, IPC_RMID, NULL);
	}
	right &= ripc_dir_sweep() >= 0 && !ripc_dir_list(count_sysv, &left);
	return right && left == 1 && !page->torn; /* the queue of the first story */
}

/* ---- coming and going ---- */

static void coming_work(void)
{
	static const char *const names[] = {"a", "b"};
	for (;;) {
		const char *name = names[roll(2)];
		struct ripc_semaphore *s = init_semaphore(1, name);
		struct ripc_cs *c = init_CS(name);
		struct ripc_buffer *b = init_message_buffer(2, name);
		int key = (int)(0x200 + roll(2)), q = ripc_msgget(key, 0600 | IPC_CREAT);
		if (!s || !c || !b || (q < 0 && errno != EEXIST))
			page->torn++;
		if (roll(3) == 0)
			ripc_semaphore_unlink(name);
		if (roll(3) == 0)
			ripc_msgctl(q, IPC_RMID, NULL);
		ripc_semaphore_close(s);
		ripc_cs_close(c);
		ripc_buffer_close(b);
	}
}

/* Those by key go; what is left then is a file that no name leads to. */
static int files_of_queues(void)
{
	int n = 0;
	for (int key = 0x200; key < 0x202; key++) {
		int q = ripc_msgget(key, 0);
		n += q >= 0 && ripc_msgctl(q, IPC_RMID, NULL) != 0;
	}
	return n;
}

static bool coming_is_sound(int killed)
{
	(void)killed;
	struct ripc_semaphore *s = init_semaphore(3, "a");
	bool right = s && !ripc_semaphore_wait_until(s, ripc_deadline_in(SECOND));
	ripc_semaphore_close(s);
	right &= files_of_queues() == 0 && ripc_dir_sweep() >= 0;
	return right && !page->torn;
}

/* ---- all of it ---- */

static const struct story stories[] = {
	{"System V queue", queue_work, queue_is_sound, 300, NULL},
	{"System V segments", segment_work, segment_is_sound, 1500, NULL},
	{"removal", removal_work, removal_is_sound, 1500, NULL},
	{"coming and going", coming_work, coming_is_sound, 1500, NULL},
};

int main(int argc, char **argv)
{
	crash_begin();
	queue = ripc_msgget(IPC_PRIVATE, 0600);
	if (queue < 0) {
		printf("Bail out! cannot make a queue\n");
		return 255;
	}
	crash_run(stories, sizeof(stories) / sizeof(*stories), argc, argv);
	ripc_msgctl(queue, IPC_RMID, NULL);
	ripc_dir_sweep();
	return tap_end();
}
