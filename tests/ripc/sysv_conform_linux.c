// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What Linux adds to rows 2 and 6 (msgctl(2), shmctl(2), msgrcv(2)): counting through all there is,
 * sums and limits, copies of messages, locked segments. The same program runs on the kernel's and,
 * with libripc-sysv.so preloaded, on ours (sysv.t). Others may have objects on this host, and make
 * some meanwhile, so nothing is said of those but that ours are among them.
 */
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/shm.h>

#include "tests/ripc/tap.h"

#define NOBODY 65534

struct message {
	long type;
	char text[16];
};

/* The indexes at which `id` is found, by SHM_STAT or its like; -1: not once. */
static int index_of_segment(int id, int cmd, struct shmid_ds *ds)
{
	struct shm_info info;
	int max = shmctl(0, SHM_INFO, (struct shmid_ds *)(void *)&info), at = -1;
	for (int i = 0; i <= max; i++) {
		if (shmctl(i, cmd, ds) == id)
			return i;
	}
	return at;
}

static int index_of_queue(int id, int cmd, struct msqid_ds *ds)
{
	struct msginfo info;
	int max = msgctl(0, MSG_INFO, (struct msqid_ds *)(void *)&info), at = -1;
	for (int i = 0; i <= max; i++) {
		if (msgctl(i, cmd, ds) == id)
			return i;
	}
	return at;
}

static void segments_are_counted(void)
{
	struct shmid_ds ds;
	struct shm_info before, after;
	struct shminfo limits;
	OK(shmctl(0, SHM_INFO, (struct shmid_ds *)(void *)&before) >= 0, "SHM_INFO");
	int a = shmget(IPC_PRIVATE, 5000, 0600), b = shmget(IPC_PRIVATE, 100, 0640);
	OK(index_of_segment(a, SHM_STAT, &ds) >= 0 && ds.shm_segsz == 5000,
	   "SHM_STAT: the first is among those counted, and is the one");
	OK(index_of_segment(b, SHM_STAT_ANY, &ds) >= 0 && ds.shm_segsz == 100 &&
		   (ds.shm_perm.mode & 0777) == 0640,
	   "SHM_STAT_ANY: so is the second");
	int max = shmctl(0, SHM_INFO, (struct shmid_ds *)(void *)&after);
	OK(max >= 0 && after.used_ids >= 2 && after.shm_tot >= 3, "SHM_INFO: two of three pages");
	OK(shmctl(0, IPC_INFO, (struct shmid_ds *)(void *)&limits) >= 0 && limits.shmmin == 1 &&
		   limits.shmmax >= 1 << 20 && limits.shmmni >= 100 && limits.shmall > 0,
	   "IPC_INFO: the limits of segments");
	FAILS(shmctl(-1, IPC_INFO, (struct shmid_ds *)(void *)&limits), EINVAL, "IPC_INFO of -1: EINVAL");
	FAILS(shmctl(-1, SHM_INFO, (struct shmid_ds *)(void *)&after), EINVAL, "SHM_INFO of -1: EINVAL");
	FAILS(shmctl(max + 100000, SHM_STAT, &ds), EINVAL, "SHM_STAT beyond the last: EINVAL");
	FAILS(shmctl(-1, SHM_STAT, &ds), EINVAL, "SHM_STAT of -1: EINVAL");
	FAILS(shmctl(a, 12345, &ds), EINVAL, "no such command: EINVAL");
	/* removed, but attached: it still counts */
	void *p = shmat(a, NULL, 0);
	shmctl(a, IPC_RMID, NULL);
	OK(index_of_segment(a, SHM_STAT, &ds) >= 0 && (ds.shm_perm.mode & SHM_DEST),
	   "SHM_STAT: removed and attached, it is there, with SHM_DEST");
	shmdt(p);
	IS(index_of_segment(a, SHM_STAT, &ds), -1, "SHM_STAT: detached, it is not");
	shmctl(b, IPC_RMID, NULL);
}

