// SPDX-License-Identifier: GPL-2.0-or-later
/*
 *     lockorder same|opposite|private [ROUNDS]
 *     lockorder condition
 *
 * Two who nest two mutexes (and hold a third apart), one after the other, so that they never meet: in one
 * order, or in opposite ones, as processes that share them; or in opposite ones, as threads of one process.
 * The first holds the third for 20 ms once, and the second waits for it meanwhile. "condition": one holds a
 * mutex of its own for 20 ms, and lets go of it by waiting for a condition, for which it has no time.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct shared {
	pthread_mutex_t m[3];
	int turn;
} *x;

static void rest_ms(long ms)
{
	struct timespec t = { 0, ms * 1000000 };
	nanosleep(&t, NULL);
}

static bool opposite;
static int rounds = 3;

static void await(int turn)
{
	while (__atomic_load_n(&x->turn, __ATOMIC_SEQ_CST) != turn)
		rest_ms(1);
}

/* Of two, who = 0 goes first; then the other; then one has to wait. */
static void work(int who)
{
	int first = opposite && who;
	await(who);
	for (int i = 0; i < rounds; i++) {
		pthread_mutex_lock(&x->m[first]);
		pthread_mutex_lock(&x->m[!first]);
		pthread_mutex_unlock(&x->m[!first]);
		pthread_mutex_unlock(&x->m[first]);
		pthread_mutex_lock(&x->m[2]);
		pthread_mutex_unlock(&x->m[2]);
	}
	if (pthread_mutex_trylock(&x->m[2]) == 0) { /* what is only tried for does not wait: no order */
		if (pthread_mutex_trylock(&x->m[who]) == 0)
			pthread_mutex_unlock(&x->m[who]);
		pthread_mutex_unlock(&x->m[2]);
	}
	__atomic_store_n(&x->turn, who + 1, __ATOMIC_SEQ_CST);
	if (who == 0) {
		await(2);
		pthread_mutex_lock(&x->m[2]);
		__atomic_store_n(&x->turn, 3, __ATOMIC_SEQ_CST);
		rest_ms(20);
		pthread_mutex_unlock(&x->m[2]);
	} else {
		await(3);
		pthread_mutex_lock(&x->m[2]);
		pthread_mutex_unlock(&x->m[2]);
	}
}

static void *thread(void *who)
{
	prctl(PR_SET_NAME, who ? "lo-second" : "lo-first");
	work((int)(intptr_t)who);
	return NULL;
}

static int condition(void)
{
	static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
	static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
	struct timespec past = { 0, 0 };
	prctl(PR_SET_NAME, "lo-first");
	pthread_mutex_lock(&m);
	rest_ms(20);
	int err = pthread_cond_timedwait(&c, &m, &past);
	pthread_mutex_unlock(&m);
	return err != ETIMEDOUT;
}

int main(int argc, char **argv)
{
	pthread_mutexattr_t a;
	pthread_t t[2];
	bool own = argc > 1 && strcmp(argv[1], "private") == 0;
	opposite = own || (argc > 1 && strcmp(argv[1], "opposite") == 0);
	if (argc > 1 && strcmp(argv[1], "condition") == 0)
		return condition();
	if (argc > 2)
		rounds = atoi(argv[2]);
	x = mmap(NULL, sizeof(*x), PROT_READ | PROT_WRITE, (own ? MAP_PRIVATE : MAP_SHARED) | MAP_ANONYMOUS, -1, 0);
	if (x == MAP_FAILED)
		return 1;
	pthread_mutexattr_init(&a);
	if (!own)
		pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	for (int i = 0; i < 3; i++)
		pthread_mutex_init(&x->m[i], &a);
	for (intptr_t i = 0; i < 2; i++) {
		if (own) {
			if (pthread_create(&t[i], NULL, thread, (void *)i))
				return 1;
		} else if (fork() == 0) {
			thread((void *)i);
			_exit(0);
		}
	}
	for (int i = 0; own && i < 2; i++)
		pthread_join(t[i], NULL);
	while (wait(NULL) > 0)
		;
	return 0;
}
