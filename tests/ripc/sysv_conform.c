// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rows 2 and 6: System V shared memory and messages, written from POSIX.1-2017 (XSI) against the
 * plain names of <sys/shm.h> and <sys/msg.h>. The same program runs on the kernel's and, with
 * libripc-sysv.so preloaded, on ours (sysv.t): both must pass it.
 */
#include <limits.h>
#include <stdint.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/shm.h>

#include "tests/ripc/tap.h"

static key_t a_key(void) { return (key_t)(0x52000000 | (getpid() & 0xffff) << 8); }

/* ---- shared memory ---- */

static struct shmid_ds shm_stat_of(int id)
{
	struct shmid_ds ds;
	memset(&ds, 0xff, sizeof(ds));
	if (shmctl(id, IPC_STAT, &ds) < 0)
		ds.shm_nattch = 9999;
	return ds;
}

static void shm_is_got(void)
{
	key_t key = a_key();
	time_t before = time(NULL);
	FAILS(shmget(key, 100, 0600), ENOENT, "shmget: none, no IPC_CREAT: ENOENT");
	FAILS(shmget(key, 0, 0600 | IPC_CREAT), EINVAL, "shmget: new of size 0: EINVAL");
	FAILS(shmget(key, SIZE_MAX, 0600 | IPC_CREAT), EINVAL, "shmget: beyond SHMMAX: EINVAL");
	int id = shmget(key, 5000, 0640 | IPC_CREAT | IPC_EXCL);
	OK(id >= 0, "shmget: created");
	FAILS(shmget(key, 5000, 0600 | IPC_CREAT | IPC_EXCL), EEXIST, "shmget: IPC_EXCL: EEXIST");
	FAILS(shmget(key, 0, IPC_CREAT | IPC_EXCL), EEXIST, "shmget: IPC_EXCL whatever the size");
	IS(shmget(key, 0, 0), id, "shmget: existing, size 0");
	IS(shmget(key, 5000, IPC_CREAT), id, "shmget: existing, its size");
	FAILS(shmget(key, 5001, 0), EINVAL, "shmget: existing, larger: EINVAL");
	int a = shmget(IPC_PRIVATE, 1, 0600), b = shmget(IPC_PRIVATE, 1, 0600);
	OK(a >= 0 && b >= 0 && a != b && a != id, "shmget: IPC_PRIVATE is always another");
	shmctl(a, IPC_RMID, NULL);
	shmctl(b, IPC_RMID, NULL);
	struct shmid_ds ds = shm_stat_of(id);
	OK(ds.shm_perm.uid == geteuid() && ds.shm_perm.cuid == geteuid() &&
		   ds.shm_perm.gid == getegid() && ds.shm_perm.cgid == getegid(),
	   "IPC_STAT: owner and creator");
	IS(ds.shm_perm.mode & 0777, 0640, "IPC_STAT: mode");
	IS(ds.shm_perm.__key, key, "IPC_STAT: key");
	IS(ds.shm_segsz, 5000, "IPC_STAT: the size asked for");
	IS(ds.shm_cpid, getpid(), "IPC_STAT: creator's pid");
	OK(!ds.shm_lpid && !ds.shm_nattch && !ds.shm_atime && !ds.shm_dtime,
	   "IPC_STAT: never attached");
	OK(ds.shm_ctime >= before && ds.shm_ctime <= time(NULL), "IPC_STAT: time of creation");
	FAILS(shmctl(id, 12345, NULL), EINVAL, "shmctl: no such command: EINVAL");
	FAILS(shmctl(-1, IPC_STAT, &ds), EINVAL, "shmctl: no such segment: EINVAL");
	IS(shmctl(id, IPC_RMID, NULL), 0, "IPC_RMID");
	FAILS(shmctl(id, IPC_STAT, &ds), EINVAL, "and its identifier is gone: EINVAL");
	FAILS(shmget(key, 100, 0), ENOENT, "and its key: ENOENT");
	FAILS(shmat(id, NULL, 0), EINVAL, "shmat: no such segment: EINVAL");
}

