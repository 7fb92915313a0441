// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The leaf lock (lib/ripc/leaf.h): who keeps it, who takes it from a keeper, who is let in when one
 * has died, and that there is never more than one inside.
 */
#include <linux/filter.h>
#include <linux/membarrier.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "lib/ripc/leaf.h"
#include "lib/ripc/object.h"
#include "tests/ripc/tap.h"

#define SECOND 1000000000ll
#define TURNS 20000
#define ENOUGH 1000 /* times in a row, to be let keep it */

struct page {
	struct ripc_leaf leaf;
	volatile unsigned long first, last; /* what it protects */
	_Atomic unsigned wrong, turns, stage;
};
static struct page *page;

static void fresh(void) { memset(page, 0, sizeof(*page)); }

static int once(void)
{
	int err = ripc_leaf_lock(&page->leaf);
	if (err == -EOWNERDEAD)
		page->last = page->first;
	else if (err || page->first != page->last)
		page->wrong++;
	page->first++;
	page->last++;
	ripc_leaf_unlock(&page->leaf);
	return err;
}

static void often(int n)
{
	for (int i = 0; i < n; i++)
		once();
}

static bool is_kept(void) { return atomic_load(&page->leaf.word) & RIPC_LEAF_KEPT; }

/* ---- keeping ---- */

static int take_it(void *arg)
{
	(void)arg;
	int64_t start = ripc_now_ns();
	int err = once();
	/* a keeper that is out is not waited for */
	return err || ripc_now_ns() - start > SECOND;
}

static void test_keeping(void)
{
	fresh();
	often(10);
	OK(!is_kept(), "after a few times it is free");
	IS(atomic_load(&page->leaf.word), 0, "the word says so");
	often(ENOUGH);
	OK(is_kept(), "after many it is kept");
	IS(tap_wait(tap_fork(take_it, NULL)), 0, "another takes it from a keeper who is out");
	OK(!is_kept(), "and gives it back free");
	IS(page->leaf.reluctance, 1, "it is kept less readily");
	often(ENOUGH);
	OK(is_kept(), "but again");
	IS(page->wrong, 0, "nobody saw a half done change");
}

static int keep_and_go(void *arg)
{
	(void)arg;
	often(ENOUGH);
	return is_kept() ? 0 : 1;
}

static void test_keepers_that_end(void)
{
	fresh();
	for (unsigned i = 0; i < 3 * RIPC_LEAF_SEATS; i++) {
		page->leaf.reluctance = 0;
		if (tap_wait(tap_fork(keep_and_go, NULL)))
			page->wrong++;
	}
	IS(page->wrong, 0, "seats of those who have ended are given to others");
}

/* ---- inside ---- */

static int stay_inside(void *arg)
{
	often(ENOUGH);
	int err = ripc_leaf_lock(&page->leaf);
	page->first++; /* half done */
	page->stage = 1;
	while (page->stage == 1)
		usleep(1000);
	if (arg)
		kill(getpid(), SIGKILL);
	page->last++;
	ripc_leaf_unlock(&page->leaf);
	return err;
}

static int come_after(void *arg)
{
	(void)arg;
	return -once();
}

static pid_t start_inside(bool dies)
{
	fresh();
	pid_t pid = tap_fork(stay_inside, dies ? page : NULL);
	while (!page->stage)
		usleep(1000);
	return pid;
}

static void test_inside(void)
{
	pid_t keeper = start_inside(false);
	OK(is_kept(), "a keeper is inside");
	pid_t after = tap_fork(come_after, NULL);
	OK(tap_sleeps(after), "who wants it sleeps");
	page->stage = 2;
	IS(tap_wait(keeper), 0, "the keeper leaves");
	IS(tap_wait(after), 0, "the other comes in");
	IS(page->wrong, 0, "after it was out");
}

/* How long an heir who sleeps waits for the death; every one is told. */
static int64_t wait_for_death(unsigned *told)
{
	pid_t keeper = start_inside(true), after = tap_fork(come_after, NULL);
	bool slept = tap_sleeps(after);
	int64_t start = ripc_now_ns();
	page->stage = 2;
	*told += tap_wait(after) == EOWNERDEAD && slept;
	start = ripc_now_ns() - start;
	*told += tap_wait(keeper) == 1000 + SIGKILL;
	return start;
}

static void test_death_inside(void)
{
	unsigned told = 0;
	int64_t least = RIPC_FOREVER;
	for (int i = 0; i < 5; i++) {
		int64_t ns = wait_for_death(&told);
		least = ns < least ? ns : least;
	}
	IS(told, 10, "an heir who waits is told that the keeper died inside");
	/* by the heartbeat it would be some 200 ms; a busy machine may take as long now and then */
	OK(least < RIPC_HEARTBEAT_NS / 2, "at once, by the kernel");
	pid_t keeper = start_inside(true);
	page->stage = 2;
	tap_wait(keeper);
	IS(once(), -EOWNERDEAD, "an heir who comes later is told");
	IS(once(), 0, "once");
}

/* The one who has taken the word from a keeper inside dies as it waits: the keeper still counts. */
static void test_death_of_a_taker(void)
{
	pid_t keeper = start_inside(false), taker = tap_fork(come_after, NULL);
	bool slept = tap_sleeps(taker);
	tap_kill(taker);
	pid_t after = tap_fork(come_after, NULL);
	slept &= tap_sleeps(after);
	OK(slept && page->first != page->last, "after a taker's death another waits for the keeper");
	page->stage = 2;
	IS(tap_wait(keeper), 0, "the keeper leaves");
	IS(tap_wait(after), EOWNERDEAD, "the other comes in, and is told of the taker");
	IS(page->wrong, 0, "after the keeper was out");
}

