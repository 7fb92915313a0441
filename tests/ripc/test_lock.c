// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A thread's locks and the C library's robust mutexes share one list (lib/ripc/robust.h): taken and
 * given back in any order, all that it has at its end are marked; and how many it can have.
 */
#include <pthread.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "lib/ripc/head.h"
#include "lib/ripc/ripc.h"
#include "lib/ripc/robust.h"
#include "tests/ripc/tap.h"

#define OURS 6
#define THEIRS 3
#define ALL (OURS + THEIRS)

struct page {
	struct ripc_lock ours[OURS];
	pthread_mutex_t theirs[THEIRS];
	bool held[ALL];
};
static struct page *page;

static void fresh(void)
{
	pthread_mutexattr_t a;
	memset(page, 0, sizeof(*page));
	pthread_mutexattr_init(&a);
	pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	for (int i = 0; i < THEIRS; i++)
		pthread_mutex_init(&page->theirs[i], &a);
}

static unsigned dice;
static unsigned roll(unsigned below)
{
	dice = dice * 1664525 + 1013904223;
	return (dice >> 8) % below;
}

static int turn(int which)
{
	int err;
	if (which < OURS)
		err = page->held[which] ? ripc_unlock(&page->ours[which])
					: ripc_lock(&page->ours[which]);
	else
		err = page->held[which] ? pthread_mutex_unlock(&page->theirs[which - OURS])
					: pthread_mutex_lock(&page->theirs[which - OURS]);
	page->held[which] = !page->held[which];
	return err;
}

static int take_and_give(void *arg)
{
	dice = *(unsigned *)arg;
	for (int i = 0; i < 200; i++) {
		if (turn((int)roll(ALL)))
			return 1;
	}
	return 0;
}

/* All that it had, and no other. */
static int unmarked(void)
{
	int wrong = 0;
	for (int i = 0; i < ALL; i++) {
		bool died = i < OURS ? ripc_lock(&page->ours[i]) == -EOWNERDEAD
				     : pthread_mutex_lock(&page->theirs[i - OURS]) == EOWNERDEAD;
		wrong += died != page->held[i];
		if (i < OURS)
			ripc_unlock(&page->ours[i]);
		else if (died)
			pthread_mutex_consistent(&page->theirs[i - OURS]);
		if (i >= OURS)
			pthread_mutex_unlock(&page->theirs[i - OURS]);
	}
	return wrong;
}

static void any_order(void)
{
	int failed = 0, wrong = 0, held = 0;
	for (unsigned seed = 1; seed <= 200; seed++) {
		fresh();
		failed += tap_wait(tap_fork(take_and_give, &seed)) != 0;
		for (int i = 0; i < ALL; i++)
			held += page->held[i];
		wrong += unmarked();
	}
	IS(failed, 0, "ours and the library's, taken and given back in any order");
	IS(wrong, 0, "what a thread had at its end is marked, and nothing else");
	OK(held > 200, "(it had some)");
}

/* ---- whose it is ---- */

static int give_it(void *arg)
{
	(void)arg;
	return ripc_unlock(&page->ours[0]) != -EPERM;
}

static void whose(void)
{
	fresh();
	IS(ripc_unlock(&page->ours[0]), -EPERM, "one that nobody has is not given back");
	IS(ripc_lock(&page->ours[0]), 0, "taken");
	IS(ripc_lock(&page->ours[0]), -EDEADLK, "and again: EDEADLK");
	IS(tap_wait(tap_fork(give_it, NULL)), 0, "a child has nothing of it");
	IS(ripc_unlock(&page->ours[0]), 0, "given back");
	atomic_store(&page->ours[0].word, (uint32_t)ripc_tid());
	IS(ripc_unlock(&page->ours[0]), -EPERM, "a word that lies about us does not make it ours");
	IS(ripc_lock(&page->ours[0]), -EOWNERDEAD, "it can be had");
	ripc_unlock(&page->ours[0]);
}

/* ---- how many ---- */

static char names[RIPC_HELD_MOST + 1][16];
static struct ripc_cs *many[RIPC_HELD_MOST + 1];

/* As many as it gets, in *arg. */
static int take_many(void *arg)
{
	int *got = arg;
	for (*got = 0; *got < (int)RIPC_HELD_MOST + 1; ++*got) {
		int err = ripc_cs_enter(many[*got]);
		if (err)
			return err == -ENOLCK ? 0 : 1;
	}
	return 2;
}

static int take_many_and_die(void *arg)
{
	int err = take_many(arg), got = *(int *)arg;
	for (int i = 1; i < got && !err; i += 2)
		err = ripc_cs_leave(many[i]);
	for (int i = 1; i < got && !err; i += 2)
		err = ripc_cs_enter(many[i]);
	_exit(err); /* without the sanitizer's look for leaks: what it had is lost with it */
}

static int take_many_and_give(void *arg)
{
	int err = take_many(arg), got = *(int *)arg;
	for (int i = 0; i < got && !err; i++)
		err = ripc_cs_leave(many[i]);
	return err ? err : ripc_held.n || ripc_held.more;
}

static void how_many(void)
{
	int *got = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int untold = 0, opened = 0;
	for (unsigned i = 0; i <= RIPC_HELD_MOST; i++) {
		snprintf(names[i], sizeof(names[i]), "many-%u", i);
		many[i] = init_CS(names[i]);
		opened += many[i] != NULL;
	}
	IS(opened, RIPC_HELD_MOST + 1, "(many critical sections)");
	IS(tap_wait(tap_fork(take_many_and_give, got)), 0, "a thread has as many as it may");
	IS(*got, RIPC_HELD_MOST - RIPC_HELD_SPARE, "one more is ENOLCK");
	IS(tap_wait(tap_fork(take_many_and_die, got)), 0, "another, in another order, ends with them");
	for (int i = 0; i < *got; i++) {
		untold += ripc_cs_try_enter(many[i]) != -EOWNERDEAD;
		ripc_cs_leave(many[i]);
	}
	IS(untold, 0, "each of them is told");
	for (unsigned i = 0; i <= RIPC_HELD_MOST; i++)
		ripc_cs_close(many[i]);
	munmap(got, 4096);
}

int main(void)
{
	tap_begin(0700);
	page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED || ripc_lock_is_possible())
		return 255;
	any_order();
	whose();
	how_many();
	return tap_end();
}
