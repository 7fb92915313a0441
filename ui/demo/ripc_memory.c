// SPDX-License-Identifier: GPL-2.0-or-later
/* The notes' "two processes and the letter 'A'", and their message queue, on libripc. */
#include <string.h>

#include "lib/ripc/ripc.h"
#include "lib/ripc/ripc_sysv.h"
#include "lib/ripc/ripc_win32.h"
#include "ripc_kit.h"

/* fds: the System V key, the supervisor's pid */

static struct ripc_event *event_of(const int *fds, const char *what)
{
	struct ripc_event *event;
	char name[64];

	snprintf(name, sizeof(name), "demo-%d-%s", fds[1], what);
	event = init_event(name);
	demo_must(event, errno, name);
	return event;
}

static int demo_key(void) { return (int)(0x52490000u | (unsigned int)getpid() % 0x10000); }

/* System V objects outlive their users: those of a run that was interrupted, too. */
static void remove_by_key(void)
{
	int id = ripc_msgget(demo_key(), 0);

	if (id >= 0)
		ripc_msgctl(id, IPC_RMID, NULL);
	id = ripc_shmget(demo_key(), 0, 0);
	if (id >= 0)
		ripc_shmctl(id, IPC_RMID, NULL);
}

/* ---- ripc-shm-letter: P1 makes the segment and writes, P2 finds it by its key and reads ---- */

static void sl_p1(struct demo_run *run, const int *fds)
{
	struct ripc_event *written = event_of(fds, "written"), *seen = event_of(fds, "seen");
	int sid = ripc_shmget(fds[0], 2048, 0600 | IPC_CREAT);
	char *p1 = ripc_shmat(sid, NULL, 0);

	(void)run;
	demo_must(p1 != (void *)-1, errno, "shmat");
	*p1 = 'A';
	ripc_event_set(written);
	demo_must(ripc_event_wait(seen) == 0, ETIMEDOUT, "wait");
	demo_must(ripc_shmdt(p1) == 0, errno, "shmdt");
	demo_must(ripc_shmctl(sid, IPC_RMID, NULL) == 0, errno, "shmctl");
}

static void sl_p2(struct demo_run *run, const int *fds)
{
	struct ripc_event *written = event_of(fds, "written"), *seen = event_of(fds, "seen");
	struct shmid_ds ds;
	char *p2;
	int sid;

	(void)run;
	demo_must(ripc_event_wait(written) == 0, ETIMEDOUT, "wait");
	sid = ripc_shmget(fds[0], 1024, 0600); /* smaller than it is: allowed */
	p2 = ripc_shmat(sid, NULL, 0);
	demo_must(p2 != (void *)-1, errno, "shmat");
	demo_must(ripc_shmctl(sid, IPC_STAT, &ds) == 0, errno, "shmctl");
	tell("P2 sees %c in a segment of %zu bytes, attached %lu times\n", *p2, ds.shm_segsz,
	     (unsigned long)ds.shm_nattch);
	ripc_event_set(seen);
	ripc_shmdt(p2);
}

int demo_ripc_shm_letter(struct demo_run *run)
{
	const int fds[] = {demo_key(), getpid(), -1};
	int err = demo_spawn(run, "sl-p1", sl_p1, fds);

	run->at_end = remove_by_key;
	return err ? err : demo_spawn(run, "sl-p2", sl_p2, fds);
}

/* ---- ripc-shm-letter-win32: the same through a file mapping ---- */

static char *sw_map(const int *fds, HANDLE *mapping)
{
	char name[64];
	char *p;

	snprintf(name, sizeof(name), "demo-%d-letter", fds[1]);
	*mapping = CreateFileMapping(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 500, name);
	demo_win32(*mapping, "CreateFileMapping");
	p = MapViewOfFile(*mapping, FILE_MAP_ALL_ACCESS, 0, 0, 500);
	demo_win32(p, "MapViewOfFile");
	return p;
}