static void on_signal(int sig)
{
	(void)sig;
	page->stage = ripc_leaf_lock(&page->leaf) == -EDEADLK;
}

static struct ripc_cs *handlers_cs;

static void use_other_lock(int sig)
{
	(void)sig;
	ripc_cs_enter(handlers_cs);
	ripc_cs_leave(handlers_cs);
}

static void test_signal_inside(void)
{
	fresh();
	signal(SIGUSR1, on_signal);
	ripc_leaf_lock(&page->leaf);
	raise(SIGUSR1);
	ripc_leaf_unlock(&page->leaf);
	OK(page->stage, "a signal handler is refused inside");
	often(ENOUGH);
	page->stage = 0;
	ripc_leaf_lock(&page->leaf);
	raise(SIGUSR1);
	ripc_leaf_unlock(&page->leaf);
	OK(page->stage && is_kept(), "and inside a lock that is kept");
	IS(once(), 0, "nothing came of it");
	struct ripc_cs *cs = init_CS("c");
	signal(SIGUSR2, use_other_lock);
	handlers_cs = cs;
	for (int kept = 1; kept >= 0; kept--) {
		page->leaf.reluctance = kept ? 0 : RIPC_LEAF_NEVER;
		ripc_leaf_lock(&page->leaf);
		raise(SIGUSR2);
		ripc_leaf_unlock(&page->leaf);
		IS(tap_wait(tap_fork(take_it, NULL)), 0, "one that uses another lock may do so");
	}
	ripc_cs_close(cs);
}

/* ---- many ---- */

static void *many(void *arg)
{
	unsigned long burst = (unsigned long)arg;
	for (unsigned long i = 0; i < TURNS;) {
		for (unsigned long k = 0; k < burst && i < TURNS; k++, i++) {
			once();
			page->turns++;
		}
		/* a kept lock is taken, a reluctant one becomes willing again */
		if (burst > 1 && !ripc_leaf_lock(&page->leaf)) {
			page->leaf.reluctance = 0;
			ripc_leaf_unlock(&page->leaf);
			sched_yield();
		}
	}
	return NULL;
}

static int two_threads(void *arg)
{
	pthread_t t;
	pthread_create(&t, NULL, many, arg);
	many(arg);
	pthread_join(t, NULL);
	return 0;
}

static void test_many(unsigned long burst, const char *name)
{
	pid_t pids[3];
	fresh();
	for (int i = 0; i < 3; i++)
		pids[i] = tap_fork(two_threads, (void *)burst);
	for (int i = 0; i < 3; i++)
		tap_wait(pids[i]);
	OK(!page->wrong && page->first == 6 * TURNS && page->last == page->first &&
		   page->turns == 6 * TURNS,
	   name);
}

/* ---- a sandbox ---- */

static void forbid_membarrier(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(*code), code};
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		_exit(99);
}

static const struct ripc_buffer_shape shape = {.messages = 4, .message_bytes = 64};

static int open_in_sandbox(void *arg)
{
	const char *name = arg ? "y" : "x";
	struct ripc_buffer *b;
	forbid_membarrier();
	int r = ripc_buffer_open(&b, name, &shape, RIPC_CREATE, 0);
	if (r < 0)
		return -r;
	for (int i = 0; i < ENOUGH; i++) {
		char text[64];
		if (ripc_buffer_send(b, "x", 1) || ripc_buffer_receive(b, text, sizeof(text)) != 1)
			return 1;
	}
	ripc_buffer_close(b);
	return 0;
}

/* Opened before the sandbox came, kept by its parent. */
static int take_in_sandbox(void *arg)
{
	(void)arg;
	forbid_membarrier();
	int err = ripc_leaf_lock(&page->leaf);
	return err != -ENOSYS || !is_kept();
}

static void test_sandbox(void)
{
	struct ripc_buffer *b;
	fresh();
	IS(ripc_buffer_open(&b, "x", &shape, RIPC_CREATE, 0), 1, "a buffer whose locks may be kept");
	IS(tap_wait(tap_fork(open_in_sandbox, NULL)), ENOSYS,
	   "where membarrier() is forbidden it cannot be opened");
	IS(tap_wait(tap_fork(open_in_sandbox, page)), 0, "but another, which nobody keeps, works");
	ripc_buffer_close(b);
	often(ENOUGH);
	OK(is_kept(), "a lock is kept");
	IS(tap_wait(tap_fork(take_in_sandbox, NULL)), 0, "and not taken when nothing is sure");
	IS(once(), 0, "its keeper goes on");
}

int main(void)
{
	tap_begin(0700);
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (ripc_leaf_prepare()) {
		printf("1..0 # SKIP no membarrier() here\n");
		return 0;
	}
	test_keeping();
	test_keepers_that_end();
	test_inside();
	test_death_inside();
	test_death_of_a_taker();
	test_signal_inside();
	test_many(1, "six threads of three processes, one turn at a time: none is lost");
	test_many(300, "and many turns at a time, kept and taken");
	test_sandbox();
	ripc_dir_sweep();
	return tap_end();
}
