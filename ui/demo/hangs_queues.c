// SPDX-License-Identifier: GPL-2.0-or-later
/* Cases of the corpus of waits (hangs.h): System V semaphores and queues, POSIX queues. */
#include "hangs_cases.h"

#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <unistd.h>

#include "hangs_kit.h"

/* ---- System V semaphores ---- */

static void sem_do(int id, int num, int op, int flags)
{
	struct sembuf b = { (unsigned short)num, (short)op, (short)flags };

	semop(id, &b, 1);
}

static void philosophers_how(int flags, const char *const names[3])
{
	struct hang_meeting *m = hang_shared(sizeof(*m));
	int id = hang_sysv[0];

	for (int i = 0; i < 3; i++)
		if (hang_member(names[i])) {
			sem_do(id, i, -1, flags);
			hang_meet(m, 3);
			sem_do(id, (i + 1) % 3, -1, flags);
			hang_got_past();
		}
	hang_wait_for_all();
}

void case_philosophers(void)
{
	philosophers_how(SEM_UNDO, (const char *const[]){ "ph-one", "ph-two", "ph-three" });
}

void case_philosophers_bare(void)
{
	philosophers_how(0, (const char *const[]){ "pn-one", "pn-two", "pn-three" });
}

/* They are in a ring, but the last one to use their semaphores was a fourth, who has none and gives some. */
void case_sem_feeder(void)
{
	static const char *const names[] = { "sf-one", "sf-two", "sf-three" };
	struct {
		struct hang_meeting taken, used;
	} *m = hang_shared(sizeof(*m));
	int id = hang_sysv[0];

	for (int i = 0; i < 3; i++)
		if (hang_member(names[i])) {
			sem_do(id, i, -1, SEM_UNDO);
			hang_meet(&m->taken, 4);
			hang_meet(&m->used, 4);
			sem_do(id, (i + 1) % 3, -1, SEM_UNDO);
			hang_got_past();
		}
	if (hang_member("sf-feeder")) {
		hang_meet(&m->taken, 4);
		for (int i = 0; i < 3; i++) {
			sem_do(id, i, 1, 0);
			sem_do(id, i, -1, 0);
		}
		hang_meet(&m->used, 4);
		for (;;)
			hang_rest_ms(3600 * 1000);
	}
	hang_wait_for_all();
}

/* All three want three units of five; each has got one. */
void case_sem_partial(void)
{
	static const char *const names[] = { "sp-one", "sp-two", "sp-three" };
	struct hang_meeting *m = hang_shared(sizeof(*m));
	int id = hang_sysv[0];

	hang_must(semctl(id, 0, SETVAL, 5) == 0, "semctl");

	for (int i = 0; i < 3; i++)
		if (hang_member(names[i])) {
			sem_do(id, 0, -1, SEM_UNDO);
			hang_meet(m, 3);
			sem_do(id, 0, -3, SEM_UNDO);
			hang_got_past();
		}
	hang_wait_for_all();
}

/* Both forks at once or none: some of them always eat. */
void case_philosophers_and(void)
{
	static const char *const names[] = { "pa-one", "pa-two", "pa-three" };
	int id = hang_sysv[0];

	for (int i = 0; i < 3; i++)
		if (hang_member(names[i])) {
			unsigned short a = (unsigned short)i, b = (unsigned short)((i + 1) % 3);
			struct sembuf take[] = { { a, -1, SEM_UNDO }, { b, -1, SEM_UNDO } };
			struct sembuf give[] = { { a, 1, SEM_UNDO }, { b, 1, SEM_UNDO } };

			for (;;) {
				semop(id, take, 2);
				hang_rest_ms(5);
				semop(id, give, 2);
			}
		}
	hang_wait_for_all();
}

/* ---- System V queues ---- */

struct message {
	long type;
	char text[1024];
};

void case_msg_own(void)
{
	int id = hang_sysv[0];

	if (hang_member("mo-self")) {
		static struct message m = { .type = 1 };

		while (msgsnd(id, &m, sizeof(m.text), 0) == 0)
			;
		hang_got_past();
	}
	hang_wait_for_all();
}

/* Each fills the queue that the other should read. */
void case_msg_full(void)
{
	const int id[2] = { hang_sysv[0], hang_sysv[1] };

	for (int i = 0; i < 2; i++)
		if (hang_member(i ? "mm-right" : "mm-left")) {
			static struct message m = { .type = 1 };

			while (msgsnd(id[i], &m, sizeof(m.text), 0) == 0)
				;
			msgrcv(id[!i], &m, sizeof(m.text), 0, 0);
			hang_got_past();
		}
	hang_wait_for_all();
}

void case_msg_type(void)
{
	int id = hang_sysv[0];
	static struct message m = { .type = 1 };

	msgsnd(id, &m, sizeof(m.text), 0);
	if (hang_member("mt-reader")) {
		msgrcv(id, &m, sizeof(m.text), 2, 0);
		hang_got_past();
	}
	hang_wait_for_all();
}

/* ---- POSIX queues ---- */

void case_mq_full(void)
{
	struct mq_attr a = { .mq_maxmsg = 2, .mq_msgsize = 8 };
	mqd_t q[2];

	for (int i = 0; i < 2; i++) {
		char name[64];

		snprintf(name, sizeof(name), "/ipctap-demo-%d-%d", getpid(), i);
		q[i] = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &a);
		hang_must(q[i] >= 0, "mq_open");
		mq_unlink(name);
	}
	for (int i = 0; i < 2; i++)
		if (hang_member(i ? "mf-right" : "mf-left")) {
			while (mq_send(q[i], "x", 1, 0) == 0)
				;
			hang_got_past();
		}
	pause();
	hang_got_past();
}
