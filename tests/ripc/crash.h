/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kills without end: processes that use an object are killed with SIGKILL wherever they are, and
 * after each batch a survivor finds the object usable, sound and complete. A program of this kind
 * is some stories, and crash_run() in its main():
 *
 *     test_crash [WORD]      only the stories whose name has WORD in it
 *     RIPC_KILLS             kills of each story (KILLS)
 *     RIPC_SEED              repeats the dice of a run, which prints it
 *
 * The stories share a page in which the workers count what they do just before and just after, so
 * that the survivor knows what may have been lost: at most what was in the hands of the killed.
 */
#ifndef TESTS_RIPC_CRASH_H
#define TESTS_RIPC_CRASH_H

#include <limits.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "lib/ripc/object.h"
#include "tests/ripc/tap.h"

#define KILLS 500 /* of a story: 15 stories, in three programs, and 2,500 of named pipes */
#define WORKERS 3
#define SECOND 1000000000ll
#define MESSAGES (1u << 22)

struct story {
	const char *name;
	void (*work)(void);	     /* for ever, in a process that will be killed */
	bool (*is_sound)(int killed); /* what a survivor finds after that many more kills */
	unsigned most_us;	     /* a worker's life */
	const char *told;	     /* set: page->told must have been counted, and what that says */
};

struct page {
	_Atomic unsigned next;	       /* number of the next message */
	volatile unsigned first, last; /* what a critical section protects */
	_Atomic unsigned duplicates, torn, told;
	unsigned char seen[MESSAGES]; /* how often a message was received */
};

static struct page *page;
static uint64_t dice;

static unsigned roll(unsigned below)
{
	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	return (unsigned)((dice >> 11) % below);
}

/* ---- a message that shows when it is torn ---- */

struct letter {
	long type;
	unsigned number, bytes;
	unsigned char text[300];
};
#define LETTER_BYTES(n) (offsetof(struct letter, text) - sizeof(long) + (n))

__attribute__((unused)) static void letter_fill(struct letter *l)
{
	l->number = atomic_fetch_add(&page->next, 1) % MESSAGES;
	l->bytes = l->number * 2654435761u >> 8;
	l->bytes %= sizeof(l->text) + 1;
	l->type = 1 + l->number % 4;
	memset(l->text, (int)(l->number & 0xff), l->bytes);
}

/* length: of what came, without the type */
__attribute__((unused)) static void letter_check(const struct letter *l, ssize_t length)
{
	bool whole = length == (ssize_t)LETTER_BYTES(l->bytes) && l->number < MESSAGES;
	for (unsigned i = 0; whole && i < l->bytes; i++)
		whole = l->text[i] == (l->number & 0xff);
	if (!whole)
		page->torn++;
	else if (__atomic_fetch_add(&page->seen[l->number], 1, __ATOMIC_SEQ_CST))
		page->duplicates++;
}

/* ---- the stories ---- */

static pid_t start_worker(const struct story *s)
{
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* nobody outlives a test that is stopped */
		dice ^= (uint64_t)getpid() << 20;
		s->work();
	}
	return pid;
}

static void wait_us(unsigned us)
{
	int64_t until = ripc_now_ns() + us * 1000ll;
	if (us > 100)
		usleep(us - 60);
	while (ripc_now_ns() < until)
		;
}

/* Starts some, kills each at a moment of its own; how many. A worker that ends by itself is wrong. */
static int batch(const struct story *s, bool *died_alone)
{
	pid_t pids[WORKERS];
	for (int i = 0; i < WORKERS; i++)
		pids[i] = start_worker(s);
	for (int i = 0; i < WORKERS; i++) {
		wait_us(20 + roll(s->most_us));
		kill(pids[i], SIGKILL);
	}
	for (int i = 0; i < WORKERS; i++)
		*died_alone |= tap_wait(pids[i]) != 1000 + SIGKILL;
	return WORKERS;
}

static void tell(const struct story *s, int kills)
{
	int killed = 0, unsound = 0;
	bool died_alone = false;
	char name[160];
	int64_t start = ripc_now_ns();
	page->torn = page->duplicates = page->told = 0;
	page->first = page->last = 0;
	while (killed < kills && !unsound) {
		int n = batch(s, &died_alone);
		killed += n;
		unsound += !s->is_sound(n);
		/* which has received all there was: numbers may be used again */
		unsigned used = page->next < MESSAGES ? page->next : MESSAGES;
		memset(page->seen, 0, used);
		page->next = 0;
	}
	snprintf(name, sizeof(name), "%s: sound after each of %d kills", s->name, killed);
	if (!OK(!unsound && killed >= kills, name))
		fprintf(stderr, "# torn %u, twice %u, after %d kills\n", page->torn,
			page->duplicates, killed);
	snprintf(name, sizeof(name), "%s: nobody ended but by a kill", s->name);
	OK(!died_alone, name);
	snprintf(name, sizeof(name), "%s: %s", s->name, s->told ? s->told : "");
	if (s->told)
		OK(page->told > 0, name);
	fprintf(stderr, "# %s: %.1f s\n", s->name, (double)(ripc_now_ns() - start) / SECOND);
}

/* The page and the dice, before objects are made. */
static void crash_begin(void)
{
	const char *seed = getenv("RIPC_SEED");
	tap_begin(0700);
	alarm(0); /* tests/run has a limit, and more kills may be asked for */
	dice = seed ? strtoull(seed, NULL, 0) : (uint64_t)ripc_now_ns() | 1;
	fprintf(stderr, "# RIPC_SEED=%llu\n", (unsigned long long)dice);
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static void crash_run(const struct story *stories, size_t n, int argc, char **argv)
{
	const char *kills = getenv("RIPC_KILLS");
	for (size_t i = 0; i < n; i++) {
		if (argc < 2 || strstr(stories[i].name, argv[1]))
			tell(&stories[i], kills ? atoi(kills) : KILLS);
	}
}

#endif