static void shm_is_attached(void)
{
	int id = shmget(IPC_PRIVATE, 5000, 0600);
	char *p = shmat(id, NULL, 0), *q = shmat(id, NULL, SHM_RDONLY);
	OK(p != (void *)-1 && q != (void *)-1 && p != q, "shmat: twice");
	bool zero = true;
	for (int i = 0; i < 5000; i++)
		zero &= p[i] == 0;
	OK(zero, "new memory is zero");
	p[4999] = 'A';
	IS(q[4999], 'A', "both are the same memory");
	struct shmid_ds ds = shm_stat_of(id);
	IS(ds.shm_nattch, 2, "shm_nattch");
	IS(ds.shm_lpid, getpid(), "shm_lpid");
	OK(ds.shm_atime && !ds.shm_dtime, "shm_atime");
	FAILS(shmat(id, p + 1, 0), EINVAL, "shmat: address not aligned: EINVAL");
	FAILS(shmat(id, p, 0), EINVAL, "shmat: address in use: EINVAL");
	FAILS(shmat(id, NULL, SHM_REMAP), EINVAL, "shmat: SHM_REMAP nowhere: EINVAL");
	char *at = mmap(NULL, 8 * SHMLBA, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(at, 8 * SHMLBA);
	IS(shmat(id, at + SHMLBA, 0) == at + SHMLBA, 1, "shmat: at an address");
	IS(shmdt(at + SHMLBA), 0, "shmdt");
	IS(shmat(id, at + SHMLBA + 77, SHM_RND) == at + SHMLBA, 1, "shmat: SHM_RND rounds down");
	IS(shmat(id, at + SHMLBA, SHM_REMAP) == at + SHMLBA, 1, "shmat: SHM_REMAP over it");
	IS(shmdt(at + SHMLBA), 0, "shmdt");
	FAILS(shmdt(at + SHMLBA), EINVAL, "shmdt: nothing there: EINVAL");
	FAILS(shmdt(p + 1), EINVAL, "shmdt: not the start: EINVAL");
	IS(shmdt(q), 0, "shmdt");
	ds = shm_stat_of(id);
	OK(ds.shm_dtime != 0, "shm_dtime");
	IS(shmctl(id, IPC_RMID, NULL), 0, "IPC_RMID while attached");
	IS(p[4999], 'A', "the memory stays");
	ds = shm_stat_of(id);
	OK(ds.shm_nattch >= 1 && (ds.shm_perm.mode & SHM_DEST), "to the last detach (SHM_DEST)");
	IS(shmdt(p), 0, "the last detach");
	FAILS(shmctl(id, IPC_STAT, &ds), EINVAL, "and it is gone: EINVAL");
}

static int read_only_writes(void *arg)
{
	signal(SIGSEGV, SIG_DFL); /* a sanitizer has its own */
	char *p = shmat(*(int *)arg, NULL, SHM_RDONLY);
	*(volatile char *)p = 1;
	return 0;
}

static int attach_pause(void *arg)
{
	if (shmat(*(int *)arg, NULL, 0) == (void *)-1)
		return 1;
	pause();
	return 0;
}

static void wait_nattch(int id, unsigned long n, const char *name)
{
	struct shmid_ds ds = {0};
	for (int i = 0; i < 2000; i++) {
		ds = shm_stat_of(id);
		if (ds.shm_nattch == n)
			break;
		usleep(1000);
	}
	IS(ds.shm_nattch, n, name);
}

static int just_pause(void *arg)
{
	(void)arg;
	pause();
	return 0;
}

static int exec_sleep(void *arg)
{
	(void)arg;
	execl("/bin/sleep", "sleep", "60", (char *)NULL);
	return 1;
}

static void shm_follows_processes(void)
{
	int id = shmget(IPC_PRIVATE, 4096, 0600);
	int *p = shmat(id, NULL, 0);
	IS(tap_wait(tap_fork(read_only_writes, &id)), 1000 + SIGSEGV, "SHM_RDONLY: a write is SIGSEGV");
	pid_t a = tap_fork(just_pause, NULL);
	wait_nattch(id, 2, "fork inherits attachments");
	tap_kill(a);
	wait_nattch(id, 1, "death detaches");
	a = tap_fork(exec_sleep, NULL);
	wait_nattch(id, 1, "exec detaches");
	tap_kill(a);
	a = tap_fork(attach_pause, &id);
	wait_nattch(id, 3, "attached here, inherited, and again");
	shmctl(id, IPC_RMID, NULL);
	*p = 1;
	shmdt(p);
	wait_nattch(id, 2, "removed, held by another");
	tap_kill(a);
	struct shmid_ds ds;
	FAILS(shmctl(id, IPC_STAT, &ds), EINVAL, "the last one's death removes it");
}

/* ---- messages ---- */

struct text {
	long type;
	char text[9000];
};
static struct text m;

static int put(int id, long type, const char *text)
{
	m.type = type;
	strcpy(m.text, text);
	return msgsnd(id, &m, strlen(text), IPC_NOWAIT);
}

/* The first letter of what comes; or -errno. */
static int take(int id, long type, int flags)
{
	memset(&m, 0, sizeof(m));
	ssize_t n = msgrcv(id, &m, 8192, type, IPC_NOWAIT | flags);
	return n < 0 ? -errno : m.text[0];
}

static struct msqid_ds msg_stat_of(int id)
{
	struct msqid_ds ds;
	memset(&ds, 0xff, sizeof(ds));
	if (msgctl(id, IPC_STAT, &ds) < 0)
		ds.msg_qnum = 9999;
	return ds;
}

static void msg_is_got(void)
{
	key_t key = a_key();
	FAILS(msgget(key, 0600), ENOENT, "msgget: none, no IPC_CREAT: ENOENT");
	int id = msgget(key, 0620 | IPC_CREAT | IPC_EXCL);
	OK(id >= 0, "msgget: created");
	FAILS(msgget(key, IPC_CREAT | IPC_EXCL), EEXIST, "msgget: IPC_EXCL: EEXIST");
	IS(msgget(key, 0), id, "msgget: existing");
	int a = msgget(IPC_PRIVATE, 0600), b = msgget(IPC_PRIVATE, 0600);
	OK(a >= 0 && b >= 0 && a != b, "msgget: IPC_PRIVATE is always another");
	msgctl(a, IPC_RMID, NULL);
	msgctl(b, IPC_RMID, NULL);
	struct msqid_ds ds = msg_stat_of(id);
	OK(ds.msg_perm.uid == geteuid() && ds.msg_perm.cgid == getegid() &&
		   (ds.msg_perm.mode & 0777) == 0620 && ds.msg_perm.__key == key,
	   "IPC_STAT: owner, mode, key");
	OK(!ds.msg_qnum && !ds.msg_lspid && !ds.msg_lrpid && !ds.msg_stime && !ds.msg_rtime,
	   "IPC_STAT: never used");
	OK(ds.msg_ctime && ds.msg_qbytes == 16384, "IPC_STAT: time of creation, msg_qbytes");
	FAILS(msgctl(id, 12345, &ds), EINVAL, "msgctl: no such command: EINVAL");
	FAILS(msgctl(-1, IPC_STAT, &ds), EINVAL, "msgctl: no such queue: EINVAL");
	IS(msgctl(id, IPC_RMID, NULL), 0, "IPC_RMID");
	FAILS(msgctl(id, IPC_STAT, &ds), EINVAL, "and it is gone: EINVAL");
	FAILS(msgsnd(id, &m, 1, 0), EINVAL, "msgsnd: EINVAL");
	FAILS(msgrcv(id, &m, 1, 0, IPC_NOWAIT), EINVAL, "msgrcv: EINVAL");
	FAILS(msgget(key, 0), ENOENT, "and its key: ENOENT");
}

static void msg_types_select(void)
{
	int id = msgget(IPC_PRIVATE, 0600);
	FAILS(msgsnd(id, &(struct text){.type = 0}, 1, 0), EINVAL, "type 0: EINVAL");
	FAILS(msgsnd(id, &(struct text){.type = -1}, 1, 0), EINVAL, "type < 0: EINVAL");
	m.type = 1;
	FAILS(msgsnd(id, &m, 8193, 0), EINVAL, "beyond MSGMAX: EINVAL");
	FAILS(msgsnd(id, &m, (size_t)-1, 0), EINVAL, "size -1: EINVAL");
	FAILS(msgrcv(id, &m, (size_t)-1, 0, IPC_NOWAIT), EINVAL, "receive of size -1: EINVAL");
	FAILS(msgrcv(id, &m, 1, 0, IPC_NOWAIT), ENOMSG, "empty, IPC_NOWAIT: ENOMSG");
	IS(put(id, 3, "c3") | put(id, 2, "b2") | put(id, 3, "d3") | put(id, 1, "a1") |
		   put(id, 2, "e2") | put(id, LONG_MAX, "z"),
	   0, "messages of types 3 2 3 1 2 max");
	IS(take(id, 0, 0), 'c', "type 0: the first");
	IS(m.type, 3, "with its type");
	IS(take(id, 2, 0), 'b', "type 2: the first of it");
	IS(take(id, 7, 0), -ENOMSG, "type 7: none of it");
	IS(take(id, -2, 0), 'a', "type -2: the first of the lowest up to 2");
	IS(take(id, -2, 0), 'e', "type -2: the next");
	IS(take(id, -2, 0), -ENOMSG, "type -2: no more");
	IS(take(id, 3, MSG_EXCEPT), 'z', "MSG_EXCEPT 3: the first other");
	IS(take(id, 3, MSG_EXCEPT), -ENOMSG, "MSG_EXCEPT 3: no other");
	IS(put(id, LONG_MAX, "z"), 0, "type LONG_MAX");
	IS(take(id, LONG_MIN, 0), 'd', "type LONG_MIN: lowest of all");
	IS(take(id, LONG_MIN, 0), 'z', "up to LONG_MAX");
	msgctl(id, IPC_RMID, NULL);
}

static void msg_lengths_are_kept(void)
{
	int id = msgget(IPC_PRIVATE, 0600);
	m.type = 5;
	for (int i = 0; i < 8192; i++)
		m.text[i] = (char)(i * 7 + 1);
	IS(msgsnd(id, &m, 8192, 0), 0, "MSGMAX bytes");
	FAILS(msgrcv(id, &m, 8191, 0, 0), E2BIG, "longer than the receiver's: E2BIG");
	IS(msg_stat_of(id).msg_qnum, 1, "and it stays");
	memset(m.text, 0, sizeof(m.text));
	IS(msgrcv(id, &m, 9000, 0, 0), 8192, "whole");
	bool same = true;
	for (int i = 0; i < 8192; i++)
		same &= m.text[i] == (char)(i * 7 + 1);
	OK(same && !m.text[8192], "what was sent, and not a byte more");
	put(id, 1, "0123456789");
	memset(m.text, 0, sizeof(m.text));
	IS(msgrcv(id, &m, 4, 0, MSG_NOERROR), 4, "MSG_NOERROR: cut short");
	OK(!strcmp(m.text, "0123"), "to what fits");
	IS(take(id, 0, 0), -ENOMSG, "the rest is lost");
	m.type = 1;
	IS(msgsnd(id, &m, 0, 0), 0, "an empty message");
	IS(msgrcv(id, &m, 0, 0, 0), 0, "comes out");
	struct msqid_ds ds = msg_stat_of(id);
	OK(ds.msg_lspid == getpid() && ds.msg_lrpid == getpid() && ds.msg_stime && ds.msg_rtime,
	   "last sender, last receiver and their times");
	for (int i = 0; i < 2; i++)
		IS((m.type = 1, msgsnd(id, &m, 8192, IPC_NOWAIT)), 0, "half of MSGMNB");
	FAILS(msgsnd(id, &m, 1, IPC_NOWAIT), EAGAIN, "full, IPC_NOWAIT: EAGAIN");
	IS(msg_stat_of(id).__msg_cbytes, 16384, "bytes on the queue");
	take(id, 0, 0);
	m.type = 1;
	IS(msgsnd(id, &m, 8192, IPC_NOWAIT), 0, "room again");
	msgctl(id, IPC_RMID, NULL);
}

/* ---- waiting ---- */

struct wait_for {
	int id;
	long type;
};

static int wait_receive(void *arg)
{
	struct wait_for *w = arg;
	struct text t;
	ssize_t n = msgrcv(w->id, &t, sizeof(t.text), w->type, 0);
	return n < 0 ? errno : t.text[0];
}

static int wait_send(void *arg)
{
	struct wait_for *w = arg;
	struct text t = {.type = w->type, .text = "w"};
	return msgsnd(w->id, &t, 8192, 0) < 0 ? errno : 0;
}

static void on_signal(int sig) { (void)sig; }

static int wait_interrupted(void *arg)
{
	struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	sigaction(SIGUSR1, &sa, NULL);
	return wait_receive(arg);
}

static int wait_send_interrupted(void *arg)
{
	struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	sigaction(SIGUSR1, &sa, NULL);
	return wait_send(arg);
}

static void msg_waits(void)
{
	struct wait_for any = {msgget(IPC_PRIVATE, 0600), 0}, two = {any.id, 2};
	int id = any.id;
	pid_t a = tap_fork(wait_receive, &two), b = tap_fork(wait_receive, &any);
	OK(tap_sleeps(a) && tap_sleeps(b), "empty: receivers wait");
	put(id, 1, "x");
	IS(tap_wait(b), 'x', "one for any type gets it");
	usleep(20000);
	IS(waitpid(a, NULL, WNOHANG), 0, "one for type 2 waits on");
	put(id, 2, "y");
	IS(tap_wait(a), 'y', "until it comes");
	m.type = 1;
	msgsnd(id, &m, 8192, 0);
	msgsnd(id, &m, 8000, 0);
	a = tap_fork(wait_send, &two);
	OK(tap_sleeps(a), "full: a sender waits");
	take(id, 0, 0);
	IS(tap_wait(a), 0, "until there is room");
	a = tap_fork(wait_send_interrupted, &two);
	OK(tap_sleeps(a), "full again");
	kill(a, SIGUSR1);
	IS(tap_wait(a), EINTR, "a signal handler ends the wait: EINTR, SA_RESTART or not");
	a = tap_fork(wait_send, &two);
	OK(tap_sleeps(a), "a sender waits");
	two.type = 9;
	b = tap_fork(wait_receive, &two);
	OK(tap_sleeps(b), "a receiver waits");
	IS(msgctl(id, IPC_RMID, NULL), 0, "IPC_RMID");
	IS(tap_wait(a), EIDRM, "the sender is told: EIDRM");
	IS(tap_wait(b), EIDRM, "the receiver too");
	any.id = msgget(IPC_PRIVATE, 0600);
	a = tap_fork(wait_interrupted, &any);
	OK(tap_sleeps(a), "a receiver waits");
	kill(a, SIGUSR1);
	IS(tap_wait(a), EINTR, "a signal handler: EINTR");
	/* woken, and killed before it could receive */
	a = tap_fork(wait_receive, &any), b = tap_fork(wait_receive, &any);
	OK(tap_sleeps(a) && tap_sleeps(b), "two wait");
	kill(a, SIGSTOP);
	kill(a, SIGKILL);
	tap_wait(a);
	put(any.id, 1, "k");
	IS(tap_wait(b), 'k', "one is killed, the other receives");
	msgctl(any.id, IPC_RMID, NULL);
}

/* ---- permissions, as another user ---- */

struct ids {
	int shm_none, shm_read, shm_all, msg_none, msg_write, msg_all;
	key_t key;
};

static int try_as_nobody(void *arg)
{
	struct ids *i = arg;
	struct msqid_ds mds = {0};
	struct shmid_ds sds = {0};
	struct text t = {.type = 1, .text = "n"};
	tap_done = 1000, tap_failed = 0; /* of this process's own */
	if (setgid(65534) < 0 || setuid(65534) < 0)
		return 1;
	FAILS(shmat(i->shm_none, NULL, 0), EACCES, "nobody: shmat of 0600: EACCES");
	FAILS(shmctl(i->shm_none, IPC_STAT, &sds), EACCES, "nobody: IPC_STAT of 0600: EACCES");
	FAILS(shmget(i->key, 1, 0600), EACCES, "nobody: shmget asking for more than 0600 gives: EACCES");
	FAILS(shmat(i->shm_read, NULL, 0), EACCES, "nobody: shmat of 0604 to write: EACCES");
	OK(shmat(i->shm_read, NULL, SHM_RDONLY) != (void *)-1, "nobody: shmat of 0604 to read");
	OK(shmat(i->shm_all, NULL, 0) != (void *)-1, "nobody: shmat of 0606");
	FAILS(shmctl(i->shm_all, IPC_RMID, NULL), EPERM, "nobody: IPC_RMID of another's: EPERM");
	FAILS(shmctl(i->shm_all, IPC_SET, &sds), EPERM, "nobody: IPC_SET of another's: EPERM");
	FAILS(msgsnd(i->msg_none, &t, 1, 0), EACCES, "nobody: msgsnd to 0600: EACCES");
	IS(msgsnd(i->msg_write, &t, 1, 0), 0, "nobody: msgsnd to 0602");
	FAILS(msgrcv(i->msg_write, &t, 1, 0, 0), EACCES, "nobody: msgrcv of 0602: EACCES");
	FAILS(msgctl(i->msg_write, IPC_STAT, &mds), EACCES, "nobody: IPC_STAT of 0602: EACCES");
	IS(msgsnd(i->msg_all, &t, 1, 0), 0, "nobody: msgsnd to 0606");
	IS(msgrcv(i->msg_all, &t, 1, 0, 0), 1, "nobody: msgrcv of 0606");
	FAILS(msgctl(i->msg_all, IPC_RMID, NULL), EPERM, "nobody: IPC_RMID of another's: EPERM");
	FAILS(msgctl(i->msg_all, IPC_SET, &mds), EPERM, "nobody: IPC_SET of another's: EPERM");
	int own = msgget(IPC_PRIVATE, 0600);
	mds = msg_stat_of(own);
	mds.msg_qbytes = 100;
	IS(msgctl(own, IPC_SET, &mds), 0, "nobody: IPC_SET of one's own");
	mds.msg_qbytes = 16385;
	FAILS(msgctl(own, IPC_SET, &mds), EPERM, "nobody: msg_qbytes beyond MSGMNB: EPERM");
	IS(msgctl(own, IPC_RMID, NULL), 0, "nobody: IPC_RMID of one's own");
	return tap_failed;
}

/* What the kernel asks of the superuser; a container's may lack it. */
static bool may_raise_limits(void)
{
	char line[256];
	unsigned long long caps = 0;
	FILE *f = fopen("/proc/self/status", "r");
	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "CapEff: %llx", &caps);
	if (f)
		fclose(f);
	return caps >> 24 & 1;
}

