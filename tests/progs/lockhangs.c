// SPDX-License-Identifier: GPL-2.0-or-later
/*
 *     lockhangs [CASE…]
 *
 * Waits on semaphores, conditions, read-write locks and barriers of shared memory, of which the kernel
 * keeps no account: who could end them only the history tells. In all hanging cases the parent shares the
 * memory and is alive or rests, so that a snapshot alone finds nothing, or nobody in particular. All
 * cases that are named run at once, each in processes of its own; "lockhangs" alone lists them, with the
 * right verdict and core under the shim, "lockhangs all" runs all. Ends when it is killed, and with its parent.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct shared {
	sem_t s[3];
	pthread_mutex_t m;
	pthread_cond_t c[2];
	pthread_rwlock_t l[2];
	pthread_barrier_t b;
	int here, turn;
};

static struct shared *x; /* one for each case */

static void must(bool good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(1);
}

static void rest_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };
	while (nanosleep(&t, &t) && errno == EINTR)
		;
}

/* Alive, and able to do something about it, at any time. */
static void __attribute__((noreturn)) stay(void)
{
	for (;;)
		rest_ms(20);
}

static void __attribute__((noreturn)) rest(void)
{
	pause();
	_exit(1);
}

/* Where nobody should come. */
static void __attribute__((noreturn)) got_past(void)
{
	static const char text[] = "lockhangs: a case went on that should hang\n";
	ssize_t n = write(2, text, sizeof(text) - 1);
	(void)n;
	_exit(1);
}

static bool member(const char *name)
{
	pid_t parent = getpid(), pid = fork();
	must(pid >= 0, "fork");
	if (pid)
		return false;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	prctl(PR_SET_NAME, name);
	return true;
}

/* Until so many have come so far. */
static void meet(int parties)
{
	__atomic_add_fetch(&x->here, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&x->here, __ATOMIC_SEQ_CST) < parties)
		rest_ms(1);
}