static void sw_p1(struct demo_run *run, const int *fds)
{
	struct ripc_event *written = event_of(fds, "written"), *seen = event_of(fds, "seen");
	HANDLE mapping;
	char *p1 = sw_map(fds, &mapping);

	(void)run;
	*p1 = 'A';
	ripc_event_set(written);
	demo_must(ripc_event_wait(seen) == 0, ETIMEDOUT, "wait");
	UnmapViewOfFile(p1);
	CloseHandle(mapping);
}

static void sw_p2(struct demo_run *run, const int *fds)
{
	struct ripc_event *written = event_of(fds, "written"), *seen = event_of(fds, "seen");
	HANDLE mapping;
	char *p2;

	(void)run;
	demo_must(ripc_event_wait(written) == 0, ETIMEDOUT, "wait");
	p2 = sw_map(fds, &mapping);
	tell("P2 sees %c in the mapping that P1 made%s\n", *p2,
	     GetLastError() == ERROR_ALREADY_EXISTS ? "" : " (not: a new one)");
	ripc_event_set(seen);
	UnmapViewOfFile(p2);
	CloseHandle(mapping);
}

int demo_ripc_shm_letter_win32(struct demo_run *run)
{
	const int fds[] = {1, getpid(), -1};
	int err = demo_spawn(run, "sw-p1", sw_p1, fds);

	return err ? err : demo_spawn(run, "sw-p2", sw_p2, fds);
}

/* ---- ripc-msg-queue: types 1 to 3, taken by type = 0, > 0 and < 0 ---- */

struct letter {
	long type;
	char text[512];
};

static void mq_put(int mid, long type, const char *text)
{
	struct letter m = {.type = type};

	strcpy(m.text, text);
	demo_must(ripc_msgsnd(mid, &m, strlen(text) + 1, 0) == 0, errno, "msgsnd");
}

static void rq_sender(struct demo_run *run, const int *fds)
{
	struct ripc_event *filled = event_of(fds, "filled"), *taken = event_of(fds, "taken");
	int mid = ripc_msgget(fds[0], 0600 | IPC_CREAT);

	(void)run;
	demo_must(mid >= 0, errno, "msgget");
	mq_put(mid, 3, "first");
	mq_put(mid, 2, "second");
	mq_put(mid, 1, "third");
	mq_put(mid, 2, "fourth");
	ripc_event_set(filled); /* which goes with its last user: stay */
	demo_must(ripc_event_wait(taken) == 0, ETIMEDOUT, "wait");
}

static void mq_take(int mid, long want)
{
	struct letter m;
	ssize_t n = ripc_msgrcv(mid, &m, sizeof(m.text), want, 0);

	demo_must(n > 0, errno, "msgrcv");
	tell("type %2ld gives %s, of type %ld\n", want, m.text, m.type);
}

static void rq_receiver(struct demo_run *run, const int *fds)
{
	struct ripc_event *filled = event_of(fds, "filled"), *taken = event_of(fds, "taken");
	struct letter m;
	struct msqid_ds ds;
	int mid;

	(void)run;
	demo_must(ripc_event_wait(filled) == 0, ETIMEDOUT, "wait");
	mid = ripc_msgget(fds[0], 0600);
	demo_must(mid >= 0 && ripc_msgctl(mid, IPC_STAT, &ds) == 0, errno, "msgctl");
	tell("%lu messages, %lu bytes on the queue\n", (unsigned long)ds.msg_qnum,
	     (unsigned long)ds.__msg_cbytes);
	mq_take(mid, -2);
	mq_take(mid, 2);
	mq_take(mid, 0);
	mq_take(mid, 0);
	demo_must(ripc_msgrcv(mid, &m, sizeof(m.text), 0, IPC_NOWAIT) < 0 && errno == ENOMSG, errno,
		  "msgrcv");
	tell("IPC_NOWAIT on the empty queue: no message\n");
	demo_must(ripc_msgctl(mid, IPC_RMID, NULL) == 0, errno, "msgctl");
	ripc_event_set(taken);
}

int demo_ripc_msg_queue(struct demo_run *run)
{
	const int fds[] = {demo_key(), getpid(), -1};
	int err = demo_spawn(run, "rq-sender", rq_sender, fds);

	run->at_end = remove_by_key;
	return err ? err : demo_spawn(run, "rq-receiver", rq_receiver, fds);
}