static void queues_are_counted(void)
{
	struct msqid_ds ds;
	struct msginfo before, after, limits;
	struct message m = {1, "0123456789"};
	int a = msgget(IPC_PRIVATE, 0600), b = msgget(IPC_PRIVATE, 0640);
	OK(msgctl(0, MSG_INFO, (struct msqid_ds *)(void *)&before) >= 0 && before.msgpool >= 2,
	   "MSG_INFO: two queues");
	msgsnd(a, &m, 10, 0);
	msgsnd(a, &m, 5, 0);
	OK(msgctl(0, MSG_INFO, (struct msqid_ds *)(void *)&after) >= 0 && after.msgmap >= 2 &&
		   after.msgtql >= 15,
	   "MSG_INFO: two messages, fifteen bytes");
	OK(index_of_queue(a, MSG_STAT, &ds) >= 0 && ds.msg_qnum == 2 && ds.__msg_cbytes == 15,
	   "MSG_STAT: the first is among those counted, and is the one");
	OK(index_of_queue(b, MSG_STAT_ANY, &ds) >= 0 && ds.msg_qnum == 0 &&
		   (ds.msg_perm.mode & 0777) == 0640,
	   "MSG_STAT_ANY: so is the second");
	OK(msgctl(0, IPC_INFO, (struct msqid_ds *)(void *)&limits) >= 0 && limits.msgmax >= 8192 &&
		   limits.msgmnb >= 16384 && limits.msgmni >= 100,
	   "IPC_INFO: the limits of queues");
	FAILS(msgctl(-1, IPC_INFO, (struct msqid_ds *)(void *)&limits), EINVAL, "IPC_INFO of -1: EINVAL");
	FAILS(msgctl(10000000, MSG_STAT, &ds), EINVAL, "MSG_STAT beyond the last: EINVAL");
	FAILS(msgctl(-1, MSG_STAT, &ds), EINVAL, "MSG_STAT of -1: EINVAL");
	msgctl(a, IPC_RMID, NULL);
	msgctl(b, IPC_RMID, NULL);
	IS(index_of_queue(a, MSG_STAT, &ds), -1, "MSG_STAT: removed, it is not there");
}

/* ---- as somebody else ---- */

static int stat_forbidden(void *arg)
{
	const int *ids = arg;
	struct shmid_ds sds;
	struct msqid_ds mds;
	struct shm_info info;
	if (setgid(NOBODY) || setuid(NOBODY))
		return 9;
	int max = shmctl(0, SHM_INFO, (struct shmid_ds *)(void *)&info), refused = 0;
	for (int i = 0; i <= max; i++)
		refused += shmctl(i, SHM_STAT, &sds) < 0 && errno == EACCES;
	if (!refused)
		return 1;
	if (index_of_segment(ids[0], SHM_STAT_ANY, &sds) < 0 ||
	    index_of_queue(ids[1], MSG_STAT_ANY, &mds) < 0)
		return 2;
	if (index_of_queue(ids[1], MSG_STAT, &mds) >= 0)
		return 3;
	errno = 0;
	return shmctl(ids[0], SHM_LOCK, NULL) == -1 && errno == EPERM ? 0 : 4;
}

static void others_are_kept_out(void)
{
	/* readable to whoever finds them, where that is a matter of files */
	int ids[2] = {shmget(IPC_PRIVATE, 10, 0622), msgget(IPC_PRIVATE, 0622)};
	if (geteuid() != 0)
		printf("ok %d - SHM_STAT of another user # SKIP not root\n", ++tap_done);
	else
		IS(tap_wait(tap_fork(stat_forbidden, ids)), 0,
		   "SHM_STAT needs to be let read, SHM_STAT_ANY does not; SHM_LOCK is the owner's");
	shmctl(ids[0], IPC_RMID, NULL);
	msgctl(ids[1], IPC_RMID, NULL);
}

/* ---- SHM_LOCK ---- */

/* Of this process, kB. */
static long locked_kib(void)
{
	char line[128];
	long kib = -1;
	FILE *f = fopen("/proc/self/status", "re");
	while (f && fgets(line, sizeof(line), f) && sscanf(line, "VmLck: %ld", &kib) != 1)
		;
	if (f)
		fclose(f);
	return kib;
}