static void make(int first, int barrier)
{
	pthread_mutexattr_t m;
	pthread_condattr_t c;
	pthread_rwlockattr_t l;
	pthread_barrierattr_t b;
	x = mmap(NULL, sizeof(*x), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(x != MAP_FAILED, "mmap");
	pthread_mutexattr_init(&m);
	pthread_mutexattr_setpshared(&m, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&x->m, &m);
	pthread_condattr_init(&c);
	pthread_condattr_setpshared(&c, PTHREAD_PROCESS_SHARED);
	pthread_rwlockattr_init(&l);
	pthread_rwlockattr_setpshared(&l, PTHREAD_PROCESS_SHARED);
	for (int i = 0; i < 2; i++) {
		pthread_cond_init(&x->c[i], &c);
		pthread_rwlock_init(&x->l[i], &l);
	}
	for (int i = 0; i < 3; i++)
		sem_init(&x->s[i], 1, (unsigned int)first);
	pthread_barrierattr_init(&b);
	pthread_barrierattr_setpshared(&b, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&x->b, &b, (unsigned int)barrier);
}

/* ---- hangs ---- */

/* Semaphores that are used as locks, and then taken in opposite order. */
static void sem_pair(void)
{
	make(1, 2);
	for (int i = 0; i < 2; i++)
		if (member(i ? "sp-right" : "sp-left")) {
			for (int n = 0; n < 3; n++) {
				sem_wait(&x->s[i]);
				sem_post(&x->s[i]);
			}
			sem_wait(&x->s[i]);
			meet(2);
			sem_wait(&x->s[!i]);
			got_past();
		}
	stay();
}

/* The same, never posted before, and whoever else could post rests. */
static void sem_first(void)
{
	make(1, 2);
	for (int i = 0; i < 2; i++)
		if (member(i ? "sf-right" : "sf-left")) {
			sem_wait(&x->s[i]);
			meet(2);
			sem_wait(&x->s[!i]);
			got_past();
		}
	rest();
}

/* Two that signal each other in turn, until both think it is the other's. */
static void cond_pair(void)
{
	make(1, 2);
	for (int i = 0; i < 2; i++)
		if (member(i ? "cp-right" : "cp-left")) {
			pthread_mutex_lock(&x->m);
			for (int n = 0; n < 6; n++) {
				while (x->turn % 2 != i)
					pthread_cond_wait(&x->c[i], &x->m);
				x->turn++;
				pthread_cond_signal(&x->c[!i]);
			}
			for (;;)
				pthread_cond_wait(&x->c[i], &x->m);
		}
	rest();
}

/* Each reads one and wants to write the other's. */
static void rwlock_pair(void)
{
	make(1, 2);
	for (int i = 0; i < 2; i++)
		if (member(i ? "rp-right" : "rp-left")) {
			pthread_rwlock_rdlock(&x->l[i]);
			meet(2);
			pthread_rwlock_wrlock(&x->l[!i]);
			got_past();
		}
	stay();
}

/* A third that always came to the barrier wants a mutex first, which one of those has that wait there. */
static void barrier_three(void)
{
	make(1, 3);
	for (int i = 0; i < 3; i++)
		if (member(i == 2 ? "bt-three" : i ? "bt-two" : "bt-one")) {
			for (int n = 0; n < 2; n++)
				pthread_barrier_wait(&x->b);
			if (i == 0)
				pthread_mutex_lock(&x->m);
			meet(3);
			if (i == 2)
				pthread_mutex_lock(&x->m);
			pthread_barrier_wait(&x->b);
			got_past();
		}
	rest();
}

/* The third has left. */
static void barrier_gone(void)
{
	make(1, 3);
	for (int i = 0; i < 3; i++)
		if (member(i == 2 ? "bg-three" : i ? "bg-two" : "bg-one")) {
			for (int n = 0; n < 2; n++)
				pthread_barrier_wait(&x->b);
			if (i == 2)
				_exit(0);
			pthread_barrier_wait(&x->b);
			got_past();
		}
	rest();
}

/* Who has the only unit of a semaphore that is used as a lock has left with it. */
static void sem_gone(void)
{
	make(1, 2);
	if (member("sg-taker")) {
		sem_wait(&x->s[0]);
		sem_post(&x->s[0]);
		sem_wait(&x->s[0]);
		_exit(0);
	}
	if (member("sg-left")) {
		while (sem_trywait(&x->s[0]) == 0) { /* until that one has it */
			sem_post(&x->s[0]);
			rest_ms(1);
		}
		sem_wait(&x->s[0]);
		got_past();
	}
	rest();
}

/* A thread has left that reads a lock, which another of its process wants to write. */
static void *reads(void *arg)
{
	prctl(PR_SET_NAME, "rg-reader");
	pthread_rwlock_rdlock(&x->l[0]);
	return arg;
}

static void rwlock_gone(void)
{
	pthread_t t;
	make(1, 2);
	if (member("rg-writer")) {
		pthread_create(&t, NULL, reads, NULL);
		pthread_join(t, NULL);
		pthread_rwlock_wrlock(&x->l[0]);
		got_past();
	}
	rest();
}

/* ---- what goes on ---- */

/* Locks and signals, by processes and by threads, without end; nothing is ever waited for in vain. */
static void *turns(void *arg)
{
	int i = (int)(intptr_t)arg;
	pthread_mutex_lock(&x->m);
	for (;;) {
		while (x->turn % 2 != i)
			pthread_cond_wait(&x->c[i], &x->m);
		x->turn++;
		pthread_cond_signal(&x->c[!i]);
		if (x->turn % 64 == 0)
			rest_ms(1);
	}
	return NULL;
}

static void busy(void)
{
	pthread_t t;
	make(1, 2);
	for (int i = 0; i < 2; i++)
		if (member(i ? "bu-right" : "bu-left")) {
			pthread_create(&t, NULL, turns, (void *)(intptr_t)i);
			for (;;) {
				for (int k = 0; k < 2; k++) {
					pthread_rwlock_rdlock(&x->l[k]);
					pthread_rwlock_unlock(&x->l[k]);
					sem_wait(&x->s[k]);
					pthread_rwlock_wrlock(&x->l[k]);
					pthread_rwlock_unlock(&x->l[k]);
					sem_post(&x->s[k]);
				}
				pthread_barrier_wait(&x->b);
				rest_ms(1); /* so much, not more, is recorded */
			}
		}
	stay();
}

/*
 * A pool: one who was done before waits for the next job, the master for another who is done for the
 * first time only after long. By whom the semaphores were posted so far, it looks like a circle.
 */
static void pool(void)
{
	make(0, 2);
	for (int i = 0; i < 2; i++)
		if (member(i ? "po-slow" : "po-quick")) {
			sem_wait(&x->s[i]);
			while (i)
				rest_ms(50);
			sem_post(&x->s[2]);
			sem_wait(&x->s[i]);
			got_past();
		}
	prctl(PR_SET_NAME, "po-master");
	sem_post(&x->s[0]);
	sem_wait(&x->s[2]);
	sem_post(&x->s[1]);
	sem_wait(&x->s[2]);
	got_past();
}

/* A daemon whose handler posts what it waits for: it has waited and been posted before. */
static sem_t wanted;
static void on_signal(int sig)
{
	(void)sig;
	sem_post(&wanted);
}

static void handler(void)
{
	if (member("ha-daemon")) {
		sem_init(&wanted, 0, 0);
		signal(SIGUSR1, on_signal);
		raise(SIGUSR1);
		for (;;)
			sem_wait(&wanted);
	}
	stay();
}

static const struct {
	const char *name, *verdict, *core; /* core: names, sorted, a comma between */
	void (*run)(void);
} cases[] = {
	{ "sem-pair", "closed-world", "sp-left,sp-right", sem_pair },
	{ "sem-first", "closed-world", "sf-left,sf-right", sem_first },
	{ "cond-pair", "closed-world", "cp-left,cp-right", cond_pair },
	{ "rwlock-pair", "closed-world", "rp-left,rp-right", rwlock_pair },
	{ "barrier-three", "closed-world", "bt-one,bt-three", barrier_three },
	{ "barrier-gone", "closed-world", "bg-one,bg-two", barrier_gone },
	{ "sem-gone", "closed-world", "sg-left", sem_gone },
	{ "rwlock-gone", "closed-world", "rg-writer", rwlock_gone },
	{ "busy", "none", "", busy },
	{ "pool", "none", "", pool },
	{ "handler", "stuck", "", handler }, /* at the most: a signal would help */
};
#define NCASES (sizeof(cases) / sizeof(*cases))

int main(int argc, char **argv)
{
	bool all = argc == 2 && strcmp(argv[1], "all") == 0;
	if (argc < 2)
		for (size_t i = 0; i < NCASES; i++)
			printf("%s %s %s\n", cases[i].name, cases[i].verdict, cases[i].core);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (size_t i = 0; i < NCASES; i++) {
		bool chosen = all;
		for (int a = 1; a < argc; a++)
			chosen = chosen || strcmp(argv[a], cases[i].name) == 0;
		if (chosen && member("case"))
			cases[i].run();
	}
	while (wait(NULL) > 0)
		;
	return 0;
}