static void permissions_hold(void)
{
	if (geteuid() != 0) {
		OK(true, "permissions # SKIP needs root");
		return;
	}
	struct ids i = {.key = a_key() + 1};
	i.shm_none = shmget(i.key, 100, 0600 | IPC_CREAT);
	i.shm_read = shmget(IPC_PRIVATE, 100, 0604);
	i.shm_all = shmget(IPC_PRIVATE, 100, 0606);
	i.msg_none = msgget(IPC_PRIVATE, 0600);
	i.msg_write = msgget(IPC_PRIVATE, 0602);
	i.msg_all = msgget(IPC_PRIVATE, 0606);
	fflush(stdout);
	int saved = dup(1), null = open("/dev/null", O_WRONLY);
	dup2(null, 1); /* its results are counted, not printed: numbers must be in order */
	pid_t pid = tap_fork(try_as_nobody, &i);
	int failed = tap_wait(pid);
	dup2(saved, 1);
	close(saved);
	close(null);
	IS(failed, 0, "19 permissions as another user");
	struct shmid_ds ds = shm_stat_of(i.shm_none);
	ds.shm_perm.mode = 0406;
	ds.shm_perm.uid = 65534;
	time_t was = ds.shm_ctime;
	IS(shmctl(i.shm_none, IPC_SET, &ds), 0, "IPC_SET");
	ds = shm_stat_of(i.shm_none);
	OK(ds.shm_perm.uid == 65534 && (ds.shm_perm.mode & 0777) == 0406 && ds.shm_ctime >= was &&
		   ds.shm_perm.cuid == 0,
	   "owner and mode are set, the creator stays");
	struct msqid_ds mds = msg_stat_of(i.msg_all);
	mds.msg_qbytes = 20000;
	if (!getenv("LD_PRELOAD") && !may_raise_limits()) {
		OK(true, "the superuser raises msg_qbytes # SKIP no CAP_SYS_RESOURCE here");
	} else {
		IS(msgctl(i.msg_all, IPC_SET, &mds), 0, "the superuser raises msg_qbytes");
		IS(msg_stat_of(i.msg_all).msg_qbytes, 20000, "to that");
		m.type = 1;
		IS(msgsnd(i.msg_all, &m, 8000, 0) | msgsnd(i.msg_all, &m, 8000, IPC_NOWAIT) |
			   msgsnd(i.msg_all, &m, 4000, IPC_NOWAIT),
		   0, "and it is used");
	}
	const int shm[] = {i.shm_none, i.shm_read, i.shm_all};
	const int msg[] = {i.msg_none, i.msg_write, i.msg_all};
	for (int k = 0; k < 3; k++)
		IS(shmctl(shm[k], IPC_RMID, NULL) | msgctl(msg[k], IPC_RMID, NULL), 0, "removed");
}

int main(void)
{
	tap_begin(01777);
	shm_is_got();
	shm_is_attached();
	shm_follows_processes();
	msg_is_got();
	msg_types_select();
	msg_lengths_are_kept();
	msg_waits();
	permissions_hold();
	return tap_end();
}