static void segments_are_locked(void)
{
	struct shmid_ds ds;
	int id = shmget(IPC_PRIVATE, 8192, 0600);
	char *p = shmat(id, NULL, 0);
	IS(shmctl(id, SHM_UNLOCK, NULL), 0, "SHM_UNLOCK of one that is not locked");
	IS(shmctl(id, SHM_LOCK, NULL), 0, "SHM_LOCK");
	OK(shmctl(id, IPC_STAT, &ds) == 0 && (ds.shm_perm.mode & SHM_LOCKED), "SHM_LOCKED is told");
	IS(shmctl(id, SHM_LOCK, NULL), 0, "SHM_LOCK again");
	p[0] = p[8191] = 1;
	void *q = shmat(id, NULL, 0);
	OK(q != (void *)-1, "attached while locked");
	IS(shmctl(id, SHM_UNLOCK, NULL), 0, "SHM_UNLOCK");
	OK(shmctl(id, IPC_STAT, &ds) == 0 && !(ds.shm_perm.mode & SHM_LOCKED), "SHM_LOCKED is gone");
	IS(locked_kib(), 0, "nothing of it is locked any more");
	FAILS(shmctl(id + 1, SHM_LOCK, NULL), EINVAL, "SHM_LOCK of what is not there: EINVAL");
	shmdt(p);
	shmdt(q);
	shmctl(id, IPC_RMID, NULL);
}

/* ---- MSG_COPY ---- */

static void messages_are_copied(void)
{
	struct message m = {0};
	struct msqid_ds before, after;
	int q = msgget(IPC_PRIVATE, 0600);
	for (long i = 0; i < 3; i++) {
		m.type = 5 - i;
		memset(m.text, (int)('a' + i), 16);
		msgsnd(q, &m, 4 + (size_t)i, 0);
	}
	msgctl(q, IPC_STAT, &before);
	ssize_t n = msgrcv(q, &m, 16, 0, MSG_COPY | IPC_NOWAIT);
	if (n < 0 && errno == ENOSYS) { /* CONFIG_CHECKPOINT_RESTORE */
		printf("ok %d - MSG_COPY # SKIP this kernel has none\n", ++tap_done);
		msgctl(q, IPC_RMID, NULL);
		return;
	}
	OK(n == 4 && m.type == 5 && m.text[3] == 'a', "MSG_COPY: the first");
	OK(msgrcv(q, &m, 16, 2, MSG_COPY | IPC_NOWAIT) == 6 && m.type == 3 && m.text[5] == 'c',
	   "MSG_COPY: the third");
	msgctl(q, IPC_STAT, &after);
	OK(after.msg_qnum == 3 && after.msg_rtime == before.msg_rtime &&
		   after.msg_lrpid == before.msg_lrpid && after.__msg_cbytes == before.__msg_cbytes,
	   "MSG_COPY: nothing of the queue has changed");
	FAILS(msgrcv(q, &m, 16, 3, MSG_COPY | IPC_NOWAIT), ENOMSG, "MSG_COPY beyond the last: ENOMSG");
	FAILS(msgrcv(q, &m, 16, -1, MSG_COPY | IPC_NOWAIT), ENOMSG, "MSG_COPY of -1: ENOMSG");
	FAILS(msgrcv(q, &m, 16, 0, MSG_COPY), EINVAL, "MSG_COPY without IPC_NOWAIT: EINVAL");
	FAILS(msgrcv(q, &m, 16, 0, MSG_COPY | MSG_EXCEPT | IPC_NOWAIT), EINVAL,
	      "MSG_COPY with MSG_EXCEPT: EINVAL");
	FAILS(msgrcv(q, &m, 3, 0, MSG_COPY | IPC_NOWAIT), E2BIG, "MSG_COPY into too little: E2BIG");
	FAILS(msgrcv(q, &m, 3, 0, MSG_COPY | MSG_NOERROR | IPC_NOWAIT), EINVAL,
	      "MSG_COPY is not cut: EINVAL");
	OK(msgrcv(q, &m, 16, 0, IPC_NOWAIT) == 4 && m.type == 5, "and the first is still to be received");
	msgctl(q, IPC_RMID, NULL);
	FAILS(msgrcv(q, &m, 16, 0, MSG_COPY | IPC_NOWAIT), EINVAL, "MSG_COPY of a removed one: EINVAL");
}

int main(void)
{
	tap_begin(01777);
	segments_are_counted();
	queues_are_counted();
	others_are_kept_out();
	segments_are_locked();
	messages_are_copied();
	return tap_end();
}
