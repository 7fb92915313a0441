// SPDX-License-Identifier: GPL-2.0-or-later
/* ripc-objects: each named object of the notes with three processes, which share only its name. */
#include <stdatomic.h>
#include <sys/mman.h>

#include "lib/ripc/ripc.h"
#include "ripc_kit.h"

#define WORKERS 3
#define ROUNDS 200

/* What the three have done, in memory that they share besides the objects. */
static struct tally {
	_Atomic int inside, most, entries; /* of the semaphore */
	int counted;                       /* guarded by the critical section alone */
	_Atomic int woken;
	int turn; /* of the condition, guarded by its critical section */
	_Atomic long sum;
	_Atomic int finished;
} *tally;

static void *opened(void *object, const char *what)
{
	demo_must(object, errno, what);
	return object;
}

/* All are opened before anything is done: an object goes with its last user. */
static struct objects {
	struct ripc_cs *cs, *turns;
	struct ripc_semaphore *semaphore;
	struct ripc_event *event;
	struct ripc_condition *condition;
	struct ripc_buffer *buffer;
} o;

static void open_all(int pid)
{
	char name[48];

	snprintf(name, sizeof(name), "demo-%d", pid);
	o.cs = opened(init_CS(name), "init_CS");
	o.semaphore = opened(init_semaphore(2, name), "init_semaphore");
	o.event = opened(init_event(name), "init_event");
	o.condition = opened(init_condition(name), "init_condition");
	o.buffer = opened(init_message_buffer(100, name), "init_message_buffer");
	snprintf(name, sizeof(name), "demo-%d-turns", pid);
	o.turns = opened(init_CS(name), "init_CS");
}

static void close_all(void)
{
	ripc_cs_close(o.cs);
	ripc_cs_close(o.turns);
	ripc_semaphore_close(o.semaphore);
	ripc_event_close(o.event);
	ripc_condition_close(o.condition);
	ripc_buffer_close(o.buffer);
}

/* Three count in a variable that is no atomic. */
static void use_cs(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		demo_must(ripc_cs_enter(o.cs) == 0, EPROTO, "enter");
		tally->counted++;
		ripc_cs_leave(o.cs);
	}
}

/* At most two of three are inside. */
static void use_semaphore(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		int now, most;

		demo_must(ripc_semaphore_wait(o.semaphore) == 0, EPROTO, "wait");
		now = ++tally->inside;
		most = tally->most;
		while (now > most && !atomic_compare_exchange_weak(&tally->most, &most, now))
			;
		tally->entries++;
		tally->inside--;
		ripc_semaphore_post(o.semaphore, 1);
	}
}

/* An automatic event is a baton: each set lets one through. */
static void use_event(int me)
{
	if (me == 0)
		ripc_event_set(o.event);
	demo_must(ripc_event_wait(o.event) == 0, EPROTO, "wait");
	tally->woken++;
	ripc_event_set(o.event);
}

/* Each waits for its turn. */
static void use_condition(int me)
{
	for (int i = 0; i < ROUNDS / 10; i++) {
		ripc_cs_enter(o.turns);
		while (tally->turn % WORKERS != me)
			demo_must(ripc_condition_wait(o.condition, o.turns) == 0, EPROTO,
				  "condition");
		tally->turn++;
		ripc_condition_broadcast(o.condition);
		ripc_cs_leave(o.turns);
	}
}

/* Two send, one receives. */
static void use_buffer(int me)
{
	for (long i = 1; i <= ROUNDS; i++) {
		long got;

		if (me) {
			demo_must(ripc_buffer_send(o.buffer, &i, sizeof(i)) == 0, EPROTO, "send");
			continue;
		}
		for (int k = 1; k < WORKERS; k++) {
			demo_must(ripc_buffer_receive(o.buffer, &got, sizeof(got)) == sizeof(got),
				  EPROTO, "receive");
			tally->sum += got;
		}
	}
}

/* fds: which of the three, the supervisor's pid */
static void ob_worker(struct demo_run *run, const int *fds)
{
	int me = fds[0];

	(void)run;
	open_all(fds[1]);
	use_cs();
	use_semaphore();
	use_event(me);
	use_condition(me);
	use_buffer(me);
	tally->finished++;
	while (tally->finished < WORKERS)
		usleep(1000);
	close_all();
	if (me)
		return;
	tell("critical section: %d counted\n", tally->counted);
	tell("semaphore of 2: %d entries, %s\n", tally->entries,
	     tally->most <= 2 ? "never more than 2 inside" : "more than 2 inside");
	tell("event: %d let through\n", tally->woken);
	tell("condition: %d turns\n", tally->turn);
	tell("message buffer of 100: sum %ld\n", tally->sum);
}

int demo_ripc_objects(struct demo_run *run)
{
	int err = 0;

	tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (tally == MAP_FAILED)
		return -errno;
	for (int i = 0; i < WORKERS && !err; i++) {
		char name[16];

		snprintf(name, sizeof(name), "ob-%d", i + 1);
		err = demo_spawn(run, name, ob_worker, (int[]){i, getpid(), -1});
	}
	munmap(tally, sizeof(*tally));
	return err;
}
